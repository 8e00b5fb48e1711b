"""GraphML on several threads and compressed: the same bytes, bounded memory, and what a failure leaves behind."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.parsers import expat

import networkx as nx
import numpy as np
import orjson
import pytest
import zstandard

import onnx2graphml
from onnx2graphml.errors import OutputError
from onnx2graphml.formats import kernels, render, writing
from onnx2graphml.formats.graphml import compressed, write
from onnx2graphml.formats.inorder import InOrder
from onnx2graphml.formats.packing import member
from onnx2graphml.formats.packing.zstd import frame
from onnx2graphml.graph.graph import NeuronGraph
from synthetic import conv_graph, dense_graph, every_kind, parallel

DIGITS = Path(__file__).parents[1] / "fixtures" / "digits.onnx"
WRITERS: dict[str, Callable[..., None]] = {
    ".graphml": write.write_graphml,
    ".graphml.gz": compressed.write_graphml_gz,
    ".graphml.zst": compressed.write_graphml_zst,
}
GRAPHS: dict[str, Callable[[], NeuronGraph]] = {
    "every kind": every_kind,
    "parallel edges": parallel,
    "conv": lambda: conv_graph(3, 9),
    "several chunks": lambda: conv_graph(5, 28),
    "dense": lambda: dense_graph(30, 41),
    "digits": lambda: onnx2graphml.load(DIGITS),
}


def written(suffix: str, graph: NeuronGraph, **options: Any) -> bytes:
    file = io.BytesIO()
    WRITERS[suffix](graph, file, **options)
    return file.getvalue()


def unpacked(suffix: str, data: bytes) -> bytes:
    if suffix.endswith(".gz"):
        return gzip.decompress(data)
    return zstandard.ZstdDecompressor().stream_reader(data).read() if suffix.endswith(".zst") else data


@pytest.mark.slow
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("graph", [make() for make in GRAPHS.values()], ids=GRAPHS)
def test_bytes_do_not_depend_on_jobs_or_tiles(graph: NeuronGraph, suffix: str) -> None:
    whole = written(suffix, graph)
    assert unpacked(suffix, whole) == written(".graphml", graph)
    for jobs in (1, 2, 3):
        for tile in (17, 4096) if graph.edges < 50_000 else (4096, 1 << 20):
            assert written(suffix, graph, jobs=jobs, tile=tile) == whole


def test_the_graph_of_several_chunks_has_them() -> None:
    assert len(written(".graphml", GRAPHS["several chunks"]())) > 2 * compressed.ZSTD_CHUNK > 5 * compressed.CHUNK


@pytest.mark.slow
def test_a_members_bytes_do_not_depend_on_where_it_is_compressed() -> None:
    """ISA-L by itself finds the beginning again or not, as its registers happen to be."""
    rng = np.random.default_rng(0)
    heads = rng.integers(1, 256, (8_000, 12), np.uint8)
    body = rng.integers(65, 90, 300, np.uint8).tobytes()
    texts = [h.tobytes() + body + h.tobytes() + body for h in heads]
    here = [compressed._member([memoryview(t)]) for t in texts]
    with ThreadPoolExecutor(2) as pool:
        elsewhere = list(pool.map(lambda t: compressed._member([memoryview(t)]), texts, chunksize=100))
    assert here == elsewhere
    assert [gzip.decompress(m) for m in here] == texts


def test_progress_adds_up() -> None:
    graph, told = every_kind(), []
    written(".graphml.gz", graph, progress=told.append, jobs=3, tile=7)
    assert sum(told) == graph.edges
    assert len(told) > 10


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_result_that_is_there_waits_for_its_turn(jobs: int) -> None:
    taken: list[int] = []
    with InOrder[int, None](jobs, lambda n, _: taken.append(n)) as work:
        for n in range(0, 40, 2):
            work.submit(lambda n=n: time.sleep(0.001) or n, None)
            work.pass_on(n + 1, None)
    assert taken == list(range(40))


def test_networkx_reads_gzip(tmp_path: Path) -> None:
    graph = every_kind()
    writing.write(graph, tmp_path / "a.graphml.gz")
    g = nx.read_graphml(tmp_path / "a.graphml.gz")
    assert (g.number_of_nodes(), g.number_of_edges()) == (graph.neurons, graph.edges)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "tool"), [(".graphml.gz", "gzip"), (".graphml.zst", "zstd")])
def test_command_line_tools_read_it(tmp_path: Path, suffix: str, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    graph, path = conv_graph(5, 28), tmp_path / f"a{suffix}"
    writing.write(graph, path, jobs=2)
    assert subprocess.run([tool, "-t", path], check=False).returncode == 0
    text = subprocess.run([tool, "-dc", path], check=True, capture_output=True).stdout
    assert text == written(".graphml", graph)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", WRITERS)
def test_damage_is_noticed(suffix: str) -> None:
    """A reader that is not ours finds an end that is missing."""
    data = written(suffix, conv_graph(5, 28))[:-40]
    with pytest.raises((EOFError, expat.ExpatError)):
        count(unpacked(suffix, data))


def count(text: bytes) -> Counter[str]:
    """The elements in a document, and as `promised nodes` and `promised edges` what it says about them."""
    found: Counter[str] = Counter()

    def start(name: str, attributes: dict[str, str]) -> None:
        found[name] += 1
        if name == "graph":
            found["promised nodes"] = int(attributes["parse.nodes"])
            found["promised edges"] = int(attributes["parse.edges"])

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse(text, True)
    return found


@pytest.mark.slow
def test_an_xml_parser_counts_what_is_promised() -> None:
    graph = conv_graph(12, 28)
    assert graph.edges > 900_000
    found = count(unpacked(".graphml.zst", written(".graphml.zst", graph, jobs=2)))
    assert found["node"] == found["promised nodes"] == graph.neurons
    assert found["edge"] == found["promised edges"] == graph.edges


@pytest.mark.slow
def test_decimals_are_those_of_another_printer() -> None:
    """All exponents at both ends of the fraction, and random bits, where the digits must be equal to the last."""
    ends = np.r_[np.arange(300), np.arange(0x7FFFFF - 300, 0x800000)]
    bits = np.r_[
        np.add.outer(np.arange(255) << 23, ends).ravel(), np.random.default_rng(0).integers(0, 1 << 32, 300_000)
    ]
    values = bits.astype(np.uint32).view(np.float32)
    values = values[np.isfinite(values)]
    texts = render.decimals(values)
    got = b",".join(texts.data[a:b].tobytes() for a, b in zip(texts.start, texts.stop, strict=True)).decode()
    others = orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].decode()
    for one, other in zip(got.split(","), others.split(","), strict=True):
        assert one == other.removesuffix(".0") or _plain(one) == _plain(other)


def _plain(text: str) -> tuple[str, float]:
    """The digits and the value of a decimal, however it is laid out."""
    return text.split("e")[0].replace("-", "").replace(".", "").strip("0"), float(text)


# Ends


class Full(io.RawIOBase):
    """A file that fails once it has taken some bytes."""

    def __init__(self, error: BaseException, room: int = 1 << 16) -> None:
        self.error, self.room = error, room

    def write(self, data: Any) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise self.error
        return len(data)


def ends_promptly(run: Callable[[], object], error: BaseException) -> None:
    """It raises this very exception, and no thread goes on."""
    before = threading.active_count()
    began = time.monotonic()
    with pytest.raises(type(error)) as caught:
        run()
    assert caught.value is error
    assert threading.active_count() == before
    assert time.monotonic() - began < 5


ERRORS = [ValueError("mine"), KeyboardInterrupt()]


@pytest.mark.parametrize("error", ERRORS, ids=["error", "interrupt"])
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("jobs", [1, 3])
def test_failing_file_ends_it(suffix: str, jobs: int, error: BaseException) -> None:
    written(suffix, every_kind())  # what is compiled first would take long
    ends_promptly(lambda: WRITERS[suffix](conv_graph(20, 60), Full(error), jobs=jobs), error)


@pytest.mark.parametrize("error", ERRORS, ids=["error", "interrupt"])
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("jobs", [1, 3])
def test_failing_worker_ends_it(
    suffix: str, jobs: int, error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, calls = tmp_path / f"a{suffix}", []
    path.write_bytes(b"older")

    compiled = {".graphml.gz": (member, "put_edges"), ".graphml.zst": (frame, "edge_sequences")}

    def fail(*arguments: Any) -> int | tuple[int, int]:
        calls.append(arguments)
        if len(calls) > 3:
            raise error
        return (0, 0) if suffix == ".graphml.gz" else 0

    monkeypatch.setattr(*compiled.get(suffix, (kernels, "edge_lines")), fail)
    graph = conv_graph(20, 60)
    ends_promptly(lambda: writing.write(graph, path, jobs=jobs), error)
    assert len(calls) < 20, "what was not begun is dropped"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"older"


def test_failing_compression_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    error = ValueError("mine")

    def fail(*_: Any, **__: Any) -> bytes:
        raise error

    graph = conv_graph(20, 60)
    for where, name in ((member, "member"), (member, "put_edges")):
        with monkeypatch.context() as changed:
            changed.setattr(where, name, fail)
            ends_promptly(lambda: written(".graphml.gz", graph, jobs=3), error)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_few_results_wait(jobs: int) -> None:
    """However slow the one is who takes them; and they come in order."""
    begun: list[int] = []
    taken: list[int] = []
    most = 0

    def take(result: int, note: int) -> None:
        nonlocal most
        assert result == note == len(taken)
        time.sleep(0.002)
        most = max(most, len(begun) - len(taken))
        taken.append(note)

    def begin(n: int) -> int:
        begun.append(n)
        return n

    with InOrder(jobs, take) as work:
        for n in range(50):
            work.submit(lambda n=n: begin(n), n)
    assert taken == list(range(50))
    assert most <= 2 * jobs + 1


def test_an_error_comes_in_its_turn() -> None:
    taken: list[int] = []

    def compute(n: int) -> int:
        if n == 5:
            raise ValueError("the sixth")
        return n

    def run() -> None:
        with InOrder[int, None](2, lambda result, _: taken.append(result)) as work:
            for n in range(20):
                work.submit(lambda n=n: compute(n), None)

    with pytest.raises(ValueError, match="the sixth"):
        run()
    assert taken == [0, 1, 2, 3, 4]


def test_nothing_is_taken_after_an_error() -> None:
    taken: list[int] = []

    def take(result: int, _: None) -> None:
        taken.append(result)
        raise ValueError("no room")

    def run() -> None:
        with InOrder(3, take) as work:
            for n in range(20):
                work.submit(lambda n=n: n, None)

    with pytest.raises(ValueError, match="no room"):
        run()
    assert taken == [0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("jobs", [1, 2])
def test_full_device(suffix: str, jobs: int) -> None:
    with pytest.raises(OutputError, match="No space left on device") as caught:
        writing.write(conv_graph(5, 28), "/dev/full", format=suffix, jobs=jobs)
    assert "\n" not in str(caught.value)


# Other processes

TESTS = str(Path(__file__).parent)
PRELUDE = f"""
import signal, sys
sys.path.insert(0, {TESTS!r})
from onnx2graphml.formats import writing
from synthetic import conv_graph, every_kind
"""


def child(code: str, *arguments: object, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PRELUDE + code, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


PEAK = """
suffix, channels = sys.argv[1], int(sys.argv[2])
graph = conv_graph(channels, 56)
writing.write(graph, "/dev/null", format=suffix, jobs=2)
# Not getrusage: what it tells is at least the peak of the process that this one was started by.
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(graph.edges, int(status["VmHWM"].split()[0]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell a process's peak memory")
@pytest.mark.parametrize(("suffix", "channels"), [(".graphml", 43), (".graphml.gz", 20), (".graphml.zst", 20)])
def test_peak_memory_does_not_grow_with_edges(suffix: str, channels: int) -> None:
    """50 million edges against 1 million; compressed, a quarter of that, for the sake of time."""
    peaks = []
    for size, expected in ((6, 1e6), (channels, channels**2 * 27e3)):
        out, err = child(PEAK, suffix, size).communicate(timeout=300)
        assert err == ""
        edges, peak = map(int, out.split())
        assert edges >= 0.97 * expected
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 200e6


WRITE = """
def told(edges):
    print("begun", flush=True)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
writing.write(conv_graph(61, 56), sys.argv[1], jobs=2, progress=told)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ended_from_outside(tmp_path: Path, suffix: str, number: signal.Signals) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"older")
    process = child(WRITE, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert len(list(tmp_path.iterdir())) == 2
    began = time.monotonic()
    process.send_signal(number)
    process.communicate(timeout=60)
    assert time.monotonic() - began < 10
    assert process.returncode in (-number, 128 + number)
    assert path.read_bytes() == b"older"
    if number != signal.SIGKILL:  # then nobody is left to remove it
        assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes of POSIX")
def test_closed_pipe() -> None:
    command = [sys.executable, "-m", "onnx2graphml", str(DIGITS), "-"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith(b"<?xml")
    process.stdout.close()
    told = process.stderr.read().decode()
    assert process.wait(60) == 2
    assert told.count("\n") == 1
    assert told.startswith("onnx2graphml: error: standard output was closed")
