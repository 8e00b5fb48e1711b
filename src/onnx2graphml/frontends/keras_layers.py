"""What Keras calls the layers of a model, marked while it is traced, and watched while it runs."""

from __future__ import annotations

import contextlib
import functools
import graphlib
import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.frontends import tfnames
from onnx2graphml.frontends.names import Names
from onnx2graphml.frontends.order import walk
from onnx2graphml.frontends.repeatable import ADVICE
from onnx2graphml.frontends.tensorflow import quiet
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYERS, TRAINED

import keras  # isort: skip
import tensorflow as tf  # isort: skip

Call = Callable[..., Any]


@dataclass
class Row:
    """A row of `model.summary()`. `shapes`: of all its outputs, for every call that came up while tracing."""

    operation: Any
    path: str
    shapes: set[tuple[tuple[int, ...], ...]] = field(default_factory=set)


def rows_of(model: Any) -> list[Row]:
    """The model itself, and what `model.summary()` shows of it, nested models followed by their own rows."""
    rows, seen, paths = [Row(model, "")], {id(model)}, Names([""])

    def visit(container: Any, prefix: str) -> None:
        operations = list(getattr(container, "_operations", container.layers))
        if not prefix and isinstance(model, keras.Sequential):  # which doesn't show its input
            operations = [t._keras_history.operation for t in model.inputs] + operations
        for operation in operations:
            if id(operation) in seen or (prefix and isinstance(operation, keras.layers.InputLayer)):
                continue
            seen.add(id(operation))
            path = paths.unique(prefix + operation.name)
            rows.append(Row(operation, path))
            if isinstance(operation, keras.Model):
                visit(operation, f"{path}/")

    visit(model, "")
    return rows


def check_stateless(rows: Sequence[Row]) -> None:
    """Refuse layers that begin a prediction where the last one ended.

    Raises:
        UnsupportedError: names the layer.
    """
    for row in rows:
        is_layer = not isinstance(row.operation, keras.Model)
        if is_layer and any(getattr(each, "stateful", False) for each in _with_inner(row.operation)):
            raise UnsupportedError(f"layer {row.path!r} keeps its states, which are variables that it reads: {ADVICE}")


@contextlib.contextmanager
def marked(rows: Sequence[Row]) -> Iterator[None]:
    """Give every row, and every call, a scope that survives in TensorFlow's names, and note the shapes it computes.

    The scopes are `L3__` for the third row and `C7__` for the seventh call of any row: TensorFlow numbers a name that
    occurs again, which would not tell `conv_1` from the second call of `conv`.
    """
    names, calls = [row.operation.name for row in rows], itertools.count()

    def mark(row: Row, call: Call) -> Call:
        def marking(*args: Any, **kwargs: Any) -> Any:
            operation = row.operation
            # A layer opens its scope itself; a bare operation, like `x + 1` on Keras tensors, does not.
            own = contextlib.nullcontext() if isinstance(operation, keras.Layer) else tf.name_scope(operation.name)
            number = tf.name_scope(f"C{next(calls)}__") if row.path else contextlib.nullcontext()
            with own, number:
                outputs = call(*args, **kwargs)
            row.shapes.add(tuple(tuple(t.shape[1:]) for t in keras.tree.flatten(outputs)))
            return outputs

        return marking

    try:
        for k, row in enumerate(rows):
            row.operation.name = f"L{k}__"
        with _called_through(rows, mark), _unrolled(rows), _in_order_of_calls(rows):
            yield
    finally:
        for name, row in zip(names, rows, strict=True):
            row.operation.name = name


@contextlib.contextmanager
def _called_through(rows: Sequence[Row], wrapper: Callable[[Row, Call], Call]) -> Iterator[None]:
    """With every row's `call` wrapped."""
    try:
        for row in rows:
            call = row.operation.call
            row.operation.__dict__["call"] = functools.wraps(call)(wrapper(row, call))
        yield
    finally:
        for row in rows:
            row.operation.__dict__.pop("call", None)


@contextlib.contextmanager
def _in_order_of_calls(rows: Sequence[Row]) -> Iterator[None]:
    """With functional models that run a shared layer's calls in the order in which the user wrote them."""
    models = [row.operation for row in rows if hasattr(row.operation, "_nodes_by_depth")]
    before = [model._nodes_by_depth for model in models]
    try:
        for model in models:
            order = _calls_in_order(model)
            model._nodes_by_depth = {len(order) - k: [node] for k, node in enumerate(order)}
        yield
    finally:
        for model, nodes in zip(models, before, strict=True):
            model._nodes_by_depth = nodes


