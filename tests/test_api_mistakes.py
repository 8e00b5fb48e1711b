"""A mistake in a call of the library is told as well as one on the command line: no other package's exception."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"

MISTAKES: dict[str, tuple[Callable[[NeuronGraph], Any], str]] = {
    "a list of layers": (lambda g: o2g.select(g, ["conv1"]), "layers are a list; expected text: names separated by"),
    "half an edge": (lambda g: o2g.select(g, top_k=2.5), "top-k is 2.5; expected a whole number, at least 1"),
    "text for a number": (lambda g: o2g.select(g, top_k="3"), "top-k is '3'; expected a whole number, at least 1"),
    "text for a weight": (
        lambda g: o2g.select(g, min_abs_weight="a"), "min-abs-weight is 'a'; expected a number that is 0 or more",
    ),
    "half a sample": (lambda g: o2g.select(g, sample=1.5), "sample is 1.5; expected a whole number from 0 to 25,816"),
    "a seed": (lambda g: o2g.select(g, sample=9, seed="x"), "seed is 'x'; expected a whole number, at least 0"),
    "three numbers for a picture": (
        lambda g: o2g.activations(g, [1, 2, 3]), "input 'image' is given with shape [3]; expected [1, 8, 8, 1]",
    ),
    "another input": (
        lambda g: o2g.activations(g, {"imag": np.zeros((1, 8, 8, 1))}), "no array is given for input 'image' of shape",
    ),
    "one shape": (lambda _: o2g.load(DIGITS, shapes=(1, 8, 8, 1)), "shapes are (1, 8, 8, 1); expected whole"),
    "a size for a shape": (lambda _: o2g.load(DIGITS, shapes={"image": 8}), "shapes are {'image': 8}; expected whole"),
    "another shape": (
        lambda _: o2g.load(DIGITS, shapes={"image": (1, 2)}),
        "the shape [1, 2] is given for input 'image', which has [1, 8, 8, 1]",
    ),
    "a shape of another input": (
        lambda _: o2g.load(DIGITS, shapes={"x": (1, 2)}), "a shape is given for 'x'; the model's inputs are 'image'",
    ),
    "half a thread": (lambda g: o2g.write(g, "x.graphml", jobs=1.5), "jobs is 1.5; expected a whole number, at"),
    "text for a limit": (lambda g: o2g.write(g, "x.graphml", max_edges="a"), "max_edges is 'a'; expected a whole"),
    "a number for a format": (lambda g: o2g.estimate(g, 5), "the format is 5; expected text"),
    "a neuron's name": (lambda g: o2g.receptive_field(g, "conv1"), "neuron 'conv1' is not in the graph: ids"),
    "half a neuron": (lambda g: g.in_edges(2.5), "neuron 2.5 is not in the graph: ids run from 0 to 3737"),
    "an index as text": (lambda g: g.neuron("conv2", "0,1"), "the index is '0,1'; expected a sequence of"),
    "an index that is one number": (lambda g: g.neuron("flatten", 5), "the index is 5; expected a sequence of whole"),
    "a layer's number": (lambda g: g.layer(3), "the layer's name is 3; expected text"),
    "NetworkX": (
        lambda g: g.to_networkx(max_edges=5),
        "the graph has 25,816 edges, which would take about 10.3 MB in NetworkX; max_edges is 5: take "
        "to_networkx(as_view=True), which expands none, select a part of the graph, or raise max_edges",
    ),
    "NetworkX with text": (lambda g: g.to_networkx(max_edges="5"), "max_edges is '5'; expected a whole number"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str) -> None:
    call, message = MISTAKES[mistake]
    with pytest.raises(Error, match=f"^{re.escape(message)}"):
        call(o2g.load(DIGITS))
    assert not Path("x.graphml").exists()


def test_numbers_of_numpy_are_numbers() -> None:
    graph = o2g.load(DIGITS)
    assert o2g.select(graph, top_k=np.int32(1)).edges < graph.edges
    assert graph.neuron("conv2", np.array([0, 1, 5])) == graph.neuron("conv2", (0, 1, 5))
    assert len(graph.in_edges(np.int64(100)).source) == len(graph.in_edges(100).source)
