"""Speeds of this version beside those of an older one, in one run.

    git worktree add --detach ../older COMMIT
    python tools/benchmark_versions.py ../older --keras vgg16.keras

Every measurement is a process of its own, once with the older version's sources on the path and once with this one's,
one after the other, so that other load on the machine meets both alike. Times are processor seconds, medians of the
rounds; what a process does before it measures, such as compiling, is left out, but for the rows that say "first use".
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark import Case, Counter, action, graph_of, machine, markdown, peak

if TYPE_CHECKING:
    from onnx2graphml import NeuronGraph

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "fixtures" / "digits.onnx"
COMPRESSED = ("graphml.gz", "graphml.zst")
NODES, EDGES = 1_000_000, 4_000_000
MORE_EDGES = 20_000_000  # where a process has something to do before the first
FEWER_NODES, FEWER_EDGES = 600_000, 2_000_000  # of a first run, which compiles what is to be measured


@dataclass(frozen=True)
class Sample:
    """What one process measured: of how much, in how long, how many bytes it wrote, and its peak of memory."""

    work: int
    seconds: float
    written: int = 0
    peak: int = 0


@dataclass(frozen=True)
class Measure:
    """A row of the table: `unit` is what is counted, in millions a second; without one, seconds are."""

    name: str
    unit: str
    run: Callable[[], Sample]


def timed(call: Callable[[], int], work: int) -> Sample:
    """The processor time of a call, for which all has been compiled before."""
    start = time.process_time()
    written = call()
    return Sample(work, time.process_time() - start, written, peak())


def elementwise(nodes: int) -> NeuronGraph:
    """A network of pictures through functions of one value each: few edges, many neurons."""
    from onnx import TensorProto, helper

    import onnx2graphml

    side, layers = 224, 4
    shape = [1, nodes // (side * side * (layers + 1)), side, side]
    names = [f"t{k}" for k in range(layers + 1)]
    body = [helper.make_node("Relu", [a], [b]) for a, b in itertools.pairwise(names)]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in (names[0], names[-1]))
    opset = [helper.make_opsetid("", 17)]
    return onnx2graphml.load(helper.make_model(helper.make_graph(body, "relus", [x], [y]), opset_imports=opset))


def nodes_read(suffix: str) -> Sample:
    """Read the nodes of a file, of which the edges are left unread."""
    from onnx2graphml.formats import writing
    from onnx2graphml.formats.reading import open_graph

    def read(nodes: int) -> tuple[Callable[[], int], int]:
        graph = elementwise(nodes)
        path = Path(folder) / f"{nodes}{suffix}"
        writing.write(graph, path, jobs=1)

        def call() -> int:
            with open_graph(path) as file:
                file.about()
                return 0 * sum(len(layer.id) for layer in file.layers())

        return call, graph.neurons

    with tempfile.TemporaryDirectory() as folder:
        read(FEWER_NODES)[0]()
        call, nodes = read(NODES)
        return timed(call, nodes)


def nodes_written(suffix: str) -> Sample:
    """Write a network that has as many edges as neurons: it is the neurons that take the time."""
    from onnx2graphml.formats import registry

    def write(graph: NeuronGraph) -> int:
        file = Counter()
        registry.FORMATS[suffix].load()(graph, file, jobs=1)
        return file.bytes

    for _ in range(2):
        write(elementwise(FEWER_NODES))
    graph = elementwise(NODES)
    return timed(lambda: write(graph), graph.neurons)


def edges_read(layer: str) -> Sample:
    """Read a GraphML file, nearly all of which is edges."""
    from onnx2graphml.formats import writing
    from onnx2graphml.formats.reading import open_graph

    def read(path: Path) -> int:
        with open_graph(path) as file:
            file.about()
            file.layers()
            return 0 * sum(len(rows) for rows in file.edges())

    with tempfile.TemporaryDirectory() as folder:
        for edges in (FEWER_EDGES, FEWER_EDGES, EDGES):
            graph, path = graph_of(layer, edges), Path(folder) / f"{edges}.graphml"
            writing.write(graph, path, jobs=1)
            found = timed(lambda path=path: read(path), graph.edges)
    return found


def of_layer(what: str, layer: str) -> Sample:
    """An action of `tools/benchmark.py`, on one thread."""
    for size in (FEWER_EDGES, FEWER_EDGES, MORE_EDGES if what in COMPRESSED else EDGES):
        run, edges = action(Case(what, layer, size, 1))
        found = timed(run, edges)
    return found


def first_use(warm: bool) -> Sample:
    """`onnx2graphml digits.onnx digits.graphml`, with or without what an earlier use has compiled."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "onnx2graphml", str(DIGITS), str(Path(folder) / "digits.graphml")]
        given = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder) / "compiled")}
        if warm:
            subprocess.run(command, env=given, check=True, capture_output=True)
        before = os.times()
        subprocess.run(command, env=given, check=True, capture_output=True)
        after = os.times()
        spent = after.children_user - before.children_user + after.children_system - before.children_system
        return Sample(0, spent)


