"""Layers named as the framework names them, each name once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence

from onnx2graphml.graph.graph import Incoming, Layer


def named(layers: list[Layer], read_by: Mapping[str, set[str]]) -> tuple[list[Layer], dict[str, str]]:
    """The layers under their final names, and those names by the tensors' names that the layers had.

    The last layer of a scope has the scope's name; those inside it add their operator, as in `attention/MatMul`, or are
    the parts of a composite one, as in `lstm/t3/cell`. A layer without a scope has its ONNX node's name. Where a name
    occurs again, `#2` and so on follows.
    """
    by_name = {layer.name: layer for layer in layers}
    taken: set[str] = set()
    names: dict[str, str] = {}
    for layer in layers:
        wanted = _wanted(layer, [by_name[r] for r in read_by[layer.name]])
        candidates = (f"{wanted}#{k}" if k > 1 else wanted for k in itertools.count(1))
        names[layer.name] = next(c for c in candidates if c not in taken)
        taken.add(names[layer.name])
    renamed = [
        dataclasses.replace(
            layer,
            name=names[layer.name],
            incoming=tuple(Incoming(names[i.source], i.block, i.port) for i in layer.incoming),
        )
        for layer in layers
    ]
    return renamed, names


def in_order_of(scopes: Sequence[str], layers: list[Layer]) -> list[Layer]:
    """The layers in the framework's order, as far as that is topological.

    A layer without a scope, or of a scope that is not listed, comes right after the last layer that it reads.
    """
    place = {scope: k for k, scope in enumerate(scopes)}
    rank: dict[str, int] = {}
    for layer in layers:
        sources = [rank[i.source] for i in layer.incoming]
        own = place.get(layer.name if layer.aggregation == "input" else layer.provenance.scope or "", -1)
        rank[layer.name] = max([own, *sources])
    return sorted(layers, key=lambda layer: rank[layer.name])  # stable: what is equal stays in topological order


def _wanted(layer: Layer, readers: list[Layer]) -> str:
    if layer.aggregation in ("input", "constant"):
        return layer.name
    if layer.provenance.scope is None:
        # PyTorch's exporter calls the node that makes `add` `node_add`.
        return layer.provenance.node.removeprefix("node_") or layer.name
    scope, node = layer.provenance.scope, layer.provenance.node
    if not readers or any(r.provenance.scope != scope for r in readers):
        return scope
    # The parts of a composite operator are named within its layer.
    return node if node.startswith(f"{scope}/") else f"{scope}/{layer.op}"
