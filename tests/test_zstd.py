"""Zstandard from the structure: what its codes are made of, and every reader reads the one frame to its end."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path
from random import Random
from typing import Any

import networkx as nx
import numpy as np
import pytest
import zstandard

from onnx2graphml.formats import writing
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.graphml import compressed
from onnx2graphml.formats.packing.sequences import WINDOW
from onnx2graphml.formats.packing.zstd import tables as t
from onnx2graphml.formats.packing.zstd.blocks import AROUND, BLOCK, put_blocks, room_of
from onnx2graphml.formats.packing.zstd.frame import HEAD, Zstd
from onnx2graphml.formats.packing.zstd.fse import normalize, spread
from onnx2graphml.formats.packing.zstd.literals import NOTHING
from synthetic import conv_graph

SEEDS = range(12)


def unpacked(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(data).read()


# Codes


@pytest.mark.parametrize("seed", SEEDS)
def test_a_library_reads_any_sequences(seed: int) -> None:
    """Literals of any frequency, ASCII or not; copies of any length and distance, also of what they are writing."""
    random = Random(seed)
    text, literals, sequences, last = bytearray(), bytearray(), [NOTHING], 1
    n = random.choice((1, 30, 3000))
    rare = (1 << 15, (1 << 14) + 2, (1 << 14) + 3) if n < 100 else ()
    for _ in range(n):
        new = random.choice((0, 1, 2, 7, 300, *rare)) if text else 3
        some = bytes(min(int(random.expovariate(0.02)), 127 if seed % 3 else 255) for _ in range(new))
        text += some
        literals += some
        length = random.choice((3, 4, 34, 35, 130, 131, 258, 259, 260, 514, 515, 2000, *rare))
        last = min(random.choice((1, 2, random.randint(1, len(text)), len(text), last)), WINDOW)
        for _ in range(length):
            text.append(text[-last])
        sequences.append(new << LITERALS | length << LENGTH | last - 1)
    text += b"end"
    literals += b"end"
    sequences.append(3 << LITERALS)
    words, new_bytes = np.array(sequences), np.frombuffer(bytes(literals) + bytes(AROUND), np.uint8)
    tables = np.zeros(t.SIZE, np.int64)
    is_ascii = t.fit(new_bytes[:-AROUND], words[1:], False, tables)
    assert is_ascii == (max(literals) < 128)
    out = np.empty(room_of(len(literals), len(words), len(text)), np.uint8)
    padded = np.frombuffer(bytes(text) + bytes(AROUND), np.uint8)
    size = put_blocks(padded, new_bytes, words, tables, is_ascii, out)
    form = Zstd()
    assert unpacked(form.head + out[:size].tobytes() + form.foot()) == text


@pytest.mark.parametrize("log", [6, 8])
def test_an_fse_table_has_each_symbol_as_often_as_it_counts(log: int) -> None:
    """A symbol of probability p takes about log₂ 1/p bits, whatever the state."""
    counts = np.array([0, 1, 1000, 7, 0, 250, 3, 60])
    chances = counts / counts.sum()
    normalize(counts, log)
    assert counts.sum() == 1 << log
    assert ((counts > 0) == (chances > 0)).all()
    bits, state, states = (np.zeros(n, np.int64) for n in (8, 8, 1 << log))
    spread(counts, log, bits, state, states)
    assert sorted(states) == list(range(1 << log, 2 << log))
    for symbol in np.flatnonzero(counts):
        all_states = np.arange(1 << log, 2 << log)
        taken = (all_states + bits[symbol]) >> 16
        assert set(taken) <= {np.floor(log - np.log2(counts[symbol])), np.ceil(log - np.log2(counts[symbol]))}
        found = states[(all_states >> taken) + state[symbol]]
        assert len(set(found)) == counts[symbol]  # no two states that write the same go to the same


def test_many_rare_symbols_leave_room_for_all() -> None:
    counts = np.array([1] * 40 + [1 << 40, 1 << 39])
    normalize(counts, 6)
    assert counts.sum() == 64
    assert counts.min() == 1


def test_what_does_not_become_smaller_is_left_as_it_is() -> None:
    text = Random(0).randbytes(3 * BLOCK + 5)
    form = Zstd()
    part = form.text([text])
    assert len(text) < len(part) < len(text) + 100
    assert unpacked(form.head + part + form.foot()) == text


def test_what_is_left_as_it_is_tells_no_offset() -> None:
    """The first block is; the second one copies from as far."""
    new = Random(0).randbytes(BLOCK - 200)
    text = bytearray(new)
    for length, more in ((5, b"new"), (300, b"end")):
        for _ in range(length):
            text.append(text[-100])
        text += more
    words = np.array(
        [NOTHING, len(new) << LITERALS | 5 << LENGTH | 99, 3 << LITERALS | 300 << LENGTH | 99, 3 << LITERALS]
    )
    literals = np.frombuffer(new + b"newend" + bytes(AROUND), np.uint8)
    tables = np.zeros(t.SIZE, np.int64)
    assert not t.fit(literals[:-AROUND], words[1:], False, tables)
    padded, out = np.frombuffer(bytes(text) + bytes(AROUND), np.uint8), np.empty(2 * len(text), np.uint8)
    size = put_blocks(padded, literals, words, tables, False, out)
    assert out[0] & 0b110 == 0, "a block that is left"
    form = Zstd()
    assert unpacked(form.head + out[:size].tobytes() + form.foot()) == text


# Readers


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by several threads, of several parts and hundreds of blocks."""
    graph, path = conv_graph(4, 32), tmp_path_factory.mktemp("zstd") / "a.graphml.zst"
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(compressed, "FEW", 0)
        writing.write(graph, path, jobs=3)
    assert path.read_bytes().startswith(HEAD)
    writing.write(graph, path.with_suffix(""), jobs=1)
    return path


