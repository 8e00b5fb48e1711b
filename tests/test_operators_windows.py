"""Convolutions and pools: the number of edges in closed form, and the values that ONNX Runtime has, at every detail."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml import UnsupportedError, load
from small import assert_exact, model, node, weights

Pads = tuple[int, int]


def pairs(size: int, kernel: int, stride: int = 1, dilation: int = 1, pads: Pads = (0, 0), ceil: bool = False) -> int:
    """How many (input, output) positions a window joins along one dimension: counted tap by tap, in closed form.

    Tap k reads input o·stride + k·dilation - pad, which lies inside for o from ⌈(pad - k·dilation) / stride⌉ to
    ⌊(size - 1 + pad - k·dilation) / stride⌋, as far as there are outputs.
    """
    begin, end = pads
    room = size + begin + end - ((kernel - 1) * dilation + 1)
    outputs = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (outputs - 1) * stride >= size + begin:
        outputs -= 1
    total = 0
    for k in range(kernel):
        first = max(0, -(-(begin - k * dilation) // stride))
        last = min(outputs - 1, (size - 1 + begin - k * dilation) // stride)
        total += max(0, last - first + 1)
    return total


def conv(x: list[int], w: tuple[int, ...], op: str = "Conv", bias: bool = True, **attributes: Any) -> onnx.ModelProto:
    channels = w[0] if op == "Conv" else w[1] * attributes.get("group", 1)
    constants = {"w": weights(*w), "b": weights(channels, seed=1)}
    names = "x w b" if bias else "x w"
    return model([node(op, names, "y", **attributes)], {"x": x}, constants if bias else {"w": constants["w"]})


def pool(op: str, x: list[int], opset: int = 19, **attributes: Any) -> onnx.ModelProto:
    return model([node(op, "x", "y", **attributes)], {"x": x}, opset=opset)


def assert_edges(proto: onnx.ModelProto, expected: int) -> None:
    for level, graph in assert_exact(proto).items():
        assert graph.edges == expected, level


# --------------------------------------------------------------------------------------------------------- convolutions


def test_a_window_of_three_over_four_by_four_with_padding_has_100_edges() -> None:
    proto = conv([1, 1, 4, 4], (1, 1, 3, 3), pads=[1, 1, 1, 1])
    assert pairs(4, 3, pads=(1, 1)) ** 2 == 100
    assert_edges(proto, 100)
    graph = assert_exact(proto)["layer"]
    degrees = np.bincount([t - 16 for _, t, _ in graph.weighted_edges()]).reshape(4, 4)
    assert degrees.tolist() == [[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]


def test_the_same_dilated() -> None:
    # Padding 1 leaves 4 + 2 - 5 + 1 = 2 outputs in each dimension, each with one of three taps in the padding.
    proto = conv([1, 1, 4, 4], (1, 1, 3, 3), pads=[1, 1, 1, 1], dilations=[2, 2])
    assert pairs(4, 3, dilation=2, pads=(1, 1)) == 4
    assert_edges(proto, 16)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("kernel", [2, 3, 5])
@pytest.mark.parametrize("size", [6, 7])
def test_same_padding_with_stride_2(auto_pad: str, kernel: int, size: int) -> None:
    whole = max((-(-size // 2) - 1) * 2 + kernel - size, 0)
    small = whole // 2
    pads = (small, whole - small) if auto_pad == "SAME_UPPER" else (whole - small, small)
    proto = conv([1, 2, size, size], (3, 2, kernel, kernel), auto_pad=auto_pad, strides=[2, 2])
    assert_edges(proto, 2 * 3 * pairs(size, kernel, 2, pads=pads) ** 2)


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize(("size", "kernel", "stride"), [(7, 1, 2), (9, 1, 3), (8, 2, 4)])
def test_same_padding_that_leaves_out_a_little_begins_at_the_first(
    size: int, kernel: int, stride: int, auto_pad: str
) -> None:
    proto = conv([1, 1, size, size], (1, 1, kernel, kernel), auto_pad=auto_pad, strides=[stride, stride])
    assert_edges(proto, pairs(size, kernel, stride, pads=(0, 0)) ** 2)


@pytest.mark.parametrize(
    "proto",
    [
        conv([1, 1, 28, 28], (1, 1, 3, 3), auto_pad="SAME_UPPER", strides=[10, 10]),
        pool("MaxPool", [1, 1, 8, 8], kernel_shape=[2, 2], strides=[4, 4], auto_pad="SAME_LOWER"),
        pool("LpPool", [1, 1, 8, 8], kernel_shape=[2, 2], strides=[4, 4], auto_pad="SAME_UPPER"),
    ],
    ids=["Conv", "MaxPool", "LpPool"],
)
def test_same_padding_of_which_runtimes_make_different_things_is_refused(proto: onnx.ModelProto) -> None:
    with pytest.raises(UnsupportedError, match=r"auto_pad is SAME_.* leave out [25] of \d+ positions; expected pads"):
        load(proto)


def test_upper_and_lower_differ_on_even_sizes() -> None:
    first = [
        assert_exact(conv([1, 1, 6, 6], (1, 1, 3, 3), auto_pad=p, strides=[2, 2]))["layer"].in_edges(36).source.tolist()
        for p in ("SAME_UPPER", "SAME_LOWER")
    ]
    assert first == [[0, 1, 2, 6, 7, 8, 12, 13, 14], [0, 1, 6, 7]]


@pytest.mark.parametrize("pads", [(0, 0, 0, 0), (0, 1, 2, 0), (2, 2, 2, 2)], ids=str)
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)], ids=str)
@pytest.mark.parametrize("dilations", [(1, 1), (2, 1)], ids=str)
def test_convolution(pads: tuple[int, ...], strides: Pads, dilations: Pads) -> None:
    proto = conv([1, 2, 7, 6], (3, 2, 3, 2), pads=pads, strides=strides, dilations=dilations)
    rows = pairs(7, 3, strides[0], dilations[0], (pads[0], pads[2]))
    columns = pairs(6, 2, strides[1], dilations[1], (pads[1], pads[3]))
    assert_edges(proto, 2 * 3 * rows * columns)


@pytest.mark.parametrize("group", [1, 2, 4])
def test_groups(group: int) -> None:
    proto = conv([1, 4, 5, 5], (8, 4 // group, 3, 3), group=group, pads=[1, 1, 1, 1])
    assert_edges(proto, 8 * (4 // group) * pairs(5, 3, pads=(1, 1)) ** 2)


def test_depthwise_with_a_multiplier() -> None:
    proto = conv([1, 3, 5, 5], (6, 1, 3, 3), group=3, strides=[2, 2], pads=[1, 1, 1, 1])
    assert_edges(proto, 6 * pairs(5, 3, 2, pads=(1, 1)) ** 2)


def test_one_dimension_and_three() -> None:
    assert_edges(conv([1, 2, 9], (3, 2, 4), strides=[2], pads=[1, 2]), 6 * pairs(9, 4, 2, pads=(1, 2)))
    proto = conv([1, 2, 4, 3, 5], (2, 2, 2, 3, 2), pads=[1, 0, 1, 0, 1, 0])
    assert_edges(proto, 4 * pairs(4, 2, pads=(1, 0)) * pairs(3, 3, pads=(0, 1)) * pairs(5, 2, pads=(1, 0)))


def test_a_batch_of_two() -> None:
    assert_edges(conv([2, 1, 4, 4], (1, 1, 3, 3), pads=[1, 1, 1, 1], bias=False), 200)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({}, 5),
        ({"strides": [2, 2]}, 9),
        ({"strides": [2, 2], "pads": [1, 1, 1, 1]}, 7),
        ({"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, 8),
        ({"strides": [3, 3], "output_padding": [2, 2]}, 14),
        ({"dilations": [2, 2]}, 8),
        ({"strides": [2, 2], "output_shape": [8, 8]}, 8),
        ({"strides": [2, 2], "auto_pad": "SAME_UPPER"}, 8),
        ({"strides": [2, 2], "auto_pad": "SAME_LOWER"}, 8),
        ({"group": 2, "strides": [2, 2]}, 9),
    ],
    ids=str,
)
def test_transposed_convolution(attributes: dict[str, Any], size: int) -> None:
    """Its pairs of positions are those of the convolution from its output to its input."""
    group = attributes.get("group", 1)
    kernel = 2 if "dilations" in attributes or size == 5 else 3
    n = {5: 4, 9: 4, 7: 4, 8: 4, 14: 4}[size] if "dilations" not in attributes else 6
    stride, dilation = attributes.get("strides", [1])[0], attributes.get("dilations", [1])[0]
    full = stride * (n - 1) + attributes.get("output_padding", [0])[0] + (kernel - 1) * dilation + 1
    cut = full - size
    begin = cut - cut // 2 if attributes.get("auto_pad") != "SAME_UPPER" else cut // 2
    begin = attributes.get("pads", [begin])[0]
    inside = sum(0 <= i * stride + k * dilation - begin < size for i in range(n) for k in range(kernel))
    proto = conv([1, 2, n, n], (2, 3, kernel, kernel), "ConvTranspose", **attributes)
    graphs = assert_exact(proto)
    assert graphs["op"].layers[-1].shape == (3 * group, size, size)
    assert {g.edges for g in graphs.values()} == {2 * 3 * inside**2}


# ---------------------------------------------------------------------------------------------------------------- pools


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize(
    ("attributes", "pads", "ceil"),
    [
        ({}, (0, 0), False),
        ({"pads": [1, 1, 1, 1]}, (1, 1), False),
        ({"pads": [1, 1, 0, 0]}, (1, 0), False),
        ({"ceil_mode": 1}, (0, 0), True),
        ({"ceil_mode": 1, "pads": [1, 1, 1, 1]}, (1, 1), True),
    ],
    ids=str,
)
@pytest.mark.parametrize("size", [5, 6, 8])
def test_pool(op: str, attributes: dict[str, Any], pads: Pads, ceil: bool, size: int) -> None:
    proto = pool(op, [1, 2, size, size], kernel_shape=[3, 3], strides=[2, 2], **attributes)
    assert_edges(proto, 2 * pairs(size, 3, 2, 1, pads, ceil) ** 2)


def test_padded_maximum_of_negative_numbers() -> None:
    """Padding is no candidate: where all candidates are negative, the maximum is."""
    nodes = [
        node("Abs", "x", "a"),
        node("Neg", "a", "n"),
        node("MaxPool", "n", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    ]
    graphs = assert_exact(model(nodes, {"x": [1, 1, 4, 4]}))
    assert graphs["neuron"].layers[-1].in_edges == 100


@pytest.mark.parametrize("auto_pad", ["SAME_UPPER", "SAME_LOWER"])
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pool_with_same_padding(op: str, auto_pad: str) -> None:
    pads = (0, 1) if auto_pad == "SAME_UPPER" else (1, 0)
    proto = pool(op, [1, 2, 6, 6], kernel_shape=[3, 3], strides=[2, 2], auto_pad=auto_pad)
    assert_edges(proto, 2 * pairs(6, 3, 2, 1, pads) ** 2)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_dilated_pool(op: str) -> None:
    proto = pool(op, [1, 2, 8, 8], kernel_shape=[3, 2], dilations=[2, 3], strides=[1, 2])
    assert_edges(proto, 2 * pairs(8, 3, 1, 2) * pairs(8, 2, 2, 3))


@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("ceil", [0, 1])
def test_average_counts(include: int, ceil: int) -> None:
    proto = pool(
        "AveragePool",
        [1, 1, 5, 5],
        kernel_shape=[3, 3],
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        count_include_pad=include,
        ceil_mode=ceil,
    )
    graph = assert_exact(proto)["layer"]
    corner = graph.in_edges(25).weight
    assert len(corner) == 4
    np.testing.assert_allclose(corner, 1 / 9 if include else 1 / 4, rtol=1e-6)


def test_a_mean_of_ones_is_one() -> None:
    """The weights into a neuron add up to 1 where the padding does not count."""
    proto = pool("AveragePool", [1, 1, 7, 7], kernel_shape=[4, 4], strides=[3, 3], pads=[2, 1, 1, 2], ceil_mode=1)
    graph = assert_exact(proto)["layer"]
    for neuron in range(49, graph.neurons):
        assert graph.in_edges(neuron).weight.sum() == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
@pytest.mark.parametrize("shape", [[1, 3, 4, 5], [1, 3, 7], [1, 3, 2, 3, 4]], ids=str)
def test_global_pool(op: str, shape: list[int]) -> None:
    assert_edges(model([node(op, "x", "y")], {"x": shape}), int(np.prod(shape)))
