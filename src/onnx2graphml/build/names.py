"""Layers named as the framework names them, each name once."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Mapping

from onnx2graphml.graph.graph import Incoming, Layer


def named(
    layers: list[Layer], read_by: Mapping[str, set[str]], all_in_layers: bool = False
) -> tuple[list[Layer], dict[str, str]]:
    """The layers under their final names, and those names by the tensors' names that the layers had.

    The last layer of a scope has the scope's name; those inside it add their operator, as in `attention/MatMul`, or are
    the parts of a composite one, as in `lstm/t3/cell`. A layer without a scope has its ONNX node's name. Where a name
    occurs again, `#2` and so on follows.

    Args:
        layers: in topological order.
        read_by: the names of what reads each.
        all_in_layers: whether all that computes belongs to a layer, so that what an exporter has put between two parts
            of one does, too.
    """
    scopes = _with_what_lies_inside(layers, read_by) if all_in_layers else {x.name: x.provenance.scope for x in layers}
    taken: set[str] = set()
    names: dict[str, str] = {}
    for layer in layers:
        wanted = _wanted(layer, scopes[layer.name], [scopes[r] for r in read_by[layer.name]])
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


def in_order_of(scopes: Iterable[str], layers: list[Layer]) -> list[Layer]:
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


def _wanted(layer: Layer, scope: str | None, readers: list[str | None]) -> str:
    if layer.aggregation in ("input", "constant"):
        return layer.name
    node = layer.provenance.node
    if scope is None:
        # PyTorch's exporter calls the node that makes `add` `node_add`.
        return node.removeprefix("node_") or layer.name
    if layer.provenance.scope == scope and (not readers or any(r != scope for r in readers)):
        return scope
    # The parts of a composite operator are named within its layer.
    return node if node.startswith(f"{scope}/") else f"{scope}/{layer.op}"


def _with_what_lies_inside(layers: list[Layer], read_by: Mapping[str, set[str]]) -> dict[str, str | None]:
    """The scopes, also of layers without one that have nothing but parts of one scope before and behind them."""
    own = {layer.name: layer.provenance.scope for layer in layers}
    before: dict[str, set[str | None]] = {}
    behind: dict[str, set[str | None]] = {}
    for layer in layers:
        through = own[layer.name] is None and layer.aggregation not in ("input", "constant")
        sources = (before[i.source] for i in layer.incoming)
        before[layer.name] = set().union(*sources) if through else {own[layer.name]}
    for layer in reversed(layers):
        readers = (behind[r] for r in read_by[layer.name])
        through = own[layer.name] is None and bool(read_by[layer.name])
        behind[layer.name] = set().union(*readers) if through else {own[layer.name]}
    inside = {name: (before[name] | behind[name]) - {None} for name in own}
    return {
        name: next(iter(inside[name]))
        if scope is None and len(before[name] | behind[name]) == 1 and inside[name]
        else scope
        for name, scope in own.items()
    }
