"""Nesting, recursion, names and metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
from onnx import helper

from hostile.cases import HUGE, Build, add, case, changed, model, node


def wrapped(content: bytes, *fields: int) -> bytes:
    """A message in fields of those numbers, from the innermost outwards."""
    for field in fields:
        size, length = len(content), b""
        while size > 127:
            length, size = length + bytes([size & 127 | 128]), size >> 7
        content = bytes([field << 3 | 2]) + length + bytes([size]) + content
    return content


@case("subgraphs 3000 deep", "not an ONNX model, or truncated|nested more than")
def _(_: Path) -> bytes:
    graph = b""
    for _depth in range(3000):  # attribute g, of a node's attribute, of a graph's node
        graph = wrapped(graph, 6, 5, 1)
    return model().SerializeToString() + wrapped(graph, 7)


def functions(calls: Mapping[str, Sequence[str]]) -> Build:
    """Functions of one input and output, each of which calls others in a row; the graph calls A."""
    own, onnx_s = helper.make_opsetid("mine", 1), helper.make_opsetid("", 17)

    def body(called: Sequence[str]) -> list[onnx.NodeProto]:
        names = ["a", *(f"t{k}" for k in range(len(called) - 1)), "b"]
        return [
            helper.make_node(c, [i], [o], domain="" if c == "Relu" else "mine")
            for c, i, o in zip(called, names, names[1:], strict=False)
        ]

    made = [helper.make_function("mine", n, ["a"], ["b"], body(c), [onnx_s, own]) for n, c in calls.items()]
    return lambda _: model([node("A", "x", "y", domain="mine")], functions=made, opset_imports=[onnx_s, own])


add("a function that calls itself", functions({"A": ["A"]}), "its functions call themselves: A <- A")
add(
    "functions that call each other", functions({"A": ["B"], "B": ["C"], "C": ["A"]}), "its functions call themselves: "
)
add("a function that is missing", functions({"A": ["B"]}), "B")
add(
    "functions that double 40 times",
    functions({"A": ["1"], **{str(k): [str(k + 1)] * 2 for k in range(1, 41)}, "41": ["Relu"]}),
    "has 1,099,511,627,776 nodes; it may have",
)


@case("a hundred bytes that ask for 10^12 neurons", "run along 1,000,000,000,001 positions, which take 24,000,000 MB")
def _(_: Path) -> onnx.ModelProto:
    proto = model(inputs={"x": [1, HUGE]})
    proto.graph.name = proto.graph.node[0].name = "g"
    assert len(proto.SerializeToString()) < 110
    return proto


# ---------------------------------------------------------------------------------------------------------------- names

NAMES = {
    "control characters": "a\x00b\x01\x1f\x7f\x85",
    "XML's own characters": """<edge/>&amp;"'><![CDATA[ ]]> --><!--""",
    "line breaks": "a\nb\r\nc\td\u2028",
    "backslashes": "\\u0000\\\\",
    "directions of writing": "a\u202eb\u2066",
    "planes above the first": "\U0001f9e0\U0010ffff",
    "no characters": "\ufffe\uffff",
    "a hundred thousand letters": "w" * 100_000,
    "paths": "../../../../tmp/x",
    "formats": "%s%n{0}{x!r}",
}


def named(name: str, op_name: str | None = None) -> onnx.ModelProto:
    """Two layers: the name is that of a node, of a tensor and of an output."""
    hidden = helper.make_node("Relu", ["x"], [name], name=op_name or name)
    return model([hidden, helper.make_node("Neg", [name], ["y"], name=name)], outputs=["y", name])


for what, text in NAMES.items():
    add(f"names of {what}", lambda _, t=text: named(t), None, "--detail", "op")
add("names that are empty", changed(lambda m: m.graph.node[0].ClearField("name")), None)
add("a graph without a name", changed(lambda m: m.graph.ClearField("name")), "name")
add("an output without a name", lambda _: model(outputs=["y", ""]), "name")


def not_utf_8(place: str) -> Build:
    """A name of as many bytes that are not UTF-8."""
    return lambda _: named("REPLACE").SerializeToString().replace(b"REPLACE", place.encode() + b"\xff\xc0\x80")


add("names that are not UTF-8", not_utf_8("caf_"), r"is not UTF-8, as ONNX's names are: export the model again")
add("metadata that is not UTF-8", changed(lambda m: None), None)


# ------------------------------------------------------------------------------------------------------------- metadata

for what, text in {
    "no JSON": "{[",
    "a number": "7",
    "of other things": '[{"class": "Relu"}]',
    "of odd shapes": '[{"name": "a", "shape": {"a": "b"}}]',
    "100000 deep": "[" * 100_000,
}.items():
    add(
        f"layers in metadata are {what}",
        changed(lambda m, t=text: m.metadata_props.add(key="onnx2graphml.layers", value=t)),
        "its metadata 'onnx2graphml.layers' is not a list of layers",
    )
for what, text in {
    "deep": "(" * 5000,
    "long": "-" * 200_000 + "1",
    "no list": "{[]: 1}",
    "code": "__import__('os').abort()",
}.items():
    add(
        f"scopes in metadata are {what}",
        changed(lambda m, t=text: m.graph.node[0].metadata_props.add(key="pkg.torch.onnx.name_scopes", value=t)),
        None,
    )
