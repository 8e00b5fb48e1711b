"""The axes of tensors: which are channels, rows and columns, and in which order the framework shows them.

Operators on pictures have their axes in a fixed order; from there the knowledge goes along the axes that other
operators carry on, forwards and backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Traits:
    """How a tensor's axes follow from those of the tensor it is computed from.

    Attributes:
        ndim: the rank of the tensor.
        source: the first computed input; empty for an input of the network.
        axes: per axis, the source's axis that it carries on, or None; empty where nothing is known.
        spatial: whether the axes are (batch, channel, spatial...), and those of the source are, too.
        rearranged: whether the exporter, not the user, changed the order of axes here.
    """

    ndim: int
    source: str = ""
    axes: tuple[int | None, ...] = ()
    spatial: bool = False
    rearranged: bool = False


Roles = tuple[int | None, ...]
"""Per axis: 0 for the batch, 1 for channels, 2 and up for spatial dimensions; None where it is not known."""


def roles(tensors: Mapping[str, Traits]) -> dict[str, Roles]:
    """The roles of all tensors' axes; a tensor of which nothing is known is missing."""
    known: dict[str, Roles] = {}
    for name, t in tensors.items():
        if t.spatial:
            known[name] = tuple(range(t.ndim))
            known.setdefault(t.source, known[name])
        elif t.axes and t.source in known:
            known[name] = tuple(None if a is None else known[t.source][a] for a in t.axes)
    for name, t in reversed(list(tensors.items())):
        if name in known and t.axes and t.source and t.source not in known:
            back = {a: known[name][d] for d, a in enumerate(t.axes) if a is not None}
            known[t.source] = tuple(back.get(a) for a in range(tensors[t.source].ndim))
    return known


def spatial(role: Roles) -> tuple[int, ...]:
    """The positions of the channel axis and of the spatial ones; empty where they are not all known.

    Example:
        >>> spatial((0, 2, 3, 1)), spatial((0, 1, 3)), spatial((0, 1, None))
        ((3, 1, 2), (1, 2), ())
    """
    position = {r: d for d, r in enumerate(role) if r}
    found = tuple(position[r] for r in sorted(position))
    complete = sorted(position) == list(range(1, len(found) + 1)) or None not in role
    return found if len(found) >= 2 and 1 in position and complete else ()


def channels_last_order(tensors: Mapping[str, Traits]) -> dict[str, tuple[int, ...]]:
    """Per tensor, its axes in the order that a framework with channels last shows.

    The exporter goes over to channels first around convolutions and pools, by transpositions that are not the user's:
    an axis keeps the place that it had in the framework.
    """
    places: dict[str, tuple[int, ...]] = {}
    for name, t in tensors.items():
        carried = places[t.source] if t.axes and t.source and None not in t.axes else ()
        if t.spatial:
            places[name] = (0, t.ndim - 1, *range(1, t.ndim - 1))
        elif carried and (t.rearranged or t.axes == tuple(sorted(a for a in t.axes if a is not None))):
            places[name] = tuple(carried[a] for a in t.axes if a is not None)
        else:
            places[name] = tuple(range(t.ndim))
    return {name: tuple(sorted(range(len(place)), key=place.__getitem__)) for name, place in places.items()}
