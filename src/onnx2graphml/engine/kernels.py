"""The few compiled loops of products: along one dimension of a grid, and a plane with sums for products."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


@compiled
def along_sum(source: Ints, target: Ints, x: Floats, out: Floats) -> None:
    """`out[:, t] += x[:, s]` for every pair of a relation; both have three dimensions."""
    for o in range(x.shape[0]):
        for e in range(source.size):
            s, t = source[e], target[e]
            for i in range(x.shape[2]):
                out[o, t, i] += x[o, s, i]


@compiled
def along_max(source: Ints, target: Ints, x: Floats, out: Floats) -> None:
    """`out[:, t] = max(out[:, t], x[:, s])`."""
    for o in range(x.shape[0]):
        for e in range(source.size):
            s, t = source[e], target[e]
            for i in range(x.shape[2]):
                out[o, t, i] = max(out[o, t, i], x[o, s, i])


@compiled
def along_min(source: Ints, target: Ints, x: Floats, out: Floats) -> None:
    """`out[:, t] = min(out[:, t], x[:, s])`."""
    for o in range(x.shape[0]):
        for e in range(source.size):
            s, t = source[e], target[e]
            for i in range(x.shape[2]):
                out[o, t, i] = min(out[o, t, i], x[o, s, i])


@compiled
def along_any(source: Ints, target: Ints, x: Floats, out: Floats) -> None:
    """`out[:, t] |= x[:, s]`."""
    for o in range(x.shape[0]):
        for e in range(source.size):
            s, t = source[e], target[e]
            for i in range(x.shape[2]):
                out[o, t, i] |= x[o, s, i]


@compiled
def along_meet(parent: Ints, depth: Ints, source: Ints, target: Ints, x: Ints, out: Ints) -> None:
    """`out[:, t]` = the lowest common ancestor of `out[:, t]` and `x[:, s]` in a tree; -1 is no node."""
    for o in range(x.shape[0]):
        for e in range(source.size):
            s, t = source[e], target[e]
            for i in range(x.shape[2]):
                a, b = x[o, s, i], out[o, t, i]
                if a < 0 or b < 0:
                    out[o, t, i] = max(a, b)
                    continue
                while a != b:
                    if depth[a] >= depth[b]:
                        a = parent[a]
                    else:
                        b = parent[b]
                out[o, t, i] = a


@compiled
def plane_max(matrix: Floats, x: Floats, out: Floats) -> None:
    """`out[t, p] = max(out[t, p], matrix[t, s] + x[s, p])`: a matrix product of (max, +)."""
    for t in range(matrix.shape[0]):
        for s in range(matrix.shape[1]):
            w = matrix[t, s]
            for p in range(x.shape[1]):
                out[t, p] = max(out[t, p], w + x[s, p])


@compiled
def plane_min(matrix: Floats, x: Floats, out: Floats) -> None:
    """`out[t, p] = min(out[t, p], matrix[t, s] + x[s, p])`: a matrix product of (min, +)."""
    for t in range(matrix.shape[0]):
        for s in range(matrix.shape[1]):
            w = matrix[t, s]
            for p in range(x.shape[1]):
                out[t, p] = min(out[t, p], w + x[s, p])


@compiled
def edges_max(
    outer_source: Ints, outer_target: Ints, outer_tap: Ints, inner_source: Ints, inner_target: Ints, inner_tap: Ints,
    weights: Floats, x: Floats, out: Floats,
) -> None:  # fmt: skip
    """`out[target] = max(out[target], weight + x[source])` for every edge of a tile."""
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner_source.size):
            v = weights[k + inner_tap[i]] + x[s + inner_source[i]]
            out[t + inner_target[i]] = max(out[t + inner_target[i]], v)


@compiled
def edges_min(
    outer_source: Ints, outer_target: Ints, outer_tap: Ints, inner_source: Ints, inner_target: Ints, inner_tap: Ints,
    weights: Floats, x: Floats, out: Floats,
) -> None:  # fmt: skip
    """`out[target] = min(out[target], weight + x[source])` for every edge of a tile."""
    for o in range(outer_source.size):
        s, t, k = outer_source[o], outer_target[o], outer_tap[o]
        for i in range(inner_source.size):
            v = weights[k + inner_tap[i]] + x[s + inner_source[i]]
            out[t + inner_target[i]] = min(out[t + inner_target[i]], v)


@compiled
def join_planes(
    weight: Floats, source: Ints, target: Ints, plane: Ints, start: Ints, plane_source: Ints, plane_target: Ints,
    sources: int, parent: Ints, tree: Floats, joined: int,
) -> int:  # fmt: skip
    """Kruskal's algorithm: join the ends of every edge of every plane, in order, and note the weights that joined two.

    `parent` is the forest of parts, targets after sources; `tree` has `joined` weights and is filled up to its size.
    """
    for k in range(weight.size):
        for e in range(start[plane[k]], start[plane[k] + 1]):
            a, b = source[k] + plane_source[e], sources + target[k] + plane_target[e]
            while parent[a] != a:
                parent[a] = parent[parent[a]]
                a = parent[a]
            while parent[b] != b:
                parent[b] = parent[parent[b]]
                b = parent[b]
            if a != b:
                parent[max(a, b)] = min(a, b)
                tree[joined] = weight[k]
                joined += 1
                if joined == tree.size:
                    return joined
    return joined
