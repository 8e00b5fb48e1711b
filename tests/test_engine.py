"""Products and passes against the edges that blocks stand for, one by one."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import synthetic
from onnx2graphml.api import load
from onnx2graphml.engine import SEMIRINGS, ScaledBlock, backward, forward, in_sum, out_sum, product
from onnx2graphml.engine.semirings import WEIGHTS
from onnx2graphml.errors import Error, UnsupportedError
from onnx2graphml.graph.blocks import Edges
from onnx2graphml.graph.graph import NeuronGraph
from oracle import Sample, brute, conv_block, dense, integers, listed, products, samples, window_outputs
from small import FIXTURES

Array = npt.NDArray[Any]
SAMPLES = samples()
WAYS = {"planes": 0.0, "edges": math.inf}
MODULE = "onnx2graphml.engine.products"
FUNCTIONS = {None: lambda w: 1.0, "weight": lambda w: w, "abs_weight": abs, "squared_weight": lambda w: w * w}


def numbers(n: int, semiring: str) -> Array:
    x = np.random.default_rng(n).integers(-4, 5, n)
    return x > 1 if semiring == "any" else x


def expected(s: Sample, x: Array, semiring: str, weight: str | None) -> Array:
    """The definition: every edge in turn."""
    ring = SEMIRINGS[semiring]
    out: list[Any] = [ring.zero(ring.values(x).dtype)] * s.targets
    along = {"sum": lambda v, w: v * w, "max": lambda v, w: v + w, "min": lambda v, w: v + w}
    for source, target, w in brute(s.block):
        v = along.get(semiring, lambda v, w: v)(x[source].item(), FUNCTIONS[weight](w))
        joined = {"sum": lambda a, b: a + b, "any": lambda a, b: a or b, "max": max, "min": min}
        out[target] = joined[ring.kernel](out[target], v)
    return np.array(out)


def check(s: Sample, semiring: str, weight: str | None) -> None:
    x = numbers(s.sources, semiring)
    got = product(s.block, x, s.targets, semiring, weight)
    assert got.tolist() == expected(s, x, semiring, weight).tolist(), (semiring, weight)
    flipped = Sample(s.block.flipped(), s.targets, s.sources)
    y = numbers(s.targets, semiring)
    against = product(s.block, y, s.sources, semiring, weight, transpose=True)
    assert against.tolist() == expected(flipped, y, semiring, weight).tolist(), (semiring, weight, "transposed")


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights by planes, whose matrices are made a few elements at a time, or by edges."""
    monkeypatch.setattr(f"{MODULE}.EDGES_OF_A_PLANE", WAYS[request.param])
    monkeypatch.setattr("onnx2graphml.engine.planes.MATRIX", 5)
    return str(request.param)


# ------------------------------------------------------------------------------------------------ products


@pytest.mark.parametrize("weight", FUNCTIONS)
@pytest.mark.parametrize("semiring", SEMIRINGS)
@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_product_is_that_of_the_edges(sample: Sample, semiring: str, weight: str | None, way: str):
    whole = dataclasses.replace(sample.block, weights=np.rint(sample.block.weights * 3).astype(np.float64))
    check(dataclasses.replace(sample, block=whole), semiring, weight)


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(products(), st.sampled_from(list(SEMIRINGS)), st.sampled_from(list(FUNCTIONS)))
def test_products_of_random_axes(s: Sample, semiring: str, weight: str | None):
    for edges in WAYS.values():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"{MODULE}.EDGES_OF_A_PLANE", edges)
            patch.setattr("onnx2graphml.engine.planes.MATRIX", 7)
            check(s, semiring, weight)


@pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES.keys())
def test_a_product_with_ones_is_a_sum_of_weights(sample: Sample, way: str):
    """Equal values at all positions take a way of their own."""
    for weight, function in FUNCTIONS.items():
        ones = dense([(s, t, function(w)) for s, t, w in brute(sample.block)], sample.targets, sample.sources)
        got = product(sample.block, np.ones(sample.sources), sample.targets, weight=weight)
        np.testing.assert_allclose(got, ones.sum(1), rtol=1e-12, atol=1e-12)


WINDOWS = list(itertools.product(range(1, 6), range(1, 4), (1, 2), (1, 2), (0, 1)))
"""Rows, kernel, stride, dilation and padding: every window that fits, and those that never lie inside."""


@pytest.mark.slow
@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_every_small_convolution(semiring: str, way: str):
    for rows, kernel, stride, dilation, pad in WINDOWS:
        size, window = (rows, 3), (kernel, 2)
        fits = window_outputs(size, window, (stride, 1), (dilation, 1), (pad, 0))
        if min(fits) < 1:
            continue
        block, shape = conv_block(integers(2, 2, *window), size, (stride, 1), (dilation, 1), (pad, 0))
        for weight in (None, "weight"):
            check(Sample(block, 2 * math.prod(size), math.prod(shape)), semiring, weight)


