"""A graph with what one input makes of it: values of neurons, contributions of edges, winners of choices."""

from __future__ import annotations

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.recorded import Recorded
from onnx2graphml.inference.activations import activations
from onnx2graphml.inference.inputs import InputLike, resolve
from onnx2graphml.verification.winners import winners_of


def with_input(graph: NeuronGraph, given: InputLike, *, seed: int = 0, preprocess: str | None = None) -> NeuronGraph:
    """See `NeuronGraph.with_input`.

    Example:
        >>> import onnx2graphml
        >>> graph = with_input(onnx2graphml.load("fixtures/digits.onnx"), "random")
        >>> graph.columns["value"].shape, graph.columns["value"].dtype
        ((3738,), dtype('float32'))
    """
    if graph.thinned:
        raise Error(f"the graph is thinned ({graph.thinned}): give it its input before edges are left out")
    found = activations(graph, resolve(graph, given, seed=seed, preprocess=preprocess))
    single = all(np.can_cast(value.dtype, np.float32) for value in found.values())
    flat = [np.asarray(found[layer.name], np.float32 if single else np.float64).ravel() for layer in graph.layers]
    values = {layer.name: value.astype(np.float64) for layer, value in zip(graph.layers, flat, strict=True)}
    return graph.holding(Recorded(np.concatenate(flat), winners_of(graph, values)))