def text_of(file: Path) -> bytes:
    return file.with_suffix("").read_bytes()


def by_command(file: Path) -> bytes:
    if shutil.which("zstd") is None:
        pytest.skip("zstd is not installed")
    return subprocess.run(["zstd", "-dc", file], check=True, capture_output=True).stdout


def by_zstandard(file: Path) -> bytes:
    with zstandard.open(file) as text:
        return bytes(text.read())


def by_duckdb(file: Path) -> bytes:
    duckdb = pytest.importorskip("duckdb", reason="reads the file")
    found = duckdb.sql(
        f"select line from read_csv('{file}', columns={{'line': 'varchar'}}, delim='\\x01', quote='', escape='', "
        "header=false, auto_detect=false, parallel=false)"
    ).fetchall()
    return b"".join(line.encode() + b"\n" for (line,) in found)


def by_arrow(file: Path) -> bytes:
    arrow = pytest.importorskip("pyarrow", reason="reads the file")
    with arrow.input_stream(file, compression="zstd") as text:
        return bytes(text.read())


def by_python(file: Path) -> bytes:
    """Python's own since 3.14."""
    try:
        library = importlib.import_module("compression.zstd")
    except ImportError:
        library = pytest.importorskip("backports.zstd", reason="Python has one since 3.14 only")
    with library.open(file) as text:
        return bytes(text.read())


@pytest.mark.parametrize("read", [by_command, by_zstandard, by_duckdb, by_arrow, by_python])
def test_readers_read_it_to_its_end(file: Path, read: Any) -> None:
    assert read(file) == text_of(file)


def test_a_reader_may_stop_behind_a_frame(file: Path, tmp_path: Path) -> None:
    """So there is only one: of two, this one reads the first."""
    two = tmp_path / "two.zst"
    two.write_bytes(file.read_bytes() * 2)
    assert len(zstandard.ZstdDecompressor().decompressobj().decompress(two.read_bytes())) == len(text_of(file))


@pytest.mark.slow
def test_networkx_reads_it(file: Path) -> None:
    with zstandard.open(file) as text:
        found = nx.read_graphml(text)
    graph = conv_graph(4, 32)
    assert (found.number_of_nodes(), found.number_of_edges()) == (graph.neurons, graph.edges)
