"""Axes against their definitions, over all small parameters."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onnx2graphml.errors import TooLargeError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.model.limits import Budget, within
from oracle import window_outputs

WINDOWS = list(itertools.product(range(1, 6), range(1, 4), range(1, 4), range(1, 3), range(3)))
"""Input, kernel, stride, dilation and padding."""

Triple = tuple[int, int, int]


def triples(axis: Axis) -> list[Triple]:
    return list(zip(axis.source.tolist(), axis.target.tolist(), axis.tap.tolist(), strict=True))


def slide(input: int, output: int, kernel: int, stride: int, dilation: int, pad: int) -> list[Triple]:
    """A picture with padding written around it, and a window that is laid on it."""
    picture = [None] * pad + list(range(input)) + [None] * (output * stride + kernel * dilation)
    return [
        (pixel, o, k)
        for o in range(output)
        for k, pixel in enumerate(picture[o * stride :: dilation][:kernel])
        if pixel is not None
    ]


def test_windows_are_those_laid_on_a_padded_picture():
    for input, kernel, stride, dilation, pad in WINDOWS:
        for output in range(6):
            got = ax.window(input, output, kernel, stride, dilation, pad)
            assert triples(got) == slide(input, output, kernel, stride, dilation, pad), (input, kernel, stride)


@pytest.mark.parametrize("parameter", range(6))
def test_a_window_that_is_laid_elsewhere_is_told_apart(parameter: int):
    rights = [(input, 3, *others) for input, *others in WINDOWS]
    wrongs = [[n + (i == parameter) for i, n in enumerate(right)] for right in rights]
    assert any(triples(ax.window(*right)) != slide(*wrong) for right, wrong in zip(rights, wrongs, strict=True))


def test_a_window_is_made_of_what_lies_inside_alone():
    """Of a kernel of a million on one position, with as much padding: no array of all taps at all outputs."""
    axis = ax.window(1, 1_000_000, 1_000_000, pad=999_999)
    assert len(axis) == 1_000_000
    assert np.array_equal(axis.tap, 999_999 - axis.target)
    said = "run along 1,000,000,000,000 positions, which take 24,000,000 MB; a model of its size may take 100 MB"
    with within(Budget(0)), pytest.raises(TooLargeError, match=said):
        ax.window(2_000_000, 1_000_000, 1_000_000)


@given(st.lists(st.integers(-5, 5)))
def test_distinct_positions(positions: list[int]) -> None:
    array = np.array(positions, np.int64)
    assert ax.distinct(array).tolist() == sorted(set(positions))
    assert ax.are_distinct(array) == (len(set(positions)) == len(positions))


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_window_without_padding_is_numpys_sliding_window(stride: int):
    for input, kernel in itertools.product(range(1, 6), range(1, 4)):
        if kernel <= input:
            view = np.lib.stride_tricks.sliding_window_view(np.arange(input), kernel)[::stride]
            axis = ax.window(input, len(view), kernel, stride)
            assert axis.source.tolist() == view.ravel().tolist()


def test_every_entry_of_a_window_lies_inside():
    for input, kernel, stride, dilation, pad in WINDOWS:
        (output,) = window_outputs([input], [kernel], [stride], [dilation], [pad])
        axis = ax.window(input, output, kernel, stride, dilation, pad)
        assert all(0 <= s < input and 0 <= t < output and 0 <= k < kernel for s, t, k in triples(axis))
        assert len(set(triples(axis))) == len(axis)
        assert len({(t, k) for _, t, k in triples(axis)}) == len(axis), "one pixel for a place of a window"


@pytest.mark.parametrize("n", range(6))
def test_same_gather_and_spread(n: int):
    assert triples(ax.same(n)) == [(i, i, i) for i in range(n)]
    assert triples(ax.gather(n)) == [(i, 0, i) for i in range(n)]
    assert triples(ax.spread(n)) == [(0, i, i) for i in range(n)]
    assert triples(ax.gather(n).flipped()) == triples(ax.spread(n))
    assert len(ax.same(n)) == len(ax.gather(n)) == len(ax.spread(n)) == n


def test_shift_is_one_entry():
    assert triples(ax.shift()) == [(0, 0, 0)]
    assert triples(ax.shift(source=3)) == [(3, 0, 0)]
    assert triples(ax.shift(target=4)) == [(0, 4, 0)]


def test_relation_broadcasts_to_one_length():
    assert triples(ax.relation([3, 1], 5)) == [(3, 5, 0), (1, 5, 0)]
    assert triples(ax.relation(2, range(3), [7, 8, 9])) == [(2, 0, 7), (2, 1, 8), (2, 2, 9)]
    assert triples(ax.relation([], 4)) == []
    with pytest.raises(ValueError, match="broadcast"):
        ax.relation([1, 2], [1, 2, 3])


@pytest.mark.parametrize(
    "axis",
    [ax.same(2), ax.gather(2), ax.spread(2), ax.shift(1), ax.window(3, 3, 2), ax.relation(np.int32([1, 2]), 0)],
    ids=["same", "gather", "spread", "shift", "window", "relation"],
)
def test_positions_are_int64_vectors(axis: Axis):
    for made in (axis, axis.strided(2, 3, 4), axis.flipped(), axis[:1], ax.product([axis, axis]), ax.product([])):
        for array in (made.source, made.target, made.tap):
            assert array.dtype == np.int64
            assert array.ndim == 1


def test_an_axis_of_several_lengths_is_refused():
    one, two = np.zeros(1, np.int64), np.zeros(2, np.int64)
    for lengths in itertools.product([one, two], repeat=3):
        if len({len(a) for a in lengths}) > 1:
            with pytest.raises(ValueError, match=r"of one length, got \d, \d, \d"):
                Axis(*lengths)
    assert len(Axis(two, two, two)) == 2


@st.composite
def small_axes(draw: st.DrawFn) -> Axis:
    entries = draw(st.lists(st.tuples(*[st.integers(0, 9)] * 3), max_size=5))
    return Axis(*(np.array([e[i] for e in entries], np.int64) for i in range(3)))


@given(small_axes(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_strided_multiplies_and_flipped_exchanges(axis: Axis, s: int, t: int, k: int):
    assert triples(axis.strided(s, t, k)) == [(a * s, b * t, c * k) for a, b, c in triples(axis)]
    assert triples(axis.strided(s, t)) == [(a * s, b * t, 0) for a, b, _ in triples(axis)]
    assert triples(axis.flipped()) == [(b, a, c) for a, b, c in triples(axis)]
    assert triples(axis.flipped().flipped()) == triples(axis)


@given(small_axes(), st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_taking_entries_is_taking_them_from_a_list(axis: Axis, a: int, b: int):
    assert triples(axis[a:b]) == triples(axis)[a:b]
    assert triples(axis[axis.source > a]) == [e for e in triples(axis) if e[0] > a]
    reverse = np.arange(len(axis), dtype=np.int64)[::-1]
    assert triples(axis[reverse]) == triples(axis)[::-1]


@given(st.lists(small_axes(), max_size=4))
@settings(max_examples=100, deadline=None)
def test_product_is_all_combinations_the_last_fastest(axes: list[Axis]):
    expected = [
        tuple(sum(entry[side] for entry in choice) for side in range(3))
        for choice in itertools.product(*map(triples, axes))
    ]
    assert triples(ax.product(axes)) == expected
    for side, name in enumerate(("source", "target", "tap")):
        assert ax.outer_sum([getattr(a, name) for a in axes]).tolist() == [e[side] for e in expected]


@given(small_axes(), small_axes(), small_axes())
@settings(max_examples=40, deadline=None)
def test_product_is_associative_and_has_a_unit(a: Axis, b: Axis, c: Axis):
    assert triples(ax.product([ax.product([a, b]), c])) == triples(ax.product([a, ax.product([b, c])]))
    assert triples(ax.product([a, ax.shift()])) == triples(a) == triples(ax.product([ax.shift(), a]))


@given(st.lists(st.integers(1, 5), max_size=5))
@settings(max_examples=60, deadline=None)
def test_strides_are_row_major(shape: list[int]):
    assert ax.strides(shape) == tuple(s // 8 for s in _c_strides(shape))
    positions = [sum(i * s for i, s in zip(index, ax.strides(shape), strict=True)) for index in np.ndindex(*shape)]
    assert positions == list(range(math.prod(shape)))


def _c_strides(shape: list[int]) -> tuple[int, ...]:
    return np.empty(shape, np.float64).strides
