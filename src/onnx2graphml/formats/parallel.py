"""Edges beside each other, which a matrix would add up."""

from __future__ import annotations

from onnx2graphml.errors import OutputError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.parallel import parallel_edges


def is_multigraph(graph: NeuronGraph) -> bool:
    """Whether several edges join the same two neurons, with terms or without.

    Example:
        >>> import onnx2graphml
        >>> is_multigraph(onnx2graphml.load("fixtures/digits.onnx"))
        False
    """
    return _found(graph) is not None


def refuse_parallel(graph: NeuronGraph) -> None:
    """`OutputError` where edges have terms, or several join the same two neurons.

    Example:
        >>> import onnx2graphml
        >>> refuse_parallel(onnx2graphml.load("fixtures/digits.onnx"))
    """
    if found := _found(graph):
        raise OutputError(f"{found}; write the graph as .parquet")


def _found(graph: NeuronGraph) -> str | None:
    """What edges lie beside each other, and why a matrix is no place for them."""
    for layer in graph.layers:
        if any(incoming.block.has_terms for incoming in layer.incoming):
            return f"layer {layer.name!r} has edges with terms, which a matrix can't hold"
    if first := parallel_edges(graph):
        return f"layer {first.name!r} has several edges between the same two neurons, which a matrix would add up"
    return None
