"""How a layer's axes are shown: which are rows and columns, and which tell maps apart.

A picture's rows and columns become a map's, and there is a map for each channel. A line of positions with channels
becomes a row for each channel; what has no more than one axis longer than 1 is a vector.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from onnx2graphml.graph.graph import Layer

Form = Literal["vector", "map", "lines", "pictures"]


@dataclass(frozen=True)
class View:
    """How a layer's axes are shown.

    Attributes:
        form: `vector`; `map`, one map; `lines`, a map of one row for each channel; `pictures`, a map for each
            combination of indices in the axes that lead.
        order: the axes of the layer's shape, rows and columns last; those before them lead.
        what: what a map is: a channel or a slice.
    """

    form: Form
    order: tuple[int, ...]
    what: str = "slice"

    @property
    def leading(self) -> tuple[int, ...]:
        """The axes that tell maps apart."""
        return self.order[: -1 if self.form == "lines" else -2]


def view_of(layer: Layer, channels_last: bool = False) -> View:
    """Which of a layer's axes are rows, columns and channels.

    Where the graph does not know (no convolution or pool told it), the last axis of three or more is the channel in a
    framework with channels last, and otherwise the last two axes are rows and columns; axes of size 1 are neither.

    Args:
        channels_last: whether the framework shows (row, column, channel).

    Example:
        >>> view_of(Layer("conv1", "Conv", (8, 8, 16), spatial=(2, 0, 1)))
        View(form='pictures', order=(2, 0, 1), what='channel')
    """
    rank, axes = len(layer.shape), tuple(range(len(layer.shape)))
    if sum(n != 1 for n in layer.shape) <= 1:
        return View("vector", axes)
    if len(layer.spatial) == 3 and layer.shape[layer.spatial[1]] == 1:  # along one dimension, carried out along two
        channel, row, column = layer.spatial
        return View("lines", (*(a for a in axes if a not in layer.spatial), row, channel, column), "channel")
    if layer.spatial:
        known = tuple(a for a in axes if a not in layer.spatial) + layer.spatial
        return View("lines" if len(layer.spatial) == 2 else "pictures", known, "channel" if rank <= 3 else "slice")
    if rank == 2:
        return View("map", axes)
    if channels_last:
        return View("pictures", (rank - 1, *axes[:-1]), "channel" if rank == 3 else "slice")
    return View("pictures", tuple(sorted(axes, key=lambda a: layer.shape[a] != 1)))


def map_size(layer: Layer, channels_last: bool = False) -> tuple[int, int]:
    """The rows and columns of a layer's map: of a picture's channel, of channels by positions; a vector has one row.

    Example:
        >>> map_size(Layer("conv1", "Conv", (8, 6, 16), spatial=(2, 0, 1))), map_size(Layer("fc", "Gemm", (10,)))
        ((8, 6), (1, 10))
    """
    view = view_of(layer, channels_last)
    if view.form == "vector":
        return 1, layer.neurons
    rows, columns = view.order[-2:]
    return layer.shape[rows], layer.shape[columns]
