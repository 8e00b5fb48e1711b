"""The inputs of a trace: each as it is, and with its share of the target's value laid over it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.attribution.trace import Explained
from onnx2graphml.draw.activations.overlay import flattened
from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.page import SMALL, Box, Image, Mark, Piece, Pixels, Rect, Text
from onnx2graphml.draw.photo import photo
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording.views import view_of

Floats = npt.NDArray[np.float64]

SIDE = 210  # pixels of a picture's longer side
GAP, TITLE = 14, 20  # pixels between pictures, and of the line above each
SHOWN = 0.995  # of the pixels, whose shares have colours of their own; the few that have more have the last one
GREY = 0.45  # how much of the picture is left below what is laid over it


def inputs(explained: Explained, colours: str) -> Piece:
    """The pictures of the first input layer that is one; nothing where none is."""
    graph = explained.graph
    last = graph.model is not None and graph.model.channels_last
    layers = (x for x in graph.layers if x.aggregation == "input" and view_of(x, last).form in ("map", "pictures"))
    layer = next(layers, None)
    if layer is None:
        return Piece(0, 0, ())
    share = _map(layer, explained.score, last)
    most = float(np.quantile(np.abs(share), SHOWN, method="higher"))
    scale = Scale(-most, most, True)
    marks: list[Mark] = []
    x, y = 0.0, 0.0
    names = [""] if len(explained.values) == 1 else ["first ", "second "]
    for name, values in zip(names, explained.values, strict=True):
        shown = _picture(layer, values, last, colours)
        for title, pixels in ((f"{name}input", shown), ("its share", laid_over(shown, share, scale))):
            image = _enlarged(pixels)
            high, wide = image.shape[:2]
            title = "the difference" if name and title == "its share" else title
            marks += [
                Text(x, y + TITLE - 6, title, SMALL),
                Image(x, y + TITLE, image),
                Rect(Box(x - 0.5, y + TITLE - 0.5, wide + 1, high + 1), None, "#909090"),
            ]
            y += TITLE + high + GAP
        x, y = x + SIDE + GAP, 0.0
    return Piece(x - GAP, 2 * (TITLE + SIDE + GAP), tuple(marks))


def laid_over(picture: Pixels, share: Floats, scale: Scale) -> Pixels:
    """A picture in light grey with the colours of values over it, the more of them the further these are from 0.

    Example:
        >>> picture = np.full((1, 2, 3), 255, np.uint8)
        >>> laid_over(picture, np.array([[0.0, 1.0]]), Scale(-1.0, 1.0, True))[0, 0].tolist()
        [255, 255, 255]
    """
    grey = 255 - GREY * (255 - picture.mean(axis=-1, keepdims=True))
    most = max(scale.high, np.finfo(np.float64).tiny)
    opacity = np.sqrt(np.minimum(np.abs(share) / most, 1))[..., None]
    return np.asarray(grey * (1 - opacity) + painted(share, scale)[..., :3] * opacity, np.uint8)


def _map(layer: Layer, values: Floats, last: bool) -> Floats:
    """The sums over the channels of a layer's values, as rows and columns."""
    return np.asarray(flattened(layer, values[layer.ids].reshape(layer.shape), last).sum(axis=0))


def _picture(layer: Layer, values: Floats, last: bool, colours: str) -> Pixels:
    flat = flattened(layer, values[layer.ids].reshape(layer.shape), last)
    if len(flat) == 3:
        return photo(flat, colours)
    return photo(np.broadcast_to(flat.mean(axis=0), (3, *flat.shape[1:])))


def _enlarged(pixels: Pixels) -> Pixels:
    """As large as there is room; each of the picture's pixels has as many of the page's, or one of several is shown."""
    rows, columns = pixels.shape[:2]
    scale = SIDE / max(rows, columns)
    high, wide = max(round(rows * scale), 1), max(round(columns * scale), 1)
    shown = pixels[np.arange(high) * rows // high][:, np.arange(wide) * columns // wide]
    return np.asarray(np.concatenate([shown, np.full((*shown.shape[:2], 1), 255, np.uint8)], axis=-1))
