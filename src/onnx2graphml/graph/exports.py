"""A graph for other libraries: each method hands over to a module of its own, which is imported when it is called."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from onnx2graphml.arguments import typed

if TYPE_CHECKING:
    import igraph
    import networkit
    import networkx as nx
    import onnx
    import polars as pl
    import pyarrow as pa
    import scipy.sparse
    from torch_geometric.data import Data, HeteroData


class Tables(NamedTuple):
    """The nodes and the edges of a graph, as Arrow tables."""

    nodes: pa.Table
    edges: pa.Table


class Frames(NamedTuple):
    """The nodes and the edges of a graph, as data frames of Polars."""

    nodes: pl.DataFrame
    edges: pl.DataFrame


def method(place: str) -> Callable[..., Any]:
    """A function of a module further up, by `module:name`: what a graph offers reaches further than what it knows."""
    module, name = place.split(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


class Exports:
    """What a `NeuronGraph` becomes."""

    @typed
    def with_input(self, x: Any, *, seed: int = 0, preprocess: str | None = None) -> Self:
        """The graph with what one input makes of it; nothing is expanded.

        Nodes gain `value`, ONNX Runtime's. Edges gain `contribution`, weight · value of the source, and where a neuron
        chooses one of its in-edges, as a pooling window does, `winner`: whether it is the chosen one; of equal ones
        that is the first. Every format writes them, NetworkX shows them.

        Args:
            x: an input, as for `activations`: a name, a file, a picture, an array, or arrays by input name.
            seed, preprocess: as for `activations`.

        Raises:
            Error: the input does not fit, or edges were left out of the graph.

        Example:
            >>> import onnx2graphml
            >>> graph = onnx2graphml.load("fixtures/digits.onnx").with_input("random")
            >>> edges = graph.in_edges(graph.neuron("maxpool", (0, 0, 5)))
            >>> len(edges), int(edges.winner.sum())
            (4, 1)
        """
        make = method("onnx2graphml.attribution.with_input:with_input")
        graph: Self = make(self, x, seed=seed, preprocess=preprocess)
        return graph

    @typed
    def to_networkx(self, max_edges: int = 20_000_000, *, as_view: bool = False) -> nx.DiGraph:
        """The graph for NetworkX, with the attributes that its GraphML has.

        Args:
            max_edges: of a graph that is expanded; an edge takes about 0.4 kB there.
            as_view: expand nothing: a read-only graph of any size, on which NetworkX's functions run where they can do
                without expanding; see `backend.lazy_graph.view`.

        Raises:
            TooLargeError: the graph has more than `max_edges` edges and is no view.

        Example:
            >>> import networkx as nx, onnx2graphml
            >>> G = onnx2graphml.load("fixtures/digits.onnx").to_networkx(as_view=True)
            >>> nx.has_path(G, 0, 3737)
            True
        """
        if as_view:
            view: nx.DiGraph = method("onnx2graphml.backend.lazy_graph:view")(self)
            return view
        graph: nx.DiGraph = method("onnx2graphml.graph.networkx_graph:to_networkx")(self, max_edges)
        return graph

    def explore(self, inputs: Any = "random", path: Any = None, **options: Any) -> Any:
        """Look into the network: a widget for a notebook, a page, or a server; see `onnx2graphml.explore`.

        Args:
            inputs: one input, or a list of them, each as for `activations`.
            path: an .html file to write.
            options: `port`, `against`, `names`, `float16`, `seed`, `preprocess`.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").explore("ties").state
            ''
        """
        return method("onnx2graphml.api.exploring:explore")(self, inputs, path, **options)

    @typed
    def quotient(self, by: Any, max_edges: int = 5_000_000) -> nx.DiGraph:
        """A small graph of groups of neurons, with the exact sums of the edges between them, for NetworkX.

        Args:
            by: `layer`, `channel`, or a label for every neuron, by id.
            max_edges: of the result.

        Example:
            >>> import onnx2graphml
            >>> g = onnx2graphml.load("fixtures/digits.onnx").quotient("layer")
            >>> g.edges["dense1", "digit"]["count"]
            480
        """
        graph: nx.DiGraph = method("onnx2graphml.graph.quotient:quotient")(self, by, max_edges)
        return graph

    @typed
    def to_igraph(self, max_edges: int = 50_000_000) -> igraph.Graph:
        """The graph for igraph: vertex i is neuron i, with all attributes of nodes and edges.

        Raises:
            TooLargeError: the graph has more than `max_edges` edges.
            MissingExtraError: igraph is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_igraph().ecount()
            25816
        """
        graph: igraph.Graph = method("onnx2graphml.memory.igraph_graph:to_igraph")(self, max_edges)
        return graph

    @typed
    def to_networkit(self, max_edges: int = 100_000_000, weight: str = "weight") -> networkit.Graph:
        """The graph for NetworKit: node i is neuron i, edges have weights; there are no other attributes.

        Args:
            max_edges: of a graph that is expanded.
            weight: what edges weigh: `weight`, or `contribution` in a graph with an input.

        Raises:
            Error: edges have no such number.
            TooLargeError: the graph has more than `max_edges` edges.
            UnsupportedError: several edges join the same two neurons.
            MissingExtraError: NetworKit is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_networkit().numberOfEdges()
            25816
        """
        graph: networkit.Graph = method("onnx2graphml.memory.networkit_graph:to_networkit")(self, max_edges, weight)
        return graph

    @typed
    def to_scipy(
        self, max_edges: int = 500_000_000, weight: str = "weight"
    ) -> dict[tuple[str, str], scipy.sparse.coo_array]:
        """Sparse matrices of weights, by source and target layer, of shape (neurons of source, neurons of target).

        Args:
            max_edges: of a graph that is expanded.
            weight: what the entries are: `weight`, or `contribution` in a graph with an input.

        Raises:
            Error: edges have no such number.
            TooLargeError: the graph has more than `max_edges` edges.
            MissingExtraError: SciPy is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_scipy()["dense1", "digit"].shape
            (48, 10)
        """
        found: dict[tuple[str, str], scipy.sparse.coo_array]
        found = method("onnx2graphml.memory.scipy_matrices:to_scipy")(self, max_edges, weight)
        return found

    @typed
    def to_arrow(self, max_edges: int = 500_000_000) -> Tables:
        """Arrow tables `nodes` and `edges`, with the columns that Parquet has; see docs/formats.md.

        Raises:
            TooLargeError: the graph has more than `max_edges` edges.
            MissingExtraError: pyarrow is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_arrow().edges.column_names
            ['src', 'dst', 'weight']
        """
        tables: Tables = method("onnx2graphml.memory.arrow_tables:to_arrow")(self, max_edges)
        return tables

    @typed
    def to_polars(self, max_edges: int = 500_000_000) -> Frames:
        """The tables of `to_arrow` as data frames of Polars.

        Raises:
            TooLargeError: the graph has more than `max_edges` edges.
            MissingExtraError: pyarrow or Polars is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_polars().nodes.height
            3738
        """
        frames: Frames = method("onnx2graphml.memory.arrow_tables:to_polars")(self, max_edges)
        return frames

    @typed
    def to_pyg(self, max_edges: int = 200_000_000, *, hetero: bool = False) -> Data | HeteroData:
        """The graph for PyTorch Geometric.

        Args:
            max_edges: of a graph that is expanded.
            hetero: a `HeteroData`, with a type of nodes for each layer and one of edges for each two layers,
                `(source, "feeds", target)`; otherwise a `Data`, whose node i is neuron i.

        Raises:
            TooLargeError: the graph has more than `max_edges` edges.
            MissingExtraError: PyTorch Geometric is not installed.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_pyg().edge_index.shape
            torch.Size([2, 25816])
        """
        data: Data | HeteroData
        data = method(f"onnx2graphml.memory.pyg_data:{'to_hetero' if hetero else 'to_pyg'}")(self, max_edges)
        return data

    @typed
    def to_dgl(self, max_edges: int = 200_000_000) -> Any:
        """The graph for DGL: node i is neuron i; `ndata` has `bias` and `layer`, `edata` has `weight`.

        Raises:
            Error: DGL is not installed, or not built for this PyTorch. On PyPI there is none for newer ones than 2.2.1.
            TooLargeError: the graph has more than `max_edges` edges.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_dgl().num_edges()  # doctest: +SKIP
            25816
        """
        return method("onnx2graphml.memory.dgl_graph:to_dgl")(self, max_edges)

    @typed
    def to_graph_tool(self, max_edges: int = 100_000_000) -> Any:
        """The graph for graph-tool: vertex i is neuron i, with all attributes as internal property maps.

        A vertex that has no such attribute has -1, NaN or an empty text there.

        Raises:
            Error: graph-tool is not installed, which pip can't do.
            TooLargeError: the graph has more than `max_edges` edges.

        Example:
            >>> import onnx2graphml
            >>> onnx2graphml.load("fixtures/digits.onnx").to_graph_tool().num_edges()  # doctest: +SKIP
            25816
        """
        return method("onnx2graphml.memory.graph_tool_graph:to_graph_tool")(self, max_edges)

    @typed
    def to_onnx(self, max_edges: int = 50_000_000) -> onnx.ModelProto:
        """The graph as an ONNX model that runs: see `onnx2graphml.to_onnx`, which also writes a file.

        Args:
            max_edges: of a layer whose edges have to be written one by one; an edge takes about 8 bytes there.

        Raises:
            Error: a maximum has no candidate left, a function has not all of its values, or there is no output.
            TooLargeError: a layer has more than `max_edges` edges that have to be written one by one.
            UnsupportedError: a function can't be written as ONNX.

        Example:
            >>> import onnx2graphml
            >>> model = onnx2graphml.load("fixtures/digits.onnx").to_onnx()
            >>> [output.name for output in model.graph.output]
            ['digit']
        """
        model: onnx.ModelProto = method("onnx2graphml.export.model:to_onnx")(self, max_edges)
        return model
