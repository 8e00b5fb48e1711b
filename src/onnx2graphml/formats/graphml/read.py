"""GraphML read back: any well-formed file of the dialect, whatever its whitespace, quotes and order of attributes.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats.decompressed import gunzipped, plain, unzstd
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.formats.found import FoundLayer, layers_of
from onnx2graphml.formats.graphml.elements import Document
from onnx2graphml.formats.pieces import Pieces

FIRST_EDGE = b">\n<edge "


class GraphMLFile:
    """A `GraphFile` over the chunks of a file's text."""

    def __init__(self, path: Path, chunks: Iterator[bytes]) -> None:
        self._path = path
        self._chunks = chunks
        self._document = Document(path)
        self._rest = b""
        self._only_tags = True  # no comment, nothing else that can hide what looks like an edge
        self._layers: list[FoundLayer] | None = None

    def about(self) -> dict[str, str]:
        """The attributes of the graph, which we write before its first node, and others behind its last edge."""
        while not self._document.nodes.count and self._feed():
            pass
        while "detail" not in self._document.about and self._feed():
            pass
        return self._document.about

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer."""
        if self._layers is None:
            while not self._document.has_edges and self._feed():
                pass
            self._layers = layers_of(self._document.nodes.columns(), self._document.nodes.groups, self._path)
        return self._layers

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if the file is not whole, or has not as many as it says."""
        self.layers()
        count = 0
        for edges in self._all_edges():
            count += len(edges)
            yield edges
        self._document.check_end(count)

    def _feed(self) -> bool:
        """Parse up to the first line of an edge, or the next chunk; whether there was any, and no such line."""
        if self._rest:
            return False
        text = next(self._chunks, b"")
        self._only_tags &= b"<!" not in text and text.rfind(b"<?") <= 0 and not text.endswith(b"<")
        found = text.find(FIRST_EDGE) if self._only_tags else -1
        cut = len(text) if found < 0 else found + 2
        self._rest = text[cut:]
        self._document.parse(text[:cut], final=not text)
        if self._rest:  # what looks like an edge may stand where a parser sees none, such as in an instruction
            self._only_tags = self._document.is_in_the_open()
        return bool(text) and not self._rest

    def _all_edges(self) -> Iterator[EdgeRows]:
        """Lines like ours by the compiled loop, what follows the first other one by the parser."""
        weight, port, term = (f'<data key="{key}">' for key in self._document.edge_keys())
        pieces = Pieces.of(
            '<edge source="n',
            '" target="n',
            (f'">{weight}', "</data>"),
            (port, "</data>"),
            (term, "</data>"),
            "</edge>\n",
        )
        text = self._rest or next(self._chunks, b"")
        while self._only_tags and text and self._document.between_elements:
            edges, end = pieces.read(text, 0)
            self._document.passed_over += len(edges)
            yield edges
            if len(text) - end > len(text) // 2:  # not the rest of a line that the next chunk completes
                text = text[end:]
                break
            more = next(self._chunks, b"")
            text = text[end:] + more
            if not more:
                break
        yield from self._document.take_edges()
        while True:
            self._document.parse(text, final=not text)
            yield from self._document.take_edges()
            if not text:
                return
            text = next(self._chunks, b"")


@contextmanager
def _opened(path: Path, chunks: Callable[[IO[bytes]], Iterator[bytes]]) -> Iterator[GraphMLFile]:
    with open_regular(path) as file:
        yield GraphMLFile(path, chunks(file))


def open_graphml(path: Path) -> AbstractContextManager[GraphMLFile]:
    """A context that gives the graph in a GraphML file.

    Example:
        >>> with open_graphml(Path("digits.graphml")) as file:  # doctest: +SKIP
        ...     file.about()["detail"]
        'layer'
    """
    return _opened(path, plain)


def open_graphml_gz(path: Path) -> AbstractContextManager[GraphMLFile]:
    """As `open_graphml`, of a gzip file."""
    return _opened(path, gunzipped)


def open_graphml_zst(path: Path) -> AbstractContextManager[GraphMLFile]:
    """As `open_graphml`, of a Zstandard file."""
    return _opened(path, unzstd)
