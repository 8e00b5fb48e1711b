"""What writing a graph will cost, before it is paid: each format tried on a little of every large layer."""

from __future__ import annotations

import dataclasses
import io
import math
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onnx2graphml.errors import MissingExtraError, TooLargeError
from onnx2graphml.formats.registry import FORMATS, Format, options
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.progress import Told, duration, size

TRIED_EDGES = 1 << 20  # of each block
TRIED_BLOCKS = 6  # the largest; the others are taken to cost as much an edge
TRIED_NODES = 1 << 14  # of each layer
SPARE = 1.2  # an estimate this much above the free space is not yet a refusal


@dataclass(frozen=True)
class Cost:
    """An estimate for one format: bytes and seconds."""

    bytes: float
    seconds: float

    def __str__(self) -> str:
        return f"about {size(self.bytes)}, {duration(self.seconds)}"

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.bytes + other.bytes, self.seconds + other.seconds)

    def __mul__(self, factor: float) -> Cost:
        return Cost(self.bytes * factor, self.seconds * factor)


def estimate(graph: NeuronGraph, suffix: str) -> Cost:
    """The size and the time of a graph in a format, from writing parts of it; mostly right within a fifth.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
        TooLargeError: the format is not good for that many edges.

    Example:
        >>> import onnx2graphml
        >>> cost = estimate(onnx2graphml.load("fixtures/digits.onnx"), ".graphml")
        >>> 2e6 < cost.bytes < 4e6
        True
    """
    format = FORMATS[suffix]
    if format.max_edges is not None and graph.edges > format.max_edges:
        raise TooLargeError(f"at most {format.max_edges:,} edges")
    function, more = format.load(), options(format)

    def write(part: NeuronGraph) -> Cost:
        return _written(format, lambda out: function(part, out, None, **more))

    bare = [dataclasses.replace(_fewer_neurons(x, 1), incoming=()) for x in graph.layers]
    empty = dataclasses.replace(graph, layers=tuple(bare))
    write(empty)  # compiles what is compiled at first use
    start = write(empty)
    some = tuple(dataclasses.replace(_fewer_neurons(x, TRIED_NODES), incoming=()) for x in graph.layers)
    nodes = write(dataclasses.replace(graph, layers=some))
    tried = max(sum(x.neurons for x in some) - len(some), 1)
    total = start + _beyond(nodes, start) * ((graph.neurons - len(some)) / tried)
    return total + _edges(graph, empty, start, write)


def _edges(graph: NeuronGraph, empty: NeuronGraph, start: Cost, write: Callable[[NeuronGraph], Cost]) -> Cost:
    blocks = [(layer, i) for layer in graph.layers for i in layer.incoming]
    blocks.sort(key=lambda pair: -pair[1].block.count)
    total, counted = Cost(0, 0), 0
    for layer, incoming in blocks[:TRIED_BLOCKS]:
        part = middle(incoming.block, TRIED_EDGES)
        cost = _beyond(write(_with_edges(empty, layer.name, dataclasses.replace(incoming, block=part))), start)
        total += cost * (incoming.block.count / part.count)
        counted += incoming.block.count
    return total * (graph.edges / counted) if counted else total


def _beyond(cost: Cost, start: Cost) -> Cost:
    return Cost(max(cost.bytes - start.bytes, 0), max(cost.seconds - start.seconds, 0))


def _with_edges(empty: NeuronGraph, name: str, incoming: Incoming) -> NeuronGraph:
    layers = [dataclasses.replace(x, incoming=(incoming,)) if x.name == name else x for x in empty.layers]
    return dataclasses.replace(empty, layers=tuple(layers))


def middle(block: EdgeBlock, edges: int) -> EdgeBlock:
    """About `edges` consecutive edges from the middle of the block."""
    axes: list[Axis] = []
    for position, axis in enumerate(block.axes):
        rest = math.prod(len(a) for a in block.axes[position + 1 :])
        keep = min(max(edges // (rest * math.prod(len(a) for a in axes)), 1), len(axis))
        first = (len(axis) - keep) // 2
        axes.append(axis[first : first + keep])
    return EdgeBlock(tuple(axes), block.weights)


def _fewer_neurons(layer: Layer, most: int) -> Layer:
    """The layer with its long axes cut short."""
    shape, cut = list(layer.shape), layer.neurons
    for d in range(len(shape)):
        rest = max(cut // max(shape[d], 1), 1)
        shape[d] = min(shape[d], max(most // rest, 1))
        cut = shape[d] * rest
    bias = None if layer.bias is None else layer.bias[tuple(slice(n) for n in shape)]
    return dataclasses.replace(layer, shape=tuple(shape), bias=bias)


def _written(format: Format, write: Callable[[object], None]) -> Cost:
    start = time.perf_counter()
    if format.out == "file":
        sink = io.BytesIO()
        write(sink)
        return Cost(sink.tell(), time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        seconds = time.perf_counter() - start
        return Cost(sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file()), seconds)


def estimates(graph: NeuronGraph, progress: Told | None = None) -> dict[str, Cost | str]:
    """The cost in every format, or why it can't be written; `progress` is told which one is tried."""
    found: dict[str, Cost | str] = {}
    for done, suffix in enumerate(FORMATS):
        if progress:
            progress(done, len(FORMATS), suffix)
        try:
            found[suffix] = estimate(graph, suffix)
        except (MissingExtraError, TooLargeError) as e:
            found[suffix] = str(e)
    return found


LESS = "--layers, --top-k, --min-abs-weight or --sample leave edges out, .parquet is the smallest format"


def check_edges(graph: NeuronGraph, most: int | None) -> None:
    """Raise `TooLargeError` where a graph has more edges than a stated limit."""
    if most is not None and graph.edges > most:
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, more than --max-edges {most:,}; {_largest(graph)}; {LESS}"
        )


def check_room(graph: NeuronGraph, path: Path, cost: Cost) -> None:
    """Raise `TooLargeError` where the estimated size is more than the free space of the target's disk."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return  # the writer says so
    if path.exists() and not path.is_file() and not path.is_dir():
        return  # a pipe or a device
    free = shutil.disk_usage(folder).free
    if cost.bytes > free * SPARE:
        raise TooLargeError(
            f"{path} would take about {size(cost.bytes)}, and the disk has {size(free)} free; {_largest(graph)}; {LESS}"
        )


def _largest(graph: NeuronGraph) -> str:
    layer = max(graph.layers, key=lambda x: x.in_edges)
    return f"layer {layer.name!r} alone has {layer.in_edges:,}"
