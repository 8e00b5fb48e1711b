"""A GraphML file against the rules of the GraphML 1.0 schema, with the extensions for attributes and for parsers.

Written from the published description, with Python's own XML parser: nothing is shared with what writes or reads files.

Sources: http://graphml.graphdrawing.org/specification.html, http://graphml.graphdrawing.org/primer/graphml-primer.html
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field

NAMESPACE = "{http://graphml.graphdrawing.org/xmlns}"
SCHEMA_LOCATION = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"

NMTOKEN = r"[-.:_·A-Za-z0-9À-￿]+"
COUNT = r"\+?[0-9]+"
DOMAINS = r"graphml|all|graph|node|edge|hyperedge|port|endpoint"
TYPES = {
    "boolean": r"true|false|0|1",
    "int": r"[+-]?[0-9]+",
    "long": r"[+-]?[0-9]+",
    "float": r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF|NaN",
    "double": r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF|NaN",
    "string": r"(?s:.*)",
}
BITS = {"int": 31, "long": 63}


@dataclass(frozen=True)
class Rule:
    """What an element may have.

    Attributes:
        children: a pattern of the names of its children, a space behind each.
        required, optional: attributes, with a pattern of their values.
        text: whether it may hold text.
    """

    children: str
    required: dict[str, str] = field(default_factory=dict)
    optional: dict[str, str] = field(default_factory=dict)
    text: bool = False


RULES = {
    "graphml": Rule(r"(desc )?(key )*((data|graph) )*", optional={SCHEMA_LOCATION: r"(?s:.*)"}),
    "desc": Rule("", text=True),
    "default": Rule("", text=True),
    "key": Rule(
        r"(desc )?(default )?",
        {"id": NMTOKEN},
        {"for": DOMAINS, "attr.name": r".+", "attr.type": "|".join(TYPES)},
    ),
    "graph": Rule(
        r"(desc )?((data|node|edge|hyperedge) )*",
        {"edgedefault": "directed|undirected"},
        {
            "id": NMTOKEN, "parse.nodes": COUNT, "parse.edges": COUNT, "parse.maxindegree": COUNT,
            "parse.maxoutdegree": COUNT, "parse.nodeids": "canonical|free", "parse.edgeids": "canonical|free",
            "parse.order": "nodesfirst|adjacencylist|free",
        },
    ),
    "node": Rule(
        r"(desc )?((data|port) )*(graph )?", {"id": NMTOKEN}, {"parse.indegree": COUNT, "parse.outdegree": COUNT}
    ),
    "edge": Rule(
        r"(desc )?(data )*(graph )?",
        {"source": NMTOKEN, "target": NMTOKEN},
        {"id": NMTOKEN, "directed": TYPES["boolean"], "sourceport": NMTOKEN, "targetport": NMTOKEN},
    ),
    "data": Rule("", {"key": NMTOKEN}, {"id": NMTOKEN}, text=True),
}  # fmt: skip
"""Hyperedges, ports and locators are in the schema, too; no file of this package has them, and none may."""


@dataclass
class Found:
    """What was met so far of what other parts of the file refer to."""

    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    ids: dict[str, set[str]] = field(default_factory=dict)
    ends: list[str] = field(default_factory=list)
    names: set[tuple[str, str]] = field(default_factory=set)


def problems(data: bytes) -> list[str]:
    """All that is wrong with a file; an empty list if it is valid."""
    found, out = Found(), []
    try:
        root = ET.parse(io.BytesIO(data)).getroot()
    except ET.ParseError as e:
        return [f"not well-formed: {e}"]
    if root.tag != f"{NAMESPACE}graphml":
        return [f"the root is {root.tag}, not graphml in its namespace"]
    for parent, element in _elements(root):
        out += _own_problems(element, found) + _data_problems(parent, element, found)
    nodes = found.ids.get("node", set())
    return out + [f"an edge refers to {end!r}, which is no node" for end in found.ends if end not in nodes]


def _elements(root: ET.Element) -> Iterator[tuple[str, ET.Element]]:
    """Every element with its parent's name, in the order of the file."""
    stack = [("", root)]
    while stack:
        parent, element = stack.pop()
        yield parent, element
        stack += [(_name(element), child) for child in reversed(element)]


