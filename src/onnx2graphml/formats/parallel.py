"""Edges beside each other, which a matrix would add up."""

from __future__ import annotations

from onnx2graphml.errors import OutputError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.parallel import parallel_edges


def refuse_parallel(graph: NeuronGraph) -> None:
    """`OutputError` where edges have terms, or several join the same two neurons.

    Example:
        >>> import onnx2graphml
        >>> refuse_parallel(onnx2graphml.load("fixtures/digits.onnx"))
    """
    for layer in graph.layers:
        if any(incoming.block.has_terms for incoming in layer.incoming):
            raise OutputError(
                f"layer {layer.name!r} has edges with terms, which a matrix can't hold; write the graph as .parquet"
            )
    found = parallel_edges(graph)
    if found is not None:
        raise OutputError(
            f"layer {found.name!r} has several edges between the same two neurons, which a matrix would add up; "
            f"write the graph as .parquet"
        )
