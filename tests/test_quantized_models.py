"""The digit classifier, quantized by ONNX Runtime's own tool in every format: verified, integers exactly equal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS

quantization = pytest.importorskip("onnxruntime.quantization", reason="it comes with onnxruntime")
pytest.importorskip("sympy", reason="ONNX Runtime's shape inference needs it")

FIXTURE = Path(__file__).parent.parent / "fixtures" / "digits.onnx"


class Patterns:
    """Eight random pictures to calibrate with."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self._left: Iterator[dict[str, Any]] = iter(
            [{"image": random.random((1, 8, 8, 1), dtype=np.float32)} for _ in range(8)]
        )

    def get_next(self) -> dict[str, Any] | None:
        return next(self._left, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        """It is calibrated with all of them."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    path: Path = tmp_path_factory.mktemp("quantized") / "prepared.onnx"
    quant_pre_process(str(FIXTURE), str(path))
    yield path
    logging.disable(logging.NOTSET)


def quantized(prepared: Path, how: str) -> Path:
    """The model in a format, with one scale for each tensor or for each channel."""
    path = prepared.with_name(f"{how}.onnx")
    if path.exists():
        return path
    if how == "dynamic":
        quantization.quantize_dynamic(str(prepared), str(path))
        return path
    form, _, per = how.partition(" per ")
    quantization.quantize_static(
        str(prepared),
        str(path),
        Patterns(),
        quant_format=quantization.QuantFormat[form],
        per_channel=per == "channel",
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    return path


@pytest.mark.parametrize(
    "how", ["QDQ per tensor", "QDQ per channel", "QOperator per tensor", "QOperator per channel", "dynamic"]
)
@pytest.mark.parametrize("level", LEVELS)
def test_a_quantized_model_verifies(prepared: Path, how: str, level: str) -> None:
    graph = load(quantized(prepared, how), detail=level)
    integers = {x.name for x in graph.layers if x.dtype.kind in "iu"}
    assert integers or how == "QDQ per tensor"
    for seed in range(3):
        report = verify(graph, seed=seed)
        assert report.passed, [r for r in report.rows if not r.passed]
        assert report.unchecked == ()
        assert all(r.absolute == 0 for r in report.rows if r.layer in integers)
    if not how.startswith("QDQ"):
        assert report.rows[-1].layer.startswith("original")
        assert report.rows[-1].absolute == 0
