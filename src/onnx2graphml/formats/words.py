"""Writing text a few bytes at once, for compiled loops: they work with addresses.

Passing arrays to a function would count references, in every line anew. What is written in steps of constant size may
overwrite up to `render.SLACK` bytes beyond the end of the text.

None of these functions is cached on disk by itself, only the loops that they become part of: a loop that is compiled
while they come from the cache could not take them in, and would be slow from then on. A cached loop does not notice a
change here; it is compiled anew when its own file has changed.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

STEP, WIDE = 16, 64  # bytes that are copied at once
FOUR_DIGITS = np.frombuffer("".join(f"{n:04}" for n in range(10_000)).encode(), "<u4")


@intrinsic
def copy_step(context: Any, target: Any, source: Any) -> Any:
    """Copy `STEP` bytes from one address to another, all loaded before any is stored."""
    return types.void(types.int64, types.int64), _copying(STEP)


@intrinsic
def copy_wide(context: Any, target: Any, source: Any) -> Any:
    """The same of `WIDE` bytes."""
    return types.void(types.int64, types.int64), _copying(WIDE)


def _copying(size: int) -> Any:
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = ir.VectorType(ir.IntType(8), size).as_pointer()
        step = builder.load(builder.inttoptr(args[1], pointer), align=1)
        builder.store(step, builder.inttoptr(args[0], pointer), align=1)
        return context.get_dummy_value()

    return codegen


@intrinsic
def store_word(context: Any, target: Any, word: Any) -> Any:
    """Write eight bytes, the lowest first, to an address."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[1], builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(types.int64, types.uint64), codegen


@intrinsic
def load_word(context: Any, source: Any) -> Any:
    """Eight bytes from an address, the lowest first."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(builder.inttoptr(args[0], ir.IntType(64).as_pointer()), align=1)

    return types.uint64(types.int64), codegen


@intrinsic
def trailing_zeros(context: Any, word: Any) -> Any:
    """The number of zero bits below the lowest that is set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@intrinsic
def leading_zeros(context: Any, word: Any) -> Any:
    """The number of zero bits above the highest that is set."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.ctlz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), codegen


@intrinsic
def high_product(context: Any, one: Any, other: Any) -> Any:
    """The upper 64 of the 128 bits of a product."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, other = (builder.zext(arg, ir.IntType(128)) for arg in args)
        product = builder.lshr(builder.mul(one, other), ir.Constant(ir.IntType(128), 64))
        return builder.trunc(product, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), codegen


@numba.njit(nogil=True)
def address(array: Any) -> Any:
    """Where an array's data begins."""
    return np.int64(array.ctypes.data)  # signed, as all that is added to it


@numba.njit(nogil=True)
def put(at: Any, piece: Any, length: Any) -> Any:
    """Copy a piece from its address; the address behind the copy."""
    for done in range(0, length, STEP):
        copy_step(at + done, piece + done)
    return at + length


@numba.njit(nogil=True)
def put_number(at: Any, number: Any) -> Any:
    """Write a number from 0 to 10¹⁶ - 1 in decimal; the address behind it."""
    value = np.uint64(number)
    high = value // np.uint64(100_000_000)
    word = _eight_digits(value - high * np.uint64(100_000_000))
    zeros = _leading_zeros(word)
    if high:
        leading = _eight_digits(high)
        zeros = _leading_zeros(leading)
        store_word(at, leading >> (zeros << np.uint64(3)))
        at += 8 - np.int64(zeros)
        zeros = np.uint64(0)
    store_word(at, word >> (zeros << np.uint64(3)))
    return at + 8 - np.int64(zeros)


@numba.njit(nogil=True)
def _eight_digits(value: Any) -> Any:
    """The digits of a number below 10⁸ as a word; its lowest byte is the first digit."""
    high = value // np.uint64(10_000)
    low = value - high * np.uint64(10_000)
    return np.uint64(FOUR_DIGITS[high]) | (np.uint64(FOUR_DIGITS[low]) << np.uint64(32))


@numba.njit(nogil=True)
def _leading_zeros(word: Any) -> Any:
    """How many of eight digits come before the number begins; at most seven."""
    # "0" is 0x30: what differs from it begins at the first digit of the number.
    return trailing_zeros((word ^ np.uint64(0x3030303030303030)) | np.uint64(1 << 56)) >> np.uint64(3)


@numba.njit(nogil=True)
def number_word(number: Any) -> Any:
    """A number from 0 to 10⁸ - 1 in decimal as a word, whose lowest byte is the first digit, and how many there are."""
    word = _eight_digits(np.uint64(number))
    zeros = _leading_zeros(word)
    return word >> (zeros << np.uint64(3)), 8 - np.int64(zeros)


@numba.njit(nogil=True)
def digits_word(number: Any) -> Any:
    """The eight digits of a number below 10⁸, zeros before it, as a word whose lowest byte is the first of them."""
    return _eight_digits(np.uint64(number))


@numba.njit(nogil=True, forceinline=True)
def same_bytes(new: Any) -> Any:
    """How many bytes are the same before one that is new; 8 if there is none."""
    return np.int64(trailing_zeros(new) >> np.uint64(3)) if new else np.int64(8)
