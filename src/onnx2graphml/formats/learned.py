"""What a text format's next nodes or edges look like, learned from the text of one that a parser has taken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.formats.edge_rows import EdgeRows, RecordedRows
from onnx2graphml.formats.found import SPATIAL
from onnx2graphml.formats.nodes import Nodes
from onnx2graphml.formats.patterns import DECIMAL, DIGITS, FIXED, SIGNED, TEXT, WHOLE, Found, Gap, Pattern, Patterns

ID, COORDINATE = re.compile(rb"0|[1-9][0-9]{0,17}"), re.compile(rb"0|[1-9][0-9]{0,8}")
COORDINATES = re.compile(rb"(?:(?:0|[1-9][0-9]{0,8}),)*(?:0|[1-9][0-9]{0,8})")
LONG, REAL = re.compile(rb"-?(0|[1-9][0-9]{0,17})"), re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
MOST_DIGITS = {WHOLE: 9, SIGNED: DIGITS}  # of numbers that are no ids
IDS = ("id", "source", "target", "term")
ENDS = ("source", "target", "port", "term", "winner")
REALS = ("weight", "contribution")
KINDS = 8  # of edges that are known at once: with a port or without, with this or that winner
FEW = 8  # elements, for which it is not worth while to learn what they look like
LONGEST_WAIT = 1 << 20

Place = tuple[int, int, int, str]
"""Where a number begins and ends in the text, its kind, and what it is."""


@dataclass(frozen=True)
class Learned:
    """The pattern of an element, and what its integers and its decimals are, by slot.

    These are names of attributes; `id`, and `index` for each of its coordinates; of edges as in `ENDS` and `REALS`.
    """

    pattern: Pattern
    ints: tuple[str, ...]
    floats: tuple[str, ...]


def node_of(text: bytes, places: Sequence[Place]) -> Learned | None:
    """How nodes look that are like this one; None where its id is not of a number."""
    ints = tuple(name for _, _, kind, name in places if kind in (WHOLE, SIGNED))
    floats = tuple(name for *_, kind, name in places if kind == DECIMAL)
    return _learned(text, places, ints, floats, {}) if "id" in ints else None


def edge_of(text: bytes, places: Sequence[Place], told: Mapping[str, int], is_recorded: bool) -> Learned | None:
    """How edges look that are like this one, whose port, term and winner are `told`; None where a number is missing."""
    ints, floats = ENDS[: 4 + is_recorded], REALS[: 1 + is_recorded]
    names = {name for *_, name in places}
    return _learned(text, places, ints, floats, told) if names.issuperset((*ENDS[:2], *floats)) else None


def node_places(name: str, value: bytes, start: int, further: Mapping[str, str]) -> Iterator[Place]:
    """The numbers in an attribute of a node that stands there; `further` are the types of its columns."""
    if name == "index" and COORDINATES.fullmatch(value):
        yield from ((start + n.start(), start + n.end(), WHOLE, name) for n in COORDINATE.finditer(value))
    elif name in SPATIAL and COORDINATE.fullmatch(value):
        yield start, start + len(value), WHOLE, name
    elif further.get(name) == "long" and LONG.fullmatch(value):
        yield start, start + len(value), SIGNED, name
    elif (name == "bias" or name in further) and REAL.fullmatch(value):
        yield start, start + len(value), DECIMAL, name


def edge_places(name: str, value: bytes, start: int) -> Iterator[Place]:
    """The numbers in an attribute of an edge that stands there."""
    if name in REALS and REAL.fullmatch(value):
        yield start, start + len(value), DECIMAL, name
    elif name in ("port", "term") and COORDINATE.fullmatch(value):
        yield start, start + len(value), WHOLE, name


def _learned(
    text: bytes, places: Sequence[Place], ints: tuple[str, ...], floats: tuple[str, ...], told: Mapping[str, int]
) -> Learned:
    """The pattern; `told` are the integers that may not stand in the text."""
    at, pieces, gaps = 0, [], []
    slots = {name: iter(found) for name, found in (_slots(ints) | _slots(floats)).items()}
    used: set[str] = set()
    for start, stop, kind, name in places:
        pieces.append(text[at:start])
        at = stop
        if kind == TEXT:
            gaps.append(Gap(TEXT))
            continue
        gaps.append(Gap(kind, next(slots[name]), DIGITS if name in IDS else MOST_DIGITS.get(kind, 0)))
        used.add(name)
    absent = [Gap(FIXED, slot, told[name]) for slot, name in enumerate(ints) if name not in used]
    return Learned(Pattern((*[b""] * len(absent), *pieces, text[at:]), (*absent, *gaps)), ints, floats)


def _slots(names: Sequence[str]) -> dict[str, list[int]]:
    """Where each name stands."""
    found: dict[str, list[int]] = {}
    for slot, name in enumerate(names):
        found.setdefault(name, []).append(slot)
    return found


def read_nodes(text: bytes, at: int, learned: Learned, nodes: Nodes, *, bare: bool = False) -> Found:
    """Take the nodes that are like the last one; `bare` are those without attributes."""
    found = Patterns([learned.pattern], len(learned.ints), len(learned.floats)).read(text, at)
    if bare:
        nodes.add_bare_alike(found.ints[0])
    elif len(found):
        columns = {name: [*found.ints[slots]] for name, slots in _slots(learned.ints).items()}
        nodes.add_alike(columns | {name: [found.floats[k]] for k, name in enumerate(learned.floats)})
    return found


class EdgeKinds:
    """The edges that were met last, by how they look."""

    def __init__(self) -> None:
        self._every: dict[Pattern, None] = {}
        self._known: Patterns | None = None

    def read(self, text: bytes, at: int, learned: Learned) -> tuple[Found, EdgeRows]:
        """The edges that are like this one, or like others that are known."""
        if self._known is None or learned.pattern not in self._every:
            self._every[learned.pattern] = None
            for old in [*self._every][:-KINDS]:
                del self._every[old]
            self._known = Patterns([*self._every], len(learned.ints), len(learned.floats))
        found = self._known.read(text, at)
        source, target, port, term, *winner = found.ints
        recorded = RecordedRows(found.floats[1], winner[0].astype(np.int8)) if winner else None
        return found, EdgeRows(source, target, found.floats[0], port.astype(np.int32), term, recorded)


def waited(before: int, read: int) -> int:
    """How long to wait until learning is tried again: the longer, the more often few elements were alike."""
    return 0 if read > FEW else min(2 * before + 1, LONGEST_WAIT)
