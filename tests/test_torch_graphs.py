"""PyTorch modules as graphs: live, and by the files of both exporters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.build.detail import at_detail
from onnx2graphml.build.walk import walk

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


class Block(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(4, 4, 3, padding=1, groups=2, bias=False)
        self.bn = torch.nn.BatchNorm2d(4)

    def forward(self, x: Any) -> Any:
        return torch.relu(x + self.bn(self.conv(x)))


class Net(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(3, 4, (3, 2), stride=2, padding=(2, 1), dilation=(2, 1))
        self.layer = torch.nn.Sequential(Block(), torch.nn.MaxPool2d(2, ceil_mode=True))
        self.up = torch.nn.ConvTranspose2d(4, 2, 3, stride=2, output_padding=1)
        self.fc = torch.nn.Linear(2 * 8 * 8, 5)
        self.drop = torch.nn.Dropout()

    def forward(self, x: Any) -> Any:
        y = torch.nn.functional.leaky_relu(self.up(self.layer(self.stem(x))), 0.2)
        return torch.softmax(self.fc(self.drop(torch.flatten(y, 1))), 1)


LEAVES = ["stem", "layer.0.conv", "layer.0.bn", "layer.1", "up", "fc"]


@pytest.fixture(scope="module")
def net() -> Any:
    torch.manual_seed(0)
    made = Net()
    with torch.no_grad():
        made(torch.randn(1, 3, 11, 10)), made(torch.randn(1, 3, 11, 10))  # other statistics than those of a new one
        for parameter in made.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return made.eval()


def exported(net: Any, folder: Path, exporter: str) -> Any:
    x, path = (torch.randn(1, 3, 11, 10),), folder / "net.onnx"
    if exporter == "live":
        return o2g.from_torch(net, x)
    torch.onnx.export(net, x, path, dynamo=exporter == "dynamo", verbose=False)
    assert (folder / "net.onnx.data").exists() == (exporter == "dynamo")
    return o2g.load(path)


@pytest.mark.slow
@pytest.mark.parametrize("exporter", ["live", "dynamo", "torchscript"])
@pytest.mark.filterwarnings("ignore")
def test_a_module_keeps_its_paths_and_verifies(net: Any, tmp_path: Path, exporter: str) -> None:
    graph = exported(net, tmp_path, exporter)
    names = [layer.name for layer in graph.layers]
    wanted = LEAVES if exporter == "live" else [x for x in LEAVES if x != "layer.0.bn"]  # exporters fold it
    assert [n for n in names if n in LEAVES] == wanted
    report = o2g.verify(graph)
    assert report.passed
    assert ("prediction" in report.rows[-1].layer) == (exporter == "live")
    x = torch.randn(1, 3, 11, 10)
    (name,) = (layer.provenance.tensor for layer in graph.layers if layer.aggregation == "input")
    assert o2g.verify(graph, {name: x.numpy()}).passed


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_every_way_in_leads_to_the_same_neurons(net: Any, tmp_path: Path) -> None:
    """Below the exporters' differences, what computes is one graph: same layers, same edges, same weights."""
    graphs = []
    for exporter in ("live", "dynamo", "torchscript"):
        (tmp_path / exporter).mkdir()
        loaded = exported(net, tmp_path / exporter, exporter)
        assert loaded.model is not None
        graphs.append(at_detail(walk(loaded.model), "neuron"))
    first, *others = (sorted(g.weighted_edges()) for g in graphs)
    for other in others:
        assert [e[:2] for e in other] == [e[:2] for e in first]
        np.testing.assert_allclose([e[2] for e in other], [e[2] for e in first], rtol=1e-5, atol=1e-7)
