"""Written graphs against their models: undamaged ones pass, and damage of every kind is found."""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify_file
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.cli import main
from onnx2graphml.errors import Error
from onnx2graphml.formats import registry, writing
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.report import Report
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
MODELS = ["digits", "residual", "ports", "doubles"]


def ports() -> onnx.ModelProto:
    """Quotients and powers, products, a maximum, a bias of its own for each neuron."""
    nodes = [
        node("Add", "x c", "u"),
        node("Exp", "u", "e"),
        node("Sigmoid", "x", "s"),
        node("Div", "s e", "d"),
        node("Mul", "d s", "m"),
        node("ReduceMax", "m", "r", axes=[1], keepdims=1),
        node("PRelu", "m k", "p"),
        node("Div", "d q", "t"),
        node("Sum", "p t", "y"),
    ]
    constants = {"c": weights(1, 4), "k": weights(4, seed=1), "q": weights(1, 4, seed=2)}
    return model(nodes, {"x": [1, 4]}, constants, outputs=("y", "r"))


def doubles() -> onnx.ModelProto:
    nodes = [node("Gemm", "x w b", "h"), node("Tanh", "h", "t"), node("Gemm", "t v", "y")]
    constants = {n: weights(*s, dtype=np.float64) for n, s in {"w": (6, 5), "b": (5,), "v": (5, 3)}.items()}
    return model(nodes, {"x": [1, 6]}, constants, dtype=np.float64)


@functools.cache
def graph_of(name: str, level: str = "layer") -> NeuronGraph:
    made: dict[str, Callable[[], Any]] = {"ports": ports, "doubles": doubles}
    return load(made[name]() if name in made else FIXTURES / f"{name}.onnx", detail=level)


@functools.cache
def lines_of(name: str) -> tuple[bytes, ...]:
    import io

    out = io.BytesIO()
    registry.FORMATS[".graphml"].load()(graph_of(name), out)
    return tuple(out.getvalue().splitlines(keepends=True))


# ------------------------------------------------------------------------------------------------- what is not damaged


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", MODELS)
def test_what_was_written_passes(name: str, level: str, suffix: str, tmp_path: Path) -> None:
    graph = graph_of(name, level)
    path = tmp_path / f"a{suffix}"
    writing.write(graph, path)
    told: list[int] = []
    report = verify_file(graph, path, seed=list(FORMATS).index(suffix), progress=told.append)
    assert report.passed, [row for row in report.rows if not row.passed]
    assert [r.layer for r in report.rows] == [x.name for x in graph.layers if x.aggregation != "input"]
    assert sum(told) == graph.edges == sum(row.edges for row in report.rows)


