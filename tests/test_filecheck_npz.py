"""What is particular to matrices in .npz that are read back: what they can't hold is told, no member is believed."""

from __future__ import annotations

import io
import pickle
import re
import tracemalloc
import zipfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from damage import FORMATS
from damage.files import put
from damage.graphs import FIXTURES, graph_of, outcome
from damage.npz_arrays import Arrays, alike, arrays
from onnx2graphml.api import verify_file
from onnx2graphml.cli import main
from onnx2graphml.errors import Error
from onnx2graphml.formats import registry, writing
from onnx2graphml.formats.npz import read
from onnx2graphml.formats.reading import open_graph

MODELS = ["digits", "ports", "doubles"]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """By model, the file as it was written."""
    made = {}
    for name in MODELS:
        path = tmp_path_factory.mktemp("npz") / "a.npz"
        writing.write(graph_of(name), path)
        made[name] = path.read_bytes()
    return made


# ------------------------------------------------------------------------------------------------- what is not damaged


@pytest.mark.parametrize("name", MODELS)
def test_what_can_not_be_checked_is_told(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(files[name])
    report = verify_file(graph_of(name), path)
    assert report.passed
    attributes = "combine, bias, activation and the other attributes of nodes, which were taken from the model"
    expected = ["the name and hash of the model, and the level of detail", attributes]
    expected += ["ports of edges, which were taken from the model"] if name == "ports" else []
    assert report.unchecked == tuple(f"{what}: .npz does not hold them" for what in expected)
    lines = str(report).splitlines()
    assert lines[-len(expected) :] == [f"not checked: {what}" for what in report.unchecked]


@pytest.mark.parametrize("suffix", [s for s, f in registry.FORMATS.items() if "node attributes" not in f.cannot_hold])
def test_all_is_checked_in_other_formats(suffix: str, tmp_path: Path) -> None:
    writing.write(graph_of("ports"), tmp_path / f"a{suffix}")
    report = verify_file(graph_of("ports"), tmp_path / f"a{suffix}")
    assert report.unchecked == ()
    assert "not checked" not in str(report)


def test_as_scipy_saves_it_again(files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    matrix = scipy.sparse.load_npz(io.BytesIO(files["digits"]))
    for compressed in (True, False):
        scipy.sparse.save_npz(path, matrix, compressed=compressed)
        assert verify_file(graph_of("digits"), path).passed
    scipy.sparse.save_npz(path, scipy.sparse.coo_array(matrix))
    assert verify_file(graph_of("digits"), path).passed
    for kind in ("csr", "csc"):
        scipy.sparse.save_npz(path, matrix.asformat(kind))
        with pytest.raises(Error, match=rf"a\.npz: format is '{kind}'; expected 'coo', which matrix\.tocoo\(\) has"):
            verify_file(graph_of("digits"), path)


def test_reads_what_scipy_reads(files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "ROWS", 1000)
    path = tmp_path / "a.npz"
    path.write_bytes(files["digits"])
    with open_graph(path) as file:
        assert file.about() == {"nodes": "3738"}
        assert file.layers() == []
        edges = list(file.edges())
    assert {len(e) for e in edges[:-1]} == {1000}
    matrix = scipy.sparse.load_npz(path)
    for ours, theirs in (("source", "row"), ("target", "col"), ("weight", "data")):
        assert np.array_equal(np.concatenate([getattr(e, ours) for e in edges]), getattr(matrix, theirs))


# --------------------------------------------------------------------------------------------------------------- damage


@pytest.mark.slow
def test_a_damaged_byte_is_found_or_changes_nothing(files: dict[str, bytes], tmp_path: Path) -> None:
    """Some bytes of an archive mean nothing, such as dates; what can then be read must be what was written."""
    whole, content, path = files["digits"], arrays(files["digits"]), tmp_path / "a.npz"
    random, ends = Random(0), Counter[str]()
    for _ in range(60):
        place = random.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << random.randrange(8))]) + whole[place + 1 :])
        end = outcome(graph_of("digits"), path)
        ends[end] += 1
        assert end in ("refused", "not found"), place
        assert end == "refused" or alike(arrays(path.read_bytes()), content), place
    assert ends["refused"] > 40


def test_a_truncated_file_is_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    whole, path = files["digits"], tmp_path / "a.npz"
    for size in (0, 1, 30, 1000, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:size])
        assert outcome(graph_of("digits"), path) == "refused", size


# --------------------------------------------------------------------------------------------- what may not be believed


