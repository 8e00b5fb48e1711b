"""The compiled loops that write lines of text. Imported only where there are many to write: see `render`.

A line is a few pieces of constant text, numbers and weights. Each loop writes into a buffer that its caller has made
large enough. It copies in steps of constant size, so up to `render.SLACK` bytes beyond the end may be overwritten.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.shortest import find_digits, put_float
from onnx2graphml.formats.words import STEP, address, copy_step, put, put_number

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@compiled
def edge_lines(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    weights: Bytes,
    weight_start: Ints,
    weight_stop: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """A line for every sum of an outer and an inner entry: piece, source, piece, target, piece, weight, piece.

    Args:
        outer_source, …, inner_tap: source and target are ids, at least 0 and below 10¹⁶.
        weights, weight_start, weight_stop: `Texts` by tap, each at most `render.FLOAT` bytes long.
        constant, start, stop: `Texts`, four; the first three at most `STEP` bytes long.
        out: room for that, with `render.NUMBER` bytes a number and `render.FLOAT` a weight, and `render.SLACK`.

    Returns:
        The number of bytes written.
    """
    data, weight, at = address(constant), address(weights), address(out)
    first, second, third, last = data + start[0], data + start[1], data + start[2], data + start[3]
    n_first, n_second, n_third, n_last = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2], stop[3] - start[3]
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner_source.size):
            source, target = s + inner_source[i], t + inner_target[i]
            at = _put_ends(at, first, n_first, source, second, n_second, target, third, n_third)
            tap = np.uint64(k + inner_tap[i])  # unsigned: never an index from the end
            begin = weight_start[tap]
            copy_step(at, weight + begin)
            copy_step(at + STEP, weight + begin + STEP)
            at = put(at + weight_stop[tap] - begin, last, n_last)
    return int(at - address(out))


@compiled
def edge_lines_with_terms(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    outer_term: Ints,
    inner_term: Ints,
    weights: Bytes,
    weight_start: Ints,
    weight_stop: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """As `edge_lines`, with the term and a fifth piece behind the weight's."""
    data, weight, at = address(constant), address(weights), address(out)
    first, second, third = data + start[0], data + start[1], data + start[2]
    fourth, last = data + start[3], data + start[4]
    n_first, n_second, n_third = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2]
    n_fourth, n_last = stop[3] - start[3], stop[4] - start[4]
    for o in range(outer_source.size):
        s, t, k, m = outer_source[o], outer_target[o], outer_tap[o], outer_term[o]
        for i in range(inner_source.size):
            source, target = s + inner_source[i], t + inner_target[i]
            at = _put_ends(at, first, n_first, source, second, n_second, target, third, n_third)
            tap = k + inner_tap[i]
            at = put(at, weight + weight_start[tap], weight_stop[tap] - weight_start[tap])
            at = put(at, fourth, n_fourth)
            at = put_number(at, m + inner_term[i])
            at = put(at, last, n_last)
    return int(at - address(out))


@compiled
def edge_lines_of_floats(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    weights: npt.NDArray[np.uint32],
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """As `edge_lines`, with the weights as the bits of float32 by tap: faster where each is used but once or so."""
    data, at = address(constant), address(out)
    first, second, third, last = data + start[0], data + start[1], data + start[2], data + start[3]
    n_first, n_second, n_third, n_last = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2], stop[3] - start[3]
    inner = inner_source.size
    rows = gathered(outer_tap, inner_tap, weights)
    number, exponent = np.empty(inner, np.uint64), np.empty(inner, np.int64)
    length, kind = np.empty(inner, np.int64), np.empty(inner, np.int64)
    for o in range(outer_source.size):
        s, t, bits = outer_source[o], outer_target[o], rows[o]
        find_digits(bits, number, exponent, length, kind)
        for i in range(inner):
            source, target = s + inner_source[i], t + inner_target[i]
            at = _put_ends(at, first, n_first, source, second, n_second, target, third, n_third)
            at = put_float(at, np.uint64(bits[i]), number[i], exponent[i], length[i], kind[i])
            at = put(at, last, n_last)
    return int(at - address(out))


@numba.njit(nogil=True)
def gathered(outer_tap: Any, inner_tap: Any, weights: Any) -> Any:
    """The weights of every sum of an outer and an inner tap, (outer, inner).

    Those that are near each other one after the other: each page of memory is looked up once.
    """
    outer, inner = outer_tap.size, inner_tap.size
    found = np.empty((outer, inner), np.uint32)
    if outer > 1 and inner > 1 and abs(outer_tap[1] - outer_tap[0]) < abs(inner_tap[1] - inner_tap[0]):
        for i in range(inner):
            for o in range(outer):
                found[o, i] = weights[np.uint64(outer_tap[o] + inner_tap[i])]
    else:
        for o in range(outer):
            for i in range(inner):
                found[o, i] = weights[np.uint64(outer_tap[o] + inner_tap[i])]
    return found


@numba.njit(nogil=True)
def _put_ends(
    at: Any, first: Any, n_first: Any, source: Any, second: Any, n_second: Any, target: Any, third: Any, n_third: Any
) -> Any:
    """Write piece, source, piece, target, piece; the address behind it."""
    copy_step(at, first)
    at = put_number(at + n_first, source)
    copy_step(at, second)
    at = put_number(at + n_second, target)
    copy_step(at, third)
    return at + n_third


@compiled
def lines(
    numbers: Ints,
    texts: Bytes,
    text_start: Ints,
    text_stop: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """A line for every row of `numbers`: a piece before each number and each text, and a piece at the end.

    Args:
        numbers: (lines, count), at least 0 and below 10¹⁶.
        texts, text_start, text_stop: `Texts`, but (lines, more): so many of each line.
        constant, start, stop: `Texts`, count + more + 1.
        out: room for that, with `render.NUMBER` bytes a number and `render.FLOAT` a text, and `render.SLACK`.

    Returns:
        The number of bytes written.
    """
    lines, count = numbers.shape
    more = text_start.shape[1]
    data, text, at = address(constant), address(texts), address(out)
    for line in range(lines):
        for k in range(count):
            at = put(at, data + start[k], stop[k] - start[k])
            at = put_number(at, numbers[line, k])
        for k in range(more):
            at = put(at, data + start[count + k], stop[count + k] - start[count + k])
            at = put(at, text + text_start[line, k], text_stop[line, k] - text_start[line, k])
        at = put(at, data + start[count + more], stop[count + more] - start[count + more])
    return int(at - address(out))
