"""Files that are broken or mean harm, each named for its fault, and what is to be said of it."""

from __future__ import annotations

from pathlib import Path

from hostile import (  # noqa: F401 (they register their cases)
    attacks,
    beside,
    constants,
    files,
    found,
    graphs,
    shapes,
    texts,
    values,
)
from hostile.cases import CASES


def write(name: str, folder: Path) -> Path:
    """The file of that name, in a folder."""
    made, path = CASES[name].build(folder), folder / "m.onnx"
    if made is not None:
        path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    return path
