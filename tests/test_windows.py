"""Sizes and paddings of windows, against ONNX's own shape inference and against what ONNX Runtime computes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, helper

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.ops.windows import Window, WindowAttributes, shared_out, sliding, transposed

ort.set_default_logger_severity(4)

AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER")
SAME = ("SAME_UPPER", "SAME_LOWER")
PADS = ([0, 0], [1, 0], [0, 1], [1, 1], [2, 1], [1, 2], [2, 2])
SIZES = list(itertools.product(range(1, 6), range(1, 4), range(1, 4), range(1, 3)))
"""Input, kernel, stride, dilation."""


def model(op: str, inputs: list[int], kernel: list[int], **attributes: Any) -> onnx.ModelProto:
    """One node, with one channel; the attributes that are None are left out."""
    names = {"X": [1, 1, *inputs]}
    if op.startswith("Conv"):
        names["W"] = [1, 1, *kernel]
    else:
        attributes["kernel_shape"] = kernel
    node = helper.make_node(op, list(names), ["Y"], **{k: v for k, v in attributes.items() if v is not None})
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in names.items()]
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, None)
    return helper.make_model(
        helper.make_graph([node], op, values, [y]), opset_imports=[helper.make_opsetid("", 22)], ir_version=10
    )


def inferred(op: str, inputs: list[int], kernel: list[int], **attributes: Any) -> list[int]:
    found = onnx.shape_inference.infer_shapes(model(op, inputs, kernel, **attributes), strict_mode=True)
    shape = [d.dim_value for d in found.graph.output[0].type.tensor_type.shape.dim]
    assert len(shape) == len(inputs) + 2
    assert 0 not in shape, "the case itself is wrong"
    return shape[2:]


def windows(op: str, inputs: list[int], kernel: list[int], **attributes: Any) -> list[Window]:
    """The package's windows for the same attributes."""
    own = [attributes.pop(name, None) for name in ("output_padding", "output_shape", "ceil_mode")]
    parameters = WindowAttributes(kernel, **attributes)
    if op == "ConvTranspose":
        return transposed(inputs, parameters, *own[:2])
    return sliding(inputs, parameters, own[2] or 0, left_out=LEFT_OUT[op])


def sizes(op: str, inputs: list[int], kernel: list[int], **attributes: Any) -> list[int]:
    found = windows(op, inputs, kernel, **attributes)
    return [w.input if op == "ConvTranspose" else w.output for w in found]


Case = tuple[list[int], list[int], dict[str, Any]]

LEFT_OUT = {"Conv": 2, "MaxPool": 1, "AveragePool": 1}
"""How many positions SAME leaves out at most, so that ONNX Runtime and ONNX's reference agree on which."""


