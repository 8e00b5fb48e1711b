"""Blocks of edges with a weight of their own each as parts of a compressed file, where its form takes these."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from onnx2graphml.formats import render
from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.formats.packing.form import TILE, TOGETHER, Form
from onnx2graphml.formats.words import STEP
from onnx2graphml.graph.blocks import EdgeBlock

FEWEST = 1 << 8  # edges of a part
LONGEST = 200  # bytes of a line's constant text


@dataclass(frozen=True, eq=False)
class FloatLines:
    """Edges from one layer to another, whose weights are written as they come."""

    lines: EdgeLines

    @staticmethod
    def of(lines: EdgeLines, block: EdgeBlock, most_id: int) -> FloatLines | None:
        """None where they are of another kind, or an id is not below a limit."""
        if lines.table is not None or block.has_terms or not lines.are_words:
            return None
        p = lines.pieces
        if p.size > LONGEST or max((p.stop - p.start)[:3]) > STEP:
            return None
        ends = ((lines.source_id, block.offsets("source")), (lines.target_id, block.offsets("target")))
        most = max(first + sum(int(o.max(initial=0)) for o in offsets) for first, offsets in ends)
        return FloatLines(lines) if most < most_id else None

    def tiles(self, form: Form, block: EdgeBlock) -> Iterator[tuple[Callable[[], memoryview | list[bytes]], int]]:
        """The block's edges as parts, and as text where they are too few."""
        waiting: list[EdgeBlock] = []
        for tile in block.tiles(TILE):
            if tile.count < FEWEST:
                yield from self._together(form, waiting)
                yield functools.partial(self.lines.render, tile), tile.count
                waiting = []
                continue
            waiting.append(tile)
            if len(waiting) == TOGETHER:
                yield from self._together(form, waiting)
                waiting = []
        yield from self._together(form, waiting)

    def _together(self, form: Form, tiles: list[EdgeBlock]) -> Iterator[tuple[Callable[[], list[bytes]], int]]:
        if tiles:
            yield functools.partial(self._parts, form, tiles), sum(tile.count for tile in tiles)

    def _parts(self, form: Form, tiles: list[EdgeBlock]) -> list[bytes]:
        p, bits = self.lines.pieces, self.lines.weights.view(np.uint32)
        bits.setflags(write=False)  # some are, others not: compiled code is made for one kind
        made = []
        for tile in tiles:
            outer, inner = tile.axes
            axes = (
                outer.source + self.lines.source_id, outer.target + self.lines.target_id, outer.tap.copy(),
                inner.source.copy(), inner.target.copy(), inner.tap.copy(),
            )  # fmt: skip
            made.append(((*axes, bits, p.data, p.start, p.stop), tile.count))
        return form.float_edges(made, p.size + 2 * render.NUMBER + render.FLOAT)
