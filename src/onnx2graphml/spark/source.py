"""Spark's side of it: a data source in Python, which plans parts and reads them.

Source: https://spark.apache.org/docs/latest/api/python/tutorial/sql/python_data_source.html
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.spark.parts import (
    EdgePart,
    NodePart,
    asked,
    edges_schema,
    nodes_schema,
    planned_edges,
    planned_nodes,
)
from onnx2graphml.spark.wanted import Wanted

try:
    from pyspark.sql.datasource import DataSource, DataSourceReader, Filter, InputPartition
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType
except ImportError as e:
    raise MissingExtraError("pyspark 4.1 or newer", "spark") from e

NAME = "onnx2graphml"
PUSHDOWN = "spark.sql.python.filterPushdown.enabled"
TABLES = ("edges", "nodes")
OPTIONS = {"path": "", "table": "edges", "detail": "layer", "shape": "", "rows": str(1 << 24)}
"""What may be given, and what it is otherwise."""


def register(spark: Any) -> None:
    """Make `spark.read.format("onnx2graphml")` known to a session, and have it push filters down.

    Args:
        spark: a `SparkSession`.

    Raises:
        MissingExtraError: pyspark is not installed, or too old.

    Example:
        >>> register(spark)  # doctest: +SKIP
        >>> nodes = spark.read.format("onnx2graphml").option("path", "vgg16.onnx").option("table", "nodes").load()
        ... # doctest: +SKIP
    """
    spark.conf.set(PUSHDOWN, "true")
    spark.dataSource.register(NeuronGraphSource)


class NeuronGraphSource(DataSource):  # type: ignore[misc]
    """The graph of a network as a table of edges, or of nodes.

    Options: `path`, what `load` takes; `table`, `edges` or `nodes`; `detail`; `shape`, such as
    `input=1,3,224,224`, with semicolons between several; `rows`, how many a part has at most (default 16,777,216).

    Raises:
        Error: there is no path, or an option is none of these.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        given = {str(name).lower(): str(value) for name, value in dict(options).items()}
        unknown = sorted(given.keys() - OPTIONS.keys())
        if unknown:
            raise Error(f"option {unknown[0]!r} is not known; expected {', '.join(OPTIONS)}")
        self._asked = OPTIONS | given
        if not self._asked["path"]:
            raise Error("option 'path' is missing; give the model's file")
        if self._asked["table"] not in TABLES:
            raise Error(f"table is {self._asked['table']!r}; expected {' or '.join(TABLES)}")
        if not (self._asked["rows"].isdecimal() and int(self._asked["rows"])):
            raise Error(f"rows is {self._asked['rows']!r}; expected a number of 1 or more")

    @classmethod
    def name(cls) -> str:
        """What Spark calls the format."""
        return NAME

    def schema(self) -> StructType:
        """The columns of the table."""
        return from_arrow_schema(self._schema())

    def reader(self, schema: StructType) -> NeuronGraphReader:
        """What plans and reads the columns of a schema, which may have less than the table."""
        return NeuronGraphReader(
            self._graph(), self._asked["table"], [(f.name, f.nullable) for f in schema], int(self._asked["rows"])
        )

    def _schema(self) -> Any:
        return SCHEMAS[self._asked["table"]](self._graph())

    def _graph(self) -> NeuronGraph:
        return _loaded(self._asked["path"], self._asked["detail"], self._asked["shape"])


SCHEMAS = {"edges": edges_schema, "nodes": nodes_schema}


class NeuronGraphReader(DataSourceReader):  # type: ignore[misc]
    """Plans the parts that a query needs, where it is planned; reads them wherever Spark wants to.

    Attributes:
        wanted: by the conditions that were pushed down.
    """

    def __init__(self, graph: NeuronGraph, table: str, columns: Iterable[tuple[str, bool]], rows: int) -> None:
        """`columns`: the name of each, and whether Spark allows for nulls."""
        self.wanted = Wanted()
        self._table, self._rows = table, rows
        self._schema = asked(SCHEMAS[table](graph), columns)
        self._graph: NeuronGraph | None = graph

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:
        """Take the conditions that say which layers and ids are wanted; give back what Spark has to look at itself."""
        for each in filters:
            told: Any = each
            column = ".".join(told.attribute) if hasattr(told, "attribute") else ""
            self.wanted, whole = self.wanted.narrowed(type(each).__name__, column, getattr(told, "value", None))
            if not whole:
                yield each

    def partitions(self) -> list[InputPartition]:
        """The parts; an empty one where nothing is wanted."""
        assert self._graph is not None
        planned = planned_edges if self._table == "edges" else planned_nodes
        found: list[Any] = list(planned(self._graph, self.wanted, self._rows))
        return [InputPartition(part) for part in found] or [InputPartition(None)]

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """The rows of a part, in batches."""
        part: EdgePart | NodePart | None = partition.value
        if part is not None:
            yield from part.batches(self._schema)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to where parts are read: not the graph, of which each part has its own."""
        return self.__dict__ | {"_graph": None}


@functools.lru_cache(1)
def _loaded(path: str, detail: str, shape: str) -> NeuronGraph:
    from onnx2graphml.api.loading import load  # where parts are read, no model is

    shapes = dict(_shape(text) for text in shape.split(";") if text)
    return load(Path(path), shapes=shapes, detail=detail)


def _shape(text: str) -> tuple[str, tuple[int, ...]]:
    name, equals, sizes = text.rpartition("=")
    try:
        found = tuple(int(size) for size in sizes.split(","))
    except ValueError:
        equals, found = "", ()
    if not equals:
        raise Error(f"shape is {text!r}; expected NAME=1,3,224,224")
    return name, found
