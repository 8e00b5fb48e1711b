"""Live Keras models as ONNX with the names of the Keras layers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import mock

import numpy as np
import onnx

from onnx2graphml.errors import ModelError
from onnx2graphml.frontends import Feed, Imported, Predict, tfnames
from onnx2graphml.frontends.freezing import freeze, view
from onnx2graphml.frontends.keras_layers import (
    Row,
    check_stateless,
    data_formats,
    describe,
    marked,
    rows_of,
    trained_variables,
    watched,
)
from onnx2graphml.frontends.messages import told_of_bfloat16
from onnx2graphml.frontends.precision import ROUNDOFF, widen
from onnx2graphml.frontends.repeatable import check_repeatable
from onnx2graphml.frontends.tensorflow import convert, converting, quiet, static_inputs
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import LAYER

import keras  # isort: skip
import tensorflow as tf  # isort: skip
from keras.src.layers.preprocessing.data_layer import DataLayer  # isort: skip
from keras.src.utils import tf_utils  # isort: skip


def from_keras(model: Any, *, shapes: Mapping[str, Sequence[int]] | None = None) -> Imported:
    """Convert a built Keras 3 model: Sequential, functional, nested or subclassed.

    Args:
        model: the `keras.Model`. It is left as it was.
        shapes: full static shapes, batch axis of size 1 included, by Keras input name (for a subclassed model,
            by parameter name of its `call`). Needed where dimensions besides the batch are unknown.

    Returns:
        The ONNX model (opset 17, batch 1, the Keras inputs under their names and with their dtypes, the weights as
        initializers or, where they are large, beside it), and the prediction of the model itself with `training=False`.

    Raises:
        ModelError: the model is not built, an input's shape is unknown, or the conversion fails.
        UnsupportedError: the model computes something that has no standard ONNX operator.

    Example:
        >>> imported = from_keras(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="dense")]))
        >>> [value.name for value in imported.light.proto.graph.output]
        ['dense']
    """
    if keras.backend.backend() != "tensorflow":
        got = keras.backend.backend()
        raise ModelError(f"Keras runs on {got}, expected tensorflow: set KERAS_BACKEND=tensorflow first")
    if not getattr(model, "built", False):
        raise ModelError(f"got an unbuilt {type(model).__name__}, expected a built Keras model: call it on data")
    inputs = _inputs(model, shapes or {})
    rows = rows_of(model)
    check_stateless(rows)
    label = tfnames.marked([row.path for row in rows])
    variables = model.trainable_variables + model.non_trainable_variables
    with converting(), marked(rows):
        concrete, written = _trace(model, inputs, variables)
        check_repeatable(concrete, lambda name: label(name)[0], written)
        frozen = freeze(concrete)
        widened = widen(frozen.definition)
        proto, weights = convert(frozen)
    weights |= {f"W{k}:0": view(variable.value.value()) for k, variable in enumerate(variables)}
    new, large = tfnames.finish(proto, weights, _names(proto, model, inputs, variables), label, tfnames.call_of)
    _tag_copies(proto, [_origin(t) for t in _known(model, "outputs")])
    trained = trained_variables(model)
    describe(proto, inputs, rows, [new[f"W{k}:0"] for k, v in enumerate(variables) if id(v) in trained])
    run, *others = _runners(model, inputs, rows)

    def predictions(of: Callable[[Feed], Any]) -> Predict:
        return lambda feed: [np.asarray(output) for output in keras.tree.flatten(of(feed))]

    return Imported(
        LightModel(proto, large),
        predict=predictions(run),
        other_predictions=tuple(map(predictions, others)),
        outputs_of_layers=lambda feed: watched(rows, lambda: run(feed)),
        roundoff=ROUNDOFF if widened else 0.0,
        notes=(_told_of_bfloat16(rows),) if widened else (),
    )


def _names(proto: onnx.ModelProto, model: Any, inputs: Sequence[Any], variables: Sequence[Any]) -> dict[str, str]:
    """The Keras names of the inputs X0, X1 ..., of the outputs, and of the weights W0, W1 ..."""
    names = {f"X{k}:0": spec.name for k, spec in enumerate(inputs)}
    ends = [_origin(t) for t in _known(model, "outputs")]
    names |= {output.name: ends[k] if ends else f"output_{k}" for k, output in enumerate(proto.graph.output)}
    return names | {f"W{k}:0": variable.path.removeprefix(f"{model.name}/") for k, variable in enumerate(variables)}


def _tag_copies(proto: onnx.ModelProto, ends: Sequence[str]) -> None:
    """An output that is a copy comes from the layer that the user named, as a Dropout that does nothing any more.

    So does one that is only cast to the layer's type, which Keras does before it enters the layer.
    """
    layers = dict(zip((output.name for output in proto.graph.output), ends, strict=bool(ends)))
    for node in proto.graph.node:
        if node.op_type in ("Identity", "Cast") and not node.metadata_props and node.output[0] in layers:
            node.metadata_props.add(key=LAYER, value=layers[node.output[0]])


def _runners(model: Any, inputs: Sequence[Any], rows: Sequence[Row]) -> list[Callable[[Feed], Any]]:
    """The model itself, run on arrays by input name, in one way or more.

    With channels first, TensorFlow adds the biases of some convolutions along the wrong axis: of others when it runs a
    graph than when it runs without one; and some it can't run at all. In a graph alone, as in `model.predict`, Keras
    casts whole numbers before it changes pictures; without one, it rounds what comes of them.
    """

    def call(*tensors: Any) -> Any:
        return model(*_arguments(model, tensors), **_inference(model))

    def runner(of: Callable[..., Any]) -> Callable[[Feed], Any]:
        def run(feed: Feed) -> Any:
            with quiet():
                return of(*(tf.constant(feed[spec.name], spec.dtype) for spec in inputs))

        return run

    def in_a_graph(*tensors: Any) -> Any:
        return tf.function(call, autograph=False).get_concrete_function(*tensors)(*tensors)

    if "channels_first" not in data_formats(rows):
        return [*([runner(in_a_graph)] if _changes_whole_numbers(inputs, rows) else []), runner(call)]
    return [runner(in_a_graph), runner(call), runner(tf.function(call, autograph=False, jit_compile=True))]


def _changes_whole_numbers(inputs: Sequence[Any], rows: Sequence[Row]) -> bool:
    """Whether a layer that changes pictures may have whole numbers of an input."""
    return any(spec.dtype.is_integer for spec in inputs) and any(isinstance(row.operation, DataLayer) for row in rows)


def _told_of_bfloat16(rows: Sequence[Row]) -> str:
    return told_of_bfloat16([row.path for row in rows[1:] if getattr(row.operation, "compute_dtype", "") == "bfloat16"])


def _inputs(model: Any, shapes: Mapping[str, Sequence[int]]) -> list[Any]:
    """The model's inputs as `tf.TensorSpec`, fully static, batch 1."""
    known = {_origin(t): (tuple(t.shape), t.dtype) for t in _known(model, "inputs")} or _parameters(model)
    return static_inputs(known, shapes)


