"""Which layer of the framework each ONNX node comes from, read from what the exporters leave in the file.

Only modules without others inside are layers. A container is known by the modules that lie inside it. A node that a
container's own code made (`F.relu(x)`, `x + y`, `torch.flatten`) belongs to no layer.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

import onnx

from onnx2graphml.model.metadata import LAYER

_NAME_SCOPES = "pkg.torch.onnx.name_scopes"
_NAMESPACE = "namespace"
_REWRITE_RULE = "pkg.onnxscript.rewriter.rule_name"

_TENSORFLOW_SCOPES = ("batchnorm", "moments")

_Scope = tuple[str, ...]


def framework_layers(model: onnx.ModelProto) -> list[str | None]:
    """Name the framework's layer of every node.

    By this package's own metadata (`LAYER`), or else the metadata of PyTorch's dynamo exporter, or else the
    node names of PyTorch's TorchScript exporter or of tf2onnx. The first kind that the file has decides for
    all of its nodes.

    Args:
        model: any ONNX model; only the nodes of the main graph are looked at.

    Returns:
        A list parallel to `model.graph.node`: the module path or Keras layer name, or None where a node comes
        from no layer or the file doesn't tell. A module called twice is named twice.

    Example:
        >>> framework_layers(onnx.load("fixtures/residual.onnx"))[:3]
        ['conv1', 'bn1', 'relu']
    """
    nodes = model.graph.node
    tagged = [_metadata(node).get(LAYER) for node in nodes]
    if any(tagged):
        return tagged
    weights = {tensor.name for tensor in model.graph.initializer}
    metadata = [_metadata(node) for node in nodes]
    if any(_NAME_SCOPES in entry or _NAMESPACE in entry for entry in metadata):
        return _dynamo_layers(nodes, metadata, weights)
    if model.producer_name == "tf2onnx":
        return _keras_layers(nodes)
    return _torchscript_layers(nodes, weights)


def _metadata(node: onnx.NodeProto) -> dict[str, str]:
    return {entry.key: entry.value for entry in node.metadata_props}


def _dynamo_layers(
    nodes: Sequence[onnx.NodeProto], metadata: Sequence[Mapping[str, str]], weights: set[str]
) -> list[str | None]:
    scopes = [_dynamo_scope(entry) for entry in metadata]
    containers = {module for scope in scopes for module in scope[:-1]} | {""}
    layers: list[str | None] = []
    for node, entry, scope in zip(nodes, metadata, scopes, strict=True):
        layer = scope[-1] if scope and scope[-1] not in containers else None
        if layer and "FuseBatchNormInto" in entry.get(_REWRITE_RULE, ""):
            # The fused node is the convolution, but has the metadata of the normalization that it took in.
            layer = next(iter(_owners([node], weights)), layer)
        layers.append(layer)
    return layers


def _dynamo_scope(entry: Mapping[str, str]) -> _Scope:
    """The module paths around a node, from the root's "" inwards; the last name recorded is the operation."""
    recorded = entry.get(_NAME_SCOPES)
    if recorded is None:
        names = [part.partition(":")[0].strip() for part in entry.get(_NAMESPACE, "").split("/")]
    else:
        try:
            names = ast.literal_eval(recorded)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):  # all that a wrong text may raise
            return ()
        if not isinstance(names, list):
            return ()
    # weight_norm and the like hang modules into a layer to compute its weights: they are part of the layer.
    return tuple(str(name) for name in names[:-1] if ".parametrizations" not in str(name))


def _torchscript_layers(nodes: Sequence[onnx.NodeProto], weights: set[str]) -> list[str | None]:
    """By names like `/layer1/layer1.0/conv1/Conv`, where every module on the way gives one component."""
    scopes = [tuple(node.name.split("/")[1:-1]) if node.name.startswith("/") else () for node in nodes]
    members: dict[_Scope, list[onnx.NodeProto]] = {}
    for scope, node in zip(scopes, nodes, strict=True):
        members.setdefault(scope, []).append(node)
    containers = {scope[:depth] for scope in members for depth in range(len(scope))} | {()}
    layers: dict[_Scope, str | None] = {}
    for scope, made in members.items():
        first = _first_call(scope, members, containers, weights)
        layers[scope] = None if first in containers else _module_path(first, _owners(made, weights))
    return [layers[scope] for scope in scopes]


