"""`keras.layers`, core: Dense and what does nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.activations import UNARY, activated, select
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.masks import any_of, not_equal
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@layer(
    "Dense",
    takes={"units": REQUIRED, "activation": "linear", "use_bias": True},
    only={"quantization_config": None, "lora_rank": None, "lora_alpha": None},
    any_type=True,
)
def Dense(call: Call, x: Value) -> Value:
    """A weighted sum of the last axis."""
    require(x.rank >= 2, f"Dense on {x.shape}")
    once = call["activation"] in (None, "linear", *UNARY)
    rows = x.rank > 3 or (x.rank == 3 and x.shape[1] == 1)
    require(not rows or call["use_bias"] or once, f"the activation {call['activation']} of rows in TensorFlow")
    shapes = {"kernel": (x.shape[-1], call["units"])} | ({"bias": (call["units"],)} if call["use_bias"] else {})
    kernel, *bias = call.weights(**shapes)
    x = call.cast(x, call.dtype)
    if x.rank == 2 and bias:
        y = call.gemm(x, kernel, *bias)
    else:
        y = call.matmul(x, kernel)
        y = call.binary("Add", y, bias[0]) if bias else y
    return activated(call, y, call["activation"])


@layer("Identity", any_type=True)
def Identity(call: Call, x: Value) -> Value:
    """The same."""
    return x


@layer("Masking", takes={"mask_value": 0.0})
def Masking(call: Call, x: Value) -> Value:
    """Zeros at every step of which all numbers are one that stands for nothing; the next layers leave it out."""
    counts = any_of(call, not_equal(call, x, call["mask_value"]), True)
    y = select(call, counts, x, 0.0)
    call.network.masks[y.name] = call.later(lambda: call.squeeze(counts, [x.rank - 1]))
    return y


SIZES: dict[str, Any] = {"input_dim": REQUIRED, "output_dim": REQUIRED, "mask_zero": False}
TABLE: dict[str, Any] = {"quantization_config": None, "lora_rank": None, "lora_alpha": None}


@layer("Embedding", takes=SIZES, only=TABLE, any_type=True, casts=False)
def Embedding(call: Call, x: Value) -> Value:
    """A vector for each whole number; negative ones count from the end."""
    number, size = call["input_dim"], call["output_dim"]
    (table,) = call.weights(embeddings=(number, size))
    if x.dtype not in (np.int32, np.int64):
        x = call.cast(x, np.int32, name="Cast")  # as TensorFlow's own is called, and so the neurons behind it
    below = call.compare("Less", call.cast(x, np.float32), 0.0, name="Less_1")
    from_the_end = call.binary("Add", x, call.array(np.array(number, x.dtype)))
    moved = call.binary("Mul", call.cast(below, x.dtype), from_the_end)
    kept = call.binary("Mul", x, call.cast(call.unary("Not", below), x.dtype))
    place = call.binary("Add", moved, kept)
    return call.node("Gather", table, place, shape=(*x.shape, size), axis=0)


@layer(
    "ReversibleEmbedding",
    takes=SIZES,
    only=TABLE | {"tie_weights": True, "reverse_dtype": None, "logit_soft_cap": None},
    any_type=True,
    casts=False,
)
def ReversibleEmbedding(call: Call, x: Value, reverse: bool = False) -> Value:
    """The same, and how much each vector is like those of all numbers."""
    if not reverse:
        found: Value = Embedding(call, x)
        if call["mask_zero"]:
            call.network.masks[found.name] = call.later(lambda: not_equal(call, x, 0))
        return found
    require(x.dtype == call.dtype, f"vectors of {x.dtype}")
    (table,) = call.weights(embeddings=(call["input_dim"], call["output_dim"]))
    return call.matmul(x, call.transpose(table, [1, 0]))
