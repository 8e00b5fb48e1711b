"""Comparing 64 bytes at once, for compiled loops: the answer is a mask with a bit for each byte, the lowest first."""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

WIDTH = 64  # bytes that are compared at once


def _load(builder: Any, address: Any) -> Any:
    pointer = ir.VectorType(ir.IntType(8), WIDTH).as_pointer()
    return builder.load(builder.inttoptr(address, pointer), align=1)


@intrinsic
def differing(context: Any, one: Any, other: Any) -> Any:
    """Which of the bytes at two addresses differ."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        found = builder.icmp_unsigned("!=", _load(builder, args[0]), _load(builder, args[1]))
        return builder.bitcast(found, ir.IntType(64))

    return types.uint64(types.int64, types.int64), codegen


def _every(byte: str) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(8), WIDTH), [ord(byte)] * WIDTH)


@intrinsic
def newlines(context: Any, at: Any) -> Any:
    """Which of the bytes at an address end a line."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.icmp_unsigned("==", _load(builder, args[0]), _every("\n")), ir.IntType(64))

    return types.uint64(types.int64), codegen


@intrinsic
def marks(context: Any, at: Any) -> Any:
    """Which of the bytes at an address end a tag: `>`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(builder.icmp_unsigned("==", _load(builder, args[0]), _every(">")), ir.IntType(64))

    return types.uint64(types.int64), codegen


@intrinsic
def no_digits(context: Any, at: Any) -> Any:
    """Which of the bytes at an address are in no number: none of `+,-./0123456789e`."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        text = _load(builder, args[0])
        others = builder.icmp_unsigned(">", builder.sub(text, _every("+")), ir.Constant(text.type, [14] * WIDTH))
        return builder.bitcast(builder.and_(others, builder.icmp_unsigned("!=", text, _every("e"))), ir.IntType(64))

    return types.uint64(types.int64), codegen
