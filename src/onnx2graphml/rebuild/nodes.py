"""Nodes and edges as columns, wherever they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.formats.found import Shared

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class NodeGroup:
    """Nodes that share a layer, an operator, an aggregation and an activation.

    Attributes:
        shared: the layer, the operator, the aggregation and the activation, as text.
        id: of each node.
        at: (nodes, rank): its index.
        bias: float64, NaN where there is none.
        spatial: which coordinates are the channel and the rows and columns; empty where the layer is no picture.
    """

    shared: Shared
    id: Ints
    at: Ints
    bias: npt.NDArray[np.float64]
    spatial: tuple[int, ...] = ()

    @property
    def layer(self) -> str:
        """The name of the layer."""
        return self.shared[0]

    @property
    def aggregation(self) -> str:
        """How a value starts, as in `Layer`."""
        return self.shared[2]


@dataclass(frozen=True, eq=False)
class Columns:
    """A graph as it was read.

    Attributes:
        groups: of nodes, in their order; of one layer there may be several.
        edges: with ids of nodes.
        about: the graph's attributes.
        outputs: the names of the layers that are the outputs; None where that is not told.
        shapes: of layers whose last neurons may be gone, by name.
        told: a node's name for messages, from its id.
    """

    groups: Sequence[NodeGroup]
    edges: EdgeRows
    about: Mapping[str, str] = field(default_factory=dict)
    outputs: Sequence[str] | None = None
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    told: Callable[[int], str] = lambda id: f"n{id}"


def joined(parts: Sequence[EdgeRows]) -> EdgeRows:
    """Chunks of edges as one; a reader may use its chunk again, so that they have to be copied before."""
    if not parts:
        return EdgeRows.of([])
    columns = ("source", "target", "weight", "port", "term")
    source, target, weight, port, term = (np.concatenate([getattr(part, name) for part in parts]) for name in columns)
    return EdgeRows(source, target, weight, port, term)


def positions(ids: Ints, wanted: Ints, told: Callable[[int], str]) -> Ints:
    """Where ids stand among those of the nodes; `Error` where one is no node."""
    order = np.argsort(ids, kind="stable")
    at = np.minimum(np.searchsorted(ids[order], wanted), max(len(ids) - 1, 0))
    wrong = np.flatnonzero(ids[order][at] != wanted) if len(ids) else np.arange(len(wanted))
    if len(wrong):
        raise Error(f"an edge ends at {told(int(wanted[wrong[0]]))}, which is no node of the graph; remove the edge")
    found: Ints = order[at]
    return found
