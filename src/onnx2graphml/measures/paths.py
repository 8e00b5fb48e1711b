"""All paths at once: how many there are, and sums over them of products of weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np

from onnx2graphml.engine.passes import backward, forward
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.edge_values import EdgeValues, scaled
from onnx2graphml.measures.values import Array, NodeValues, one_at

Nodes = Any


def number_of_paths(graph: NeuronGraph, source: Nodes = None, target: Nodes = None) -> int:
    """The number of paths from the network's inputs to its outputs, exact, however large.

    Args:
        source: a neuron or several, instead of all of the input layers.
        target: likewise, instead of all of the output layers.

    Example:
        >>> import onnx2graphml
        >>> number_of_paths(onnx2graphml.load("fixtures/digits.onnx"))
        280350720
    """
    start, end = _inputs(graph, source), _outputs(graph, target)
    residues = [
        (int((counts[end] % modulus).sum() % modulus) if modulus else int(counts[end].sum()), modulus)
        for counts, modulus in _counts(graph, start, "from", int(start.sum()) * int(end.sum()))
    ]
    return _combined(residues)


def path_counts(graph: NeuronGraph, direction: Literal["from", "to"] = "from", nodes: Nodes = None) -> NodeValues:
    """For every neuron, the number of paths `from` the inputs to it, or from it `to` the outputs; exact.

    Args:
        nodes: a neuron or several, instead of the inputs or outputs.

    Returns:
        int64 where that holds them, else Python's integers.
    """
    start = _inputs(graph, nodes) if direction == "from" else _outputs(graph, nodes)
    passes = list(_counts(graph, start, direction, int(start.sum())))
    if passes[0][1] == 0:
        return NodeValues(graph, passes[0][0])
    found = np.empty(graph.neurons, object)
    for layer in graph.layers:
        own = slice(layer.first_id, layer.first_id + layer.neurons)
        rows, place = np.unique(np.stack([c[own] for c, _ in passes], 1), axis=0, return_inverse=True)
        moduli = [m for _, m in passes]
        values = [_combined(list(zip(row, moduli, strict=True))) for row in rows.tolist()]
        found[own] = np.array(values, object)[place.reshape(-1)]
    return NodeValues(graph, found)


def path_norm(graph: NeuronGraph, order: float = 1.0, biases: bool = True) -> float:
    """The path norm: over all paths to the outputs, the sum of the products of |weight|^order, to the power 1/order.

    Paths start at the inputs and, with `biases`, at every bias. A maximum counts as a sum of its candidates.

    Source: Gonon, Brisebarre, Riccietti and Gribonval, A path-norm toolkit for modern networks, ICLR 2024.

    Raises:
        Error: `order` is not positive.
    """
    if not order > 0:
        raise Error(f"order is {order}; expected a positive number")
    start = _inputs(graph, None).astype(np.float64)
    if biases:
        start += np.abs(bias(graph)) ** order
    sums = forward(graph, start, weight=lambda w: np.abs(w) ** order)
    return float(sums[_outputs(graph, None)].sum() ** (1 / order))


def synflow(graph: NeuronGraph) -> EdgeValues:
    """SynFlow's score of every edge: the sum over all paths through it of the products of |weight|.

    The scores of all edges that cut the network in two, as those into one layer of a chain, add to the same number.

    Source: Tanaka, Kunin, Yamins and Ganguli, Pruning neural networks without any data by iteratively conserving
    synaptic flow, NeurIPS 2020.
    """
    ahead = forward(graph, _inputs(graph, None).astype(np.float64), weight="abs_weight")
    behind = backward(graph, _outputs(graph, None).astype(np.float64), weight="abs_weight")
    return scaled(graph, ahead, behind, "abs_weight")


def bias(graph: NeuronGraph) -> Array:
    """The bias of every neuron that is a sum, as float64; 0 at the others."""
    found = np.zeros(graph.neurons)
    for layer in graph.layers:
        if layer.bias is not None and layer.aggregation == "sum":
            own = slice(layer.first_id, layer.first_id + layer.neurons)
            found[own] = np.broadcast_to(layer.bias, layer.shape).ravel()
    return found


def _inputs(graph: NeuronGraph, nodes: Nodes) -> Array:
    if nodes is not None:
        return one_at(graph, nodes)
    return _of_layers(graph, {layer.name for layer in graph.layers if layer.aggregation == "input"})


def _outputs(graph: NeuronGraph, nodes: Nodes) -> Array:
    return one_at(graph, nodes) if nodes is not None else _of_layers(graph, set(graph.outputs))


def _of_layers(graph: NeuronGraph, names: set[str]) -> Array:
    return np.concatenate([np.full(layer.neurons, layer.name in names) for layer in graph.layers])


# Exact counts: in int64 where a bound says that they fit, else modulo primes below 2³¹, as many as the bound needs.
# Sums of up to 2³² residues fit into int64, and no neuron has more in-edges.


def _counts(graph: NeuronGraph, start: Array, direction: str, ends: int) -> Iterator[tuple[Array, int]]:
    """The counts and the modulus that they were taken by; 0 for none."""
    run: Callable[..., Array] = forward if direction == "from" else backward
    bound = _bound(graph, direction) * max(ends, 1)
    if bound < 1 << 62:
        yield run(graph, start.astype(np.int64)), 0
        return
    product = 1
    for prime in _primes():
        yield run(graph, start.astype(np.int64), each=lambda layer, x, p=prime: x % p), prime
        product *= prime
        if product > bound:
            return


def _bound(graph: NeuronGraph, direction: str) -> int:
    """No neuron has more paths from any one neuron, or to one: the degrees of blocks multiplied, layer by layer."""
    side: Any = "target" if direction == "from" else "source"
    most = {layer.name: 1 for layer in graph.layers}
    for layer in graph.layers if direction == "from" else reversed(graph.layers):
        for i in layer.incoming:
            here, there = (layer.name, i.source) if direction == "from" else (i.source, layer.name)
            most[here] += i.block.degree(side) * most[there]
    return max(most.values(), default=1)


def _primes() -> Iterator[int]:
    """Primes below 2³¹, the largest first."""
    small = [p for p in range(2, 46342) if all(p % d for d in range(2, math.isqrt(p) + 1))]
    for n in range((1 << 31) - 1, 46342, -2):
        if all(n % p for p in small):
            yield n


def _combined(residues: list[tuple[int, int]]) -> int:
    """The number that leaves these residues, below the product of the moduli: the Chinese remainder theorem."""
    value, product = residues[0]
    for residue, modulus in residues[1:]:
        value += product * ((residue - value) * pow(product, -1, modulus) % modulus)
        product *= modulus
    return value
