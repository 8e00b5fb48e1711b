"""A graph with an input: values of nodes, contributions of edges, winners of choices, in every format and view."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
from onnx import TensorProto, helper

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.engine import backward, forward
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.functions import FUNCTIONS
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.recompute import recompute
from onnx2graphml.verification.winners import chooses
from small import FIXTURES, model, node, runtime, weights

DIGITS = FIXTURES / "digits.onnx"
FORMATS = [
    ".graphml",
    pytest.param(".graphml.gz", marks=pytest.mark.slow),
    ".parquet",
    ".gephi.csv",
    ".neo4j.csv",
    ".npz",
]


def digit() -> Any:
    return np.load(FIXTURES / "digits.npz")["x"][0]


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(DIGITS).with_input(digit())


def computed(graph: NeuronGraph) -> dict[str, Any]:
    """All layers from the graph's inputs, by its edges alone."""
    assert graph.recorded is not None
    values: dict[str, Any] = {}
    for layer in graph.layers:
        own = graph.recorded.value[layer.ids].astype(np.float64)
        values[layer.name] = own if layer.aggregation == "input" else recompute(layer, values).value
    return values


# ------------------------------------------------------------------------------------------------------------- values


def test_values_are_onnx_runtimes(digits: NeuronGraph) -> None:
    theirs = o2g.activations(o2g.load(DIGITS), digit())
    for layer in digits.layers:
        found = digits.columns["value"][layer.ids].reshape(layer.shape)
        np.testing.assert_array_equal(found, theirs.layer(layer.name).value)


def test_contributions_and_bias_add_to_a_linear_neuron(digits: NeuronGraph) -> None:
    for layer in digits.layers:
        if layer.aggregation != "sum" or layer.activation:
            continue
        total = np.zeros(layer.neurons) if layer.bias is None else np.array(layer.bias, np.float64).ravel()
        for _, e in digits.edges_into(layer):
            assert e.contribution is not None
            np.add.at(total, e.target, e.contribution)
        np.testing.assert_allclose(total, digits.columns["value"][layer.ids], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("suffix", [".graphml", ".gephi.csv", ".parquet", ".npz"])
def test_in_float64_they_add_up_to_the_last_digits(suffix: str, tmp_path: Path) -> None:
    """And a file holds all of their digits."""
    double = model(
        [node("Gemm", "x w b", "h"), node("Relu", "h", "r"), node("Gemm", "r v c", "y")],
        {"x": [1, 6]},
        {n: weights(*shape, seed=k, dtype=np.float64)
         for k, (n, shape) in enumerate({"w": (6, 5), "b": (5,), "v": (5, 3), "c": (3,)}.items())},
        dtype=np.float64,
    )  # fmt: skip
    graph = o2g.load(double, detail="op").with_input("random")
    for layer in graph.layers:
        if layer.aggregation == "sum" and not layer.activation:
            total = np.zeros(layer.neurons) if layer.bias is None else np.array(layer.bias).ravel()
            for _, e in graph.edges_into(layer):
                assert e.contribution is not None
                assert e.contribution.dtype == np.float64
                np.add.at(total, e.target, e.contribution)
            np.testing.assert_allclose(total, graph.columns["value"][layer.ids], rtol=1e-12, atol=1e-12)
    o2g.write(graph, tmp_path / f"g{suffix}")
    assert o2g.verify_file(o2g.load(double, detail="op"), tmp_path / f"g{suffix}").passed


def test_what_edges_carry(digits: NeuronGraph) -> None:
    value = digits.columns["value"]
    neuron = digits.neuron("conv2", (0, 1, 5))
    for edges in (digits.in_edges(neuron), digits.out_edges(neuron)):
        assert edges.contribution is not None
        np.testing.assert_array_equal(edges.contribution, edges.weight * value[edges.source])
    assert digits.in_edges(0).contribution is not None
    triples = list(digits.weighted_edges("contribution"))
    plain = list(digits.weighted_edges())
    assert all(c == np.float32(w) * value[u] for (u, _, w), (_, _, c) in zip(plain[:500], triples[:500], strict=True))
    for graph, weight in ((o2g.load(DIGITS), "contribution"), (digits, "value")):
        with pytest.raises(Error, match=f"weight is '{weight}'; expected 'weight', or 'contribution' in a graph with"):
            next(graph.weighted_edges(weight))


# ------------------------------------------------------------------------------------------------------------ choices


@pytest.mark.parametrize("kind", ["random", "ties"])
def test_a_pooling_windows_winner_is_onnx_runtimes(kind: str) -> None:
    """MaxPool tells by its second output where the greatest is; of equal ones, the first."""
    pool = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "dilations": [1, 1]}
    plain = model([node("MaxPool", "x", "y", **pool)], {"x": [1, 2, 9, 8]})
    both = helper.make_model(
        helper.make_graph(
            [node("MaxPool", "x", "y i", **pool)], "both", list(plain.graph.input),
            [*plain.graph.output, helper.make_tensor_value_info("i", TensorProto.INT64, None)],
        ),
        opset_imports=plain.opset_import, ir_version=8,
    )  # fmt: skip
    graph = o2g.load(plain).with_input(kind)
    x = graph.columns["value"][graph.layer("x").ids].reshape(graph.layer("x").shape)
    layer = graph.layer("the_y")
    order = np.argsort(graph.layer("x").provenance.order)
    _, expected = runtime(both, {"x": x.transpose(order)[None]})
    source = np.full(layer.neurons, -1)
    for _, e in graph.edges_into(layer):
        source[e.target[e.winner == 1]] = e.source[e.winner == 1]
    at = np.arange(x.size).reshape(x.transpose(order).shape).transpose(np.argsort(order)).ravel()
    np.testing.assert_array_equal(at[source].reshape(layer.shape), expected[0].transpose(layer.provenance.order))


