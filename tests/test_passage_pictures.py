"""What stands on paper: each pixel of a tile is its value's colour, and text is legible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import onnx
import pytest
from PIL import Image

from onnx2graphml.api import load
from onnx2graphml.draw.activations.activations import Activations, activations
from onnx2graphml.draw.activations.overlay_pages import channels_page, overlay_page
from onnx2graphml.draw.activations.pictures import LayerPicture
from onnx2graphml.draw.activations.process import plot_pattern_process
from onnx2graphml.draw.activations.sheets import overview
from onnx2graphml.draw.canvas import save
from onnx2graphml.draw.colours import NOT_FINITE, Scale
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.page import LARGE, Page, Text, flat
from onnx2graphml.draw.page import Path as Path_
from onnx2graphml.draw.panel import page, scale_bar
from onnx2graphml.errors import Error, MissingExtraError, OutputError
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.text import shortened
from pages import illegible, images, page_of, texts
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def digits() -> Activations:
    graph = load(FIXTURES / "digits.onnx")
    return activations(graph, {"image": np.load(FIXTURES / "digits.npz")["x"][3]}, overlay="channels")


def relu(*shape: int, value: Any, **options: Any) -> LayerPicture:
    """The only layer after an input."""
    graph = load(model([node("Relu", "x", "y", "a layer")], {"x": [1, *shape]}), detail="op")
    return activations(graph, {"x": value}, **options).layers[0]


def layer_page(picture: LayerPicture) -> Page:
    return page(picture.panel(large=True))


def pixels(picture: LayerPicture, path: Path) -> Any:
    save(layer_page(picture), path)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def expected_colours(values: Any, scale: Scale) -> Any:
    """As Matplotlib colours them."""
    norm = mpl.colors.Normalize(scale.low, scale.high)
    return mpl.colormaps[scale.colormap](norm(values.astype(float)), bytes=True)[..., :3]


@pytest.mark.parametrize("name", ["image", "conv1", "conv2"])
def test_every_pixel_of_every_tile_has_its_values_colour(tmp_path: Path, digits: Activations, name: str):
    picture = digits.layer(name)
    tiles = picture.tiles
    assert tiles is not None
    (body,) = picture.panel().bodies
    assert isinstance(body, Mosaic)
    grid, (image,) = body.grid(600, 500), images(page_of(*body.placed(600, 500).marks))
    (high, wide), wrong = grid.tile, 0
    zoom, rest = divmod(high, tiles.array.shape[1])
    assert zoom > 10
    assert rest == 0
    for k, tile in enumerate(tiles.array):
        x, y = grid.corner(k)
        drawn = image.pixels[round(y - image.y) :, round(x - image.x) :][:high, :wide, :3]
        colours = np.repeat(np.repeat(expected_colours(tile, picture.scales[0]), zoom, 0), zoom, 1)
        assert np.abs(drawn.astype(int) - colours).max() <= 12, k
        wrong += int((np.abs(drawn.astype(int) - np.roll(colours, zoom, 1)).max(-1) > 12).sum())
    assert wrong > 1000, "the comparison sees no difference where there is one"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["image", "conv1", "conv2"])
def test_an_images_pixels_are_the_files(tmp_path: Path, digits: Activations, name: str):
    seen = pixels(digits.layer(name), tmp_path / "p.png")
    for image in (i for i in images(layer_page(digits.layer(name))) if len(i.pixels) > 20):
        high, wide = image.pixels.shape[:2]
        x, y = round(image.x), round(image.y)
        opaque = image.pixels[..., 3] == 255
        differs = (seen[y : y + high, x : x + wide] != image.pixels[..., :3]).any(-1) & opaque
        assert differs.mean() < 0.03, "only signs lie on it"
        assert (seen[y : y + high, x - 1 : x - 1 + wide] != image.pixels[..., :3]).any(-1).mean() > differs.mean()


@pytest.mark.slow
def test_pictures_have_the_size_of_their_pages_and_are_not_blank(tmp_path: Path, digits: Activations):
    drawn = [layer_page(p) for p in digits.layers] + [overview(digits.layers[:9], (3, 3))]
    for k, made in enumerate(drawn):
        save(made, tmp_path / f"{k}.png")
        with Image.open(tmp_path / f"{k}.png") as image:
            assert abs(image.width - made.width) <= 1
            assert abs(image.height - made.height) <= 1
            assert image.width <= 1600
            assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.slow
def test_about_half_of_a_sheet_is_drawn(tmp_path: Path):
    """Of a convolutional network's layers, whatever their number of channels."""
    nodes = [node("Conv", "x w", "a", "conv", pads=[1, 1, 1, 1]), node("Relu", "a", "y", "relu")]
    graph = load(model(nodes, {"x": [1, 3, 32, 32]}, {"w": weights(16, 3, 3, 3)}), detail="op")
    layers = activations(graph, {"x": weights(3, 32, 32)}).layers
    save(overview(layers, (3, 3)), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert (np.asarray(image.convert("L")) == 255).mean() < 0.55


def assert_legible(made: Page) -> None:
    assert texts(made)
    assert illegible(made) == []


@pytest.mark.slow
def test_text_is_inside_and_does_not_overlap(digits: Activations):
    for picture in digits.layers:
        assert_legible(layer_page(picture))
    assert_legible(overview(digits.layers[:9], (3, 3)))
    assert_legible(overlay_page(digits.overlays[3]))
    tall = load(model([node("Conv", "x w", "y")], {"x": [1, 1, 90, 5]}, {"w": weights(3, 1, 3, 3)}))
    assert_legible(overlay_page(activations(tall, {"x": weights(1, 90, 5)}, overlay="channels").overlays[0]))
    assert_legible(channels_page(digits.overlays[3]))
    assert illegible(
        page_of(Text(100, 100, "one"), Text(110, 100, "two"), Text(-5, 200, "out"), Text(9, 9, "s", 5))
    ) == [
        "'s' is too small",
        "'out' is not inside",
        "'two' lies on 'one'",
    ]


def test_long_names_are_shortened_in_the_middle():
    name = "encoder/stage4/block17/branch_b/depthwise_convolution_3x3/batch_normalization/fused_activation"
    graph = load(model([node("Relu", "x", "y", name)], {"x": [1, 1, 3]}), detail="op")
    (picture,) = activations(graph, {"x": np.ones((1, 3))}, min_size=(1, 3)).layers[:1]
    assert_legible(layer_page(picture))
    assert_legible(overview([activations(graph, {"x": np.ones((1, 3))}).layers[1]] * 4, (2, 2)))
    short = shortened(name, 300, LARGE)
    head, tail = short.split("…")
    assert 10 < len(short) < 40
    assert name.startswith(head)
    assert name.endswith(tail)


def test_titles_say_name_operator_shape_and_ids(digits: Activations):
    said = texts(layer_page(digits.layer("conv2")))
    assert {"conv2", "Conv+Relu (2, 2, 24) n3392…n3487"} <= {" ".join(t.split()) for t in said}
    assert {str(k) for k in range(24)} <= set(said)
    sheet = texts(overview(digits.layers[:9], (3, 3)))
    for picture in digits.layers[:9]:
        assert {picture.layer.name, str(picture.layer.shape)} <= set(sheet)


@pytest.mark.slow
def test_many_channels_and_rows_are_legible(tmp_path: Path):
    picture = relu(200, 9, 9, value=weights(200, 9, 9), channels="all")
    assert_legible(layer_page(picture))
    assert_legible(overview([picture], (3, 3)))


@pytest.mark.slow
def test_values_that_have_no_pixel_of_their_own_are_said():
    picture = relu(64, 210, 200, value=np.abs(weights(64, 210, 200)), scale="channel")
    said = texts(layer_page(picture))
    assert any(t.startswith("each pixel is the mean of ") and t.endswith("2×2 values") for t in said)
    assert {"0", "max"} <= set(said)
    picture = relu(3, 40, 1, value=np.ones((3, 40, 1)))
    assert not any("mean" in t for t in texts(layer_page(picture)))


def test_what_is_not_finite_is_magenta(tmp_path: Path):
    value = np.ones((1, 4, 5), np.float32)
    value[0, 1, 2] = np.inf
    seen = pixels(relu(1, 4, 5, value=value), tmp_path / "p.png")
    assert (seen == NOT_FINITE).all(-1).sum() == 48 * 48
    value[0, 1, 2] = 2
    seen = pixels(relu(1, 4, 5, value=value), tmp_path / "p.png")
    assert not (seen == NOT_FINITE).all(-1).any()


@pytest.mark.slow
@pytest.mark.parametrize("value", [3e38, 1e-40, 0.0])
def test_extreme_values_can_be_drawn(tmp_path: Path, value: float):
    for shape in ((7,), (300,), (2, 3)):
        given = np.full(shape, value, np.float32)
        given.flat[0] = np.nan
        assert pixels(relu(*shape, value=given), tmp_path / "p.png").std() > 5


@pytest.mark.slow
def test_a_long_vector_is_a_band_of_its_least_and_greatest(tmp_path: Path):
    value = np.abs(weights(1_000_000))
    made = layer_page(relu(1_000_000, value=value))
    assert "the least and the greatest of every 500" in texts(made)
    band = max((m for m in flat(made.marks) if isinstance(m, Path_)), key=lambda m: len(m.commands))
    heights = np.array([at[1] for _, at in band.commands if at])
    tops = value.reshape(-1, 500).max(1)
    upper = heights[: len(tops)]
    low, high = upper[tops.argmin()], upper[tops.argmax()]
    share = (low - upper) / (low - high)
    np.testing.assert_allclose(share, (tops - tops.min()) / np.ptp(tops), atol=1e-6)
    save(made, tmp_path / "p.png")
    assert_legible(made)


def test_a_layer_without_neurons_says_so(tmp_path: Path):
    graph = load(model([node("Relu", "x", "y")], {"x": [1, 0, 3]}), detail="op")
    found = activations(graph, {"x": np.zeros((0, 3))}, tmp_path / "out")
    assert all(p.notes == ["no neurons"] for p in found.layers)
    assert_legible(layer_page(found.layers[0]))


def test_a_bar_says_its_limits_and_has_their_colours():
    piece = scale_bar((Scale(-4.0, 4.0, True),))
    assert [m.text for m in piece.marks if isinstance(m, Text)] == ["-4", "4"]
    (bar,) = images(Page(piece.width, piece.height, piece.marks))
    wide = bar.pixels.shape[1]
    assert np.array_equal(bar.pixels[0, :, :3], expected_colours(np.linspace(-4, 4, wide), Scale(-4.0, 4.0, True)))
    assert [m.text for m in scale_bar((Scale(0, 0, False),)).marks if isinstance(m, Text)] == ["", "0"]
    assert scale_bar(()).width == 0


def test_pictures_of_other_kinds_are_refused(tmp_path: Path):
    with pytest.raises(Error, match="pictures are written as png, svg, pdf; give one of these suffixes"):
        save(Page(1, 1, ()), tmp_path / "p.bmp")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[plot\]"):
        save(Page(1, 1, ()), tmp_path / "p.png")


def article() -> onnx.ModelProto:
    """50x50 values, dense layers of 75, 50, 25 and 10 over the last axis, and one of 5 over all."""
    nodes, constants, last = [], {}, "x"
    for k, (name, n, m) in enumerate(
        [("dense", 50, 75), ("my_dense", 75, 50), ("dense_1", 50, 25), ("dense_2", 25, 10)]
    ):
        constants |= {f"w{k}": weights(n, m, seed=k), f"b{k}": weights(m, seed=k)}
        nodes += [node("MatMul", f"{last} w{k}", f"m{k}", f"{name}/MatMul"), node("Add", f"m{k} b{k}", f"a{k}", name)]
        last = f"a{k}"
    nodes += [node("Flatten", last, "f", "flatten"), node("Gemm", "f w b", "g", "dense_3"), node("Softmax", "g", "y")]
    return model(nodes, {"x": [1, 50, 50]}, constants | {"w": weights(500, 5), "b": weights(5)})


@pytest.fixture(scope="module")
def dense() -> NeuronGraph:
    return load(article())


@pytest.mark.slow
def test_the_articles_network(tmp_path: Path, dense: NeuronGraph):
    assert dense.parameters == 11_665
    files = plot_pattern_process(dense, weights(50, 50), tmp_path / "new" / "folder")
    assert [f.name for f in files] == ["0.png", f"{dense.model_name} neural network architecture.png"]
    assert sorted(f.name for f in files[0].parent.iterdir()) == sorted(f.name for f in files)
    for file in files:
        with Image.open(file) as image:
            assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.slow
def test_layers_larger_than_the_limit_are_drawn(tmp_path: Path, dense: NeuronGraph, monkeypatch: pytest.MonkeyPatch):
    sheets: list[list[tuple[int, ...]]] = []

    def seen(pictures: Any, grid: Any) -> Any:
        sheets.append([p.layer.shape for p in pictures])
        return overview(pictures, grid)

    monkeypatch.setattr("onnx2graphml.draw.activations.process.overview", seen)
    (tmp_path / "notes.txt").write_text("kept")
    files = plot_pattern_process(dense, {"x": weights(1, 50, 50)}, tmp_path, (1, 2), (15, 15), plot_model=False)
    assert [f.name for f in files] == ["0.png", "1.png"]
    assert sheets == [[(50, 50), (50, 75)], [(50, 50), (50, 25)]]
    sheets.clear()
    plot_pattern_process(dense, weights(50, 50), tmp_path, (3, 3), (15, 50), plot_model=False)
    assert sheets == [[(50, 75)]], "a layer as large as the limit is not larger"
    assert (tmp_path / "notes.txt").read_text() == "kept"
    with pytest.raises(Error, match="no layer has a map of 51x16 or more"):
        plot_pattern_process(dense, weights(50, 50), tmp_path, limit_size_layer=(50, 15))


def test_a_folder_that_can_not_be_made(tmp_path: Path, dense: NeuronGraph):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="can't make the folder"):
        plot_pattern_process(dense, weights(50, 50), tmp_path / "file" / "folder")


def test_one_pattern_for_two_inputs(tmp_path: Path):
    graph = load(model([node("Add", "x z", "y")], {"x": [1, 20, 20], "z": [1, 20, 20]}))
    with pytest.raises(Error, match="one pattern is given; the model has the inputs x, z: give a mapping from names"):
        plot_pattern_process(graph, weights(20, 20), tmp_path)
