"""Lines of edges with a weight of their own each, as sequences: each is a copy of the one before it but for numbers.

What is copied follows from the numbers: their digits up to the first that differs. The text is put together only where
it is asked for.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.copies import sequence
from onnx2graphml.formats.shortest import find_digits, put_float
from onnx2graphml.formats.words import (
    STEP,
    address,
    copy_step,
    load_word,
    number_word,
    put,
    same_bytes,
    store_word,
)

ROOM = 128  # bytes in which a float is put together

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@compiled
def float_edge_sequences(
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
    sequences: Ints,
    literals: Bytes,
    text: Bytes,
) -> tuple[int, int, int]:
    """The lines that `edge_lines_of_floats` writes, as sequences and literals; how many of both, and bytes of text.

    Args:
        outer_source, …, inner_tap: source and target are ids below 10⁸.
        text: room for the lines, or empty: then there is none.
    """
    data, begin, first_literal = address(constant), address(sequences), address(literals)
    n_first, n_second, n_third, n_last = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2], stop[3] - start[3]
    inner = inner_source.size
    bits, number, exponent = np.empty(inner, np.uint32), np.empty(inner, np.uint64), np.empty(inner, np.int64)
    weight = address(np.empty(ROOM, np.uint8))
    has_text, line = text.size > 0, address(text)
    at, new_at, new = (
        begin,
        first_literal,
        np.int64(0),
    )  # where sequences and literals go, and how many have no copy yet
    source_word, target_word, weight_word = _U(0), _U(0), _U(0)  # of the line before
    n_source, n_target, n_weight, far = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner):
            bits[i] = weights[_U(k + inner_tap[i])]
        find_digits(bits, number, exponent)
        for i in range(inner):
            source, this_source = number_word(s + inner_source[i])
            target, this_target = number_word(t + inner_target[i])
            this_weight = put_float(weight, _U(bits[i]), number[i], exponent[i]) - weight
            if has_text:
                copy_step(line, data + start[0])
                store_word(line + n_first, source)
                line += n_first + this_source
                copy_step(line, data + start[1])
                store_word(line + n_second, target)
                line += n_second + this_target
                copy_step(line, data + start[2])
                line = put(line + n_third, weight, this_weight)
                line = put(line, data + start[3], n_last)
            if not n_source:  # the first line
                new_at = put(first_literal, data + start[0], n_first)
                store_word(new_at, source)
                new_at = put(new_at + this_source, data + start[1], n_second)
                store_word(new_at, target)
                new_at = put(new_at + this_target, data + start[2], n_third)
                new_at = put(new_at, weight, this_weight)
                new_at = put(new_at, data + start[3], n_last)
                new_at = put(new_at, data + start[0], n_first)
                new, weight_word = new_at - first_literal, load_word(weight)
            else:
                same = _same(source ^ source_word, this_source, n_source)
                if far:
                    store_word(at, sequence(new, n_last + n_first + same, far))
                    at, new = at + 8, np.int64(0)
                else:  # the second
                    same = np.int64(0)
                    far = n_last + n_first + n_source + n_second + n_target + n_third + n_weight
                store_word(new_at, source >> _U(8 * same))
                new_at, new = new_at + this_source - same, new + this_source - same
                far += this_source - n_source
                if target != target_word:
                    same = _same(target ^ target_word, this_target, n_target)
                    store_word(at, sequence(new, n_second + same, far))
                    store_word(new_at, target >> _U(8 * same))
                    at, new_at, new = at + 8, new_at + this_target - same, this_target - same
                    far, copy = far + this_target - n_target, n_third
                else:
                    copy = n_second + this_target + n_third
                word = load_word(weight)
                same = _same(word ^ weight_word, this_weight, n_weight)
                store_word(at, sequence(new, copy + same, far))
                copy_step(new_at, weight + same)
                copy_step(new_at + STEP, weight + same + STEP)
                at, new_at, new = at + 8, new_at + this_weight - same, this_weight - same
                weight_word = word
            if far:
                far = n_last + n_first + this_source + n_second + this_target + n_third + this_weight
            source_word, target_word = source, target
            n_source, n_target, n_weight = this_source, this_target, this_weight
    store_word(at, sequence(new, n_last, far))
    return int((at + 8 - begin) // 8), int(new_at - first_literal), int(line - address(text))


@numba.njit(nogil=True, forceinline=True)
def _same(new: Any, n: Any, other: Any) -> Any:
    """With how many of the same bytes two words begin that have so many bytes."""
    return min(same_bytes(new), min(n, other))
