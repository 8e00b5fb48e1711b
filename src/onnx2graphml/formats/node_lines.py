"""Lines of nodes: constant text around a node's id and coordinates, its bias and its columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import many
from onnx2graphml.formats import render
from onnx2graphml.formats.lines import pieces
from onnx2graphml.formats.render import Texts
from onnx2graphml.graph.attributes import NODE, spatial_dimensions
from onnx2graphml.graph.graph import Layer, NeuronGraph

ROOM = 1 << 22  # bytes of the lines rendered at once, as far as one line does not take more
TABLE = 1 << 14  # biases of a layer whose decimals are kept
ID = -1
"""In the place of a dimension: the node's id."""


@dataclass(frozen=True, eq=False)
class ByPlace:
    """A text for each neuron: of one with coordinates c, the number `first + stride @ c`."""

    texts: Texts
    first: int
    stride: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class NodeLines:
    """How the nodes of a layer are written; `render` depends on its arguments alone.

    Attributes:
        layer: whose nodes they are.
        pieces: the constant text around a node's numbers, its bias and its columns.
        columns: the layer's part of the graph's columns.
        biases: their texts, where they are few or none.
        again: numbers that come behind all others: dimensions, whose coordinates are written, or `ID`.
        infinity: the word for an infinite bias.
        number: what becomes of the texts of biases and columns.
    """

    layer: Layer
    pieces: Texts
    columns: tuple[npt.NDArray[Any], ...]
    biases: ByPlace | None
    again: tuple[int, ...] = ()
    infinity: str = "INF"
    number: Callable[[Texts], Texts] = lambda texts: texts

    @staticmethod
    def of(
        graph: NeuronGraph,
        layer: Layer,
        line: str,
        again: tuple[int, ...] = (),
        infinity: str = "INF",
        number: Callable[[Texts], Texts] = lambda texts: texts,
    ) -> NodeLines:
        """The lines of a layer, each like `line`.

        `NUMBER` stands for each of a node's numbers, `FLOAT` for its bias and for each of the graph's columns.
        """
        columns = tuple(column[layer.ids] for column in graph.columns.values())
        biases: ByPlace | None = None
        if layer.bias is None:
            biases = ByPlace(number(render.empty(1)), 0, (0,) * max(len(layer.shape), 1))
        else:
            bias = np.atleast_1d(layer.bias)
            distinct = bias[tuple(slice(None if step else 1) for step in bias.strides)]  # the others are broadcast
            if distinct.size <= TABLE and 2 * distinct.size <= bias.size:
                steps = (k if n > 1 else 0 for k, n in zip(_steps(distinct.shape), distinct.shape, strict=True))
                biases = ByPlace(number(render.decimals_or_infinity(distinct.ravel(), infinity)), 0, tuple(steps))
        return NodeLines(layer, pieces(line), columns, biases, again, infinity, number)

    @property
    def shown(self) -> tuple[int, ...]:
        """The dimensions of the layer's shape whose coordinates stand in a line, in order; and `ID`, which is first."""
        spatial = spatial_dimensions(self.layer)
        index = range(len(self.layer.shape))
        return (ID, *index, *(spatial[a.name] for a in NODE if a.name in spatial), *self.again)

    @property
    def room(self) -> int:
        """The number of bytes that a line has at most."""
        return self.pieces.size + len(self.shown) * render.NUMBER + (1 + len(self.columns)) * render.FLOAT

    def tiles(self, tile: int) -> Iterator[Callable[[], memoryview]]:
        """What renders the layer's lines, in order: `tile` of them at once, or fewer where names are long."""
        step, n = min(tile, 1 + ROOM // self.room), self.layer.neurons
        for first in range(0, n, step):
            yield partial(self.render, first, min(first + step, n))

    def render(self, first: int, last: int) -> memoryview:
        """The lines of the neurons first … last-1 of the layer."""
        if not many(last - first):
            return self.by_python(first, last)
        from onnx2graphml.formats import node_kernels

        out = np.empty((last - first) * self.room + render.SLACK, np.uint8)
        return out.data[: node_kernels.node_lines(*self.arguments(first, last), out)]

    def arguments(self, first: int, last: int) -> tuple[Any, ...]:
        """What compiled loops take for the neurons first … last-1."""
        shape = self.layer.shape or (1,)
        place = np.array([self.layer.first_id + first, *np.unravel_index(first, shape)], np.int64)
        each = [ByPlace(texts, -first, _steps(shape)) for texts in self._texts(first, last, self.biases is None)]
        columns = each if self.biases is None else [self.biases, *each]
        texts, rows = render.joined([column.texts for column in columns])
        first_text = np.array([column.first for column in columns], np.int64) + rows
        stride = np.array([column.stride for column in columns], np.int64)
        # The kernel counts the id as 0.
        return (
            place, np.array(shape, np.int64), np.array(self.shown, np.int64) - ID, last - first,
            texts.data, texts.start, texts.stop, first_text, stride,
            self.pieces.data, self.pieces.start, self.pieces.stop,
        )  # fmt: skip

    def _texts(self, first: int, last: int, has_bias: bool) -> list[Texts]:
        """The texts of columns, behind those of biases if these are wanted."""
        texts = [_of_column(column[first:last]) for column in self.columns]
        if has_bias:
            bias = render.empty(last - first)
            if self.layer.bias is not None:
                # Indexed rather than flattened: most are broadcast, and the copy of one would be as large as the layer.
                at = np.unravel_index(np.arange(first, last), self.layer.shape or (1,))
                bias = render.decimals_or_infinity(np.atleast_1d(self.layer.bias)[at], self.infinity)
            texts.insert(0, bias)
        return [self.number(each) for each in texts]

    def by_python(self, first: int, last: int) -> memoryview:
        """What `render` returns, without any compiled loop for lines."""
        place = np.arange(first, last)
        at = np.unravel_index(place, self.layer.shape or (1,))
        ids = place + self.layer.first_id
        numbers = np.stack([ids if d == ID else at[d] for d in self.shown], axis=1)
        return render.by_python(numbers, render.beside(self._texts(first, last, True)), self.pieces)


def _steps(shape: tuple[int, ...]) -> tuple[int, ...]:
    """How many elements further the next one of each dimension is."""
    return tuple(math.prod(shape[d + 1 :]) for d in range(len(shape)))


def _of_column(column: npt.NDArray[Any]) -> Texts:
    return render.decimals(column) if column.dtype.kind == "f" else render.integers(column)
