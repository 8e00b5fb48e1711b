"""`keras.layers`, recurrent: step by step, as many as there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import UNARY, activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import LAYERS, REQUIRED, Kind, layer
from onnx2graphml.frontends.direct.stored import group_names
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

States = list[Value]
Cell = Callable[[Call, Value, States], tuple[Value, States]]

STEPS: dict[str, Any] = {
    "return_sequences": False, "return_state": False, "go_backwards": False, "unroll": False,
    "zero_output_for_mask": False,
}  # fmt: skip
UNDROPPED: dict[str, Any] = {"dropout": 0.0, "recurrent_dropout": 0.0}
"""With dropout, Keras computes in another order, also in a prediction."""
ONLY: dict[str, Any] = {"stateful": False}
SIMPLE: dict[str, Any] = {"units": REQUIRED, "activation": "tanh", "use_bias": True, "seed": None}
GATED: dict[str, Any] = SIMPLE | {"recurrent_activation": "sigmoid"}


WHOLE = (None, "gelu", "linear", "softmax", *UNARY)
"""Activations whose numbers TensorFlow does not join to what stands before or behind them in a cell."""


def _require_whole(*activations: Any) -> None:
    for each in activations:
        require(not isinstance(each, str) or each in WHOLE, f"the activation {each} in a cell")
        require(not isinstance(each, dict), "a layer as the activation of a cell")


def simple_rnn_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """The state: an activation of the input and the state before."""
    (before,), units = states, call["units"]
    _require_whole(call["activation"])
    kernel, recurrent, *bias = _variables(call, x, units, (units,))
    if bias:
        own = call.gemm(x, kernel, bias[0])
        joined = call.joins(x)
        z = call.gemm(before, recurrent, own) if joined else call.binary("Add", own, call.matmul(before, recurrent))
    else:
        z = call.gemm(x, kernel, call.matmul(before, recurrent))
    h = activated(call, z, call["activation"])
    return h, [h]


def lstm_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """A state that is kept, forgotten and shown by gates."""
    (h, c), units = states, call["units"]
    _require_whole(call["activation"])
    kernel, recurrent, *bias = _variables(call, x, 4 * units, (4 * units,))
    z = call.gemm(x, kernel, call.matmul(h, recurrent))
    z = call.binary("Add", z, bias[0]) if bias else z
    i, f, g, o = call.split(z, 4, 1)
    shown = activated(call, o, call["recurrent_activation"])
    kept = call.binary("Mul", activated(call, f, call["recurrent_activation"]), c)
    new = activated(call, i, call["recurrent_activation"])
    c = call.binary("Add", kept, call.binary("Mul", new, activated(call, g, call["activation"])))
    h = call.binary("Mul", shown, activated(call, c, call["activation"]))
    return h, [h, c]


def gru_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """A state that is kept and renewed by gates."""
    (before,), units, after = states, call["units"], call["reset_after"]
    kernel, recurrent, *bias = _variables(call, x, 3 * units, (2, 3 * units) if after else (3 * units,))
    gate = call["recurrent_activation"]
    _require_whole(call["activation"], gate)
    inner = [call.squeeze(b, [0]) for b in call.split(bias[0], 2, 0)] if bias and after else bias
    own = call.gemm(x, kernel, inner[0]) if bias else call.matmul(x, kernel)
    xz, xr, xh = call.split(own, 3, 1)
    if after:
        whole = call.gemm(before, recurrent, inner[1]) if bias else call.matmul(before, recurrent)
    else:
        whole = call.matmul(before, call.slice(recurrent, 1, 0, 2 * units))
    z = activated(call, call.binary("Add", xz, call.slice(whole, 1, 0, units)), gate)
    r = activated(call, call.binary("Add", xr, call.slice(whole, 1, units, 2 * units)), gate)
    if after:
        new = call.binary("Add", xh, call.binary("Mul", r, call.slice(whole, 1, 2 * units, 3 * units)))
    else:
        new = call.gemm(call.binary("Mul", r, before), call.slice(recurrent, 1, 2 * units, 3 * units), xh)
    new = activated(call, new, call["activation"])
    kept = call.binary("Mul", z, before)
    h = call.binary("Add", kept, call.binary("Mul", call.binary("Sub", 1.0, z), new))
    return h, [h]


CELLS: dict[str, tuple[Cell, int, Kind]] = {
    "SimpleRNNCell": (simple_rnn_cell, 1, Kind(simple_rnn_cell, SIMPLE, UNDROPPED)),
    "LSTMCell": (lstm_cell, 2, Kind(lstm_cell, GATED | {"unit_forget_bias": True}, UNDROPPED)),
    "GRUCell": (gru_cell, 1, Kind(gru_cell, GATED | {"reset_after": True}, UNDROPPED)),
}
"""By Keras' name: the cell, how many states it has, and what it takes."""

ONE = {"SimpleRNN": "SimpleRNNCell", "LSTM": "LSTMCell", "GRU": "GRUCell"}
"""Layers of one cell."""

_CELL_NAMES = {"SimpleRNNCell": "simple_rnn_cell", "LSTMCell": "lstm_cell", "GRUCell": "gru_cell"}


