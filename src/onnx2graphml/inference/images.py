"""Picture files as what goes in at a network's input: turned upright, resized, scaled, in the input's layout.

What would have to be guessed is refused: colours for a network of greys, transparency, which axes are rows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.graph.graph import Layer

Array = npt.NDArray[Any]

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
"""What Pillow may take a file for, whatever its suffix: it hands PostScript to a program that runs it."""
LARGEST = 50_000_000  # pixels
GREY = ("1", "L", "I;16", "I;16L", "I;16B")
ORIENTATION = 0x0112  # the EXIF entry
COLOURED = ("1", "L", "P", "PA", "LA", "RGB", "RGBA", "CMYK", "YCbCr")


def _from_0_to_1(x: Array) -> Array:
    return x / 255


def _from_minus_1_to_1(x: Array) -> Array:
    return x / 127.5 - 1


def _caffe(x: Array) -> Array:
    return np.asarray(x[..., ::-1] - np.array([103.939, 116.779, 123.68]))


def _imagenet(x: Array) -> Array:
    return np.asarray((x / 255 - np.array([0.485, 0.456, 0.406])) / np.array([0.229, 0.224, 0.225]))


PREPROCESS: dict[str, Callable[[Array], Array]] = {
    "0..1": _from_0_to_1,
    "-1..1": _from_minus_1_to_1,
    "caffe": _caffe,
    "imagenet": _imagenet,
    "none": lambda x: x,
}
"""From values 0 to 255, (row, column, channel).

`0..1` divides by 255. `-1..1` divides by 127.5 and subtracts 1: what Keras calls tf, for MobileNet and Inception.
`caffe` turns RGB into BGR and subtracts 103.939, 116.779, 123.68: Keras's caffe, for VGG and ResNet50. `imagenet`
divides by 255, subtracts 0.485, 0.456, 0.406 and divides by 0.229, 0.224, 0.225: Keras's torch, and torchvision.
"""
OF_COLOURS = ("caffe", "imagenet")


@dataclass(frozen=True, eq=False)
class Picture:
    """What a file became.

    Attributes:
        array: in the axes' order of the input's tensor, without a batch axis of 1, and in its type.
        done: what was done with the file, in words.
    """

    array: Array
    done: tuple[str, ...]


def read_image(path: Path, layer: Layer, preprocess: str = "0..1") -> Array:
    """A picture as an input's values: `open_picture(...).array`.

    Example:
        >>> read_image(Path("cat.jpg"), graph.layers[0], "caffe").shape  # doctest: +SKIP
        (3, 224, 224)
    """
    return open_picture(path, layer, preprocess).array


def open_picture(path: Path, layer: Layer, preprocess: str = "0..1") -> Picture:
    """A picture as an input's values, and what was done with it.

    It is turned as its EXIF says and resized to the input's rows and columns (bilinear, over the whole area where it
    shrinks; its sides are stretched where their ratio differs). Greys are repeated for a network of colours.

    Args:
        path: of a file that Pillow reads.
        layer: an input of the graph.
        preprocess: a key of `PREPROCESS`.

    Raises:
        Error: the file is missing, damaged, no picture or too large; it is in colours, or transparent, and the input
            takes none; or the input takes no pictures.
        MissingExtraError: Pillow is not installed.

    Example:
        >>> open_picture(Path("cat.jpg"), graph.layers[0]).done  # doctest: +SKIP
        ('resized from 640x480 to 224x224, which changes its proportions', 'scaled by 0..1')
    """
    if preprocess not in PREPROCESS:
        raise Error(f"preprocess is {preprocess!r}; expected {', '.join(PREPROCESS)}")
    form = picture_form(layer)
    if preprocess in OF_COLOURS and form.channels != 3:
        raise Error(f"preprocess {preprocess!r} is for 3 channels; input {layer.name!r} has shape {list(layer.shape)}")
    image, done = _opened(path, layer)
    pixels = _channels(path, image, layer, form, done)
    depth = 257 if pixels.dtype.itemsize == 2 else 1
    rows, columns = layer.shape[form.row], layer.shape[form.column]
    if pixels.shape[:2] != (rows, columns):
        high, wide = pixels.shape[:2]
        stretched = ", which changes its proportions" if wide * rows != high * columns else ""
        done.append(f"resized from {wide}x{high} to {columns}x{rows}{stretched}")
        pixels = _resized(pixels, rows, columns)
    done.append("left as 0 to 255" if preprocess == "none" else f"scaled by {preprocess}")
    return Picture(form.laid_out(PREPROCESS[preprocess](pixels.astype(np.float64) / depth), layer), tuple(done))


@dataclass(frozen=True)
class Form:
    """Which axes of an input are what; the channel is None where there is none."""

    channel: int | None
    row: int
    column: int
    channels: int

    def laid_out(self, pixels: Array, layer: Layer) -> Array:
        """Values (row, column, channel) in the order of the tensor's axes."""
        from_axis = {self.row: 0, self.column: 1, self.channel: 2}
        kept = pixels if self.channel is not None else pixels[..., 0]
        shown = kept.transpose([from_axis[a] for a in range(kept.ndim)])
        in_tensor = shown.transpose(np.argsort(layer.provenance.order)) if layer.provenance.order else shown
        return np.ascontiguousarray(in_tensor, layer.dtype)


