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
from onnx2graphml.formats.packing.deflate import DISTANCE_CODES, LITERAL_CODES, LONGEST_COPY, put_codes
from onnx2graphml.formats.packing.edges import RECORD, put_edges
from onnx2graphml.formats.packing.member import CODES, closed, sequences_of
from onnx2graphml.formats.packing.sequences import NEAR, SPARE
from onnx2graphml.formats.wide_lines import WideEdgeLines
from onnx2graphml.formats.words import STEP
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock

TILE = 1 << 15  # edges of a member
FEWEST = 1 << 12  # fewer edges are worth no codes of their own
USES = 8  # of a weight in a tile, on average
REPEATED = 0.75  # of a row's weights stand there before
MOST_ID = 10**8  # ids below have eight digits at most
SAMPLE = 1 << 10  # lines whose codes are those of a member
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
        yield from packed.tiles(block, tile)
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
    """

    lines: EdgeLines
    pieces: tuple[bytes, ...]
    steps: int

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
        return PackedLines(lines, pieces, steps)

    def tiles(self, block: EdgeBlock, tile: int) -> Parts:
        """The block's edges as members, and as text where few of its weights are alike."""
        inner: Axis | None = None
        row: Row | None = None
        known: dict[object, Codes] = {}
        for part in block.tiles(TILE):
            if inner is not part.axes[1]:  # the same for nearly all tiles
                inner = part.axes[1]
                row = self._row(inner)
            taps, outer_tap = np.unique(part.axes[0].tap, return_inverse=True)
            if row is None or part.count < FEWEST or len(taps) * len(row.taps) * USES > part.count:
                for smaller in part.tiles(tile):
                    yield functools.partial(self.lines.render, smaller), smaller.count
            else:
                digits = self._digits(part)
                if digits not in known:
                    known[digits] = Codes.of(self._sample(part))
                numbers = outer_tap.reshape(-1) * len(row.taps)
                yield functools.partial(self._member, part, row, taps, numbers, known[digits]), part.count

    def _row(self, inner: Axis) -> Row | None:
        row = Row.of(inner, NEAR // (self.steps * RECORD + len(self.pieces[1]) + 2 * render.NUMBER))
        return row if np.count_nonzero(row.back) >= REPEATED * len(inner) else None

    def _member(self, part: EdgeBlock, row: Row, taps: Ints, numbers: Ints, codes: Codes) -> bytes:
        outer, inner = part.axes
        out, packed = room(part.count * self._room + SPARE, part.count * WORST + CODES)
        out[: len(self.pieces[0])] = np.frombuffer(self.pieces[0], np.uint8)
        packed[: len(codes.head)] = codes.head
        records, sizes = self._records(np.add.outer(taps, row.taps).ravel())
        size, length = put_edges(
            outer.source + self.lines.source_id, outer.target + self.lines.target_id, numbers,
            inner.source.copy(), inner.target.copy(), row.numbers, row.back,
            np.frombuffer(self.pieces[1] + bytes(render.SLACK), np.uint8), records, sizes,
            np.array([*map(len, self.pieces), self.steps]),
            codes.literal, codes.copied, codes.distance, out, packed, codes.bits,
        )  # fmt: skip
        return closed(packed[:length], out[:size])

    def _digits(self, part: EdgeBlock) -> tuple[int, ...]:
        """How many digits the least and the greatest ids have: more or less lengthen all copies."""
        outer, inner = part.axes
        ends = (
            first + int(end(a) + end(b))
            for first, a, b in (
                (self.lines.source_id, outer.source, inner.source),
                (self.lines.target_id, outer.target, inner.target),
            )
            for end in (np.min, np.max)
        )
        return tuple(len(str(id)) for id in ends)

    @property
    def _room(self) -> int:
        return self.steps * RECORD + len(self.pieces[1]) + 2 * render.NUMBER

    def _sample(self, part: EdgeBlock) -> npt.NDArray[np.uint8]:
        """The text of some lines from the middle of a tile."""
        outer, inner = part.axes
        rows = min(-(-SAMPLE // len(inner)), len(outer))
        first = (len(outer) - rows) // 2
        lines = self.lines.render(part._part((outer[first : first + rows], inner[:SAMPLE])))
        return np.frombuffer(b"".join((lines, bytes(SPARE))), np.uint8)

    def _records(self, taps: Ints) -> tuple[npt.NDArray[np.uint8], Ints]:
        """The text between two numbers, for each of some weights; and its size."""
        table = self.lines.table
        assert table is not None
        starts, stops = table.start[taps].tolist(), table.stop[taps].tolist()
        before, behind = self.pieces[2], self.pieces[3] + self.pieces[0]
        texts = [before + table.data[a:b].tobytes() + behind for a, b in zip(starts, stops, strict=True)]
        room = self.steps * RECORD
        data = b"".join(text.ljust(room, b"\0") for text in texts)
        return np.frombuffer(data, np.uint8), np.array([len(text) for text in texts], np.int64)


@dataclass(frozen=True, eq=False)
class Codes:
    """The codes of a block of DEFLATE.

    Attributes:
        literal, copied, distance: as `put_edges` takes them.
        head: what a block with them begins with, `bits` bits.
    """

    literal: Ints
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
        return Codes(literal, copied, distance, head, bits)


@dataclass(frozen=True, eq=False)
class Row:
    """The entries of an inner axis.

    Attributes:
        taps: the distinct ones, and `numbers`: which of them each entry has.
        back: how many entries before each there is the last one of the same tap; 0 for none that is near.
    """

    taps: Ints
    numbers: Ints
    back: Ints

    @staticmethod
    def of(inner: Axis, near: int) -> Row:
        """Of an axis, with other entries as near as `near`."""
        taps, numbers = np.unique(inner.tap, return_inverse=True)
        numbers = numbers.reshape(-1)
        order = np.argsort(numbers, kind="stable")
        back = np.zeros(len(order), np.int64)
        back[order[1:]] = np.where(np.diff(numbers[order]) == 0, np.diff(order), 0)
        back[back > near] = 0
        return Row(taps, numbers, back)


def _most(block: EdgeBlock, side: Any) -> int:
    return sum(int(offsets.max(initial=0)) for offsets in block.offsets(side))
