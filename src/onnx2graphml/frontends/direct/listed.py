"""The weights of an .h5 file: one list for each layer of the model, whatever layers and cells that one is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.stored import Stored, Variables, Wanted
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape

LAYERS, WEIGHTS, TOP = "layer_names", "weight_names", "top_level_model_weights"

CALLED = {"depthwise_kernel": "kernel"}
"""What Keras 2 calls otherwise."""

Entry = tuple[list[str], Any]
"""The parts of a variable's name, and what the file has under it."""

UNREAD = ("vector_u",)
"""What only training reads, and no layer asks for."""


@dataclass(eq=False)
class Promised:
    """An array that is in the file, if it holds what a layer wants; where, is known once all layers have asked.

    Attributes:
        name: of the variable.
        shape: that it must have.
        dtype: the same.
        measured: whether training doesn't change it by gradients.
        rounded: a type that its numbers are rounded to.
        stored: the array, once it is found.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]
    measured: bool
    rounded: np.dtype[Any] | None
    stored: Stored | None = None

    def read(self) -> npt.NDArray[Any]:
        """All of it, in a type that NumPy has."""
        assert self.stored is not None
        return self.stored.read()


class Listed(Variables):
    """Those of an .h5 file.

    Keras lists a layer's own variables first and those of its parts behind them, in the order in which it was given
    the parts; those that training changes come before all others. Their names in the file must say the same.

    Args:
        path: of the layer.
        names: that the file's names of its variables must have in them.
        frozen: whether training changes none of them.
    """

    def __init__(self, path: str = "", names: Sequence[str] = (), frozen: bool = False) -> None:
        self.path, self._names, self.frozen = path, names, frozen
        self.parts: dict[str, Listed] = {}
        self.name = ""
        self._wanted: Wanted | None = None
        self._promised: list[Promised] = []

    def within(self, group: str, name: str = "", trainable: bool = True) -> Listed:
        """The variables of a part of the layer: those of a cell may be called as they like."""
        if not group:
            return self
        is_layer = group.startswith("layers/")
        if is_layer:
            names: Sequence[str] = (name,) if self.path else ()
        else:
            names = self._names if group.startswith("cell") else (*self._names, name)
        frozen = not trainable or (self.frozen and not is_layer)
        part = self.parts.setdefault(group, Listed(f"{self.path}/{group}" if self.path else group, names, frozen))
        part.name = name
        return part

    def stored(self, wanted: Wanted, rounded: np.dtype[Any] | None = None) -> list[Promised]:
        """All of them, none of which has been looked for yet."""
        self._wanted = wanted
        self._promised = [
            Promised(name, shape, wanted.dtype, name in wanted.measured, rounded)
            for name, shape in wanted.shapes.items()
        ]
        return self._promised

    def fill(self, arrays: Sequence[Entry]) -> None:
        """Take what is the layer's own and its parts' from one list.

        Raises:
            UncoveredError: the list has others, or their names tell another order.
        """
        asked = list(self._asked())
        if not self.frozen:
            asked.sort(key=lambda each: each[0].frozen or each[1].measured)
        require(len(asked) == len(arrays), f"variables of {self.path}")
        is_one = len({part.path for part, _ in asked}) == 1
        for (part, promised), (words, array) in zip(asked, arrays, strict=True):
            *around, name = words
            require(promised.name in (name, CALLED.get(name)), f"{name} for {promised.name} of {part.path}")
            require(is_one or set(part._names) <= set(around), f"{'/'.join(words)} for {part.path}")
            promised.stored = Stored(array, promised.rounded)
        for part in dict.fromkeys(part for part, _ in asked):
            assert part._wanted is not None
            part._wanted.check([each.stored for each in part._promised if each.stored], part.path)

    def _asked(self) -> Iterator[tuple[Listed, Promised]]:
        for promised in self._promised:
            yield self, promised
        for part in self.parts.values():
            yield from part._asked()


class Model(Listed):
    """Those of all layers of a model.

    Args:
        weights: the group of the file that has them.
    """

    def __init__(self, weights: Any) -> None:
        super().__init__()
        self._weights = weights

    def settle(self) -> None:
        """Give each layer what the file lists under its name."""
        names = texts(self._weights, LAYERS)
        lists = {name: self._arrays(name) for name in names}
        require(len(lists) == len(names), "two layers of one name")
        require(TOP not in self._weights or not self._arrays(TOP), "weights of the model itself")
        layers = {part.name: part for part in self.parts.values()}
        require({name for name, arrays in lists.items() if arrays} <= set(layers), "weights of other layers")
        for name, layer in layers.items():
            layer.fill(lists.get(name, []))

    def _arrays(self, layer: str) -> list[Entry]:
        group = self._weights[layer]
        arrays = [(_words(name), group[name]) for name in texts(group, WEIGHTS)]
        require(all(isinstance(array, h5py.Dataset) for _, array in arrays), f"variables of {layer}")
        return [(words, array) for words, array in arrays if words[-1] not in UNREAD]


def texts(group: Any, name: str) -> list[str]:
    """An attribute that is a list of texts; Keras writes a long one as several."""
    found = [group.attrs[name]] if name in group.attrs else []
    while name not in group.attrs and f"{name}{len(found)}" in group.attrs:
        found.append(group.attrs[f"{name}{len(found)}"])
    return [text(each) for part in found for each in part]


def text(value: Any) -> str:
    """A text of HDF5, which may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _words(name: str) -> list[str]:
    """The parts of a variable's name, without the number that TensorFlow puts behind it.

    Example:
        >>> _words("dense/kernel:0")
        ['dense', 'kernel']
    """
    return re.sub(r":\d+$", "", name).split("/")
