"""The networks that people have, converted and verified: of Keras, of torchvision, of ONNX's model zoo.

python tools/real_graphs.py resnet18 keras/MobileNet --log real.jsonl     # a line of results for each
python tools/real_graphs.py --list                                       # their names
python tools/real_graphs.py --table real.jsonl                           # the results as a table

Weights are random, normalizations' among them. Up to 3 billion edges, every one is verified; of larger networks, some
neurons of each layer, from all edges into them. It needs the extras `keras` and `torch`, and torchvision.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import onnx2graphml as o2g
from onnx2graphml.graph.graph import NeuronGraph

MOST = 3_000_000_000
"""Edges of a network that is verified in full."""

KERAS = {
    "MobileNet": 224, "MobileNetV2": 224, "MobileNetV3Small": 224, "EfficientNetB0": 224, "EfficientNetV2B0": 224,
    "NASNetMobile": 224, "DenseNet121": 224, "ResNet50": 224, "ResNet50V2": 224, "ResNet101": 224, "Xception": 299,
    "InceptionV3": 299, "InceptionResNetV2": 299, "ConvNeXtTiny": 224, "VGG16": 224, "VGG19": 224,
}  # fmt: skip
"""Of `keras.applications`, with the side of the pictures that they take."""

TORCHVISION = (
    "squeezenet1_1", "shufflenet_v2_x1_0", "mnasnet1_0", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
    "alexnet", "regnet_y_400mf", "regnet_x_400mf", "efficientnet_b0", "resnet18", "googlenet", "inception_v3",
    "densenet121", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "efficientnet_v2_s", "convnext_tiny", "swin_t",
    "swin_v2_t", "vit_b_16", "maxvit_t", "vgg11_bn", "segmentation.lraspp_mobilenet_v3_large", "detection.backbone",
)  # fmt: skip

LIGHT = (
    "squeezenet", "shufflenet", "inception_v1", "inception_v2", "densenet121", "resnet50", "zfnet512", "bvlc_alexnet",
    "vgg19",
)  # fmt: skip
"""Of the models that come with the package `onnx`."""

NAMES = [*(f"onnx/{n}" for n in LIGHT), *(f"keras/{n}" for n in KERAS), *(f"torchvision/{n}" for n in TORCHVISION)]


def loaded(name: str) -> NeuronGraph:
    """The graph of a network, in the framework's layers."""
    kind, _, own = name.partition("/")
    return {"onnx": _light, "keras": _keras, "torchvision": _torchvision}[kind](own)


def _light(name: str) -> NeuronGraph:
    import onnx

    return o2g.load(Path(onnx.__file__).parent / "backend" / "test" / "data" / "light" / f"light_{name}.onnx")


def _keras(name: str) -> NeuronGraph:
    import keras

    side = KERAS[name]
    model = getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3))
    random = np.random.default_rng(0)
    for layer in model.layers:
        layer.set_weights([_numbers(random, w.path.rsplit("/")[-1], w.numpy()) for w in layer.weights])
    return o2g.load(model)


def _numbers(random: np.random.Generator, kind: str, like: Any) -> Any:
    """In the place of what a fresh network has, where that would hide an error: ones, zeros."""
    if "variance" in kind or "running_var" in kind or "gamma" in kind:
        return random.uniform(0.6, 1.4, like.shape).astype(like.dtype)
    if like.ndim == 1:
        return random.normal(0, 0.05, like.shape).astype(like.dtype)
    return like


def _torchvision(name: str) -> NeuronGraph:
    import torch

    library = torch.library.Library("torchvision", "DEF")  # what a CPU's torch does not have
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    torch.manual_seed(0)
    module = _module(name)
    random = np.random.default_rng(0)
    state = module.state_dict()
    for key, value in state.items():
        is_scale = key.endswith("weight") and value.ndim == 1
        if value.is_floating_point():
            value.copy_(torch.from_numpy(_numbers(random, "gamma" if is_scale else key, value.numpy())))
    side = 299 if name == "inception_v3" else 224
    return o2g.from_torch(module.eval(), (torch.randn(1, 3, side, side),))


