"""Make the pictures of the README and the docs, from the fixtures alone: docs/pictures/.

python tools/make_pictures.py
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

import onnx2graphml as o2g

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures"


def main() -> None:
    """Draw, and keep the few that are shown."""
    OUT.mkdir(exist_ok=True)
    graph = o2g.load(ROOT / "fixtures" / "digits.onnx")
    digit, eight = np.load(ROOT / "fixtures" / "digits.npz")["x"][[3, 8]]
    with tempfile.TemporaryDirectory() as folder:
        found = o2g.activations(graph, digit, Path(folder, "activations"), overlay="layer")
        keep(found.folder, "sheet-0.png", "digits-passage.png")
        keep(found.folder, "04-maxpool-overlay.png", "digits-overlay.png")
        o2g.weights(graph, Path(folder, "weights"), order="norm")
        keep(Path(folder, "weights"), "01-conv1-0-kernel.png", "digits-kernels.png")
        o2g.analyze(graph, Path(folder, "analysis"))
        keep(Path(folder, "analysis"), "pagerank.png", "digits-pagerank.png")
        keep(Path(folder, "analysis"), "layers.png", "digits-layers.png")
    o2g.trace(graph, digit, OUT / "digits-trace.png", target=("digit", (3,)), keep=0.8)
    o2g.trace(graph, digit, OUT / "digits-difference.png", baseline=eight, target=("digit", (3,)), keep=0.8)
    o2g.architecture(graph, OUT / "digits-architecture.svg")
    o2g.architecture(ROOT / "fixtures" / "residual.onnx", OUT / "residual-architecture.svg")


def keep(folder: Path | None, name: str, shown_as: str) -> None:
    """Copy a picture to where it is shown."""
    assert folder is not None
    shutil.copyfile(folder / name, OUT / shown_as)


if __name__ == "__main__":
    main()
