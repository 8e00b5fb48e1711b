"""Matrices in .npz against their models: what they hold is checked, what they can't hold is told, damage is found."""

from __future__ import annotations

import io
import pickle
import re
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse

from onnx2graphml.api import verify_file
from onnx2graphml.cli import main
from onnx2graphml.errors import Error
from onnx2graphml.formats import registry, writing
from onnx2graphml.formats.npz import read
from onnx2graphml.formats.reading import open_graph
from test_filecheck import FIXTURES, graph_of, outcome

MODELS = ["digits", "ports", "doubles"]
POSITIONS = 3
Arrays = dict[str, npt.NDArray[Any]]
Damage = Callable[[Arrays, Random], Arrays | None]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """By model, the file as it was written."""
    made = {}
    for name in MODELS:
        path = tmp_path_factory.mktemp("npz") / "a.npz"
        writing.write(graph_of(name), path)
        made[name] = path.read_bytes()
    return made


def arrays(data: bytes) -> Arrays:
    with np.load(io.BytesIO(data)) as loaded:
        return dict(loaded)


def put(content: Arrays, path: Path) -> Path:
    np.savez_compressed(path, **content)
    return path


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


def shuffled(content: Arrays) -> Arrays:
    order = np.random.default_rng(0).permutation(len(content["row"]))
    return content | {name: content[name][order] for name in ("row", "col", "data")}


def wider(content: Arrays) -> Arrays:
    return content | {"row": content["row"].astype(np.int64), "data": content["data"].astype(np.float64)}


def big_endian(content: Arrays) -> Arrays:
    return content | {name: content[name].astype(content[name].dtype.newbyteorder(">")) for name in ("row", "data")}


@pytest.mark.parametrize("change", [shuffled, wider, big_endian], ids=lambda f: f.__name__)
def test_the_same_matrix_otherwise_written_passes(
    change: Callable[[Arrays], Arrays], files: dict[str, bytes], tmp_path: Path
) -> None:
    other = put(change(arrays(files["digits"])), tmp_path / "a.npz")
    assert verify_file(graph_of("digits"), other).passed


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


def at(name: str, change: Callable[[Any], Any], where: Callable[[Any], Any] = np.ones_like) -> Damage:
    """One entry of an array is another; among those for which something holds."""

    def damage(content: Arrays, random: Random) -> Arrays | None:
        possible = np.flatnonzero(where(content[name]))
        if not possible.size:
            return None
        changed, i = content[name].copy(), random.choice(possible.tolist())
        changed[i] = change(changed[i])
        return content | {name: changed}

    return damage


def rows(change: Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]) -> Damage:
    """The three long arrays by the rows that remain of 0, 1, …"""

    def damage(content: Arrays, random: Random) -> Arrays:
        n = len(content["row"])
        kept = change(np.arange(n), random.randrange(1, n - 1))
        return content | {name: content[name][kept] for name in ("row", "col", "data")}

    return damage


def exchanged(*names: str) -> Damage:
    """Two edges into one neuron exchange something."""

    def damage(content: Arrays, random: Random) -> Arrays | None:
        same = np.flatnonzero((content["col"][1:] == content["col"][:-1]) & (np.diff(content["data"]) != 0))
        if not same.size:
            return None
        i, changed = random.choice(same.tolist()), {name: content[name].copy() for name in names}
        for values in changed.values():
            values[[i, i + 1]] = values[[i + 1, i]]
        return content | changed

    return damage


def nudged(content: Arrays, random: Random) -> Arrays:
    """A weight is more by 1e-3 of the largest into the same neuron, which is not above the layer's."""
    i, data = random.randrange(len(content["row"])), content["data"].copy()
    data[i] += 1e-3 * np.abs(data[content["col"] == content["col"][i]]).max()
    return content | {"data": data}


def more(weight: float) -> Damage:
    def damage(content: Arrays, random: Random) -> Arrays:
        i = random.randrange(len(content["row"]))
        values = {"row": content["row"][0], "col": content["col"][i], "data": weight}
        return content | {
            name: np.append(content[name], value).astype(content[name].dtype) for name, value in values.items()
        }

    return damage