def picture_form(layer: Layer) -> Form:
    """Which axes of an input are rows, columns and channels; as the graph knows it, or where there is but one way.

    Raises:
        Error: a picture does not fit it, or more than one way does.

    Example:
        >>> picture_form(Layer("x", "Input", (28, 28, 1)))
        Form(channel=2, row=0, column=1, channels=1)
    """
    shape, rank = layer.shape, len(layer.shape)
    if rank == 3 and len(layer.spatial) == 3:
        channel, row, column = layer.spatial
        ways = [channel]
    elif rank == 2 and not layer.spatial:
        return Form(None, 0, 1, 1)
    else:
        row, column = 0, 1
        ways = [a for a in (0, 2) if rank == 3 and shape[a] in (1, 3, 4)]
        row, column = (1, 2) if ways == [0] else (0, 1)
    expected = f"input {layer.name!r} has shape {list(shape)}"
    if len(ways) != 1:
        raise Error(f"{expected}, which is not plainly rows, columns and channels of a picture; give an .npy file")
    if shape[ways[0]] not in (1, 3, 4):
        raise Error(f"{expected}, with {shape[ways[0]]} channels; a picture has 1, 3 or 4: give an .npy file")
    return Form(ways[0], row, column, shape[ways[0]])


def _opened(path: Path, layer: Layer) -> tuple[Any, list[str]]:
    """The picture upright and loaded; what goes wrong in a damaged file is of any kind."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingExtraError("pillow", "plot") from None
    expected = f"expected a picture for input {layer.name!r} of shape {list(layer.shape)}"
    done: list[str] = []
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(path, formats=FORMATS) as image:
            _check_size(path, *image.size)
            if (frames := getattr(image, "n_frames", 1)) > 1:
                done.append(f"took the first of {frames} frames")
            if image.getexif().get(ORIENTATION, 1) != 1:
                done.append("turned upright as its EXIF says")
            return ImageOps.exif_transpose(image), done
    except Error:
        raise
    except FileNotFoundError:
        raise Error(f"{path}: no such file; {expected}") from None
    except Exception as e:
        why = (str(e) or type(e).__name__).splitlines()[0]
        raise Error(f"{path}: not a readable picture: {why}; {expected}") from None


def _check_size(path: Path, wide: int, high: int) -> None:
    if wide * high > LARGEST:
        raise Error(f"{path}: it is {wide}x{high}; expected at most {LARGEST:,} pixels: make it smaller first")


def _channels(path: Path, image: Any, layer: Layer, form: Form, done: list[str]) -> Array:
    """The picture as (row, column, channel), in 8 or 16 bits, with the input's number of channels."""
    alpha = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA")
    if image.mode in GREY and not alpha:
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)[..., None]
    elif image.mode in COLOURED:
        if image.mode not in ("RGB", "RGBA"):
            done.append(f"converted from {image.mode} to RGB")
        pixels = np.asarray(image.convert("RGBA" if alpha else "RGB"))
    else:
        raise Error(f"{path}: its pixels are of the kind {image.mode!r}; expected greys or colours of 8 or 16 bits")
    expected = f"input {layer.name!r} of shape {list(layer.shape)}"
    if form.channels == 4:
        if pixels.shape[2] != 4:
            raise Error(f"{path}: it has no transparency; {expected} takes 4 channels, red, green, blue and opacity")
        return pixels
    if pixels.shape[2] == 4:
        if (pixels[..., 3] != 255).any():
            raise Error(f"{path}: parts of it are transparent; {expected} takes none: lay it on a background first")
        pixels = pixels[..., :3]
    if form.channels == 3:
        if pixels.shape[2] == 1:
            done.append("repeated its greys as red, green and blue")
        return np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    if (pixels != pixels[..., :1]).any():
        raise Error(f"{path}: it is in colours; {expected} takes greys: convert it first")
    return pixels[..., :1]


def _resized(pixels: Array, rows: int, columns: int) -> Array:
    from PIL import Image

    bands = [Image.fromarray(np.ascontiguousarray(b, np.float32)) for b in np.moveaxis(pixels, 2, 0)]
    sized = [np.asarray(b.resize((columns, rows), Image.Resampling.BILINEAR)) for b in bands]
    return np.stack(sized, axis=2)
