"""Steps in a row that networks are made of: what composing away and absorbing have most to do with."""

from __future__ import annotations

from randomnets.activations import FUNCTIONS
from randomnets.builder import Builder, Tensor, Unfit
from randomnets.constants import integers
from randomnets.joins import concat, split
from randomnets.linear import batch_normalization, gemm, matmul
from randomnets.moves import flatten, pad, transpose
from randomnets.ranges import calm, of_rank
from randomnets.steps import STEPS, Grow
from randomnets.windows import conv, conv_transpose, global_average_pool, picture


def activated(b: Builder, x: Tensor) -> Tensor:
    """Any of the activations that the opset has."""
    found = [op for op, f in FUNCTIONS.items() if f.since <= b.opset and not f.positive]
    return STEPS[b.random.choice(found)].grow(b, x)


def normalized_convolution(b: Builder, x: Tensor) -> Tensor:
    made = batch_normalization(b, b.random.choice([conv, conv, conv_transpose])(b, x))
    return activated(b, made)


def padded_convolution(b: Builder, x: Tensor) -> Tensor:
    return conv(b, pad(b, picture(b, x)))


def residual(b: Builder, x: Tensor) -> Tensor:
    """x + f(x), f being anything that keeps the shape."""
    inner = x
    for _ in range(b.random.randint(1, 2)):
        inner = b.random.choice([activated, gemm, matmul, conv, transpose])(b, inner)
    if inner.shape != x.shape or inner.dtype != x.dtype:
        raise Unfit
    x, inner = calm(b, x, b.limit(x.dtype) / 4), calm(b, inner, b.limit(x.dtype) / 4)
    return b.add("Add", [x, inner], x.shape, x.low + inner.low, x.high + inner.high, edges=2 * x.size)


def channels_last(b: Builder, x: Tensor) -> Tensor:
    """As an exporter of a framework with channels last does it: a convolution between two transpositions."""
    x = picture(b, x)
    last = [0, *range(2, x.rank), 1]
    first = [0, x.rank - 1, *range(1, x.rank - 1)]
    x = b.add("Transpose", [x], [x.shape[d] for d in first], x.low, x.high, perm=first)
    made = b.random.choice([conv, normalized_convolution, STEPS["MaxPool"].grow, padded_convolution])(b, x)
    made = picture(b, made)
    last = [0, *range(2, made.rank), 1]
    return b.add("Transpose", [made], [made.shape[d] for d in last], made.low, made.high, perm=last)


def head(b: Builder, x: Tensor) -> Tensor:
    """What a classifier ends with."""
    pooled = global_average_pool(b, x) if b.chance(0.5) else picture(b, x)
    return STEPS["Softmax"].grow(b, gemm(b, flatten(b, pooled)))


def shuffled_channels(b: Builder, x: Tensor) -> Tensor:
    """Reshape, Transpose, Reshape: as between grouped convolutions."""
    x = picture(b, x)
    n, c, *rest = x.shape
    groups = b.random.choice([g for g in range(1, c + 1) if c % g == 0])
    apart, shape = (n, groups, c // groups, *rest), list(x.shape)
    order = [0, 2, 1, *range(3, len(apart))]
    made = b.add("Reshape", [x, integers(b, apart)], apart, x.low, x.high)
    made = b.add("Transpose", [made], [apart[d] for d in order], x.low, x.high, perm=order)
    return b.add("Reshape", [made, integers(b, shape)], shape, x.low, x.high)


def split_and_rejoined(b: Builder, x: Tensor) -> Tensor:
    return concat(b, activated(b, split(b, x)))


def attention(b: Builder, x: Tensor) -> Tensor:
    """A product of two computed tensors, which is a documented limit."""
    x = of_rank(b, calm(b, x, 30.0), 2)
    order = [*range(x.rank - 2), x.rank - 1, x.rank - 2]
    flipped = b.add("Transpose", [x], [x.shape[d] for d in order], x.low, x.high, perm=order)
    size = x.largest**2 * x.shape[-1]
    return b.add("MatMul", [x, flipped], (*x.shape[:-1], x.shape[-2]), -size, size)


PATTERNS: tuple[Grow, ...] = (
    normalized_convolution,
    padded_convolution,
    residual,
    residual,
    channels_last,
    head,
    shuffled_channels,
    split_and_rejoined,
)
