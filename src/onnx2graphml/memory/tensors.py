"""Nodes and edges as tensors of PyTorch: what its graph libraries have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import edge_attributes

if TYPE_CHECKING:
    import torch


def tensor(array: Any) -> torch.Tensor:
    """A copy of an array."""
    try:
        import torch
    except ModuleNotFoundError as e:
        raise MissingExtraError("torch", "graphs") from e
    return torch.from_numpy(np.array(array))


def edge_tensors(graph: NeuronGraph, edges: EdgeRows) -> dict[str, torch.Tensor]:
    """The attributes of edges that the graph has, by name."""
    return {name: tensor(array) for name, array in edge_attributes(graph, edges).items()}


def node_tensors(graph: NeuronGraph, edges: EdgeRows) -> dict[str, torch.Tensor]:
    """`bias`, of the weights' type, 0 where there is none, and `layer`, an index into the graph's layers."""
    bias, number = np.zeros(graph.neurons, edges.weight.dtype), np.empty(graph.neurons, np.int64)
    for at, layer in enumerate(graph.layers):
        number[layer.ids] = at
        if layer.bias is not None:
            bias[layer.ids] = np.asarray(layer.bias).ravel()
    return {"bias": tensor(bias), "layer": tensor(number)}
