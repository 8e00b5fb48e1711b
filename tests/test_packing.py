"""GraphML compressed from its structure: other people's decompressors give back the plain writer's bytes."""

from __future__ import annotations

import gzip
import io
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import networkx as nx
import numpy as np
import pytest
import zstandard

import onnx2graphml
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.formats import decompressed, kernels, writing
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.graphml import compressed, write
from onnx2graphml.formats.lines import pieces
from onnx2graphml.formats.node_kernels import node_lines
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing import blocks, float_blocks
from onnx2graphml.formats.packing.deflate import LONGEST_CODE, put_block
from onnx2graphml.formats.packing.form import Form
from onnx2graphml.formats.packing.huffman import code_lengths
from onnx2graphml.formats.packing.member import CODES, Gzip
from onnx2graphml.formats.packing.sequences import SPARE, WINDOW
from onnx2graphml.formats.packing.zstd.frame import Zstd
from onnx2graphml.formats.zstd_checksum import MAGIC, checksum_frame
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from randomnets.draw import draw_network
from synthetic import array, conv_graph, dense_graph, every_kind, parallel, products

FIXTURES = sorted((Path(__file__).parents[1] / "fixtures").glob("*.onnx"))
SEEDS = range(8)


def unzstd(data: bytes) -> bytes:
    """The first frame, which is all of it."""
    return zstandard.ZstdDecompressor().stream_reader(data).read()


@dataclass(frozen=True)
class Kind:
    """A kind of compressed file, and a decompressor that is not ours."""

    form: Callable[[], Form]
    writer: Any
    unpack: Callable[[bytes], bytes]


KINDS = {
    "gzip": Kind(Gzip, compressed.write_graphml_gz, gzip.decompress),
    "zstd": Kind(Zstd, compressed.write_graphml_zst, unzstd),
}
each_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.fixture(autouse=True)
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small graphs are not left to it."""
    monkeypatch.setattr(compressed, "FEW", 0)


@pytest.fixture
def even_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few edges are packed, too, several members each."""
    monkeypatch.setattr(blocks, "FEWEST", 1)
    monkeypatch.setattr(blocks, "FEWEST_NODES", 1)
    monkeypatch.setattr(blocks, "USES", 0)
    monkeypatch.setattr(blocks, "REPEATED", 0)
    monkeypatch.setattr(blocks, "TILE", 500)


def written(writer: Any, graph: NeuronGraph, **options: Any) -> bytes:
    file = io.BytesIO()
    writer(graph, file, **options)
    return file.getvalue()


def check(kind: Kind, graph: NeuronGraph, **options: Any) -> bytes:
    packed = written(kind.writer, graph, **options)
    assert kind.unpack(packed) == written(write.write_graphml, graph, **options)
    return packed


def whole(form: Form, parts: list[bytes]) -> bytes:
    """A file of these parts."""
    for part in parts:
        form.took(part)
    return b"".join([form.head, *parts, form.foot()])


