"""Live Keras models as ONNX with the names of the Keras layers."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from onnx2graphml.errors import ModelError
from onnx2graphml.frontends import Imported, tfnames
from onnx2graphml.frontends.tensorflow import (
    convert,
    converting,
    freeze,
    static_inputs,
)
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYERS

import keras  # isort: skip
import tensorflow as tf  # isort: skip


@dataclass
class _Row:
    """A row of `model.summary()`. `shapes`: of all its outputs, for every call that came up while tracing."""

    operation: Any
    path: str
    shapes: set[tuple[tuple[int, ...], ...]] = field(default_factory=set)


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
        >>> [value.name for value in imported.proto.graph.output]
        ['dense']
    """
    if keras.backend.backend() != "tensorflow":
        got = keras.backend.backend()
        raise ModelError(f"Keras runs on {got}, expected tensorflow: set KERAS_BACKEND=tensorflow first")
    if not getattr(model, "built", False):
        raise ModelError(f"got an unbuilt {type(model).__name__}, expected a built Keras model: call it on data")
    inputs = _inputs(model, shapes or {})
    rows = _rows(model)
    variables = model.trainable_variables + model.non_trainable_variables
    with converting(), _marked(rows):
        proto, weights = convert(*freeze(_trace(model, inputs, variables)))
    weights |= {f"W{k}:0": _view(variable) for k, variable in enumerate(variables)}
    names = {f"X{k}:0": spec.name for k, spec in enumerate(inputs)}
    ends = [_origin(t) for t in _known(model, "outputs")]
    names |= {output.name: ends[k] if ends else f"output_{k}" for k, output in enumerate(proto.graph.output)}
    names |= {f"W{k}:0": variable.path.removeprefix(f"{model.name}/") for k, variable in enumerate(variables)}
    large = tfnames.finish(proto, weights, names, tfnames.marked([row.path for row in rows]))
    _describe(proto, model, inputs, rows)

    def predict(feed: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        tensors = [tf.constant(feed[spec.name], spec.dtype) for spec in inputs]
        outputs = model(*_arguments(model, tensors), **_inference(model))
        return [np.asarray(output) for output in keras.tree.flatten(outputs)]

    return Imported(proto, predict, large)


def _view(variable: Any) -> np.ndarray:
    """A variable's value now, without a copy where NumPy has the type: TensorFlow copies it before it changes it."""
    value = variable.value.value()
    return np.asarray(memoryview(value) if np.dtype(value.dtype.as_numpy_dtype).isbuiltin else value)


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


def _rows(model: Any) -> list[_Row]:
    """The model itself, and what `model.summary()` shows of it, nested models followed by their own rows."""
    rows, seen, paths = [_Row(model, "")], {id(model)}, {""}

    def visit(container: Any, prefix: str) -> None:
        operations = list(getattr(container, "_operations", container.layers))
        if not prefix and isinstance(model, keras.Sequential):  # which doesn't show its input
            operations = [t._keras_history.operation for t in model.inputs] + operations
        for operation in operations:
            if id(operation) in seen or (prefix and isinstance(operation, keras.layers.InputLayer)):
                continue
            seen.add(id(operation))
            path = tfnames.unique(prefix + operation.name, paths)
            rows.append(_Row(operation, path))
            if isinstance(operation, keras.Model):
                visit(operation, f"{path}/")

    visit(model, "")
    return rows


@contextlib.contextmanager
def _marked(rows: Sequence[_Row]) -> Iterator[None]:
    """Give every row a name that survives in TensorFlow's scopes unambiguously, and note the shapes it computes."""
    names = [row.operation.name for row in rows]
    try:
        for k, row in enumerate(rows):
            row.operation.name = f"L{k}__"
            row.operation.__dict__["call"] = _recorder(row)
        yield
    finally:
        for name, row in zip(names, rows, strict=True):
            row.operation.name = name
            row.operation.__dict__.pop("call", None)


def _recorder(row: _Row) -> Callable[..., Any]:
    call, operation = row.operation.call, row.operation

    @functools.wraps(call)
    def recorded(*args: Any, **kwargs: Any) -> Any:
        # A layer opens its scope itself; a bare operation, like `x + 1` on Keras tensors, does not.
        scope = contextlib.nullcontext() if isinstance(operation, keras.Layer) else tf.name_scope(operation.name)
        with scope:
            outputs = call(*args, **kwargs)
        row.shapes.add(tuple(tuple(t.shape[1:]) for t in keras.tree.flatten(outputs)))
        return outputs

    return recorded


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


def _trace(model: Any, inputs: Sequence[Any], variables: Sequence[Any]) -> Any:
    """The concrete TensorFlow function of X0, X1 ... (the inputs) and W0, W1 ... (the weights)."""
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name=f"X{k}") for k, spec in enumerate(inputs)]
    signature += [tf.TensorSpec(v.shape, tf.as_dtype(v.dtype), name=f"W{k}") for k, v in enumerate(variables)]
    split, n = len(inputs) + len(model.trainable_variables), len(inputs)

    def call(*args: Any) -> Any:
        x = _arguments(model, args[:n])
        outputs, _ = model.stateless_call(list(args[n:split]), list(args[split:]), *x, **_inference(model))
        return keras.tree.flatten(outputs)

    function = tf.function

    def inline(*args: Any, **options: Any) -> Any:
        # Keras wraps a grouped convolution for XLA, which tf2onnx then can't look into.
        return (lambda f: f) if options.get("jit_compile") else function(*args, **options)

    tf.function = inline
    try:
        return function(call, input_signature=signature, autograph=False).get_concrete_function()
    finally:
        tf.function = function


def _describe(proto: onnx.ModelProto, model: Any, inputs: Sequence[Any], rows: Sequence[_Row]) -> None:
    """Write LAYERS and CHANNELS_LAST."""
    tagged = {entry.value for node in tfnames.walk(proto.graph) for entry in node.metadata_props}
    layers = []
    shapes = {spec.name: tuple(spec.shape[1:]) for spec in inputs}
    for row in rows[1:]:
        if isinstance(row.operation, keras.Model) and row.path not in tagged:
            continue  # its own layers stand for it
        entry: dict[str, Any] = {"name": row.path, "class": type(row.operation).__name__}
        found = {(shapes[row.path],)} if row.path in shapes else row.shapes
        if len(found) == 1 and len(only := next(iter(found))) == 1 and None not in only[0]:
            entry["shape"] = list(only[0])
        layers.append(entry)
    proto.metadata_props.add(key=LAYERS, value=json.dumps(layers))
    formats = {getattr(row.operation, "data_format", None) for row in rows} - {None}
    if (formats or {keras.config.image_data_format()}) == {"channels_last"}:
        proto.metadata_props.add(key=CHANNELS_LAST, value="true")
