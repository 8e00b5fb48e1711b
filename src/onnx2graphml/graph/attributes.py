"""What nodes, edges and the graph itself are told to be, in every format: names and types of attributes.

The names `x`, `y`, `size`, `label` and `id` are avoided unless asked for: some readers give them other meanings.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.neurons import activations_text
from onnx2graphml.graph.xmltext import escape
from onnx2graphml.version import VERSION

DIALECT = "2"


@dataclass(frozen=True)
class Attribute:
    """An attribute: what it belongs to (`node`, `edge`, `graph`), its name, and its type.

    Types are `string`, `int`, `double`, `boolean`, and `long` of columns of integers.
    """

    owner: str
    name: str
    type: str


NODE = tuple(
    Attribute("node", name, kind)
    for name, kind in (
        ("layer", "string"),
        ("op", "string"),
        ("index", "string"),
        ("channel", "int"),
        ("row", "int"),
        ("col", "int"),
        ("combine", "string"),
        ("bias", "double"),
        ("activation", "string"),
    )
)
EDGE = (Attribute("edge", "weight", "double"), Attribute("edge", "port", "int"), Attribute("edge", "term", "int"))


RECORDED = (
    Attribute("node", "value", "double"),
    Attribute("edge", "contribution", "double"),
    Attribute("edge", "winner", "boolean"),
)
"""Of a graph with an input: what it makes of neurons and edges."""

LABELS = (
    Attribute("node", "label", "string"),
    Attribute("node", "x", "double"),
    Attribute("node", "y", "double"),
    Attribute("edge", "abs_weight", "double"),
)
"""Only in files for people, which have a column `depth`, too."""

ABOUT = ("model", "model_sha256", "detail", "generator", "dialect")
"""What every graph tells of itself."""
OPTIONAL = ("thinned", "outputs")
"""How edges were left out; and the layers that are outputs, where these are not just those that none reads."""


def graph_attributes(graph: NeuronGraph) -> dict[str, str]:
    """Where the graph came from; all strings."""
    more = {"thinned": graph.thinned} if graph.thinned else {}
    if list(graph.outputs) != unread_layers(graph):
        more["outputs"] = json.dumps([escape(name) for name in graph.outputs])
    return {
        "model": escape(graph.model_name),
        "model_sha256": graph.model_sha256,
        "detail": graph.detail,
        "generator": f"onnx2graphml {VERSION}",
        "dialect": DIALECT,
        **more,
    }


def unread_layers(graph: NeuronGraph) -> list[str]:
    """The layers that compute something and that no other reads: the outputs, where a graph does not say otherwise."""
    read = {i.source for layer in graph.layers for i in layer.incoming if i.block.count}
    computed = [layer.name for layer in graph.layers if layer.aggregation not in ("input", "constant")]
    return [name for name in computed if name not in read]


def layer_attributes(layer: Layer) -> dict[str, str]:
    """The attributes that all neurons of a layer share."""
    shared = {"layer": escape(layer.name), "op": escape(layer.op), "combine": escape(layer.aggregation)}
    if layer.activation:
        shared["activation"] = escape(activations_text(layer.activation))
    return shared


def spatial_dimensions(layer: Layer) -> dict[str, int]:
    """Which dimensions of a layer's shape are the `channel`, the `row` and the `col`, where it has them."""
    if not layer.spatial:
        return {}
    channel, *space = layer.spatial
    return {"channel": channel} | dict(zip(("col", "row"), reversed(space), strict=False))


def used_attributes(graph: NeuronGraph) -> tuple[Attribute, ...]:
    """The attributes of nodes and edges that the graph has, in the order in which they are written."""
    used = {"weight", "index"}
    for layer in graph.layers:
        used |= layer_attributes(layer).keys() | spatial_dimensions(layer).keys()
        if layer.bias is not None:
            used.add("bias")
        if any(incoming.port is not None for incoming in layer.incoming):
            used.add("port")
        if any(incoming.block.has_terms for incoming in layer.incoming):
            used.add("term")
    nodes, edges = (tuple(a for a in attributes if a.name in used) for attributes in (NODE, EDGE))
    recorded = () if graph.recorded is None else tuple(a for a in RECORDED if a.owner == "edge")
    return (*nodes, *column_attributes(graph), *edges, *recorded)


def column_attributes(graph: NeuronGraph) -> tuple[Attribute, ...]:
    """The attributes that the graph's columns are."""
    return tuple(
        Attribute("node", name, "double" if column.dtype.kind == "f" else "long")
        for name, column in graph.columns.items()
    )


def is_column(name: str) -> bool:
    """Whether a user's column may have that name: every format can write it, and no other attribute has it."""
    return name.isascii() and name.isidentifier() and name.lower() not in RESERVED


def layer_entry(layer: Layer) -> dict[str, Any]:
    """What ties a picture to its layer: name, operator, shape, and the ids of its first and last neuron.

    Example:
        >>> layer_entry(Layer("conv1", "Conv", (8, 8, 16), first_id=64))["neurons"]
        ['n64', 'n1087']
    """
    last = layer.first_id + layer.neurons - 1
    ids = [f"n{layer.first_id}", f"n{last}"] if layer.neurons else []
    return {"name": layer.name, "op": layer.op, "shape": list(layer.shape), "neurons": ids}


COLUMN_TYPES = ("double", "long")
RESERVED = {"id", "size", *(a.name for a in (*NODE, *EDGE, *RECORDED, *LABELS))}


def checked_column(name: str, values: npt.ArrayLike, neurons: int) -> npt.NDArray[Any]:
    """A column of further attributes of nodes, as an array of int64, float32 or float64.

    Raises:
        Error: the name is taken or can't be written in every format, or there is not one number for every neuron.
    """
    if not is_column(name):
        raise Error(
            f"a column is named {name!r}; expected letters, digits and underscores, and none of "
            f"{', '.join(sorted(RESERVED))}"
        )
    column = np.asarray(values)
    if column.shape != (neurons,) or column.dtype.kind not in "biuf":
        raise Error(
            f"column {name!r} has shape {column.shape} and type {column.dtype}; "
            f"expected ({neurons},), a number for every neuron"
        )
    return column.astype(np.float64 if column.dtype.kind == "f" else np.int64)
