"""Control flow: loops unrolled, branches chosen."""

from __future__ import annotations

from collections.abc import Sequence

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
    if op.opset < 9:
        raise UnsupportedError("Scan of opset 8 has a batch of sequences; expected opset 9 or newer: export it again")
    given = [i for i in inputs if i]
    states, scanned = given[: len(given) - num_scan_inputs], given[len(given) - num_scan_inputs :]
    axes = scan_input_axes or [0] * len(scanned)
    length = op.shape(scanned[0])[axes[0]]
    outputs = len(body.output) - len(states)
    collected = [list[str]() for _ in range(outputs)]
    for t in range(length):
        with op.scope(f"t{t}"):
            backward = scan_input_directions or [0] * len(scanned)
            parts = [
                str(op.Gather(x, np.int64(length - 1 - t if b else t), axis=a))
                for x, a, b in zip(scanned, axes, backward, strict=True)
            ]
            results = add_graph(op, body, [*states, *parts])
        states = results[: len(states)]
        for values, result in zip(collected, results[len(states) :], strict=True):
            values.append(result)
    output_axes = scan_output_axes or [0] * outputs
    backward = scan_output_directions or [0] * outputs
    stacked = [_stacked(op, v, a, bool(b)) for v, a, b in zip(collected, output_axes, backward, strict=True)]
    return [*states, *stacked]


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
