"""What Python does where there is little, and what the compiled loops do, is the same to the last bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from both_ways import few
from onnx2graphml.compiled import compiled, compiled_for_many, many
from onnx2graphml.export.kernels import add_edges
from onnx2graphml.graph import kernels
from onnx2graphml.verification import combine, winners

SOURCES, TARGETS, EDGES = 30, 20, 400
EVERY = 1 << 62


def drawn(dtype: Any, size: int, rng: np.random.Generator) -> Any:
    """Numbers of all sizes, with some that are none or infinite."""
    values = rng.normal(size=size) * 10.0 ** rng.integers(-8, 8, size)
    values[rng.integers(0, size, size // 10)] = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0], size // 10)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def edges(dtype: Any, rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:
    """Source, target and weight of edges, and the sources' values."""
    ends = rng.integers(0, SOURCES, EDGES), rng.integers(0, TARGETS, EDGES)
    return *ends, drawn(dtype, EDGES, rng), drawn(np.float64, SOURCES, rng)


def expanded(dtype: Any, rng: np.random.Generator, swapped: bool) -> list[Any]:
    outer, inner = 12, 17
    steps = (1, outer) if swapped else (inner, 1)
    axes = [rng.integers(0, 99, n) for n in (outer, outer, inner, inner)]
    taps = np.arange(outer) * steps[0], np.arange(inner) * steps[1]
    out = [np.zeros(outer * inner, np.int64), np.zeros(outer * inner, np.int64), np.zeros(outer * inner, dtype)]
    weights = drawn(dtype, outer * inner, rng)
    kernels.expand(axes[0], axes[1], taps[0], axes[2], axes[3], taps[1], weights, *out)
    return out


def added(dtype: Any, rng: np.random.Generator) -> list[Any]:
    out = [np.zeros(TARGETS), np.zeros(TARGETS)]
    combine.add_products(*edges(dtype, rng), *out)
    return out


def combined(dtype: Any, rng: np.random.Generator) -> list[Any]:
    out = [np.zeros(TARGETS), np.zeros(TARGETS)]
    code = rng.integers(combine.OTHER, combine.PRODUCT + 1, TARGETS).astype(np.int8)
    assert len(set(code)) == 5
    combine.combine(*edges(dtype, rng), *out, code, rng.integers(0, 2, TARGETS).astype(bool))
    return out


def chosen(dtype: Any, rng: np.random.Generator) -> list[Any]:
    source, target, weight, x = edges(dtype, rng)
    best, found = np.full(TARGETS, -np.inf), np.full(TARGETS, -1, np.int64)
    winners.first_best(source, target, weight, x, 7, best, found)
    return [best, found]


def in_a_matrix(dtype: Any, rng: np.random.Generator) -> list[Any]:
    """As NumPy adds; some neurons have no place in it."""
    source, target, weight, _ = edges(dtype, rng)
    row, column = (np.where(rng.random(n) < 0.8, rng.permutation(n), -1) for n in (SOURCES, TARGETS))
    out, expected = np.zeros((2, SOURCES, TARGETS), dtype)
    add_edges(source, target, weight, row, column, out)
    kept = (row[source] >= 0) & (column[target] >= 0)
    np.add.at(expected, (row[source[kept]], column[target[kept]]), weight[kept])
    np.testing.assert_array_equal(out, expected)
    return [out]


LOOPS = {
    "expand": lambda dtype, rng: expanded(dtype, rng, False),
    "expand, the other way round": lambda dtype, rng: expanded(dtype, rng, True),
    "sums": added,
    "all kinds": combined,
    "winners": chosen,
    "a matrix": in_a_matrix,
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loop", LOOPS)
def test_python_and_the_compiled_loop_do_the_same(loop: str, dtype: Any) -> None:
    with few(EVERY):
        by_python = LOOPS[loop](dtype, np.random.default_rng(0))
    with few(0):
        by_loop = LOOPS[loop](dtype, np.random.default_rng(0))
    for one, other in zip(by_python, by_loop, strict=True):
        np.testing.assert_array_equal(one, other)


def test_few_are_left_to_python_and_many_are_not() -> None:
    ran = []

    @compiled_for_many
    def last(x: Any) -> Any:
        ran.append(x.size)
        return x[-1]

    class Made:
        def __call__(self, x: Any) -> str:
            return "compiled"

    last._made = Made()  # type: ignore[attr-defined]
    with few(100):
        assert [last(np.arange(60)), last(np.arange(60)), last(np.arange(1))] == [59, "compiled", "compiled"]
        assert many.done == 121
    assert ran == [60]


def test_a_loop_may_call_another() -> None:
    @compiled
    def twice(x: int) -> int:
        return 2 * x

    @compiled
    def thrice(x: int) -> int:
        return x + twice(x)

    assert thrice(14) == 42


@pytest.mark.slow
@pytest.mark.parametrize("called", ["called.times(x)", "times(x)", "called.FACTOR * x"])
def test_a_loop_is_compiled_anew_when_what_it_names_has_changed(called: str, tmp_path: Path) -> None:
    (tmp_path / "called.py").write_text(CALLED.format(2))
    (tmp_path / "calling.py").write_text(CALLING.format(called))
    assert [answer(tmp_path), answer(tmp_path)] == ["42 False", "42 True"]
    (tmp_path / "called.py").write_text(CALLED.format(20))
    assert answer(tmp_path) == "420 False"


@pytest.mark.slow
def test_what_is_compiled_for_others_is_counted_once(tmp_path: Path) -> None:
    """Also where a loop calls another one, which is compiled meanwhile; what is in the cache is not compiled."""
    (tmp_path / "calling.py").write_text(NESTED)
    first, whole = map(float, answer(tmp_path).split())
    assert 0 < first <= whole
    assert float(answer(tmp_path).split()[0]) == 0


NESTED = """
import time
from onnx2graphml.compiled import compiled, compiling, loading
@compiled
def once(x): return x + 1
@compiled
def twice(x): return once(once(x))
assert compiling() == 0
loading()
start = time.perf_counter()
assert twice(1) == 3
print(compiling(), time.perf_counter() - start)
"""
CALLED = """
import numba
FACTOR = {}
@numba.njit
def times(x): return FACTOR * x
"""
CALLING = """
import called
from onnx2graphml.compiled import compiled
from called import times
@compiled
def product(x): return {}
print(product(21), bool(product.dispatcher.stats.cache_hits))
"""


def answer(folder: Path) -> str:
    """What the calling program prints."""
    given = os.environ | {"NUMBA_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run([sys.executable, "calling.py"], cwd=folder, env=given, capture_output=True, text=True)
    assert not done.returncode, done.stderr
    return done.stdout.strip()
