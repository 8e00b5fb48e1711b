"""GraphML: lines of text, of nodes and edges one each."""

from __future__ import annotations

import functools
import re
from random import Random

from damage.files import (
    Change,
    Damage,
    Files,
    Lines,
    Otherwise,
    another_number,
    around,
    cut,
    exchanged,
    garbage,
    replaced,
    to,
    two,
)


def counted(lines: Lines | None) -> Lines | None:
    """With numbers of nodes and edges in the header that agree with what follows."""
    if lines is None:
        return None
    text = b"".join(lines)
    for tag in (b"node", b"edge"):
        text = re.sub(rb'parse.%ss="\d+"' % tag, b'parse.%ss="%d"' % (tag, text.count(b"<" + tag + b" ")), text)
    return text.splitlines(keepends=True)


def nudged(match: re.Match[bytes]) -> bytes:
    """A weight more by 1e-3 of its layer's largest, which is above 0.1 in these models."""
    return b'"w">%s<' % repr(float(match[1]) + 1e-4).encode()


WEIGHT, BIAS = rb'"w">([^<]+)<', rb'<data key="bias">([^<]+)</data>'
EDGE, NODE, PORT = rb"^<edge ", rb"^<node ", rb'"p">(\d+)<'

LINES: dict[str, Damage] = {
    "an edge is missing": lambda x, r: counted(around(EDGE, lambda _: [])(x, r)),
    "an edge is missing, the count tells": around(EDGE, lambda _: []),
    "an edge is there twice": lambda x, r: counted(around(EDGE, lambda line: [line, line])(x, r)),
    "an edge more": lambda x, r: counted(
        around(EDGE, lambda line: [line, re.sub(rb'source="n\d+"', b'source="n1"', line)])(x, r)
    ),
    "an edge more, of weight 0": lambda x, r: counted(
        around(EDGE, lambda line: [line, re.sub(WEIGHT, b'"w">0<', line)])(x, r)
    ),
    "another source": replaced(rb'source="n(\d+)"', another_number),
    "another target": replaced(rb'target="n(\d+)"', lambda m: b'target="n%d"' % (int(m[1]) - 1)),
    "source and target exchanged": replaced(rb'source="(n\d+)" target="(n\d+)"', rb'source="\2" target="\1"'),
    "two edges exchange their weights": two(EDGE, exchanged(WEIGHT)),
    "two edges exchange their sources": two(EDGE, exchanged(rb'source="n\d+"')),
    "a weight is more by 1e-3 of the largest": replaced(WEIGHT, nudged),
    "a weight has another sign": replaced(rb'"w">(-?)(?=[^<]*[1-9])', lambda m: b'"w">' if m[1] else b'"w">-'),
    "a weight is 0": replaced(rb'"w">[^<]*[1-9][^<]*<', b'"w">0<'),
    "a weight is NaN": replaced(WEIGHT, b'"w">nan<'),
    "a weight is infinite": replaced(WEIGHT, b'"w">1e999<'),
    "a weight is no number": replaced(WEIGHT, b'"w">1,5<'),
    "a weight is missing": replaced(rb'<data key="w">[^<]*</data>', b""),
    "a port is another": replaced(PORT, lambda m: b'"p">%d<' % (1 - int(m[1]))),
    "a port is missing": replaced(rb'<data key="p">\d+</data>', b""),
    "a port more, of -1": replaced(rb"(</data>)(</edge>)", rb'\1<data key="p">-1</data>\2'),
    "a port is one of a third": replaced(PORT, b'"p">2<'),
    "a bias is another": replaced(BIAS, lambda m: b'<data key="bias">%a</data>' % (float(m[1]) * 1.001 + 1e-4)),
    "a bias is missing": replaced(BIAS, b""),
    "a bias more": replaced(rb'(<data key="combine">sum</data>)(</node>)', rb'\1<data key="bias">1</data>\2'),
    "an activation is missing": replaced(rb'<data key="activation">[^<]*</data>', b""),
    "an activation is another": replaced(rb'<data key="activation">[^<]*<', b'<data key="activation">Tanh<'),
    "an activation is unknown": replaced(rb'<data key="activation">[^<]*<', b'<data key="activation">Rleu<'),
    "all activations are missing": lambda x, _: [re.sub(rb'<data key="activation">[^<]*</data>', b"", n) for n in x],
    "a layer's activation has a parameter": lambda x, _: [
        n.replace(b'"activation">Relu<', b'"activation">LeakyRelu(alpha=0.001)<') for n in x
    ],
    "a layer's activation has no such parameter": lambda x, _: [
        re.sub(rb'("activation">\w+)[^<]*<', rb"\1(beta=1)<", n) for n in x
    ],
    "combine is another": replaced(rb'"combine">\w+<', b'"combine">min<'),
    "combine is another everywhere": lambda x, _: [re.sub(rb'"combine">(sum|max)<', b'"combine">min<', n) for n in x],
    "combine is unknown": lambda x, _: [n.replace(b'"combine">sum<', b'"combine">avg<') for n in x],
    "op is another": lambda x, _: [re.sub(rb'"op">(Gemm|Add)<', b'"op">MatMul<', n) for n in x],
    "a layer has another name": lambda x, _: [re.sub(rb'"layer">(\w*\w)<', rb'"layer">\1_<', n) for n in x],
    "a node is in another layer": replaced(rb'"layer">[^<]+<', b'"layer">elsewhere<'),
    "two nodes exchange their ids": two(NODE, exchanged(rb'id="n\d+"')),
    "two nodes exchange their indices": two(NODE, exchanged(rb'"index">[^<]+<')),
    "a node has another index": replaced(rb'"index">(\d+)', another_number),
    "a node has no index": replaced(rb'<data key="index">[^<]*</data>', b""),
    "a node is in another row": replaced(rb'"row">(\d+)', another_number),
    "a node is of no channel": replaced(rb'<data key="channel">\d+</data>', b""),
    "a node is missing": lambda x, r: counted(around(NODE, lambda _: [])(x, r)),
    "a node is there twice": lambda x, r: counted(around(NODE, lambda line: [line, line])(x, r)),
    "a node has another id": replaced(rb'<node id="n\d+"', b'<node id="n999999"'),
    "an edge from nowhere": replaced(rb'source="n\d+"', b'source="n999999"'),
    "an id beyond all numbers": replaced(rb'source="n\d+"', b'source="n99999999999999999999"'),
    "an id with a zero before it": replaced(rb'source="n(\d+)"', rb'source="n0\1"'),
    "one node more, after an edge": lambda x, r: x[:-2] + [n for n in x if b'<node id="n0">' in n] + x[-2:],
    "the number of nodes is another": replaced(rb'parse.nodes="(\d+)"', another_number),
    "the number of edges is another": replaced(rb'parse.edges="(\d+)"', another_number),
    "the numbers are missing": replaced(rb'parse.edges="\d+"', b""),
    "the graph is undirected": replaced(rb'"directed"', b'"undirected"'),
    "another model": replaced(rb'"model_sha256">(.)', lambda m: b'"model_sha256">' + (b"1" if m[1] == b"0" else b"0")),
    "another level of detail": replaced(rb'"detail">layer', b'"detail">op'),
    "another dialect": replaced(rb'"dialect">2', b'"dialect">1'),
    "a key is not declared": replaced(rb'<key id="w".*\n', b""),
    "two keys are exchanged": lambda x, _: [
        n.replace(b'"op" attr.type', b'"-" attr.type').replace(b'"combine" attr.type', b'"op" attr.type')
        .replace(b'"-" attr.type', b'"combine" attr.type') for n in x
    ],
    "a DOCTYPE": lambda x, _: [x[0], b'<!DOCTYPE graphml [<!ENTITY a "b">]>\n', *x[1:]],
    "an end tag is missing": replaced(rb"</(node|edge)>", b""),
    "edges in a comment": lambda x, r: around(EDGE, lambda line: [b"<!--\n", line, b"-->\n"])(x, r),
    "text between edges": around(EDGE, lambda line: [b"edges:\n", line]),
    "another element": around(EDGE, lambda line: [b"<hyperedge/>\n", line]),
    "a graph in a node": replaced(rb"</node>", b'<graph edgedefault="directed"/></node>'),
    "truncated": cut,
    "truncated before the end": lambda x, _: x[:-1],
    "truncated between lines": lambda x, r: x[: r.randrange(1, len(x) - 1)],
    "garbage": garbage,
    "empty": lambda x, r: [],
    "twice the file": lambda x, r: [*x, *x],
}  # fmt: skip

