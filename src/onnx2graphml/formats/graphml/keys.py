"""The keys of a GraphML file: what its data are, whoever declared them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from onnx2graphml.formats.nodes import FormatError
from onnx2graphml.graph.attributes import ABOUT, COLUMN_TYPES, EDGE, LABELS, NODE, RECORDED, is_column
from onnx2graphml.graph.attributes import OPTIONAL as ABOUT_OPTIONAL
from onnx2graphml.graph.recorded import VALUE

TYPES = {("graph", name): "string" for name in (*ABOUT, *ABOUT_OPTIONAL)} | {
    (a.owner, a.name): a.type for a in (*NODE, *EDGE, *RECORDED, *LABELS)
}
NUMERIC = ("int", "long", "float", "double")
"""Types that programs exchange when they save a graph again: one has integers of 64 bits, another only doubles."""
INTEGERS = {name for (_, name), kind in TYPES.items() if kind == "int"}
OPTIONAL = {"channel", "row", "col", "bias", "activation", "port", "term", "winner"}
WHOLE = re.compile(r"([0-9]+)\.0+")
OURS = "w"
"""The id of the key of weights, as we write it; other programs give their own."""
ALL = "all"
"""Whose the data of a key may be that is for no owner in particular."""


class Keys:
    """The keys that were declared so far.

    Attributes:
        columns: the types of further attributes of nodes, such as a measure, by name.
    """

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}
        self._declared: dict[str, tuple[str, str]] = {}
        self._types: dict[tuple[str, str], set[str]] = {}
        self._defaults: dict[str, dict[str, str]] = {"graph": {}, "node": {}, "edge": {}}
        self._last = ("", "")

    def declare(self, attributes: Mapping[str, str]) -> None:
        """Take a key; `FormatError` where it is there already, or can't hold the values of its name."""
        key = attributes["id"]
        name = attributes.get("attr.name", f"\0{key}")  # without a name: some program's own, as how a node is drawn
        owned = attributes.get("for", ALL), name
        given = attributes.get("attr.type", "string")
        others = self._types.setdefault(owned, set())  # NetworkX has a key for each type of numbers under one name
        if key in self._declared or given in others or (others and {given, *others} - set(NUMERIC)):
            raise FormatError(f"key {key!r} is declared twice")
        others.add(given)
        for owner in ("graph", "node", "edge") if owned[0] == ALL else owned[:1]:
            ours = TYPES.get((owner, name), given)
            if ours != given and not (ours in NUMERIC and given in NUMERIC):
                raise FormatError(f"key {(owner, name)} of type {given!r}; expected {ours}")
        if owned[0] in ("node", ALL) and (is_column(name) or name == VALUE) and given in COLUMN_TYPES:
            self.columns[name] = "double" if name in self.columns else given
        self._declared[key] = self._last = owned

    def set_default(self, text: str) -> None:
        """Take the value that the last key has where none is given."""
        owner, name = self._last
        for each in self._defaults if owner == ALL else (owner,):
            self._defaults.setdefault(each, {})[name] = text

    def name(self, key: str, owner: str) -> str:
        """The attribute that a key is of; `FormatError` where it is not the owner's."""
        declared, name = self._declared[key]
        if declared not in (owner, ALL):
            raise FormatError(f"attribute {name!r} of a {owner}; it is declared for a {declared}")
        return name

    def has(self, owner: str, name: str) -> bool:
        """Whether an attribute is declared."""
        return not {(owner, name), (ALL, name)}.isdisjoint(self._declared.values())

    def of_nodes(self) -> list[str]:
        """The names of our attributes of nodes that are declared."""
        return [a.name for a in NODE if self.has("node", a.name)]

    @property
    def further(self) -> dict[str, str]:
        """The types of further attributes of nodes; a depth beside labels is one of these."""
        if not self.has("node", "label"):
            return self.columns
        return {name: kind for name, kind in self.columns.items() if name != "depth"}

    @property
    def are_ours(self) -> bool:
        """Whether the file is as we write it, or nearly so."""
        return self._declared.get(OURS) == ("edge", "weight")

    def of_edges(self) -> dict[str, str]:
        """The ids of the keys of edges, by name."""
        return {name: key for key, (owner, name) in self._declared.items() if owner in ("edge", ALL)}

    def as_we_write(self, owner: str, own: dict[str, str]) -> dict[str, str]:
        """The attributes of a node or an edge, defaults among them, without what stands for none in other programs."""
        if self._defaults[owner]:
            own = self._defaults[owner] | own
        for name in INTEGERS & own.keys():
            if whole := WHOLE.fullmatch(own[name]):
                own[name] = whole[1]
        absent = [n for n in OPTIONAL & own.keys() if own[n].lower() in ("", "nan")]
        return {n: v for n, v in own.items() if n not in absent} if absent else own
