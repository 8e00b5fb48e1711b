"""What writing a graph will cost, before it is paid, and refusals to write what has no room."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from onnx2graphml.cpu import processors
from onnx2graphml.errors import MissingExtraError, OutputError, TooLargeError, check_whole
from onnx2graphml.files.disk import disk_of
from onnx2graphml.formats.registry import WRITTEN
from onnx2graphml.formats.work import work
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.progress import Told, duration, size

NODE = 4000  # bytes that none takes, unless names are very long
SPARE = 1.2  # an estimate this much above the free space is not yet a refusal


@dataclass(frozen=True)
class Cost:
    """An estimate for one format: bytes and seconds."""

    bytes: float
    seconds: float

    def __str__(self) -> str:
        return f"about {size(self.bytes)}, {duration(self.seconds)}"


def estimate(
    graph: NeuronGraph, suffix: str, *, folder: Path | None = None, jobs: int | None = None, labels: bool = False
) -> Cost:
    """The size and the time of a graph in a format, from writing parts of it.

    The time is that of a process that writes it once, with what is loaded for that.

    Args:
        folder: where it would be written, and where the parts are for a moment; by default the current one.
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
    folder = folder or Path()
    found = work(graph, suffix, folder, jobs, labels)
    made_in, later = found.made_in(WRITTEN[suffix].part, jobs or processors()), found.all.bytes - found.start.bytes
    seconds = disk_of(folder).seconds(later, made_in) if later else 0
    return Cost(found.all.bytes, found.loading + found.start.seconds + seconds)


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


def has_plenty(graph: NeuronGraph, path: Path, suffix: str) -> bool:
    """Whether the target's disk has room for any graph as large in a format, so that no estimate is needed."""
    folder, most = path.absolute().parent, WRITTEN[suffix].most
    return not folder.is_dir() or shutil.disk_usage(folder).free > most * graph.edges + NODE * graph.neurons


def check_room(graph: NeuronGraph, path: Path, needed: float) -> None:
    """Raise `TooLargeError` where an estimated size is more than the free space of the target's disk."""
    folder = path.absolute().parent
    if not folder.is_dir():
        return  # the writer says so
    if path.exists() and not path.is_file() and not path.is_dir():
        return  # a pipe or a device
    free = shutil.disk_usage(folder).free
    if needed > free * SPARE:
        raise TooLargeError(
            f"{path} would take about {size(needed)}, and the disk has {size(free)} free; {_largest(graph)}; {LESS}"
        )


def _largest(graph: NeuronGraph) -> str:
    layer = max(graph.layers, key=lambda x: max(x.in_edges, x.neurons))
    count, what = max((layer.in_edges, "edges"), (layer.neurons, "neurons"))
    return f"layer {layer.name!r} alone has {count:,} {what}"
