"""Names of tensors, nodes and layers, none of which may occur twice."""

from __future__ import annotations

from collections.abc import Iterable


class Names:
    """Names that are given once; the next one of a kind is numbered, at the same cost however many there are.

    Args:
        taken: names that are given already.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._next: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name, numbered if it is taken; it is taken from now on.

        Example:
            >>> names = Names()
            >>> names.unique("a"), names.unique("a"), names.unique("a")
            ('a', 'a_1', 'a_2')
        """
        free, number = name, self._next.get(name, 1)
        while free in self._taken:
            free, number = f"{name}_{number}", number + 1
        self._next[name] = number
        self._taken.add(free)
        return free
