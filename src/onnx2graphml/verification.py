"""Does the graph compute the network? Every layer, recomputed from its edges, against ONNX Runtime."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.errors import Error, ModelError
from onnx2graphml.graph import Layer, NeuronGraph
from onnx2graphml.model import Model, Predict
from onnx2graphml.recompute import Progress, Values, fan_in_factor, recompute, unit_roundoff

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Row:
    """What was found of one layer.

    Attributes:
        layer, op, neurons, edges: of the layer.
        absolute, relative: the largest difference between the recomputed and the runtime's value, as it is, and over
            the layer's largest value.
        tolerance: the largest difference that rounding explains, where it is largest.
        share: the largest difference over the tolerance of its own neuron; up to 1 the layer passes.
        worst: the position of that neuron in the layer.
        problems: what else is wrong, in words: how a layer in a file differs from the model's.
    """

    layer: str
    op: str
    neurons: int
    edges: int
    absolute: float
    relative: float
    tolerance: float
    share: float
    worst: int
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.share <= 1 and not self.problems


@dataclass(frozen=True)
class Report:
    """The rows of all layers; and in `unchecked`, in words, what could not be compared because the file lacks it."""

    rows: tuple[Row, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every layer passed, and there was one."""
        return bool(self.rows) and all(row.passed for row in self.rows)


