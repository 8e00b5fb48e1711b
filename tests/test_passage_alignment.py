"""Where maps lie on the input, against the receptive fields of single neurons."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.draw.activations.activations import activations
from onnx2graphml.draw.activations.overlay import extent_of, overlays_of
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.receptive_field import receptive_field
from onnx2graphml.recording.alignment import Fields, alignments, fitted
from small import SIDE, model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
W = {"w": weights(2, 1, 3, 3), "v": weights(2, 2, 3, 3, seed=1), "u": weights(2, 2, 2, 2, seed=2)}
POOL = {"kernel_shape": [3, 3], "strides": [2, 2]}

NETWORKS: dict[str, tuple[list[Any], tuple[int, int]]] = {
    "stride 2, padded": ([node("Conv", "x w", "y", strides=[2, 2], **SIDE)], (13, 12)),
    "not padded": ([node("Conv", "x w", "y")], (7, 9)),
    "dilated": ([node("Conv", "x w", "y", dilations=[2, 3], pads=[2, 3, 2, 3])], (14, 15)),
    "lopsided": ([node("Conv", "x w", "y", strides=[3, 2], pads=[0, 1, 2, 0])], (13, 12)),
    "a pool with padding": ([node("MaxPool", "x", "y", pads=[1, 1, 1, 1], **POOL)], (13, 12)),
    "a dilated pool": ([node("MaxPool", "x", "y", dilations=[2, 2], kernel_shape=[2, 2])], (9, 9)),
    "an average": ([node("AveragePool", "x", "y", pads=[1, 1, 1, 1], **POOL)], (13, 12)),
    "deep": (
        [
            node("Conv", "x w", "a", **SIDE),
            node("MaxPool", "a", "b", kernel_shape=[2, 2], strides=[2, 2]),
            node("Conv", "b v", "c", **SIDE),
            node("Relu", "c", "d"),
            node("Conv", "d v", "y", strides=[2, 2], **SIDE),
        ],
        (41, 40),
    ),
    "a residual": ([node("Conv", "x w", "a", **SIDE), node("Add", "a x", "y")], (8, 8)),
    "upsampled": ([node("ConvTranspose", "x t", "y", strides=[2, 2])], (6, 5)),
}


def network(name: str) -> NeuronGraph:
    nodes, size = NETWORKS[name]
    constants = {**W, "t": weights(1, 2, 3, 3)}
    used = {i for n in nodes for i in n.input}
    return load(model(nodes, {"x": [1, 1, *size]}, {k: v for k, v in constants.items() if k in used}))


def bounds(graph: NeuronGraph, layer: str, row: int, column: int) -> list[tuple[int, int]]:
    """The first and last row and column of the input that lead to a neuron of a layer's first channel."""
    field = receptive_field(graph, graph.neuron(layer, (0, row, column)))["x"][0]
    return [(int(i.min()), int(i.max())) for i in np.nonzero(field)]


def checked(graph: NeuronGraph, found: dict[str, tuple[str, tuple[Fields, Fields]]]) -> int:
    """Compare every neuron of each layer's first channel with its field; returns how many lie wholly inside."""
    size, inside = graph.layer("x").shape[1:], 0
    for name, (source, fields) in found.items():
        assert source == "x"
        for row, column in np.ndindex(*graph.layer(name).shape[1:]):
            seen = bounds(graph, name, row, column)
            for position, known, f, n in zip((row, column), seen, fields, size, strict=True):
                low, high = f.jump * position + f.low, f.jump * position + f.high
                assert low <= known[0] <= known[1] <= high
                if low > 0 and high < n - 1:
                    inside += 1
                    assert known == (low, high)
                    assert f.centre(position) == sum(known) / 2
    return inside


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NETWORKS if n != "upsampled"])
def test_fields_are_those_of_single_neurons(name: str):
    graph = network(name)
    found = alignments(graph)
    assert list(found) == [layer.name for layer in graph.layers]
    assert checked(graph, found) > 10


def test_a_wrong_alignment_is_seen():
    graph = network("stride 2, padded")
    found = alignments(graph)
    source, (rows, columns) = found[graph.layers[-1].name]
    for wrong in (Fields(rows.jump, rows.low + 1, rows.high + 1), Fields(rows.jump + 1, rows.low, rows.high)):
        with pytest.raises(AssertionError):
            checked(graph, {graph.layers[-1].name: (source, (wrong, columns))})


def test_a_transposed_convolution_is_centred_between_what_it_reads():
    graph = network("upsampled")
    _, (rows, _) = alignments(graph)[graph.layers[-1].name]
    assert (rows.jump, rows.centre(0)) == (0.5, -0.5)  # three taps, the last of which alone would reach position -1
    for row in range(2, graph.layers[-1].shape[1] - 2):
        low, high = bounds(graph, graph.layers[-1].name, row, 4)[0]
        assert rows.jump * row + rows.low <= low <= high <= rows.jump * row + rows.high


