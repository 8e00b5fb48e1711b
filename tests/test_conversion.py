"""One format into another: the same bytes as if the graph were written, and only a piece of it in memory."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.cli import main
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats.conversion import stream
from onnx2graphml.formats.conversion.floats import are_float32
from onnx2graphml.formats.conversion.layers import EditedError
from onnx2graphml.formats.conversion.runs import Runs
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.registry import FORMATS, WRITTEN
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.graph.recorded import VALUE
from small import FIXTURES
from synthetic import conv_graph, dense_graph, every_kind, graph_of, parallel, products, same

READ = [suffix for suffix in FORMATS if suffix != ".npz"]


def digits() -> NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


def small() -> NeuronGraph:
    """The digits network's end: a fifth of its edges."""
    return o2g.select(digits(), "flatten:digit")


def with_columns() -> NeuronGraph:
    graph = small()
    large = np.arange(graph.neurons) * (1 << 50)
    return graph.with_column("rank", large).with_column("share", np.linspace(0.3, 1.7, graph.neurons))


def with_input() -> NeuronGraph:
    return o2g.select(digits().with_input(np.load(FIXTURES / "digits.npz")["x"][0]), "relu1:maxpool")


def selected() -> NeuronGraph:
    return dataclasses.replace(o2g.select(small(), top_k=2), outputs=("dense1", "digit"))


GRAPHS: list[Callable[[], NeuronGraph]] = [small, with_columns, with_input, selected, products, parallel]

ALL_TARGETS: dict[Callable[[], NeuronGraph], tuple[str, ...]] = {
    small: (".graphml", ".parquet"),
    with_columns: (".parquet",),
    with_input: (".neo4j.csv",),
    products: (".parquet", ".gephi.csv"),
    parallel: (".graphml",),
}
"""The law has a row and a column for each format: of these graphs, from these formats into all others."""


def content(path: Path) -> dict[str, bytes]:
    """The bytes of a file, or of all files of a folder."""
    files = [f for f in path.rglob("*") if f.is_file()] if path.is_dir() else [path]
    return {str(f.relative_to(path)): f.read_bytes() for f in files}


def refusal(do: Callable[[], Any]) -> str | None:
    """The message of what can't be written."""
    try:
        do()
    except (OutputError, Error) as e:
        return str(e)
    return None


