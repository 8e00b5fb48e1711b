"""ONNX's own node tests, run through the expanded edges and compared with the outputs that come with them."""

from __future__ import annotations

import functools
import re
import warnings
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from network import run, with_constants
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.model import is_float, load_model
from onnx2graphml.ops import OPERATORS

EXCLUDED = {
    r"test_batchnorm_.*_training_mode": "batch statistics are not fixed weights",
    r"test_dropout_default_mask.*|test_training_dropout_zero_ratio_mask": "the mask is no tensor of floats",
    r"test_training_dropout_(default|mask|default_mask)|test_training_dropout": "the output is random",
    r"test_maxpool_with_argmax_.*": "the second output holds positions, not values",
}


@functools.cache
def cases() -> dict[str, Any]:
    """The cases whose operators are all supported, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        found = load_model_tests(kind="node")
    return {c.name: c for c in found if {n.op_type for n in c.model.graph.node} <= set(OPERATORS)}


def array(value: Any) -> Any:
    """A stored input or output as an array; None for sequences and optionals."""
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic | np.ndarray) else None


def is_float_case(case: Any) -> bool:
    """Whether the first input and all outputs are floating tensors."""
    inputs, outputs = case.data_sets[0]
    arrays = [array(inputs[0]), *map(array, outputs[:1])] if inputs else [None]
    return all(a is not None and is_float(a.dtype) for a in arrays)


def float_cases() -> list[Any]:
    params = []
    for name, case in cases().items():
        if is_float_case(case):
            reasons = [reason for pattern, reason in EXCLUDED.items() if re.fullmatch(pattern, name)]
            marks = [pytest.mark.xfail(reason=r, strict=True, raises=UnsupportedError) for r in reasons]
            params.append(pytest.param(name, id=name, marks=marks))
    return params


def outputs_from_edges(case: Any) -> list[Any]:
    """Everything that is a float is computed by the network; where that can't be, only the first input is."""
    feeds = {i.name: array(v) for i, v in zip(case.model.graph.input, case.data_sets[0][0], strict=True)}
    floats = [n for n, v in feeds.items() if v is not None and is_float(v.dtype)]
    for computed in (floats, floats[:1]):
        model = with_constants(case.model, {n: v for n, v in feeds.items() if n not in computed})
        try:
            return run(walk(load_model(model)), feeds)
        except UnsupportedError as e:
            if computed == floats[:1] or "constant" not in str(e):
                raise
    raise AssertionError("a case has at least one float input")


@pytest.mark.parametrize("name", float_cases())
def test_node_case(name: str) -> None:
    case = cases()[name]
    expected = [array(v) for v in case.data_sets[0][1]]
    got = outputs_from_edges(case)
    assert len(got) == len(expected)
    # The stored outputs were rounded when they were written down; these are the bounds of ONNX's own runner.
    for g, e in zip(got, expected, strict=True):
        assert g.size == e.size
        short = e.dtype == np.float16
        np.testing.assert_allclose(
            g.reshape(e.shape), e.astype(np.float64), rtol=1e-2 if short else 1e-3, atol=1e-3 if short else 1e-6
        )


@pytest.mark.parametrize("name", [n for n, c in cases().items() if not is_float_case(c)])
def test_other_types_are_refused(name: str) -> None:
    with pytest.raises(Error):
        walk(load_model(cases()[name].model))


def test_how_many_cases_there_are() -> None:
    """A loader that finds nothing would pass every test above."""
    assert len(float_cases()) >= 340
    assert sum(1 for p in float_cases() if p.marks) == 11
