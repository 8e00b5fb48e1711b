"""Make the pictures of the interactive page for README and docs, with a Chromium: docs/pictures/explore*.png.

python tools/make_page_pictures.py [CHROMIUM]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from playwright.sync_api import sync_playwright

import onnx2graphml as o2g

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "pictures"

PICTURES = {
    "explore.png": ("light", "neuron=3421", ""),
    "explore-trace.png": ("dark", "neuron=3731&trace=3&layer=0", "section.trace"),
    "explore-beside.png": ("light", "layer=1&runs=0.1&differences=1", ""),
}
"""By name, the colours, the state of the page, and what is scrolled to: a neuron, a digit traced, two digits."""


def main() -> None:
    """Write a page, and take pictures of it."""
    program = sys.argv[1] if len(sys.argv) > 1 else shutil.which("chromium")
    images = np.load(ROOT / "fixtures" / "digits.npz")["x"]
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        inputs, names = [images[3], images[5]], ["a three", "a five"]
        path = o2g.explore(ROOT / "fixtures" / "digits.onnx", inputs, Path(folder, "digits.html"), names=names)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, (scheme, state, part) in PICTURES.items():
            page = browser.new_page(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
            page.goto(f"{path.as_uri()}#{state}")
            page.wait_for_selector("[data-ready]")
            if part:
                page.locator(part).evaluate("element => element.scrollIntoView()")
            page.screenshot(path=OUT / name)
        browser.close()


if __name__ == "__main__":
    main()
