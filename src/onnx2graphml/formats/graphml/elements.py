"""The elements of a GraphML file, as a parser tells them: keys, the graph's attributes, nodes, edges."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows
from onnx2graphml.formats.nodes import FormatError, Nodes, count, decimal, integer, number
from onnx2graphml.graph.attributes import ABOUT, COLUMN_TYPES, EDGE, LABELS, NODE, is_column
from onnx2graphml.graph.attributes import VERSION as DIALECT

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
PARENTS = {
    "graphml": ("",), "key": ("graphml",), "graph": ("graphml",), "node": ("graph",), "edge": ("graph",),
    "data": ("graph", "node", "edge"), "default": ("key",),
}  # fmt: skip
TYPES = {("graph", name): "string" for name in (*ABOUT, "thinned")} | {
    (a.owner, a.name): a.type for a in (*NODE, *EDGE, *LABELS)
}
OURS = "w"
"""The id of the key of weights, as we write it; other programs give their own."""
NUMERIC = ("int", "long", "float", "double")
"""Types that programs exchange when they save a graph again: one has integers of 64 bits, another only doubles."""
OPTIONAL = {"channel", "row", "col", "bias", "activation", "port", "term"}
WHOLE = re.compile(r"([0-9]+)\.0+")
ID = re.compile(r"n(0|[1-9][0-9]{0,17})")
LONGEST = 1 << 20  # characters of one attribute
LONGEST_TAG = 1 << 23  # bytes that the parser holds back: it begins anew with each piece of what is longer
ENCODINGS = ("utf-8", "us-ascii", "ascii")


class Document:
    """A GraphML file that is parsed piece by piece.

    Attributes:
        about: the graph's attributes so far.
        nodes: so far.
        has_edges: whether an edge was met.
        passed_over: the number of lines that were read by others than this parser.
    """

    def __init__(self, path: object) -> None:
        self.about: dict[str, str] = {}
        self.nodes = Nodes()
        self.has_edges = False
        self.passed_over = 0
        self._path = path
        self._finished = False
        self._open: list[str] = []
        self._keys: dict[str, tuple[str, str]] = {}
        self._saved_again: set[str] = set()  # attributes whose key has another type than we write
        self._defaults: dict[str, dict[str, str]] = {"graph": {}, "node": {}, "edge": {}}
        self._key_of_default = ("", "")
        self._in_graph = False
        self._columns: set[str] = set()
        self._fed = 0
        self._nonce, self._seen = "", ""
        self._promised: tuple[int, int] | None = None
        self._element: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self._key, self._text, self._length = "", list[str](), 0
        self._edges: list[tuple[int, int, float, int, int]] = []
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._characters, self._doctype
        parser.XmlDeclHandler, parser.CommentHandler = self._declaration, self._comment

    @property
    def between_elements(self) -> bool:
        """Whether a node or an edge may come next."""
        return self._open == ["graphml", "graph"]

    def is_in_the_open(self) -> bool:
        """Whether a node or an edge may come next, as the parser sees it: it is given a comment of random text.

        What stands in an instruction, in an attribute or in another encoding is not taken for a comment; nor is one
        while the parser still waits for more.
        """
        self._nonce = f"o2g-{secrets.token_hex(16)}"
        comment = f"<!--{self._nonce}-->".encode()
        self.parse(comment, final=False)
        self._fed -= len(comment)
        return self._seen == self._nonce and self.between_elements

    def parse(self, text: bytes, final: bool) -> None:
        """Take the next piece of the file; `Error` where it is not GraphML of the dialect."""
        if self._finished:
            return
        self._finished = final
        self._fed += len(text)
        try:
            self._parser.Parse(text, final)
            if not final and self._fed - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise FormatError(f"an element or a name of more than {LONGEST_TAG:,} bytes")
        except expat.ExpatError as e:
            problem = f"not well-formed XML, or not whole: {expat.errors.messages[e.code]}"
        except (FormatError, ValueError, OverflowError) as e:
            problem = str(e)
        except KeyError as e:
            problem = f"a {self._open[-1] if self._open else 'file'} has no {e.args[0]!r}"
        except LookupError as e:  # an encoding that nobody knows
            problem = str(e)
        else:
            return
        line = self._parser.CurrentLineNumber + self.passed_over
        raise Error(f"{self._path}, line {line}: {problem}; write the file again")

    def take_edges(self) -> Iterator[EdgeRows]:
        """The edges that were met since the last call."""
        if self._edges:
            yield EdgeRows.of(self._edges)
            self._edges = []

    def edge_keys(self) -> tuple[str, str, str]:
        """The ids of the keys of weights, ports and terms; an id that no file has where there is none."""
        found = {owned: key for key, owned in self._keys.items()}
        weight, port, term = (found.get(("edge", name), "\0") for name in ("weight", "port", "term"))
        return weight, port, term

    def check_end(self, edges: int) -> None:
        """Compare the numbers of nodes and edges with those that the file states."""
        if self._promised is not None and self._promised != (self.nodes.count, edges):
            nodes, promised = self._promised
            raise Error(
                f"{self._path}: it has {self.nodes.count} nodes and {edges} edges, and says it has {nodes} and "
                f"{promised}: it is damaged; write the file again"
            )
        if self.about.get("dialect") != DIALECT:
            raise Error(f"{self._path}: dialect is {self.about.get('dialect')!r}; expected {DIALECT!r}")

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is not None and encoding.lower() not in ENCODINGS:
            raise FormatError(f"its encoding is {encoding[:40]!r}; expected UTF-8")

    def _comment(self, text: str) -> None:
        self._seen = text

    def _doctype(self, *_: Any) -> None:
        raise FormatError("the file has a DOCTYPE, which is refused: it may name other files and expand without end")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, tag = name.rpartition(" ")
        parent = self._open[-1] if self._open else ""
        if namespace not in ("", NAMESPACE) or parent not in PARENTS.get(tag, ()):
            raise FormatError(f"element {name[:80]!r} within {parent or 'nothing'!r}; expected one flat graph")
        self._open.append(tag)
        if tag == "data":
            self._start_data(attributes)
        elif tag == "key":
            self._start_key(attributes)
        elif tag == "default":
            self._text, self._length = [], 0
        elif tag == "graph":
            self._start_graph(attributes)
        elif tag in ("node", "edge"):
            self._element = attributes

    def _start_key(self, attributes: dict[str, str]) -> None:
        owned = attributes["for"], attributes["attr.name"]
        if attributes["id"] in self._keys or owned in self._keys.values() or self._in_graph:
            raise FormatError(f"key {attributes['id']!r} is declared twice or within the graph")
        given, ours = attributes["attr.type"], TYPES.get(owned)
        self._columns |= {owned[1]} if _is_column(owned, given) else set()
        if ours not in (None, given):
            if ours not in NUMERIC or given not in NUMERIC:
                raise FormatError(f"key {owned} of type {given!r}; expected {ours}")
            self._saved_again.add(owned[1])
        self._keys[attributes["id"]] = self._key_of_default = owned

    def _start_graph(self, attributes: dict[str, str]) -> None:
        if self._in_graph:
            raise FormatError("a second graph; expected one")
        self._in_graph = True
        if attributes["edgedefault"] != "directed":
            raise FormatError(f"edgedefault is {attributes['edgedefault']!r}; expected 'directed'")
        numbers = [attributes[name] for name in ("parse.nodes", "parse.edges") if name in attributes]
        saved_again = self._keys.get(OURS) != ("edge", "weight")
        if len(numbers) == 2 or not saved_again:  # other programs leave them out
            self._promised = count(attributes["parse.nodes"]), count(attributes["parse.edges"])

    def _start_data(self, attributes: dict[str, str]) -> None:
        owner, name = self._keys[attributes["key"]]
        if owner != self._open[-2] or name in (self.about if owner == "graph" else self._own):
            raise FormatError(
                f"attribute {name!r} of a {self._open[-2]}; it is declared for a {owner}, to be there once"
            )
        self._key, self._text, self._length = name, [], 0

    def _characters(self, text: str) -> None:
        if self._open[-1] in ("data", "default"):
            self._length += len(text)
            if self._length > LONGEST:
                raise FormatError(f"an attribute of more than {LONGEST} characters")
            self._text.append(text)
        elif not text.isspace():
            raise FormatError(f"text {text[:40]!r} outside an attribute")

    def _end(self, _: str) -> None:
        tag = self._open.pop()
        if tag in ("node", "edge"):
            self._own = self._as_we_write(tag)
        if tag == "default":
            owner, name = self._key_of_default
            self._defaults.setdefault(owner, {})[name] = "".join(self._text)
        elif tag == "data":
            (self.about if self._open[-1] == "graph" else self._own)[self._key] = "".join(self._text)
        elif tag == "node":
            if self.has_edges:
                raise FormatError(f"node {self._element['id'][:40]!r} after an edge; expected all nodes first")
            for name in self._own.keys() & self._columns:
                number(self._own[name])
            self.nodes.add(_id(self._element["id"]), self._own)
        elif tag == "edge":
            self.has_edges = True
            own, ends = self._own, self._element
            port = integer(own["port"]) if "port" in own else NO_PORT
            term = integer(own["term"]) if "term" in own else NO_TERM
            self._edges.append((_id(ends["source"]), _id(ends["target"]), decimal(own["weight"]), port, term))
        if tag in ("node", "edge"):
            self._own = {}

    def _as_we_write(self, owner: str) -> dict[str, str]:
        """The attributes of a node or an edge, defaults among them, without what stands for none in other programs."""
        own = self._own | {n: v for n, v in self._defaults[owner].items() if n not in self._own}
        for name in self._saved_again & own.keys():
            if TYPES.get((owner, name)) == "int" and (whole := WHOLE.fullmatch(own[name])):
                own[name] = whole[1]
        optional = [n for n in OPTIONAL & own.keys() if own[n].lower() in ("", "nan")]
        return {n: v for n, v in own.items() if n not in optional} if optional else own


def _is_column(owned: tuple[str, str], kind: str) -> bool:
    """Whether a key is that of a further attribute of nodes, such as a measure."""
    return owned[0] == "node" and is_column(owned[1]) and kind in COLUMN_TYPES


def _id(text: str) -> int:
    if not (found := ID.fullmatch(text)):
        raise FormatError(f"id {text[:40]!r}; expected n and a number, as in n0")
    return int(found[1])
