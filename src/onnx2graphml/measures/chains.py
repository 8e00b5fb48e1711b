"""Networks without branches, taken apart into tracks: dimensions that run through the layers side by side.

In a chain of layers all paths between two neurons have the same length, and their number is a product over dimensions:
the relation of a convolution is one of rows times one of columns times all channels with all. A track is one dimension
of a layer, followed through windows and moves until a sum over all of it ends it. Whatever is wanted of all pairs of
neurons is then made of matrices of the size of a row.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis, Ints
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.dimensions import NotAChain, move_of, radices_of
from onnx2graphml.measures.relations import Relation, identity

LARGEST = 1 << 12  # places along one dimension whose relation is held as a matrix


@dataclass(eq=False)
class Track:
    """One dimension.

    Attributes:
        steps: for every step from a layer to the next, the relation along this dimension; of size 1 where the track
            has not begun or has ended.
        dimension: for every layer, which of its dimensions this is; None where it has not begun or has ended.
    """

    steps: list[Relation] = field(default_factory=list)
    dimension: list[int | None] = field(default_factory=list)

    @functools.cached_property
    def between(self) -> dict[tuple[int, int], Relation]:
        """The numbers of paths from layer i to layer j along this dimension, for all i <= j."""
        found = {}
        for i in range(len(self.steps) + 1):
            size = self.steps[i].sources if i < len(self.steps) else self.steps[-1].targets
            relation = found[i, i] = identity(size)
            for j in range(i, len(self.steps)):
                relation = found[i, j + 1] = relation.then(self.steps[j])
        return found


@dataclass(frozen=True, eq=False)
class Chain:
    """A network as tracks.

    Attributes:
        radices: of each layer, the sizes of its dimensions; their product is the number of its neurons, row-major.
        tracks: each dimension of each layer is in one.
        steps: for every step from a layer to the next, its tracks with the part of the block that each is.
    """

    radices: tuple[tuple[int, ...], ...]
    tracks: tuple[Track, ...]
    steps: tuple[tuple[tuple[Track, Factor], ...], ...]

    def own(self, layer: int) -> list[Track]:
        """The tracks of a layer's dimensions, in order."""
        alive = [t for t in self.tracks if t.dimension[layer] is not None]
        return sorted(alive, key=lambda t: t.dimension[layer] or 0)


def chain_of(graph: NeuronGraph) -> Chain:
    """The network as tracks.

    Raises:
        NotAChain: it has branches, or a layer's edges are not a product of dimensions.
    """
    if len(graph.layers) < 2 or graph.layers[0].incoming:
        raise NotAChain("it has one layer only")
    for before, layer in itertools.pairwise(graph.layers):
        if len(layer.incoming) != 1 or layer.incoming[0].source != before.name:
            raise NotAChain(f"layer {layer.name!r} has not all its edges from {before.name!r}, the layer before it")
        if not layer.in_edges:
            raise NotAChain(f"layer {layer.name!r} has no edges")
    blocks = [layer.incoming[0].block for layer in graph.layers[1:]]
    radices = radices_of([layer.shape for layer in graph.layers], [x.neurons for x in graph.layers], blocks)
    tracks = [Track(dimension=[d]) for d in range(len(radices[0]))]
    steps = []
    for k, block in enumerate(blocks):
        factors = _factors(block, radices[k], radices[k + 1], graph.layers[k + 1].name)
        steps.append(tuple(_extend(tracks, factors)))
    return Chain(tuple(radices), tuple(tracks), tuple(steps))


# ------------------------------------------------------------------------ a step as relations along dimensions


@dataclass(frozen=True, eq=False)
class Factor:
    """A relation from one dimension of a layer to one of the next; None where it comes from nothing, or ends.

    Attributes:
        axis: of the block, by its number; None where no axis varies along the dimension.
        places: of every entry of that axis, its source and its target along the dimension.
    """

    source: int | None
    target: int | None
    relation: Relation
    axis: int | None = None
    places: tuple[Ints | int, Ints | int] = (0, 0)


def _factors(block: EdgeBlock, sources: Sequence[int], targets: Sequence[int], name: str) -> list[Factor]:
    ends = [_Side.of([getattr(a, side) for a in block.axes], sizes)
            for side, sizes in (("source", sources), ("target", targets))]  # fmt: skip
    found = [f for k, axis in enumerate(block.axes) for f in _of_axis(axis, k, ends, name)]
    for d, n in enumerate(sources):
        if not any(f.source == d for f in found):
            found.append(Factor(d, None, _some(ends[0].fixed[d], n, False)))
    for d, n in enumerate(targets):
        if not any(f.target == d for f in found):
            found.append(Factor(None, d, _some(ends[1].fixed[d], n, True)))
    for touched in (
        [f.source for f in found if f.source is not None],
        [f.target for f in found if f.target is not None],
    ):
        if len(set(touched)) < len(touched):
            raise NotAChain(f"layer {name!r} has two relations along one dimension")
    return found


