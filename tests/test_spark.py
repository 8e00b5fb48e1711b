"""A graph as tables in Spark: parts that hold no edge, conditions that reach the blocks, and two workers."""

from __future__ import annotations

import importlib.util
import os
import pickle
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES
from synthetic import conv_graph, every_kind, parallel, products

if importlib.util.find_spec("pyspark") is None:
    pytest.skip("pyspark is not installed", allow_module_level=True)

from pyspark.sql.datasource import (
    DataSourceReader,
    EqualTo,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    IsNotNull,
    LessThan,
    LessThanOrEqual,
    Not,
    StringStartsWith,
)

from onnx2graphml.spark import NeuronGraphSource
from onnx2graphml.spark.source import SCHEMAS, PushdownReader, PushdownSource

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
try:
    from spark_mobilenet import (
        by_layer,
        cluster,
        edges_of,
        executors,
        expected_in_degrees,
        in_degrees,
        one_executor_killed,
    )
finally:
    sys.path.pop(0)

DIGITS = FIXTURES / "digits.onnx"


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(DIGITS)


def source(**options: str) -> NeuronGraphSource:
    return NeuronGraphSource({"path": str(DIGITS)} | options)


def read(reader: Any, *conditions: Any) -> tuple[pa.Table, list[Any]]:
    """All rows that a reader gives, as Spark asks for them: planned, sent elsewhere, read there. And the parts."""
    left = list(reader.pushFilters(list(conditions))) if conditions else []
    assert all(any(each is one for one in conditions) for each in left)
    parts = pickle.loads(pickle.dumps(reader.partitions()))
    far = pickle.loads(pickle.dumps(reader))
    assert far._graph is None
    batches = [batch for part in parts for batch in far.read(part)]
    assert all(batch.schema == reader._schema for batch in batches)
    return pa.Table.from_batches(batches, reader._schema), [part.value for part in parts if part.value is not None]


def reader_of(graph: NeuronGraph, table: str = "edges", rows: int = 1 << 24, *columns: str) -> PushdownReader:
    schema = SCHEMAS[table](graph)
    return PushdownReader(graph, table, [(n, schema.field(n).nullable) for n in columns or schema.names], rows)


def rows_of(table: pa.Table) -> Counter[tuple[Any, ...]]:
    return Counter(zip(*(table.column(name).to_pylist() for name in table.schema.names), strict=True))


def expected(graph: NeuronGraph) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for layer in graph.layers:
        for incoming, e in graph.edges_into(layer):
            source = e.source + graph.layer(incoming.source).first_id
            terms = [None] * len(e) if e.term is None else e.term.tolist()
            for s, t, w, m in zip(
                source.tolist(), (e.target + layer.first_id).tolist(), e.weight.tolist(), terms, strict=True
            ):
                found[s, t, w, incoming.port, m] += 1
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1 << 24, 1000, 60])
def test_all_edges_in_parts_of_bounded_size(digits: NeuronGraph, rows: int) -> None:
    table, parts = read(reader_of(digits, "edges", rows))
    assert table.num_rows == digits.edges
    assert max(sum(piece.block.count for piece in part.pieces) for part in parts) <= rows
    pairs = rows_of(table.select(["src", "dst", "weight"]))
    assert pairs == Counter(digits.weighted_edges())
    counts = Counter(table.column("layer").to_pylist())
    assert counts == {layer.name: layer.in_edges for layer in digits.layers if layer.in_edges}


@pytest.mark.parametrize("made", [every_kind, parallel, products], ids=lambda made: made.__name__)
def test_ports_terms_and_wide_weights(made: Any) -> None:
    graph = made()
    table, _ = read(reader_of(graph))
    every = expected(graph)
    known = [name in table.schema.names for name in ("src", "dst", "weight", "port", "term")]
    told = Counter({tuple(v for v, k in zip(row, known, strict=True) if k): n for row, n in every.items()})
    assert rows_of(table.drop_columns(["layer"])) == told


def test_a_part_has_no_edge_and_no_weight_too_many(digits: NeuronGraph) -> None:
    """The parts of a convolution of 23 million edges are sent in some hundred thousand bytes."""
    _, parts = read(reader_of(digits, "edges", 100), EqualTo(("layer",), "dense1"))
    assert sum(len(p.block.weights) for part in parts for p in part.pieces) == digits.layer("dense1").in_edges
    graph = conv_graph(8, 200)
    reader = reader_of(graph, "edges", 1 << 20)
    sent = pickle.dumps(reader.partitions())
    assert graph.edges > 22_000_000
    assert len(sent) < 600_000


