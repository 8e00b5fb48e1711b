"""From one neuron back to the input: the sub-graph that carries the chosen share of what goes into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.relevance import Relevance
from onnx2graphml.errors import Error, OutputError, TooLargeError
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.graph.networkx_graph import neuron_attributes

if TYPE_CHECKING:
    import networkx as nx

Ints = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Step:
    """What was kept of the flows into the neurons of one layer that are in the trace.

    Attributes:
        layer: its name.
        neurons, edges: that are kept: neurons of this layer, and edges into them.
        flow, kept: sums of absolute flows along all their in-edges, and along those that are kept.
    """

    layer: str
    neurons: int
    edges: int
    flow: float
    kept: float


@dataclass(frozen=True, eq=False)
class Trace:
    """A sub-graph that explains one neuron.

    Attributes:
        relevance: of the whole network.
        source, target: ids of the edges that are kept, from the target back.
        weight, flow: of each.
        steps: what was kept and cut, layer by layer.
    """

    relevance: Relevance
    source: Ints
    target: Ints
    weight: Values
    flow: Values
    steps: tuple[Step, ...]

    def __len__(self) -> int:
        return len(self.source)

    @property
    def neurons(self) -> Ints:
        """The ids of the neurons in it, ascending."""
        return np.unique(np.concatenate([self.source, self.target, [self.relevance.target]])).astype(np.int64)

    def summary(self) -> str:
        """What was kept and cut, as text: a line for each layer."""
        lines = [f"{'layer':20} {'neurons':>8} {'edges':>8}  kept of |flow|"]
        for step in self.steps:
            share = step.kept / step.flow if step.flow else 1.0
            lines.append(f"{step.layer[:20]:20} {step.neurons:8,} {step.edges:8,}  {share:8.1%} of {step.flow:.4g}")
        return "\n".join(lines)

    def to_networkx(self) -> nx.DiGraph:
        """A DiGraph: nodes have the graph's attributes, `value` and `relevance`; edges `weight` and `flow`."""
        import networkx as nx

        graph, found = self.relevance.local.graph, nx.DiGraph()
        for id in self.neurons.tolist():
            layer = graph.layer_of(id)
            attributes = neuron_attributes(layer, id - layer.first_id)
            value, score = self.relevance.local.value[id], self.relevance.score[id]
            own = {name: attributes[name] for name in NODES if name in attributes}
            found.add_node(id, **own, value=float(value), relevance=float(score))
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


NODES = ("layer", "op", "index", "channel", "row", "col")


def trace(
    relevance: Relevance, *, keep: float | None = None, top_k: int | None = None, max_edges: int = 1_000_000
) -> Trace:
    """Go back from the target along the strongest flows.

    Args:
        keep: of each layer, the strongest flows into the neurons already in the trace that together carry this share of
            their absolute sum. Without this and `top_k`: 0.95.
        top_k: so many of the strongest in-edges of each neuron, instead.
        max_edges: the trace is refused when it grows beyond that.

    Raises:
        Error: `keep` is not between 0 and 1, or `top_k` is below 1, or both are given.
        TooLargeError: it would have more than `max_edges` edges.
    """
    check(keep, top_k)
    share = 0.95 if keep is None else keep
    graph, steps, chosen = relevance.local.graph, [], []
    inside = np.zeros(graph.neurons, bool)
    inside[relevance.target] = True
    total = 0
    for layer in reversed(graph.layers):
        ids = np.flatnonzero(inside[layer.ids]) + layer.first_id
        flows = [_into(relevance, id) for id in ids.tolist()]
        if not any(len(f[0]) for f in flows):
            continue
        every = [np.concatenate(columns) for columns in zip(*flows, strict=True)]
        kept = _strongest(every[3], share) if top_k is None else _top(every[1], every[3], top_k)
        total += len(kept)
        if total > max_edges:
            raise TooLargeError(
                f"the trace has {total:,} edges at layer {layer.name!r}, more than max_edges={max_edges:,}: "
                f"keep a smaller share, or give top_k"
            )
        source, target, weight, flow = (column[kept] for column in every)
        inside[source] = True
        chosen.append((source, target, weight, flow))
        size = np.abs(every[3])
        steps.append(Step(layer.name, len(ids), len(kept), float(size.sum()), float(size[kept].sum())))
    source, target, weight, flow = (np.concatenate(c) for c in zip(*(chosen or [_nothing()]), strict=True))
    return Trace(relevance, source, target, weight, flow, tuple(steps))


def check(keep: float | None, top_k: int | None) -> None:
    """`Error` for what can't be kept."""
    if keep is not None and top_k is not None:
        raise Error("both keep and top_k are given; give one")
    if top_k is not None and top_k < 1:
        raise Error(f"top_k is {top_k}; expected 1 or more")
    if keep is not None and not 0 < keep <= 1:
        raise Error(f"keep is {keep}; expected a share above 0, up to 1")


def _nothing() -> tuple[Ints, Ints, Values, Values]:
    return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0)


def _into(relevance: Relevance, neuron: int) -> tuple[Ints, Ints, Values, Values]:
    """The in-edges of a neuron along which something goes: source, target, weight, flow."""
    graph = relevance.local.graph
    found = [
        (e.source[way] + graph.layer(source).first_id, e.weight[way].astype(np.float64), flow[way])
        for source, e, flow in relevance.into(neuron)
        for way in [np.flatnonzero(flow)]
    ]
    if not found:
        return _nothing()
    source, weight, flow = (np.concatenate(c) for c in zip(*found, strict=True))
    return source, np.full(len(source), neuron), weight, flow


def _strongest(flow: Values, share: float) -> Ints:
    """The fewest flows that carry the share of the absolute sum; equal ones in the order of their edges."""
    order = np.argsort(-np.abs(flow), kind="stable")
    carried = np.cumsum(np.abs(flow[order]))
    enough = int(np.searchsorted(carried, share * carried[-1] * (1 - 1e-12))) + 1
    return np.sort(order[:enough])


def _top(target: Ints, flow: Values, k: int) -> Ints:
    """The k strongest flows into each target."""
    order = np.lexsort((np.arange(len(flow)), -np.abs(flow), target))
    _, first = np.unique(target[order], return_index=True)
    rank = np.arange(len(order)) - np.repeat(first, np.diff([*first, len(order)]))
    return np.sort(order[rank < k])
