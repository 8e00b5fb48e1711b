"""Measure products on a GPU beside the processors', layer by layer: VGG16's structure, or any model.

    python tools/benchmark_cuda.py [MODEL]

Each layer's sums and their magnitudes, as `verify --device cuda` needs them, with all transfers, in the second run. The
processors' time is that of matrix products, as `verify --fast` uses them. Prints a table in Markdown; `--simulate` runs
a small relative of VGG16 in numba-cuda's simulator, to try the script where there is no GPU.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

SIMULATED = (32, 32, 16)  # side, share of the channels, dense neurons


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", help="a model file (default: the structure of VGG16)")
    parser.add_argument("--simulate", action="store_true", help="without a GPU, and small: its times mean nothing")
    given = parser.parse_args()
    if given.simulate:
        os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # before numba is imported
    from benchmark import markdown
    from make_vgg16 import vgg16
    from onnx2graphml.api import load
    from onnx2graphml.cuda.device import resolved

    resolved("cuda")
    graph = load(given.model or vgg16(*(SIMULATED if given.simulate else ())))
    rows, totals = [], np.zeros(3)
    for layer in graph.layers:
        for incoming in layer.incoming:
            if layer.aggregation == "sum" and not incoming.block.has_terms:
                found = measured(incoming.block, graph.layer(incoming.source).neurons, layer.neurons)
                totals += [incoming.block.count, *found[:2]]
                rows.append(row(layer.name, incoming.block.count, *found))
    rows.append(row("all", int(totals[0]), totals[1], totals[2], None))
    print(f"{device_name()}; {graph.model_name or 'VGG16'}\n")
    print(markdown(["layer", "edges", "GPU", "edges a second", "processors", "ratio", "relative error"], rows))


def measured(block: Any, sources: int, targets: int) -> tuple[float, float, float]:
    """Seconds on the GPU and on the processors, and the difference relative to the sums' magnitudes."""
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

    seconds = [timed(on_gpu), timed(on_processors)]
    return *seconds, float(np.max(np.abs(total - sums[0]) / np.maximum(sums[1], 1e-300)))  # type: ignore[return-value]


def timed(call: Callable[[], None]) -> float:
    """Seconds of the second run: the first one compiles."""
    call()
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def row(name: str, edges: int, gpu: float, processors: float, error: float | None) -> list[str]:
    """A line of the table."""
    speed, ratio = f"{edges / gpu / 1e9:.3g} G", f"{processors / gpu:.3g}x"
    return [
        name, f"{edges:,}", f"{1e3 * gpu:.3g} ms", speed, f"{1e3 * processors:.3g} ms", ratio,
        "" if error is None else f"{error:.1e}",
    ]  # fmt: skip


def device_name() -> str:
    """The GPU's name."""
    from numba import cuda

    name = getattr(cuda.get_current_device(), "name", "the simulator")
    return name.decode() if isinstance(name, bytes) else str(name)


if __name__ == "__main__":
    main()
