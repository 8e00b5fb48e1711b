"""`keras.layers`, convolutions: channels last, as Keras has them, brought to the front around each."""

from __future__ import annotations

from typing import Any

from onnx2graphml.frontends.direct.activations import UNARY, activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import Layout, Sizes, layout_of, outputs, paddings, sizes
from onnx2graphml.frontends.direct.rearranged import BARE, BIASED
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

COMMON: dict[str, Any] = {
    "kernel_size": REQUIRED,
    "strides": 1,
    "padding": "valid",
    "data_format": "channels_last",
    "dilation_rate": 1,
    "activation": "linear",
    "use_bias": True,
}
LORA: dict[str, Any] = {"lora_rank": None, "lora_alpha": None, "quantization_config": None}


@layer("Conv1D", "Conv2D", "Conv3D", takes=COMMON | {"filters": REQUIRED, "groups": 1}, only=LORA)
def Conv(call: Call, x: Value) -> Value:
    """A kernel that slides over all axes but the channels."""
    layout, window, groups, filters = layout_of(call), _window(call, x), call["groups"], call["filters"]
    require(groups == 1 or x.rank < 5, "groups of a convolution of volumes")
    kernel, *bias = _variables(call, kernel=(*window, layout.channels(x) // groups, filters))
    x, padding = _causal(call, x, window)
    padded = call.network.padded.get(x.name)
    joined = padded is not None and padding == "valid" and x.rank == 4
    if padded is not None and joined and padded.channels_first == layout.first:
        y = convolved(call, padded.value, kernel, bias, groups, (padded.before, padded.after))
    else:
        y = convolved(call, x, kernel, bias, groups, padding)
    return _activated(call, y)


@layer("DepthwiseConv1D", "DepthwiseConv2D", takes=COMMON | {"depth_multiplier": 1})
def DepthwiseConv(call: Call, x: Value) -> Value:
    """A kernel for each channel."""
    window, channels, multiplier = _window(call, x), layout_of(call).channels(x), call["depth_multiplier"]
    kernel, *bias = _variables(call, channels * multiplier, kernel=(*window, channels, multiplier))
    x, padding = _causal(call, x, window)
    y = convolved(call, x, _depthwise(call, kernel), bias, channels, padding)
    y = layout_of(call).turned(call, x, y, BIASED if bias else BARE)
    return _activated(call, y)


@layer(
    "SeparableConv1D",
    "SeparableConv2D",
    takes=COMMON | {"filters": REQUIRED, "depth_multiplier": 1},
    only={"groups": 1},
)
def SeparableConv(call: Call, x: Value) -> Value:
    """A kernel for each channel, and then a sum over the channels."""
    window, channels, multiplier = _window(call, x), layout_of(call).channels(x), call["depth_multiplier"]
    depthwise, pointwise, *bias = _variables(
        call,
        depthwise_kernel=(*window, channels, multiplier),
        pointwise_kernel=(*[1] * len(window), channels * multiplier, call["filters"]),
    )
    x, padding = _causal(call, x, window)
    steps = [sizes(call[each], len(window)) for each in ("strides", "dilation_rate")]
    whole, is_row = x, x.rank == 3  # which is a picture of one line here
    line = layout_of(call).axes(x)[0]
    if is_row:
        x, *kernels = (call.unsqueeze(v, [a]) for v, a in ((x, line), (depthwise, 0), (pointwise, 0)))
        depthwise, pointwise = kernels
        steps = [(1, *each) for each in steps]
    one = (1,) * (x.rank - 2)
    y = convolved(call, x, _depthwise(call, depthwise), [], channels, padding, (steps[0], steps[1]))
    y = convolved(call, y, pointwise, [] if is_row else bias, 1, "valid", (one, one))
    if is_row:
        y = _biased(layout_of(call), call.squeeze(y, [line]), bool(bias))
        y = call.binary("Add", y, call.reshape(bias[0], (call["filters"], 1)) if line > 1 else bias[0]) if bias else y
    y = layout_of(call).turned(call, whole, y, BIASED if bias else BARE)
    return _activated(call, y)


@layer(
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
    takes=COMMON | {"filters": REQUIRED, "output_padding": None},
    only={"groups": 1},
)
def ConvTranspose(call: Call, x: Value) -> Value:
    """The way back of a convolution."""
    layout, window, filters = layout_of(call), _window(call, x), call["filters"]
    old = layout.sizes(x)
    strides, dilations = (sizes(call[each], len(window)) for each in ("strides", "dilation_rate"))
    require(call["output_padding"] is None, "padding of the output")
    require(set(dilations) == {1}, "a transposed convolution with dilation")
    kernel, *bias = _variables(call, kernel=(*window, filters, layout.channels(x)))
    same = call["padding"] == "same"
    require(same or call["padding"] == "valid", f"the padding {call['padding']}")
    long = [n * s if same else n * s + max(k - s, 0) for n, k, s in zip(old, window, strides, strict=True)]
    full = [(n - 1) * s + k for n, k, s in zip(old, window, strides, strict=True)]
    cut = [max(f - n, 0) for f, n in zip(full, long, strict=True)]
    before = [c // 2 for c in cut]
    after = [c - b for c, b in zip(cut, before, strict=True)]
    beyond = [max(n - f, 0) for f, n in zip(full, long, strict=True)]
    rank = x.rank
    more: dict[str, Any] = {"output_padding": beyond} if any(beyond) else {}
    y = call.node(
        "ConvTranspose",
        layout.to_onnx(call, x),
        call.transpose(kernel, [rank - 1, rank - 2, *range(rank - 2)], own=False),
        *bias,
        shape=(1, filters, *long),
        strides=list(strides),
        kernel_shape=list(window),
        pads=[*before, *after],
        **more,
    )
    return _activated(call, _biased(layout, layout.from_onnx(call, y), bool(bias)))


def _activated(call: Call, y: Value) -> Value:
    """A row without bias is a picture in TensorFlow, where several nodes read it."""
    activation, row = call["activation"], y.rank == 3 and not call["use_bias"]
    require(not row or activation in (None, "linear", *UNARY), f"the activation {activation} of a row without bias")
    return activated(call, y, activation)


def _window(call: Call, x: Value) -> Sizes:
    return sizes(call["kernel_size"], x.rank - 2)


def _variables(call: Call, filters: int | None = None, **kernels: tuple[int, ...]) -> list[Value]:
    """The kernels, and the bias if there is one."""
    if call["use_bias"]:
        kernels["bias"] = (filters or call["filters"],)
    return call.weights(**kernels)


def _causal(call: Call, x: Value, window: Sizes) -> tuple[Value, str]:
    """A causal convolution sees nothing of what is later: zeros before, none behind."""
    if call["padding"] != "causal":
        return x, call["padding"]
    (rate,) = sizes(call["dilation_rate"], 1)
    (axis,) = layout_of(call).axes(x)
    return call.pad(x, [rate * (window[0] - 1) if a == axis else 0 for a in range(3)], [0, 0, 0]), "valid"


def _depthwise(call: Call, kernel: Value) -> Value:
    """A kernel for each channel as ONNX has it: one group for each."""
    *window, channels, multiplier = kernel.shape
    return call.reshape(kernel, (*window, 1, channels * multiplier))


def convolved(
    call: Call,
    x: Value,
    kernel: Value,
    bias: list[Value],
    groups: int,
    padding: str | tuple[list[int], list[int]],
    steps: tuple[Sizes, Sizes] | None = None,
) -> Value:
    """The sums of each window, and a bias if there is one."""
    layout, rank, window = layout_of(call), x.rank, kernel.shape[:-2]
    strides, dilations = steps or (sizes(call["strides"], rank - 2), sizes(call["dilation_rate"], rank - 2))
    require(groups > 0 and kernel.shape[-2] * groups == layout.channels(x), f"{groups} groups of {x.shape}")
    old = layout.sizes(x)
    pads = paddings(padding, old, window, strides, dilations) if isinstance(padding, str) else padding
    y = call.node(
        "Conv",
        layout.to_onnx(call, x),
        call.transpose(kernel, [rank - 1, rank - 2, *range(rank - 2)], own=False),
        *bias,
        shape=(1, kernel.shape[-1], *outputs(old, window, strides, dilations, pads)),
        dilations=list(dilations),
        strides=list(strides),
        kernel_shape=list(window),
        pads=[*pads[0], *pads[1]],
        group=groups,
    )
    return _biased(layout, layout.from_onnx(call, y), bool(bias))


def _biased(layout: Layout, y: Value, biased: bool) -> Value:
    """Keras takes a last axis of as many places as there are channels for that of the channels."""
    require(not (biased and layout.first and 1 < y.shape[1] == y.shape[-1]), "as many places as channels, first")
    return y
