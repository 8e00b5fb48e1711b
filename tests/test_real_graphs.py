"""The tool that converts the networks that people have: its names, its table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
try:
    import real_graphs
finally:
    sys.path.pop(0)


def test_there_are_51_networks() -> None:
    assert len(set(real_graphs.NAMES)) == 51
    assert all(f"/{name}" in "".join(f"/{n}" for n in real_graphs.NAMES) for name in real_graphs.LIGHT)


def test_a_table_has_the_last_result_of_each() -> None:
    first = {
        "name": "onnx/vgg19",
        "layers": 9,
        "neurons": 1000,
        "edges": 2000,
        "verified": "every edge",
        "wrong": ["fc8"],
    }
    results = [first, first | {"wrong": []}, {"name": "keras/VGG16", "refused": "operator X is not supported"}]
    rows = real_graphs.table([json.dumps(r) for r in results]).splitlines()
    assert rows[2:] == [
        "| `onnx/vgg19` | 9 | 1,000 | 2,000 | every edge |",
        "| `keras/VGG16` | | | | refused: operator X is not supported |",
    ]
    (row,) = real_graphs.table([json.dumps(first)]).splitlines()[2:]
    assert row.endswith("| differs in fc8 |")


@pytest.mark.slow
def test_a_network_of_the_package_onnx_is_converted() -> None:
    """SqueezeNet has the edges that its kernels and windows make."""
    found = real_graphs.result("onnx/squeezenet", 2, True)
    assert found["edges"] == 341_995_688
    assert "refused" not in found
