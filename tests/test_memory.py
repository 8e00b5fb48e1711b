"""Graphs in other libraries' memory: each has the neurons, edges, weights and attributes that NetworkX's graph has."""

from __future__ import annotations

import sys
from collections import Counter
from types import ModuleType
from typing import Any

import networkx as nx
import numpy as np
import pytest

from onnx2graphml import load
from onnx2graphml.errors import Error, MissingExtraError, TooLargeError, UnsupportedError
from onnx2graphml.graph.graph import NeuronGraph
from small import FIXTURES, model, node, weights

Edge = tuple[int, int, float]

PARALLEL = model([node("Div", "x x", "y")], {"x": [1, 3]})
TERMS = model([node("MatMul", "a b", "y")], {"a": [2, 3], "b": [3, 2]})
CONSTANTS = model([node("Gemm", "x w b", "y")], {"x": [1, 3]}, {"w": weights(3, 2), "b": weights(2, seed=1)})

GRAPHS = {
    "digits": lambda: load(FIXTURES / "digits.onnx"),
    "residual": lambda: load(FIXTURES / "residual.onnx", detail="op"),
    "gemm": lambda: load(CONSTANTS),
}
WITH_PARALLEL = {**GRAPHS, "ports": lambda: load(PARALLEL), "terms": lambda: load(TERMS)}


def expected(graph: NeuronGraph) -> Counter[Edge]:
    return Counter(graph.weighted_edges())


