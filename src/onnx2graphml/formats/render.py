"""Numbers as text, and lines of text: a few pieces of constant text around numbers and texts.

The first lines of a process are put together by Python. Only where there are more of them are the compiled loops
loaded (see `compiled`). What is written is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from onnx2graphml.compiled import many
from onnx2graphml.errors import OutputError

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

SLACK = 64  # bytes beyond its end that a text has room for: compiled loops copy in steps of constant size
NUMBER = 16  # digits of the longest number
FLOAT = 32  # at least the length of the longest float64, -1.2345678901234567e-308
LONGEST = 17  # bytes of a float32, of -0.00000123456789


@dataclass(frozen=True, eq=False)
class Texts:
    """Pieces of text to be copied from.

    Attributes:
        data: uint8, `SLACK` bytes longer than the text.
        start, stop: int64; piece `i` is `data[start[i] : stop[i]]`.
    """

    data: Bytes
    start: Ints
    stop: Ints

    def __getitem__(self, which: Ints) -> Texts:
        """Some of the pieces."""
        return Texts(self.data, self.start[which], self.stop[which])

    @property
    def size(self) -> int:
        """The number of bytes of all pieces."""
        return int((self.stop - self.start).sum())


def constants(pieces: Sequence[bytes]) -> Texts:
    """Any pieces, each with `SLACK` bytes of its own behind it."""
    length = np.array([len(piece) for piece in pieces], np.int64)
    stop = np.cumsum(length + SLACK) - SLACK
    return Texts(np.frombuffer(b"".join(p + bytes(SLACK) for p in pieces), np.uint8), stop - length, stop)


def empty(n: int) -> Texts:
    """As many empty pieces."""
    return Texts(np.frombuffer(bytes(SLACK), np.uint8), np.zeros(n, np.int64), np.zeros(n, np.int64))


def decimals(values: npt.NDArray[Any]) -> Texts:
    """The shortest decimals that read back as the same floats, of their own type: `1`, `0.1`, `-1.5e-7`.

    Args:
        values: 1-D float16, float32 or float64, finite.

    Raises:
        OutputError: a value is NaN or infinite.
    """
    check_finite(values)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    if native.dtype == np.float32 and many(len(native)):
        return _by_loop(native)
    if native.dtype == np.float16:
        return _listed(f"[{','.join(map(str, native))}]".encode())
    return _listed(orjson.dumps(native, option=orjson.OPT_SERIALIZE_NUMPY))


def decimals_or_infinity(values: npt.NDArray[Any], infinity: str) -> Texts:
    """As `decimals`, where a value may be infinite: `infinity` is the word for it, behind a sign if it is negative."""
    infinite = np.isinf(values)
    if not infinite.any():
        return decimals(values)
    finite = decimals(np.where(infinite, 0, values).astype(values.dtype))
    texts, rows = joined([finite, constants([infinity.encode(), f"-{infinity}".encode()])])
    return texts[np.where(infinite, rows[1] + (values < 0), np.arange(len(values)))]


def integers(values: npt.NDArray[np.int64]) -> Texts:
    """Integers in full, of either sign."""
    pieces = [str(value).encode() for value in values.tolist()]
    stop = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    start = stop - np.array([len(piece) for piece in pieces], np.int64)
    return Texts(np.frombuffer(b"".join(pieces) + bytes(SLACK), np.uint8), start, stop)


def beside(columns: Sequence[Texts]) -> Texts:
    """Several texts for each line: `start` and `stop` are (lines, columns)."""
    data, first = _one_behind_the_other(columns)
    return Texts(
        data,
        np.stack([column.start + at for column, at in zip(columns, first, strict=True)], axis=1),
        np.stack([column.stop + at for column, at in zip(columns, first, strict=True)], axis=1),
    )


def joined(parts: Sequence[Texts]) -> tuple[Texts, Ints]:
    """Several texts one behind the other, and which piece of all is the first of each."""
    rows = np.cumsum([0, *(len(part.start) for part in parts[:-1])])
    if len(parts) == 1:
        return parts[0], rows
    data, first = _one_behind_the_other(parts)
    return Texts(
        data,
        np.concatenate([part.start + at for part, at in zip(parts, first, strict=True)]),
        np.concatenate([part.stop + at for part, at in zip(parts, first, strict=True)]),
    ), rows


def _one_behind_the_other(parts: Sequence[Texts]) -> tuple[Bytes, Ints]:
    """The data of all, and where that of each begins."""
    first = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
    return np.frombuffer(b"".join(part.data.tobytes() for part in parts), np.uint8), first


def check_finite(values: npt.NDArray[Any]) -> None:
    """Raise `OutputError` where a value is NaN or infinite."""
    # Least and greatest rather than a flag for each, which would take memory; NaN is passed on by both.
    if values.size and not np.isfinite([values.min(), values.max()]).all():
        raise OutputError("a weight, bias or column is NaN or infinite, which the format can't hold; check the model")


def _by_loop(values: npt.NDArray[np.float32]) -> Texts:
    from onnx2graphml.formats.shortest import put_floats

    data = np.empty(len(values) * LONGEST + SLACK, np.uint8)
    start, stop = np.empty(len(values), np.int64), np.empty(len(values), np.int64)
    put_floats(values.view(np.uint32), data, start, stop)
    data.setflags(write=False)  # as all other texts: compiled code is made for one kind of array
    return Texts(data, start, stop)


def _listed(text: bytes) -> Texts:
    """The numbers of a list such as `[1.0,0.1]`, without the `.0` that some of them end in."""
    if text == b"[]":
        return empty(0)
    data = np.frombuffer(b"".join((memoryview(text)[:-1], b",", bytes(SLACK))), np.uint8)
    stop = np.flatnonzero(data[: len(text)] == ord(","))
    start = np.concatenate([[1], stop[:-1] + 1])[: len(stop)]
    whole = (data[stop - 1] == ord("0")) & (data[stop - 2] == ord("."))
    return Texts(data, start, stop - 2 * whole)


def lines(numbers: Ints, texts: Texts, pieces: Texts) -> memoryview:
    """A line for every row of `numbers`: a piece before each number and each text, and a piece at the end.

    Args:
        numbers: (lines, count), at least 0 and below 10¹⁶.
        texts: its `start` and `stop` are (lines, more): so many of each line, each at most `FLOAT` bytes long.
        pieces: count + more + 1.
    """
    if not many(len(numbers)):
        return by_python(numbers, texts, pieces)
    from onnx2graphml.formats import kernels

    room = pieces.size + numbers.shape[1] * NUMBER + texts.start.shape[1] * FLOAT
    out = np.empty(len(numbers) * room + SLACK, np.uint8)
    length = kernels.lines(numbers, texts.data, texts.start, texts.stop, pieces.data, pieces.start, pieces.stop, out)
    return out.data[:length]


def by_python(numbers: Ints, texts: Texts, pieces: Texts) -> memoryview:
    """What `lines` returns; nothing is loaded for it."""
    text, columns = texts.data.tobytes(), []
    for start, stop in zip(texts.start.T.tolist(), texts.stop.T.tolist(), strict=True):
        columns.append([text[a:b] for a, b in zip(start, stop, strict=True)])
    slots = [b"%d"] * numbers.shape[1] + [b"%b"] * len(columns) + [b""]
    constant = [pieces.data[a:b].tobytes() for a, b in zip(pieces.start, pieces.stop, strict=True)]
    line = b"".join(piece.replace(b"%", b"%%") + slot for piece, slot in zip(constant, slots, strict=True))
    return memoryview(b"".join(map(line.__mod__, zip(*numbers.T.tolist(), *columns, strict=True))))
