"""The relevance of every neuron for one target, by a rule: one pass from the target back, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.local import LocalGraph
from onnx2graphml.attribution.rules import Function, Group, Rule, find, same
from onnx2graphml.engine.products import product
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.several import edges_into

Values = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


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
        rules: by layer, its rule.
    """

    local: LocalGraph
    target: int
    score: Values
    bias: Values
    parts: tuple[Scaled, ...]
    rules: Mapping[str, str | Rule]

    @property
    def graph(self) -> NeuronGraph:
        """Whose neurons are meant."""
        return self.local.graph

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

    @property
    def values(self) -> tuple[Values, ...]:
        """The values of all neurons, by id, for the one input."""
        return (self.local.value,)

    def numbers(self, neuron: int) -> dict[str, float]:
        """A neuron's value and score."""
        return {"value": float(self.local.value[neuron]), "relevance": float(self.score[neuron])}

    def into(self, layer: Layer, neurons: Ints) -> Iterator[tuple[Ints, Ints, Values, Values]]:
        """The in-edges of some of a layer's neurons, by id, with what goes along them: source, target, weight, flow.

        Of a choice there is the chosen edge alone.
        """
        for source, block in self.local.blocks[layer.name]:
            first = self.local.graph.layer(source).first_id
            for e in edges_into(block, neurons - layer.first_id):
                flow = self.flow(source, layer.name, e)
                yield e.source + first, e.target + layer.first_id, e.weight.astype(np.float64), flow


def relevance(
    local: LocalGraph, target: int, rule: str | Rule = "lrp-0", rules: Mapping[str, str | Rule] | None = None
) -> Relevance:
    """Share out a neuron's value among all neurons before it.

    Args:
        target: an id.
        rule: for all layers; a name in `RULES`, or a rule, such as `lrp_gamma(0.5)`.
        rules: for some layers another, by name: a composite. `gradient` and `influence` do not mix with others.

    Raises:
        Error: there is no such rule, layer or neuron.
        UnsupportedError: something of the value comes from a layer that multiplies computed tensors, combines its
            in-edges by a function of several values, or has a softmax in the middle of the network.

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
    used = {str(r) for r in by_layer.values()}
    if len(used) > 1 and used & {"gradient", "influence"}:
        raise Error(f"rules are {', '.join(sorted(used))}; 'gradient' and 'influence' do not mix with others")
    if rule == "gradient":
        return _gradient(local, target, by_layer)
    return _shared(local, target, by_layer)


def _gradient(local: LocalGraph, target: int, rules: Mapping[str, str | Rule]) -> Relevance:
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
            _check(local, layer)
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


def _shared(local: LocalGraph, target: int, rules: Mapping[str, str | Rule]) -> Relevance:
    graph, score, bias = local.graph, np.zeros(local.graph.neurons), np.zeros(local.graph.neurons)
    absolute = rules[graph.layer_of(target).name] == "influence"
    score[target] = 1 if absolute else local.value[target]
    parts: dict[tuple[Rule, int, int], Scaled] = {}
    for layer in reversed(graph.layers):
        if not score[layer.ids].any():
            continue
        _check(local, layer)
        if not local.blocks[layer.name]:
            if layer.aggregation == "constant":
                bias[layer.ids] = score[layer.ids]
            continue
        rule = _rule(layer, rules[layer.name])
        for g, group in enumerate(rule.groups):
            share = _share(local, layer, group, score[layer.ids])
            bias[layer.ids] += share * group.bias(local.bias[layer.ids])
            for p, (weight, source) in enumerate(group.parts):
                scaled = parts.setdefault(
                    (rule, g, p),
                    Scaled(weight, source(local.value), np.zeros(graph.neurons)),
                )
                scaled.target[layer.ids] = share
                for origin, block in local.blocks[layer.name]:
                    before = graph.layer(origin)
                    arrived = product(block.flipped(), share, before.neurons, weight=_along(weight))
                    score[before.ids] += scaled.source[before.ids] * arrived
    return Relevance(local, target, score, bias, tuple(parts.values()), rules)


def _check(local: LocalGraph, layer: Layer) -> None:
    if layer.name in local.undefined:
        raise UnsupportedError(f"layer {layer.name!r} {local.undefined[layer.name]}")


def _rule(layer: Layer, name: str | Rule) -> Rule:
    """The layer's rule; where a neuron has but one in-edge, or has chosen one, it takes all, whatever the rule."""
    single = layer.aggregation != "sum" or (
        layer.bias is None and sum(i.block.degree("target") for i in layer.incoming) == 1
    )
    return find("lrp-0" if single and name != "influence" else name)


def _along(weight: Function) -> str | Function:
    return {same: "weight", np.abs: "abs_weight"}.get(weight, weight)


def _share(local: LocalGraph, layer: Layer, group: Group, score: Values) -> Values:
    """What a unit of contribution gets of each neuron's relevance: 0 where there are no contributions."""
    if group.parts == ((same, same),) and group.bias is same:
        total = local.total[layer.ids]
    else:
        total = _total(local, layer, group)
    total = total + group.epsilon * np.where(total < 0, -1.0, 1.0)
    return np.divide(group.coefficient * score, total, out=np.zeros_like(total), where=total != 0)


def _total(local: LocalGraph, layer: Layer, group: Group) -> Values:
    """The sum of a group's contributions to each neuron."""
    total = group.bias(local.bias[layer.ids]).astype(np.float64)
    for weight, source in group.parts:
        values = source(local.value)
        for origin, block in local.blocks[layer.name]:
            before = local.graph.layer(origin)
            total = total + product(block, values[before.ids], layer.neurons, weight=_along(weight))
    return np.asarray(total)
