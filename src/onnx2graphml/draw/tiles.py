"""A layer's value as tiles: maps of the same size, whatever the rank; all of them, or some in an order."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array
from onnx2graphml.recording.views import View, view_of

CHANNELS = ("first", "top", "all")


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


def folded(vector: Array, wide: float = 1.0) -> Array:
    """A vector as rows, from left to right, then downwards; what is left of the last is masked.

    Args:
        wide: width to height, nearly.

    Example:
        >>> folded(np.arange(5)).filled(-1).tolist()
        [[0, 1, 2], [3, 4, -1]]
    """
    columns = min(math.ceil(math.sqrt(len(vector) * wide)), len(vector))
    rows = math.ceil(len(vector) / columns)
    flat = np.ma.MaskedArray(np.zeros(rows * columns, vector.dtype), np.arange(rows * columns) >= len(vector))
    flat[: len(vector)] = vector
    return flat.reshape(rows, columns)


def alike(layer: Layer, values: Iterable[Array], channels_last: bool, limit: int) -> tuple[Tiles, ...]:
    """Tiles of several arrays in a layer's shape: of the same channels in all, those of the greatest sum of squares.

    Args:
        layer: one that has neurons.
        limit: how many channels at most.

    Example:
        >>> layer = Layer("conv", "Conv", (2, 1, 2), spatial=(0, 1, 2))
        >>> values = np.array([[[[1, 0]], [[0, 2]]], [[[5, 0]], [[0, 1]]]])
        >>> [tiles.array.tolist() for tiles in alike(layer, values, False, 1)]
        [[[[1, 0]]], [[[5, 0]]]]
    """
    made = (tiles_of(layer, v, channels_last=channels_last) for v in values)
    every = [tiles for tiles in made if tiles is not None]  # that is for a layer without neurons
    if every[0].of > limit:
        together = np.concatenate([tiles.array for tiles in every], axis=1)
        chosen = np.argsort(-energy(together), kind="stable")[:limit]
        every = [_chosen(tiles, chosen) for tiles in every]
    return tuple(every)


def _chosen(tiles: Tiles, chosen: Array) -> Tiles:
    indices = tuple(tiles.indices[k] for k in chosen)
    return dataclasses.replace(tiles, array=tiles.array[chosen], indices=indices, order="by energy")
