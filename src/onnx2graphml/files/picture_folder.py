"""Folders of pictures: files named after layers, whole folders or none, and a manifest of what is in them."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.files.temporary import NAME

LONGEST = 80  # characters of a layer's name in a file's name
GENERATOR = "onnx2graphml pictures"


def file_name(position: int, count: int, layer: str) -> str:
    """A layer's file without a suffix: its place among `count` layers, and its name as far as that is safe.

    The place makes it unique, also where upper and lower case are the same.

    Example:
        >>> file_name(3, 23, "block1_conv1"), file_name(120, 1000, "../a b$")
        ('03-block1_conv1', '120-_a_b_')
    """
    digits = max(2, len(str(count - 1)))
    return f"{position:0{digits}}-{safe(layer)}"


def safe(name: str, allowed: str = "") -> str:
    """A name as far as it is safe in the name of a file: ASCII letters, digits, `_.-` and what else is allowed.

    Example:
        >>> safe("../a b/c"), safe("../a b/c", " "), safe("...")
        ('_a_b_c', '_a b_c', '')
    """
    return re.sub(rf"[^A-Za-z0-9_.{re.escape(allowed)}-]+", "_", name).strip(".")[:LONGEST].rstrip(". ")


@contextlib.contextmanager
def picture_folder(folder: Path, kind: str) -> Iterator[Path]:
    """A folder that is written whole or not at all; see `atomic_directory`.

    The block writes a manifest into the folder that it is given.

    Raises:
        OutputError: the folder holds something that this package did not write, or can't be written.

    Example:
        >>> with picture_folder(Path("pictures"), "passage") as new:  # doctest: +SKIP
        ...     write_manifest(new, {"pictures": []})
    """
    with atomic_directory(folder, kind) as new:
        yield new


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write `manifest.json`: whole or not at all, with its keys sorted; numbers that are not finite become null.

    Without a `generator` it gets one, which marks the folder as one that this package may replace.

    Example:
        >>> write_manifest(Path("pictures"), {"model": "digits.onnx"})  # doctest: +SKIP
    """
    whole = _plain({"generator": GENERATOR, **content})
    with atomic(folder / NAME) as file:
        file.write((json.dumps(whole, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())


def _plain(value: Any) -> Any:
    """JSON's own types: Python's for NumPy's."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    return None if isinstance(value, float) and not math.isfinite(value) else value