def loaded(path: str) -> Sample:
    """Load a model file: the whole process, with the import of its framework."""
    start = time.process_time()
    import onnx2graphml

    graph = onnx2graphml.load(path)
    return Sample(graph.neurons, time.process_time() - start, 0, peak())


def measures(keras: str | None) -> list[Measure]:
    """All rows, in order."""
    rows = [
        Measure(f"nodes written, `{suffix}`", "nodes", lambda s=suffix: nodes_written(s)) for suffix in (".graphml",)
    ]
    rows += [
        Measure(f"nodes read, `{suffix}`", "nodes", lambda s=suffix: nodes_read(s))
        for suffix in (".graphml", ".gephi.csv", ".neo4j.csv")
    ]
    for layer in ("conv", "dense", "pool"):
        rows += [
            Measure(f"{layer}: {name}", "edges", lambda w=what, x=layer: of_layer(w, x))
            for what, name in {
                "expand": "edges as arrays",
                "recompute": "edges recomputed",
                "graphml": "`.graphml` written",
                "graphml.gz": "`.graphml.gz` written",
                "graphml.zst": "`.graphml.zst` written",
            }.items()
        ]
    rows += [Measure(f"{x}: `.graphml` read", "edges", lambda x=x: edges_read(x)) for x in ("conv", "dense")]
    rows += [
        Measure("first use of digits.onnx, nothing compiled", "", lambda: first_use(warm=False)),
        Measure("first use of digits.onnx, all compiled", "", lambda: first_use(warm=True)),
    ]
    if keras:
        rows.append(Measure("load of a .keras file, in one process", "", lambda: loaded(keras)))
    return rows


def measured(row: int, sources: Path, keras: str | None) -> Sample | None:
    """One measurement in a process of its own, with a version's sources on the path."""
    command = [sys.executable, __file__, "--row", str(row), str(sources), *(["--keras", keras] if keras else [])]
    given = os.environ | {"PYTHONPATH": str(sources / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"  left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return None
    return Sample(**json.loads(done.stdout.splitlines()[-1]))


def text_of(measure: Measure, before: Sequence[Sample], after: Sequence[Sample]) -> list[str]:
    """A line of the table."""
    medians = [statistics.median(s.seconds for s in samples) for samples in (before, after)]
    if measure.unit:
        speeds = [f"{samples[0].work / t / 1e6:.3g} M" for samples, t in zip((before, after), medians, strict=True)]
    else:
        speeds = [f"{t:.2f} s" for t in medians]
    sizes = [samples[0].written / samples[0].work if samples[0].work else 0 for samples in (before, after)]
    peaks = [max(s.peak for s in samples) for samples in (before, after)]
    return [
        measure.name, *speeds, f"{medians[0] / medians[1]:.3g}x",
        f"{sizes[0]:.3g}, {sizes[1]:.3g}" if sizes[0] > 0 else "",
        f"{peaks[0] / 1e6:.0f}, {peaks[1] / 1e6:.0f} MB" if peaks[0] else "",
    ]  # fmt: skip


def main() -> None:
    """Measure both versions, and print the table; or as the child process one row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("older", type=Path, help="the folder of the other version's checkout")
    parser.add_argument("--keras", help="a Keras model that is loaded, too")
    parser.add_argument("--rounds", type=int, default=3, help="how often everything is measured (default 3)")
    parser.add_argument("--only", default="", help="of the rows, those whose name has this text in it")
    parser.add_argument("--row", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    rows = measures(given.keras)
    if given.row is not None:
        print(json.dumps(asdict(rows[given.row].run())))
        return
    lines = []
    for k, measure in enumerate(rows):
        if given.only not in measure.name:
            continue
        print(measure.name, file=sys.stderr, flush=True)
        found: Any = [[measured(k, s, given.keras) for s in (given.older, ROOT)] for _ in range(given.rounds)]
        pairs = [pair for pair in found if None not in pair]
        if pairs:
            lines.append(text_of(measure, *zip(*pairs, strict=True)))
    print(f"Machine: {machine()}. One thread; processor time, medians of {given.rounds} rounds.\n")
    print(markdown(["what", "before", "now", "ratio", "bytes of each", "peak"], lines))


if __name__ == "__main__":
    main()
