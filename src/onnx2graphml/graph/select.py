"""Parts of a graph, exactly selected: layers, the strongest edges, the strongest of each neuron, a random sample.

What is chosen is again edge blocks, so that it can be counted, written and looked into like any graph; the edges left
out are never expanded. A thinned graph doesn't compute the network any more.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from onnx2graphml.arguments import typed
from onnx2graphml.errors import Error, check_number, check_whole
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock, Floats
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, numbered
from onnx2graphml.graph.recorded import VALUE


def min_abs_weight(graph: NeuronGraph, threshold: float) -> NeuronGraph:
    """The edges whose weight is `threshold` or more, or `-threshold` or less.

    Memory: 24 bytes for every weight kept, where not all of a block's are.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> min_abs_weight(graph, 0.1).edges < graph.edges
        True
    """
    check_number("min-abs-weight", threshold)
    return _thinned(
        graph, f"min-abs-weight {threshold:g}", lambda layer: _each(layer, lambda b: above_threshold(b, threshold))
    )


def top_k(graph: NeuronGraph, k: int) -> NeuronGraph:
    """The `k` in-edges of each neuron with the greatest absolute weight; of equal ones, the first in the graph's order.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> top_k(graph, 2).layer("conv1").in_edges
        2048
    """
    check_whole("top-k", k, 1)
    return _thinned(graph, f"top-k {k}", lambda layer: _strongest_of_layer(layer, k))


def sample(graph: NeuronGraph, n: int, seed: int = 0) -> NeuronGraph:
    """`n` edges, every set of `n` equally likely; the same for the same seed. Memory: 24 bytes an edge.

    Example:
        >>> import onnx2graphml
        >>> sample(onnx2graphml.load("fixtures/digits.onnx"), 1000).edges
        1000
    """
    check_whole("sample", n, 0, graph.edges)
    check_whole("seed", seed, 0)
    chosen = np.sort(np.random.default_rng(seed).choice(graph.edges, n, replace=False, shuffle=False))
    counts = [i.block.count for layer in graph.layers for i in layer.incoming]
    bounds = np.searchsorted(chosen, np.cumsum([0, *counts]))
    parts = iter(
        [chosen[a:b] - first for a, b, first in zip(bounds, bounds[1:], np.cumsum([0, *counts]), strict=False)]
    )

    def pick(layer: Layer) -> list[Incoming]:
        return [dataclasses.replace(i, block=edges_at(i.block, next(parts))) for i in layer.incoming]

    return _thinned(graph, f"sample {n} seed {seed}", pick)


def winners(graph: NeuronGraph) -> NeuronGraph:
    """Of every choice, such as a pooling window, only the edge of the candidate that went on for the graph's input.

    All other edges stay. A function that chooses, such as Where, becomes a sum of the one edge that is left. For that
    input, the graph still computes what the network does.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx").with_input("random")
        >>> winners(graph).layer("maxpool").in_edges, graph.layer("maxpool").in_edges
        (256, 1024)
    """
    if graph.recorded is None:
        raise Error("winners are those of an input; give one: graph.with_input(x), or --input")
    won = graph.recorded.winners
    pick: Callable[[Layer], list[Incoming]] = lambda x: chosen(graph, x) if x.name in won else list(x.incoming)  # noqa: E731
    found = _thinned(graph, "winners", pick)
    layers = (
        dataclasses.replace(x, aggregation="sum", bias=None)
        if x.name in won and x.aggregation not in ("max", "min")
        else x
        for x in found.layers
    )
    return dataclasses.replace(found, layers=tuple(layers))


def chosen(graph: NeuronGraph, layer: Layer) -> list[Incoming]:
    """The chosen edges into a layer that chooses, of a graph with an input."""
    found = []
    for incoming in layer.incoming:
        edges = [graph.with_recorded(e, layer, incoming) for e in incoming.block.expand()]
        won = [
            (e.source[w], e.target[w], e.weight[w]) for e in edges for w in [np.flatnonzero(e.winner == 1)] if w.size
        ]
        if won:
            source, target, weight = (np.concatenate(column) for column in zip(*won, strict=True))
            weights, tap = np.unique(weight, return_inverse=True)  # few: mostly 1 alone
            found.append(Incoming(incoming.source, EdgeBlock((Axis(source, target, tap),), weights)))
    return found


def _thinned(graph: NeuronGraph, how: str, pick: Callable[[Layer], list[Incoming]]) -> NeuronGraph:
    if graph.thinned:
        raise Error(f"the graph is thinned already ({graph.thinned}); choose one way")
    layers = [
        dataclasses.replace(layer, incoming=tuple(i for i in pick(layer) if i.block.count)) for layer in graph.layers
    ]
    return dataclasses.replace(graph, layers=tuple(layers), thinned=how)


def _each(layer: Layer, pick: Callable[[EdgeBlock], Sequence[EdgeBlock]]) -> list[Incoming]:
    return [dataclasses.replace(i, block=b) for i in layer.incoming for b in pick(i.block)]


def edges_at(block: EdgeBlock, index: Ints) -> EdgeBlock:
    """The edges at some positions of the block's order."""
    entries = np.unravel_index(index, [len(a) for a in block.axes]) if block.axes else ()
    zero = ax.relation(np.zeros(len(index), np.int64), 0)
    chosen = ax.summed([zero, *(axis[i] for axis, i in zip(block.axes, entries, strict=True))])
    return EdgeBlock((chosen,), block.weights)