INDEX = np.array([[2, -1, 0, 1]])
CHOICES: dict[str, Any] = {
    "pool": model([node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[1, 1])], {"x": [1, 2, 4, 4]}),
    "least": model([node("ReduceMin", "x", "y", axes=[1])], {"x": [2, 5]}),
    "max of tensors": model([node("Max", "a b", "y")], {"a": [2, 3], "b": [2, 3]}),
    "max with a constant": model([node("Max", "x c", "y")], {"x": [2, 4]}, {"c": np.float32(0.3)}),
    "max of scaled": model(
        [node("Mul", "x c", "s"), node("Max", "s x", "y")], {"x": [2, 4]}, {"c": np.float32(-1)}
    ),
    "where": model([node("Greater", "a b", "g"), node("Where", "g a b", "y")], {"a": [2, 3], "b": [2, 3]}),
    "clip": model(
        [node("ReduceMax", "b", "m", keepdims=0), node("Clip", "a _ m", "y")], {"a": [2, 5], "b": [3]}
    ),
    "computed positions": model(
        [node("ArgMax", "b", "i", axis=1), node("GatherElements", "a i", "y", axis=1)], {"a": [2, 5], "b": [2, 4]}
    ),
    "top": model([node("TopK", "x k", "y i", axis=1)], {"x": [2, 6]}, {"k": np.array([3])}),
    "nearest": model(
        [node("GridSample", "x g", "y", mode="nearest")], {"x": [1, 1, 4, 4], "g": [1, 3, 3, 2]}
    ),
    "written": model(
        [node("ArgMax", "b", "i", axis=1), node("ScatterElements", "a i u", "y", axis=1)],
        {"a": [2, 5], "b": [2, 4], "u": [2, 1]},
    ),
    "written rows": model(
        [node("ArgMax", "b", "i", axis=1), node("ScatterND", "a i u", "y")],
        {"a": [5, 3], "b": [1, 4], "u": [1, 3]},
    ),
    "written into a cache": model(
        [node("ArgMax", "b", "i", axis=0, keepdims=0), node("TensorScatter", "a u i", "y", axis=1)],
        {"a": [1, 6, 3], "u": [1, 2, 3], "b": [4, 1]}, opset=24,
    ),
    "unpooled": model(
        [node("MaxPool", "x", "p i", kernel_shape=[2, 2], strides=[2, 2]),
         node("Neg", "p", "n"), node("MaxUnpool", "n i", "y", kernel_shape=[2, 2], strides=[2, 2])],
        {"x": [1, 1, 4, 4]},
    ),
}  # fmt: skip
EMPTY = ("nearest", "unpooled")
"""Where some neurons have no candidate at all, and are 0."""


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("kind", ["random", "ties"])
def test_the_winners_alone_compute_the_same(name: str, kind: str) -> None:
    """Of every choice the one chosen edge is left, and the network's values for this input stay what they are."""
    graph = o2g.load(CHOICES[name], detail="op").with_input(kind, seed=3)
    part = o2g.select(graph, winners=True)
    assert part.edges < graph.edges
    assert graph.recorded is not None
    for layer_name, found in computed(part).items():
        expected = graph.recorded.value[graph.layer(layer_name).ids]
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    choosing = [layer for layer in part.layers if chooses(graph.layer(layer.name))]
    assert choosing
    for layer in choosing:
        counts = np.zeros(layer.neurons, int)
        for _, e in part.edges_into(layer):
            np.add.at(counts, e.target, 1)
        assert counts.max() <= 1
        assert counts.min() == 1 or graph.layer(layer.name).bias is not None or name in EMPTY


