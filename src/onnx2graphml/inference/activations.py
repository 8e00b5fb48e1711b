"""The values of layers for an input: one forward pass of ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy.typing as npt

from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.inputs import checked
from onnx2graphml.inference.runtime import Runtime, layer_value, tensors_of

Array = npt.NDArray[Any]


class Forward:
    """A network that is run on one input after the other, in one session.

    Args:
        graph: with the model that it was made from.
        layers: whose values are asked for; all by default.

    Raises:
        Error: the graph has no model, or ONNX Runtime can't load it.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> forward = Forward(graph, [graph.layer("conv2")])
        >>> import numpy as np
        >>> forward({"image": np.zeros((8, 8, 1))})["conv2"].shape
        (2, 2, 24)
    """

    def __init__(self, graph: NeuronGraph, layers: Sequence[Layer] | None = None) -> None:
        self._layers = graph.layers if layers is None else tuple(layers)
        self._model = graph.require_model()
        self._runtime = Runtime(self._model, tensors_of(self._layers))

    def __call__(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The layers' values by name, in their own shapes and types.

        Args:
            feeds: an array for each of the model's inputs, by name, with or without the batch axis.

        Raises:
            Error: an array is missing or has the wrong shape, or ONNX Runtime can't run the model.
        """
        tensors = self._runtime.run(checked(self._model, feeds))
        return {layer.name: layer_value(layer, tensors) for layer in self._layers}


def activations(
    graph: NeuronGraph, feeds: Mapping[str, Array], layers: Sequence[Layer] | None = None
) -> dict[str, Array]:
    """The values of a graph's layers for one input; see `Forward`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> import numpy as np
        >>> activations(graph, {"image": np.zeros((8, 8, 1))})["digit"].shape
        (10,)
    """
    return Forward(graph, layers)(feeds)
