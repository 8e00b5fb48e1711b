"""Edge blocks against the edges that they stand for, listed one by one."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph import blocks
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.several import edges_into
from oracle import (
    Edge,
    Sample,
    brute,
    conv_block,
    convolution,
    dense,
    integers,
    listed,
    products,
    samples,
    window_outputs,
)

SAMPLES = samples()
each_sample = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
random_products = settings(max_examples=60, deadline=None)

CHUNKS = (1, 2, 3, 5, 7, 16, 64, 1000)
SIDES: tuple[Literal["source", "target"], ...] = ("source", "target")


def filtered(edges: list[Edge], side: str, position: int) -> list[Edge]:
    return [e for e in edges if e[SIDES.index(side)] == position]


@each_sample
def test_the_edges_into_several_positions(sample: Sample) -> None:
    """As those into each; chunks of any size."""
    every = brute(sample.block)
    targets = sorted({e[1] for e in every})
    for chosen in (targets, targets[::3], [*targets[:2], 10**9]):
        found = [(s, t, w) for e in edges_into(sample.block, chosen)
                 for s, t, w in zip(e.source.tolist(), e.target.tolist(), e.weight.tolist(), strict=True)]  # fmt: skip
        assert sorted(found) == sorted((e[0], e[1], float(e[2])) for e in every if e[1] in set(chosen))


# ------------------------------------------------------------------------------------------ the laws, on one sample


def check_count(s: Sample) -> None:
    assert s.block.count == len(brute(s.block)) == len(listed(s.block.expand()))
    assert type(s.block.count) is int


def check_expansion(s: Sample) -> None:
    """The same edges in the same order, whatever the size of the chunks."""
    expected = brute(s.block)
    assert listed(s.block.expand()) == expected
    for size in CHUNKS:
        chunks = list(s.block.expand(size))
        assert listed(chunks) == expected
        assert all(0 < len(chunk) <= size for chunk in chunks)
    for chunk in s.block.expand():
        assert chunk.source.dtype == chunk.target.dtype == np.int64
        assert chunk.weight.dtype == s.block.weights.dtype
        assert len(chunk) == len(chunk.source) == len(chunk.target) == len(chunk.weight)


def check_tiles(s: Sample) -> None:
    for size in CHUNKS:
        tiles = list(s.block.tiles(size))
        assert all(len(tile.axes) == 2 and 0 < tile.count <= size for tile in tiles)
        assert all(tile.weights is s.block.weights for tile in tiles), "weights are shared, not copied"
        assert [edge for tile in tiles for edge in brute(tile)] == brute(s.block)


def check_split(s: Sample) -> None:
    """Along the first axis in the same order; along the others the order is that of the parts."""
    for axis in range(len(s.block.axes)):
        for parts in (1, 2, 3, 7):
            pieces = s.block.split(axis, parts)
            assert len(pieces) <= parts
            assert all(len(piece.axes[axis]) for piece in pieces), "no part has an empty axis"
            joined = [edge for piece in pieces for edge in brute(piece)]
            assert sorted(joined) == sorted(brute(s.block))
            if axis == 0:
                assert joined == brute(s.block)
            lengths = [len(piece.axes[axis]) for piece in pieces]
            assert not lengths or max(lengths) - min(lengths) <= 1, "parts are of one size"


def check_disjoint(s: Sample) -> None:
    """All edges, in parts of which no two have a target in common."""
    for parts in (1, 2, 3, 7):
        pieces = s.block.disjoint(parts)
        assert 0 < len(pieces) <= parts or s.block.count == 0
        assert sorted(edge for piece in pieces for edge in brute(piece)) == sorted(brute(s.block))
        targets = [{t for _, t, _ in brute(piece)} for piece in pieces]
        assert sum(map(len, targets)) == len(set().union(*targets))


def check_selection(s: Sample) -> None:
    """For every position, also for those without edges and those outside of the tensor."""
    edges = brute(s.block)
    for side, size in zip(SIDES, (s.sources, s.targets), strict=True):
        for position in range(-1, size + 2):
            found = s.block.select(side, position)
            assert [e for b in found for e in brute(b)] == filtered(edges, side, position), (side, position)
            assert all(b.weights is s.block.weights for b in found)


def check_degrees(s: Sample) -> None:
    edges = brute(s.block)
    for side, size in zip(SIDES, (s.sources, s.targets), strict=True):
        positions = [e[SIDES.index(side)] for e in edges]
        assert all(0 <= p < size for p in positions)
        assert s.block.degree(side) == max((positions.count(p) for p in set(positions)), default=0)
        assert s.block.covers(side).tolist() == sorted(set(positions))


def check_flipped(s: Sample) -> None:
    assert brute(s.block.flipped()) == [(t, source, w) for source, t, w in brute(s.block)]
    assert brute(s.block.flipped().flipped()) == brute(s.block)


def check_apply(s: Sample) -> None:
    """The product with the matrix, and with its transpose; <Wx, y> = <x, Wᵀy>."""
    x, y = integers(s.sources, seed=1).astype(np.float64), integers(s.targets, seed=2).astype(np.float64)
    matrix = dense(brute(s.block), s.targets, s.sources)
    forward, backward = s.block.apply(x, s.targets), s.block.apply_transposed(y, s.sources)
    assert forward.dtype == backward.dtype == np.float64
    np.testing.assert_allclose(forward, matrix @ x, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(backward, matrix.T @ y, rtol=1e-13, atol=1e-13)
    if (s.block.weights == np.round(s.block.weights)).all():
        assert forward.tolist() == (matrix @ x).tolist()
        assert forward @ y == x @ backward


LAWS = [
    check_count, check_expansion, check_tiles, check_split, check_disjoint, check_selection, check_degrees,
    check_flipped, check_apply,
]  # fmt: skip
each_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__.removeprefix("check_"))


@each_law
@each_sample
def test_law(law: Callable[[Sample], None], sample: Sample):
    law(sample)


@pytest.mark.slow
@each_law
@given(sample=products())
@random_products
def test_law_on_random_products(law: Callable[[Sample], None], sample: Sample):
    law(sample)


# ----------------------------------------------------------------------------------------- the laws can be broken


class Broken(EdgeBlock):
    """A block whose methods go wrong, each as one may go wrong."""

    @property
    def count(self) -> int:
        return super().count + 1

    def tiles(self, edges: int = 1):
        return (tile for tile in reversed(list(super().tiles(edges))))

    def split(self, axis: int, parts: int) -> list[EdgeBlock]:
        return super().split(axis, parts)[1:]

    def disjoint(self, parts: int) -> list[EdgeBlock]:
        return EdgeBlock.split(self, 0, parts)  # the dense layer's first axis has only one target

    def select(self, side: str, position: int) -> list[EdgeBlock]:
        return super().select("source" if side == "target" else "target", position)

    def degree(self, side: str) -> int:
        return super().degree("source" if side == "target" else "target")

    def flipped(self) -> EdgeBlock:
        return self

    def apply(self, x: np.ndarray, size: int) -> np.ndarray:
        return super().apply(x, size) + 1


@each_law
def test_a_broken_block_breaks_the_law(law: Callable[[Sample], None]):
    good = SAMPLES["dense"]
    with pytest.raises(AssertionError):
        law(Sample(Broken(good.block.axes, good.block.weights), good.sources, good.targets))


# ---------------------------------------------------------------------------------------------------- convolutions

ROWS = list(itertools.product(range(1, 6), range(1, 4), range(1, 4), range(1, 3), range(3)))


def check_convolution(
    kernel: np.ndarray, block: EdgeBlock, size: tuple[int, int], *parameters: tuple[int, int]
) -> None:
    x = integers(kernel.shape[1], *size, seed=3)
    expected = convolution(x, kernel, *parameters)
    y = block.apply(x.ravel(), expected.size)
    assert y.tolist() == expected.ravel().tolist()
    g = integers(expected.size, seed=4).astype(np.float64)
    assert y @ g == x.ravel().astype(np.float64) @ block.apply_transposed(g, x.size)


def test_every_small_convolution_is_the_loop():
    """All parameters along the rows; along the columns one of them each, so that the two differ."""
    for case, (input, k, s, d, p) in enumerate(ROWS):
        wide = ROWS[(case * 7 + 3) % len(ROWS)]
        size, window, *parameters = zip((input, k, s, d, p), wide, strict=True)
        if min(window_outputs(size, window, *parameters)) < 1:
            continue
        kernel = integers(2, 2, *window, seed=case)
        block, shape = conv_block(kernel, size, *parameters)
        assert block.count == len(listed(block.expand()))
        assert math.prod(shape) == convolution(np.zeros((2, *size)), kernel, *parameters).size
        check_convolution(kernel, block, size, *parameters)


def test_a_convolution_with_its_kernel_turned_is_told_apart():
    kernel, size, parameters = integers(2, 2, 3, 3), (4, 4), ((1, 1), (1, 1), (1, 1))
    check_convolution(kernel, conv_block(kernel, size, *parameters)[0], size, *parameters)
    with pytest.raises(AssertionError):
        check_convolution(kernel, conv_block(kernel[..., ::-1], size, *parameters)[0], size, *parameters)


# ------------------------------------------------------------------------------------------------- what else is said


def test_the_example_of_a_padded_picture():
    side = ax.window(input=4, output=4, kernel=3, pad=1)
    block = EdgeBlock((side.strided(4, 4, 3), side.strided(1, 1, 1)), np.ones(9, np.float32))
    assert block.count == 100 == len(listed(block.expand()))


def test_counts_beyond_64_bits_are_exact():
    many = ax.same(1 << 16).strided(1, 1)
    assert EdgeBlock((many,) * 5).count == 1 << 80


def test_a_block_without_axes_is_one_edge():
    assert listed(EdgeBlock((), np.array([3.0])).expand()) == [(0, 0, 3.0)]
    assert EdgeBlock(()).degree("source") == 1
    assert len(EdgeBlock(()).select("target", 0)) == 1
    assert EdgeBlock(()).select("target", 1) == []


def test_an_empty_block_has_nothing():
    block = SAMPLES["empty"].block
    assert block.count == 0
    assert list(block.tiles()) == list(block.expand()) == block.split(1, 3) == block.select("source", 0) == []
    assert block.apply(np.ones(3), 4).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("weights", "expected"),
    [([1.0], True), ([2.0], False), ([-1.0], False), ([0.0], False), ([math.nan], False), ([1.0, 2.0], False)],
)
def test_a_selection_has_the_one_weight_1(weights: list[float], expected: bool):
    for dtype in (np.float32, np.float64):
        assert bool(EdgeBlock((ax.shift(),), np.array(weights, dtype)).is_selection) is expected


def test_a_block_without_weights_is_a_selection_in_float32():
    assert EdgeBlock((ax.shift(),)).is_selection
    assert EdgeBlock((ax.shift(),)).weights.dtype == np.float32


def test_weights_of_two_dimensions_are_refused():
    with pytest.raises(ValueError, match=r"one-dimensional, got shape \(2, 3\)"):
        EdgeBlock((), np.ones((2, 3)))


@pytest.mark.parametrize(("taps", "n"), [([[0, 4]], 4), ([[-1, 0]], 4), ([[0, 3], [0, 1]], 4), ([[0], [1]], 1)])
def test_taps_that_point_beside_the_weights_are_refused(taps: list[list[int]], n: int):
    axes = tuple(ax.relation(0, 0, t) for t in taps)
    with pytest.raises(ValueError, match=rf"taps run from -?\d to \d; it has {n} weights"):
        EdgeBlock(axes, integers(n))
    least = -min(0, *(min(t) for t in taps))
    assert EdgeBlock((*axes, ax.relation(0, 0, least)), integers(8)).count == math.prod(map(len, taps))


@pytest.mark.parametrize("dtype", [np.int64, np.float16, bool, object])
def test_weights_are_float32_or_float64(dtype: type):
    with pytest.raises(ValueError, match=f"float32 or float64, got {np.dtype(dtype)}"):
        EdgeBlock((), np.ones(1, dtype))


@pytest.mark.parametrize("inner", [1, 2, 3, 8, 50])
@pytest.mark.parametrize("law", [check_expansion, check_tiles, check_apply])
def test_the_limit_of_the_inner_axis_changes_no_edge(
    inner: int, law: Callable[[Sample], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(blocks, "INNER", inner)
    for sample in SAMPLES.values():
        law(sample)


@given(products(), st.integers(1, 20), st.integers(1, 20))
@random_products
def test_tiles_of_any_limits(sample: Sample, inner: int, edges: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "INNER", inner)
        tiles = list(sample.block.tiles(edges))
    assert all(len(tile.axes) == 2 and 0 < tile.count <= edges for tile in tiles)
    assert [e for tile in tiles for e in brute(tile)] == brute(sample.block)


def test_a_last_axis_beyond_the_limits():
    n = blocks.TILE + blocks.INNER + 3
    long = ax.same(n).strided(1, 1)
    block = EdgeBlock((ax.relation([0, n], [n, 0]), long))
    tiles = list(block.tiles())
    assert all(tile.count <= blocks.TILE for tile in tiles)
    positions = np.arange(n)
    source = np.concatenate([e.source for e in block.expand()])
    target = np.concatenate([e.target for e in block.expand()])
    assert (source == np.concatenate([positions, positions + n])).all()
    assert (target == np.concatenate([positions + n, positions])).all()


@pytest.mark.parametrize("where", [0, 1, 2])
def test_axes_of_one_entry_cost_no_tiles(where: int):
    """A picture of width 1, or a batch of 1, at any place: as many tiles as without it."""
    n = blocks.INNER + 1
    axes = [ax.same(n).strided(3, 3), ax.same(3).strided(1, 1)]
    without = len(list(EdgeBlock(tuple(axes)).tiles()))
    assert len(list(EdgeBlock((*axes[:where], ax.shift(), *axes[where:])).tiles())) == without
    alone = len(list(EdgeBlock((axes[0],)).tiles()))
    assert len(list(EdgeBlock((axes[0], *[ax.shift()] * where)).tiles())) <= alone + 1


def test_axes_made_from_numbers_expand_without_a_warning():
    """`relation` may hand out arrays that NumPy made by broadcasting."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert listed(EdgeBlock((ax.relation([4, 2], 1),)).expand()) == [(4, 1, 1.0), (2, 1, 1.0)]
        assert listed(EdgeBlock((ax.spread(2),), integers(2)).expand()) == brute(
            EdgeBlock((ax.spread(2),), integers(2))
        )


@pytest.mark.slow
def test_a_position_far_away_is_selected_without_expanding():
    """Of 10¹⁵ edges: each axis keeps one digit."""
    n = 100_000
    block = EdgeBlock(tuple(ax.same(n).strided(n**i, n**i) for i in (2, 1, 0)))
    position = 12_345 * n**2 + 67_890 * n + 99_999
    assert [listed(b.expand()) for b in block.select("source", position)] == [[(position, position, 1.0)]]
