"""Where levels of detail meet tensors that several layers read; the names of layers; and rounding."""

from __future__ import annotations

import itertools

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.model.metadata import LAYER
from small import SIDE, levels, model, node, operators, weights

F = np.float32


# ------------------------------------------------------------------------------------------------------- shared tensors


def test_what_others_read_is_not_absorbed() -> None:
    """A residual branch: the Relu and the shortcut both need the values before it."""
    nodes = [
        node("Conv", "x w", "c", **SIDE),
        node("Relu", "c", "r"),
        node("Conv", "r v", "d", **SIDE),
        node("Add", "c d", "s"),
        node("Relu", "s", "y"),
    ]
    graphs = levels(nodes, [1, 2, 4, 4], {"w": weights(2, 2, 3, 3), "v": weights(2, 2, 3, 3, seed=1)})
    for level in ("layer", "neuron"):
        shared = graphs[level].layers[1]
        assert (shared.op, shared.activation) == ("Conv", ())
        assert operators(graphs[level]) == ["Input", "Conv", "Relu", "Conv", "Add"]


def test_an_output_is_not_absorbed() -> None:
    nodes = [node("MatMul", "x w", "p"), node("Add", "p b", "s"), node("Relu", "s", "y")]
    constants = {"w": weights(4, 3), "b": weights(3)}
    for first in ("p", "s"):
        graphs = levels(nodes, [1, 4], constants, outputs=(first, "y"))
        assert all(len(set(g.outputs)) == 2 for g in graphs.values())
        assert len(graphs["neuron"].layers) == 3


@pytest.mark.parametrize(
    "last",
    [node("Transpose", "h", "y", perm=[1, 0]), node("Reshape", "h to", "y"), node("Identity", "h", "y")],
    ids=str,
)
def test_a_rearrangement_that_is_an_output(last: onnx.NodeProto) -> None:
    nodes = [node("MatMul", "x w", "p"), node("Relu", "p", "h"), last]
    graphs = levels(nodes, [2, 4], {"w": weights(4, 3), "to": np.array([3, 2])})
    assert graphs["neuron"].neurons == 8 + 6
    # And where the tensor before it is one, too.
    levels(nodes, [2, 4], {"w": weights(4, 3), "to": np.array([3, 2])}, outputs=("h", "y"))


def test_an_input_that_is_an_output() -> None:
    graphs = levels([node("Identity", "x", "y")], [1, 4])
    assert [g.neurons for g in graphs.values()] == [8, 8, 8]


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize(
    "after", [node("Transpose", "s", "z", perm=[2, 0, 1]), node("Reshape", "s to", "z")], ids=lambda n: n.op_type
)
def test_a_rearranged_softmax(axis: int, after: onnx.NodeProto) -> None:
    """Its axis moves with the transposition; a Reshape has no place for it."""
    nodes = [node("MatMul", "x w", "p"), node("Softmax", "p", "s", axis=axis), after, node("MatMul", "z v", "y")]
    columns = 3 if after.op_type == "Transpose" else 2
    constants = {"w": weights(4, 5), "to": np.array([5, 3, 2]), "v": weights(columns, 3, seed=1)}
    for graph in levels(nodes, [2, 3, 4], constants).values():
        assert sum(a.op == "Softmax" for x in graph.layers for a in x.activation) == 1


# ---------------------------------------------------------------------------------------------------- no parallel edges


@pytest.mark.slow
def test_diamonds() -> None:
    """Two ways from one neuron to another are two edges only as long as there are neurons between them."""
    square, picture = [1, 3, 3], [1, 2, 4, 4]
    plus = node("Add", "x t", "y")
    levels([node("Transpose", "x", "t", perm=[0, 2, 1]), plus], square)
    levels([node("Reshape", "x to", "t"), plus], square, {"to": np.array([1, 3, 3])})
    levels([node("Gather", "x at", "t", axis=1), plus], square, {"at": np.array([2, 1, 0])})
    halves = [node("Split", "x", "a b", axis=1), node("Concat", "b a", "t", axis=1), plus]
    levels(halves, [1, 4, 3], opset=12)
    cut = [node("Slice", "x z o ax", "a"), node("Slice", "x z o ax", "b"), node("Concat", "a b", "j", axis=1)]
    kernel = {"w": weights(3, 2, 3, 3), "z": np.array([0]), "o": np.array([1]), "ax": np.array([1])}
    levels([*cut, node("Conv", "j w", "y", **SIDE)], picture, kernel)
    levels([*cut, node("MaxPool", "j", "y", kernel_shape=[2, 2])], picture, kernel)


