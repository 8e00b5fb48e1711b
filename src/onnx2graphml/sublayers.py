"""Some layers of a network as a network of their own."""

from __future__ import annotations

import dataclasses

from onnx2graphml.errors import Error
from onnx2graphml.graph import Layer, NeuronGraph, numbered


def subnetwork(graph: NeuronGraph, layers: str) -> NeuronGraph:
    """The layers named, each neuron still computed as in the whole.

    A layer none of whose sources is kept becomes an input. If some of its sources are kept and others are not, the
    others are added, as inputs.

    Args:
        layers: names separated by commas, or `FIRST:LAST`, two names with all layers between them in the graph's
            order; either may be left out.

    Raises:
        Error: there is no such layer, or the first comes after the last.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> [layer.name for layer in subnetwork(graph, "dense1:").layers]
        ['dense1', 'digit']
    """
    kept = set(_names(graph, layers))
    needed = set()
    for layer in graph.layers:
        sources = {i.source for i in layer.incoming}
        if layer.name in kept and sources & kept:
            needed |= sources - kept
    chosen = [
        layer if layer.name in kept and any(i.source in kept for i in layer.incoming) else _as_input(layer)
        for layer in graph.layers
        if layer.name in kept | needed
    ]
    read = {i.source for layer in chosen for i in layer.incoming}
    outputs = tuple(layer.name for layer in chosen if layer.name in kept and layer.name not in read)
    return dataclasses.replace(graph, layers=numbered(chosen), outputs=outputs)


def _as_input(layer: Layer) -> Layer:
    if layer.combine in ("input", "constant"):
        return layer
    return dataclasses.replace(layer, combine="input", bias=None, activation=(), incoming=(), parameters=0)


def _names(graph: NeuronGraph, text: str) -> list[str]:
    order = [layer.name for layer in graph.layers]
    if text in order:
        return [text]
    ends = _ends(set(order), text)
    if ends is None:
        return [graph.layer(name).name for name in text.split(",")]
    first = order.index(ends[0]) if ends[0] else 0
    last = order.index(ends[1]) if ends[1] else len(order) - 1
    if first > last:
        raise Error(f"layers are {text!r}; {ends[0]!r} comes after {ends[1]!r}")
    return order[first : last + 1]


def _ends(names: set[str], text: str) -> tuple[str, str] | None:
    """The two names around a colon; names may have colons themselves."""
    for k, character in enumerate(text):
        if character == ":" and {text[:k], text[k + 1 :]} <= names | {""}:
            return text[:k], text[k + 1 :]
    return None
