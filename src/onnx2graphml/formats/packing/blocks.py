"""Nodes of layers and blocks of edges as parts of a compressed file, if their lines are of the usual kind.

Others are written as text.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats import render
from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing import samples
from onnx2graphml.formats.packing.edges import RECORD
from onnx2graphml.formats.packing.float_blocks import FloatLines
from onnx2graphml.formats.packing.form import TILE, TOGETHER, Form
from onnx2graphml.formats.packing.sequences import NEAR
from onnx2graphml.formats.wide_lines import WideEdgeLines
from onnx2graphml.formats.words import STEP
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock

LARGE = 16  # parts that are planned at once
FEWEST, FEWEST_NODES = 1 << 12, 1 << 8  # fewer edges or nodes are worth no codes of their own
USES = 8  # of a weight in a tile, on average
REPEATED = 0.75  # of a row's weights stand there before
MOST_ID = 10**8  # ids below have eight digits at most
PART = 1 << 21  # bytes that the text of a part's nodes takes at most

Ints = npt.NDArray[np.int64]
Parts = Iterator[tuple[Callable[[], memoryview | bytes | Sequence[bytes]], int]]
"""What makes text or parts of a file, and the edges of each."""


def edges_in_parts(form: Form, lines: EdgeLines | WideEdgeLines, block: EdgeBlock, tile: int) -> Parts:
    """The edges of a block as parts of a file, in order, if their lines are of the usual kind, otherwise as text."""
    packed: PackedLines | FloatLines | None = None
    if isinstance(lines, EdgeLines):
        packed = PackedLines.of(lines, block)
        if packed is None:
            packed = FloatLines.of(lines, block, MOST_ID)
    if packed is not None:
        yield from packed.tiles(form, block)
        return
    for part in block.tiles(tile):
        yield functools.partial(lines.render, part), part.count


def nodes_in_parts(form: Form, lines: NodeLines, tile: int) -> Parts:
    """The nodes of a layer as parts of a file, in order, if they are many and their lines not too long.

    Few are left to Python: for them alone, no loop that writes text need be compiled.
    """
    n, most = lines.layer.neurons, lines.room
    if n < FEWEST_NODES:
        yield functools.partial(lines.by_python, 0, n), 0
        return
    if most > NEAR:
        for text in lines.tiles(tile):
            yield text, 0
        return
    codes = form.node_codes(lines)
    parts = -(-n * most // PART)
    cuts = [n * k // parts for k in range(parts + 1)]
    for first in range(0, parts, TOGETHER):
        some = itertools.pairwise(cuts[first : first + TOGETHER + 1])
        yield functools.partial(_nodes, form, lines, codes, [*some]), 0


def _nodes(form: Form, lines: NodeLines, codes: Any, parts: list[tuple[int, int]]) -> list[bytes]:
    return [form.nodes(lines.arguments(first, last), codes, last - first, lines.room) for first, last in parts]


@dataclass(frozen=True, eq=False)
class PackedLines:
    """Edges from one layer to another whose lines differ in little else than digits.

    Attributes:
        lines: how they are written as text.
        pieces: the constant text of a line: before the source, between both ends, before and behind the weight.
        steps: how many times `RECORD` bytes the text between two numbers takes.
        between, sizes: as `put_edges` takes them.
    """

    lines: EdgeLines
    pieces: tuple[bytes, ...]
    steps: int
    between: npt.NDArray[np.uint8]
    sizes: Ints

    @staticmethod
    def of(lines: EdgeLines, block: EdgeBlock) -> PackedLines | None:
        """None where they are of another kind."""
        table, source, target = lines.table, lines.source_id, lines.target_id
        if table is None or block.has_terms or block.count < FEWEST:
            return None
        most = max(source + _most(block, "source"), target + _most(block, "target"))
        p = lines.pieces
        pieces = tuple(p.data[a:b].tobytes() for a, b in zip(p.start, p.stop, strict=True))
        longest = len(pieces[2]) + len(pieces[3]) + len(pieces[0]) + int((table.stop - table.start).max(initial=0))
        steps = -(-longest // RECORD)
        if most >= MOST_ID or steps > 2 or max(len(pieces[0]), len(pieces[1])) > STEP:
            return None
        between = np.frombuffer(pieces[1] + bytes(render.SLACK), np.uint8)
        return PackedLines(lines, pieces, steps, between, np.array([*map(len, pieces), steps]))

    def tiles(self, form: Form, block: EdgeBlock) -> Parts:
        """The block's edges as parts, and as text where few of its weights are alike."""
        row: Row | None = None
        overlong = max(len(axis) for axis in block.axes) > TILE  # it is cut, too
        for part in block.tiles(TILE if overlong else LARGE * TILE):
            if row is None or row.inner is not part.axes[1]:  # the same for nearly all
                row = Row.of(part.axes[1], NEAR // self._room)
            taps, numbers = np.unique(part.axes[0].tap, return_inverse=True)
            numbers = numbers.reshape(-1) * len(row.taps)
            if part.count < FEWEST or not row.is_repeated or len(taps) * len(row.taps) * USES > part.count:
                for smaller in part.tiles(TILE):
                    yield functools.partial(self.lines.render, smaller), smaller.count
                continue
            records = self._records(np.add.outer(taps, row.taps).ravel())
            codes = form.codes(samples.of_edges(self.lines, part))
            tiles = [(tile, numbers[rows]) for tile, rows in _cut(part)]
            for first in range(0, len(tiles), TOGETHER):
                some = tiles[first : first + TOGETHER]
                make = functools.partial(self._parts, form, some, row, records, codes)
                yield make, sum(tile.count for tile, _ in some)

    def _parts(
        self,
        form: Form,
        tiles: list[tuple[EdgeBlock, Ints]],
        row: Row,
        records: tuple[npt.NDArray[np.uint8], Ints],
        codes: Any,
    ) -> list[bytes]:
        """Tiles, and the numbers of their outer entries' taps, as parts."""
        inner = row.source, row.target, row.numbers, row.back, row.near, self.between, *records, self.sizes
        made = []
        for tile, numbers in tiles:
            outer = tile.axes[0]
            lines = outer.source + self.lines.source_id, outer.target + self.lines.target_id, numbers, *inner
            made.append(form.edges(lines, self.pieces[0], codes, tile.count, self._room))
        return made

    @property
    def _room(self) -> int:
        return self.steps * RECORD + len(self.pieces[1]) + 2 * render.NUMBER

    def _records(self, taps: Ints) -> tuple[npt.NDArray[np.uint8], Ints]:
        """The text between two numbers, for each of some weights; and its size."""
        table = self.lines.table
        assert table is not None
        before, behind = (np.frombuffer(p, np.uint8) for p in (self.pieces[2], self.pieces[3] + self.pieces[0]))
        start, sizes = table.start[taps], table.stop[taps] - table.start[taps]
        records = np.zeros((len(taps), self.steps * RECORD), np.uint8)
        records[:, : before.size] = before
        text = np.arange(int(sizes.max()))
        records[:, before.size + text] = table.data[np.add.outer(start, text)]  # and what stands behind it
        at = np.add.outer(before.size + sizes, np.arange(behind.size))
        records[np.arange(len(taps))[:, np.newaxis], at] = behind
        return records.ravel(), sizes + before.size + behind.size


@dataclass(frozen=True, eq=False)
class Row:
    """The entries of an inner axis.

    Attributes:
        inner: the axis, and `source` and `target`: copies of its own.
        taps: the distinct ones, and `numbers`: which of them each entry has.
        back: how many entries before each there is the last one of the same tap; 0 for none that is near.
        near: the same, where that is as much as for the entry before.
        is_repeated: whether most weights have stood in the row before.
    """

    inner: Axis
    source: Ints
    target: Ints
    taps: Ints
    numbers: Ints
    back: Ints
    near: Ints
    is_repeated: bool

    @staticmethod
    def of(inner: Axis, most: int) -> Row:
        """Of an axis, with other entries at most so far back."""
        taps, numbers = np.unique(inner.tap, return_inverse=True)
        numbers = numbers.reshape(-1)
        order = np.argsort(numbers, kind="stable")
        back = np.zeros(len(order), np.int64)
        back[order[1:]] = np.where(np.diff(numbers[order]) == 0, np.diff(order), 0)
        back[back > most] = 0
        near = np.where(back == np.concatenate([[0], back[:-1]]), back, 0)
        is_repeated = bool(np.count_nonzero(back) >= REPEATED * len(back))
        return Row(inner, inner.source.copy(), inner.target.copy(), taps, numbers, back, near, is_repeated)


def _cut(block: EdgeBlock) -> Iterator[tuple[EdgeBlock, slice]]:
    """A block of two axes as tiles of about `TILE` edges, and which entries of the outer axis each has."""
    outer, inner = block.axes
    tiles = min(-(-block.count // TILE), len(outer))
    for k in range(tiles):
        rows = slice(len(outer) * k // tiles, len(outer) * (k + 1) // tiles)
        yield block._part((outer[rows], inner)), rows


def _most(block: EdgeBlock, side: Any) -> int:
    return sum(int(offsets.max(initial=0)) for offsets in block.offsets(side))
