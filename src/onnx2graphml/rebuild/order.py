"""Groups of neurons in an order in which each reads only those before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error

Ints = npt.NDArray[np.int64]


def ordered(group: Ints, source: Ints, target: Ints, told: Callable[[int], str]) -> tuple[Ints, list[int]]:
    """Groups in topological order; where groups read each other, they are split by the neurons' generations.

    Args:
        group: of each neuron; groups are numbered from 0.
        source, target: positions of neurons, of each edge.
        told: a neuron's name, for the message.

    Returns:
        The group of each neuron, counted anew in the order, and for each group which it was.

    Raises:
        Error: neurons read each other in a circle.

    Example:
        >>> ordered(np.array([1, 0, 0]), np.array([0]), np.array([1]), str)
        (array([0, 1, 1]), [1, 0])
    """
    arrows = np.unique(np.stack([group[source], group[target]], axis=1), axis=0)
    order = _topological(int(group.max(initial=-1)) + 1, arrows)
    if order is not None:
        place = np.empty(len(order), np.int64)
        place[order] = np.arange(len(order))
        return place[group], order
    generation = _generations(len(group), source, target, told)
    pairs, split = np.unique(np.stack([generation, group], axis=1), axis=0, return_inverse=True)
    return split.ravel().astype(np.int64), pairs[:, 1].tolist()


def _topological(groups: int, arrows: Ints) -> list[int] | None:
    """The groups in an order in which arrows go forward, the first possible one first; None if there is none."""
    import heapq

    degree = np.bincount(arrows[:, 1], minlength=groups).tolist()
    followers: list[list[int]] = [[] for _ in range(groups)]
    for a, b in arrows.tolist():
        followers[a].append(b)
    ready = [g for g in range(groups) if not degree[g]]
    found = []
    while ready:
        found.append(g := heapq.heappop(ready))
        for b in followers[g]:
            degree[b] -= 1
            if not degree[b]:
                heapq.heappush(ready, b)
    return found if len(found) == groups else None


def _generations(neurons: int, source: Ints, target: Ints, told: Callable[[int], str]) -> Ints:
    """For each neuron, the greatest number of edges on a way to it."""
    order = np.argsort(source, kind="stable")
    start = np.searchsorted(source[order], np.arange(neurons + 1))
    degree, generation = np.bincount(target, minlength=neurons), np.zeros(neurons, np.int64)
    (front,) = np.nonzero(degree == 0)
    number = done = 0
    while len(front):
        generation[front], number, done = number, number + 1, done + len(front)
        edges = np.concatenate([order[start[n] : start[n + 1]] for n in front.tolist()])
        reached, times = np.unique(target[edges], return_counts=True)
        degree[reached] -= times
        front = reached[degree[reached] == 0]
    if done < neurons:
        circle = _circle(degree > 0, source, target)
        shown = " -> ".join(told(n) for n in circle[:6]) + (" -> …" if len(circle) > 6 else f" -> {told(circle[0])}")
        raise Error(f"the graph has a cycle: {shown}; remove one of its edges")
    return generation


def _circle(left: npt.NDArray[np.bool_], source: Ints, target: Ints) -> list[int]:
    """A circle among neurons that each have an in-edge from another of them."""
    inside = left[source] & left[target]
    before = dict(zip(target[inside].tolist(), source[inside].tolist(), strict=True))
    walk, at = dict[int, int](), int(np.argmax(left))
    while at not in walk:
        walk[at] = len(walk)
        at = before[at]
    return [n for n, k in walk.items() if k >= walk[at]][::-1]
