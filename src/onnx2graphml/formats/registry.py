"""The file formats: what writes and what reads each, and what it is good for. Chosen by the suffix of a name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from onnx2graphml.cpu import processors
from onnx2graphml.errors import Error, OutputError, check_text, check_whole, did_you_mean

Progress = Callable[[int], None]
Feature = Literal["graph attributes", "node attributes", "ports", "parallel edges", "non-finite numbers"]


@dataclass(frozen=True)
class Format:
    """A format that graphs are written in.

    Attributes:
        writer: `module:name`, within this room, of `(graph, out, progress)`, which writes a graph and tells `progress`
            the number of edges written since it was told. Imported when first used: some need much to be imported.
        reader: the same, of a function from a path to a context that gives a `reading.GraphFile`; empty where there is
            none.
        out: what it writes into: a binary `file`, or an empty `directory`.
        cannot_hold: what of a graph is lost or refused.
        takes_jobs: whether the function has a keyword `jobs`, the number of threads.
        takes_labels: whether it has a keyword `labels`, for what people want besides.
        takes_ids: whether it has a keyword `ids`, the type of ids.
        takes_partition: whether it has a keyword `partition`, what edges have folders by.
        max_edges: what it is good for; None where there is no limit.
        run: edges of one kind that show, to a tenth, how well they are compressed.
        part: the most edges that one thread writes into a file of their own, those into one layer; None where the
            threads share all work.
        most: bytes that none of its edges takes, unless names are very long.
        by_lines: whether small graphs are written in another way, and the function has a keyword `lines`: how many the
            graph has that this one is a sample of.
    """

    writer: str
    reader: str
    out: Literal["file", "directory"]
    cannot_hold: tuple[Feature, ...] = ()
    takes_jobs: bool = False
    max_edges: int | None = None
    takes_labels: bool = False
    run: int = 1 << 18
    takes_ids: bool = False
    takes_partition: bool = False
    part: int | None = None
    most: int = 400
    by_lines: bool = False

    def load(self) -> Callable[..., None]:
        """The function; `MissingExtraError` if it needs what is not installed."""
        return _imported(self.writer)

    def load_reader(self) -> Callable[..., Any]:
        """What reads it; `MissingExtraError` if it needs what is not installed. Not every format has one."""
        return _imported(self.reader)


NPZ_EDGES = 200_000_000  # a reader takes 12 bytes of memory for each, and twice that to sort them

DOT_EDGES = 1_000_000

COMPRESSED_EDGE = 100  # bytes, of which two ids and a weight are 24

PARQUET_PART = 1 << 26  # edges of a file: some seconds of work, 5 to 250 MB

_TEXT: tuple[Feature, ...] = ("non-finite numbers",)
_NPZ: tuple[Feature, ...] = ("graph attributes", "node attributes", "ports", "parallel edges")

FORMATS: dict[str, Format] = {
    ".graphml": Format(
        "graphml.write:write_graphml", "graphml.read:open_graphml", "file", _TEXT, True, takes_labels=True
    ),
    ".graphml.gz": Format(
        "graphml.compressed:write_graphml_gz",
        "graphml.read:open_graphml_gz",
        "file",
        _TEXT,
        True,
        takes_labels=True,
        most=COMPRESSED_EDGE,
        by_lines=True,
    ),
    ".graphml.zst": Format(
        "graphml.compressed:write_graphml_zst",
        "graphml.read:open_graphml_zst",
        "file",
        _TEXT,
        True,
        takes_labels=True,
        most=COMPRESSED_EDGE,
        by_lines=True,
    ),
    ".parquet": Format(
        "parquet.write:write_parquet",
        "parquet.read:open_parquet",
        "directory",
        takes_jobs=True,
        run=1 << 20,
        takes_ids=True,
        takes_partition=True,
        most=COMPRESSED_EDGE,
        part=PARQUET_PART,
    ),
    ".gephi.csv": Format("csv.write:write_gephi", "csv.read:open_gephi", "directory", _TEXT, True),
    ".neo4j.csv": Format("csv.write:write_neo4j", "csv.read:open_neo4j", "directory", _TEXT, True),
    ".npz": Format("npz.write:write_npz", "npz.read:open_npz", "file", _NPZ, max_edges=NPZ_EDGES, most=COMPRESSED_EDGE),
}
"""By suffix: what is written, read back and checked."""

FOR_OTHERS: dict[str, Format] = {
    ".gexf": Format("exchange.gexf:write_gexf", "", "file", _TEXT, True),
    ".gml": Format("exchange.gml:write_gml", "", "file", _TEXT, True),
    ".cyjs": Format("exchange.cytoscape:write_cytoscape", "", "file", _TEXT, True),
    ".dot": Format("exchange.dot:write_dot", "", "file", _TEXT, True, max_edges=DOT_EDGES),
}
"""What is written for other tools alone."""

WRITTEN = FORMATS | FOR_OTHERS

IDS = ("int64", "int32")
"""Types that ids may have; the first is that of all formats."""
BY_LAYER = "layer"
"""The only partition there is."""
STDOUT = "-"
DEFAULT = ".graphml"  # of standard output, which has no suffix


def suffix(name: str) -> str:
    """The suffix in a file's name that names its format; of two that fit, the longer one counts."""
    check_text("the format", name)
    found = suffix_of(name)
    if found is None:
        near = did_you_mean("".join(Path(name).suffixes[-2:]).lower(), WRITTEN)
        raise OutputError(
            f"no format is known for {name!r}; the file's name must end in one of {', '.join(WRITTEN)}{near}"
        )
    return found


def suffix_of(name: str) -> str | None:
    """The same; None where no format has it."""
    return max((suffix for suffix in WRITTEN if name.lower().endswith(suffix)), key=len, default=None)


def find(name: str) -> Format:
    """The format for a file's name. What it needs is installed."""
    found = WRITTEN[suffix(name)]
    found.load()
    return found


def options(
    format: Format,
    jobs: int | None = None,
    labels: bool = False,
    ids: str = IDS[0],
    partition: str | None = None,
) -> dict[str, Any]:
    """What the format's function takes besides: threads, as many as asked for or as there are processors, and more."""
    if ids not in IDS:
        raise Error(f"ids is {ids!r}; expected {' or '.join(IDS)}")
    if ids != IDS[0] and not format.takes_ids:
        names = ", ".join(suffix for suffix, found in FORMATS.items() if found.takes_ids)
        raise Error(f"ids of {ids} are for {names} only; give such a name, or leave ids out")
    if partition not in (None, BY_LAYER):
        raise Error(f"partition is {partition!r}; expected {BY_LAYER!r} or None")
    if partition and not format.takes_partition:
        names = ", ".join(suffix for suffix, found in FORMATS.items() if found.takes_partition)
        raise Error(f"a partition is for {names} only; give such a name, or leave partition out")
    if jobs is not None:
        check_whole("jobs", jobs, 1)
    if labels and not format.takes_labels:
        names = ", ".join(suffix for suffix, found in FORMATS.items() if found.takes_labels)
        raise Error(f"labels are for {names} only; give one of these names, or leave labels out")
    found: dict[str, Any] = {"jobs": jobs or processors()} if format.takes_jobs else {}
    found |= {"ids": ids} if ids != IDS[0] else {}
    found |= {"partition": partition} if partition else {}
    return found | {"labels": True} if labels else found


def _imported(place: str) -> Callable[..., Any]:
    module, name = place.split(":")
    function: Callable[..., Any] = getattr(importlib.import_module(f"onnx2graphml.formats.{module}"), name)
    return function
