"""A browser, and a JavaScript runtime, for the tests of the interactive page."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx2graphml
from onnx2graphml.graph.graph import NeuronGraph

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WEB = Path(onnx2graphml.__file__).parent / "explorer" / "web"

NO_BROWSER = "no browser: install Chromium (apt-get install chromium), or name one in the variable CHROMIUM"


def browser_path() -> str | None:
    """The program of a Chromium."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def node_path() -> str:
    """A Node: the machine's, or the one that Playwright's package brings along."""
    found = shutil.which("node")
    if found:
        return found
    from playwright._impl._driver import compute_driver_executable

    return str(compute_driver_executable()[0])


def as_modules(folder: Path) -> Path:
    """The page's modules in a folder where Node takes them for modules."""
    shutil.copytree(WEB, folder / "web")
    (folder / "web" / "package.json").write_text(json.dumps({"type": "module"}))
    return folder / "web"


def run_node(script: Path, *arguments: str | Path) -> str:
    """What a script prints."""
    line = [node_path(), str(script), *map(str, arguments)]
    return subprocess.run(line, check=True, capture_output=True, text=True, timeout=600).stdout


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """A running Chromium, as Playwright knows it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=["--no-sandbox"])
        yield browser
        browser.close()


ALL_ROWS = """aside => {
  const more = () => [...aside.querySelectorAll('section.in button')].find(one => one.textContent === 'Show more');
  while (more()) more().click();
}"""


class Watched:
    """A page of a browser, whose mistakes are collected: errors of the console, exceptions, requests to elsewhere.

    Attributes:
        problems: what was found.
    """

    def __init__(self, browser: Any, address: str, size: Sequence[int] = (1440, 900), **options: Any) -> None:
        self.problems: list[str] = []
        width, height = size
        self._context = browser.new_context(
            viewport={"width": width, "height": height}, accept_downloads=True, **options
        )
        self.page = self._context.new_page()
        self._own = address.split("#")[0].split("?")[0]
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("dialog", lambda dialog: (self.problems.append("a dialog"), dialog.dismiss()))
        self.page.on("request", self._requested)
        self._session = self._context.new_cdp_session(self.page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(address)
        self.settle()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self._own, "data:", "blob:")):
            self.problems.append(f"a request to {request.url}")

    def seconds(self) -> float:
        """The processor time of the page's main thread until now, which other work on the machine does not change."""
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    def settle(self) -> None:
        """Wait until what was asked for is on the screen."""
        self.page.wait_for_selector("[data-ready]")
        self.page.evaluate("window.explore.ready")

    def click(self, selector: str) -> None:
        """Click, and wait."""
        self.page.locator(selector).first.click()
        self.settle()

    def search(self, text: str) -> None:
        """Type into the search field, and take the first hit."""
        field = self.page.get_by_role("combobox", name="Search for a layer or a neuron")
        field.fill(text)
        field.press("Enter")
        self.settle()

    def text(self, selector: str) -> str:
        """The text of the first element."""
        return str(self.page.locator(selector).first.inner_text())

    def shown_edges(self) -> list[tuple[int, float]]:
        """The in-edges in the table, all of them: source and weight."""
        self.page.locator("aside").evaluate(ALL_ROWS)
        rows = self.page.locator("section.in tbody tr")
        return [
            (int(source), float(weight))
            for source, weight in rows.evaluate_all("all => all.map(row => [row.dataset.source, row.dataset.weight])")
        ]

    def saved(self, choice: str) -> Path:
        """What a choice of the menu Save downloads."""
        self.page.get_by_text("Save", exact=True).click()
        with self.page.expect_download() as download:
            self.page.get_by_role("button", name=choice).click()
        return Path(download.value.path())

    def close(self) -> None:
        """Close it, and complain of what went wrong in it."""
        self._context.close()
        assert not self.problems, self.problems


def assert_edges(watched: Watched, graph: NeuronGraph, neuron: int) -> None:
    """The table has the neuron's in-edges, each once, with their weights."""
    edges = graph.in_edges(neuron)
    expected = sorted(zip(edges.source.tolist(), edges.weight.astype(float).tolist(), strict=True))
    assert sorted(watched.shown_edges()) == expected
