"""Small graphs written for trial: where a large one would be, by the same functions, on the same threads."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onnx2graphml.compiled import compiling, many
from onnx2graphml.errors import OutputError
from onnx2graphml.files.temporary import trial_folder
from onnx2graphml.formats.registry import FOR_OTHERS, WRITTEN, Format, options
from onnx2graphml.formats.writing import write_new
from onnx2graphml.graph.graph import NeuronGraph, numbered

KEPT = 1 << 28  # bytes


@dataclass(frozen=True)
class Taken:
    """What writing took.

    Attributes:
        bytes: of what was written.
        busy: seconds of all processors together, of which other work takes nothing.
        seconds: on the clock.
    """

    bytes: float = 0
    busy: float = 0
    seconds: float = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.bytes + other.bytes, self.busy + other.busy, self.seconds + other.seconds)

    def __mul__(self, factor: float) -> Taken:
        return Taken(self.bytes * factor, self.busy * factor, self.seconds * factor)

    def beyond(self, start: Taken) -> Taken:
        """What more it took than another."""
        return Taken(
            max(self.bytes - start.bytes, 0), max(self.busy - start.busy, 0), max(self.seconds - start.seconds, 0)
        )


@dataclass(frozen=True)
class Trials:
    """Writes graphs in one format into a folder.

    They stay for a while: memory that one leaves is still in the processor's cache, and the next one would be fast.

    Attributes:
        suffix: the format's.
        more: what its function takes besides.
        folder: where they are written.
    """

    suffix: str
    more: dict[str, Any]
    folder: Path
    _kept: deque[tuple[Path, int]] = field(default_factory=deque)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def format(self) -> Format:
        """What they are written in."""
        return WRITTEN[self.suffix]

    def part(self, graph: NeuronGraph) -> Taken:
        """Write a part of a graph, without what happens once for all of it."""

        def write(graph: NeuronGraph, path: Path) -> None:
            function = self.format.load()
            if self.format.out == "directory":
                path.mkdir()
                function(graph, path, None, **self.more)
            else:
                with path.open("wb") as file:
                    function(graph, file, None, **self.more)

        return self._taken(write, graph)

    def whole(self, graph: NeuronGraph) -> Taken:
        """Write a graph as if it were wanted: all is on the disk at the end."""
        return self._taken(lambda graph, path: write_new(graph, path, self.format, self.more), graph)

    def _taken(self, write: Callable[[NeuronGraph, Path], None], graph: NeuronGraph) -> Taken:
        path = self.folder / f"{next(self._numbers)}{self.suffix}"
        graph = self._with_ids(graph)
        done, others = many.done, compiling()
        busy, seconds = time.process_time(), time.perf_counter()
        write(graph, path)
        busy, seconds = time.process_time() - busy, time.perf_counter() - seconds
        others = compiling() - others  # what is compiled now is compiled for the process that will write, too
        many.done = done  # what is only tried is no reason to compile the next one
        self._kept.append((path, _size(path)))
        while sum(size for _, size in self._kept) > KEPT and len(self._kept) > 1:
            old, _ = self._kept.popleft()
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        return Taken(self._kept[-1][1], max(busy - others, 0), max(seconds - others, 0))

    def _with_ids(self, graph: NeuronGraph) -> NeuronGraph:
        """Places are of ids without gaps; a few bytes of ids are missing then."""
        if self.more.get("labels") or self.suffix in FOR_OTHERS:
            return dataclasses.replace(graph, layers=numbered(list(graph.layers)))
        return graph


@contextlib.contextmanager
def trials(suffix: str, folder: Path, jobs: int | None = None, labels: bool = False) -> Iterator[Trials]:
    """What writes for trial in a folder, from which all of it is removed at the end.

    Args:
        suffix: of the format.
        folder: where nothing can be written in it, the system's folder for such things is taken.
        jobs, labels: as `write` takes them.

    Raises:
        OutputError: the disk has no room for parts.

    Example:
        >>> with trials(".graphml", Path()) as write:
        ...     write.part(NeuronGraph((), ())).bytes > 0
        True
    """
    more = options(WRITTEN[suffix], jobs, labels)
    try:
        with trial_folder(folder) as place:
            yield Trials(suffix, more, place)
    except OSError as e:
        raise OutputError(f"can't write a small part for an estimate: {e.strerror or e}; free some space") from e


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(f.stat().st_size for f in files if f.is_file())
