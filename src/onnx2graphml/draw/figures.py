"""Figures: made without global state, written whole and with the same bytes each time."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.draw.colours import Scale, painted
from onnx2graphml.draw.lettering import printable
from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.files.atomic_file import atomic

KINDS = ("png", "svg", "pdf")
DPI = 150
SMALL, NORMAL, LARGE = 7, 8, 10  # points

METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
PLAIN = {"svg.hashsalt": "onnx2graphml", "text.parse_math": False, "text.usetex": False, "savefig.bbox": None}


def figure(width: float, height: float) -> Any:
    """An empty `matplotlib.figure.Figure` on white.

    Args:
        width, height: inches; 150 pixels to the inch.

    Raises:
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> figure(4, 3).get_size_inches().tolist()
        [4.0, 3.0]
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    return Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout=None)


def save(figure: Any, path: Path) -> None:
    """Write a figure in the kind that its path ends with: whole or not at all, the same bytes each time.

    Raises:
        Error: the path has another suffix.
        OutputError: it can't be written.

    Example:
        >>> save(figure(4, 3), Path("empty.png"))  # doctest: +SKIP
    """
    import matplotlib as mpl

    kind = path.suffix.lower().removeprefix(".")
    if kind not in KINDS:
        raise Error(f"{path}: pictures are written as {', '.join(KINDS)}; give one of these suffixes")
    with atomic(path) as file, mpl.rc_context(PLAIN), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box stands for it; the manifest has the name
        figure.savefig(file, format=kind, dpi=DPI, metadata=METADATA[kind])


def check_kind(kind: str) -> None:
    """`Error` unless it is one of `KINDS`."""
    if kind not in KINDS:
        raise Error(f"kind is {kind!r}; expected {', '.join(KINDS)}")


def write(target: Any, x: float, y: float, text: str, size: float = NORMAL, **kwargs: Any) -> Any:
    """Text on a figure or on axes, as it stands: a dollar sign begins no formula, what can't be shown is a number."""
    return target.text(x, y, printable(text), size=size, parse_math=False, **kwargs)


def colour_bar(figure: Any, axes: Any, scale: Scale, names: Sequence[str] = ()) -> None:
    """A bar of a scale's colours to the right of axes, as high as they are, with the limits and what lies between.

    The figure must have 0.75 inches of room there.

    Args:
        names: what is written instead of numbers, at even distances from the lower end to the upper.
    """
    place = axes.get_position()
    inch = 1 / figure.get_size_inches()[0]
    bar = figure.add_axes((place.x1 + 0.1 * inch, place.y0, 0.12 * inch, place.height))
    values = np.linspace(scale.low, scale.high, 256)
    bar.imshow(painted(values[:, None], scale), aspect="auto", origin="lower", extent=(0, 1, 0, 1))
    bar.set_xticks([])
    high = place.height * figure.get_size_inches()[1]
    ticks = bar_ticks(scale, high)
    if names:
        ticks = [(k / (len(names) - 1), name) for k, name in enumerate(names)]
    bar.yaxis.tick_right()
    bar.set_yticks([t for t, _ in ticks], [text for _, text in ticks], size=SMALL, parse_math=False)
    bar.tick_params(length=2, pad=2)


def bar_ticks(scale: Scale, inches: float) -> list[tuple[float, str]]:
    """The places on a bar, 0 to 1, that say their value: both limits, and the middle if there is room.

    Example:
        >>> bar_ticks(Scale(-2.0, 2.0, True), 1.0)
        [(0.0, '-2'), (0.5, '0'), (1.0, '2')]
    """
    if scale.low == scale.high:
        return [(0.5, number(scale.low))]
    middle = [(0.5, number(scale.low / 2 + scale.high / 2))] if inches > 0.5 else []
    return [(0.0, number(scale.low)), *middle, (1.0, number(scale.high))]


def number(value: float) -> str:
    """A number as short as four digits are.

    Example:
        >>> number(0.123456), number(1e-9), number(-0.0)
        ('0.1235', '1e-09', '0')
    """
    return f"{value + 0.0:.4g}"


def shortened(name: str, most: int) -> str:
    """A name of at most so many characters, with an ellipsis in the middle where it was longer.

    Example:
        >>> shortened("block1_conv1", 12), shortened("a_very_long_name", 9)
        ('block1_conv1', 'a_ve…name')
    """
    name = printable(name)
    if len(name) <= most:
        return name
    tail = (most - 1) // 2
    return f"{name[: most - 1 - tail]}…{name[len(name) - tail :]}"
