"""TensorFlow functions as ONNX, among them those of a SavedModel.

Weights are converted as inputs of the network and put in afterwards, for two reasons. tf2onnx copies its graph for
every optimizer pass; for VGG16 with the weights inside this takes 21 GB. And it folds what it knows: a
BatchNormalization would vanish into its convolution.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from onnx2graphml.errors import Error, MissingExtraError, ModelError
from onnx2graphml.frontends import Imported, tfnames
from onnx2graphml.frontends.freezing import Frozen, freeze, variables_of
from onnx2graphml.frontends.messages import one_line, told_of_bfloat16
from onnx2graphml.frontends.precision import ROUNDOFF, widen
from onnx2graphml.frontends.repeatable import check_repeatable
from onnx2graphml.frontends.saved_model_check import SIGNATURE, check_saved_model
from onnx2graphml.frontends.saved_model_load import load_saved_model
from onnx2graphml.frontends.static import static_shapes
from onnx2graphml.frontends.steady import ordered_sets
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import CHANNELS_LAST

import tensorflow as tf  # isort: skip

try:
    from tf2onnx import optimizer
    from tf2onnx.handler import tf_op
    from tf2onnx.tf_loader import tf_optimize
    from tf2onnx.tfonnx import process_tf_graph

    from onnx2graphml.frontends import handlers  # noqa: F401  (what it registers is used)
except ImportError as error:
    raise MissingExtraError("TensorFlow", "keras") from error

_OPSET = 17
_IR_VERSION = 10  # the first with metadata on nodes, and ONNX Runtime reads it


def convert(frozen: Frozen) -> tuple[onnx.ModelProto, dict[str, Any]]:
    """A graph to ONNX, with the arrays that have become additional inputs, by input name."""
    constants = _lift(frozen)
    inputs = frozen.inputs + list(constants)
    with ordered_sets("tf2onnx"):
        return _converted(frozen.definition, inputs, frozen.outputs), constants


def _converted(definition: Any, inputs: list[str], outputs: list[str]) -> onnx.ModelProto:
    # What is an output is kept: TensorFlow merges a concatenation into the one that reads it.
    kept = [f"{node.name}:0" for node in definition.node if node.op == "ConcatV2"]
    with tf.Graph().as_default() as graph:
        optimized = tf_optimize(inputs, [*outputs, *kept], definition)
        _add_second_biases(optimized)
        tf.import_graph_def(optimized, name="")
        converted = process_tf_graph(
            graph, opset=_OPSET, input_names=inputs, output_names=outputs, continue_on_error=True
        )
    # Two layers that compute the same from the same are still two, and so are two that reshape.
    merging = ("merge_duplication", "remove_back_to_back")
    passes = {name: each for name, each in optimizer._optimizers.items() if name not in merging}
    scoped = _scoped(converted)
    proto: onnx.ModelProto = optimizer.optimize_graph(converted, optimizers=passes).make_model("model")
    for node in proto.graph.node:
        node.name = scoped.get(node.name, node.name)
    proto.ir_version = _IR_VERSION
    return proto


def _add_second_biases(definition: Any) -> None:
    """A bias of what has one already becomes an addition: tf2onnx makes both of them biases of one convolution."""
    nodes = {node.name: node for node in definition.node}
    for node in definition.node:
        before = nodes.get(node.input[0].partition(":")[0]) if node.op == "BiasAdd" else None
        if before is not None and before.op == "BiasAdd" and node.attr["data_format"].s in (b"", b"NHWC"):
            node.op = "AddV2"
            del node.attr["data_format"]


def _scoped(graph: Any) -> dict[str, str]:
    """Names with a scope for the nodes that tf2onnx made without one: the scope of what they are made for.

    That is certain only before its optimizer moves nodes across layers.
    """
    nodes = {node.name: node for node in graph.get_nodes()}
    scopes: dict[str, list[str]] = {}

    def readers(node: Any) -> list[Any]:
        return [reader for name in node.output for reader in graph.find_output_consumers(name)]

    def is_read(node: Any) -> bool:  # or stands there still, after other nodes have taken its place
        return bool(readers(node)) or any(name in graph.outputs for name in node.output)

    def scope(node: Any) -> list[str]:
        if node.name not in scopes:
            behind = [scope(reader) for reader in readers(node) if is_read(reader)]
            common = itertools.takewhile(lambda parts: len(set(parts)) == 1, zip(*behind, strict=False))
            scopes[node.name] = node.name.split("/")[:-1] or [parts[0] for parts in common]
        return scopes[node.name]

    return {name: "/".join([*scope(node), name]) for name, node in nodes.items() if "/" not in name}


def _lift(frozen: Frozen) -> dict[str, Any]:
    """Turn the floating-point arrays of a TensorFlow graph into inputs; numbers may matter to the conversion."""
    constants = {}
    for node in frozen.definition.node:
        if node.op != "Const" or not tf.as_dtype(node.attr["dtype"].type).is_floating:
            continue
        array = frozen.large[node.name] if node.name in frozen.large else tf.make_ndarray(node.attr["value"].tensor)
        if array.ndim and array.size > 1:
            constants[f"{node.name}:0"] = array
            node.op = "Placeholder"
            del node.attr["value"]
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(array.shape).as_proto())
    return constants


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Without log and warnings of the frameworks, some of which log as if they were the program itself."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


@contextlib.contextmanager
def converting() -> Iterator[None]:
    """Quietly, and with the frameworks' failures as errors of one line."""
    try:
        with quiet():
            yield
    except Error:
        raise
    except Exception as error:
        raise ModelError(f"the model can't be converted to ONNX: {one_line(error)}") from error


