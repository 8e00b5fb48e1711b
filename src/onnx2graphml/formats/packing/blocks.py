"""Blocks of edges as members of a gzip file, if their lines are of the usual kind: others are written as text."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats import render
from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.formats.packing.deflate import DISTANCE_CODES, FIRST_DIGIT, LITERAL_CODES, LONGEST_COPY, put_codes
from onnx2graphml.formats.packing.edges import RECORD, put_edges
from onnx2graphml.formats.packing.member import CODES, closed, sequences_of
from onnx2graphml.formats.packing.sequences import NEAR, SPARE
from onnx2graphml.formats.wide_lines import WideEdgeLines
from onnx2graphml.formats.words import STEP
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock

TILE = 1 << 14  # edges of a member, whose text then stays in the processor's cache
LARGE = 16  # members that are planned at once
FEWEST = 1 << 12  # fewer edges are worth no codes of their own
USES = 8  # of a weight in a tile, on average
REPEATED = 0.75  # of a row's weights stand there before
MOST_ID = 10**8  # ids below have eight digits at most
SAMPLE = 1 << 11  # lines, whose codes are those of many members
ROWS = 16  # that they come from, or more
WORST = 72  # bytes that a line takes at most

Ints = npt.NDArray[np.int64]
Parts = Iterator[tuple[Callable[[], memoryview | bytes], int]]
"""What makes text or members, and the edges of each."""
_rooms = threading.local()


def room(*sizes: int) -> list[npt.NDArray[np.uint8]]:
    """Arrays of at least these sizes, which the same thread uses again: to get new memory would take its time."""
    found: list[npt.NDArray[np.uint8]] = getattr(_rooms, "arrays", [])
    if len(found) != len(sizes) or any(a.size < size for a, size in zip(found, sizes, strict=True)):
        found = _rooms.arrays = [np.empty(size, np.uint8) for size in sizes]
    return found


def in_members(lines: EdgeLines | WideEdgeLines, block: EdgeBlock, tile: int) -> Parts:
    """The edges of a block as members, in order, if their lines are of the usual kind, otherwise `tile` at once."""
    packed = PackedLines.of(lines, block) if isinstance(lines, EdgeLines) else None
    if packed is not None:
        yield from packed.tiles(block)
        return
    for part in block.tiles(tile):
        yield functools.partial(lines.render, part), part.count


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

    def tiles(self, block: EdgeBlock) -> Parts:
        """The block's edges as members, and as text where few of its weights are alike."""
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
            codes = Codes.of(self._sample(part))
            for tile, rows in _cut(part):
                yield functools.partial(self._member, tile, row, numbers[rows], records, codes), tile.count

    def _member(
        self, tile: EdgeBlock, row: Row, numbers: Ints, records: tuple[npt.NDArray[np.uint8], Ints], codes: Codes
    ) -> bytes:
        outer = tile.axes[0]
        out, packed = room(tile.count * self._room + SPARE, tile.count * WORST + CODES)
        out[: len(self.pieces[0])] = np.frombuffer(self.pieces[0], np.uint8)
        packed[: len(codes.head)] = codes.head
        size, length = put_edges(
            outer.source + self.lines.source_id, outer.target + self.lines.target_id, numbers,
            row.source, row.target, row.numbers, row.back, row.near, self.between, *records, self.sizes,
            codes.literal, codes.pair, codes.copied, codes.distance, out, packed, codes.bits,
        )  # fmt: skip
        return closed(packed[:length], out[:size])

    @property
    def _room(self) -> int:
        return self.steps * RECORD + len(self.pieces[1]) + 2 * render.NUMBER

    def _sample(self, part: EdgeBlock) -> npt.NDArray[np.uint8]:
        """The text of some lines from all over a block."""
        outer, inner = part.axes
        rows = min(max(SAMPLE // len(inner), ROWS), len(outer))
        chosen = np.linspace(0, len(outer) - 1, rows).astype(np.int64)
        lines = self.lines.render(part._part((outer[chosen], inner[: -(-SAMPLE // rows)])))
        return np.frombuffer(b"".join((lines, bytes(SPARE))), np.uint8)

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
class Codes:
    """The codes of a block of DEFLATE.

    Attributes:
        literal, pair, copied, distance: as `put_edges` takes them.
        head: what a block with them begins with, `bits` bits.
    """

    literal: Ints
    pair: Ints
    copied: Ints
    distance: Ints
    head: npt.NDArray[np.uint8]
    bits: int

    @staticmethod
    def of(sample: npt.NDArray[np.uint8]) -> Codes:
        """For text like a sample, which has `SPARE` bytes behind it."""
        literal, copied, distance = (np.zeros(n, np.int64) for n in (LITERAL_CODES, LONGEST_COPY + 1, DISTANCE_CODES))
        head = np.zeros(CODES, np.uint8)
        bits = put_codes(sample, sequences_of(sample), head, literal, copied, distance)
        digits = literal[FIRST_DIGIT : FIRST_DIGIT + 10]
        code, length = digits >> 8, digits & 0xFF
        pair = np.zeros(1 << 8, np.int64)
        for last in range(10):
            pair[last << 4 | np.arange(10)] = (code | code[last] << length) << 8 | (length + length[last])
        return Codes(literal, pair, copied, distance, head[: bits // 8 + 8], bits)


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
