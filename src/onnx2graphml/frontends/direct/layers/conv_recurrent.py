"""`keras.layers`, recurrent convolutions: a picture that is kept, forgotten and shown by gates."""

from __future__ import annotations

from typing import Any

from onnx2graphml.frontends.direct.activations import activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.cells import GATED, States, require_whole
from onnx2graphml.frontends.direct.layers.convolution import COMMON, convolved
from onnx2graphml.frontends.direct.layers.recurrent import ONLY, STEPS
from onnx2graphml.frontends.direct.layers.unrolled import Initial, Step, finished, unrolled
from onnx2graphml.frontends.direct.layers.windows import Sizes, outputs, paddings, sizes
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value

TAKES: dict[str, Any] = (
    {key: value for key, value in GATED.items() if key != "units"}
    | {key: value for key, value in COMMON.items() if key != "activation"}
    | {"filters": REQUIRED, "unit_forget_bias": True}
)


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", takes=TAKES | STEPS, only=ONLY)
def ConvLSTM(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """A layer of such cells."""
    require(call["data_format"] == "channels_last", "channels first")
    shape = _shape(call, x)
    step = Step(_cell, call.part("cell", "conv_lstm_cell", call.options), [shape, shape])
    return finished(call, *unrolled(call, x, initial_state, mask, [step], call["zero_output_for_mask"]))


def _shape(call: Call, x: Value) -> Shape:
    """Of a state."""
    window, strides, dilations = (sizes(call[each], x.rank - 3) for each in ("kernel_size", "strides", "dilation_rate"))
    pads = paddings(call["padding"], x.shape[2:-1], window, strides, dilations)
    return (1, *outputs(x.shape[2:-1], window, strides, dilations, pads), call["filters"])


def _cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    (h, c), filters = states, call["filters"]
    require_whole(call["activation"], call["recurrent_activation"])
    window, axis = sizes(call["kernel_size"], x.rank - 2), x.rank - 1
    shapes = {"kernel": (*window, x.shape[-1], 4 * filters), "recurrent_kernel": (*window, filters, 4 * filters)}
    kernel, recurrent, *bias = call.weights(**shapes, **({"bias": (4 * filters,)} if call["use_bias"] else {}))
    own, shown = call.split(kernel, 4, axis), call.split(recurrent, 4, axis)
    biases = call.split(bias[0], 4, 0) if bias else [None] * 4
    steps = sizes(call["strides"], x.rank - 2), sizes(call["dilation_rate"], x.rank - 2)
    one = (1,) * (x.rank - 2)
    gates = []
    for k, b in enumerate(biases):
        y = _row_or_more(call, x, own[k], call["padding"], steps, is_row=x.rank == 3 and b is None)
        y = y if b is None else call.binary("Add", y, call.reshape(b, (1, *one, filters)))
        of_state = _row_or_more(call, h, shown[k], "same", (one, one), is_row=x.rank == 3)
        gates.append(call.binary("Add", y, of_state))
    i, f, g, o = gates
    gate, activation = call["recurrent_activation"], call["activation"]
    kept = call.binary("Mul", activated(call, f, gate), c)
    c = call.binary("Add", kept, call.binary("Mul", activated(call, i, gate), activated(call, g, activation)))
    h = call.binary("Mul", activated(call, o, gate), activated(call, c, activation))
    return h, [h, c]


def _row_or_more(call: Call, x: Value, kernel: Value, padding: str, steps: tuple[Sizes, Sizes], is_row: bool) -> Value:
    """A convolution without bias, of which that of a row is one of a picture of one line."""
    if not is_row:
        return convolved(call, x, kernel, [], 1, padding, steps)
    x, kernel = call.unsqueeze(x, [1]), call.unsqueeze(kernel, [0])
    strides, dilations = ((1, *each) for each in steps)
    return call.squeeze(convolved(call, x, kernel, [], 1, padding, (strides, dilations)), [1])
