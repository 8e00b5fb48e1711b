"""What tf2onnx leaves behind, made presentable: layers noted on the nodes, weights put in, readable names.

Knows ONNX and how TensorFlow builds names, `scope/scope/operation`; imports no framework.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.frontends.names import Names
from onnx2graphml.frontends.order import put_in_order, walk
from onnx2graphml.model.metadata import LARGE, LAYER

# From the name of a TensorFlow node or tensor to the layer it belongs to, if any, and the name to show.
Label = Callable[[str], tuple[str | None, str]]

_CALL = re.compile(r"(Stateful)?PartitionedCall(_\d+)?")
_GENERATED = re.compile(r"(_graph_outputs_Identity)?__\d+|(?<=einsum)\d{9,}")  # counters and ids of a process
_CALLED = re.compile(r"C(\d+)__")
_NUMBER = re.compile(r"_\d+$")


def finish(
    proto: onnx.ModelProto,
    weights: Mapping[str, Any],
    names: Mapping[str, str],
    label: Label,
    call_of: Callable[[str], int | None],
) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """Check the operators, note the layers on the nodes, turn inputs into weights, sort and rename everything.

    Args:
        proto: changed in place.
        weights: what `np.asarray` takes, by the name of the input to replace.
        names: new names of tensors, numbered where they clash; all others are named by `label`.
        label: see `Label`.
        call_of: the number of the layer's call that a node was made in.

    Returns:
        The new names of tensors, and large weights, by their new names: they remain inputs, behind the others.

    Raises:
        UnsupportedError: a node is no standard ONNX operator.
    """
    _first_outputs_first(proto.graph)
    put_in_order(proto.graph, call_of)
    del proto.graph.value_info[:]
    nodes = list(walk(proto.graph))
    for node in nodes:
        layer, _ = label(node.name)
        _check(node, layer, proto.opset_import[0].version)
        if layer and not _is_layout(node):
            node.metadata_props.add(key=LAYER, value=layer)
    _tag_inside(proto.graph, weights.keys())
    read = {name for node in nodes for name in node.input} | {value.name for value in proto.graph.output}
    arrays = {name: np.asarray(w) for name, w in weights.items() if name in read}  # a random state, for one, is not
    large = {name for name, array in arrays.items() if array.size > LARGE}
    inputs = [value for value in proto.graph.input if value.name not in weights or value.name in large]
    del proto.graph.input[:]
    proto.graph.input.extend(sorted(inputs, key=lambda value: value.name in large))
    _sort_initializers(proto.graph, nodes)
    proto.graph.initializer.extend(numpy_helper.from_array(a, n) for n, a in arrays.items() if n not in large)
    new = _rename(proto.graph, names, label)
    return new, {new[name]: arrays[name] for name in arrays if name in large}


def _first_outputs_first(graph: onnx.GraphProto) -> None:
    """Where outputs are copies of each other, let the later ones be made from the first."""
    outputs = [value.name for value in graph.output]
    copies = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity" and n.input[0] in outputs}
    exchanged: dict[str, str] = {}
    for copy, original in copies.items():
        if copy in outputs and outputs.index(copy) < outputs.index(original) and original not in exchanged:
            exchanged |= {copy: original, original: copy}
    for node in walk(graph):
        node.input[:] = [exchanged.get(name, name) for name in node.input]
        node.output[:] = [exchanged.get(name, name) for name in node.output]


def _sort_initializers(graph: onnx.GraphProto, nodes: Iterable[onnx.NodeProto]) -> None:
    """In the order in which they are read."""
    place: dict[str, int] = {}
    for node in nodes:
        for name in node.input:
            place.setdefault(name, len(place))
    tensors = sorted(graph.initializer, key=lambda tensor: place.get(tensor.name, len(place)))
    kept = [onnx.TensorProto.FromString(tensor.SerializeToString()) for tensor in tensors]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def numbered(name: str, taken: Container[str]) -> str:
    """The name, or where it is taken, with `#2` and so on behind it."""
    return next(c for k in itertools.count(1) if (c := f"{name}#{k}" if k > 1 else name) not in taken)


def marked(paths: Sequence[str]) -> Label:
    """The label for a model whose layers were traced under the names L0__, L1__ ...: `paths` has their own."""

    def label(name: str) -> tuple[str | None, str]:
        parts = name.split("/")
        for k in reversed(range(len(parts))):
            if mark := re.match(r"L(\d+)__", parts[k]):
                path = paths[int(mark[1])]
                inner = [_GENERATED.sub("", part) for part in parts[k + 1 :] if not _CALLED.match(part)]
                return path or None, "/".join(part for part in (path, *inner) if part) or name
        return None, _GENERATED.sub("", name)

    return label


def call_of(name: str) -> int | None:
    """The number in the innermost of the scopes C0__, C1__ ... that a node was traced in."""
    calls = [mark for part in name.split("/") if (mark := _CALLED.match(part))]
    return int(calls[-1][1]) if calls else None


def scopes_in_order(names: Iterable[str]) -> Callable[[str], int | None]:
    """For a graph traced under the layers' own names: the place of a node's scope among those of all nodes."""
    first: dict[tuple[str, ...], int] = {}
    for place, name in enumerate(names):
        first.setdefault(_scope(name), place)
    return lambda name: first.get(_scope(name))


def scoped(reads: Mapping[str, str]) -> Label:
    """The label for a graph that was traced under the layers' own names.

    TensorFlow numbers a scope that is entered again, `conv` to `conv_1`, so that a scope alone does not tell its
    layer. The variables do. A layer without variables is only told where the numbers of the others leave no doubt.

    Args:
        reads: names of variables (`conv/kernel`), by the names of the nodes that read them.
    """
    layers = {}
    for node, variable in reads.items():
        scope, path = _scope(node), tuple(variable.split("/")[:-1])
        depths = [k for k, part in enumerate(scope) if path and path[-1] in (part, _NUMBER.sub("", part))]
        if depths:
            layers[scope[: depths[-1] + 1]] = path
    tops = {scope[0] for scope in layers}
    top = 1 if len(tops) == 1 and all(len(scope) > 1 for scope in layers) else 0  # the model's own scope
    roots = {path[0] for path in layers.values()}
    if top and len(roots) == 1 and all(len(path) > 1 for path in layers.values()):
        layers = {scope: path[1:] for scope, path in layers.items()}
    numbered = {scope[-1] != path[-1] for scope, path in layers.items() if list(layers.values()).count(path) == 1}

    def layer_of(scope: tuple[str, ...]) -> tuple[str, ...]:
        for size in range(len(scope), 0, -1):
            if scope[:size] in layers:
                return layers[scope[:size]]
        inner = scope[top:]
        if numbered == {True}:
            return tuple(_NUMBER.sub("", part) for part in itertools.takewhile(_NUMBER.search, inner))
        nests = any(path[:1] == inner[:1] != path for path in layers.values())
        return inner[:1] if numbered == {False} and not nests else ()

    def label(name: str) -> tuple[str | None, str]:
        path = "/".join(layer_of(_scope(name)))
        shown = _GENERATED.sub("", "/".join(part for part in name.split("/") if not _CALL.fullmatch(part)))
        return path or None, shown or name

    return label


def _scope(name: str) -> tuple[str, ...]:
    return tuple(part for part in name.split("/")[:-1] if not _CALL.fullmatch(part))


def _is_layout(node: onnx.NodeProto) -> bool:
    """Made by tf2onnx to change between the layouts of TensorFlow and ONNX, maybe moved away from its layer."""
    return node.op_type in ("Transpose", "Reshape") and re.search(r"__\d+$", node.name) is not None


def _tag_inside(graph: onnx.GraphProto, weights: Iterable[str]) -> None:
    """Nodes without a layer that have the same one layer before and behind them, as in attention, are its own."""
    before: dict[str, set[str]] = {value.name: {""} for value in graph.input}
    before |= {name: set() for name in weights}
    behind: dict[str, set[str]] = {value.name: {""} for value in graph.output}
    for node in graph.node:
        layers = {p.value for p in node.metadata_props} or set().union(*(before.get(x, ()) for x in node.input))
        before |= dict.fromkeys(node.output, layers)
    for node in reversed(graph.node):
        layers = {p.value for p in node.metadata_props} or set().union(*(behind.get(y, ()) for y in node.output))
        for name in node.input:
            behind[name] = behind.get(name, set()) | layers
    for node in graph.node:
        around = set().union(*(before[y] for y in node.output), *(behind.get(y, ()) for y in node.output))
        if len(around) == 1 and "" not in around and not node.metadata_props and not _is_layout(node):
            node.metadata_props.add(key=LAYER, value=around.pop())


def _check(node: onnx.NodeProto, layer: str | None, opset: int) -> None:
    """tf2onnx leaves what it can't convert in the graph, as it is."""
    try:
        onnx.defs.get_schema(node.op_type, opset, node.domain)
    except onnx.defs.SchemaError:
        where = f"layer '{layer}'" if layer else f"operation '{node.name}'"
        message = f"{where}: {node.op_type} has no standard ONNX operator; replace it in the model"
        raise UnsupportedError(message) from None


def _rename(graph: onnx.GraphProto, names: Mapping[str, str], label: Label) -> dict[str, str]:
    """Rename tensors and nodes, bodies of loops included, so that no name occurs twice; the tensors' new names."""
    given = Names([""])
    new = {"": ""} | {old: given.unique(name) for old, name in names.items()}

    def renamed(name: str) -> str:
        if name not in new:
            new[name] = given.unique(label(name)[1].removesuffix(":0"))
        return new[name]

    bodies = [a.g for node in walk(graph) for a in node.attribute if a.type == onnx.AttributeProto.GRAPH]
    for part in (graph, *bodies):
        for value in (*part.input, *part.output, *part.initializer, *part.value_info):
            value.name = renamed(value.name)
        for node in part.node:
            node.input[:] = [renamed(name) for name in node.input]
            node.output[:] = [renamed(name) for name in node.output]
    of_nodes = Names()
    for node in walk(graph):
        layer, name = label(node.name)
        while layer and name.startswith(f"{layer}/"):  # TensorFlow's own scopes may be called as a layer is
            name = name.removeprefix(f"{layer}/")
        node.name = of_nodes.unique(name)
    return new
