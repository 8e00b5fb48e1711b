"""An ONNX model as plain nodes: checked, functions inlined, shapes static, constant subgraphs folded."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx

from onnx2graphml.errors import ModelError, UnsupportedError, context
from onnx2graphml.model import file as onnxfile
from onnx2graphml.model.apart import Limits
from onnx2graphml.model.apart import apart as run_apart
from onnx2graphml.model.declared import with_declared_shapes
from onnx2graphml.model.evaluation import confirmed
from onnx2graphml.model.external import DataFiles, Stamp, stamp
from onnx2graphml.model.fixed import Fixed, fix_inputs
from onnx2graphml.model.folding import Folding, UnknownShapeError, needed
from onnx2graphml.model.initializers import initializers
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.limits import check_all_neurons, check_neurons, most_folded
from onnx2graphml.model.lowering.microsoft.domains import as_written, to_own_domain
from onnx2graphml.model.messages import check_text
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYERS, TRAINED
from onnx2graphml.model.nodes import Node, TensorType, is_float, tensor_type
from onnx2graphml.model.scopes import framework_layers
from onnx2graphml.model.static import Shapes, make_static, network_inputs
from onnx2graphml.model.trained import parameters, trained_arrays
from onnx2graphml.model.valid import OLDEST_OPSET, normalized, opset_of

__all__ = ["OLDEST_OPSET", "Model", "Node", "Predict", "TensorType", "is_float", "load_model"]

Array = npt.NDArray[Any]
Predict = Callable[[Mapping[str, Array]], Sequence[Array]]


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
        original: what `proto` was before composite operators were replaced by their parts; None where there were none.
        name: the file's name, or the graph's.
        sha256: of the file; empty for a model that was never one.
        channels_last: whether the framework shows (row, column, channel) and has a layer for all that computes.
        layer_shapes: the framework's layers in its order, with the shapes it shows, without the batch.
        layer_classes: the framework's type of each layer, such as `Conv2D`.
        trained: the sizes of the arrays that training changes, by the names of the initializers.
        parameters: how many trained scalars each node has, by the name of its first output.
        predict: the framework's own prediction, from arrays by input name to the outputs in their order.
        other_predictions: the same in other ways, where the framework does not get it right in each.
        framework_roundoff: the unit roundoff of that, where it is not the outputs'.
        files: what it was read from, its external data among them: nothing that may be written over.
        stamps: of files that are mapped into memory; see `check_files`.
    """

    nodes: tuple[Node, ...]
    constants: Mapping[str, Array]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    types: Mapping[str, TensorType]
    opset: int
    proto: onnx.ModelProto
    original: onnx.ModelProto | None = None
    name: str = ""
    sha256: str = ""
    channels_last: bool = False
    layer_shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    layer_classes: Mapping[str, str] = field(default_factory=dict)
    trained: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)
    predict: Predict | None = None
    other_predictions: tuple[Predict, ...] = ()
    framework_roundoff: float = 0.0
    files: tuple[Path, ...] = ()
    stamps: Mapping[Path, Stamp | None] = field(default_factory=dict)

    @functools.cached_property
    def names(self) -> frozenset[str]:
        """Of all tensors, computed or constant."""
        return frozenset(self.types) | frozenset(self.constants)

    def check_files(self) -> None:
        """`ModelError` if a file that is mapped into memory was changed: what was cut off ends the process."""
        for path, before in self.stamps.items():
            if stamp(path) != before:
                raise ModelError(f"{path}: it was changed while the model was in use; load the model again")


def load_model(
    source: str | Path | onnx.ModelProto | LightModel, shapes: Shapes | None = None, fixed: Fixed | None = None
) -> Model:
    """Read a model and reduce it to nodes, types and constants.

    Args:
        source: an ONNX file, with its external data beside it, or a model in memory, which is left as it is; or with
            its large weights beside it.
        shapes: full static shapes by input name, for inputs with dynamic dimensions. A dynamic first dimension is 1
            by default.
        fixed: values by name for inputs that become constants.

    Raises:
        ModelError: the file is not a valid model, or a shape is missing.
        UnsupportedError: ONNX's reference can't evaluate a constant node, or a type is not a float.
        TooLargeError: the network has more neurons, or its constants more elements, than there may be.

    Example:
        >>> [node.op for node in load_model("fixtures/digits.onnx").nodes][-2:]
        ['Gemm', 'Softmax']
    """
    if isinstance(source, onnx.ModelProto | LightModel):
        given = source if isinstance(source, LightModel) else LightModel(source)
        light = _light(given.proto, DataFiles(None))
        light = replace(light, arrays={**light.arrays, **given.arrays})
        return replace(_reduced(light, shapes or {}, fixed or {}), name=given.proto.graph.name)
    light, sha256, beside = _read(Path(source))
    limits = Limits.of(light.proto.ByteSize(), sum(w.nbytes for w in light.arrays.values()))
    found = run_apart(lambda: _sendable(_reduced(light, shapes or {}, fixed or {}), light), limits)
    constants = {**found.constants, **light.arrays}
    found = replace(found, constants=constants, name=Path(source).name, sha256=sha256)
    return replace(found, files=(Path(source), *beside.paths), stamps=beside.stamps)