DAMAGES: dict[str, Damage] = {
    "an edge is missing": rows(lambda every, i: np.delete(every, i)),
    "the last edge is missing": rows(lambda every, _: every[:-1]),
    "half of the edges are missing": rows(lambda every, _: every[: len(every) // 2]),
    "an edge is there twice": rows(lambda every, i: np.insert(every, i, i)),
    "all edges are there twice": rows(lambda every, _: np.tile(every, 2)),
    "no edges": rows(lambda every, _: every[:0]),
    "an edge more": more(0.25),
    "an edge more, of weight 0": more(0.0),
    "another source": at("row", lambda i: i + 1, lambda r: r < r.max()),
    "another target": at("col", lambda i: i - 1),
    "a source that is no node": at("row", lambda _: 1 << 30),
    "a negative source": at("row", lambda _: -1),
    "a negative target": at("col", lambda _: -1),
    "sources and targets exchanged": lambda c, _: c | {"row": c["col"], "col": c["row"]},
    "all sources one further": lambda c, _: c | {"row": (c["row"] + 1).astype(np.int32)},
    "two edges exchange their weights": exchanged("data"),
    "two edges exchange their sources": exchanged("row"),
    "a weight is more by 1e-3 of the largest": nudged,
    "a weight has another sign": at("data", lambda w: -w, lambda d: d != 0),
    "a weight is 0": at("data", lambda _: 0, lambda d: d != 0),
    "a weight is NaN": at("data", lambda _: np.nan),
    "a weight is infinite": at("data", lambda _: np.inf),
    "weights in half precision": lambda c, _: c | {"data": c["data"].astype(np.float16)},
    "weights are rounded to float16": lambda c, _: c | {"data": c["data"].astype(np.float16).astype(np.float32)},
    "weights are integers": lambda c, _: c | {"data": c["data"].astype(np.int32)},
    "weights are complex": lambda c, _: c | {"data": c["data"].astype(np.complex64)},
    "weights are objects": lambda c, _: c | {"data": c["data"].astype(object)},
    "weights are text": lambda c, _: c | {"data": c["data"].astype(str)},
    "sources are floats": lambda c, _: c | {"row": c["row"].astype(np.float64)},
    "sources are unsigned": lambda c, _: c | {"row": c["row"].astype(np.uint32)},
    "sources are bytes": lambda c, _: c | {"row": c["row"].astype(np.int8)},
    "fewer weights": lambda c, _: c | {"data": c["data"][:-1]},
    "fewer sources": lambda c, _: c | {"row": c["row"][:-1]},
    "fewer targets": lambda c, _: c | {"col": c["col"][:-1]},
    "another shape": lambda c, _: c | {"shape": c["shape"] + 1},
    "a shape that is not square": lambda c, _: c | {"shape": c["shape"] + [0, 1]},
    "a shape of three": lambda c, _: c | {"shape": np.append(c["shape"], 1)},
    "a negative shape": lambda c, _: c | {"shape": -c["shape"]},
    "a huge shape": lambda c, _: c | {"shape": np.full(2, 1 << 60)},
    "a shape of floats": lambda c, _: c | {"shape": c["shape"].astype(float)},
    "another format": lambda c, _: c | {"format": np.array(b"csr")},
    "an unknown format": lambda c, _: c | {"format": np.array(b"x")},
    "no sources": lambda c, _: {n: v for n, v in c.items() if n != "row"},
    "no targets": lambda c, _: {n: v for n, v in c.items() if n != "col"},
    "no weights": lambda c, _: {n: v for n, v in c.items() if n != "data"},
    "no shape": lambda c, _: {n: v for n, v in c.items() if n != "shape"},
    "no format": lambda c, _: {n: v for n, v in c.items() if n != "format"},
    "something else": lambda c, _: {"x": c["data"]},
}  # fmt: skip


def mutants(kind: str, content: Arrays) -> list[Arrays]:
    """The arrays, damaged in one way at several positions."""
    found: list[Arrays] = []
    for position in range(POSITIONS):
        damaged = DAMAGES[kind](content, Random(f"{kind} {position}"))
        if damaged is not None and not any(alike(damaged, other) for other in [content, *found]):
            found.append(damaged)
    return found


def alike(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        one[n].dtype == other[n].dtype and np.array_equal(one[n], other[n], equal_nan=one[n].dtype.kind == "f")
        for n in one
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_all_damage_is_found(
    name: str, files: dict[str, bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    how, missed, kinds = Counter[str](), [], set()
    content = arrays(files[name])
    for kind in DAMAGES:
        for damaged in mutants(kind, content):
            end = outcome(graph_of(name), put(damaged, tmp_path / "a.npz"))
            how[end] += 1
            kinds.add(kind)
            missed += [kind] if end in ("not found", "refused in other than one line") else []
    total = how.total()
    with capsys.disabled():
        found = 100 - 100 * len(missed) / total
        print(f"\n{name}.npz: {total} mutants of {len(kinds)} kinds, {found:.1f} % found: {how}")
    assert not missed
    assert len(kinds) >= 44


def test_every_kind_of_damage_is_one_of_some_model(files: dict[str, bytes]) -> None:
    every = [arrays(data) for data in files.values()]
    assert [kind for kind in DAMAGES if not any(mutants(kind, content) for content in every)] == []


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
        ("a source that is no node", r"an edge from n1073741824 to n\d+; the last node is n13"),
    ],
)
def test_what_is_told(kind: str, message: str, files: dict[str, bytes], tmp_path: Path) -> None:
    (damaged, *_) = mutants(kind, arrays(files["doubles"]))
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


def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, digits = tmp_path / "a.npz", str(FIXTURES / "digits.onnx")
    assert main([digits, str(path), "--detail", "neuron"]) == 0
    assert main(["verify", digits, str(path), "--detail", "neuron"]) == 0
    assert len(re.findall("^not checked: ", capsys.readouterr().out, re.MULTILINE)) == 2
    assert main(["verify", digits, str(path)]) == 2
    assert "or at another detail?" in capsys.readouterr().err
