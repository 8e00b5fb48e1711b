"""The compiled loop that writes the lines of a layer's neurons, and tells what of each is new beside the line before.

From one neuron to the next, id and last coordinate grow by one. While only their last two digits do, the lines form a
run: each is the first one's text with a few digits in it, and its copies are as long as those of the line before.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import put_bits
from onnx2graphml.formats.copies import (
    LONGEST_COPY,
    SHORTEST,
    copy_code,
    distance_code,
    put_copy,
    put_copy_and_pair,
    put_literal,
    put_new,
)
from onnx2graphml.formats.words import (
    FOUR_DIGITS,
    WIDE,
    address,
    copy_wide,
    digits_word,
    load_word,
    number_word,
    put,
    same_bytes,
    store_word,
)

ID = 0  # among a neuron's numbers; its coordinates follow

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@compiled
def node_lines(
    place: Ints,
    shape: Ints,
    shown: Ints,
    count: int,
    text: Bytes,
    text_start: Ints,
    text_stop: Ints,
    text_first: Ints,
    text_stride: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """A line for every neuron: a piece before each number and each text, and a piece at the end.

    Args:
        place: the first neuron's id, and its coordinates; ids are at least 0 and below 10¹⁶.
        shape: that of the layer, one dimension or more.
        shown: the numbers in a line, `ID` or one more than a dimension.
        count: how many neurons, at least 1.
        text, text_start, text_stop: `Texts`, each at most `render.FLOAT` bytes long.
        text_first, text_stride: (more,) and (more, dimensions): a text of the line with coordinates c has the number
            `text_first[i] + text_stride[i] @ c`.
        constant, start, stop: `Texts`, as many as numbers and texts of a line, and one more.
        out: room for that, with `render.NUMBER` bytes a number and `render.FLOAT` a text, and `render.SLACK`.

    Returns:
        The number of bytes written.
    """
    at, _, _, _ = put_node_lines(
        place, shape, shown, count, text, text_start, text_stop, text_first, text_stride, constant, start, stop,
        address(out), None, None, np.int64(0), _U(0), np.int64(0),
    )  # fmt: skip
    return int(at - address(out))


@numba.njit(nogil=True)
def put_node_lines(
    place: Any, shape: Any, shown: Any, count: Any, texts: Any, text_start: Any, text_stop: Any, text_first: Any,
    text_stride: Any, constant: Any, start: Any, stop: Any, at: Any,
    packs: Any, codes: Any, put_at: Any, held: Any, bits: Any,
) -> Any:  # fmt: skip
    """The lines, from an address.

    Args:
        packs: None where the text alone is wanted.
        codes, put_at, held, bits: how copies and new bytes are written, and where: see `copies`.

    Returns:
        Where the text ends, and the last three anew.
    """
    n, more, last = shown.size, text_first.size, shape.size
    data, text = address(constant), address(texts)
    now, before = place.copy(), np.full(more, -1, np.int64)  # id and coordinates; the texts of the line before
    low, high, size = np.zeros(n, np.uint64), np.zeros(n, np.uint64), np.zeros(n, np.int64)
    offset = np.zeros(n, np.int64)  # of a number in its line
    in_runs = not text_stride[:, last - 1].any()
    where, width, grown = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)  # see `_find_grown`
    behind, gap = np.zeros(n, np.uint64), np.zeros(n, np.int64)
    code, code_bits = np.zeros(n, np.uint64), np.zeros(n, np.int64)  # of copies
    copy, far, changed, done = np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    while done < count:
        begin = at
        for k in range(n):
            length = stop[k] - start[k]
            at = put(at, data + start[k], length)
            offset[k] = at - begin
            if shown[k] == ID or shown[k] >= changed:
                one, other, digits = _number_words(now[shown[k]])
                alike = same_bytes(one ^ low[k])
                if alike == 8:
                    alike += same_bytes(other ^ high[k])
                alike = min(alike, min(digits, size[k]))
                store_word(at, one)
                store_word(at + 8, other)
                if packs is not None and far:
                    copy += length + alike
                    put_at, held, bits = put_new(codes, put_at, held, bits, at + alike, copy, far, digits - alike)
                    far += digits - size[k]
                copy = np.int64(0)
                low[k], high[k], size[k] = one, other, digits
            else:
                store_word(at, low[k])
                store_word(at + 8, high[k])
                copy += length + size[k]
            at += size[k]
        for m in range(more):
            length = stop[n + m] - start[n + m]
            at = put(at, data + start[n + m], length)
            which = text_first[m]
            for d in range(last):
                which += text_stride[m, d] * now[1 + d]
            digits = text_stop[which] - text_start[which]
            put(at, text + text_start[which], digits)
            if which == before[m]:
                copy += length + digits
            else:
                if packs is not None and far:
                    put_at, held, bits = put_new(codes, put_at, held, bits, at, copy + length, far, digits)
                    far += digits - (text_stop[before[m]] - text_start[before[m]])
                copy = np.int64(0)
                before[m] = which
            at += digits
        length = stop[n + more] - start[n + more]
        at = put(at, data + start[n + more], length)
        copy += length
        if packs is not None and not far:
            put_at, held, bits = put_new(codes, put_at, held, bits, begin, np.int64(0), far, at - begin)
            copy = np.int64(0)
        far = at - begin
        done += 1
        run = min(min(shape[last - 1] - 1 - now[last], count - done), min(_grows(now[ID]), _grows(now[last])))
        if in_runs and run > 0:
            numbers, end = _find_grown(begin, shown, last, now, offset, size, where, width, grown, behind, gap)
            first_gap, copy = copy + gap[0], far - end
            gap[0] += copy
            at, put_at, held, bits = _put_run(
                at, begin, far, run, numbers, first_gap, where, width, grown, behind, gap, code, code_bits,
                packs, codes, put_at, held, bits,
            )  # fmt: skip
            done += run
            now[ID] += run
            now[last] += run
            for k in range(n):
                low[k], high[k], size[k] = _number_words(now[shown[k]])
        changed = _next(now, shape)
    if packs is not None:
        put_at, held, bits = put_new(codes, put_at, held, bits, at, copy, far, np.int64(0))
    return at, put_at, held, bits


@numba.njit(nogil=True, forceinline=True)
def _find_grown(
    begin: Any, shown: Any, last: Any, now: Any, offset: Any, size: Any,
    place: Any, width: Any, grown: Any, behind: Any, gap: Any,
) -> Any:  # fmt: skip
    """Find the numbers that grow in a run, in the line that begins at an address.

    Args:
        place, width, grown: become where the last digits of each begin, how many there are, and what they are.
        behind: becomes the text that stands behind each, with room for the digits before it.
        gap: becomes the bytes between the one before and each.

    Returns:
        How many there are, and where the last one ends.
    """
    n, end = np.int64(0), np.int64(0)
    for k in range(shown.size):
        if shown[k] == ID or shown[k] == last:
            width[n] = min(size[k], 2)
            place[n] = offset[k] + size[k] - width[n]
            gap[n], end = place[n] - end, place[n] + width[n]
            grown[n], behind[n] = now[shown[k]] % 100, load_word(begin + end) << _U(8 * width[n])
            n += 1
    return n, end


@numba.njit(nogil=True, forceinline=True)
def _put_run(
    at: Any, begin: Any, far: Any, run: Any, numbers: Any, first_gap: Any,
    place: Any, width: Any, grown: Any, behind: Any, gap: Any, code: Any, code_bits: Any,
    packs: Any, codes: Any, put_at: Any, held: Any, bits: Any,
) -> Any:  # fmt: skip
    """So many lines, each the one at `begin` with other digits; `first_gap` is `gap[0]` of the first of them."""
    if packs is not None:
        for k in range(numbers):
            code[k], code_bits[k] = _codes_of_copy(codes, gap[k], far)
    for j in range(1, run + 1):
        for step in range(0, far, WIDE):
            copy_wide(at + step, begin + step)
        for k in range(numbers):
            digits = _last_digits(grown[k] + j, width[k])
            store_word(at + place[k], digits | behind[k])
            if packs is None:
                continue
            if j == 1 and k == 0:
                put_at, held, bits = put_new(codes, put_at, held, bits, at + place[0], first_gap, far, width[0])
            else:
                new = digits ^ _last_digits(grown[k] + j - 1, width[k])
                put_at, held, bits = _put_digits(
                    codes, put_at, held, bits, at + place[k], gap[k], far, width[k], code[k], code_bits[k], digits, new
                )
        at += far
    return at, put_at, held, bits


@numba.njit(nogil=True)
def _codes_of_copy(codes: Any, length: Any, far: Any) -> Any:
    """The codes of a copy, and their number of bits; 0 where it takes more than one, or none."""
    if codes is None or length < SHORTEST or length > LONGEST_COPY:
        return _U(0), np.int64(0)
    distance, distance_bits = distance_code(codes, far)
    return copy_code(codes, length, distance, distance_bits)


@numba.njit(nogil=True, forceinline=True)
def _put_digits(
    codes: Any, at: Any, held: Any, bits: Any, place: Any, length: Any, far: Any, width: Any, code: Any, code_bits: Any,
    digits: Any, new: Any,
) -> Any:  # fmt: skip
    """Write a copy of the bytes before a place, and one or two digits."""
    if (code_bits == 0) if codes is not None else (length < SHORTEST):
        return put_new(codes, at, held, bits, place, length, far, width)
    if width == 2:
        return put_copy_and_pair(codes, at, held, bits, length, far, code, code_bits, digits, new)
    if codes is None:
        at, held, bits = put_copy(codes, at, held, bits, length, far)
    else:
        at, held, bits = put_bits(at, held, bits, code, code_bits)
    return put_literal(codes, at, held, bits, digits)


@numba.njit(nogil=True)
def _next(now: Any, shape: Any) -> Any:
    """Go to the next neuron; the first of its numbers, but for the id, that is another."""
    now[ID] += 1
    changed = shape.size
    now[changed] += 1
    while changed > 1 and now[changed] == shape[changed - 1]:
        now[changed] = 0
        changed -= 1
        now[changed] += 1
    return changed


@numba.njit(nogil=True, forceinline=True)
def _grows(number: Any) -> Any:
    """By how much a number may grow while only its last two digits do."""
    return 9 - number if number < 10 else 99 - number % 100


@numba.njit(nogil=True, forceinline=True)
def _last_digits(number: Any, width: Any) -> Any:
    """The last one or two digits of a number below 100 as text."""
    return _U(FOUR_DIGITS[_U(number)]) >> _U(32 - 8 * width)


@numba.njit(nogil=True)
def _number_words(number: Any) -> Any:
    """A number from 0 to 10¹⁶ - 1 in decimal as two words, and how many digits there are."""
    if number < 100_000_000:
        word, n = number_word(number)
        return word, _U(0), n
    top = number // 100_000_000
    word, n = number_word(top)
    rest = digits_word(number - top * 100_000_000)
    if n == 8:
        return word, rest, np.int64(16)
    return word | rest << _U(8 * n), rest >> _U(64 - 8 * n), n + 8
