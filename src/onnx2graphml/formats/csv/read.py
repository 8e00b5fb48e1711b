"""CSV read back: a folder with tables of nodes and edges under the headers that Gephi or Neo4j import, and a manifest.

Sources: https://gephi.org/users/supported-graph-formats/spreadsheet,
https://neo4j.com/docs/operations-manual/current/import/full-import/
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from onnx2graphml.errors import Error
from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats import decompressed
from onnx2graphml.formats.csv.layout import GEPHI, NEO4J, Layout
from onnx2graphml.formats.edge_rows import NO_PORT, EdgeRows, Row
from onnx2graphml.formats.found import SPATIAL, FoundLayer, Values, layers_of, values_of
from onnx2graphml.formats.manifest import Manifest, reading_errors
from onnx2graphml.formats.nodes import FormatError, Nodes, decimal, integer, winner
from onnx2graphml.formats.pieces import NOWHERE, Pieces
from onnx2graphml.graph.attributes import COLUMN_TYPES, NODE, is_column
from onnx2graphml.graph.recorded import VALUE

ID = re.compile(r"0|[1-9][0-9]{0,17}")
OPTIONAL = (*SPATIAL, "bias", "activation")
LONGEST = 1 << 20  # bytes of one edge's line


@contextmanager
def open_gephi(path: Path) -> Iterator[CsvFolder]:
    """A context that gives the graph in a folder of CSV files for Gephi.

    Example:
        >>> with open_gephi(Path("digits.gephi.csv")) as file:  # doctest: +SKIP
        ...     file.about()["detail"]
        'layer'
    """
    yield CsvFolder(path, GEPHI)


@contextmanager
def open_neo4j(path: Path) -> Iterator[CsvFolder]:
    """As `open_gephi`, for Neo4j."""
    yield CsvFolder(path, NEO4J)


class CsvFolder:
    """A `GraphFile` over a folder."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self._path, self._layout = path, layout
        self._manifest = Manifest(path)
        self._layers: list[FoundLayer] | None = None

    def about(self) -> dict[str, str]:
        """The attributes of the graph."""
        return self._manifest.about()

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer; `Error` if they are not those that the manifest lists."""
        with reading_errors(self._path):
            self._layers = self._layers or self._read_layers()
        return self._layers

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id."""
        return values_of(self.layers())

    def edited_layers(self) -> list[FoundLayer]:
        """As `layers`: the manifest says what there is."""
        return self.layers()

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if there are not as many as the manifest says."""
        count = 0
        with reading_errors(self._path), open_regular(self._path / "edges.csv") as file:
            _check_end(file)
            for edges in self._edges(file):
                count += len(edges)
                yield edges
            self._manifest.check_edges(count)

    def _read_layers(self) -> list[FoundLayer]:
        path, nodes, names = self._path / "nodes.csv", Nodes(), [a.name for a in NODE]
        with open_regular(path) as file:
            _check_end(file)
            rows = csv.reader(_lines(file), strict=True)
            with _line_told(path, rows):
                columns = next(rows, [])
                header = self._layout.node_header()
                further = columns[len(header) :]
                _check_header(columns[: len(header)], header)
                kinds = _columns(further)
                for row in rows:
                    _check_fields(row, columns)
                    own = zip((*names, *kinds), row[1:], strict=True)
                    nodes.add(_id(row[0]), {name: text for name, text in own if text or name not in OPTIONAL}, kinds)
        layers = layers_of(nodes.columns(), nodes.groups, path)
        self._manifest.check_nodes(layers, "nodes.csv")
        return layers

    def _edges(self, file: BinaryIO) -> Iterator[EdgeRows]:
        """Lines like ours by the compiled loop, and from the first other one to the end of a chunk by a parser."""
        header = file.readline(LONGEST)
        columns = self._edge_columns(header.decode())
        pieces = self._pieces(columns, "\r\n" if header.endswith(b"\r\n") else "\n")
        line, text = 2, b""
        for chunk in decompressed.plain(file):
            text += chunk
            edges, end = pieces.read(text, 0)
            yield edges
            line, whole = line + len(edges), text.rfind(b"\n") + 1
            if end < whole:
                yield self._others(text[end:whole].decode(), columns, line)
                line += text.count(b"\n", end, whole)
            text = text[max(end, whole) :]
            if len(text) > LONGEST:
                raise Error(f"{file.name}, line {line}: more than {LONGEST} bytes; expected an edge in each line")

    def _edge_columns(self, header: str) -> tuple[str, ...]:
        """The columns that the edges have, with port and term or without."""
        rows = csv.reader([header], strict=True)
        with _line_told(self._path / "edges.csv", rows):
            found = next(rows, [])
            expected = self._layout.edge_header()
            recorded = self._layout.recorded() if _plain(found)[-2:] == list(self._layout.recorded()) else ()
            more = max(len(found) - len(expected) - len(recorded), 0)
            expected += (self._layout.port, self._layout.term)[:more] + recorded
            _check_header(found, expected)
            return expected

    def _pieces(self, columns: Sequence[str], end: str) -> Pieces:
        """The text around the numbers of an edge."""
        after = "".join("," + text for text in self._layout.constants)
        none, number = (NOWHERE, NOWHERE), ("", "")
        has_port, has_term = self._layout.port in columns, self._layout.term in columns
        weight, term = (",", after + "," * has_port), number if has_term else none
        port = ("", ",") if has_term else number if has_port else none
        contribution = (",", ",") if columns[-1] == self._layout.recorded()[1] else None
        return Pieces.of("", ",", weight, port, term, end, contribution, number)

    def _others(self, text: str, columns: Sequence[str], line: int) -> EdgeRows:
        """The edges in other lines, such as those with quotes."""
        rows = csv.reader(io.StringIO(text, newline=""), strict=True)
        found: list[Row] = []
        recorded: list[tuple[float, int]] = []
        numbered = {name: columns.index(name) for name in (self._layout.port, self._layout.term) if name in columns}
        with _line_told(self._path / "edges.csv", rows, line - 1):
            for row in rows:
                _check_fields(row, columns)
                constant = tuple(row[3 : 3 + len(self._layout.constants)])
                if constant != self._layout.constants:
                    raise FormatError(f"{constant} where {self._layout.constants} is expected")
                port, term = (
                    integer(row[numbered[name]]) if name in numbered and row[numbered[name]] else NO_PORT
                    for name in (self._layout.port, self._layout.term)
                )
                found.append((_id(row[0]), _id(row[1]), decimal(row[2]), port, term))
                if columns[-1] == self._layout.recorded()[1]:
                    recorded.append((decimal(row[-2]), winner(row[-1])))
        return EdgeRows.of(found, recorded)


@contextmanager
def _line_told(path: Path, rows: Any, before: int = 0) -> Iterator[None]:
    """What is wrong with a row as an `Error` that tells its line; `before` is the number of lines before the first."""
    try:
        yield
    except (FormatError, csv.Error) as e:
        raise Error(f"{path}, line {before + rows.line_num}: {e}; write the graph again") from None


def _check_end(file: BinaryIO) -> None:
    """Every line that is written ends, also the last; a file that is cut within a number has it end earlier."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 1, 0))
    if file.read() != b"\n":
        raise Error(f"{file.name}: it ends within a line: it is truncated; write the graph again")
    file.seek(0)


