"""What every reader finds: nodes, layer by layer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.graph.recorded import VALUE

Ints = npt.NDArray[Any]
Values = npt.NDArray[np.float64]
Shared = tuple[str, str, str, str]
"""What the nodes of a layer share: `layer`, `op`, `combine`, `activation`, the last one empty where there is none."""

SPATIAL = ("channel", "row", "col")


@dataclass(frozen=True, eq=False)
class NodeRows:
    """Nodes, one a row, as they stand in the file.

    Attributes:
        id: int64.
        group: which of the `Shared` it has.
        rank: how many coordinates its index has, and `at`: those of all nodes, one after the other.
        spatial: (nodes, 3): channel, row and col, -1 where there is none.
        bias: float64, NaN where there is none, and `biased`: where there is one.
        columns: further attributes by name, such as a measure, or the `value` that an input makes of them: float64, NaN
            where there is none, or int64.
    """

    id: Ints
    group: Ints
    rank: Ints
    at: Ints
    spatial: Ints
    bias: Values
    biased: npt.NDArray[np.bool_]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class FoundLayer:
    """The nodes of a layer, one a row, in the order of the file; for the attributes see `NodeRows`.

    Attributes:
        at: (nodes, rank) coordinates.
    """

    name: str
    op: str
    combine: str
    activation: str
    id: Ints
    at: Ints
    spatial: Ints
    bias: Values
    biased: npt.NDArray[np.bool_]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """The smallest shape that has all indices."""
        return tuple(int(n) + 1 for n in self.at.max(axis=0, initial=-1))


@dataclass(frozen=True, eq=False)
class Part:
    """Some nodes that share the same, one a row; as few bytes as their numbers need.

    Attributes:
        group: which of the `Shared` they have.
        id, at, spatial, bias, biased, columns: as in a `FoundLayer`.
    """

    group: int
    id: Ints
    at: Ints
    spatial: Ints
    bias: Values
    biased: npt.NDArray[np.bool_]
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)


def parts_of(rows: NodeRows) -> Iterator[Part]:
    """Rows by what they share, and by their number of coordinates."""
    start = np.cumsum(rows.rank, dtype=np.int64) - rows.rank
    kind = rows.group * (np.int64(rows.rank.max(initial=0)) + 1) + rows.rank
    runs = np.flatnonzero(np.diff(kind)) + 1
    if len(rows.id) == 0 or (np.diff(kind[np.r_[0, runs]]) > 0).all():  # as they are written
        every: list[Any] = [slice(a, b) for a, b in itertools.pairwise([0, *runs.tolist(), len(kind)]) if a < b]
    else:
        order = np.argsort(kind, kind="stable")
        every = np.split(order, np.flatnonzero(np.diff(kind[order])) + 1)
    for own in every:
        rank = int(rows.rank[own][0])
        if isinstance(own, slice):
            count = own.stop - own.start
            at = rows.at[start[own.start] :][: rank * count].reshape(count, rank)
        else:
            at = rows.at[start[own][:, None] + np.arange(rank)]
        rest = compact(rows.spatial[own]), rows.bias[own], rows.biased[own]
        further = {name: values[own] for name, values in rows.columns.items()}
        yield Part(int(rows.group[own][0]), rows.id[own], compact(at), *rest, further)


def compact(values: Ints) -> Ints:
    """Integers in as few bytes as they need."""
    low, high = values.min(initial=0), values.max(initial=0)
    for kind in (np.int8, np.int16, np.int32):
        if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
            return values.astype(kind, copy=False)
    return values


def layers_of(parts: list[Part], groups: Sequence[Shared], path: object) -> list[FoundLayer]:
    """The nodes layer by layer, in the order of `groups`; `parts` becomes empty.

    Raises:
        Error: ids are not 0, 1, …, each once; or nodes of one layer differ in what the layer's nodes share.
    """
    check_ids([part.id for part in parts], path)
    names = [name for name, *_ in groups]
    for name in [n for n, times in Counter(names).items() if times > 1]:
        raise Error(f"{path}: the nodes of layer {name!r} differ in op, combine or activation; expected one of each")
    return _joined(parts, groups, path)


def edited_layers_of(parts: list[Part], groups: Sequence[Shared], path: object) -> list[FoundLayer]:
    """The nodes of a graph that may have been edited: ids may be missing, and a layer have a part for each of `groups`.

    Raises:
        Error: a node is there twice; or those of one part have indices of several ranks, or negative ones.
    """
    every = [part.id for part in parts]
    ids, times = np.unique(np.concatenate(every) if every else np.empty(0, np.int64), return_counts=True)
    if times.max(initial=1) > 1:
        raise Error(f"{path}: node n{ids[times.argmax()]} is there {times.max()} times; expected once")
    return _joined(parts, groups, path)


def _joined(parts: list[Part], groups: Sequence[Shared], path: object) -> list[FoundLayer]:
    by_group: list[list[Part]] = [[] for _ in groups]
    for part in parts:
        by_group[part.group].append(part)
    kinds = {
        name: np.result_type(*(part.columns[name] for part in parts)) for name in (parts[0].columns if parts else ())
    }
    parts.clear()
    found = []
    for number, (name, op, combine, activation) in enumerate(groups):
        own, by_group[number] = by_group[number], []
        ranks = sorted({part.at.shape[1] for part in own})
        if len(ranks) != 1:
            raise Error(f"{path}: the indices of layer {name!r} have {ranks} coordinates; expected one number")
        at = _in_a_row([part.at for part in own])
        if at.min(initial=0) < 0:
            raise Error(f"{path}: layer {name!r} has a negative index")
        spatial, bias, biased = (_in_a_row([getattr(p, x) for p in own]) for x in ("spatial", "bias", "biased"))
        further = {
            x: _in_a_row([part.columns[x].astype(kind, copy=False) for part in own]) for x, kind in kinds.items()
        }
        ids = _in_a_row([part.id for part in own])
        found.append(FoundLayer(name, op, combine, activation, ids, at, spatial, bias, biased, further))
    return found


def _in_a_row(arrays: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """One behind the other; those of the same value throughout take no memory."""
    if len(arrays) == 1:
        return arrays[0]
    values = [array[0] for array in arrays if array.ndim == 1 and array.strides == (0,)]
    if len(values) == len(arrays) and all(np.array_equal(value, values[0], equal_nan=True) for value in values):
        return np.broadcast_to(values[0], sum(map(len, arrays)))
    return np.concatenate(arrays)


def values_of(layers: Sequence[FoundLayer]) -> Values | None:
    """What an input makes of all nodes, by id; None where the file has nothing of it."""
    return column_of(layers, VALUE) if layers and all(VALUE in layer.columns for layer in layers) else None


def column_of(layers: Sequence[FoundLayer], name: str) -> npt.NDArray[Any]:
    """A further attribute of all nodes, by id."""
    parts = [layer.columns[name] for layer in layers]
    values = np.empty(sum(map(len, parts)), parts[0].dtype)
    for layer, part in zip(layers, parts, strict=True):
        values[layer.id] = part
    return values


def check_ids(parts: Sequence[Ints], path: object) -> None:
    """`Error` where ids are not 0, 1, …, each once."""
    n = sum(map(len, parts))
    there = np.zeros(n, bool)
    for ids in parts:
        wrong = ids[(ids < 0) | (ids >= n)]
        if wrong.size:
            raise Error(f"{path}: there are {n} nodes and one is n{wrong[0]}; expected ids n0 to n{n - 1}")
        there[ids] = True
    if not there.all():
        counts = np.bincount(np.concatenate(parts), minlength=n)
        raise Error(f"{path}: node n{counts.argmax()} is there {counts.max()} times; expected once")