def _name(element: ET.Element) -> str:
    return element.tag.removeprefix(NAMESPACE)


def _own_problems(element: ET.Element, found: Found) -> list[str]:
    """Of an element by itself: children, attributes, text, identity."""
    name = _name(element)
    rule = RULES.get(name)
    if rule is None:
        return [f"unknown element {name}"]
    out = []
    children = "".join(f"{_name(child)} " for child in element)
    if not re.fullmatch(rule.children, children):
        out.append(f"{name} has children that are not allowed, or in another order: {children[:60]}")
    out += [f"{name} has no {attribute}" for attribute in rule.required.keys() - element.attrib.keys()]
    for attribute, value in element.attrib.items():
        pattern = (rule.required | rule.optional).get(attribute)
        if pattern is None:
            out.append(f"{name} has an unknown attribute {attribute}")
        elif not re.fullmatch(pattern, value):
            out.append(f"{attribute} of a {name} is {value!r}")
    texts = [element.text, *(child.tail for child in element)]
    if not rule.text and any(text and text.strip(" \t\r\n") for text in texts):
        out.append(f"text within {name}")
    return out + _identity_problems(name, element, found) + (_graph_problems(element) if name == "graph" else [])


def _identity_problems(name: str, element: ET.Element, found: Found) -> list[str]:
    """Ids are there once; what edges refer to is kept for later."""
    out, id = [], element.get("id")
    if id is not None:
        if id in found.ids.setdefault(name, set()):
            out.append(f"{name} id {id!r} is there twice")
        found.ids[name].add(id)
    if name == "edge":
        found.ends += [element.get("source", ""), element.get("target", "")]
    if name == "key" and id is not None:
        owned = element.get("for", "all"), element.get("attr.name", "")
        if owned in found.names:
            out.append(f"two keys are called {owned[1]!r} for {owned[0]}")
        found.names.add(owned)
        found.keys[id] = (owned[0], element.get("attr.type", "string"))
    return out


def _graph_problems(graph: ET.Element) -> list[str]:
    """What the attributes for parsers promise."""
    children = [_name(child) for child in graph]
    out = []
    for what in ("node", "edge"):
        promised, there = graph.get(f"parse.{what}s"), children.count(what)
        if promised is not None and promised != str(there):
            out.append(f"parse.{what}s is {promised}; there are {there}")
    if (
        graph.get("parse.order") == "nodesfirst"
        and "node" in children[children.index("edge") if "edge" in children else len(children) :]
    ):
        out.append("a node stands after an edge; parse.order is nodesfirst")
    if graph.get("parse.nodeids") == "canonical":
        ids = [child.get("id") for child in graph if _name(child) == "node"]
        out += ["node ids are not canonical"] if ids != [f"n{i}" for i in range(len(ids))] else []
    return out


def _data_problems(parent: str, element: ET.Element, found: Found) -> list[str]:
    """Of the data of an element: what keys they have, and whether their text is of the key's type."""
    out, keys = [], [child.get("key", "") for child in element if _name(child) == "data"]
    out += [f"{_name(element)} has data of key {key!r} twice" for key in {k for k in keys if keys.count(k) > 1}]
    if _name(element) != "data":
        return out
    key = element.get("key", "")
    if key not in found.keys:
        return [*out, f"data refers to key {key!r}, which is not declared before"]
    domain, kind = found.keys[key]
    text = (element.text or "").strip(" \t\r\n") if kind != "string" else element.text or ""
    if domain not in ("all", parent):
        out.append(f"data of key {key!r}, which is for {domain}, within {parent}")
    if kind in TYPES and not re.fullmatch(TYPES[kind], text):
        out.append(f"data of key {key!r} is {text[:40]!r}, not of type {kind}")
    elif kind in BITS and not -(2 ** BITS[kind]) <= int(text) < 2 ** BITS[kind]:
        out.append(f"data of key {key!r} is {text[:40]}, beyond {kind}")
    return out
