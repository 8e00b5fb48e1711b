"""What the direct way leaves to the way through TensorFlow."""

from __future__ import annotations

from typing import Any


class UncoveredError(Exception):
    """A part of a model that the direct way does not know exactly; the user never sees it."""


def require(known: Any, what: str) -> None:
    """Leave the model to TensorFlow, unless that is known.

    Raises:
        UncoveredError: `known` is false.

    Example:
        >>> require(True, "a kernel of two dimensions")
    """
    if not known:
        raise UncoveredError(what)
