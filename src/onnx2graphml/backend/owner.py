"""What the views of a graph know of the graph that they belong to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, Protocol

import numpy.typing as npt

from onnx2graphml.graph.graph import NeuronGraph

Direction = Literal["in", "out", "both"]


class Owner(Protocol):
    """A `LazyGraph`; see there."""

    neuron_graph: NeuronGraph

    def __len__(self) -> int: ...

    def __contains__(self, node: object) -> bool: ...

    def nbunch_iter(self, nbunch: Any) -> Iterator[Any]:
        """The nodes of a bunch that are in the graph."""

    def is_multigraph(self) -> bool:
        """Whether edges are parallel."""

    def degree_array(self, direction: Direction, weight: str | None = None) -> npt.NDArray[Any]:
        """The degrees of all nodes."""

    def degrees_of(self, nodes: Sequence[int], direction: Direction, weight: str | None) -> list[int | float]:
        """The degrees of some."""
