"""What is drawn of tiles: maps side by side, a matrix with named axes, signals, bars, a photograph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onnx2graphml.draw.colours import Scale
from onnx2graphml.draw.matrix import Matrix
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.panel import Body
from onnx2graphml.draw.plots import Curve, Curves, Histogram, Ranking
from onnx2graphml.draw.tiles import Tiles, folded
from onnx2graphml.model import Array

BODIES: tuple[type[Body], ...] = (Mosaic, Matrix, Curve, Curves, Ranking, Histogram)
"""All kinds of drawings that panels have; a test asks for an example of each."""

FEW = 20  # values of a vector: up to there bars say all
SIGNALS = 8  # channels along one axis: up to there each has a line of its own
LONG = 4  # times as long as wide is what may be signals
TOP = 5
WIDE = 3.0  # width to height of a folded vector


def bodies_of(
    tiles: Tiles | None, scales: tuple[Scale, ...], names: Sequence[str] = (), ranked: bool = False
) -> tuple[Body, ...]:
    """The drawings of a layer's tiles.

    Args:
        scales: of their colours: one for all, or one for each.
        names: of a vector's values: classes.
        ranked: whether the largest values of a long vector are named, as those of a softmax.
    """
    if tiles is None:
        return ()
    if tiles.view.form == "vector":
        return _of_vector(np.ma.compressed(tiles.array), tiles, scales, names, ranked)
    labels = tuple(",".join(map(str, index)) for index in tiles.indices)
    if tiles.view.form == "lines":
        lines, labels = tiles.array[:, 0], tuple(str(index[-1]) for index in tiles.indices)
        if len(lines) <= SIGNALS and len(scales) == 1:
            return (Curves(lines, labels, scales[0], "position"),)
        if len(scales) == 1:
            return (Matrix(lines, scales[0], labels, (), "channel", "position", stretched=True),)
    if tiles.view.form == "map" and len(scales) == 1:
        rows, columns = (f"axis {axis}" for axis in tiles.view.order)
        n, m = tiles.array.shape[1:]
        if m <= SIGNALS and n >= LONG * m:
            return (Curves(tiles.array[0].T, tuple(map(str, range(m))), scales[0], rows),)
        return (Matrix(tiles.array[0], scales[0], (), (), rows, columns),)
    return (Mosaic(tiles.array, labels if len(labels) > 1 else (), scales),)


def _of_vector(
    values: Array, tiles: Tiles, scales: tuple[Scale, ...], names: Sequence[str], ranked: bool
) -> tuple[Body, ...]:
    if len(values) == 1:
        return (Mosaic(tiles.array, (), scales, marked=False),)
    if len(values) < FEW and names and np.min(values) >= 0:
        return (Ranking(tuple(names), tuple(values.tolist())),)
    curve = Curve(values, scales[0], (), "unit")
    if len(values) < FEW:
        return (curve,)
    if ranked:
        places = largest(values)
        labels = tuple(named(names, k) for k in places)
        return (curve, Ranking(labels, tuple(values[places].tolist())))
    return (curve, Mosaic(folded(values, WIDE)[None], (), scales, marked=False))


def any_colours(bodies: Sequence[Body]) -> bool:
    """Whether colours stand for values in some of the drawings."""
    return any(body.coloured for body in bodies)


def largest(values: Array) -> list[int]:
    """The positions of the `TOP` largest values, the largest first.

    Example:
        >>> largest(np.array([0.1, 0.7, 0.2]))
        [1, 2, 0]
    """
    finite = np.where(np.isfinite(values), values, -np.inf)
    return [int(k) for k in np.argsort(-finite.astype(np.float64), kind="stable")[:TOP]]


def named(names: Sequence[str], k: int) -> str:
    """What a unit is called: its class, or its number.

    Example:
        >>> named(["cat", "dog"], 1), named([], 281)
        ('dog', 'unit 281')
    """
    return names[k] if names else f"unit {k}"


def thumbnail(tiles: Tiles, scale: Scale) -> Mosaic:
    """The tiles alone, without labels: for many pictures side by side."""
    array = tiles.array[:, 0][None] if tiles.view.form == "lines" else tiles.array
    return Mosaic(array, (), (scale,), marked=False)
