"""The compiled loops that write lines of text, and the tables of text that they copy from.

A line is a few pieces of constant text, numbers and weights. Each loop writes into a buffer that its caller has made
large enough, and copies in steps of constant size, so up to `SLACK` bytes beyond the end may be overwritten.
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
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

from onnx2graphml.errors import OutputError

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

STEP = 16  # bytes that are copied at once
SLACK = 64
NUMBER = 16  # digits of the longest number
FLOAT = 32  # at least the length of the longest float64, -1.2345678901234567e-308
ZERO, POINT = b"0."
FOUR_DIGITS = np.frombuffer("".join(f"{n:04}" for n in range(10_000)).encode(), "<u4")


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
    if not np.isfinite(values).all():
        raise OutputError("a weight or bias is NaN or infinite, which the format can't hold; check the model")
    if values.dtype.itemsize < 4:
        joined = f"[{','.join(map(str, values))}]".encode()
    else:
        native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
        joined = orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY)
    data = np.frombuffer(b"".join((memoryview(joined)[:-1], b",", bytes(SLACK))), np.uint8)
    start, stop = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    _find_decimals(data, start, stop)
    return Texts(data, start, stop)


# The loops work with addresses: passing arrays to a function would count references, in every line anew.


@intrinsic
def _copy_step(context: Any, target: Any, source: Any) -> Any:
    """Copy `STEP` bytes from one address to another, as one load and one store."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.VectorType(ir.IntType(8), STEP).as_pointer()
        step = builder.load(builder.inttoptr(args[1], pointer), align=1)
        builder.store(step, builder.inttoptr(args[0], pointer), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), codegen


@intrinsic
def _store_word(context: Any, target: Any, word: Any) -> Any:
    """Write eight bytes, the lowest first, to an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), codegen


@intrinsic
def _load_word(context: Any, source: Any) -> Any:
    """Eight bytes from an address, the lowest first."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)

    return types.uint64(types.int64), codegen


@intrinsic
def _trailing_zeros(context: Any, word: Any) -> Any:
    """The number of zero bits below the lowest that is set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@numba.njit(cache=True, nogil=True)
def _address(array: Any) -> Any:
    return np.int64(array.ctypes.data)  # signed, as all that is added to it


@numba.njit(cache=True, nogil=True)
def _put_number(at: Any, number: Any) -> Any:
    """Write a number from 0 to 10¹⁶ - 1 in decimal; the address behind it."""
    value = np.uint64(number)
    high = value // np.uint64(100_000_000)
    word = _eight_digits(value - high * np.uint64(100_000_000))
    zeros = _leading_zeros(word)
    if high:
        leading = _eight_digits(high)
        zeros = _leading_zeros(leading)
        _store_word(at, leading >> (zeros << np.uint64(3)))
        at += 8 - np.int64(zeros)
        zeros = np.uint64(0)
    _store_word(at, word >> (zeros << np.uint64(3)))
    return at + 8 - np.int64(zeros)


@numba.njit(cache=True, nogil=True)
def _eight_digits(value: Any) -> Any:
    """The digits of a number below 10⁸ as a word; its lowest byte is the first digit."""
    high = value // np.uint64(10_000)
    low = value - high * np.uint64(10_000)
    return np.uint64(FOUR_DIGITS[high]) | (np.uint64(FOUR_DIGITS[low]) << np.uint64(32))


@numba.njit(cache=True, nogil=True)
def _leading_zeros(word: Any) -> Any:
    """How many of eight digits come before the number begins; at most seven."""
    # "0" is 0x30: what differs from it begins at the first digit of the number.
    return _trailing_zeros((word ^ np.uint64(0x3030303030303030)) | np.uint64(1 << 56)) >> np.uint64(3)


@numba.njit(cache=True, nogil=True)
def _put(at: Any, piece: Any, length: Any) -> Any:
    """Copy a piece from its address; the address behind the copy."""
    for done in range(0, length, STEP):
        _copy_step(at + done, piece + done)
    return at + length


@numba.njit(cache=True, nogil=True)
def _find_decimals(data: Bytes, start: Ints, stop: Ints) -> None:
    """Where the numbers of a list are, each followed by a comma, without the `.0` that some of them end in."""
    address, at = _address(data), np.int64(0)
    for i in range(start.size):
        at += 1
        start[i] = at
        while True:  # eight bytes at once: the lowest bit that is set marks the first byte that is a comma
            differing = _load_word(address + at) ^ np.uint64(0x2C2C2C2C2C2C2C2C)
            commas = (differing - np.uint64(0x0101010101010101)) & ~differing & np.uint64(0x8080808080808080)
            if commas:
                break
            at += 8
        at += np.int64(_trailing_zeros(commas) >> np.uint64(3))
        whole = at - start[i] > 2 and data[at - 1] == ZERO and data[at - 2] == POINT
        stop[i] = at - 2 if whole else at


@numba.njit(cache=True, nogil=True)
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
    data, weight, at = _address(constant), _address(weights), _address(out)
    first, second, third, last = data + start[0], data + start[1], data + start[2], data + start[3]
    n_first, n_second, n_third, n_last = stop[0] - start[0], stop[1] - start[1], stop[2] - start[2], stop[3] - start[3]
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner_source.size):
            _copy_step(at, first)
            at = _put_number(at + n_first, s + inner_source[i])
            _copy_step(at, second)
            at = _put_number(at + n_second, t + inner_target[i])
            _copy_step(at, third)
            at += n_third
            tap = np.uint64(k + inner_tap[i])  # unsigned: never an index from the end
            begin = weight_start[tap]
            _copy_step(at, weight + begin)
            _copy_step(at + STEP, weight + begin + STEP)
            at = _put(at + weight_stop[tap] - begin, last, n_last)
    return int(at - _address(out))


@numba.njit(cache=True, nogil=True)
def node_lines(
    numbers: Ints,
    floats: Bytes,
    float_start: Ints,
    float_stop: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
) -> int:
    """A line for every row of `numbers`: a piece and a number for each column, a piece, a float, a piece.

    Args:
        numbers: (lines, count), at least 0 and below 10¹⁶.
        floats, float_start, float_stop: `Texts`, one a line.
        constant, start, stop: `Texts`, count + 2.
        out: room for that, with `NUMBER` bytes a number and `FLOAT` a float, and `SLACK`.

    Returns:
        The number of bytes written.
    """
    lines, count = numbers.shape
    data, text, at = _address(constant), _address(floats), _address(out)
    for line in range(lines):
        for k in range(count):
            at = _put(at, data + start[k], stop[k] - start[k])
            at = _put_number(at, numbers[line, k])
        at = _put(at, data + start[count], stop[count] - start[count])
        at = _put(at, text + float_start[line], float_stop[line] - float_start[line])
        at = _put(at, data + start[count + 1], stop[count + 1] - start[count + 1])
    return int(at - _address(out))
