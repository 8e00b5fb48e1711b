"""JSON as this package writes it: NumPy's numbers as JSON's own, and numbers that JSON lacks as text."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.files.atomic_file import atomic


def json_text(content: Any) -> str:
    """A value as JSON text, keys sorted. Infinite numbers become "inf" and "-inf", what is no number "nan".

    Example:
        >>> json_text({"b": float("inf"), "a": (1, 2)})
        '{\\n "a": [\\n  1,\\n  2\\n ],\\n "b": "inf"\\n}\\n'
    """
    return json.dumps(plain(content), indent=1, sort_keys=True, allow_nan=False) + "\n"


def write_json(path: Path, content: Any) -> None:
    """Write a value as a JSON file, whole or not at all; see `json_text`.

    Raises:
        OutputError: the file can't be written.

    Example:
        >>> write_json(Path("sizes.json"), {"conv1": (8, 8, 16)})  # doctest: +SKIP
    """
    with atomic(path) as file:
        file.write(json_text(content).encode())


def plain(value: Any) -> Any:
    """A value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
