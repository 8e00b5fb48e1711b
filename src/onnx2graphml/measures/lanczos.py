"""The largest singular values of layers' matrices, by products alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.engine.products import product
from onnx2graphml.engine.semirings import Weight
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.measures.values import Array

STEPS = 400
CHECK = 8  # steps between two looks at how good the result is
TOLERANCE = 1e-10
"""How far a vector may be from being one, relative to the square of its singular value, which is then better by far."""


@dataclass(frozen=True, eq=False)
class LayerMatrix:
    """The matrix from all neurons that some layers have edges from to the neurons of these layers.

    Attributes:
        blocks: each with where its sources are among all, and where its targets are.
        sources, targets: how many neurons there are on either side.
        weight: of the edges, as in `product`.
    """

    blocks: tuple[tuple[slice, slice, EdgeBlock], ...]
    sources: int
    targets: int
    weight: Weight

    @staticmethod
    def of(graph: NeuronGraph, layers: Sequence[Layer], weight: Weight) -> LayerMatrix:
        """The matrix of a group of layers."""
        before = dict.fromkeys(i.source for layer in layers for i in layer.incoming)
        sources, m = _side(list(map(graph.layer, before)))
        targets, n = _side(layers)
        blocks = [(sources[i.source], targets[x.name], i.block) for x in layers for i in x.incoming if i.block.count]
        return LayerMatrix(tuple(blocks), m, n, weight)

    def times(self, x: Array) -> Array:
        """What arrives at the targets."""
        y = np.zeros(self.targets)
        for source, target, block in self.blocks:
            y[target] += product(block, x[source], target.stop - target.start, weight=self.weight)
        return y

    def transposed(self, y: Array) -> Array:
        """What goes back to the sources."""
        x = np.zeros(self.sources)
        for source, target, block in self.blocks:
            x[source] += product(block, y[target], source.stop - source.start, weight=self.weight, transpose=True)
        return x

    def largest(self, k: int) -> list[tuple[float, Array]]:
        """The `k` largest singular values, descending, each with its vector over the targets."""
        squared: Callable[[Array], Array]
        if self.targets <= self.sources:
            size, squared = self.targets, lambda v: self.times(self.transposed(v))
        else:
            size, squared = self.sources, lambda v: self.transposed(self.times(v))
        found: list[Array] = []
        values = []
        for _ in range(k):
            value, vector = eigenpair(squared, size, found)
            found.append(vector)
            values.append(float(np.sqrt(max(0.0, value))))
        if self.targets <= self.sources:
            return list(zip(values, found, strict=True))
        return [(s, self.times(v) / (s or 1.0)) for s, v in zip(values, found, strict=True)]


def _side(layers: Sequence[Layer]) -> tuple[dict[str, slice], int]:
    at, n = {}, 0
    for layer in layers:
        at[layer.name] = slice(n, n + layer.neurons)
        n += layer.neurons
    return at, n


def eigenpair(squared: Callable[[Array], Array], size: int, found: Sequence[Array]) -> tuple[float, Array]:
    """The largest eigenvalue of a symmetric operator beside those of the vectors found, by Lanczos' method.

    The basis is made orthogonal twice at each step, to itself and to the vectors found.
    """
    known = np.array(found).reshape(-1, size)
    most = min(STEPS, size - len(known))
    if most < 1:
        return 0.0, np.zeros(size)
    v, basis = np.random.default_rng(len(known)).standard_normal(size), np.empty((min(most, CHECK), size))
    diagonal, beside = np.empty(most), np.empty(most)
    for step in range(most):
        if step == len(basis):
            basis = np.concatenate([basis, np.empty((min(len(basis), most - step), size))])
        norm = _made_orthogonal(v, [known, basis[:step]])
        if step and norm <= 1e-12 * np.abs(diagonal[:step]).max():
            step -= 1  # the basis spans all that the operator leads to
            break
        beside[step], basis[step] = norm, v / norm
        v = squared(basis[step])
        diagonal[step] = v @ basis[step]
        if step % CHECK == CHECK - 1 and _residual(v, basis[: step + 1], diagonal, beside) <= TOLERANCE:
            break
    value, vector = _best(diagonal[: step + 1], beside[: step + 1])
    return value, vector @ basis[: step + 1]


def _best(diagonal: Array, beside: Array) -> tuple[float, Array]:
    """The largest eigenvalue of the tridiagonal matrix, and its vector."""
    values, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside[1:], 1) + np.diag(beside[1:], -1))
    return float(values[-1]), vectors[:, -1]


def _made_orthogonal(v: Array, others: Sequence[Array]) -> float:
    """Take from `v` what it has in common with the rows of the others; its norm after that."""
    for _ in range(2):
        for rows in others:
            v -= (rows @ v) @ rows
    return float(np.linalg.norm(v))


def _residual(v: Array, basis: Array, diagonal: Array, beside: Array) -> float:
    """How far the best vector is from being an eigenvector, relative to its eigenvalue."""
    n = len(basis)
    value, vector = _best(diagonal[:n], beside[:n])
    rest = v - (basis @ v) @ basis
    return float(np.linalg.norm(rest) * abs(vector[-1])) / (value or 1.0)