def test_every_function_that_chooses_is_tried() -> None:
    """But for OneHot: its two values are constants, which are no candidates."""
    graphs = [o2g.load(proto, detail="op") for proto in CHOICES.values()]
    tried = {layer.aggregation.split("(")[0] for graph in graphs for layer in graph.layers if chooses(layer)}
    assert tried == {name for name, own in FUNCTIONS.items() if own.chooses} - {"OneHot"} | {"max", "min"}
    hot = model(
        [node("ArgMax", "b", "i", axis=1, keepdims=0), node("OneHot", "i d v", "y")],
        {"b": [3, 4]}, {"d": np.array(4), "v": np.array([-1, 2], np.float32)},
    )  # fmt: skip
    graph = o2g.load(hot, detail="op").with_input("random")
    assert not chooses(graph.layers[-1])
    assert [e.winner.tolist() for _, e in graph.edges_into(graph.layers[-1])] == [[-1] * 12]


def test_the_winners_alone_run_in_onnx_runtime(digits: NeuronGraph) -> None:
    """As a network of their own: for this input the same outputs, for another one others."""
    proto = o2g.select(digits, winners=True).to_onnx()
    every = np.load(FIXTURES / "digits.npz")["x"][:5].astype(np.float32)
    whole, theirs = (
        [runtime(given, {"image": x[None]})[0].ravel() for x in every] for given in (str(DIGITS), proto)
    )  # fmt: skip
    np.testing.assert_allclose(theirs[0], whole[0], atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(theirs[1:], whole[1:], strict=True)) > 1e-3


def test_another_choice_computes_something_else(digits: NeuronGraph) -> None:
    other = o2g.load(DIGITS).with_input(np.load(FIXTURES / "digits.npz")["x"][1])
    assert other.recorded is not None
    part = o2g.select(other, winners=True)
    wrong = computed(NeuronGraph(part.layers, part.outputs, recorded=digits.recorded))["digit"]
    assert not np.allclose(wrong, digits.columns["value"][digits.layer("digit").ids], atol=1e-3)


@pytest.mark.parametrize(
    "proto",
    [
        model([node("GridSample", "x g", "y")], {"x": [1, 1, 4, 4], "g": [1, 3, 3, 2]}),
        model([node("ArgMax", "b", "i", axis=1), node("ScatterElements", "a i u", "y", axis=1, reduction="add")],
              {"a": [2, 5], "b": [2, 4], "u": [2, 1]}, opset=18),
    ],
)  # fmt: skip
def test_what_is_mixed_is_no_choice(proto: Any) -> None:
    graph = o2g.load(proto, detail="op")
    assert graph.layers[-1].aggregation.startswith(("GridSample", "ScatterElements"))
    assert not chooses(graph.layers[-1])


def test_a_condition_is_no_candidate() -> None:
    graph = o2g.load(CHOICES["where"], detail="op").with_input("random")
    flags: dict[Any, set[int]] = {}
    for incoming, e in graph.edges_into(graph.layers[-1]):
        assert e.winner is not None
        flags.setdefault(incoming.port, set()).update(e.winner.tolist())
    assert flags[0] == {-1}
    assert flags[1] | flags[2] == {0, 1}


# ------------------------------------------------------------------------------------------------------------- files


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_files_carry_it_and_are_verified(digits: NeuronGraph, suffix: str, tmp_path: Path) -> None:
    o2g.write(digits, tmp_path / f"d{suffix}")
    report = o2g.verify_file(o2g.load(DIGITS), tmp_path / f"d{suffix}")
    assert report.passed, str(report)
    with open_graph(tmp_path / f"d{suffix}") as file:
        file.layers()
        values = file.values()
        assert values is not None
        np.testing.assert_array_equal(values.astype(np.float32), digits.columns["value"])
        rows = [rows.recorded for rows in file.edges() if len(rows)]
    assert all(recorded is not None for recorded in rows)
    winners = np.concatenate([r.winner for r in rows if r is not None])
    assert [int((winners == flag).sum()) for flag in (1, 0, -1)] == [256, 768, 25816 - 1024]


