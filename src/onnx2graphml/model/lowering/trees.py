"""Ensembles of decision trees, as `ai.onnx.ml` has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.classical import CLASSICAL
from onnx2graphml.model.lowering.registry import lowering
from onnx2graphml.model.lowering.sparse import sums

Array = npt.NDArray[Any]

COMPARISONS = ("LessOrEqual", "Less", "GreaterOrEqual", "Greater", "Equal")
NOT_EQUAL, MEMBER = 5, 6
SUM, MIN, MAX = 1, 2, 3
AGGREGATES = ("average", "sum", "min", "max")


@dataclass(frozen=True)
class _Leaf:
    """A leaf of a tree, and the way to it: nodes with the branch that is taken there."""

    leaf: int
    way: tuple[tuple[int, bool], ...]


@lowering(CLASSICAL)
def TreeEnsemble(
    op: Builder,
    X: str,
    *,
    leaf_targetids: Sequence[int],
    leaf_weights: onnx.TensorProto,
    nodes_falseleafs: Sequence[int],
    nodes_falsenodeids: Sequence[int],
    nodes_featureids: Sequence[int],
    nodes_modes: onnx.TensorProto,
    nodes_splits: onnx.TensorProto,
    nodes_trueleafs: Sequence[int],
    nodes_truenodeids: Sequence[int],
    tree_roots: Sequence[int],
    aggregate_function: int = SUM,
    membership_values: onnx.TensorProto | None = None,
    n_targets: int = 1,
    nodes_hitrates: onnx.TensorProto | None = None,
    nodes_missing_value_tracks_true: Sequence[int] | None = None,
    post_transform: int = 0,
) -> str:
    """Every node's decision; of each leaf, whether all decisions on its way hold; and the leaves' weights summed up."""
    if aggregate_function != SUM or post_transform or any(nodes_missing_value_tracks_true or ()):
        raise UnsupportedError(
            f"aggregate_function is {AGGREGATES[aggregate_function]}, post_transform {post_transform}; expected sums "
            f"without one, and no missing values that count as true"
        )
    dtype, modes, leaf_values = op.dtype(X), _array(nodes_modes), _array(leaf_weights)
    decided = _decisions(op, X, nodes_featureids, modes, _array(nodes_splits), _sets(membership_values))
    both = op.Concat(decided, op.Sub(np.ones(1, dtype), decided, label="false"), axis=-1, label="branches")
    branches = (nodes_trueleafs, nodes_truenodeids), (nodes_falseleafs, nodes_falsenodeids)
    leaves = [leaf for root in tree_roots for leaf in _leaves(root, branches)]
    longest = max(len(leaf.way) for leaf in leaves)
    taken = [[n + (0 if yes else len(modes)) for n, yes in x.way] for x in leaves]
    # A way that is shorter than the longest is filled up with its own last step.
    steps = np.array([way + way[-1:] * (longest - len(way)) for way in taken])
    reached = op.ReduceMin(op.Gather(both, steps, axis=-1), axes=[-1], keepdims=0, label="reached")
    target = np.array([leaf_targetids[x.leaf] for x in leaves])
    value = np.array([leaf_values[x.leaf] for x in leaves]).astype(dtype)
    sources = [np.flatnonzero(target == k) for k in range(n_targets)]
    return sums(op, reached, sources, [value[found] for found in sources])


def _decisions(op: Builder, X: str, features: Sequence[int], modes: Array, splits: Array, sets: Iterator[Array]) -> str:
    """1 for each node whose condition holds, 0 for the others: (rows, nodes)."""
    dtype, columns = op.dtype(X), []
    for feature, mode, split in zip(features, modes.tolist(), splits, strict=True):
        x = op.Gather(X, np.array([feature]), axis=-1, label="feature")
        if mode == MEMBER:
            equal = op.cast(op.Equal(x, next(sets).astype(dtype), label="equal"), dtype)
            columns.append(op.ReduceMax(equal, axes=[-1], keepdims=1, label="member"))
            continue
        compared = op.add("Equal" if mode == NOT_EQUAL else COMPARISONS[mode], x, np.full(1, split, dtype))
        columns.append(op.cast(op.Not(compared) if mode == NOT_EQUAL else compared, dtype))
    return str(op.Concat(*columns, axis=-1, label="decisions"))


def _array(tensor: onnx.TensorProto) -> Array:
    return numpy_helper.to_array(tensor)


def _sets(members: onnx.TensorProto | None) -> Iterator[Array]:
    """The values of each node that asks for membership: they end with a NaN."""
    values = np.zeros(0) if members is None else _array(members)
    for part in np.split(values, np.flatnonzero(np.isnan(values)) + 1):
        yield part[~np.isnan(part)]


def _leaves(root: int, branches: Any, way: tuple[tuple[int, bool], ...] = ()) -> Iterator[_Leaf]:
    """All leaves below a node. A tree that is one leaf has a node whose branches are that leaf."""
    (true_leaf, true_node), (false_leaf, false_node) = branches
    for yes, is_leaf, child in ((True, true_leaf, true_node), (False, false_leaf, false_node)):
        longer = (*way, (root, yes))
        if is_leaf[root]:
            yield _Leaf(child[root], longer)
        elif len(longer) > len(true_leaf):
            raise ValueError("its nodes form a cycle")
        else:
            yield from _leaves(child[root], branches, longer)
