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
    from onnx2graphml import engine as engine
    from onnx2graphml import measures as measures
    from onnx2graphml.api import (
        activations,
        analyze,
        architecture,
        estimate,
        estimates,
        explore,
        film,
        film_callback,
        film_hook,
        from_torch,
        info,
        load,
        neuron,
        plot_pattern_process,
        prune,
        record,
        select,
        to_onnx,
        trace,
        verify,
        verify_file,
        weights,
        write,
        write_report,
    )
    from onnx2graphml.errors import (
        Error,
        MissingExtraError,
        ModelError,
        OutputError,
        TooLargeError,
        UnsupportedError,
    )
    from onnx2graphml.graph.blocks import EdgeBlock
    from onnx2graphml.graph.graph import Layer, NeuronGraph
    from onnx2graphml.graph.receptive_field import receptive_field

    __version__: str

_HOMES = {
    "errors": "Error MissingExtraError ModelError OutputError TooLargeError UnsupportedError",
    "graph.blocks": "EdgeBlock",
    "graph.graph": "Layer NeuronGraph",
    "graph.receptive_field": "receptive_field",
}
"""By module, the public names that it has; all others are the api's."""
_MODULES = ("engine", "measures")
"""Public modules."""
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [
    "EdgeBlock",
    "Error",
    "Layer",
    "MissingExtraError",
    "ModelError",
    "NeuronGraph",
    "OutputError",
    "TooLargeError",
    "UnsupportedError",
    "activations",
    "analyze",
    "architecture",
    "estimate",
    "estimates",
    "explore",
    "film",
    "film_callback",
    "film_hook",
    "from_torch",
    "info",
    "load",
    "neuron",
    "plot_pattern_process",
    "prune",
    "receptive_field",
    "record",
    "select",
    "to_onnx",
    "trace",
    "verify",
    "verify_file",
    "weights",
    "write",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: what needs a framework is not loaded before."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        from onnx2graphml.errors import did_you_mean

        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{did_you_mean(name, __all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOME.get(name, 'api')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not."""
    return sorted({*globals(), *__all__, *_MODULES, "__version__"})
