"""The arrays that a page holds: each once, as bytes in little-endian order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

HALF_LARGEST = 65504.0  # the greatest number of float16
INT32 = 1 << 31


@dataclass(eq=False)
class Pool:
    """Arrays by number; an array that is added twice is held once.

    Attributes:
        half: whether float32 is stored as float16, where it has no value beyond that type's range.
        arrays: flat, in their stored types.

    Example:
        >>> pool = Pool()
        >>> pool.add(np.ones(3, np.float32)), pool.add(np.ones(3, np.float32)), pool.kinds
        (0, 0, ['f4'])
    """

    half: bool = False
    arrays: list[Array] = field(default_factory=list)
    _known: dict[bytes, int] = field(default_factory=dict)

    def add(self, values: Array) -> int:
        """The number of an array, which is flattened; integers become int32 or float64, small floats float32."""
        flat = np.ascontiguousarray(stored(np.asarray(values), self.half)).ravel()
        key = hashlib.blake2b(flat.tobytes(), person=flat.dtype.str[1:].encode()).digest()
        if key not in self._known:
            self._known[key] = len(self.arrays)
            self.arrays.append(flat)
        return self._known[key]

    @property
    def kinds(self) -> list[str]:
        """The arrays' types: `f2`, `f4`, `f8` or `i4`."""
        return [a.dtype.str[1:] for a in self.arrays]


def stored(values: Array, half: bool = False) -> Array:
    """An array in the type that a page has it in: int32, float64, float32 or float16."""
    if values.dtype.kind in "iub":
        fits = not values.size or (int(values.min()) >= -INT32 and int(values.max()) < INT32)
        return values.astype("<i4" if fits else "<f8")
    if values.dtype == np.float64:
        return values.astype("<f8")
    single = values.astype("<f4")
    if half and not (np.abs(single[np.isfinite(single)]) > HALF_LARGEST).any():
        return single.astype("<f2")
    return single


def message(header: dict[str, Any], arrays: Sequence[Array]) -> bytes:
    """A description and arrays as bytes: the header's length (uint32), the header as JSON, then each array from a
    multiple of 8 on. Its kinds and sizes are in the header's `arrays`.

    Example:
        >>> len(message({"layer": 1}, [np.zeros(2)]))
        56
    """
    flat = [np.ascontiguousarray(a).ravel() for a in arrays]
    text = json.dumps({**header, "arrays": [[a.dtype.str[1:], a.nbytes] for a in flat]}, allow_nan=False).encode()
    parts = [len(text).to_bytes(4, "little") + text]
    parts += [a.tobytes() for a in flat]
    return b"".join(part + bytes(-len(part) % 8) for part in parts)
