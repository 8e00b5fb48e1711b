"""An ONNX file as plain nodes: checked, functions inlined, shapes static, constant subgraphs folded.

Every shape is inferred node by node by ONNX itself, and every node whose inputs are all constant is evaluated by ONNX's
reference evaluator, so that what remains is only what depends on the network's input.
"""

from __future__ import annotations

import functools
import graphlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from google.protobuf.message import DecodeError
from onnx import numpy_helper

from onnx2graphml.errors import Error, ModelError, UnsupportedError
from onnx2graphml.frontends import CHANNELS_LAST, LAYERS
from onnx2graphml.scopes import framework_layers

Array = npt.NDArray[Any]
Shapes = Mapping[str, Sequence[int]]
Predict = Callable[[Mapping[str, Array]], Sequence[Array]]

OLDEST_OPSET = 7
READ_FOR_TYPE = {"Shape": 0, "Size": 0, "CastLike": 1}  # inputs that are read only for their shape or type
RANDOM = ("Random", "Bernoulli", "Multinomial")
LARGE = 1 << 16  # elements of an initializer that is kept once, as an array
KNOWN_VALUES = 4096  # constants up to this size take part in shape inference: shapes, axes, pads


@dataclass(frozen=True)
class Node:
    """An ONNX node, with its attributes as Python values.

    Attributes:
        layer: the framework's layer that it comes from; None where there is none.
    """

    op: str
    domain: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    layer: str | None = None


@dataclass(frozen=True)
class TensorType:
    """The shape and the element type of a tensor."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def is_float(self) -> bool:
        """Whether its scalars can be neurons."""
        return is_float(self.dtype)


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether it is one of NumPy's own floating types, which are those that can be expanded."""
    return dtype.type in (np.float16, np.float32, np.float64)


@dataclass(frozen=True, eq=False)
class Model:
    """What the graph is made from.

    Attributes:
        nodes: in topological order, only those that an output depends on and that are not constant.
        constants: values of initializers and folded tensors, by name.
        inputs, outputs: names of tensors.
        types: of every tensor that is not constant.
        opset: of ONNX's own domain.
        proto: the inlined, static model with every tensor still in it, for a runtime; the values of large initializers
            are in `constants` only.
        name: the file's name, or the graph's.
        sha256: of the file; empty for a model that was never one.
        channels_last: whether the framework shows (row, column, channel) and has a layer for all that computes.
        layer_shapes: the framework's layers in its order, with the shapes it shows, without the batch.
        predict: the framework's own prediction, from arrays by input name to the outputs in their order.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    types: Mapping[str, TensorType]
    opset: int
    proto: onnx.ModelProto
    name: str = ""
    sha256: str = ""
    channels_last: bool = False
    layer_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    predict: Predict | None = None

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Of all tensors, computed or constant."""
        return frozenset(self.types) | frozenset(self.constants)


def load_model(source: str | Path | onnx.ModelProto, shapes: Shapes | None = None) -> Model:
    """Read a model and reduce it to nodes, types and constants.

    Args:
        source: an ONNX file, with its external data beside it, or a model in memory.
        shapes: full static shapes by input name, for inputs with dynamic dimensions. A dynamic first dimension is 1
            by default.

    Raises:
        ModelError: the file is not a valid model, or a shape is missing.
        UnsupportedError: ONNX's reference can't evaluate a constant node, or a type is not a float.
    """
    if isinstance(source, onnx.ModelProto):
        proto, name, sha256 = source, source.graph.name, ""
    else:
        proto, name, sha256 = read(Path(source)), Path(source).name, _sha256(Path(source))
    proto = _normalized(_static(proto, shapes or {}))
    return _fold(proto, name, sha256)


def read(path: Path) -> onnx.ModelProto:
    """The model in a file, its external data loaded and the whole checked."""
    try:
        if path.stat().st_size == 0:
            raise ModelError(f"{path}: the file is empty; expected an ONNX model")
        proto = onnx.load(path, format="protobuf")  # whatever its name ends in
        if not proto.graph.node and not proto.graph.output:
            raise ModelError(f"{path}: the file holds no graph; expected an ONNX model")
    except (DecodeError, UnicodeDecodeError):
        raise ModelError(f"{path}: not an ONNX model, or truncated: its bytes can't be decoded") from None
    except (OSError, ValueError, onnx.checker.ValidationError) as e:
        raise ModelError(f"{path}: {_first_line(e)}") from None
    return proto


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text.strip().split("\n")[0]


