"""Convert and verify text models of BERT's base size, with random weights: `python tools/verify_text_models.py bert`.

Twelve layers and 128 tokens: billions of edges, some minutes and gigabytes. A few neurons of every layer are verified,
each from all edges into it; `--fast` verifies all of them by planes of edges.
"""

from __future__ import annotations

import argparse
import dataclasses
import resource
import sys
import time
from pathlib import Path

import onnx2graphml as o2g

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

SIZES = {
    "bert": {},
    "distilbert": {"layers": 6},
    "gpt": {"words": 50257},
    "characters": {"width": 256, "words": 128, "steps": 50},
}


def main() -> int:
    """Convert, tell the size, verify."""
    import text_models

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=SIZES)
    parser.add_argument("--neurons", type=int, default=4, help="of each layer that are verified (default 4)")
    parser.add_argument("--fast", action="store_true", help="verify all neurons, by planes of edges")
    options = parser.parse_args()
    size = dataclasses.replace(text_models.BASE, **SIZES[options.model])
    module, inputs = text_models.made(options.model, size)
    start = time.perf_counter()
    graph = o2g.from_torch(module, inputs)
    loaded = time.perf_counter()
    print(f"{len(graph.layers)} layers, {graph.neurons:,} neurons, {graph.edges:,} edges: {loaded - start:.0f} s")
    products = sum(layer.in_edges for layer in graph.layers if layer.op in ("MatMul", "Gemm"))
    print(f"{products:,} of them in matrix products; by hand: {text_models.matrix_edges(options.model, size):,}")
    report = o2g.verify(graph, fast=True) if options.fast else o2g.verify(graph, sample_neurons=options.neurons)
    failed = [row for row in report.rows if not row.passed]
    print(f"{'verified' if report.passed else failed}: {time.perf_counter() - loaded:.0f} s")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
