"""The interactive page in a real browser: what is on the screen is what the graph says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from browser import NO_BROWSER, Watched, browser_path, chromium
from onnx2graphml.graph.graph import NeuronGraph

FIXTURES = Path(__file__).parents[1] / "fixtures"

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


@pytest.fixture(scope="module")
def digits_page(digits: NeuronGraph, tmp_path_factory: pytest.TempPathFactory) -> str:
    images = np.load(FIXTURES / "digits.npz")["x"]
    path = tmp_path_factory.mktemp("page") / "digits.html"
    o2g.explore(digits, [images[3], images[5], "random"], path, names=["three", "five", "random"])
    return path.as_uri()


def assert_edges(watched: Watched, graph: NeuronGraph, neuron: int) -> None:
    """The table has the neuron's in-edges, each once, with their weights."""
    edges = graph.in_edges(neuron)
    expected = sorted(zip(edges.source.tolist(), edges.weight.astype(float).tolist(), strict=True))
    assert sorted(watched.shown_edges()) == expected


def test_the_edges_of_a_neuron_that_is_searched_for(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.search("conv2 0,1,5")
    assert watched.text("aside h2") == "conv2 [0, 1, 5]"
    assert_edges(watched, digits, digits.neuron("conv2", (0, 1, 5)))
    watched.close()


def test_walking_three_layers_back_and_a_link(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.search("digit 3")
    for layer in ("dense1", "flatten", "avgpool"):
        watched.click("section.in tbody .link")
        assert watched.text("aside h2").startswith(f"{layer} [")
        assert_edges(watched, digits, int(watched.page.locator("aside").get_attribute("data-neuron")))
    address, heading = watched.page.url, watched.text("aside h2")
    watched.page.go_back()
    watched.settle()
    assert watched.text("aside h2").startswith("flatten [")
    watched.close()
    again = Watched(browser, address)
    assert again.text("aside h2") == heading
    assert again.text(".walk").startswith("digit [3] → dense1 [")
    again.close()


def test_a_click_into_a_map_opens_the_neuron_there(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.search("conv1")
    box = watched.page.locator("main canvas").first.bounding_box()
    watched.page.mouse.click(box["x"] + 15, box["y"] + 25)
    watched.settle()
    neuron = int(watched.page.locator("aside").get_attribute("data-neuron"))
    assert digits.layer_of(neuron).name == "conv1"
    assert digits.index_of(neuron) == (1, 1, 0)
    watched.close()


def test_another_input_has_other_values(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#neuron={digits.neuron('conv2', (1, 1, 7))}")
    images = np.load(FIXTURES / "digits.npz")["x"]
    for number, image in ((0, images[3]), (1, images[5])):
        watched.page.get_by_label("Input", exact=True).select_option(str(number))
        watched.settle()
        shown = float(watched.page.locator("aside output").get_attribute("data-value"))
        value = o2g.activations(digits, image).layer("conv2").value[1, 1, 7]
        assert shown == float(value)
    watched.close()


def test_a_mistake_of_the_page_is_heard(browser: Any, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.page.evaluate("fetch('https://example.org/').catch(() => null)")
    watched.page.evaluate("setTimeout(() => { throw new Error('on purpose'); })")
    watched.page.wait_for_timeout(100)
    with pytest.raises(AssertionError, match="on purpose"):
        watched.close()
    assert any("Content Security Policy" in problem for problem in watched.problems)
