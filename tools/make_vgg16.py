"""Write an ONNX file with the structure of VGG16 and random weights, to measure time and memory with: 553 MB.

    python tools/make_vgg16.py vgg16.onnx

Layers and their names are those of `keras.applications.VGG16`, an activation being a part of its layer at the default
level of detail; 138,357,544 parameters, 15,262,696 neurons with channels first or last.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # channels, convolutions


class Network:
    """Nodes and initializers, each node behind the last."""

    def __init__(self, tensor: str) -> None:
        self.tensor = tensor
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.random = np.random.default_rng(0)

    def constant(self, name: str, shape: tuple[int, ...], scale: float) -> str:
        """Normally distributed numbers."""
        values = self.random.standard_normal(shape, np.float32) * np.float32(scale)
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def node(self, op: str, name: str, *constants: str, **attributes: Any) -> None:
        """One operator on the last tensor."""
        self.nodes.append(helper.make_node(op, [self.tensor, *constants], [name], name=name, **attributes))
        self.tensor = name

    def weighted(self, op: str, name: str, shape: tuple[int, ...], fan_in: int, bias: int, **attributes: Any) -> None:
        """An operator with a kernel and a bias."""
        kernel = self.constant(f"{name}/kernel", shape, (2 / fan_in) ** 0.5)
        self.node(op, name, kernel, self.constant(f"{name}/bias", (bias,), 0.01), **attributes)


def vgg16(side: int = 224, share: int = 1, dense: int = 4096) -> onnx.ModelProto:
    """The model, for one image of `side` by `side`; a smaller relative has one of `share` channels."""
    net, channels = Network("image"), 3
    for b, (n, convolutions) in enumerate(((n // share, c) for n, c in BLOCKS), 1):
        for c in range(1, convolutions + 1):
            net.weighted("Conv", f"block{b}_conv{c}", (n, channels, 3, 3), 9 * channels, n, pads=[1, 1, 1, 1])
            net.node("Relu", f"block{b}_conv{c}_relu")
            channels = n
        net.node("MaxPool", f"block{b}_pool", kernel_shape=[2, 2], strides=[2, 2])
    net.node("Flatten", "flatten")
    flat = channels * (side // 32) ** 2
    for name, inputs, outputs in (("fc1", flat, dense), ("fc2", dense, dense), ("predictions", dense, 1000)):
        net.weighted("Gemm", name, (inputs, outputs), inputs, outputs)
        net.node(*(("Softmax", "probabilities") if name == "predictions" else ("Relu", f"{name}_relu")))
    graph = helper.make_graph(
        net.nodes,
        "vgg16",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(net.tensor, TensorProto.FLOAT, [1, 1000])],
        net.constants,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    onnx.save(vgg16(), parser.parse_args().path)


if __name__ == "__main__":
    main()
