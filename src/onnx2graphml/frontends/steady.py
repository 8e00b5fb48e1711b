"""Sets that keep the order in which they were filled, for a converter that goes through its sets."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator, MutableSet
from typing import Any


class OrderedSet(MutableSet[Any]):
    """What `set` is, but for its order.

    Example:
        >>> list(OrderedSet("banana") | OrderedSet("split"))
        ['b', 'a', 'n', 's', 'p', 'l', 'i', 't']
    """

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        self._elements = dict.fromkeys(elements)

    def __contains__(self, element: object) -> bool:
        return element in self._elements

    def __iter__(self) -> Iterator[Any]:
        return iter(self._elements)

    def __len__(self) -> int:
        return len(self._elements)

    def add(self, value: Any) -> None:
        self._elements[value] = None

    def discard(self, value: Any) -> None:
        self._elements.pop(value, None)

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            self._elements |= dict.fromkeys(other)

    def union(self, *others: Iterable[Any]) -> OrderedSet:
        joined = OrderedSet(self)
        joined.update(*others)
        return joined

    def intersection(self, other: Iterable[Any]) -> OrderedSet:
        return OrderedSet(self & OrderedSet(other))

    def difference(self, other: Iterable[Any]) -> OrderedSet:
        return OrderedSet(self - OrderedSet(other))

    def issubset(self, other: Iterable[Any]) -> bool:
        return self <= OrderedSet(other)


@contextlib.contextmanager
def ordered_sets(package: str) -> Iterator[None]:
    """With `set` meaning `OrderedSet` in all modules of a package that are loaded.

    The order of a set of names is another one in each process, and with it what tf2onnx makes of a model.
    """
    modules = [m for name, m in sys.modules.items() if f"{name}.".startswith(f"{package}.") and "set" not in vars(m)]
    for module in modules:
        vars(module)["set"] = OrderedSet
    try:
        yield
    finally:
        for module in modules:
            del vars(module)["set"]