@pytest.mark.parametrize("op", ["Add", "Mul", "Sub", "Div", "Sum", "Concat"])
def test_a_tensor_and_its_mirror_image(op: str) -> None:
    nodes = [node("Exp", "x", "e"), node("Transpose", "e", "t", perm=[0, 2, 1])]
    nodes.append(node(op, "e t", "y", **({"axis": 1} if op == "Concat" else {})))
    levels(nodes, [1, 3, 3])


def test_channel_shuffle() -> None:
    nodes = [
        node("Conv", "x w", "c", group=2, **SIDE),
        node("Reshape", "c split", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "t joined", "s"),
        node("Conv", "s v", "y", group=2, **SIDE),
    ]
    constants = {
        "w": weights(6, 3, 3, 3),
        "split": np.array([1, 2, 3, 4, 4]),
        "joined": np.array([1, 6, 4, 4]),
        "v": weights(4, 3, 3, 3, seed=1),
    }
    graphs = levels(nodes, [1, 6, 4, 4], constants)
    assert operators(graphs["neuron"]) == ["Input", "Conv", "Conv"]
    assert graphs["neuron"].edges == 6 * 3 * 100 + 4 * 3 * 100


# ---------------------------------------------------------------------------------------------------------------- names


def in_layer(name: str, *nodes: onnx.NodeProto) -> list[onnx.NodeProto]:
    """Nodes that the framework's layer of that name made."""
    for made in nodes:
        entry = made.metadata_props.add()
        entry.key, entry.value = LAYER, name
    return list(nodes)


def test_layers_have_the_names_of_the_framework() -> None:
    """The last one of a scope has its name, those before it add their operator, and a repeated name a number."""
    constants = {"w": weights(4, 4), "b": weights(4)}

    def call(x: str, y: str) -> list[onnx.NodeProto]:
        made = [node("MatMul", f"{x} w", f"{y}1"), node("Exp", f"{y}1", f"{y}2"), node("Add", f"{y}1 {y}2", y)]
        return in_layer("block", *made)

    nodes = [*call("x", "h"), *in_layer("head", node("MatMul", "h w", "k")), *call("k", "y")]
    graph = levels(nodes, [1, 4], constants)["layer"]
    names = [x.name for x in graph.layers]
    assert names == ["x", "block/MatMul", "block/Exp", "block", "head", "block/MatMul#2", "block/Exp#2", "block#2"]
    assert graph.outputs == ("block#2",)


@pytest.mark.parametrize("named", [["n", "n#2", "n"], ["n", "n", "n#2"], ["x", "x", "x"], ["n#2", "n", "n"]])
def test_names_are_unique_whatever_the_layers_are_called(named: list[str]) -> None:
    tensors = ["x", "a", "b", "y"]
    nodes = [node("MatMul", f"{i} w", o) for i, o in itertools.pairwise(tensors)]
    for made, layer in zip(nodes, named, strict=True):
        in_layer(layer, made)
    levels(nodes, [1, 4], {"w": weights(4, 4)})


def test_a_constant_of_a_node_does_not_take_a_tensors_name() -> None:
    """Div makes neurons of its constant; there may be a tensor of whatever name they get."""
    first = load(model([node("Exp", "x", "e"), node("Div", "c e", "y")], {"x": [1, 3]}, {"c": weights(3)}), detail="op")
    taken = next(x.name for x in first.layers if x.aggregation == "constant")
    nodes = [node("Exp", "x", taken), node("Div", f"c {taken}", "y"), node("Neg", taken, "z")]
    levels(nodes, [1, 3], {"c": weights(3)}, outputs=("y", "z"))


# ------------------------------------------------------------------------------------------------------------- rounding


def test_a_cast_to_a_shorter_type_and_back() -> None:
    """It rounds: to leave it out must not make a difference that verification finds."""
    nodes = [
        node("MatMul", "x w", "p"),
        node("Cast", "p", "h", to=onnx.TensorProto.FLOAT16),
        node("Cast", "h", "s", to=onnx.TensorProto.FLOAT),
        node("MatMul", "s v", "y"),
    ]
    graphs = {d: load(model(nodes, {"x": [1, 8]}, {"w": weights(8, 8), "v": weights(8, 4)}), detail=d) for d in LEVELS}
    for level, graph in graphs.items():
        assert all(verify(graph, seed=seed).passed for seed in range(5)), level


def test_statistics_far_from_zero() -> None:
    """A bias and a mean that all but cancel leave the rounding errors of large numbers."""
    constants = {"w": weights(2, 2, 3, 3), "b": F([1e4, -1e4]), "s": F([1, 2]), "h": F([0, 1]), "m": F([1e4, -1e4])}
    constants["v"] = F([1, 2])
    nodes = [node("Conv", "x w b", "c", **SIDE), node("BatchNormalization", "c s h m v", "y")]
    proto = model(nodes, {"x": [1, 2, 5, 5]}, constants)
    for level in LEVELS:
        assert verify(load(proto, detail=level)).passed, level
