"""Values over their positions: bars, lines, signals below one another, distributions, and the largest by name."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from onnx2graphml.draw.colours import NOT_FINITE, Scale
from onnx2graphml.draw.page import GREY, SMALL, Box, Mark, Path, Piece, Text, line, rectangles
from onnx2graphml.model import Array
from onnx2graphml.text import DIGIT, number, shortened, step_of_labels

Floats = npt.NDArray[np.float64]

BLUE = "#31688e"
MAGENTA = f"#{NOT_FINITE[0]:02x}{NOT_FINITE[1]:02x}{NOT_FINITE[2]:02x}"
BARS = 160  # values that have bars; more are a line
POINTS = 4000  # of a line; a longer one becomes a band
LEFT, BELOW, NAME = 86, 20, 18  # pixels for the values' axis, for positions, and for the axis' name
TALLEST, LEAST = 300, 80  # pixels of a plot
ROW = 24  # pixels of a name in a ranking


@dataclass(frozen=True, eq=False)
class Curve:
    """A vector's values over their positions.

    Attributes:
        values: shape (n,).
        scale: its limits are the plot's; the least and the greatest value where there is none.
        labels: of positions; by default their numbers.
        name: what a position is.
    """

    coloured: ClassVar[bool] = False

    values: Array
    scale: Scale | None = None
    labels: tuple[str, ...] = ()
    name: str = ""

    def placed(self, width: float, height: float) -> Piece:
        """The plot, as wide as the room and not higher than `TALLEST`."""
        n = len(self.values)
        high = min(height, TALLEST)
        below = BELOW + (NAME if self.name else 0)
        area = Box(LEFT, 6, width - LEFT - 8, max(high - 6 - below, 10))
        low, top = self._limits()
        ticks = sorted({low, 0.0, top}) if low * top <= 0 else [low, top]
        marks: list[Mark] = [*_axes(area, low, top, ticks)]
        marks += _over_positions(np.asarray(self.values, np.float64), area, low, top)
        marks += _positions(area, self.labels or tuple(map(str, range(n))), self.name)
        step = points_in_one(n)
        notes = (f"the least and the greatest of every {step:,}",) if step > 1 else ()
        return Piece(width, 6 + area.height + below, tuple(marks), notes)

    def _limits(self) -> tuple[float, float]:
        if self.scale is not None:
            low, top = self.scale.low, self.scale.high
        else:
            finite = np.asarray(self.values, np.float64)[np.isfinite(self.values)]
            low, top = min(0.0, finite.min(initial=0)), max(0.0, finite.max(initial=0))
        return (low, top) if low < top else (min(low, 0.0), max(top, 0.0) or 1.0)


@dataclass(frozen=True, eq=False)
class Curves:
    """A few signals over the same positions, one below the other, all with the same limits.

    Attributes:
        values: shape (signals, n).
        labels: of the signals.
        scale: of all of them.
        name: what a position is.
    """

    coloured: ClassVar[bool] = False

    values: Array
    labels: tuple[str, ...]
    scale: Scale
    name: str = ""

    def placed(self, width: float, height: float) -> Piece:
        """The signals, each in a strip."""
        k, n = self.values.shape
        each = min(TALLEST, max((height - BELOW - NAME) / k, 1.0))
        marks: list[Mark] = []
        low, top = (self.scale.low, self.scale.high) if self.scale.low < self.scale.high else (0.0, 1.0)
        for row in range(k):
            area = Box(LEFT, row * each + 4, width - LEFT - 8, each - 8)
            ticks = [low, top] if each >= 44 else []
            marks += _axes(area, low, top, ticks, inside=True)
            marks += _over_positions(np.asarray(self.values[row], np.float64), area, low, top, bars=False)
            marks.append(Text(2, area.y + area.height / 2, self.labels[row], SMALL, bold=True, base="center"))
        last = Box(LEFT, (k - 1) * each + 4, width - LEFT - 8, each - 8)
        marks += _positions(last, tuple(map(str, range(n))), self.name)
        return Piece(width, k * each + BELOW + NAME - 4, tuple(marks))


@dataclass(frozen=True, eq=False)
class Ranking:
    """Names with bars, from top to bottom: the largest of many, or all of a few.

    Attributes:
        names, values: of each; values from 0 on.
    """

    coloured: ClassVar[bool] = False

    names: tuple[str, ...]
    values: tuple[float, ...]

    def placed(self, width: float, height: float) -> Piece:
        """A line for each."""
        room = min(0.5 * width, max(len(n) for n in self.names) * 0.62 * SMALL + 12)
        most = max((v for v in self.values if math.isfinite(v)), default=0) or 1.0
        each = min(ROW, height / len(self.names))
        bars, marks = [], list[Mark]()
        for k, (name, value) in enumerate(zip(self.names, self.values, strict=True)):
            y = k * each
            share = value / most if math.isfinite(value) else 0.0
            long = max(share, 0.0) * (width - room - 76)
            bars.append(Box(room, y + 0.18 * each, long, 0.64 * each))
            text = shortened(name, room - 8, SMALL)
            marks.append(Text(room - 8, y + each / 2, text, SMALL, align="right", base="center"))
            marks.append(Text(room + long + 6, y + each / 2, number(value), SMALL, base="center"))
        return Piece(width, each * len(self.names), (rectangles(bars, BLUE), *marks))


@dataclass(frozen=True, eq=False)
class Histogram:
    """How many values lie between neighbouring edges.

    Attributes:
        counts: shape (n,).
        edges: shape (n + 1,), ascending.
    """

    coloured: ClassVar[bool] = False

    counts: tuple[int, ...]
    edges: tuple[float, ...]

    def placed(self, width: float, height: float) -> Piece:
        """The plot, as large as the room."""
        area = Box(LEFT, 6, width - LEFT - 20, height - 6 - BELOW)
        edges = np.array(self.edges, np.float64)
        wide = edges[-1] - edges[0]
        x = area.x + area.width * ((edges - edges[0]) / wide if wide else np.linspace(0, 1, len(edges)))
        most = max(self.counts)
        tops = area.height * np.array(self.counts) / (most or 1)
        bars = [Box(a, area.y + area.height - h, b - a, h) for a, b, h in zip(x, x[1:], tops, strict=False)]
        marks: list[Mark] = [rectangles(bars, BLUE), *_axes(area, 0, most or 1, [0, most], counts=True)]
        if edges[0] < 0 < edges[-1]:
            zero = area.x + area.width * -edges[0] / wide
            marks.append(line([(zero, area.y), (zero, area.y + area.height)], GREY))
        bottom = area.y + area.height
        marks.append(Text(area.x, bottom + 4, number(edges[0]), SMALL, base="top"))
        marks.append(Text(area.x + area.width, bottom + 4, number(edges[-1]), SMALL, align="right", base="top"))
        return Piece(width, height, tuple(marks))


def points_in_one(values: int) -> int:
    """How many values of a vector a place on its line stands for, with the least and the greatest of them.

    Example:
        >>> points_in_one(1000), points_in_one(25088)
        (1, 13)
    """
    return 1 if values <= POINTS else math.ceil(2 * values / POINTS)


def _over_positions(values: Floats, area: Box, low: float, top: float, bars: bool = True) -> list[Mark]:
    """Bars if they are few, otherwise a line or a band; what is not finite is a cross at 0."""
    n = len(values)
    finite = np.isfinite(values)
    y = _heights(np.where(finite, values, np.nan), area, low, top)
    zero = float(_heights(np.zeros(1), area, low, top)[0])
    step = area.width / n
    middle = area.x + step * (np.arange(n) + 0.5)
    marks: list[Mark] = []
    if n <= BARS and bars:
        wide = 0.8 * step
        known = [(x, to) for x, to in zip(middle.tolist(), y.tolist(), strict=True) if not math.isnan(to)]
        marks.append(rectangles([Box(x - wide / 2, min(to, zero), wide, abs(to - zero)) for x, to in known], BLUE))
    elif points_in_one(n) > 1:
        starts = np.arange(0, n, points_in_one(n))
        upper, lower = (f.reduceat(y, starts) for f in (np.fmin, np.fmax))
        ends = [*zip(middle[starts], upper, strict=True), *zip(middle[starts][::-1], lower[::-1], strict=True)]
        shown = [(float(a), float(b)) for a, b in ends if not math.isnan(b)]
        band = line(shown, BLUE, 1.5)
        marks.append(Path((*band.commands, ("Z", ())), fill=BLUE, stroke=BLUE, line=1.0))
    else:
        commands = []
        for k, (a, b) in enumerate(zip(middle.tolist(), y.tolist(), strict=True)):
            if finite[k]:
                commands.append(("L" if k and finite[k - 1] else "M", (a, b)))
        marks.append(Path(tuple(commands), stroke=BLUE, line=1.6))
    crosses = [c for x in middle[~finite].tolist() for c in _cross(x, zero)]
    return [*marks, *([Path(tuple(crosses), stroke=MAGENTA, line=2.0)] if crosses else [])]


def _cross(x: float, y: float) -> list[tuple[str, tuple[float, ...]]]:
    return [("M", (x - 4, y - 4)), ("L", (x + 4, y + 4)), ("M", (x + 4, y - 4)), ("L", (x - 4, y + 4))]


def _heights(values: Floats, area: Box, low: float, top: float) -> Floats:
    """The y of values; as shares of half the limits, so that no number is too great."""
    half = top / 2 - low / 2
    return area.y + area.height * (1 - (values / 2 - low / 2) / half)


def _axes(
    area: Box, low: float, top: float, ticks: list[float], counts: bool = False, inside: bool = False
) -> list[Mark]:
    """A line at the left with the values of its ticks, and a line at 0; `inside` the area the texts, too."""
    at = _heights(np.array(ticks, np.float64), area, low, top).tolist()
    marks: list[Mark] = [line([(area.x, area.y), (area.x, area.y + area.height)], "#000000")]
    marks += [line([(area.x - 4, y), (area.x, y)]) for y in at]
    texts = [f"{t:,}" if counts else number(t) for t in ticks]
    lift = [-7.0 if inside and t == low else 7.0 if inside and t == top else 0.0 for t in ticks]
    marks += [
        Text(area.x - 7, y + up, t, SMALL, align="right", base="center")
        for y, up, t in zip(at, lift, texts, strict=True)
    ]
    zero = min(max(low, 0.0), top)
    y = float(_heights(np.array([zero]), area, low, top)[0])
    return [*marks, line([(area.x, y), (area.x + area.width, y)], GREY)]


def _positions(area: Box, labels: tuple[str, ...], name: str) -> list[Mark]:
    """Labels below an area: as many as there is room for; and the axis' name."""
    n, step = len(labels), area.width / max(len(labels), 1)
    each = step_of_labels(n, step, max(map(len, labels), default=1) * DIGIT * SMALL + 8)
    bottom = area.y + area.height + 4
    marks: list[Mark] = [
        Text(area.x + step * (k + 0.5), bottom, labels[k], SMALL, align="center", base="top") for k in range(0, n, each)
    ]
    if name:
        middle = area.x + area.width / 2
        marks.append(Text(middle, bottom + BELOW - 3, name, SMALL, colour=GREY, align="center", base="top"))
    return marks