DAMAGES: dict[str, Change] = {kind: to("", damage) for kind, damage in LINES.items()}


# ------------------------------------------------------------------------------------ the same graph, otherwise written


def _same_graph(kind: str, lines: Lines) -> bytes:
    """The same graph, otherwise written."""
    first = next(i for i, line in enumerate(lines) if line.startswith(b"<edge"))
    text = b"".join(lines)
    if kind == "edges in another order":
        edges = lines[first:-2]
        Random(0).shuffle(edges)
        return b"".join([*lines[:first], *edges, *lines[-2:]])
    if kind == "nodes in another order":
        begin = next(i for i, line in enumerate(lines) if line.startswith(b"<node"))
        return b"".join([*lines[:begin], *reversed(lines[begin:first]), *lines[first:]])
    if kind == "nodes after edges":
        nodes = [line for line in lines if line.startswith(b"<node")]
        return b"".join([*(line for line in lines[:-2] if line not in nodes), *nodes, *lines[-2:]])
    if kind == "attributes of tags in another order":
        return re.sub(rb'source="(\w+)" target="(\w+)"', rb"target = '\2'\n source='\1' ", text)
    if kind == "no line breaks":
        return text.replace(b"\n", b"")
    if kind == "other line breaks":
        return text.replace(b"\n", b"\r\n").replace(b"><data", b">\r\n\t<data")
    if kind == "a comment that looks like an edge":
        return text.replace(b"<edge", b"<!--\n<edge source=...\n-->\n<edge", 1).replace(
            b"\n-->", lines[first] + b"-->", 1
        )
    if kind == "character references":
        return text.replace(b'source="n', b'source="&#110;')
    if kind == "numbers with zeros":
        return re.sub(rb'<data key="w">([-0-9.]+)</data>', rb'<data key="w">\g<1>e+00</data>', text)
    assert kind == "a prefix", kind
    return re.sub(rb"<(/?)(\w)", rb"<\1g:\2", text.replace(b"xmlns=", b"xmlns:g="))


KINDS = (
    "edges in another order", "nodes in another order", "nodes after edges", "attributes of tags in another order",
    "no line breaks", "other line breaks", "a comment that looks like an edge", "character references",
    "numbers with zeros", "a prefix",
)  # fmt: skip


def _otherwise(kind: str, files: Files) -> Files:
    return {"": _same_graph(kind, files[""].splitlines(keepends=True))}


OTHERWISE: dict[str, Otherwise] = {kind: functools.partial(_otherwise, kind) for kind in KINDS}
