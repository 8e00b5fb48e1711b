"""ONNX's own node tests of the operators that are lowered: their parts compute the outputs that come with them."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from collections.abc import Collection
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from lowered import assert_primitive
from network import with_constants
from onnx2graphml.errors import Error
from onnx2graphml.model import Model, load_model
from onnx2graphml.model.lowering import is_lowered
from small import runtime

EXPECTED = {
    "AffineGrid": 4, "ArrayFeatureExtractor": 1, "Attention": 93, "Binarizer": 1, "BlackmanWindow": 2,
    "CausalConvWithState": 13, "CenterCropPad": 6,
    "Compress": 5, "ConvInteger": 2, "DeformConv": 4, "DynamicQuantizeLinear": 3, "FlexAttention": 11,
    "GRU": 6, "GroupNormalization": 2,
    "HammingWindow": 2, "HannWindow": 2, "If": 1, "InstanceNormalization": 2, "LRN": 2, "LSTM": 6,
    "LayerNormalization": 19, "LinearAttention": 14, "Loop": 1, "LpNormalization": 6, "MatMulInteger": 1,
    "MeanVarianceNormalization": 1, "NegativeLogLikelihoodLoss": 18, "QLinearConv": 1, "QLinearMatMul": 8,
    "RMSNormalization": 19, "RNN": 6, "RoiAlign": 3, "RotaryEmbedding": 8, "Scan": 4, "SoftmaxCrossEntropyLoss": 34,
    "SwiGLU": 3, "TfIdfVectorizer": 7, "TreeEnsemble": 2,
}  # fmt: skip
"""How many cases of each operator there are, in onnx 1.23; later versions have more."""
PRODUCTS = ("Conv", "ConvTranspose", "Einsum", "Gemm", "MatMul", "Mul")


@functools.cache
def cases() -> dict[str, Any]:
    """The cases of operators that are lowered, on tensors, without those that ONNX has expanded itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        found = load_model_tests(kind="node")
    return {c.name: c for c in found if "_expanded" not in c.name and lowered_operator(c) and arrays(c) is not None}


def lowered_operator(case: Any) -> str:
    """The first that is lowered; empty if none is."""
    opset = next((o.version for o in case.model.opset_import if o.domain in ("", "ai.onnx")), 0)
    nodes = case.model.graph.node
    return next((n.op_type for n in nodes if is_lowered(n, opset, [t.name for t in case.model.graph.initializer])), "")


def arrays(case: Any) -> tuple[dict[str, Any], list[Any]] | None:
    """What goes in, by name, and what comes out; None where something is no tensor."""
    inputs, outputs = (list(map(array, values)) for values in case.data_sets[0])
    if any(a is None for a in (*inputs, *outputs)):
        return None
    return dict(zip((i.name for i in case.model.graph.input), inputs, strict=True)), outputs


def array(value: Any) -> Any:
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic | np.ndarray) else None


def computed(feeds: dict[str, Any]) -> list[list[str]]:
    """Which inputs the network computes: all; or, where shapes and axes have to be constant, those that are floats."""
    floats = [n for n, v in feeds.items() if v.dtype.kind == "f" or v.dtype.name == "bfloat16"]
    return [list(feeds), floats]


def outputs(proto: onnx.ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """By ONNX Runtime, and by ONNX's reference evaluator where it has no kernel."""
    import onnxruntime

    try:
        return runtime(proto, feeds)
    except (
        onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented,
        onnxruntime.capi.onnxruntime_pybind11_state.Fail,
        RuntimeError,  # of a type that its Python side doesn't know
    ):
        from onnx.reference import ReferenceEvaluator

        return ReferenceEvaluator(proto).run(None, feeds)


def assert_no_zeros(model: Model, theirs: Collection[str]) -> None:
    """No part multiplies by a zero that the lowering has put in: it would be an edge where none is."""
    values = {t.name: t for t in model.proto.graph.initializer}
    values |= {n.output[0]: a.t for n in model.proto.graph.node for a in n.attribute if a.name == "value" and a.t.dims}
    own = {name: numpy_helper.to_array(t) for name, t in values.items() if name not in theirs}
    for n in model.proto.graph.node:
        factors = [own[name] for name in n.input if name in own and n.op_type in PRODUCTS]
        assert all(f.all() for f in factors if f.dtype.kind == "f"), n.name


@pytest.mark.parametrize("operator", EXPECTED)
def test_node_cases(operator: str) -> None:
    """All of an operator; they are computed when they are first asked for, which takes seconds."""
    wrong = {}
    for name, case in cases().items():
        if lowered_operator(case) == operator:
            try:
                assert_lowered_as_expected(case)
            except Exception as e:  # all are tried before any is told
                wrong[name] = repr(e)
    assert not wrong


def assert_lowered_as_expected(case: Any) -> None:
    found = arrays(case)
    assert found is not None
    feeds, expected = found
    for variable in computed(feeds):
        constant = {n: v for n, v in feeds.items() if n not in variable}
        try:
            model = load_model(with_constants(case.model, constant))
            break
        except Error as e:
            if variable == computed(feeds)[-1]:
                raise AssertionError(str(e)) from None
    assert_primitive(model)
    if lowered_operator(case) != "AffineGrid":  # a coordinate may be 0
        assert_no_zeros(model, {*feeds, *(t.name for t in case.model.graph.initializer)})
    got = outputs(model.proto, {n: feeds[n] for n in model.inputs})
    for g, e in zip(map(np.asarray, got), expected, strict=True):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        short = e.dtype.itemsize == 2
        # ONNX's own bounds.
        rtol, atol = (1e-2, 1e-3) if short else (1e-3, 1e-6)
        np.testing.assert_allclose(g.astype(np.float64), e.astype(np.float64), rtol, atol)


def test_how_many_cases_there_are() -> None:
    """A loader that finds nothing would pass every test above."""
    counted = Counter(map(lowered_operator, cases().values()))
    assert {op: n for op, n in EXPECTED.items() if counted[op] < n} == {}
    assert set(counted) <= set(EXPECTED)
