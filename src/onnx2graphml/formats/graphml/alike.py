"""Nodes and edges that are like the one before them are read by a compiled loop, all others by the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator

from onnx2graphml.formats import learned
from onnx2graphml.formats.graphml.elements import Document
from onnx2graphml.formats.graphml.keys import TYPES, Keys
from onnx2graphml.formats.learned import ID, Place
from onnx2graphml.formats.patterns import BEHIND, MOST, TEXT, WHOLE, Found

BEGIN = re.compile(rb"<(?:node|edge)[ \t\r\n]")
NAME = rb"[A-Za-z_:][A-Za-z0-9_:.-]*"
PLAIN = rb"[ !#-%'-;=?-~]"  # of ASCII, what means the same in any place of XML
ELEMENT = re.compile(
    rb"<(?P<tag>node|edge)(?P<own>(?:\s+" + NAME + rb'="[^"<&]*")+)\s*'
    rb'(?:/>|>(?P<data>(?:\s*<data key="' + PLAIN + rb'*">[^<>]*</data>)*)\s*</(?P=tag)>)\s*'
)
OWN = re.compile(rb"(" + NAME + rb')="([^"]*)"')
DATA = re.compile(rb'<data key="([^"]*)">([^<]*)</data>')
UNREAD = re.compile(PLAIN + rb"{1,64}")


class Alike:
    """Gives a document its text, but for elements that are like one that it has taken.

    Whatever may hide or change what looks like an element, such as a comment, a prefix or an encoding, has not done so
    with that one: the parser met its begin where the text has it, and its end. From there on, only text of the same
    form follows.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._wait = 0
        self._edges = learned.EdgeKinds()

    def parse(self, text: bytes, final: bool, stop: bytes | None = None) -> int:
        """As the document's, up to what `stop` tells, where the parser has to be given that; where it ends."""
        document, at, few = self._document, 0, len(text) - 2 * BEHIND
        while document.has_own_ids and (begin := BEGIN.search(text, at + self._wait, few)):
            if (place := _place(stop, text, at, begin.end())) >= 0:
                document.parse(text[at:place], False)
                return place
            document.parse(text[at : begin.start()], False)
            at, read = self._parse_like(text, begin.start())
            self._wait = learned.waited(self._wait, read)
        place = _place(stop, text, at, len(text))
        end = len(text) if place < 0 else place
        document.parse(text[at:end], final)
        return end

    def _parse_like(self, text: bytes, at: int) -> tuple[int, int]:
        """Take an element, if it is of a plain kind, and all behind it that are alike; where they end, how many."""
        document, element = self._document, ELEMENT.match(text, at, at + MOST)
        if element is None or text[element.end() : element.end() + 1] != b"<":
            return at, 0
        at = element.end()
        if not document.takes(element[0]) or not document.has_own_ids:
            return at, 0
        found = (self._edges_like if element["tag"] == b"edge" else self._nodes_like)(element, text, at)
        if found is None:
            return at, 0
        document.passed_over += found.lines
        return found.end, len(found)

    def _nodes_like(self, element: re.Match[bytes], text: bytes, at: int) -> Found | None:
        document = self._document
        of = learned.node_of(element[0], [*_node_places(element, document.keys)])
        if of is None:
            return None
        return learned.read_nodes(text, at, of, document.nodes, bare=not document.keys.has("node", "layer"))

    def _edges_like(self, element: re.Match[bytes], text: bytes, at: int) -> Found | None:
        document = self._document
        is_recorded = document.keys.has("edge", "contribution")
        of = learned.edge_of(element[0], [*_edge_places(element, document.keys)], document.last_edge, is_recorded)
        if of is None:
            return None
        found, edges = self._edges.read(text, at, of)
        document.add_edges(edges)
        return found


def _node_places(element: re.Match[bytes], keys: Keys) -> Iterator[Place]:
    """The numbers of a node, and text that nobody reads."""
    for start, name, value in _inside(element, "own", OWN):
        if name == "id":
            yield from _id_place(start, name, value)
    further = keys.further
    for start, key, value in _inside(element, "data", DATA):
        name = keys.name(key, "node")
        yield from learned.node_places(name, value, start, further)
        if not (("node", name) in READ or name in further) and UNREAD.fullmatch(value):
            yield start, start + len(value), TEXT, name


def _edge_places(element: re.Match[bytes], keys: Keys) -> Iterator[Place]:
    """The numbers of an edge, and text that nobody reads."""
    for start, name, value in _inside(element, "own", OWN):
        if name in ("source", "target"):
            yield from _id_place(start, name, value)
        elif name == "id" and UNREAD.fullmatch(value):
            yield start, start + len(value), TEXT, name
    for start, key, value in _inside(element, "data", DATA):
        name = keys.name(key, "edge")
        yield from learned.edge_places(name, value, start)
        if ("edge", name) not in READ and UNREAD.fullmatch(value):
            yield start, start + len(value), TEXT, name


READ = TYPES.keys() - {("node", "label"), ("node", "x"), ("node", "y"), ("edge", "abs_weight")}


def _id_place(start: int, name: str, value: bytes) -> Iterator[Place]:
    """The number in an id, with `n` before it or without."""
    before = value.startswith(b"n")
    if ID.fullmatch(value, before):
        yield start + before, start + len(value), WHOLE, name


def _inside(element: re.Match[bytes], part: str, each: re.Pattern[bytes]) -> Iterator[tuple[int, str, bytes]]:
    """The values in a part of an element: where each begins, counted from the element's begin; its name; and itself."""
    first = element.start(part) - element.start()
    for found in each.finditer(element[part] or b""):
        yield first + found.start(2), found[1].decode("latin-1"), found[2]


def _place(stop: bytes | None, text: bytes, at: int, end: int) -> int:
    """Where the last line of `stop` begins in a part of the text, whose line before it may lie before that; or -1."""
    if stop is None:
        return -1
    ahead = stop.index(b"\n") + 1
    found = text.find(stop, max(at - ahead, 0), end)
    return found if found < 0 else found + ahead
