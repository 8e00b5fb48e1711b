"""Attention whose query heads share keys and values, as language models have it: of a prompt, without a cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.microsoft.attention import attention, causal_mask, heads, merged
from onnx2graphml.model.lowering.registry import MICROSOFT, lowering

PLAIN: dict[str, Any] = {
    "local_window_size": -1, "softcap": 0.0, "smooth_softmax": 0, "qk_output": 0, "causal": 1,
    "k_quant_type": "NONE", "v_quant_type": "NONE", "kv_cache_bit_width": 0, "sliding_window_cache": 0,
}  # fmt: skip
"""Attributes as they have to be."""


@lowering(MICROSOFT)
def GroupQueryAttention(
    op: Builder,
    query: str,
    key: str | None = None,
    value: str | None = None,
    past_key: str | None = None,
    past_value: str | None = None,
    seqlens_k: str | None = None,
    total_sequence_length: str | None = None,
    cos_cache: str | None = None,
    sin_cache: str | None = None,
    position_ids: str | None = None,
    attention_bias: str | None = None,
    *,
    num_heads: int,
    kv_num_heads: int,
    scale: float = 0.0,
    do_rotary: int = 0,
    rotary_interleaved: int = 0,
    **attributes: Any,
) -> Sequence[str | None]:
    """Each key and value serves several queries; none sees what comes after it. Without cache, padding or window."""
    _check(attributes)
    batch, steps, _ = op.shape(query)
    if any(p is not None and op.shape(p)[2] for p in (past_key, past_value)):
        raise UnsupportedError(
            "it has a cache of earlier keys, whose length depends on the data; expected an empty one"
        )
    lengths = op.known(seqlens_k or "", "how many keys there are") if seqlens_k else np.array([steps - 1])
    if (lengths != steps - 1).any():
        raise UnsupportedError(f"its seqlens_k are {lengths.ravel().tolist()}; expected {steps - 1}: no padding")
    if key is None or value is None:
        size = op.shape(query)[2] // (num_heads + 2 * kv_num_heads)
        split = [num_heads * size, kv_num_heads * size, kv_num_heads * size]
        query, key, value = op.Split(query, axis=2, split=split, outputs=3, label="part")
    counts = num_heads, kv_num_heads, kv_num_heads
    q, k, v = (
        heads(op, x, n, name)
        for x, n, name in zip((query, key, value), counts, ("queries", "keys", "values"), strict=True)
    )
    if do_rotary:
        places = position_ids or np.tile(np.arange(steps), (batch, 1))
        given: dict[str, Any] = {"interleaved": rotary_interleaved, "domain": MICROSOFT}
        q, k = (op.add("RotaryEmbedding", x, places, cos_cache, sin_cache, **given) for x in (q, k))
    every = [_for_each(op, x, num_heads, kv_num_heads) for x in (k, v)]
    context, _ = attention(op, q, every[0], every[1], scale, [attention_bias, causal_mask(op, q, k)])
    return [merged(op, context), k, v]


def _for_each(op: Builder, x: str, num_heads: int, own: int) -> str:
    """Keys or values (batch, own heads, steps, size), for every query head."""
    batch, _, steps, size = op.shape(x)
    if own == num_heads:
        return x
    wide = op.Expand(op.Unsqueeze(x, axes=[2]), np.array([batch, own, num_heads // own, steps, size]))
    return str(op.Reshape(wide, np.array([batch, num_heads, steps, size])))


def _check(attributes: dict[str, Any]) -> None:
    for name, value in attributes.items():
        if name.endswith("_epsilon"):  # of a normalization whose weights are inputs of their own
            continue
        expected = PLAIN.get(name)
        if name not in PLAIN or value != expected:
            raise UnsupportedError(f"its {name} is {value!r}; expected {expected!r}")