def _first_call(
    scope: _Scope,
    members: Mapping[_Scope, Sequence[onnx.NodeProto]],
    containers: set[_Scope],
    weights: set[str],
) -> _Scope:
    """The scope of a module's first call: the exporter appends `_1`, `_2` ... to the later ones.

    A module may also be called `conv_1` itself. The names of the weights tell; without any, a later call of
    the same module makes the same operations.
    """
    match = re.fullmatch(r"(.+)_\d+", scope[-1]) if scope else None
    if match is None or scope in containers:
        return scope
    first = (*scope[:-1], match[1])
    owners = {_last(owner) for owner in _owners(members[scope], weights)}
    if _last(scope[-1]) in owners or (first not in members and first not in containers):
        return scope
    repeated = (
        _last(first[-1]) in owners
        or first in containers
        or _computation(members[scope], weights) == _computation(members[first], weights)
    )
    return first if repeated else scope


def _computation(nodes: Iterable[onnx.NodeProto], weights: set[str]) -> list[object]:
    """What some nodes compute, apart from the names of the tensors that pass through them."""
    return [
        (
            node.op_type,
            [name for name in node.input if name in weights],
            sorted(attribute.SerializeToString(deterministic=True) for attribute in node.attribute),
        )
        for node in nodes
        if node.op_type != "Constant"
    ]


def _owners(nodes: Iterable[onnx.NodeProto], weights: set[str]) -> list[str]:
    """The modules that own the nodes' weights, by the weights' names, e.g. `layer1.0.conv1` of `….weight`."""
    return [name.rpartition(".")[0] for node in nodes for name in node.input if name in weights and "." in name]


def _module_path(scope: _Scope, owners: Sequence[str]) -> str:
    """Join a scope's components: `layer1`, `layer1.0`, `conv1` -> `layer1.0.conv1`.

    A Sequential's or ModuleList's children carry its name already. A ModuleDict leaves no trace in the scope,
    but in the names of the weights.
    """
    path, outer = "", None
    for component in scope:
        within = outer is not None and component.startswith(outer + ".")
        path += component[len(outer or "") :] if within else f".{component}"
        outer = component
    path = path.removeprefix(".")
    return next((owner for owner in owners if _last(owner) == _last(path) and _goes_by(owner, path)), path)


def _goes_by(owner: str, path: str) -> bool:
    """Whether the owner's path is this one with more modules on the way."""
    steps = iter(owner.split("."))
    return all(step in steps for step in path.split("."))


def _last(path: str) -> str:
    return path.rpartition(".")[2]


def _keras_layers(nodes: Sequence[onnx.NodeProto]) -> list[str | None]:
    """By tf2onnx's names like `StatefulPartitionedCall/sequential/conv2d/BiasAdd`: model, layer, operation.

    Keras 3 appends a number to every layer's name; `conv2d_1` may then be `conv2d` or `conv2d_1`. So no layer
    is named unless some name comes without a number.
    """
    layers = [_keras_layer(node.name) for node in nodes]
    numbered = all(layer is None or re.search(r"_\d+$", layer) for layer in layers)
    return [None] * len(layers) if numbered else layers


def _keras_layer(name: str) -> str | None:
    """None where parts of a fused name disagree, and inside of nested models, whose layers have no row."""
    layers = set()
    for part in name.split(";"):
        scope = re.sub(r"^((Stateful)?PartitionedCall(_\d+)?/)+", "", part).split("/")
        # Between layer and operation, TensorFlow's own scopes; anything else is a layer inside of a layer.
        own = all(inner[:1].isupper() or inner in _TENSORFLOW_SCOPES for inner in scope[2:-1])
        layers.add(scope[1] if len(scope) > 2 and own else None)
    return layers.pop() if len(layers) == 1 else None
