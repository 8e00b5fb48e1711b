"""Written graphs, read by the tools that they are for: each function gives what its tool found, as it found it."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Read:
    """A graph as a tool has it.

    Attributes:
        about: the graph's attributes.
        nodes: by id, their attributes.
        edges: source, target, and their attributes.
    """

    about: dict[str, Any] = field(default_factory=dict)
    nodes: dict[int, dict[str, Any]] = field(default_factory=dict)
    edges: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """How a tool reads a format.

    Attributes:
        suffix: the format.
        tool: its name, and `package`, which it is installed as.
        read: what it finds in a file or folder.
        options: what `write` is given besides.
    """

    suffix: str
    tool: str
    package: str
    read: Callable[[Path], Read]
    options: tuple[tuple[str, Any], ...] = ()


def number(name: Any) -> int:
    """`n12`, 12 or 12.0."""
    return int(float(str(name).removeprefix("n")))


def of_networkx(g: Any) -> Read:
    """NetworkX's graph."""
    nodes = {number(n): dict(data) for n, data in g.nodes(data=True)}
    return Read(dict(g.graph), nodes, [(number(u), number(v), dict(d)) for u, v, d in g.edges(data=True)])


def graphml_networkx(path: Path) -> Read:
    """GraphML, plain or compressed."""
    import networkx as nx

    if path.suffix == ".gz":
        return of_networkx(nx.read_graphml(io.BytesIO(gzip.decompress(path.read_bytes()))))
    if path.suffix == ".zst":
        import zstandard

        return of_networkx(nx.read_graphml(zstandard.open(path, "rb")))
    return of_networkx(nx.read_graphml(path))


def gexf_networkx(path: Path) -> Read:
    """GEXF."""
    import networkx as nx

    return of_networkx(nx.read_gexf(path))


def gml_networkx(path: Path) -> Read:
    """GML."""
    import networkx as nx

    return of_networkx(nx.read_gml(path, label="id"))


def cytoscape_networkx(path: Path) -> Read:
    """Cytoscape.js' JSON."""
    import networkx as nx

    return of_networkx(nx.cytoscape_graph(json.loads(path.read_bytes())))


def dot_pydot(path: Path) -> Read:
    """DOT."""
    import pydot

    (g,) = pydot.graph_from_dot_data(path.read_text())

    def plain(data: dict[str, str]) -> dict[str, str]:
        return {name: text.removeprefix('"').removesuffix('"') for name, text in data.items()}

    nodes = {number(n.get_name()): plain(n.get_attributes()) for n in g.get_nodes()}
    edges = [(number(e.get_source()), number(e.get_destination()), plain(e.get_attributes())) for e in g.get_edges()]
    return Read(plain(g.get_attributes()), nodes, edges)


def of_igraph(g: Any) -> Read:
    """igraph's graph."""
    nodes = {number(v.attributes().get("id", v.index)): v.attributes() for v in g.vs}
    ids = list(nodes)
    edges = [(ids[e.source], ids[e.target], e.attributes()) for e in g.es]
    return Read({name: g[name] for name in g.attributes()}, nodes, edges)


def graphml_igraph(path: Path) -> Read:
    """GraphML."""
    import igraph

    return of_igraph(igraph.Graph.Read_GraphML(str(path)))


def gml_igraph(path: Path) -> Read:
    """GML."""
    import igraph

    return of_igraph(igraph.Graph.Read_GML(str(path)))


def graphml_networkit(path: Path) -> Read:
    """GraphML."""
    import networkit

    g = networkit.graphio.GraphMLReader().read(str(path))
    return Read({}, {n: {} for n in g.iterNodes()}, [(u, v, {"weight": w}) for u, v, w in g.iterEdgesWeights()])


def of_tables(nodes: Iterable[dict[str, Any]], edges: Iterable[dict[str, Any]], id: str, ends: tuple[str, str]) -> Read:
    """Rows of two tables; a name behind a colon is a type."""
    own = [{name.partition(":")[0] or name: value for name, value in row.items()} for row in nodes]
    found = {int(row.pop(id)): row for row in own}
    rows = [{**row} for row in edges]
    ways = [(int(row.pop(ends[0])), int(row.pop(ends[1])), row) for row in rows]
    return Read({}, found, [(u, v, {n.partition(":")[0].lower(): x for n, x in row.items()}) for u, v, row in ways])


