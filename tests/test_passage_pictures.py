"""What stands on paper: each pixel of a tile is its value's colour, and text is legible."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import onnx
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text
from PIL import Image

from onnx2graphml.api import load
from onnx2graphml.draw import figures
from onnx2graphml.draw.colours import NOT_FINITE, Scale
from onnx2graphml.draw.figures import bar_ticks, colour_bar, figure, save, shortened
from onnx2graphml.draw.passage.layer_picture import HEIGHT, MARGIN, TITLE, WIDTH, LayerPicture, layer_figure
from onnx2graphml.draw.passage.overlay import overlay_figure
from onnx2graphml.draw.passage.panel import BAR, LABEL, layout
from onnx2graphml.draw.passage.passage import Passage, passage
from onnx2graphml.draw.passage.process import plot_pattern_process
from onnx2graphml.draw.passage.sheets import sheet_figure
from onnx2graphml.errors import Error, MissingExtraError, OutputError
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def digits() -> Passage:
    graph = load(FIXTURES / "digits.onnx")
    return passage(graph, {"image": np.load(FIXTURES / "digits.npz")["x"][3]}, overlay=True)


def relu(*shape: int, value: Any, **options: Any) -> LayerPicture:
    """The only layer after an input."""
    graph = load(model([node("Relu", "x", "y", "a layer")], {"x": [1, *shape]}), detail="op")
    return passage(graph, {"x": value}, **options).layers[0]


def pixels(picture: LayerPicture, path: Path) -> Any:
    save(layer_figure(picture), path)
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def expected_colours(values: Any, scale: Scale) -> Any:
    """As Matplotlib colours them."""
    norm = mpl.colors.Normalize(scale.low, scale.high)
    return mpl.colormaps[scale.colormap](norm(values.astype(float)), bytes=True)[..., :3]


@pytest.mark.parametrize("name", ["image", "conv1", "conv2"])
def test_every_pixel_of_every_tile_has_its_values_colour(tmp_path: Path, digits: Passage, name: str):
    picture = digits.layer(name)
    tiles = picture.tiles
    assert tiles is not None
    seen = pixels(picture, tmp_path / "p.png")
    made = layout(tiles, WIDTH - BAR, HEIGHT)
    zoom, rows, columns = int(made.zoom), *tiles.array.shape[1:]
    assert zoom == made.zoom > 10
    wrong = 0
    for k, tile in enumerate(tiles.array):
        down, across = divmod(k, made.columns)
        y = TITLE + (LABEL if made.labels else 0) + down * zoom * (rows + made.gap[0])
        x = MARGIN + across * zoom * (columns + made.gap[1])
        drawn = seen[y : y + rows * zoom, x : x + columns * zoom]
        colours = np.repeat(np.repeat(expected_colours(tile, picture.scales[0]), zoom, 0), zoom, 1)
        differs = np.abs(drawn.astype(int) - colours).max(-1) > 12
        assert differs.mean() < (0.3 if not tile.any() else 0.001), k  # a tile of zeros has a sign on it
        wrong += int((np.abs(drawn.astype(int) - np.roll(colours, zoom, 1)).max(-1) > 12).sum())
    assert wrong > 1000, "the comparison sees no difference where there is one"


def test_pictures_have_the_size_of_their_figures_and_are_not_blank(tmp_path: Path, digits: Passage):
    drawn = [layer_figure(p) for p in digits.layers] + [sheet_figure(digits.layers[:9], (3, 3))]
    for k, made in enumerate(drawn):
        save(made, tmp_path / f"{k}.png")
        with Image.open(tmp_path / f"{k}.png") as image:
            wide, high = made.get_size_inches() * figures.DPI
            assert abs(image.width - wide) <= 1
            assert abs(image.height - high) <= 1
            assert image.width <= 1600
            assert np.asarray(image.convert("L")).std() > 10


def boxes(made: Any) -> list[tuple[str, Any]]:
    """Each text with the pixels that it takes."""
    renderer = FigureCanvasAgg(made).get_renderer()
    made.draw(renderer)
    texts = [t for t in made.findobj(Text) if t.get_visible() and t.get_text().strip()]
    return [(t.get_text(), t.get_window_extent(renderer)) for t in texts]


def assert_legible(made: Any) -> None:
    wide, high = made.get_size_inches() * figures.DPI
    found = boxes(made)
    assert found
    for name, box in found:
        assert box.x0 >= 0, name
        assert box.y0 >= 0, name
        assert box.x1 <= wide, name
        assert box.y1 <= high, name
    for k, (name, box) in enumerate(found):
        for other, its in found[:k]:
            across = min(box.x1, its.x1) - max(box.x0, its.x0)
            down = min(box.y1, its.y1) - max(box.y0, its.y0)
            assert across <= 1 or down <= 3, f"{name!r} lies on {other!r}"
    assert all(t.get_size() >= 7 for t in made.findobj(Text) if t.get_text())


def test_text_is_inside_and_does_not_overlap(digits: Passage):
    for picture in digits.layers:
        assert_legible(layer_figure(picture))
    assert_legible(sheet_figure(digits.layers[:9], (3, 3)))
    assert_legible(overlay_figure(digits.overlays[3]))
    tall = load(model([node("Conv", "x w", "y")], {"x": [1, 1, 90, 5]}, {"w": weights(3, 1, 3, 3)}))
    assert_legible(overlay_figure(passage(tall, {"x": weights(1, 90, 5)}, overlay=True).overlays[0]))
    made = figure(4, 3)
    made.text(0.1, 0.5, "one", size=8)
    made.text(0.11, 0.5, "two", size=8)
    with pytest.raises(AssertionError, match="lies on"):
        assert_legible(made)


def test_long_names_are_shortened_in_the_middle():
    name = "encoder/stage4/block17/branch_b/depthwise_convolution_3x3/batch_normalization/fused_activation"
    graph = load(model([node("Relu", "x", "y", name)], {"x": [1, 1, 3]}), detail="op")
    (picture,) = passage(graph, {"x": np.ones((1, 3))}, min_size=(1, 3)).layers[:1]
    assert_legible(layer_figure(picture))
    assert_legible(sheet_figure([passage(graph, {"x": np.ones((1, 3))}).layers[1]] * 4, (2, 2)))
    short = shortened(name, 30)
    assert len(short) == 30
    head, tail = short.split("…")
    assert name.startswith(head)
    assert name.endswith(tail)


def test_titles_say_name_operator_shape_and_ids(digits: Passage):
    texts = [text for text, _ in boxes(layer_figure(digits.layer("conv2")))]
    assert {"conv2", "Conv+Relu   (2, 2, 24)   n3392…n3487"} <= set(texts)
    assert {str(k) for k in range(24)} <= set(texts)
    sheet = [text for text, _ in boxes(sheet_figure(digits.layers[:9], (3, 3)))]
    for picture in digits.layers[:9]:
        assert {picture.layer.name, str(picture.layer.shape)} <= set(sheet)


def test_many_channels_and_rows_are_legible(tmp_path: Path):
    picture = relu(200, 9, 9, value=weights(200, 9, 9), channels="all")
    assert_legible(layer_figure(picture))
    assert_legible(sheet_figure([picture], (3, 3)))


def test_values_that_have_no_pixel_of_their_own_are_said(tmp_path: Path):
    picture = relu(64, 210, 200, value=np.abs(weights(64, 210, 200)), scale="channel")
    assert picture.tiles is not None
    made = layout(picture.tiles, WIDTH - BAR, HEIGHT)
    assert made.block == 2
    texts = [t for t, _ in boxes(layer_figure(picture))]
    assert "each pixel is the mean of 2×2 values" in texts
    assert {"0", "max"} <= set(texts)
    picture = relu(3, 5000, 1, value=np.ones((3, 5000, 1)))
    assert "drawn smaller than a pixel a value" not in [t for t, _ in boxes(layer_figure(picture))]


def test_what_is_not_finite_is_magenta(tmp_path: Path):
    value = np.ones((1, 4, 5), np.float32)
    value[0, 1, 2] = np.inf
    seen = pixels(relu(1, 4, 5, value=value), tmp_path / "p.png")
    assert (seen == NOT_FINITE).all(-1).sum() == 48 * 48
    value[0, 1, 2] = 2
    seen = pixels(relu(1, 4, 5, value=value), tmp_path / "p.png")
    assert not (seen == NOT_FINITE).all(-1).any()


@pytest.mark.parametrize("value", [3e38, 1e-40, 0.0])
def test_extreme_values_can_be_drawn(tmp_path: Path, value: float):
    for shape in ((7,), (300,), (2, 3)):
        given = np.full(shape, value, np.float32)
        given.flat[0] = np.nan
        assert pixels(relu(*shape, value=given), tmp_path / "p.png").std() > 5


def test_a_long_vector_is_a_band_of_its_least_and_greatest(tmp_path: Path):
    value = np.abs(weights(1_000_000))
    picture = relu(1_000_000, value=value)
    assert picture.notes == ["above by position (the least and the greatest of every 500); below the same, row by row"]
    made = layer_figure(picture)
    ((band,),) = (axes.collections for axes in made.axes[:1])
    heights = band.get_paths()[0].vertices[:, 1] * value.max()
    assert set(value.reshape(-1, 500).max(1)) <= set(heights.astype(np.float32))
    save(made, tmp_path / "p.png")
    assert_legible(made)


def test_a_layer_without_neurons_says_so(tmp_path: Path):
    graph = load(model([node("Relu", "x", "y")], {"x": [1, 0, 3]}), detail="op")
    found = passage(graph, {"x": np.zeros((0, 3))}, tmp_path / "out")
    assert all(p.notes == ["no neurons"] for p in found.layers)
    assert_legible(layer_figure(found.layers[0]))


def test_a_bar_says_its_limits():
    assert bar_ticks(Scale(-2.5, 2.5, True), 1) == [(0.0, "-2.5"), (0.5, "0"), (1.0, "2.5")]
    assert bar_ticks(Scale(0, 3, False), 0.3) == [(0.0, "0"), (1.0, "3")]
    assert bar_ticks(Scale(0, 0, False), 1) == [(0.5, "0")]
    made = figure(4, 3)
    axes = made.add_axes((0.1, 0.1, 0.6, 0.8))
    colour_bar(made, axes, Scale(-4.0, 4.0, True))
    bar = made.axes[1]
    assert bar.get_position().height == pytest.approx(0.8)
    shown = bar.images[0].get_array()[:, 0]
    assert np.array_equal(shown[:, :3], expected_colours(np.linspace(-4, 4, 256), Scale(-4.0, 4.0, True)))
    assert bar.images[0].origin == "lower"


def test_pictures_of_other_kinds_are_refused(tmp_path: Path):
    with pytest.raises(Error, match="pictures are written as png, svg, pdf; give one of these suffixes"):
        save(figure(1, 1), tmp_path / "p.bmp")


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[plot\]"):
        figure(1, 1)


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


def test_the_articles_network(tmp_path: Path, dense: NeuronGraph):
    assert dense.parameters == 11_665
    files = plot_pattern_process(dense, weights(50, 50), tmp_path / "new" / "folder")
    assert [f.name for f in files] == ["0.png", f"{dense.model_name} neural network architecture.png"]
    assert sorted(f.name for f in files[0].parent.iterdir()) == sorted(f.name for f in files)
    for file in files:
        with Image.open(file) as image:
            assert np.asarray(image.convert("L")).std() > 10


def test_layers_larger_than_the_limit_are_drawn(tmp_path: Path, dense: NeuronGraph, monkeypatch: pytest.MonkeyPatch):
    sheets: list[list[tuple[int, ...]]] = []

    def seen(pictures: Any, grid: Any) -> Any:
        sheets.append([p.layer.shape for p in pictures])
        return sheet_figure(pictures, grid)

    monkeypatch.setattr("onnx2graphml.draw.passage.process.sheet_figure", seen)
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
