"""Two blocks in a row as one, against the join of their edges and against NumPy."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph import compose as composing
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.compose import NotComposableError, compose
from oracle import (
    Edge,
    Step,
    brute,
    conv_block,
    convolution,
    dense_block,
    factors,
    integers,
    join,
    listed,
    moved,
    numbered_array,
    padding,
    picking,
    reshaping,
    slicing,
    steps,
    transposing,
)

Case = tuple[EdgeBlock, EdgeBlock, tuple[int, ...]]
"""The first block, the second, and the shape between them."""


def scale_block(shape: Sequence[int], dimension: int, seed: int = 0) -> EdgeBlock:
    """Every value times a weight of its position along one dimension, as BatchNormalization does."""
    axes = [
        ax.same(n).strided(s, s, int(d == dimension))
        for d, (n, s) in enumerate(zip(shape, ax.strides(shape), strict=True))
    ]
    return EdgeBlock(tuple(axes), integers(shape[dimension], seed=seed))


def grouped_block(groups: int, inputs: int, outputs: int, size: int, seed: int = 0) -> EdgeBlock:
    """A convolution of groups of channels with a window of 1: two axes share the channels' dimension."""
    axes = (
        ax.same(groups).strided(inputs * size, outputs * size, outputs * inputs),
        ax.spread(outputs).strided(0, size, inputs),
        ax.gather(inputs).strided(size, 0, 1),
        ax.same(size).strided(1, 1),
    )
    return EdgeBlock(axes, integers(groups * outputs * inputs, seed=seed))


def cases(scale: int = 1) -> dict[str, Case]:
    """What a network is made of; with a greater scale, large enough that products of axes show in the counts."""
    c, n = 2 * scale, 3 * scale
    kernel = integers(c, c, 3, 3, seed=1)
    pad = padding((c, n, n), (0, 0), (1, 1), (2, 0))
    transpose = transposing((n, n, c), (2, 0, 1))
    conv, conv_shape = conv_block(kernel, (n, n), pad=(1, 1))
    on_padded, _ = conv_block(kernel, (n + 2, n + 2), stride=(2, 1))
    after = slicing(conv_shape, slice(1, None), slice(None), slice(0, None, 2))
    offset = EdgeBlock((ax.shift(target=7), ax.same(math.prod(conv_shape)).strided(1, 1)))
    by_dimension = EdgeBlock(
        (
            ax.shift(target=n * n),
            *(ax.same(m).strided(s, s) for m, s in zip(conv_shape, ax.strides(conv_shape), strict=True)),
        )
    )
    upsample = picking((c, n, n), [range(c), np.repeat(range(n), 2).tolist(), np.repeat(range(n), 2).tolist()])
    strided, _ = conv_block(kernel, (2 * n, 2 * n), stride=(2, 2))
    pool = EdgeBlock(
        (ax.same(c).strided(n * n, 1), ax.gather(n).strided(n, 0), ax.gather(n).strided(1, 0)),
        np.array([0.5], np.float32),
    )
    return {
        "pad, conv": (pad.block, on_padded, pad.after),
        "transpose, conv": (transpose.block, conv, transpose.after),
        "upsample, conv": (upsample.block, strided, upsample.after),
        "conv, slice": (conv, after.block, conv_shape),
        "conv, transpose": (conv, transposing(conv_shape, (1, 2, 0)).block, conv_shape),
        "conv, concat along channels": (conv, by_dimension, conv_shape),
        "conv, concat": (conv, offset, conv_shape),
        "conv, scale": (conv, scale_block(conv_shape, 0), conv_shape),
        "scale, conv": (scale_block((c, n, n), 0), conv, (c, n, n)),
        "conv, global pool": (conv, pool, conv_shape),
        "transpose, global pool": (transpose.block, pool, transpose.after),
        "flatten, dense": (reshaping((c, n, n), (c * n * n,)).block, dense_block(c * n * n, 5), (c * n * n,)),
        "flatten as one axis, dense": (
            reshaping((c, n, n), (c * n * n,), by_dimension=False).block,
            dense_block(c * n * n, 5),
            (c * n * n,),
        ),
        "conv, flatten": (conv, reshaping(conv_shape, (math.prod(conv_shape),)).block, conv_shape),
        "dense, scale": (dense_block(4, 3 * n), scale_block((3 * n,), 0, seed=2), (3 * n,)),
        "groups, scale": (grouped_block(2, 2, c, n * n), scale_block((2 * c, n * n), 0, seed=2), (2 * c, n * n)),
        "scale, groups": (scale_block((2 * c, n * n), 0, seed=2), grouped_block(2, c, 2, n * n), (2 * c, n * n)),
        "transpose, groups": (
            transposing((n * n, 2 * c), (1, 0)).block,
            grouped_block(2, c, 2, n * n),
            (2 * c, n * n),
        ),
        "transposed conv, scale": (conv.flipped(), scale_block((c, n, n), 0), (c, n, n)),
    }


