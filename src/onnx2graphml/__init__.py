"""A trained neural network as a graph: a node for every neuron, an edge with its weight for every multiplication.

Example:
    >>> import onnx2graphml
    >>> graph = onnx2graphml.load("fixtures/digits.onnx")
    >>> graph.layer("conv1").in_edges
    7744
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnx2graphml import engine as engine
    from onnx2graphml import measures as measures
    from onnx2graphml.api import *  # noqa: F403
    from onnx2graphml.errors import Error as Error
    from onnx2graphml.errors import MissingExtraError as MissingExtraError
    from onnx2graphml.errors import ModelError as ModelError
    from onnx2graphml.errors import OutputError as OutputError
    from onnx2graphml.errors import TooLargeError as TooLargeError
    from onnx2graphml.errors import UnsupportedError as UnsupportedError
    from onnx2graphml.graph.blocks import EdgeBlock as EdgeBlock
    from onnx2graphml.graph.graph import Layer as Layer
    from onnx2graphml.graph.graph import NeuronGraph as NeuronGraph
    from onnx2graphml.graph.receptive_field import receptive_field as receptive_field

    __all__: list[str]
    __version__: str

_HOMES = {
    "errors": "Error MissingExtraError ModelError OutputError TooLargeError UnsupportedError",
    "graph.blocks": "EdgeBlock",
    "graph.graph": "Layer NeuronGraph",
    "graph.receptive_field": "receptive_field",
}
"""By module, the public names that it has; all others are the api's, which lists them."""
_MODULES = ("engine", "measures")
"""Public modules."""
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: what needs a framework is not loaded before."""
    if name == "__version__":
        from onnx2graphml.version import VERSION

        return VERSION
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name != "__all__" and (name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}")):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")  # a room that is being imported
    module = importlib.import_module(f"{__name__}.{_HOME.get(name, 'api')}")
    if name == "__all__":
        value: Any = sorted({*_HOME, *module.__all__})
    elif name in _HOME or name in module.__all__:
        value = getattr(module, name)
    else:
        from onnx2graphml.errors import did_you_mean

        near = did_you_mean(name, [*_HOME, *module.__all__])
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{near}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, loaded or not, and nothing else: what TAB shows."""
    return sorted({*__getattr__("__all__"), *_MODULES, "__version__", "__doc__", "__file__", "__name__", "__path__"})