# Entropy coding


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_zlib_reads_any_sequences(seed: int) -> None:
    """Literals of any frequency, copies of any length and distance, also of what they are writing themselves."""
    random = Random(seed)
    text, sequences = bytearray(), []
    for _ in range(random.choice((1, 30, 3000))):
        new = random.choice((0, 1, 2, 7, 300)) if text else 3
        text += bytes(min(int(random.expovariate(0.02)), 255) for _ in range(new))
        length = random.choice((3, 4, 10, 11, 257, 258, 259, 260, 261, 516, 519, 2000))
        distance = random.choice((1, 2, random.randint(1, len(text)), len(text)))
        distance = min(distance, WINDOW)
        for _ in range(length):
            text.append(text[-distance])
        sequences.append(new << LITERALS | length << LENGTH | distance - 1)
    text += b"end"
    sequences.append(3 << LITERALS)
    out = np.empty(len(text) * LONGEST_CODE // 8 + 8 * len(sequences) + CODES, np.uint8)
    padded = np.frombuffer(bytes(text) + bytes(SPARE), np.uint8)
    size = put_block(padded, np.array(sequences), out)
    assert zlib.decompress(out[:size].tobytes(), -15) == text


@pytest.mark.parametrize("n", [2, 3, 17, 40, 286])
@pytest.mark.parametrize("longest", [9, 12, 15])
def test_code_lengths_are_those_of_a_tree(n: int, longest: int) -> None:
    """Kraft's sum is 1, rarer symbols have no shorter codes, and Fibonacci's numbers need the limit."""
    counts = np.array([1, 1])
    while counts.size < n:
        counts = np.append(counts, min(counts[-1] + counts[-2], 1 << 40))
    lengths = np.zeros(n, np.int64)
    code_lengths(counts, longest, lengths)
    assert (2.0**-lengths).sum() == 1
    assert lengths.max() <= longest
    assert (np.diff(lengths[np.lexsort((-lengths, counts))]) <= 0).all()


# Lines of text


def texts() -> Iterator[bytes]:
    random = Random(0)
    yield b""
    yield b"a"
    yield b"<e>1</e>"
    yield bytes(random.randbytes(5_000))
    yield "\n".join(f'<n id="{k}">ünïcodé {k * k}</n>' for k in range(900)).encode()
    yield b"\n" * 70_000
    yield b"x" * 300_000 + b"\n" + b"x" * 300_000
    lines = [f'<e s="{random.randrange(12_000)}" t="{k // 7}"><d>{random.gauss(0, 1):.{random.randrange(9)}e}</d></e>\n'
             for k in range(3_000)]  # fmt: skip
    yield "".join(lines).encode()
    yield "".join(random.choice(lines[:40]) for _ in range(3_000)).encode()


@each_kind
@pytest.mark.parametrize("text", [*texts()])
def test_any_text_is_read(text: bytes, kind: Kind) -> None:
    form = kind.form()
    assert kind.unpack(whole(form, [form.text([memoryview(text[:7]), text[7:]])])) == text


@each_kind
def test_lines_that_resemble_each_other_take_little_room(kind: Kind) -> None:
    text = "".join(f'<e s="n{k}" t="n{9 * k}"><d key="w">0.125</d></e>\n' for k in range(10_000)).encode()
    assert len(kind.form().text([text])) < len(zlib.compress(text, 1))


# Blocks of edges


def random_block(random: Random) -> tuple[EdgeBlock, int, int]:
    """Edges of a few axes, with few weights; ids that begin where numbers get longer, or anywhere."""
    axes = [
        ax.window(side, side, random.choice((1, 2, 3))).strided(random.choice((1, side)), random.choice((1, 31)), 1)
        if random.random() < 0.5
        else ax.same(side).strided(random.choice((1, side)), random.choice((0, 1, 50)))
        for side in (random.randint(2, 40) for _ in range(random.randint(1, 3)))
    ]  # fmt: skip
    weights = 1 + sum(int(axis.tap.max()) for axis in axes)
    values = np.random.default_rng(random.randrange(1000)).normal(size=weights)
    kind = random.choice((np.float32, np.float64))
    first = [random.choice((0, 3, 9, 95, 990, 9_950, 99_999, 999_000, 99_000_000)) for _ in range(2)]
    return EdgeBlock(tuple(axes), values.astype(kind)), first[0], first[1]


def unpacked(kind: Kind, form: Form, made: list[Any]) -> bytes:
    """The text of what was made, parts and text."""
    if isinstance(form, Zstd):
        made = [m if isinstance(m, list) else [form.text([m])] for m in made]
        return kind.unpack(whole(form, [part for parts in made for part in parts]))
    return b"".join(kind.unpack(whole(form, m)) if isinstance(m, list) else m for m in made)


@pytest.mark.slow
@each_kind
@pytest.mark.usefixtures("even_small")
def test_parts_hold_the_lines_that_are_rendered(kind: Kind) -> None:
    packed = 0
    for seed in range(120):
        random = Random(seed)
        block, source, target = random_block(random)
        incoming = Incoming("x", block, random.choice((None, 0, 17)))
        lines = write.EdgeLines.of(incoming, source, target, write._edge_line(incoming))
        found = blocks.PackedLines.of(lines, block)
        if found is None:
            assert lines.table is None
            continue
        text = b"".join(lines.render(part) for part in block.tiles())
        form = kind.form()
        got = [make() for make, _ in found.tiles(form, block)]
        packed += sum(len(made) for made in got if isinstance(made, list))
        assert unpacked(kind, form, got) == text
    assert packed > 200


def random_floats(random: Random, n: int) -> Any:
    """Weights of a kind: of any size, long or short decimals, few different ones, or nought."""
    rng = np.random.default_rng(random.randrange(1000))
    values = rng.normal(size=n) * 10.0 ** random.choice((0, rng.integers(-9, 12, n)))
    kind = random.choice((lambda x: x, np.round, lambda x: np.round(x, 2), lambda x: 0 * x))
    return kind(values).astype(np.float32)


@each_kind
@pytest.mark.parametrize("seed", range(6))
def test_a_weight_an_edge(seed: int, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(float_blocks, "TILE", 300)
    monkeypatch.setattr(float_blocks, "FEWEST", 2)
    packed = 0
    for k in range(8):
        random = Random(8 * seed + k)
        one, other = random.randint(1, 60), random.randint(2, 900)
        outer = ax.gather(one).strided(random.choice((0, 1, 37)), random.choice((1, 13)), other)
        some = np.arange(other)
        inner = ax.relation(some, random.choice((0, 1, 10)) * some, some).strided(random.choice((0, 1, 5, 100)), 1, 1)
        block = EdgeBlock((outer, inner), random_floats(random, one * other))
        first = [random.choice((0, 3, 95, 9_950, 99_999, 99_000_000)) for _ in range(2)]
        incoming = Incoming("x", block, random.choice((None, 0, 17)))
        lines = write.EdgeLines.of(incoming, first[0], first[1], write._edge_line(incoming))
        form = kind.form()
        got = [make() for make, _ in blocks.edges_in_parts(form, lines, block, 1 << 16)]
        packed += sum(len(made) for made in got if isinstance(made, list))
        assert unpacked(kind, form, got) == b"".join(lines.render(part) for part in block.tiles())
    assert packed > 50


@each_kind
@pytest.mark.parametrize("moves", [(1, 0), (0, 1), (1, 1), (50, 0), (0, 0)])
def test_ids_that_grow_longer_beside_usual_weights(moves: tuple[int, int], kind: Kind) -> None:
    """Rows that go from 9 to 10, from 99 to 100, back at their end, or by more than the last two digits."""
    row, column = np.arange(9), np.arange(30)
    weights = (0.05 * np.random.default_rng(0).normal(size=270)).astype(np.float32).view(np.uint32)
    weights.setflags(write=False)
    usual = Incoming("x", EdgeBlock((ax.same(2),), array([1, 2])))
    constant = pieces(write._edge_line(usual))
    for first in (0, 7, 60, 93, 180, 960, 9_990, 99_990_000):
        arguments = (
            first + row * moves[1], first + 2 + row * moves[0], row * 30, column * moves[0], column * moves[1], column,
            weights, constant.data, constant.start, constant.stop,
        )  # fmt: skip
        out = np.empty(50_000, np.uint8)
        text = out[: kernels.edge_lines_of_floats(*arguments, out)].tobytes()
        form = kind.form()
        codes = form.codes(np.frombuffer(text + bytes(SPARE), np.uint8))
        assert kind.unpack(whole(form, [form.float_edges(arguments, codes, 270, 150)])) == text


@each_kind
def test_an_overlong_axis_is_cut(kind: Kind) -> None:
    incoming = Incoming("x", EdgeBlock((ax.same(100_000).strided(1, 1),)))
    lines = write.EdgeLines.of(incoming, 7, 100_007, write._edge_line(incoming))
    found = blocks.PackedLines.of(lines, incoming.block)
    assert found is not None
    form = kind.form()
    got = [(make(), edges) for make, edges in found.tiles(form, incoming.block)]
    assert max(edges for _, edges in got) <= blocks.TILE
    text = b"".join(lines.render(part) for part in incoming.block.tiles())
    assert len(got[-1][0]) < len(text) / 50
    assert unpacked(kind, form, [made for made, _ in got]) == text


def test_what_is_no_usual_line_is_text() -> None:
    """Terms, distinct weights, ids of nine digits, long ports."""
    usual = Incoming("x", EdgeBlock((ax.window(2000, 2000, 3, pad=1),), array([1, 2, 3])))
    line = write._edge_line(usual)

    def packed(incoming: Incoming, source: int = 0, line: str = line) -> blocks.PackedLines | None:
        return blocks.PackedLines.of(write.EdgeLines.of(incoming, source, 0, line), incoming.block)

    assert packed(usual) is not None
    assert packed(usual, 10**8 - 2000) is not None
    assert packed(usual, 10**8 - 1999) is None
    assert packed(usual, line=line.replace("</edge>", "<!--" + "-" * 80 + "--></edge>")) is None
    assert packed(usual, line=line.replace("<edge", "<edge" + " " * 8)) is None
    with_terms = ax.same(5000).with_term(np.arange(5000))
    assert packed(Incoming("x", EdgeBlock((with_terms,), np.ones(5000, np.float32)))) is None
    distinct = EdgeBlock((ax.gather(5000).strided(1, 0, 1),), np.arange(5000, dtype=np.float32))
    assert packed(Incoming("x", distinct)) is None


# Nodes of a layer


def random_layer(random: Random) -> tuple[NeuronGraph, Layer]:
    """A few dimensions, a bias of any kind or none, columns, a name of any length, ids that grow longer within."""
    rng = np.random.default_rng(random.randrange(1000))
    shape = tuple(random.choice((1, 2, 9, 10, 11, 56, 100, 130)) for _ in range(random.randint(0, 3)))
    shape += (random.choice((1, 3, 7, 99, 101, 350)),) * random.randint(0, 1)
    if math.prod(shape) > 20_000:
        shape = shape[-2:]
    bias = None
    if random.random() < 0.6:
        own = tuple(n if random.random() < 0.5 else 1 for n in shape)
        values = rng.choice([0, 0.5, -1.25e-7, 3, math.inf], own) if random.random() < 0.5 else rng.normal(size=own)
        bias = np.broadcast_to(values.astype(random.choice((np.float32, np.float64))), shape)
    name = random.choice(("x", "a.b", "ünïcodé", "<&>", "n" * 240, "long " * 70))
    first = random.choice((0, 3, 95, 9_950, 99_999, 99_999_990, 10**12 - 5))
    layer = Layer(name, "Conv", shape, "sum", first_id=first, bias=bias)
    n = first + layer.neurons
    columns = {"rank": rng.normal(size=n).astype(np.float32), "part": np.arange(n) // 7} if first < 10**5 else {}
    return NeuronGraph((layer,), (), columns=columns if random.random() < 0.4 else {}), layer


@each_kind
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.usefixtures("even_small")
def test_nodes_are_the_lines_that_python_writes(seed: int, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "PART", 10_000 << seed % 4)
    packed = 0
    for k in range(8):
        graph, layer = random_layer(Random(8 * seed + k))
        lines = NodeLines.of(graph, layer, write._node_line(graph, layer, labels=False))
        text = lines.by_python(0, layer.neurons).tobytes()
        form = kind.form()
        got = [make() for make, _ in blocks.nodes_in_parts(form, lines, 1 << 16)]
        assert unpacked(kind, form, got) == text
        packed += sum(len(made) for made in got if isinstance(made, list))
        out = np.empty(layer.neurons * lines.room + SPARE, np.uint8)
        assert out[: node_lines(*lines.arguments(0, layer.neurons), out)].tobytes() == text
    assert packed > 8


@each_kind
def test_a_line_longer_than_a_window_is_text(kind: Kind) -> None:
    layer = Layer("x" * 2 * WINDOW, "Input", (3, 30), "input")
    lines = NodeLines.of(NeuronGraph((layer,), ()), layer, write._node_line(NeuronGraph((layer,), ()), layer, False))
    made = [make() for make, _ in blocks.nodes_in_parts(kind.form(), lines, 1 << 16)]
    assert not any(isinstance(each, list) for each in made)
    assert b"".join(made) == lines.by_python(0, 90).tobytes()


# Graphs


@each_kind
@pytest.mark.usefixtures("even_small")
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("make", [every_kind, parallel, products, lambda: conv_graph(3, 9), lambda: dense_graph(9, 70)])
def test_every_kind_of_layer(make: Any, labels: bool, kind: Kind) -> None:
    check(kind, make(), labels=labels)


@each_kind
def test_bytes_do_not_depend_on_jobs_or_tiles(kind: Kind) -> None:
    for graph in (conv_graph(3, 30), dense_graph(150, 300)):
        whole = check(kind, graph)
        for jobs in (2, 3):
            assert written(kind.writer, graph, jobs=jobs, tile=4096) == whole


@pytest.mark.parametrize("model", FIXTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("detail", LEVELS)
def test_fixtures(model: Path, detail: str) -> None:
    for kind in KINDS.values():
        check(kind, onnx2graphml.load(model, detail=detail))


@pytest.mark.slow
@pytest.mark.usefixtures("even_small")
def test_random_networks() -> None:
    """At a level of detail each, with labels or without."""
    held = 0
    for seed in range(40):
        network = draw_network(Random(seed))
        try:
            graph = onnx2graphml.load(network.proto, detail=LEVELS[seed % len(LEVELS)])
        except onnx2graphml.Error:
            continue
        try:
            for kind in KINDS.values():
                check(kind, graph, labels=seed % 2 == 1)
        except OutputError:  # an infinite weight
            continue
        held += 1
    assert held > 25


@pytest.mark.slow
def test_networkx_reads_it(tmp_path: Path) -> None:
    graph = conv_graph(2, 30)
    assert len(members(check(KINDS["gzip"], graph))) > 2
    writing.write(graph, tmp_path / "a.graphml.gz")
    g = nx.read_graphml(tmp_path / "a.graphml.gz")
    assert (g.number_of_nodes(), g.number_of_edges()) == (graph.neurons, graph.edges)


def members(data: bytes) -> list[bytes]:
    found = []
    while data:
        reader = zlib.decompressobj(31)
        found.append(reader.decompress(data))
        assert reader.eof
        data = reader.unused_data
    return found


def unnoticed(data: bytes, unpack: Callable[[bytes], bytes]) -> int:
    """How many of some changed bits are unpacked as another text."""
    random, text, found = Random(0), unpack(data), 0
    for _ in range(60):
        bit = random.randrange(8 * len(data))
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        try:
            found += unpack(bytes(changed)) != text  # the system or the time of a member's head may be another
        except (zlib.error, gzip.BadGzipFile, EOFError, zstandard.ZstdError, Error):
            continue
    return found


def read(data: bytes) -> bytes:
    """As our reader reads it."""
    file: Any = io.BytesIO(data)
    file.name = "a.zst"
    return b"".join(decompressed.unzstd(file))


@pytest.mark.slow
def test_a_changed_bit_is_noticed() -> None:
    """By a checksum, or because there is no such code."""
    assert unnoticed(written(compressed.write_graphml_gz, conv_graph(2, 30)), gzip.decompress) == 0
    data = written(compressed.write_graphml_zst, conv_graph(2, 30))
    assert unnoticed(data, read) == 0
    assert unnoticed(data, unzstd) > 0, "readers that don't know of the checksum"


def test_a_wrong_checksum_is_noticed() -> None:
    damaged = bytearray(written(compressed.write_graphml_gz, conv_graph(2, 30)))
    damaged[-6] ^= 1
    with pytest.raises(gzip.BadGzipFile, match="CRC check failed"):
        gzip.decompress(damaged)
    damaged = bytearray(written(compressed.write_graphml_zst, conv_graph(2, 30)))
    damaged[-2] ^= 1
    with pytest.raises(Error, match=r"a\.zst: not a whole Zstandard file: its checksum is of other bytes"):
        read(bytes(damaged))


def test_frames_of_others_have_no_checksum_of_ours() -> None:
    """Files may be put one behind the other, and another program's skippable frame may be anything."""
    data = written(compressed.write_graphml_zst, conv_graph(2, 30))
    text = unzstd(data)
    assert read(data * 2) == text * 2
    assert read(zstandard.compress(b"a") + data + data) == b"a" + text * 2
    other = struct.pack("<II", MAGIC, 5) + b"other"
    assert read(zstandard.compress(b"a") + other + zstandard.compress(b"b")) == b"ab"
    assert read(zstandard.compress(b"a") + checksum_frame(zlib.crc32(zstandard.compress(b"a")))) == b"a"
    with pytest.raises(Error, match="its checksum is of other bytes"):
        read(zstandard.compress(b"a") + other + checksum_frame(zlib.crc32(zstandard.compress(b"a"))))


def test_it_is_as_small_as_the_libraries_make_it() -> None:
    for graph in (conv_graph(12, 40), dense_graph(400, 400)):
        text = written(write.write_graphml, graph)
        assert len(written(compressed.write_graphml_gz, graph)) < len(zlib.compress(text, 1))
        assert len(written(compressed.write_graphml_zst, graph)) < len(zstandard.compress(text, 1))
