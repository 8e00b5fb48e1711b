"""`keras.layers`, attention by several heads, each of which sees the values by a projection of its own."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.activations import activated, select, softmax
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.activation import masked_shares
from onnx2graphml.frontends.direct.layers.attention import before
from onnx2graphml.frontends.direct.layers.einsum import dense
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value

LOW = 3.38953e38 * -0.7
"""What Keras has in the place of scores that a mask hides."""

TAKES: dict[str, Any] = {"use_bias": True, "dropout": 0.0, "use_gate": False, "sliding_window": None, "seed": None}

Masks = Sequence[Value | None]


@layer(
    "MultiHeadAttention",
    takes=TAKES
    | {"num_heads": REQUIRED, "key_dim": REQUIRED, "value_dim": None, "output_shape": None, "attention_axes": None},
    only={"flash_attention": None},
)
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
    q = _projected(call, "query", query, (heads, size))
    k = _projected(call, "key", value if key is None else key, (heads, size))
    v = _projected(call, "value", value, (heads, call["value_dim"] or size))
    masks = (own.value if own else None, value_mask, key_mask, attention_mask)
    found = _attended(call, (q, k, v), masks, use_causal_mask, is_multi_head=True)
    shape = call["output_shape"]
    wanted = (query.shape[-1],) if shape is None else (shape,) if isinstance(shape, int) else tuple(shape)
    y = _put_out(call, query, found, wanted)
    if own is not None:
        call.network.masks[y.name] = own
    return y


@layer(
    "GroupQueryAttention",
    takes=TAKES | {"head_dim": REQUIRED, "num_query_heads": REQUIRED, "num_key_value_heads": REQUIRED},
    only={"flash_attention": None},
)
def GroupedQueryAttention(
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
    """The same, with keys and values that several heads share."""
    require(not return_attention_scores, "attention with its scores")
    require(query.rank == value.rank == 3, "attention of several axes")
    heads, groups, size = call["num_query_heads"], call["num_key_value_heads"], call["head_dim"]
    require(groups > 0 and heads % groups == 0, f"{heads} heads in {groups} groups")
    require(heads > 1, "one head, which is no axis in TensorFlow")
    q = _projected(call, "query", query, (heads, size), "_query_dense")
    k = _projected(call, "key", value if key is None else key, (groups, size), "_key_dense")
    v = _projected(call, "value", value, (groups, size), "_value_dense")
    k, v = (_repeated(call, x, heads // groups) for x in (k, v))
    masks = (query_mask, value_mask, key_mask, attention_mask)
    found = _attended(call, (q, k, v), masks, use_causal_mask, is_multi_head=False)
    return _put_out(call, query, found, (query.shape[-1],), "_output_dense")


def _taken(call: Call, *inputs: Value | None) -> Mask | None:
    """The query's mask, which Keras takes away from all inputs: who reads them later finds none."""
    found = [call.network.masks.pop(x.name, None) for x in inputs if x is not None]
    return found[0]


def _projected(call: Call, name: str, x: Value, shape: Shape, group: str = "") -> Value:
    """What the heads see of a value."""
    part = call.part(group or f"{name}_dense", name, {})
    return dense(part, x, 1, shape, shape if call["use_bias"] else None)


def _repeated(call: Call, x: Value, times: int) -> Value:
    """Each head so many times."""
    if times == 1:
        return x
    require(min(x.shape[1], x.shape[3]) > 1, f"heads of {x.shape}, of which TensorFlow moves other axes")
    wide = call.unsqueeze(x, [3])
    shape = (*x.shape[:3], times, x.shape[3])
    tiled = call.node("Tile", wide, call.integers([1, 1, 1, times, 1]), shape=shape)
    return call.reshape(tiled, (*x.shape[:2], x.shape[2] * times, x.shape[3]))


