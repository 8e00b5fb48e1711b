"""Tiles, mosaics and colours, against NumPy and Matplotlib."""

from __future__ import annotations

import math
import time
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import Normalize

from onnx2graphml.draw.colours import NOT_FINITE, Scale, limits, painted, scale_of
from onnx2graphml.draw.mosaic import BORDER, Mosaic, resized
from onnx2graphml.draw.page import Image, Text
from onnx2graphml.draw.tiles import energy, folded, tiles_of
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import file_name, safe
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording.views import map_size, view_of

F = np.float32


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(1, 30),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    across=st.none() | st.integers(1, 9),
    width=st.integers(200, 900),
    height=st.integers(200, 900),
    labelled=st.booleans(),
)
def test_each_tile_stands_at_its_corner_in_its_colours_and_all_else_is_border_or_white(
    n: int, rows: int, columns: int, across: int | None, width: int, height: int, labelled: bool
):
    tiles = np.random.default_rng(n).standard_normal((n, rows, columns)).astype(F)
    labels = tuple(map(str, range(n))) if labelled else ()
    body = Mosaic(tiles, labels, (scale_of([tiles]),), across, marked=False)
    grid, piece = body.grid(width, height), body.placed(width, height)
    (image,) = (mark for mark in piece.marks if isinstance(mark, Image))
    left = np.ones(image.pixels.shape[:2], bool)
    high, wide = grid.tile
    for k, tile in enumerate(tiles):
        x, y = (round(p - q) for p, q in zip(grid.corner(k), (image.x, image.y), strict=True))
        at = np.s_[y : y + high, x : x + wide]
        assert left[at].shape == (high, wide)
        assert left[at].all(), "tiles overlap"
        left[at] = False
        assert np.array_equal(image.pixels[at], painted(resized(tile[None], high, wide)[0], body.scales[0]))
    others = {tuple(c) for c in image.pixels[left].tolist()}
    assert others <= {BORDER, (255, 255, 255, 0)}
    assert piece.height <= height + 1 or across, "no higher than the room"


