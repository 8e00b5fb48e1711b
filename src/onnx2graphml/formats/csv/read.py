"""CSV read back: a folder with tables of nodes and edges under the headers that Gephi or Neo4j import, and a manifest.

Sources: https://gephi.org/users/supported-graph-formats/spreadsheet,
https://neo4j.com/docs/operations-manual/current/import/full-import/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats import learned
from onnx2graphml.formats.csv.layout import GEPHI, NEO4J, Layout
from onnx2graphml.formats.csv.rows import Rows
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows, Row
from onnx2graphml.formats.found import SPATIAL, FoundLayer, Values, layers_of, values_of
from onnx2graphml.formats.learned import ENDS, Place
from onnx2graphml.formats.manifest import Manifest, reading_errors
from onnx2graphml.formats.nodes import FormatError, Nodes, count, decimal, integer, winner
from onnx2graphml.formats.patterns import WHOLE
from onnx2graphml.graph.attributes import COLUMN_TYPES, NODE, is_column
from onnx2graphml.graph.recorded import VALUE

ID = re.compile(r"0|[1-9][0-9]{0,17}")
OPTIONAL = (*SPATIAL, "bias", "activation")
MOST = 1 << 14  # edges that are taken one by one before they are handed on


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
        self._values: Values | None = None

    def about(self) -> dict[str, str]:
        """The attributes of the graph."""
        return self._manifest.about()

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer; `Error` if they are not those that the manifest lists."""
        with reading_errors(self._path):
            layers = self._read_layers()
        self._values = values_of(layers)
        return layers

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id; known with the layers."""
        return self._values

    def edited_layers(self) -> list[FoundLayer]:
        """As `layers`: the manifest says what there is."""
        return self.layers()

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if there are not as many as the manifest says."""
        count, path = 0, self._path / "edges.csv"
        with reading_errors(self._path), open_regular(path) as file:
            rows = Rows(path, file)
            with rows.told():
                for edges in self._edges(rows):
                    count += len(edges)
                    yield edges
            self._manifest.check_edges(count)

    def _read_layers(self) -> list[FoundLayer]:
        path, nodes, names = self._path / "nodes.csv", Nodes(), [a.name for a in NODE]
        with open_regular(path) as file:
            rows = Rows(path, file)
            with rows.told():
                columns = next(rows, [])
                header = self._layout.node_header()
                further = columns[len(header) :]
                _check_header(columns[: len(header)], header)
                kinds = _columns(further)
                for row in rows:
                    _check_fields(row, columns)
                    own = zip((*names, *kinds), row[1:], strict=True)
                    nodes.add(_id(row[0]), {name: text for name, text in own if text or name not in OPTIONAL}, kinds)
                    if rows.may_be_alike():
                        places = rows.places(("id", *names, *kinds), partial(_node_places, further=kinds))
                        of = learned.node_of(rows.text, places)
                        rows.pass_over(None if of is None else learned.read_nodes(*rows.rest, of, nodes))
        layers = layers_of(nodes.take(), nodes.groups, path)
        self._manifest.check_nodes(layers, "nodes.csv")
        return layers

    def _edge_columns(self, found: Sequence[str]) -> tuple[str, ...]:
        """The columns that the edges have, with port and term or without."""
        expected = self._layout.edge_header()
        recorded = self._layout.recorded() if _plain(found)[-2:] == list(self._layout.recorded()) else ()
        more = max(len(found) - len(expected) - len(recorded), 0)
        expected += (self._layout.port, self._layout.term)[:more] + recorded
        _check_header(found, expected)
        return expected

    def _edges(self, rows: Rows) -> Iterator[EdgeRows]:
        """The edges, some at a time."""
        columns = self._edge_columns(next(rows, []))
        is_recorded = columns[-1] == self._layout.recorded()[1]
        names = [*ENDS[:2], "weight", *["constant"] * len(self._layout.constants), "port", "term"]
        names = names[: len(columns) - 2 * is_recorded] + ["contribution", "winner"] * is_recorded
        found, recorded, kinds = list[Row](), list[tuple[float, int]](), learned.EdgeKinds()
        for row in rows:
            _check_fields(row, columns)
            own = dict(zip(names, row, strict=True))
            self._check_constants(row)
            port = integer(own["port"]) if own.get("port") else NO_PORT
            term = count(own["term"]) if own.get("term") else NO_TERM
            found.append((_id(row[0]), _id(row[1]), decimal(row[2]), port, term))
            if is_recorded:
                recorded.append((decimal(row[-2]), winner(row[-1])))
            alike = None
            if rows.may_be_alike():
                told = {"port": port, "term": term} | ({"winner": recorded[-1][1]} if is_recorded else {})
                of = learned.edge_of(rows.text, rows.places(names, _edge_places), told, is_recorded)
                like, alike = kinds.read(*rows.rest, of) if of else (None, None)
                rows.pass_over(like)
            if alike or len(found) == MOST:
                yield EdgeRows.of(found, recorded)
                found, recorded = [], []
            if alike:
                yield alike
        yield EdgeRows.of(found, recorded)

    def _check_constants(self, row: Sequence[str]) -> None:
        constant = tuple(row[3 : 3 + len(self._layout.constants)])
        if constant != self._layout.constants:
            raise FormatError(f"{constant} where {self._layout.constants} is expected")


def _node_places(name: str, value: bytes, start: int, further: Mapping[str, str]) -> Iterator[Place]:
    """The numbers in a column of a node."""
    if name == "id" and learned.ID.fullmatch(value):
        yield start, start + len(value), WHOLE, name
    yield from learned.node_places(name, value, start, further)


def _edge_places(name: str, value: bytes, start: int) -> Iterator[Place]:
    """The numbers in a column of an edge."""
    if name in ENDS[:2] and learned.ID.fullmatch(value):
        yield start, start + len(value), WHOLE, name
    yield from learned.edge_places(name, value, start)


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