def above_threshold(block: EdgeBlock, threshold: float) -> list[EdgeBlock]:
    """The edges of weight `threshold` or more, either sign, as blocks.

    Axes of which each entry has its own tap are multiplied out and cut down. In the others, such as a window's, many
    entries share a tap: they stay axes, one block for each combination of taps.
    """
    kept = np.abs(block.weights) >= threshold
    if kept.all():
        return [block]
    own = [a for a in block.axes if len(a) > 1 and ax.are_distinct(a.tap)]
    shared = [_by_tap(a) for a in block.axes if not any(a is o for o in own)]
    found = []
    for combination in itertools.product(*shared):
        tap = sum(int(a.tap[0]) for a in combination)
        joint = _kept_entries(own, lambda taps, tap=tap: kept[taps + tap])  # type: ignore[misc]
        found.append(EdgeBlock((joint, *combination), block.weights))
    return [b for b in found if b.count]


def _by_tap(axis: Axis) -> list[Axis]:
    return [axis[axis.tap == tap] for tap in ax.distinct(axis.tap)]


def _kept_entries(axes: Sequence[Axis], keep: Callable[[Ints], Floats]) -> Axis:
    """Those entries of a product of axes whose tap is to be kept; the product is gone through row by row."""
    if not axes:
        return ax.shift()[np.atleast_1d(keep(np.zeros(1, np.int64)))]
    first, rest = axes[0], ax.product([ax.shift(), *axes[1:]])
    rows = []
    for k in range(len(first)):
        row = rest[keep(rest.tap + first.tap[k])]
        rows.append(ax.product([first[k : k + 1], row]))
    return ax.concatenated(rows)


def strongest(block: EdgeBlock, k: int) -> list[EdgeBlock]:
    """The `k` in-edges of each target with the greatest absolute weight, as blocks.

    OutputSpec whose in-edges lie alike and have the same weights, as all in the middle of a channel, choose alike: one
    choice serves them all, and their positions stay axes.
    """
    if block.degree("target") <= k:
        return [block]
    found = []
    for combination in itertools.product(*(ax.patterns(a) for a in block.axes)):
        positions, pattern = [p for p, _ in combination], ax.product([ax.shift(), *(q for _, q in combination)])
        weighted = [p for p in positions if p.tap.any()]
        placed = [p for p in positions if not p.tap.any()]
        found.append(EdgeBlock((_choices(weighted, pattern, block.weights, k), *placed), block.weights))
    return found


def _choices(weighted: Sequence[Axis], pattern: Axis, weights: Floats, k: int) -> Axis:
    """For each combination of positions that decide on weights, the `k` heaviest entries of the pattern."""
    where = ax.product([ax.shift(), *weighted])
    chosen = []
    for p in range(len(where)):
        e = pattern[_greatest(np.abs(weights[where.tap[p] + pattern.tap]), k)]
        chosen.append(ax.product([where[p : p + 1], e]))
    return ax.concatenated(chosen)


def _greatest(values: Floats, k: int) -> Ints:
    """Where the `k` greatest values are, in ascending order; of equal ones the first."""
    if len(values) <= k:
        return np.arange(len(values))
    least = np.partition(values, len(values) - k)[len(values) - k]
    above = np.flatnonzero(values > least)
    return np.sort(np.concatenate([above, np.flatnonzero(values == least)[: k - len(above)]]))


def _strongest_of_layer(layer: Layer, k: int) -> list[Incoming]:
    blocks = [i.block for i in layer.incoming]
    if sum(b.degree("target") for b in blocks) <= k:
        return list(layer.incoming)
    if len(blocks) == 1 or _disjoint_targets(blocks):
        return _each(layer, lambda b: strongest(b, k))
    return list(_strongest_across(layer, k))


