"""Where the edges' files are: all in one folder, or in a folder for each layer, as Hive names them.

Source: https://spark.apache.org/docs/latest/sql-data-sources-parquet.html#partition-discovery; what is escaped follows
Hive's FileUtils.escapePathName, which Spark has taken over.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from onnx2graphml.errors import MissingExtraError, OutputError
from onnx2graphml.formats.parquet import NODES
from onnx2graphml.formats.registry import BY_LAYER

try:
    from pyarrow import parquet as pq
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "parquet") from e

EDGES = "edges"
PART = re.compile(rf"{EDGES}/(layer=[^/]+/)?part-[0-9]{{5,}}\.parquet")
NODES_OR_PART = re.compile(rf"{PART.pattern}|{re.escape(NODES)}")
ESCAPED = re.compile(r"[\x00-\x1f\x7f\"#%'*/:=?\\{\[\]^]")
NO_NAME = "__HIVE_DEFAULT_PARTITION__"
LONGEST = 255  # bytes of a folder's name


def part_name(number: int, layer: str, partition: str | None) -> str:
    """The name of a part's file; its number is one of all layers'.

    Example:
        >>> part_name(3, "block1/conv:0", "layer")
        'edges/layer=block1%2Fconv%3A0/part-00003.parquet'
    """
    folder = f"{EDGES}/{layer_folder(layer)}" if partition == BY_LAYER else EDGES
    return f"{folder}/part-{number:05}.parquet"


def layer_folder(layer: str) -> str:
    """The folder of a layer's edges; `OutputError` where its name is too long for one."""
    name = "layer=" + (ESCAPED.sub(lambda found: f"%{ord(found[0]):02X}", layer) or NO_NAME)
    if len(name.encode()) > LONGEST:
        raise OutputError(
            f"layer {layer[:40]!r}... has a name of {len(layer):,} characters, too long for a folder; "
            f"leave partition out"
        )
    return name


def part_files(directory: Path) -> list[str]:
    """The names of all files of edges that are there, as the manifest has them."""
    found = (path for path in (directory / EDGES).rglob("*") if not path.is_dir())
    return sorted(path.relative_to(directory).as_posix() for path in found)


def with_ids(parts: list[dict[str, Any]], directory: Path) -> list[dict[str, Any]]:
    """What the manifest tells of the parts, with the least and the greatest ids, which the files know."""
    return [part | least_and_greatest(directory / part["file"]) for part in parts]


def least_and_greatest(path: Path) -> dict[str, list[int]]:
    """Of `src` and of `dst` in a file; nothing of one without rows."""
    metadata, found = pq.read_metadata(path), {}
    for at, name in enumerate(("src", "dst") if metadata.num_row_groups else ()):
        groups = (metadata.row_group(g).column(at).statistics for g in range(metadata.num_row_groups))
        ends = [(group.min, group.max) for group in groups]
        found[name] = [min(least for least, _ in ends), max(greatest for _, greatest in ends)]
    return found
