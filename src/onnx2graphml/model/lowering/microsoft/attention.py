"""Attention of queries to keys: the parts are `attention/scores`, `attention/weights`, `attention/context`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering


@lowering(MICROSOFT)
def Attention(
    op: Builder,
    input: str,
    weights: str,
    bias: str | None = None,
    mask_index: str | None = None,
    past: str | None = None,
    attention_bias: str | None = None,
    past_sequence_length: str | None = None,
    *,
    num_heads: int,
    unidirectional: int = 0,
    qkv_hidden_sizes: Sequence[int] = (),
    scale: float = 0.0,
    mask_filter_value: float = -10000.0,
    do_rotary: int = 0,
    rotary_embedding_dim: int = 0,
    past_present_share_buffer: int = 0,
) -> Sequence[str | None]:
    """Self-attention whose queries, keys and values are one product with the input."""
    if do_rotary or past_present_share_buffer:
        raise UnsupportedError("its do_rotary or past_present_share_buffer is set; expected neither: export it without")
    size = op.shape(weights)[1]
    sizes = list(qkv_hidden_sizes) or [size // 3] * 3
    projected = op.MatMul(input, weights, label="projected")
    if bias is not None:
        projected = op.Add(projected, bias, label="shifted")
    masks = mask_index, mask_filter_value, bool(unidirectional), attention_bias
    return _of_itself(op, projected, sizes, num_heads, past, scale, masks)


@lowering(MICROSOFT)
def QAttention(
    op: Builder,
    input: str,
    weight: str,
    bias: str,
    input_scale: str,
    weight_scale: str,
    mask_index: str | None = None,
    input_zero_point: str | None = None,
    weight_zero_point: str | None = None,
    past: str | None = None,
    *,
    num_heads: int,
    unidirectional: int = 0,
    scale: float = 0.0,
    mask_filter_value: float = -10000.0,
    do_rotary: int = 0,
    past_present_share_buffer: int = 0,
) -> Sequence[str | None]:
    """Self-attention whose first product is one of integers."""
    if do_rotary or past_present_share_buffer:
        raise UnsupportedError("its do_rotary or past_present_share_buffer is set; expected neither: export it without")
    total = op.MatMulInteger(input, weight, input_zero_point, weight_zero_point, label="sum")
    factor = op.Mul(input_scale, weight_scale, label="factor")
    projected = op.Mul(op.cast(total, op.dtype(bias)), factor, label="projected")
    masks = mask_index, mask_filter_value, bool(unidirectional), None
    sizes = [op.shape(weight)[1] // 3] * 3
    return _of_itself(op, str(op.Add(projected, bias, label="shifted")), sizes, num_heads, past, scale, masks)


Masks = tuple[str | None, float, bool, str | None]
"""Of padding, what is added where it hides, whether later keys are hidden, and what else is added to scores."""


def _of_itself(
    op: Builder, projected: str, sizes: Sequence[int], num_heads: int, past: str | None, scale: float, masks: Masks
) -> Sequence[str | None]:
    """Attention of a sequence to itself, and to what came before: the output, and all keys and values."""
    mask_index, mask_filter_value, unidirectional, attention_bias = masks
    parts = op.Split(projected, axis=2, split=list(sizes), outputs=3, label="part")
    q, k, v = (heads(op, x, num_heads, name) for x, name in zip(parts, ("queries", "keys", "values"), strict=True))
    present = None
    if past is not None:
        before = (op.Gather(past, np.int64(i), axis=0, label="past") for i in range(2))
        k, v = (op.Concat(p, x, axis=2, label="with_past") for p, x in zip(before, (k, v), strict=True))
    if len(op.node.output) > 1:
        present = op.Concat(op.Unsqueeze(k, axes=[0]), op.Unsqueeze(v, axes=[0]), axis=0, label="present")
    every = [padding_mask(op, mask_index, q, k, mask_filter_value), causal_mask(op, q, k) if unidirectional else None]
    context, _ = attention(op, q, k, v, scale, [attention_bias, *every])
    return [merged(op, context), present]


@lowering(MICROSOFT)
def MultiHeadAttention(
    op: Builder,
    query: str,
    key: str | None = None,
    value: str | None = None,
    bias: str | None = None,
    key_padding_mask: str | None = None,
    attention_bias: str | None = None,
    past_key: str | None = None,
    past_value: str | None = None,
    *,
    num_heads: int,
    unidirectional: int = 0,
    scale: float = 0.0,
    mask_filter_value: float = -10000.0,
) -> Sequence[str | None]:
    """Attention of queries to keys that come from elsewhere."""
    names = ("queries", "keys", "values")
    if key is None or value is None:
        raise UnsupportedError("its keys are packed beside its queries or values; expected all three apart")
    given = [query, key, value]
    if bias is not None:
        sizes = [_hidden(op, x) for x in given]
        parts = op.Split(bias, axis=0, split=sizes, outputs=3, label="bias")
        given = [
            x if len(op.shape(x)) == 4 else str(op.Add(x, b, label=f"{n}_shifted"))
            for x, b, n in zip(given, parts, names, strict=True)
        ]
    q, k, v = (x if len(op.shape(x)) == 4 else heads(op, x, num_heads, n) for x, n in zip(given, names, strict=True))
    if past_key is not None and past_value is not None:
        k = op.Concat(past_key, k, axis=2, label="keys_with_past")
        v = op.Concat(past_value, v, axis=2, label="values_with_past")
    masks = [
        padding_mask(op, key_padding_mask, q, k, mask_filter_value),
        causal_mask(op, q, k) if unidirectional else None,
    ]
    context, scores = attention(op, q, k, v, scale, [attention_bias, *masks])
    return [merged(op, context), k, v, scores]


def _hidden(op: Builder, x: str) -> int:
    """The size of all heads together."""
    shape = op.shape(x)
    return shape[2] if len(shape) == 3 else shape[1] * shape[3]


def heads(op: Builder, x: str, number: int, label: str) -> str:
    """(batch, step, head · size) as (batch, head, step, size)."""
    batch, steps, size = op.shape(x)
    split = op.Reshape(x, [batch, steps, number, size // number], label=f"{label}_by_head")
    return str(op.Transpose(split, perm=[0, 2, 1, 3], label=label))


def merged(op: Builder, x: str) -> str:
    """(batch, head, step, size) as (batch, step, head · size)."""
    batch, number, steps, size = op.shape(x)
    return str(op.Reshape(op.Transpose(x, perm=[0, 2, 1, 3]), [batch, steps, number * size], label="merged"))


def attention(op: Builder, q: str, k: str, v: str, scale: float, masks: Sequence[str | None]) -> tuple[str, str]:
    """What each query gathers of the values, and the scores, of tensors (batch, head, step, size)."""
    turned = op.Transpose(k, perm=[0, 1, 3, 2], label="keys_turned")
    products = op.MatMul(q, turned, label="products")
    scores = op.Mul(products, scale or 1 / np.sqrt(op.shape(q)[3]).item(), label="scores")
    for mask in masks:
        if mask is not None:
            scores = op.Add(scores, mask, label="masked")
    weights = op.Softmax(scores, axis=-1, label="weights") if op.opset >= 13 else _softmax(op, scores)
    return str(op.MatMul(weights, v, label="context")), str(scores)


def _softmax(op: Builder, x: str) -> str:
    """Over the last axis, where Softmax itself takes all axes from one on."""
    shape = op.shape(x)
    flat = op.Softmax(op.Reshape(x, [-1, shape[-1]], label="flat"), axis=1, label="softmax")
    return str(op.Reshape(flat, list(shape), label="weights"))


def causal_mask(op: Builder, q: str, k: str) -> str:
    """What is added so that no query sees a later key; the last query is beside the last key."""
    queries, keys = op.shape(q)[2], op.shape(k)[2]
    seen = np.arange(keys) <= np.arange(queries)[:, None] + keys - queries
    lowest = np.finfo(op.dtype(q)).min
    return op.constant(np.where(seen, 0, lowest).astype(op.dtype(q)), label="causal_mask")


def padding_mask(op: Builder, mask: str | None, q: str, k: str, hidden: float) -> str | None:
    """What is added so that padding is not seen.

    Args:
        mask: 1 for keys that are seen, of shape (batch, key) or (batch, query, key); or how many keys of each sequence
            are, (batch,).
        hidden: what is added to a key that isn't.
    """
    if mask is None:
        return None
    batch, _, queries, _ = op.shape(q)
    keys = op.shape(k)[2]
    shape = op.shape(mask)
    if shape == (batch,):
        number = np.arange(keys).astype(op.dtype(mask))
        seen = op.Less(number, op.Reshape(mask, [batch, 1], label="lengths"), label="seen")
        shape = (batch, keys)
    else:
        seen = op.Greater(mask, np.zeros((), op.dtype(mask)), label="seen")
    if shape == (batch, keys):
        seen = op.Reshape(seen, [batch, 1, 1, keys], label="seen_by_all")
    elif shape == (batch, queries, keys):
        seen = op.Reshape(seen, [batch, 1, queries, keys], label="seen_by_each")
    else:
        raise UnsupportedError(
            f"its mask has shape {list(shape)}; expected {[batch]}, {[batch, keys]} or {[batch, queries, keys]}"
        )
    zero, low = np.zeros((), op.dtype(q)), np.array(hidden, op.dtype(q))
    return str(op.Where(seen, zero, low, label="padding_mask"))
