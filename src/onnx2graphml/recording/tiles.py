"""A layer's value as tiles: 2-D pictures that Mosaic puts side by side, whatever the rank.

A picture's rows and columns become a tile's, and there is a tile for each channel. A line of positions with channels
becomes a row for each channel; what has no more than one axis longer than 1 is a vector, folded to nearly a square.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array

Form = Literal["vector", "map", "lines", "pictures"]
CHANNELS = ("first", "top", "all")


@dataclass(frozen=True)
class View:
    """How a layer's axes are shown.

    Attributes:
        form: `vector`; `map`, one tile; `lines`, a tile of one row for each channel; `pictures`, a tile for each
            combination of indices in the axes that lead.
        order: the axes of the layer's shape, rows and columns last; those before them lead.
        what: what a tile is: a channel or a slice.
    """

    form: Form
    order: tuple[int, ...]
    what: str = "slice"

    @property
    def leading(self) -> tuple[int, ...]:
        """The axes that tell tiles apart."""
        return self.order[: -1 if self.form == "lines" else -2]


@dataclass(frozen=True, eq=False)
class Tiles:
    """Some of a layer's tiles.

    Attributes:
        array: shape (n, rows, columns), the layer's values; masked where a folded vector ends.
        indices: for each tile its position in the axes that lead; for a channel (k,).
        of: the number of tiles that there are.
        view: how they were made.
        order: the words `by energy` where they were chosen and put in order by it.
    """

    array: Array
    indices: tuple[tuple[int, ...], ...]
    of: int
    view: View
    order: str = ""

    @property
    def statement(self) -> str:
        """What is shown, in words: `64 of 512 channels, by energy`."""
        n = len(self.array)
        if self.of == 1 and n == 1:
            return ""
        words = [f"all {self.of:,} {self.view.what}s" if n == self.of else f"{n:,} of {self.of:,} {self.view.what}s"]
        if self.order:
            words.append(self.order)
        elif n < self.of:
            words.append("the first")
        if self.view.form == "lines":
            words.append("a row each")
        return ", ".join(words)


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


def tiles_of(
    layer: Layer, value: Array, *, channels_last: bool = False, channels: str = "all", limit: int = 64
) -> Tiles | None:
    """A layer's tiles, or those of them that are chosen; None for a layer without neurons.

    Args:
        value: in the layer's shape.
        channels: `first`; `top`, those of the greatest sum of squares, in this order; or `all`.
        limit: how many at most, unless `all` are asked for.

    Raises:
        Error: `channels` is none of these, or the limit is less than 1.

    Example:
        >>> layer = Layer("conv1", "Conv", (2, 2, 3), spatial=(2, 0, 1))
        >>> tiles_of(layer, np.arange(12).reshape(2, 2, 3), channels="top", limit=1).array.tolist()
        [[[2, 5], [8, 11]]]
    """
    if channels not in CHANNELS:
        raise Error(f"channels is {channels!r}; expected {', '.join(CHANNELS)}")
    if channels != "all" and limit < 1:
        raise Error(f"the limit of channels is {limit}; expected 1 or more (or channels 'all')")
    view = view_of(layer, channels_last)
    if not value.size:
        return None
    if view.form == "vector":
        return Tiles(folded(value.ravel())[None], ((),), 1, view)
    sizes = tuple(layer.shape[a] for a in view.order)
    lead = sizes[: len(view.leading)]
    every = value.transpose(view.order).reshape(math.prod(lead), *(1,) * (view.form == "lines"), *sizes[len(lead) :])
    chosen, order = np.arange(len(every)), ""
    if channels == "top" and len(every) > 1:
        chosen, order = np.argsort(-energy(every), kind="stable"), "by energy"
    if channels != "all":
        chosen = chosen[:limit]
    indices = tuple(tuple(int(i) for i in np.unravel_index(k, lead)) if lead else () for k in chosen)
    return Tiles(every[chosen], indices, len(every), view, order)


def energy(tiles: Array) -> Array:
    """The sum of squares of each tile's finite values, in float64 and relative to the greatest value of all."""
    values = np.where(np.isfinite(tiles), tiles, 0).astype(np.float64)
    values /= np.abs(values).max(initial=0) or 1
    return np.asarray(np.einsum("nrc,nrc->n", values, values))


def folded(vector: Array) -> Array:
    """A vector as rows of nearly a square, from left to right, then downwards; what is left of the last is masked.

    Example:
        >>> folded(np.arange(5)).filled(-1).tolist()
        [[0, 1, 2], [3, 4, -1]]
    """
    columns = math.ceil(math.sqrt(len(vector)))
    rows = math.ceil(len(vector) / columns)
    flat = np.ma.MaskedArray(np.zeros(rows * columns, vector.dtype), np.arange(rows * columns) >= len(vector))
    flat[: len(vector)] = vector
    return flat.reshape(rows, columns)


def reduced(tiles: Array, block: int) -> Array:
    """Each tile with its values replaced by the means over squares of so many; the last ones may be smaller.

    Example:
        >>> reduced(np.arange(6.0).reshape(1, 2, 3), 2).tolist()
        [[[2.0, 3.5]]]
    """
    if block == 1:
        return tiles
    data = np.ma.filled(tiles, 0).astype(np.float64)
    counts = (~np.ma.getmaskarray(tiles)).astype(np.float64)
    for axis in (1, 2):
        starts = np.arange(0, tiles.shape[axis], block)
        data, counts = (np.add.reduceat(a, starts, axis=axis) for a in (data, counts))
    with np.errstate(all="ignore"):
        means = data / counts
    return np.ma.MaskedArray(means, counts == 0) if np.ma.isMaskedArray(tiles) else means
