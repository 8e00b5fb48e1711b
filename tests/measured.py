"""The networks that measures are tried on, and the same as NetworkX's and igraph's graphs."""

from __future__ import annotations

import functools
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

import synthetic
from onnx2graphml.api import load
from onnx2graphml.graph.graph import NeuronGraph
from randomnets.draw import draw_network
from small import FIXTURES, SIDE, model, node, weights


def residual() -> onnx.ModelProto:
    """Two convolutions beside a shortcut, a pool, a dense layer."""
    return model(
        [
            node("Conv", "x w1 b1", "c1", kernel_shape=[3, 3], **SIDE),
            node("Relu", "c1", "r1"),
            node("Conv", "r1 w2 b2", "c2", kernel_shape=[3, 3], **SIDE),
            node("Add", "c2 r1", "sum"),
            node("MaxPool", "sum", "pool", kernel_shape=[2, 2], strides=[2, 2]),
            node("Flatten", "pool", "flat"),
            node("Gemm", "flat w3 b3", "y"),
        ],
        {"x": (1, 2, 6, 6)},
        {
            "w1": weights(3, 2, 3, 3, seed=1), "b1": weights(3, seed=2), "w2": weights(3, 3, 3, 3, seed=3),
            "b2": weights(3, seed=4), "w3": weights(27, 4, seed=5), "b3": weights(4, seed=6),
        },
    )  # fmt: skip


def concat() -> onnx.ModelProto:
    """Two branches of different length and stride, side by side."""
    return model(
        [
            node("Conv", "x w1", "a", kernel_shape=[1, 1]),
            node("Conv", "x w2", "m", kernel_shape=[3, 3], **SIDE),
            node("Conv", "m w3", "b", kernel_shape=[3, 3], **SIDE),
            node("Concat", "a b", "both", axis=1),
            node("GlobalAveragePool", "both", "gap"),
            node("Flatten", "gap", "flat"),
            node("Gemm", "flat w4", "y"),
        ],
        {"x": (1, 2, 5, 5)},
        {
            "w1": weights(2, 2, 1, 1, seed=1), "w2": weights(3, 2, 3, 3, seed=2), "w3": weights(2, 3, 3, 3, seed=3),
            "w4": weights(4, 3, seed=4),
        },
    )  # fmt: skip


def depthwise() -> onnx.ModelProto:
    """A depthwise convolution with a stride, a pointwise one, a grouped one, an average."""
    return model(
        [
            node("Conv", "x w1", "c1", kernel_shape=[3, 3], group=3, strides=[2, 2], **SIDE),
            node("Conv", "c1 w2", "c2", kernel_shape=[1, 1]),
            node("Conv", "c2 w3", "c3", kernel_shape=[3, 3], group=2, **SIDE),
            node("AveragePool", "c3", "pool", kernel_shape=[2, 2], strides=[1, 1]),
            node("Flatten", "pool", "y"),
        ],
        {"x": (1, 3, 7, 7)},
        {"w1": weights(3, 1, 3, 3, seed=1), "w2": weights(4, 3, 1, 1, seed=2), "w3": weights(4, 2, 3, 3, seed=3)},
    )


def drawn(number: int) -> Any:
    """A random network that is not refused, of at most some thousand edges."""
    for k in range(100):
        try:
            graph = load(draw_network(Random(f"measures:{number}:{k}")).proto)
        except Exception:  # a documented limit
            continue
        has_terms = any(i.block.has_terms for x in graph.layers for i in x.incoming)  # test_measures_terms.py's
        if 30 < graph.edges < 4000 and not has_terms:
            return graph
    raise AssertionError(f"no random network {number}")


SOURCES: dict[str, Any] = {
    "digits": lambda: load(FIXTURES / "digits.onnx"),
    "digits op": lambda: load(FIXTURES / "digits.onnx", detail="op"),
    "residual": lambda: load(residual()),
    "concat": lambda: load(concat()),
    "depthwise": lambda: load(depthwise()),
    "every kind": synthetic.every_kind,
    "parallel": synthetic.parallel,
    **{f"random {n}": functools.partial(drawn, n) for n in range(6)},
}


@functools.cache
def network(name: str) -> NeuronGraph:
    """The graph of that name, made once."""
    graph: NeuronGraph = SOURCES[name]()
    return graph


@functools.cache
def as_networkx(name: str) -> Any:
    """The same for NetworkX: `weight` and `abs_weight`; a MultiDiGraph where edges are parallel."""
    import networkx as nx

    graph = network(name)
    edges = list(graph.weighted_edges())
    parallel = len({(u, v) for u, v, _ in edges}) < len(edges)
    g = nx.MultiDiGraph() if parallel else nx.DiGraph()
    g.add_nodes_from(range(graph.neurons))
    g.add_edges_from((u, v, {"weight": w, "abs_weight": abs(w)}) for u, v, w in edges)
    return g


def simple(name: str, weight: str | None) -> Any:
    """A DiGraph with one edge for all that join the same two neurons; its `weight` is the sum of their weights."""
    import networkx as nx

    g = nx.DiGraph()
    g.add_nodes_from(as_networkx(name))
    for u, v, w in as_networkx(name).edges(data=weight, default=1):
        g.add_edge(u, v, weight=g.get_edge_data(u, v, {"weight": 0})["weight"] + (1 if weight is None else w))
    return g


def listed(graph: NeuronGraph, values: Any) -> npt.NDArray[np.float64]:
    """What NetworkX returns by node, as an array; NaN where a node is missing."""
    return np.array([values.get(n, np.nan) for n in range(graph.neurons)], float)