@given(n=st.integers(1, 200), size=st.integers(1, 60))
def test_resized_tiles_repeat_values_or_are_means_that_keep_the_mean_of_equal_blocks(n: int, size: int):
    values = np.random.default_rng(n).standard_normal((1, 1, n))
    found = resized(values, 1, size)[0, 0]
    assert found.shape == (size,)
    if size >= n:
        assert found.tolist() == [values[0, 0, k * n // size] for k in range(size)]
    else:
        starts = [k * n // size for k in range(size)] + [n]
        for k in range(size):
            assert found[k] == pytest.approx(values[0, 0, starts[k] : starts[k + 1]].mean())


def test_what_is_masked_does_not_count_in_means():
    assert resized(folded(np.arange(5.0))[None], 1, 2)[0].filled(-1).tolist() == [[(0 + 3) / 2, (1 + 2 + 4) / 3]]


@pytest.mark.slow
def test_as_many_labels_as_tiles_or_one_for_each_row():
    tiles = np.zeros((64, 56, 56), F)
    labels = tuple(map(str, range(64)))
    said = [m.text for m in Mosaic(tiles, labels, (Scale(0, 1, False),)).placed(500, 400).marks if isinstance(m, Text)]
    assert said == list(labels)
    many = np.zeros((2048, 7, 7), F)
    body = Mosaic(many, tuple(map(str, range(2048))), (Scale(0, 1, False),))
    said = [m.text for m in body.placed(500, 400).marks if isinstance(m, Text)]
    assert said == [str(k) for k in range(0, 2048, body.grid(500, 400).across)]


def test_every_tile_has_a_border_that_is_seen_on_white():
    piece = Mosaic(np.zeros((4, 3, 3), F), (), (Scale(-1, 1, True),), marked=False).placed(300, 300)
    (image,) = (m for m in piece.marks if isinstance(m, Image))
    assert (image.pixels == BORDER).all(-1).sum() > 4 * 4 * 3
    assert max(BORDER[:3]) < 200


@pytest.mark.slow
def test_a_mosaic_of_512_channels_is_made_in_half_a_second():
    tiles = np.random.default_rng(0).standard_normal((512, 56, 56)).astype(F)
    start = time.process_time()
    Mosaic(tiles, (), (Scale(-3, 3, True),)).placed(1400, 1250)
    assert time.process_time() - start < 1


def picture(*shape: int, spatial: tuple[int, ...] = ()) -> tuple[Layer, Any]:
    return Layer("x", "Relu", shape, spatial=spatial), np.arange(math.prod(shape), dtype=F).reshape(shape) - 7


def test_channels_are_tiles_in_either_layout():
    layer, value = picture(4, 5, 3, spatial=(2, 0, 1))
    last = tiles_of(layer, value)
    first = tiles_of(Layer("x", "Relu", (3, 4, 5), spatial=(0, 1, 2)), value.transpose(2, 0, 1))
    assert last.indices == first.indices == ((0,), (1,), (2,))
    for k in range(3):
        assert np.array_equal(last.array[k], value[..., k])
        assert np.array_equal(first.array[k], value[..., k])


@pytest.mark.parametrize(
    ("shape", "spatial", "channels_last", "form"),
    [
        ((), (), False, "vector"),
        ((7,), (), False, "vector"),
        ((512, 1, 1), (0, 1, 2), False, "vector"),
        ((4, 5), (), True, "map"),
        ((6, 3), (1, 0), False, "lines"),
        ((2, 3, 4), (), False, "pictures"),
        ((3, 4, 1), (), False, "pictures"),
        ((2, 3, 4, 5), (3, 0, 1, 2), True, "pictures"),
        ((2, 3, 4, 5, 2), (), False, "pictures"),
    ],
)
def test_every_value_of_every_rank_is_in_one_tile(
    shape: tuple[int, ...], spatial: tuple[int, ...], channels_last: bool, form: str
):
    layer, value = picture(*shape, spatial=spatial)
    tiles = tiles_of(layer, value, channels_last=channels_last)
    assert tiles is not None
    assert tiles.view.form == form
    assert sorted(np.ma.compressed(np.ma.asarray(tiles.array))) == sorted(value.ravel())
    leading = tiles.view.leading
    if form == "vector":
        return
    for tile, index in zip(tiles.array, tiles.indices, strict=True):
        at = tuple(index[leading.index(a)] if a in leading else slice(None) for a in range(value.ndim))
        rest = [a for a in tiles.view.order if a not in leading]
        expected = value[at].transpose(np.argsort(np.argsort(rest)))
        assert np.array_equal(tile.reshape(expected.shape), expected)


def test_a_picture_of_one_channel_is_one_tile_wherever_the_channel_stands():
    for shape in ((28, 28, 1), (1, 28, 28)):
        layer, value = picture(*shape)
        tiles = tiles_of(layer, value)
        assert tiles is not None
        assert tiles.array.shape == (1, 28, 28)
        assert map_size(layer) == (28, 28)


def test_channels_last_is_believed_where_the_graph_knows_nothing():
    layer, value = picture(4, 5, 3)
    assert tiles_of(layer, value, channels_last=True).array.shape == (3, 4, 5)  # type: ignore[union-attr]
    assert tiles_of(layer, value).array.shape == (4, 5, 3)  # type: ignore[union-attr]
    assert view_of(layer, True).what == "channel"


def test_the_top_channels_are_those_of_most_energy():
    random = np.random.default_rng(3)
    value = random.standard_normal((9, 4, 4)).astype(F) * random.permutation(9)[:, None, None]
    layer = Layer("x", "Conv", value.shape, spatial=(0, 1, 2))
    tiles = tiles_of(layer, value, channels="top", limit=4)
    assert tiles is not None
    expected = np.argsort(-(value.astype(float) ** 2).sum((1, 2)), kind="stable")[:4]
    assert [i for (i,) in tiles.indices] == expected.tolist()
    assert tiles.statement == "4 of 9 channels, by energy"
    assert tiles_of(layer, value, channels="first", limit=4).statement == "4 of 9 channels, the first"  # type: ignore[union-attr]
    assert tiles_of(layer, value, channels="all", limit=4).statement == "all 9 channels"  # type: ignore[union-attr]


def test_energy_does_not_overflow_and_leaves_out_what_is_not_finite():
    tiles = np.array([[[1e200]], [[np.inf]], [[-2e200]], [[np.nan]]])
    assert np.argsort(-energy(tiles), kind="stable").tolist() == [2, 0, 1, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channels": "best"}, "channels is 'best'; expected first, top, all"),
        ({"channels": "top", "limit": 0}, "the limit of channels is 0; expected 1 or more"),
    ],
)
def test_wrong_choices_of_channels_are_refused(options: Any, message: str):
    with pytest.raises(Error, match=message):
        tiles_of(*picture(2, 2, 2), **options)


@given(n=st.integers(1, 400))
def test_a_folded_vector_is_the_vector(n: int):
    square = folded(np.arange(n))
    assert square.compressed().tolist() == list(range(n))
    assert square.shape[0] <= square.shape[1] <= square.shape[0] + 1


@pytest.mark.parametrize("diverging", [False, True])
@pytest.mark.parametrize("high", [1.0, 3e-300, 1.7e308])
def test_colours_are_matplotlibs(diverging: bool, high: float):
    scale = Scale(-high if diverging else 0.0, high, diverging)
    share = np.linspace(0, 1, 997)
    values = (2 * share - 1) * high if diverging else share * high
    ours = painted(values, scale)
    theirs = mpl.colormaps[scale.colormap](share, bytes=True)
    assert np.abs(ours.astype(int) - theirs).max() <= 12  # one shade of 256
    assert (ours == theirs).mean() > 0.95
    assert np.abs(painted(-values[::-1], scale).astype(int) - theirs).max() > 12 or diverging


def test_a_colour_tells_its_value():
    values = np.random.default_rng(1).uniform(-2, 2, 500)
    scale = scale_of([values])
    table = mpl.colormaps["RdBu_r"](np.arange(256), bytes=True)[:, :3].astype(int)
    shade = np.abs(painted(values, scale)[:, None, :3].astype(int) - table).sum(2).argmin(1)
    norm = Normalize(scale.low, scale.high)
    assert np.abs(norm(values) * 256 - 0.5 - shade).max() < 1.5


def test_gaps_are_transparent_and_what_is_not_finite_has_a_colour_of_its_own():
    image = np.ma.MaskedArray([0.0, np.nan, np.inf, -np.inf, np.nan], [False, False, False, False, True])
    colours = painted(image, Scale(0.0, 1.0, False))
    assert [tuple(c[:3]) for c in colours[1:4]] == [NOT_FINITE] * 3
    assert colours[:, 3].tolist() == [255, 255, 255, 255, 0]
    for name in ("viridis", "RdBu_r"):
        table = mpl.colormaps[name](np.arange(256), bytes=True)[:, :3].astype(int)
        assert np.abs(table - NOT_FINITE).sum(1).min() > 100


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ([[0.5, 2]], Scale(0, 2, False)),
        ([[-1, 3], [5]], Scale(-5, 5, True)),
        ([[-4, -2]], Scale(-4, 4, True)),
        ([[0, 0]], Scale(0, 0, False)),
        ([[7, 7]], Scale(0, 7, False)),
        ([[np.nan, np.inf], [1]], Scale(0, 1, False)),
        ([[np.nan]], Scale(0, 0, False)),
        ([[]], Scale(0, 0, False)),
        ([], Scale(0, 0, False)),
    ],
)
def test_limits_are_true(arrays: Any, expected: Scale):
    assert scale_of([np.array(a, float) for a in arrays]) == expected


def test_limits_leave_out_what_is_masked():
    assert limits(np.ma.MaskedArray([1.0, 99.0], [False, True])) == (1.0, 1.0)


HOSTILE = ["../../etc/passwd", ".hidden", "a/b\\c", "x" * 500, "A", "a", "CON", "", "\0\n", "畳み込み", "...", "$x$ %n"]


def test_names_of_files_are_safe_and_differ():
    names = [file_name(k, len(HOSTILE), name) for k, name in enumerate(HOSTILE)]
    assert len({n.lower() for n in names}) == len(HOSTILE)
    for name in names:
        assert len(name) < 100
        assert not name.startswith(".")
        assert not set(name) & set('/\\:*?"<>|\0\n ')
    assert names == sorted(names)
    assert file_name(7, 1001, "a") == "0007-a"
    assert safe("v1.5 of it", " ") == "v1.5 of it"
