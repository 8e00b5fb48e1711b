"""Does what stands in a file compute the network? The written graph, read back, against ONNX Runtime and the model."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml import gathered, readers
from onnx2graphml.errors import Error
from onnx2graphml.gathered import CODES, OTHER, START, Prints
from onnx2graphml.graph import Layer, NeuronGraph
from onnx2graphml.neurons import FUNCTIONS, parse_activations
from onnx2graphml.readers.found import SPATIAL, Edges, FoundLayer
from onnx2graphml.recompute import SPARE, Progress, Recomputed, Values, fan_in_factor, finished, unit_roundoff
from onnx2graphml.verification import Report, Row, compared, network_values
from onnx2graphml.writers.dialect import graph_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.writers.xmltext import unescape

Array = npt.NDArray[Any]
INPUTS = 2  # ports that a function has


def verify_file(
    graph: NeuronGraph,
    path: str | Path,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Compare a written graph with ONNX Runtime's values of the model, and with the model's edges.

    Two checks are made of each layer, in one pass over the file, whose edges may come in any order:

    - Its neurons' values are computed from `combine`, `bias`, `activation` and the in-edges in the file alone, starting
      from ONNX Runtime's values of all other layers, and compared with ONNX Runtime's. The tolerance is that of
      `recompute`, with the in-degrees of the file.
    - An edge whose source happens to be 0, as many are after a Relu, and a wrong candidate that does not win a maximum
      change no value. So each neuron's in-edges, as pairs of source, weight and port, are compared with those that the
      model has, by count and by fingerprint, and its bias and other attributes one for one. Weights are compared as
      float32 values, except those into layers whose weights are all float64.

    Args:
        graph: loaded from the model at the file's own `detail`.
        path: a file or folder in a format of `readers.READERS`.
        inputs, seed: as for `verify`.
        progress: called with numbers of edges of the file as they are read.

    Returns:
        Rows as those of `verify`; a layer that differs from the model's has `problems`.

    Raises:
        Error: the file is damaged, is of another model, or has other layers; or as `verify`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> onnx2graphml.write(graph, "digits.graphml")  # doctest: +SKIP
        >>> verify_file(graph, "digits.graphml").passed  # doctest: +SKIP
        True
    """
    with readers.open_graph(path) as file:
        check_origin(graph, file.about(), path)
        _, _, values = network_values(graph, inputs, seed)
        matched = Matched.of(graph, file.layers(), path)
        got, prints = Combined(matched, values), Prints(matched.single)
        for edges in file.edges():
            source, target = matched.places(edges, path)
            got.add(source, target, edges)
            prints.add(source, target, edges.weight, edges.port.astype(np.int64))
            if progress is not None:
                progress(len(edges))
    expected = model_prints(graph, matched.single)
    rows = [_row(at, matched, got, prints, expected) for at in range(len(graph.layers))]
    inputs_too = zip(rows, graph.layers, strict=True)
    return Report(tuple(row for row, layer in inputs_too if layer.combine != "input" or row.problems))


def check_origin(graph: NeuronGraph, about: Mapping[str, str], path: object) -> None:
    """Refuse a file of another model, another level of detail or another dialect."""
    expected = graph_attributes(graph)
    if "thinned" in about:
        raise Error(f"{path}: the graph is thinned ({about['thinned']}): without all edges it computes something else")
    for name in ("dialect", "detail"):
        if about.get(name) != expected[name]:
            raise Error(f"{path}: {name} is {about.get(name)!r}; expected {expected[name]!r}: write the file again")
    theirs, ours = about.get("model_sha256", ""), graph.model_sha256
    if theirs and ours and theirs != ours:
        raise Error(f"{path}: the graph of another model: its model_sha256 is {theirs}; that of the model is {ours}")
    if about.get("model") != expected["model"] and not (theirs and ours):
        raise Error(f"{path}: the graph of {about.get('model')!r}; expected that of {expected['model']!r}")


