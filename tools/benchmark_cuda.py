"""Measure products on a GPU beside the processors': networks of known structure, or any model.

    python tools/benchmark_cuda.py [vgg16 | vit-l16 | gpt2-xl | MODEL]

Each layer's sums and their magnitudes, as `verify --device cuda` needs them, with all transfers, in the second run. The
processors' time is that of matrix products, as `verify --fast` uses them. Of the transformers these are the products
by weights, of 197 and 1,024 tokens; their layers are alike, and the processors compute the first one of a kind alone.
Prints a table in Markdown; `--simulate` runs a small relative in numba-cuda's simulator, to try the script where there
is no GPU.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Work = tuple[str, Any, int, int]  # a kind of layer, a block, its sources and targets

SIMULATED = (32, 32, 16)  # VGG16's relative: side, share of the channels, dense neurons
TRANSFORMERS = {"vit-l16": (197, 24, 1024, 4096, 1000), "gpt2-xl": (1024, 48, 1600, 6400, 50257)}
"""Tokens, layers, width, width within a layer, outputs."""


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="vgg16", help="a network of known structure, or a model file")
    parser.add_argument("--simulate", action="store_true", help="without a GPU, and small: its times mean nothing")
    given = parser.parse_args()
    if given.simulate:
        os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # before numba is imported
    from benchmark import markdown
    from onnx2graphml.cuda.device import resolved

    resolved("cuda")
    transformer = TRANSFORMERS.get(given.model)
    if transformer and given.simulate:
        transformer = (20, 2, 16, 32, 10)
    work = matrices(*transformer) if transformer else of_a_model(given.model, given.simulate)
    found: dict[str, list[float]] = {}  # by kind: layers, edges, seconds there and here, error
    for kind, block, sources, targets in work:
        of_kind = found.setdefault(kind, [0, 0, 0, 0, 0])
        there, here, error = measured(block, sources, targets, not of_kind[0])
        for k, more in enumerate((1, block.count, there, here, error)):
            of_kind[k] += more
    for numbers in found.values():
        numbers[3] *= numbers[0]  # each as long as the first
    rows = [row(kind, *numbers) for kind, numbers in found.items()]
    total = [sum(numbers[k] for numbers in found.values()) for k in range(4)]
    rows.append(row("all", *total, max(numbers[4] for numbers in found.values())))
    print(f"{device_name()}; {given.model}\n")
    print(
        markdown(["layer", "number", "edges", "GPU", "edges a second", "processors", "ratio", "relative error"], rows)
    )


def of_a_model(model: str, small: bool) -> Iterator[Work]:
    """The sums of a model's layers."""
    from make_vgg16 import vgg16
    from onnx2graphml.api import load

    graph = load(vgg16(*(SIMULATED if small else ())) if model == "vgg16" else model)
    for layer in graph.layers:
        for incoming in layer.incoming:
            if layer.aggregation == "sum" and not incoming.block.has_terms:
                yield layer.name, incoming.block, graph.layer(incoming.source).neurons, layer.neurons


def matrices(tokens: int, layers: int, width: int, wide: int, outputs: int) -> Iterator[Work]:
    """A transformer's products by weights, each with weights of its own."""
    from onnx2graphml.graph import axes as ax
    from onnx2graphml.graph.blocks import EdgeBlock

    random = np.random.default_rng(0)
    kinds = {
        "attention, in": (width, 3 * width),
        "attention, out": (width, width),
        "MLP, in": (width, wide),
        "MLP, out": (wide, width),
    }
    for kind, (inputs, found) in [*[k for _ in range(layers) for k in kinds.items()], ("outputs", (width, outputs))]:
        axes = (
            ax.same(tokens).strided(inputs, found),
            ax.gather(inputs).strided(1, 0, found),
            ax.spread(found).strided(0, 1, 1),
        )
        yield kind, EdgeBlock(axes, random.standard_normal(inputs * found, np.float32)), tokens * inputs, tokens * found


def measured(block: Any, sources: int, targets: int, compare: bool) -> tuple[float, float, float]:
    """Seconds on the GPU and on the processors, and the difference relative to the sums' magnitudes.

    The last two are 0 without `compare`.
    """
    from onnx2graphml.cuda.products import add
    from onnx2graphml.engine.products import product

    x = np.random.default_rng(0).standard_normal(sources)
    total, size, sums = np.zeros(targets), np.zeros(targets), np.zeros((2, targets))

    def on_gpu() -> None:
        total[:], size[:] = 0, 0
        add(block, x, total, magnitude=size)

    def on_processors() -> None:
        sums[0] = product(block, x, targets, weight="weight")
        sums[1] = product(block, np.abs(x), targets, weight="abs_weight")

    there = timed(on_gpu)
    if not compare:
        return there, 0.0, 0.0
    here = timed(on_processors)
    return there, here, float(np.max(np.abs(total - sums[0]) / np.maximum(sums[1], 1e-300)))


def timed(call: Callable[[], None]) -> float:
    """Seconds of the second run: the first one compiles."""
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def row(kind: str, layers: float, edges: float, gpu: float, processors: float, error: float) -> list[str]:
    """A line of the table."""
    speed, ratio = f"{edges / gpu / 1e9:.3g} G", f"{processors / gpu:.3g}x"
    return [
        kind, f"{layers:.0f}", f"{edges:,.0f}", f"{1e3 * gpu:.3g} ms", speed, f"{1e3 * processors:.3g} ms", ratio,
        f"{error:.1e}",
    ]  # fmt: skip


def device_name() -> str:
    """The GPU's name."""
    from numba import cuda

    name = getattr(cuda.get_current_device(), "name", "the simulator")
    return name.decode() if isinstance(name, bytes) else str(name)


if __name__ == "__main__":
    main()