@dataclass(frozen=True, eq=False)
class _Side:
    """The axes of a block on one side, in coordinates.

    Attributes:
        sizes: of the layer's dimensions.
        fixed: for every dimension, where all edges are, but for what axes add that vary along it.
        places: for every axis, by dimension along which it varies, the places of its entries.
    """

    sizes: Sequence[int]
    fixed: list[int]
    places: list[dict[int, Ints]]

    @staticmethod
    def of(offsets: Sequence[Ints], sizes: Sequence[int]) -> _Side:
        every = [np.array(np.unravel_index(o, tuple(sizes)), np.int64).reshape(len(sizes), -1) for o in offsets]
        varies = [[d for d, c in enumerate(at) if c.min() < c.max()] for at in every]
        fixed = [
            sum(int(at[d][0]) for at, own in zip(every, varies, strict=True) if d not in own) for d in range(len(sizes))
        ]
        places = [{d: at[d] + fixed[d] for d in own} for at, own in zip(every, varies, strict=True)]
        if any(p.max() >= sizes[d] for own in places for d, p in own.items()):
            raise NotAChain("a layer's positions are told by dimensions that don't fit")
        return _Side(sizes, fixed, places)

    def is_product(self, axis: int, offsets: Ints) -> bool:
        """Whether an axis's places are all combinations of those along each dimension."""
        return math.prod(len(ax.distinct(p)) for p in self.places[axis].values()) == len(ax.distinct(offsets))


def _of_axis(axis: Axis, k: int, ends: Sequence[_Side], name: str) -> list[Factor]:
    before, after = ends
    source, target = before.places[k], after.places[k]
    if _is_complete(axis) and before.is_product(k, axis.source) and after.is_product(k, axis.target):
        return [
            *(Factor(d, None, _some(p, before.sizes[d], False), k, (p, 0)) for d, p in source.items()),
            *(Factor(None, d, _some(p, after.sizes[d], True), k, (0, p)) for d, p in target.items()),
        ]
    if move_of(axis) is not None and [before.sizes[d] for d in source] == [after.sizes[d] for d in target]:
        pairs = zip(source, target, strict=True)
        return [Factor(s, t, identity(before.sizes[s]), k, (source[s], target[t])) for s, t in pairs]
    if len(source) != 1 or len(target) != 1:
        raise NotAChain(f"layer {name!r} joins places along more than one dimension at once")
    ((s, from_),), ((t, to),) = source.items(), target.items()
    n, m = before.sizes[s], after.sizes[t]
    if max(n, m) > LARGEST:
        raise NotAChain(f"layer {name!r} has a relation of {n:,} by {m:,} places along one dimension")
    matrix = np.zeros((n, m))
    np.add.at(matrix, (from_, to), 1)
    return [Factor(s, t, Relation.of(matrix), k, (from_, to))]


def _is_complete(axis: Axis) -> bool:
    """Whether the axis joins each of its sources to each of its targets."""
    sources, targets = len(ax.distinct(axis.source)), len(ax.distinct(axis.target))
    if len(axis) != sources * targets:
        return False
    return min(sources, targets) == 1 or len(np.unique(np.stack([axis.source, axis.target]), axis=1).T) == len(axis)


def _some(places: Ints | int, n: int, target: bool) -> Relation:
    """From all places of a dimension to one that is the only one, or from such a one; others have no edges."""
    row = np.zeros((1, n))
    row[0, places] = 1
    return Relation.of(row if target else row.T)


def _extend(tracks: list[Track], factors: Sequence[Factor]) -> list[tuple[Track, Factor]]:
    """Carry all tracks one layer further, and add those that begin there; each track with what carried it."""
    layers, carried = len(tracks[0].dimension), []
    for track in tracks:
        dimension = track.dimension[-1]
        own = Factor(None, None, Relation(1, 1))
        if dimension is not None:
            own = next(f for f in factors if f.source == dimension)
        track.steps.append(own.relation)
        track.dimension.append(own.target)
        carried.append((track, own))
    for factor in factors:
        if factor.source is None and factor.target is not None:
            before = [Relation(1, 1)] * (layers - 1)
            tracks.append(Track([*before, factor.relation], [*[None] * layers, factor.target]))
            carried.append((tracks[-1], factor))
    return carried