CASES = cases()
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def check_join(first: EdgeBlock, second: EdgeBlock, shape: Sequence[int], composed: EdgeBlock) -> None:
    """The composed block has all paths, and as a product of axes it still obeys the laws of a block."""
    expected = join(brute(first), brute(second))
    assert sorted(brute(composed)) == expected
    assert sorted(listed(composed.expand())) == expected
    assert composed.count == len(expected)
    assert all(0 <= m < math.prod(shape) for _, m, _ in brute(first)), "the case itself is wrong"
    for side, i in (("source", 0), ("target", 1)):
        positions = {e[i] for e in expected}
        assert composed.covers(side).tolist() == sorted(positions)
        for position in list(positions)[:3]:
            selected = [e for b in composed.select(side, position) for e in brute(b)]
            assert sorted(selected) == [e for e in expected if e[i] == position]


@each_case
def test_composing_is_joining(case: Case):
    check_join(*case, compose(*case))


@each_case
def test_composing_the_other_way_round_is_the_transpose(case: Case):
    first, second, shape = case
    back = compose(second.flipped(), first.flipped(), shape)
    assert sorted(brute(back)) == sorted((t, s, w) for s, t, w in brute(compose(*case)))


@each_case
def test_applying_the_composition_is_applying_both(case: Case):
    first, second, shape = case
    sources, targets = (int(b.covers(side).max()) + 1 for b, side in ((first, "source"), (second, "target")))
    x = integers(sources, seed=5)
    expected = second.apply(first.apply(x, math.prod(shape)), targets)
    assert compose(*case).apply(x, targets).tolist() == expected.tolist()


@each_case
@pytest.mark.parametrize("spoiled", ["weight", "edge", "shape"])
def test_a_wrong_composition_is_told_apart(case: Case, spoiled: str):
    first, second, shape = case
    good = compose(first, second, shape)
    if spoiled == "weight":
        bad = EdgeBlock(good.axes, good.weights + 1)
    elif spoiled == "edge":
        bad = EdgeBlock((good.axes[0][1:], *good.axes[1:]), good.weights)
    else:
        bad = EdgeBlock((*good.axes, ax.shift(source=1)), good.weights)
    with pytest.raises(AssertionError):
        check_join(first, second, shape, bad)


def test_padding_and_a_convolution_is_a_padded_convolution():
    kernel, x = integers(2, 3, 3, 2), integers(3, 4, 5, seed=1)
    pad = padding((3, 4, 5), (0, 0), (1, 1), (1, 1))
    conv, shape = conv_block(kernel, (6, 7), stride=(1, 2))
    y = compose(pad.block, conv, pad.after).apply(x.ravel(), math.prod(shape))
    assert y.reshape(shape).tolist() == convolution(x, kernel, (1, 2), (1, 1), (1, 1)).tolist()
    padded, _ = conv_block(kernel, (4, 5), stride=(1, 2), pad=(1, 1))
    assert sorted(brute(padded)) == sorted(brute(compose(pad.block, conv, pad.after)))


def test_the_example_of_a_padded_window():
    pad = EdgeBlock((ax.relation(range(4), range(1, 5)),))
    conv = EdgeBlock((ax.window(input=6, output=4, kernel=3),), np.ones(3))
    assert compose(pad, conv, (6,)).count == 10


