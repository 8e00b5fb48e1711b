"""Full shapes of a framework model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onnx2graphml.errors import ModelError
from onnx2graphml.model.static import PICTURE_SIDE, shape_option, suggested


def static_shapes(known: Mapping[str, Any], shapes: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    """Fully static shapes of the inputs, batch 1, by name.

    Args:
        known: shapes, batch included and None where unknown, and dtypes, by input name.
        shapes: what the user gave, in full, by input name.

    Raises:
        ModelError: a shape remains unknown, or was given for no input, or contradicts the known one.

    Example:
        >>> static_shapes({"x": ((None, 8, 8, 1), "float32")}, {})
        {'x': (1, 8, 8, 1)}
    """
    for name in shapes.keys() - known.keys():
        raise ModelError(f"got a shape for '{name}', but the model's inputs are {', '.join(known)}")
    found = {}
    for name, (shape, _) in known.items():
        static = tuple(shapes.get(name, (1, *shape[1:]) if shape else ()))
        if None in static or not static:
            sizes = suggested((1, *shape[1:])) if shape else (1, PICTURE_SIDE, PICTURE_SIDE, 3)
            got = shape or "of unknown rank"
            raise ModelError(
                f"the input '{name}' has the shape {got}: give all of it, as in {shape_option(name, sizes)}"
            )
        expected = (1, *shape[1:]) if shape else (1, *static[1:])
        fits = len(static) == len(expected) and all(e in (s, None) for s, e in zip(static, expected, strict=True))
        if not fits or min(static) < 1:
            raise ModelError(f"got the shape {static} for the input '{name}', expected {expected}")
        found[name] = static
    return found
