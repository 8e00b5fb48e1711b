"""The ports of the model's edges, for files in a format that has none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import NO_PORT
from onnx2graphml.graph.graph import NeuronGraph

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class KnownPorts:
    """Which port an edge has, by its ends; only edges into functions have one, so that these are few.

    Attributes:
        pair: source and target as one number, ascending.
        port: int32, of each.
        nodes: of the graph.
    """

    pair: Ints
    port: npt.NDArray[np.int32]
    nodes: int

    @staticmethod
    def of(graph: NeuronGraph) -> KnownPorts:
        """The ports of a graph's edges.

        Raises:
            Error: two edges into different ports have the same ends.
        """
        pairs, ports = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
        for layer in graph.layers:
            if all(incoming.port is None for incoming in layer.incoming):
                continue
            for incoming, edges in graph.edges_into(layer):
                source = edges.source + graph.layer(incoming.source).first_id
                pairs.append(source * graph.neurons + edges.target + layer.first_id)
                ports.append(np.full(len(edges), NO_PORT if incoming.port is None else incoming.port, np.int32))
        pair, port = np.concatenate(pairs), np.concatenate(ports)
        order = np.argsort(pair, kind="stable")
        pair, port = pair[order], port[order]
        twice = np.flatnonzero((pair[1:] == pair[:-1]) & (port[1:] != port[:-1]))
        if twice.size:
            found = graph.layer_of(int(pair[twice[0]] % graph.neurons)).name
            raise Error(
                f"the file has no ports of edges, and layer {found!r} has several edges between the same two neurons: "
                f"which is which can't be told; save it with the edges' attributes"
            )
        return KnownPorts(pair, port, graph.neurons)

    def __call__(self, source: Ints, target: Ints) -> npt.NDArray[np.int32]:
        """The ports of edges; `NO_PORT` where the model has no such edge, or no port for it."""
        if not len(self.pair):
            return np.full(len(source), NO_PORT, np.int32)
        pair = source * self.nodes + target
        at = np.minimum(np.searchsorted(self.pair, pair), len(self.pair) - 1)
        return np.where(self.pair[at] == pair, self.port[at], np.int32(NO_PORT))
