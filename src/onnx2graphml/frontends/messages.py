"""What frameworks say when they fail, in one line, and what a user can do about a file that can't be loaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from onnx2graphml.errors import TRUST
from onnx2graphml.frontends.keras_check import UnsafeError

_HDF5 = b"\x89HDF\r\n\x1a\n"


def told_of_bfloat16(layers: Sequence[str] = ()) -> str:
    """A note on layers that compute in a type that the graph does not have; without any, on the model.

    Example:
        >>> told_of_bfloat16(["dense"])
        "layer 'dense' computes in bfloat16, which NumPy lacks; the graph has it in float32"
    """
    several = len(layers) > 1
    which = f"layer{'s' * several} {', '.join(map(repr, layers[:3]))}{' and others' * (len(layers) > 3)}"
    verb = "compute" if several else "computes"
    return f"{which if layers else 'the model'} {verb} in bfloat16, which NumPy lacks; the graph has it in float32"


def one_line(error: Exception) -> str:
    """What an exception says, in one line: without the colours, the configurations and the arguments Keras puts in.

    Example:
        >>> one_line(ValueError("It fails. config={'a': 1}. Exception encountered: no such class"))
        'no such class'
    """
    text = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())
    text = text.rsplit("Exception encountered: ", 1)[-1]
    text = re.split(r" (?:Full object config|Arguments received by|config=\{)", text)[0]
    return text[:300] or type(error).__name__


def refusal(path: Path, error: Exception, trust: bool) -> str:
    """Why a file can't be loaded, and what to do."""
    reason = one_line(error)
    if isinstance(error, UnsafeError):
        return f"'{path}' can't be loaded as a Keras model: {reason}; if you trust it, add {TRUST}"
    if "safe_mode" in str(error) and not trust:
        return f"'{path}' has a Lambda layer, which runs Python code from the file: if you trust it, add {TRUST}"
    if found := re.search(r"Could not locate (class|function) ['\"]?(\w+)", str(error)):
        return (
            f"'{path}' needs the {found[1]} {found[2]!r}, which only your program has: pass the model to "
            f"onnx2graphml.load there, or save it by model.export(FOLDER) and give that folder"
        )
    if path.suffix != ".keras" and path.open("rb").read(8) == _HDF5:
        if "No model config found" in str(error):
            return f"'{path}' holds weights without a model: build the model, load_weights, and save it as .keras"
        return (
            f"'{path}' can't be loaded by Keras 3: with the Keras that wrote it, export it as a SavedModel ({reason})"
        )
    return f"'{path}' can't be loaded as a Keras model: {reason}"
