"""Tokens: words, places and segments looked up in tables, added and normalized."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.microsoft.normalization import layer_normalized
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering


@lowering(MICROSOFT)
def EmbedLayerNormalization(
    op: Builder,
    input_ids: str,
    segment_ids: str | None,
    word_embedding: str,
    position_embedding: str,
    segment_embedding: str | None,
    gamma: str,
    beta: str,
    mask: str | None = None,
    position_ids: str | None = None,
    *,
    epsilon: float = 1e-12,
    mask_index_type: int = 1,
) -> Sequence[str | None]:
    """The normalized sum of a token's embeddings; how many tokens of each sequence are none of padding; the sum."""
    batch, steps = op.shape(input_ids)
    words = op.Gather(word_embedding, input_ids, axis=0, label="words")
    places = np.arange(steps, dtype=np.int64)[None] if position_ids is None else position_ids
    total = op.Add(words, op.Gather(position_embedding, places, axis=0, label="places"), label="sum")
    if segment_ids is not None and segment_embedding is not None:
        segments = op.Gather(segment_embedding, segment_ids, axis=0, label="segments")
        total = op.Add(total, segments, label="total")
    y, _, _ = layer_normalized(op, total, gamma, beta, epsilon)
    count: str | None = None
    if mask is not None:
        count = op.cast(op.ReduceSum(op.cast(mask, np.int64), axes=[1], keepdims=0, label="count"), np.int32)
    elif len(op.node.output) > 1:
        count = op.constant(np.zeros(batch, np.int32), label="no_mask")
    return [y, count, total]


@lowering(MICROSOFT)
def RotaryEmbedding(
    op: Builder,
    input: str,
    position_ids: str,
    cos_cache: str,
    sin_cache: str,
    *,
    interleaved: int = 0,
    num_heads: int = 0,
    rotary_embedding_dim: int = 0,
    scale: float = 1.0,
    is_packed_batching: int = 0,
) -> str:
    """Pairs of numbers turned by an angle that grows with the place."""
    shape = op.shape(input)
    x = input
    if len(shape) == 3:
        size = (rotary_embedding_dim and shape[2] // num_heads) or 2 * op.shape(cos_cache)[1]
        x = op.Reshape(x, [shape[0], shape[1], -1, size], label="by_head")
    else:
        x = op.Transpose(x, perm=[0, 2, 1, 3], label="by_step")
    batch, steps, _, size = op.shape(x)
    turned = rotary_embedding_dim or size
    places = op.Reshape(_places(op, position_ids, batch, steps), [batch, steps], label="places")
    cos, sin = (
        op.Unsqueeze(op.Gather(c, places, axis=0, label=n), axes=[2])
        for c, n in ((cos_cache, "cosine"), (sin_cache, "sine"))
    )
    head = op.Slice(x, starts=[0], ends=[turned], axes=[3], label="turned")
    ends = [turned, turned] if interleaved else [turned // 2, turned]
    starts, step = ([0, 1], 2) if interleaved else ([0, turned // 2], 1)
    a, b = (
        op.Slice(head, starts=[s], ends=[e], axes=[3], steps=[step], label="half")
        for s, e in zip(starts, ends, strict=True)
    )
    real = op.Sub(op.Mul(a, cos), op.Mul(b, sin), label="real")
    imaginary = op.Add(op.Mul(a, sin), op.Mul(b, cos), label="imaginary")
    if interleaved:
        pairs = op.Concat(op.Unsqueeze(real, axes=[4]), op.Unsqueeze(imaginary, axes=[4]), axis=4)
        y = op.Reshape(pairs, list(op.shape(head)), label="interleaved")
    else:
        y = op.Concat(real, imaginary, axis=3, label="both")
    if turned < size:
        y = op.Concat(y, op.Slice(x, starts=[turned], ends=[size], axes=[3], label="rest"), axis=3, label="all")
    if len(shape) == 3:
        return str(op.Reshape(y, list(shape), label="merged"))
    return str(op.Transpose(y, perm=[0, 2, 1, 3], label="by_head"))


def _places(op: Builder, given: str, batch: int, steps: int) -> str:
    """Of every step; given for all, or as the first of them."""
    if np.prod(op.shape(given)) == batch * steps:
        return given
    return str(op.Add(np.tile(np.arange(steps, dtype=np.int64), (batch, 1)), given, label="from_first"))
