"""External data that is cut while it is in use: an error of one line, in whatever thread it is read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest

from onnx2graphml.errors import Error
from onnx2graphml.files import mapped
from onnx2graphml.model import load_model
from small import model, node, weights

N = 600  # weights of 1.4 MB: smaller files are read

PROGRAM = """
import mmap, os, sys, threading
from pathlib import Path
import numpy as np
import onnx2graphml as o2g
from onnx2graphml import cli, model
from onnx2graphml.files import mapped

os.chdir(sys.argv[1])
whole = Path("w.bin").read_bytes()


def cut(*ignored):
    os.truncate("w.bin", 5000)


def total(graph):
    cut()
    return graph.layers[-1].incoming[0].block.weights.sum()


def in_a_thread(graph):
    thread = threading.Thread(target=total, args=[graph])
    thread.start()
    thread.join()
    return "the main thread goes on"


def written(graph):
    model.Model.check_files = cut
    o2g.write(graph, "g.gephi.csv", jobs=2)


def verified(graph):
    return o2g.verify(graph)


def tried(use):
    Path("w.bin").write_bytes(whole)
    graph = o2g.load("m.onnx")
    assert len(mapped._files) == 1  # the one of this graph: others are gone
    try:
        print(use(graph))
    except o2g.Error as e:
        print(use.__name__, e)


for use in (total, in_a_thread, written, verified):
    tried(use)
Path("w.bin").write_bytes(whole)
print(cli.main(["m.onnx", "g.graphml"]), cli.main(["verify", "m.onnx"]), sorted(os.listdir()), flush=True)
Path("w.bin").write_bytes(whole)
os.truncate("w.bin", 100_000)
with open("w.bin", "rb") as file:
    theirs = np.frombuffer(mmap.mmap(file.fileno(), 100_000, access=mmap.ACCESS_READ), np.uint8)
cut()
print("another's bus error is none of ours", theirs.sum())
"""


def saved(folder: Path, n: int = N) -> Path:
    """A model with `n`² weights beside it."""
    proto = model([node("MatMul", "x w", "y")], {"x": [1, n]}, {"w": weights(n, n)})
    onnx.save(proto, folder / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    return folder / "m.onnx"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere external data is read")
def test_external_data_that_is_cut_in_use(tmp_path: Path) -> None:
    """In a process of its own, which must not end by a signal; unless the cut file is somebody else's."""
    saved(tmp_path)
    found = subprocess.run([sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, timeout=60)
    said = "w.bin: it was cut while it was in use; expected its 1,440,000 bytes: load it again"
    uses, (end, *more) = found.stdout.splitlines()[:4], found.stdout.splitlines()[4:]
    assert [line.split(" ", 1)[0] for line in uses] == ["total", "in_a_thread", "written", "verified"], found
    assert all(line.endswith(said) for line in uses), found
    assert end == "2 2 ['m.onnx', 'w.bin']"
    lines = found.stderr.splitlines()
    assert len(lines) == 2
    assert lines[0].endswith(said)
    assert "pass the end of 'w.bin', which has 5000" in lines[1]
    assert not more
    assert found.returncode == -signal.SIGBUS


def test_what_is_mapped_is_let_go(tmp_path: Path) -> None:
    before = len(mapped._files)
    found = load_model(saved(tmp_path))
    assert len(mapped._files) == before + (sys.platform == "linux")
    np.testing.assert_array_equal(found.constants["w"], weights(N, N))
    del found
    assert len(mapped._files) == before


@pytest.mark.parametrize("why", ["small", "in another thread", "no place", "somebody else takes care"])
def test_what_is_read_instead(tmp_path: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays as it was, whatever becomes of the file."""
    n, before, found = (300 if why == "small" else N), len(mapped._files), []
    path = saved(tmp_path, n)

    def load() -> None:
        found.append(load_model(path))

    if why == "in another thread":
        monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_DFL)  # nobody was asked before
        thread = threading.Thread(target=load)
        thread.start()
        thread.join()
    elif why == "somebody else takes care":
        monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
        load()
    else:
        monkeypatch.setattr(mapped, "PLACES", 0 if why == "no place" else 1)
        load()
    assert len(mapped._files) == before
    os.truncate(tmp_path / "w.bin", 10)
    np.testing.assert_array_equal(found[0].constants["w"], weights(n, n))


def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "w.bin").write_bytes(bytes(1000))
    with open(tmp_path / "w.bin", "rb") as file:
        monkeypatch.setattr(os, "fstat", lambda descriptor: os.stat_result((0, 0, 0, 0, 0, 0, 2000, 0, 0, 0)))
        with pytest.raises(Error, match=r"w\.bin: it was cut while it was read, at 1,000 of 2,000 bytes"):
            mapped.in_memory(tmp_path / "w.bin", file.fileno())
