"""Layers named as the framework names them, each name once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from onnx2graphml.graph import Incoming, Layer


def named(layers: list[Layer], read_by: Mapping[str, set[str]]) -> tuple[list[Layer], dict[str, str]]:
    """The layers under their final names, and those names by the tensors' names that the layers had.

    The last layer of a scope has the scope's name; those inside it add their operator, as in `attention/MatMul`. A
    layer without a scope has its ONNX node's name. Where a name occurs again, `#2` and so on follows.
    """
    by_name = {layer.name: layer for layer in layers}
    taken: dict[str, int] = {}
    names: dict[str, str] = {}
    for layer in layers:
        wanted = _wanted(layer, [by_name[r] for r in read_by[layer.name]])
        taken[wanted] = taken.get(wanted, 0) + 1
        names[layer.name] = wanted if taken[wanted] == 1 else f"{wanted}#{taken[wanted]}"
    renamed = [
        dataclasses.replace(
            layer,
            name=names[layer.name],
            incoming=tuple(Incoming(names[i.source], i.block, i.port) for i in layer.incoming),
        )
        for layer in layers
    ]
    return renamed, names


def _wanted(layer: Layer, readers: list[Layer]) -> str:
    if layer.combine in ("input", "constant"):
        return layer.name
    if layer.scope is None:
        # PyTorch's exporter calls the node that makes `add` `node_add`.
        return layer.node.removeprefix("node_") or layer.name
    is_last = not readers or any(r.scope != layer.scope for r in readers)
    return layer.scope if is_last else f"{layer.scope}/{layer.op}"
