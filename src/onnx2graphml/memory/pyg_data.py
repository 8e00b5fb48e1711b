"""PyTorch Geometric."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges, check_size, edges_between
from onnx2graphml.memory.tensors import edge_tensors, node_tensors, tensor

if TYPE_CHECKING:
    from torch_geometric.data import Data, HeteroData

LIBRARY = "PyTorch Geometric"


def to_pyg(graph: NeuronGraph, max_edges: int) -> Data:
    """A `torch_geometric.data.Data`: node i is neuron i.

    Its tensors: `edge_index` (2, edges) int64, `edge_weight` (edges) float, `bias` (nodes) float, else 0,
    `layer` (nodes) int64, an index into `layer_names`; `edge_port` and `edge_term` where the graph has them.
    """
    try:
        from torch_geometric.data import Data
    except ModuleNotFoundError as e:
        raise MissingExtraError("torch_geometric", "graphs") from e

    edges = all_edges(graph, max_edges, LIBRARY)
    return Data(
        edge_index=tensor(np.stack([edges.source, edges.target])),
        num_nodes=graph.neurons,
        layer_names=[layer.name for layer in graph.layers],
        **node_tensors(graph, edges),
        **{f"edge_{name}": found for name, found in edge_tensors(graph, edges).items()},
    )


def to_hetero(graph: NeuronGraph, max_edges: int) -> HeteroData:
    """A `torch_geometric.data.HeteroData`: a type of nodes for each layer, one of edges for each pair of layers.

    Nodes are counted within their layers. A type of edges is `(source layer, "feeds", target layer)`; its tensors are
    those of `to_pyg`. Nodes have `num_nodes` and, where the layer has one, `bias`.
    """
    try:
        from torch_geometric.data import HeteroData
    except ModuleNotFoundError as e:
        raise MissingExtraError("torch_geometric", "graphs") from e

    check_size(graph, max_edges, LIBRARY)
    data = HeteroData()
    for layer in graph.layers:
        data[layer.name].num_nodes = layer.neurons
        if layer.bias is not None:
            data[layer.name].bias = tensor(np.asarray(layer.bias).ravel())
    for source, layer, edges in edges_between(graph):
        store = data[source.name, "feeds", layer.name]
        store.edge_index = tensor(np.stack([edges.source - source.first_id, edges.target - layer.first_id]))
        for name, found in edge_tensors(graph, edges).items():
            store[f"edge_{name}"] = found
    return data
