"""The interactive page in a real browser: what is on the screen is what the graph says."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from PIL import Image

import onnx2graphml as o2g
from browser import NO_BROWSER, Watched, assert_edges, browser_path
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node

FIXTURES = Path(__file__).parents[1] / "fixtures"

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


@pytest.fixture(scope="module")
def digits_page(digits: NeuronGraph, tmp_path_factory: pytest.TempPathFactory) -> str:
    images = np.load(FIXTURES / "digits.npz")["x"]
    path = tmp_path_factory.mktemp("page") / "digits.html"
    o2g.explore(digits, [images[3], images[5], "random"], path, names=["three", "five", "random"])
    return path.as_uri()


@pytest.mark.slow
def test_the_edges_of_a_neuron_that_is_searched_for(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.search("conv2 0,1,5")
    assert watched.text("aside h2") == "conv2 [0, 1, 5]"
    assert_edges(watched, digits, digits.neuron("conv2", (0, 1, 5)))
    watched.close()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_mistake_of_the_page_is_heard(browser: Any, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.page.evaluate("fetch('https://example.org/').catch(() => null)")
    watched.page.evaluate("setTimeout(() => { throw new Error('on purpose'); })")
    watched.page.wait_for_timeout(100)
    with pytest.raises(AssertionError, match="on purpose"):
        watched.close()
    assert any("Content Security Policy" in problem for problem in watched.problems)


# ----------------------------------------------------------------------------------------------------- what is told


def test_contributions_add_up_to_the_value(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    neuron = digits.neuron("conv2", (0, 1, 5))
    watched = Watched(browser, f"{digits_page}#neuron={neuron}")
    watched.shown_edges()
    told = watched.page.locator("section.in tbody td[data-contribution]")
    contributions = [float(c) for c in told.evaluate_all("all => all.map(cell => cell.dataset.contribution)")]
    total = sum(contributions) + float(digits.layer("conv2").bias[0, 1, 5])
    value = float(watched.page.locator("aside output").get_attribute("data-value"))
    assert max(total, 0) == pytest.approx(value, rel=1e-5)
    assert watched.text("section.in tfoot tr:last-child").startswith("after Relu")
    watched.close()


@pytest.mark.slow
def test_a_pool_marks_the_candidate_that_went_on(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    neuron = digits.neuron("maxpool", (1, 2, 3))
    watched = Watched(browser, f"{digits_page}#neuron={neuron}")
    images = np.load(FIXTURES / "digits.npz")["x"]
    before = o2g.activations(digits, images[3]).layer("relu1").value.ravel()
    sources = digits.in_edges(neuron).source
    best = sources[np.argmax(before[sources - digits.layer("relu1").first_id])]
    winner = watched.page.locator("section.in tr.winner")
    assert (winner.count(), winner.get_attribute("data-source")) == (1, str(best))
    assert watched.text("section.in h3").startswith("Candidates")
    watched.close()


@pytest.mark.slow
def test_a_softmax_says_what_it_couples(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#neuron={digits.neuron('digit', (3,))}")
    watched.page.wait_for_selector(".coupled .here")
    assert "10 neurons" in watched.text(".coupled")
    links = watched.page.locator(".coupled .link").evaluate_all("all => all.map(link => Number(link.dataset.neuron))")
    assert sorted(links) == list(range(digits.layer("digit").first_id, digits.neurons))
    watched.close()


@pytest.mark.slow
def test_out_edges_and_the_receptive_field(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    neuron = digits.neuron("conv2", (0, 1, 5))
    watched = Watched(browser, f"{digits_page}#neuron={neuron}")
    targets = watched.page.locator("section.out tbody tr").evaluate_all(
        "all => all.map(row => Number(row.dataset.target))"
    )
    assert set(targets) == set(digits.out_edges(neuron).target.tolist())
    field = o2g.receptive_field(digits, neuron)["image"]
    image = watched.page.locator(".thumbnail").first
    assert (image.get_attribute("data-layer"), image.get_attribute("data-reached")) == ("0", str(int(field.sum())))
    reached = watched.page.locator(".box.reached").count()
    assert reached == 6  # the layers from the image to the neuron's own
    watched.click(".thumbnail")
    assert watched.text("main h2") == "image"
    assert watched.text("aside h2").startswith("conv2")
    watched.close()


@pytest.mark.slow
def test_the_trace_is_that_of_the_library(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#neuron={digits.neuron('digit', (3,))}")
    watched.click("section.trace button")
    watched.page.get_by_label("How much of it is kept").select_option("10")
    watched.settle()
    image = np.load(FIXTURES / "digits.npz")["x"][3]
    found = o2g.trace(digits, image, target=("digit", (3,)), top_k=10)
    there = watched.page.evaluate("(t => [t.source, t.target, t.flow])(window.explore.neuronView.graph.trace)")
    assert set(zip(*there[:2], strict=True)) == set(zip(found.source.tolist(), found.target.tolist(), strict=True))
    flows = dict(zip(zip(*there[:2], strict=True), there[2], strict=True))
    own = zip(found.source.tolist(), found.target.tolist(), found.flow.tolist(), strict=True)
    for source, target, flow in own:
        assert flows[source, target] == pytest.approx(flow, rel=1e-4, abs=1e-6)
    assert watched.page.locator("section.trace tbody tr").count() == len(found.steps)
    watched.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "state", ["neuron=3738&layer=10", "neuron=x&runs=9.-1&trace=no&tab=none&walk=a.99999", "%%%", "=&="]
)
def test_a_link_that_does_not_fit_shows_the_beginning(state: str, browser: Any, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#{state}")
    assert watched.text("main h2") == "conv1"
    assert watched.text("aside h2") == "No neuron is chosen"
    watched.close()


@pytest.mark.slow
def test_a_trace_that_has_no_rule_says_why(browser: Any, tmp_path: Path) -> None:
    graph = o2g.load(model([node("Mul", "x x2", "m"), node("Neg", "m", "y")], {"x": [1, 3], "x2": [1, 3]}))
    neuron = graph.layers[-1].first_id
    path = o2g.explore(graph, "ties", tmp_path / "page.html")
    watched = Watched(browser, f"{path.as_uri()}#neuron={neuron}&trace=3")
    assert "Not possible: layer the_m combines its in-edges by product: no rule" in watched.text("section.trace")
    with pytest.raises(o2g.UnsupportedError, match="'the_m' combines its in-edges by product: no rule"):
        o2g.trace(graph, "ties")
    watched.close()


# --------------------------------------------------------------------------------------------------- orders, tabs, runs


@pytest.mark.slow
def test_channels_by_energy_and_by_kernel_norm(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#layer=1")
    value = o2g.activations(digits, np.load(FIXTURES / "digits.npz")["x"][3]).layer("conv1").value.astype(np.float64)
    kernel = o2g.weights(digits).array("conv1/kernel").array.kernels.astype(np.float64)
    expected = {
        "index": list(range(16)),
        "energy": np.argsort(-np.square(value).sum((0, 1)), kind="stable").tolist(),
        "norm": np.argsort(-np.sqrt(np.square(kernel).sum((1, 2, 3))), kind="stable").tolist(),
    }
    for order, channels in expected.items():
        watched.page.get_by_label("Order of channels").select_option(order)
        watched.settle()
        assert watched.page.evaluate("window.explore.layerView.units") == channels
    watched.close()


@pytest.mark.slow
def test_weights_and_statistics(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#layer=1&tab=weights")
    figures = watched.page.locator("main figure").all_inner_texts()
    assert "16 kernels of 3×3 over 1 channel" in figures[0]
    assert "bias: 16" in figures[1]
    watched.page.get_by_role("tab", name="Statistics").click()
    watched.settle()
    value = o2g.activations(digits, np.load(FIXTURES / "digits.npz")["x"][3]).layer("conv1").value.astype(np.float64)
    cells = dict(row.split("\t") for row in watched.page.locator("main tbody tr").all_inner_texts())
    assert float(cells["mean"].replace("−", "-")) == pytest.approx(value.mean(), rel=1e-5)
    assert float(cells["standard deviation"]) == pytest.approx(value.std(), rel=1e-5)
    assert cells["neurons"] == "1,024"
    watched.close()


@pytest.mark.slow
def test_inputs_side_by_side_and_their_differences(browser: Any, digits_page: str) -> None:
    watched = Watched(browser, f"{digits_page}#layer=1")
    watched.page.get_by_text("beside …").click()
    watched.page.get_by_role("checkbox", name="five").check()
    watched.settle()
    watched.page.get_by_role("checkbox", name="Differences").check()
    watched.settle()
    names = [text.split("\n")[0] for text in watched.page.locator("main figcaption").all_inner_texts()]
    assert names == ["three", "five", "five − three"]
    assert "runs=0.1" in watched.page.url
    watched.close()


@pytest.mark.slow
def test_two_checkpoints(browser: Any, digits: NeuronGraph, tmp_path: Path) -> None:
    proto = onnx.load(FIXTURES / "digits.onnx")
    for tensor in proto.graph.initializer:
        if tensor.name == "conv1/kernel":
            doubled = numpy_helper.from_array(2 * numpy_helper.to_array(tensor), tensor.name)
            tensor.CopyFrom(doubled)
    other = o2g.load(proto)
    o2g.explore(digits, "ties", tmp_path / "two.html", against=other)
    neuron = digits.neuron("conv1", (3, 3, 0))
    watched = Watched(
        browser, f"{(tmp_path / 'two.html').as_uri()}#neuron={neuron}&runs=0.1&differences=1&tab=weights&layer=1"
    )
    shown = watched.page.locator("aside output").evaluate_all("all => all.map(each => Number(each.dataset.value))")
    assert shown == [float(o2g.activations(g, "ties").layer("conv1").value[3, 3, 0]) for g in (digits, other)]
    assert watched.page.locator("main figure").count() == 6  # kernel and bias: of both, and the difference
    weights = watched.page.evaluate("async id => (await explore.source.edges('in', id, [0, 1])).weights", neuron)
    assert np.array_equal(2 * np.array(weights[0]), weights[1])
    head = watched.page.locator("section.in thead tr").last.locator("th").all_inner_texts()
    assert head == ["source", *["weight", "value", "weight × value"] * 2]
    cells = watched.page.locator("section.in tbody tr").first.locator("td").all_inner_texts()
    first, second = (float(cells[k].replace("−", "-")) for k in (1, 4))
    assert second == pytest.approx(2 * first, rel=1e-3)
    watched.close()


# -------------------------------------------------------------------------------------------------------- what is saved


@pytest.mark.slow
def test_pictures_and_the_visible_graph_are_saved(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    neuron = digits.neuron("conv2", (0, 1, 5))
    watched = Watched(browser, f"{digits_page}#neuron={neuron}&trace=3")
    svg = ET.parse(watched.saved("Picture, SVG")).getroot()
    texts = ["".join(each.itertext()) for each in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert {"digits.onnx", "conv2", "Where does this come from?"} <= {text.strip() for text in texts}
    assert len(list(svg.iter("{http://www.w3.org/2000/svg}image"))) >= 3
    with Image.open(watched.saved("Picture, PNG")) as png:
        assert png.size == (2880, 1800)
        assert len(png.convert("RGB").getcolors(1 << 24)) > 100
    g = nx.read_graphml(watched.saved("Visible graph, GraphML"))
    edges = digits.in_edges(neuron)
    for source, weight in zip(edges.source.tolist(), edges.weight.tolist(), strict=True):
        assert g.edges[f"n{source}", f"n{neuron}"]["weight"] == weight
    assert {f"n{t}" for t in digits.out_edges(neuron).target} == set(g.successors(f"n{neuron}"))
    assert g.nodes[f"n{neuron}"]["layer"] == "conv2"
    assert g.nodes[f"n{neuron}"]["index"] == "0,1,5"
    assert any(layer == "image" for _, layer in g.nodes(data="layer"))  # the trace reaches it
    watched.close()


# ------------------------------------------------------------------------------------------------------ without a mouse


@pytest.mark.slow
def test_the_keyboard_reaches_everything(browser: Any, digits: NeuronGraph, digits_page: str) -> None:
    watched = Watched(browser, digits_page)
    watched.page.keyboard.press("/")
    watched.page.keyboard.type("conv1")
    watched.page.keyboard.press("Enter")
    watched.settle()
    watched.page.locator("main canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Enter"):
        watched.page.keyboard.press(key)
    watched.settle()
    assert watched.text("aside h2") == "conv1 [1, 2, 0]"
    watched.page.locator('.box[aria-current="true"]').focus()
    watched.page.keyboard.press("ArrowDown")
    watched.settle()
    assert watched.text("main h2") == "bn1"
    assert watched.page.evaluate(NAMELESS) == 0
    watched.close()


@pytest.mark.slow
@pytest.mark.parametrize("size", [(1440, 900), (1024, 768)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out_and_text_can_be_read(
    browser: Any, digits_page: str, size: tuple[int, int], scheme: str
) -> None:
    watched = Watched(browser, f"{digits_page}#neuron=3421", size, color_scheme=scheme)
    wide = watched.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert wide == list(size)
    for panel in ("main", "aside"):
        inner = watched.page.locator(f"{panel} > .scroll").evaluate("e => [e.scrollWidth, e.clientWidth]")
        assert inner[0] <= inner[1]
    for selector in (".facts", ".numbers td", ".o2g h2", ".faint"):
        assert watched.page.evaluate(CONTRAST, selector) >= 4.5, selector
    watched.close()


CONTRAST = """selector => {
  const element = [...document.querySelectorAll(selector)].find(e => e.checkVisibility());
  const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(c => linear(c / 255))
    .reduce((sum, c, k) => sum + c * [0.2126, 0.7152, 0.0722][k], 0);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const [a, b] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor].map(light);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""
"""The contrast of the first visible element's text, as WCAG 2.2 defines it."""

NAMELESS = """[...document.querySelectorAll('button, select, input, canvas[tabindex], .box')]
  .filter(e => e.checkVisibility())
  .map(e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent || e.textContent)
  .filter(name => !name.trim()).length"""
"""How many elements that can be used have no name that is read out."""
