"""Tensors of a network that is being made: their names, shapes and types are known before any array is read."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.uncovered import UncoveredError, require

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Value:
    """A tensor.

    Attributes:
        name: in ONNX.
        shape: the batch axis of size 1 included.
        dtype: of its elements.
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def axis(self, number: Any) -> int:
        """An axis counted from the front.

        Example:
            >>> Value("x", (1, 4, 3), np.dtype(np.float32)).axis(-1)
            2
        """
        require(isinstance(number, int) and -self.rank <= number < self.rank, f"the axis {number} of {self.shape}")
        return int(number) % self.rank


class Mask:
    """Which steps of a value count: computed once, when something asks for it.

    Args:
        make: what computes it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make

    @functools.cached_property
    def value(self) -> Value:
        """True where a step counts."""
        return self._make()


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape of an element-wise result.

    Example:
        >>> broadcast([(1, 4, 3), (3,)])
        (1, 4, 3)
    """
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError as error:
        raise UncoveredError(str(error)) from error
