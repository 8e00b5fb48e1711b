"""Boxes in rows, so that every arrow leads downwards, and in an order in each row, so that few arrows cross.

An arrow that passes rows has a place in each of them, a lane; arrows from the same box share their lanes. So arrows
never meet boxes: they run between rows, and in rows along lanes.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SWEEPS = 12  # over the rows, down and up, each sorting them by their neighbours' places


@dataclass(frozen=True)
class Layering:
    """Vertices in rows: boxes are 0 … boxes-1, lanes the numbers from there on.

    Attributes:
        boxes: their number.
        rows: each row's vertices from left to right.
        links: between each row and the next one, the pairs of vertices that an arrow leads between.
        chains: per arrow (from box, to box), the vertices that it passes, both boxes included.
    """

    boxes: int
    rows: tuple[tuple[int, ...], ...]
    links: tuple[tuple[tuple[int, int], ...], ...]
    chains: dict[tuple[int, int], tuple[int, ...]]


def layered(boxes: int, arrows: Sequence[tuple[int, int]], sections: Sequence[range]) -> Layering:
    """Rows for boxes and the lanes between them.

    Args:
        boxes: their number; they are in topological order.
        arrows: from a box to a later one, each once.
        sections: the boxes in runs that are to share no row.

    Example:
        >>> layered(3, [(0, 1), (1, 2), (0, 2)], [range(3)]).rows
        ((0,), (1, 3), (2,))
    """
    rank = _ranks(arrows, sections)
    rows: list[list[int]] = [[] for _ in range(max(rank, default=-1) + 1)]
    links: list[dict[tuple[int, int], None]] = [{} for _ in rows[1:]]
    for box in range(boxes):
        rows[rank[box]].append(box)
    lanes: dict[tuple[int, int], int] = {}  # (box, row) -> vertex
    chains = {}
    for a, b in arrows:
        chain = [a]
        for row in range(rank[a] + 1, rank[b]):
            if (a, row) not in lanes:
                lanes[a, row] = boxes + len(lanes)
                rows[row].append(lanes[a, row])
            chain.append(lanes[a, row])
        chain.append(b)
        chains[a, b] = tuple(chain)
        for row, pair in enumerate(itertools.pairwise(chain), rank[a]):
            links[row][pair] = None
    pairs = [tuple(link) for link in links]
    return Layering(boxes, _ordered(rows, pairs), tuple(pairs), chains)


def _ranks(arrows: Sequence[tuple[int, int]], sections: Sequence[range]) -> list[int]:
    """Each box's row: right below the lowest box that leads to it; without one, right above the highest it leads to."""
    into: dict[int, list[int]] = {}
    out: dict[int, list[int]] = {}
    for a, b in arrows:
        into.setdefault(b, []).append(a)
        out.setdefault(a, []).append(b)
    rank: list[int] = []
    last: list[int] = []  # per section, its last row
    for section in sections:
        top = last[-1] + 1 if last else 0
        for box in section:
            rank.append(max((rank[a] + 1 for a in into.get(box, ()) if rank[a] >= top), default=top))
        last.append(max((rank[box] for box in section), default=top - 1))
    for section, bottom in zip(sections, last, strict=True):
        for box in section:
            if box not in into and box in out:
                rank[box] = min(bottom, min(rank[b] for b in out[box]) - 1)
    return rank


def _ordered(rows: list[list[int]], links: Sequence[Sequence[tuple[int, int]]]) -> tuple[tuple[int, ...], ...]:
    """The rows in the order with fewest crossings that some sweeps find."""
    best, fewest = [list(row) for row in rows], crossings(rows, links)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for k in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            near = k - 1 if down else k + 1
            pairs = [(b, a) for a, b in links[near]] if down else links[k]
            rows[k] = _by_neighbours(rows[k], rows[near], pairs)
        now = crossings(rows, links)
        if now < fewest:
            best, fewest = [list(row) for row in rows], now
    return tuple(map(tuple, best))


def _by_neighbours(row: list[int], near: Sequence[int], pairs: Iterable[tuple[int, int]]) -> list[int]:
    """A row sorted by the mean place of each vertex's neighbours; one that has none stays where it is."""
    place = {v: p for p, v in enumerate(near)}
    found: dict[int, list[int]] = {}
    for v, other in pairs:
        found.setdefault(v, []).append(place[other])
    scale = len(near) / max(len(row), 1)
    key = {v: sum(found[v]) / len(found[v]) if v in found else p * scale for p, v in enumerate(row)}
    return sorted(row, key=key.__getitem__)


def crossings(rows: Sequence[Sequence[int]], links: Sequence[Sequence[tuple[int, int]]]) -> int:
    """How often arrows cross between rows.

    Example:
        >>> crossings([[0, 1], [2, 3]], [[(0, 3), (1, 2)]])
        1
    """
    total = 0
    for upper, lower, pairs in zip(rows, rows[1:], links, strict=False):
        above, below = ({v: p for p, v in enumerate(row)} for row in (upper, lower))
        ends: list[int] = []
        for _, end in sorted((above[a], below[b]) for a, b in pairs):
            total += len(ends) - bisect.bisect_right(ends, end)
            bisect.insort(ends, end)
    return total
