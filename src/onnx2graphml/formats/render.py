"""The compiled loops that write lines of text, and the tables of text that they copy from.

A line is a few pieces of constant text, numbers and weights. Each loop writes into a buffer that its caller has made
large enough. It copies in steps of constant size, so up to `SLACK` bytes beyond the end may be overwritten.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import orjson

from onnx2graphml.compiled import compiled
from onnx2graphml.errors import OutputError
from onnx2graphml.formats.shortest import LONGEST, find_digits, put_float, put_floats
from onnx2graphml.formats.words import SLACK, STEP, address, copy_step, load_word, put, put_number, trailing_zeros

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

FLOAT = 32  # at least the length of the longest float64, -1.2345678901234567e-308
ZERO, POINT = b"0."


@dataclass(frozen=True, eq=False)
class Texts:
    """Pieces of text to be copied from.

    Attributes:
        data: uint8, `SLACK` bytes longer than the text.
        start, stop: int64; piece `i` is `data[start[i] : stop[i]]`.
    """

    data: Bytes
    start: Ints
    stop: Ints

    @property
    def size(self) -> int:
        """The number of bytes of all pieces."""
        return int((self.stop - self.start).sum())


def constants(pieces: Sequence[bytes]) -> Texts:
    """Any pieces, each with `SLACK` bytes of its own behind it."""
    length = np.array([len(piece) for piece in pieces], np.int64)
    stop = np.cumsum(length + SLACK) - SLACK
    return Texts(np.frombuffer(b"".join(p + bytes(SLACK) for p in pieces), np.uint8), stop - length, stop)


def empty(n: int) -> Texts:
    """As many empty pieces."""
    return Texts(np.frombuffer(bytes(SLACK), np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64))


def decimals(values: npt.NDArray[Any]) -> Texts:
    """The shortest decimals that read back as the same floats, of their own type: `1`, `0.1`, `-1.5e-7`.

    Args:
        values: 1-D float16, float32 or float64, finite.

    Raises:
        OutputError: a value is NaN or infinite.
    """
    check_finite(values)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return _of_float32(native) if native.dtype == np.float32 else _of_others(native)


def decimals_or_infinity(values: npt.NDArray[Any], infinity: str) -> Texts:
    """As `decimals`, where a value may be infinite: `infinity` is the word for it, behind a sign if it is negative."""
    infinite = np.isinf(values)
    if not infinite.any():
        return decimals(values)
    finite, words = (
        decimals(np.where(infinite, 0, values).astype(values.dtype)),
        constants([infinity.encode(), f"-{infinity}".encode()]),
    )
    which, first = (values < 0).astype(np.int64), len(finite.data)
    return Texts(
        np.frombuffer(finite.data.tobytes() + words.data.tobytes(), np.uint8),
        np.where(infinite, first + words.start[which], finite.start),
        np.where(infinite, first + words.stop[which], finite.stop),
    )


def integers(values: npt.NDArray[np.int64]) -> Texts:
    """Integers in full, of either sign."""
    pieces = [str(value).encode() for value in values.tolist()]
    stop = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    start = stop - np.array([len(piece) for piece in pieces], np.int64)
    return Texts(np.frombuffer(b"".join(pieces) + bytes(SLACK), np.uint8), start, stop)


def beside(columns: Sequence[Texts]) -> Texts:
    """Several texts for each line: `start` and `stop` are (lines, columns)."""
    sizes = [len(column.data) for column in columns]
    first = np.cumsum([0, *sizes[:-1]])
    return Texts(
        np.frombuffer(b"".join(column.data.tobytes() for column in columns), np.uint8),
        np.stack([column.start + at for column, at in zip(columns, first, strict=True)], axis=1),
        np.stack([column.stop + at for column, at in zip(columns, first, strict=True)], axis=1),
    )


def check_finite(values: npt.NDArray[Any]) -> None:
    """Raise `OutputError` where a value is NaN or infinite."""
    # Least and greatest rather than a flag for each, which would take memory; NaN is passed on by both.
    if values.size and not np.isfinite([values.min(), values.max()]).all():
        raise OutputError("a weight, bias or column is NaN or infinite, which the format can't hold; check the model")


def _of_float32(values: npt.NDArray[np.float32]) -> Texts:
    data = np.empty(len(values) * LONGEST + SLACK, np.uint8)
    start, stop = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    put_floats(values.view(np.uint32), data, start, stop)
    data.setflags(write=False)  # as all other texts: compiled code is made for one kind of array
    return Texts(data, start, stop)


def _of_others(values: npt.NDArray[Any]) -> Texts:
    if values.dtype == np.float64:
        joined = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)
    else:
        joined = f"[{','.join(map(str, values))}]".encode()
    data = np.frombuffer(b"".join((memoryview(joined)[:-1], b",", bytes(SLACK))), np.uint8)
    start, stop = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    _find_decimals(data, start, stop)
    return Texts(data, start, stop)


@compiled
def _find_decimals(data: Bytes, start: Ints, stop: Ints) -> None:
    """Where the numbers of a list are, each followed by a comma, without the `.0` that some of them end in."""
    begin, at = address(data), np.int64(0)
    for i in range(start.size):
        at += 1
        start[i] = at
        while True:  # eight bytes at once: the lowest bit that is set marks the first byte that is a comma
            differing = load_word(begin + at) ^ np.uint64(0x2C2C2C2C2C2C2C2C)
            commas = (differing - np.uint64(0x0101010101010101)) & ~differing & np.uint64(0x8080808080808080)
            if commas:
                break
            at += 8
        at += np.int64(trailing_zeros(commas) >> np.uint64(3))
        whole = at - start[i] > 2 and data[at - 1] == ZERO and data[at - 2] == POINT
        stop[i] = at - 2 if whole else at


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
        weights, weight_start, weight_stop: `Texts` by tap, each at most `FLOAT` bytes long.
        constant, start, stop: `Texts`, four; the first three at most `STEP` bytes long.
        out: room for that, with `NUMBER` bytes a number and `FLOAT` a weight, and `SLACK`.

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
    bits, number, exponent = np.empty(inner, np.uint32), np.empty(inner, np.uint64), np.empty(inner, np.int64)
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner):  # by itself: weights far apart are waited for together
            bits[i] = weights[np.uint64(k + inner_tap[i])]
        find_digits(bits, number, exponent)
        for i in range(inner):
            source, target = s + inner_source[i], t + inner_target[i]
            at = _put_ends(at, first, n_first, source, second, n_second, target, third, n_third)
            at = put_float(at, np.uint64(bits[i]), number[i], exponent[i])
            at = put(at, last, n_last)
    return int(at - address(out))


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
def node_lines(
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
        out: room for that, with `NUMBER` bytes a number and `FLOAT` a text, and `SLACK`.

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
