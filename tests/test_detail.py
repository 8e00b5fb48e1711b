"""What the levels of detail leave out and merge: always exactly, and never more than they may."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load
from onnx2graphml.build import detail
from onnx2graphml.build.detail import LEVELS, at_detail
from onnx2graphml.errors import Error
from small import SIDE, levels, model, node, operators, weights

F = np.float32


def test_an_unknown_level() -> None:
    graph = load(model([node("Relu", "x", "y")], {"x": [1, 2]}), detail="op")
    with pytest.raises(Error, match="detail is 'fine'; expected one of op, layer, neuron"):
        at_detail(graph, "fine")
    with pytest.raises(Error, match="expected one of op, layer, neuron"):
        load(model([node("Relu", "x", "y")], {"x": [1, 2]}), detail="fine")


def test_the_level_is_told() -> None:
    assert [load(model([node("Relu", "x", "y")], {"x": [1, 2]}), detail=d).detail for d in LEVELS] == list(LEVELS)


def test_a_chain_takes_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each layer is looked at a number of times that does not depend on how many come after it."""
    seen: list[str] = []
    is_selection = detail.is_selection
    monkeypatch.setattr(detail, "is_selection", lambda layer: seen.append(layer.name) or is_selection(layer))
    chain = [node("Transpose", f"x{k}", f"x{k + 1}", perm=[0, 2, 1]) for k in range(40)]
    graph = load(model(chain, {"x0": [1, 2, 3]}, outputs=["x40"]))
    assert len(graph.layers) == 2
    assert len(seen) <= 2 * 41


# ------------------------------------------------------------------------------------------------------------- left out


@pytest.mark.parametrize(
    "between",
    [
        node("Identity", "c", "m"),
        node("Dropout", "c", "m"),
        node("Cast", "c", "m", to=onnx.TensorProto.FLOAT),
        node("Transpose", "c", "m", perm=[0, 1, 3, 2]),
        node("Squeeze", "c axes", "m"),
        node("Unsqueeze", "c axes", "m"),
    ],
    ids=lambda n: n.op_type,
)
def test_plumbing_is_composed_away(between: onnx.NodeProto) -> None:
    """Between two layers it is no layer, from `layer` on."""
    nodes = [node("Conv", "x w", "c", **SIDE), node("Relu", "c", "r"), between]
    between.input[0] = "r"
    nodes += [node("Flatten", "m", "f", axis=0), node("MatMul", "f v", "y")]
    size = 2 * 3 * 4
    graphs = levels(nodes, [1, 2, 3, 4], {"w": weights(2, 2, 3, 3), "axes": np.array([0]), "v": weights(size, 3)})
    assert between.op_type in operators(graphs["op"])
    assert operators(graphs["layer"]) == ["Input", "Conv", "Flatten", "MatMul"]
    assert operators(graphs["neuron"]) == ["Input", "Conv", "MatMul"]


@pytest.mark.parametrize("op", ["Reshape", "Flatten", "Concat", "Split", "Slice", "Gather", "Tile", "Expand", "Pad"])
def test_routing_is_composed_away_at_neuron_only(op: str) -> None:
    constants: dict[str, Any] = {"w": weights(4, 4), "v": weights(4, 2)}
    extra = {
        "Reshape": {"to": np.array([1, 4])},
        "Slice": {"a": np.array([0]), "b": np.array([4])},
        "Gather": {"at": np.array([3, 1, 0, 2])},
        "Tile": {"times": np.array([1, 1])},
        "Expand": {"to": np.array([1, 1])},
        "Pad": {"pads": np.array([0, 0, 0, 0])},
    }.get(op, {})
    attributes = {"Concat": {"axis": 1}, "Split": {"axis": 1}, "Gather": {"axis": 1}}.get(op, {})
    routing = node(op, " ".join(["h", *extra]), "r", **attributes)
    nodes = [node("MatMul", "x w", "p"), node("Relu", "p", "h"), routing, node("MatMul", "r v", "y")]
    opset = 12 if op == "Split" else 17
    graphs = levels(nodes, [1, 4], constants | extra, opset=opset)
    assert operators(graphs["layer"]) == ["Input", "MatMul", op, "MatMul"]
    assert operators(graphs["neuron"]) == ["Input", "MatMul", "MatMul"]
    assert graphs["neuron"].edges == 16 + 8


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_padding_before_a_convolution(value: float) -> None:
    """With zeros it is the convolution's own; with anything else it is neurons."""
    constants = {"w": weights(1, 1, 3, 3), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "value": F(value)}
    graphs = levels([node("Pad", "x pads value", "p"), node("Conv", "p w", "y")], [1, 1, 4, 4], constants)
    if value:
        assert all(operators(g) == ["Input", "Pad", "Conv"] for g in graphs.values())
        assert all(g.edges == 16 + 16 * 9 for g in graphs.values())
    else:
        assert [g.edges for g in graphs.values()] == [16 + 16 * 9, 100, 100]


def test_padding_that_is_read_by_others_stays() -> None:
    """At `layer`, where it is not only a convolution's."""
    constants = {"w": weights(1, 1, 3, 3), "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}
    nodes = [
        node("Pad", "x pads", "p"),
        node("Conv", "p w", "c", **SIDE),
        node("Mul", "p p", "m"),
        node("Add", "c m", "y"),
    ]
    graphs = levels(nodes, [1, 1, 4, 4], constants)
    assert "Pad" in operators(graphs["layer"])


@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
def test_padding_before_a_pool(pool: str) -> None:
    """A padded zero wins over negative numbers: without its neuron it would be missing from the maximum."""
    nodes = [
        node("Exp", "x", "e"),
        node("Neg", "e", "n"),
        node("Pad", "n pads", "p"),
        node(pool, "p", "y", kernel_shape=[3, 3]),
    ]
    graphs = levels(nodes, [1, 1, 4, 4], {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])})
    composed = pool == "AveragePool"  # a sum with fewer terms is the same sum
    assert ("Pad" not in operators(graphs["neuron"])) is composed


