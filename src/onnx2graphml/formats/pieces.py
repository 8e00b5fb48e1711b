"""Lines of edges as this package writes them, read by a compiled loop; anything else is left to a parser."""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.edge_rows import EdgeRows, RecordedRows

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

POWERS = 10.0 ** np.arange(23)  # exact, so that one multiplication or division by them rounds correctly
EXACT = 1 << 53
DIGITS = 18  # that fit into an int64
NOWHERE = "\0"  # text that no line has


@dataclass(frozen=True, eq=False)
class Pieces:
    """The constant text around source, target, weight, port, term, contribution and winner.

    Attributes:
        text: all of it, and `stop`: where each piece ends.
        recorded: whether lines have contributions.
    """

    text: Bytes
    stop: Ints
    recorded: bool = False

    @staticmethod
    def of(
        before_source: str,
        before_target: str,
        weight: tuple[str, str],
        port: tuple[str, str],
        term: tuple[str, str],
        end: str,
        contribution: tuple[str, str] | None = None,
        winner: tuple[str, str] = (NOWHERE, NOWHERE),
    ) -> Pieces:
        """From the text before and behind each; a port, term or winner that does not stand in a line is no error."""
        known = contribution or (NOWHERE, NOWHERE)
        every = (before_source, before_target, *weight, *port, *term, *known, *winner, end)
        encoded = [piece.encode() for piece in every]
        stop = np.cumsum([0, *map(len, encoded)])
        return Pieces(np.frombuffer(b"".join(encoded), np.uint8), stop, contribution is not None)

    @property
    def least(self) -> int:
        """The bytes of the shortest line: it has no port and no term, and numbers of one digit."""
        return int(self.stop[4] + self.stop[-1] - self.stop[-2]) + 3

    def read(self, data: bytes, start: int) -> tuple[EdgeRows, int]:
        """The edges of all lines from `start` on, up to the first that is another or not whole; and where that is."""
        n = (len(data) - start) // self.least + 1
        edges = EdgeRows.empty(n, np.dtype(np.float64), np.dtype(np.float64) if self.recorded else None)
        told = edges.recorded or RecordedRows(np.empty(0), np.empty(0, np.int8))
        hard = np.empty((2 * n, 4), np.int64)
        count, hards, end = read_lines(
            np.frombuffer(data, np.uint8), start, self.text, self.stop, POWERS,
            edges.source, edges.target, edges.weight, edges.port, edges.term, told.contribution, told.winner, hard,
        )  # fmt: skip
        for row, a, b, of_contribution in hard[:hards].tolist():
            (told.contribution if of_contribution else edges.weight)[row] = float(data[a:b])
        return edges[:count], end


@compiled
def _after(data: Bytes, at: int, text: Bytes, first: int, last: int) -> int:
    """Where the piece of text ends that should stand at `at`; -1 if it doesn't."""
    if at < 0 or at + last - first > data.size:
        return -1
    for i in range(first, last):
        if data[at + i - first] != text[i]:
            return -1
    return at + last - first


@compiled
def _digits(data: Bytes, at: int) -> tuple[int, int]:
    """A number without sign, and where it ends; -1 where there is none, or a longer one than any id."""
    value, first = 0, at
    if at < 0:
        return 0, -1
    while at < data.size and 48 <= data[at] <= 57:
        value = value * 10 + (data[at] - 48)
        at += 1
        if at - first > DIGITS:
            return 0, -1
    return value, at if at > first else -1


@compiled
def _id(data: Bytes, at: int) -> tuple[int, int]:
    """As `_digits`, without zeros before it."""
    value, end = _digits(data, at)
    return value, -1 if end > at + 1 and data[at] == 48 else end


