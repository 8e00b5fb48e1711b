"""What a file says that an input makes of neurons and edges: values, contributions and winners."""

from __future__ import annotations

import numpy as np

from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.graph.recorded import NO, Recorded
from onnx2graphml.verification.file.combined import Combined, rows_of
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.recompute import Values
from onnx2graphml.verification.winners import winners_of

OWN = "the file's own input"


class RecordedCheck:
    """The file's own input against the network.

    The values of the nodes are taken as they stand: each layer's are recomputed from those of the layers before it. The
    input's are the input. Then each edge is compared with what follows from these values.

    Attributes:
        combined: recomputes the layers.
    """

    def __init__(self, matched: Matched, values: Values) -> None:
        placed = np.empty(len(values))
        placed[slice(None) if matched.place is None else matched.place] = values
        self._single = all(np.can_cast(layer.dtype, np.float32) for layer in matched.graph.layers)
        if self._single:
            placed = placed.astype(np.float32).astype(np.float64)  # of which the file has the decimals
        by_layer = {layer.name: placed[rows_of(layer)] for layer in matched.graph.layers}
        self.combined = Combined(matched, by_layer)
        self._matched = matched
        self._expected = Recorded(placed, winners_of(matched.graph, by_layer))
        self._wrong = {name: np.zeros(len(values), np.int64) for name in ("contribution", "winner")}

    def add(self, edges: EdgeRows) -> None:
        """Take edges, whose ends are places."""
        self.combined.add(edges)
        if edges.recorded is None:
            self._count("contribution", edges, np.ones(len(edges), bool))
            return
        self._count("contribution", edges, ~self._is_product(edges, edges.recorded.contribution))
        flags, winner = self._flags(edges), edges.recorded.winner
        no = (flags == NO) & (winner == 0)  # as programs save what has no value
        self._count("winner", edges, (winner != flags) & ~no)

    def _is_product(self, edges: EdgeRows, found: Values) -> np.ndarray:
        """Whether contributions are weight · value, rounded to float32 where both are float32."""
        single = self._matched.single[edges.target]
        weight = np.where(single, edges.weight.astype(np.float32), edges.weight).astype(np.float64)
        expected = self._expected.contribution(edges.source, weight)
        short = single & self._single & (found.astype(np.float32) == expected.astype(np.float32))
        return np.asarray(short | (found == expected) | (np.isnan(found) & np.isnan(expected)))

    def _flags(self, edges: EdgeRows) -> np.ndarray:
        """Of each edge whether it is the winner of a choice."""
        flags = np.full(len(edges), NO, np.int8)
        for layer in self._matched.graph.layers:
            if layer.name not in self._expected.winners:
                continue
            rows = rows_of(layer)
            mine = np.flatnonzero((edges.target >= rows.start) & (edges.target < rows.stop))
            for port in np.unique(edges.port[mine]).tolist():
                at = mine[edges.port[mine] == port]
                place = edges.target[at] - rows.start
                flags[at] = self._expected.flags(layer.name, place, edges.source[at], port, edges.term[at])
        return flags

    def _count(self, what: str, edges: EdgeRows, wrong: np.ndarray) -> None:
        np.add.at(self._wrong[what], edges.target[wrong], 1)

    def problems(self, rows: slice) -> list[str]:
        """What is wrong with the edges into a layer."""
        found = []
        for what, wrong in self._wrong.items():
            if count := int(wrong[rows].sum()):
                found.append(f"another {what} than its ends give at {count} edges")
        return found
