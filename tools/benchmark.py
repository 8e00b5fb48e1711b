"""Measures this package beside others, and beside what the memory of the machine allows, in one run.

Every measurement is a process of its own, so that its peak of memory is its own; rounds of all of them follow one
another, so that other load on the machine meets all alike. The result is a page of Markdown tables.

    python tools/benchmark.py --quick
    python tools/benchmark.py --output docs/benchmark.md
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx2graphml import NeuronGraph

SIDE = 56  # of the pictures
COPIED = 1 << 28  # bytes
WARM = 2_000_000  # edges of a first run, which compiles what is to be measured
LAYERS = {"conv": "convolution, 3x3", "dense": "dense, all weights distinct", "pool": "max pooling, 2x2"}
OURS = {
    "expand": "edges as arrays",
    "recompute": "recomputed from edges, as `verify` does",
    "graphml": "GraphML",
    "graphml.gz": "GraphML, gzip",
    "graphml.zst": "GraphML, Zstandard",
    "parquet": "Parquet",
}
READ = ("graphml", "graphml.gz", "graphml.zst", "gephi.csv", "neo4j.csv", "npz", "parquet")
READING = {"nodes": "pool", "edges": "conv"}  # what is read of which layer
PEERS = {
    "igraph": "igraph `write_graphml`",
    "networkx": "networkx `write_graphml`",
    "networkit": "NetworKit `GraphMLWriter`",
}
PEERS_EDGES = {"igraph": 1_000_000, "networkx": 100_000, "networkit": 200_000}  # a few seconds each
ALONE = ("expand",)  # these have one thread only


@dataclass(frozen=True)
class Case:
    """What is measured: an action on a layer of about so many edges."""

    what: str
    layer: str
    edges: int
    jobs: int


@dataclass(frozen=True)
class Sample:
    """One measurement: exact edges, seconds on the clock and of all processors, bytes written, peak bytes of memory."""

    edges: int
    seconds: float
    processor: float
    written: int
    peak: int


# In the child process


def graph_of(layer: str, edges: int) -> NeuronGraph:
    """A network of one layer, with random weights."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    import onnx2graphml

    rng, pictures = np.random.default_rng(0), (SIDE, SIDE)
    if layer == "conv":
        channels = max(1, round(math.sqrt(edges / (3 * SIDE - 2) ** 2)))
        shapes, weights = ([1, channels, *pictures],) * 2, [channels, channels, 3, 3]
        node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1] * 4)
    elif layer == "dense":
        side = round(math.sqrt(edges))
        shapes, weights = ([1, side],) * 2, [side, side]
        node = helper.make_node("Gemm", ["x", "w"], ["y"])
    else:
        channels = max(1, round(edges / SIDE**2))
        shapes, weights = ([1, channels, *pictures], [1, channels, SIDE // 2, SIDE // 2]), None
        node = helper.make_node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], strides=[2, 2])
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in zip("xy", shapes, strict=True))
    constants = [numpy_helper.from_array((0.05 * rng.normal(size=weights)).astype(np.float32), "w")] if weights else []
    body = helper.make_graph([node], layer, [x], [y], constants)
    return onnx2graphml.load(
        helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=onnx.IR_VERSION_2023_5_5)
    )


