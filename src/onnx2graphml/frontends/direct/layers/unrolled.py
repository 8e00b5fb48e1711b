"""`keras.layers`, recurrent: cells at every step of a series, written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.frontends.direct.activations import select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.cells import Cell, States
from onnx2graphml.frontends.direct.layers.windows import to_back, to_front
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value

Initial = Value | Sequence[Value] | None


@dataclass(frozen=True)
class Step:
    """What is done at every step.

    Attributes:
        make: from the input and the states before to the output and the states after it.
        call: of the cell.
        states: their shapes.
    """

    make: Cell
    call: Call
    states: Sequence[Shape]


def unrolled(
    call: Call,
    x: Value,
    initial: Initial,
    mask: Value | None,
    cells: Sequence[Step],
    zeros: bool,
) -> tuple[Value, States]:
    """Cells one upon the other, at every step: the outputs, steps before the batch, or the last one; and all states.

    Args:
        call: of the layer.
        x: a series.
        initial: the states before it, of one cell; None for zeros.
        mask: of its steps. One that does not count leaves output and states as they were.
        cells: what is done, one upon the other.
        zeros: whether the output is 0 at a step that does not count.
    """
    backwards = call["go_backwards"]
    if mask is not None and zeros and backwards and call["return_sequences"] and not call["unroll"]:
        # which Keras' loop, written out step by step, would hide by the mask of the steps forwards
        x, mask, backwards = _reversed(call, x), _reversed(call, mask), False
    steps = _apart(call, call.steps(x), backwards)
    counted = None if mask is None else _steps_of_mask(call, mask, len(steps))
    counts = [None] * len(steps) if counted is None else _apart(call, counted, backwards)
    states = [[_zeros(call, shape) for shape in cell.states] for cell in cells]
    if initial is not None:
        states = [[initial] if isinstance(initial, Value) else list(initial)]
        given = [[state.shape for state in each if isinstance(state, Value)] for each in states]
        require(given == [list(cell.states) for cell in cells], "states of several cells")
    outputs: list[Value] = []
    for y, count in zip(steps, counts, strict=True):
        before = [*states]
        for k, cell in enumerate(cells):
            y, states[k] = cell.make(cell.call, y, states[k])
        if count is not None:
            y = _kept(call, count, y, outputs[-1] if outputs else _zeros(call, y.shape))
            states = [
                [_kept(call, count, *pair) for pair in zip(*both, strict=True)]
                for both in zip(states, before, strict=True)
            ]
        outputs.append(y)
    y, shown = outputs[-1], counts[-1]
    if call["return_sequences"]:
        y, shown = _joined(call, outputs, moved=mask is None and y.rank > 3), counted
    if zeros and shown is not None:
        y = _kept(call, shown, y, _zeros(call, y.shape))
    return y, [state for each in states for state in each]


def _joined(call: Call, outputs: Sequence[Value], moved: bool) -> Value:
    """All steps before the batch; pictures may be joined in ONNX' order of axes, as an exporter moves that."""
    rank = outputs[0].rank
    if not moved:
        return call.concat([call.unsqueeze(each, [0]) for each in outputs], 0)
    front = (call.transpose(each, to_front(rank), own=False) for each in outputs)
    joined = call.concat([call.unsqueeze(each, [0]) for each in front], 0)
    if outputs[0].shape[-1] == 1:
        return call.reshape(joined, (len(outputs), *outputs[0].shape), own=False)
    return call.transpose(joined, [0, *(axis + 1 for axis in to_back(rank))], own=False)


def finished(call: Call, y: Value, states: States) -> list[Value]:
    """What a layer puts out, with its states where it is to."""
    y = batch_first(call, y) if call["return_sequences"] else y
    return [y, *states] if call["return_state"] else [y]


def batch_first(call: Call, y: Value, own: bool = True) -> Value:
    """Steps behind the batch; one step alone, as it is."""
    return y if y.rank == 2 else call.reshape(y, (1, y.shape[0], *y.shape[2:]), own)


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
    count = call.unsqueeze(count, range(count.rank, new.rank)) if count.rank < new.rank else count
    times = [n // m for n, m in zip(new.shape, count.shape, strict=True)]
    wide = call.node("Tile", count, call.integers(times), shape=new.shape) if max(times) > 1 else count
    return select(call, wide, new, before)


def _zeros(call: Call, shape: Shape) -> Value:
    return call.array(np.zeros(shape, call.dtype))
