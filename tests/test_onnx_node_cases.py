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
from onnx.reference import ReferenceEvaluator

from network import run, with_constants
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.functions.rounding import is_number
from onnx2graphml.model import load_model
from onnx2graphml.ops.registry import find
from small import runtime

LEAST = 1_709
"""The number of cases that pass, of those that are of numbers."""

CONSTANT = (
    r"test_(constant|constantofshape|eyelike|melweightmatrix|range|shape|size)(_.*)?",
    r"test_(blackman|hamming|hann)window(_.*)?",  # their size is an input
    r"test_(adagrad|adam|momentum|nesterov_momentum)(_multiple)?",  # with constant gradients
    r"test_reduce_.*_empty_set(_.*)?|test_triu?l?_(zero|out_.*)|test_slice_start_out_of_bounds",
    r"test_split_zero_size_splits_.*|test_reshape_allowzero_reordered|test_batchnorm_.*_training_mode",
)
"""Cases whose output the inputs' values don't decide, or that can be computed from constants only: without an edge."""

RANDOM = "it draws random numbers"
DATA = "its shape depends on the data"
REASONS = {
    r"test_bernoulli.*|test_training_dropout.*": RANDOM,
    r"test_(nonmaxsuppression|nonzero|unique)_.*": DATA,
    r"test_image_decoder_.*": DATA + ", which is a file",
    r"test_optional_.*": "an optional as a value",
    r"test_bitcast_float64_to_int64": "an integer beyond 2^53",
    r"test_resize_downsample_scales_(linear|cubic)_align_corners": "ONNX Runtime takes the rounded size of the output",
}
"""Why the others don't pass, by their names."""


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
    """Which inputs may be computed by the network, the most first; at last none."""
    yield from (names[:k] for k in range(len(names), 0, -1))
    if len(names) > 1:
        yield [names[0], names[-1]]
        yield names[-1:]
    yield []


def outputs_of_graph(case: Any) -> tuple[list[Any], bool] | None:
    """What the graph computes, and whether by edges; None where it is refused, whatever is constant in it."""
    feeds = {i.name: array(v) for i, v in zip(case.model.graph.input, case.data_sets[0][0], strict=True)}
    without = None
    for computed in choices(list(feeds)):
        try:
            graph = walk(load_model(with_constants(case.model, {n: v for n, v in feeds.items() if n not in computed})))
            if any(layer.in_edges for layer in graph.layers):
                return run(graph, feeds), True
            without = without or graph
        except Error:
            continue
    return None if without is None else (run(without, feeds), False)


def reason(name: str) -> str:
    """Why a case doesn't pass; empty if nothing is known."""
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, name)), "")


@pytest.mark.slow
def test_onnx_node_cases() -> None:
    """Whatever is not refused is right; and what does not pass by its edges stands in one of the lists."""
    passed, wrong, constant, refused = [], [], [], []
    for name, case in cases().items():
        found = outputs_of_graph(case)
        if found is None:
            refused.append(name)
        elif message := difference(found[0], [array(v) for v in case.data_sets[0][1]]):
            wrong.append(f"{name}: {message}")
        else:
            (passed if found[1] else constant).append(name)
    unexplained = [text for text in (*refused, *wrong) if not reason(text.split(":")[0])]
    assert not unexplained, "\n".join(unexplained)
    assert not [n for n in constant if not any(re.fullmatch(p, n) for p in (*CONSTANT, *REASONS))]
    rest = [*refused, *(text.split(":")[0] for text in wrong), *constant]
    assert not [p for p in (*CONSTANT, *REASONS) if not any(re.fullmatch(p, n) for n in rest)], "no longer needed"
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
    found = outputs_of_graph(case)
    assert found is not None
    got, by_edges = found
    assert by_edges
    expected = [array(v) for v in case.data_sets[0][1]]
    assert not difference(got, expected)
    assert difference([got[0] + 0.01], expected)


def test_what_has_no_edges_does_not_count() -> None:
    found = outputs_of_graph(cases()["test_range_int32_type_negative_delta"])
    assert found is not None
    assert not found[1]


@pytest.mark.parametrize("name", ["test_resize_downsample_scales_linear_align_corners"])
def test_a_case_of_which_onnx_runtime_makes_something_else(name: str) -> None:
    """ONNX's reference evaluator computes what is stored, ONNX Runtime what the edges do."""
    case = cases()[name]
    feeds = {i.name: array(v) for i, v in zip(case.model.graph.input, case.data_sets[0][0], strict=True)}
    expected = [array(v) for v in case.data_sets[0][1]]
    found = outputs_of_graph(case)
    assert found is not None
    assert not difference(ReferenceEvaluator(case.model).run(None, feeds), expected)
    assert difference(found[0], expected)
    assert not difference(found[0], runtime(case.model, feeds))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test_nonzero_example", "NonZero has an output whose shape depends on the data"),
        ("test_nonmaxsuppression_single_box", "NonMaxSuppression has an output whose shape depends on the data"),
        ("test_unique_length_1", "Unique has an output whose shape depends on the data"),
        ("test_range_int32_type_negative_delta", "Range has an output whose shape depends on the data"),
        ("test_bernoulli", "Bernoulli draws random numbers"),
        ("test_image_decoder_decode_png_rgb", "ImageDecoder reads a file's bytes as a picture"),
        ("test_optional_get_element_tensor", "OptionalGetElement works on optionals"),
        ("test_training_dropout", "input 'training_mode' is computed by the network"),
        ("test_adam", "Adam trains: it changes weights"),
    ],
)
def test_what_is_refused_says_why(name: str, message: str) -> None:
    with pytest.raises(UnsupportedError, match=message):
        walk(load_model(cases()[name].model))


def test_strings_sequences_and_maps_are_refused() -> None:
    kinds = {"StringConcat": "strings", "SequenceAt": "sequences", "ZipMap": "maps", "OptionalHasElement": "optionals"}
    for op, what in kinds.items():
        with pytest.raises(UnsupportedError, match=f"operator {op} works on {what}"):
            find(op, "", 17)
