"""`keras.layers`, attention: products of what is asked with what is there."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onnx2graphml.frontends.direct.activations import select, softmax
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.einsum import dense
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value

MOST = 1 << 24
"""Positions of a mask."""
LOW = 3.38953e38 * -0.7
"""What Keras has in the place of scores that a mask hides."""


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
) -> Value:
    """Each head: the values, weighted by how well their keys fit the query."""
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
    if use_causal_mask:
        require(q.shape[1] * k.shape[1] <= MOST, "a mask of so many positions")
        seen = np.tri(q.shape[1], k.shape[1], dtype=bool)[None, None]
        scores = select(call, call.array(seen), scores, LOW)
    weights = call.cast(softmax(call, scores), call.dtype)
    found = call.transpose(call.matmul(weights, call.transpose(v, [0, 2, 1, 3])), [0, 2, 1, 3])
    shape = call["output_shape"]
    wanted = (query.shape[-1],) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    part = call.part("output_dense", "attention_output", {})
    return dense(part, found, 2, wanted, wanted if call["use_bias"] else None)


def _projected(call: Call, name: str, x: Value, shape: Shape) -> Value:
    """What the heads see of a value."""
    part = call.part(f"{name}_dense", name, {})
    return dense(part, x, 1, shape, shape if call["use_bias"] else None)


@layer(
    "Attention",
    takes={"use_scale": False, "seed": None, "dropout": 0.0},
    only={"score_mode": "dot"},
)
def Attention(call: Call, inputs: Sequence[Value]) -> Value:
    """The values, weighted by the products of their keys with the query."""
    query, value, key = _three(inputs)
    scores = call.matmul(query, call.transpose(key, [0, 2, 1]))
    if call["use_scale"]:
        scores = call.binary("Mul", scores, *call.weights(scale=()))
    return call.matmul(softmax(call, scores), value)


@layer("AdditiveAttention", takes={"use_scale": True, "seed": None, "dropout": 0.0})
def AdditiveAttention(call: Call, inputs: Sequence[Value]) -> Value:
    """The values, weighted by the sums of their keys with the query."""
    query, value, key = _three(inputs)
    require(call["use_scale"] and query.shape[-1] == key.shape[-1], "sums without a scale")
    both = call.unary("Tanh", call.binary("Add", call.unsqueeze(query, [2]), call.unsqueeze(key, [1])))
    scaled = call.binary("Mul", both, *call.weights(scale=query.shape[-1:]))
    return call.matmul(softmax(call, call.reduce("ReduceSum", scaled, [3], False)), value)


def _three(inputs: Sequence[Value]) -> tuple[Value, Value, Value]:
    """Query, values and their keys, which may be the values themselves."""
    require(len(inputs) in (2, 3) and all(x.rank == 3 for x in inputs), "attention of so many inputs")
    return inputs[0], inputs[1], inputs[-1]
