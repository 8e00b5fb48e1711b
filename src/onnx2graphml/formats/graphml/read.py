"""GraphML read back: any well-formed file of the dialect, whoever saved it, in whatever order.

Source: http://graphml.graphdrawing.org/specification.html
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from onnx2graphml.errors import Error
from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats.decompressed import gunzipped, plain, unzstd
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.formats.found import FoundLayer, Values, edited_layers_of, layers_of, values_of
from onnx2graphml.formats.graphml.alike import Alike
from onnx2graphml.formats.graphml.elements import Document

Chunks = Callable[[IO[bytes]], Iterator[bytes]]
FIRST_EDGE = b">\n<edge "
# What begins with a word is searched for many times faster than what begins with one of several bytes.
EDGE, NODE = re.compile(rb"edge(?<=[<:]edge)[\s/>]"), re.compile(rb"node(?<=[<:]node)[\s/>]")
TAG = 8  # bytes that a piece may have of a tag that the next one ends


class GraphMLFile:
    """A `GraphFile` over the chunks of a file's text."""

    def __init__(self, path: Path, file: IO[bytes], chunks: Chunks) -> None:
        self._path, self._file = path, file
        self._chunks_of, self._chunks = chunks, chunks(file)
        self._document = Document(path)
        self._alike = Alike(self._document)
        self._rest = b""
        self._only_tags = True  # no comment, nothing else that can hide what looks like an edge
        self._values: Values | None = None
        self._has_nodes = False
        self._kept: list[EdgeRows] = []

    def about(self) -> dict[str, str]:
        """The attributes of the graph, which we write before its first node, and others behind its last edge.

        Some programs drop them, or the attributes of nodes: then there is the number of `nodes`.
        """
        while not self._document.nodes.count and self._feed():
            pass
        keys, about = self._document.keys, self._document.about
        if not (keys.has("graph", "detail") and keys.has("node", "layer")):
            if not keys.has("node", "layer"):
                self.layers()
            self._read_nodes()
            return about | {"nodes": str(self._document.nodes.count)}
        if "detail" not in about:
            self._read_nodes()
        return about

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer; none where the file has no attributes of nodes.

        Programs drop all of them or none: what is left of them would be anything, and not be checked.
        """
        self._read_nodes()
        nodes, keys, path = self._document.nodes, self._document.keys, self._path
        if keys.has("node", "layer"):
            layers = layers_of(nodes.take(), nodes.groups, path)
            self._values = values_of(layers)
            return layers
        if left := keys.of_nodes():
            raise Error(
                f"{path}: its nodes have {left[0]!r}, but no 'layer'; expected all or none: write the graph again"
            )
        return nodes.check_bare(path)

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id; known with the layers."""
        return self._values

    def edited_layers(self) -> list[FoundLayer]:
        """All nodes of a graph that may have been edited; none where the file has no attributes of nodes."""
        self._read_nodes()
        if not self._document.keys.has("node", "layer"):
            return []
        return edited_layers_of(self._document.nodes.take(), self._document.nodes.groups, self._path)

    def _read_nodes(self) -> None:
        if self._has_nodes:
            return
        self._has_nodes = True
        while not self._document.has_edges and self._feed():
            pass
        if self._more_may_follow():
            self._read_all()

    def _more_may_follow(self) -> bool:
        """Whether anything but edges may come after the first edge."""
        document, promised = self._document, self._document.promised_nodes
        if document.is_wide or (document.keys.has("graph", "detail") and "detail" not in document.about):
            return True
        return self._node_after_an_edge() if promised is None else document.nodes.count < promised

    def _node_after_an_edge(self) -> bool:
        """Whether one may be there, by a look at the whole text: it costs little beside a parser."""
        behind, rest, position = False, b"", self._file.tell()
        self._file.seek(0)
        for chunk in self._chunks_of(self._file):
            text, start = rest + chunk, 0
            if not behind and (edge := EDGE.search(text)):
                behind, start = True, edge.end()
            if behind and NODE.search(text, start):
                break
            rest = text[-TAG:]
        else:
            behind = False
        self._file.seek(position)
        return behind

    def _read_all(self) -> None:
        """Take nodes and edges in any order, which are in memory then."""
        self._document.free_order, self._only_tags = True, False
        self._kept = list(self._all_edges())

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if the file is not whole, or has not as many as it says."""
        self._read_nodes()
        count = 0
        for edges in itertools.chain(self._kept, self._all_edges()):
            count += len(edges)
            yield edges
        self._document.check_end(count)

    def _feed(self) -> bool:
        """Parse up to the first line of an edge, or the next chunk; whether there was any, and no such line."""
        if self._rest:
            return False
        text = next(self._chunks, b"")
        self._only_tags &= not (_has(text, b"<!", b"!") or _has(text[1:], b"<?", b"?") or text.endswith(b"<"))
        self._only_tags &= b"\0" not in text[:4]  # of an encoding with several bytes a character
        end = self._alike.parse(text, not text, FIRST_EDGE if self._only_tags else None)
        self._rest = text[end:]
        if self._rest:  # what looks like an edge may stand where a parser sees none, such as in an instruction
            self._only_tags = self._document.is_in_the_open()
        return bool(text) and not self._rest

    def _all_edges(self) -> Iterator[EdgeRows]:
        """Those that were met already, and all that follow."""
        yield from self._document.take_edges()
        while text := self._rest or next(self._chunks, b""):
            self._rest = b""
            self._alike.parse(text, final=False)
            yield from self._document.take_edges()
        self._document.parse(b"", final=True)
        yield from self._document.take_edges()


def _has(text: bytes, two: bytes, rare: bytes) -> bool:
    """Whether the two bytes are there; the rare one of them is looked for first, which takes no time."""
    return rare in text and two in text


@contextmanager
def _opened(path: Path, chunks: Chunks) -> Iterator[GraphMLFile]:
    with open_regular(path) as file:
        yield GraphMLFile(path, file, chunks)


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
