"""The relevance of every neuron for one target, by a rule: one pass from the target back, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.local import LocalGraph
from onnx2graphml.attribution.rules import Function, Group, Rule, find, same
from onnx2graphml.engine.products import product
from onnx2graphml.errors import Error
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scaled:
    """A part of the flow along every edge: target · weight(w) · source, whose two scales are by neuron."""

    weight: Function
    source: Values
    target: Values


@dataclass(frozen=True, eq=False)
class Relevance:
    """What each neuron, and each edge, has to do with the target's value.

    Attributes:
        local: the network around the input.
        target: the id of the neuron that is explained.
        score: of every neuron, by id; 0 where it has no part.
        bias: what the neurons' biases took of it.
        parts: the flow along an edge is the sum of these.
        rules: by layer, the name of its rule.
    """

    local: LocalGraph
    target: int
    score: Values
    bias: Values
    parts: tuple[Scaled, ...]
    rules: Mapping[str, str]

    def at(self, layer: str) -> Values:
        """A layer's scores, in its shape."""
        found = self.local.graph.layer(layer)
        return self.score[found.ids].reshape(found.shape)

    def flow(self, source: str, layer: str, e: Edges) -> Values:
        """What goes along edges between two layers, whose positions and weights are given."""
        first, own = (self.local.graph.layer(name).first_id for name in (source, layer))
        weight = e.weight.astype(np.float64)
        flows = (p.target[own + e.target] * p.weight(weight) * p.source[first + e.source] for p in self.parts)
        return np.asarray(sum(flows, np.zeros(len(e))))

    def into(self, neuron: int) -> Iterator[tuple[str, Edges, Values]]:
        """The in-edges of a neuron with what goes along them; of a choice, the chosen one alone."""
        layer = self.local.graph.layer_of(neuron)
        for source, block in self.local.blocks[layer.name]:
            for part in block.select("target", neuron - layer.first_id):
                for e in part.expand():
                    yield source, e, self.flow(source, layer.name, e)


def relevance(local: LocalGraph, target: int, rule: str = "lrp-0", rules: Mapping[str, str] | None = None) -> Relevance:
    """Share out a neuron's value among all neurons before it.

    Args:
        target: an id.
        rule: for all layers; see `RULES`.
        rules: for some layers another, by name: a composite. `gradient` and `influence` do not mix with others.

    Raises:
        Error: there is no such rule, layer or neuron.

    Example:
        >>> import numpy as np, onnx2graphml
        >>> from onnx2graphml.attribution.local import local
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> around = local(graph, {"image": np.ones((8, 8, 1))})
        >>> found = relevance(around, graph.neuron("digit", (3,)))
        >>> bool(np.isclose(found.at("image").sum() + found.bias.sum(), around.value[found.target]))
        True
    """
    graph = local.graph
    graph.layer_of(target)
    by_layer = {layer.name: rule for layer in graph.layers} | {graph.layer(n).name: r for n, r in (rules or {}).items()}
    used = set(by_layer.values())
    if len(used) > 1 and used & {"gradient", "influence"}:
        raise Error(f"rules are {', '.join(sorted(used))}; 'gradient' and 'influence' do not mix with others")
    if rule == "gradient":
        return _gradient(local, target, by_layer)
    return _shared(local, target, by_layer)


def _gradient(local: LocalGraph, target: int, rules: Mapping[str, str]) -> Relevance:
    """Gradient · value. Of a neuron, `slope · gradient` goes on along its in-edges."""
    graph, gradient = local.graph, np.zeros(local.graph.neurons)
    gradient[target] = 1
    own = graph.layer_of(target)
    gate = local.slope.copy()
    if own.name in local.logits:
        gate[own.ids] = 1  # what is explained is the logit
    for layer in reversed(graph.layers):
        scaled = gradient[layer.ids] * gate[layer.ids]
        if scaled.any():
            for source, block in local.blocks[layer.name]:
                before = graph.layer(source)
                gradient[before.ids] += product(block.flipped(), scaled, before.neurons, weight="weight")
    constants = _constants(local)
    score = gradient * local.value
    bias = gradient * gate * local.bias * ~constants + score * constants
    return Relevance(local, target, score, bias, (Scaled(same, local.value, gradient * gate),), rules)


def _constants(local: LocalGraph) -> npt.NDArray[np.bool_]:
    """Which neurons are constants: their whole value is a bias."""
    found = np.zeros(local.graph.neurons, bool)
    for layer in local.graph.layers:
        found[layer.ids] = layer.aggregation == "constant"
    return found


def _shared(local: LocalGraph, target: int, rules: Mapping[str, str]) -> Relevance:
    graph, score, bias = local.graph, np.zeros(local.graph.neurons), np.zeros(local.graph.neurons)
    absolute = rules[graph.layer_of(target).name] == "influence"
    score[target] = 1 if absolute else local.value[target]
    parts: dict[tuple[str, int, int], Scaled] = {}
    for layer in reversed(graph.layers):
        if not score[layer.ids].any():
            continue
        if not local.blocks[layer.name]:
            if layer.aggregation == "constant":
                bias[layer.ids] = score[layer.ids]
            continue
        name = rules[layer.name]
        for g, group in enumerate(_rule(layer, name).groups):
            share = _share(local, layer, group, score[layer.ids])
            bias[layer.ids] += share * group.bias(local.bias[layer.ids])
            for p, (weight, source) in enumerate(group.parts):
                scaled = parts.setdefault(
                    (name if layer.aggregation == "sum" else "choice", g, p),
                    Scaled(weight, source(local.value), np.zeros(graph.neurons)),
                )
                scaled.target[layer.ids] = share
                for origin, block in local.blocks[layer.name]:
                    before = graph.layer(origin)
                    arrived = product(block.flipped(), share, before.neurons, weight=_along(weight))
                    score[before.ids] += scaled.source[before.ids] * arrived
    return Relevance(local, target, score, bias, tuple(parts.values()), rules)


def _rule(layer: Layer, name: str) -> Rule:
    """The layer's rule; of a choice, whatever the rule, the chosen edge takes all."""
    return find("lrp-0" if layer.aggregation != "sum" and name != "influence" else name)


def _along(weight: Function) -> str | Function:
    return {same: "weight", np.abs: "abs_weight"}.get(weight, weight)


def _share(local: LocalGraph, layer: Layer, group: Group, score: Values) -> Values:
    """What a unit of contribution gets of each neuron's relevance: 0 where there are no contributions."""
    total = group.bias(local.bias[layer.ids]).astype(np.float64)
    for weight, source in group.parts:
        values = source(local.value)
        for origin, block in local.blocks[layer.name]:
            before = local.graph.layer(origin)
            total = total + product(block, values[before.ids], layer.neurons, weight=_along(weight))
    total = total + group.epsilon * np.where(total < 0, -1.0, 1.0)
    return np.divide(group.coefficient * score, total, out=np.zeros_like(total), where=total != 0)
