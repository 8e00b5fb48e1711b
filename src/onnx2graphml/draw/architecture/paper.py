"""Rows in columns, in a drawing's coordinates: boxes, arrows as polylines, and frames around repeats."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from onnx2graphml.draw.architecture import lettering
from onnx2graphml.draw.architecture.columns import FRAME, TAB_ROOM, Rows, Sheet
from onnx2graphml.draw.architecture.drawing import FONT, HEAD, PADDING, Arrow, Box, Frame, Point
from onnx2graphml.draw.architecture.repeats import Fold
from onnx2graphml.text import cells


@dataclass(frozen=True)
class Paper:
    """Where rows lie.

    Attributes:
        sized: the boxes, not yet placed.
        rows, sheet: what is placed.
        x, y: the sheet's upper left corner.
    """

    sized: Sequence[Box]
    rows: Rows
    sheet: Sheet
    x: float
    y: float

    def boxes(self) -> tuple[Box, ...]:
        """The boxes in their places."""
        placed = dict[int, Box]()
        for row, vertices in enumerate(self.rows.layering.rows):
            for v in vertices:
                if v < len(self.sized):
                    left = self._x(row, v) - self.sized[v].width / 2
                    placed[v] = dataclasses.replace(self.sized[v], x=left, y=self.y + self.sheet.top[row])
        return tuple(placed[v] for v in range(len(self.sized)))

    def arrows(self) -> tuple[Arrow, ...]:
        """The arrows, each from the middle of a lower side to the middle of an upper side."""
        row_of = {v: r for r, row in enumerate(self.rows.layering.rows) for v in row}
        arrows = []
        skips: dict[int, int] = {}  # the sources of arrows that pass a row, numbered
        for (a, b), chain in self.rows.layering.chains.items():
            row = row_of[a]
            points = [(self._x(row, a), self.y + self.sheet.top[row] + self.sized[a].height)]
            for u, v in itertools.pairwise(chain):
                points += self._between(row_of[u], u, v)
            skip = skips.setdefault(a, len(skips)) if len(chain) > 2 else -1
            arrows.append(Arrow(self.sized[a].layer, self.sized[b].layer, _straight(points), skip))
        return tuple(arrows)

    def _between(self, row: int, u: int, v: int) -> list[Point]:
        """From below a vertex to the top of one in the next row."""
        sheet, start, end = self.sheet, self._x(row, u), self._x(row + 1, v)
        bottom = self.y + sheet.bottom[row] + sheet.after[row]
        top = self.y + sheet.top[row + 1]
        if (u, v) not in sheet.tracks:
            head = 2 * HEAD if v < len(self.sized) else 0  # what arrives at a box is upright by then
            return [(start, bottom), (end, top - sheet.before[row + 1] - head), (end, top)]
        down, gutter, up = sheet.tracks[u, v]
        low, side, high = self.y + down, self.x + gutter, self.y + up
        return [(start, low), (side, low), (side, high), (end, high), (end, top)]

    def frames(self, folds: Sequence[Fold]) -> tuple[Frame, ...]:
        """A frame for each fold in each column that has some of its rows."""
        frames = []
        for k, fold in enumerate(folds):
            label = lettering.label(fold)
            for column in self.sheet.columns:
                rows = [row for row in column if self.rows.repeat[row] == k]
                if rows:
                    frames.append(self._frame(fold, label, rows))
                    label = f"{lettering.label(fold)}, continued"
        return tuple(frames)

    def _frame(self, fold: Fold, label: str, rows: Sequence[int]) -> Frame:
        first, last = rows[0], rows[-1]
        shift = self.x + self.sheet.shift[first]
        left = shift + min(self.rows.left[row] for row in rows)
        right = shift + max(self.rows.right[row] for row in rows)
        upper = self.y + self.sheet.top[first] - FRAME - TAB_ROOM
        height = self.y + self.sheet.bottom[last] + FRAME - upper
        tab = cells(label) * lettering.CELL * FONT + PADDING
        entering = [self._x(first, v) for v in self.rows.layering.rows[first]]
        covered = any(left <= x <= left + tab for x in entering)  # then the tab is at the other end
        return Frame(fold, left, upper, right - left, height, label, right - tab if covered else left, tab)

    def _x(self, row: int, vertex: int) -> float:
        return self.x + self.sheet.shift[row] + self.rows.x[vertex]


def _straight(points: Sequence[Point]) -> tuple[Point, ...]:
    """The same line without points that are passed straight on, or twice."""
    line = [points[0]]
    for point in points[1:]:
        if point == line[-1]:
            continue
        if len(line) > 1 and any(line[-2][k] == line[-1][k] == point[k] for k in (0, 1)):
            line.pop()
        line.append(point)
    return tuple(line)
