"""What is shown of a layer's value: its tiles, what their colours mean, and what is to be said about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.draw.bodies import FEW, any_colours, bodies_of, largest, named
from onnx2graphml.draw.colours import Scale, scale_of
from onnx2graphml.draw.mosaic import Mosaic, constant, dead
from onnx2graphml.draw.panel import Body, Panel, described, shape_text
from onnx2graphml.draw.photo import photo
from onnx2graphml.draw.plots import Ranking
from onnx2graphml.draw.tiles import Tiles
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Array
from onnx2graphml.text import number


@dataclass(frozen=True, eq=False)
class LayerPicture:
    """What is shown of a layer.

    Attributes:
        layer: which.
        value: all that it came to, in its shape.
        tiles: the arrays drawn, and which channels they are.
        scales: of the colours: one for all tiles, or one for each.
        file: the picture's name in its folder.
        colours: how an input of three channels is shown: `rgb` or `bgr`; empty where it is no photograph.
        classes: names of the layer's units; empty where they are not known.
    """

    layer: Layer
    value: Array
    tiles: Tiles | None
    scales: tuple[Scale, ...]
    file: str
    colours: str = ""
    classes: tuple[str, ...] = ()

    @property
    def top(self) -> list[tuple[int, str, float]]:
        """Of a softmax, or of units with names: the five largest values; position, name and value."""
        if self.tiles is None or self.tiles.view.form != "vector" or not (self.classes or is_softmax(self.layer)):
            return []
        values = self.value.ravel()
        return [(k, named(self.classes, k), float(values[k])) for k in largest(values)]

    @property
    def notes(self) -> list[str]:
        """What the picture has to say of what is in it and what is not, a line each."""
        if self.tiles is None:
            return ["no neurons"]
        if self.colours:
            return [_photo_note(self.value, self.colours), *_not_finite(self.value)]
        said = [self.tiles.statement]
        if self.tiles.view.form == "vector":
            said = [_vector_note(self.value, bool(self.top)), _top_note(self.top)]
        else:
            for count, sign, what in (
                (int(dead(self.tiles.array).sum()), "×", "zero everywhere"),
                (int(constant(self.tiles.array).sum()), "□", "one value everywhere"),
            ):
                if count:
                    many = f": {count:,} of {len(self.tiles.array):,} shown" if len(self.tiles.array) > 1 else ""
                    said.append(f"{sign} {what}{many}")
        return [*[s for s in said if s], *_not_finite(self.value)]

    def panel(self, large: bool = False) -> Panel:
        """As a panel; on a page of its own with operator and ids."""
        subtitle = described(self.layer) if large else shape_text(self.layer)
        bodies = self._bodies()
        scales = self.scales if any_colours(bodies) and not self.colours else ()
        drawn = _top_note(self.top) if any(isinstance(body, Ranking) for body in bodies) else ""
        return Panel(self.layer.name, subtitle, bodies, scales, tuple(note for note in self.notes if note != drawn))

    def _bodies(self) -> tuple[Body, ...]:
        if self.colours and self.tiles is not None:
            return (Mosaic(photo(self.tiles.array, self.colours)[None]),)
        return bodies_of(self.tiles, self.scales, self.classes, bool(self.top))

    def entry(self) -> dict[str, Any]:
        """What the manifest tells of it."""
        limits = [{"low": s.low, "high": s.high, "diverging": s.diverging} for s in self.scales]
        shown = {"tiles": [list(i) for i in self.tiles.indices], "of": self.tiles.of} if self.tiles else {}
        top = [{"unit": k, "name": name, "value": value} for k, name, value in self.top]
        more = {"top": top} if top else {}
        return {**layer_entry(self.layer), "file": self.file, "scales": limits, "notes": self.notes, **shown, **more}


def scales_of(tiles: Tiles | None, value: Array, each: bool, whole: Scale | None = None) -> tuple[Scale, ...]:
    """The scales of a layer's tiles.

    Args:
        each: a scale for each tile; all part at zero if one of them does.
        whole: the scale of all, if that is given.
    """
    if whole is not None:
        return (whole,)
    if not each or tiles is None or len(tiles.array) == 1:
        return (scale_of([value]),)
    scales = [scale_of([tile]) for tile in tiles.array]
    if any(s.diverging for s in scales):
        scales = [Scale(-s.high, s.high, True) for s in scales]
    return tuple(scales)


def is_photo(layer: Layer, tiles: Tiles | None) -> bool:
    """Whether a layer is an input of three channels with rows and columns."""
    return layer.aggregation == "input" and tiles is not None and tiles.view.form == "pictures" and tiles.of == 3


def is_softmax(layer: Layer) -> bool:
    """Whether a layer's values are those of a softmax.

    Example:
        >>> is_softmax(Layer("probs", "Softmax", (10,)))
        True
    """
    return layer.op == "Softmax" or any(a.op == "Softmax" for a in layer.activation)


def _photo_note(value: Array, colours: str) -> str:
    finite = value[np.isfinite(value)]
    low, high = (number(float(f(finite))) if finite.size else "nothing" for f in (np.min, np.max))
    order = "red, green and blue" if colours == "rgb" else "blue, green and red"
    return f"its channels as {order}; values from {low} to {high}"


def _vector_note(value: Array, ranked: bool) -> str:
    if value.size == 1:
        return f"the value is {value.ravel()[0]!s}"
    return "" if value.size < FEW or ranked else "above by position; below the same, row by row"


def _top_note(top: list[tuple[int, str, float]]) -> str:
    return f"largest: {', '.join(f'{name} {number(value)}' for _, name, value in top)}" if top else ""


def _not_finite(value: Array) -> list[str]:
    counts = {"NaN": np.isnan(value), "+inf": np.isposinf(value), "-inf": np.isneginf(value)}
    found = [f"{mask.sum():,} {name}" for name, mask in counts.items() if mask.any()]
    return [f"magenta: {', '.join(found)}, of {value.size:,} values"] if found else []