def _disjoint_targets(blocks: Sequence[EdgeBlock]) -> bool:
    covered = np.concatenate([b.covers("target") for b in blocks])
    return len(ax.distinct(covered)) == len(covered)


def _strongest_across(layer: Layer, k: int) -> Iterator[Incoming]:
    """Where a neuron has in-edges from several layers they are few, as in an Add: all are put in order."""
    every = [ax.product([ax.shift(), *i.block.axes]) for i in layer.incoming]
    target = np.concatenate([a.target for a in every])
    weight = np.concatenate([i.block.weights[a.tap] for i, a in zip(layer.incoming, every, strict=True)])
    order = np.lexsort((np.arange(len(target)), -np.abs(weight), target))
    start = np.searchsorted(target[order], target[order], side="left")
    kept = np.zeros(len(target), bool)
    kept[order[np.arange(len(order)) - start < k]] = True
    bounds = np.cumsum([0, *(len(a) for a in every)])
    for incoming, axis, a, b in zip(layer.incoming, every, bounds, bounds[1:], strict=False):
        block = EdgeBlock((axis[kept[a:b]],), incoming.block.weights)
        yield dataclasses.replace(incoming, block=block)


@typed
def subnetwork(graph: NeuronGraph, layers: str | Sequence[str]) -> NeuronGraph:
    """The layers named, each neuron still computed as in the whole.

    A layer none of whose sources is kept becomes an input. If some of its sources are kept and others are not, the
    others are added, as inputs.

    Args:
        layers: names, in a list or separated by commas; or `FIRST:LAST`, two names with all layers between them in the
            graph's order, of which either may be left out.

    Raises:
        Error: there is no such layer, or the first comes after the last.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> [layer.name for layer in subnetwork(graph, "dense1:").layers]
        ['dense1', 'digit']
    """
    kept = set(layer_names(graph, layers) if isinstance(layers, str) else (graph.layer(n).name for n in layers))
    if not kept:
        raise Error("layers are none; expected one or more names")
    needed = set()
    for layer in graph.layers:
        sources = {i.source for i in layer.incoming}
        if layer.name in kept and sources & kept:
            needed |= sources - kept
    chosen = [
        layer if layer.name in kept and any(i.source in kept for i in layer.incoming) else _as_input(layer)
        for layer in graph.layers
        if layer.name in kept | needed
    ]
    if len(kept) > 1 and not any(layer.incoming for layer in chosen):
        first, *_, last = [layer.name for layer in graph.layers if layer.name in kept]
        raise Error(
            f"no edge joins two of the layers {layers!r}; {first}:{last} has all layers between the first and the last"
        )
    read = {i.source for layer in chosen for i in layer.incoming}
    outputs = tuple(layer.name for layer in chosen if layer.name in kept and layer.name not in read)
    kept_ids = np.concatenate([np.arange(graph.neurons)[graph.layer(c.name).ids] for c in chosen])
    columns = {name: column[kept_ids] for name, column in graph.columns.items()}
    recorded = graph.recorded
    if recorded is not None:
        recorded = recorded.part(kept_ids, {c.name: bool(c.incoming) for c in chosen}, graph.neurons)
        columns[VALUE] = recorded.value
    return dataclasses.replace(graph, layers=numbered(chosen), outputs=outputs, columns=columns, recorded=recorded)


def _as_input(layer: Layer) -> Layer:
    if layer.aggregation in ("input", "constant"):
        return layer
    return dataclasses.replace(layer, aggregation="input", bias=None, activation=(), incoming=(), parameters=0)


def layer_names(graph: NeuronGraph, text: str) -> list[str]:
    order = [layer.name for layer in graph.layers]
    if text in order:
        return [text]
    ends = _ends(set(order), text)
    if ends is None:
        before, colon, after = text.partition(":")
        if colon and "," not in text and (before in order or after in order):
            graph.layer(after if before in order else before)  # which it does not have
        return [graph.layer(name).name for name in text.split(",")]
    first = order.index(ends[0]) if ends[0] else 0
    last = order.index(ends[1]) if ends[1] else len(order) - 1
    if first > last:
        raise Error(f"layers are {text!r}; {ends[0]!r} comes after {ends[1]!r}")
    return order[first : last + 1]


def _ends(names: set[str], text: str) -> tuple[str, str] | None:
    """The two names around a colon; names may have colons themselves."""
    for k, character in enumerate(text):
        if character == ":" and {text[:k], text[k + 1 :]} <= names | {""}:
            return text[:k], text[k + 1 :]
    return None
