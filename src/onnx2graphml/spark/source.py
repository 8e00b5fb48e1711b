"""Spark's side of it: a data source in Python, which plans parts and reads them.

Source: https://spark.apache.org/docs/latest/api/python/tutorial/sql/python_data_source.html
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.errors import Error, MissingExtraError, did_you_mean
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.xmltext import escape
from onnx2graphml.spark.parts import (
    EdgePart,
    NodePart,
    asked,
    edges_schema,
    nodes_schema,
    planned_edges,
    planned_nodes,
)
from onnx2graphml.spark.wanted import EVERYTHING, Wanted

try:
    from pyspark.sql.datasource import DataSource, DataSourceReader, Filter, InputPartition
    from pyspark.sql.pandas.types import from_arrow_schema
    from pyspark.sql.types import StructType
except ImportError as e:
    raise MissingExtraError("pyspark 4.1 or newer", "spark") from e

NAME = "onnx2graphml"
PUSHDOWN = "spark.sql.python.filterPushdown.enabled"
TABLES = ("edges", "nodes")
OPTIONS = {
    "path": "", "table": "edges", "detail": "layer", "shape": "", "rows": str(1 << 24),
    "layer": "", "src": "", "dst": "", "id": "",
}  # fmt: skip
"""What may be given, and what it is otherwise."""
RANGES = {"edges": ("src", "dst"), "nodes": ("id",)}


def register(spark: Any, *, pushdown: bool = False) -> None:
    """Make `spark.read.format("onnx2graphml")` known to a session.

    Args:
        spark: a `SparkSession`.
        pushdown: have Spark hand over the conditions of queries, so that what they leave out is not expanded. **Give
            each condition a table of its own, from `load()`.** Spark (4.1 to 4.3) keeps one plan for each loaded table:
            of two conditions on the same one it reads the last for both, and tells nobody. The options `layer`, `src`,
            `dst` and `id` leave out the same, safely.

    Raises:
        MissingExtraError: pyspark is not installed, or too old.

    Example:
        >>> register(spark)  # doctest: +SKIP
        >>> nodes = spark.read.format("onnx2graphml").option("path", "vgg16.onnx").option("table", "nodes").load()
        ... # doctest: +SKIP
    """
    if pushdown:
        spark.conf.set(PUSHDOWN, "true")
    spark.dataSource.register(PushdownSource if pushdown else NeuronGraphSource)


SCHEMAS = {"edges": edges_schema, "nodes": nodes_schema}


class NeuronGraphReader(DataSourceReader):  # type: ignore[misc]
    """Plans the parts that a query needs, where it is planned; reads them wherever Spark wants to.

    Attributes:
        wanted: which rows.
    """

    def __init__(
        self,
        graph: NeuronGraph,
        table: str,
        columns: Iterable[tuple[str, bool]],
        rows: int,
        wanted: Wanted = EVERYTHING,
    ) -> None:
        """`columns`: the name of each, and whether Spark allows for nulls."""
        self.wanted = wanted
        self._table, self._rows = table, rows
        self._schema = asked(SCHEMAS[table](graph), columns)
        self._graph: NeuronGraph | None = graph

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


class PushdownReader(NeuronGraphReader):
    """The same, of what the conditions of a query leave."""

    def pushFilters(self, filters: list[Filter]) -> Iterable[Filter]:
        """Take the conditions that say which layers and ids are wanted; give back what Spark has to look at itself."""
        for each in filters:
            told: Any = each
            column = ".".join(told.attribute) if hasattr(told, "attribute") else ""
            self.wanted, whole = self.wanted.narrowed(type(each).__name__, column, getattr(told, "value", None))
            if not whole:
                yield each


class NeuronGraphSource(DataSource):  # type: ignore[misc]
    """The graph of a network as a table of edges, or of nodes.

    Options: `path`, what `load` takes; `table`, `edges` or `nodes`; `detail`; `shape`, such as
    `input=1,3,224,224`, with semicolons between several; `rows`, how many a part has at most (default 16,777,216).

    What is wanted alone: `layer`, a name, or a list of names in JSON; `src` and `dst` of edges, `id` of nodes, a
    first and a last id such as `3400:3500`.

    Raises:
        Error: there is no path, or an option is none of these.
    """

    _reader: type[NeuronGraphReader] = NeuronGraphReader

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
        for column in sorted({"src", "dst", "id"} - {*RANGES[self._asked["table"]]}):
            if self._asked[column]:
                raise Error(f"option {column!r} is not for {self._asked['table']}, which have no such column")

    @classmethod
    def name(cls) -> str:
        """What Spark calls the format."""
        return NAME

    def schema(self) -> StructType:
        """The columns of the table."""
        return from_arrow_schema(self._schema())

    def reader(self, schema: StructType) -> NeuronGraphReader:
        """What plans and reads the columns of a schema, which may have less than the table."""
        columns, graph = [(f.name, f.nullable) for f in schema], self._graph()
        return self._reader(graph, self._asked["table"], columns, int(self._asked["rows"]), self._wanted(graph))

    def _wanted(self, graph: NeuronGraph) -> Wanted:
        wanted = Wanted()
        if self._asked["layer"]:
            known, names = {escape(layer.name) for layer in graph.layers}, _names(self._asked["layer"])
            for name in names:
                if name not in known:
                    raise Error(f"no layer is named {name!r}{did_you_mean(name, known)}")
            wanted = wanted.of_layers(names)
        for column in RANGES[self._asked["table"]]:
            if self._asked[column]:
                wanted = wanted.within(column, *_range(column, self._asked[column]))
        return wanted

    def _schema(self) -> Any:
        return SCHEMAS[self._asked["table"]](self._graph())

    def _graph(self) -> NeuronGraph:
        return _loaded(self._asked["path"], self._asked["detail"], self._asked["shape"])


class PushdownSource(NeuronGraphSource):
    """The same, with the conditions of queries pushed down; see `register`."""

    _reader = PushdownReader


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


def _names(text: str) -> list[str]:
    """One name, or a list of them in JSON."""
    try:
        found = json.loads(text)
    except ValueError:
        found = text
    return found if isinstance(found, list) and all(isinstance(name, str) for name in found) else [text]


def _range(column: str, text: str) -> tuple[int, int]:
    first, _, last = text.partition(":")
    if not (first.isdecimal() and last.isdecimal()):
        raise Error(f"{column} is {text!r}; expected a first and a last id, such as 3400:3500")
    return int(first), int(last)
