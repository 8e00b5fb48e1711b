"""What `weights` found: every layer's trained arrays with all that is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from onnx2graphml.draw.weights.panels import Panel
from onnx2graphml.errors import Error
from onnx2graphml.parameters.arrays import LayerArrays, TrainedArray
from onnx2graphml.parameters.differences import Difference, Matches
from onnx2graphml.parameters.orders import Order
from onnx2graphml.parameters.statistics import Statistics

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class ArrayWeights:
    """An array with all that is known of it.

    Attributes:
        panels: what is drawn of it; none for scalars.
        file: of the picture; empty where there is none, and where the array is drawn at another layer.
        difference, difference_panels, difference_file: against the other model's, where that has the array, too.
    """

    array: TrainedArray
    statistics: Statistics
    panels: tuple[Panel, ...]
    file: str = ""
    difference: Difference | None = None
    difference_panels: tuple[Panel, ...] = ()
    difference_file: str = ""


@dataclass(frozen=True, eq=False)
class LayerWeights:
    """A layer's arrays, the order that its outputs are shown in, and the file of its histograms."""

    of: LayerArrays
    order: Order | None
    arrays: tuple[ArrayWeights, ...]
    histograms: str = ""


@dataclass(frozen=True, eq=False)
class Weights:
    """What `weights` found.

    Attributes:
        model, against: the models' names; `against` is empty where there is none.
        layers: all of them, also those without arrays.
        order: what was asked for.
        unread: initializers of floats that no layer reads.
        matches: what of the two models belongs together; None without another.
    """

    model: str
    layers: tuple[LayerWeights, ...]
    order: str
    unread: Mapping[str, Array]
    matches: Matches | None = None
    against: str = ""

    @property
    def permutations(self) -> dict[str, list[int]]:
        """By layer, its outputs' numbers in the order in which they are shown."""
        return {x.of.layer.name: x.order.permutation.tolist() for x in self.layers if x.order is not None}

    def array(self, name: str) -> ArrayWeights:
        """The array of that name; `Error` if there is none."""
        found = [a for x in self.layers for a in x.arrays if a.array.name == name]
        if not found:
            raise Error(f"no layer has an array named {name!r}")
        return found[0]
