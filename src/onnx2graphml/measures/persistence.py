"""Neural persistence: how the neurons of two layers grow together, the strongest edges first."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.engine.passes import check_terms
from onnx2graphml.engine.products import product
from onnx2graphml.errors import Error
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import Array

AT_ONCE = 1 << 24  # weights that are looked at together
FIRST, MORE = 8, 4  # edges taken in the first round, for each neuron; and how many times more in each further one


def neural_persistence(
    graph: NeuronGraph, layers: Sequence[str] | None = None, essential: bool = False
) -> dict[str, float]:
    """The normalised neural persistence of each layer; that of the network is their mean.

    A layer's edges make a bipartite graph of neurons. All neurons are there from the start; edges come in the order of
    |weight| / W, W being the largest of all layers. At n - 1 of them, those of the maximum spanning forest, two parts
    grow together. With w the weights of these,

        NP = sqrt(Σ (1 - w)²) / sqrt(n - 1)

    No list of edges is made: one weight stands for all edges of its plane, and the work ends when all has grown
    together.

    Args:
        layers: names; if None, all with trained parameters whose edges come from one layer.
        essential: count the part that is left at the end, too, with weight 0, as the authors' program does: 1 more
            under the root.

    Raises:
        Error: a named layer's edges don't come from exactly one layer, or a weight is not finite.

    Source: Rieck et al., Neural persistence, ICLR 2019.

    Example:
        >>> import onnx2graphml
        >>> list(neural_persistence(onnx2graphml.load("fixtures/digits.onnx")))
        ['conv1', 'bn1', 'conv2', 'dense1', 'digit']
    """
    chosen = _chosen(graph, layers)
    largest = max((float(np.abs(block.weights).max(initial=0)) for _, block, _ in chosen), default=0.0)
    found = {}
    for name, block, (sources, targets) in chosen:
        weights = spanning_forest(block, sources, targets) / (largest or 1.0)
        total = float(((1 - weights) ** 2).sum()) + (1.0 if essential else 0.0)
        found[name] = math.sqrt(total) / math.sqrt(max(1, sources + targets - 1))
    return found


def _chosen(graph: NeuronGraph, names: Sequence[str] | None) -> list[tuple[str, EdgeBlock, tuple[int, int]]]:
    found = []
    for layer in graph.layers if names is None else map(graph.layer, names):
        if names is not None:
            check_terms(layer, "weight")
        if len(layer.incoming) == 1 and (names is not None or layer.parameters):
            i = layer.incoming[0]
            found.append((layer.name, i.block, (graph.layer(i.source).neurons, layer.neurons)))
        elif names is not None:
            raise Error(f"layer {layer.name!r} has edges from {len(layer.incoming)} layers; expected one")
    return found


def spanning_forest(block: EdgeBlock, sources: int, targets: int) -> Array:
    """The absolute weights of the edges of a maximum spanning forest, in descending order; float64.

    Args:
        block: edges of a bipartite graph of `sources` and `targets` neurons.

    Raises:
        Error: a weight is not finite.
    """
    if not np.isfinite(block.weights).all():
        raise Error("a weight is infinite or not a number; expected finite ones, which can be put in order")
    from onnx2graphml.engine import kernels

    if block.count == 0:
        return np.empty(0)
    wanted = sources + targets - _parts(block, sources, targets)
    parent, tree, joined = np.arange(sources + targets), np.empty(wanted), 0
    planes = _Planes.of(block)
    for weight, source, target, plane in planes.in_order(sources + targets):
        joined = kernels.join_planes(
            weight, source, target, plane, planes.start, planes.source, planes.target, sources, parent, tree, joined
        )
        if joined == wanted:
            return tree
    raise AssertionError(f"{joined} of {wanted} joined")  # all edges have been looked at


def _parts(block: EdgeBlock, sources: int, targets: int) -> int:
    """The number of connected parts, single neurons among them."""
    label, other = np.arange(sources), np.full(targets, sources + targets)
    while True:
        before = label
        other = np.minimum(other, product(block, label, targets, "least"))
        label = np.minimum(label, product(block, other, sources, "least", transpose=True))
        if np.array_equal(before, label):
            alone = np.count_nonzero(other >= sources + targets)
            return int(np.count_nonzero(label == np.arange(sources)) + alone)


@dataclass(frozen=True, eq=False)
class _Planes:
    """A block as weights, each with the edges of a plane.

    Attributes:
        block: whose edges they are.
        outer: the axes of which each entry has its own tap.
        tap: of each plane, what it adds to the tap.
        start: where each plane's edges begin in `source` and `target`, which are relative to the outer entry.
    """

    block: EdgeBlock
    outer: tuple[Axis, ...]
    tap: Ints
    start: Ints
    source: Ints
    target: Ints

    @staticmethod
    def of(block: EdgeBlock) -> _Planes:
        """The axes whose entries share taps as planes, one for each combination of taps."""
        outer = tuple(a for a in block.axes if len(a) > 1 and ax.are_distinct(a.tap))
        inner = [_by_tap(a) for a in block.axes if not any(a is o for o in outer)]
        planes = [ax.product([ax.shift(), *chosen]) for chosen in itertools.product(*inner)]
        joined = ax.concatenated(planes)
        start = np.cumsum([0, *map(len, planes)])
        tap = np.array([p.tap[0] for p in planes])
        if not _nested([*(a.tap for a in outer), tap]):  # no place for each: all in one axis, an edge a plane
            edges = list(block.expand())
            source, target, weight = (
                np.concatenate([getattr(e, n) for e in edges]) for n in ("source", "target", "weight")
            )
            return _Planes.of(EdgeBlock((Axis(source, target, np.arange(len(weight))),), weight))
        return _Planes(block, outer, tap, start, joined.source, joined.target)

    def in_order(self, neurons: int) -> Iterator[tuple[Array, Ints, Ints, Ints]]:
        """Weights in descending order of size, with the source, the target and the plane of each; in several rounds."""
        per_weight = max(1, self.block.count // (math.prod(map(len, self.outer)) * len(self.tap)))
        count, above = FIRST * neurons // per_weight + 1, np.inf
        while above >= 0:
            least = self._about(count)
            weight, entries, plane = self._between(least, above)
            order = np.argsort(-weight, kind="stable")
            source, target = (
                sum((getattr(a, side)[e] for a, e in zip(self.outer, entries, strict=True)), np.zeros_like(plane))
                for side in ("source", "target")
            )
            yield weight[order], source[order], target[order], plane[order]
            count, above = count * MORE, least if least > 0 else -1.0

    def _about(self, count: int) -> float:
        """About the weight of that rank; 0 where there are not many more. Any number would do for correctness."""
        if count >= self.block.weights.size // 2:
            return 0.0
        step = max(1, self.block.weights.size // (1 << 20))
        sample = np.abs(self.block.weights[::step])
        rank = max(0, len(sample) - 1 - (count // step + 1))
        return float(np.partition(sample, rank)[rank])

    def _between(self, least: float, above: float) -> tuple[Array, list[Ints], Ints]:
        """The weights that are at least `least` and below `above`, the entry of each outer axis, and the plane."""
        found = []
        for first in range(0, self.block.weights.size, AT_ONCE):
            size = np.abs(self.block.weights[first : first + AT_ONCE])
            chosen = np.flatnonzero((size >= least) & (size < above))
            used, entries = self._entries(chosen + first)
            found.append((size[chosen][used].astype(np.float64), *entries))
        weight, *entries, plane = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return weight, entries, plane

    def _entries(self, taps: Ints) -> tuple[Array, list[Ints]]:
        """Which taps are used, and for these the entry of each outer axis and the plane: digits of a mixed radix."""
        axes = [*(a.tap for a in self.outer), self.tap]
        left, found = taps - sum(int(a.min()) for a in axes), [np.empty(0, np.int64)] * len(axes)
        for k in sorted(range(len(axes)), key=lambda k: -int(np.ptp(axes[k]))):
            order = np.argsort(axes[k])
            digits = axes[k][order] - axes[k].min()
            place = np.searchsorted(digits, left, side="right") - 1
            left, found[k] = left - digits[place], order[place]
        used = left == 0
        return used, [f[used] for f in found]


def _by_tap(axis: Axis) -> list[Axis]:
    order = np.argsort(axis.tap, kind="stable")
    bounds = np.flatnonzero(np.diff(axis.tap[order])) + 1
    return [axis[entries] for entries in np.split(order, bounds)]


def _nested(taps: Sequence[Ints]) -> bool:
    """Whether sums of one tap of each kind can be told apart by the largest first, then the next, and so on."""
    reach = 0
    for own in sorted((np.sort(t) for t in taps), key=lambda t: int(t[-1] - t[0])):
        if len(own) > 1 and int(np.diff(own).min()) <= reach:
            return False
        reach += int(own[-1] - own[0])
    return True
