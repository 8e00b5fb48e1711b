"""The weights of a file, group by group as a .keras file has them, each read once and not before all is known."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
        rounded: a type that its numbers are rounded to, if they may be fractions.
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
        array = array.astype(self.rounded) if self.rounded is not None and is_float(array.dtype) else array
        return array.astype(kind, copy=False)


@dataclass(frozen=True)
class Wanted:
    """The variables that a layer must have, in the order in which it makes them.

    Attributes:
        trained: shapes by name, of those that training changes.
        measured: the same, of those behind them that it does not change by gradients.
        dtype: of all that may be fractions.
    """

    trained: Mapping[str, Shape]
    measured: Mapping[str, Shape]
    dtype: np.dtype[Any]

    @property
    def shapes(self) -> dict[str, Shape]:
        """Of all of them."""
        return {**self.trained, **self.measured}

    def check(self, stored: Sequence[Stored], path: str) -> None:
        """Leave to TensorFlow what is in the file, if it is anything else.

        Raises:
            UncoveredError: a number, shape or type differs.
        """
        require([s.shape for s in stored] == list(self.shapes.values()), f"variables of {path}")
        kinds = [
            s.dtype == self.dtype or (name in self.measured and s.dtype.kind == "i")
            for name, s in zip(self.shapes, stored, strict=True)
        ]
        require(all(kinds), f"types of variables of {path}")


class Array(Protocol):
    """An array of the file that is read when all is known."""

    @property
    def shape(self) -> Shape:
        """Of the array."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of its elements."""

    def read(self) -> npt.NDArray[Any]:
        """All of it, in a type that NumPy has."""


class Variables(ABC):
    """The variables of one layer in a file.

    Attributes:
        path: that no other layer's have.
    """

    path: str

    @abstractmethod
    def within(self, group: str, name: str = "", trainable: bool = True) -> Variables:
        """The variables of a part of the layer.

        Args:
            group: of the part, as .keras files call it.
            name: its own.
            trainable: whether it is not frozen.
        """

    @abstractmethod
    def stored(self, wanted: Wanted, rounded: np.dtype[Any] | None = None) -> Sequence[Array]:
        """All of them, in the order in which the layer made them; those that may be fractions rounded to a type.

        Raises:
            UncoveredError: others are in the file.
        """

    def named(self) -> str | None:
        """The layer's name, where the file tells it."""
        return None


class Grouped(Variables):
    """Those of a .keras file: a group of HDF5 for each layer.

    Args:
        file: of h5py.
        path: of the layer's group.
    """

    def __init__(self, file: Any, path: str) -> None:
        self._file = file
        self.path = path

    def within(self, group: str, name: str = "", trainable: bool = True) -> Grouped:
        """The variables of a part of the layer."""
        return Grouped(self._file, "/".join(part for part in (self.path, group) if part))

    def stored(self, wanted: Wanted, rounded: np.dtype[Any] | None = None) -> list[Stored]:
        """All of them."""
        group = self._group()
        require(all(name.isdecimal() for name in group), f"variables in {self.path} that have names of their own")
        found = [Stored(group[name], rounded) for name in sorted(group, key=int)]
        wanted.check(found, self.path)
        return found

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
