"""Whose nodes are a file's: its layers and nodes with those of the model, and how their attributes differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats import reading
from onnx2graphml.formats.edge_rows import NO_PORT, EdgeRows
from onnx2graphml.formats.found import SPATIAL, FoundLayer
from onnx2graphml.formats.registry import Feature
from onnx2graphml.graph.attributes import graph_attributes, layer_attributes, spatial_dimensions
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.verification.file.ports import KnownPorts


def check_origin(graph: NeuronGraph, about: Mapping[str, str], path: Path) -> None:
    """Refuse a file of another model, another level of detail or another dialect, as far as it tells."""
    if about.get("nodes", str(graph.neurons)) != str(graph.neurons):
        raise Error(
            f"{path}: {about['nodes']} nodes; at detail {graph.detail!r} the model has {graph.neurons}: "
            f"is it the graph of another model, or at another detail?"
        )
    if "detail" not in about and "nodes" in about:
        return
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


@dataclass(frozen=True)
class Said:
    """What a file says of a layer as a whole."""

    name: str
    combine: str
    activation: str


@dataclass(frozen=True, eq=False)
class Matched:
    """The model's layers with those of a file, and where each of the file's nodes belongs.

    Attributes:
        graph: the model's.
        path: of the file.
        found: what the file says of layers, in the order of the model's.
        place: for each id in the file, the id that its layer and index have in the model; None where that is itself.
        biases: of the file's nodes, by layer and position; NaN where there is none. Shaped as the layer where they are
            the model's, which may take less memory.
        single: by place, whether weights into the neuron are float32.
        problems: by layer, how its nodes' attributes differ from the model's.
        known_ports: the ports of the model's edges, where the file has none.
        missing: what of a graph the file does not have.
    """

    graph: NeuronGraph
    path: Path
    found: tuple[Said, ...]
    place: npt.NDArray[np.int64] | None
    biases: tuple[npt.NDArray[Any], ...]
    single: npt.NDArray[np.bool_]
    problems: tuple[tuple[str, ...], ...]
    known_ports: KnownPorts | None
    missing: tuple[Feature, ...] = ()

    @staticmethod
    def of_file(graph: NeuronGraph, file: reading.GraphFile, path: str | Path) -> Matched:
        """Match an open file's nodes with the model's; `Error` where it is of another model.

        What it does not have, because its format or who saved it keeps it not, is taken from the model.
        """
        path, about = Path(path), file.about()
        check_origin(graph, about, path)
        missing: tuple[Feature, ...] = () if "detail" in about else ("graph attributes",)
        if not (found := file.layers()) and "nodes" in about:
            missing += ("node attributes", "ports")
            found = [as_found(layer) for layer in graph.layers if layer.neurons]
        return Matched.of(graph, found, path, missing)

    @staticmethod
    def of(graph: NeuronGraph, found: list[FoundLayer], path: Path, missing: tuple[Feature, ...] = ()) -> Matched:
        """Match layers by name and nodes by index; `Error` where they are not as many, or others.

        `found` becomes empty: of large networks, nodes are most of what is in memory.
        """
        by_name = {unescape(layer.name): layer for layer in found}
        ours = {layer.name for layer in graph.layers if layer.neurons}
        for wrong, problem in ((ours - by_name.keys(), "is missing"), (by_name.keys() - ours, "is not in the model")):
            for name in sorted(wrong)[:1]:
                raise Error(f"{path}: layer {name!r} {problem}; is it the graph of another model?")
        found.clear()
        place: npt.NDArray[np.int64] | None = None
        single, said, biases, problems = np.empty(graph.neurons, bool), [], [], []
        by_name |= {layer.name: as_found(layer) for layer in graph.layers if not layer.neurons}
        for layer in graph.layers:
            theirs = by_name.pop(layer.name)
            at = positions(layer, theirs, path)
            if place is None and not np.array_equal(theirs.id, np.arange(layer.neurons) + layer.first_id):
                place = np.arange(graph.neurons)
            if place is None and not np.array_equal(at, np.arange(layer.neurons)):
                place = np.arange(graph.neurons)
            if place is not None:
                place[theirs.id] = at + layer.first_id
            said.append(Said(theirs.name, theirs.combine, theirs.activation))
            biases.append(_bias(layer, theirs, at))
            types = [incoming.block.weights.dtype for incoming in layer.incoming]
            single[layer.first_id : layer.first_id + layer.neurons] = any(t == np.float32 for t in types)
            problems.append(tuple(attribute_problems(layer, theirs, at)))
        known = KnownPorts.of(graph) if "ports" in missing else None
        return Matched(graph, path, tuple(said), place, tuple(biases), single, tuple(problems), known, missing)

    def edges(self, found: Iterator[EdgeRows]) -> Iterator[EdgeRows]:
        """A file's edges with places instead of ids; `Error` where one is no node."""
        for edges in found:
            source, target, n = edges.source, edges.target, self.graph.neurons
            if len(edges) and not 0 <= min(source.min(), target.min()) <= max(source.max(), target.max()) < n:
                wrong = np.flatnonzero((source < 0) | (source >= n) | (target < 0) | (target >= n))[0]
                ends = f"n{source[wrong]} to n{target[wrong]}"
                raise Error(f"{self.path}: an edge from {ends}; the last node is n{n - 1}")
            if self.place is not None:
                source, target = self.place[source], self.place[target]
            port = edges.port
            if self.known_ports is not None:
                port = np.where(port == NO_PORT, self.known_ports(source, target), port)
            yield EdgeRows(source, target, edges.weight, port, edges.term, edges.recorded)


def _bias(layer: Layer, found: FoundLayer, at: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """A layer's biases in the file, by position; as the model's array where they are the same."""
    if not found.biased.any():
        return np.broadcast_to(np.nan, layer.neurons)
    # Decimals are those of a float of the model's type, so that is what they are read back as.
    theirs = np.empty(layer.neurons, np.float64 if layer.bias is None else layer.bias.dtype)
    theirs[at] = found.bias
    ours = np.nan if layer.bias is None else np.broadcast_to(layer.bias, layer.shape).ravel()
    same = (theirs == ours) & (np.signbit(theirs) == np.signbit(ours))
    return np.broadcast_to(layer.bias, layer.shape) if layer.bias is not None and same.all() else theirs


def as_found(layer: Layer) -> FoundLayer:
    """A layer of the model as a reader finds it in a whole file."""
    text, position = layer_attributes(layer), np.arange(layer.neurons)
    at = np.stack(np.unravel_index(position, layer.shape or (1,)), axis=1)[:, : len(layer.shape)]
    spatial = np.full((layer.neurons, len(SPATIAL)), -1)
    for name, dimension in spatial_dimensions(layer).items():
        spatial[:, SPATIAL.index(name)] = at[:, dimension]
    bias = np.broadcast_to(np.nan if layer.bias is None else layer.bias, layer.shape).ravel()
    return FoundLayer(
        text["layer"], text["op"], text["combine"], text.get("activation", ""), position + layer.first_id, at, spatial,
        bias.astype(np.float64), np.full(layer.neurons, layer.bias is not None),
    )  # fmt: skip


def positions(layer: Layer, found: FoundLayer, path: Path) -> npt.NDArray[np.int64]:
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
        index = tuple(int(i) for i in np.unravel_index(int(twice[0]), layer.shape))
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
