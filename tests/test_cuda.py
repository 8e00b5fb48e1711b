"""Products on a GPU against the processors': the same kernel, run by numba-cuda's simulator, where there is no GPU."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from measured import SOURCES, network
from onnx2graphml import api, measures
from onnx2graphml.cuda import device
from onnx2graphml.cuda.plan import FEWEST, THREADS, plan_of
from onnx2graphml.cuda.products import add
from onnx2graphml.cuda.tables import WIDE, tables_of
from onnx2graphml.engine.products import product
from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.verification.against_runtime import compared
from onnx2graphml.verification.recompute import Values, recompute
from small import FIXTURES

RANDOM = np.random.default_rng(0)


def conv(side: int = 5, channels: int = 3, filters: int = 4, stride: int = 1, dilation: int = 1) -> EdgeBlock:
    """A convolution with padding: two free axes' worth of places, three axes that reduce."""
    place = ax.window(input=side, output=-(-side // stride), kernel=3, stride=stride, dilation=dilation, pad=dilation)
    out = -(-side // stride)
    weights = RANDOM.standard_normal(filters * channels * 9).astype(np.float32)
    axes = (
        ax.spread(filters).strided(0, out * out, channels * 9),
        ax.gather(channels).strided(side * side, 0, 9),
        place.strided(side, out, 3),
        place,
    )
    return EdgeBlock(axes, weights)


def dense(inputs: int, outputs: int) -> EdgeBlock:
    axes = (ax.spread(outputs).strided(0, 1, 1), ax.gather(inputs).strided(1, 0, outputs))
    return EdgeBlock(axes, RANDOM.standard_normal(inputs * outputs))


BLOCKS = {
    "conv": (conv(), 75, 100),
    "strided conv": (conv(stride=2), 75, 36),
    "dilated conv": (conv(dilation=2), 75, 100),
    "dense": (dense(30, 7), 30, 7),
    "dense, shared out": (dense(5 * FEWEST, 2), 5 * FEWEST, 2),
    "one to one": (EdgeBlock((ax.same(9),), np.arange(9.0)), 9, 9),
    "five that reduce": (
        EdgeBlock(tuple(ax.gather(2).strided(2**k, 0, 2**k) for k in range(5)), np.arange(32.0)),
        32,
        1,
    ),
}


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("semiring", ["sum", "max", "min"])
@pytest.mark.parametrize("transpose", [False, True])
def test_products(name: str, semiring: str, transpose: bool) -> None:
    block, sources, targets = BLOCKS[name]
    x = RANDOM.standard_normal(targets if transpose else sources)
    size = sources if transpose else targets
    here, there = (product(block, x, size, semiring, "weight", transpose, device=d) for d in ("cpu", "cuda"))
    np.testing.assert_allclose(there, here, rtol=1e-12, atol=1e-12)


@pytest.mark.slow
def test_in_edges_are_shared_out_where_targets_are_few() -> None:
    assert plan_of(dense(5 * FEWEST, 2)).parts == 5
    assert plan_of(dense(FEWEST, THREADS)).parts == 1


TILED = {
    "a tile not full": conv(filters=5),
    "several tiles": conv(side=9, channels=1, filters=WIDE + 1),
    "strided, taps shared out": conv(side=8, channels=16, stride=2),
    "channels last": EdgeBlock(
        (ax.spread(6).strided(0, 1, 1), ax.gather(5).strided(1, 0, 6), ax.same(20).strided(5, 6)),
        RANDOM.standard_normal(30),
    ),
    "groups": EdgeBlock(
        (
            *(ax.same(3).strided(100, 80, 20), ax.spread(4).strided(0, 20, 5)),
            *(ax.gather(5).strided(20, 0, 1), ax.same(20).strided(1, 1)),
        ),
        RANDOM.standard_normal(60),
    ),
    "heads": EdgeBlock(
        (
            *(ax.spread(2).strided(0, 96, 12), ax.spread(3).strided(0, 32, 4)),
            *(ax.gather(4).strided(32, 0, 1), ax.same(2).strided(16, 16), ax.same(16).strided(1, 1)),
        ),
        RANDOM.standard_normal(24),
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name != "a tile not full" else []) for name in TILED]
)
def test_products_of_matrices(name: str) -> None:
    block = TILED[name]
    assert tables_of(plan_of(block))
    sources, targets = (1 + sum(int(a.max()) for a in block.offsets(side)) for side in ("source", "target"))  # type: ignore[arg-type]
    x, there, size = RANDOM.standard_normal(sources), np.ones(targets), np.zeros(targets)
    add(block, x, there, magnitude=size)
    np.testing.assert_allclose(there, 1 + block.apply(x, targets), rtol=1e-12, atol=1e-12)
    magnitudes = EdgeBlock(block.axes, np.abs(block.weights))
    np.testing.assert_allclose(size, magnitudes.apply(np.abs(x), targets), rtol=1e-12)
    without = np.ones(targets)
    add(block, x, without)
    np.testing.assert_array_equal(without, there)


def test_taps_are_shared_out_where_tiles_are_few() -> None:
    tables = tables_of(plan_of(TILED["strided, taps shared out"]))
    assert tables is not None
    assert tables.parts == 2


def test_an_infinite_weight_does_not_go_where_no_edge_is() -> None:
    block = conv(filters=4)
    block.weights[:9] = np.inf
    x, there = RANDOM.random(75) + 1, np.zeros(100)
    add(block, x, there)
    np.testing.assert_array_equal(np.isnan(there), np.isnan(block.apply(x, 100)))
    assert not np.isnan(there).any()


@pytest.mark.parametrize(
    "block",
    [
        EdgeBlock((ax.same(6).strided(4, 4, 4), ax.same(4)), np.arange(24.0)),
        EdgeBlock((ax.spread(8).strided(0, 16, 64), ax.gather(4).strided(16, 0, 16), ax.same(16).strided(1, 1, 1)),
            RANDOM.standard_normal(8 * 64)),
        EdgeBlock((ax.spread(4).strided(0, 16, 32), ax.relation(range(32), np.arange(32) // 2, range(32))),
            RANDOM.standard_normal(128)),
    ],
    ids=["depthwise", "one place of a batch", "taps of their own"],
)  # fmt: skip
def test_blocks_that_are_no_products_of_matrices(block: EdgeBlock) -> None:
    assert tables_of(plan_of(block)) is None
    x, there = RANDOM.standard_normal(64), np.zeros(128)
    add(block, x, there)
    np.testing.assert_allclose(there, block.apply(x, 128), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SOURCES if "digits" not in name])
def test_every_kind_of_block(name: str) -> None:
    values: dict[str, Values] = {}
    for layer in network(name).layers:
        if layer.aggregation not in ("constant", "sum", "max", "min", "product"):  # no product is computed
            values[layer.name] = RANDOM.standard_normal(layer.neurons)
            continue
        here = recompute(layer, values)
        with device.using("cuda"):
            there = recompute(layer, values)
        assert compared(layer.name, layer.op, 0, there.value, here.value, here.tolerance).passed
        np.testing.assert_allclose(there.tolerance, here.tolerance, rtol=1e-9)
        values[layer.name] = here.value


def test_infinity_and_nan_go_along_their_own_edges_alone() -> None:
    block, sources, targets = BLOCKS["conv"]
    x = np.zeros(sources)
    x[0], x[-1] = np.inf, np.nan
    there = np.zeros(targets)
    here = block.apply(x, targets)
    add(block, x, there)
    np.testing.assert_array_equal(np.isfinite(there), np.isfinite(here))


@pytest.mark.parametrize("how", ["max", "product"])
def test_a_wrong_weight_is_seen(how: str) -> None:
    block, sources, targets = BLOCKS["conv"]
    wrong = EdgeBlock(block.axes, block.weights * np.float32(1.5))
    x, one, other = RANDOM.random(sources) + 1, np.ones(targets), np.ones(targets)
    add(block, x, one, how)
    add(wrong, x, other, how)
    assert not np.allclose(one, other)


def test_verify_says_that_a_gpu_summed() -> None:
    graph = network("residual")
    report = api.verify(graph, device="cuda")
    assert report.passed
    assert "sums edge by edge on a GPU" in str(report)


@pytest.mark.slow
def test_measures_of_weights() -> None:
    graph = network("concat")
    here = api.analyze(graph, measures="pagerank,out_strength").values
    there = api.analyze(graph, measures="pagerank,out_strength", device="auto").values
    for name, values in here.items():
        np.testing.assert_allclose(there[name].array, values.array, rtol=1e-12)
    with device.using("cuda"):
        longest = measures.dag_longest_path_length(graph)
    assert longest == pytest.approx(measures.dag_longest_path_length(graph))


def test_a_gpu_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.cuda.cudadrv import driver

    class NoRoomError(Exception):
        pass

    def no_room(*given: object) -> None:
        raise NoRoomError("CUDA_ERROR_OUT_OF_MEMORY")

    monkeypatch.setattr(driver, "CudaAPIError", NoRoomError, raising=False)
    monkeypatch.setattr("onnx2graphml.cuda.products.plan_of", no_room)
    with pytest.raises(Error, match="the GPU failed: CUDA_ERROR_OUT_OF_MEMORY; use device 'cpu'"):
        add(conv(), np.zeros(75), np.zeros(100))


def test_other_ways_to_sum_are_refused() -> None:
    with pytest.raises(Error, match="leave out fast and sample_neurons"):
        api.verify(FIXTURES / "digits.onnx", fast=True, device="cuda")
    with pytest.raises(Error, match="device is 'tpu'; expected one of cpu, cuda, auto"):
        api.verify(FIXTURES / "digits.onnx", device="tpu")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """The command, without the simulator and without any GPU."""
    hidden = {**os.environ, "NUMBA_ENABLE_CUDASIM": "0", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "onnx2graphml", "verify", str(FIXTURES / "residual.onnx"), *options]
    return subprocess.run(command, capture_output=True, text=True, env=hidden)


@pytest.mark.slow
def test_without_a_gpu() -> None:
    refused = run("--device", "cuda")
    assert refused.returncode == 2
    assert refused.stderr.startswith("onnx2graphml: error: device is 'cuda', and no GPU can be used: ")
    assert refused.stderr.count("\n") == 1
    assert run("--device", "auto").returncode == 0


def test_without_numba_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba_cuda", None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[cuda\]"):
        api.verify(FIXTURES / "digits.onnx", device="cuda")
