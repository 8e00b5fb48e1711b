"""Blocks of edges with a weight of their own each as parts of a compressed file, where its form takes these."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.formats import render
from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.formats.packing import samples
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
        codes, waiting = None, list[EdgeBlock]()
        for tile in block.tiles(TILE):
            if tile.count < FEWEST:
                yield from self._together(form, codes, waiting)
                yield functools.partial(self.lines.render, tile), tile.count
                waiting = []
                continue
            if codes is None:
                codes = form.codes(samples.of_edges(self.lines, tile))
            waiting.append(tile)
            if len(waiting) == TOGETHER:
                yield from self._together(form, codes, waiting)
                waiting = []
        yield from self._together(form, codes, waiting)

    def _together(
        self, form: Form, codes: Any, tiles: list[EdgeBlock]
    ) -> Iterator[tuple[Callable[[], list[bytes]], int]]:
        if tiles:
            yield functools.partial(self._parts, form, codes, tiles), sum(tile.count for tile in tiles)

    def _parts(self, form: Form, codes: Any, tiles: list[EdgeBlock]) -> list[bytes]:
        p, bits = self.lines.pieces, self.lines.weights.view(np.uint32)
        bits.setflags(write=False)  # some are, others not: compiled code is made for one kind
        made = []
        for tile in tiles:
            outer, inner = tile.axes
            lines = (
                outer.source + self.lines.source_id, outer.target + self.lines.target_id, outer.tap.copy(),
                inner.source.copy(), inner.target.copy(), inner.tap.copy(), bits, p.data, p.start, p.stop,
            )  # fmt: skip
            made.append(form.float_edges(lines, codes, tile.count, p.size + 2 * render.NUMBER + render.FLOAT))
        return made