def parquet_pyarrow(path: Path) -> Read:
    """Parquet, in folders by layer or not."""
    import pyarrow.dataset as ds

    tables = [ds.dataset(path / name, partitioning="hive").to_table().to_pylist() for name in ("_nodes", "edges")]
    return of_tables(*tables, "id", ("src", "dst"))


def parquet_pandas(path: Path) -> Read:
    """Parquet."""
    import pandas as pd

    frames = [pd.read_parquet(path / name) for name in ("_nodes", "edges")]
    tables = [frame.astype(object).where(frame.notna(), None).to_dict("records") for frame in frames]
    return of_tables(*tables, "id", ("src", "dst"))


def parquet_polars(path: Path) -> Read:
    """Parquet."""
    import polars as pl

    tables = [pl.read_parquet(path / f"{name}/**/*.parquet").to_dicts() for name in ("_nodes", "edges")]
    return of_tables(*tables, "id", ("src", "dst"))


def parquet_duckdb(path: Path) -> Read:
    """Parquet."""
    import duckdb

    tables = []
    for name in ("_nodes", "edges"):
        found = duckdb.sql(f"FROM read_parquet('{path}/{name}/**/*.parquet')")
        tables.append([dict(zip(found.columns, row, strict=True)) for row in found.fetchall()])
    return of_tables(*tables, "id", ("src", "dst"))


def parquet_spark(path: Path) -> Read:
    """Parquet, by a Spark in this process' machine."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.host", "localhost").getOrCreate()
    try:
        tables = [[r.asDict() for r in spark.read.parquet(str(path / n)).collect()] for n in ("_nodes", "edges")]
    finally:
        spark.stop()
    return of_tables(*tables, "id", ("src", "dst"))


def csv_polars(path: Path) -> Read:
    """CSV for Gephi or for Neo4j."""
    import polars as pl

    nodes, edges = (
        pl.read_csv(path / f"{name}.csv", infer_schema_length=None).to_dicts() for name in ("nodes", "edges")
    )
    if path.name.endswith(".gephi.csv"):
        return of_tables(nodes, edges, "Id", ("Source", "Target"))
    return of_tables(nodes, edges, "id", (":START_ID", ":END_ID"))


def npz_scipy(path: Path) -> Read:
    """A sparse matrix."""
    import scipy.sparse

    w = scipy.sparse.load_npz(path).tocoo()
    edges = zip(w.row.tolist(), w.col.tolist(), w.data, strict=True)
    return Read({}, {n: {} for n in range(w.shape[0])}, [(u, v, {"weight": x}) for u, v, x in edges])


BY_LAYER = (("partition", "layer"),)
READERS = (
    Reader(".graphml", "NetworkX", "networkx", graphml_networkx),
    Reader(".graphml", "igraph", "igraph", graphml_igraph),
    Reader(".graphml", "NetworKit", "networkit", graphml_networkit),
    Reader(".graphml.gz", "NetworkX", "networkx", graphml_networkx),
    Reader(".graphml.zst", "NetworkX", "networkx", graphml_networkx),
    Reader(".parquet", "pyarrow", "pyarrow", parquet_pyarrow),
    Reader(".parquet", "pandas", "pandas", parquet_pandas),
    Reader(".parquet", "Polars", "polars", parquet_polars),
    Reader(".parquet", "DuckDB", "duckdb", parquet_duckdb),
    Reader(".parquet", "Spark", "pyspark", parquet_spark),
    Reader(".parquet", "pyarrow", "pyarrow", parquet_pyarrow, BY_LAYER),
    Reader(".parquet", "Polars", "polars", parquet_polars, BY_LAYER),
    Reader(".parquet", "DuckDB", "duckdb", parquet_duckdb, BY_LAYER),
    Reader(".gephi.csv", "Polars", "polars", csv_polars),
    Reader(".neo4j.csv", "Polars", "polars", csv_polars),
    Reader(".npz", "SciPy", "scipy", npz_scipy),
    Reader(".gexf", "NetworkX", "networkx", gexf_networkx),
    Reader(".gml", "NetworkX", "networkx", gml_networkx),
    Reader(".gml", "igraph", "igraph", gml_igraph),
    Reader(".cyjs", "NetworkX", "networkx", cytoscape_networkx),
    Reader(".dot", "pydot", "pydot", dot_pydot),
)