CONDITIONS = [
    ([EqualTo(("layer",), "conv2")], lambda s, d, layer: layer == "conv2", True),
    ([In(("layer",), ("conv2", "digit"))], lambda s, d, layer: layer in ("conv2", "digit"), True),
    ([EqualTo(("dst",), 700)], lambda s, d, layer: d == 700, True),
    ([EqualTo(("src",), 700)], lambda s, d, layer: s == 700, True),
    ([GreaterThan(("dst",), 3400), LessThanOrEqual(("dst",), 3500)], lambda s, d, layer: 3400 < d <= 3500, True),
    ([GreaterThanOrEqual(("src",), 100), LessThan(("src",), 203)], lambda s, d, layer: 100 <= s < 203, True),
    (
        [GreaterThan(("dst",), 200), LessThan(("dst",), 900), GreaterThan(("src",), 17), LessThan(("src",), 41)],
        lambda s, d, layer: 200 < d < 900 and 17 < s < 41,
        True,
    ),
    ([IsNotNull(("src",)), IsNotNull(("layer",)), IsNotNull(("weight",))], lambda s, d, layer: True, True),
    ([In(("dst",), (690, 701))], lambda s, d, layer: 690 <= d <= 701, False),
    ([In(("dst",), (None,))], lambda s, d, layer: True, False),
    ([EqualTo(("weight",), 1.0)], lambda s, d, layer: True, False),
    ([StringStartsWith(("layer",), "conv")], lambda s, d, layer: True, False),
    ([Not(EqualTo(("dst",), 700))], lambda s, d, layer: True, False),
    ([EqualTo(("layer",), "no such")], lambda s, d, layer: False, True),
    ([EqualTo(("dst",), -3)], lambda s, d, layer: False, True),
    ([GreaterThan(("dst",), 10**12)], lambda s, d, layer: False, True),
]


@pytest.mark.parametrize(
    ("conditions", "holds", "whole"), CONDITIONS, ids=lambda c: str(c)[:40] if isinstance(c, list) else ""
)
def test_conditions_reach_the_blocks(digits: NeuronGraph, conditions: Any, holds: Any, whole: bool) -> None:
    every, _ = read(reader_of(digits))
    columns = (every.column(name).to_pylist() for name in ("src", "dst", "layer", "weight"))
    wanted = Counter((s, d, layer, w) for s, d, layer, w in zip(*columns, strict=True) if holds(s, d, layer))
    reader = reader_of(digits, "edges", 1 << 24, "src", "dst", "layer", "weight")
    table, _ = read(reader, *conditions)
    assert rows_of(table) == wanted
    assert (not list(reader_of(digits).pushFilters(conditions))) == whole


def test_a_condition_on_a_layer_plans_no_other(digits: NeuronGraph) -> None:
    _, parts = read(reader_of(digits, "edges", 1000), EqualTo(("layer",), "conv2"))
    assert {part.layer for part in parts} == {"conv2"}
    assert len(parts) == len(list(digits.layer("conv2").incoming[0].block.cut(1000)))


def test_nodes(digits: NeuronGraph) -> None:
    table, parts = read(reader_of(digits, "nodes", 500))
    assert table.to_pylist() == digits.to_arrow().nodes.to_pylist()
    assert max(part.last - part.first for part in parts) <= 500
    some, parts = read(
        reader_of(digits, "nodes", 500, "id", "bias"), EqualTo(("layer",), "conv1"), GreaterThan(("id",), 1000)
    )
    ids = range(1001, digits.layer("conv1").first_id + digits.layer("conv1").neurons)
    assert some.column("id").to_pylist() == list(ids)
    bias = np.broadcast_to(digits.layer("conv1").bias, digits.layer("conv1").shape).ravel()
    assert some.column("bias").to_pylist() == bias[-len(ids) :].tolist()
    assert sum(part.layer.bias.size for part in parts) <= 16 * len(parts)


def test_columns_are_chosen_by_a_schema() -> None:
    told = source().schema()
    assert [f.name for f in told] == ["src", "dst", "weight", "layer"]
    reader = source(table="nodes", rows="99").reader(_fields("id", "layer"))
    table, _ = read(reader)
    assert table.schema.names == ["id", "layer"]
    assert source().name() == "onnx2graphml"


def _fields(*names: str) -> Any:
    return [SimpleNamespace(name=name, nullable=True) for name in names]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": ""}, "option 'path' is missing"),
        ({"table": "vertices"}, "table is 'vertices'; expected edges or nodes"),
        ({"rows": "0"}, "rows is '0'; expected a number of 1 or more"),
        ({"layers": "conv1"}, "option 'layers' is not known; expected path, table"),
        ({"id": "1:2"}, "option 'id' is not for edges, which have no such column"),
        ({"table": "nodes", "src": "1:2"}, "option 'src' is not for nodes, which have no such column"),
    ],
)
def test_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(Error, match=message):
        source(**options)


