"""Sequences of tensors, which exporters split a tensor into only to take its parts again: they are known beforehand.

No node is left of them, but the tensors that they hold.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.instances import add_graph
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def SequenceEmpty(op: Builder, *, dtype: int = 1) -> str:
    """Without tensors."""
    return op.sequence([])


@lowering()
def SequenceConstruct(op: Builder, *inputs: str) -> str:
    """Of the given tensors."""
    return op.sequence(inputs)


@lowering()
def SequenceInsert(op: Builder, input_sequence: str, tensor: str, position: str | None = None) -> str:
    """With one more tensor, at the end or before the one at a position."""
    members = list(op.members(input_sequence))
    at = len(members) if position is None else _place(op, position, len(members))
    return op.sequence([*members[:at], tensor, *members[at:]])


@lowering()
def SequenceErase(op: Builder, input_sequence: str, position: str | None = None) -> str:
    """Without the last tensor, or the one at a position."""
    members = list(op.members(input_sequence))
    del members[-1 if position is None else _position(op, position, len(members))]
    return op.sequence(members)


@lowering()
def SequenceAt(op: Builder, input_sequence: str, position: str) -> str:
    """The tensor at a position."""
    members = op.members(input_sequence)
    return members[_position(op, position, len(members))]


@lowering()
def SequenceLength(op: Builder, input_sequence: str) -> str:
    """How many tensors there are."""
    return op.constant(np.int64(len(op.members(input_sequence))), label="length")


@lowering()
def SplitToSequence(op: Builder, input: str, split: str | None = None, *, axis: int = 0, keepdims: int = 1) -> str:
    """Parts of a tensor along an axis, of the given sizes or of one each."""
    size = op.shape(input)[axis]
    if split is None:
        indices: list[list[int] | int] = [[k] if keepdims else k for k in range(size)]
        return op.sequence([str(op.Gather(input, np.array(k), axis=axis, label="part")) for k in indices])
    sizes = op.known(split, "its sizes")
    if not sizes.ndim:
        step = int(sizes)
        sizes = np.array([min(step, size - k) for k in range(0, size, step)])
    ends = np.cumsum(sizes).tolist()
    parts = zip([0, *ends[:-1]], ends, strict=True)
    return op.sequence([str(op.Slice(input, starts=[a], ends=[b], axes=[axis], label="part")) for a, b in parts])


@lowering()
def ConcatFromSequence(op: Builder, input_sequence: str, *, axis: int, new_axis: int = 0) -> str:
    """The tensors along an axis, or along a new one."""
    members: Sequence[str] = op.members(input_sequence)
    if new_axis:
        members = [op.Unsqueeze(m, axes=[axis]) for m in members]
    return str(op.Concat(*members, axis=axis, label="concatenated"))


@lowering()
def SequenceMap(
    op: Builder, input_sequence: str, *additional_inputs: str, body: onnx.GraphProto
) -> Sequence[str | None]:
    """A graph for each of the tensors of one or more sequences; other inputs are the same for all."""
    results = []
    for k in range(len(op.members(input_sequence))):
        with op.scope(str(k)):
            given = [input_sequence, *additional_inputs]
            inputs = [op.members(i)[k] if i in op.graph.sequences else i for i in given]
            results.append(add_graph(op, body, inputs))
    return [op.sequence([r[k] for r in results]) for k in range(len(body.output))]


def _place(op: Builder, position: str, length: int) -> int:
    """Before which of them, or behind the last: -1 is before the last."""
    at = int(op.known(position, "its position").item())
    if not -length <= at <= length:
        raise UnsupportedError(f"its position is {at}; expected one from {-length} to {length}")
    return at if at >= 0 else at + length


def _position(op: Builder, position: str, length: int) -> int:
    at = int(op.known(position, "its position").item())
    if not -length <= at < length:
        raise UnsupportedError(f"its position is {at}; expected one of the {length}")
    return at % length
