"""The table in docs/formats.md of what other tools read back from each format: written, read and compared here.

    python tools/formats_table.py           # print it
    python tools/formats_table.py --write   # put it into docs/formats.md

What is lost is computed from what the tool found. A row needs its tool; rows of tools that are not installed, and
Spark's where there is no Java, stay as they are in the page.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import math
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges, edge_attributes, node_attributes
from read_back import READERS, Read, Reader

PAGE = Path(__file__).parents[1] / "docs/formats.md"
BEGIN, END = "<!-- read back by others -->\n\n", "\n<!-- until here -->\n"
Way = tuple[int, int, dict[str, Any]]
HEAD = "| suffix | read by | version | what is lost |\n|---|---|---|---|\n"


def example(folder: Path, all_kinds: bool = True) -> NeuronGraph:
    """A small network with every attribute; with edges beside each other, ports and terms, or without."""
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "k", "b"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
    ]
    outputs = ["r"]
    if all_kinds:
        nodes.append(helper.make_node("MatMul", ["r", "r"], ["m"], name="product"))
        nodes.append(helper.make_node("Div", ["m", "m"], ["d"], name="quotient"))
        outputs = ["d"]
    values = {"k": random.standard_normal((2, 1, 3, 3)), "b": random.standard_normal(2)}
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "example",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 3, 3])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 3, 3]) for name in outputs],
            [numpy_helper.from_array(array.astype(np.float32), name) for name, array in values.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
    )
    onnx.save(model, folder / "example.onnx")
    return o2g.load(folder / "example.onnx", detail="op")


def whole(graph: NeuronGraph) -> Read:
    """All that the graph has."""
    edges = all_edges(graph, graph.edges, "Arrow")
    columns = {name: array.tolist() for name, array in edge_attributes(graph, edges).items()}
    ways = [
        (u, v, {n: c[k] for n, c in columns.items() if n == "weight" or c[k] != -1})
        for k, (u, v) in enumerate(zip(edges.source.tolist(), edges.target.tolist(), strict=True))
    ]
    own = node_attributes(graph)
    nodes = {k: {n: c[k] for n, c in own.items() if c[k] is not None} for k in range(graph.neurons)}
    return Read(dict(graph_attributes(graph)), nodes, ways)


def lost(expected: Read, found: Read) -> list[str]:
    """What a tool has not, or otherwise, in words."""
    if expected.nodes.keys() != found.nodes.keys():
        raise Error(f"{len(found.nodes)} nodes were found, of {len(expected.nodes)}, or others")
    told = compared("the graph", [expected.about], [found.about])
    told += compared("nodes", expected.nodes.values(), [found.nodes[n] for n in expected.nodes])
    told += lost_edges(expected.edges, found.edges)
    return told


def lost_edges(expected: list[Way], found: list[Way]) -> list[str]:
    """Edges beside each other, and attributes."""
    told, many = [], Counter((u, v) for u, v, _ in expected)
    if Counter((u, v) for u, v, _ in found) != many:
        if Counter((u, v) for u, v, _ in found) != Counter(many.keys()):
            raise Error(f"{len(found)} edges were found, of {len(expected)}, or others")
        told.append("of edges beside each other all but one")
        expected = [e for e in expected if many[e[:2]] == 1]
        found = [e for e in found if many[e[:2]] == 1]
    both = [n for n in ("port", "term", "weight") if all(any(n in e[2] for e in edges) for edges in (expected, found))]

    def order(edge: Way) -> tuple[float, ...]:
        return (*edge[:2], *(float(edge[2].get(name) or 0) for name in both))

    first, second = (sorted(edges, key=order) for edges in (expected, found))
    return told + compared("edges", [e[2] for e in first], [e[2] for e in second])


def compared(of: str, expected: Iterable[dict[str, Any]], found: Iterable[dict[str, Any]]) -> list[str]:
    """What is missing, called otherwise, or of another value."""
    pairs = list(zip(expected, found, strict=True))
    names = dict.fromkeys(name for one, _ in pairs for name, value in one.items() if is_there(value))
    others = dict.fromkeys(name for _, other in pairs for name in other if name not in names)
    missing, told, texts = [], [], 0
    for name in names:
        values = [(one.get(name), other.get(name)) for one, other in pairs]
        if any(is_there(a) and not is_there(b) for a, b in values):
            alias = next((o for o in others if all(same(a.get(name), b.get(o)) for a, b in pairs)), None)
            told += [f"`{name}` of {of} is called `{alias}`"] if alias else []
            missing += [] if alias else [name]
        elif not all(same(a, b) for a, b in values):
            told.append(f"`{name}` of {of} has other values")
        texts += any(isinstance(b, str) and isinstance(a, int | float) for a, b in values)
    told += [f"numbers of {of} are texts"] if texts else []
    if missing and len(missing) == len(names):
        return [f"all attributes of {of}", *told]
    return ([f"{', '.join(f'`{name}`' for name in missing)} of {of}"] if missing else []) + told


def is_there(value: Any) -> bool:
    """Whether a tool has a value; some have to put something where there is none."""
    return (
        value is not None
        and not (isinstance(value, str) and not value)
        and not (isinstance(value, float) and math.isnan(value))
    )


def same(expected: Any, found: Any) -> bool:
    """Whether it is the value, as a float32 where it is one; texts of numbers count."""
    if not is_there(expected) or not is_there(found):
        return not is_there(expected) and (not is_there(found) or found in (-1, 0))
    if isinstance(found, list | tuple | np.ndarray):
        found = ",".join(map(str, found))
    if isinstance(expected, str):
        return str(found).replace("\\\\", "\\") in (expected, expected.replace("\\\\", "\\"))
    try:
        return bool(np.float32(float(found)) == np.float32(expected))
    except ValueError:
        return False


def row(reader: Reader) -> list[str] | None:
    """A row of the table; None where its tool is not there."""
    if importlib.util.find_spec(reader.package) is None or (reader.tool == "Spark" and no_spark()):
        return None
    told = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, graph = folder / f"a{reader.suffix}", example(folder)
        try:
            o2g.write(graph, path, **dict(reader.options))
        except Error:
            told, graph = ["edges beside each other are refused"], example(folder, all_kinds=False)
            o2g.write(graph, path, **dict(reader.options))
        told += lost(whole(graph), reader.read(path))
    return [*key(reader), importlib.metadata.version(reader.package), "; ".join(told) or "nothing"]


def no_spark() -> bool:
    """Whether Spark can't run here."""
    return shutil.which("java") is None or importlib.util.find_spec("py4j") is None


def key(reader: Reader) -> tuple[str, str]:
    """The first two columns."""
    return f"`{reader.suffix}`{' by layer' if reader.options else ''}", reader.tool


def table_in(page: str) -> dict[tuple[str, str], list[str]]:
    """The rows that a page has."""
    lines = page.partition(BEGIN)[2].partition(END)[0].removeprefix(HEAD).splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {(cells[0], cells[1]): cells for cells in rows}


def new_page(page: str) -> str:
    """The page with the table as it comes out here."""
    old = table_in(page)
    rows = [row(reader) or old.get(key(reader)) for reader in READERS]
    before, _, rest = page.partition(BEGIN)
    text = "".join(f"| {' | '.join(cells)} |\n" for cells in rows if cells)
    return f"{before}{BEGIN}{HEAD}{text}{END}{rest.partition(END)[2]}"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into docs/formats.md")
    found = new_page(PAGE.read_text(encoding="utf-8"))
    if parser.parse_args().write:
        PAGE.write_text(found, encoding="utf-8")
    else:
        print(found.partition(BEGIN)[2].partition(END)[0])


if __name__ == "__main__":
    main()
