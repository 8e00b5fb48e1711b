"""Run a network from its edges alone, layer after layer, and make small models to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.recompute import recompute


def run(graph: NeuronGraph, inputs: Mapping[str, Any]) -> list[Any]:
    """The outputs' values, flat, each layer computed from what the layers before it came to."""
    values: dict[str, Any] = {}
    for layer in graph.layers:
        if layer.aggregation == "input":
            values[layer.name] = np.asarray(inputs[layer.provenance.tensor], np.float64).ravel()
        else:
            values[layer.name] = recompute(layer, values).value
    return [values[name] for name in graph.outputs]


def with_constants(model: onnx.ModelProto, values: Mapping[str, Any]) -> onnx.ModelProto:
    """A copy of the model in which some of its inputs are initializers."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    kept = [i for i in copy.graph.input if i.name not in values]
    del copy.graph.input[:]
    copy.graph.input.extend(kept)
    copy.graph.initializer.extend(numpy_helper.from_array(np.asarray(v), n) for n, v in values.items())
    return copy


def one_node(
    op: str,
    inputs: Mapping[str, Any],
    constants: Mapping[str, Any] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 21,
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one node; `inputs` are arrays whose shapes and types the model's inputs have."""
    constants = constants or {}
    kinds = {n: onnx.helper.np_dtype_to_tensor_dtype(v.dtype) for n, v in inputs.items()}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(op, [*inputs, *constants], list(outputs), name=f"the_{op}", **attributes)],
        "one_node",
        [onnx.helper.make_tensor_value_info(n, kinds[n], v.shape) for n, v in inputs.items()],
        [onnx.helper.make_empty_tensor_value_info(o) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()],
    )
    kind = next(iter(kinds.values()))
    for o in graph.output:
        o.type.tensor_type.elem_type = kind
    return onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=8)
