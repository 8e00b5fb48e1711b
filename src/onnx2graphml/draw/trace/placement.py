"""Where the layers and neurons of a trace stand: columns from the input to the target, maps with rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.page import Box
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording.views import view_of

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

WIDE = 2200  # pixels that all columns have together, if they may be so narrow
PITCH = (150, 250)  # pixels from a column to the next, at least and at most
SHARE = 0.72  # of that, the width of a map; the rest is for the edges
TALL = 460  # pixels of a vector, and of a map at most
BAND = 12  # pixels of a vector's width
DOT = 4  # pixels of a neuron's side at least


@dataclass(frozen=True)
class Column:
    """A layer in its place.

    Attributes:
        layer: whose neurons stand there.
        box: where.
        rows, columns: of a map; a vector has a row for each neuron, and one column.
        inner: how many channels stand side by side, and below one another, within a position.
        order: the axes of the layer's shape: those that lead, then rows and columns.
    """

    layer: Layer
    box: Box
    rows: int
    columns: int
    inner: int
    order: tuple[int, ...]

    @property
    def side(self) -> tuple[float, float]:
        """The width and height of a neuron."""
        return self.box.width / self.columns / self.inner, self.box.height / self.rows / self.inner

    def places(self, neurons: Ints) -> tuple[Values, Values]:
        """The middles of neurons, by id: x and y."""
        at = np.unravel_index(neurons - self.layer.first_id, self.layer.shape or (1,))
        if not self.order:
            return self._middles(np.zeros(len(neurons), np.int64), neurons - self.layer.first_id, 0)
        *lead, row, column = (at[axis] for axis in self.order)
        sizes = [self.layer.shape[axis] for axis in self.order[:-2]]
        channel = np.ravel_multi_index(lead, sizes) if lead else np.zeros(len(neurons), np.int64)
        return self._middles(column, row, channel)

    def _middles(self, column: Ints, row: Ints, channel: Ints | int) -> tuple[Values, Values]:
        below, beside = np.divmod(channel, self.inner)
        wide, high = self.side
        x = self.box.x + (column * self.inner + beside + 0.5) * wide
        y = self.box.y + (row * self.inner + below + 0.5) * high
        return np.asarray(x, np.float64), np.asarray(y, np.float64)


def columns_of(layers: Sequence[Layer], channels_last: bool, left: float, top: float) -> list[Column]:
    """The layers side by side, each in the middle of the height."""
    pitch = min(max(WIDE // max(len(layers), 1), PITCH[0]), PITCH[1])
    found = []
    for k, layer in enumerate(layers):
        view = view_of(layer, channels_last)
        x = left + k * pitch
        if view.form == "vector":
            found.append(Column(layer, Box(x, top, BAND, TALL), max(layer.neurons, 1), 1, 1, ()))
            continue
        rows, columns = (layer.shape[axis] for axis in view.order[-2:])
        scale = min(SHARE * pitch / max(columns, 1), TALL / max(rows, 1))
        wide, high = columns * scale, rows * scale
        leading = math.prod(layer.shape[axis] for axis in view.order[:-2])
        inner = math.ceil(math.sqrt(leading))
        found.append(Column(layer, Box(x, top + (TALL - high) / 2, wide, high), rows, columns, inner, view.order))
    return found