@compiled
def _decimal(data: Bytes, at: int, powers: Floats) -> tuple[float, int, bool]:
    """A decimal, where it ends, and whether it is correctly rounded; -1 where there is none that is plainly one."""
    if at < 0:
        return 0.0, -1, False
    negative = at < data.size and data[at] == 45
    at += negative
    first, mantissa, digits, point = at, 0, 0, -1
    while at < data.size and (48 <= data[at] <= 57 or (data[at] == 46 and point < 0)):
        if data[at] == 46:
            point = at
        else:
            digits += 1
            if digits <= DIGITS:
                mantissa = mantissa * 10 + (data[at] - 48)
        at += 1
    if digits == 0 or data[first] == 46 or data[at - 1] == 46:
        return 0.0, -1, False
    exponent = 0 if point < 0 else point + 1 - at
    if at < data.size and (data[at] == 101 or data[at] == 69):
        down = at + 1 < data.size and data[at + 1] == 45
        up = at + 1 < data.size and data[at + 1] == 43
        size, at = _digits(data, at + 1 + (down or up))
        if at < 0:
            return 0.0, -1, False
        exponent += -size if down else size
    exact = digits <= DIGITS and mantissa <= EXACT and -22 <= exponent <= 22
    value = float(mantissa)
    if exact:
        value = value * powers[exponent] if exponent >= 0 else value / powers[-exponent]
    return (-value if negative else value), at, exact


@compiled
def _truth(data: Bytes, at: int) -> tuple[int, int]:
    """`true` as 1 and `false` as 0, where it ends, and -1 where nothing stands."""
    if at < 0:
        return -1, -1
    if at + 4 <= data.size and data[at] == 116 and data[at + 1] == 114 and data[at + 2] == 117 and data[at + 3] == 101:
        return 1, at + 4
    if at + 5 <= data.size and data[at] == 102 and data[at + 1] == 97 and data[at + 2] == 108 and data[at + 3] == 115:
        return (0, at + 5) if data[at + 4] == 101 else (-1, at)
    return -1, at


@compiled
def read_lines(
    data: Bytes, at: int, text: Bytes, stop: Ints, powers: Floats,
    source: Ints, target: Ints, weight: Floats, port: Ints, term: Ints, contribution: Floats, winner: Ints, hard: Ints,
) -> tuple[int, int, int]:  # fmt: skip
    """Read lines into arrays: how many, how many decimals are left to others, and the end.

    Of these, `hard` has the row, the first and the last byte, and whether it is a contribution rather than a weight.
    Contributions are expected where there is room for them.
    """
    row, hards = 0, 0
    while row < source.size:
        s, here = _id(data, _after(data, at, text, stop[0], stop[1]))
        t, here = _id(data, _after(data, here, text, stop[1], stop[2]))
        first = _after(data, here, text, stop[2], stop[3])
        w, last, exact = _decimal(data, first, powers)
        here = _after(data, last, text, stop[3], stop[4])
        p, with_port = _id(data, _after(data, here, text, stop[4], stop[5]))
        with_port = _after(data, with_port, text, stop[5], stop[6])
        p, here = (p, with_port) if with_port >= 0 else (-1, here)
        m, with_term = _id(data, _after(data, here, text, stop[6], stop[7]))
        with_term = _after(data, with_term, text, stop[7], stop[8])
        m, here = (m, with_term) if with_term >= 0 else (-1, here)
        c, c_first, c_last, c_exact, chosen = 0.0, 0, 0, True, -1
        if contribution.size:
            c_first = _after(data, here, text, stop[8], stop[9])
            c, c_last, c_exact = _decimal(data, c_first, powers)
            here = _after(data, c_last, text, stop[9], stop[10])
            chosen, with_winner = _truth(data, _after(data, here, text, stop[10], stop[11]))
            with_winner = _after(data, with_winner, text, stop[11], stop[12])
            chosen, here = (chosen, with_winner) if with_winner >= 0 else (-1, here)
        here = _after(data, here, text, stop[12], stop[13])
        if here < 0 or p >= 2**31:
            break
        source[row], target[row], weight[row], port[row], term[row] = s, t, w, p, m
        if not exact:
            hard[hards, 0], hard[hards, 1], hard[hards, 2], hard[hards, 3] = row, first, last, 0
            hards += 1
        if contribution.size:
            contribution[row], winner[row] = c, chosen
            if not c_exact:
                hard[hards, 0], hard[hards, 1], hard[hards, 2], hard[hards, 3] = row, c_first, c_last, 1
                hards += 1
        row += 1
        at = here
    return row, hards, at
