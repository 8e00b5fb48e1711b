"""Nodes and edges as a graph of layers.

What a neuron computes follows from its aggregation, its bias, its activation and its edges; its layer and its index
say where its value stands. Nodes of a layer that was edited may differ in what they compute, or be gone: then several
layers are made of it, and where it is an output they are put together again, with 0 where a neuron is gone.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph, Provenance, numbered
from onnx2graphml.rebuild.nodes import Columns, NodeGroup, positions
from onnx2graphml.rebuild.order import ordered
from onnx2graphml.rebuild.pieces import Piece, pieces_of

Ints = npt.NDArray[np.int64]


@np.errstate(all="ignore")  # a file's numbers may be any
def graph_of(columns: Columns) -> NeuronGraph:
    """The graph that nodes and edges describe.

    Raises:
        Error: neurons read each other in a circle, an edge ends at no node, an input has an edge into it, an index is
            there twice, or neurons that a function couples differ.
        UnsupportedError: a function is not known.
    """
    groups, told = columns.groups, columns.told
    ids = np.concatenate([np.zeros(0, np.int64), *(g.id for g in groups)])
    source, target = (positions(ids, ends, told) for ends in (columns.edges.source, columns.edges.target))
    group = np.repeat(np.arange(len(groups)), [len(g.id) for g in groups])
    _check_sources(groups, group, target, ids, columns)
    number, was = ordered(group, source, target, lambda n: told(int(ids[n])))
    first = np.cumsum([0, *(len(g.id) for g in groups)])
    rows = np.split(np.argsort(number, kind="stable"), np.cumsum(np.bincount(number, minlength=len(was)))[:-1])
    pieces = pieces_of(groups, [(g, own - first[g]) for g, own in zip(was, rows, strict=True)], columns.shapes)
    layers = _connected(pieces, len(ids), source, target, columns.edges)
    names = _output_names(columns, pieces, source, target)
    outputs = [_whole(name, pieces, layers) for name in names]
    about = columns.about
    return NeuronGraph(
        numbered(layers),
        tuple(outputs),
        about.get("model", ""),
        about.get("model_sha256", ""),
        about.get("detail", "layer"),
        thinned=about.get("thinned", ""),
    )


def _check_sources(groups: Sequence[NodeGroup], group: Ints, target: Ints, ids: Ints, columns: Columns) -> None:
    """Inputs and constants have no edges into them."""
    fixed = np.array([g.aggregation in ("input", "constant") for g in groups], bool)
    wrong = target[fixed[group[target]]] if len(target) else target
    if len(wrong):
        kind = groups[group[wrong[0]]].aggregation
        raise Error(f"{columns.told(int(ids[wrong[0]]))} has combine {kind!r} and an edge into it; expected none")


def _connected(pieces: Sequence[Piece], nodes: int, source: Ints, target: Ints, edges: EdgeRows) -> list[Layer]:
    """The pieces' layers with their edges."""
    piece, place = np.empty(nodes, np.int64), np.empty(nodes, np.int64)
    for k, p in enumerate(pieces):
        piece[p.nodes], place[p.nodes] = k, p.place
    order = np.lexsort((np.arange(len(source)), edges.port, piece[source], piece[target]))
    keys = np.stack([piece[target], piece[source], edges.port], axis=1)[order]
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)]) if len(keys) else np.zeros(0, np.int64)
    incoming: list[list[Incoming]] = [[] for _ in pieces]
    for start, own in zip(starts, np.split(order, starts[1:]), strict=False):
        to, from_, port = keys[start].tolist()
        block = _block(place[source[own]], place[target[own]], edges.weight[own], edges.term[own])
        incoming[to].append(Incoming(pieces[from_].layer.name, block, None if port == NO_PORT else port))
    return [dataclasses.replace(p.layer, incoming=tuple(i)) for p, i in zip(pieces, incoming, strict=True)]


def _block(source: Ints, target: Ints, weight: npt.NDArray[np.float64], term: Ints) -> EdgeBlock:
    """Edges one by one as a block; weights are decimals of float32 numbers."""
    weights = np.asarray(weight, np.float32)
    alike = len(weights) > 0 and bool((weights == weights[0]).all())
    tap = np.zeros(len(source), np.int64) if alike else np.arange(len(source))
    axis = Axis(source, target, tap, None if (term == NO_TERM).all() else np.maximum(term, 0))
    return EdgeBlock((axis,), weights[:1] if alike else weights)


def _output_names(columns: Columns, pieces: Sequence[Piece], source: Ints, target: Ints) -> list[str]:
    """The layers that are outputs: those that are said to be, or those that no other reads."""
    names = dict.fromkeys(p.of for p in pieces)
    if columns.outputs is not None:
        gone = [name for name in columns.outputs if name not in names]
        if gone:
            raise Error(f"output {gone[0]!r} has no neuron left; expected one at least")
        return list(columns.outputs)
    layers, of = list(names), np.empty(sum(len(p.nodes) for p in pieces), np.int64)
    for p in pieces:
        of[p.nodes] = layers.index(p.of)
    is_read = {layers[k] for k in np.unique(of[source][of[source] != of[target]]).tolist()}
    computed = {p.of for p in pieces if p.layer.aggregation not in ("input", "constant")}
    return [name for name in names if name in computed - is_read]


def _whole(name: str, pieces: Sequence[Piece], layers: list[Layer]) -> str:
    """The layer that holds a whole output; where it was taken apart, one that puts it together is added."""
    own = [p for p in pieces if p.of == name]
    if len(own) == 1 and own[0].is_whole:
        return name
    incoming = tuple(Incoming(p.layer.name, EdgeBlock((Axis(p.place, p.index, 0 * p.place),))) for p in own)
    order = tuple(range(len(own[0].shape)))
    layers.append(Layer(name, "Concat", own[0].shape, incoming=incoming, provenance=Provenance(order=order)))
    return name
