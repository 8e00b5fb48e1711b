"""Make fixtures/residual.onnx: a small residual network, as PyTorch's dynamo exporter writes it.

    python tools/make_residual_fixture.py

BatchNorm stays apart (`optimize=False`), and every node keeps the exporter's record of the module that it
comes from. Left out is what tells of the source files rather than of the network: stack traces and the like.
"""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from torch import nn

TARGET = Path(__file__).parent.parent / "fixtures" / "residual.onnx"
KEPT = ("namespace", "pkg.torch.onnx.class_hierarchy", "pkg.torch.onnx.name_scopes")


class Block(nn.Module):
    """Two 3x3 convolutions beside a 1x1 shortcut that halves the image."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(6)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential(Block(6, 8))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(8, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.layer1(self.relu(self.bn1(self.conv1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


def network() -> Residual:
    """Seeded weights; statistics of seeded batches, of no special mean and variance."""
    torch.manual_seed(7)
    net = Residual()
    with torch.no_grad():
        for name, value in net.named_parameters():
            if "bn" in name or "downsample.1" in name:
                value.add_(0.3 * torch.randn(value.shape))
        net.train()
        for _ in range(20):
            net(1.5 * torch.randn(8, 3, 12, 12) + 0.5)
    return net.eval()


def main() -> None:
    program = torch.onnx.export(
        network(), (torch.zeros(1, 3, 12, 12),), dynamo=True, optimize=False, opset_version=20, verbose=False
    )
    model = program.model_proto
    for node in model.graph.node:
        kept = [entry for entry in node.metadata_props if entry.key in KEPT]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, TARGET)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {len(model.graph.node)} nodes")


if __name__ == "__main__":
    main()