def _attended(call: Call, inputs: tuple[Value, Value, Value], masks: Masks, causal: bool, is_multi_head: bool) -> Value:
    """What each head finds: heads before queries.

    Args:
        call: of the layer.
        inputs: queries, keys and values, as the heads see them.
        masks: of queries, values and keys; and of both.
        causal: whether a query sees nothing of what is behind it.
        is_multi_head: whether each head has keys of its own, of which Keras multiplies in another order.
    """
    q, k, v = inputs
    scale = 1 / math.sqrt(q.shape[-1])
    if call["dropout"]:
        q = call.binary("Mul", q, call.single(scale, q.dtype))
        shares = _shares_apart(call, q, k, masks, causal, is_multi_head)
    else:
        scores = call.long(
            call.matmul(call.transpose(q, [0, 2, 1, 3]), call.transpose(k, [0, 2, 3, 1], own=is_multi_head))
        )
        scores = call.binary("Mul", scores, call.single(scale, scores.dtype))
        seen = _seen(call, masks, causal, scores)
        shares = call.cast(softmax(call, scores if seen is None else select(call, seen, scores, LOW)), call.dtype)
    return call.matmul(shares, call.transpose(v, [0, 2, 1, 3], own=is_multi_head or bool(call["dropout"])))


def _shares_apart(call: Call, q: Value, k: Value, masks: Masks, causal: bool, is_multi_head: bool) -> Value:
    """How much each query has of the values, as Keras computes it with a dropout of that, also in a prediction."""
    if not is_multi_head:
        scores = call.matmul(call.transpose(q, [0, 2, 1, 3]), call.transpose(k, [0, 2, 3, 1]))
        seen = _seen(call, masks, causal, scores)
        return softmax(call, scores) if seen is None else masked_shares(call, scores, seen, -1)
    turned = call.matmul(call.transpose(k, [0, 2, 1, 3]), call.transpose(q, [0, 2, 3, 1]))
    scores = call.transpose(turned, [0, 1, 3, 2])
    seen = _seen(call, masks, causal, scores)
    if seen is None:
        return call.transpose(softmax(call, turned, 2), [0, 1, 3, 2])
    return masked_shares(call, scores, seen, -1)


def _put_out(call: Call, query: Value, found: Value, wanted: Shape, group: str = "output_dense") -> Value:
    """What all heads have found, as far as a gate lets it through, as one."""
    order = [0, 2, 1, 3]
    if call["use_gate"]:
        gate = _projected(call, "gate", query, (found.shape[1], found.shape[3]), "_gate_dense")
        gate = activated(call, gate, "sigmoid")
    if not call["use_gate"]:
        found = call.transpose(found, order)
    elif call["dropout"]:
        found = call.binary("Mul", call.transpose(found, order), gate)
    else:  # an exporter moves the order of axes behind the gate
        found = call.transpose(call.binary("Mul", found, call.transpose(gate, order, own=False)), order)
    part = call.part(group, "attention_output", {})
    return dense(part, found, 2, wanted, wanted if call["use_bias"] else None)


def _seen(call: Call, masks: Masks, causal: bool, scores: Value) -> Value | None:
    """What of the values each query sees: by the masks of query, values and keys, one of both, and the order."""
    query, value, key, both = masks
    given = [] if query is None else [call.unsqueeze(query, [2])]
    given += [call.unsqueeze(mask, [1]) for mask in (value, key) if mask is not None]
    places = [before(scores)] if causal else []
    places += [] if call["sliding_window"] is None else [_near(scores, call["sliding_window"])]
    if not given and both is None:
        return call.array(np.logical_and.reduce(places)[None]) if places else None
    if not given and places:
        places = [np.logical_and.reduce(places)]

    def joined(a: Value, b: Value) -> Value:
        return call.binary("And", a, b, name="and")

    parts = [*given, *map(call.array, places)]
    seen = functools.reduce(joined, parts) if parts else None
    if both is not None:
        require(both.dtype == bool and both.rank in (3, 4), f"a mask of {both.shape}")
        seen = both if seen is None else joined(both, seen)
    assert seen is not None
    seen = call.unsqueeze(seen, [1]) if seen.rank == 3 else seen
    if call["dropout"]:
        return seen
    return call.binary("And", call.array(np.ones(scores.shape, bool)), seen, name="LogicalAnd")


def _near(scores: Value, window: int) -> npt.NDArray[np.bool_]:
    """Which of the values are less than so many places from each query."""
    require(isinstance(window, int), f"the window {window}")
    queries, values = before(scores).shape[1:]
    near: npt.NDArray[np.bool_] = np.abs(np.arange(queries)[:, None] - np.arange(values))[None] < window
    return near
