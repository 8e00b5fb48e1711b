"""What is refused for its size, before anything of that size is made: a file of 100 bytes can ask for terabytes."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from contextvars import ContextVar

from onnx2graphml.errors import TooLargeError

MOST_NEURONS = 1 << 53
"""Of a whole network. Larger ids are not whole numbers to those who read them as float64, as most programs do."""

MOST_ENTRIES = 1 << 22
"""Of the axes of all edges of a network without weights."""

BYTES_OF_ENTRY = 24
"""Its source, its target and its tap."""

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
        TooLargeError: it has more than `MOST_NEURONS`.

    Example:
        >>> check_neurons("x", (1, 3, 224, 224))
    """
    neurons = math.prod(shape)
    if neurons > MOST_NEURONS:
        raise TooLargeError(
            f"tensor {name!r} of shape {list(shape)} has {neurons:,} neurons; "
            f"a network may have {MOST_NEURONS:,} in all: give it a smaller input"
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


class Budget:
    """What the plan of a network may take in memory: the axes of its edges, and constants that are filled with a value.

    Args:
        own: elements that the model has itself.

    Example:
        >>> budget = Budget(0)
        >>> budget.take(1000)
    """

    def __init__(self, own: int) -> None:
        self._most, self._most_numbers = MOST_ENTRIES + ENTRIES_FROM_ONE * own, most_folded(own)
        self._entries, self._numbers = 0, 0

    def take(self, entries: int) -> None:
        """Count entries of axes.

        Raises:
            TooLargeError: they are more than a model of its size may have.
        """
        self.check_room(entries)
        self._entries += entries

    def check_room(self, entries: int) -> None:
        """Refuse entries before they are made."""
        total = self._entries + entries
        if total > self._most:
            raise TooLargeError(
                f"with it, the network's edges run along {total:,} positions, which take {_megabytes(total):,} MB; "
                f"a model of its size may take {_megabytes(self._most):,} MB: give it a smaller input"
            )

    def take_numbers(self, numbers: int) -> None:
        """Count numbers of constants that are filled with one value, where all must be in memory.

        Raises:
            TooLargeError: they are more than a model of its size may have.
        """
        self._numbers += numbers
        check_folded(self._numbers, self._most_numbers)


_room: ContextVar[Budget | None] = ContextVar("room", default=None)


@contextlib.contextmanager
def within(budget: Budget) -> Iterator[None]:
    """Inside, what is made of a model asks this budget; see `ask`."""
    token = _room.set(budget)
    try:
        yield
    finally:
        _room.reset(token)


def ask(entries: int) -> None:
    """Refuse an array of integers, or of as many other numbers, before it is made; where there is no budget, never.

    Raises:
        TooLargeError: the plan of the network would take more memory than it may.

    Example:
        >>> ask(10**15)
        >>> with within(Budget(0)):
        ...     ask(1000)
    """
    budget = _room.get()
    if budget is not None:
        budget.check_room(entries)


def _megabytes(entries: int) -> int:
    return entries * BYTES_OF_ENTRY // 1_000_000


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