@pytest.mark.parametrize("reader", ["Mul", "Div", "Pow"])
def test_padding_before_a_product(reader: str) -> None:
    nodes = [node("Abs", "x", "a"), node("Pad", "a pads", "p"), node("Exp", "b", "e"), node(reader, "p e", "y")]
    levels(nodes, {"x": [1, 3], "b": [1, 5]}, {"pads": np.array([0, 1, 0, 1])})


@pytest.mark.parametrize("reader", ["Add", "Mul", "Div", "Pow", "PRelu", "Concat"])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("parts", [2, 3])
def test_a_concatenation_is_read_by_an_operator_of_two_inputs(reader: str, side: int, parts: int) -> None:
    """From several blocks into one port."""
    operands = ["j c", "c j"][side]
    attributes = {"axis": 1} if reader == "Concat" else {}
    nodes = [
        node("Exp", "x", "a"),
        node("Exp", "b", "e"),
        node("Split", "a", "a1 a2", axis=1) if parts == 3 else node("Identity", "a", "a1"),
        node("Concat", "a1 e a2" if parts == 3 else "a1 e", "j", axis=1),
        node("Exp", "d", "c"),
        node(reader, operands, "y", **attributes),
    ]
    levels(nodes, {"x": [1, 2], "b": [1, 3], "d": [1, 5]}, opset=12)


# --------------------------------------------------------------------------------------------------------------- merged


def test_a_product_and_its_bias_are_one_layer() -> None:
    constants = {"w": weights(4, 3), "b": weights(3)}
    graphs = levels([node("MatMul", "x w", "p"), node("Add", "p b", "y")], [1, 4], constants)
    assert operators(graphs["op"]) == ["Input", "MatMul", "Add"]
    for level in ("layer", "neuron"):
        assert operators(graphs[level]) == ["Input", "MatMul"]
        assert graphs[level].layers[-1].parameters == 15
        bias = graphs[level].layers[-1].bias
        assert bias is not None
        assert bias.tolist() == constants["b"].tolist()


def test_an_activation_is_part_of_its_layer() -> None:
    nodes = [node("MatMul", "x w", "p"), node("Relu", "p", "r"), node("Tanh", "r", "t"), node("Softmax", "t", "y")]
    graphs = levels(nodes, [1, 4], {"w": weights(4, 3)})
    assert operators(graphs["layer"]) == ["Input", "MatMul"]
    assert [a.op for a in graphs["layer"].layers[-1].activation] == ["Relu", "Tanh", "Softmax"]


def test_convolution_normalization_and_activation() -> None:
    constants = {
        "w": weights(3, 2, 3, 3),
        "b": weights(3, seed=1),
        "s": weights(3, seed=2),
        "h": weights(3, seed=3),
        "m": weights(3, seed=4),
        "v": np.abs(weights(3, seed=5)) + F(0.1),
    }
    nodes = [node("Conv", "x w b", "c", **SIDE), node("BatchNormalization", "c s h m v", "n"), node("Relu", "n", "y")]
    graphs = levels(nodes, [1, 2, 5, 5], constants)
    assert operators(graphs["layer"]) == ["Input", "Conv", "BatchNormalization"]
    assert operators(graphs["neuron"]) == ["Input", "Conv"]
    assert [a.op for a in graphs["neuron"].layers[-1].activation] == ["Relu"]
    assert graphs["neuron"].edges == graphs["op"].layers[1].in_edges


@pytest.mark.parametrize("order", [("n", "c"), ("c", "n")], ids=["before", "after"])
def test_a_normalization_is_folded_only_into_what_comes_before(order: tuple[str, str]) -> None:
    constants = {"w": weights(2, 2, 3, 3), "s": weights(2, seed=2), "h": weights(2, seed=3), "m": weights(2, seed=4)}
    constants["v"] = np.abs(weights(2, seed=5)) + F(0.1)
    first, last = order
    ins = {first: "x", last: first}
    made = {
        "c": node("Conv", f"{ins['c']} w", "c", **SIDE),
        "n": node("BatchNormalization", f"{ins['n']} s h m v", "n"),
    }
    graphs = levels([made[first], made[last]], [1, 2, 5, 5], constants, outputs=(last,))
    assert len(graphs["neuron"].layers) == (3 if last == "c" else 2)


def test_nothing_is_merged_over_a_nonlinear_function() -> None:
    nodes = [node("MatMul", "x w", "p"), node("Relu", "p", "r"), node("Mul", "r b", "m"), node("Add", "m b", "y")]
    graphs = levels(nodes, [1, 4], {"w": weights(4, 3), "b": weights(3)})
    assert operators(graphs["neuron"]) == ["Input", "MatMul", "Mul"]


def test_a_scaled_negative_max_is_not_a_maximum() -> None:
    nodes = [node("MaxPool", "x", "m", kernel_shape=[2, 2]), node("Mul", "m c", "s"), node("Add", "s c", "y")]
    graphs = levels(nodes, [1, 1, 4, 4], {"c": F(-2)})
    assert operators(graphs["neuron"]) == ["Input", "MaxPool", "Mul"]
