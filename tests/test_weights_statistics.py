"""Statistics of arrays against NumPy and SciPy; what is planted is found, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse.linalg
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onnx2graphml.api import load
from onnx2graphml.errors import Error
from onnx2graphml.parameters import statistics as module
from onnx2graphml.parameters.arrays import layer_arrays
from onnx2graphml.parameters.orders import ORDERS, descending, mean_activations, order_of, similar
from onnx2graphml.parameters.statistics import ALIKE, DEAD, SMALL, near_duplicates, spectral_norm, statistics
from small import FIXTURES, model, node, random_feeds, runtime, weights


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("chunk", [7, 1 << 20])
def test_statistics_are_numpys(dtype, chunk, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", chunk)
    values = weights(9, 4, 3, 2, dtype=dtype)
    values.reshape(-1)[:20] = 0
    values.reshape(-1)[20:30] = 1e-4
    found, exact = statistics(values, values), values.astype(np.float64)
    assert found.size == values.size
    np.testing.assert_allclose(found.mean, exact.mean(), rtol=1e-12)
    np.testing.assert_allclose(found.deviation, exact.std(), rtol=1e-12)
    assert (found.smallest, found.largest) == (exact.min(), exact.max())
    np.testing.assert_allclose(found.l1, np.abs(exact).sum(), rtol=1e-12)
    np.testing.assert_allclose(found.l2, np.linalg.norm(exact), rtol=1e-12)
    assert found.zeros == 20 / 216
    assert found.near_zeros == (np.abs(exact) < 1e-3 * np.abs(exact).max()).mean()
    singular = scipy.linalg.svdvals(exact.reshape(9, -1))
    assert found.spectral_exact
    np.testing.assert_allclose(found.spectral_norm, singular[0], rtol=1e-9)
    np.testing.assert_allclose(found.stable_rank, (singular**2).sum() / singular[0] ** 2, rtol=1e-9)
    assert sum(found.counts) == values.size
    expected = np.histogram(exact, len(found.counts), (exact.min(), exact.max()))
    np.testing.assert_array_equal(found.counts, expected[0])
    np.testing.assert_allclose(found.edges, expected[1], rtol=1e-12)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=5), elements=st.floats(-1e6, 1e6)))
def test_statistics_hold_for_any_numbers(values: np.ndarray):
    found = statistics(values)
    np.testing.assert_allclose(found.mean, values.mean(), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.deviation, values.std(), rtol=1e-6, atol=1e-6)
    assert found.zeros == (values == 0).mean()
    assert sum(found.counts) == values.size
    assert found.spectral_norm is None


def test_numbers_that_are_not_finite_are_counted_and_left_out():
    values = np.array([1.0, np.nan, np.inf, 3.0])
    found = statistics(values, values.reshape(2, 2))
    assert (found.nonfinite, found.mean, found.largest, found.spectral_norm) == (2, 2.0, 3.0, None)
    nothing = statistics(np.array([np.nan]))
    assert (nothing.nonfinite, nothing.counts) == (1, ())
    assert np.isnan(nothing.mean)


def test_a_constant_array_is_one_bin():
    found = statistics(np.full(5, 0.25))
    assert (found.counts, found.deviation, found.edges) == ((5,), 0.0, (0.25, 0.25))
    assert statistics(np.zeros(3)).near_zeros == 1


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(SMALL + 100, SMALL + 200), (SMALL + 300, SMALL + 1)])
def test_the_estimated_spectral_norm_is_within_its_tolerance(shape):
    """Random matrices are the hard case: their largest singular values lie close together."""
    matrix = weights(*shape)
    found, exact = spectral_norm(matrix)
    (largest,) = scipy.sparse.linalg.svds(matrix.astype(np.float64), 1, return_singular_vectors=False, rng=0)
    assert not exact
    assert found <= largest * (1 + 1e-6)
    np.testing.assert_allclose(found, largest, rtol=1e-4)


def test_the_spectral_norm_of_a_matrix_with_one_direction():
    matrix = np.outer(weights(SMALL + 1), weights(SMALL + 2)).astype(np.float16)
    np.testing.assert_allclose(spectral_norm(matrix)[0], np.linalg.norm(matrix.astype(np.float64)), rtol=1e-3)
    assert spectral_norm(np.zeros((SMALL + 1, SMALL + 1))) == (0.0, False)
    assert spectral_norm(np.zeros((3, 4))) == (0.0, True)


def test_planted_dead_outputs_and_duplicates_are_found():
    kernels = weights(40, 5, 3, 3)
    clean = statistics(kernels, kernels)
    assert (clean.dead, clean.alike, clean.alike_count) == ((), (), 0)
    kernels[7] = 0
    kernels[9] *= DEAD / 10
    kernels[21] = 3 * kernels[4]
    kernels[30] = kernels[12] + 0.02 * weights(5, 3, 3, seed=1)
    kernels[31] = -kernels[13]  # the opposite is no duplicate
    found = statistics(kernels, kernels)
    assert found.dead == (7, 9)
    assert [(i, j) for i, j, _ in found.alike] == [(4, 21), (12, 30)]
    rows = kernels.reshape(40, -1).astype(np.float64)
    for i, j, cosine in found.alike:
        np.testing.assert_allclose(cosine, 1 - scipy.spatial.distance.cosine(rows[i], rows[j]), rtol=1e-5)


def test_duplicates_are_all_counted_also_where_not_all_are_listed(monkeypatch):
    monkeypatch.setattr(module, "PAIRS", 10)
    found, count = near_duplicates(np.ones((50, 4)) * np.arange(1, 51)[:, None])
    assert (len(found), count) == (10, 50 * 49 // 2)
    random = weights(300, 3)
    rows = random.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    expected = int((np.triu(rows @ rows.T, 1) > ALIKE).sum())
    assert near_duplicates(random)[1] == expected > 0


def test_outputs_of_one_number_have_no_duplicates():
    assert statistics(weights(4, 1), weights(4, 1)).alike is None


# Orders


def orders(graph, by: str, activations=None) -> dict:
    found = {of.layer.name: order_of(of, by, activations or {}) for of in layer_arrays(graph)}
    return {name: order for name, order in found.items() if order is not None}


def test_the_order_by_norm_is_numpys():
    graph = load(FIXTURES / "digits.onnx")
    found = orders(graph, "norm")
    for name, axis in (("conv1", 3), ("conv2", 3), ("dense1", 1), ("digit", 1)):
        kernel = graph.model.constants[f"{name}/kernel"].astype(np.float64)
        norms = np.linalg.norm(np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1), axis=1)
        np.testing.assert_array_equal(found[name].permutation, np.argsort(-norms, kind="stable"))
        assert (found[name].by, found[name].array) == ("norm", f"{name}/kernel")
    assert set(found) == {"conv1", "bn1", "conv2", "dense1", "digit"}


def test_equal_norms_keep_their_order():
    np.testing.assert_array_equal(descending(np.array([1.0, 2.0, 1.0, 2.0])), [1, 3, 0, 2])


@pytest.mark.parametrize("shape", [(12, 40), (30, 4)])
def test_what_is_alike_stands_together(shape):
    """Three directions with noise, shuffled: the chain visits one after the other."""
    random = np.random.default_rng(0)
    centres = np.eye(3, shape[1])[random.permutation(np.arange(shape[0]) % 3)]
    matrix = centres + 0.02 * random.standard_normal(shape)
    chain = similar(matrix)
    assert sorted(chain) == list(range(shape[0]))
    assert chain[0] == np.linalg.norm(matrix, axis=1).argmax()
    visited = centres.argmax(1)[chain]
    assert (np.diff(visited) != 0).sum() == 2
    units = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    for k in range(1, len(chain)):
        left = chain[k:]
        assert units[chain[k]] @ units[chain[k - 1]] >= (units[left] @ units[chain[k - 1]]).max() - 1e-6


def test_the_order_by_activation_is_onnx_runtimes():
    made = model([node("Conv", "x w b", "a"), node("Relu", "a", "y")], {"x": [1, 3, 8, 8]},
                 {"w": weights(6, 3, 3, 3), "b": weights(6, seed=1)})  # fmt: skip
    graph = load(made)
    feeds = random_feeds(graph)
    means = mean_activations(graph, graph.layers, feeds)
    (value,) = runtime(made, feeds)
    last = graph.layers[-1].name
    np.testing.assert_allclose(means[last], np.abs(value[0].astype(np.float64)).mean((1, 2)), rtol=1e-6)
    expected = np.argsort(-np.abs(value[0].astype(np.float64)).mean((1, 2)), kind="stable")
    np.testing.assert_array_equal(orders(graph, "activation", means)[last].permutation, expected)
    assert orders(graph, "activation", {last: means[last][1:]})[last].by == "index"  # of other channels: not known


def test_an_unknown_order_is_refused():
    with pytest.raises(Error, match=f"order is 'size'; expected one of {', '.join(ORDERS)}"):
        orders(load(FIXTURES / "digits.onnx"), "size")