@dataclass(frozen=True, eq=False)
class Matched:
    """The model's layers with those of a file, and where each of the file's nodes belongs.

    Attributes:
        graph: the model's.
        found: the file's layers, in the order of the model's.
        place: for each id in the file, the id that its layer and index have in the model.
        bias: of the file's nodes, by place; NaN where there is none.
        single: by place, whether weights into the neuron are float32.
        problems: by layer, how its nodes' attributes differ from the model's.
    """

    graph: NeuronGraph
    found: tuple[FoundLayer, ...]
    place: npt.NDArray[np.int64]
    bias: Values
    single: npt.NDArray[np.bool_]
    problems: tuple[tuple[str, ...], ...]

    @staticmethod
    def of(graph: NeuronGraph, found: list[FoundLayer], path: object) -> Matched:
        """Match layers by name and nodes by index; `Error` where they are not as many, or others."""
        by_name = {unescape(layer.name): layer for layer in found}
        ours = {layer.name for layer in graph.layers if layer.neurons}
        for wrong, problem in ((ours - by_name.keys(), "is missing"), (by_name.keys() - ours, "is not in the model")):
            for name in sorted(wrong)[:1]:
                raise Error(f"{path}: layer {name!r} {problem}; is it the graph of another model?")
        place, bias = np.empty(graph.neurons, np.int64), np.full(graph.neurons, np.nan)
        single, problems = np.empty(graph.neurons, bool), []
        by_name |= {layer.name: without_nodes(layer) for layer in graph.layers if not layer.neurons}
        for layer in graph.layers:
            theirs = by_name[layer.name]
            at = positions(layer, theirs, path)
            place[theirs.id] = at + layer.first_id
            # Decimals are those of a float of the model's type, so that is what they are read back as.
            kind = np.float64 if layer.bias is None else layer.bias.dtype
            bias[at + layer.first_id] = theirs.bias.astype(kind)
            types = [incoming.block.weights.dtype for incoming in layer.incoming]
            single[layer.first_id : layer.first_id + layer.neurons] = any(t == np.float32 for t in types)
            problems.append(tuple(attribute_problems(layer, theirs, at)))
        return Matched(graph, tuple(by_name[x.name] for x in graph.layers), place, bias, single, tuple(problems))

    def places(self, edges: Edges, path: object) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The places of edges' sources and targets; `Error` where one is no node."""
        source, target = np.empty(len(edges), np.int64), np.empty(len(edges), np.int64)
        wrong = gathered.renumber(edges.source, edges.target, self.place, source, target)
        if wrong >= 0:
            ends = f"n{edges.source[wrong]} to n{edges.target[wrong]}"
            raise Error(f"{path}: an edge from {ends}; the last node is n{len(self.place) - 1}")
        return source, target


def without_nodes(layer: Layer) -> FoundLayer:
    """A layer of no neurons, of which no file has anything."""
    text, none = layer_attributes(layer), np.zeros(0)
    at, spatial = np.zeros((0, len(layer.shape)), int), np.zeros((0, len(SPATIAL)), int)
    activation = text.get("activation", "")
    return FoundLayer(
        text["layer"], text["op"], text["combine"], activation, none.astype(int), at, spatial, none, none.astype(bool)
    )


def positions(layer: Layer, found: FoundLayer, path: object) -> npt.NDArray[np.int64]:
    """The row-major position of each of the file's nodes; `Error` unless every position is there once."""
    if len(found.id) != layer.neurons:
        raise Error(f"{path}: layer {layer.name!r} has {len(found.id)} neurons; in the model it has {layer.neurons}")
    if found.at.shape[1] != len(layer.shape) or (found.at >= np.array(layer.shape, int)).any():
        raise Error(f"{path}: layer {layer.name!r} has shape {found.shape}; in the model it has {layer.shape}")
    at = np.zeros(layer.neurons, np.int64)
    for coordinate, size in zip(found.at.T, layer.shape, strict=True):
        at = at * size + coordinate
    twice = np.flatnonzero(np.bincount(at, minlength=layer.neurons) > 1)
    if twice.size:
        index = tuple(int(i) for i in np.unravel_index(twice[0], layer.shape))
        raise Error(f"{path}: index {index} is there twice in layer {layer.name!r}; expected every index once")
    return at


def attribute_problems(layer: Layer, found: FoundLayer, at: npt.NDArray[np.int64]) -> Iterable[str]:
    """How the attributes of a layer's nodes differ from those that the model gives them."""
    ours = {"activation": ""} | layer_attributes(layer)
    for name in ("op", "combine", "activation"):
        if getattr(found, name) != ours[name]:
            yield f"{name} is {getattr(found, name)!r}, in the model {ours[name]!r}"
    spatial = spatial_dimensions(layer)
    for column, name in enumerate(SPATIAL):
        expected = found.at[:, spatial[name]] if name in spatial else np.full(len(at), -1)
        yield from _differing(found, found.spatial[:, column] != expected, name)
    if layer.bias is None:
        yield from _differing(found, found.biased, "bias")
        return
    bias = np.broadcast_to(layer.bias, layer.shape).ravel()[at]
    equal = (found.bias.astype(bias.dtype) == bias) | (np.isnan(found.bias) & np.isnan(bias))
    yield from _differing(found, ~equal | ~found.biased, "bias")


def _differing(found: FoundLayer, wrong: npt.NDArray[np.bool_], what: str) -> Iterable[str]:
    if wrong.any():
        yield f"another {what} than in the model at {wrong.sum()} neurons, such as n{found.id[wrong][0]}"