def _calls_in_order(model: Any) -> list[Any]:
    """The calls that make up a functional model: each after those it reads, and after the earlier ones of its layer."""
    nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
    inside = {id(node): node for node in nodes}
    sorter: graphlib.TopologicalSorter[int] = graphlib.TopologicalSorter()
    for node in nodes:
        calls = node.operation._inbound_nodes
        earlier = calls[: calls.index(node)]
        sorter.add(id(node), *(id(n) for n in (*node.parent_nodes, *earlier) if id(n) in inside))
    return [inside[key] for key in sorter.static_order()]


@contextlib.contextmanager
def _unrolled(rows: Sequence[Row]) -> Iterator[None]:
    """With recurrent layers written out step by step: the number of steps is known, and a loop has no edges."""
    layers = [each for row in rows for each in _with_inner(row.operation) if isinstance(each, keras.layers.RNN)]
    before = [layer.unroll for layer in layers]
    try:
        for layer in layers:
            if not layer.unroll:
                layer.__dict__["inner_loop"] = _forwards(layer)
            layer.unroll = True
        yield
    finally:
        for layer, unroll in zip(layers, before, strict=True):
            layer.unroll = unroll
            layer.__dict__.pop("inner_loop", None)


def _forwards(layer: Any) -> Call:
    """A layer's loop. Written out, Keras' own hides the outputs of a backward one by the mask of the forward one."""
    loop = layer.inner_loop

    def inner_loop(sequences: Any, initial_state: Any, mask: Any, **options: Any) -> Any:
        mask = mask[0] if isinstance(mask, list | tuple) else mask
        hides = layer.go_backwards and layer.zero_output_for_mask and layer.return_sequences
        if mask is None or not hides:
            return loop(sequences, initial_state, mask, **options)
        layer.go_backwards = False
        try:
            return loop(_reversed(sequences), initial_state, _reversed(mask), **options)
        finally:
            layer.go_backwards = True

    return inner_loop


def _reversed(series: Any) -> Any:
    return tf.stack(tf.unstack(series, axis=1)[::-1], axis=1)


def _with_inner(operation: Any) -> list[Any]:
    """A layer and those inside it, as Bidirectional has them."""
    return [operation, *getattr(operation, "_flatten_layers", lambda **_: [])(include_self=False)]


def watched(rows: Sequence[Row], run: Callable[[], Any]) -> dict[str, np.ndarray]:
    """What each layer puts out while `run` runs: by its path, `#2` and so on added for its later calls."""
    found: dict[str, np.ndarray] = {}

    def watch(row: Row, call: Call) -> Call:
        def watching(*args: Any, **kwargs: Any) -> Any:
            outputs = call(*args, **kwargs)
            if len(flat := keras.tree.flatten(outputs)) == 1 and not tf.is_symbolic_tensor(flat[0]):
                found[tfnames.numbered(row.path, found)] = np.asarray(flat[0])
            return outputs

        return watching

    with _called_through(rows[1:], watch), quiet():
        run()
    return found


def describe(proto: onnx.ModelProto, inputs: Sequence[Any], rows: Sequence[Row], trained: Sequence[str]) -> None:
    """Write LAYERS, CHANNELS_LAST and TRAINED."""
    tagged = {entry.value for node in walk(proto.graph) for entry in node.metadata_props}
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
    proto.metadata_props.add(key=TRAINED, value=json.dumps(trained))
    formats = data_formats(rows)
    if (formats or {keras.config.image_data_format()}) == {"channels_last"}:
        proto.metadata_props.add(key=CHANNELS_LAST, value="true")


def data_formats(rows: Sequence[Row]) -> set[str]:
    """`channels_last`, `channels_first`, both, or none, as the layers have it."""
    return {each for row in rows if (each := getattr(row.operation, "data_format", None))}


def trained_variables(model: Any) -> set[int]:
    """The ids of the variables that training changes by gradients, those of frozen layers among them."""
    return {id(v) for layer in _with_inner(model) for v in getattr(layer, "_trainable_variables", ())}