def test_options_say_what_is_wanted(digits: NeuronGraph) -> None:
    """The same rows as conditions that are pushed down, and no other part is planned."""
    edges = source(layer='["conv2", "digit"]', src="3200:3680", dst="3400:3735")
    conditions = [In(("layer",), ("conv2", "digit")), *(f((c,), v) for f, c, v in BETWEEN)]
    wanted, _ = read(reader_of(digits), *conditions)
    found, parts = read(edges.reader(edges.schema()))
    assert rows_of(found) == rows_of(wanted)
    assert found.num_rows
    assert {part.layer for part in parts} == set(found.column("layer").to_pylist())
    nodes = source(table="nodes", layer="conv1", id="100:200")
    table, _ = read(nodes.reader(nodes.schema()))
    assert table.column("id").to_pylist() == list(range(100, 201))


BETWEEN = [
    (GreaterThanOrEqual, "src", 3200),
    (LessThanOrEqual, "src", 3680),
    (GreaterThanOrEqual, "dst", 3400),
    (LessThanOrEqual, "dst", 3735),
]


def test_wanted_that_is_not_there() -> None:
    with pytest.raises(Error, match="no layer is named 'conv9'; did you mean 'conv2'"):
        source(layer="conv9").reader(_fields("src"))
    with pytest.raises(Error, match="dst is '7'; expected a first and a last id, such as 3400:3500"):
        source(dst="7").reader(_fields("src"))


def test_conditions_are_pushed_down_only_when_asked_for() -> None:
    """Spark keeps one plan for a loaded table, whatever the conditions of queries over it."""
    assert type(source().reader(_fields("src"))).pushFilters is DataSourceReader.pushFilters
    assert isinstance(PushdownSource({"path": str(DIGITS)}).reader(_fields("src")), PushdownReader)


@pytest.mark.parametrize("shape", ["x", "image=1,a"])
def test_shapes(shape: str) -> None:
    with pytest.raises(Error, match="expected NAME=1,3,224,224"):
        source(shape=shape).schema()


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(Error, match="column 'color' is not there; expected some of src, dst"):
        source().reader(_fields("src", "color"))
    assert source(shape="image=1,8,8,1").schema() == source().schema()


# ----------------------------------------------------------------------------------------------------------- in Spark


def why_not() -> str:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "there is no Java"
    if importlib.util.find_spec("py4j") is None:
        return "pyspark without its Java part is installed"
    if not Path("/proc/self/stat").exists():
        return "an executor is found in Linux' /proc"
    return ""


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of two workers, each a process."""
    if reason := why_not():
        pytest.skip(reason)
    with cluster(512, tmp_path_factory.mktemp("spark")) as session:
        yield session


def loaded(spark: Any, **options: str) -> Any:
    reader = spark.read.format("onnx2graphml").option("path", str(DIGITS))
    return reader.options(**options).load()


@pytest.mark.slow
def test_two_workers_of_which_one_is_killed(spark: Any, digits: NeuronGraph, tmp_path: Path) -> None:
    """Exact counts per layer, and in-degrees equal to the closed form, whatever becomes of an executor."""
    edges = edges_of(spark, DIGITS, 400)
    assert by_layer(edges) == {layer.name: layer.in_edges for layer in digits.layers if layer.in_edges}
    before = executors()
    assert len(before) == 2
    with one_executor_killed(spark, 5) as killed:
        found = in_degrees(edges, digits.neurons, tmp_path)
    np.testing.assert_array_equal(found, expected_in_degrees(digits))
    assert killed
    assert killed[0] in before
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(found[::-1], expected_in_degrees(digits))


@pytest.mark.slow
def test_one_layer_is_all_that_is_read(spark: Any, digits: NeuronGraph) -> None:
    one = loaded(spark, layer="conv2", rows="8000")
    assert one.count() == digits.layer("conv2").in_edges
    assert one.rdd.getNumPartitions() == len(list(digits.layer("conv2").incoming[0].block.cut(8000)))


@pytest.mark.slow
def test_conditions_on_one_table_do_not_meet(spark: Any, digits: NeuronGraph) -> None:
    """Spark would read the parts of one condition for both if conditions were pushed down."""
    edges = loaded(spark)
    both = edges.filter("layer = 'conv2'").union(edges.filter("layer = 'digit'"))
    assert {row["layer"]: row["count"] for row in both.groupBy("layer").count().collect()} == {
        name: digits.layer(name).in_edges for name in ("conv2", "digit")
    }
    assert edges.count() == digits.edges


@pytest.mark.slow
def test_a_condition_that_is_pushed_down(spark: Any, digits: NeuronGraph) -> None:
    """Only the layer's parts are read; each condition has a table of its own."""
    from onnx2graphml.spark import register

    try:
        register(spark, pushdown=True)
        one = loaded(spark, rows="8000").filter("layer = 'conv2'")
        assert one.count() == digits.layer("conv2").in_edges
        assert one.rdd.getNumPartitions() == len(list(digits.layer("conv2").incoming[0].block.cut(8000)))
        assert loaded(spark).filter("dst = 3737").count() == 48
    finally:
        spark.conf.unset("spark.sql.python.filterPushdown.enabled")
        register(spark)