def model_prints(graph: NeuronGraph, single: npt.NDArray[np.bool_]) -> Prints:
    """The prints of the model's own edges."""
    prints = Prints(single)
    for layer in graph.layers:
        for incoming, edges in graph.edges_into(layer):
            port = np.full(len(edges), -1 if incoming.port is None else incoming.port)
            first = graph.layer(incoming.source).first_id
            prints.add(edges.source + first, edges.target + layer.first_id, edges.weight, port)
    return prints


class Combined:
    """The neurons' combined values, from their bias and the in-edges that have been added."""

    def __init__(self, matched: Matched, values: Mapping[str, Values]) -> None:
        self.matched, self.values = matched, np.concatenate([values[x.name] for x in matched.graph.layers])
        self.code = np.zeros(matched.graph.neurons, np.int8)
        self.total = np.nan_to_num(matched.bias, nan=0.0, posinf=np.inf, neginf=-np.inf)
        self.size = np.zeros(matched.graph.neurons)
        self.ports: dict[tuple[int, int], Values] = {}
        for layer, found in zip(matched.graph.layers, matched.found, strict=True):
            rows, code = rows_of(layer), CODES.get(found.combine, OTHER)
            self.code[rows] = code
            if code in START:
                self.total[rows] = START[code]
        self._functions = [n for n, found in enumerate(matched.found) if found.combine in FUNCTIONS]

    def add(self, source: npt.NDArray[np.int64], target: npt.NDArray[np.int64], edges: Edges) -> None:
        """Take edges, whose ends are places."""
        single = self.matched.single
        gathered.combine(source, target, edges.weight, self.code, single, self.values, self.total, self.size)
        for number in self._functions:
            layer = self.matched.graph.layers[number]
            rows = rows_of(layer)
            mine = (target >= rows.start) & (target < rows.stop)
            for port in np.unique(edges.port[mine]).tolist():
                chosen = mine & (edges.port == port)
                total = self.ports.setdefault((number, port), np.zeros(layer.neurons))
                np.add.at(total, target[chosen] - rows.start, edges.weight[chosen] * self.values[source[chosen]])

    def of(self, number: int, degree: int) -> Recomputed:
        """The values of a layer; `degree` is the greatest in-degree."""
        layer, found = self.matched.graph.layers[number], self.matched.found[number]
        rows, u = rows_of(layer), unit_roundoff(layer.dtype)
        value, tolerance = self.total[rows], np.zeros(layer.neurons)
        if found.combine == "sum":
            bias_size = max(layer.bias_size, float(np.nanmax(np.abs(self.matched.bias[rows]), initial=0)))
            tolerance = u * (fan_in_factor(degree) * self.size[rows] + SPARE * bias_size)
        elif found.combine not in ("input", "constant"):
            value = self._function(number, found.combine) if found.combine in FUNCTIONS else value
            tolerance = SPARE * u * np.abs(value)
        activation = parse_activations(unescape(found.activation))
        try:
            return finished(activation, value.reshape(layer.shape), tolerance.reshape(layer.shape), layer.dtype)
        except (TypeError, ValueError, IndexError) as e:
            raise Error(f"layer {found.name!r}: activation {found.activation!r} can't be computed: {e}") from None

    def _function(self, number: int, combine: str) -> Values:
        ports = [total for (layer, _), total in sorted(self.ports.items()) if layer == number]
        if len(ports) != INPUTS:
            return np.full(self.matched.graph.layers[number].neurons, np.nan)
        with np.errstate(all="ignore"):
            return np.asarray(FUNCTIONS[combine](*ports), np.float64)


def rows_of(layer: Layer) -> slice:
    """The places of a layer's neurons."""
    return slice(layer.first_id, layer.first_id + layer.neurons)


def _row(number: int, matched: Matched, got: Combined, prints: Prints, expected: Prints) -> Row:
    layer, rows = matched.graph.layers[number], rows_of(matched.graph.layers[number])
    degrees = prints.degree[rows]
    problems = list(matched.problems[number])
    wrong = np.flatnonzero((prints.print[rows] != expected.print[rows]) | (degrees != expected.degree[rows]))
    if wrong.size:
        index = tuple(int(i) for i in np.unravel_index(wrong[0], layer.shape))
        counts = f"{degrees[wrong[0]]} there, in the model {expected.degree[rows][wrong[0]]}"
        problems.append(f"other in-edges than in the model at {wrong.size} neurons, such as {index}: {counts}")
    value = got.values[rows]
    if matched.found[number].combine == "input":
        recomputed = Recomputed(value, np.zeros(layer.neurons))
    else:
        recomputed = got.of(number, int(degrees.max(initial=0)))
    row = compared(layer.name, layer.op, int(degrees.sum()), recomputed.value, value, recomputed.tolerance)
    return dataclasses.replace(row, problems=tuple(problems))
