"""Every module of torch.nn: verified, or refused with its reason; the documentation's table says the same."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from frameworks import PAGE, table
from onnx2graphml.api import from_torch, load, verify
from onnx2graphml.errors import ModelError

torch = pytest.importorskip("torch", reason="PyTorch is an extra")
torch_modules = pytest.importorskip("torch_modules")

TORCHSCRIPT = ("BatchNorm2d", "Embedding", "GRU", "GroupNorm", "InstanceNorm1d", "LSTM", "MultiheadAttention")
QUICK = ("LSTM", "MultiheadAttention", "Embedding", "GroupNorm", "TransformerEncoderLayer")


def test_every_module_is_in_the_table() -> None:
    assert set(torch_modules.MODULES) == torch_modules.every_module()
    assert set(torch_modules.REFUSED) <= set(torch_modules.MODULES)


def names() -> list[Any]:
    verified = sorted(set(torch_modules.MODULES) - set(torch_modules.REFUSED))
    return [pytest.param(n, marks=() if n in QUICK else pytest.mark.slow) for n in verified]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_module_verifies(name: str) -> None:
    torch.manual_seed(0)
    module, inputs = torch_modules.MODULES[name]()
    report = verify(from_torch(module.eval(), inputs))
    assert report.passed, [r for r in report.rows if not r.passed]
    assert any(r.layer.startswith("prediction of") for r in report.rows)


@pytest.mark.slow
@pytest.mark.parametrize("name", TORCHSCRIPT)
def test_a_file_of_the_older_exporter_verifies(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    module, inputs = torch_modules.MODULES[name]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module.eval(), inputs, tmp_path / "m.onnx", dynamo=False)
    assert verify(load(tmp_path / "m.onnx")).passed


@pytest.mark.slow
@pytest.mark.parametrize("name", torch_modules.REFUSED)
def test_a_module_is_refused(name: str) -> None:
    module, inputs = torch_modules.MODULES[name]()
    with pytest.raises(ModelError, match=torch_modules.REFUSED[name]):
        from_torch(module.eval(), inputs)


def test_the_page_says_so() -> None:
    assert table(torch_modules.MODULES, torch_modules.REFUSED) in PAGE.read_text(encoding="utf-8")
