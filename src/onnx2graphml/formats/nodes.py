"""Nodes and numbers from text, as formats of text have them."""

from __future__ import annotations

import functools
import math
import re
from array import array
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.found import SPATIAL, FoundLayer, NodeRows, Part, Shared, check_ids, compact, parts_of
from onnx2graphml.graph.recorded import VALUE

INT = re.compile(r"0|[1-9][0-9]{0,8}")
LONG = re.compile(r"-?(0|[1-9][0-9]{0,18})")
MOST_LONG = 1 << 63
COUNT = re.compile(r"0|[1-9][0-9]{0,17}")
MOST_TEXT = 1 << 26  # characters of all names together
DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")

WINNER = {"": -1, "false": 0, "true": 1, "False": 0, "True": 1}
NONE: Mapping[str, str] = MappingProxyType({})
INFINITY = re.compile(r"[+-]?(INF|Infinity)")


class FormatError(Exception):
    """Something that the dialect does not have; the caller adds where it stands."""


@functools.lru_cache(1 << 12)  # coordinates are few, and there are several of them in each node
def integer(text: str) -> int:
    """A number of at most nine digits, without sign or zeros before it."""
    if not INT.fullmatch(text):
        raise FormatError(f"{text[:40]!r} where an integer is expected")
    return int(text)


def count(text: str) -> int:
    """A number of nodes or edges."""
    if not COUNT.fullmatch(text):
        raise FormatError(f"{text[:40]!r} where a number is expected")
    return int(text)


def decimal(text: str) -> float:
    """A finite decimal, with space around it or not."""
    if not DECIMAL.fullmatch(text.strip(" \t\r\n")) or not np.isfinite(value := float(text)):
        raise FormatError(f"{text[:40]!r} where a finite number is expected")
    return value


def decimal_or_infinity(text: str) -> float:
    """A decimal, or an infinite number as XML or Java spells it."""
    return float(text) if INFINITY.fullmatch(text.strip(" \t\r\n")) else decimal(text)


def winner(text: str) -> int:
    """Whether a candidate was chosen: 1 or 0; -1 where nothing is said."""
    if text not in WINNER:
        raise FormatError(f"{text[:40]!r} where true or false is expected")
    return WINNER[text]


def number(text: str) -> float:
    """A number of any size; `FormatError` if it is none."""
    if not DECIMAL.fullmatch(text.strip(" \t\r\n")):
        raise FormatError(f"{text[:40]!r} where a number is expected")
    return float(text)


class Nodes:
    """Nodes as they come."""

    def __init__(self) -> None:
        self.groups: list[Shared] = []
        self._number: dict[Shared, int] = {}
        self._text, self._before = 0, 0
        self._parts: list[Part] = []
        self._begin()

    def _begin(self) -> None:
        self._id, self._group, self._rank, self._at = array("q"), array("i"), array("i"), array("i")
        self._spatial, self._bias, self._biased = array("i"), array("d"), array("b")
        self._columns: dict[str, array[Any]] = {}

    @property
    def count(self) -> int:
        """How many there were so far."""
        return self._before + len(self._id)

    def add(self, id: int, own: Mapping[str, str], columns: Mapping[str, str] = NONE) -> None:
        """Take a node with its attributes; `FormatError`, or `KeyError`, where they are no node's.

        Args:
            own: the attributes' texts, by name.
            columns: the types of further ones, `long` or `double`, by name; the same at every call.
        """
        shared = own["layer"], own.get("op", ""), own["combine"], own.get("activation", "")
        if shared not in self._number:
            self._number[shared] = len(self.groups)
            self.groups.append(shared)
            self._text += sum(map(len, shared))
            if self._text > MOST_TEXT:
                raise FormatError(f"the names of layers have more than {MOST_TEXT:,} characters together")
        at = [integer(n) for n in own["index"].split(",")] if own["index"] else []
        self._id.append(id)
        self._group.append(self._number[shared])
        self._rank.append(len(at))
        self._at.extend(at)
        self._spatial.extend(integer(own[name]) if name in own else -1 for name in SPATIAL)
        self._bias.append(decimal_or_infinity(own["bias"]) if "bias" in own else np.nan)
        self._biased.append("bias" in own)
        for name, kind in columns.items():
            self._add_to(name, kind, own.get(name))

    def _add_to(self, name: str, kind: str, text: str | None) -> None:
        column: array[Any] = self._columns.setdefault(name, array("q" if kind == "long" else "d"))
        if column.typecode == "q" and text is not None and LONG.fullmatch(text) and -MOST_LONG <= int(text) < MOST_LONG:
            column.append(int(text))
            return
        if column.typecode == "q":
            self._columns[name] = column = array("d", column)
        column.append(math.nan if text is None else (decimal if name == VALUE else number)(text))

    def add_alike(self, found: Mapping[str, Sequence[npt.NDArray[Any]]]) -> None:
        """Take nodes that differ from the last one in these only: `id`, coordinates of `index`, or of others one each.

        Where there is an `index`, it has all coordinates.
        """
        self._close()
        last = self._parts[-1]
        (id,) = found["id"]
        n = len(id)

        def column(name: str, value: Any) -> npt.NDArray[Any]:
            """What was found, or the last node's value again."""
            return found[name][0] if name in found else np.broadcast_to(value, n)

        at = np.stack(found["index"]).T if "index" in found else np.broadcast_to(last.at[-1], (n, last.at.shape[1]))
        spatial = np.stack([column(name, last.spatial[-1, k]) for k, name in enumerate(SPATIAL)]).T
        further = {name: column(name, values[-1]) for name, values in last.columns.items()}
        bias, biased = column("bias", last.bias[-1]), np.broadcast_to(last.biased[-1], n)
        self._parts.append(Part(last.group, id.copy(), compact(at), compact(spatial), bias, biased, further))
        self._before += n

    def _close(self) -> None:
        """What was taken one by one becomes parts, the last node's the last of them."""
        if not self._id:
            return
        rows = NodeRows(
            np.array(self._id), np.array(self._group), np.array(self._rank), np.array(self._at),
            np.array(self._spatial).reshape(-1, len(SPATIAL)), np.array(self._bias), np.array(self._biased, bool),
            {name: np.array(column) for name, column in self._columns.items()},
        )  # fmt: skip
        parts = [*parts_of(rows)]
        parts.sort(key=lambda part: bool(part.id[-1] == rows.id[-1]))
        self._parts += parts
        self._before += len(self._id)
        self._begin()

    def add_bare(self, id: int) -> None:
        """Take a node of a file that has no attributes of nodes."""
        self._id.append(id)

    def add_bare_alike(self, ids: npt.NDArray[np.int64]) -> None:
        """As `add_bare`, of many."""
        self._id.frombytes(ids.tobytes())

    def check_bare(self, path: object) -> list[FoundLayer]:
        """No layers, of nodes without attributes; `Error` where their ids are not 0, 1, …, each once."""
        check_ids([np.array(self._id, np.int64)], path)
        return []

    def take(self) -> list[Part]:
        """All nodes; they are forgotten here, but for their number."""
        self._close()
        parts, self._parts = self._parts, []
        return parts
