"""CSV: a folder of two tables and a manifest."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from damage.files import (
    Change,
    Damage,
    Files,
    Lines,
    Otherwise,
    another_number,
    around,
    cut,
    cut_between_lines,
    exchanged,
    garbage,
    replaced,
    some,
    to,
    two,
    without,
)  # fmt: skip


def counted(damage: Change) -> Change:
    """With the numbers in the manifest that are there then."""

    def changed(folder: Files, random: Random) -> Files | None:
        out = damage(folder, random)
        if out is None:
            return None
        manifest = json.loads(out["manifest.json"])
        manifest["edges"] = out["edges.csv"].count(b"\n") - 1
        return out | {"manifest.json": json.dumps(manifest).encode()}

    return changed


def listed(change: Callable[[dict[str, Any]], Any]) -> Change:
    def changed(folder: Files, _: Random) -> Files:
        manifest = json.loads(folder["manifest.json"])
        change(manifest)
        return folder | {"manifest.json": json.dumps(manifest).encode()}

    return changed


def without_column(lines: Lines, _: Random) -> Lines:
    return [re.sub(rb"^[^,]*,", b"", line) for line in lines]


def in_header(pattern: bytes, by: bytes) -> Damage:
    return lambda lines, _: [re.sub(pattern, by, lines[0]), *lines[1:]] if re.search(pattern, lines[0]) else None


def nudged(lines: Lines, random: Random) -> Lines | None:
    """A weight is more by 1e-3 of the largest of its layer, or by less."""
    at = some(lines, random, EDGE)
    assert at is not None
    target = EDGE_FIELDS(lines[at])[1]
    own = [abs(float(EDGE_FIELDS(line)[2])) for line in lines[1:] if EDGE_FIELDS(line)[1] == target]
    more = float(EDGE_FIELDS(lines[at])[2]) + 1e-3 * max(own)
    new = re.sub(WEIGHT, lambda m: m[1] + repr(more).encode(), lines[at], count=1)
    return [*lines[:at], new, *lines[at + 1 :]]


def EDGE_FIELDS(line: bytes) -> list[bytes]:
    return line.rstrip().split(b",")


EDGE, NODE = rb"^\d+,\d+,", rb'^\d+,"'
WEIGHT = rb"^(\d+,\d+,)[^,\n]+"
BIAS = rb'("(?:sum|constant)",)([^,\n]+),'
ACTIVATION = rb'"([^",]+)"$'
EDGES, NODES = "edges.csv", "nodes.csv"
DAMAGES: dict[str, Change] = {
    "an edge is missing": counted(to(EDGES, around(EDGE, lambda _: []))),
    "an edge is missing, the count tells": to(EDGES, around(EDGE, lambda _: [])),
    "an edge is there twice": counted(to(EDGES, around(EDGE, lambda line: [line, line]))),
    "an edge more": counted(to(EDGES, around(EDGE, lambda line: [line, re.sub(rb"^\d+", b"1", line)]))),
    "an edge more, of weight 0": counted(to(EDGES, around(EDGE, lambda x: [x, re.sub(WEIGHT, rb"\g<1>0", x)]))),
    "another source": to(EDGES, replaced(rb"^(\d+),", another_number)),
    "another target": to(EDGES, replaced(rb"^(\d+),(\d+)", lambda m: b"%s,%d" % (m[1], int(m[2]) - 1))),
    "source and target exchanged": to(EDGES, replaced(rb"^(\d+),(\d+)", rb"\2,\1")),
    "two edges exchange their weights": to(EDGES, two(EDGE, exchanged(rb"(?<=\d,)-?[0-9.e-]+(?=[,\n])"))),
    "two edges exchange their sources": to(EDGES, two(EDGE, exchanged(rb"^\d+,"))),
    "a weight is more by 1e-3 of the largest": to(EDGES, nudged),
    "a weight has another sign": to(
        EDGES, replaced(rb"^(\d+,\d+,)(-?)(?=[^,\n]*[1-9])", lambda m: m[1] + b"-"[len(m[2]) :])
    ),
    "a weight is 0": to(EDGES, replaced(rb"^(\d+,\d+,)[^,\n]*[1-9][^,\n]*", rb"\g<1>0")),
    "a weight is NaN": to(EDGES, replaced(WEIGHT, rb"\1nan")),
    "a weight is infinite": to(EDGES, replaced(WEIGHT, rb"\g<1>1e999")),
    "a weight is no number": to(EDGES, replaced(WEIGHT, rb"\1one")),
    "a weight has a comma": to(EDGES, replaced(WEIGHT, rb"\g<1>1,5")),
    "a weight has a quoted comma": to(EDGES, replaced(WEIGHT, rb'\g<1>"1,5"')),
    "a weight is missing": to(EDGES, replaced(WEIGHT, rb"\1")),
    "a source is no number": to(EDGES, replaced(rb"^\d+", b"n1")),
    "a source is negative": to(EDGES, replaced(rb"^\d+", b"-1")),
    "a source has a zero before it": to(EDGES, replaced(rb"^(\d+)", rb"0\1")),
    "an edge from nowhere": to(EDGES, replaced(rb"^\d+", b"999999")),
    "an id beyond all numbers": to(EDGES, replaced(rb"^\d+", b"99999999999999999999")),
    "an edge is undirected": to(EDGES, replaced(rb"Directed", b"Undirected")),
    "a port is another": to(EDGES, replaced(rb",([01])(?=\n)", lambda m: b",%d" % (1 - int(m[1])))),
    "a port is missing": to(EDGES, replaced(rb",[01](?=\n)", b",")),
    "a port is one of a third": to(EDGES, replaced(rb",[01](?=\n)", b",2")),
    "a port is negative": to(EDGES, replaced(rb",[01]?(?=\n)", b",-1")),
    "all ports are missing": to(EDGES, lambda x, _: [re.sub(rb",(port[^,\n]*|[01]?)(?=\n)", b"", n) for n in x]),
    "a field too many": to(EDGES, replaced(rb"(?=\n)", b",7")),
    "a quote does not end": to(EDGES, replaced(rb"^", b'"')),
    "a quote within a number": to(EDGES, replaced(rb"^(\d)", rb'\1"')),
    "an empty line": to(EDGES, around(EDGE, lambda line: [line, b"\n"])),
    "a line of text": to(EDGES, around(EDGE, lambda line: [line, b"edges:\n"])),
    "a column is missing": to(EDGES, without_column),
    "the header is missing": to(EDGES, lambda x, _: x[1:]),
    "a header in other words": to(EDGES, in_header(rb"Weight|weight", b"value")),
    "the header's columns are exchanged": to(EDGES, in_header(rb"^([^,]+),([^,]+)", rb"\2,\1")),
    "the header of another format": lambda f, _: f | {EDGES: b"Source;Target;Weight\n" + f[EDGES].partition(b"\n")[2]},
    "a weight's type is another": to(EDGES, in_header(rb":(float|double)", b":int")),
    "truncated": to(EDGES, cut),
    "the edges are cut between lines": to(EDGES, cut_between_lines),
    "the edges are cut before the last line's end": to(EDGES, lambda x, _: [*x[:-1], x[-1][:-1]]),
    "garbage in the edges": to(EDGES, garbage),
    "empty": lambda f, _: f | {EDGES: b""},
    "the edges are twice the file": to(EDGES, lambda x, _: [*x, *x]),
    "a bias is another": to(NODES, replaced(BIAS, lambda m: m[1] + repr(float(m[2]) * 1.001 + 1e-4).encode() + b",")),
    "a bias is missing": to(NODES, replaced(BIAS, rb"\1,")),
    "a bias more": to(NODES, replaced(rb'("(?:sum|input)",),', rb"\g<1>1,")),
    "a bias is no number": to(NODES, replaced(BIAS, rb"\1x,")),
    "an activation is missing": to(NODES, replaced(ACTIVATION, b"")),
    "an activation is another": to(NODES, replaced(ACTIVATION, b'"Softsign"')),
    "an activation is unknown": to(NODES, replaced(ACTIVATION, b'"Rleu"')),
    "combine is another": to(NODES, replaced(rb'"(sum|max)"', b'"min"')),
    "op is another": to(NODES, replaced(rb'"(Gemm|Add)"', b'"MatMul"')),
    "a layer has another name": to(NODES, lambda x, _: [re.sub(rb'^(\d+),"', rb'\1,"_', n) for n in x]),
    "a node is in another layer": to(NODES, replaced(rb'^(\d+),"[^"]+"', rb'\1,"elsewhere"')),
    "two nodes exchange their ids": to(NODES, two(NODE, exchanged(rb"^\d+"))),
    "two nodes exchange their indices": to(NODES, two(NODE, exchanged(rb'"\d[0-9,]*"'))),
    "a node has another index": to(NODES, replaced(rb'"(\d+)(?=[",])', another_number)),
    "a node has no index": to(NODES, replaced(rb'"\d[0-9,]*"', b'""')),
    "a node is in another row": to(NODES, replaced(rb'(?<=",)\d+,(\d+),', another_number)),
    "a node is in row -1": to(NODES, replaced(rb'(?<=",)(\d*),(\d*),', rb"\1,-1,")),
    "a node is of no channel": to(NODES, replaced(rb'(?<=",)\d+,', b",")),
    "a node is missing": to(NODES, around(NODE, lambda _: [])),
    "a node is there twice": to(NODES, around(NODE, lambda line: [line, line])),
    "a node has another id": to(NODES, replaced(rb"^\d+", b"999999")),
    "a node's id is no number": to(NODES, replaced(rb"^\d+", b"n1")),
    "a node's field is missing": to(NODES, replaced(rb",(?=[^,]*\n)", b"")),
    "a node's quote does not end": to(NODES, replaced(rb'^(\d+,"[^"]*)"', rb"\1")),
    "the nodes' header is another": to(NODES, in_header(rb"layer", b"label")),
    "a bias's type is another": to(NODES, in_header(rb"bias:(float|double)", b"bias:int")),
    "the nodes' columns are exchanged": to(NODES, in_header(rb"layer,op", b"op,layer")),
    "the nodes are cut": to(NODES, cut),
    "the nodes are cut between lines": to(NODES, cut_between_lines),
    "the nodes are cut before the last line's end": to(NODES, lambda x, _: [*x[:-1], x[-1][:-1]]),
    "garbage in the nodes": to(NODES, garbage),
    "the nodes are empty": lambda f, _: f | {NODES: b""},
    "the edges are missing": without(EDGES),
    "the nodes are missing": without(NODES),
    "the manifest is missing": without("manifest.json"),
    "the manifest is cut": lambda f, _: f | {"manifest.json": f["manifest.json"][:300]},
    "the manifest is a list": lambda f, _: f | {"manifest.json": b"[]"},
    "the manifest is nested without end": lambda f, _: f | {"manifest.json": b"[" * 100_000},
    "another model": listed(lambda m: m.update(model_sha256="0" * 64, model="other.onnx")),
    "another level of detail": listed(lambda m: m.update(detail="op")),
    "another dialect": listed(lambda m: m.update(dialect="1")),
    "no word of the model": listed(lambda m: m.pop("model")),
    "a thinned graph": listed(lambda m: m.update(thinned="top-k 5")),
    "the number of nodes is another": listed(lambda m: m.update(nodes=1)),
    "the number of edges is another": listed(lambda m: m.update(edges=1)),
    "a layer is not listed": listed(lambda m: m["layers"].pop()),
    "a layer of another shape": listed(lambda m: m["layers"][0].update(shape=[63])),
    "two layers are exchanged": listed(lambda m: m["layers"].insert(0, m["layers"].pop())),
}  # fmt: skip


# ------------------------------------------------------------------------------------ the same graph, otherwise written


def edges_reordered(folder: Files) -> Files:
    header, *rows = folder["edges.csv"].splitlines(keepends=True)
    Random(0).shuffle(rows)
    return folder | {"edges.csv": b"".join([header, *rows])}


def nodes_reordered(folder: Files) -> Files:
    header, *rows = folder["nodes.csv"].splitlines(keepends=True)
    return folder | {"nodes.csv": b"".join([header, *reversed(rows)])}


def crlf(folder: Files) -> Files:
    return {name: text if name == "manifest.json" else text.replace(b"\n", b"\r\n") for name, text in folder.items()}


def quoted(folder: Files) -> Files:
    """Quotes around every field, as Python's own writer makes them."""
    out = dict(folder)
    for name in ("nodes.csv", "edges.csv"):
        text = io.StringIO(newline="")
        rows = csv.reader(io.StringIO(folder[name].decode(), newline=""))
        csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
        out[name] = text.getvalue().encode()
    return out


def one_line_quoted(folder: Files) -> Files:
    lines = folder["edges.csv"].split(b"\n")
    lines[7] = re.sub(rb"^(\d+),", rb'"\1",', lines[7])
    return folder | {"edges.csv": b"\n".join(lines)}


def some_lines_end_otherwise(folder: Files) -> Files:
    lines = folder["edges.csv"].split(b"\n")
    return folder | {"edges.csv": b"\n".join([*lines[:9], lines[9] + b"\r", *lines[10:]])}


def longer_decimals(folder: Files) -> Files:
    return folder | {"edges.csv": re.sub(rb"(?m)^(\d+,\d+,-?[0-9.]+)(?=[,\n])", rb"\1E0", folder["edges.csv"])}


OTHERWISE: dict[str, Otherwise] = {
    "edges in another order": edges_reordered, "nodes in another order": nodes_reordered, "other line breaks": crlf,
    "everything quoted": quoted, "one line quoted": one_line_quoted, "some other line breaks": some_lines_end_otherwise,
    "longer decimals": longer_decimals,
}  # fmt: skip
