"""A matrix as an image, with numbers beside its rows and below its columns, and names of both."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.mosaic import ZOOM, resized
from onnx2graphml.draw.page import GREY, LIGHT, SMALL, Box, Image, Mark, Piece, Rect, Text
from onnx2graphml.model import Array
from onnx2graphml.text import DIGIT, step_of_labels

NAME = 18  # pixels for an axis' name
LONG = 4  # times as long as wide: then its values are no squares


@dataclass(frozen=True, eq=False)
class Matrix:
    """Values in rows and columns.

    Attributes:
        values: shape (rows, columns).
        scale: of their colours.
        rows, columns: labels; by default the positions.
        row_name, column_name: what they are.
        zoom: pixels of a value at most.
        stretched: whether values fill the room in either direction, as those of signals may.
    """

    coloured: ClassVar[bool] = True

    values: Array
    scale: Scale
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    row_name: str = ""
    column_name: str = ""
    zoom: float = ZOOM
    stretched: bool = False

    def placed(self, width: float, height: float) -> Piece:
        """The image as large as the room allows; a value is a square unless the matrix is very long."""
        n, m = self.values.shape
        rows = self.rows or tuple(map(str, range(n)))
        columns = self.columns or tuple(map(str, range(m)))
        left = _width(rows) + 8 + (NAME if self.row_name else 0)
        below = 20 + (NAME if self.column_name else 0)
        across, down = (width - left - 12) / m, (height - below - 2) / n
        if not self.stretched and max(n, m) < LONG * min(n, m):
            across = down = min(across, down)
        high, wide = (max(1, math.floor(k * min(zoom, self.zoom))) for k, zoom in ((n, down), (m, across)))
        pixels = painted(resized(self.values[None], high, wide)[0], self.scale)
        marks: list[Mark] = [Image(left, 1, pixels), Rect(Box(left - 0.5, 0.5, wide + 1, high + 1), None, LIGHT)]
        marks += self._beside(rows, left, high) + self._below(columns, left, wide, high)
        per = [math.ceil(k / p) for k, p in ((n, high), (m, wide))]
        notes = (f"each pixel is the mean of {per[0]}×{per[1]} values",) if max(per) > 1 else ()
        return Piece(left + wide + 12, high + below + 2, tuple(marks), notes)

    def _beside(self, rows: tuple[str, ...], left: float, high: float) -> list[Mark]:
        each = high / len(rows)
        step = step_of_labels(len(rows), each, SMALL + 1)
        marks: list[Mark] = [
            Text(left - 5, 1 + each * (k + 0.5), rows[k], SMALL, align="right", base="center")
            for k in range(0, len(rows), step)
        ]
        if self.row_name:
            marks.append(Text(2, 1 + high / 2, self.row_name, SMALL, False, GREY, "left", "center", turned=True))
        return marks

    def _below(self, columns: tuple[str, ...], left: float, wide: float, high: float) -> list[Mark]:
        each = wide / len(columns)
        step = step_of_labels(len(columns), each, _width(columns) + 8)
        marks: list[Mark] = [
            Text(left + each * (k + 0.5), high + 5, columns[k], SMALL, align="center", base="top")
            for k in range(0, len(columns), step)
        ]
        if self.column_name:
            middle = left + wide / 2
            marks.append(Text(middle, high + 20, self.column_name, SMALL, colour=GREY, align="center", base="top"))
        return marks


def _width(names: tuple[str, ...]) -> float:
    return math.ceil(DIGIT * SMALL * max(map(len, names), default=0))
