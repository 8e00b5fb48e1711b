"""What is read is not written over."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from onnx2graphml.errors import OutputError


def refuse_inputs(out: str | Path, inputs: Iterable[str | Path]) -> None:
    """Refuse to write what is read: the model, its external data, a graph that is checked.

    Args:
        out: a file or a folder that is to be written.
        inputs: files and folders that are read; what doesn't exist doesn't count.

    Raises:
        OutputError: `out` is one of them, whatever its name, or lies in one of them.

    Example:
        >>> refuse_inputs("report.json", ["fixtures/digits.onnx"])
    """
    for each in inputs:
        if any(_is_same(place, each) for place in (Path(out), *Path(out).absolute().parents)):
            raise OutputError(f"can't write {str(out)!r}: it is {str(each)!r}, which is read; choose another name")


def _is_same(one: str | Path, other: str | Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        return False
