"""How one network's graph differs from another's: of one model, brought in by two ways."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.graph.graph import Layer, NeuronGraph

FEW = 200_000
"""Edges that are compared one by one; more are compared by what they make of random values."""


def differences(one: NeuronGraph, other: NeuronGraph) -> list[str]:
    """Of layers: names, order, shapes, types, biases, activations, parameters, and all edges with their weights."""
    names, others = _names(one), _names(other)
    if list(names) != list(others):
        return [f"layers {list(names)} and {list(others)}"]
    found = [] if one.outputs == other.outputs else [f"outputs {one.outputs} and {other.outputs}"]
    for name, layer in names.items():
        found += [f"{name}: {what}" for what in _layer_differences(layer, others[name], one, other)]
    return found


def _names(graph: NeuronGraph) -> dict[str, Layer]:
    """The layers by name. Constants stand first, in an order and with names that only the exporter knows: here in the
    order in which they are read."""
    others = {x.name: x for x in graph.layers if x.aggregation != "constant"}
    read = [each.source for layer in others.values() for each in sorted(layer.incoming, key=_port)]
    constants = (x for x in graph.layers if x.aggregation == "constant")
    place = {name: k for k, name in reversed(list(enumerate(read)))}
    in_order = sorted(constants, key=lambda x: place.get(x.name, len(read)))
    return {f"constant {k}": layer for k, layer in enumerate(in_order)} | others


def _port(incoming: Any) -> int:
    return -1 if incoming.port is None else int(incoming.port)


def _layer_differences(a: Layer, b: Layer, one: NeuronGraph, other: NeuronGraph) -> list[str]:
    kinds = ("shape", "aggregation", "activation", "dtype", "parameters", "in_edges")
    found = [f"{k} {getattr(a, k)} and {getattr(b, k)}" for k in kinds if getattr(a, k) != getattr(b, k)]
    classes = [g.require_model().layer_classes.get(x.provenance.scope or x.name) for g, x in ((one, a), (other, b))]
    if found or classes[0] != classes[1]:
        return found or [f"is a {classes[0]} and a {classes[1]}"]
    biases = [np.zeros(x.shape) if x.bias is None else np.broadcast_to(x.bias, x.shape) for x in (a, b)]
    if not np.array_equal(*biases):
        found.append("biases differ")
    places = [{layer.name: k for k, layer in enumerate(_names(g).values())} for g in (one, other)]
    edges = [_edges(x, place) for x, place in zip((a, b), places, strict=True)]
    if edges[0].keys() != edges[1].keys():
        return [*found, f"reads {list(edges[0])} and {list(edges[1])}"]
    return found + [f"edges from {k} differ" for k in edges[0] if not np.array_equal(edges[0][k], edges[1][k])]


def _edges(layer: Layer, place: dict[str, int]) -> dict[tuple[int, int | None], Any]:
    """The edges by place and port of where they come from: in one order, or what they make of random values."""
    parts: dict[tuple[int, int | None], list[Any]] = {}
    few = layer.in_edges <= FEW
    for incoming in layer.incoming:
        block = incoming.block
        if few:
            made = [np.stack([e.source, e.target, e.weight], 1) for e in block.expand()]
        else:
            size = max(int(block.covers("source").max()) + 1, 1)
            made = [block.apply(np.random.default_rng(0).standard_normal(size), layer.neurons)]
        parts.setdefault((place[incoming.source], incoming.port), []).extend(made)
    if not few:
        return {key: np.round(sum(each), 9) for key, each in parts.items()}
    return {key: _sorted(np.concatenate(each)) for key, each in parts.items()}


def _sorted(edges: Any) -> Any:
    return edges[np.lexsort(edges.T[::-1])]