@pytest.mark.parametrize("by_dimension", [True, False])
@pytest.mark.parametrize(
    ("shape", "after", "order"),
    [
        ((4, 6), (3, 8), (1, 0)),
        ((4, 6), (8, 3), (1, 0)),
        ((2, 3, 4), (4, 3, 2), (2, 0, 1)),
        ((2, 3, 4), (3, 2, 2, 2), (3, 1, 0, 2)),
        ((6, 5), (10, 3), (1, 0)),
        ((3, 4, 5), (60,), (0,)),
        ((60,), (5, 1, 12), (2, 1, 0)),
    ],
)
def test_reshapes_that_carry_between_dimensions(
    shape: tuple[int, ...], after: tuple[int, ...], order: tuple[int, ...], by_dimension: bool
):
    x = numbered_array(shape)
    reshape, transpose = reshaping(shape, after, by_dimension), transposing(after, order)
    block = compose(reshape.block, transpose.block, after)
    assert block.apply(x.ravel(), x.size).tolist() == x.reshape(after).transpose(order).ravel().tolist()
    back = reshaping(transpose.after, shape, by_dimension)
    both = compose(block, back.block, transpose.after)
    assert both.apply(x.ravel(), x.size).tolist() == x.reshape(after).transpose(order).ravel().tolist()
    assert both.is_selection


@pytest.mark.parametrize("by_dimension", [True, False])
def test_a_sum_that_carries_into_a_dimension_that_no_summand_reaches(by_dimension: bool):
    """Offsets 0 and 2, and 0 and 1, within rows of three: only their sum 3 lies in the second row."""
    into = EdgeBlock((ax.relation([0, 2], [0, 2]), ax.relation([0, 1], [0, 1])))
    for out in (
        reshaping((2, 3), (6,), by_dimension).block,
        transposing((2, 3), (1, 0)).block,
        scale_block((2, 3), 0),
        scale_block((2, 3), 1),
    ):
        check_join(into, out, (2, 3), compose(into, out, (2, 3)))
        check_join(out.flipped(), into.flipped(), (2, 3), compose(out.flipped(), into.flipped(), (2, 3)))
        with_more = EdgeBlock((*into.axes, ax.relation([0, 6], [0, 6])))
        more = EdgeBlock((*out.axes, ax.same(2).strided(6, 6)), out.weights)
        check_join(with_more, more, (2, 2, 3), compose(with_more, more, (2, 2, 3)))


def test_depth_to_space_is_two_reshapes_around_a_transpose():
    x = numbered_array((8, 3, 2))
    apart = reshaping((8, 3, 2), (2, 2, 2, 3, 2))
    order = transposing(apart.after, (2, 3, 0, 4, 1))
    together = reshaping(order.after, (2, 6, 4))
    block = compose(compose(apart.block, order.block, apart.after), together.block, order.after)
    expected = x.reshape(2, 2, 2, 3, 2).transpose(2, 3, 0, 4, 1).ravel()
    assert block.apply(x.ravel(), x.size).tolist() == expected.tolist()


def test_both_offsets_of_a_concat_and_a_split():
    """The second part of a concatenation, cut out again, is what was put in."""
    into = EdgeBlock((ax.shift(target=6), ax.same(2).strided(3, 3), ax.same(3).strided(1, 1)))
    out = slicing((4, 3), slice(2, 4), slice(0, 3)).block
    assert sorted(brute(compose(into, out, (4, 3)))) == [(i, i, 1.0) for i in range(6)]
    other = slicing((4, 3), slice(0, 2), slice(0, 3)).block
    assert compose(into, other, (4, 3)).count == 0
    across = slicing((4, 3), slice(1, 3), slice(0, 3)).block
    assert sorted(brute(compose(into, across, (4, 3)))) == [(i, i + 3, 1.0) for i in range(3)]


# ------------------------------------------------------------------------------------------------ chains at random


@st.composite
def chains(draw: st.DrawFn) -> list[Step]:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    chain: list[Step] = []
    for _ in range(draw(st.integers(2, 5))):
        chain.append(draw(steps(shape)))
        shape = chain[-1].after
    return chain


def through(chain: Sequence[Step]) -> np.ndarray:
    """What NumPy makes of 1, 2, 3 … through all steps."""
    return functools.reduce(lambda x, step: moved(step.result, x), chain, numbered_array(chain[0].before))


def composed_forwards(chain: Sequence[Step]) -> EdgeBlock:
    block = chain[0].block
    for step in chain[1:]:
        block = compose(block, step.block, step.before)
    return block


def composed_backwards(chain: Sequence[Step]) -> EdgeBlock:
    block = chain[-1].block
    for step in chain[-2::-1]:
        block = compose(step.block, block, step.after)
    return block


@pytest.mark.slow
@given(chains())
@settings(max_examples=150, deadline=None)
def test_chains_of_moves_do_what_numpy_does(chain: list[Step]):
    x, expected = numbered_array(chain[0].before), through(chain)
    for block in (composed_forwards(chain), composed_backwards(chain)):
        assert block.is_selection
        assert block.count == np.count_nonzero(expected)
        assert block.apply(x.ravel(), expected.size).tolist() == expected.ravel().tolist()


