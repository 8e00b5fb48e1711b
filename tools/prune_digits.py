"""How well the digits network does with less of it, by measure, share and way: the table in docs/back-to-onnx.md.

python tools/prune_digits.py            # print it
python tools/prune_digits.py --write    # and write it into the page
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

import onnx2graphml as o2g
from onnx2graphml.pruning.predictions import predictions

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "back-to-onnx.md"
START, END = "<!-- accuracy: tools/prune_digits.py -->", "<!-- end of accuracy -->"
MEASURES = {
    "weight": "\\|weight\\|",
    "synflow": "SynFlow",
    "contribution": "contribution",
    "pagerank": "PageRank",
    "betweenness": "betweenness",
}
SHARES = (0.5, 0.2, 0.1)


def digits() -> tuple[Any, Any]:
    """All digits that the network was not trained on, and which they are."""
    held = np.load(ROOT / "fixtures" / "digits-held-out.npz")
    return (held["x"] / 16).astype(np.float32), held["y"]


def accuracy(graph: o2g.NeuronGraph) -> float:
    """The share of the digits that the graph, as a network, gets right."""
    images, labels = digits()
    (guesses,) = predictions(graph.to_onnx(), {"image": images})
    return float((guesses.argmax(axis=1) == labels).mean())


def row(graph: o2g.NeuronGraph, by: str, by_layer: bool) -> str:
    """A measure's line of the table."""
    images, _ = digits()
    inputs = images[:50] if by == "contribution" else None
    found = [accuracy(o2g.prune(graph, by, keep, by_layer=by_layer, inputs=inputs).graph) for keep in SHARES]
    how = "each layer" if by_layer else "all together"
    return f"| {MEASURES[by]} | {how} | {' | '.join(f'{share:.1%}' for share in found)} |"


def table() -> str:
    """The whole table."""
    graph = o2g.load(ROOT / "fixtures" / "digits.onnx", detail="neuron")
    lines = [
        f"All {graph.edges:,} edges: {accuracy(graph):.1%} of {len(digits()[1])} digits are right.",
        "",
        f"| measure | share of | {' | '.join(f'{share:.0%} kept' for share in SHARES)} |",
        f"|---|---|{'---:|' * len(SHARES)}",
        *(row(graph, by, by_layer) for by in MEASURES for by_layer in (True, False)),
    ]
    return "\n".join(lines)


def in_page() -> str:
    """The table as the page has it."""
    text = PAGE.read_text(encoding="utf-8")
    return text[text.index(START) + len(START) : text.index(END)].strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/back-to-onnx.md")
    options = parser.parse_args()
    found = table()
    print(found)
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(text.replace(in_page(), found), encoding="utf-8")


if __name__ == "__main__":
    main()
