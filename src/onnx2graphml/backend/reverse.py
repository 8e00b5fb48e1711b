"""A network with all its edges turned round: its blocks flipped, its layers in the opposite order."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered


def reversed_graph(graph: NeuronGraph) -> tuple[NeuronGraph, npt.NDArray[np.int64]]:
    """The reversed graph, and by the ids of its neurons those that they have in the original."""
    turned: dict[str, list[Incoming]] = {layer.name: [] for layer in graph.layers}
    for layer in graph.layers:
        for i in layer.incoming:
            turned[i.source].append(dataclasses.replace(i, source=layer.name, block=i.block.flipped()))
    layers: list[Layer] = [
        dataclasses.replace(layer, incoming=tuple(turned[layer.name])) for layer in reversed(graph.layers)
    ]
    original = np.concatenate([np.arange(layer.ids.start, layer.ids.stop) for layer in layers])
    return dataclasses.replace(graph, layers=numbered(layers), outputs=(), columns={}, recorded=None), original
