"""Rows in columns, as lines of text stand in the columns of a page: a deep network becomes a picture of sane shape.

An arrow that leads on into the next column runs below its own, up the gutter between them, and down from above.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onnx2graphml.draw.architecture.layering import Layering

SHAPE = 1.3  # width to height, which a screen has
SHORTEST = 420  # of a column; fewer rows than that stay in one
SPARE = 1.1  # a column may be this much higher than the mean
ROOM, LANES, FORKS = 2.0, 0.3, 0.1  # how bad room left over, a second lane and a fork at a break are
CHANNEL = 30  # between rows, where arrows bend
SLANT = 0.05  # more of it for each pixel that an arrow goes sideways there,
STEEPEST = 34  # up to this
EDGE = 22  # between columns and the tracks beside them
TRACK = 8  # from one track to the next
FRAME = 12  # from a frame's border to the boxes in it
TAB_ROOM = 18  # for a frame's tab


@dataclass(frozen=True)
class Sheet:
    """Rows on paper.

    Attributes:
        width, height: of all columns with what runs beside them.
        columns: each column's rows.
        top, bottom: of each row; its boxes stand at its top.
        before, after: the room above and below a row that a frame takes.
        shift: of each row, to be added to its vertices' places.
        tracks: per pair of linked vertices whose rows are in two columns, the y below the first column, the x of the
            gutter, and the y above the second column.
    """

    width: float
    height: float
    columns: tuple[range, ...]
    top: tuple[float, ...]
    bottom: tuple[float, ...]
    before: tuple[float, ...]
    after: tuple[float, ...]
    shift: tuple[float, ...]
    tracks: dict[tuple[int, int], tuple[float, float, float]]


@dataclass(frozen=True)
class Rows:
    """What is known of rows before they are put into columns.

    Attributes:
        layering: the rows.
        x: the middle of each vertex.
        left, right: the ends of each row, frames included.
        heights: of each row.
        repeat: the repeat that each row is part of; -1 where it is in none.
    """

    layering: Layering
    x: Sequence[float]
    left: Sequence[float]
    right: Sequence[float]
    heights: Sequence[float]
    repeat: Sequence[int]

    def channel(self, row: int) -> float:
        """The room below a row."""
        if row == len(self.heights) - 1:
            return 0
        sideways = max((abs(self.x[a] - self.x[b]) for a, b in self.layering.links[row]), default=0)
        return CHANNEL + min(round(SLANT * sideways), STEEPEST)


def arranged(rows: Rows, columns: int | None = None) -> Sheet:
    """The rows in columns that are well filled and together nearest to a screen's shape; a short one stays one.

    Args:
        columns: their number at most, instead.
    """
    total = sum(height + rows.channel(row) for row, height in enumerate(rows.heights))
    if columns is not None:
        return _sheet(rows, _at_most(rows, total, columns))
    found = []
    for n in range(1, max(int(total / SHORTEST), 1) + 1):
        broken, cost = _broken(rows, total / n * SPARE)
        sheet = _sheet(rows, broken)
        found.append((abs(math.log(sheet.width / sheet.height / SHAPE)) + cost / len(broken), sheet))
    return min(found, key=lambda pair: pair[0])[1]


def _at_most(rows: Rows, total: float, columns: int) -> tuple[range, ...]:
    """Columns that are as low as they can be, and not more of them than that."""
    most = total / columns
    while len(found := _broken(rows, most)[0]) > columns:
        most *= SPARE
    return found


def _broken(rows: Rows, most: float) -> tuple[tuple[range, ...], float]:
    """Columns of at most that height, and what is bad about them: room left over, and arrows that are broken.

    As a paragraph is broken into lines: the best columns up to each row follow from those up to the rows before.
    """
    n = len(rows.heights)
    steps = [height + rows.channel(row) for row, height in enumerate(rows.heights)]
    breaks = [*(_break(rows, row) for row in range(n - 1)), 0.0]
    best: list[tuple[float, int]] = [(0.0, 0)]  # up to each row, exclusive: the cost, and where the last column begins
    for end in range(1, n + 1):
        height = 0.0
        choice: list[tuple[float, int]] = []
        for start in range(end - 1, -1, -1):
            height += steps[start]
            if height > most and choice:
                break
            room = max(most - height, 0) / most
            choice.append((best[start][0] + ROOM * room * room + breaks[end - 1], start))
        best.append(min(choice))
    firsts, end = [], n
    while end:
        firsts.append(best[end][1])
        end = firsts[-1]
    firsts.reverse()
    return tuple(range(a, b) for a, b in zip(firsts, [*firsts[1:], n], strict=True)), best[n][0]


def _break(rows: Rows, row: int) -> float:
    """What is bad about a column's end below a row: the lanes to the next column, their forks, a frame in two."""
    links = rows.layering.links[row]
    lanes = len({a for a, _ in links})
    framed = rows.repeat[row] >= 0 and rows.repeat[row] == rows.repeat[row + 1]
    return LANES * (lanes - 1) + FORKS * (len(links) - lanes) + framed


def _sheet(rows: Rows, columns: tuple[range, ...]) -> Sheet:
    n = len(rows.heights)
    edge = {row for column in columns for row in (column[0] - 1, column[-1])}  # the last rows before a break

    def framed(row: int, other: int, broken: bool) -> bool:
        inside = rows.repeat[row] >= 0
        return inside and (broken or not 0 <= other < n or rows.repeat[row] != rows.repeat[other])

    before = [FRAME + TAB_ROOM if framed(r, r - 1, r - 1 in edge) else 0.0 for r in range(n)]
    after = [float(FRAME) if framed(r, r + 1, r in edge) else 0.0 for r in range(n)]
    lanes = [_lanes(rows, column[-1]) for column in columns[:-1]]
    start = EDGE + TRACK * max(map(len, lanes)) if lanes else 0.0
    top, bottom, shift = [0.0] * n, [0.0] * n, [0.0] * n
    tracks: dict[tuple[int, int], tuple[float, float, float]] = {}
    x = lowest = 0.0
    for c, column in enumerate(columns):
        y = start
        left, right = min(rows.left[r] for r in column), max(rows.right[r] for r in column)
        for r in column:
            shift[r] = x - left
            top[r] = y + before[r]
            bottom[r] = top[r] + rows.heights[r]
            y = bottom[r] + after[r] + rows.channel(r)
        end, x = bottom[column[-1]] + after[column[-1]], x + right - left
        lowest = max(lowest, end)
        if c < len(lanes):
            for k, lane in enumerate(lanes[c]):  # from right to left: so they don't cross
                up = start - EDGE - TRACK * (len(lanes[c]) - 1 - k)
                tracks |= dict.fromkeys(lane, (end + EDGE + TRACK * k, x + EDGE + TRACK * k, up))
            lowest = max(lowest, end + EDGE + TRACK * (len(lanes[c]) - 1))
            x += 2 * EDGE + TRACK * (len(lanes[c]) - 1)
    return Sheet(x, lowest, columns, tuple(top), tuple(bottom), tuple(before), tuple(after), tuple(shift), tracks)


def _lanes(rows: Rows, row: int) -> list[list[tuple[int, int]]]:
    """The arrows that lead on from a column's last row, those of one vertex together, from right to left."""
    lanes: dict[int, list[tuple[int, int]]] = {}
    for a, b in rows.layering.links[row]:
        lanes.setdefault(a, []).append((a, b))
    return sorted(lanes.values(), key=lambda lane: -rows.x[lane[0][0]])
