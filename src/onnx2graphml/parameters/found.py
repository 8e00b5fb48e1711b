"""What is known of every layer's trained arrays, together."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.parameters.arrays import LayerArrays, TrainedArray
from onnx2graphml.parameters.differences import Difference, Matches
from onnx2graphml.parameters.orders import Order
from onnx2graphml.parameters.statistics import Statistics

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ArrayWeights:
    """An array with all that is known of it; `numpy.asarray` of it is the array itself.

    Attributes:
        file: of the picture; empty where there is none, and where the array is drawn at another layer.
        difference, difference_file: against the other model's, where that has the array, too.

    Example:
        >>> import onnx2graphml
        >>> kernel = onnx2graphml.weights("fixtures/digits.onnx").array("conv1/kernel")
        >>> np.asarray(kernel).shape, kernel.axes
        ((3, 3, 1, 16), ('row', 'column', 'in', 'out'))
    """

    array: TrainedArray
    statistics: Statistics
    file: str = ""
    difference: Difference | None = None
    difference_file: str = ""

    @property
    def values(self) -> Array:
        """The numbers, as the framework holds them."""
        return self.array.values

    @property
    def axes(self) -> tuple[str, ...]:
        """What each axis of the values means."""
        return self.array.axes

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the values."""
        return self.array.values.shape

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        """The values, for NumPy."""
        return np.array(self.values, dtype, copy=copy)


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """A layer's arrays, the order that its outputs are shown in, and the file of its histograms."""

    of: LayerArrays
    order: Order | None
    arrays: tuple[ArrayWeights, ...]
    histograms: str = ""


@dataclass(frozen=True, eq=False)
class Weights:
    """The trained arrays of a network.

    Attributes:
        model, against: the models' names; `against` is empty where there is none.
        layers: those asked for, also those without arrays.
        order: what was asked for.
        count: the number of the network's layers.
        unread: initializers of floats that no layer reads.
        matches: what of the two models belongs together; None without another.
    """

    model: str
    layers: tuple[LayerWeights, ...]
    order: str
    count: int
    unread: Mapping[str, Array]
    matches: Matches | None = None
    against: str = ""

    @property
    def permutations(self) -> dict[str, list[int]]:
        """By layer, its outputs' numbers in the order in which they are shown."""
        return {x.of.layer.name: x.order.permutation.tolist() for x in self.layers if x.order is not None}

    def array(self, name: str) -> ArrayWeights:
        """The array of that name; `Error` if there is none."""
        every = {a.array.name: a for x in reversed(self.layers) for a in x.arrays}
        if name not in every:
            near = difflib.get_close_matches(name, every, n=3) or list(every)[::-1][:3]
            hint = f"; did you mean {', '.join(map(repr, near))}?" if near else ": no layer has any"
            raise Error(f"no layer has an array named {name!r}{hint}")
        return every[name]
