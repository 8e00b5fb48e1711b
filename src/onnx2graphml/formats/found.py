"""What every reader finds: nodes, layer by layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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


def layers_of(columns: NodeRows, groups: Sequence[Shared], path: object) -> list[FoundLayer]:
    """The nodes layer by layer, in the order of `groups`.

    Raises:
        Error: ids are not 0, 1, …, each once; or nodes of one layer differ in what the layer's nodes share.
    """
    check_ids(columns.id, path)
    names = [name for name, *_ in groups]
    for name in [n for n, times in Counter(names).items() if times > 1]:
        raise Error(f"{path}: the nodes of layer {name!r} differ in op, combine or activation; expected one of each")
    return edited_layers_of(columns, groups, path)


def edited_layers_of(columns: NodeRows, groups: Sequence[Shared], path: object) -> list[FoundLayer]:
    """The nodes of a graph that may have been edited: ids may be missing, and a layer have a part for each of `groups`.

    Raises:
        Error: a node is there twice; or those of one part have indices of several ranks, or negative ones.
    """
    ids, times = np.unique(columns.id, return_counts=True)
    if times.max(initial=1) > 1:
        raise Error(f"{path}: node n{ids[times.argmax()]} is there {times.max()} times; expected once")
    order = np.argsort(columns.group, kind="stable")
    bounds = np.searchsorted(columns.group[order], np.arange(len(groups) + 1))
    start = np.cumsum(columns.rank) - columns.rank
    found = []
    for number, (name, op, combine, activation) in enumerate(groups):
        rows = order[bounds[number] : bounds[number + 1]]
        ranks = np.unique(columns.rank[rows])
        if len(ranks) != 1:
            raise Error(f"{path}: the indices of layer {name!r} have {ranks.tolist()} coordinates; expected one number")
        at = columns.at[start[rows][:, None] + np.arange(ranks[0])]
        if at.min(initial=0) < 0:
            raise Error(f"{path}: layer {name!r} has a negative index")
        rest = columns.id[rows], at, columns.spatial[rows], columns.bias[rows], columns.biased[rows]
        further = {name: values[rows] for name, values in columns.columns.items()}
        found.append(FoundLayer(name, op, combine, activation, *rest, further))
    return found


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


def check_ids(ids: Ints, path: object) -> None:
    """`Error` where ids are not 0, 1, …, each once."""
    n = len(ids)
    wrong = ids[(ids < 0) | (ids >= n)]
    if wrong.size:
        raise Error(f"{path}: there are {n} nodes and one is n{wrong[0]}; expected ids n0 to n{n - 1}")
    counts = np.bincount(ids, minlength=n)
    if n and counts.max() > 1:
        raise Error(f"{path}: node n{counts.argmax()} is there {counts.max()} times; expected once")