@pytest.mark.slow
@given(chains(), st.data())
@settings(max_examples=60, deadline=None)
def test_chains_onto_a_matrix_and_from_a_matrix(chain: list[Step], data: st.DataObject):
    """Moves before and after a multiplication by weights."""
    x, n = numbered_array(chain[0].before), math.prod(chain[-1].after)
    moves = composed_forwards(chain)
    shape = data.draw(factors(n))
    after = dense_block(n, 2, seed=1)
    check_join(moves, after, shape, compose(moves, after, shape))
    before = dense_block(3, x.size, seed=2)
    check_join(before, moves, x.shape, compose(before, moves, x.shape))


def test_the_steps_themselves_do_what_numpy_does():
    x = numbered_array((2, 3, 4))
    for step, expected in [
        (transposing(x.shape, (2, 0, 1)), x.transpose(2, 0, 1)),
        (reshaping(x.shape, (4, 6)), x.reshape(4, 6)),
        (slicing(x.shape, slice(1, 2), slice(None, None, -2), slice(1, 3)), x[1:2, ::-2, 1:3]),
        (padding(x.shape, (1, 0), (0, 2), (1, 1)), np.pad(x, [(1, 0), (0, 2), (1, 1)])),
    ]:
        assert step.result.tolist() == expected.tolist()
        assert step.after == expected.shape
        assert step.block.apply(x.ravel(), expected.size).tolist() == expected.ravel().tolist()
        wrong = EdgeBlock((step.block.axes[0].strided(1, 1), *step.block.axes[1:], ax.shift(target=1)))
        assert wrong.apply(x.ravel(), expected.size + 1)[: expected.size].tolist() != expected.ravel().tolist()


# --------------------------------------------------------------------------------------------- weights and degenerates


def test_weights_are_multiplied_and_rounded_once():
    a, b = (np.random.default_rng(i).normal(size=6).astype(np.float32) for i in (1, 2))
    first = EdgeBlock((ax.gather(2).strided(1, 0, 3), ax.spread(3).strided(0, 1, 1)), a)
    second = EdgeBlock((ax.gather(3).strided(1, 0, 2), ax.spread(2).strided(0, 1, 1)), b)
    composed = compose(first, second, (3,))
    expected = [(s, t, float(np.float32(w))) for s, t, w in join(brute(first), brute(second))]
    assert sorted(brute(composed)) == sorted(expected)
    assert composed.weights.dtype == np.float32
    double = EdgeBlock(second.axes, second.weights.astype(np.float64))
    assert compose(first, double, (3,)).weights.dtype == np.float64
    assert sorted(brute(compose(first, double, (3,)))) == join(brute(first), brute(second))


def test_a_selection_keeps_the_other_blocks_weights():
    weights = dense_block(6, 2)
    flatten, reverse = reshaping((2, 3), (6,)).block, slicing((2,), slice(None, None, -1)).block
    assert compose(flatten, weights, (6,)).weights is weights.weights
    assert compose(weights, reverse, (2,)).weights is weights.weights


def test_several_paths_between_two_neurons_are_several_edges():
    """1x1 convolutions in a row: a path for each channel in between, none of them lost."""
    composed = compose(dense_block(2, 3), dense_block(3, 2, seed=1), (3,))
    assert composed.count == 12
    assert sorted(brute(composed)) == join(brute(dense_block(2, 3)), brute(dense_block(3, 2, seed=1)))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_value_in_between(shape: tuple[int, ...]):
    into, out = dense_block(3, 1), dense_block(1, 4, seed=1)
    check_join(into, out, shape, compose(into, out, shape))
    one = EdgeBlock((), np.array([3.0], np.float32))
    assert brute(compose(one, one, shape)) == [(0, 0, 9.0)]


def test_empty_blocks_compose_to_empty_blocks():
    empty = EdgeBlock((ax.relation([], []), ax.same(3).strided(1, 1)))
    weighted = EdgeBlock(empty.axes, integers(2))
    for first, second in [
        (empty, dense_block(6, 2)),
        (dense_block(2, 6), empty),
        (weighted, dense_block(6, 2)),
        (dense_block(2, 6), weighted),
        (weighted, weighted),
    ]:
        composed = compose(first, second, (2, 3))
        assert composed.count == 0
        assert list(composed.expand()) == []


