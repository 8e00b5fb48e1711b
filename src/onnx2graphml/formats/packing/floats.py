"""Lines of edges with a weight of their own each: each is a copy of the one before it but for numbers.

Mostly the last two digits of one id differ, and the weight, which is below 1 and not tiny. Such a line is written
without asking how many digits there are: they are looked up three at once. All other lines are written as they come.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import MOST_BITS, entry, put_bits, put_code, put_two, resumed
from onnx2graphml.formats.copies import (
    copy_and_pair,
    copy_code,
    distance_code,
    put_copy_and_pair,
    put_new,
    put_rest,
    sequence,
)
from onnx2graphml.formats.kernels import gathered
from onnx2graphml.formats.packing.deflate import END
from onnx2graphml.formats.shortest import (
    BEGINNING,
    BEGINNING_LENGTH,
    GROUP,
    find_digits,
    groups,
    put_float,
    put_groups,
)
from onnx2graphml.formats.words import address, copy_step, number_word, put, same_bytes, store_word

GROUP_BITS = 10  # of three digits as a number
BEGINNINGS_APART = 10  # codes from one of `BEGINNINGS` to the next: one for each of its bytes that is left out

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
_ALL_BUT_TWO = _U(0x0000FFFFFFFFFFFF)


@compiled
def put_float_edges(
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
    text: Bytes,
    literal: Ints,
    pair: Ints,
    copied: Ints,
    distance: Ints,
    digits: Ints,
    beginning: Ints,
    packed: Bytes,
    packed_bits: int,
) -> tuple[int, int]:
    """The lines that `edge_lines_of_floats` writes, as text and behind the codes of a block of DEFLATE.

    Args:
        outer_source, …, inner_tap: source and target are ids below 10⁸.
        text: room for the lines.
        literal, pair, copied, distance, packed, packed_bits: as `put_edges` takes them.
        digits, beginning: as `member.Codes` has them.

    Returns:
        The number of bytes of text, and that of the block.
    """
    codes = address(literal), address(pair), address(copied), address(distance), address(digits), address(beginning)
    begin = address(packed)
    at, held, bits = resumed(begin, packed_bits)
    text_at, at, held, bits = _put_float_edges(
        outer_source, outer_target, outer_tap, inner_source, inner_target, inner_tap, weights, constant, start, stop,
        address(text), codes, at, held, bits,
    )  # fmt: skip
    at, held, bits = put_code(at, held, bits, entry(codes[0], END))
    return int(text_at - address(text)), at + (bits + 7) // 8 - begin


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
    line: Bytes,
    sequences: Ints,
    literals: Bytes,
) -> int:
    """The same lines as sequences, and their literals one after the other; the number of sequences.

    Args:
        line: room for one line.
    """
    begin = address(sequences)
    _, at, _, bits = _put_float_edges(
        outer_source, outer_target, outer_tap, inner_source, inner_target, inner_tap, weights, constant, start, stop,
        address(line), None, begin, _U(address(literals)), np.int64(0),
    )  # fmt: skip
    return int((put_rest(at, bits) - begin) // 8)


@numba.njit(nogil=True)
def _put_float_edges(
    outer_source: Any, outer_target: Any, outer_tap: Any, inner_source: Any, inner_target: Any, inner_tap: Any,
    weights: Any, constant: Any, start: Any, stop: Any, at: Any, codes: Any, put_at: Any, held: Any, bits: Any,
) -> Any:  # fmt: skip
    data, inner = address(constant), inner_source.size
    first, second, third, last = data + start[0], data + start[1], data + start[2], data + start[3]
    n_first, n_second, n_third, n_last = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2], stop[3] - start[3]
    values = gathered(outer_tap, inner_tap, weights)
    number, exponent = np.empty(inner, np.uint64), np.empty(inner, np.int64)
    length, kind = np.empty(inner, np.int64), np.empty(inner, np.int64)  # of a weight: its digits, how it begins
    source_moves, target_moves = inner_source.min() < inner_source.max(), inner_target.min() < inner_target.max()
    one_moves = source_moves != target_moves
    source, target, n_source, n_target = _U(0), _U(0), np.int64(0), np.int64(0)  # as text, and how many digits
    copy, far, was = np.int64(0), np.int64(0), np.int64(0)  # what waits to be copied, from where; the last kind
    for o in range(outer_source.size):
        s, t, value = outer_source[o], outer_target[o], values[o]
        find_digits(value, number, exponent, length, kind)
        for i in range(inner):
            source_before, n_source_before, target_before, n_target_before = source, n_source, target, n_target
            if source_moves or i == 0:
                source, n_source = number_word(s + inner_source[_U(i)])
            if target_moves or i == 0:
                target, n_target = number_word(t + inner_target[_U(i)])
            copy_step(at, first)
            source_at = at + n_first
            store_word(source_at, source)
            copy_step(source_at + n_source, second)
            target_at = source_at + n_source + n_second
            store_word(target_at, target)
            copy_step(target_at + n_target, third)
            weight_at = target_at + n_target + n_third
            this, n = kind[_U(i)], length[_U(i)]
            begins, n_begins = BEGINNING[_U(this)], BEGINNING_LENGTH[_U(this)]
            differ = (this ^ was) & 1  # whether the signs do
            same = min(n_begins, BEGINNING_LENGTH[_U(was)]) & (differ - 1)  # 0 if so, without a branch
            moved, before, n_moved, n_before = source, source_before, n_source, n_source_before
            if target_moves:
                moved, before, n_moved, n_before = target, target_before, n_target, n_target_before
            new = (moved ^ before) << _U(64 - 8 * n_moved)
            rest = np.int64(0) if codes is None else entry(codes[5], BEGINNINGS_APART * this + same)
            usual = one_moves and i > 0 and this > 0 and copy > 0 and rest & 0xFF <= MOST_BITS
            if usual and n_moved == n_before and n_moved > 1 and not new & _ALL_BUT_TWO:
                two, there, behind = moved >> _U(8 * n_moved - 16), n_last + n_first + n_source - 2, n_third + same
                if source_moves:
                    behind += n_second + n_target
                else:
                    there += n_second + n_target
                high, middle, low = groups(number[_U(i)], n)
                store_word(weight_at, begins)
                put_groups(weight_at + n_begins, high, middle, low)
                end = weight_at + n_begins + n
                if codes is None:
                    put_at, held, bits = put_copy_and_pair(
                        codes, put_at, held, bits, there, far, _U(0), np.int64(0), two, new >> _U(48)
                    )
                    store_word(put_at, sequence(bits, behind, far))
                    store_word(np.int64(held), begins >> _U(8 * same & 63))
                    put_groups(np.int64(held) + n_begins - same, high, middle, low)
                    bits = n_begins - same + n
                    put_at, held = put_at + 8, held + _U(bits)
                else:
                    code, code_bits = distance_code(codes, far)
                    one, one_bits = copy_code(codes, there, code, code_bits)
                    one, one_bits = copy_and_pair(codes, one, one_bits, two)
                    other, other_bits = copy_code(codes, behind, code, code_bits)
                    put_at, held, bits = put_two(put_at, held, bits, one, one_bits, other, other_bits)
                    one, one_bits = _digit_codes(codes, n, high)
                    other, other_bits = _digit_codes(codes, n - GROUP, middle)
                    one, one_bits = one | (other << _U(one_bits)), one_bits + other_bits
                    put_at, held, bits = put_two(put_at, held, bits, _U(rest >> 8), rest & 0xFF, one, one_bits)
                    one, one_bits = _digit_codes(codes, n - 2 * GROUP, low)
                    put_at, held, bits = put_bits(put_at, held, bits, one, one_bits)
            else:
                end = put_float(weight_at, _U(value[_U(i)]), number[_U(i)], exponent[_U(i)], n, this)
                if far:
                    same = _same(source ^ source_before, n_source, n_source_before)
                    copy += n_first + same
                    put_at, held, bits = put_new(
                        codes, put_at, held, bits, source_at + same, copy, far, n_source - same
                    )
                    far += n_source - n_source_before
                    copy = n_second + n_target
                    if target != target_before:
                        same = _same(target ^ target_before, n_target, n_target_before)
                        copy = n_second + same
                        put_at, held, bits = put_new(
                            codes, put_at, held, bits, target_at + same, copy, far, n_target - same
                        )
                        far += n_target - n_target_before
                        copy = np.int64(0)
                    copy += n_third
                    put_at, held, bits = put_new(codes, put_at, held, bits, weight_at, copy, far, end - weight_at)
            end = put(end, last, n_last)
            copy = n_last if far else np.int64(0)
            if not far:
                put_at, held, bits = put_new(codes, put_at, held, bits, at, copy, far, end - at)
            was, far = this, end - at
            if codes is not None:
                at = end
    if copy:
        put_at, held, bits = put_new(codes, put_at, held, bits, at, copy, far, np.int64(0))
    return at, put_at, held, bits


@numba.njit(nogil=True, forceinline=True)
def _digit_codes(codes: Any, n: Any, digits: Any) -> Any:
    """The codes of the first n of three digits, of none if n is less, and their number of bits."""
    code = entry(codes[4], (max(min(n, GROUP), 0) << GROUP_BITS) + np.int64(digits))
    return _U(code >> 8), code & 0xFF


@numba.njit(nogil=True, forceinline=True)
def _same(new: Any, n: Any, other: Any) -> Any:
    """With how many of the same bytes two words begin that have so many bytes."""
    return min(same_bytes(new), min(n, other))
