"""How long it takes to make a graph's ONNX file: small layers of each kind are made, and their times multiplied."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable

import numpy as np

from onnx2graphml.compiled import compiling, many
from onnx2graphml.export.estimate import Amounts, amounts
from onnx2graphml.export.model import serialized, to_onnx
from onnx2graphml.export.writer import Writer
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.graph.select import edges_at

COPIED = 1 << 25  # bytes
TIMES = 3


def seconds(graph: NeuronGraph) -> tuple[float, float]:
    """Of a process that makes the file: for what it loads when it does so for the first time, and for all else.

    Example:
        >>> import onnx2graphml
        >>> sum(seconds(onnx2graphml.load("fixtures/digits.onnx"))) > 0
        True
    """
    wanted, rates, loading = amounts(graph), dict.fromkeys(vars(Amounts()), 0.0), 0.0
    many.expect(graph.edges)
    done = many.done
    for unit in TRIED:
        if getattr(wanted, unit):
            has, first, best = tried(unit, many(0))
            loading += max(first - best, 0)
            of_others = sum(rates[other] * n for other, n in vars(has).items() if other != unit)
            rates[unit] = max(best - of_others, 0) / getattr(has, unit)
    many.done = done  # what is only tried is no reason to compile loops
    making = sum(rates[unit] * n for unit, n in vars(wanted).items())
    return loading, making + (copying() * wanted.bytes if wanted.bytes > COPIED else 0)


@functools.cache
def tried(unit: str, is_compiled: bool) -> tuple[Amounts, float, float]:
    """What has much of it, and what that takes the first time and at best; once for a process.

    Args:
        is_compiled: whether loops are compiled by now.
    """
    graph = TRIED[unit]()
    return amounts(graph), *times_of(graph)


def times_of(graph: NeuronGraph) -> tuple[float, float]:
    """What a graph's file takes the first time, and at best; of a processor, of which other work takes nothing."""
    found = []
    for _ in range(TIMES):
        start, others = time.process_time(), compiling()
        serialized(to_onnx(graph))
        found.append(time.process_time() - start - (compiling() - others))
    return found[0], min(found)


@functools.cache
def copying() -> float:
    """What each byte of a large file takes besides: small ones stay in a processor's cache while they are copied."""
    numbers, start = np.zeros(COPIED // 4, np.float32), time.process_time()
    w = Writer()
    w.constant(numbers)
    serialized(w.model("", [], []))
    return (time.process_time() - start) / COPIED


def _two(block: EdgeBlock, source: tuple[int, ...], target: tuple[int, ...]) -> NeuronGraph:
    """Two layers; of three axes, they are pictures."""
    spatial = (0, 1, 2) if len(source) == 3 else ()
    x = Layer("x", "Input", source, "input", spatial=spatial)
    y = Layer("y", "Sum", target, incoming=(Incoming("x", block),), spatial=spatial)
    return NeuronGraph(numbered([x, y]), ("y",))


def _windows(channels: int, side: int) -> NeuronGraph:
    """A convolution from so many channels to as many."""
    plane, axis = side * side, ax.window(side, side, 3, pad=1)
    outputs = ax.spread(channels).strided(0, plane, 9 * channels)
    inputs = ax.gather(channels).strided(plane, 0, 9)
    block = EdgeBlock((outputs, inputs, axis.strided(side, side, 3), axis.strided(1, 1, 1)), _weights(9 * channels**2))
    return _two(block, (channels, side, side), (channels, side, side))


def _matrix(side: int) -> NeuronGraph:
    """A dense layer from so many neurons to as many."""
    axes = (ax.spread(side), ax.gather(side).strided(1, 0, side))
    return _two(EdgeBlock(axes, _weights(side**2)), (side,), (side,))


def _single(side: int) -> NeuronGraph:
    """One edge in sixteen of a dense layer."""
    graph = _matrix(side)
    (incoming,) = graph.layers[1].incoming
    chosen = np.sort(np.random.default_rng(0).choice(side**2, side**2 // 16, replace=False))
    layer = dataclasses.replace(
        graph.layers[1], incoming=(dataclasses.replace(incoming, block=edges_at(incoming.block, chosen)),)
    )
    return dataclasses.replace(graph, layers=(graph.layers[0], layer))


def _weights(n: int) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.random.default_rng(0).standard_normal(n, np.float32)


TRIED: dict[str, Callable[[], NeuronGraph]] = {
    "layers": lambda: _matrix(1),
    "neurons": lambda: _windows(4, 256),
    "window": lambda: _windows(128, 4),
    "matrix": lambda: _matrix(1500),
    "single": lambda: _single(1000),
}
"""By what is counted: a graph that has much of it, and of what comes before it."""
