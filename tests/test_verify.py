"""Verification: what it reports, what it reads, and how exactly it knows equal from nearly equal."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference import inputs
from onnx2graphml.inference.inputs import resolve
from onnx2graphml.verification.against_runtime import compared
from onnx2graphml.verification.report import Report
from onnx2graphml.verification.tolerance import fan_in_factor, unit_roundoff
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return load(FIXTURES / "digits.onnx")


@pytest.fixture(scope="module")
def two_inputs() -> NeuronGraph:
    return load(model([node("Add", "a b", "s"), node("Relu", "s", "y")], {"a": [1, 3], "b": [1, 3]}))


# ----------------------------------------------------------------------------------------------------------- the report


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["digits.onnx", "residual.onnx"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_fixtures_pass(name: str, level: str, seed: int) -> None:
    graph = load(FIXTURES / name, detail=level)
    report = verify(graph, seed=seed)
    assert report.passed
    assert [r.layer for r in report.rows] == [x.name for x in graph.layers if x.aggregation != "input"]


def test_fields_of_a_row(digits: NeuronGraph) -> None:
    for row in verify(digits).rows:
        layer = digits.layer(row.layer)
        assert (row.op, row.neurons, row.edges) == (layer.op, layer.neurons, layer.in_edges)
        assert 0 <= row.absolute <= row.tolerance
        assert row.relative >= 0
        assert 0 <= row.share <= 1
        assert 0 <= row.worst < row.neurons
        assert row.passed
    assert sum(row.edges for row in verify(digits).rows) == digits.edges


def test_a_report_of_nothing_has_not_passed() -> None:
    assert not Report(()).passed


def test_the_same_seed_gives_the_same_report(digits: NeuronGraph) -> None:
    assert verify(digits, seed=3).rows == verify(digits, seed=3).rows
    assert verify(digits, seed=3).rows != verify(digits, seed=4).rows
    assert digits.model is not None
    first, again = inputs.made("random", digits.model, 7), inputs.made("random", digits.model, 7)
    assert all(np.array_equal(first[n], again[n]) for n in first)


def test_all_edges_are_told_to_the_progress(digits: NeuronGraph) -> None:
    told: list[int] = []
    verify(digits, progress=told.append)
    assert sum(told) == digits.edges


def test_a_graph_of_no_model_has_nothing_to_be_compared_with(digits: NeuronGraph) -> None:
    with pytest.raises(Error, match="made from no model"):
        verify(dataclasses.replace(digits, model=None))


def test_the_model_is_left_as_it_was(digits: NeuronGraph) -> None:
    assert digits.model is not None
    before = digits.model.proto.SerializeToString(deterministic=True)
    verify(digits)
    assert digits.model.proto.SerializeToString(deterministic=True) == before


# --------------------------------------------------------------------------------------------------------------- inputs


def test_an_input_decides_about_the_values(digits: NeuronGraph) -> None:
    zeros = {"image": np.zeros((1, 8, 8, 1), np.float32)}
    rows = {r.layer: r for r in verify(digits, zeros).rows}
    assert rows["conv1"].absolute == 0, "nothing but the bias"
    assert verify(digits, {"image": np.ones((1, 8, 8, 1))}).passed, "float64 is converted"


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
@pytest.mark.parametrize("batch", [True, False])
def test_input_files(digits: NeuronGraph, tmp_path: Path, suffix: str, batch: bool) -> None:
    picture = weights(8, 8, 1)
    array = picture[None] if batch else picture
    path = tmp_path / f"input{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    else:
        np.savez(path, image=array)
    read = resolve(digits, path)
    assert list(read) == ["image"]
    assert np.array_equal(read["image"], picture[None])
    assert verify(digits, read).passed


def test_an_array_for_each_of_several_inputs(two_inputs: NeuronGraph, tmp_path: Path) -> None:
    path = tmp_path / "inputs.npz"
    np.savez(path, b=weights(3), a=weights(1, 3))
    assert verify(two_inputs, resolve(two_inputs, path)).passed


def failing(graph: NeuronGraph, path: Path) -> str:
    with pytest.raises(Error) as caught:
        verify(graph, resolve(graph, path))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_array_for_two_inputs(two_inputs: NeuronGraph, tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", weights(1, 3))
    message = failing(two_inputs, tmp_path / "one.npy")
    assert "'a' of shape [1, 3], 'b' of shape [1, 3]" in message
    assert ".npz" in message


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (8, 8), (64,), (2, 8, 8, 1), (1, 1, 8, 8, 1), ()])
def test_an_array_of_the_wrong_shape(digits: NeuronGraph, tmp_path: Path, shape: tuple[int, ...]) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    message = failing(digits, tmp_path / "x.npy")
    assert "'image'" in message
    assert str(list(shape)) in message
    assert "[1, 8, 8, 1]" in message


def test_an_array_of_the_wrong_name(digits: NeuronGraph, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", picture=weights(1, 8, 8, 1))
    assert "'image'" in failing(digits, tmp_path / "x.npz")


def test_pickles_are_refused(digits: NeuronGraph, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.write_text, (tmp_path / "sprung", "x"))

    np.save(tmp_path / "x.npy", np.array([Trap()], object), allow_pickle=True)
    failing(digits, tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", image=np.array([Trap()], object))
    failing(digits, tmp_path / "x.npz")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [b"", b"hello\n", b"\x93NUMPY\x01\x00", b"PK\x03\x04" + bytes(30)],
    ids=["empty", "text", "npy", "zip"],
)
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".txt"])
def test_files_that_are_no_arrays(digits: NeuronGraph, tmp_path: Path, content: bytes, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    assert str(path) in failing(digits, path)


def test_a_missing_file(digits: NeuronGraph, tmp_path: Path) -> None:
    message = failing(digits, tmp_path / "nowhere.npy")
    assert "nowhere.npy" in message
    assert "No such file or directory; expected the input 'image' of shape [1, 8, 8, 1]" in message


def test_arrays_of_text(digits: NeuronGraph, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.full((1, 8, 8, 1), "a"))
    failing(digits, tmp_path / "x.npy")


def test_what_is_missing_is_named(two_inputs: NeuronGraph) -> None:
    assert two_inputs.model is not None
    with pytest.raises(Error, match=r"no array is given for input 'b' of shape \[1, 3\]"):
        inputs.checked(two_inputs.model, {"a": weights(1, 3)})


# ------------------------------------------------------------------------------------------------------------ tolerance


def test_unit_roundoff() -> None:
    """The largest relative error of rounding to nearest."""
    assert [unit_roundoff(np.dtype(t)) for t in (np.float16, np.float32, np.float64)] == [2**-11, 2**-24, 2**-53]


def test_fan_in_factor() -> None:
    factors = [fan_in_factor(n) for n in range(2000)]
    assert factors == sorted(factors)
    assert all(f <= n + 8 for n, f in enumerate(factors)), "never more than the worst case"
    assert all(n <= f for n, f in enumerate(factors) if n < 50), "the worst case for short sums"
    assert fan_in_factor(1_000_000) < 1_000_000 / 100
    assert fan_in_factor(4_000_000) / fan_in_factor(1_000_000) == pytest.approx(2, rel=1e-3)


def test_the_tolerance_is_a_matter_of_rounding() -> None:
    """Some units in the last place of the sum of sizes, whatever the scale of the numbers."""
    for scale in (1e-6, 1.0, 1e6):
        proto = model([node("MatMul", "x w", "y")], {"x": [1, 64]}, {"w": weights(64, 8) * np.float32(scale)})
        (row,) = verify(load(proto)).rows
        assert row.tolerance < 64 * 64 * 4 * scale * 2**-24 * 4
        assert row.tolerance > scale * 2**-24


# -------------------------------------------------------------------------------------------------------- NaN, infinity

NAN, INF = math.nan, math.inf


@pytest.mark.parametrize(
    ("got", "expected", "passes"),
    [
        (1.0, 1.0, True),
        (1.0, 1.05, True),
        (1.0, 1.2, False),
        (INF, INF, True),
        (-INF, -INF, True),
        (INF, -INF, False),
        (NAN, NAN, True),
        (NAN, 1.0, False),
        (1.0, NAN, False),
        (INF, 1.0, False),
        (1.0, INF, False),
        (NAN, INF, False),
        (INF, NAN, False),
    ],
)
def test_compared(got: float, expected: float, passes: bool) -> None:
    others = np.array([1.0, 2.0, 3.0])
    for tolerance in (0.1, INF, NAN):
        bound = np.array([0.1, 0.1, 0.1, tolerance])
        row = compared("l", "Conv", 7, np.append(others, got), np.append(others, expected), bound)
        if tolerance == 0.1 or (passes and got == expected):
            assert row.passed is passes, row
        if not row.passed:
            assert row.worst == 3
        assert (row.layer, row.op, row.edges, row.neurons) == ("l", "Conv", 7, 4)


def test_an_infinite_tolerance_hides_no_missing_number() -> None:
    """What is NaN or infinite on one side only is a difference, whatever the tolerance."""
    infinite = np.array([INF])
    for got, expected in ((NAN, 1.0), (1.0, NAN), (INF, 1.0), (1.0, INF), (INF, -INF)):
        assert not compared("l", "Exp", 0, np.array([got]), np.array([expected]), infinite).passed


def test_a_layer_without_neurons() -> None:
    row = compared("l", "Slice", 0, np.empty(0), np.empty(0), np.empty(0))
    assert row.passed
    assert (row.absolute, row.relative, row.neurons) == (0, 0, 0)


def test_a_network_that_overflows() -> None:
    """Infinities where ONNX Runtime has them are what is expected."""
    proto = model([node("Mul", "x big", "m"), node("Exp", "m", "y")], {"x": [1, 8]}, {"big": np.float32(1e3)})
    for level in LEVELS:
        assert verify(load(proto, detail=level)).passed, level


# ------------------------------------------------------------------------------------------------------------ framework


@pytest.mark.slow
def test_the_framework_is_compared_too() -> None:
    keras = pytest.importorskip("keras", reason="Keras is an extra")
    graph = load(keras.saving.load_model(FIXTURES / "digits.keras"))  # from a file, Keras would not be asked
    rows = verify(graph).rows
    assert [r.op for r in rows].count("framework") == 1
    assert rows[-1].layer.startswith("prediction")
    assert rows[-1].passed
    assert rows[-1].tolerance < 1e-2

    def wrong(feeds: Any) -> Any:
        assert graph.model is not None
        assert graph.model.predict is not None
        return [y + np.float32(0.01) for y in graph.model.predict(feeds)]

    assert graph.model is not None
    spoilt = dataclasses.replace(graph, model=dataclasses.replace(graph.model, predict=wrong))
    report = verify(spoilt)
    assert [r.op for r in report.rows if not r.passed] == ["framework"]
