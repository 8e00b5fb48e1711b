"""Folders of pictures: files named after layers, whole folders or none, and a manifest of what is in them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.files.atomic_file import check_parent, resolved
from onnx2graphml.files.atomic_folder import atomic_directory, refuse_other
from onnx2graphml.files.json_file import write_json
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
        >>> with picture_folder(Path("pictures"), "activations") as new:  # doctest: +SKIP
        ...     write_manifest(new, {"pictures": []})
    """
    with atomic_directory(folder, kind) as new:
        yield new


def check_folder(folder: Path, kind: str) -> None:
    """Refuse, before long work, a folder that could not be written after it.

    Args:
        kind: as for `picture_folder`.

    Raises:
        OutputError: it holds something that this package did not write, or there is no folder for it.
    """
    check_parent(folder)
    refuse_other(resolved(folder), kind)


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write `manifest.json`: whole or not at all; see `json_file`.

    Without a `generator` it gets one, which marks the folder as one that this package may replace.

    Example:
        >>> write_manifest(Path("pictures"), {"model": "digits.onnx"})  # doctest: +SKIP
    """
    write_json(folder / NAME, {"generator": GENERATOR, **content})
