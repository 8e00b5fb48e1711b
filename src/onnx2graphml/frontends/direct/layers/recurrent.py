"""`keras.layers`, recurrent: step by step, as many as there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.cells import CELLS, GATED, SIMPLE, States
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

Initial = Value | Sequence[Value] | None

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
    given = _listed(initial_state)
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
        z = call.reshape(_batch_first(call, z), z.shape, own=False)
        z = call.node("ReverseSequence", z, call.integers([z.shape[0]]), shape=z.shape, time_axis=0, batch_axis=1)
    if mode is None:
        z = _batch_first(call, z, own=False)
        call.network.placed[z.name] = call.number_of_call
        return [_batch_first(call, y), z]
    if mode == "concat":
        merged = call.concat([y, z], y.rank - 1)
    else:
        require(mode in MERGED, f"two directions merged by {mode}")
        merged = call.binary(MERGED[mode], y, z)
        merged = call.binary("Mul", merged, call.inverse(2.0, merged)) if mode == "ave" else merged
    return [_batch_first(call, merged, own=mode == "mul")]


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
    cells = [(cell, part.part("cell", _CELL_NAMES[cell], options))]
    return _unrolled(part, x, initial, mask, cells, zeros=part["return_sequences"])


def _layer(call: Call, x: Value, initial: Initial, mask: Value | None, cell: str) -> list[Value]:
    cells = [(cell, call.part("cell", _CELL_NAMES[cell], call.options))]
    return _finished(call, *_unrolled(call, x, _listed(initial), mask, cells, call["zero_output_for_mask"]))


def _listed(initial: Initial) -> Sequence[Value] | None:
    return [initial] if isinstance(initial, Value) else initial


def _finished(call: Call, y: Value, states: States) -> list[Value]:
    y = _batch_first(call, y)
    return [y, *states] if call["return_state"] else [y]


def _batch_first(call: Call, y: Value, own: bool = True) -> Value:
    """Steps behind the batch."""
    return y if y.rank == 2 else call.reshape(y, (1, y.shape[0], y.shape[2]), own)


def _unrolled(
    call: Call,
    x: Value,
    initial: Sequence[Value] | None,
    mask: Value | None,
    cells: Sequence[tuple[str, Call]],
    zeros: bool,
) -> tuple[Value, States]:
    """Cells one upon the other, at every step: the outputs, steps before the batch, or the last one; and all states.

    Args:
        call: of the layer.
        x: a series.
        initial: the states before it, of one cell; None for zeros.
        mask: of its steps. One that does not count leaves output and states as they were.
        cells: by their names, with their calls.
        zeros: whether the output is 0 at a step that does not count.
    """
    backwards = call["go_backwards"]
    if mask is not None and zeros and backwards and call["return_sequences"] and not call["unroll"]:
        # which Keras' loop, written out step by step, would hide by the mask of the steps forwards
        x, mask, backwards = _reversed(call, x), _reversed(call, mask), False
    steps = _apart(call, call.steps(x), backwards)
    counted = None if mask is None else _steps_of_mask(call, mask, len(steps))
    counts = [None] * len(steps) if counted is None else _apart(call, counted, backwards)
    states = [_zeros(call, CELLS[name][1], cell["units"]) for name, cell in cells]
    if initial is not None:
        shapes = [[state.shape for state in each] for each in states]
        require(shapes == [[state.shape for state in initial if isinstance(state, Value)]], "states of several cells")
        states = [list(initial)]
    outputs: list[Value] = []
    for y, count in zip(steps, counts, strict=True):
        before = [*states]
        for k, (name, cell) in enumerate(cells):
            y, states[k] = CELLS[name][0](cell, y, states[k])
        if count is not None:
            y = _kept(call, count, y, outputs[-1] if outputs else _nothing(call, y))
            states = [
                [_kept(call, count, *pair) for pair in zip(*both, strict=True)]
                for both in zip(states, before, strict=True)
            ]
        outputs.append(y)
    y, shown = outputs[-1], counts[-1]
    if call["return_sequences"]:
        y, shown = call.concat([call.unsqueeze(each, [0]) for each in outputs], 0), counted
    if zeros and shown is not None:
        y = _kept(call, shown, y, _nothing(call, y))
    return y, [state for each in states for state in each]


def _apart(call: Call, x: Value, backwards: bool) -> list[Value]:
    """The steps of a series, in the order in which they are gone through."""
    steps = [call.squeeze(each, [0]) for each in call.split(x, x.shape[0], 0)]
    return steps[::-1] if backwards else steps


def _reversed(call: Call, x: Value) -> Value:
    """A series with its last step first."""
    steps = [call.squeeze(each, [1]) for each in call.split(x, x.shape[1], 1)]
    return call.concat([call.unsqueeze(each, [1]) for each in steps[::-1]], 1)


def _steps_of_mask(call: Call, mask: Value, steps: int) -> Value:
    require(mask.shape == (1, steps) and mask.dtype == bool, f"a mask of {mask.shape}")
    return call.reshape(call.unsqueeze(mask, [2]), (steps, 1, 1))


def _kept(call: Call, count: Value, new: Value, before: Value) -> Value:
    """What a step makes if it counts, and otherwise what was before it."""
    times = [1] * (new.rank - 1) + [new.shape[-1]]
    wide = call.node("Tile", count, call.integers(times), shape=new.shape) if new.shape[-1] > 1 else count
    return select(call, wide, new, before)


def _nothing(call: Call, y: Value) -> Value:
    return call.array(np.zeros(y.shape, call.dtype))


def _zeros(call: Call, number: int, units: int) -> States:
    return [call.array(np.zeros((1, units), call.dtype)) for _ in range(number)]


@layer("RNN", takes=STEPS | {"cell": REQUIRED}, only=ONLY)
def RNN(call: Call, x: Value, initial_state: Initial = None, mask: Value | None = None) -> list[Value]:
    """Any of Keras' cells, or several of them one upon the other."""
    cells = _cells(call.part("cell", "", {}), call["cell"])
    return _finished(call, *_unrolled(call, x, _listed(initial_state), mask, cells, call["zero_output_for_mask"]))


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
