"""The law of lowering: the model of primitives computes in ONNX Runtime what the model as it is does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

from onnx2graphml.model import Model, load_model
from onnx2graphml.model.lowering import is_lowered
from onnx2graphml.model.lowering.registry import MICROSOFT
from small import CLOSE, runtime

Array = npt.NDArray[Any]


def assert_lowered_exactly(
    proto: onnx.ModelProto, feeds: Mapping[str, Array], *, reference: onnx.ModelProto | None = None, factor: float = 1.0
) -> Model:
    """The loaded model, after it was made sure that nothing composite is left in it and that it computes the same.

    Args:
        reference: what ONNX Runtime runs to compare with, where it can't run the model itself.
        factor: by which the tolerance is wider.
    """
    model = load_model(proto)
    assert model.original is not None, "nothing was lowered"
    assert_primitive(model)
    expected = runtime(reference if reference is not None else proto, feeds)
    got = runtime(model.proto, feeds)
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        rtol, atol = CLOSE[e.dtype.itemsize] if e.dtype.kind == "f" else (0, 0)
        finite = np.abs(e[np.isfinite(e)]) if e.dtype.kind == "f" else np.ones(1)
        atol *= max(1.0, float(finite.max(initial=0)))
        np.testing.assert_allclose(g.astype(np.float64), e.astype(np.float64), factor * rtol, factor * atol)
    return model


def assert_primitive(model: Model) -> None:
    """No node is left that would be lowered."""
    computed = {o for n in model.nodes for o in n.outputs}
    nodes = [n for n in model.proto.graph.node if computed & set(n.output)]
    left = {n.op_type for n in nodes if is_lowered(n, model.opset, model.constants)}
    assert not left, left


def one_operator(
    op: str,
    inputs: str,
    arrays: Mapping[str, Any],
    computed: Sequence[str],
    outputs: str = "y",
    opset: int = 17,
    domain: str = MICROSOFT,
    attributes: Mapping[str, Any] | None = None,
    **more: Any,
) -> onnx.ModelProto:
    """A model of one node `it`; the outputs' types and shapes are what ONNX Runtime makes of it.

    Args:
        inputs, outputs: names with spaces between them, `_` for one that is left out.
        arrays: values of the inputs by name.
        computed: those that are the model's inputs; the others are constant.
        attributes, more: of the node.
    """
    given, made = ([n if n != "_" else "" for n in names.split()] for names in (inputs, outputs))
    node = helper.make_node(op, given, made, name="it", domain=domain, **(attributes or {}), **more)
    kinds = {n: helper.np_dtype_to_tensor_dtype(np.asarray(arrays[n]).dtype) for n in computed}
    graph = helper.make_graph(
        [node],
        "one_operator",
        [helper.make_tensor_value_info(n, kinds[n], np.asarray(arrays[n]).shape) for n in computed],
        [helper.make_empty_tensor_value_info(n) for n in made if n],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in arrays.items() if n in given and n not in computed],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid(MICROSOFT, 1)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    found = runtime(proto, feeds(arrays, computed))
    for info, value in zip(proto.graph.output, found, strict=True):
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        info.CopyFrom(helper.make_tensor_value_info(info.name, kind, value.shape))
    return proto


def feeds(arrays: Mapping[str, Any], computed: Sequence[str]) -> dict[str, Array]:
    return {n: np.asarray(arrays[n]) for n in computed}
