"""The weights of a .keras file, group by group as Keras stores them, each read once and not before all is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.policies import BFLOAT16, is_float, written
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape


@dataclass(frozen=True, eq=False)
class Stored:
    """An array in the file, not yet read.

    Attributes:
        dataset: of h5py.
        rounded: a type that its numbers are rounded to.
    """

    dataset: Any
    rounded: np.dtype[Any] | None = None

    @property
    def shape(self) -> Shape:
        """Of the array."""
        return tuple(self.dataset.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its elements, before they are rounded; HDF5 has no bfloat16, which Keras notes beside its bytes."""
        found: np.dtype[Any] = self.dataset.dtype
        short = found.kind == "V" and self.dataset.attrs.get("dtype") == "bfloat16"
        return BFLOAT16 if short and found.itemsize == BFLOAT16.itemsize else found

    def read(self) -> npt.NDArray[Any]:
        """All of it, in a type that NumPy has."""
        array = np.asarray(self.dataset[()])
        array = array.view(BFLOAT16) if self.dtype == BFLOAT16 else array
        kind = written(array.dtype)
        array = array if self.rounded is None else array.astype(self.rounded)
        return array.astype(kind, copy=False)


class Variables:
    """The variables of one layer: a group of the HDF5 file.

    Args:
        file: of h5py.
        path: of the layer's group.
    """

    def __init__(self, file: Any, path: str) -> None:
        self._file = file
        self.path = path

    def within(self, name: str) -> Variables:
        """The variables of a part of the layer."""
        return Variables(self._file, "/".join(part for part in (self.path, name) if part))

    def stored(self, rounded: np.dtype[Any] | None = None) -> list[Stored]:
        """All of them, in the order in which the layer made them; those that may be fractions rounded to a type."""
        group = self._group()
        require(all(name.isdecimal() for name in group), f"variables in {self.path} that have names of their own")
        found = [Stored(group[name]) for name in sorted(group, key=int)]
        return [Stored(each.dataset, rounded) if is_float(each.dtype) else each for each in found]

    def named(self) -> str | None:
        """The layer's name, where the file tells it."""
        name = getattr(self._group(), "attrs", {}).get("name")
        return name if isinstance(name, str) else None

    def _group(self) -> Any:
        found = self._file.get(f"{self.path}/vars" if self.path else "vars")
        return found if found is not None else {}


def group_names(classes: Iterable[str]) -> list[str]:
    """The groups of layers within the one that has them all, by their classes, as Keras numbers them.

    Example:
        >>> group_names(["Conv2D", "ReLU", "Conv2D"])
        ['conv2d', 're_lu', 'conv2d_1']
    """
    used: dict[str, int] = {}
    names = []
    for name in map(_snake_case, classes):
        used[name] = used.get(name, -1) + 1
        names.append(f"{name}_{used[name]}" if used[name] else name)
    return names


RENAMED = {"GroupQueryAttention": "GroupedQueryAttention"}
"""Classes that a configuration calls otherwise than Keras itself."""


def _snake_case(name: str) -> str:
    name = RENAMED.get(name, name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
