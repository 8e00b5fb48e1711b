"""The compiled loop of the text formats' readers makes no difference: the parser alone finds the same in any file."""

from __future__ import annotations

import functools
import re
import shutil
import tempfile
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from fuzzing.graphs import TEXT, networks
from onnx2graphml.errors import Error
from onnx2graphml.formats.patterns import Found, Patterns
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.writing import write
from synthetic import every_kind, products
from test_resaved_graphml import SAVED, by_igraph, by_networkx, small_graph

SUFFIXES = (".graphml", ".gephi.csv", ".neo4j.csv")


def columned() -> o2g.NeuronGraph:
    """With a column of integers, one of decimals, and the further attributes of labels."""
    graph = o2g.load(networks()["conv"])
    graph = graph.with_column("whole", np.arange(graph.neurons) - 5)
    return graph.with_column("part", np.linspace(-1, 1, graph.neurons) ** 9)


GRAPHS: dict[str, Callable[[], Any]] = {
    **{name: functools.partial(o2g.load, proto) for name, proto in networks().items()},
    "every kind": every_kind,
    "terms": products,
    "columns": columned,
    "an input": lambda: o2g.load(networks()["conv"], detail="op").with_input("random"),
}


@functools.cache
def written(name: str, suffix: str) -> Path:
    path = Path(tempfile.mkdtemp(prefix="alike-")) / f"g{suffix}"
    write(GRAPHS[name](), path)
    return path


def found(path: Path) -> Any:
    """All that a reader finds in a file, or what it says."""
    try:
        with open_graph(path) as file:
            about, layers, values = file.about(), file.layers(), file.values()
            edges = [e for e in file.edges() if len(e)]
    except Error as e:  # text is told where the parser hands it over, which depends on the pieces that it is given
        return re.sub(r"line \d+: text ", "line …: text ", str(e))
    nodes = [
        [x.name, x.op, x.combine, x.activation, *(a.tolist() for a in (x.id, x.at, x.spatial, x.biased)), x.bias]
        + [(name, column.dtype, column) for name, column in x.columns.items()]
        for x in layers
    ]
    names = ("source", "target", "weight", "port", "term")
    columns = [np.concatenate([getattr(e, n) for e in edges]) if edges else None for n in names]
    recorded = [(e.recorded.contribution.tolist(), e.recorded.winner.tolist()) for e in edges if e.recorded is not None]
    told = [[*chain.from_iterable(r[k] for r in recorded)] for k in (0, 1)]
    return repr((about, nodes, [c if c is None else c.tolist() for c in columns], told, values))


def none_alike(patterns: Patterns, text: bytes, start: int) -> Found:
    ints, floats = (np.empty((n, 0), kind) for n, kind in zip(patterns._shape, (np.int64, float), strict=True))
    return Found(ints, floats, start, 0)


def by_the_parser(path: Path) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Patterns, "read", none_alike)
        return found(path)


def changed(name: str, suffix: str, number: int, folder: Path) -> Path:
    """A copy with one to three changes in its text."""
    draw, whole = Random(f"{name}{suffix}{number}"), written(name, suffix)
    path = folder / f"g{suffix}"
    if whole.is_dir():
        shutil.copytree(whole, path)
        file = path / draw.choice(["nodes.csv", "edges.csv"])
    else:
        shutil.copy(whole, path)
        file = path
    for _ in range(draw.choice([1, 1, 2, 3])):
        file.write_bytes(draw.choice(TEXT)(file.read_bytes(), draw))
    return path


def with_labels(_: Path, target: Path) -> None:
    write(GRAPHS["conv"](), target, labels=True)


def difference(name: str, suffix: str, numbers: range, folder: Path) -> list[int]:
    """Which changed files are read in another way by the parser alone."""
    wrong = []
    for number in numbers:
        path = changed(name, suffix, number, folder)
        if found(path) != by_the_parser(path):
            wrong.append(number)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return wrong


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", GRAPHS)
def test_changed_files(name: str, suffix: str, tmp_path: Path) -> None:
    assert difference(name, suffix, range(6), tmp_path) == []


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", GRAPHS)
def test_many_changed_files(name: str, suffix: str, tmp_path: Path) -> None:
    assert difference(name, suffix, range(6, 25), tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_wrong_number_is_a_difference(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    read = Patterns.read

    def wrong(patterns: Patterns, text: bytes, start: int) -> Found:
        found = read(patterns, text, start)
        found.ints[0, -1:] += 1
        return found

    monkeypatch.setattr(Patterns, "read", wrong)
    path = written("conv", suffix)
    assert found(path) != by_the_parser(path)


def passed(path: Path) -> tuple[int, int]:
    """How many nodes and edges of a file there are, and how many elements the compiled loop reads."""
    count, read = 0, Patterns.read

    def counted(patterns: Patterns, text: bytes, start: int) -> Found:
        nonlocal count
        found = read(patterns, text, start)
        count += len(found)
        return found

    with pytest.MonkeyPatch.context() as patch, open_graph(path) as file:
        patch.setattr(Patterns, "read", counted)
        return sum(len(x.id) for x in file.layers()) + sum(map(len, file.edges())), count


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", ["conv", "every kind", "columns", "an input"])
def test_most_of_our_own_is_read_by_the_loop(name: str, suffix: str) -> None:
    every, read = passed(written(name, suffix))
    assert read > 0.6 * every


@pytest.mark.parametrize("saved", SAVED)
def test_files_that_others_saved(tmp_path: Path, saved: Callable[[Path, Path], None]) -> None:
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    saved(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    assert found(tmp_path / "theirs.graphml") == by_the_parser(tmp_path / "theirs.graphml")


@pytest.mark.parametrize("saved", [by_networkx, by_igraph, with_labels])
def test_the_loop_reads_what_others_saved(tmp_path: Path, saved: Callable[[Path, Path], None]) -> None:
    """Its lines are other ones than ours: several of an element, with other keys, and with data that nobody reads."""
    ours, theirs = written("conv", ".graphml"), tmp_path / "theirs.graphml"
    saved(ours, theirs)
    every, read = passed(theirs)
    assert read > 0.6 * every
    assert found(theirs) == by_the_parser(theirs)
