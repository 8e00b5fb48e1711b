"""A trained neural network as a graph: a node for every neuron, an edge with its weight for every multiplication.

Example:
    >>> import onnx2graphml
    >>> graph = onnx2graphml.load("fixtures/digits.onnx")
    >>> graph.layer("conv1").in_edges
    7744
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx2graphml.api import from_torch, load
    from onnx2graphml.formats.writing import write
    from onnx2graphml.graph.blocks import EdgeBlock
    from onnx2graphml.graph.graph import Layer, NeuronGraph
    from onnx2graphml.graph.receptive_field import receptive_field
    from onnx2graphml.graph.select import min_abs_weight, sample, subnetwork, top_k
    from onnx2graphml.pictures import (
        architecture,
        passage,
        passage_callback,
        passage_hook,
        plot_pattern_process,
        weights,
    )
    from onnx2graphml.verification.against_runtime import verify

_HOMES = {
    "EdgeBlock": "graph.blocks",
    "architecture": "pictures",
    "passage": "pictures",
    "passage_callback": "pictures",
    "passage_hook": "pictures",
    "plot_pattern_process": "pictures",
    "weights": "pictures",
    "Layer": "graph.graph",
    "NeuronGraph": "graph.graph",
    "from_torch": "api",
    "load": "api",
    "min_abs_weight": "graph.select",
    "receptive_field": "graph.receptive_field",
    "sample": "graph.select",
    "subnetwork": "graph.select",
    "top_k": "graph.select",
    "verify": "verification.against_runtime",
    "write": "formats.writing",
}

_ROOMS = ("engine", "measures")

__all__ = [
    "EdgeBlock",
    "Layer",
    "NeuronGraph",
    "architecture",
    "from_torch",
    "load",
    "min_abs_weight",
    "passage",
    "passage_callback",
    "passage_hook",
    "plot_pattern_process",
    "receptive_field",
    "sample",
    "subnetwork",
    "top_k",
    "verify",
    "weights",
    "write",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: what needs a framework is not loaded before."""
    if name in _ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
