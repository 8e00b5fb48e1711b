"""Which operators a graph becomes again: convolutions, pools and matrices where edges are these, smaller ones where
less is left, masked ones where edges differ by position."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import onnx2graphml as o2g
from network import run
from onnx2graphml.errors import TooLargeError
from onnx2graphml.export import windows
from onnx2graphml.export.estimate import estimated_bytes
from onnx2graphml.export.reach import reach
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES, model, node, random_feeds, runtime, weights

DIGITS, RESIDUAL = FIXTURES / "digits.onnx", FIXTURES / "residual.onnx"


def operators(made: onnx.ModelProto) -> Counter[str]:
    return Counter(n.op_type for n in made.graph.node if n.op_type not in ("Reshape", "Transpose"))


def checked(graph: NeuronGraph, max_edges: int = 50_000_000) -> onnx.ModelProto:
    """The graph as a model, after it was made sure that it computes what a recomputation of the graph does."""
    made = graph.to_onnx(max_edges)
    onnx.checker.check_model(made)
    feeds = random_feeds(graph, seed=2)
    for got, expected in zip(runtime(made, feeds), run(graph, feeds), strict=True):
        largest = max(1.0, float(np.abs(expected).max(initial=0)))
        np.testing.assert_allclose(got.ravel(), expected, rtol=1e-5, atol=2e-6 * largest)
    return made


@pytest.mark.slow
def test_a_network_has_its_operators_again() -> None:
    expected = {"Conv": 2, "MaxPool": 1, "AveragePool": 1, "MatMul": 2, "Relu": 3, "Softmax": 1, "Add": 4}
    assert operators(checked(o2g.load(DIGITS, detail="neuron"))) == expected
    made = checked(o2g.load(RESIDUAL, detail="neuron"))
    assert operators(made) == {"Conv": 5, "Relu": 3, "Add": 6, "MatMul": 1}
    assert made.ByteSize() < RESIDUAL.stat().st_size


@pytest.mark.slow
def test_a_written_graph_has_them_too(tmp_path: Path) -> None:
    """Edges one by one, without the model: their places alone say that they are windows."""
    graph = o2g.load(DIGITS, detail="neuron")
    o2g.write(graph, tmp_path / "a.graphml")
    for again in (o2g.load(tmp_path / "a.graphml"), o2g.load(graph.to_networkx())):
        assert operators(again.to_onnx()) == operators(graph.to_onnx())


CONV: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "padded": ((1, 3, 7, 6), (4, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    "unpadded": ((1, 3, 7, 6), (4, 3, 3, 2), {}),
    "strides": ((1, 2, 9, 8), (3, 2, 3, 3), {"strides": [2, 3], "pads": [0, 1, 1, 0]}),
    "stride beyond the kernel": ((1, 2, 9, 9), (3, 2, 2, 2), {"strides": [4, 4]}),
    "dilations": ((1, 2, 9, 9), (3, 2, 3, 2), {"dilations": [2, 3], "pads": [2, 0, 1, 2]}),
    "groups": ((1, 4, 6, 6), (6, 2, 3, 3), {"group": 2, "pads": [1, 1, 1, 1]}),
    "depthwise": ((1, 4, 6, 6), (4, 1, 3, 3), {"group": 4}),
    "pointwise": ((1, 4, 6, 6), (3, 4, 1, 1), {}),
    "one dimension": ((1, 3, 11), (4, 3, 3), {"strides": [2], "pads": [1, 1]}),
    "three dimensions": ((1, 2, 4, 5, 3), (3, 2, 2, 3, 2), {"pads": [0, 1, 0, 1, 1, 0]}),
    "one row": ((1, 3, 1, 9), (4, 3, 1, 3), {"pads": [0, 1, 0, 1]}),
    "as large as the picture": ((1, 3, 4, 5), (4, 3, 4, 5), {}),
}


@pytest.mark.parametrize("case", CONV)
def test_a_convolution_is_one_again(case: str) -> None:
    """With the kernel, stride, dilation, padding and groups that it had, or others that do the same."""
    shape, kernel, options = CONV[case]
    nodes = [node("Relu", "x", "r"), node("Conv", "r w b", "y", **options)]
    graph = o2g.load(model(nodes, {"x": shape}, {"w": weights(*kernel), "b": weights(kernel[0])}))
    made = checked(graph)
    assert operators(made) in ({"Relu": 1, "Conv": 1, "Add": 1}, {"Relu": 1, "MatMul": 1, "Add": 1})
    assert "Conv" in operators(made) or case == "as large as the picture"
    conv = [t for t in made.graph.initializer if len(t.dims) == len(kernel)]
    assert not conv or tuple(conv[0].dims) == kernel


POOL: dict[str, tuple[str, dict[str, Any], str]] = {
    "max": ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}, "MaxPool"),
    "padded max": ("MaxPool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, "MaxPool"),
    "dilated max": ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 1]}, "MaxPool"),
    "max up": ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 2], "ceil_mode": 1}, "MaxPool"),
    "mean": ("AveragePool", {"kernel_shape": [2, 2]}, "Conv"),
    "padded mean": ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, "AveragePool"),
    "mean with zeros": ("AveragePool", {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1}, "Conv"),
    "global mean": ("GlobalAveragePool", {}, "Conv"),
    "global max": ("GlobalMaxPool", {}, "MaxPool"),
}


@pytest.mark.parametrize("case", POOL)
def test_a_pool_is_one_again(case: str) -> None:
    op, options, expected = POOL[case]
    graph = o2g.load(model([node("Relu", "x", "r"), node(op, "r", "y", **options)], {"x": [1, 3, 7, 6]}))
    assert operators(checked(graph)) == {"Relu": 1, expected: 1}


OTHERS = {
    "transposed": [node("ConvTranspose", "x w", "y", strides=[2, 2])],
    "joined channels": [node("Relu", "x", "r"), node("Concat", "r x", "a", axis=1), node("Conv", "a v", "y")],
    "cut": [node("Conv", "x w", "a", pads=[1] * 4), node("Slice", "a from to axes", "b"), node("Relu", "b", "y")],
    "repeated": [node("Resize", "x _ scales", "a", mode="nearest"), node("Conv", "a w", "y")],
    "per position": [node("Conv", "x w", "a"), node("Mul", "a m", "y")],
    "reshaped": [node("Conv", "x w", "a"), node("Reshape", "a flat", "b"), node("Gemm", "b d", "y")],
    "turned": [node("Transpose", "x", "a", perm=[0, 1, 3, 2]), node("Conv", "a w", "y")],
    "max of two": [node("Conv", "x w", "a"), node("Neg", "a", "b"), node("Max", "a b", "y")],
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_stands_around_convolutions(case: str) -> None:
    constants = {
        "w": weights(3, 3, 3, 3), "v": weights(2, 6, 2, 2, seed=1), "m": weights(3, 4, 5, seed=2), "d": weights(60, 4),
        "from": np.array([1, 2]), "to": np.array([5, 6]), "axes": np.array([2, 3]), "flat": np.array([1, 60]),
        "scales": np.array([1, 1, 2, 2], np.float32),
    }  # fmt: skip
    used = {name for n in OTHERS[case] for name in n.input}
    proto = model(OTHERS[case], {"x": [1, 3, 6, 7]}, {n: v for n, v in constants.items() if n in used})
    for level in ("op", "layer", "neuron"):
        checked(o2g.load(proto, detail=level))


# ------------------------------------------------------------------------------------------- every tap is whole or gone


@pytest.mark.slow
@pytest.mark.parametrize("path", [DIGITS, RESIDUAL], ids=lambda p: p.stem)
def test_weights_that_go_leave_the_operators(path: Path) -> None:
    graph = o2g.load(path, detail="neuron")
    pruned = o2g.prune(graph, "weight", 0.3, of="weights", by_layer=True).graph
    for less in (o2g.select(graph, min_abs_weight=0.02), pruned):
        assert less.edges < graph.edges
        assert operators(checked(less))["Conv"] >= operators(graph.to_onnx())["Conv"]
        assert not operators(less.to_onnx())["Gather"]


def in_a_row(seed: int = 0) -> NeuronGraph:
    """Two convolutions and a matrix; the first one has 5 channels."""
    nodes = [
        node("Conv", "x w b", "h", pads=[1] * 4), node("Relu", "h", "r"), node("Conv", "r v c", "k"),
        node("Reshape", "k flat", "f"), node("Gemm", "f d", "y"),
    ]  # fmt: skip
    constants = {
        "w": weights(5, 2, 3, 3, seed=seed), "b": np.abs(weights(5, seed=seed + 1)),
        "v": weights(4, 5, 2, 2, seed=seed + 2), "c": weights(4, seed=seed + 3),
        "flat": np.array([1, 80]), "d": weights(80, 3, seed=seed + 4),
    }  # fmt: skip
    return o2g.load(model(nodes, {"x": [1, 2, 5, 6]}, constants), detail="neuron")


def without(graph: NeuronGraph, layer: str, side: str, channels: list[int]) -> NeuronGraph:
    """The graph without the edges into a layer whose channels on one side are those."""
    found = []
    for each in graph.layers:
        incoming = []
        for i in each.incoming:
            if each.name == layer:
                other = graph.layer(i.source) if side == "source" else each
                edges = o2g.EdgeBlock(
                    tuple(a[~np.isin(getattr(a, side) // (other.neurons // other.shape[0]), channels)] if len(a) > 1
                          and getattr(a, side).max() >= other.neurons // other.shape[0] else a for a in i.block.axes),
                    i.block.weights,
                )  # fmt: skip
                i = dataclasses.replace(i, block=edges)
            incoming.append(i)
        found.append(dataclasses.replace(each, incoming=tuple(incoming)))
    return dataclasses.replace(graph, layers=tuple(found), thinned="by hand")


def kernel_shapes(made: onnx.ModelProto) -> list[tuple[int, ...]]:
    return [tuple(t.dims) for t in made.graph.initializer if len(t.dims) == 4]


def test_channels_that_no_output_needs_are_not_computed() -> None:
    graph = in_a_row()
    hidden, next_ = graph.layers[1].name, graph.layers[2].name
    less = without(graph, next_, "source", [1, 3])
    made = checked(less)
    assert kernel_shapes(checked(graph)) == [(5, 2, 3, 3), (4, 5, 2, 2)]
    assert kernel_shapes(made) == [(3, 2, 3, 3), (4, 3, 2, 2)]
    assert made.ByteSize() < graph.to_onnx().ByteSize()
    found = reach(less)
    assert found.channels[hidden].tolist() == [0, 2, 4]
    assert found.left_out == 2 * 30


def test_channels_that_no_input_reaches_become_part_of_a_bias() -> None:
    graph = in_a_row()
    hidden = graph.layers[1].name
    made = checked(without(graph, hidden, "target", [0, 4]))
    assert kernel_shapes(made) == [(3, 2, 3, 3), (4, 3, 2, 2)]


def test_all_that_is_left_is_a_bias() -> None:
    """Nothing of the input gets through: the output is what constants come to."""
    graph = in_a_row()
    made = checked(without(graph, graph.layers[1].name, "target", [0, 1, 2, 3, 4]))
    assert not kernel_shapes(made)


# --------------------------------------------------------------------------------------- edges that differ by position


def border() -> NeuronGraph:
    """A convolution over 12 rows and columns of which each neuron keeps 5 of 27 edges: others at the border."""
    proto = model([node("Conv", "x w", "y", pads=[1] * 4)], {"x": [1, 3, 40, 40]}, {"w": weights(4, 3, 3, 3)})
    return o2g.select(o2g.load(proto), top_k=5)


def test_few_patterns_are_convolutions_under_masks() -> None:
    found = operators(checked(border()))
    assert found["Conv"] > 1
    assert found["Where"] == found["Conv"] - 1
    assert not found["Gather"]


@pytest.mark.slow
def test_many_patterns_are_written_edge_by_edge_up_to_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "MOST_PATTERNS", 2)
    assert set(operators(checked(border()))) <= {"Gather", "Mul", "ReduceSum", "Pad"}
    with pytest.raises(TooLargeError, match=r"layer 'the_y' has 32,000 edges that have to be written one by one"):
        border().to_onnx(max_edges=31_999)
    half = o2g.select(RESIDUAL, sample=20_000)
    assert "Gather" in operators(half.to_onnx())


# ------------------------------------------------------------------------------------------------------------- its size


@pytest.mark.slow
@pytest.mark.parametrize("path", [DIGITS, RESIDUAL], ids=lambda p: p.stem)
@pytest.mark.parametrize("options", [{}, {"min_abs_weight": 0.02}], ids=str)
def test_the_size_is_known_before(path: Path, options: dict[str, Any]) -> None:
    graph = o2g.select(path, **options)
    assert estimated_bytes(graph) == pytest.approx(graph.to_onnx().ByteSize(), rel=0.5)


def test_the_file_says_how_much_is_not_computed() -> None:
    graph = in_a_row()
    made = without(graph, graph.layers[2].name, "source", [1, 3]).to_onnx()
    assert {p.key: p.value for p in made.metadata_props} == {
        "detail": "neuron", "thinned": "by hand", "neurons_not_computed": "60",
    }  # fmt: skip


@pytest.mark.slow
def test_a_large_picture_is_not_expanded() -> None:
    """35 million edges, of which none may be written by itself; nor may they after thinning."""
    nodes = [node("Conv", "x w", "h", pads=[1] * 4), node("MaxPool", "h", "y", kernel_shape=[2, 2], strides=[2, 2])]
    proto = model(nodes, {"x": [1, 3, 400, 400]}, {"w": weights(8, 3, 3, 3)})
    graph = o2g.load(proto)
    assert graph.edges > 30_000_000
    feeds = random_feeds(graph)
    (got,), (expected,) = runtime(graph.to_onnx(max_edges=1000), feeds), runtime(proto, feeds)
    np.testing.assert_allclose(got, expected, atol=1e-4)
    thinned = o2g.select(graph, min_abs_weight=0.3)
    assert operators(thinned.to_onnx(max_edges=1000)) == {"Conv": 1, "MaxPool": 1}
