"""Headers with which Neo4j imports the tables: one row of its names, and one of the columns that they stand for.

Source: https://neo4j.com/docs/operations-manual/current/import/header-format/, "Extended header support for Parquet"
"""

from __future__ import annotations

from pathlib import Path

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.formats.parquet import NODES
from onnx2graphml.formats.parquet.layout import part_files

try:
    import pyarrow as pa
    from pyarrow import parquet as pq
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "parquet") from e

FOLDER = "_neo4j"
ENDS = {"id": "id:ID", "src": ":START_ID", "dst": ":END_ID"}
TYPES = {
    pa.int32(): "int", pa.int64(): "long", pa.float32(): "float", pa.float64(): "double", pa.bool_(): "boolean",
    pa.list_(pa.int32()): "int[]",
}  # fmt: skip


def write_headers(directory: Path) -> None:
    """Write `_neo4j/nodes.csv` and `_neo4j/edges.csv` beside the tables of a folder.

    Example:
        >>> write_headers(Path("digits.parquet"))  # doctest: +SKIP
    """
    (directory / FOLDER).mkdir()
    tables = {"nodes": directory / NODES, "edges": directory / part_files(directory)[0]}
    for name, path in tables.items():
        (directory / FOLDER / f"{name}.csv").write_text(header(pq.read_schema(path)), encoding="utf-8")


def header(schema: pa.Schema) -> str:
    """The two rows.

    Example:
        >>> header(pa.schema([("src", pa.int64()), ("dst", pa.int64()), ("weight", pa.float32())]))
        ':START_ID,:END_ID,weight:float\\nsrc,dst,weight\\n'
    """
    told = [ENDS.get(f.name) or ":".join([f.name, *([TYPES[f.type]] if f.type in TYPES else [])]) for f in schema]
    return f"{','.join(told)}\n{','.join(schema.names)}\n"
