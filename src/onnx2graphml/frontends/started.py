"""TensorFlow, started: quietly, and without what it loads only because it happens to be installed."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from onnx2graphml import program
from onnx2graphml.errors import MissingExtraError

UNNEEDED = ("IPython", "matplotlib", "scipy", "sklearn")
"""Keras has functions for users of these, and can do without: they are two fifths of the time that it takes to load."""


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """TensorFlow's C++ side writes to stderr while it is imported, and no option of its own prevents that."""
    saved = os.dup(2)
    with open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


@contextlib.contextmanager
def _without_unneeded() -> Iterator[None]:
    """As if they were not installed; in a process that others use, too, Keras keeps all its functions."""
    hidden = [name for name in UNNEEDED if program.alone and name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: it can't be imported
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its allocator gives no memory back, and it rounds otherwise
try:
    with _no_stderr(), _without_unneeded():
        import tensorflow  # noqa: F401
except ImportError as error:
    raise MissingExtraError("TensorFlow", "keras") from error
