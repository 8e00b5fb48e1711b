"""DGL, the Deep Graph Library."""

from __future__ import annotations

from typing import Any

from onnx2graphml.errors import Error, reason
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.memory.arrays import all_edges
from onnx2graphml.memory.tensors import edge_tensors, node_tensors, tensor


def to_dgl(graph: NeuronGraph, max_edges: int) -> Any:
    """A `dgl.DGLGraph`: node i is neuron i.

    `ndata` has `bias`, 0 where there is none, and `layer`, an index into the graph's layers; `edata` has `weight`, and
    `port` and `term` where the graph has them.
    """
    dgl = _dgl()
    edges = all_edges(graph, max_edges, "DGL")
    g = dgl.graph((tensor(edges.source), tensor(edges.target)), num_nodes=graph.neurons)
    for name, found in node_tensors(graph, edges).items():
        g.ndata[name] = found
    for name, found in edge_tensors(graph, edges).items():
        g.edata[name] = found
    return g


def _dgl() -> Any:
    """DGL is no extra: each of its versions is built for a few of PyTorch's, and those on PyPI for none after 2.2.1."""
    try:
        import dgl
    except ModuleNotFoundError as e:
        raise Error(
            f"this needs DGL, but {e.name!r} is not installed; see https://www.dgl.ai/pages/start.html for one that is "
            f"built for your PyTorch, or use to_pyg"
        ) from e
    except (ImportError, OSError) as e:
        raise Error(
            f"DGL can't be imported: {reason(e)}; install one that is built for your PyTorch, or use to_pyg"
        ) from e
    return dgl
