"""One-dimensional relations: which positions of a source go together with which positions of a target.

Everything here is integers. An axis may be thought of along one dimension, in coordinates. `Axis.strided` turns the
coordinates into offsets in flat, row-major arrays. An `EdgeBlock` knows only these.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.model.limits import ask

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Axis:
    """A relation between source and target positions, each pair joined by one tap of a weight array.

    Attributes:
        source, target, tap: int64 arrays of one length. Entry `i` joins `source[i]` to `target[i]` by the
            weight at `tap[i]`.
        term: a fourth one, along axes that products are summed over or that candidates lie on; None is all zeros.

    Example:
        >>> window(input=4, output=4, kernel=3, pad=1).target.tolist()
        [0, 0, 1, 1, 1, 2, 2, 2, 3, 3]
    """

    source: Ints
    target: Ints
    tap: Ints
    term: Ints | None = None

    def __post_init__(self) -> None:
        if not len(self.source) == len(self.target) == len(self.tap):
            raise ValueError(
                f"an axis needs source, target and tap of one length, "
                f"got {len(self.source)}, {len(self.target)}, {len(self.tap)}"
            )

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, entries: slice | Ints | npt.NDArray[np.bool_]) -> Axis:
        term = None if self.term is None else self.term[entries]
        return Axis(self.source[entries], self.target[entries], self.tap[entries], term)

    def strided(self, source: int, target: int, tap: int = 0) -> Axis:
        """The same relation with its coordinates multiplied by strides, that is as flat offsets."""
        return Axis(_times(self.source, source), _times(self.target, target), _times(self.tap, tap), self.term)

    def with_term(self, term: Ints) -> Axis:
        """The same relation with a term for each entry."""
        return Axis(self.source, self.target, self.tap, np.ascontiguousarray(term, np.int64))

    def flipped(self) -> Axis:
        """The same relation with source and target exchanged."""
        return Axis(self.target, self.source, self.tap, self.term)


def _times(positions: Ints, stride: int) -> Ints:
    """Arrays are shared where nothing changes, and take no memory where all becomes 0."""
    if stride == 1:
        return positions
    return positions * stride if stride else np.zeros(len(positions), np.int64)


def relation(source: npt.ArrayLike, target: npt.ArrayLike, tap: npt.ArrayLike = 0) -> Axis:
    """An axis from three arrays or integers, broadcast to one length."""
    s, t, k = np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, np.int64)) for a in (source, target, tap)))
    return Axis(*map(np.ascontiguousarray, (s, t, k)))


def _positions(n: int) -> Ints:
    ask(n)
    return np.arange(n, dtype=np.int64)


def same(n: int) -> Axis:
    """Each position with itself, with a tap of its own: `(i, i, i)`."""
    i = _positions(n)
    return Axis(i, i, i)


def gather(n: int) -> Axis:
    """Every source position into one target: `(i, 0, i)`."""
    i = _positions(n)
    return relation(i, 0, i)


def spread(n: int) -> Axis:
    """One source into every target position: `(0, i, i)`."""
    i = _positions(n)
    return relation(0, i, i)


def shift(source: int = 0, target: int = 0) -> Axis:
    """A single entry: it moves a whole block by an offset."""
    return relation(source, target)


def window(input: int, output: int, kernel: int, stride: int = 1, dilation: int = 1, pad: int = 0) -> Axis:
    """The pairs that a sliding window joins: `(o·stride + k·dilation - pad, o, k)`, where that lies in the input.

    Padding is not a neuron: positions outside `0 … input-1` make no entry. Ordered by output position, then by tap.

    Source: the ONNX operators Conv and MaxPool, `pads`, `strides`, `dilations`.

    Raises:
        TooLargeError: they are too many to be held; see `model.limits.ask`.
    """
    outputs = _positions(output)
    corner = outputs * stride - pad  # where the first tap lies
    first = np.maximum(-(corner // dilation), 0)  # the first tap inside, and the one after the last
    beyond = np.minimum(-((corner - input) // dilation), kernel)
    taps = np.maximum(beyond - first, 0)
    pairs = int(taps.sum())
    ask(pairs)
    o = np.repeat(outputs, taps)
    k = np.arange(pairs, dtype=np.int64) - np.repeat(np.cumsum(taps) - taps - first, taps)
    return Axis(corner[o] + k * dilation, o, k)


def are_distinct(positions: Ints) -> bool:
    """Whether no position is there twice; mostly they ascend, and need not be sorted."""
    return bool((positions[1:] > positions[:-1]).all()) or len(distinct(positions)) == len(positions)


def distinct(positions: Ints) -> Ints:
    """Each position once, in ascending order.

    NumPy's `unique` puts them into a hash table, which takes ten times longer for millions of them.

    Example:
        >>> distinct(np.array([3, 1, 3])).tolist()
        [1, 3]
    """
    rising = positions[1:] > positions[:-1]
    if rising.all():
        return positions
    ordered = np.sort(positions)
    first = np.ones(len(ordered), bool)
    first[1:] = ordered[1:] > ordered[:-1]
    found: Ints = ordered[first]
    return found


def patterns(axis: Axis) -> list[tuple[Axis, Axis]]:
    """The axis as a union of products of positions, one entry a target, and a pattern around each.

    Targets whose entries lie alike, relative to their first, share a pattern: of a padded window there is one in the
    middle and one for each kind of border.

    Example:
        >>> [(len(p), len(q)) for p, q in patterns(window(input=9, output=9, kernel=3, pad=1))]
        [(2, 2), (7, 3)]
    """
    _, sizes = np.unique(axis.target, return_counts=True)
    if (sizes == 1).all():
        return [(axis, shift())]
    entries = np.split(np.argsort(axis.target, kind="stable"), np.cumsum(sizes)[:-1])
    alike: dict[bytes, list[Ints]] = {}
    for own in entries:
        lying = np.stack([side[own] - side[own[0]] for side in _moving(axis)])
        alike.setdefault(lying.tobytes(), []).append(own)
    found = []
    for group in alike.values():
        source, tap, *term = (side[group[0]] - side[group[0][0]] for side in _moving(axis))
        pattern = relation(source, 0, tap)
        found.append((axis[np.array([own[0] for own in group])], pattern.with_term(term[0]) if term else pattern))
    return found


def _moving(axis: Axis) -> list[Ints]:
    return [side for side in (axis.source, axis.tap, axis.term) if side is not None]


def product(axes: Sequence[Axis]) -> Axis:
    """All combinations of one entry from each axis as a single axis; the first axis varies slowest."""
    if len(axes) == 1:
        return axes[0]
    return Axis(*(None if parts is None else outer_sum(parts) for parts in sides(axes)))  # type: ignore[arg-type]


def concatenated(axes: Sequence[Axis]) -> Axis:
    """The entries of the axes one after the other, as one axis."""
    return Axis(*(None if parts is None else np.concatenate(parts) for parts in sides(axes)))  # type: ignore[arg-type]


def summed(axes: Sequence[Axis]) -> Axis:
    """Axes of one length added up, entry by entry."""
    return Axis(*(None if parts is None else sum(parts[1:], parts[0]) for parts in sides(axes)))  # type: ignore[arg-type]


def sides(axes: Sequence[Axis]) -> list[list[Ints] | None]:
    """The sources, the targets, the taps and the terms of axes; None for the terms where no axis has any."""
    columns: list[list[Ints] | None] = [[getattr(a, side) for a in axes] for side in ("source", "target", "tap")]
    with_terms = any(a.term is not None for a in axes)
    terms = [np.zeros(len(a), np.int64) if a.term is None else a.term for a in axes]
    return [*columns, terms if with_terms else None]


def outer_sum(parts: Sequence[Ints]) -> Ints:
    """`parts[0][i] + parts[1][j] + …` for all combinations, flat, the first index slowest."""
    ask(math.prod(len(part) for part in parts))
    total = np.zeros(1, np.int64)
    for part in parts:
        total = (total[:, None] + part).ravel()
    return total


def strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Row-major strides, in elements.

    Example:
        >>> strides((3, 224, 224))
        (50176, 224, 1)
    """
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