class Counter:
    """A file that only counts the bytes written into it."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: Any) -> int:
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None: ...


def action(case: Case) -> tuple[Callable[[], int], int]:
    """What is to be timed, which returns the bytes written, and its number of edges. All else is done before."""
    if case.what == "copy":
        return _copy(), 0
    graph = graph_of(case.layer, case.edges)
    reads, _, suffix = case.what.partition(" of ")
    if reads in READING:
        return _read(reads, graph, suffix)
    if case.what in PEERS:
        return _peer(case.what, graph), graph.edges
    if case.what == "expand":
        block = graph.layers[1].incoming[0].block
        return lambda: sum(e.source.nbytes + e.target.nbytes + e.weight.nbytes for e in block.expand()), graph.edges
    if case.what == "recompute":
        return _recompute(graph), graph.edges
    return _write(case, graph), graph.edges


def _copy() -> Callable[[], int]:
    import numpy as np

    source = np.ones(COPIED, np.uint8)
    target = np.zeros_like(source)

    def copy() -> int:
        np.copyto(target, source)
        return COPIED

    return copy


def _recompute(graph: NeuronGraph) -> Callable[[], int]:
    import numpy as np

    from onnx2graphml.verification.recompute import recompute

    x, y = graph.layers
    values = {x.name: np.random.default_rng(1).normal(size=x.neurons)}

    def run() -> int:
        recompute(y, values)
        return 0

    return run


def _write(case: Case, graph: NeuronGraph) -> Callable[[], int]:
    from onnx2graphml.formats import registry

    if case.what == "parquet":
        return lambda: _written_folder(graph, case.jobs)
    found = registry.FORMATS[f".{case.what}"].load()

    def run() -> int:
        file = Counter()
        found(graph, file, jobs=case.jobs)
        return file.bytes

    return run


def _read(what: str, graph: NeuronGraph, suffix: str) -> tuple[Callable[[], int], int]:
    """Reading the nodes, or the edges once the nodes were read, of a file that is there."""
    from onnx2graphml.formats import reading, writing

    path = Path(tempfile.mkdtemp(prefix="benchmark-")) / f"graph.{suffix}"
    writing.write(graph, path)
    size = sum(p.stat().st_size for p in (path.rglob("*") if path.is_dir() else [path]))
    opened = contextlib.ExitStack()
    opened.callback(shutil.rmtree, path.parent)
    file = opened.enter_context(reading.open_graph(path))
    file.about()
    if what == "edges":
        file.layers()

    def run() -> int:
        for _ in file.edges() if what == "edges" else file.layers():
            pass
        opened.close()
        return size

    return run, graph.edges if what == "edges" else graph.neurons


def _written_folder(graph: NeuronGraph, jobs: int) -> int:
    from onnx2graphml.formats import writing

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "graph.parquet"
        writing.write(graph, path, jobs=jobs)
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def _peer(name: str, graph: NeuronGraph) -> Callable[[], int]:
    import numpy as np

    edges = [e for layer in graph.layers for _, e in graph.edges_into(layer)]
    source = np.concatenate([e.source for e in edges])
    target = np.concatenate([e.target for e in edges]) + graph.layers[1].first_id
    weight = np.concatenate([e.weight for e in edges]).astype(float)
    built = {"igraph": _igraph, "networkx": _networkx, "networkit": _networkit}[name]
    write = built(graph.neurons, source, target, weight)

    def run() -> int:
        write(os.devnull)
        return 0

    return run


def _igraph(neurons: int, source: Any, target: Any, weight: Any) -> Callable[[str], None]:
    import igraph
    import numpy as np

    g = igraph.Graph(neurons, np.stack([source, target], 1), directed=True, edge_attrs={"weight": weight.tolist()})
    return lambda path: g.write_graphml(path)


def _networkx(neurons: int, source: Any, target: Any, weight: Any) -> Callable[[str], None]:
    import networkx as nx

    g = nx.DiGraph()
    g.add_nodes_from(range(neurons))
    g.add_weighted_edges_from(zip(source.tolist(), target.tolist(), weight.tolist(), strict=True))
    return lambda path: nx.write_graphml(g, path)


def _networkit(neurons: int, source: Any, target: Any, weight: Any) -> Callable[[str], None]:
    import networkit as nk

    g = nk.Graph(neurons, weighted=True, directed=True)
    for s, t, w in zip(source.tolist(), target.tolist(), weight.tolist(), strict=True):
        g.addEdge(s, t, w)
    return lambda path: nk.graphio.GraphMLWriter().write(g, path)


def measure(case: Case) -> Sample:
    """Measure once, after everything has been compiled."""
    if case.what not in ("copy", *PEERS):
        for _ in range(2):  # the first lines of a process are put together without a compiled loop
            action(Case(case.what, case.layer, WARM, case.jobs))[0]()
    run, edges = action(case)
    clock, processor = time.perf_counter(), time.process_time()
    written = run()
    return Sample(edges, time.perf_counter() - clock, time.process_time() - processor, written, peak())


def peak() -> int:
    """The most memory that this process has had, in bytes."""
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


# In the parent process

Samples = dict[Case, list[Sample]]


def cases(quick: bool, processors: int) -> tuple[list[Case], list[Case]]:
    """What is measured in every round, and how it grows with size, which is measured once."""
    edges = 1_000_000 if quick else 10_000_000
    jobs = sorted({1, processors})
    ours = [Case(w, layer, edges, n) for layer in LAYERS for w in OURS for n in jobs if n == 1 or w not in ALONE]
    peers = [Case(w, layer, n // 10 if quick else n, 1) for layer in LAYERS for w, n in PEERS_EDGES.items()]
    ours += [Case(f"{what} of {x}", layer, edges, 1) for what, layer in READING.items() for x in READ if x != "npz"]
    ours.append(Case("edges of npz", "conv", edges, 1))
    sizes = [10**6, 10**7] if quick else [10**6, 10**7, 10**8, 10**9]
    growth = [Case("graphml", "conv", n, processors) for n in sizes]
    return [Case("copy", "conv", 0, 1), *ours, *peers], growth


def run(order: Iterable[tuple[str, Case]]) -> Samples:
    """Measure each case as often as it is named; those that can't be measured are missing."""
    samples: Samples = {}
    for label, case in order:
        print(
            f"{label} {case.what} {case.layer} {case.edges:,} edges, {case.jobs} threads", file=sys.stderr, flush=True
        )
        command = [sys.executable, __file__, "--case", json.dumps(asdict(case))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"  left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
            continue
        samples.setdefault(case, []).append(Sample(**json.loads(done.stdout.splitlines()[-1])))
    return samples


def rate(samples: list[Sample]) -> float:
    """Edges a second on the clock, the median of all rounds."""
    return statistics.median(s.edges / s.seconds for s in samples)


def page(samples: Samples, growth: Samples, rounds: int) -> str:
    """All results as Markdown."""
    (copy,) = (s for case, s in samples.items() if case.what == "copy")
    copied = statistics.median(s.written / s.seconds for s in copy)
    parts = [
        "# Benchmark",
        f"Made by `tools/benchmark.py` in one run; how it measures is told there. Medians of rounds: {rounds}. "
        "Rates are in millions of edges a second; this machine had other work, too: compare them with each other only. "
        "*per processor second* leaves out the time in which this work had no processor. "
        "*edges* is the size of the layer: other writers are slow, and their time grows with it evenly. "
        "The GraphML of this package tells more of each node: nearly all of the pooling layer's text.",
        f"Machine: {machine()}. Copying memory: {copied / 1e9:.1f} GB/s, one thread.",
    ]
    for layer, name in LAYERS.items():
        chosen = {case: s for case, s in samples.items() if case.layer == layer and case.what in OURS | PEERS}
        parts += [f"## One layer: {name}", table(chosen, copied)]
    parts += ["## Reading back, one thread", reading_table(samples)]
    parts += ["## Growth with size: GraphML of convolutions, all processors", growth_table(growth)]
    return "\n\n".join(parts) + "\n"


def table(samples: Samples, copied: float) -> str:
    """The measurements of one layer beside igraph and networkx."""
    beside = {name: rate(s) for case, s in samples.items() for name in ("igraph", "networkx") if case.what == name}
    rows = []
    for case, s in samples.items():
        speed, written = rate(s), statistics.median(x.written for x in s)
        moved = written * speed / s[0].edges / copied if case.what in ("expand", "graphml") else None
        rows.append(
            [
                (OURS | PEERS)[case.what],
                str(case.jobs),
                f"{s[0].edges / 1e6:.2f} M",
                f"{speed / 1e6:.3g}",
                f"{statistics.median(x.edges / x.processor for x in s) / 1e6:.3g}",
                *(f"{speed / beside[n]:.3g}x" if n in beside else "" for n in ("igraph", "networkx")),
                f"{written / s[0].edges:.3g}" if written else "",
                f"{moved:.0%}" if moved else "",
                f"{max(x.peak for x in s) / 1e6:.0f} MB",
            ]
        )
    head = "what, threads, edges, M edges/s, per processor second, to igraph, to networkx, bytes/edge, of copying, peak"
    return markdown(head.split(", "), rows)


def reading_table(samples: Samples) -> str:
    """How fast nodes and edges are read, in millions a processor second, by format."""
    known = {
        case.what: f"{statistics.median(x.edges / x.processor for x in s) / 1e6:.3g}" for case, s in samples.items()
    }
    rows = [[f"`.{x}`", *(known.get(f"{what} of {x}", "") for what in READING)] for x in READ]
    return markdown(["format", *(f"M {what}/s" for what in READING)], rows)


def growth_table(growth: Samples) -> str:
    """Time and peak memory by size."""
    rows = [
        [
            f"{s.edges:,}",
            f"{s.seconds:.2f} s",
            f"{s.edges / s.seconds / 1e6:.3g}",
            f"{s.written / 1e9:.2f} GB",
            f"{s.peak / 1e6:.0f} MB",
        ]
        for (s,) in growth.values()
    ]
    return markdown(["edges", "time", "M edges/s", "size", "peak"], rows)


def markdown(head: list[str], rows: list[list[str]]) -> str:
    """A table; all columns but the first are numbers."""
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---", *["--:"] * (len(head) - 1)], *rows))


def machine() -> str:
    """Processors, their model, memory and Python."""
    model = platform.processor() or platform.machine()
    with contextlib.suppress(OSError, StopIteration), open("/proc/cpuinfo") as info:
        model = next(line.split(":", 1)[1].strip() for line in info if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{len(os.sched_getaffinity(0))} processors ({model}), {memory:.0f} GiB, Python {platform.python_version()}"


def network_analysis(path: Path) -> str:
    """The section that `tools/benchmark_measures.py` has put at the end of the file."""
    title = "## Network analysis"
    _, found, rest = path.read_text(encoding="utf-8").partition(title) if path.exists() else ("", "", "")
    return f"\n{found}{rest}" if found else ""


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small layers, one round: about two minutes")
    parser.add_argument("--rounds", type=int, help="how often everything is measured (default 3, with --quick 1)")
    parser.add_argument("--output", type=Path, help="the file for the result (default: standard output)")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Measure everything, or as the child process one case."""
    given = options()
    if given.case:
        case = Case(**json.loads(given.case))
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-case.jobs :])
        print(json.dumps(asdict(measure(case))))
        return
    rounds = given.rounds or (1 if given.quick else 3)
    once, growing = cases(given.quick, len(os.sched_getaffinity(0)))
    samples = run((f"round {r + 1} of {rounds}:", case) for r in range(rounds) for case in once)
    text = page(samples, run(("growth:", case) for case in growing), rounds)
    if given.output:
        given.output.write_text(text + network_analysis(given.output), encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
