"""Small models for tests, and what must hold for every graph that is made from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import helper, numpy_helper

from network import run
from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph

Array = npt.NDArray[Any]
FIXTURES = Path(__file__).parents[1] / "fixtures"


def node(op: str, inputs: str, outputs: str, name: str = "", **attributes: Any) -> onnx.NodeProto:
    """A node; inputs and outputs are names with spaces between them, `_` for one that is left out."""
    given = [[n if n != "_" else "" for n in names.split()] for names in (inputs, outputs)]
    return helper.make_node(op, *given, name=name or f"the_{given[1][0]}", **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str | None]],
    constants: Mapping[str, Any] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    dtype: Any = np.float32,
    **kwargs: Any,
) -> onnx.ModelProto:
    """A model with inputs of those shapes; the outputs' shapes are what ONNX infers."""
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    graph = helper.make_graph(
        list(nodes),
        "small",
        [helper.make_tensor_value_info(n, kind, shape) for n, shape in inputs.items()],
        [helper.make_tensor_value_info(o, kind, None) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()],
    )
    kwargs.setdefault("ir_version", 8)
    kwargs.setdefault("opset_imports", [helper.make_opsetid("", opset)])
    made = helper.make_model(graph, **kwargs)
    inferred = onnx.shape_inference.infer_shapes(made, data_prop=True)
    for output, found in zip(graph.output, inferred.graph.output, strict=True):
        output.type.tensor_type.shape.CopyFrom(found.type.tensor_type.shape)  # of rank 0 where nothing can be known
    del made.graph.output[:]
    made.graph.output.extend(graph.output)
    return made


def weights(*shape: int, seed: int = 0, dtype: Any = np.float32) -> Array:
    """Normally distributed numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def runtime(proto: onnx.ModelProto | str, feeds: Mapping[str, Array]) -> list[Array]:
    """ONNX Runtime's outputs of a model as it is, not as the loader has changed it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    source = proto if isinstance(proto, str) else proto.SerializeToString()
    return ort.InferenceSession(source, options, providers=["CPUExecutionProvider"]).run(None, dict(feeds))


def random_feeds(graph: NeuronGraph, seed: int = 0) -> dict[str, Array]:
    """A normally distributed array for each input."""
    random = np.random.default_rng(seed)
    assert graph.model is not None
    kinds = graph.model.types
    return {n: random.standard_normal(kinds[n].shape).astype(kinds[n].dtype) for n in graph.model.inputs}


CLOSE = {2: (2e-2, 2e-2), 4: (1e-4, 1e-5), 8: (1e-10, 1e-12)}  # relative and absolute, by the type's bytes


def assert_exact(
    source: Any, levels: Sequence[str] = LEVELS, seed: int = 0, reference: Any = None, **options: Any
) -> dict[str, NeuronGraph]:
    """The graphs of a model at all levels of detail, after it was made sure that each computes what the model does.

    `reference`: what ONNX Runtime runs, where it is not the same as what is loaded.
    """
    graphs = {level: load(source, detail=level, **options) for level in levels}
    for level, graph in graphs.items():
        report = verify(graph, seed=seed)
        assert report.passed, f"{level}: {[r for r in report.rows if not r.passed]}"
        feeds = random_feeds(graph, seed)
        original = reference if reference is not None else source
        expected = runtime(original if isinstance(original, onnx.ModelProto) else str(original), feeds)
        got = run(graph, feeds)
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            rtol, atol = CLOSE[e.dtype.itemsize]
            atol *= max(1.0, float(np.abs(e).max(initial=0)))
            np.testing.assert_allclose(g, e.astype(np.float64).ravel(), rtol, atol, err_msg=f"at {level}")
        assert_consistent(graph)
    numbers = [len(g.layers) for g in graphs.values()]
    assert numbers == sorted(numbers, reverse=True), "less detail must not have more layers"
    return graphs


def assert_consistent(graph: NeuronGraph) -> None:
    """Names are unique, ids consecutive, totals sums, edges go forward, and no two join the same two neurons."""
    names = [x.name for x in graph.layers]
    assert len(set(names)) == len(names), names
    assert [x.first_id for x in graph.layers] == np.cumsum([0, *(x.neurons for x in graph.layers)])[:-1].tolist()
    assert set(graph.outputs) <= set(names)
    edges = list(graph.weighted_edges())
    assert len(edges) == graph.edges == sum(x.in_edges for x in graph.layers)
    assert all(0 <= s < t < graph.neurons for s, t, _ in edges)
    portless = [(s, t) for s, t, _ in edges if all(i.port is None for i in graph.layer_of(t).incoming)]
    assert len(set(portless)) == len(portless), "two edges without ports join the same two neurons"


SIDE = {"pads": [1, 1, 1, 1]}


def operators(graph: NeuronGraph) -> list[str]:
    return [x.op for x in graph.layers]


def levels(nodes: Sequence[onnx.NodeProto], shape: Any, constants: Any = None, **kwargs: Any) -> dict[str, NeuronGraph]:
    """All levels of a network of one input, each verified."""
    shapes = shape if isinstance(shape, dict) else {"x": shape}
    return assert_exact(model(nodes, shapes, constants, **kwargs))


def refusal(source: Any, kind: type[Error], **options: Any) -> str:
    """The message with which a model is refused: one line."""
    with pytest.raises(Error) as caught:
        load(source, **options)
    message = str(caught.value)
    assert type(caught.value) is kind, message
    assert message
    assert "\n" not in message, message
    return message
