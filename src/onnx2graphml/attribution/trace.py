"""From one neuron back to the input: the sub-graph that carries the chosen share of what goes into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.strongest import Rows, Strongest, StrongestNet
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.networkx_graph import neuron_attributes

if TYPE_CHECKING:
    import networkx as nx

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]

SHARE = 0.95
MAX_EDGES = 50_000
NODES = ("layer", "op", "index", "channel", "row", "col")


class Explained(Protocol):
    """What a trace is cut out of: a relevance, or the difference of two."""

    @property
    def graph(self) -> NeuronGraph:
        """Whose neurons are meant."""

    @property
    def target(self) -> int:
        """The neuron that is explained."""

    @property
    def score(self) -> Values:
        """Of every neuron, by id."""

    @property
    def values(self) -> tuple[Values, ...]:
        """For each input that it is about, the value of every neuron, by id."""

    def into(self, layer: Layer, neurons: Ints) -> Iterator[tuple[Ints, Ints, Values, Values]]:
        """The in-edges of some of a layer's neurons: source, target, weight, flow."""

    @property
    def bias(self) -> Values:
        """What the neurons' biases have of the target's, by id."""

    def at(self, layer: str) -> Values:
        """A layer's scores, in its shape."""

    def numbers(self, neuron: int) -> dict[str, float]:
        """What is told of a neuron."""


@dataclass(frozen=True, eq=False)
class Step:
    """What was kept of the flows into the neurons of one layer that are in the trace.

    Attributes:
        layer: its name.
        neurons, edges: that are kept: neurons of this layer, and edges into them.
        flow, kept: sums of absolute flows along all their in-edges, and along those that are kept; of a net trace, sums
            of flows.
        cut: whether more would have been kept, but for `max_edges`.
    """

    layer: str
    neurons: int
    edges: int
    flow: float
    kept: float
    cut: bool = False


@dataclass(frozen=True, eq=False)
class Trace:
    """A sub-graph that explains one neuron.

    Attributes:
        relevance: of the whole network, or the difference of two.
        source, target: ids of the edges that are kept, from the target back.
        weight, flow: of each.
        steps: what was kept and cut, layer by layer.
        net: whether shares are of the sums of flows, not of absolute flows.
    """

    relevance: Explained
    source: Ints
    target: Ints
    weight: Values
    flow: Values
    steps: tuple[Step, ...]
    net: bool = False

    def __len__(self) -> int:
        return len(self.source)

    @property
    def neurons(self) -> Ints:
        """The ids of the neurons in it, ascending."""
        return np.unique(np.concatenate([self.source, self.target, [self.relevance.target]])).astype(np.int64)

    def summary(self) -> str:
        """What was kept and cut, as text: a line for each layer."""
        lines = [f"{'layer':20} {'neurons':>8} {'edges':>8}  kept of {'flow' if self.net else '|flow|'}"]
        for step in self.steps:
            share = step.kept / step.flow if step.flow else 1.0
            line = f"{step.layer[:20]:20} {step.neurons:8,} {step.edges:8,}  {share:8.1%} of {step.flow:.4g}"
            lines.append(line + ("  (as much as max_edges allows)" if step.cut else ""))
        return "\n".join(lines)

    @property
    def of_inputs(self) -> float:
        """What all inputs together have of the target's value, whether they are in the trace or not."""
        graph = self.relevance.graph
        return float(sum(self.relevance.score[x.ids].sum() for x in graph.layers if x.aggregation == "input"))

    @property
    def of_biases(self) -> float:
        """What all biases together have of it."""
        return float(self.relevance.bias.sum())

    def to_networkx(self) -> nx.DiGraph:
        """A DiGraph: nodes have the graph's attributes, `value` and `relevance`; edges `weight` and `flow`.

        Of the difference of two inputs, nodes have `value_baseline`, too.
        """
        import networkx as nx

        graph, found = self.relevance.graph, nx.DiGraph()
        for id in self.neurons.tolist():
            layer = graph.layer_of(id)
            attributes = neuron_attributes(layer, id - layer.first_id)
            own = {name: attributes[name] for name in NODES if name in attributes}
            found.add_node(id, **own, **self.relevance.numbers(id))
        rows = zip(*(a.tolist() for a in (self.source, self.target, self.weight, self.flow)), strict=True)
        found.add_edges_from((u, v, {"weight": w, "flow": f}) for u, v, w, f in rows)
        return found

    def write(self, path: str | Path) -> None:
        """Write it as GraphML, which Gephi and NetworkX read; `OutputError` for another suffix."""
        import networkx as nx

        if Path(path).suffix.lower() != ".graphml":
            raise OutputError(f"a trace is written as .graphml; got {str(path)!r}")
        with atomic(Path(path)) as file:
            nx.write_graphml(self.to_networkx(), file)


def trace(
    explained: Explained,
    *,
    keep: float | None = None,
    top_k: int | None = None,
    net: bool = False,
    max_edges: int = MAX_EDGES,
) -> Trace:
    """Go back from the target along the strongest flows.

    Args:
        keep: of each layer, the strongest flows into the neurons already in the trace that together carry this share of
            their absolute sum. Without this and `top_k`: 0.95.
        top_k: so many of the strongest in-edges of each neuron, instead.
        net: of each layer, the strongest flows that together carry this share of the sum of flows, in which what speaks
            against the target cancels what speaks for it. They all have the sign of that sum.
        max_edges: at most so many edges, shared out among the layers. What that cuts is told, in `steps`.

    Raises:
        Error: `keep` is not between 0 and 1, `top_k` or `max_edges` is below 1, or `top_k` is given with another.
    """
    check(keep, top_k, max_edges, net)
    graph, steps, chosen = explained.graph, [], []
    inside = np.zeros(graph.neurons, bool)
    inside[explained.target] = True
    to_come = [layer for layer in reversed(graph.layers) if layer.incoming]
    room = max_edges
    for left, layer in zip(range(len(to_come), 0, -1), to_come, strict=True):
        ids = np.flatnonzero(inside[layer.ids]) + layer.first_id
        if not len(ids):
            continue
        most = -(-room // left)
        pool = StrongestNet(most) if net else Strongest(most, top_k)
        for columns in explained.into(layer, ids):
            pool.add(Rows(*columns))
        rows, cut = pool.found(1.0 if top_k is not None else SHARE if keep is None else keep)
        if not pool.total:
            continue
        room -= len(rows)
        inside[rows.source] = True
        chosen.append(rows)
        kept = float((rows.flow if net else np.abs(rows.flow)).sum())
        steps.append(Step(layer.name, len(ids), len(rows), pool.total, kept, cut))
    every = Rows.joined(chosen)
    return Trace(explained, every.source, every.target, every.weight, every.flow, tuple(steps), net)


def check(keep: float | None, top_k: int | None, max_edges: int = MAX_EDGES, net: bool = False) -> None:
    """`Error` for what can't be kept."""
    if keep is not None and top_k is not None:
        raise Error("both keep and top_k are given; give one")
    if net and top_k is not None:
        raise Error("net is for a share of the flows; top_k keeps the strongest of each neuron: give one of them")
    if top_k is not None and top_k < 1:
        raise Error(f"top_k is {top_k}; expected 1 or more")
    if keep is not None and not 0 < keep <= 1:
        raise Error(f"keep is {keep}; expected a share above 0, up to 1")
    if max_edges < 1:
        raise Error(f"max_edges is {max_edges}; expected 1 or more")