@pytest.mark.parametrize("pad", [0, 1])
def test_a_map_of_stride_2_is_centred_on_its_fields(pad: int):
    nodes = [node("Conv", "x w", "y", strides=[2, 2], pads=[pad] * 4)]
    graph = load(model(nodes, {"x": [1, 1, 13, 13]}, {"w": W["w"]}))
    values = {"x": weights(1, 13, 13), graph.layers[1].name: weights(*graph.layers[1].shape)}
    (overlay,), without = overlays_of(graph, activations(graph, {"x": values["x"]}).layers, values)
    assert not without
    left, right, bottom, top = overlay.extent
    rows, columns = overlay.map.shape
    for row, column in np.ndindex(rows, columns):
        y, x = top + (row + 0.5) * (bottom - top) / rows, left + (column + 0.5) * (right - left) / columns
        assert (y, x) == (2 * row + 1 - pad, 2 * column + 1 - pad)
        if 0 < row < rows - 1 and 0 < column < columns - 1:
            assert (y, x) == tuple(sum(b) / 2 for b in bounds(graph, graph.layers[1].name, row, column))
    assert extent_of(overlay.alignment, (rows, columns)) == overlay.extent


def test_the_overlay_is_the_root_mean_square():
    graph = load(FIXTURES / "digits.onnx")
    feeds = {"image": np.load(FIXTURES / "digits.npz")["x"][0]}
    found = activations(graph, feeds, overlay="layer")
    by_name = {o.layer.name: o for o in found.overlays}
    assert list(by_name) == ["conv1", "bn1", "relu1", "maxpool", "conv2", "avgpool"]
    assert list(found.not_overlaid) == ["flatten", "dense1", "digit"]
    for name, overlay in by_name.items():
        value = found.layer(name).value.astype(float)
        np.testing.assert_allclose(overlay.map, np.sqrt((value**2).mean(-1)), rtol=1e-12)
        assert overlay.scale.high == overlay.map.max()
    assert by_name["conv2"].alignment[0].jump == 4


def test_vggs_receptive_field():
    """212 rows at the end of VGG16's pictures, as its literature has it."""
    nodes, last, k = [], "x", 0
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            nodes.append(node("Conv", f"{last} w", f"c{k}", **SIDE))
            last, k = f"c{k}", k + 1
        nodes.append(node("MaxPool", last, f"c{k}", kernel_shape=[2, 2], strides=[2, 2]))
        last, k = f"c{k}", k + 1
    graph = load(model(nodes, {"x": [1, 1, 224, 224]}, {"w": weights(1, 1, 3, 3)}, outputs=(last,)))
    _, (rows, columns) = alignments(graph)[graph.layers[-1].name]
    assert rows == columns
    assert (rows.jump, rows.high - rows.low + 1, rows.centre(3)) == (32, 212, 111.5)


@pytest.mark.parametrize(
    ("relation", "size", "expected"),
    [
        (ax.window(7, 4, 3, 2, 1, 1), 7, Fields(2, -1, 1)),
        (ax.window(4, 2, 3, 2, 1, 0), 4, Fields(2, 0, 2)),  # only the first window is whole: the taps tell
        (ax.gather(5), 5, Fields(5, 0, 4)),
        (ax.relation([6, 5, 4], [0, 1, 2], 0), 7, Fields(-1, 6, 6)),
        (ax.relation([0, 1, 1], [0, 0, 1], [6, 6, 3]), 2, Fields(1, 0, 1)),  # an average over what there is
        (ax.spread(3), 1, None),
        (ax.relation([0, 3, 1], [0, 1, 2], 0), 4, None),
        (ax.relation([0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 2, 3]), 2, None),
    ],
)
def test_windows_at_even_distances(relation: ax.Axis, size: int, expected: Fields | None):
    assert fitted(relation, size) == expected


@pytest.mark.parametrize(
    ("nodes", "shape"),
    [
        ([node("Concat", "x x", "a", axis=2), node("Conv", "a w", "y")], [1, 1, 8, 8]),
        ([node("Conv", "x w", "a", **SIDE), node("MatMul", "a m", "y")], [1, 1, 8, 8]),
    ],
)
def test_what_has_no_even_distances_is_told(nodes: Any, shape: Any):
    used = {i for n in nodes for i in n.input}
    constants = {k: v for k, v in {**W, "m": weights(8, 8)}.items() if k in used}
    graph = load(model(nodes, {"x": shape}, constants))
    found = activations(graph, {"x": weights(*shape)}, overlay="layer")
    assert "y" in str(found.not_overlaid)
    assert all("not windows at even distances" in why for why in found.not_overlaid.values())


def test_two_inputs_are_no_place_to_lie_on():
    nodes = [node("Conv", "x w", "a", **SIDE), node("Conv", "z w", "b", **SIDE), node("Add", "a b", "y")]
    graph = load(model(nodes, {"x": [1, 1, 5, 5], "z": [1, 1, 5, 5]}, {"w": W["w"]}))
    found = alignments(graph)
    names = [layer.name for layer in graph.layers]
    assert found[names[-2]][0] != found[names[-3]][0]
    assert names[-1] not in found


def test_flipped_pictures_are_flipped():
    nodes = [node("Conv", "x w", "c", **SIDE), node("Slice", "c start stop axes steps", "s"), node("Relu", "s", "y")]
    last = {"start": np.array([-1]), "stop": np.array([-9]), "axes": np.array([2]), "steps": np.array([-1])}
    graph = load(model(nodes, {"x": [1, 1, 6, 6]}, {"w": W["w"], **last}))
    _, (rows, columns) = alignments(graph)[graph.layers[-1].name]
    assert (rows.jump, rows.centre(0), columns.jump) == (-1, 5, 1)
    left, right, bottom, top = extent_of((rows, columns), (6, 6))
    assert (top, bottom, left, right) == (5.5, -0.5, -0.5, 5.5)
