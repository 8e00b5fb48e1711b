"""The page on networks of every kind: search, click, edges, walking three layers back; large ones, too."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import onnx2graphml as o2g
from browser import NO_BROWSER, Watched, assert_edges, browser_path
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Layer, NeuronGraph
from small import model, node, weights

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"

pytestmark = pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)


def attention() -> onnx.ModelProto:
    """Products of queries and keys, a softmax along each row, products with the values; and what they are added to."""
    return model(
        [
            node("MatMul", "x q", "queries"),
            node("MatMul", "x k", "keys"),
            node("MatMul", "x v", "values"),
            node("Transpose", "keys", "turned", perm=[0, 2, 1]),
            node("MatMul", "queries turned", "scores"),
            node("Softmax", "scores", "attention", axis=2),
            node("MatMul", "attention values", "heads"),
            node("Add", "heads x", "y"),
        ],
        {"x": [1, 5, 8]},
        {name: weights(8, 8, seed=k) for k, name in enumerate("qkv")},
    )


def along_one_dimension() -> onnx.ModelProto:
    return model(
        [
            node("Conv", "x w", "c", pads=[2, 2]),
            node("Relu", "c", "r"),
            node("MaxPool", "r", "p", kernel_shape=[2], strides=[2]),
            node("Conv", "p v", "y"),
        ],
        {"x": [1, 2, 32]},
        {"w": weights(4, 2, 5), "v": weights(3, 4, 3, seed=1)},
    )


def walk(watched: Watched, graph: NeuronGraph, layer: str, index: str) -> None:
    """Search for a layer, open a neuron of it, go back along three edges; each time compare the edges."""
    watched.search(layer)
    assert watched.text("main h2") == layer
    watched.search(f"{layer} {index}")
    for step in range(4):
        neuron = int(watched.page.locator("aside").get_attribute("data-neuron"))
        assert_edges(watched, graph, neuron)
        if step < 3:
            assert watched.page.locator(".thumbnail").count()  # the receptive field
            watched.click("section.in tbody .link")
    layers = [graph.layer_of(n).name for n in watched.page.evaluate("[...explore.state.walk, explore.state.neuron]")]
    assert len(set(layers)) == 4


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["residual", "attention", "one dimension"])
def test_walking_back_and_another_input(kind: str, browser: Any, tmp_path: Path) -> None:
    graph, layer, index = {
        "residual": lambda: (o2g.load(FIXTURES / "residual.onnx"), "layer1.0.relu#2", "3,2,2"),
        "attention": lambda: (o2g.load(attention()), "y", "3,4"),
        "one dimension": lambda: (o2g.load(along_one_dimension()), "y", "2,3"),
    }[kind]()
    layer = layer if layer in {x.name for x in graph.layers} else graph.layers[-1].name
    path = o2g.explore(graph, ["random", "ties"], tmp_path / "page.html")
    watched = Watched(browser, path.as_uri())
    walk(watched, graph, layer, index)
    watched.page.get_by_label("Input", exact=True).select_option("1")
    watched.settle()
    neuron = int(watched.page.locator("aside").get_attribute("data-neuron"))
    value = o2g.activations(graph, "ties", seed=1).layer(graph.layer_of(neuron).name).value[graph.index_of(neuron)]
    assert float(watched.page.locator("aside output").get_attribute("data-value")) == float(value)
    again = Watched(browser, watched.page.url)
    assert again.text("aside h2") == watched.text("aside h2")
    again.close()
    watched.close()


@pytest.mark.slow
@pytest.mark.parametrize("served", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_terms_of_attention_add_up(served: bool, browser: Any, tmp_path: Path) -> None:
    graph = o2g.load(attention(), detail="op")
    server = o2g.explore(graph, "random", port=0) if served else None
    address = server.url if server else o2g.explore(graph, "random", tmp_path / "page.html").as_uri()
    heads = next(layer for layer in graph.layers if layer.provenance.tensor == "heads")
    neuron = graph.neuron(heads.name, (1, 2))
    watched = Watched(browser, f"{address}#neuron={neuron}")
    assert "5 products of 10 edges" in watched.text("section.in h3")
    told = watched.page.locator("section.in tbody td[data-contribution]")
    products = [float(c) for c in told.evaluate_all("all => all.map(cell => cell.dataset.contribution)")]
    value = o2g.activations(graph, "random").layer(heads.name).value[1, 2]
    assert len(products) == 5
    assert sum(products) == pytest.approx(float(value), rel=1e-5)
    watched.close()
    if server:
        server.stop()


@pytest.mark.slow
def test_repeats_are_folded(browser: Any, tmp_path: Path) -> None:
    nodes = [node("MatMul", "x a", "h0")]
    for k in range(6):
        nodes += [node("MatMul", f"h{k} w{k}", f"m{k}"), node("Relu", f"m{k}", f"h{k + 1}")]
    constants = {f"w{k}": weights(4, 4, seed=k) for k in range(6)} | {"a": weights(3, 4)}
    graph = o2g.load(model([*nodes, node("Neg", "h6", "y")], {"x": [1, 3]}, constants), detail="op")
    watched = Watched(browser, o2g.explore(graph, "random", tmp_path / "page.html").as_uri())
    assert watched.page.locator(".box").count() == len(graph.layers)
    watched.page.get_by_role("button", name="Fold").click()
    watched.settle()
    drawn = watched.page.locator(".box").count()
    assert drawn < len(graph.layers)
    assert f"{drawn} of {len(graph.layers)} layers" in watched.text(".architecture")
    watched.search(graph.layers[9].name)  # one that is not drawn: its counterpart is marked
    assert watched.page.locator('.box[aria-current="true"]').count() == 1
    watched.page.reload()
    watched.settle()
    assert watched.page.locator(".box").count() == drawn
    watched.close()


# ---------------------------------------------------------------------------------------------------------- large ones


def click(watched: Watched, layer: int, neuron: int) -> float:
    """From a click on a neuron of a layer that is shown to its edges, in seconds; then wait for the rest.

    It is processor time of the page. What a server takes is tested without a browser.
    """
    watched.page.evaluate("layer => explore.go({ layer, neuron: null })", layer)
    watched.page.wait_for_timeout(500)  # a reader looks at the layer, while what is next to it is made ready
    before = watched.seconds()
    watched.page.evaluate(UNTIL_EDGES, neuron)
    taken = watched.seconds() - before
    watched.page.evaluate("explore.ready")
    return taken


UNTIL_EDGES = """neuron => new Promise(done => {
  const { layerView } = explore, own = layerView.render;
  layerView.render = async () => {
    delete layerView.render;
    done();
    await new Promise(later => setTimeout(later, 200));
    return own.call(layerView);
  };
  explore.open(neuron);
})"""
"""The edges are on the screen when the layer begins to be drawn again; that is kept back for a while."""


def clicked(watched: Watched, graph: NeuronGraph, names: list[str]) -> list[float]:
    """The times, ascending, from a click to the edges, of a neuron of each layer; each time the edges are compared."""
    taken = []
    for k, name in enumerate(names):
        layer = graph.layer(name)
        neuron = layer.first_id + (layer.neurons * (2 * k + 1)) // (2 * len(names))
        taken.append(click(watched, graph.layers.index(layer), neuron))
        assert_edges(watched, graph, neuron)
    return sorted(taken)


@pytest.mark.slow
def test_mobilenet_v2_in_one_file(browser: Any, tmp_path: Path) -> None:
    import keras

    keras.utils.set_random_seed(0)
    graph = o2g.load(keras.applications.MobileNetV2(weights=None), check=False)
    path = o2g.explore(graph, ["random", "zeros"], tmp_path / "page.html", float16=True)
    watched = Watched(browser, path.as_uri())
    assert watched.seconds() < 3
    assert "float16" in watched.text(".top")
    rounded = dataclasses.replace(graph, layers=tuple(halved(layer) for layer in graph.layers))
    names = ["Conv1", "block_3_depthwise", "block_8_add", "block_12_project", "Conv_1"]
    assert clicked(watched, rounded, names)[-1] < 0.05
    walk(watched, rounded, "block_5_project_BN", "3,3,7")
    watched.page.get_by_label("Input", exact=True).select_option("1")
    watched.settle()
    watched.close()


def halved(layer: Layer) -> Layer:
    """The layer with the weights that float16 has."""
    incoming = [
        dataclasses.replace(i, block=EdgeBlock(i.block.axes, i.block.weights.astype(np.float16).astype(np.float32)))
        for i in layer.incoming
    ]
    return dataclasses.replace(layer, incoming=tuple(incoming))


@pytest.mark.slow
def test_vgg16_from_a_server(browser: Any) -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from make_vgg16 import vgg16
    finally:
        sys.path.pop(0)
    graph = o2g.load(vgg16())
    assert graph.edges > 14_900_000_000
    with pytest.raises(o2g.TooLargeError, match="138,357,544 parameters; at most"):
        graph.explore("random", "vgg16.html")
    server = graph.explore(["random", "ties"], port=0)
    watched = Watched(browser, server.url)
    assert watched.seconds() < 3
    assert clicked(watched, graph, ["block1_conv2", "block3_pool", "block4_conv3", "fc2"])[2] < 0.1
    walk(watched, graph, "block4_conv1", "5,3,3")
    watched.page.get_by_label("Input", exact=True).select_option("1")
    watched.settle()
    watched.close()
    server.stop()


@pytest.mark.slow
def test_the_first_paint_of_digits(browser: Any, tmp_path: Path) -> None:
    watched = Watched(browser, o2g.explore(FIXTURES / "digits.onnx", "ties", tmp_path / "page.html").as_uri())
    assert 0.01 < watched.seconds() < 1  # the clock runs
    watched.close()