def _reduced(light: LightModel, shapes: Shapes, fixed: Fixed) -> Model:
    proto, large = light.proto, light.arrays
    fix_inputs(proto, fixed, shapes, large)
    shapes = {name: shape for name, shape in shapes.items() if name not in fixed}
    make_static(network_inputs(proto.graph, large), shapes)
    to_own_domain(proto)
    proto = normalized(proto)
    light.refer(proto)
    try:
        return _folded(proto, large)
    except UnknownShapeError:
        told = with_declared_shapes(proto)
        if told is None:
            raise
        return replace(_folded(told, large), original=proto)


def _sendable(model: Model, light: LightModel) -> Model:
    """The model without what both processes have."""
    return replace(model, constants={n: v for n, v in model.constants.items() if n not in light.arrays})


def _read(path: Path) -> tuple[LightModel, str, DataFiles]:
    """A file's model, its SHA-256, and the files beside it; what was read of it is let go."""
    proto, sha256 = onnxfile.read(path)
    beside = DataFiles(path.parent)
    with context(str(path)):
        return _light(proto, beside), sha256, beside


def _light(proto: onnx.ModelProto, files: DataFiles) -> LightModel:
    check_text(proto)
    return LightModel.of(proto, files)


def _folded(proto: onnx.ModelProto, weights: Mapping[str, Array]) -> Model:
    constants = dict(initializers(proto.graph)) | dict(weights)
    around = onnx.ModelProto(ir_version=proto.ir_version, opset_import=proto.opset_import)
    inputs = network_inputs(proto.graph, ())
    for i in inputs:
        if (known := _type_of(i)) is not None:
            check_neurons(i.name, known.shape)
    metadata = {m.key: m.value for m in proto.metadata_props}
    opset = opset_of(proto)
    given = {i.name: i.type for i in inputs}
    most = most_folded(sum(v.size for v in constants.values()))
    state = Folding(opset, around, constants, given, _all_names(proto.graph), most=most)
    for node, layer in zip(proto.graph.node, framework_layers(proto), strict=True):
        state.add(node, layer)
    for o in proto.graph.output:
        if not o.HasField("type"):
            _declare(o, state)
    outputs = tuple(o.name for o in proto.graph.output)
    if (sequence := next((o for o in outputs if o in state.sequences), None)) is not None:
        raise UnsupportedError(f"output {sequence!r} is a sequence; expected a tensor")
    nodes = needed(state.nodes, outputs)
    types = {n: t for n, p in state.types.items() if (t := tensor_type(p)) is not None}
    read = {state.same.get(i, i) for node in nodes for i in node.inputs} | {state.same.get(o, o) for o in outputs}
    others = state.filled | state.same.keys()
    evaluated = [a.proto for a in state.nodes if not a.computed and not others & set(a.proto.output)]
    constants |= confirmed(evaluated, constants, read, around)
    constants |= {name: constants[first] for name, first in state.same.items() if first in constants}
    computed = {i.name for i in inputs} | {o for node in nodes for o in node.outputs}
    check_all_neurons(sum(math.prod(types[n].shape) for n in computed if n in types))
    trained = trained_arrays(proto.graph, constants, metadata.get(TRAINED))
    return Model(
        nodes=nodes,
        constants=constants,
        inputs=tuple(i.name for i in inputs),
        outputs=outputs,
        types=types,
        opset=opset,
        proto=_with_nodes(proto, [added.proto for added in state.nodes]) if state.parts else proto,
        original=as_written(proto) if state.parts else None,
        channels_last=metadata.get(CHANNELS_LAST) == "true",
        layer_shapes=_layer_shapes(metadata.get(LAYERS, "[]")),
        layer_classes=_layer_classes(metadata.get(LAYERS, "[]")),
        trained=trained,
        parameters=parameters(nodes, proto.graph, constants, trained),
    )


def _declare(output: onnx.ValueInfoProto, state: Folding) -> None:
    """Give an output the type that was inferred."""
    if output.name in state.types:
        output.type.CopyFrom(state.types[output.name])
    elif output.name in state.constants:
        value = state.constants[output.name]
        kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
        output.type.CopyFrom(onnx.helper.make_tensor_type_proto(kind, value.shape))


def _all_names(graph: onnx.GraphProto) -> set[str]:
    """Of all tensors, those of subgraphs among them."""
    listed = [*graph.input, *graph.output, *graph.initializer]
    names = {x.name for x in listed} | {s.values.name for s in graph.sparse_initializer}
    for node in graph.node:
        names |= set(node.output)
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                names |= _all_names(inner)
    return names


def _with_nodes(proto: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> onnx.ModelProto:
    """The model with other nodes."""
    made = onnx.ModelProto()
    made.CopyFrom(proto)
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    return made


def _type_of(info: onnx.ValueInfoProto) -> TensorType | None:
    with context(f"input {info.name!r}"):
        return tensor_type(info.type)


def _layer_shapes(text: str) -> dict[str, tuple[int, ...]]:
    """The framework's layers, as a frontend wrote them into the model."""
    try:
        shapes = {str(entry["name"]): tuple(map(int, entry.get("shape", ()))) for entry in json.loads(text)}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise ModelError(f"its metadata {LAYERS!r} is not a list of layers with names and shapes: remove it") from None
    return shapes


def _layer_classes(text: str) -> dict[str, str]:
    """The framework's types of layers; of a text whose form `_layer_shapes` has checked."""
    return {str(entry["name"]): str(entry["class"]) for entry in json.loads(text) if "class" in entry}
