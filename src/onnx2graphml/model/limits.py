"""What is refused for its size, before anything of that size is made: a file of 100 bytes can ask for terabytes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from onnx2graphml.errors import TooLargeError

MOST_NEURONS = 1 << 31
"""Of a whole network. Most layers take a byte for each of them or less, in arrays of numbers."""

LONGEST_DIMENSION = 1 << 23
"""Of a tensor of neurons. A layer keeps some 32 bytes for each position along a dimension."""

MOST_ENTRIES = 1 << 24
"""Of the axes of all edges of a network without weights. Each takes 24 bytes."""

ENTRIES_FROM_ONE = 64
"""So many more for each element that the model has itself."""

MOST_FOLDED = 1 << 24
"""Elements of all tensors together that are computed from constants, for a model without any of its own."""

FOLDED_FROM_ONE = 8
"""So many more for each element that the model has itself."""

MOST_NODES = 1 << 20
"""Of a model whose functions are inlined."""

MOST_PARTS = 1 << 15
"""Nodes that are made in the place of others: of loops that are unrolled, above all."""

LARGEST_FILE = (1 << 31) - 1
"""Bytes of an ONNX file: what its format, Protocol Buffers, can hold."""


def check_neurons(name: str, shape: Sequence[int]) -> None:
    """Refuse a tensor of neurons that is too large.

    Args:
        name: of the tensor.
        shape: of any rank; sizes of any magnitude.

    Raises:
        TooLargeError: too many neurons, or too long a dimension.

    Example:
        >>> check_neurons("x", (1, 3, 224, 224))
    """
    neurons = math.prod(shape)
    if neurons > MOST_NEURONS:
        raise TooLargeError(
            f"tensor {name!r} of shape {list(shape)} has {neurons:,} neurons; "
            f"a network may have {MOST_NEURONS:,} in all: give it a smaller input"
        )
    if neurons and max(shape, default=0) > LONGEST_DIMENSION:
        raise TooLargeError(
            f"tensor {name!r} of shape {list(shape)} has a dimension of {max(shape):,}; "
            f"the longest may be {LONGEST_DIMENSION:,}: give it a smaller input"
        )


def check_all_neurons(neurons: int) -> None:
    """Refuse a network that has too many of them.

    Raises:
        TooLargeError: they are more than `MOST_NEURONS`.

    Example:
        >>> check_all_neurons(14_000_000)
    """
    if neurons > MOST_NEURONS:
        raise TooLargeError(
            f"the network has {neurons:,} neurons; it may have {MOST_NEURONS:,} in all: give it a smaller input"
        )


def most_folded(own: int) -> int:
    """How many elements a model with so many of its own may have computed from constants.

    Example:
        >>> most_folded(0), most_folded(1_000_000)
        (16777216, 24777216)
    """
    return MOST_FOLDED + FOLDED_FROM_ONE * own


def check_folded(elements: int, most: int = MOST_FOLDED) -> None:
    """Refuse to compute constants of so many elements.

    Args:
        elements: of all constants that have been computed, and of those that are about to be.

    Raises:
        TooLargeError: they are more than `most`.

    Example:
        >>> check_folded(1000)
    """
    if elements > most:
        raise TooLargeError(
            f"with its output, the tensors computed from constants have {elements:,} elements; "
            f"they may have {most:,}: store such weights in the file instead"
        )


def check_entries(entries: int, own: int) -> None:
    """Refuse edges whose axes have so many entries.

    Args:
        entries: of the axes of all layers so far.
        own: elements that the model has.

    Raises:
        TooLargeError: they are more than a model of its size may have.

    Example:
        >>> check_entries(1000, 0)
    """
    most = MOST_ENTRIES + ENTRIES_FROM_ONE * own
    if entries > most:
        raise TooLargeError(
            f"with it, the network's edges run along {entries:,} positions; a model of its size may have {most:,}: "
            f"give it a smaller input"
        )


def check_nodes(nodes: int) -> None:
    """Refuse a model of so many nodes.

    Raises:
        TooLargeError: they are more than `MOST_NODES`.

    Example:
        >>> check_nodes(1000)
    """
    if nodes > MOST_NODES:
        raise TooLargeError(
            f"with its functions inlined, the model has {nodes:,} nodes; it may have {MOST_NODES:,}: "
            f"export it without functions that call each other over and over"
        )


def check_parts(parts: int) -> None:
    """Refuse to replace nodes by so many others.

    Raises:
        TooLargeError: they are more than `MOST_PARTS`.

    Example:
        >>> check_parts(1000)
    """
    if parts > MOST_PARTS:
        raise TooLargeError(
            f"unrolled, the model's loops and composite operators are more than {MOST_PARTS:,} nodes: "
            f"give it a shorter sequence"
        )
