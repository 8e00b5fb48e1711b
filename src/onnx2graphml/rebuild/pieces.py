"""Layers of a graph that was read: one for the nodes that compute alike."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, context
from onnx2graphml.graph.axes import strides
from onnx2graphml.graph.graph import Layer, Provenance
from onnx2graphml.graph.neurons import BASIC, Activation, parse_activations
from onnx2graphml.rebuild.nodes import NodeGroup

Ints = npt.NDArray[np.int64]
NO_BIAS = {"max": -math.inf, "min": math.inf, "product": 1.0}
"""What changes nothing as a further value; 0 where it is not told."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Nodes that become a layer.

    Attributes:
        layer: without edges. Its shape is that of the whole layer where it has all of its nodes, or where a place is
            left for those that are gone; otherwise its nodes stand one after the other.
        of: the name of the whole layer, and `shape`: its shape.
        nodes: their positions among all nodes.
        place: of each node in the layer, flat and row-major.
        index: of each node in the whole layer, likewise.
    """

    layer: Layer
    of: str
    shape: tuple[int, ...]
    nodes: Ints
    place: Ints
    index: Ints

    @property
    def is_whole(self) -> bool:
        """Whether the layer is the whole one."""
        return self.layer.name == self.of


def pieces_of(
    groups: Sequence[NodeGroup], members: Sequence[tuple[int, Ints]], known: Mapping[str, tuple[int, ...]]
) -> list[Piece]:
    """The layers, in order.

    Args:
        groups: of nodes.
        members: for each layer, whose nodes it has and which of them, as positions in the group.
        known: the shapes of layers, of which the last neurons may be gone.

    Raises:
        Error: an index is there twice, or neurons that a function couples differ in what they compute, or read each
            other.
        UnsupportedError: a function is not known.
    """
    shapes = _shapes(groups, known)
    first = np.cumsum([0, *(len(g.id) for g in groups)])
    _check_twice(groups, shapes)
    times = Counter(groups[g].layer for g, _ in members)
    taken = set(shapes)
    found = []
    for g, rows in members:
        name, shape = groups[g].layer, shapes[groups[g].layer]
        whole = times[name] == 1 and (len(rows) == math.prod(shape) or keeps_places(groups[g]))
        with context(f"layer {name!r}"):
            found.append(_piece(groups[g], rows, name if whole else _part(name, taken), shape, int(first[g])))
    return found


def keeps_places(group: NodeGroup) -> bool:
    """Whether a place is left for neurons that are gone: in an input, and where a function goes by positions."""
    return group.aggregation == "input" or any(a.couples for a in parse_activations(group.shared[3]))


def _piece(group: NodeGroup, rows: Ints, name: str, shape: tuple[int, ...], first: int) -> Piece:
    activation, neurons = parse_activations(group.shared[3]), math.prod(shape)
    if group.aggregation not in BASIC:
        Activation.parse(group.aggregation)
    index = (group.at[rows] * np.array(strides(shape), np.int64)).sum(axis=1)
    whole, coupling = name == group.layer, [a for a in activation if a.couples]
    if coupling and not whole:
        raise Error(f"its neurons are coupled by {coupling[0].op}, and differ in what they compute; make them alike")
    order = np.argsort(index, kind="stable")
    rows, index = rows[order], index[order]
    place = index if whole else np.arange(len(rows))
    bias = _bias(group, rows, place, neurons if whole else len(rows))
    if coupling and len(rows) < neurons:
        bias = _without_the_gone(group, activation, place, neurons, bias)
    own = shape if whole else (len(rows),)
    layer = Layer(
        name, group.shared[1], own, group.aggregation, None if bias is None else bias.reshape(own), activation,
        spatial=group.spatial if whole else (),
        provenance=Provenance(order=tuple(range(len(own)))),
    )  # fmt: skip
    return Piece(layer, group.layer, shape, rows + first, place, index)


def _bias(group: NodeGroup, rows: Ints, place: Ints, size: int) -> npt.NDArray[np.float32] | None:
    bias = group.bias[rows]
    missing = np.isnan(bias)
    if group.aggregation == "constant" and missing.any():
        raise Error(f"{missing.sum()} of its neurons are constant and have no bias, which is their value; add it")
    if missing.all():
        return None
    found = np.zeros(size, np.float32)
    found[place] = np.where(missing, NO_BIAS.get(group.aggregation, 0.0), bias)
    return found


def _without_the_gone(
    group: NodeGroup,
    activation: Sequence[Activation],
    place: Ints,
    neurons: int,
    bias: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]:
    """A bias with which neurons that are gone have no share in a softmax."""
    if group.aggregation != "sum" or not activation[0].couples:
        raise Error(f"neurons are gone that {activation[-1].op} couples behind another function; keep all of them")
    found = np.full(neurons, -np.inf, np.float32)
    found[place] = 0 if bias is None else bias[place]
    return found


def _shapes(groups: Sequence[NodeGroup], known: Mapping[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """By name of a layer, the smallest shape that has all indices, and those that the layer is known to have had."""
    names = {g.layer for g in groups}
    found = {name: shape for name, shape in known.items() if name in names}
    for g in groups:
        own = tuple(int(n) + 1 for n in g.at.max(axis=0, initial=-1))
        other = found.get(g.layer, own)
        if len(own) != len(other):
            raise Error(f"the indices of layer {g.layer!r} have {len(other)} and {len(own)} coordinates; expected one")
        found[g.layer] = tuple(map(max, own, other))
    return found


def _check_twice(groups: Sequence[NodeGroup], shapes: Mapping[str, tuple[int, ...]]) -> None:
    index: dict[str, list[Ints]] = {}
    for g in groups:
        index.setdefault(g.layer, []).append((g.at * np.array(strides(shapes[g.layer]), np.int64)).sum(axis=1))
    for name, parts in index.items():
        values, times = np.unique(np.concatenate(parts), return_counts=True)
        if times.max(initial=1) > 1:
            at = tuple(int(i) for i in np.unravel_index(int(values[times.argmax()]), shapes[name]))
            raise Error(f"index {at} is there twice in layer {name!r}; expected every index once")


def _part(name: str, taken: set[str]) -> str:
    """A name for a layer that has some of another's neurons."""
    own = next(n for n in (f"{name}/part{k}" for k in itertools.count(1)) if n not in taken)
    taken.add(own)
    return own
