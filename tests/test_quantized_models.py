"""Networks quantized by ONNX Runtime's own tool in every format: verified, integers exactly equal."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS

quantization = pytest.importorskip("onnxruntime.quantization", reason="it comes with onnxruntime")

FIXTURE = Path(__file__).parent.parent / "fixtures" / "digits.onnx"


class Patterns:
    """Eight random pictures to calibrate with."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        random = np.random.default_rng(0)
        self._left: Iterator[dict[str, Any]] = iter([{name: random.random(shape, dtype=np.float32)} for _ in range(8)])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._left, None)

    def set_range(self, start_index: int, end_index: int) -> None:
        """It is calibrated with all of them."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    logging.disable(logging.WARNING)
    path: Path = tmp_path_factory.mktemp("quantized") / "prepared.onnx"
    quant_pre_process(str(FIXTURE), str(path), skip_symbolic_shape=True)  # its sizes are known, and SymPy is slow
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
    info = onnx.load(prepared).graph.input[0]
    shape = tuple(d.dim_value or 1 for d in info.type.tensor_type.shape.dim)
    quantization.quantize_static(
        str(prepared),
        str(path),
        Patterns(info.name, shape),
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


def bottlenecks() -> tuple[Any, Any]:
    """MobileNetV2, small: widened, a convolution of each channel, narrowed, and the input added where it fits."""
    torch = pytest.importorskip("torch", reason="PyTorch is an extra")
    nn = torch.nn

    def convolution(inputs: int, outputs: int, size: int, stride: int, groups: int = 1) -> list[Any]:
        made = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
        return [made, nn.BatchNorm2d(outputs)]

    class Bottleneck(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            wide, self.adds = 3 * inputs, stride == 1 and inputs == outputs
            widened = [
                *convolution(inputs, wide, 1, 1),
                nn.ReLU6(),
                *convolution(wide, wide, 3, stride, wide),
                nn.ReLU6(),
            ]
            self.parts = nn.Sequential(*widened, *convolution(wide, outputs, 1, 1))

        def forward(self, x: Any) -> Any:
            return x + self.parts(x) if self.adds else self.parts(x)

    torch.manual_seed(0)
    blocks = [Bottleneck(4, 6, 2), Bottleneck(6, 6, 1), Bottleneck(6, 8, 2)]
    pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)]
    network = nn.Sequential(*convolution(3, 4, 3, 2), nn.ReLU6(), *blocks, *pooled)
    for name, value in network.state_dict().items():
        if "running_var" in name:
            value.uniform_(0.5, 1.5)
    return network.eval(), torch.randn(1, 3, 16, 16)


@pytest.fixture(scope="module")
def mobile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    from onnxruntime.quantization.shape_inference import quant_pre_process

    module, example = bottlenecks()
    import torch

    logging.disable(logging.WARNING)
    folder = tmp_path_factory.mktemp("mobile")
    torch.onnx.export(module, (example,), str(folder / "mobile.onnx"), dynamo=True, external_data=False)
    quant_pre_process(str(folder / "mobile.onnx"), str(folder / "prepared.onnx"))
    yield folder / "prepared.onnx"
    logging.disable(logging.NOTSET)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["QDQ per tensor", "QDQ per channel", "QOperator per tensor", "QOperator per channel"])
def test_a_quantized_mobile_network_verifies(mobile: Path, how: str) -> None:
    graph = load(quantized(mobile, how))
    for seed in range(2):
        report = verify(graph, seed=seed)
        assert report.passed, [r for r in report.rows if not r.passed]
        whole = {x.name for x in graph.layers if x.dtype.kind in "iu"}
        assert {r.absolute for r in report.rows if r.layer in whole} <= {0.0}, "an integer is another one"
