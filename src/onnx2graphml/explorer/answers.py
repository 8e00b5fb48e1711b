"""What a page asks a server: values, edges, fields and traces from the lazy graph. No file is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from onnx2graphml.attribution.local import LocalGraph, local
from onnx2graphml.attribution.relevance import relevance
from onnx2graphml.attribution.trace import trace
from onnx2graphml.errors import Error
from onnx2graphml.explorer.pool import Array, message, stored
from onnx2graphml.explorer.runs import Explored
from onnx2graphml.explorer.structure import trained
from onnx2graphml.graph.blocks import Side
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.receptive_field import layer_fields
from onnx2graphml.parameters.arrays import layer_arrays

Query = Mapping[str, str]
MOST_TRACED = 20_000  # edges: more is not read on a screen


class Answers:
    """By name, a function from a question's parameters to a message.

    A parameter that is missing or out of range is an `Error`.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.explorer.runs import explored
        >>> answers = Answers(explored([onnx2graphml.load("fixtures/digits.onnx")], ["ties"]))
        >>> len(answers.known["values"]({"run": "0", "layer": "1"})) > 4096
        True
    """

    def __init__(self, found: Explored) -> None:
        self._found = found
        self._graph = found.graphs[0]
        self._locals: dict[int, LocalGraph] = {}
        self._lock = threading.Lock()
        self.known: dict[str, Callable[[Query], bytes]] = {
            "values": self._values,
            "edges": self._edges,
            "neuron": self._neuron,
            "field": self._field,
            "arrays": self._arrays,
            "trace": self._trace,
        }

    def warm(self) -> None:
        """Load the compiled loops that expand edges: the first answer then takes no longer than others."""
        blocks = (i.block for graph in self._found.graphs for layer in graph.layers for i in layer.incoming)
        kinds = {(b.weights.dtype, b.weights.flags.writeable, b.weights.flags.contiguous): b for b in blocks}
        for block in kinds.values():
            next(block.expand(), None)

    def _of(self, query: Query, name: str, end: int) -> int:
        text = query.get(name, "")
        if not (text.isascii() and text.isdigit() and len(text) < 16 and int(text) < end):
            raise Error(f"{name} is {text[:40]!r}; expected a number from 0 to {end - 1}")
        return int(text)

    def _runs(self, query: Query) -> list[int]:
        parts = query.get("runs", "").split(".")
        return [self._of({"runs": part}, "runs", len(self._found.runs)) for part in parts]

    def _graph_of(self, run: int) -> NeuronGraph:
        return self._found.graphs[self._found.runs[run].model]

    def _at(self, run: int, neurons: Array) -> Array:
        """The values of neurons, by id."""
        out = np.zeros(len(neurons))
        for layer in self._graph.layers:
            inside = (neurons >= layer.first_id) & (neurons < layer.first_id + layer.neurons)
            if inside.any():
                out[inside] = self._found.runs[run].values[layer.name].ravel()[neurons[inside] - layer.first_id]
        return out

    def _values(self, query: Query) -> bytes:
        run, layer = self._of(query, "run", len(self._found.runs)), self._of(query, "layer", len(self._graph.layers))
        return message({}, [stored(self._found.runs[run].values[self._graph.layers[layer].name])])

    def _edges(self, query: Query) -> bytes:
        neuron, runs = self._of(query, "neuron", self._graph.neurons), self._runs(query)
        graphs = [self._graph_of(run) for run in runs]
        into = query.get("side") != "out"
        every = [graph.in_edges(neuron) if into else graph.out_edges(neuron) for graph in graphs]
        edges = every[0]
        ends = edges.source if into else edges.target
        term = np.full(len(edges), -1) if edges.term is None else edges.term
        columns = [edges.source, edges.target, term, ports(graphs[0], neuron, into)]
        weights = [e.weight for e in every]
        return message({}, [*(c.astype("<f8") for c in columns), *weights, *(self._at(run, ends) for run in runs)])

    def _neuron(self, query: Query) -> bytes:
        neuron, runs = self._of(query, "neuron", self._graph.neurons), self._runs(query)
        layer, index = self._graph.layer_of(neuron), self._graph.index_of(neuron)
        found = []
        for run in runs:
            bias = self._graph_of(run).layer(layer.name).bias
            own = None if bias is None else number(np.broadcast_to(bias, layer.shape)[index])
            found.append({"bias": own, "value": number(self._found.runs[run].values[layer.name][index])})
        return message({"neurons": found}, [])

    def _field(self, query: Query) -> bytes:
        fields = layer_fields(self._graph, self._of(query, "neuron", self._graph.neurons))
        numbers = [k for k, layer in enumerate(self._graph.layers) if layer.name in fields]
        return message({"layers": numbers}, [fields[self._graph.layers[k].name].view(np.uint8) for k in numbers])

    def _arrays(self, query: Query) -> bytes:
        model, layer = (
            self._of(query, "model", len(self._found.graphs)),
            self._of(query, "layer", len(self._graph.layers)),
        )
        graph = self._found.graphs[model]
        of = layer_arrays(graph)[layer] if graph.model else None
        if of is None:
            return message({"names": []}, [])
        values = [a.values if a.kernels is None else a.kernels for a in of.arrays]
        return message({"names": trained(of, None)}, [stored(v) for v in values])

    def _trace(self, query: Query) -> bytes:
        run, neuron = self._of(query, "run", len(self._found.runs)), self._of(query, "neuron", self._graph.neurons)
        keep, top = query.get("keep", ""), query.get("top", "")
        try:
            share, most = (float(keep) if keep else None), (int(top) if top else None)
        except ValueError:
            raise Error(f"keep is {keep[:40]!r} and top is {top[:40]!r}; expected numbers") from None
        graph = self._graph_of(run)
        with self._lock:
            if run not in self._locals:
                feeds = {x.name: self._found.runs[run].values[x.name] for x in graph.layers if x.aggregation == "input"}
                self._locals[run] = local(graph, feeds)
            found = trace(relevance(self._locals[run], neuron), keep=share, top_k=most, max_edges=MOST_TRACED)
        number = {layer.name: k for k, layer in enumerate(graph.layers)}
        steps = [
            {"layer": number[s.layer], "neurons": s.neurons, "edges": s.edges, "flow": s.flow, "kept": s.kept}
            for s in found.steps
        ]
        inputs = [x.name for x in graph.layers if x.aggregation == "input"]
        columns = [found.source.astype("<f8"), found.target.astype("<f8"), found.weight, found.flow]
        scores = [found.relevance.at(name) for name in inputs]
        return message({"steps": steps, "scored": [number[name] for name in inputs]}, [*columns, *scores])


def ports(graph: NeuronGraph, neuron: int, into: bool) -> Array:
    """The port of each of a neuron's edges, -1 where there is none; in the order of `in_edges` or `out_edges`."""
    layer = graph.layer_of(neuron)
    position = neuron - layer.first_id
    side: Side = "target" if into else "source"
    blocks = layer.incoming if into else [i for other in graph.layers for i in other.incoming if i.source == layer.name]
    counts = [sum([part.count for part in i.block.select(side, position)]) for i in blocks]
    return np.repeat([-1 if i.port is None else i.port for i in blocks], counts).astype(np.int64)


def number(value: Any) -> float | str:
    """A number as JSON has it; infinities and NaN as text that JavaScript's `Number` reads."""
    x = float(value)
    return x if np.isfinite(x) else str(x).replace("inf", "Infinity").replace("nan", "NaN")