@layer("SimpleRNN", takes=SIMPLE | STEPS, only=ONLY | UNDROPPED)
def SimpleRNN(call: Call, x: Value) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, "SimpleRNNCell")


@layer("LSTM", takes=GATED | STEPS | {"unit_forget_bias": True}, only=ONLY | UNDROPPED)
def LSTM(call: Call, x: Value) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, "LSTMCell")


@layer("GRU", takes=GATED | STEPS | {"reset_after": True}, only=ONLY | UNDROPPED)
def GRU(call: Call, x: Value) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, "GRUCell")


@layer("Bidirectional", takes={"layer": REQUIRED, "backward_layer": REQUIRED, "merge_mode": "concat"})
def Bidirectional(call: Call, x: Value) -> list[Value]:
    """A layer forwards, and another one backwards."""
    (y, z), mode = (_directed(call, x, each) for each in ("layer", "backward_layer")), call["merge_mode"]
    require(y.shape == z.shape, "two directions of different layers")
    if y.rank == 3:  # of which the other direction has the last step first
        z = call.reshape(_batch_first(call, z), z.shape, own=False)
        z = call.node("ReverseSequence", z, call.integers([z.shape[0]]), shape=z.shape, time_axis=0, batch_axis=1)
    if mode == "concat":
        return [_batch_first(call, call.concat([y, z], y.rank - 1), own=False)]
    if mode is None:
        return [_batch_first(call, y), _batch_first(call, z, own=False)]
    require(mode in ("sum", "mul") and y.rank == 2, f"two directions merged by {mode}")
    return [call.binary("Add" if mode == "sum" else "Mul", y, z)]


def _directed(call: Call, x: Value, which: str) -> Value:
    """The outputs of all steps, or the last one."""
    entry = call[which]
    name = entry["class_name"]
    require(name in ONE and entry["module"] == "keras.layers", f"{name} in two directions")
    group = "forward_layer" if which == "layer" else "backward_layer"
    options = LAYERS[name].options(entry["config"])
    part = call.part(group, entry["config"]["name"], options)
    require(not part["return_state"], "states of both directions")
    cell = ONE[name]
    return _unrolled(part, x, [(cell, part.part("cell", _CELL_NAMES[cell], options))])[0]


def _variables(call: Call, x: Value, width: int, bias: tuple[int, ...]) -> list[Value]:
    shapes = {"kernel": (x.shape[-1], width), "recurrent_kernel": (call["units"], width)}
    return call.weights(**shapes, **({"bias": bias} if call["use_bias"] else {}))


def _layer(call: Call, x: Value, cell: str) -> list[Value]:
    return _finished(call, *_unrolled(call, x, [(cell, call.part("cell", _CELL_NAMES[cell], call.options))]))


def _finished(call: Call, y: Value, states: States) -> list[Value]:
    y = _batch_first(call, y)
    return [y, *states] if call["return_state"] else [y]


def _batch_first(call: Call, y: Value, own: bool = True) -> Value:
    """Steps behind the batch."""
    return y if y.rank == 2 else call.reshape(y, (1, y.shape[0], y.shape[2]), own)


def _unrolled(call: Call, x: Value, cells: Sequence[tuple[str, Call]]) -> tuple[Value, States]:
    """Cells one upon the other, at every step: the outputs, steps before the batch, or the last one; and all states."""
    apart = call.split(call.steps(x), x.shape[1], 0)
    steps = [call.squeeze(each, [0]) for each in apart]
    states = [_zeros(call, CELLS[name][1], cell["units"]) for name, cell in cells]
    outputs = []
    for y in steps[::-1] if call["go_backwards"] else steps:
        for k, (name, cell) in enumerate(cells):
            y, states[k] = CELLS[name][0](cell, y, states[k])
        outputs.append(y)
    last = outputs[-1]
    if call["return_sequences"]:
        last = call.concat([call.unsqueeze(each, [0]) for each in outputs], 0)
    return last, [state for each in states for state in each]


def _zeros(call: Call, number: int, units: int) -> States:
    return [call.array(np.zeros((1, units), call.dtype)) for _ in range(number)]


@layer("RNN", takes=STEPS | {"cell": REQUIRED}, only=ONLY)
def RNN(call: Call, x: Value) -> list[Value]:
    """Any of Keras' cells, or several of them one upon the other."""
    return _finished(call, *_unrolled(call, x, _cells(call.part("cell", "", {}), call["cell"])))


def _cells(call: Call, entry: Mapping[str, Any]) -> list[tuple[str, Call]]:
    name, config = entry["class_name"], entry["config"]
    require(entry["module"] == "keras.layers", f"the cell {name}")
    if name != "StackedRNNCells":
        require(name in CELLS, f"the cell {name}")
        return [(name, call.part("", config["name"], CELLS[name][2].options(config)))]
    require(set(config) <= {"name", "trainable", "dtype", "cells"}, "options of stacked cells")
    groups = group_names(each["class_name"] for each in config["cells"])
    return [
        made
        for group, each in zip(groups, config["cells"], strict=True)
        for made in _cells(call.part(f"cells/{group}", config["name"], {}), each)
    ]
