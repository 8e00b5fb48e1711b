"""What writing a graph will cost, before it is paid: a little of each kind of edges and nodes is written to memory.

Sizes and times are of what is written here and now: nothing is known of formats or machines beforehand. Times are
processor time, of which other work takes nothing, shared among the threads; and no less than the disk needs.
"""

from __future__ import annotations

import dataclasses
import io
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from onnx2graphml.cpu import processors
from onnx2graphml.errors import MissingExtraError, OutputError, TooLargeError, check_whole
from onnx2graphml.formats.parallel import refuse_parallel
from onnx2graphml.formats.registry import FOR_OTHERS, WRITTEN, Format, options
from onnx2graphml.formats.samples import Kind, fewer_nodes, kinds
from onnx2graphml.graph.graph import NeuronGraph, numbered
from onnx2graphml.progress import Told, duration, size

WHOLE = 1 << 17  # neurons and edges of a graph that is written as it is
TRIED_RUNS = 16  # edges of all kinds together, in runs as the format needs them
FEWEST_EDGES = 1 << 14  # of one kind
TRIED_KINDS = 64  # the costliest; the others are taken to cost as much for what they are
TRIED_NODES = 1 << 16
TRIED_FOR = 0.2  # seconds in all that the edges are written for, again and again: one time is too short to be measured
FLUSHED = 1 << 26  # bytes written to see how fast the disk is
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


Write = Callable[[NeuronGraph], Cost]


def estimate(
    graph: NeuronGraph, suffix: str, *, folder: Path | None = None, jobs: int | None = None, labels: bool = False
) -> Cost:
    """The size and the time of a graph in a format, from writing parts of it.

    Args:
        folder: where it would be written: its disk's speed counts, too; by default the current one.
        jobs, labels: as `write` takes them.

    Raises:
        MissingExtraError: the format needs a package that is not installed.
        OutputError: the format can't hold what was tried of the graph.
        TooLargeError: the format is not good for that many edges.

    Example:
        >>> import onnx2graphml
        >>> cost = estimate(onnx2graphml.load("fixtures/digits.onnx"), ".graphml")
        >>> 2e6 < cost.bytes < 4e6
        True
    """
    format, cost = WRITTEN[suffix], work(graph, suffix, jobs, labels)
    disk = disk_of(folder or Path()) if cost.bytes > FLUSHED else Disk(float("inf"), 0)
    busy = cost.seconds + (cost.bytes * disk.busy if format.out == "file" else 0)
    seconds = busy / ((jobs or processors()) if format.takes_jobs else 1)
    return Cost(cost.bytes, max(seconds, cost.bytes / disk.speed))


def work(graph: NeuronGraph, suffix: str, jobs: int | None = None, labels: bool = False) -> Cost:
    """Bytes, and seconds of processor time; otherwise as `estimate`."""
    format = WRITTEN[suffix]
    if format.max_edges is not None and graph.edges > format.max_edges:
        raise TooLargeError(f"at most {format.max_edges:,} edges")
    function, more = format.load(), options(format, jobs, labels)
    if "parallel edges" in format.cannot_hold:
        refuse_parallel(graph)  # no sample has two blocks

    def write(part: NeuronGraph) -> Cost:
        if labels or suffix in FOR_OTHERS:  # places are of ids without gaps; a few bytes of ids are missing then
            part = dataclasses.replace(part, layers=numbered(list(part.layers)))
        return _written(format, function, part, more)

    found = kinds(graph)
    if found:
        write(found[0].sample(graph, 1))  # compiles what is compiled at first use
    if graph.neurons + graph.edges <= WHOLE:
        return write(graph)
    one, some = fewer_nodes(graph, 1), fewer_nodes(graph, TRIED_NODES)
    start = write(one)
    nodes = _beyond(write(some), start) * (graph.neurons / max(some.neurons - one.neurons, 1))
    return start + nodes + _edges(graph, found, format.run, write)


def _edges(graph: NeuronGraph, found: list[Kind], run: int, write: Write) -> Cost:
    """Each kind's cost from a sample; the rest by its share."""
    tried, rest = found[:TRIED_KINDS], found[TRIED_KINDS:]
    total, share = Cost(0, 0), sum(kind.share for kind in tried)
    for kind in tried:
        most = min(max(TRIED_RUNS * run * kind.share // share, FEWEST_EDGES), run)
        part, none = kind.sample(graph, most), kind.sample(graph, 0)
        total += _beyond(_mean(write, part, TRIED_FOR * kind.share / share), write(none)) * (kind.edges / part.edges)
    return total * (1 + sum(kind.share for kind in rest) / share) if tried else total


def _mean(write: Write, part: NeuronGraph, seconds: float) -> Cost:
    """What a part costs on average, written for so many seconds."""
    total, times = write(part), 1
    while total.seconds < seconds:
        total, times = total + write(part), times + 1
    return total * (1 / times)


def _beyond(cost: Cost, start: Cost) -> Cost:
    return Cost(max(cost.bytes - start.bytes, 0), max(cost.seconds - start.seconds, 0))


def _written(format: Format, function: Callable[..., None], graph: NeuronGraph, more: dict[str, Any]) -> Cost:
    start = time.process_time()
    if format.out == "file":
        sink = _Counter()
        function(graph, sink, None, **more)
        return Cost(sink.bytes, time.process_time() - start)
    with tempfile.TemporaryDirectory() as folder:
        function(graph, Path(folder), None, **more)
        seconds = time.process_time() - start
        return Cost(sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file()), seconds)


class _Counter(io.RawIOBase):
    """A file that only counts what is written into it."""

    def __init__(self) -> None:
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        self.bytes += len(data)
        return len(data)


class Disk(NamedTuple):
    """How fast a disk is.

    Attributes:
        speed: bytes that it takes in a second.
        busy: seconds that a processor is busy with each byte.
    """

    speed: float
    busy: float


def disk_of(folder: Path) -> Disk:
    """The folder's disk, tried; infinitely fast where nothing can be written."""
    block = os.urandom(1 << 20) * 4
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            start, busy = time.perf_counter(), time.process_time()
            for _ in range(0, FLUSHED, len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
            taken, busy = time.perf_counter() - start, time.process_time() - busy
            return Disk(FLUSHED / max(taken, 1e-9), busy / FLUSHED)
    except OSError:
        return Disk(float("inf"), 0)  # the writer says so


def estimates(graph: NeuronGraph, progress: Told | None = None) -> dict[str, Cost | str]:
    """The cost in every format, or why it can't be written; `progress` is told which one is tried."""
    found: dict[str, Cost | str] = {}
    for done, suffix in enumerate(WRITTEN):
        if progress:
            progress(done, len(WRITTEN), suffix)
        try:
            found[suffix] = estimate(graph, suffix)
        except (MissingExtraError, OutputError, TooLargeError) as e:
            found[suffix] = str(e)
    return found


LESS = "select fewer by layers, top-k, min-abs-weight or sample; .parquet is the smallest format"


def check_edges(graph: NeuronGraph, most: int | None) -> None:
    """Raise `TooLargeError` where a graph has more edges than a stated limit."""
    if most is not None:
        check_whole("max_edges", most, 0)
    if most is not None and graph.edges > most:
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, more than the limit of {most:,}; {_largest(graph)}; {LESS}"
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
    layer = max(graph.layers, key=lambda x: max(x.in_edges, x.neurons))
    count, what = max((layer.in_edges, "edges"), (layer.neurons, "neurons"))
    return f"layer {layer.name!r} alone has {count:,} {what}"
