"""What one input makes of a graph: each neuron's value, and of each choice the candidate that went on.

No edge is stored: what an edge contributes, and whether it was chosen, follows from its ends.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]
Flags = npt.NDArray[np.int8]

VALUE = "value"
"""The name of the column of values."""
NO = -1
"""No port, no term; of a winner: the edge is no candidate."""
NONE_CHOSEN = -2


@dataclass(frozen=True, eq=False)
class Winners:
    """Which candidate went on, for each neuron of a layer that chooses one.

    Candidates are told apart by their sources, or where the layer has ports or terms, by these.

    Attributes:
        ports: by which candidates come in; -1 stands for edges without a port.
        source: ids, by position in the layer; `NONE_CHOSEN` where the bias went on. None where ports and terms tell.
        port, term: by position; empty where sources tell.
    """

    ports: tuple[int, ...]
    source: Ints | None
    port: Ints
    term: Ints

    def flags(self, position: Ints, source: Ints, port: int, term: Ints | None) -> Flags:
        """Of edges: 1 for a chosen one, 0 for another candidate, -1 for what is no candidate, such as a condition.

        Args:
            position: of the targets in the layer.
            source: ids.
            port: of all these edges, and `term`: of each; -1 or None where there is none.
        """
        if port not in self.ports:
            return np.full(len(position), NO, np.int8)
        if self.source is not None:
            return np.asarray(self.source[position] == source, np.int8)
        of = NO if term is None else term
        return np.asarray((self.port[position] == port) & (self.term[position] == of), np.int8)


@dataclass(frozen=True, eq=False)
class Recorded:
    """What one input makes of a graph's neurons and edges.

    Attributes:
        value: a float for every neuron, by id.
        winners: by the names of the layers that choose.
    """

    value: Floats
    winners: Mapping[str, Winners]

    def contribution(self, source: Ints, weight: Floats) -> Floats:
        """weight · value of the source, for edges from these ids; float32 where both are, otherwise float64."""
        with np.errstate(all="ignore"):
            return np.asarray(weight * self.value[source] + 0)  # -0.0 is 0.0

    def flags(self, layer: str, position: Ints, source: Ints, port: int | None, term: Ints | None) -> Flags:
        """As `Winners.flags`, of edges into any layer."""
        if layer not in self.winners:
            return np.full(len(position), NO, np.int8)
        return self.winners[layer].flags(position, source, NO if port is None else port, term)

    def has_candidates(self, layer: str, port: int | None) -> bool:
        """Whether the edges of a port into a layer are candidates."""
        return layer in self.winners and (NO if port is None else port) in self.winners[layer].ports

    def part(self, kept: Ints, choosing: Mapping[str, bool], neurons: int) -> Recorded:
        """What is left of it in a sub-network.

        Args:
            kept: the ids, in the whole, of the sub-network's neurons in their order.
            choosing: by name of each of its layers, whether its in-edges are still there.
            neurons: of the whole.
        """
        number = np.full(neurons, NONE_CHOSEN, np.int64)
        number[kept] = np.arange(len(kept))
        winners = {name: w for name, w in self.winners.items() if choosing.get(name)}
        moved = {
            name: w
            if w.source is None
            else dataclasses.replace(w, source=np.where(w.source < 0, w.source, number[w.source]))
            for name, w in winners.items()
        }
        return Recorded(self.value[kept], moved)
