"""What writing a graph takes, from writing a little of each kind of its edges and nodes.

All is of what is written here and now: nothing is known of formats or machines beforehand. What is multiplied is the
time of processors, of which other work takes nothing; then comes how many of them are kept busy, and what every layer
and file takes however small it is.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from onnx2graphml.compiled import loading, many
from onnx2graphml.cpu import processors
from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats.lines import TILE
from onnx2graphml.formats.parallel import refuse_parallel
from onnx2graphml.formats.registry import WRITTEN
from onnx2graphml.formats.samples import Kind, fewer_nodes, kinds, skeleton
from onnx2graphml.formats.trial import Taken, Trials, trials
from onnx2graphml.graph.graph import NeuronGraph

WHOLE = 1 << 17  # neurons and edges of a graph that is written as it is
TRIED_RUNS = 16  # edges of all kinds together, in runs as the format needs them
FEWEST_EDGES = 1 << 14  # of one kind
TRIED_KINDS = 64  # the costliest; the others are taken to cost as much for what they are
TRIED_NODES = 1 << 16
TILES = 8  # for each thread: fewer don't keep all of them busy, or not for long enough to be measured
FEWEST_TILES, MOST_TILES = 16, 64
PATIENCE = 0.2  # seconds that things are written for, again and again: one time is too short to be measured
PACES = 3
FOR_NODES = 0.25  # of the patience
TIMES = 5  # that what is on the disk in the end is written at most


@dataclass(frozen=True)
class Work:
    """What a graph takes, by its parts.

    Attributes:
        start: what it takes however small it is, until that is on the disk.
        nodes: of all nodes.
        layers: of the edges into each layer, and their number.
        pace: seconds on the clock for each second of a processor.
        loading: seconds for what a process loads when it writes for the first time.
    """

    start: Taken
    nodes: Taken = field(default_factory=Taken)
    layers: tuple[tuple[Taken, int], ...] = ()
    pace: float = 1
    loading: float = 0

    @property
    def all(self) -> Taken:
        """Bytes, and seconds of processors."""
        return sum((edges for edges, _ in self.layers), self.start + self.nodes)

    def made_in(self, part: int | None, jobs: int) -> float:
        """Seconds on the clock until all but the start is made.

        Args:
            part: edges of a file that one thread writes; None where all threads share all work.
            jobs: the number of threads.
        """
        if part is None:
            return self.pace * (self.nodes.busy + sum(edges.busy for edges, _ in self.layers))
        ends = [0.0] * min(jobs, processors())
        for busy in self._files(part):  # the thread that is the first to have nothing to do takes the next one
            heapq.heapreplace(ends, ends[0] + self.pace * busy)
        return max(ends)

    def _files(self, part: int) -> Iterator[float]:
        """What each keeps a processor busy."""
        yield self.nodes.busy
        for edges, count in self.layers:
            whole, rest = divmod(count, part)
            yield from [edges.busy * part / count] * whole if whole else []
            yield edges.busy * rest / max(count, 1)


def work(
    graph: NeuronGraph,
    suffix: str,
    folder: Path,
    jobs: int | None = None,
    labels: bool = False,
    patience: float = PATIENCE,
) -> Work:
    """What a graph takes in a format.

    Args:
        folder: where parts of it are written.
        jobs, labels: as `write` takes them.
        patience: without any, times are worth little; bytes are the same.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
        OutputError: the format can't hold what was tried of the graph.
        TooLargeError: the format is not good for that many edges.

    Example:
        >>> import onnx2graphml
        >>> found = work(onnx2graphml.load("fixtures/digits.onnx"), ".graphml", Path())
        >>> 2e6 < found.all.bytes < 4e6
        True
    """
    format = WRITTEN[suffix]
    if format.max_edges is not None and graph.edges > format.max_edges:
        raise TooLargeError(f"at most {format.max_edges:,} edges")
    if "parallel edges" in format.cannot_hold:
        refuse_parallel(graph)  # no sample has two blocks
    with trials(suffix, folder, jobs, labels) as write:
        if format.by_lines:
            write.more["lines"] = graph.neurons + graph.edges
        small = graph.neurons + graph.edges <= WHOLE
        many.expect(graph.neurons + graph.edges)
        least = graph if small else skeleton(graph)
        loaded = 0 if small else loading()
        loaded += write.part(least).beyond(write.part(least)).seconds
        start = _start(write, least, patience)
        if small:
            return Work(start, loading=loaded)
        found, nodes = kinds(graph), _nodes(graph, write, FOR_NODES * patience)
        threads = (jobs or processors()) if format.takes_jobs and format.part is None else 1
        steady = TILE * min(max(threads * TILES, FEWEST_TILES), MOST_TILES)
        pace = _pace(write, found[0].sample(graph, steady)) if found and threads > 1 and patience else 1
        return Work(start, nodes, tuple(_edges(graph, write, found, patience)), pace, loaded)


def _start(write: Trials, least: NeuronGraph, patience: float) -> Taken:
    """The median of several times, but not of many where it takes long."""
    found = [write.whole(least)]
    while len(found) < TIMES and sum(taken.seconds for taken in found) < patience:
        found.append(write.whole(least))
    return sorted(found, key=lambda taken: taken.seconds)[len(found) // 2]


def _nodes(graph: NeuronGraph, write: Trials, patience: float) -> Taken:
    one, some = fewer_nodes(graph, 1), fewer_nodes(graph, TRIED_NODES)
    return _beyond(write, one, some, patience) * (graph.neurons / max(some.neurons - one.neurons, 1))


def _edges(graph: NeuronGraph, write: Trials, found: list[Kind], patience: float) -> list[tuple[Taken, int]]:
    """What the edges into each layer take, and their number."""
    run, tried, rest = write.format.run, found[:TRIED_KINDS], found[TRIED_KINDS:]
    share = sum(kind.share for kind in tried)
    layers = dict.fromkeys((layer.name for layer in graph.layers), Taken())
    for kind in tried:
        most = min(max(TRIED_RUNS * run * kind.share // share, FEWEST_EDGES), run)
        one, some = kind.sample(graph, 1), kind.sample(graph, most)
        taken = _beyond(write, one, some, patience * kind.share / share)
        for layer, edges in kind.layers.items():
            layers[layer] += taken * (edges / max(some.edges - one.edges, 1))
    more = 1 + sum(kind.share for kind in rest) / share if rest else 1  # they are taken to cost as much for their share
    return [(layers[layer.name] * more, layer.in_edges) for layer in graph.layers]


def _beyond(write: Trials, one: NeuronGraph, some: NeuronGraph, patience: float) -> Taken:
    """What some nodes or edges take beyond a single one, at best: other work makes processors slower, too."""
    write.part(one)
    if patience:
        write.part(some)  # loads what is loaded at the first use of such edges
    found = [write.part(some)]
    while sum(taken.busy for taken in found) < patience:
        found.append(write.part(some))
    first = min((write.part(one) for _ in found[:TIMES]), key=lambda taken: taken.busy)
    return min(found, key=lambda taken: taken.busy).beyond(first)


def _pace(write: Trials, some: NeuronGraph) -> float:
    """Seconds on the clock for each of a processor, at best: now and then other work takes the processors."""
    return min(1, *(taken.seconds / max(taken.busy, 1e-9) for taken in (write.part(some) for _ in range(PACES))))
