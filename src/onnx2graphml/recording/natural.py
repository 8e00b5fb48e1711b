"""Names as people order them: epoch2 before epoch10."""

from __future__ import annotations

import re


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """A key to sort by: digits in a row count as a number; case doesn't count, except between equal names.

    Example:
        >>> sorted(["epoch10.onnx", "Epoch2.onnx", "epoch1.onnx"], key=natural)
        ['epoch1.onnx', 'Epoch2.onnx', 'epoch10.onnx']
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(int(p), "") if k % 2 else (-1, p) for k, p in enumerate(parts)], name
