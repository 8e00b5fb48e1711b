"""Random networks, as graphs and as ONNX models again: equal to what ONNX Runtime makes of the original."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import UnsupportedError
from randomnets import law
from randomnets.draw import draw_network
from small import runtime

CLOSE = {2: 2e-2, 4: 2e-4, 8: 1e-6}  # by the bytes of the output's type; integers come with 4 or 8


def compared(number: int) -> int:
    """How many levels of detail were compared; 0 where the model is not valid, or has what can't be written."""
    network = draw_network(Random(f"onnx:{number}"))
    try:
        law.judge(network)
    except law.Discarded:
        return 0
    expected = runtime(network.proto, network.feeds)
    for level in LEVELS:
        try:
            made = o2g.load(network.proto, detail=level).to_onnx()
        except UnsupportedError:
            return 0
        got = runtime(made, {i.name: network.feeds[i.name] for i in made.graph.input})
        for x, y in zip(got, expected, strict=True):
            assert (x.shape, x.dtype) == (y.shape, y.dtype), level
            a, b = x.astype(np.float64), y.astype(np.float64)
            largest = max(1.0, float(np.abs(b[np.isfinite(b)]).max(initial=0)))
            rtol = CLOSE.get(y.dtype.itemsize, 2e-4)
            np.testing.assert_allclose(a, b, rtol, rtol * largest, equal_nan=True, err_msg=level)
    return len(LEVELS)


@pytest.mark.slow
def test_random_networks_are_the_same_networks_again() -> None:
    assert sum(compared(number) for number in range(6)) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("tens", range(3))
def test_more_random_networks(tens: int) -> None:
    assert sum(compared(number) for number in range(6 + 10 * tens, 16 + 10 * tens)) >= 18
