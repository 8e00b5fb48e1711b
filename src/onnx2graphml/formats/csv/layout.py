"""How the two tables of a folder are laid out: the headers that Gephi and Neo4j import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from onnx2graphml.graph.attributes import NODE


@dataclass(frozen=True)
class Layout:
    """The headers of nodes and edges.

    Attributes:
        id, source, target: the columns of ids.
        weight: the column of weights, without its type.
        constant: a column of edges that has the same text everywhere, and the text; none in some.
        types: what is added to a column's name, by its type: `string`, `int`, `float`, `double`, `boolean`.
    """

    id: str
    source: str
    target: str
    weight: str
    constant: tuple[tuple[str, str], ...]
    types: Mapping[str, str]

    def node_header(self, real: str = "float") -> tuple[str, ...]:
        """The columns of nodes: the id, then all attributes that GraphML has; `real` is the type of floats."""
        return (self.id, *(a.name + self.types[real if a.type == "double" else a.type] for a in NODE))

    def edge_header(self, real: str = "float") -> tuple[str, ...]:
        """The columns of edges, without port and term."""
        return (self.source, self.target, self.weight + self.types[real], *(name for name, _ in self.constant))

    @property
    def port(self) -> str:
        """The column of ports, in graphs that have some."""
        return "port" + self.types["int"]

    @property
    def term(self) -> str:
        """The column of terms, in graphs that have some."""
        return "term" + self.types["int"]

    def recorded(self, real: str = "float") -> tuple[str, str]:
        """The columns of what an input makes of edges."""
        return "contribution" + self.types[real], "winner" + self.types["boolean"]

    @property
    def constants(self) -> tuple[str, ...]:
        """The texts that are the same in every edge."""
        return tuple(text for _, text in self.constant)


TYPES = ("string", "int", "float", "double", "boolean")

GEPHI = Layout("Id", "Source", "Target", "Weight", (("Type", "Directed"),), dict.fromkeys(TYPES, ""))
NEO4J = Layout("id:ID", ":START_ID", ":END_ID", "weight", (), {name: f":{name}" for name in TYPES} | {"string": ""})