def static_inputs(known: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> list[Any]:
    """The inputs as specifications, fully static, batch 1; see `static_shapes`."""
    static = static_shapes(known, shapes)
    return [tf.TensorSpec(shape, tf.as_dtype(known[name][1]), name=name) for name, shape in static.items()]


def from_saved_model(path: Path, shapes: Mapping[str, Sequence[int]], trust: bool = False) -> Imported:
    """Convert the serving signature of a SavedModel directory.

    A SavedModel has no Keras layers any more: their names are recovered where the scopes leave no doubt. It is a
    program, of which nothing runs before its operators are known to be harmless, unless it is trusted.

    Raises:
        ModelError: the directory can't be read, has no serving signature or an operator that may do more than compute,
            or the conversion fails.
        UnsupportedError: the model computes something that has no standard ONNX operator.
    """
    if not trust:
        check_saved_model(path, _handled())
    loaded = _load(path)  # its functions hold their variables only weakly
    signature = loaded.signatures[SIGNATURE]
    known = signature.structured_input_signature[1].items()
    inputs = static_inputs({k: (_dimensions(spec), spec.dtype) for k, spec in known}, shapes)
    names, keys = [spec.name for spec in inputs], sorted(signature.structured_outputs)

    def call(*tensors: Any) -> list[Any]:
        outputs = loaded.signatures[SIGNATURE](**dict(zip(names, tensors, strict=True)))
        return [outputs[key] for key in keys]

    with converting():
        placeholders = [tf.TensorSpec(spec.shape, spec.dtype, name=f"X{k}") for k, spec in enumerate(inputs)]
        concrete = tf.function(call, input_signature=placeholders, autograph=False).get_concrete_function()
        check_repeatable(concrete, lambda name: None)
        _share(loaded, concrete)
        frozen = freeze(concrete)
        definition, widened = frozen.definition, widen(frozen.definition)
        variables = {name: variable.name.removesuffix(":0") for name, variable in variables_of(concrete).items()}
        label = tfnames.scoped(_reads(definition, variables))
        last = not any(node.attr["data_format"].s.startswith(b"NC") for node in definition.node)
        proto, weights = convert(frozen)
    new = {f"X{k}:0": name for k, name in enumerate(names)}
    new |= {output.name: key for output, key in zip(proto.graph.output, keys, strict=True)}
    new |= {f"{constant}:0": name for constant, name in variables.items()}
    _, large = tfnames.finish(
        proto, weights, new, label, tfnames.scopes_in_order(node.name for node in definition.node)
    )
    if last:
        proto.metadata_props.add(key=CHANNELS_LAST, value="true")

    def predict(feed: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return [np.asarray(y) for y in call(*(tf.constant(feed[spec.name], spec.dtype) for spec in inputs))]

    notes = (told_of_bfloat16(),) if widened else ()
    return Imported(LightModel(proto, large), predict, roundoff=ROUNDOFF if widened else 0.0, notes=notes)


def _share(loaded: Any, concrete: Any) -> None:
    """Let variables that a function does not read share memory with those of the same name that it reads.

    Keras exports each of them twice.
    """
    read = {(v.name, v.dtype, tuple(v.shape)): v for v in concrete.variables}
    handles = {id(v.handle) for v in concrete.variables}
    for each in tf.train.TrackableView(loaded).descendants():
        if isinstance(each, tf.Variable) and id(each.handle) not in handles:
            twin = read.get((each.name, each.dtype, tuple(each.shape)))
            if twin is not None:
                each.assign(twin.value())  # which copies nothing


def _load(path: Path) -> Any:
    try:
        with quiet():
            loaded = load_saved_model(path)
    except Exception as error:
        raise ModelError(f"'{path}' can't be read as a SavedModel: {one_line(error)}") from error
    if SIGNATURE not in loaded.signatures:
        got = ", ".join(loaded.signatures) or "none"
        raise ModelError(f"'{path}' has the signatures {got}, expected serving_default: export it with one")
    return loaded


def _handled() -> set[str]:
    """The operators that tf2onnx has handlers for."""
    return {op for versions in tf_op.get_opsets().values() for ops in versions for op in ops}


def _dimensions(spec: Any) -> tuple[int | None, ...]:
    return () if spec.shape.rank is None else tuple(spec.shape)


def _reads(definition: Any, variables: Mapping[str, str]) -> dict[str, str]:
    """Which node of a frozen graph reads which variable, also by way of Identity nodes."""
    nodes = {node.name: node for node in definition.node}
    reads = {}
    for name in nodes:
        source = name
        while nodes[source].op == "Identity":
            source = nodes[source].input[0].split(":")[0]
        if source in variables:
            reads[name] = variables[source]
    return reads
