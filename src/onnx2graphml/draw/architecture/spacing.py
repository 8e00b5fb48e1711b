"""Where the vertices of rows stand from left to right: near their neighbours above and below, and never too close.

Boxes that are alone in their row form the network's spine, one below the other; all else stands around it. A row gets
the places nearest to those wished for, in weighted least squares, among those that hold the distances. Pooling
neighbours that come too close finds them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from onnx2graphml.draw.architecture.layering import Layering

SWEEPS = 16
STIFF = 1000.0  # a box, compared with a lane: lanes make way, so that a chain of boxes runs straight down


def spaced(wished: Sequence[float], weights: Sequence[float], distances: Sequence[float]) -> list[float]:
    """Places in ascending order, at least those distances apart, nearest to the places wished for.

    Args:
        wished: a place for each.
        weights: how much a square of a difference counts, for each.
        distances: between each and the next.

    Example:
        >>> spaced([0, 0], [1, 1], [10])
        [-5.0, 5.0]
        >>> spaced([0, 50], [1, 1], [10])
        [0.0, 50.0]
    """
    offsets = [0.0]
    for d in distances:
        offsets.append(offsets[-1] + d)
    pools: list[tuple[float, float, int]] = []  # sum of weights, mean, members
    for wish, weight, offset in zip(wished, weights, offsets, strict=False):
        pool = (weight, wish - offset, 1)
        while pools and pools[-1][1] >= pool[1]:
            w, mean, n = pools.pop()
            total = w + pool[0]
            pool = (total, (w * mean + pool[0] * pool[1]) / total, n + pool[2])
        pools.append(pool)
    means = [mean for _, mean, n in pools for _ in range(n)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=False)]


def places(layering: Layering, widths: Sequence[float], gap: float) -> list[float]:
    """The middle of each vertex, a whole number of pixels.

    Args:
        widths: of each vertex.
        gap: the least room between two in a row.
    """
    above: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    for a, b in (pair for pairs in layering.links for pair in pairs):
        below.setdefault(a, []).append(b)
        above.setdefault(b, []).append(a)
    x = [0.0] * len(widths)
    stiffness = [STIFF if v < layering.boxes else 1.0 for v in range(len(widths))]

    def place(row: Sequence[int], near: dict[int, list[int]]) -> None:
        if len(row) == 1:
            return  # of the spine, at 0
        wished = [_wish(x, v, near.get(v, []), layering.boxes) for v in row]
        distances = [(widths[a] + widths[b]) / 2 + gap for a, b in itertools.pairwise(row)]
        for v, value in zip(row, spaced(wished, [stiffness[v] for v in row], distances), strict=True):
            x[v] = value

    for _ in range(SWEEPS):
        for row in layering.rows:
            place(row, above)
        for row in reversed(layering.rows):
            place(row, below)
    for row in layering.rows:
        place(row, above)
    return [float(round(value)) for value in x]


def _wish(x: Sequence[float], vertex: int, neighbours: Sequence[int], boxes: int) -> float:
    """The middle of the neighbours that count most: boxes for a box, lanes for a lane."""
    like = [n for n in neighbours if (n < boxes) == (vertex < boxes)] or neighbours
    return sum(x[n] for n in like) / len(like) if like else x[vertex]
