"""The widget: a notebook of the documentation is executed, and what it holds is shown in a browser."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

import onnx2graphml as o2g
from browser import NO_BROWSER, browser_path

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "docs" / "tutorials" / "look-into-a-network.ipynb"
VIEW = "application/vnd.jupyter.widget-view+json"

SHOW = """async ({ esm, css, state, data }) => {
  const widget = (await import(URL.createObjectURL(new Blob([esm], { type: 'text/javascript' })))).default;
  document.head.append(Object.assign(document.createElement('style'), { textContent: css }));
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0));
  const values = { ...state, data: new DataView(bytes.buffer) }, heard = {};
  window.model = {
    get: name => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes: () => { window.saved = values.state; },
    on: (event, listener) => { heard[event] = listener; },
    told: state => { values.state = state; heard['change:state'](); },
  };
  await widget.render({ model: window.model, el: document.body });
}"""
"""What a notebook's front end does with a widget."""


@pytest.fixture(scope="module")
def executed() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    return NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(NOTEBOOK.parent)}}).execute()


def state_of(executed: Any) -> dict[str, Any]:
    """What the notebook's widget holds."""
    (shown,) = (
        o["data"][VIEW] for cell in executed.cells for o in cell.get("outputs", ()) if VIEW in o.get("data", {})
    )
    found: dict[str, Any] = executed.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    return found[shown["model_id"]]


@pytest.mark.slow
def test_the_notebook_runs_and_has_a_widget(executed: Any) -> None:
    own = state_of(executed)["state"]
    assert own["state"] == "neuron=3421&trace=3"
    assert "export default { render" in own["_esm"]
    assert ".o2g" in own["_css"]


@pytest.mark.slow
@pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
def test_the_widget_shows_what_the_graph_says(executed: Any, browser: Any) -> None:
    widget = state_of(executed)
    own = widget["state"]
    (data,) = (b["data"] for b in widget["buffers"] if b["path"] == ["data"])
    page = browser.new_page(viewport={"width": 1200, "height": 700})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("blob:", "data:")) else problems.append(asked.url))
    state = {key: own[key] for key in ("state", "height")}
    page.evaluate(SHOW, {"esm": own["_esm"], "css": own["_css"], "state": state, "data": data})
    page.wait_for_selector("section.trace tbody tr")
    assert page.locator("aside h2").inner_text() == "conv2 [0, 1, 5]"
    graph = o2g.load(ROOT / "fixtures" / "digits.onnx")
    image = np.load(ROOT / "fixtures" / "digits.npz")["x"][3]
    value = float(o2g.activations(graph, image).layer("conv2").value[0, 1, 5])
    assert float(page.locator("aside output").get_attribute("data-value")) == value
    page.locator("section.in tbody .link").first.click()
    page.wait_for_function("window.saved")
    assert page.evaluate("window.saved").startswith("neuron=")
    page.evaluate("window.model.told('layer=9')")
    page.wait_for_function("document.querySelector('main h2').innerText === 'digit'")
    assert page.locator(".in-cell").bounding_box()["height"] == 640
    page.close()
    assert not problems


SHOW_ALL = """async ({ esm, css, data }) => {
  const widget = (await import(URL.createObjectURL(new Blob([esm], { type: 'text/javascript' })))).default;
  const bytes = Uint8Array.from(atob(data), c => c.charCodeAt(0)), moved = new Uint8Array(bytes.length + 3);
  moved.set(bytes, 3);
  const forms = [new DataView(moved.buffer, 3), moved.subarray(3), bytes.buffer];
  for (const form of forms) {
    const values = { data: form, height: 300, state: 'neuron=3421' };
    const model = { get: name => values[name], set: () => null, save_changes: () => null, on: () => null };
    const el = document.body.appendChild(document.createElement('div'));
    await widget.render({ model, el });
  }
}"""
"""What front ends do: they hand the data over as a view, at any place of a larger buffer, or as the buffer itself."""


@pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
def test_the_data_may_arrive_in_any_form(browser: Any) -> None:
    graph = o2g.load(ROOT / "fixtures" / "digits.onnx")
    widget = graph.explore("ties")
    page = browser.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("blob:", "data:")) else problems.append(asked.url))
    data = base64.b64encode(widget.data).decode()
    page.evaluate(SHOW_ALL, {"esm": str(widget._esm), "css": str(widget._css), "data": data})
    page.wait_for_function("document.querySelectorAll('[data-ready]').length === 3")
    value = float(o2g.activations(graph, "ties").layer("conv2").value[0, 1, 5])
    shown = page.locator("aside output").evaluate_all("all => all.map(each => Number(each.dataset.value))")
    assert shown == [value] * 3
    page.close()
    assert not problems


def test_a_widget_holds_its_data_once() -> None:
    graph = o2g.load(ROOT / "fixtures" / "digits.onnx")
    widget = graph.explore("ties")
    numbers = graph.parameters + graph.neurons
    assert 4 * numbers < len(widget.data) < 4 * numbers + 40_000