@pytest.mark.slow
@pytest.mark.parametrize("made", GRAPHS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("source", READ)
def test_the_bytes_are_those_of_the_written_graph(source: str, made: Callable[[], NeuronGraph], tmp_path: Path) -> None:
    graph = made()
    o2g.write(graph, tmp_path / f"a{source}")
    every = source in ALL_TARGETS.get(made, ())
    targets = list(WRITTEN) if every else [".parquet" if "graphml" in source else ".graphml"]
    for target in targets:
        expected, got = tmp_path / f"written{target}", tmp_path / f"converted{target}"
        refused = refusal(lambda path=expected: o2g.write(graph, path))  # type: ignore[misc]
        assert refusal(lambda path=got: o2g.convert(tmp_path / f"a{source}", path)) == refused  # type: ignore[misc]
        if refused is None:
            assert content(got) == content(expected), target


@pytest.mark.slow
@pytest.mark.parametrize("source", READ)
def test_what_a_format_does_not_tell_reads_back_equal(source: str, tmp_path: Path) -> None:
    """Of float16, float32 and float64 in one graph, text tells only the decimals, and Parquet only the widest type."""
    graph = every_kind()
    o2g.write(graph, tmp_path / f"a{source}")
    for target in (".graphml", ".parquet", ".gephi.csv"):
        o2g.write(graph, tmp_path / f"written{target}")
        o2g.convert(tmp_path / f"a{source}", tmp_path / f"converted{target}")
        with open_graph(tmp_path / f"written{target}") as one, open_graph(tmp_path / f"converted{target}") as other:
            assert one.about() == other.about()
            for a, b in zip(one.layers(), other.layers(), strict=True):
                assert (a.name, a.op, a.combine, a.activation) == (b.name, b.op, b.combine, b.activation)
                assert np.array_equal(a.id, b.id)
                assert np.array_equal(a.at, b.at)
                assert np.array_equal(a.spatial, b.spatial)
                np.testing.assert_allclose(a.bias, b.bias, rtol=5e-4 if a.name == "halves" else 6e-8)
            for x, y in zip(one.edges(), other.edges(), strict=True):
                assert np.array_equal(x.source, y.source)
                assert np.array_equal(x.target, y.target)
                assert np.array_equal(x.port, y.port)
                np.testing.assert_allclose(x.weight, y.weight, rtol=6e-8)


@pytest.mark.slow
def test_labels_are_made_anew(tmp_path: Path) -> None:
    o2g.write(small(), tmp_path / "a.graphml", labels=True)
    o2g.write(small(), tmp_path / "b.parquet")
    o2g.convert(tmp_path / "a.graphml", tmp_path / "c.parquet")
    assert content(tmp_path / "c.parquet") == content(tmp_path / "b.parquet")
    o2g.convert(tmp_path / "b.parquet", tmp_path / "c.graphml", labels=True)
    assert content(tmp_path / "c.graphml") == content(tmp_path / "a.graphml")


@pytest.mark.slow
def test_memory_does_not_grow_with_edges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 neurons and a million edges, 36 bytes each if they were held."""
    monkeypatch.setattr("onnx2graphml.formats.parquet.read.ROWS", 1 << 15)
    graph = dense_graph(1000, 1000)
    o2g.write(graph, tmp_path / "a.parquet")
    o2g.convert(tmp_path / "a.parquet", tmp_path / "b.graphml", jobs=1)  # all that is loaded once is loaded
    tracemalloc.start()
    o2g.convert(tmp_path / "a.parquet", tmp_path / "c.graphml", jobs=1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < graph.edges * 18
    assert content(tmp_path / "b.graphml") == content(tmp_path / "c.graphml")


def test_the_command_converts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, written = FIXTURES / "digits.onnx", tmp_path / "a.parquet"
    assert main([str(model), str(written)]) == 0
    assert main([str(model), str(tmp_path / "b.graphml")]) == 0
    capsys.readouterr()
    assert main(["convert", str(written), str(tmp_path / "c.graphml"), "--jobs", "1"]) == 0
    assert "c.graphml: 3,738 nodes, 25,816 edges" in capsys.readouterr().err
    assert content(tmp_path / "c.graphml") == content(tmp_path / "b.graphml")


@pytest.mark.slow
def test_the_command_loads_what_was_edited(tmp_path: Path) -> None:
    """Neurons are gone in the middle: no stream can number the others anew, and a graph of layers is made of it."""
    o2g.write(digits(), tmp_path / "a.graphml")
    text = (
        (tmp_path / "a.graphml")
        .read_text()
        .replace('nodes="3738" parse.edges="25816"', 'nodes="3737" parse.edges="25710"')
    )
    left = [line for line in text.splitlines(True) if "n3700<" not in line and '"n3700"' not in line]
    (tmp_path / "edited.graphml").write_text("".join(left))
    with pytest.raises(EditedError, match="expected ids n0 to n3736"):
        o2g.convert(tmp_path / "edited.graphml", tmp_path / "b.parquet")
    assert main([str(tmp_path / "edited.graphml"), str(tmp_path / "b.parquet")]) == 0
    assert o2g.load(tmp_path / "b.parquet").edges == sum(line.startswith("<edge") for line in left)


# ------------------------------------------------------------------------------------------------------ what is refused


def test_a_matrix_has_no_attributes(tmp_path: Path) -> None:
    o2g.write(small(), tmp_path / "a.npz")
    with pytest.raises(Error, match="no attributes of nodes, which other formats have; write the graph from the model"):
        o2g.convert(tmp_path / "a.npz", tmp_path / "b.graphml")


def test_what_is_read_is_not_written_over(tmp_path: Path) -> None:
    o2g.write(small(), tmp_path / "a.graphml")
    with pytest.raises(OutputError, match="which is read"):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "a.graphml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('<data key="bias">', '<data key="op">', "attribute 'op' is there twice"),
        ("Relu</data>", "Clip(max=6,min=0.0)</data>", "in other words than ours; load it"),
        ('<data key="channel">', '<data key="channel">1', "channel of layer .* is no coordinate of its index; load it"),
        ('<data key="index">0,0,1</data>', '<data key="index">0,0,9</data>', "not all there, each once and in order"),
    ],
)
def test_edited_nodes(old: str, new: str, message: str, tmp_path: Path) -> None:
    o2g.write(digits(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    (tmp_path / "a.graphml").write_text(text.replace(old, new))
    with pytest.raises(Error, match=message):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "b.parquet")


def test_a_bias_of_some_neurons(tmp_path: Path) -> None:
    o2g.write(dense_graph(2, 3), tmp_path / "a.graphml")
    text = (
        (tmp_path / "a.graphml")
        .read_text()
        .replace("<graph ", '<key id="bias" for="node" attr.name="bias" attr.type="double"/>\n<graph ')
    )
    (tmp_path / "a.graphml").write_text(text.replace("sum</data>", 'sum</data><data key="bias">1</data>', 1))
    with pytest.raises(EditedError, match="some nodes of layer 'y' have a bias, and others none"):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "b.parquet")


def test_edges_in_another_order(tmp_path: Path) -> None:
    o2g.write(small(), tmp_path / "a.graphml")
    lines = (tmp_path / "a.graphml").read_text().splitlines(True)
    edges = [line for line in lines if line.startswith("<edge")]
    rest = [line for line in lines if not line.startswith("<edge")]
    (tmp_path / "a.graphml").write_text("".join([*rest[:-2], *reversed(edges), *rest[-2:]]))
    with pytest.raises(EditedError, match="edges are not in the order of layers; load it, and write the graph"):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "b.parquet")


def test_too_many_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("onnx2graphml.formats.conversion.runs.MOST", 1)
    o2g.write(small(), tmp_path / "a.parquet")
    with pytest.raises(EditedError, match="not in the order of layers"):
        o2g.convert(tmp_path / "a.parquet", tmp_path / "b.graphml")


def test_an_end_that_is_no_node(tmp_path: Path) -> None:
    o2g.write(dense_graph(2, 3), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    (tmp_path / "a.graphml").write_text(text.replace('target="n4"', 'target="n5"'))
    with pytest.raises(Error, match="an edge ends at 2 or 5, which is no node"):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "b.parquet")


@pytest.mark.parametrize(("old", "new"), [("false</data></edge>", "true</data></edge>"), ('"c">0<', '"c">0.5<')])
def test_winners_and_contributions_that_do_not_follow(old: str, new: str, tmp_path: Path) -> None:
    o2g.write(with_input(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    assert old in text
    (tmp_path / "a.graphml").write_text(text.replace(old, new, 1))
    with pytest.raises(EditedError, match="do not follow from the values of nodes"):
        o2g.convert(tmp_path / "a.graphml", tmp_path / "b.parquet")


def test_a_file_that_shrinks_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    o2g.write(small(), tmp_path / "a.parquet")
    before = stream.reading.open_graph
    times = iter(range(9))

    def shrunk(path: Path) -> Any:
        if next(times) == 1:
            o2g.write(o2g.select(digits(), top_k=1), tmp_path / "a.parquet")
        return before(path)

    monkeypatch.setattr(stream.reading, "open_graph", shrunk)
    with pytest.raises(Error, match="less edges than a moment ago"):
        o2g.convert(tmp_path / "a.parquet", tmp_path / "b.graphml")


# ----------------------------------------------------------------------------------------------------------- the parts


def test_parallel_edges_of_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two blocks without a port stand one behind the other: nothing tells them apart but the pairs themselves."""
    twice = Layer("y", "Sum", (3,), incoming=(Incoming("x", same(3)), Incoming("x", same(3))))
    graph = graph_of(Layer("x", "Input", (3,), "input"), twice)
    o2g.write(graph, tmp_path / "a.graphml")
    for passes in (1, 3):
        monkeypatch.setattr(stream, "PAIRS", -(-6 // passes))
        with pytest.raises(OutputError, match="'y' has several edges between the same two neurons"):
            o2g.convert(tmp_path / "a.graphml", tmp_path / "b.npz")
    o2g.write(graph, tmp_path / "b.gml")
    o2g.convert(tmp_path / "a.graphml", tmp_path / "c.gml")
    assert content(tmp_path / "c.gml") == content(tmp_path / "b.gml")


def test_files_of_bounded_size(tmp_path: Path) -> None:
    """Parts of a layer are cut by edges; the rows are the same."""
    from onnx2graphml.formats.parquet import write as parquet

    graph = conv_graph(3, 5)
    o2g.write(graph, tmp_path / "a.graphml")
    whole = tmp_path / "whole"
    whole.mkdir()
    from contextlib import ExitStack

    from onnx2graphml.formats.conversion.convert import stored_graph

    with ExitStack() as opened:
        stored = stored_graph(tmp_path / "a.graphml", opened)
        parquet.write_parquet(stored, whole, part=100, rows=64, tile=30)
    whole.rename(tmp_path / "b.parquet")
    with open_graph(tmp_path / "b.parquet") as file:
        got = np.concatenate([np.stack([e.source, e.target]) for e in file.edges()], axis=1)
    source, target, _ = zip(*graph.weighted_edges(), strict=True)
    assert np.array_equal(got, [source, target])
    assert len(list((tmp_path / "b.parquet" / "edges").iterdir())) == -(-graph.edges // 100)


@pytest.mark.parametrize("seed", range(3))
def test_decimals_of_float32_are_told_from_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 1 << 32, 20_000, dtype=np.uint32)
    single = bits.view(np.float32)
    single = single[np.isfinite(single)]
    read = np.array([float(str(x)) for x in single])  # NumPy's shortest decimals
    assert are_float32(read, from_text=True)
    assert are_float32(single.astype(np.float64), from_text=False)
    assert not are_float32(np.append(read, 0.1234567890123), from_text=True)
    assert not are_float32(np.append(single.astype(np.float64), 0.1), from_text=False)
    assert not are_float32(np.array([1e300]), from_text=True)
    assert not are_float32(np.array([1.23456789012e-40]), from_text=True)
    assert are_float32(np.array([0.0, np.inf, -np.inf, np.nan]), from_text=True)


def test_no_edges_at_all() -> None:
    runs = Runs([], True, "a.graphml")
    runs.add_all([])
    assert (runs.found, runs.chosen) == ([], {})
    assert VALUE == "value"
