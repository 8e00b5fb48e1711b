"""NumPy's files as inputs: no pickles, and no more is read than the inputs take."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from onnx2graphml.files.regular import open_regular
from onnx2graphml.model import TensorType

Array = npt.NDArray[Any]

LARGEST_ITEM = 16  # bytes of a number
SMALL = 1 << 20  # bytes of an array of another shape: it is read, and its shape told
ZIP = b"PK\x03\x04"


def arrays_of(path: Path, kinds: Sequence[TensorType], names: Sequence[str]) -> dict[str, Array]:
    """An .npy file's array under no name, or an .npz file's by the inputs' names; of others the first.

    Args:
        kinds: of the inputs, which no array may pass in size.
        names: of the inputs.

    Raises:
        ValueError: it holds Python objects, or an array that is too large.
        Exception: whatever comes of a damaged file.

    Example:
        >>> from onnx2graphml.model import load_model
        >>> model = load_model("fixtures/digits.onnx")
        >>> arrays_of(Path("digits.npy"), [model.types["image"]], ["image"])  # doctest: +SKIP
    """
    most = max((math.prod(kind.shape) for kind in kinds), default=0) * LARGEST_ITEM
    with open_regular(path) as file:
        is_archive = file.read(4) == ZIP
        file.seek(0)
        if not is_archive:
            return {"": _array(file, max(most, SMALL))}
        with zipfile.ZipFile(file) as archive:
            there = {name.removesuffix(".npy"): name for name in archive.namelist()}
            found = {}
            for name in [name for name in names if name in there] or list(there)[:1]:
                with archive.open(there[name]) as member:
                    found[name] = _array(member, max(most, SMALL))
            return found


def _array(file: IO[bytes], most: int) -> Array:
    """An array behind its header, which says how large it is."""
    headers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    header = headers.get(version := npy.read_magic(file))
    if header is None:
        raise ValueError(f"it is of version {version} of the .npy format; expected (1, 0) or (2, 0)")
    shape, by_columns, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects, which are not read")
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise ValueError(f"it holds an array of shape {list(shape)}, which is larger than the inputs")
    data = file.read(size)
    if len(data) < size:
        raise ValueError(f"it has {len(data):,} bytes; expected {size:,} for shape {list(shape)}")
    order: Any = "F" if by_columns else "C"
    return np.frombuffer(data, dtype).reshape(shape, order=order)
