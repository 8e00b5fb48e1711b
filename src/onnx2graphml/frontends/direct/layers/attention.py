"""`keras.layers`, attention: products of what is asked with what is there."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.activations import select, softmax
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.einsum import dense
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value

MOST = 1 << 24
"""Positions of a mask."""
LOW = 3.38953e38 * -0.7
"""What Keras has in the place of scores that a mask hides."""
FAR = 1e9
"""How much less a score is that a mask hides from the layers of one head."""


@layer(
    "MultiHeadAttention",
    takes={"num_heads": REQUIRED, "key_dim": REQUIRED, "value_dim": None, "use_bias": True, "output_shape": None,
           "attention_axes": None, "seed": None},
    only={"dropout": 0.0, "use_gate": False, "sliding_window": None, "flash_attention": None},
)  # fmt: skip
def MultiHeadAttention(
    call: Call,
    query: Value,
    value: Value,
    key: Value | None = None,
    return_attention_scores: bool = False,
    use_causal_mask: bool = False,
    query_mask: Value | None = None,
    value_mask: Value | None = None,
    key_mask: Value | None = None,
    attention_mask: Value | None = None,
) -> Value:
    """Each head: the values, weighted by how well their keys fit the query."""
    own = _taken(call, query, value, key)
    require(not return_attention_scores, "attention with its scores")
    require(query.rank == value.rank == 3 and call["attention_axes"] in (None, [1], (1,)), "attention of several axes")
    heads, size = call["num_heads"], call["key_dim"]
    require(heads > 1, "one head, which is no axis in TensorFlow")
    inner = (heads, size)
    q = _projected(call, "query", query, inner)
    k = _projected(call, "key", value if key is None else key, inner)
    v = _projected(call, "value", value, (heads, call["value_dim"] or size))
    scores = call.long(call.matmul(call.transpose(q, [0, 2, 1, 3]), call.transpose(k, [0, 2, 3, 1])))
    scores = call.binary("Mul", scores, call.single(1 / math.sqrt(size), scores.dtype))
    masks = (own.value if own else None, value_mask, key_mask, attention_mask)
    seen = _seen(call, masks, use_causal_mask, scores)
    weights = call.cast(softmax(call, scores if seen is None else select(call, seen, scores, LOW)), call.dtype)
    found = call.transpose(call.matmul(weights, call.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3])
    shape = call["output_shape"]
    wanted = (query.shape[-1],) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    part = call.part("output_dense", "attention_output", {})
    y = dense(part, found, 2, wanted, wanted if call["use_bias"] else None)
    if own is not None:
        call.network.masks[y.name] = own
    return y


def _taken(call: Call, *inputs: Value | None) -> Mask | None:
    """The query's mask, which Keras takes away from all inputs: who reads them later finds none."""
    found = [call.network.masks.pop(x.name, None) for x in inputs if x is not None]
    return found[0]


def _seen(call: Call, masks: Sequence[Value | None], causal: bool, scores: Value) -> Value | None:
    """What of the values each query sees: by the masks of query, values and keys, one of both, and the order."""
    query, value, key, both = masks
    found = [] if query is None else [call.unsqueeze(query, [2])]
    found += [call.unsqueeze(mask, [1]) for mask in (value, key) if mask is not None]
    if causal:
        before = _before(scores)
        if not found and both is None:
            return call.array(before[None])
        found.append(call.array(before))

    def both_of(a: Value, b: Value) -> Value:
        return call.binary("And", a, b, name="and")

    seen = functools.reduce(both_of, found) if found else None
    if both is not None:
        require(both.dtype == bool and both.rank in (3, 4), f"a mask of {both.shape}")
        seen = both if seen is None else both_of(both, seen)
    if seen is None:
        return None
    seen = call.unsqueeze(seen, [1]) if seen.rank == 3 else seen
    return call.binary("And", call.array(np.ones(scores.shape, bool)), seen, name="LogicalAnd")


def _projected(call: Call, name: str, x: Value, shape: Shape) -> Value:
    """What the heads see of a value."""
    part = call.part(f"{name}_dense", name, {})
    return dense(part, x, 1, shape, shape if call["use_bias"] else None)


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
        seen = call.array(_before(scores))
        hidden = seen if hidden is None else call.binary("And", call.unsqueeze(hidden, [1]), seen)
    if hidden is not None:
        padding = call.unary("Not", hidden)
        padding = call.unsqueeze(padding, [1]) if padding.rank == 2 else padding
        scores = select(call, padding, call.binary("Sub", scores, FAR), scores)
    y = call.matmul(softmax(call, scores), value)
    return y if asked is None else select(call, call.unsqueeze(asked, [2]), y, 0.0)


def _before(scores: Value) -> npt.NDArray[np.bool_]:
    """Which of the values are not behind each query: of this shape, with one axis before it."""
    queries, values = scores.shape[-2:]
    require(queries * values <= MOST, "a mask of so many positions")
    return np.tri(queries, values).astype(bool)[None]


def _three(inputs: Sequence[Value]) -> tuple[Value, Value, Value]:
    """Query, values and their keys, which may be the values themselves."""
    require(len(inputs) in (2, 3) and all(x.rank == 3 for x in inputs), "attention of so many inputs")
    return inputs[0], inputs[1], inputs[-1]
