"""A bus error in mapped files becomes an exception of the main thread.

Where a mapped file was cut, reading a page of it ends the process by SIGBUS, unless a handler puts something into its
place. No Python can run there, so the handler is machine code: the rest of the file becomes zeros, and the main thread
is told, which raises an exception as soon as it is back in Python, as it does for Ctrl-C.

Source: sigaction(2) and mmap(2) of Linux; `PyErr_SetInterruptEx` of Python's C API, which handlers may call.
"""

from __future__ import annotations

import ctypes
import mmap
import platform
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt

Ranges = npt.NDArray[np.uintp]
"""A row for each range of addresses: the first, and the one behind the last."""

Tell = Callable[[int, FrameType | None], Any]


class _Action(ctypes.Structure):
    """What a signal does: `struct sigaction` of C libraries for Linux."""

    _fields_ = (
        ("handler", ctypes.c_size_t),
        ("mask", ctypes.c_ubyte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


SA_SIGINFO = 4  # the handler is told of the address
ADDRESS = 16  # bytes of `siginfo_t` before it
MAP_FIXED = 0x10

_before = _Action()
_kept: list[Any] = []  # what the handler needs, for as long as the process lives


def is_guarded(ranges: Ranges, tell: Tell) -> bool:
    """Whether bus errors are taken care of, from now on: on Linux, asked in the main thread, if nobody else does.

    Args:
        ranges: where; rows may change.
        tell: called in the main thread, with the signal's number and the frame; it raises an exception.
    """
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        return False
    now = signal.getsignal(signal.SIGBUS)
    if now is signal.SIG_DFL and threading.current_thread() is threading.main_thread():
        libc = ctypes.CDLL(None)
        libc.sigaction(signal.SIGBUS, None, ctypes.byref(_before))
        address = _machine_code(libc, ranges)
        signal.signal(signal.SIGBUS, tell)  # what `PyErr_SetInterruptEx` has the main thread call
        libc.sigaction(signal.SIGBUS, ctypes.byref(_Action(handler=address, flags=SA_SIGINFO)), None)
        return True
    return now is tell


def _machine_code(libc: ctypes.CDLL, ranges: Ranges) -> int:
    """The address of the handler: `void handler(int signal, siginfo_t *, void *)`."""
    from llvmlite import binding, ir

    number, word = ir.IntType(32), ir.IntType(64)
    module = ir.Module()
    handler = ir.Function(module, ir.FunctionType(ir.VoidType(), [number, word, word]), "handler")
    _write_handler(handler, libc, ranges)
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple().create_target_machine()
    engine = binding.create_mcjit_compiler(binding.parse_assembly(str(module)), target)
    engine.finalize_object()
    _kept.extend((engine, ranges))
    return int(engine.get_function_address("handler"))


def _write_handler(handler: Any, libc: ctypes.CDLL, ranges: Ranges) -> None:
    """In each range, a look whether the address stands in it: there, zeros from its page on.

    An address that stands in none, or for which that fails, is left to what was there before: the error comes again.
    """
    from llvmlite import ir

    begin, look, fill, told, following, give_up = (handler.append_basic_block() for _ in range(6))
    (signal_number, info, _), word = handler.args, ir.IntType(64)
    table, end = ranges.ctypes.data, ranges.ctypes.data + ranges.nbytes

    b = ir.IRBuilder(begin)
    at = _loaded(b, b.add(info, word(ADDRESS)))
    b.branch(look)

    b = ir.IRBuilder(look)
    row = b.phi(word)
    first, behind = _loaded(b, row), _loaded(b, b.add(row, word(ranges.itemsize)))
    b.cbranch(b.and_(b.icmp_unsigned("<=", first, at), b.icmp_unsigned("<", at, behind)), fill, following)

    b = ir.IRBuilder(following)
    after = b.add(row, word(ranges.strides[0]))
    row.add_incoming(word(table), begin)
    row.add_incoming(after, following)
    b.cbranch(b.icmp_unsigned("<", after, word(end)), look, give_up)

    b = ir.IRBuilder(fill)
    page = b.and_(at, word(-mmap.PAGESIZE))
    how = [signal_number.type(x) for x in (mmap.PROT_READ, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_FIXED, -1)]
    made = _called(b, libc.mmap, word, [page, b.sub(behind, page), *how, word(0)])
    b.cbranch(b.icmp_unsigned("==", made, page), told, give_up)

    b = ir.IRBuilder(told)
    _called(b, ctypes.pythonapi.PyErr_SetInterruptEx, signal_number.type, [signal_number])
    b.ret_void()

    b = ir.IRBuilder(give_up)
    _called(b, libc.sigaction, signal_number.type, [signal_number, word(ctypes.addressof(_before)), word(0)])
    b.ret_void()


def _loaded(builder: Any, address: Any) -> Any:
    """The word at an address."""
    return builder.load(builder.inttoptr(address, address.type.as_pointer()))


def _called(builder: Any, function: Any, result: Any, arguments: list[Any]) -> Any:
    """What a function of a C library returns, of words and numbers."""
    from llvmlite import ir

    address = ir.IntType(64)(ctypes.cast(function, ctypes.c_void_p).value)
    kind = ir.FunctionType(result, [a.type for a in arguments])
    return builder.call(builder.inttoptr(address, kind.as_pointer()), arguments)
