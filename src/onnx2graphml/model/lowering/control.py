"""Control flow: loops unrolled, branches chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.instances import add_graph
from onnx2graphml.model.lowering.registry import lowering


@lowering()
def If(op: Builder, cond: str, *, then_branch: onnx.GraphProto, else_branch: onnx.GraphProto) -> Sequence[str | None]:
    """The branch that a constant condition chooses; where the network computes it, a Where of both."""
    if (value := op.value(cond)) is not None:
        return add_graph(op, then_branch if value.any() else else_branch, [])
    results = []
    for label, branch in (("then", then_branch), ("else", else_branch)):
        with op.scope(label):
            results.append(add_graph(op, branch, []))
    for one, other in zip(*results, strict=True):
        if op.type(one) != op.type(other):
            raise UnsupportedError(
                f"its condition is computed by the network, and its branches give {_said(op, one)} or "
                f"{_said(op, other)}; expected the same: a shape must not depend on data"
            )
    return [str(op.Where(_scalar(op, cond), one, other)) for one, other in zip(*results, strict=True)]


@lowering()
def Loop(op: Builder, M: str | None, cond: str | None, *v_initial: str, body: onnx.GraphProto) -> Sequence[str | None]:
    """An iteration after the other, as many as constants say."""
    limit = int(op.known(M, "its trip count").item()) if M else None
    going = cond is None or bool(op.known(cond, "its condition").any())
    carried, collected = list(v_initial), [list[str]() for _ in body.output[1 + len(v_initial) :]]
    t = 0
    while going and (limit is None or t < limit):
        with op.scope(f"t{t}"):
            keep, *results = add_graph(op, body, [op.constant(np.int64(t)), op.constant(True), *carried])
        going = bool(op.known(keep, f"its condition after iteration {t}").any())
        carried = results[: len(v_initial)]
        for values, result in zip(collected, results[len(v_initial) :], strict=True):
            values.append(result)
        t += 1
    return [*carried, *(_stacked(op, values, 0, False) for values in collected)]


@lowering()
def Scan(
    op: Builder,
    *inputs: str | None,
    body: onnx.GraphProto,
    num_scan_inputs: int,
    scan_input_axes: Sequence[int] = (),
    scan_input_directions: Sequence[int] = (),
    scan_output_axes: Sequence[int] = (),
    scan_output_directions: Sequence[int] = (),
    directions: Sequence[int] = (),
) -> Sequence[str | None]:
    """An iteration for each position along the scanned axes."""
    scanned = Scanned(
        body,
        scan_input_axes or [0] * num_scan_inputs,
        scan_input_directions or directions or [0] * num_scan_inputs,
        scan_output_axes,
        scan_output_directions,
    )
    if op.opset >= 9:
        return scanned.add(op, [i for i in inputs if i])
    if inputs[0]:
        raise UnsupportedError("its sequences have lengths of their own; expected opset 9 or newer: export it again")
    given = [i for i in inputs if i]
    batch = [
        scanned.add(op, [str(op.Gather(x, np.int64(b), axis=0)) for x in given]) for b in range(op.shape(given[0])[0])
    ]
    return [_stacked(op, values, 0, False) for values in zip(*batch, strict=True)]


@dataclass(frozen=True)
class Scanned:
    """The attributes of a Scan."""

    body: onnx.GraphProto
    axes: Sequence[int]
    backward: Sequence[int]
    output_axes: Sequence[int]
    output_backward: Sequence[int]

    def add(self, op: Builder, inputs: Sequence[str]) -> list[str]:
        """All iterations: the last states, and what was collected."""
        count = len(inputs) - len(self.axes)
        states, scanned = list(inputs[:count]), inputs[count:]
        length = op.shape(scanned[0])[self.axes[0]]
        collected = [list[str]() for _ in self.body.output[count:]]
        for t in range(length):
            with op.scope(f"t{t}"):
                parts = [
                    str(op.Gather(x, np.int64(length - 1 - t if backward else t), axis=axis))
                    for x, axis, backward in zip(scanned, self.axes, self.backward, strict=True)
                ]
                results = add_graph(op, self.body, [*states, *parts])
            states = results[:count]
            for values, result in zip(collected, results[count:], strict=True):
                values.append(result)
        axes = self.output_axes or [0] * len(collected)
        backward = self.output_backward or [0] * len(collected)
        return [*states, *(_stacked(op, v, a, bool(b)) for v, a, b in zip(collected, axes, backward, strict=True))]


def _stacked(op: Builder, values: Sequence[str], axis: int, backward: bool) -> str:
    """The values of all iterations along a new axis."""
    if not values:
        raise UnsupportedError("it runs no time, so that the shape of what it collects is not known")
    in_order = list(reversed(values)) if backward else values
    return str(op.Concat(*(op.Unsqueeze(v, axes=[axis]) for v in in_order), axis=axis))


def _scalar(op: Builder, x: str) -> str:
    return x if not op.shape(x) else str(op.Reshape(x, np.array([], np.int64)))


def _said(op: Builder, x: str) -> str:
    kind = op.type(x)
    return f"{kind.dtype}{list(kind.shape)}"