def sliding_cases(op: str, ceil_modes: tuple[int, ...]) -> Iterator[Case]:
    for auto_pad, (n, k, s, d), ceil_mode in itertools.product(AUTO_PADS, SIZES, ceil_modes):
        if auto_pad in SAME and (-(-n // s) - 1) * s + (k - 1) * d + 1 - n < -LEFT_OUT[op]:
            continue
        for pads in PADS if auto_pad == "NOTSET" else [None]:
            if auto_pad in SAME or n + sum(pads or ()) >= (k - 1) * d + 1:  # the window fits in
                ceil = {"ceil_mode": ceil_mode} if len(ceil_modes) > 1 else {}
                yield [n], [k], {"auto_pad": auto_pad, "strides": [s], "dilations": [d], "pads": pads, **ceil}


def transposed_cases() -> Iterator[Case]:
    for auto_pad, (n, k, s, d), more in itertools.product(AUTO_PADS, SIZES, (None, 0, 1, 2)):
        # With output_padding, SAME is ambiguous: ONNX's inference adds it to the size, ONNX Runtime doesn't.
        if more and (more >= max(s, d) or auto_pad in SAME):
            continue
        full = s * (n - 1) + (more or 0) + (k - 1) * d + 1
        for pads in PADS if auto_pad == "NOTSET" else [None]:
            wanted = [None, *(full + i for i in (-2, -1, 0, 1) if full + i >= n)] if not any(pads or ()) else [None]
            for want in wanted:
                if want is None and full - sum(pads or ()) < 1:
                    continue
                attributes = {"auto_pad": auto_pad, "strides": [s], "dilations": [d], "pads": pads}
                yield (
                    [n],
                    [k],
                    {
                        **attributes,
                        "output_padding": None if more is None else [more],
                        "output_shape": None if want is None else [want],
                    },
                )


CASES = {
    "Conv": list(sliding_cases("Conv", (0,))),
    "MaxPool": list(sliding_cases("MaxPool", (0, 1))),
    "AveragePool": list(sliding_cases("AveragePool", (0, 1))),
    "ConvTranspose": list(transposed_cases()),
}
OWN = {
    "Conv": (),
    "MaxPool": ("ceil_mode",),
    "AveragePool": ("ceil_mode",),
    "ConvTranspose": ("output_padding", "output_shape"),
}
each_operator = pytest.mark.parametrize("op", CASES)


@each_operator
@pytest.mark.parametrize("auto_pad", AUTO_PADS)
def test_sizes_are_those_that_onnx_infers(op: str, auto_pad: str):
    cases = [case for case in CASES[op] if case[2]["auto_pad"] == auto_pad]
    assert len(cases) >= 60
    wrong = [
        (*case[:2], case[2], got, want)
        for case in cases
        if (got := sizes(op, *case[:2], **case[2])) != (want := inferred(op, *case[:2], **case[2]))
    ]
    assert not wrong, f"{len(wrong)} of {len(cases)} cases; the first: {wrong[0]}"


@each_operator
@pytest.mark.parametrize("changed", ["strides", "dilations", "pads", "ceil_mode", "output_padding", "output_shape"])
def test_each_attribute_is_told_apart(op: str, changed: str):
    """With another value of an attribute than ONNX was given, some sizes are wrong."""
    cases = [c for c in CASES[op] if c[2]["auto_pad"] == "NOTSET" and c[2].get(changed) is not None]
    if changed not in ("strides", "dilations", "pads", *OWN[op]):
        assert not cases, "the operator has no such attribute"
        return
    other = {"strides": [4], "dilations": [3], "pads": [3, 3], "output_padding": [3], "output_shape": [99]}

    def spoiled(attributes: dict[str, Any]) -> dict[str, Any]:
        value = 1 - attributes["ceil_mode"] if changed == "ceil_mode" else other[changed]
        return {**attributes, changed: value}

    wrong = [c for c in cases if sizes(op, *c[:2], **spoiled(c[2])) != inferred(op, *c[:2], **c[2])]
    assert wrong


@pytest.mark.parametrize(
    ("op", "attributes"),
    [
        ("Conv", {"strides": [1, 2, 3], "dilations": [2, 1, 1], "pads": [0, 1, 2, 2, 1, 0]}),
        ("Conv", {"auto_pad": "SAME_LOWER", "strides": [1, 2, 3]}),
        ("Conv", {}),
        ("MaxPool", {"strides": [1, 2, 3], "pads": [0, 1, 1, 1, 1, 0], "ceil_mode": 1}),
        ("MaxPool", {"auto_pad": "VALID", "dilations": [1, 2, 1]}),
        ("ConvTranspose", {"strides": [1, 2, 3], "pads": [0, 1, 2, 2, 1, 0], "output_padding": [0, 1, 2]}),
        ("ConvTranspose", {"strides": [1, 2, 3], "output_shape": [6, 11, 17]}),
        ("ConvTranspose", {"auto_pad": "SAME_UPPER", "strides": [1, 2, 3]}),
        ("ConvTranspose", {}),
    ],
)
def test_each_dimension_has_its_own(op: str, attributes: dict[str, Any]):
    inputs, kernel = [5, 6, 7], [2, 3, 3]
    found = windows(op, inputs, kernel, **attributes)
    assert sizes(op, inputs, kernel, **attributes) == inferred(op, inputs, kernel, **attributes)
    assert [w.kernel for w in found] == kernel
    assert [w.stride for w in found] == attributes.get("strides", [1, 1, 1])
    assert [w.dilation for w in found] == attributes.get("dilations", [1, 1, 1])
    if "pads" in attributes:
        assert [w.pad for w in found] + [w.pad_end for w in found] == attributes["pads"]


# ------------------------------------------------------------------------------------------- where the windows lie


def computed(op: str, inputs: list[int], kernel: list[int], attributes: dict[str, Any]) -> list[float]:
    """What ONNX Runtime makes of powers of two, in which every pair of a pixel and a tap can be read off the sum."""
    session = ort.InferenceSession(model(op, inputs, kernel, **attributes).SerializeToString())
    x, w = powers(inputs[0], kernel[0])
    (y,) = session.run(None, {"X": x.reshape(1, 1, -1), "W": w.reshape(1, 1, -1)})
    return list(y.ravel().tolist())


def powers(n: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    return np.float32(2) ** np.arange(n, dtype=np.float32), np.float32(32) ** np.arange(k, dtype=np.float32)


def applied(op: str, window: Window) -> list[float]:
    """The same from the window's axis."""
    x, w = powers(window.output if op == "ConvTranspose" else window.input, window.kernel)
    block = EdgeBlock((window.axis(),), w)
    if op == "ConvTranspose":
        return list(block.apply_transposed(x, window.input).tolist())
    return list(block.apply(x, window.output).tolist())


def check_windows(op: str, inputs: list[int], kernel: list[int], attributes: dict[str, Any]) -> None:
    (window,) = windows(op, inputs, kernel, **attributes)
    assert applied(op, window) == computed(op, inputs, kernel, attributes), (inputs, kernel, attributes)


@pytest.mark.slow
@pytest.mark.parametrize("auto_pad", AUTO_PADS)
def test_a_convolutions_windows_lie_where_onnx_runtime_has_them(auto_pad: str):
    cases = [c for c in CASES["Conv"] if c[2]["auto_pad"] == auto_pad and c[2]["pads"] in (None, [1, 0], [1, 2])]
    if auto_pad in SAME:  # which ONNX Runtime doesn't dilate
        cases = [c for c in cases if c[2]["dilations"] == [1]]
    assert len(cases) >= 45
    for case in cases:
        check_windows("Conv", *case)


@pytest.mark.slow
@pytest.mark.parametrize("auto_pad", AUTO_PADS)
def test_a_transposed_convolutions_windows_lie_where_onnx_runtime_has_them(auto_pad: str):
    """Also where `output_shape` asks for less than the windows reach, or for more."""
    tried = 0
    for inputs, kernel, attributes in CASES["ConvTranspose"]:
        s, d = attributes["strides"][0], attributes["dilations"][0]
        reach, more = (kernel[0] - 1) * d + 1, (attributes["output_padding"] or [0])[0]
        beyond = (attributes["output_shape"] or [0])[0] - (s * (inputs[0] - 1) + reach + more)
        # ONNX Runtime refuses to add a whole stride at the end. Where SAME leaves gaps, the size alone is in question.
        possible = more + max(beyond, 0) < s and (auto_pad not in SAME or attributes["output_shape"] or reach >= s)
        if (
            attributes["auto_pad"] == auto_pad
            and attributes["pads"] in (None, [0, 0], [1, 0])
            and possible
            and attributes["output_padding"] != [0]  # as None
            and inputs[0] < 4
        ):
            check_windows("ConvTranspose", inputs, kernel, attributes)
            tried += 1
    assert tried >= 70


def test_padding_at_the_other_end_is_told_apart():
    case: Case = ([4], [2], {"auto_pad": "SAME_UPPER", "strides": [1], "dilations": [1], "pads": None})
    check_windows("Conv", *case)
    (lower,) = windows("Conv", [4], [2], auto_pad="SAME_LOWER")
    assert applied("Conv", lower) != computed("Conv", *case)


@each_operator
def test_paddings_add_up(op: str):
    """A window's size follows from its parts, and SAME shares out the padding evenly."""
    for inputs, kernel, attributes in CASES[op]:
        (w,) = windows(op, inputs, kernel, **attributes)
        assert min(w.pad, w.pad_end) >= 0
        if attributes["auto_pad"] == "VALID" and not attributes.get("output_shape"):
            assert (w.pad, w.pad_end) == (0, 0)
        if attributes["auto_pad"] in SAME:
            more = w.pad_end - w.pad if attributes["auto_pad"] == "SAME_UPPER" else w.pad - w.pad_end
            assert more in (0, 1)
        axis = w.axis()
        assert all(0 <= s < w.input for s in axis.source.tolist())
        assert all(0 <= t < w.output for t in axis.target.tolist())


def test_no_window_of_a_pool_starts_behind_the_input():
    """`ceil_mode` adds a window only where some of it lies on the input or the padding before it."""
    for inputs, kernel, attributes in CASES["MaxPool"]:
        (w,) = windows("MaxPool", inputs, kernel, **attributes)
        if attributes["ceil_mode"] and max(attributes["pads"] or [0]) < kernel[0]:  # as ONNX demands
            assert (w.output - 1) * w.stride < w.input + w.pad


def test_a_window_greater_than_its_input_has_no_place():
    for n, k, s, d in SIZES:
        if (k - 1) * d + 1 > n:
            (w,) = sliding([n], WindowAttributes([k], [s], [d]))
            assert w.output <= 0


def test_padding_is_shared_out():
    for padding in range(8):
        for more_at_end in (True, False):
            begin, end = shared_out(padding, more_at_end)
            assert begin + end == padding
            assert (end - begin if more_at_end else begin - end) == padding % 2


def test_defaults_are_onnxs():
    (w,) = sliding([7], WindowAttributes([3]))
    assert w == Window(input=7, output=5, kernel=3, stride=1, dilation=1, pad=0, pad_end=0)
    (w,) = transposed([7], WindowAttributes([3]), None, None)
    assert w == Window(input=9, output=7, kernel=3, stride=1, dilation=1, pad=0, pad_end=0)


# --------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"auto_pad": "SAME"}, "auto_pad is 'SAME'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
        ({"auto_pad": ""}, "auto_pad is ''; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER"),
        ({"strides": [1]}, "strides is [1]; expected 2 integers of at least 1 for 2 spatial dimensions"),
        ({"strides": [1, 0]}, "strides is [1, 0]; expected 2 integers of at least 1 for 2 spatial dimensions"),
        (
            {"dilations": [1, 1, 1]},
            "dilations is [1, 1, 1]; expected 2 integers of at least 1 for 2 spatial dimensions",
        ),
        ({"dilations": [-1, 1]}, "dilations is [-1, 1]; expected 2 integers of at least 1 for 2 spatial dimensions"),
        ({"pads": [1, 1]}, "pads is [1, 1]; expected 4 integers of at least 0 for 2 spatial dimensions"),
        ({"pads": [0, 0, 0, -1]}, "pads is [0, 0, 0, -1]; expected 4 integers of at least 0 for 2 spatial dimensions"),
    ],
)
def test_wrong_attributes_are_refused(attributes: dict[str, Any], message: str):
    for call in (
        lambda a: sliding([5, 5], a),
        lambda a: transposed([5, 5], a, None, None),
    ):
        with pytest.raises(UnsupportedError) as e:
            call(WindowAttributes([3, 3], **attributes))
        assert str(e.value) == message
