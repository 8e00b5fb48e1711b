"""A page of a model whose names are code, quotes, control characters or without end: it is text, and nothing runs."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import networkx as nx
import pytest
from onnx import helper

import onnx2graphml as o2g
from browser import NO_BROWSER, Watched, browser_path
from onnx2graphml.explorer.page import json_text
from small import model, node, weights

NAMES = {
    "script": "<script>document.title='ran'</script>",
    "end of a script": "</script><script>document.title='ran'</script><!--",
    "attribute": "\"'><img src=x onerror=\"document.title='ran'\">",
    "template": "{policy}${document.title='ran'}{{title}}",
    "controls": "\x1b]0;t\x07\x00\x7f\x9b31m\u2028\u202e\ufffe\nrow\t",
    "long": "x" * 10_000,
    "emoji": "層\U0001f9e0",
    "prototype": "__proto__",
}


def page_of(name: str, folder: Path) -> tuple[o2g.NeuronGraph, Path]:
    relu = helper.make_node("Relu", ["c"], [name], name=name)
    product = helper.make_node("MatMul", [name, "m"], ["y"], name=f"{name}2")
    constants = {"w": weights(2, 1, 1, 1), "m": weights(4, 4)}
    proto = model([node("Conv", "x w", "c"), relu, product], {"x": [1, 1, 4, 4]}, constants)
    proto.graph.name = name
    graph = o2g.load(proto, detail="op")
    return graph, o2g.explore(graph, ["ties", "random"], folder / "page.html", names=[name, "other"])


@pytest.mark.parametrize("kind", NAMES)
def test_nothing_in_the_file_is_markup(kind: str, tmp_path: Path) -> None:
    text = page_of(NAMES[kind], tmp_path)[1].read_text(encoding="utf-8")
    meta = re.findall(r'<script type="application/json" id="meta">(.*?)</script>', text, re.S)
    assert len(meta) == 1
    assert not set("<>&") & set(meta[0])
    assert text.count("<script") == 2 + text.count('<script type="text/plain" id="array-')
    assert "document.title='ran'" not in text.replace(meta[0], "").replace("&lt;script&gt;document.title=", "")


def network_of(names: list[str], folder: Path) -> tuple[o2g.NeuronGraph, Path]:
    """A picture's convolution, and a layer of each name."""
    nodes = [node("Conv", "x w", "c")]
    for k, (source, name) in enumerate(itertools.pairwise(["c", *names])):
        op = ("Relu",) if k % 2 else ("MatMul", "m")
        nodes.append(helper.make_node(op[0], [source, *op[1:]], [name], name=name))
    proto = model(
        [*nodes, node("MatMul", "last m", "y")], {"x": [1, 1, 4, 4]}, {"w": weights(2, 1, 1, 1), "m": weights(4, 4)}
    )
    proto.graph.node[-1].input[0] = names[-1]
    proto.graph.name = names[0]
    graph = o2g.load(proto, detail="op")
    return graph, o2g.explore(graph, ["ties", "random"], folder / "page.html", names=[names[0], names[-1]])


LONG = "long"


@pytest.mark.slow
@pytest.mark.skipif(browser_path() is None, reason=NO_BROWSER)
@pytest.mark.parametrize("kinds", [[kind for kind in NAMES if kind != LONG], [LONG]], ids=["code", "long"])
def test_nothing_runs_and_nothing_breaks(kinds: list[str], browser: Any, tmp_path: Path) -> None:
    names = [NAMES[kind] for kind in kinds]
    graph, path = network_of(names, tmp_path)
    watched = Watched(browser, f"{path.as_uri()}#runs=0.1")
    title = watched.page.title()
    go = "change => window.explore.go(change)"
    for name in names:
        hostile = [layer.name for layer in graph.layers].index(name)
        watched.page.get_by_role("combobox", name="Search for a layer").fill(name[:12])
        watched.page.wait_for_selector(".found li[role=option]")
        for tab in ("weights", "statistics", "maps"):
            watched.page.evaluate(go, {"layer": hostile, "tab": tab})
            watched.settle()
    for layer in graph.layers:
        watched.page.evaluate(go, {"neuron": layer.first_id, "layer": None, "trace": "3"})
        watched.settle()
    assert watched.page.title() == title != "ran"
    assert watched.page.locator("img, script:not([id]):not([type=module]), iframe, object").count() == 0
    wide = watched.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert wide == [1440, 900]
    ET.parse(watched.saved("Picture, SVG"))
    g = nx.read_graphml(watched.saved("Visible graph, GraphML"))
    assert g.number_of_nodes() > 2
    watched.close()


def test_text_in_a_script_element_does_not_end_it() -> None:
    assert json_text("</script><!--&\u2028") == '"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028"'
