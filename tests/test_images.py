"""Picture files as patterns: what is done with them, and what is refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.graph.graph import Layer, Provenance
from onnx2graphml.inference import images
from onnx2graphml.inference.images import PREPROCESS, open_picture, picture_form, read_image

RGB_FIRST = Layer("x", "Input", (3, 4, 6), spatial=(0, 1, 2), provenance=Provenance(order=(0, 1, 2)))
RGB_LAST = Layer("x", "Input", (4, 6, 3), spatial=(2, 0, 1), provenance=Provenance(order=(0, 1, 2)))
SHOWN_LAST = Layer(
    "x", "Input", (4, 6, 3), spatial=(2, 0, 1), provenance=Provenance(order=(1, 2, 0))
)  # the tensor has channels first
GREY = Layer("x", "Input", (4, 6), provenance=Provenance(order=(0, 1)))
GREY_LAST = Layer("x", "Input", (4, 6, 1), spatial=(2, 0, 1), provenance=Provenance(order=(0, 1, 2)))
RGBA = Layer("x", "Input", (4, 4, 6), spatial=(0, 1, 2), provenance=Provenance(order=(0, 1, 2)))


def rgb(rows: int = 4, columns: int = 6, channels: int = 3) -> Any:
    return np.random.default_rng(0).integers(0, 256, (rows, columns, channels), np.uint8)


def saved(tmp_path: Path, array: Any, name: str = "p.png", mode: str | None = None, **options: Any) -> Path:
    image = Image.fromarray(array)
    (image.convert(mode) if mode else image).save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("layer", [RGB_FIRST, RGB_LAST, SHOWN_LAST])
def test_every_layout(tmp_path: Path, layer: Layer):
    pixels = rgb()
    got = read_image(saved(tmp_path, pixels), layer, "none")
    assert np.array_equal(got, pixels if layer is RGB_LAST else pixels.transpose(2, 0, 1))
    assert got.dtype == np.float32


MEANS = {"caffe": (123.68, 116.779, 103.939), "imagenet": (0.485, 0.456, 0.406)}


@pytest.mark.parametrize("name", PREPROCESS)
def test_what_preprocessing_does(tmp_path: Path, name: str):
    pixels = rgb().astype(float)
    got = read_image(saved(tmp_path, rgb()), RGB_LAST, name)
    expected = {
        "0..1": pixels / 255,
        "-1..1": pixels / 127.5 - 1,
        "caffe": (pixels - MEANS["caffe"])[..., [2, 1, 0]],
        "imagenet": (pixels / 255 - MEANS["imagenet"]) / (0.229, 0.224, 0.225),
        "none": pixels,
    }[name]
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("layer", [GREY, GREY_LAST])
def test_greys(tmp_path: Path, layer: Layer):
    pixels = rgb(channels=1)[..., 0]
    assert np.array_equal(read_image(saved(tmp_path, pixels), layer, "none").reshape(4, 6), pixels)
    repeated = np.repeat(pixels[..., None], 3, 2)
    assert np.array_equal(read_image(saved(tmp_path, repeated), layer, "none").reshape(4, 6), pixels)


def test_greys_for_a_network_of_colours(tmp_path: Path):
    pixels = rgb(channels=1)[..., 0]
    found = open_picture(saved(tmp_path, pixels), RGB_LAST, "none")
    assert np.array_equal(found.array, np.repeat(pixels[..., None], 3, 2))
    assert found.done == ("repeated its greys as red, green and blue", "left as 0 to 255")


def test_16_bits_keep_their_precision(tmp_path: Path):
    pixels = np.random.default_rng(0).integers(0, 65536, (4, 6), np.uint16)
    got = read_image(saved(tmp_path, pixels), GREY)
    np.testing.assert_allclose(got, pixels / 65535, rtol=1e-6)
    assert len(np.unique(got)) > 20


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK", "L"])
def test_kinds_of_pixels(tmp_path: Path, mode: str):
    path = saved(tmp_path, rgb(), "p.tif" if mode == "CMYK" else "p.png", mode)
    found = open_picture(path, RGB_LAST, "none")
    with Image.open(path) as image:
        assert image.mode == mode
        expected = np.asarray(image.convert("RGB"))
    assert np.array_equal(found.array, expected)
    if mode in ("P", "LA", "CMYK"):
        assert f"converted from {mode} to RGB" in found.done


def test_opacity_goes_in_where_the_network_takes_it(tmp_path: Path):
    pixels = rgb(channels=4)
    assert np.array_equal(read_image(saved(tmp_path, pixels), RGBA, "none"), pixels.transpose(2, 0, 1))


def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it clockwise
    path = saved(tmp_path, rgb(6, 4), exif=exif)
    found = open_picture(path, RGB_LAST, "none")
    assert np.array_equal(found.array, np.rot90(rgb(6, 4), -1))
    assert "turned upright as its EXIF says" in found.done


def test_the_first_frame_counts(tmp_path: Path):
    frames = [Image.fromarray(np.full((4, 6), v, np.uint8)) for v in (10, 200)]
    frames[0].save(tmp_path / "p.gif", save_all=True, append_images=frames[1:])
    found = open_picture(tmp_path / "p.gif", GREY, "none")
    assert (found.array == 10).all()
    assert "took the first of 2 frames" in found.done


def test_resizing_is_said(tmp_path: Path):
    found = open_picture(saved(tmp_path, rgb(8, 12)), RGB_LAST)
    assert found.done == ("resized from 12x8 to 6x4", "scaled by 0..1")
    found = open_picture(saved(tmp_path, rgb(8, 8)), RGB_LAST)
    assert found.done[0] == "resized from 8x8 to 6x4, which changes its proportions"


def test_resizing_keeps_values_and_place(tmp_path: Path):
    ramp = np.tile(np.linspace(0, 240, 60).round().astype(np.uint8), (40, 1))
    got = read_image(saved(tmp_path, ramp), GREY, "none")
    np.testing.assert_allclose(got, ramp.reshape(4, 10, 6, 10).mean((1, 3)), atol=8)
    assert (np.diff(got, axis=1) > 30).all()
    flat = read_image(saved(tmp_path, np.full((13, 17), 77, np.uint8)), GREY, "none")
    np.testing.assert_allclose(flat, 77, rtol=1e-5)


def transparent() -> Any:
    pixels = rgb(channels=4)
    pixels[..., 3] = 255
    pixels[0, 0, 3] = 254
    return pixels


@pytest.mark.parametrize(
    ("array", "layer", "message"),
    [
        (rgb(), GREY, "it is in colours; input 'x' of shape .4, 6. takes greys: convert it first"),
        (transparent(), RGB_LAST, "parts of it are transparent; .* lay it on a background first"),
        (rgb(), RGBA, "it has no transparency; .* takes 4 channels"),
    ],
)
def test_what_would_have_to_be_guessed_is_refused(tmp_path: Path, array: Any, layer: Layer, message: str):
    with pytest.raises(Error, match=message):
        read_image(saved(tmp_path, array), layer)


def test_a_transparent_colour_of_a_palette_is_seen(tmp_path: Path):
    pixels = np.zeros((4, 6), np.uint8)
    pixels[1] = 1
    image = Image.fromarray(pixels).convert("P")
    image.save(tmp_path / "p.png", transparency=1)
    with pytest.raises(Error, match="parts of it are transparent"):
        read_image(tmp_path / "p.png", RGB_LAST)


@pytest.mark.parametrize(
    ("shape", "spatial", "message"),
    [
        ((784,), (), "has shape .784., which is not plainly rows, columns and channels"),
        ((3, 8, 3), (), "not plainly rows"),
        ((7, 8, 9), (), "not plainly rows"),
        ((2, 8, 9), (0, 1, 2), "with 2 channels; a picture has 1, 3 or 4"),
        ((3, 4, 8, 9), (0, 1, 2, 3), "not plainly rows"),
        ((60, 3), (1, 0), "not plainly rows"),
    ],
)
def test_inputs_that_take_no_pictures(shape: tuple[int, ...], spatial: tuple[int, ...], message: str):
    with pytest.raises(Error, match=message):
        picture_form(Layer("x", "Input", shape, spatial=spatial))


@pytest.mark.parametrize(("shape", "channel"), [((3, 8, 9), 0), ((8, 9, 3), 2), ((1, 8, 9), 0), ((8, 9, 4), 2)])
def test_the_one_way_that_a_picture_fits(shape: tuple[int, ...], channel: int):
    assert picture_form(Layer("x", "Input", shape)).channel == channel


def test_preprocessing_of_colours_needs_colours(tmp_path: Path):
    with pytest.raises(Error, match=r"preprocess 'caffe' is for 3 channels; input 'x' has shape .4, 6."):
        read_image(saved(tmp_path, rgb()), GREY, "caffe")
    with pytest.raises(Error, match=r"preprocess is 'tf'; expected 0..1, -1..1, caffe, imagenet, none"):
        read_image(saved(tmp_path, rgb()), RGB_LAST, "tf")


def damaged(path: Path, kind: str) -> None:
    whole = path.read_bytes()
    path.write_bytes({"empty": b"", "text": b"not a picture", "cut": whole[: len(whole) // 2]}[kind])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["empty", "text", "cut"])
@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "bmp", "tif", "webp"])
def test_damaged_files(tmp_path: Path, kind: str, suffix: str):
    path = saved(tmp_path, rgb(40, 60), f"p.{suffix}")
    damaged(path, kind)
    with pytest.raises(Error, match="not a readable picture") as caught:
        read_image(path, RGB_LAST)
    assert "\n" not in str(caught.value)
    assert f"of shape {list(RGB_LAST.shape)}" in str(caught.value)


def test_missing_files_and_folders(tmp_path: Path):
    with pytest.raises(Error, match=r"none.png: no such file; expected a picture for input 'x' of shape \["):
        read_image(tmp_path / "none.png", RGB_LAST)
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(Error, match="not a readable picture"):
        read_image(tmp_path / "folder.png", RGB_LAST)


def header_only(path: Path, wide: int, high: int) -> None:
    """A PNG file that says how large it is, and holds nothing."""
    chunks = [b"IHDR" + struct.pack(">IIBBBBB", wide, high, 1, 0, 0, 0, 0), b"IDAT"]
    framed = [struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(framed))


def test_a_picture_that_would_fill_the_memory(tmp_path: Path, recwarn: pytest.WarningsRecorder):
    header_only(tmp_path / "bomb.png", 10_000, 9_500)
    with pytest.raises(Error, match="it is 10000x9500; expected at most 50,000,000 pixels: make it smaller first"):
        read_image(tmp_path / "bomb.png", RGB_LAST)
    header_only(tmp_path / "bomb.png", 60_000, 60_000)
    with pytest.raises(Error, match=r"not a readable picture: .*exceeds limit"):
        read_image(tmp_path / "bomb.png", RGB_LAST)
    assert not recwarn.list


def test_pixels_of_other_kinds(tmp_path: Path):
    saved(tmp_path, np.zeros((4, 6), np.float32), "p.tif")
    with pytest.raises(Error, match="its pixels are of the kind 'F'; expected greys or colours of 8 or 16 bits"):
        read_image(tmp_path / "p.tif", GREY)


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "PIL", None)
    with pytest.raises(MissingExtraError, match=r"onnx2graphml\[plot\]"):
        images.read_image(tmp_path / "p.png", RGB_LAST)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 2 2\n(harm) (w) file closefile\n%%EOF\n"


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_a_program_is_no_picture(tmp_path: Path, suffix: str):
    """Pillow hands PostScript to Ghostscript, whatever the file is called."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(POSTSCRIPT)
    with Image.open(path) as image:
        assert image.format == "EPS"  # what this is about
    with pytest.raises(Error, match="not a readable picture: cannot identify image file"):
        read_image(path, RGB_LAST)
