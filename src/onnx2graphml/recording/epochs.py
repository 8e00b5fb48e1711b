"""The same input through a network as it learns: each layer's values at each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import Error, context
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.model import Array
from onnx2graphml.recording.record import selected

Feeds = Callable[[NeuronGraph], Mapping[str, Array]]
"""The input as arrays for a graph's inputs."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The values of layers for one input, at several epochs.

    Attributes:
        epochs: their names, in order.
        layers: as the first epoch has them.
        values: by the layer's name, shape (epochs, *layer.shape).
        channels_last: whether the framework shows (row, column, channel).
        model: the network's name.
    """

    epochs: tuple[str, ...]
    layers: tuple[Layer, ...]
    values: Mapping[str, Array]
    channels_last: bool = False
    model: str = ""


class Recorder:
    """Collects one epoch after the other.

    Args:
        model: the network's name; where there is none, that of the first graph.

    Example:
        >>> recorder = Recorder()
        >>> recorder.add("epoch 1", [Layer("y", "Gemm", (2,))], {"y": np.array([1.0, 2.0])})
        >>> recorder.recording().values["y"].shape
        (1, 2)
    """

    def __init__(self, model: str = "") -> None:
        self._model = model
        self._channels_last = False
        self._layers: tuple[Layer, ...] = ()
        self._values: dict[str, dict[str, Array]] = {}

    def add(self, epoch: str, layers: Sequence[Layer], values: Mapping[str, Array]) -> None:
        """The next epoch. The arrays are copied.

        Args:
            epoch: its name, unlike those before.
            layers: those recorded.
            values: of each, by its name, in its shape.

        Raises:
            Error: the layers are not those of the epochs before.
        """
        self._refuse_other(epoch, layers)
        self._layers = self._layers or tuple(layers)
        self._values[epoch] = {layer.name: np.array(values[layer.name], order="C") for layer in layers}

    def add_graph(
        self, epoch: str, graph: NeuronGraph, feeds: Mapping[str, Array], layers: Sequence[str] | None = None
    ) -> None:
        """The next epoch, as a graph that is run.

        Args:
            epoch: as for `add`.
            feeds: the input: the same one each time.
            layers: names; all by default.

        Raises:
            Error: as `add`; or the graph has no model, no such layer, or the input doesn't fit.
        """
        with context(epoch):
            model = graph.require_model()
        if not self._values:
            self._model = self._model or model.name
            self._channels_last = model.channels_last
        chosen = selected(graph, layers)
        self._refuse_other(epoch, chosen)
        self.add(epoch, chosen, activations(graph, feeds, chosen))

    def _refuse_other(self, epoch: str, layers: Sequence[Layer]) -> None:
        if not self._values:
            return
        if epoch in self._values:
            raise Error(f"{epoch!r} is recorded already; give each epoch a name of its own")
        first, before = next(iter(self._values)), {layer.name: layer.shape for layer in self._layers}
        now = {layer.name: layer.shape for layer in layers}
        for name in [*before, *now]:
            was, found = (list(x[name]) if name in x else None for x in (before, now))
            if was != found:
                raise Error(
                    f"{epoch}: layer {name!r} {_has(found)}, and in {first} it {_has(was)}; expected one network at "
                    f"different epochs"
                )

    def recording(self) -> Recording:
        """What was recorded so far.

        Raises:
            Error: nothing was.
        """
        if not self._values:
            raise Error("no epoch was recorded")
        values = {x.name: np.stack([v[x.name] for v in self._values.values()]) for x in self._layers}
        return Recording(tuple(self._values), self._layers, values, self._channels_last, self._model)


def _has(shape: list[int] | None) -> str:
    return "is not there" if shape is None else f"has shape {shape}"


def epochs(
    graphs: Iterable[tuple[str, NeuronGraph]], feeds: Feeds, layers: Sequence[str] | None = None, model: str = ""
) -> Recording:
    """Record an input at each checkpoint of a network; no more than one is held at a time.

    Args:
        graphs: the epoch's name and its graph, in order; lazily.
        feeds: the input for a graph: the same one each time.
        layers: names; all by default.
        model: the network's name, by default the first graph's.

    Raises:
        Error: there is none, or one is of another network.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.inference.inputs import made
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> epochs([("first", graph), ("second", graph)], lambda graph: made("zeros", graph.model)).epochs
        ('first', 'second')
    """
    recorder = Recorder(model)
    for name, graph in graphs:
        recorder.add_graph(name, graph, feeds(graph), layers)
    return recorder.recording()
