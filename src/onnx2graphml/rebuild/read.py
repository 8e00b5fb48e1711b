"""Where nodes and edges come from: a written file, or a graph in NetworkX."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, context
from onnx2graphml.formats import reading
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.formats.found import SPATIAL, FoundLayer, Shared
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.rebuild.graph import graph_of
from onnx2graphml.rebuild.nodes import Columns, NodeGroup, joined
from onnx2graphml.verification.file.matched import as_found
from onnx2graphml.verification.file.ports import KnownPorts

NEEDED = ("layer", "index", "combine")


def from_file(path: str | Path, original: NeuronGraph | None = None) -> NeuronGraph:
    """The graph in a file that this package wrote, edited since or not; of GraphML, one that others saved again, too.

    Memory: about 80 bytes an edge.

    Args:
        path: a file or folder in one of the formats.
        original: the graph of the model that the file was made from, at its level of detail. Its names, shapes and
            types of inputs and outputs are taken; and of .npz, which has none of its own, all attributes.

    Raises:
        Error: the file is damaged, it is .npz and there is no original, or as `graph_of`.

    Example:
        >>> graph = from_file("digits.graphml")  # doctest: +SKIP
        >>> graph.edges  # doctest: +SKIP
        25816
    """
    path = Path(path)
    with reading.open_graph(path) as file:
        about = file.about()
        groups, known = [_group(found) for found in file.edited_layers()], None
        outputs = _outputs(about)
        if not groups:  # the file has no attributes of nodes
            model = _fitting(original, about["nodes"], path)
            groups, known = [_group(as_found(layer)) for layer in model.layers if layer.neurons], KnownPorts.of(model)
            outputs = list(model.outputs)
        edges = joined([_copied(rows, known) for rows in file.edges()])
    with context(str(path)):
        graph = graph_of(Columns(groups, edges, _about(about), outputs, _shapes(original)))
    return graph if original is None else with_original(graph, original)


def from_networkx(g: nx.DiGraph, original: NeuronGraph | None = None) -> NeuronGraph:
    """The graph in a NetworkX graph with the attributes that `to_networkx` gives it, edited since or not.

    Args:
        g: nodes have `layer`, `index` and `combine`; `bias`, `activation` and `op` where there are any. Edges have
            `weight`, and `port` and `term` where there are any.
        original: as for `from_file`.

    Raises:
        Error: the graph is undirected, an attribute is missing or of another type, or as `graph_of`.

    Example:
        >>> import networkx as nx
        >>> g = nx.DiGraph()
        >>> g.add_node("a", layer="x", index="0", combine="input")
        >>> g.add_node("b", layer="y", index="0", combine="sum", bias=1.0, activation="Relu")
        >>> g.add_edge("a", "b", weight=2.0)
        >>> [layer.name for layer in from_networkx(g).layers]
        ['x', 'y']
    """
    if not g.is_directed():
        raise Error("the graph is undirected; expected a DiGraph, whose edges go from source to target")
    number = {node: k for k, node in enumerate(g.nodes)}
    nodes = list(number)
    groups = _grouped([(node, _shared(node, own), own) for node, own in g.nodes(data=True)], number)
    edges = EdgeRows.of([_edge(u, v, own, number) for u, v, own in g.edges(data=True)])
    about = {str(k): str(v) for k, v in g.graph.items()}
    columns = Columns(groups, edges, _about(about), _outputs(about), _shapes(original), lambda k: f"node {nodes[k]!r}")
    graph = graph_of(columns)
    return graph if original is None else with_original(graph, original)


def with_original(graph: NeuronGraph, original: NeuronGraph) -> NeuronGraph:
    """The graph with the inputs, outputs and types of the model that it was made from."""
    known = {layer.name: layer for layer in original.layers}

    def typed(layer: Layer) -> Layer:
        other = known.get(layer.name)
        if other is None or other.shape != layer.shape:
            return layer
        return dataclasses.replace(layer, provenance=other.provenance, dtype=other.dtype, spatial=other.spatial)

    return dataclasses.replace(graph, layers=tuple(map(typed, graph.layers)), model=original.model)


def _fitting(original: NeuronGraph | None, nodes: str, path: Path) -> NeuronGraph:
    if original is None:
        raise Error(f"{path}: it has no attributes of nodes; give the model that it was made from as original")
    if str(original.neurons) != nodes:
        there = f"the model's graph has {original.neurons}, at detail {original.detail!r}"
        raise Error(f"{path}: it has {nodes} nodes; {there}")
    return original


def _shapes(original: NeuronGraph | None) -> dict[str, tuple[int, ...]]:
    return {} if original is None else {layer.name: layer.shape for layer in original.layers}


def _about(about: Mapping[str, str]) -> dict[str, str]:
    return {name: unescape(text) if name == "model" else text for name, text in about.items()}


def _outputs(about: Mapping[str, str]) -> list[str] | None:
    """The layers that are outputs, where the graph says so."""
    if "outputs" not in about:
        return None
    try:
        return [unescape(str(name)) for name in json.loads(about["outputs"])]
    except (ValueError, TypeError, RecursionError):
        raise Error(f"outputs is {about['outputs'][:80]!r}; expected a list of layers' names, as in JSON") from None


def _group(found: FoundLayer) -> NodeGroup:
    texts = unescape(found.name), unescape(found.op), unescape(found.combine), unescape(found.activation)
    bias = np.where(found.biased, found.bias, np.nan)
    return NodeGroup(
        texts, found.id.astype(np.int64), found.at.astype(np.int64), bias, _spatial(found.at, found.spatial)
    )


def _spatial(at: npt.NDArray[Any], named: npt.NDArray[Any]) -> tuple[int, ...]:
    """Which coordinates are told again as channel, row and col; empty unless each of them is."""
    found: list[int] = []
    for column in (c for c in named.T if len(c) and c[0] >= 0):
        found += [d for d in range(at.shape[1]) if d not in found and (at[:, d] == column).all()][:1]
    return tuple(found) if len(found) == at.shape[1] > 1 else ()


def _copied(rows: EdgeRows, known: KnownPorts | None) -> EdgeRows:
    """A chunk whose arrays the reader may use again."""
    port = rows.port if known is None else known(rows.source, rows.target)
    return EdgeRows(
        np.array(rows.source), np.array(rows.target), np.array(rows.weight), np.array(port), np.array(rows.term)
    )


# ---------------------------------------------------------------------------------------------------------- NetworkX


def _shared(node: Any, own: Mapping[str, Any]) -> Shared:
    """What a node shares with those of its layer."""
    for name in NEEDED:
        if name not in own:
            raise Error(f"node {node!r} has no {name!r}; expected {', '.join(NEEDED)}")
    texts = (own["layer"], own.get("op", ""), own["combine"], own.get("activation", "") or "")
    if not all(isinstance(text, str) for text in texts):
        raise Error(f"node {node!r}: layer, op, combine and activation are {texts}; expected text")
    layer, op, combine, activation = map(unescape, texts)
    return layer, op, combine, activation


def _grouped(nodes: list[tuple[Any, Shared, Mapping[str, Any]]], number: Mapping[Any, int]) -> list[NodeGroup]:
    found: dict[Shared, list[tuple[int, tuple[int, ...], float, list[int]]]] = {}
    for node, shared, own in nodes:
        at_bias = _index(node, own["index"]), _bias(node, own.get("bias"))
        named = [_place(own, name, -1, f"node {node!r}") for name in SPATIAL]
        found.setdefault(shared, []).append((number[node], *at_bias, named))
    groups = []
    for shared, rows in found.items():
        ids, at, bias, told = zip(*rows, strict=True)
        ranks = {len(index) for index in at}
        if len(ranks) > 1:
            raise Error(f"the indices of layer {shared[0]!r} have {sorted(ranks)} coordinates; expected one number")
        places = np.array(at, np.int64).reshape(len(ids), *ranks)
        spatial = _spatial(places, np.array(told))
        groups.append(NodeGroup(shared, np.array(ids, np.int64), places, np.array(bias, np.float64), spatial))
    return groups


def _index(node: Any, index: Any) -> tuple[int, ...]:
    parts = index.split(",") if isinstance(index, str) and index else [] if isinstance(index, str) else index
    try:
        found = tuple(int(i) for i in (parts if isinstance(parts, list | tuple) else [parts]))
    except (TypeError, ValueError):
        found = (-1,)
    if min(found, default=0) < 0:
        raise Error(f"node {node!r}: index is {index!r}; expected integers of 0 or more, such as '0,1,5'")
    return found


def _bias(node: Any, bias: Any) -> float:
    return math.nan if bias is None else _number(bias, f"node {node!r}: bias", finite=False)


def _edge(u: Any, v: Any, own: Mapping[str, Any], number: Mapping[Any, int]) -> tuple[int, int, float, int, int]:
    what = f"edge {u!r} -> {v!r}"
    if "weight" not in own:
        raise Error(f"{what} has no 'weight'; expected a number, 1.0 where a value is only taken")
    weight = _number(own["weight"], f"{what}: weight", finite=True)
    return number[u], number[v], weight, _place(own, "port", NO_PORT, what), _place(own, "term", NO_TERM, what)


def _place(own: Mapping[str, Any], name: str, none: int, what: str) -> int:
    value = own.get(name)
    if value is None or value != value:  # programs write NaN where there is none
        return none
    if value != int(value) or value < 0:
        raise Error(f"{what}: {name} is {value!r}; expected an integer of 0 or more")
    return int(value)


def _number(value: Any, what: str, finite: bool) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = math.nan
    if isinstance(value, str) or (finite and not math.isfinite(found)) or (math.isnan(found) and finite):
        raise Error(f"{what} is {value!r}; expected a {'finite ' * finite}number")
    return found
