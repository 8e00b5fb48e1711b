"""ONNX's own node tests, run through the expanded edges and compared with the outputs that come with them.

As much as can be is computed by the network: all inputs, or all but the last ones, which then are constants. A case in
which nothing can be says nothing about edges, and does not count.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from network import run, with_constants
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import Error
from onnx2graphml.functions.rounding import is_number
from onnx2graphml.model import load_model

LEAST = 1_670
"""The number of cases that pass, of those that are of numbers."""

WRONG = {
    r"test_resize_downsample_scales_(linear|cubic)_align_corners": "ONNX Runtime takes the rounded size of the output",
}
"""Cases whose stored output is not followed, with the reason."""


@functools.cache
def cases() -> dict[str, Any]:
    """The cases on tensors of numbers, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        found = load_model_tests(kind="node")
    return {c.name: c for c in found if all(is_numeric(v) for part in c.data_sets[0] for v in part)}


def array(value: Any) -> Any:
    """A stored input or output as an array; None for sequences and optionals."""
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic | np.ndarray) else None


def is_numeric(value: Any) -> bool:
    """Whether it is a tensor of numbers."""
    found = array(value)
    return found is not None and is_number(found.dtype)


def choices(names: list[str]) -> Iterator[list[str]]:
    """Which inputs may be computed by the network, the most first."""
    yield from (names[:k] for k in range(len(names), 0, -1))
    yield [names[0], names[-1]]


def outputs_from_edges(case: Any) -> list[Any] | None:
    """What the edges compute; None where the case is refused, whatever is constant in it."""
    feeds = {i.name: array(v) for i, v in zip(case.model.graph.input, case.data_sets[0][0], strict=True)}
    for computed in choices(list(feeds)) if feeds else ():
        try:
            graph = walk(load_model(with_constants(case.model, {n: v for n, v in feeds.items() if n not in computed})))
            if any(layer.in_edges for layer in graph.layers):
                return run(graph, feeds)
        except Error:
            continue
    return None


@pytest.mark.slow
def test_onnx_node_cases() -> None:
    """Whatever is not refused is right; and not much is refused."""
    passed, wrong = [], []
    for name, case in cases().items():
        got = outputs_from_edges(case)
        if got is None:
            continue
        message = difference(got, [array(v) for v in case.data_sets[0][1]])
        if message and not any(re.fullmatch(pattern, name) for pattern in WRONG):
            wrong.append(f"{name}: {message}")
        elif not message:
            passed.append(name)
    assert not wrong, "\n".join(wrong)
    assert len(passed) >= LEAST


def difference(got: list[Any], expected: list[Any]) -> str:
    """How the outputs differ, in the first line; the bounds are those of ONNX's own runner."""
    for g, e in zip(got, expected, strict=True):
        short = e.dtype.itemsize < 4 and e.dtype.kind not in "iub"
        try:
            np.testing.assert_allclose(
                g.reshape(e.shape), e.astype(np.float64), rtol=1e-2 if short else 1e-3, atol=1e-3 if short else 1e-6
            )
        except (AssertionError, ValueError) as error:
            return " ".join(str(error).split())[:200]
    return ""


def test_a_wrong_output_is_noticed() -> None:
    case = cases()["test_relu"]
    got = outputs_from_edges(case)
    assert got is not None
    expected = [array(v) for v in case.data_sets[0][1]]
    assert not difference(got, expected)
    assert difference([got[0] + 0.01], expected)


def test_what_has_no_edges_does_not_count() -> None:
    assert outputs_from_edges(cases()["test_range_int32_type_negative_delta"]) is None


@pytest.mark.parametrize("name", ["test_nonzero_example", "test_nonmaxsuppression_single_box"])
def test_shapes_that_depend_on_data_are_refused(name: str) -> None:
    assert outputs_from_edges(cases()[name]) is None