def _lines(file: BinaryIO) -> Iterator[str]:
    """The lines of a table, with their ends."""
    while line := file.readline(LONGEST):
        if len(line) == LONGEST and not line.endswith(b"\n"):
            raise FormatError(f"a line of more than {LONGEST} bytes")
        yield line.decode()


def _check_header(found: Sequence[str], expected: Sequence[str]) -> None:
    if _plain(found) != list(expected):
        raise FormatError(f"the header is {','.join(found)[:120]!r}; expected {','.join(expected)!r}")


def _plain(header: Sequence[str]) -> list[str]:
    """The names of columns, whatever the size of their floats."""
    return [name.replace(":double", ":float") for name in header]


def _columns(found: Sequence[str]) -> dict[str, str]:
    """The types of further attributes of nodes, such as a measure, by name; where none is told, integers may be."""
    columns = {}
    for header in found:
        name, _, kind = header.partition(":")
        if not (is_column(name) or name == VALUE) or kind not in ("", *COLUMN_TYPES):
            raise FormatError(
                f"the header has a column {header[:40]!r}; expected one of ours, or a further one of numbers"
            )
        columns[name] = kind or ("double" if name == VALUE else "long")
    return columns


def _check_fields(row: Sequence[str], columns: Sequence[str]) -> None:
    if len(row) != len(columns):
        raise FormatError(f"{len(row)} fields; expected {len(columns)}")


def _id(text: str) -> int:
    if not ID.fullmatch(text):
        raise FormatError(f"id {text[:40]!r}; expected a number")
    return int(text)