def _normalized(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Valid, of an opset that the operators are written for, and without functions of its own."""
    try:
        proto = _sorted(proto)
        onnx.checker.check_model(proto)
        if _opset(proto) < OLDEST_OPSET:
            from onnx2graphml.legacy import raised

            proto = raised(proto)
        if proto.functions:
            from onnx import inliner

            proto = inliner.inline_local_functions(proto)
    except (onnx.checker.ValidationError, RuntimeError, ValueError) as e:
        raise ModelError(f"not a valid ONNX model: {_first_line(e)}") from None
    return proto


def _sorted(proto: onnx.ModelProto) -> onnx.ModelProto:
    """The model with its nodes in topological order, as ONNX demands and not every exporter provides."""
    maker = {o: k for k, node in enumerate(proto.graph.node) for o in node.output if o}
    before = {
        k: {maker[i] for i in _read_by(node) if i in maker and maker[i] != k} for k, node in enumerate(proto.graph.node)
    }
    if all(j < k for k, needed in before.items() for j in needed):
        return proto
    try:
        order = list(graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError as e:
        names = [node_name(proto.graph.node[k]) for k in e.args[1]]
        raise ModelError(f"its nodes form a cycle: {' <- '.join(names)}") from None
    original, proto = proto, onnx.ModelProto()
    proto.CopyFrom(original)
    del proto.graph.node[:]
    proto.graph.node.extend(original.graph.node[k] for k in order)
    return proto


def _read_by(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node reads, also within its subgraphs."""
    yield from node.input
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for inner in graph.node:
                yield from _read_by(inner)


def _opset(proto: onnx.ModelProto) -> int:
    versions = [o.version for o in proto.opset_import if o.domain in ("", "ai.onnx")]
    newest = onnx.defs.onnx_opset_version()
    if not versions:
        raise ModelError("the model imports no opset of ONNX's own domain")
    if versions[0] > newest:
        raise ModelError(f"the model's opset is {versions[0]}; the installed onnx knows opsets up to {newest}")
    return int(versions[0])


def _static(proto: onnx.ModelProto, shapes: Shapes) -> onnx.ModelProto:
    """The model with static shapes: itself if it has them, otherwise a copy."""
    if not shapes and all(_is_static(i) for i in _inputs(proto)):
        return proto
    original, proto = proto, onnx.ModelProto()
    proto.CopyFrom(original)
    inputs = _inputs(proto)
    names = [i.name for i in inputs]
    for name in shapes:
        if name not in names:
            raise ModelError(f"--shape names {name!r}; the model's inputs are {', '.join(map(repr, names))}")
    symbols: dict[str, int] = {}
    for i in inputs:
        if i.name in shapes:
            _set_shape(i, shapes[i.name], symbols)
    for i in inputs:
        for position, d in enumerate(i.type.tensor_type.shape.dim):
            if not d.HasField("dim_value") and (d.dim_param in symbols or position == 0):
                d.dim_value = symbols.get(d.dim_param, 1)
    for i in inputs:
        _check_static(i)
    return proto


def _inputs(proto: onnx.ModelProto) -> list[onnx.ValueInfoProto]:
    """The network's inputs; older models list their initializers among them."""
    constant = {i.name for i in proto.graph.initializer} | {i.values.name for i in proto.graph.sparse_initializer}
    return [i for i in proto.graph.input if i.name not in constant]


def _set_shape(info: onnx.ValueInfoProto, shape: Sequence[int], symbols: dict[str, int]) -> None:
    """Make an input's dimensions those, and add what its symbols thereby stand for."""
    dims = info.type.tensor_type.shape.dim
    if not info.type.tensor_type.HasField("shape"):
        info.type.tensor_type.shape.SetInParent()
        for _ in shape:
            dims.add()
    fits = len(dims) == len(shape) and all(
        not d.HasField("dim_value") or d.dim_value == n for d, n in zip(dims, shape, strict=True)
    )
    if not fits or min(shape, default=1) < 1:
        raise ModelError(f"--shape gives {list(shape)} for input {info.name!r}, which has {_shape_text(info)}")
    for d, n in zip(dims, shape, strict=True):
        if d.dim_param and symbols.setdefault(d.dim_param, n) != n:
            raise ModelError(f"--shape gives {d.dim_param!r} both {symbols[d.dim_param]} and {n}, at {info.name!r}")
        d.dim_value = n


def _check_static(info: onnx.ValueInfoProto) -> None:
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type"):
        raise UnsupportedError(f"input {info.name!r} is a {info.type.WhichOneof('value')}; expected a tensor")
    if not _is_static(info):
        example = ",".join(_size(d) or "224" for d in kind.shape.dim) or "1,3,224,224"
        raise ModelError(
            f"input {info.name!r} has shape {_shape_text(info)}; every dimension must be known: "
            f"give --shape {info.name}={example} (with your sizes)"
        )


def _is_static(info: onnx.ValueInfoProto) -> bool:
    kind = info.type.tensor_type
    return kind.HasField("shape") and all(d.HasField("dim_value") and d.dim_value >= 0 for d in kind.shape.dim)


def _size(dimension: onnx.TensorShapeProto.Dimension) -> str:
    return str(dimension.dim_value) if dimension.HasField("dim_value") else ""


def _shape_text(info: onnx.ValueInfoProto) -> str:
    if not info.type.tensor_type.HasField("shape"):
        return "no known shape"
    dims = [_size(d) or d.dim_param or "?" for d in info.type.tensor_type.shape.dim]
    return f"[{', '.join(dims)}]"


@dataclass
class _Folding:
    """What is known while going through the nodes."""

    opset: int
    ir_version: int
    opset_imports: list[onnx.OperatorSetIdProto]
    constants: dict[str, Array]
    types: dict[str, onnx.TypeProto]
    nodes: list[Node]


def _fold(proto: onnx.ModelProto, name: str, sha256: str) -> Model:
    constants = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
    for sparse in proto.graph.sparse_initializer:
        constants[sparse.values.name] = _dense(sparse)
    state = _Folding(_opset(proto), proto.ir_version, list(proto.opset_import), constants, {}, [])
    inputs = _inputs(proto)
    state.types = {i.name: i.type for i in inputs}
    layers = framework_layers(proto)
    for node, layer in zip(proto.graph.node, layers, strict=True):
        try:
            _fold_node(state, node, layer)
        except Error as e:
            raise type(e)(f"node {node_name(node)!r} ({node.op_type}, opset {state.opset}): {e}") from None
    outputs = tuple(o.name for o in proto.graph.output)
    metadata = {m.key: m.value for m in proto.metadata_props}
    nodes = _needed(state.nodes, outputs)
    return Model(
        nodes=nodes,
        constants=constants,
        inputs=tuple(i.name for i in inputs),
        outputs=outputs,
        types={n: t for n, p in state.types.items() if (t := tensor_type(p)) is not None},
        opset=state.opset,
        proto=_without_weights(proto),
        name=name,
        sha256=sha256,
        channels_last=metadata.get(CHANNELS_LAST) == "true",
        layer_shapes={x["name"]: tuple(x.get("shape", ())) for x in json.loads(metadata.get(LAYERS, "[]"))},
    )


def _without_weights(proto: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which large initializers are references to data elsewhere: the original's memory can go."""
    light = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import)
    graph = proto.graph
    light.graph.name = graph.name
    light.graph.node.extend(graph.node)
    light.graph.input.extend(graph.input)
    light.graph.output.extend(graph.output)
    light.graph.sparse_initializer.extend(graph.sparse_initializer)
    for tensor in graph.initializer:
        if math.prod(tensor.dims) <= LARGE:
            light.graph.initializer.append(tensor)
            continue
        named = light.graph.initializer.add(name=tensor.name, data_type=tensor.data_type, dims=tensor.dims)
        named.data_location = onnx.TensorProto.EXTERNAL
        named.external_data.add(key="location", value="constants")
    return light


def node_name(node: onnx.NodeProto) -> str:
    """The node's name, or where it has none that of its first output."""
    return node.name or next(iter(node.output), node.op_type)


def _dense(sparse: onnx.SparseTensorProto) -> Array:
    values, indices = numpy_helper.to_array(sparse.values), numpy_helper.to_array(sparse.indices)
    dense = np.zeros(tuple(sparse.dims), values.dtype)
    if indices.ndim == 1:
        dense.reshape(-1)[indices] = values
    else:
        dense[tuple(indices.T)] = values
    return dense


def _fold_node(state: _Folding, node: onnx.NodeProto, layer: str | None) -> None:
    """Evaluate the node if it is constant, otherwise infer its outputs' types and keep it."""
    given = [i for i in node.input if i]
    values = {i: state.constants[i] for i in given if i in state.constants}
    if (position := READ_FOR_TYPE.get(node.op_type)) is not None and given[position] in state.types:
        values[given[position]] = _stand_in(state.types[given[position]])
    if len(values) == len(set(given)) and not _is_random(node):
        state.constants |= _evaluate(state, node, values)
    else:
        state.types |= _inferred(state, node)
        attributes = {a.name: _attribute(a) for a in node.attribute}
        state.nodes.append(
            Node(
                node.op_type,
                node.domain,
                node_name(node),
                tuple(node.input),
                tuple(node.output),
                attributes,
                layer,
            )
        )


def _is_random(node: onnx.NodeProto) -> bool:
    """Whether two evaluations may differ: also a Dropout in training, and a subgraph with such a node."""
    inner = [n for a in node.attribute for g in (a.g, *a.graphs) for n in g.node]
    trains = node.op_type == "Dropout" and len(node.input) > 2
    return node.op_type.startswith(RANDOM) or trains or any(map(_is_random, inner))


def _stand_in(proto: onnx.TypeProto) -> Array:
    """An array of the shape and type of a computed tensor, where nothing else of it is read."""
    known = tensor_type(proto)
    if known is None:
        raise UnsupportedError("the shape of its input can't be inferred")
    return np.broadcast_to(np.zeros((), known.dtype), known.shape)


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _evaluate(state: _Folding, node: onnx.NodeProto, feeds: dict[str, Array]) -> dict[str, Array]:
    """The outputs of a node with constant inputs, by ONNX's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    outputs = [o for o in node.output if o]
    value_info = onnx.helper.make_empty_tensor_value_info
    graph = onnx.helper.make_graph([node], "node", [value_info(i) for i in feeds], [value_info(o) for o in outputs])
    model = onnx.helper.make_model(graph, opset_imports=state.opset_imports, ir_version=state.ir_version)
    try:
        with np.errstate(all="ignore"):
            values = ReferenceEvaluator(model).run(None, feeds)
    except Exception as e:
        raise UnsupportedError(f"its inputs are constant but ONNX can't evaluate it: {_first_line(e)}") from None
    for name, value in zip(outputs, values, strict=True):
        if not isinstance(value, np.ndarray | np.generic):
            raise UnsupportedError(f"its output {name!r} is a {type(value).__name__}; expected a tensor")
    return dict(zip(outputs, map(np.asarray, values), strict=True))


def _inferred(state: _Folding, node: onnx.NodeProto) -> dict[str, onnx.TypeProto]:
    """The outputs' types, inferred from the inputs' types and from small constants."""
    given = [i for i in node.input if i]
    known = {i: state.types[i] for i in given if i in state.types}
    values = {}
    for i in given:
        if i in state.constants:
            array = state.constants[i]
            kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
            known[i] = onnx.helper.make_tensor_type_proto(kind, array.shape)
            if array.size <= KNOWN_VALUES:
                values[i] = numpy_helper.from_array(np.ascontiguousarray(array), i)
    try:
        schema = onnx.defs.get_schema(node.op_type, state.opset, node.domain)
    except onnx.defs.SchemaError:
        full = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        raise UnsupportedError(f"operator {full} is not one of ONNX's opset {state.opset}") from None
    try:
        return onnx.shape_inference.infer_node_outputs(
            schema, node, known, values, opset_imports=state.opset_imports, ir_version=state.ir_version
        )
    except (onnx.shape_inference.InferenceError, RuntimeError) as e:
        raise ModelError(f"its shapes don't fit: {_first_line(e)}") from None


def tensor_type(proto: onnx.TypeProto) -> TensorType | None:
    """The static shape and the NumPy type; None where either is not known."""
    kind = proto.tensor_type
    if not proto.HasField("tensor_type") or not kind.HasField("shape"):
        return None
    if any(not d.HasField("dim_value") for d in kind.shape.dim):
        return None
    return TensorType(tuple(d.dim_value for d in kind.shape.dim), onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type))


def _needed(nodes: Sequence[Node], outputs: Sequence[str]) -> tuple[Node, ...]:
    """The nodes that an output depends on, in their order."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted & set(node.outputs):
            wanted |= set(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))
