"""The same small networks in every opset: attributes that became inputs, defaults that changed; and equal operands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import onnx
import pytest

from network import run
from onnx2graphml.api import load, verify
from small import assert_exact, model, node, random_feeds, runtime, weights

OPSETS = range(7, 23)
Parts = tuple[list[onnx.NodeProto], dict[str, Any]]


def by_attribute(since: int, op: str, name: str, value: list[int], **attributes: Any) -> Callable[[int], Parts]:
    """An operator one of whose attributes is an input from an opset on."""

    def made(opset: int) -> Parts:
        if opset < since:
            return [node(op, "x", "y", **{name: value}, **attributes)], {}
        return [node(op, "x v", "y", **attributes)], {"v": np.array(value)}

    return made


def as_it_is(op: str, constants: dict[str, Any] | None = None, **attributes: Any) -> Callable[[int], Parts]:
    return lambda opset: ([node(op, " ".join(["x", *(constants or {})]), "y", **attributes)], constants or {})


def slice_(opset: int) -> Parts:
    given = {"starts": [1, -3], "ends": [100, -1], "axes": [1, 3]}
    if opset < 10:
        return [node("Slice", "x", "y", **given)], {}
    return [node("Slice", "x starts ends axes", "y")], {n: np.array(v) for n, v in given.items()}


def slice_backwards(opset: int) -> Parts:
    given = {"starts": [-1, 3], "ends": [-100, 0], "axes": [2, -1], "steps": [-1, -2]}
    return [node("Slice", "x starts ends axes steps", "y")], {n: np.array(v) for n, v in given.items()}


def clip(opset: int) -> Parts:
    if opset < 11:
        return [node("Clip", "x", "y", min=-0.5, max=0.75)], {}
    return [node("Clip", "x low high", "y")], {"low": np.float32(-0.5), "high": np.float32(0.75)}


def clip_above(opset: int) -> Parts:
    if opset < 11:
        return [node("Clip", "x", "y", max=0.25)], {}
    return [node("Clip", "x _ high", "y")], {"high": np.float32(0.25)}


def pad(opset: int) -> Parts:
    pads = [0, 0, 1, 0, 0, 1, 0, 2]
    if opset < 11:
        return [node("Pad", "x", "y", pads=pads, value=1.5)], {}
    return [node("Pad", "x pads value", "y")], {"pads": np.array(pads), "value": np.float32(1.5)}


def pad_reflecting(opset: int) -> Parts:
    return by_attribute(11, "Pad", "pads", [0, 0, 1, 2, 0, 0, 2, 1], mode="reflect")(opset)


def pad_some_axes(opset: int) -> Parts:
    return [node("Pad", "x pads _ axes", "y")], {"pads": np.array([1, 2, 0, 1]), "axes": np.array([-1, 2])}


def split(opset: int) -> Parts:
    pieces = [node("Concat", "c a b", "y", axis=1)]
    if opset < 13:
        return [node("Split", "x", "a b c", axis=1, split=[1, 2, 1]), *pieces], {}
    return [node("Split", "x sizes", "a b c", axis=1), *pieces], {"sizes": np.array([1, 2, 1])}


def split_evenly(opset: int) -> Parts:
    count = {"num_outputs": 2} if opset >= 18 else {}
    return [node("Split", "x", "a b", axis=3, **count), node("Sub", "a b", "y")], {}


def dropout(opset: int) -> Parts:
    if opset < 12:
        return [node("Dropout", "x", "y", ratio=0.25)], {}
    return [node("Dropout", "x ratio off", "y")], {"ratio": np.float32(0.25), "off": np.bool_(False)}


def prelu(opset: int) -> Parts:
    return [node("PRelu", "x slope", "y")], {"slope": weights(4, 1, 1)}


def gemm(opset: int) -> Parts:
    constants = {"w": weights(3, 48), "c": weights(3, seed=1)}
    return [node("Flatten", "x", "f"), node("Gemm", "f w c", "y", transB=1, alpha=0.5, beta=2.0)], constants


def normalization(opset: int) -> Parts:
    constants = {"s": weights(4), "b": weights(4, seed=1), "m": weights(4, seed=2), "v": np.float32([1, 2, 0.5, 3])}
    return [node("BatchNormalization", "x s b m v", "y", epsilon=1e-3)], constants


def reduces(op: str, since: int) -> dict[str, tuple[int, Callable[[int], Parts]]]:
    return {
        op: (7, by_attribute(since, op, "axes", [2, 3])),
        f"{op} without the axes": (7, by_attribute(since, op, "axes", [1, 3], keepdims=0)),
        f"{op} over all": (7, as_it_is(op, keepdims=0)),
        f"{op} of a negative axis": (11, by_attribute(since, op, "axes", [-1])),
    }


NETWORKS: dict[str, tuple[int, Callable[[int], Parts]]] = {
    "Slice": (7, slice_),
    "Slice backwards": (10, slice_backwards),
    "Clip": (7, clip),
    "Clip above": (7, clip_above),
    "Pad": (7, pad),
    "Pad reflecting": (7, pad_reflecting),
    "Pad some axes": (18, pad_some_axes),
    "Squeeze": (7, lambda opset: squeezed(by_attribute(13, "Squeeze", "axes", [0])(opset))),
    "Squeeze all": (7, lambda opset: squeezed(as_it_is("Squeeze")(opset))),
    "Unsqueeze": (7, by_attribute(13, "Unsqueeze", "axes", [1, 3])),
    "Unsqueeze at the end": (11, by_attribute(13, "Unsqueeze", "axes", [-1])),
    "Split": (7, split),
    "Split evenly": (7, split_evenly),
    "Dropout": (7, dropout),
    "PRelu": (7, prelu),
    "Gemm": (7, gemm),
    "BatchNormalization": (7, normalization),
    **reduces("ReduceSum", 13),
    **reduces("ReduceMean", 18),
    **reduces("ReduceMax", 18),
    **reduces("ReduceMin", 18),
    **{f"Softmax axis {axis}": (7, as_it_is("Softmax", axis=axis)) for axis in (0, 1, 2, 3)},
    **{f"LogSoftmax axis {axis}": (7, as_it_is("LogSoftmax", axis=axis)) for axis in (1, 2)},
    "Softmax": (7, as_it_is("Softmax")),
    "LogSoftmax": (7, as_it_is("LogSoftmax")),
    "Softmax axis -2": (11, as_it_is("Softmax", axis=-2)),
    "AveragePool": (7, as_it_is("AveragePool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], strides=[2, 1])),
    "MaxPool": (7, as_it_is("MaxPool", kernel_shape=[2, 2], pads=[1, 0, 0, 1], strides=[2, 1])),
    "Transpose": (7, as_it_is("Transpose", perm=[0, 2, 3, 1])),
    "Transpose by default": (7, as_it_is("Transpose")),
    "Reshape": (7, as_it_is("Reshape", {"to": np.array([0, -1, 6])})),
    "Flatten": (7, as_it_is("Flatten", axis=2)),
    "Expand": (8, as_it_is("Expand", {"to": np.array([2, 1, 1, 1])})),
    "Tile": (7, as_it_is("Tile", {"times": np.array([1, 2, 1, 3])})),
    "Gather": (7, as_it_is("Gather", {"at": np.array([[2, 0], [0, 3]])}, axis=1)),
    "Gather the last": (11, as_it_is("Gather", {"at": np.array(-1)}, axis=3)),
    "LeakyRelu": (7, as_it_is("LeakyRelu", alpha=0.3)),
    "Gelu": (20, as_it_is("Gelu", approximate="tanh")),
    "HardSwish": (14, as_it_is("HardSwish")),
    "Celu": (12, as_it_is("Celu", alpha=0.5)),
}
SWEEP = [(name, opset) for name, (since, _) in NETWORKS.items() for opset in OPSETS if opset >= since]


def squeezed(parts: Parts) -> Parts:
    """Between two layers, so that something computes."""
    nodes, constants = parts
    return [*nodes, node("Relu", "y", "z")], constants


@pytest.mark.parametrize(("name", "opset"), SWEEP)
def test_opset(name: str, opset: int) -> None:
    nodes, constants = NETWORKS[name][1](opset)
    outputs = [next(o for n in reversed(nodes) for o in n.output)]
    proto = model(nodes, {"x": [1, 4, 3, 4]}, constants, outputs, opset)
    graph = load(proto, detail="op")
    report = verify(graph)
    assert report.passed, report.rows
    # Once without the runtime's own values of the tensors in between.
    feeds = random_feeds(graph)
    (got,), (expected,) = run(graph, feeds), runtime(proto, feeds)
    np.testing.assert_allclose(got, expected.astype(np.float64).ravel(), 1e-4, 1e-5)


@pytest.mark.parametrize("axis", [1, 2, 3])
def test_softmax_before_opset_13_is_over_all_axes_from_that_one_on(axis: int) -> None:
    """And from 13 on over that one only, so that the two differ unless it is the last."""
    texts = [
        str(load(model([node("Softmax", "x", "y", axis=axis)], {"x": [1, 4, 3, 4]}, opset=o)).layers[-1].activation[0])
        for o in (12, 13)
    ]
    below = "+".join(str(a - 1) for a in range(axis, 4))  # without the batch axis
    assert texts == [f"Softmax(axis={below})", f"Softmax(axis={axis - 1})"]


# ------------------------------------------------------------------------------------------------------- equal operands


@pytest.mark.parametrize(
    ("op", "inputs", "edges", "attributes"),
    [
        ("Add", "x x", 6, {}),
        ("Sub", "x x", 6, {}),
        ("Mul", "x x", 6, {}),
        ("Sum", "x x x", 6, {}),
        ("Concat", "x x", 12, {"axis": 1}),
        ("Div", "x x", 12, {}),
        ("Pow", "x x", 12, {}),
    ],
)
def test_a_tensor_twice(op: str, inputs: str, edges: int, attributes: dict[str, Any]) -> None:
    nodes = [node("Abs", "i", "x"), node(op, inputs, "z", **attributes), node("Relu", "z", "y")]
    graphs = assert_exact(model(nodes, {"i": [1, 6]}))
    assert graphs["op"].layer("z").in_edges == edges
    for graph in graphs.values():
        pairs = Counter((s, t) for s, t, _ in graph.weighted_edges())
        by_ports = any(i.port is not None for x in graph.layers for i in x.incoming)
        assert max(pairs.values()) == (2 if by_ports else 1)
        assert isinstance(graph.to_networkx(), nx.MultiDiGraph if by_ports else nx.DiGraph)
        assert graph.to_networkx().number_of_edges() == graph.edges


@pytest.mark.parametrize(("op", "weight"), [("Add", 2.0), ("Sub", 0.0), ("Sum", 2.0)])
def test_a_tensor_twice_has_its_weights_added(op: str, weight: float) -> None:
    graph = load(model([node(op, "x x", "y")], {"x": [1, 6]}), detail="op")
    assert [w for _, _, w in graph.weighted_edges()] == [weight] * 6


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
def test_a_constant_on_the_left(op: str) -> None:
    assert_exact(model([node("Exp", "x", "e"), node(op, "c e", "y")], {"x": [1, 6]}, {"c": weights(6)}))


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("other", [[3, 1, 1], [4], [1], [3, 1, 4]], ids=str)
def test_broadcasting(op: str, other: list[int]) -> None:
    """Of a constant, and of a computed tensor, also to a higher rank."""
    assert_exact(model([node(op, "x c", "y")], {"x": [1, 3, 2, 4]}, {"c": weights(*other) + np.float32(3)}))
    nodes = [node("Exp", "b", "e"), node(op, "x e", "y")]
    assert_exact(model(nodes, {"x": [1, 3, 2, 4], "b": other}))
    assert_exact(model([node("Exp", "b", "e"), node(op, "c e", "y")], {"b": other}, {"c": weights(2, 3, 2, 4)}))


# ---------------------------------------------------------------------------------------------------- other float types


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_a_network_of_another_type(dtype: Any) -> None:
    """ONNX Runtime has no convolution in float64."""
    first = [node("Conv", "x w b", "c", pads=[1, 1, 1, 1])] if dtype == np.float16 else [node("Mul", "x b", "c")]
    nodes = [
        *first,
        node("Relu", "c", "r"),
        node("MaxPool", "r", "m", kernel_shape=[2, 2], strides=[2, 2]),
        node("Add", "m m", "a"),
        node("Flatten", "a", "f"),
        node("Gemm", "f v", "g"),
        node("Softmax", "g", "y", axis=1),
    ]
    constants = {"w": weights(2, 2, 3, 3), "b": weights(2, seed=1), "v": weights(8, 5, seed=2)}
    if dtype == np.float64:
        constants = {"b": constants["b"].reshape(2, 1, 1), "v": constants["v"]}
    typed = {n: v.astype(dtype) for n, v in constants.items()}
    for graph in assert_exact(model(nodes, {"x": [1, 2, 4, 4]}, typed, dtype=dtype)).values():
        assert {x.dtype for x in graph.layers} == {np.dtype(dtype)}
        assert all(verify(graph, seed=seed).passed for seed in range(1, 4))
