"""Lines of edges as copies of earlier ones, from what they are made of: numbers, and weights that have been text.

Each line is a copy of an earlier one but for some last digits of source and target, and for its weight if that has not
stood there of late. Which line that is, is known from the weight; how many digits, from the numbers. So the copies are
found without looking at text.

The copies are either written as DEFLATE at once, with the text, for its checksum, or kept as sequences, without: see
`copies`.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import entry, put_code, put_two, resumed
from onnx2graphml.formats.copies import (
    copy_and_pair,
    copy_code,
    distance_code,
    put_bytes,
    put_copy,
    put_copy_and_pair,
    put_word,
)
from onnx2graphml.formats.packing.deflate import END
from onnx2graphml.formats.words import (
    FOUR_DIGITS,
    address,
    copy_step,
    copy_wide,
    digits_word,
    leading_zeros,
    number_word,
    same_bytes,
    store_word,
)

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
RECORD = 64  # bytes of what stands between two numbers


@compiled
def put_edges(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    back: Ints,
    near: Ints,
    second: Bytes,
    records: Bytes,
    record_size: Ints,
    sizes: Ints,
    out: Bytes,
    literal: Ints,
    pair: Ints,
    copied: Ints,
    distance: Ints,
    packed: Bytes,
    packed_bits: int,
) -> tuple[int, int]:
    """A line for every sum of an outer and an inner entry, as text and behind the codes of a block of DEFLATE.

    Args:
        outer_source, …, inner_tap: source and target are ids below 10⁸; taps are numbers of records.
        back: by inner entry, how many entries before it there is one with the same tap; 0 for none that is near.
        near: the same where it is as much as for the entry before, otherwise 0.
        second: the text between source and target.
        records, record_size: the text from a target to the next line's source, by tap, each at a multiple of `RECORD`;
            all of them of at most `sizes[3]` such multiples.
        sizes: bytes of the text before a source, between both, before and behind a weight; multiples a record.
        out: room for the lines, which begins with the text before the first source.
        literal, copied, distance: the codes.
        pair: those of two digits, by the first and sixteen times the second; at most 14 bits.
        packed, packed_bits: where the codes have been written, and their number of bits.

    Returns:
        The number of bytes of text, and that of the block.
    """
    codes = address(literal), address(pair), address(copied), address(distance)
    begin = address(packed)
    at, held, bits = resumed(begin, packed_bits)
    size, at, held, bits = _put_edges(
        outer_source, outer_target, outer_tap, inner_source, inner_target, inner_tap, back, near, second, records,
        record_size, sizes, out, codes, at, held, bits,
    )  # fmt: skip
    at, held, bits = put_code(at, held, bits, entry(codes[0], END))
    return size, at + (bits + 7) // 8 - begin


@compiled
def edge_sequences(
    outer_source: Ints,
    outer_target: Ints,
    outer_tap: Ints,
    inner_source: Ints,
    inner_target: Ints,
    inner_tap: Ints,
    back: Ints,
    near: Ints,
    second: Bytes,
    records: Bytes,
    record_size: Ints,
    sizes: Ints,
    out: Bytes,
    sequences: Ints,
    literals: Bytes,
) -> int:
    """The same lines as sequences, and their literals one after the other; the number of sequences.

    Args:
        out: room for the first line.
    """
    begin = address(sequences)
    _, at, _, _ = _put_edges(
        outer_source, outer_target, outer_tap, inner_source, inner_target, inner_tap, back, near, second, records,
        record_size, sizes, out, None, begin, _U(address(literals)), np.int64(0),
    )  # fmt: skip
    return int((at - begin) // 8)


@numba.njit(nogil=True)
def _put_edges(
    outer_source: Any, outer_target: Any, outer_tap: Any, inner_source: Any, inner_target: Any, inner_tap: Any,
    back: Any, near: Any, second: Any, records: Any, record_size: Any, sizes: Any, out: Any,
    codes: Any, put_at: Any, held: Any, bits: Any,
) -> Any:  # fmt: skip
    between, record, record_sizes = address(second), address(records), address(record_size)
    n_first, n_second, n_third, n_last, steps = sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]
    base = address(out)
    n = inner_source.size
    # Of a row's lines, and at the end of the last line of the row before: their numbers, and where they begin.
    source_words, target_words = np.zeros(n + 1, np.uint64), np.zeros(n + 1, np.uint64)
    starts = np.zeros(n + 1, np.int64)
    low_source, high_source = inner_source.min(), inner_source.max()
    low_target, high_target = inner_target.min(), inner_target.max()
    at = base + n_first
    copy, far, other = np.int64(0), np.int64(0), np.int64(n)  # what is being copied: bytes, distance, of which line
    code, code_bits, inner_code, inner_bits = _U(0), np.int64(0), _U(0), np.int64(0)  # of the last distance
    put_at, held, bits = put_bytes(codes, put_at, held, bits, base, n_first)
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        n_source, n_target = number_word(s + low_source)[1], number_word(t + low_target)[1]
        source_base, target_base = (s + low_source) // 10_000 * 10_000, (t + low_target) // 10_000 * 10_000
        source_begin, target_begin = digits_word(source_base), digits_word(target_base)
        # Whether all numbers of the row are as long, and differ in the last four of eight digits alone.
        even = number_word(s + high_source)[1] == n_source and number_word(t + high_target)[1] == n_target
        even = even and s + high_source - source_base < 10_000 and t + high_target - target_base < 10_000
        even = even and n_source > 1 and n_target > 1
        source_shift, target_shift = _U(64 - 8 * n_source), _U(64 - 8 * n_target)
        source_last, target_last = _U(8 * max(n_source - 2, 0)), _U(8 * max(n_target - 2, 0))
        source_mask, target_mask = (_U(1) << source_last) - _U(1), (_U(1) << target_last) - _U(1)
        n_inner, known = n_second + n_target - 2, np.int64(-1)
        for i in range(n):
            tap = k + inner_tap[_U(i)]
            text, size = record + tap * (RECORD * steps), entry(record_sizes, tap)
            step = near[_U(i)]
            resembling = i - step
            source, target = _U(0), _U(0)
            if even:
                source = _with_last_digits(source_begin, s - source_base + inner_source[_U(i)]) >> source_shift
                target = _with_last_digits(target_begin, t - target_base + inner_target[_U(i)]) >> target_shift
            new_source, new_target = source ^ source_words[_U(resembling)], target ^ target_words[_U(resembling)]
            if even and step and not (new_source & source_mask | new_target & target_mask):
                # The line behind the one that the last line is a copy of, and as long: the copy goes on.
                other = resembling
                here = at + n_source + n_second + n_target
                if codes is not None:
                    _put_text(at, source, n_source, between, n_second, target, n_target, text, steps)
                far = at - starts[_U(other)]
                if far != known:
                    code, code_bits = distance_code(codes, far)
                    known = far
                    inner_code, inner_bits = copy_code(codes, n_inner, code, code_bits)
                copy += n_source - 2
                outer_code, outer_bits = copy_code(codes, copy, code, code_bits)
                pair, other_pair = source >> source_last, target >> target_last
                if codes is None:
                    put_at, held, bits = put_copy_and_pair(
                        codes, put_at, held, bits, copy, far, outer_code, outer_bits, pair, new_source >> source_last
                    )
                    put_at, held, bits = put_copy_and_pair(
                        codes, put_at, held, bits, n_inner, far, inner_code, inner_bits, other_pair,
                        new_target >> target_last,
                    )  # fmt: skip
                else:
                    first, first_bits = copy_and_pair(codes, outer_code, outer_bits, pair)
                    then, then_bits = copy_and_pair(codes, inner_code, inner_bits, other_pair)
                    put_at, held, bits = put_two(put_at, held, bits, first, first_bits, then, then_bits)
                copy = size
            else:
                step = back[i]
                source, this_source = number_word(s + inner_source[i])
                target, this_target = number_word(t + inner_target[i])
                here = at + this_source + n_second + this_target
                if codes is not None or at == base + n_first:
                    _put_text(at, source, this_source, between, n_second, target, this_target, text, steps)
                following = other + 1 if other < n else np.int64(0)
                other = np.int64(i - step if step else i - 1 if i else n)
                new_source, new_target = source ^ source_words[_U(following)], target ^ target_words[_U(other)]
                if copy:
                    alike = min(same_bytes(new_source), this_source)
                    put_at, held, bits = put_copy(codes, put_at, held, bits, copy + alike, far)
                else:  # this is the first line, or the one behind it
                    alike = np.int64(0)
                word = source >> _U(alike * 8)
                put_at, held, bits = put_word(codes, put_at, held, bits, word, this_source - alike)
                if at == base + n_first:
                    new = at + this_source
                    put_at, held, bits = put_bytes(codes, put_at, held, bits, new, here + size - new)
                else:
                    there = starts[_U(other)] + _length(source_words[_U(other)])
                    far = at + this_source - there
                    alike = min(same_bytes(new_target), this_target)
                    copy = n_second + alike
                    if new_target:
                        put_at, held, bits = put_copy(codes, put_at, held, bits, copy, far)
                        word = target >> _U(alike * 8)
                        put_at, held, bits = put_word(codes, put_at, held, bits, word, this_target - alike)
                        copy, there = np.int64(0), there + n_second + _length(target_words[_U(other)])
                        far = here - there
                    copy += size
                    if not step:
                        copy += n_third - size
                        put_at, held, bits = put_copy(codes, put_at, held, bits, copy, far)
                        new = size - n_third - n_last - n_first
                        put_at, held, bits = put_bytes(codes, put_at, held, bits, text + n_third, new)
                        copy, far = n_last + n_first, here + size - at
            source_words[_U(i)], target_words[_U(i)], starts[_U(i)] = source, target, at
            at = here + size
        source_words[n], target_words[n], starts[n] = source_words[n - 1], target_words[n - 1], starts[n - 1]
    put_at, held, bits = put_copy(codes, put_at, held, bits, copy - n_first, far)
    return at - base - n_first, put_at, held, bits


@numba.njit(nogil=True, forceinline=True)
def _with_last_digits(word: Any, number: Any) -> Any:
    """Eight digits of which the last four are those of a number, and the others of a word."""
    return (word & _U(0xFFFFFFFF)) | (_U(FOUR_DIGITS[_U(number)]) << _U(32))


@numba.njit(nogil=True, forceinline=True)
def _put_text(
    at: Any, source: Any, n_source: Any, between: Any, n_second: Any, target: Any, n_target: Any, text: Any, steps: Any
) -> None:
    """Write source, text, target and a record."""
    store_word(at, source)
    copy_step(at + n_source, between)
    store_word(at + n_source + n_second, target)
    here = at + n_source + n_second + n_target
    copy_wide(here, text)
    if steps > 1:
        copy_wide(here + RECORD, text + RECORD)


@numba.njit(nogil=True, forceinline=True)
def _length(word: Any) -> Any:
    """The number of bytes up to the last that is not zero."""
    return 8 - np.int64(leading_zeros(word) >> _U(3))
