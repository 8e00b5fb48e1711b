"""What is drawn of each kind of value: photographs, softmaxes, signals, matrices, and maps laid on the input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.draw.activations.activations import Activations, activations
from onnx2graphml.draw.activations.overlay_pages import channels_page, overlay_page
from onnx2graphml.draw.bodies import bodies_of
from onnx2graphml.draw.matrix import Matrix
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import Path, flat
from onnx2graphml.draw.panel import Panel, page
from onnx2graphml.draw.photo import CAFFE, photo
from onnx2graphml.draw.plots import Curve, Curves, Ranking
from onnx2graphml.errors import Error
from onnx2graphml.inference.images import PREPROCESS
from pages import illegible, images, texts
from small import SIDE, model, node, weights


def shown(*shape: int, value: Any = None, op: str = "Relu", **options: Any) -> Activations:
    graph = load(model([node(op, "x", "y", "a layer")], {"x": [1, *shape]}), detail="op")
    return activations(graph, {"x": weights(*shape) if value is None else value}, **options)


# Photographs


@pytest.mark.parametrize("preprocess", ["0..1", "-1..1", "caffe", "none"])
def test_a_photograph_is_shown_as_it_was_before_it_was_scaled(preprocess: str):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 3))
    pixels[0, 0], pixels[0, 1] = 0, 255  # so that all values from 0 to 255 are there
    given = PREPROCESS[preprocess](pixels.astype(np.float64)).transpose(2, 0, 1)
    found = photo(given, "bgr" if preprocess == "caffe" else "rgb")
    assert np.abs(found.astype(int) - pixels).max() <= 1
    wrong = photo(given, "rgb" if preprocess == "caffe" else "bgr")
    assert np.abs(wrong.astype(int) - pixels).max() > 50


def test_blue_green_and_red_that_were_not_shifted_stay_so():
    values = np.arange(12.0).reshape(3, 2, 2)
    assert np.array_equal(photo(values, "bgr"), photo(values[::-1], "rgb"))
    assert len(CAFFE) == 3


def test_what_is_no_number_is_black():
    values = np.ones((3, 1, 2))
    values[:, 0, 0] = np.nan, np.inf, 0
    assert photo(values).tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_an_input_of_three_channels_is_a_photograph_unless_its_channels_are_asked_for():
    nodes, constants = [node("Conv", "x w", "y", **SIDE)], {"w": weights(4, 3, 3, 3)}
    graph, value = load(model(nodes, {"x": [1, 3, 6, 7]}, constants)), weights(3, 6, 7)
    photographed = activations(graph, {"x": value}).layers[0]
    (body,) = photographed.panel().bodies
    assert isinstance(body, Mosaic)
    assert np.array_equal(body.tiles[0], photo(value))
    assert photographed.panel().scales == ()
    assert photographed.notes[0].startswith("its channels as red, green and blue; values from -")
    apart = activations(graph, {"x": value}, colours="channels").layers[0]
    (body,) = apart.panel().bodies
    assert isinstance(body, Mosaic)
    assert (body.tiles.shape, body.labels) == ((3, 6, 7), ("0", "1", "2"))
    assert "blue, green and red" in activations(graph, {"x": value}, colours="bgr").layers[0].notes[0]
    with pytest.raises(Error, match="colours is 'cmyk'; expected rgb, bgr, channels"):
        activations(graph, {"x": value}, colours="cmyk")


# Vectors


def test_a_short_vector_is_drawn_once_with_all_of_its_positions():
    found = shown(12).layers[1]
    (body,) = found.panel().bodies
    assert isinstance(body, Curve)
    said = texts(page(found.panel(large=True)))
    assert [t for t in said if t.isdecimal()] == [str(k) for k in range(12)] or "0" in said
    assert "unit" in said
    assert [type(b) for b in shown(64).layers[1].panel().bodies] == [Curve, Mosaic]


def test_a_softmax_says_its_five_largest_and_long_ones_rank_them():
    value = np.linspace(-4, 4, 1000)[np.random.default_rng(2).permutation(1000)]
    found = shown(1000, value=value, op="Softmax").layers[1]
    assert [k for k, _, _ in found.top] == np.argsort(-value)[:5].tolist()
    curve, ranking = found.panel().bodies
    assert isinstance(curve, Curve)
    assert isinstance(ranking, Ranking)
    assert ranking.names == tuple(f"unit {k}" for k in np.argsort(-value)[:5])
    assert shown(1000, value=value).layers[1].top == []
    assert found.notes[0].startswith("largest: unit")  # in lists; the picture has the bars
    assert found.panel().notes == ()
    short = shown(12, value=value[:12], op="Softmax").layers[1]
    assert short.panel().notes == tuple(short.notes) != ()  # a curve tells no numbers
    assert illegible(page(found.panel(large=True))) == []


def test_classes_are_the_names_of_an_outputs_units():
    graph = load(model([node("Softmax", "x", "y", "a layer")], {"x": [1, 3]}), detail="op")
    found = activations(graph, {"x": np.array([1.0, 3.0, 2.0])}, classes=["cat", "dog", "fish"])
    (body,) = found.layers[1].panel().bodies
    assert isinstance(body, Ranking)
    assert body.names == ("cat", "dog", "fish")
    assert found.layers[1].notes[0].startswith("largest: dog 0.66")
    assert found.layers[1].panel().notes == ()
    assert found.layers[0].classes == ()


# One dimension


def signal(channels: int) -> Activations:
    nodes, constants = [node("Conv", "x w", "y", pads=[1, 1])], {"w": weights(channels, 2, 3)}
    graph = load(model(nodes, {"x": [1, 2, 40]}, constants))
    return activations(graph, {"x": weights(2, 40)})


def test_few_channels_along_a_line_are_signals_and_many_are_a_map():
    few, many = (signal(n).layers[1].panel().bodies for n in (4, 30))
    assert isinstance(few[0], Curves)
    assert few[0].values.shape == (4, 40)
    assert isinstance(many[0], Matrix)
    assert (many[0].row_name, many[0].column_name, many[0].rows) == ("channel", "position", tuple(map(str, range(30))))
    assert illegible(page(signal(4).layers[1].panel(large=True))) == []


def test_a_signals_line_goes_through_its_values():
    found = signal(3).layers[1]
    paths = [m for m in flat(page(found.panel(large=True)).marks) if isinstance(m, Path) and len(m.commands) == 40]
    assert len(paths) == 3
    for path, values in zip(paths, found.value, strict=True):
        heights = np.array([at[1] for _, at in path.commands])
        slope = np.polyfit(values, heights, 1)
        np.testing.assert_allclose(np.polyval(slope, values), heights, atol=1e-3)
        assert slope[0] < 0


def test_a_line_that_is_carried_out_along_two_dimensions_is_a_line():
    nodes, constants = [node("Conv", "x w", "y", pads=[0, 1, 0, 1])], {"w": weights(5, 2, 1, 3)}
    graph = load(model(nodes, {"x": [1, 2, 1, 30]}, constants))
    (body,) = activations(graph, {"x": weights(2, 1, 30)}).layers[1].panel().bodies
    assert isinstance(body, Curves)
    assert body.labels == ("0", "1", "2", "3", "4")


def test_a_matrix_has_names_at_its_axes():
    found = shown(30, 25).layers[1]
    (body,) = bodies_of(found.tiles, found.scales)
    assert isinstance(body, Matrix)
    said = texts(page(Panel("t", "s", (body,))))
    assert {"axis 0", "axis 1", "0"} <= set(said)


# Overlays


@pytest.mark.slow
def test_the_strongest_channels_are_laid_on_the_input_one_by_one():
    nodes, constants = [node("Conv", "x w", "y", strides=[2, 2], **SIDE)], {"w": weights(20, 3, 3, 3)}
    graph = load(model(nodes, {"x": [1, 3, 12, 12]}, constants))
    (overlay,) = activations(graph, {"x": weights(3, 12, 12)}, overlay="channels").overlays
    value = activations(graph, {"x": weights(3, 12, 12)}).layers[1].value
    assert list(overlay.numbers) == np.argsort(-(value.astype(float) ** 2).sum((1, 2)))[:16].tolist()
    for k, channel in zip(overlay.numbers, overlay.channels, strict=True):
        assert np.array_equal(channel, value[k])
    said = texts(channels_page(overlay))
    assert {str(k) for k in overlay.numbers} <= set(said)
    assert any("16 of 20 channels, by energy" in t for t in said)
    with pytest.raises(Error, match="overlay is 'rows'; expected layer, channels"):
        activations(graph, {"x": weights(3, 12, 12)}, overlay="rows")


def test_an_output_of_the_inputs_size_lies_on_it_where_the_edges_tell_no_alignment():
    """A product of two matrices sees all columns; it has the input's rows and columns all the same."""
    nodes = [node("Flatten", "x", "f"), node("Gemm", "f w", "g"), node("Reshape", "g s", "y")]
    constants = {"w": weights(36, 36), "s": np.array([1, 1, 6, 6])}
    graph = load(model(nodes, {"x": [1, 1, 6, 6]}, constants), detail="op")
    found = activations(graph, {"x": weights(1, 6, 6)}, overlay="layer")
    overlay = next(o for o in found.overlays if o.layer.shape == (1, 6, 6))
    assert overlay.assumed
    assert overlay.extent == (-0.5, 5.5, 5.5, -0.5)
    assert any("lies on them one for one" in t for t in texts(overlay_page(overlay)))


@pytest.mark.slow
def test_a_map_of_small_differences_uses_all_of_the_colours():
    nodes, constants = [node("Conv", "x w b", "c", **SIDE), node("Sigmoid", "c", "y")], {"w": weights(1, 1, 3, 3)}
    graph = load(model(nodes, {"x": [1, 1, 9, 9]}, constants | {"b": np.ones(1, np.float32)}))
    overlay = activations(graph, {"x": weights(1, 9, 9) / 100}, overlay="layer").overlays[-1]
    assert (overlay.scale.low, overlay.scale.high) == (overlay.map.min(), overlay.map.max())
    over = max(images(overlay_page(overlay)), key=lambda i: i.pixels.size)
    assert len({tuple(c) for c in over.pixels.reshape(-1, 4).tolist()}) > 40