def _parameters(model: Any) -> dict[str, tuple[tuple[int | None, ...], str]]:
    """The inputs of a subclassed model: the required parameters of its `call`, shapes only if it was built by one."""
    parameters = inspect.signature(model.call).parameters.values()
    names = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]
    built = list((model._build_shapes_dict or {}).values())
    alone = len(names) == 1 and len(built) == 1 and all(isinstance(size, int | None) for size in built[0])
    shape = tuple(built[0]) if alone else ()
    return {name: (shape, model.input_dtype) for name in names if name not in ("training", "mask")}


def _arguments(model: Any, tensors: Sequence[Any]) -> Sequence[Any]:
    if isinstance(model, keras.Sequential) or not _known(model, "inputs"):
        return tensors
    return [keras.tree.pack_sequence_as(model.input, tensors)]


def _inference(model: Any) -> dict[str, bool]:
    """`training=False`, unless the model's own `call` doesn't have that parameter."""
    return {"training": False} if "training" in inspect.signature(model.call).parameters else {}


def _known(model: Any, end: str) -> list[Any]:
    """The Keras tensors at the model's `inputs` or `outputs` end: none if it is subclassed."""
    return list(getattr(model, end, None) or [])


def _origin(tensor: Any) -> str:
    """The name of the layer that a Keras tensor comes from; its own name may be an arbitrary number."""
    return str(tensor._keras_history.operation.name)


def _trace(model: Any, inputs: Sequence[Any], variables: Sequence[Any]) -> tuple[Any, list[str]]:
    """The concrete TensorFlow function of X0, X1 ... (the inputs) and W0, W1 ... (the weights).

    With it, the names of those weights that it would change.
    """
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name=f"X{k}") for k, spec in enumerate(inputs)]
    signature += [tf.TensorSpec(v.shape, tf.as_dtype(v.dtype), name=f"W{k}") for k, v in enumerate(variables)]
    split, n = len(inputs) + len(model.trainable_variables), len(inputs)
    written: list[str] = []

    def call(*args: Any) -> Any:
        x, state = _arguments(model, args[:n]), list(args[split:])
        outputs, later = model.stateless_call(list(args[n:split]), state, *x, **_inference(model))
        written[:] = [old.op.name for old, new in zip(state, later, strict=True) if new is not old]
        return keras.tree.flatten(outputs)

    function = tf.function

    def inline(*args: Any, **options: Any) -> Any:
        # Keras wraps a grouped convolution for XLA, which tf2onnx then can't look into.
        return (lambda f: f) if options.get("jit_compile") else function(*args, **options)

    tf.function = inline
    try:
        with mock.patch.object(tf_utils, "tf_encode_categorical_inputs", side_effect=ValueError):
            # Keras has another way than counts, whose number ONNX does not know beforehand.
            return function(call, input_signature=signature, autograph=False).get_concrete_function(), written
    finally:
        tf.function = function