# ------------------------------------------------------------------------------------------ it stays a small product

LARGE = cases(scale=6)
PARTS_STAY_APART = {
    name: case
    for name, case in LARGE.items()
    if "groups" not in name and "concat" not in name and "flatten" not in name
}


def entries(block: EdgeBlock) -> int:
    return sum(len(axis) for axis in block.axes)


@pytest.mark.parametrize("case", PARTS_STAY_APART.values(), ids=PARTS_STAY_APART.keys())
def test_no_axis_grows_beyond_those_that_it_is_made_of(case: Case):
    """Channels, rows and columns stay apart: their lengths add up, where multiplied they would be the count."""
    composed = compose(*case)
    assert entries(composed) <= entries(case[0]) + entries(case[1])
    assert composed.count > 20 or entries(composed) < 20


@pytest.mark.parametrize("case", LARGE.values(), ids=LARGE.keys())
def test_the_product_is_small_beside_the_count(case: Case):
    """Also where axes have to be multiplied out, it is those that share a dimension of the tensor in between."""
    first, second, shape = case
    composed = compose(*case)
    sides = 3 * (math.prod(shape) + len(first.covers("source")) + len(second.covers("target")))
    assert entries(composed) <= sides
    assert composed.weights.size <= max(
        first.weights.size, second.weights.size, first.weights.size * second.weights.size // shape[0]
    )


@pytest.mark.parametrize("name", ["pad, conv", "transpose, conv", "conv, scale", "conv, concat along channels"])
def test_a_convolution_stays_one(name: str):
    composed = compose(*LARGE[name])
    assert entries(composed) * 100 < composed.count
    assert sum(1 for axis in composed.axes if len(axis) > 1) == 4, "both channels, rows, columns"


# ---------------------------------------------------------------------------------------------------------- limits


def check_limit(case: Case, limit: int) -> None:
    """Composing works at a limit and not at one less."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composing, "LIMIT", limit)
        check_join(*case, compose(*case))
        patch.setattr(composing, "LIMIT", limit - 1)
        with pytest.raises(NotComposableError):
            compose(*case)


def test_an_axis_that_would_be_multiplied_out_is_limited():
    check_limit((reshaping((4, 6), (3, 8)).block, transposing((3, 8), (1, 0)).block, (3, 8)), 24)


def test_what_is_too_large_to_be_multiplied_out_is_not_tried():
    n = 100_000
    many = EdgeBlock(tuple(ax.same(n).strided(n**i, n**i) for i in (2, 1, 0)))
    with pytest.raises(NotComposableError):
        compose(many, EdgeBlock((ax.shift(source=5),)), (n**3,))
    assert compose(many, many, (n, n, n)).count == n**3, "where the dimensions are apart, nothing is multiplied out"


def test_a_joined_axis_is_limited():
    """Four entries that lead to two positions, and six that leave them: twelve pairs."""
    into, out = ax.relation(range(4), [0, 1, 0, 1]), ax.relation([0, 1, 0, 1, 0, 1], range(6))
    check_limit((EdgeBlock((into,)), EdgeBlock((out,)), (2,)), 12)


def test_the_table_of_weights_is_limited():
    """Two full layers of n to n by n: n³ products of weights."""
    check_limit((dense_block(8, 8), dense_block(8, 8, seed=1), (8,)), 8**3)


def test_a_table_no_larger_than_its_parts_is_never_too_large(monkeypatch: pytest.MonkeyPatch):
    """A scale after a layer makes as many weights as the layer has."""
    monkeypatch.setattr(composing, "LIMIT", 16)
    case = (dense_block(16, 16), scale_block((16,), 0), (16,))
    check_join(*case, compose(*case))


def test_the_limit_is_told_apart():
    case: Case = (reshaping((4, 6), (3, 8)).block, transposing((3, 8), (1, 0)).block, (3, 8))
    for wrong in (23, 30):
        with pytest.raises((NotComposableError, pytest.fail.Exception)):
            check_limit(case, wrong)


def test_two_edges_meet_only_in_one_neuron():
    """A negative control of the join that everything here is held against."""
    first: list[Edge] = [(0, 1, 2.0), (0, 2, 3.0)]
    second: list[Edge] = [(1, 5, 10.0), (3, 5, 10.0), (2, 6, 1.0)]
    assert join(first, second) == [(0, 5, 20.0), (0, 6, 3.0)]
