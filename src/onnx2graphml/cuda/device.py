"""Which device computes: the processors, or a GPU."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from onnx2graphml.errors import Error, MissingExtraError

DEVICES = ("cpu", "cuda", "auto")

_used: ContextVar[str] = ContextVar("device", default="cpu")


def resolved(device: str) -> str:
    """`cpu` or `cuda`, for what was asked for.

    Args:
        device: `cpu`; `cuda`; or `auto`: a GPU where there is one that can be used, the processors elsewhere.

    Raises:
        Error: there is no such device, or no GPU.
        MissingExtraError: numba-cuda is not installed.

    Example:
        >>> resolved("cpu")
        'cpu'
    """
    if device not in DEVICES:
        raise Error(f"device is {device!r}; expected one of {', '.join(DEVICES)}")
    if device == "auto":
        try:
            return resolved("cuda")
        except Error:
            return "cpu"
    if device == "cuda":
        reason = why_not()
        if reason:
            raise Error(f"device is 'cuda', and no GPU can be used: {reason}; use 'cpu' or 'auto'")
    return device


def why_not() -> str:
    """Why no GPU can be used, in one line; empty where one can."""
    cuda = _numba_cuda()
    try:
        cuda.current_context()
    except Exception as e:  # whatever a driver says
        return next((line.strip() for line in reversed(str(e).splitlines()) if line.strip(" :")), type(e).__name__)
    return ""


def _numba_cuda() -> Any:
    try:
        import numba_cuda  # noqa: F401  (numba.cuda without it is another, older program)
        from numba import cuda
    except ModuleNotFoundError as e:
        raise MissingExtraError("numba-cuda", "cuda") from e
    return cuda


@contextlib.contextmanager
def using(device: str) -> Iterator[None]:
    """Products of weights are computed on this device, in the block's thread; as `resolved` takes it.

    Example:
        >>> with using("cpu"):
        ...     in_use()
        'cpu'
    """
    token = _used.set(resolved(device))
    try:
        yield
    finally:
        _used.reset(token)


def in_use() -> str:
    """The device that `using` chose: `cpu` or `cuda`."""
    return _used.get()
