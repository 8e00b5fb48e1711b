"""A graph as an ONNX model."""

from __future__ import annotations

import onnx
from onnx import helper

from onnx2graphml.errors import Error, TooLargeError
from onnx2graphml.export.estimate import estimated_bytes
from onnx2graphml.export.neurons import Neurons, computing_type
from onnx2graphml.export.signature import inputs_of, outputs_of
from onnx2graphml.export.writer import Writer
from onnx2graphml.graph.graph import NeuronGraph

MOST_EDGES = 50_000_000
NOT_COMPUTED = "neurons_not_computed"
"""In the model's metadata: how many of the graph's neurons it leaves out, because no output depends on them, or because
they are the same for every input and have become part of a bias."""
MOST_BYTES = (1 << 31) - (1 << 20)


def to_onnx(graph: NeuronGraph, max_edges: int = MOST_EDGES) -> onnx.ModelProto:
    """The graph as an ONNX model of standard operators, which ONNX Runtime runs.

    Raises:
        Error: a maximum has no candidate left, a function has not all of its values, or there is no output.
        TooLargeError: more than `max_edges` edges have to be written one by one.
        UnsupportedError: a function can't be written as ONNX.

    Example:
        >>> import onnx2graphml
        >>> model = to_onnx(onnx2graphml.load("fixtures/digits.onnx"))
        >>> [(i.name, [d.dim_value or d.dim_param for d in i.type.tensor_type.shape.dim]) for i in model.graph.input]
        [('image', ['N', 8, 8, 1])]
    """
    if not graph.outputs:
        raise Error("the graph has no output: every layer is read by another; expected one that none reads")
    check_whole(estimated_bytes(graph))
    w = Writer()
    inputs = inputs_of(graph)
    outputs = outputs_of(graph, [port.name for port in inputs])
    ports = [*inputs, *outputs]
    batch = bool(inputs) and all(port.has_batch and port.shape[0] == 1 for port in ports)
    for port in ports:
        w.claim(port.name)
    neurons = Neurons(graph, w, inputs[0].name if batch else None, max_edges)
    given = {port.layer.name: port for port in inputs}
    for layer in graph.layers:
        if layer.name in given:
            w.scope, dtype = layer.name, computing_type(layer)
            x = given[layer.name].read(w)
            neurons.hold(layer, x if given[layer.name].dtype == dtype else w.cast(x, dtype), dtype)
        else:
            neurons.add(layer)
    for port in outputs:
        w.scope, dtype = port.name, computing_type(port.layer)
        port.written(w, neurons.get(port.layer.name, dtype), dtype)
    model = w.model(graph.model_name, [p.info(batch) for p in inputs], [p.info(batch) for p in outputs])
    about = {"detail": graph.detail, "thinned": graph.thinned, NOT_COMPUTED: str(neurons.reach.left_out)}
    helper.set_model_props(model, {name: text for name, text in about.items() if text})
    return model


def check_whole(size: int) -> None:
    """`TooLargeError` where one file can't hold so many bytes."""
    if size >= MOST_BYTES:
        raise TooLargeError(f"the model has {size / 1e9:.1f} GB; an .onnx file holds less than 2: select a part of it")


def serialized(model: onnx.ModelProto) -> bytes:
    """The file's bytes; `TooLargeError` where one file can't hold them."""
    check_whole(sum(len(t.raw_data) for t in model.graph.initializer))
    text: bytes = model.SerializeToString()
    return text