def verify(
    graph: NeuronGraph,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Report:
    """Recompute every layer from the edges into it and compare it with ONNX Runtime's value of the same tensor.

    The framework's own prediction, where the model came from one, is compared with ONNX Runtime's outputs, too.

    Each layer starts from ONNX Runtime's values of the layers before it, so that a difference is found in the layer
    that makes it, and only that layer's own rounding has to be allowed for.

    Args:
        graph: made from a model, at any level of detail.
        inputs: arrays by input name, in the model's shapes; random normal by `seed` where none are given.
        progress: called with numbers of edges as they are used.

    Raises:
        Error: an input is missing or has the wrong shape, or ONNX Runtime can't run the model.
    """
    model, feeds, values = network_values(graph, inputs, seed)
    rows = [_row(layer, values, progress) for layer in graph.layers if layer.combine != "input"]
    if model.predict is not None:
        rows += _prediction_rows(graph, model, feeds, model.predict)
    return Report(tuple(rows))


def network_values(
    graph: NeuronGraph, inputs: Mapping[str, Array] | None, seed: int
) -> tuple[Model, dict[str, Array], dict[str, Values]]:
    """The graph's model, what it is fed, and ONNX Runtime's values of every layer, flat; otherwise as `verify`."""
    model = graph.origin
    if graph.thinned:
        raise Error(f"the graph is thinned ({graph.thinned}): without all edges it computes something else")
    if model is None:
        raise Error("the graph was not made from a model, so that there is nothing to compare it with")
    feeds = checked_inputs(model, inputs) if inputs is not None else random_inputs(model, seed)
    tensors = runtime_values(model, feeds, sorted({x.tensor for x in graph.layers if x.combine != "constant"}))
    values = {layer.name: _layer_values(layer, tensors) for layer in graph.layers}
    return model, feeds, values


def random_inputs(model: Model, seed: int) -> dict[str, Array]:
    """Normally distributed inputs, the same for the same seed."""
    random = np.random.default_rng(seed)
    return {name: random.standard_normal(t.shape).astype(t.dtype) for name, t in _input_types(model)}


def checked_inputs(model: Model, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """The given inputs in the model's types; an error states what shape is expected."""
    feeds = {}
    for name, kind in _input_types(model):
        if name not in inputs:
            raise Error(f"no array is given for input {name!r} of shape {list(kind.shape)}")
        if inputs[name].shape != kind.shape:
            raise Error(f"input {name!r} is given with shape {list(inputs[name].shape)}; expected {list(kind.shape)}")
        feeds[name] = inputs[name].astype(kind.dtype)
    return feeds


def read_inputs(path: str, graph: NeuronGraph) -> dict[str, Array]:
    """Arrays by input name from an .npy file (for a network of one input) or an .npz file; pickles are refused.

    An array without the batch axis gets one of size 1.
    """
    model = graph.origin
    assert model is not None
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as e:
        raise Error(f"{path}: not a readable .npy or .npz file: {str(e).splitlines()[0]}") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise Error(f"{path}: array {name!r} has type {array.dtype}; expected numbers")
    if "" in arrays:
        if len(model.inputs) != 1:
            raise Error(f"{path} holds one array; the model has the inputs {', '.join(model.inputs)}: give an .npz")
        arrays = {model.inputs[0]: arrays[""]}
    shapes = {name: kind.shape for name, kind in _input_types(model)}
    return {n: a[None] if a.shape == shapes.get(n, ())[1:] else a for n, a in arrays.items()}


def _input_types(model: Model) -> Iterator[tuple[str, Any]]:
    for name in model.inputs:
        yield name, model.types[name]


def runtime_values(model: Model, feeds: Mapping[str, Array], tensors: Sequence[str]) -> dict[str, Array]:
    """ONNX Runtime's values of any tensors of the model, without its graph optimizations."""
    import onnxruntime as ort

    asked = [t for t in tensors if t not in model.inputs]
    if not asked:
        return dict(feeds)
    lent = [t.name for t in model.proto.graph.initializer if t.data_location == onnx.TensorProto.EXTERNAL]
    try:
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        values = [ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(model.constants[n])) for n in lent]
        options.add_external_initializers(lent, values)
        proto = _asking(model, asked).SerializeToString()
        session = ort.InferenceSession(proto, options, providers=["CPUExecutionProvider"])
        found = session.run(asked, dict(feeds))
    except Exception as e:
        raise ModelError(f"ONNX Runtime can't run this model: {str(e).strip().splitlines()[0]}") from None
    return dict(zip(asked, found, strict=True)) | dict(feeds)


def _asking(model: Model, tensors: Sequence[str]) -> onnx.ModelProto:
    """The model with other outputs."""
    asking = onnx.ModelProto()
    asking.CopyFrom(model.proto)
    del asking.graph.output[:]
    asking.graph.output.extend(_declared(model, t) for t in tensors)
    return asking


def _declared(model: Model, tensor: str) -> onnx.ValueInfoProto:
    kind = model.types[tensor]
    return onnx.helper.make_tensor_value_info(tensor, onnx.helper.np_dtype_to_tensor_dtype(kind.dtype), kind.shape)


def _layer_values(layer: Layer, tensors: Mapping[str, Array]) -> Values:
    """A layer's values in its own order, flat."""
    if layer.combine == "constant":
        assert layer.bias is not None
        return np.array(layer.bias, np.float64).ravel()
    value = tensors[layer.tensor]
    return np.array(value.reshape(shown_in_tensor(layer)).transpose(layer.order), np.float64).ravel()


def shown_in_tensor(layer: Layer) -> tuple[int, ...]:
    """The layer's dimensions in the order that its tensor has."""
    sizes = dict(zip(layer.order, layer.shape, strict=True))
    return tuple(sizes[d] for d in range(len(sizes)))


def _row(layer: Layer, values: Mapping[str, Values], progress: Progress | None) -> Row:
    recomputed = recompute(layer, values, progress)
    return compared(layer.name, layer.op, layer.in_edges, recomputed.value, values[layer.name], recomputed.tolerance)


def compared(name: str, op: str, edges: int, got: Values, expected: Values, tolerance: Values) -> Row:
    """Compare neuron by neuron; equal infinities and NaN on both sides are no difference."""
    with np.errstate(all="ignore"):
        equal = (got == expected) | (np.isnan(got) & np.isnan(expected))
        difference = np.where(equal, 0, np.abs(got - expected))
        share = np.where(equal, 0, difference / tolerance)
    share = np.where(np.isnan(share), np.inf, share)
    difference = np.where(np.isnan(difference), np.inf, difference)
    worst = int(share.argmax()) if share.size else 0
    largest = float(np.abs(expected[np.isfinite(expected)]).max(initial=0))
    absolute = float(difference.max(initial=0))
    return Row(
        layer=name,
        op=op,
        neurons=got.size,
        edges=edges,
        absolute=absolute,
        relative=absolute / largest if largest else absolute,
        tolerance=float(tolerance[np.isfinite(tolerance)].max(initial=0)),
        share=float(share.max(initial=0)),
        worst=worst,
    )


JITTER = 2.0**-12  # far above rounding, small enough for the network to respond in proportion


def _prediction_rows(graph: NeuronGraph, model: Model, feeds: Mapping[str, Array], predict: Predict) -> list[Row]:
    """The framework's prediction against ONNX Runtime's.

    Both round in every layer, each in its own order. How much of that reaches the output is measured: by how much the
    output answers to a relative change of the input, once for each layer's own rounding.
    """
    outputs = list(model.outputs)
    expected = runtime_values(model, feeds, outputs)
    random = np.random.default_rng(0)
    jittered = {n: (x * (1 + JITTER * random.choice([-1, 1], x.shape))).astype(x.dtype) for n, x in feeds.items()}
    moved = runtime_values(model, jittered, outputs)
    degrees = [sum(i.block.degree("target") for i in x.incoming) for x in graph.layers if x.combine == "sum"]
    roundings = sum(fan_in_factor(n) for n in degrees)
    rows = []
    for name, prediction in zip(outputs, predict(feeds), strict=True):
        y, u = expected[name].astype(np.float64).ravel(), unit_roundoff(expected[name].dtype)
        answer = np.abs(moved[name].astype(np.float64).ravel() - y).max(initial=0) / JITTER
        tolerance = np.full(y.shape, u * roundings * max(answer, np.abs(y).max(initial=0)))
        got = np.asarray(prediction, np.float64).ravel()
        rows.append(compared(f"prediction of {name}", "framework", 0, got, y, tolerance))
    return rows
