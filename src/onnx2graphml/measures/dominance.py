"""Dominators: what every path from a neuron to another goes through."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.engine.passes import positions, steps
from onnx2graphml.engine.products import accumulate
from onnx2graphml.engine.semirings import Semiring
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import Array, NodeValues, known

NONE = -1


def immediate_dominators(graph: NeuronGraph, start: int) -> NodeValues:
    """For every neuron that `start` leads to, the last one before it that all paths from `start` to it have in common.

    The dominators make a tree, with `start` at its root. A neuron's parent in it is where the parents of all its
    in-edges' sources meet; that meeting is carried out axis by axis, like a sum.

    Returns:
        Neurons' ids. `start` itself and what it doesn't lead to are missing, as in NetworkX from 3.6 on.

    Source: Cooper, Harvey and Kennedy, A simple, fast dominance algorithm, 2006; `networkx.immediate_dominators`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> immediate_dominators(graph, graph.neuron("flatten", (0,)))[graph.neuron("digit", (0,))]
        3584
    """
    root, at = known(graph, start), positions(graph)
    tree = _Tree(np.full(graph.neurons, NONE), np.zeros(graph.neurons, np.int64))
    tree.parent[root] = root
    meet = _Meet.in_tree(tree)
    ids = np.arange(graph.neurons)
    for layer, incoming in steps(graph, False, False):
        own = at[layer.name]
        found = np.full(layer.neurons, NONE)
        for source, block in incoming:
            reached = np.where(tree.parent[at[source]] == NONE, NONE, ids[at[source]])
            if (reached != NONE).any():
                accumulate(block, reached, found, meet, None)
        new = (found != NONE) & (ids[own] != root)
        tree.parent[own] = np.where(new, found, tree.parent[own])
        tree.depth[own] = np.where(new, tree.depth[found] + 1, tree.depth[own])
    return NodeValues(graph, tree.parent, (tree.parent != NONE) & (ids != root))


@dataclass(frozen=True, eq=False)
class _Tree:
    """By neuron, its parent, which is the root's own, or `NONE` where it has none; and how far the root is."""

    parent: Array
    depth: Array


@dataclass(frozen=True)
class _Meet(Semiring):
    """Neurons of the tree come together in their lowest common ancestor."""

    loop: Callable[..., None] | None = None

    @staticmethod
    def in_tree(tree: _Tree) -> _Meet:
        """The meeting in a tree that grows meanwhile."""
        from onnx2graphml.engine import kernels

        loop = functools.partial(kernels.along_meet, tree.parent, tree.depth)

        def add(one: Array, other: Array, out: Array | None = None) -> Array:
            result = np.array(np.broadcast_to(one, np.broadcast_shapes(one.shape, other.shape)), order="C")
            flat = result.reshape(1, 1, -1)
            here = np.zeros(1, np.int64)
            loop(here, here, np.ascontiguousarray(np.broadcast_to(other, result.shape)).reshape(1, 1, -1), flat)
            if out is None:
                return result
            out[...] = result
            return out

        return _Meet("meet", add, "pass", loop=loop)

    def zero(self, dtype: np.dtype[Any]) -> Any:
        """No neuron."""
        return NONE

    @property
    def along_loop(self) -> Callable[..., None]:
        """The compiled loop."""
        assert self.loop is not None
        return self.loop
