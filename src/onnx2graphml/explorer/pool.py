"""The arrays that a page holds: each once, as bytes in little-endian order."""

from __future__ import annotations

import hashlib
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
        stored = np.ascontiguousarray(_stored(np.asarray(values), self.half)).ravel()
        key = hashlib.blake2b(stored.tobytes(), person=stored.dtype.str[1:].encode()).digest()
        if key not in self._known:
            self._known[key] = len(self.arrays)
            self.arrays.append(stored)
        return self._known[key]

    @property
    def kinds(self) -> list[str]:
        """The arrays' types: `f2`, `f4`, `f8` or `i4`."""
        return [a.dtype.str[1:] for a in self.arrays]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(a.nbytes for a in self.arrays)


def _stored(values: Array, half: bool) -> Array:
    if values.dtype.kind in "iub":
        fits = not values.size or (int(values.min()) >= -INT32 and int(values.max()) < INT32)
        return values.astype("<i4" if fits else "<f8")
    if values.dtype == np.float64:
        return values.astype("<f8")
    single = values.astype("<f4")
    if half and not (np.abs(single[np.isfinite(single)]) > HALF_LARGEST).any():
        return single.astype("<f2")
    return single
