"""A graph written by many machines: each writes its share of the files, and the shares are merged.

Until then all is in a folder beside the target, `OUT.parquet.parts`. A share is finished when its record is there, a
JSON file that is written last; whoever is killed before leaves none, and writes the share again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from onnx2graphml.errors import Error, MissingExtraError, OutputError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.files.temporary import HIDDEN
from onnx2graphml.formats.manifest import manifest_content, reading_errors, write_content
from onnx2graphml.formats.parquet import NODES
from onnx2graphml.formats.parquet.layout import NODES_OR_PART, with_ids
from onnx2graphml.formats.parquet.neo4j import write_headers
from onnx2graphml.formats.parquet.write import (
    NODE_ENCODING,
    ROWS,
    Part,
    listed,
    named_parts,
    node_schema,
    node_tables,
    run,
    write_edges,
    write_table,
)
from onnx2graphml.formats.registry import PARQUET_PART, Progress
from onnx2graphml.graph.graph import NeuronGraph

try:
    from pyarrow import parquet as pq
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "parquet") from e

RECORD = re.compile(r"share-(\d{5,})-of-(\d{5,})\.json")
SHOWN = 5  # missing shares that a message names


def folder_of(path: Path) -> Path:
    """Where the shares of a graph are until they are merged."""
    return path.with_name(f"{path.name}.parts")


def write_share(
    graph: NeuronGraph,
    path: Path,
    share: tuple[int, int],
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    partition: str | None = None,
    part: int = PARQUET_PART,
    rows: int = ROWS,
) -> bool:
    """Write one share of a graph's files; the first share has the nodes, too.

    Args:
        path: of the whole graph, which `merge` makes.
        share: which one, from 1, and of how many.
        progress, jobs, partition, part, rows: as for `write_parquet`.

    Returns:
        Whether it was written; a share that is finished is left as it is.

    Raises:
        OutputError: shares of another graph are there, or of another number; or nothing can be written there.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> write_share(graph, Path("digits.parquet"), (3, 64))  # doctest: +SKIP
    """
    number, count = share
    if not 1 <= number <= count:
        raise Error(f"part {number}/{count}: expected a number from 1 to {count}, and how many there are")
    parts, folder, stop = named_parts(graph, part, partition), folder_of(path), threading.Event()
    content = manifest_content(graph, parts=listed(parts))
    for name, record in _records(folder).items():
        _check_record(folder, name, record, content, count)
        if name[0] == number and not _broken(folder, record):
            return False
    try:
        for inner in (NODES, *parts):
            (folder / inner).parent.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"can't write {str(folder)!r}: {e.strerror or e}") from e
    own = shared_out(parts, count)[number - 1]

    def edges(name: str) -> None:
        with atomic(folder / name) as file:
            write_edges(graph, file, parts[name], stop, progress, rows)

    def nodes() -> None:
        with atomic(folder / NODES) as file:
            write_table(file, node_schema(graph), node_tables(graph, rows), NODE_ENCODING, stop)

    first = [nodes] if number == 1 else []
    run([*first, *(partial(edges, name) for name in own)], jobs, stop)
    sizes = {name: (folder / name).stat().st_size for name in (*([NODES] if first else []), *own)}
    with atomic(folder / f"share-{number:05}-of-{count:05}.json") as file:
        file.write(json.dumps({"files": sizes, "manifest": content}).encode())
    return True


def shared_out(parts: Mapping[str, Part], count: int) -> list[list[str]]:
    """The names of each share's files, so that all shares have about as many edges.

    Example:
        >>> shared_out({}, 2)
        [[], []]
    """
    shares: list[list[str]] = [[] for _ in range(count)]
    edges = [0] * count
    for name in sorted(parts, key=lambda name: (-parts[name].rows, name)):
        least = edges.index(min(edges))
        shares[least].append(name)
        edges[least] += parts[name].rows
    return shares


def merge(path: Path) -> dict[str, Any]:
    """Put the shares together, as the folder that `write` would have made at once; return what its manifest tells.

    Raises:
        Error: there are no shares; some are missing, of other graphs, or damaged.
        OutputError: the path holds something else, or can't be written.

    Example:
        >>> merge(Path("digits.parquet"))  # doctest: +SKIP
    """
    folder = folder_of(path)
    records = _records(folder) if folder.is_dir() else {}
    if not records:
        raise Error(f"{folder}: there are no parts; write them with: onnx2graphml MODEL {path.name} --part 1/N")
    (_, count), whole = next(iter(records)), next(iter(records.values()))
    content: dict[str, Any] = whole["manifest"]
    for name, record in records.items():
        _check_record(folder, name, record, content, count)
    broken = [number for (number, _), record in records.items() if _broken(folder, record)]
    missing = sorted({*range(1, count + 1)} - {number for number, _ in records} | set(broken))
    if missing:
        names = ", ".join(f"{k}/{count}" for k in missing[:SHOWN]) + (" ..." if len(missing) > SHOWN else "")
        raise Error(
            f"{folder}: {len(missing)} of {count} parts are missing or damaged: {names}; write them with --part"
        )
    files = {name: size for record in records.values() for name, size in record["files"].items()}
    _check_files(folder, files, content)
    with atomic_directory(path, "graph") as new:
        for name in files:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            _link(folder / name, new / name)
        write_headers(new)
        content["parts"] = with_ids(content["parts"], new)
        write_content(content, new, HIDDEN)
    _remove(folder, files)
    return content


def _records(folder: Path) -> dict[tuple[int, int], dict[str, Any]]:
    """The records of finished shares, by their numbers."""
    found = {}
    for path in sorted(folder.glob("share-*.json")):
        named = RECORD.fullmatch(path.name)
        if named:
            with reading_errors(path):
                record = json.loads(path.read_bytes())
                if not all(
                    NODES_OR_PART.fullmatch(name) and type(size) is int for name, size in record["files"].items()
                ):
                    raise ValueError("its files are none of a graph")
                record["manifest"]["parts"]
            found[int(named[1]), int(named[2])] = record
    return found


def _check_record(
    folder: Path, name: tuple[int, int], record: dict[str, Any], content: dict[str, Any], count: int
) -> None:
    if name[1] != count:
        raise OutputError(f"{folder}: holds part {name[0]}/{name[1]} and parts of {count}; remove what is not wanted")
    if record["manifest"] != content and record["manifest"] | {"parts": content["parts"]} == content:
        raise OutputError(f"{folder}: holds part {name[0]}/{name[1]} in other files; all parts need the same partition")
    if record["manifest"] != content:
        raise OutputError(
            f"{folder}: holds part {name[0]}/{name[1]} of another graph, {record['manifest'].get('model')!r} at detail "
            f"{record['manifest'].get('detail')!r}; remove the folder, or choose another name"
        )


def _broken(folder: Path, record: dict[str, Any]) -> bool:
    """Whether a file of a share is not there, or has another size."""
    return any(
        not (folder / name).is_file() or (folder / name).stat().st_size != size
        for name, size in record["files"].items()
    )


def _check_files(folder: Path, files: dict[str, int], content: dict[str, Any]) -> None:
    """All that the manifest lists are there, with as many rows as it says."""
    with reading_errors(folder):
        rows = {part["file"]: part["rows"] for part in content["parts"]} | {NODES: content["nodes"]}
        if rows.keys() != files.keys():
            raise ValueError(f"{sorted(rows.keys() ^ files.keys())[0]} is listed in one place and not in the other")
        for name, expected in rows.items():
            got = pq.read_metadata(folder / name).num_rows
            if got != expected:
                raise ValueError(f"{name} has {got:,} rows, not {expected:,}")


def _link(source: Path, target: Path) -> None:
    """The same file under another name, or a copy where a disk has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _remove(folder: Path, files: dict[str, int]) -> None:
    """Remove the shares, and their folders if nobody put anything else there."""
    for name in (*files, *(path.name for path in folder.glob("share-*.json") if RECORD.fullmatch(path.name))):
        (folder / name).unlink(missing_ok=True)
    within = {parent for name in files for parent in Path(name).parents}
    for inner in sorted(within, key=lambda path: len(path.parts), reverse=True):
        if not any((folder / inner).iterdir()):
            (folder / inner).rmdir()