def archive(path: Path, content: Arrays, **members: bytes) -> Path:
    """An archive in which some members have these bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in content | members:
            buffer = io.BytesIO()
            if name not in members:
                np.save(buffer, content[name])
            out.writestr(f"{name}.npy", members.get(name, buffer.getvalue()))
    return path


def npy(header: str, data: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    size = len(header).to_bytes(2 if version == (1, 0) else 4, "little")
    return b"\x93NUMPY" + bytes(version) + size + header.encode() + data


class Bomb:
    """What runs when it is unpickled."""

    def __reduce__(self) -> Any:
        return pytest.fail, ("a pickle was read",)


@pytest.mark.parametrize("name", ["row", "data", "shape", "format"])
def test_pickles_are_not_read(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    path = archive(tmp_path / "a.npz", arrays(files["doubles"]), **{name: npy(header, pickle.dumps([Bomb()]))})
    with pytest.raises(Error, match=f"ValueError: {name} has type object; expected"):
        verify_file(graph_of("doubles"), path)


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (45,)}", b"\0" * 9), "data has less than 45 entries"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (45,)}", b"\0" * 999), "data has more than 45 entries"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-45,)}"), "45, 45 and -45 entries"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9**99,)}"), "not a whole|damaged"),
        (npy("{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 5000 + ")" * 5000 + "}"), "damaged"),
        (npy("{}"), "damaged or not whole: ValueError"),
        (npy("", version=(2, 0)), r"data is of version \(2, 0\) of the .npy format; expected \(1, 0\)"),
        (b"PK", "damaged or not whole: ValueError"),
        (b"", "damaged or not whole: ValueError"),
    ],
)
def test_a_wrong_member_is_refused(member: bytes, message: str, files: dict[str, bytes], tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", arrays(files["doubles"]), data=member)
    with pytest.raises(Error, match=message) as caught:
        verify_file(graph_of("doubles"), path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("a shape that is not square", r"the matrix has shape \(14, 15\); expected a square one"),
        ("a shape of three", "shape has 3 entries; expected 2"),
        ("weights in half precision", "data has type float16; expected f4 or f8"),
        ("sources are floats", "row has type float64; expected i4 or i8"),
        ("fewer weights", "row, col and data have 45, 45 and 44 entries"),
        ("no format", "KeyError: .*format"),
        ("something else", r"it holds x; expected row, col, data, shape, format, each once"),
        ("an edge from nowhere", r"an edge from n1073741824 to n\d+; the last node is n13"),
    ],
)
def test_what_is_told(kind: str, message: str, files: dict[str, bytes], tmp_path: Path) -> None:
    damaged = FORMATS[".npz"].damages[kind]({"": files["doubles"]}, Random(0))
    assert damaged
    with pytest.raises(Error, match=message):
        verify_file(graph_of("doubles"), put(damaged, tmp_path / "a.npz"))


def test_members_of_one_name_are_refused(files: dict[str, bytes], tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", arrays(files["doubles"]))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as out:
        out.writestr("row.npy", b"")
    with pytest.raises(Error, match=r"it holds .*row.*; expected row, col, data, shape, format, each once"):
        verify_file(graph_of("doubles"), path)


@pytest.mark.slow
def test_more_than_was_declared_is_not_taken_into_memory(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kilobytes that expand to 5 million edges: they are read in pieces, counted, and found to be too many."""
    n = 5_000_000
    zeros = np.zeros(n, np.int32)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, **arrays(files["doubles"]) | {"row": zeros, "col": zeros + 6, "data": zeros.astype("f4")})
    assert path.stat().st_size < n / 50
    monkeypatch.setattr(read, "ROWS", 1 << 14)
    verify_file(graph_of("doubles"), path)
    tracemalloc.start()
    try:
        report = verify_file(graph_of("doubles"), path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert not report.passed
    assert "5000000 there, in the model 6" in str(report)
    assert peak < 8 << 20


def test_another_number_of_nodes_is_told(tmp_path: Path) -> None:
    writing.write(graph_of("digits", "op"), tmp_path / "a.npz")
    message = r"a.npz: \d+ nodes; at detail 'layer' the model has 3738: is it the graph of another model, or at another"
    with pytest.raises(Error, match=message):
        verify_file(graph_of("digits"), tmp_path / "a.npz")


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, digits = tmp_path / "a.npz", str(FIXTURES / "digits.onnx")
    assert main([digits, str(path), "--detail", "neuron"]) == 0
    assert main(["verify", digits, str(path), "--detail", "neuron"]) == 0
    assert len(re.findall("^not checked: ", capsys.readouterr().out, re.MULTILINE)) == 2
    assert main(["verify", digits, str(path)]) == 2
    assert "or at another detail?" in capsys.readouterr().err
