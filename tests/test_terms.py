"""Products of two computed tensors, and candidates: edges that are told apart by ports and terms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from network import run
from onnx2graphml.api import load, verify, verify_file
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import OutputError
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.formats.writing import write
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.networkx_graph import to_networkx
from onnx2graphml.verification import tables
from oracle import Sample, products, samples
from small import model, node, weights
from synthetic import products as products_graph

Array = np.ndarray[Any, Any]


def feeds() -> dict[str, Array]:
    return {"x": weights(2, 3), "y": weights(3, 2), "c": weights(2, 2)}


def test_a_sum_of_products_is_a_matrix_product() -> None:
    given_ = feeds()
    (z,) = run(products_graph(), given_)
    expected = 0.5 * given_["x"].astype(float) @ given_["y"] + given_["c"] + [1, 2]
    np.testing.assert_allclose(z.reshape(2, 2), expected, rtol=1e-12)


def test_each_edge_says_its_term() -> None:
    graph = products_graph()
    found = {(int(s), int(m)) for i, e in graph.edges_into(graph.layer("z")) if e.term is not None
             for s, t, m in zip(e.source, e.target, e.term, strict=True) if i.port == 1 and t == 3}  # fmt: skip
    assert found == {(1, 0), (3, 1), (5, 2)}
    assert graph.edges == 12 + 12 + 4
    edges = graph.in_edges(graph.neuron("z", (1, 0)))
    assert edges.term is not None
    assert sorted(edges.term.tolist()) == [-1, 0, 0, 1, 1, 2, 2]


def test_one_term_is_one_term() -> None:
    """A product over an axis of one entry still is a product, not a sum."""
    proto = model([node("MatMul", "x y", "z")], {"x": [2, 1], "y": [1, 3]}, outputs=["z"])
    graph = load(proto, detail="op")
    assert all(i.block.has_terms for i in graph.layer("z").incoming)
    assert verify(graph).passed


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_attention_at_every_level_of_detail(level: str, tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x wq", "q"), node("MatMul", "x wk", "k"), node("MatMul", "x wv", "v"),
        node("Transpose", "k", "kt", perm=[0, 2, 1]), node("MatMul", "q kt", "s"), node("Softmax", "s", "p", axis=-1),
        node("MatMul", "p v", "o"), node("Reshape", "o shape", "f"), node("Relu", "f", "y"),
    ]  # fmt: skip
    constants = {n: weights(4, 5) for n in ("wq", "wk", "wv")} | {"shape": np.array([1, 15])}
    graph = load(model(nodes, {"x": [1, 3, 4]}, constants), detail=level)
    assert verify(graph).passed
    assert sum(i.block.count for x in graph.layers for i in x.incoming if i.block.has_terms) == 2 * 3 * 3 * 5 * 2
    for suffix in FORMATS:
        if suffix != ".npz":
            write(graph, tmp_path / f"a{suffix}")
            assert verify_file(graph, tmp_path / f"a{suffix}").passed, suffix


@pytest.mark.slow
def test_a_wrong_term_is_noticed(tmp_path: Path) -> None:
    """An edge moved to another term: in a sum of products, and so in the file's fingerprints."""
    graph = load(model([node("MatMul", "x y", "z")], {"x": [2, 3], "y": [3, 2]}, outputs=["z"]), detail="op")
    write(graph, tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    assert text.count('<data key="t">2</data>') == 8
    (tmp_path / "a.graphml").write_text(text.replace('<data key="t">2</data>', '<data key="t">1</data>', 1))
    report = verify_file(graph, tmp_path / "a.graphml")
    assert [row.layer for row in report.rows if not row.passed] == ["z"]
    assert not next(row for row in report.rows if row.layer == "z").share <= 1, "the value is another one, too"
    (tmp_path / "a.graphml").write_text(text.replace('<data key="t">2</data>', '<data key="t">77</data>', 1))
    assert not verify_file(graph, tmp_path / "a.graphml").passed


def test_a_matrix_has_no_room_for_terms(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="layer 'z' has edges with terms, which a matrix can't hold"):
        write(products_graph(), tmp_path / "a.npz")


def test_parallel_edges_of_networkx_have_port_and_term(tmp_path: Path) -> None:
    """A tensor times itself, transposed: on the diagonal, both factors are the same neuron."""
    nodes = [node("Transpose", "x", "t"), node("MatMul", "x t", "z")]
    graph = load(model(nodes, {"x": [2, 3]}, outputs=["z"]), detail="neuron")
    g = to_networkx(graph)
    assert isinstance(g, nx.MultiDiGraph)
    assert g.number_of_edges() == graph.edges == 24
    assert sorted((a["port"], a["term"]) for a in g.get_edge_data(1, 6).values()) == [(0, 1), (1, 1)]
    write(graph, tmp_path / "a.graphml")
    assert nx.read_graphml(tmp_path / "a.graphml").number_of_edges() == 24
    kept = igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml"))
    assert kept.ecount() == 24
    assert sorted(set(kept.es["term"])) == [0, 1, 2]


def within_by_hand(block: EdgeBlock, first: int, last: int) -> list[tuple[int, int, float]]:
    edges = [e for chunk in block.expand() for e in zip(chunk.source, chunk.target, chunk.weight, strict=True)]
    return sorted((int(s), int(t) - first, float(w)) for s, t, w in edges if first <= t < last)


@pytest.mark.parametrize("name", samples())
def test_edges_within_a_range_of_targets(name: str) -> None:
    sample = samples()[name]
    assert_within(sample, [(0, sample.targets), (0, 1), (1, 4), (sample.targets // 2, sample.targets), (3, 3)])


@pytest.mark.slow
@given(products(), st.integers(0, 30), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_edges_within_any_range_of_any_product(sample: Sample, first: int, length: int) -> None:
    assert_within(sample, [(first, first + length)])


def assert_within(sample: Sample, ranges: list[tuple[int, int]]) -> None:
    for first, last in ranges:
        found = [e for b in sample.block.within(first, last) for e in b.expand()]
        got = sorted(
            e for c in found for e in zip(c.source.tolist(), c.target.tolist(), c.weight.tolist(), strict=True)
        )
        assert got == within_by_hand(sample.block, first, last)


def test_tables_are_filled_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(products_graph(), feeds())
    monkeypatch.setattr(tables, "CELLS", 7)
    assert np.array_equal(run(products_graph(), feeds()), whole)


def test_terms_are_kept_by_what_moves_a_block() -> None:
    axis = ax.relation([3, 1, 2], [0, 0, 1], 0).with_term(np.array([5, 6, 7]))
    assert axis[1:].term is not None
    assert axis[1:].term.tolist() == [6, 7]
    assert ax.product([ax.same(2).strided(9, 9), axis]).term is not None
    assert ax.concatenated([axis, ax.same(1)]).term.tolist() == [5, 6, 7, 0]  # type: ignore[union-attr]
    block = EdgeBlock((axis.flipped(), ax.shift(target=4)))
    assert block.terms == 8
    (edges,) = block.flipped().expand()
    assert edges.term is not None
    assert edges.term.tolist() == [5, 6, 7]
