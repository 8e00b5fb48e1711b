"""`keras.layers`, attention: products of what is asked with what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.activations import select, softmax
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

MOST = 1 << 24
"""Positions of a mask."""
FAR = 1e9
"""How much less a score is that a mask hides from the layers of one head."""


@layer(
    "Attention",
    takes={"use_scale": False, "seed": None, "dropout": 0.0},
    only={"score_mode": "dot"},
)
def Attention(
    call: Call, inputs: Sequence[Value], mask: Sequence[Value | None] = (), use_causal_mask: bool = False
) -> Value:
    """The values, weighted by the products of their keys with the query."""
    query, value, key = _three(inputs)
    scores = call.matmul(query, call.transpose(key, [0, 2, 1]))
    if call["use_scale"]:
        (scale,) = call.weights(scale=())
        scores = call.binary("Mul", scores, scale)
    return _weighted(call, scores, value, mask, use_causal_mask)


@layer("AdditiveAttention", takes={"use_scale": True, "seed": None, "dropout": 0.0})
def AdditiveAttention(
    call: Call, inputs: Sequence[Value], mask: Sequence[Value | None] = (), use_causal_mask: bool = False
) -> Value:
    """The values, weighted by the sums of their keys with the query."""
    query, value, key = _three(inputs)
    require(call["use_scale"] and query.shape[-1] == key.shape[-1], "sums without a scale")
    both = call.unary("Tanh", call.binary("Add", call.unsqueeze(query, [2]), call.unsqueeze(key, [1])))
    (scale,) = call.weights(scale=query.shape[-1:])
    scores = call.reduce("ReduceSum", call.binary("Mul", both, scale), [3], False)
    return _weighted(call, scores, value, mask, use_causal_mask)


def _weighted(call: Call, scores: Value, value: Value, mask: Sequence[Value | None], causal: bool) -> Value:
    """The values, as far as the masks of values and of the query let them be seen."""
    asked, hidden = (mask[0], mask[1]) if mask else (None, None)
    if causal:
        seen = call.array(before(scores))
        hidden = seen if hidden is None else call.binary("And", call.unsqueeze(hidden, [1]), seen)
    if hidden is not None:
        padding = call.unary("Not", hidden)
        padding = call.unsqueeze(padding, [1]) if padding.rank == 2 else padding
        scores = select(call, padding, call.binary("Sub", scores, FAR), scores)
    y = call.matmul(softmax(call, scores), value)
    return y if asked is None else select(call, call.unsqueeze(asked, [2]), y, 0.0)


def before(scores: Value) -> npt.NDArray[np.bool_]:
    """Which of the values are not behind each query: of this shape, with one axis before it."""
    queries, values = scores.shape[-2:]
    require(queries * values <= MOST, "a mask of so many positions")
    return np.tri(queries, values).astype(bool)[None]


def _three(inputs: Sequence[Value]) -> tuple[Value, Value, Value]:
    """Query, values and their keys, which may be the values themselves."""
    require(len(inputs) in (2, 3) and all(x.rank == 3 for x in inputs), "attention of so many inputs")
    return inputs[0], inputs[1], inputs[-1]
