"""What a function with a method of its own needs of a graph: what is measured, and names of nodes in and out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.measures.values import NodeValues


class NoMethod(NotImplementedError):
    """These arguments have no method here: NetworkX's own code takes over where the graph may be expanded."""


class Measured(Protocol):
    """A `LazyGraph` or a `ConvertedGraph`."""

    def __len__(self) -> int: ...

    def __contains__(self, node: object) -> bool: ...

    @property
    def measured(self) -> NeuronGraph:
        """The graph that measures run on; its ids need not be the nodes."""

    @property
    def is_converted(self) -> bool:
        """Whether NetworkX has the graph itself, and will run its own code if this backend does not."""

    def is_multigraph(self) -> bool:
        """Whether edges may be parallel."""

    def id(self, node: Any) -> int:
        """A node's id in `measured`."""

    def nodes_of(self, ids: npt.NDArray[np.int64]) -> list[Any]:
        """The nodes with these ids."""

    def by_node(self, values: NodeValues) -> Mapping[Any, Any]:
        """A measure by node."""

    def weight(self, name: Any) -> Any:
        """What the engine calls an attribute of edges."""