@pytest.mark.parametrize("name", ["where", "computed positions", "top"])
@pytest.mark.parametrize("suffix", [".graphml", ".parquet", ".neo4j.csv"])
def test_ports_and_terms_beside_it(name: str, suffix: str, tmp_path: Path) -> None:
    graph = o2g.load(CHOICES[name], detail="op")
    o2g.write(graph.with_input("random"), tmp_path / f"g{suffix}")
    report = o2g.verify_file(graph, tmp_path / f"g{suffix}")
    assert report.passed, str(report)


@pytest.mark.slow
def test_labels_beside_it(digits: NeuronGraph, tmp_path: Path) -> None:
    o2g.write(digits, tmp_path / "d.graphml", labels=True)
    assert o2g.verify_file(o2g.load(DIGITS), tmp_path / "d.graphml").passed
    g = nx.read_graphml(tmp_path / "d.graphml")
    assert set(g.edges["n0", "n64"]) == {"weight", "abs_weight", "contribution"}


def _other(key: str, change: Callable[[str], str], tag: str = "edge") -> Callable[[str], str]:
    """A file's text with one attribute changed, where it is not 0."""

    def changed(text: str) -> str:
        opening = f'<data key="{key}">'
        at = text.index(opening, text.index(f"<{tag} ")) + len(opening)
        while text[at : text.index("<", at)] in ("0", "-0"):
            at = text.index(opening, at) + len(opening)
        end = text.index("<", at)
        return text[:at] + change(text[at:end]) + text[end:]

    return changed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (_other("c", lambda c: str(float(c) * 1.001)), "another contribution than its ends give at 1 edges"),
        (_other("x", lambda x: {"true": "false", "false": "true"}[x]), "another winner than its ends give at 1 edges"),
        (_other("c.value", lambda v: str(float(v) + 0.5), "node"), "another contribution than its ends give at"),
    ],
)
def test_what_is_wrong_in_a_file_is_found(
    digits: NeuronGraph, change: Callable[[str], str], problem: str, tmp_path: Path
) -> None:
    path = tmp_path / "d.graphml"
    o2g.write(digits, path)
    path.write_text(change(path.read_text()))
    report = o2g.verify_file(o2g.load(DIGITS), path)
    assert not report.passed
    assert problem in str(report)


def test_values_of_no_input_are_found(digits: NeuronGraph, tmp_path: Path) -> None:
    """Contributions and values may fit together, and still be none of the network's."""
    assert digits.recorded is not None
    value = digits.recorded.value.copy()
    value[digits.layer("conv2").ids] += 1
    o2g.write(digits.holding(type(digits.recorded)(value, digits.recorded.winners)), tmp_path / "d.npz")
    report = o2g.verify_file(o2g.load(DIGITS), tmp_path / "d.npz")
    assert {row.layer for row in report.rows if not row.passed} == {"conv2", "avgpool"}


@pytest.mark.slow
def test_edges_without_contributions(digits: NeuronGraph, tmp_path: Path) -> None:
    path = tmp_path / "d.graphml"
    o2g.write(digits, path)
    text = path.read_text()
    opening = '<data key="c">'
    first = text.index(opening)
    second = text.index(opening, first + 1)
    without = [text[:at] + text[text.index("</data>", at) + 7 :] for at in (first, second)]
    for changed in without:
        path.write_text(changed)
        with pytest.raises(Error, match="an edge has no 'contribution'"):
            o2g.verify_file(o2g.load(DIGITS), path)
    path.write_text(text.replace(">true<", ">yes<", 1))
    with pytest.raises(Error, match="'yes' where true or false is expected"):
        o2g.verify_file(o2g.load(DIGITS), path)