def counted(source: Any, target: Any, weight: Any) -> Counter[Edge]:
    return Counter(
        zip(np.asarray(source).tolist(), np.asarray(target).tolist(), np.asarray(weight).tolist(), strict=True)
    )


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_igraph(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    g = graph.to_igraph()
    assert g.is_directed()
    assert g.vcount() == graph.neurons
    source, target = np.array(g.get_edgelist()).T
    assert counted(source, target, g.es["weight"]) == expected(graph)
    theirs = graph.to_networkx()
    for vertex in list(g.vs)[:: max(1, graph.neurons // 50)]:
        known = {name: value for name, value in vertex.attributes().items() if value is not None}
        assert known == theirs.nodes[vertex.index]
    for attribute in ("port", "term"):
        told = nx.get_edge_attributes(theirs, attribute)
        assert (attribute in g.es.attributes()) == bool(told)
        if told:
            assert sorted(g.es[attribute]) == sorted(told.values())
    assert g["detail"] == graph.detail


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_networkit(name: str) -> None:
    graph = GRAPHS[name]()
    g = graph.to_networkit()
    assert (g.numberOfNodes(), g.numberOfEdges(), g.isDirected()) == (graph.neurons, graph.edges, True)
    assert counted(*zip(*g.iterEdgesWeights(), strict=True)) == expected(graph)


def test_networkit_has_no_parallel_edges() -> None:
    with pytest.raises(UnsupportedError, match="layer 'the_y' has several edges between the same two neurons"):
        load(PARALLEL).to_networkit()


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_scipy(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    found: Counter[Edge] = Counter()
    for (source, target), matrix in graph.to_scipy().items():
        assert matrix.shape == (graph.layer(source).neurons, graph.layer(target).neurons)
        row, column = matrix.coords
        found += counted(row + graph.layer(source).first_id, column + graph.layer(target).first_id, matrix.data)
    assert found == expected(graph)


def test_a_dense_layer_is_its_matrix() -> None:
    graph = GRAPHS["gemm"]()
    np.testing.assert_array_equal(graph.to_scipy()["x", "the_y"].toarray(), weights(3, 2))


@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_arrow_and_polars(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    nodes, edges = graph.to_arrow()
    assert counted(*(edges[c].to_numpy() for c in ("src", "dst", "weight"))) == expected(graph)
    assert nodes["id"].to_pylist() == list(range(graph.neurons))
    assert nodes["layer"].to_pylist() == [layer.name for layer in graph.layers for _ in range(layer.neurons)]
    frames = graph.to_polars()
    assert frames.edges.rows() == [tuple(row.values()) for row in edges.to_pylist()]
    assert frames.nodes.columns == nodes.column_names


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_pyg(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    data = graph.to_pyg()
    assert data.validate(raise_on_error=True)
    assert data.num_nodes == graph.neurons
    assert counted(*data.edge_index.numpy(), data.edge_weight.numpy()) == expected(graph)
    theirs = graph.to_networkx()
    assert [data.layer_names[i] for i in data.layer.tolist()] == [theirs.nodes[n]["layer"] for n in sorted(theirs)]
    assert data.bias.tolist() == [theirs.nodes[n].get("bias", 0) for n in sorted(theirs)]
    assert ("edge_port" in data) == (name in ("ports", "terms"))
    assert ("edge_term" in data) == (name == "terms")


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_pyg_by_layer(name: str) -> None:
    graph = WITH_PARALLEL[name]()
    data = graph.to_pyg(hetero=True)
    assert data.validate(raise_on_error=True)
    assert {t: data[t].num_nodes for t in data.node_types} == {layer.name: layer.neurons for layer in graph.layers}
    found: Counter[Edge] = Counter()
    for source, feeds, target in data.edge_types:
        store = data[source, feeds, target]
        first = [[graph.layer(source).first_id], [graph.layer(target).first_id]]
        found += counted(*(store.edge_index.numpy() + first), store.edge_weight.numpy())
        assert ("edge_port" in store) == (name in ("ports", "terms"))
        assert ("edge_term" in store) == (name == "terms")
    assert found == expected(graph)
    for layer in graph.layers:
        if layer.bias is not None:
            np.testing.assert_array_equal(data[layer.name].bias.numpy(), np.asarray(layer.bias).ravel())


class Graphbolt(ModuleType):
    """In the place of DGL's data loaders, which are built for older PyTorch. Its graphs need none."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class DGLGraph:
    """As much of DGL's graph as is used here, and as strict, for a Python that no DGL is built for."""

    def __init__(self, ends: Any, num_nodes: int) -> None:
        source, target = ends
        assert source.dtype == target.dtype
        assert len(source) == len(target)
        assert max(source.max(), target.max()) < num_nodes
        self._ends, self._nodes = ends, num_nodes
        self.ndata, self.edata = dict[str, Any](), dict[str, Any]()

    def edges(self) -> Any:
        return self._ends

    def num_nodes(self) -> int:
        return self._nodes


def use_dgl(monkeypatch: pytest.MonkeyPatch) -> None:
    """DGL itself where it is installed."""
    monkeypatch.setitem(sys.modules, "dgl.graphbolt", Graphbolt("dgl.graphbolt"))
    try:
        import dgl  # noqa: F401
    except ImportError:
        module: Any = ModuleType("dgl")
        module.graph = DGLGraph
        monkeypatch.setitem(sys.modules, "dgl", module)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_dgl(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_dgl(monkeypatch)
    graph = WITH_PARALLEL[name]()
    g = graph.to_dgl()
    assert g.num_nodes() == graph.neurons
    source, target = g.edges()
    assert counted(source.numpy(), target.numpy(), g.edata["weight"].numpy()) == expected(graph)
    theirs = graph.to_networkx()
    layers = [graph.layers[i].name for i in g.ndata["layer"].tolist()]
    assert layers == [theirs.nodes[n]["layer"] for n in sorted(theirs)]
    assert g.ndata["bias"].tolist() == [theirs.nodes[n].get("bias", 0) for n in sorted(theirs)]
    assert set(g.edata) - {"weight"} == {"ports": {"port"}, "terms": {"port", "term"}}.get(name, set())


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 12) or sys.platform != "linux", reason="no DGL is built for it")
def test_it_is_dgl_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    use_dgl(monkeypatch)
    graph = GRAPHS["digits"]()
    g = graph.to_dgl()
    assert type(g).__module__.startswith("dgl.")
    assert g.in_degrees().tolist() == [d for _, d in sorted(graph.to_networkx().in_degree())]


def test_dgl_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["gemm"]()
    monkeypatch.setitem(sys.modules, "dgl", None)
    with pytest.raises(Error, match=r"this needs DGL, but 'dgl' is not installed; see https://www.dgl.ai"):
        graph.to_dgl()

    class Other:
        """What finds a DGL that is built for another PyTorch."""

        def find_spec(self, name: str, path: Any, target: Any = None) -> None:
            if name == "dgl":
                raise FileNotFoundError("Cannot find DGL C++ graphbolt library at /x.so")

    monkeypatch.delitem(sys.modules, "dgl")
    monkeypatch.setattr(sys, "meta_path", [Other(), *sys.meta_path])
    with pytest.raises(Error, match=r"DGL can't be imported: Cannot find DGL.*; install one that is built for your"):
        graph.to_dgl()


class PropertyMap:
    """graph-tool's: of one type, with a value for each vertex or edge."""

    def __init__(self, kind: str, count: int, vals: Any = None) -> None:
        assert kind in ("int64_t", "double", "string")
        assert vals is None or len(vals) == count
        taken = {"int64_t": int, "double": float, "string": str}[kind]
        assert all(isinstance(value, taken) for value in vals or ())
        self._array, self.values = np.zeros(count), vals

    @property
    def a(self) -> Any:
        return self._array

    @a.setter
    def a(self, values: Any) -> None:
        self._array[:] = values  # of another length: ValueError


class GraphToolGraph:
    """As much of graph-tool's graph as is used here, and as strict."""

    def __init__(self, directed: bool = True) -> None:
        self.directed, self.count, self.ends = directed, 0, np.empty((0, 2), np.int64)
        self.edge_properties, self.vertex_properties, self.graph_properties = {}, {}, dict[str, Any]()

    def add_vertex(self, n: int) -> None:
        self.count += n

    def add_edge_list(self, ends: Any) -> None:
        assert ends.shape[1] == 2
        assert ends.max() < self.count
        self.ends = ends.copy()

    def new_edge_property(self, kind: str) -> PropertyMap:
        return PropertyMap(kind, len(self.ends))

    def new_vertex_property(self, kind: str, vals: Any = None) -> PropertyMap:
        return PropertyMap(kind, self.count, vals)

    def new_graph_property(self, kind: str, val: Any = None) -> PropertyMap:
        return PropertyMap(kind, 1, [val])


def use_graph_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in: no package index has graph-tool."""
    module: Any = ModuleType("graph_tool")
    module.Graph = GraphToolGraph
    monkeypatch.setitem(sys.modules, "graph_tool", module)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_PARALLEL)
def test_graph_tool(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_graph_tool(monkeypatch)
    graph = WITH_PARALLEL[name]()
    g = graph.to_graph_tool()
    assert (g.directed, g.count) == (True, graph.neurons)
    assert counted(*g.ends.T, g.edge_properties["weight"].a) == expected(graph)
    theirs = graph.to_networkx()
    for n in range(0, graph.neurons, max(1, graph.neurons // 50)):
        told = {key: values.values[n] for key, values in g.vertex_properties.items()}
        there = {key: value for key, value in told.items() if value not in ("", -1) and value == value}
        assert there == {key: value for key, value in theirs.nodes[n].items() if value not in ("", -1)}
    for attribute in ("port", "term"):
        told = nx.get_edge_attributes(theirs, attribute)
        assert (attribute in g.edge_properties) == bool(told)
        if told:
            assert sorted(g.edge_properties[attribute].a) == sorted(told.values())
    assert g.graph_properties["detail"].values == [graph.detail]


def test_graph_tool_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graph_tool", None)
    with pytest.raises(Error, match="this needs graph-tool, which pip does not install: conda install -c conda-forge"):
        GRAPHS["gemm"]().to_graph_tool()


WAYS = ["to_dgl", "to_graph_tool", "to_igraph", "to_networkit", "to_scipy", "to_arrow", "to_polars", "to_pyg"]


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_what_is_too_large_is_refused_with_its_size(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_dgl(monkeypatch)
    use_graph_tool(monkeypatch)
    graph = GRAPHS["digits"]()
    with pytest.raises(TooLargeError, match=r"25,816 edges, which would take about 0\.0 GB in .*max_edges is 1,000"):
        getattr(graph, way)(max_edges=1000)


@pytest.mark.parametrize(
    ("way", "package"),
    [
        ("to_igraph", "igraph"), ("to_networkit", "networkit"), ("to_scipy", "scipy.sparse"), ("to_polars", "polars"),
        pytest.param("to_pyg", "torch_geometric.data", marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(way: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["gemm"]()
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[graphs\]"):
        getattr(graph, way)()


def test_a_lost_edge_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = GRAPHS["gemm"]()
    source, target = np.array(graph.to_igraph().get_edgelist()).T
    assert counted(source[1:], target[1:], np.ones(len(source) - 1)) != expected(graph)
