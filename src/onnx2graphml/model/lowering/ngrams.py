"""How often sequences of words occur: each place where one may stand is compared with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering
from onnx2graphml.model.lowering.sparse import sums

Ints = npt.NDArray[np.int64]


@lowering()
def TfIdfVectorizer(
    op: Builder,
    X: str,
    *,
    max_gram_length: int,
    max_skip_count: int,
    min_gram_length: int,
    mode: str,
    ngram_counts: Sequence[int],
    ngram_indexes: Sequence[int],
    pool_int64s: Sequence[int] = (),
    pool_strings: Sequence[bytes] = (),
    weights: Sequence[float] | None = None,
) -> str:
    """Each n-gram's number of occurrences (TF), whether there are any (IDF), or the number times a weight (TFIDF)."""
    if pool_strings:
        raise UnsupportedError("its words are strings; expected numbers: neurons are numbers")
    found: list[str] = []
    wanted: list[int] = []
    start = 0
    for length, grams in enumerate(_by_length(pool_int64s, ngram_counts), 1):
        if len(grams) and min_gram_length <= length <= max_gram_length:
            found.append(_counted(op, X, grams, max_skip_count if length > 1 else 0))
            wanted.extend(range(start, start + len(grams)))
        start += len(grams)
    counts = found[0] if len(found) == 1 else op.Concat(*found, axis=len(op.shape(X)) - 1, label="counts")
    if mode == "IDF":
        counts = op.Min(counts, np.ones(1, np.float32), label="present")
    at = np.array([ngram_indexes[gram] for gram in wanted])
    sources = [np.flatnonzero(at == column) for column in range(1 + max(ngram_indexes))]
    each = np.float32(1) if mode == "TF" or weights is None else np.array([weights[gram] for gram in wanted])
    factors = np.broadcast_to(each, at.shape).astype(np.float32)
    return sums(op, counts, sources, [factors[found] for found in sources])


def _by_length(pool: Sequence[int], starts: Sequence[int]) -> Iterator[Ints]:
    """The n-grams of one word, of two, and so on, as rows."""
    for length, (first, beyond) in enumerate(pairwise([*starts, len(pool)]), 1):
        yield np.array(pool[first:beyond], np.int64).reshape(-1, length)


def _counted(op: Builder, x: str, grams: Ints, skips: int) -> str:
    """How often each n-gram occurs along the last axis, its words next to one another or up to `skips` words apart."""
    *rows, words = op.shape(x)
    last, length = len(rows), grams.shape[1]
    places = [t + step * np.arange(length) for step in range(1, skips + 2) for t in range(words - step * (length - 1))]
    if not places:
        return op.constant(np.zeros((*rows, len(grams)), np.float32))
    windows = op.Gather(x, np.stack(places), axis=last, label="windows")  # (..., places, words)
    same = op.Equal(op.Unsqueeze(windows, axes=[last + 1]), grams.astype(op.dtype(x)), label="same")
    hits = op.ReduceMin(op.Cast(same, to=1), axes=[last + 2], keepdims=0, label="hits")  # (..., places, n-grams)
    return str(op.ReduceSum(hits, axes=[last], keepdims=0, label="occurrences"))