def test_sums_of_integers_are_exact():
    block = SAMPLES["conv"].block
    x = np.full(60, 2**53 + 1)
    got = product(block, x, 24)
    assert got.dtype == np.int64
    assert got.max() % (2**53 + 1) == 0


def test_any_function_of_the_weights():
    s = SAMPLES["conv"]
    cubes = product(s.block, np.ones(60), s.targets, weight=lambda w: np.abs(w) ** 3)
    assert cubes.tolist() == (dense([(a, b, abs(w) ** 3) for a, b, w in brute(s.block)], s.targets, 60).sum(1)).tolist()


def test_planes_are_used_where_they_pay_and_edges_where_not(monkeypatch: pytest.MonkeyPatch):
    used: list[str] = []
    for name in ("by_planes", "_by_edges"):
        real = getattr(__import__(MODULE, fromlist=[name]), name)
        monkeypatch.setattr(f"{MODULE}.{name}", lambda *a, name=name, real=real: (used.append(name), real(*a))[1])
    conv = synthetic.conv_graph(16, 12).layers[1].incoming[0].block
    product(conv, np.ones(16 * 144), 16 * 144, weight="weight")
    product(SAMPLES["gaps"].block, np.ones(10), 12, weight="weight")
    assert used == ["by_planes", "_by_edges"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"semiring": "plus"}, r"semiring is 'plus'; expected one of sum, max, min, any, greatest, least"),
        ({"weight": "abs"}, r"weight is 'abs'; expected None \(each edge weighs 1\), 'weight', 'abs_weight'"),
    ],
)
def test_an_unknown_semiring_or_weight_is_refused(call: dict[str, Any], message: str):
    with pytest.raises(Error, match=message):
        product(SAMPLES["conv"].block, np.ones(60), 24, **call)


@pytest.mark.parametrize(
    ("x", "size", "options", "message"),
    [
        (59, 24, {}, r"values of shape \(59,\); expected one dimension of at least 60, the block's sources"),
        (60, 19, {}, r"size of shape \(19,\); expected one dimension of at least 20, the block's targets"),
        (19, 60, {"transpose": True}, r"values of shape \(19,\); expected one dimension of at least 20"),
        ((6, 10), 24, {}, r"values of shape \(6, 10\); expected one dimension of at least 60"),
    ],
)
def test_arrays_that_are_too_short_are_refused(x: Any, size: int, options: dict[str, Any], message: str):
    with pytest.raises(Error, match=message):
        product(SAMPLES["conv"].block, np.ones(x), size, weight="weight", **options)


def test_the_names_of_weights_are_those_that_the_tests_try():
    assert {*WEIGHTS, None} == set(FUNCTIONS)


# -------------------------------------------------------------------------------------------------- passes


GRAPHS = {
    "digits": lambda: load(FIXTURES / "digits.onnx"),
    "residual": lambda: load(FIXTURES / "residual.onnx"),
    "every kind": synthetic.every_kind,
    "parallel edges": synthetic.parallel,
}


@pytest.fixture(params=GRAPHS, scope="module")
def graph(request: pytest.FixtureRequest) -> NeuronGraph:
    return GRAPHS[request.param]()


def matrix(graph: NeuronGraph, weight: str | None = None) -> Any:
    """A[u, v] = the sum of the weights of all edges from u to v."""
    import scipy.sparse

    edges = list(graph.weighted_edges())
    values = [FUNCTIONS[weight](w) for _, _, w in edges]
    places = ([u for u, _, _ in edges], [v for _, v, _ in edges])
    return scipy.sparse.coo_matrix((values, places), (graph.neurons, graph.neurons)).tocsr()


@pytest.mark.parametrize("weight", FUNCTIONS)
def test_one_step_is_a_product_with_the_adjacency_matrix(graph: NeuronGraph, weight: str | None):
    x = np.random.default_rng(0).normal(size=graph.neurons)
    a = matrix(graph, weight)
    np.testing.assert_allclose(in_sum(graph, x, weight=weight), a.T @ x, rtol=1e-12, atol=1e-12 * abs(a.T @ x).max())
    np.testing.assert_allclose(out_sum(graph, x, weight=weight), a @ x, rtol=1e-12, atol=1e-12 * abs(a @ x).max())


def test_a_scaled_pass_solves_its_equation(graph: NeuronGraph):
    random = np.random.default_rng(1)
    start, source, target = (random.uniform(0.5, 1.5, graph.neurons) / 4 for _ in range(3))
    a = matrix(graph, "weight")
    scales = {"source_scale": source, "target_scale": target}
    x = forward(graph, start, weight="weight", **scales)
    np.testing.assert_allclose(x, start + target * (a.T @ (source * x)), rtol=1e-9, atol=1e-9 * abs(x).max())
    y = backward(graph, start, weight="weight", **scales)
    np.testing.assert_allclose(y, start + source * (a @ (target * y)), rtol=1e-9, atol=1e-9 * abs(y).max())


