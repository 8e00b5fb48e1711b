"""`keras.layers`, recurrent: step by step, as many as there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.cells import CELLS, GATED, SIMPLE, States
from onnx2graphml.frontends.direct.layers.unrolled import Initial, Step, batch_first, finished, unrolled
from onnx2graphml.frontends.direct.registry import LAYERS, REQUIRED, layer
from onnx2graphml.frontends.direct.stored import group_names
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

STEPS: dict[str, Any] = {
    "return_sequences": False, "return_state": False, "go_backwards": False, "unroll": False,
    "zero_output_for_mask": False,
}  # fmt: skip
ONLY: dict[str, Any] = {"stateful": False}

ONE = {"SimpleRNN": "SimpleRNNCell", "LSTM": "LSTMCell", "GRU": "GRUCell"}
"""Layers of one cell."""

MERGED = {"ave": "Add", "mul": "Mul", "sum": "Add"}
"""How the outputs of two directions become one."""

_CELL_NAMES = {"SimpleRNNCell": "simple_rnn_cell", "LSTMCell": "lstm_cell", "GRUCell": "gru_cell"}


@layer("SimpleRNN", takes=SIMPLE | STEPS, only=ONLY)
def SimpleRNN(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, initial_state, mask, "SimpleRNNCell")


@layer("LSTM", takes=GATED | STEPS | {"unit_forget_bias": True}, only=ONLY)
def LSTM(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, initial_state, mask, "LSTMCell")


@layer("GRU", takes=GATED | STEPS | {"reset_after": True}, only=ONLY)
def GRU(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """A layer of such cells."""
    return _layer(call, x, initial_state, mask, "GRUCell")


@layer("Bidirectional", takes={"layer": REQUIRED, "backward_layer": REQUIRED, "merge_mode": "concat"})
def Bidirectional(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """A layer forwards, and another one backwards."""
    given = [initial_state] if isinstance(initial_state, Value) else initial_state
    require(given is None or len(given) % 2 == 0, "states of two directions")
    halves = (None, None) if given is None else (given[: len(given) // 2], given[len(given) // 2 :])
    made = [_directed(call, x, *each) for each in zip(("layer", "backward_layer"), halves, (mask, mask), strict=True)]
    (y, states), (z, others) = made
    require(y.shape == z.shape, "two directions of different layers")
    outputs = _both(call, y, z, call["merge_mode"])
    with_states = [call[each]["config"]["return_state"] for each in ("layer", "backward_layer")]
    return [*outputs, *states, *others] if all(with_states) else outputs


def _both(call: Call, y: Value, z: Value, mode: str | None) -> list[Value]:
    """The outputs of both directions, merged."""
    if y.rank == 3:  # of which the other direction has the last step first
        z = call.reshape(batch_first(call, z), z.shape, own=False)
        z = call.node("ReverseSequence", z, call.integers([z.shape[0]]), shape=z.shape, time_axis=0, batch_axis=1)
    if mode is None:
        return [batch_first(call, y), batch_first(call, z, own=False)]
    if mode == "concat":
        merged = call.concat([y, z], y.rank - 1)
    else:
        require(mode in MERGED, f"two directions merged by {mode}")
        merged = call.binary(MERGED[mode], y, z)
        merged = call.binary("Mul", merged, call.inverse(2.0, merged)) if mode == "ave" else merged
    merged = batch_first(call, merged, own=mode == "mul")
    call.network.adrift.add(merged.name)
    return [merged]


def _directed(
    call: Call, x: Value, which: str, initial: Sequence[Value] | None, mask: Value | None
) -> tuple[Value, States]:
    """The outputs of all steps, or the last one; and the states after it."""
    entry = call[which]
    name = entry["class_name"]
    require(name in ONE and entry["module"] == "keras.layers", f"{name} in two directions")
    group = "forward_layer" if which == "layer" else "backward_layer"
    options = LAYERS[name].options(entry["config"])
    part = call.part(group, entry["config"]["name"], options)
    cell = ONE[name]
    step = _step(cell, part.part("cell", _CELL_NAMES[cell], options))
    return unrolled(part, x, initial, mask, [step], zeros=part["return_sequences"])


def _layer(call: Call, x: Value, initial: Initial, mask: Value | None, cell: str) -> list[Value]:
    step = _step(cell, call.part("cell", _CELL_NAMES[cell], call.options))
    return finished(call, *unrolled(call, x, initial, mask, [step], call["zero_output_for_mask"]))


def _step(cell: str, call: Call) -> Step:
    make, number, _ = CELLS[cell]
    return Step(make, call, [(1, call["units"])] * number)


@layer("RNN", takes=STEPS | {"cell": REQUIRED}, only=ONLY)
def RNN(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """Any of Keras' cells, or several of them one upon the other."""
    cells = _cells(call.part("cell", "", {}), call["cell"])
    return finished(call, *unrolled(call, x, initial_state, mask, cells, call["zero_output_for_mask"]))


def _cells(call: Call, entry: Mapping[str, Any]) -> list[Step]:
    name, config = entry["class_name"], entry["config"]
    require(entry["module"] == "keras.layers", f"the cell {name}")
    if name != "StackedRNNCells":
        require(name in CELLS, f"the cell {name}")
        return [_step(name, call.part("", config["name"], CELLS[name][2].options(config)))]
    require(set(config) <= {"name", "trainable", "dtype", "cells"}, "options of stacked cells")
    groups = group_names(each["class_name"] for each in config["cells"])
    return [
        made
        for group, each in zip(groups, config["cells"], strict=True)
        for made in _cells(call.part(f"cells/{group}", config["name"], {}), each)
    ]
