"""`keras.layers`, preprocessing: numbers as categories."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

MOST = 1 << 20
"""Categories; and ranges."""


@layer(
    "CategoryEncoding",
    takes={"num_tokens": REQUIRED, "output_mode": "multi_hot"},
    only={"sparse": False},
    any_type=True,
    whole=True,
)
def CategoryEncoding(call: Call, x: Value, count_weights: Value | None = None) -> Value:
    """A place for each category: 1 where it is there, or how often it is."""
    require(count_weights is None or call["output_mode"] == "count", "weights of categories that are not counted")
    return encoded(call, x, call["num_tokens"], count_weights)


@layer(
    "Discretization",
    takes={"bin_boundaries": REQUIRED, "num_bins": None, "epsilon": 0.01, "output_mode": "int"},
    only={"sparse": False},
    whole=True,
)
def Discretization(call: Call, x: Value) -> Value:
    """The number of the range that a value is in: how many boundaries are not above it."""
    boundaries: Any = np.array(call["bin_boundaries"], np.float32)
    require(x.dtype == np.float32, f"ranges of {x.dtype}")
    require(boundaries.ndim == 1 and 0 < boundaries.size < MOST, "ranges without boundaries")
    shape = (*x.shape, boundaries.size)
    call.network.in_order.append(x.name)
    wide, op = call.unsqueeze(x, [x.rank]), "GreaterOrEqual"
    reached = call.node(op, wide, call.array(boundaries), shape=shape, dtype=bool, name=op)
    number = call.reduce("ReduceSum", call.cast(reached, np.int32), [x.rank], False)
    return number if call["output_mode"] == "int" else encoded(call, number, boundaries.size + 1)


def encoded(call: Call, x: Value, depth: int, weights: Value | None = None) -> Value:
    """Whole numbers as places of a last axis; all of a row in the same places, unless each has a row of its own."""
    mode = call["output_mode"]
    require(call.dtype == np.float32, f"categories in {call.dtype}")
    require(mode in ("one_hot", "multi_hot", "count") and 0 < depth < MOST, f"categories as {mode}")
    require(x.rank > 1, "one category for each network")
    if mode == "one_hot" and x.shape[-1] == 1:
        x = call.reshape(x, x.shape[:-1])
    sizes, values = call.array(np.array([depth], np.int32)), call.array(np.array([0, 1], np.float32))
    places = call.cast(x, np.int64)
    hot = call.node("OneHot", places, sizes, values, shape=(*x.shape, depth), dtype=call.dtype, axis=-1)
    if mode == "one_hot":
        return hot
    if weights is not None:
        require(weights.shape == x.shape, f"weights of {weights.shape} for {x.shape}")
        hot = call.binary("Mul", hot, call.unsqueeze(weights, [weights.rank]))
    return call.reduce("ReduceMax" if mode == "multi_hot" else "ReduceSum", hot, [1], False)