@pytest.mark.slow
def test_a_file_of_winners_in_plain_python(digits: NeuronGraph, tmp_path: Path) -> None:
    """Read by NetworkX, and computed from nodes and edges alone."""
    o2g.write(o2g.select(digits, winners=True), tmp_path / "w.graphml")
    g = nx.read_graphml(tmp_path / "w.graphml")
    assert g.number_of_edges() == 25816 - 768
    value: dict[str, float] = {}
    for n in nx.topological_sort(g):
        own = g.nodes[n]
        if own["combine"] == "input":
            value[n] = own["value"]
            continue
        terms = [data["weight"] * value[u] for u, _, data in g.in_edges(n, data=True)]
        total = max(terms) if own["combine"] == "max" else own.get("bias", 0.0) + sum(terms)
        value[n] = max(total, 0.0) if own.get("activation") == "Relu" else total
    outputs = np.array([value[n] for n in g if g.nodes[n]["layer"] == "digit"])
    softmax = np.exp(outputs) / np.exp(outputs).sum()
    np.testing.assert_allclose(softmax, digits.columns["value"][-10:], atol=1e-5)
    with pytest.raises(Error, match=r"the graph is thinned \(winners\)"):
        o2g.verify_file(o2g.load(DIGITS), tmp_path / "w.graphml")


# ------------------------------------------------------------------------------------------------------ other libraries


def test_networkxs_view_and_its_copy_agree(digits: NeuronGraph) -> None:
    G, g = digits.to_networkx(as_view=True), digits.to_networkx()
    for n in (0, 70, digits.neuron("maxpool", (1, 1, 3)), 3737):
        assert dict(G.nodes[n]) == g.nodes[n]
        for u, data in G.pred[n].items():
            assert {k: v for k, v in data.items() if not k.startswith("abs_")} == g.edges[u, n]
            assert data["abs_contribution"] == abs(data["contribution"])
    winner = digits.in_edges(digits.neuron("maxpool", (1, 1, 3)))
    assert winner.winner is not None
    assert [G.edges[u, v]["winner"] for u, v in zip(winner.source.tolist(), winner.target.tolist(), strict=True)] == (
        winner.winner == 1
    ).tolist()


@pytest.mark.parametrize("weight", ["contribution", "abs_contribution"])
def test_networkxs_degrees_by_contribution(digits: NeuronGraph, weight: str) -> None:
    G = digits.to_networkx(as_view=True)
    plain = G.copy()
    for ours, theirs in ((G.in_degree, plain.in_degree), (G.out_degree, plain.out_degree), (G.degree, plain.degree)):
        expected = dict(theirs(weight=weight))
        assert dict(ours(weight=weight)) == pytest.approx(expected, rel=1e-6, abs=1e-6)
        assert ours(70, weight=weight) == pytest.approx(expected[70], rel=1e-6)
    assert G.size(weight) == pytest.approx(plain.size(weight), rel=1e-6)


def test_pagerank_by_contribution_is_networkxs(digits: NeuronGraph) -> None:
    G = digits.to_networkx(as_view=True)
    ours = nx.pagerank(G, weight="abs_contribution")
    theirs = nx.pagerank(G.copy(), weight="abs_contribution", backend="networkx", tol=1e-15, max_iter=1000)
    assert dict(ours) == pytest.approx(theirs, abs=1e-9)
    with pytest.raises(nx.NetworkXError, match="use weight='abs_contribution'"):
        nx.pagerank(G, weight="contribution")
    with pytest.raises(nx.NetworkXError, match="edges have the attributes 'weight' and 'abs_weight', not"):
        o2g.load(DIGITS).to_networkx(as_view=True).size("contribution")


def test_passes_by_contribution_are_adjoint(digits: NeuronGraph) -> None:
    random = np.random.default_rng(0)
    x, y = random.random(digits.neurons), random.random(digits.neurons)
    one = forward(digits, x, weight="contribution") @ y
    assert one == pytest.approx(backward(digits, y, weight="contribution") @ x, rel=1e-9)
    with pytest.raises(Error, match="the graph has no input"):
        forward(o2g.load(DIGITS), x, weight="contribution")
    with pytest.raises(UnsupportedError, match="which is for sums"):
        forward(digits, x, weight="abs_contribution", semiring="max")