def same_graph(kind: str, lines: list[bytes]) -> bytes:
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


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_graph_otherwise_written_passes(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.graphml"
    other = same_graph(kind, list(lines_of("digits")))
    assert other != b"".join(lines_of("digits"))
    path.write_bytes(other)
    assert verify_file(graph_of("digits"), path).passed


# --------------------------------------------------------------------------------------------------------------- damage

Lines = list[bytes]
Damage = Callable[[Lines, Random], Lines | None]


def some(lines: Lines, random: Random, pattern: bytes) -> int | None:
    """A line in which the pattern is found."""
    found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
    return random.choice(found) if found else None


def replaced(pattern: bytes, by: bytes | Callable[[re.Match[bytes]], bytes]) -> Damage:
    """What the pattern finds is replaced in one line."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        if at is None:
            return None
        new = re.sub(pattern, by, lines[at], count=1)
        return None if new == lines[at] else [*lines[:at], new, *lines[at + 1 :]]

    return damage


def around(pattern: bytes, change: Callable[[bytes], Lines]) -> Damage:
    """A line in which the pattern is found becomes others."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        return None if at is None else [*lines[:at], *change(lines[at]), *lines[at + 1 :]]

    return damage


def counted(lines: Lines | None) -> Lines | None:
    """With numbers of nodes and edges in the header that agree with what follows."""
    if lines is None:
        return None
    text = b"".join(lines)
    for tag in (b"node", b"edge"):
        text = re.sub(rb'parse.%ss="\d+"' % tag, b'parse.%ss="%d"' % (tag, text.count(b"<" + tag + b" ")), text)
    return text.splitlines(keepends=True)


def two(pattern: bytes, swap: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Damage:
    """Two lines of one layer or one target change something between them."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        if at is None or at + 1 >= len(lines) or not re.search(pattern, lines[at + 1]):
            return None
        new = swap(lines[at], lines[at + 1])
        return None if sorted(new) == sorted(lines[at : at + 2]) else [*lines[:at], *new, *lines[at + 2 :]]

    return damage


def exchanged(part: bytes) -> Callable[[bytes, bytes], tuple[bytes, bytes]]:
    def swap(a: bytes, b: bytes) -> tuple[bytes, bytes]:
        x, y = re.search(part, a), re.search(part, b)
        assert x
        assert y
        return a.replace(x[0], y[0]), b.replace(y[0], x[0])

    return swap


def cut(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    return [text[: random.randrange(1, len(text) - 1)]]


def garbage(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    at = random.randrange(len(text) - 8)
    return [text[:at], bytes(random.randrange(128, 256) for _ in range(8)), text[at + 8 :]]


def nudged(match: re.Match[bytes]) -> bytes:
    """A weight more by 1e-3 of its layer's largest, which is above 0.1 in these models."""
    return b'"w">%s<' % repr(float(match[1]) + 1e-4).encode()


def another_number(match: re.Match[bytes]) -> bytes:
    return match[0].replace(match[1], str(int(match[1]) + 1).encode())


WEIGHT, BIAS = rb'"w">([^<]+)<', rb'<data key="bias">([^<]+)</data>'
EDGE, NODE, PORT = rb"^<edge ", rb"^<node ", rb'"p">(\d+)<'

DAMAGES: dict[str, Damage] = {
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


def outcome(graph: NeuronGraph, path: Path) -> str:
    """How it ends: by a refusal, a mismatch of values, one of edges or attributes alone, or with nothing found."""
    try:
        report: Report = verify_file(graph, path)
    except Error as e:
        return "refused" if len(str(e).splitlines()) == 1 else "refused in other than one line"
    if report.passed:
        return "not found"
    return "wrong values" if any(row.share > 1 for row in report.rows) else "wrong graph, with the same values"


POSITIONS = {"digits": 1, "ports": 3, "doubles": 3}


def mutants(name: str, kind: str) -> set[bytes]:
    """The file, damaged in one way at several positions."""
    whole = list(lines_of(name))
    damaged = [DAMAGES[kind](whole, Random(f"{kind} {position}")) for position in range(POSITIONS[name])]
    return {b"".join(lines) for lines in damaged if lines is not None} - {b"".join(whole)}


@pytest.mark.slow
@pytest.mark.parametrize("name", POSITIONS)
def test_all_damage_is_found(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, how, missed, kinds = tmp_path / "a.graphml", Counter[str](), [], set()
    for kind in DAMAGES:
        for text in sorted(mutants(name, kind)):
            path.write_bytes(text)
            end = outcome(graph_of(name), path)
            how[end] += 1
            kinds.add(kind)
            missed += [kind] if end in ("not found", "refused in other than one line") else []
    total = how.total()
    with capsys.disabled():
        print(f"\n{name}: {total} mutants of {len(kinds)} kinds, {100 - 100 * len(missed) / total:.1f} % found: {how}")
    assert not missed
    assert len(kinds) >= 50
    assert total >= 40 * POSITIONS[name]


@pytest.mark.slow
def test_every_kind_of_damage_is_one_of_some_model() -> None:
    assert [kind for kind in DAMAGES if not any(mutants(name, kind) for name in POSITIONS)] == []


@pytest.mark.parametrize("suffix", [".graphml.gz", ".graphml.zst"])
def test_a_truncated_compressed_file_is_refused(suffix: str, tmp_path: Path) -> None:
    path, graph = tmp_path / f"a{suffix}", graph_of("digits")
    writing.write(graph, path)
    whole = path.read_bytes()
    for size in (0, 1, 3, 10, 100, len(whole) // 2, len(whole) - 9, len(whole) - 4, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert outcome(graph, path) == "refused", size
    for at in (0, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
        assert outcome(graph, path) != "not found", at
    path.write_bytes(whole + b"more")
    assert outcome(graph, path) == "refused"


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, digits = tmp_path / "a.graphml", str(FIXTURES / "digits.onnx")
    assert main([digits, str(path), "--detail", "neuron"]) == 0
    assert main(["verify", digits, str(path)]) == 0
    assert "every layer equals ONNX Runtime and the model" in capsys.readouterr().out
    text = path.read_bytes()
    path.write_bytes(re.sub(rb'"w">[^<]*<', b'"w">7<', text, count=1))
    assert main(["verify", digits, str(path)]) == 1
    out = capsys.readouterr().out
    assert "FAIL" in out
    assert "other in-edges than in the model at 1 neurons" in out
    path.write_bytes(text[:-5])
    assert main(["verify", digits, str(path)]) == 2
    assert main(["verify", str(FIXTURES / "residual.onnx"), str(path)]) == 2
    assert main(["verify", digits, str(tmp_path / "a.gexf")]) == 2
    err = capsys.readouterr().err
    assert "what can be read back: .graphml" in err
    assert "another model" in err
