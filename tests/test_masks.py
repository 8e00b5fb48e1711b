"""Minus infinity as a bias, as masks have it: in every format that holds nodes, and in what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest

from onnx2graphml.api import load, verify, verify_file
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.formats.writing import write
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node


def masked() -> NeuronGraph:
    """A causal mask is added to scores before their softmax."""
    mask = np.triu(np.full((3, 3), -np.inf, np.float32), 1)
    proto = model([node("Add", "x mask", "s"), node("Softmax", "s", "y", axis=-1)], {"x": [1, 3, 3]}, {"mask": mask})
    return load(proto, detail="op")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_mask_is_written_and_read_back(suffix: str, tmp_path: Path) -> None:
    graph = masked()
    assert verify(graph).passed
    write(graph, tmp_path / f"a{suffix}")
    assert verify_file(graph, tmp_path / f"a{suffix}").passed
    if "node attributes" not in FORMATS[suffix].cannot_hold:
        with open_graph(tmp_path / f"a{suffix}") as file:
            bias = file.layers()[1].bias.reshape(3, 3)
        assert np.array_equal(np.isneginf(bias), np.triu(np.ones((3, 3), bool), 1))


@pytest.mark.parametrize("bias", ["INF", "0", "-1e30"])
def test_a_mask_that_was_changed_is_noticed(bias: str, tmp_path: Path) -> None:
    write(masked(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    assert text.count(">-INF<") == 3
    (tmp_path / "a.graphml").write_text(text.replace(">-INF<", f">{bias}<", 1))
    assert not verify_file(masked(), tmp_path / "a.graphml").passed


def test_what_others_make_of_it(tmp_path: Path) -> None:
    write(masked(), tmp_path / "a.graphml")
    read: Any = nx.read_graphml(tmp_path / "a.graphml")
    assert sum(b == -np.inf for _, b in read.nodes(data="bias")) == 3
    ig = igraph.Graph.Read_GraphML(str(tmp_path / "a.graphml"))
    assert sum(b == -np.inf for b in ig.vs["bias"]) == 3
