"""PyTorch Geometric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges, edge_attributes

if TYPE_CHECKING:
    from torch_geometric.data import Data


def to_pyg(graph: NeuronGraph, max_edges: int) -> Data:
    """A `torch_geometric.data.Data`: node i is neuron i.

    Its tensors: `edge_index` (2, edges) int64, `edge_weight` (edges) float, `bias` (nodes) float, else 0,
    `layer` (nodes) int64, an index into `layer_names`; `edge_port` and `edge_term` where the graph has them.
    """
    try:
        import torch
        from torch_geometric.data import Data
    except ModuleNotFoundError as e:
        raise MissingExtraError("torch_geometric", "graphs") from e

    edges = all_edges(graph, max_edges, "PyTorch Geometric")
    bias = np.zeros(graph.neurons, edges.weight.dtype)
    number = np.empty(graph.neurons, np.int64)
    for at, layer in enumerate(graph.layers):
        number[layer.ids] = at
        if layer.bias is not None:
            bias[layer.ids] = np.asarray(layer.bias).ravel()
    tensors: dict[str, Any] = {
        f"edge_{name}": torch.from_numpy(np.array(array)) for name, array in edge_attributes(graph, edges).items()
    }
    return Data(
        edge_index=torch.from_numpy(np.stack([edges.source, edges.target])),
        num_nodes=graph.neurons,
        bias=torch.from_numpy(bias),
        layer=torch.from_numpy(number),
        layer_names=[layer.name for layer in graph.layers],
        **tensors,
    )