def _module(name: str) -> Any:
    import torch
    from torchvision import models

    if name == "detection.backbone":
        from torchvision.models.detection.backbone_utils import resnet_fpn_backbone

        backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None)

        class Maps(torch.nn.Module):  # its outputs by name become several
            def __init__(self) -> None:
                super().__init__()
                self.backbone = backbone

            def forward(self, x: Any) -> Any:
                return tuple(self.backbone(x).values())

        return Maps()
    if name.startswith("segmentation."):
        inner = models.segmentation.__dict__[name.partition(".")[2]](weights=None, weights_backbone=None)

        class Map(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.network = inner

            def forward(self, x: Any) -> Any:
                return self.network(x)["out"]

        return Map()
    if name in ("googlenet", "inception_v3"):
        return models.__dict__[name](weights=None, init_weights=True)
    return models.__dict__[name](weights=None)


def result(name: str, neurons: int, convert_only: bool) -> dict[str, Any]:
    """What became of a network."""
    found: dict[str, Any] = {"name": name}
    try:
        graph = loaded(name)
        found |= {"layers": len(graph.layers), "neurons": graph.neurons, "edges": graph.edges}
        found["seconds_to_load"] = round(time.process_time(), 1)
        if not convert_only:
            full = graph.edges < MOST
            report = o2g.verify(graph, fast=True) if full else o2g.verify(graph, sample_neurons=neurons)
            found["verified"] = "every edge" if full else f"{neurons} neurons of each layer"
            wrong = [row.layer for row in report.rows if not row.passed]
            found["wrong"] = wrong[:5]
            found["share"] = float(f"{max(row.share for row in report.rows):.2g}")
            found["seconds_to_verify"] = round(time.process_time() - found["seconds_to_load"], 1)
    except o2g.Error as e:
        found["refused"] = str(e)
    found["gigabytes"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 1)
    return found


def table(lines: Sequence[str]) -> str:
    """The results, the last of each network, in the order of the names."""
    results = {r["name"]: r for r in map(json.loads, lines)}
    rows = ["| network | layers | neurons | edges | verified |", "|---|---|---|---|---|"]
    for name in (n for n in NAMES if n in results):
        r = results[name]
        if "refused" in r:
            rows.append(f"| `{name}` | | | | refused: {r['refused']} |")
            continue
        verified = r.get("verified", "")
        outcome = f"differs in {', '.join(r['wrong'])}" if r.get("wrong") else verified
        rows.append(f"| `{name}` | {r['layers']:,} | {r['neurons']:,} | {r['edges']:,} | {outcome} |")
    return "\n".join(rows)


def main() -> int:
    """Exit status 1 if a network was refused, or differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of networks, such as keras/MobileNet; all where there are none")
    parser.add_argument("--list", action="store_true", help="print the names")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print what a log says as a table")
    parser.add_argument("--log", type=Path, help="a file to which a line of JSON is added for each network")
    parser.add_argument("--neurons", type=int, default=4, help="of each layer, where not every edge is verified")
    parser.add_argument("--convert-only", action="store_true", help="verify nothing")
    options = parser.parse_args()
    if options.list or options.table:
        print("\n".join(NAMES) if options.list else table(options.table.read_text().splitlines()))
        return 0
    names = options.names or NAMES
    if len(names) > 1:  # a process for each, which gives its memory back
        same = [a for a in sys.argv[1:] if a not in names]
        return max(subprocess.run([sys.executable, __file__, name, *same]).returncode for name in names)
    found = result(names[0], options.neurons, options.convert_only)
    text = json.dumps(found)
    print(text, flush=True)
    if options.log is not None:
        with options.log.open("a") as log:
            log.write(text + "\n")
    return int("refused" in found or bool(found.get("wrong")))


if __name__ == "__main__":
    sys.exit(main())
