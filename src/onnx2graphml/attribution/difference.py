"""What differs between two inputs: the relevances of one less those of the other, neuron by neuron and edge by edge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.relevance import Relevance
from onnx2graphml.graph.graph import Layer, NeuronGraph

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Difference:
    """Two inputs' relevances for the same neuron and by the same rule.

    By a rule that conserves, the differences of inputs and biases add to the difference of the neuron's two values.

    Attributes:
        one, other: the relevances; what is told is `one` less `other`.
    """

    one: Relevance
    other: Relevance

    @property
    def graph(self) -> NeuronGraph:
        """Whose neurons are meant."""
        return self.one.graph

    @property
    def target(self) -> int:
        """The neuron that is explained."""
        return self.one.target

    @property
    def score(self) -> Values:
        """Of every neuron, by id."""
        return self.one.score - self.other.score

    @property
    def bias(self) -> Values:
        """The difference of what the neurons' biases took."""
        return self.one.bias - self.other.bias

    @property
    def values(self) -> tuple[Values, ...]:
        """The values of all neurons, by id, for the two inputs."""
        return self.one.local.value, self.other.local.value

    def at(self, layer: str) -> Values:
        """A layer's differences, in its shape."""
        return self.one.at(layer) - self.other.at(layer)

    def numbers(self, neuron: int) -> dict[str, float]:
        """A neuron's two values, and the difference of its scores."""
        one, other = self.one.numbers(neuron), self.other.numbers(neuron)
        difference = one["relevance"] - other["relevance"]
        return {"value": one["value"], "value_baseline": other["value"], "relevance": difference}

    def into(self, layer: Layer, neurons: Ints) -> Iterator[tuple[Ints, Ints, Values, Values]]:
        """The in-edges of some of a layer's neurons: source, target, weight, difference of the flows.

        Of a choice that falls on other edges for the two inputs, both are there.
        """
        if self.one.local.blocks[layer.name] == self.other.local.blocks[layer.name]:
            for mine, theirs in zip(self.one.into(layer, neurons), self.other.into(layer, neurons), strict=True):
                yield (*mine[:3], mine[3] - theirs[3])
            return
        rows = [(*r[:3], way * r[3]) for r, way in self._both(layer, neurons)]
        if not rows:
            return
        source, target, weight, flow = (np.concatenate(column) for column in zip(*rows, strict=True))
        ends, first, place = np.unique(np.stack([target, source]), axis=1, return_index=True, return_inverse=True)
        total = np.zeros(ends.shape[1])
        np.add.at(total, place.ravel(), flow)
        yield ends[1], ends[0], weight[first], total

    def _both(self, layer: Layer, neurons: Ints) -> Iterator[tuple[tuple[Ints, Ints, Values, Values], int]]:
        for relevance, way in ((self.one, 1), (self.other, -1)):
            for rows in relevance.into(layer, neurons):
                yield rows, way