@pytest.mark.slow
def test_other_libraries_get_it(digits: NeuronGraph) -> None:
    assert digits.to_arrow().edges.column_names == ["src", "dst", "weight", "contribution", "winner"]
    assert digits.to_arrow().edges["winner"].null_count == 25816 - 1024
    assert "value" in digits.to_arrow().nodes.column_names
    g = digits.to_igraph()
    np.testing.assert_allclose(g.es["contribution"], digits.to_pyg().edge_contribution.numpy())
    assert g.vs["value"] == digits.columns["value"].tolist()
    triples = {(s, t): c for s, t, c in digits.weighted_edges("contribution")}
    for (source, target), matrix in digits.to_scipy(weight="contribution").items():
        first, second = digits.layer(source).first_id, digits.layer(target).first_id
        for s, t, c in zip(*matrix.coords, matrix.data, strict=True):
            assert triples.pop((first + int(s), second + int(t))) == c
    assert not triples
    kit = digits.to_networkit(weight="contribution")
    assert kit.totalEdgeWeight() == pytest.approx(sum(c for *_, c in digits.weighted_edges("contribution")))
    plain = o2g.load(DIGITS)
    for to in (plain.to_scipy, plain.to_networkit):
        with pytest.raises(Error, match="weight is 'contribution'; expected 'weight', or 'contribution' in a graph"):
            to(weight="contribution")


# -------------------------------------------------------------------------------------------------------- parts, use


@pytest.mark.slow
def test_what_writing_it_costs(digits: NeuronGraph) -> None:
    """More than without an input, since there are more columns."""
    plain = o2g.load(DIGITS)
    for suffix in (".graphml", ".neo4j.csv", ".parquet", ".npz"):
        assert o2g.estimate(digits, suffix).bytes > 1.15 * o2g.estimate(plain, suffix).bytes


def test_a_part_keeps_what_its_input_makes_of_it(digits: NeuronGraph) -> None:
    part = o2g.select(digits, "relu1:conv2")
    for layer in part.layers:
        whole = digits.layer(layer.name)
        np.testing.assert_array_equal(part.columns["value"][layer.ids], digits.columns["value"][whole.ids])
    for (_, a), (_, b) in zip(
        part.edges_into(part.layer("maxpool")), digits.edges_into(digits.layer("maxpool")), strict=True
    ):
        np.testing.assert_array_equal(a.winner, b.winner)
    cut = o2g.select(digits, "maxpool:")
    assert cut.recorded is not None
    assert not cut.recorded.winners
    strongest = o2g.select(digits, top_k=2)
    assert strongest.in_edges(3737).contribution is not None


@pytest.mark.slow
def test_what_is_asked_wrongly(digits: NeuronGraph, capsys: pytest.CaptureFixture[str]) -> None:
    plain = o2g.load(DIGITS)
    with pytest.raises(Error, match="winners are those of an input; give one"):
        o2g.select(plain, winners=True)
    with pytest.raises(Error, match="top_k and winners are given; choose one of them"):
        o2g.select(digits, top_k=2, winners=True)
    with pytest.raises(Error, match=r"the graph is thinned \(top-k 2\): give it its input before"):
        o2g.select(plain, top_k=2).with_input("random")
    with pytest.raises(Error, match="a column is named 'value'"):
        plain.with_column("value", np.zeros(3738))
    assert cli.main([str(DIGITS), "-", "--preprocess", "caffe"]) == 2
    assert "--preprocess is for a picture, and there is none" in capsys.readouterr().err


@pytest.mark.slow
def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "d.npy", digit())
    given = ["--input", str(tmp_path / "d.npy")]
    out = str(tmp_path / "d.graphml")
    assert cli.main([str(DIGITS), out, *given]) == 0
    assert cli.main(["verify", str(DIGITS), out]) == 0
    assert cli.main([str(DIGITS), str(tmp_path / "w.graphml"), *given, "--winners"]) == 0
    assert nx.read_graphml(tmp_path / "w.graphml").number_of_edges() == 25816 - 768
    capsys.readouterr()
    assert cli.main(["neuron", str(DIGITS), "maxpool", "1,1,3", *given]) == 0
    shown = capsys.readouterr().out
    assert "value: " in shown
    assert shown.count(" yes\n") == 1
    assert cli.main(["analyze", str(DIGITS), *given, "--measures", "in_strength", "-o", str(tmp_path / "a")]) == 0
    assert "weight: abs of the contribution" in capsys.readouterr().out
    about = json.loads((tmp_path / "a" / "analysis.json").read_text())
    assert about


@pytest.mark.slow
def test_strengths_by_contribution(digits: NeuronGraph) -> None:
    found = o2g.analyze(DIGITS, measures="in_strength", input=digit())
    expected = np.zeros(digits.neurons)
    for _, v, c in digits.weighted_edges("contribution"):
        expected[v] += abs(c)
    np.testing.assert_allclose(np.asarray(found.values["in_strength"]), expected, rtol=1e-5, atol=1e-6)
