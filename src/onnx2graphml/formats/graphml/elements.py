"""The elements of a GraphML file, as a parser tells them: keys, the graph's attributes, nodes, edges."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import NO_PORT, NO_TERM, EdgeRows, Row
from onnx2graphml.formats.graphml.keys import Keys
from onnx2graphml.formats.nodes import FormatError, Nodes, count, decimal, integer, winner
from onnx2graphml.graph.attributes import DIALECT

NAMESPACE = "http://graphml.graphdrawing.org/xmlns"
PARENTS = {
    "graphml": ("",), "key": ("graphml",), "graph": ("graphml",), "node": ("graph",), "edge": ("graph",),
    "data": ("graph", "node", "edge"), "default": ("key",), "desc": ("graphml", "key", "graph", "node", "edge"),
}  # fmt: skip
FOREIGN = "?"
"""What other programs put into data and descriptions: elements of another namespace, and all that is within them."""
ID = re.compile(r"n?(0|[1-9][0-9]{0,17})")
LONGEST = 1 << 20  # characters of one attribute
LONGEST_TAG = 1 << 23  # bytes that the parser holds back: it begins anew with each piece of what is longer
ASCII = bytes(range(128))


class Document:
    """A GraphML file that is parsed piece by piece.

    Attributes:
        about: the graph's attributes so far.
        nodes: so far.
        keys: that were declared so far.
        has_edges: whether an edge was met.
        free_order: whether nodes may come after edges.
        is_wide: whether its encoding is one of more than one byte a character.
        passed_over: the number of lines that were read by others than this parser.
    """

    def __init__(self, path: object) -> None:
        self.about: dict[str, str] = {}
        self.nodes = Nodes()
        self.keys = Keys()
        self.has_edges = self.free_order = self.is_wide = False
        self.passed_over = 0
        self._path = path
        self._finished = False
        self._open: list[str] = []
        self._tag = "file"  # the element that began or ended last
        self._in_graph = False
        self._numbers: dict[str, int] | None = None
        self._met_id = False
        self._fed = self._given = 0
        self._begun = -1
        self._nonce, self._seen = "", ""
        self._promised: tuple[int, int] | None = None
        self._element: dict[str, str] = {}
        self._own: dict[str, str] = {}
        self._key, self._text, self._length = "", list[str](), 0
        self._edges: list[Row] = []
        self._batches: list[EdgeRows] = []
        self._recorded: list[tuple[float, int]] = []
        self._namespace = NAMESPACE
        self._parser = parser = expat.ParserCreate(namespace_separator=" ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = self._characters, self._doctype
        parser.XmlDeclHandler, parser.CommentHandler = self._declaration, self._comment

    @property
    def promised_nodes(self) -> int | None:
        """How many nodes the file says it has."""
        return None if self._promised is None else self._promised[0]

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

    def takes(self, element: bytes) -> bool:
        """Take the text of an element; whether it is one to the parser, too, which is then behind it."""
        place = self._given
        self.parse(element, final=False)
        return self._begun == place and self.between_elements

    @property
    def last_edge(self) -> dict[str, int]:
        """The port, the term and the winner of the edge that was met last."""
        *_, port, term = self._edges[-1]
        return {"port": port, "term": term} | ({"winner": self._recorded[-1][1]} if self._recorded else {})

    def add_edges(self, edges: EdgeRows) -> None:
        """Take edges that others have read."""
        self._batches += [*self._taken(), edges]

    def parse(self, text: bytes, final: bool) -> None:
        """Take the next piece of the file; `Error` where it is not GraphML of the dialect."""
        if self._finished:
            return
        self._finished = final
        self._fed += len(text)
        self._given += len(text)
        try:
            self._parser.Parse(text, final)
            if not final and self._fed - self._parser.CurrentByteIndex > LONGEST_TAG:
                raise FormatError(f"an element or a name of more than {LONGEST_TAG:,} bytes")
        except expat.ExpatError as e:
            problem = f"not well-formed XML, or not whole: {expat.errors.messages[e.code]}"
        except (FormatError, ValueError, OverflowError) as e:
            problem = str(e)
        except KeyError as e:
            problem = f"{'an' if self._tag == 'edge' else 'a'} {self._tag} has no {e.args[0]!r}"
        except LookupError as e:  # an encoding that nobody knows
            problem = str(e)
        else:
            return
        line = self._parser.CurrentLineNumber + self.passed_over
        raise Error(f"{self._path}, line {line}: {problem}; write the file again")

    def take_edges(self) -> Iterator[EdgeRows]:
        """The edges that were met since the last call."""
        self._batches += self._taken()
        batches, self._batches = self._batches, []
        yield from batches

    def _taken(self) -> list[EdgeRows]:
        """Those that the parser met."""
        rows, recorded, self._edges, self._recorded = self._edges, self._recorded, [], []
        return [EdgeRows.of(rows, recorded)] if rows else []

    def check_end(self, edges: int) -> None:
        """Compare the numbers of nodes and edges with those that the file states."""
        if self._promised is not None and self._promised != (self.nodes.count, edges):
            nodes, promised = self._promised
            raise Error(
                f"{self._path}: it has {self.nodes.count} nodes and {edges} edges, and says it has {nodes} and "
                f"{promised}: it is damaged; write the file again"
            )
        if self.keys.has("graph", "dialect") and self.about.get("dialect") != DIALECT:
            raise Error(f"{self._path}: dialect is {self.about.get('dialect')!r}; expected {DIALECT!r}")

    def _declaration(self, _: str, encoding: str | None, __: int) -> None:
        if encoding is None:
            return
        self.is_wide = encoding.lower().startswith("utf-16")
        if not self.is_wide and ASCII.decode(encoding) != ASCII.decode("ascii"):
            raise FormatError(f"its encoding is {encoding[:40]!r}; expected UTF-8")

    def _comment(self, text: str) -> None:
        self._seen = text

    def _doctype(self, *_: Any) -> None:
        raise FormatError("the file has a DOCTYPE, which is refused: it may name other files and expand without end")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, tag = name.split(" ")[:2] if " " in name else ("", name)
        parent = self._open[-1] if self._open else ""
        if parent == FOREIGN or (namespace not in ("", NAMESPACE) and parent in ("data", "desc")):
            self._open.append(FOREIGN)
            return
        if not self._open and not namespace:  # as NetworKit writes; igraph reads no namespaces, either
            self._namespace = ""
        if namespace != self._namespace or parent not in PARENTS.get(tag, ()):
            raise FormatError(f"element {name[:80]!r} within {parent or 'nothing'!r}; expected one flat graph")
        self._open.append(tag)
        self._tag = tag
        if tag == "data":
            self._start_data(attributes)
        elif tag == "key":
            if self._in_graph:
                raise FormatError(f"key {attributes['id']!r} is declared within the graph")
            self.keys.declare(attributes)
        elif tag == "default":
            self._text, self._length = [], 0
        elif tag == "graph":
            self._start_graph(attributes)
        elif tag in ("node", "edge"):
            self._element, self._begun = attributes, self._parser.CurrentByteIndex

    def _start_graph(self, attributes: dict[str, str]) -> None:
        if self._in_graph:
            raise FormatError("a second graph; expected one")
        self._in_graph = True
        if attributes["edgedefault"] != "directed":
            raise FormatError(f"edgedefault is {attributes['edgedefault']!r}; expected 'directed'")
        numbers = [attributes[name] for name in ("parse.nodes", "parse.edges") if name in attributes]
        if len(numbers) == 2 or self.keys.are_ours:  # other programs leave them out
            self._promised = count(attributes["parse.nodes"]), count(attributes["parse.edges"])

    def _start_data(self, attributes: dict[str, str]) -> None:
        owner = self._open[-2]
        name = self.keys.name(attributes["key"], owner)
        if name in (self.about if owner == "graph" else self._own):
            raise FormatError(f"attribute {name!r} is there twice")
        self._key, self._text, self._length = name, [], 0

    def _characters(self, text: str) -> None:
        if self._open[-1] in ("desc", FOREIGN):
            return
        if self._open[-1] in ("data", "default"):
            self._length += len(text)
            if self._length > LONGEST:
                raise FormatError(f"an attribute of more than {LONGEST} characters")
            self._text.append(text)
        elif not text.isspace():
            raise FormatError(f"text {text.strip()[:40]!r} outside an attribute")

    def _end(self, _: str) -> None:
        tag = self._tag = self._open.pop()
        if tag == "default":
            self.keys.set_default("".join(self._text))
        elif tag == "data":
            (self.about if self._open[-1] == "graph" else self._own)[self._key] = "".join(self._text)
        elif tag in ("node", "edge"):
            own, self._own = self.keys.as_we_write(tag, self._own), {}
            (self._end_node if tag == "node" else self._end_edge)(own)

    def _end_node(self, own: dict[str, str]) -> None:
        if self.has_edges and not self.free_order:
            raise FormatError(f"node {self._element['id'][:40]!r} after an edge; expected all nodes first")
        id = self._id(self._element["id"])
        if self.keys.has("node", "layer"):
            self.nodes.add(id, own, self.keys.further)
        else:
            self.nodes.add_bare(id)

    def _end_edge(self, own: dict[str, str]) -> None:
        self.has_edges = True
        ends = self._element
        if ends.get("directed", "true") != "true":
            raise FormatError(f"an edge with directed={ends['directed'][:40]!r}; expected only directed ones")
        port = integer(own["port"]) if "port" in own else NO_PORT
        term = count(own["term"]) if "term" in own else NO_TERM
        self._edges.append((self._id(ends["source"]), self._id(ends["target"]), decimal(own["weight"]), port, term))
        if self.keys.has("edge", "contribution"):
            self._recorded.append((decimal(own["contribution"]), winner(own.get("winner", ""))))

    @property
    def has_own_ids(self) -> bool:
        """Whether ids are n0, n1, ..., whose numbers are the nodes' places."""
        return self._numbers is None

    def _id(self, text: str) -> int:
        """The number in an id; of ids that are not n0, n1, …, their place in the order in which they are met."""
        found = ID.fullmatch(text)
        if not self._met_id:
            self._met_id, self._numbers = True, None if found else {}
        if self._numbers is not None:
            return self._numbers.setdefault(text, len(self._numbers))
        if not found:
            raise FormatError(f"id {text[:40]!r}; expected n and a number, as in n0")
        return int(found[1])