@pytest.mark.parametrize("weight", FUNCTIONS)
def test_passes_are_adjoint(graph: NeuronGraph, weight: str | None):
    random = np.random.default_rng(2)
    x, y, source, target = random.normal(size=(4, graph.neurons)) / 3
    options = {"weight": weight, "source_scale": source, "target_scale": target}
    one, other = forward(graph, x, **options) @ y, backward(graph, y, **options) @ x
    assert one == pytest.approx(other, rel=1e-9)


def test_a_function_of_each_layer(graph: NeuronGraph):
    seen = []
    doubled = forward(graph, np.ones(graph.neurons), each=lambda layer, x: (seen.append(layer.name), x * 0)[1])
    assert seen == [layer.name for layer in graph.layers]
    assert not doubled.any()


def test_scales_are_for_sums(graph: NeuronGraph):
    with pytest.raises(Error, match="scales are for sums, not for the semiring 'max'"):
        forward(graph, np.ones(graph.neurons), semiring="max", source_scale=2.0)


@pytest.mark.parametrize("run", [forward, backward, in_sum, out_sum])
def test_values_of_another_length_are_refused(graph: NeuronGraph, run: Any):
    with pytest.raises(Error, match=rf"the values have shape \(3,\); expected \({graph.neurons},\)"):
        run(graph, np.ones(3))


def test_a_scale_of_another_length_is_refused(graph: NeuronGraph):
    with pytest.raises(Error, match=r"a scale has shape \(2,\); expected one number"):
        forward(graph, np.ones(graph.neurons), target_scale=np.ones(2))


def test_weights_of_terms_are_refused():
    graph = synthetic.conv_graph(1, 3)
    axis = graph.layers[1].incoming[0].block.axes[0]
    object.__setattr__(axis, "term", axis.tap)
    with pytest.raises(UnsupportedError, match=r"layer 'y' multiplies computed tensors.*; use weight=None"):
        forward(graph, np.ones(18), weight="weight")
    assert forward(graph, np.ones(18)).sum() == 9 + 9 + 49


# ------------------------------------------------------------------------------------------ scaled blocks


@settings(max_examples=40, deadline=None)
@given(products(), st.sampled_from(list(FUNCTIONS)))
def test_a_scaled_block_is_its_edges_scaled(s: Sample, weight: str | None):
    random = np.random.default_rng(3)
    source, target, x = random.normal(size=s.sources), random.normal(size=s.targets), random.normal(size=s.sources)
    scaled = ScaledBlock(s.block, source, target, weight)
    edges = [(u, v, source[u] * FUNCTIONS[weight](w) * target[v]) for u, v, w in brute(s.block)]
    got = listed(scaled.expand())
    assert [e[:2] for e in got] == [e[:2] for e in edges]
    np.testing.assert_allclose([e[2] for e in got], [e[2] for e in edges], rtol=1e-13)
    m = dense(edges, s.targets, s.sources)
    np.testing.assert_allclose(scaled.product(x), m @ x, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(scaled.flipped().product(target), m.T @ target, rtol=1e-9, atol=1e-9)
    assert scaled.total() == pytest.approx(m.sum(), rel=1e-9, abs=1e-9)
    assert scaled.count == len(edges)
    for position in range(s.targets):
        own = sorted(e for e in got if e[1] == position)
        assert sorted(listed(scaled.select("target", position))) == own


@pytest.mark.parametrize("weight", FUNCTIONS)
def test_a_scaled_block_keeps_its_terms(weight: str | None):
    """Of a product of computed tensors: as many edges between two neurons as there are terms, each with its own."""
    for incoming in synthetic.products().layer("z").incoming:
        random, block = np.random.default_rng(4), incoming.block
        source, target, x = (random.normal(size=n) for n in (6, 4, 6))
        scaled = ScaledBlock(block, source, target, weight)
        (plain,) = block.expand()
        expected = source[plain.source] * [FUNCTIONS[weight](w) for w in plain.weight] * target[plain.target]
        for one, edges in (
            (scaled, plain),
            (scaled.flipped(), Edges(plain.target, plain.source, plain.weight, plain.term)),
        ):
            (got,) = one.expand()
            assert (got.term is None) == (edges.term is None) == (not block.has_terms)
            assert np.array_equal(got.source, edges.source)
            assert np.array_equal(got.target, edges.target)
            assert edges.term is None or np.array_equal(got.term, edges.term)
            np.testing.assert_allclose(got.weight, expected, rtol=1e-13)
        arrived = np.bincount(plain.target, expected * x[plain.source], 4)
        np.testing.assert_allclose(scaled.product(x), arrived, rtol=1e-9, atol=1e-12)
        assert scaled.total() == pytest.approx(expected.sum(), rel=1e-9)
        (own,) = scaled.select("target", 3)
        assert plain.term is None or own.term.tolist() == plain.term[plain.target == 3].tolist()
