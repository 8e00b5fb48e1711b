"""Nothing of the user's is lost: foreign files in folders, kills between renames, outputs that are inputs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

from onnx2graphml import cli
from onnx2graphml.api import load
from onnx2graphml.errors import OutputError
from onnx2graphml.files import atomic_folder, exchange, temporary
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.files.atomic_folder import atomic_directory
from onnx2graphml.files.inputs import refuse_inputs
from onnx2graphml.formats.writing import write
from small import model, node, weights

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "fixtures" / "digits.onnx"


def contents(path: Path) -> dict[str, bytes]:
    return {str(p.relative_to(path)): p.read_bytes() for p in path.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that was written."""
    made(tmp_path / "out", b"first")
    return tmp_path / "out"


def made(path: Path, text: bytes, kind: str = "graph") -> None:
    with atomic_directory(path, kind) as new:
        (new / "edges").mkdir()
        (new / "edges" / "part-0").write_bytes(text)
        (new / "nodes").write_bytes(text)
        (new / "manifest.json").write_text(json.dumps({"generator": "onnx2graphml 1"}))


# ------------------------------------------------------------------------------------------------------- foreign files


def test_a_folder_of_ours_is_replaced(folder: Path) -> None:
    made(folder, b"second, longer")
    assert (folder / "nodes").read_bytes() == b"second, longer"
    assert sorted(contents(folder)) == ["edges/part-0", "manifest.json", "nodes"]
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "text"),
    [("notes.txt", "mine"), ("edges/notes.txt", "mine"), ("nodes", "changed by hand"), (".hidden", ""), ("own/x", "")],
)
def test_foreign_files_are_kept(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    before = contents(folder)
    with pytest.raises(OutputError, match=rf"that were changed since: '{name.split('/x')[0]}'.*; move them, or choose"):
        made(folder, b"second")
    assert contents(folder) == before
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


def test_many_foreign_files_are_not_all_named(folder: Path) -> None:
    for name in "abcde":
        (folder / name).touch()
    with pytest.raises(OutputError, match=r"changed since: 'a', 'b', 'c' \.\.\.; move them"):
        made(folder, b"second")


def test_a_project_with_our_manifest_is_kept(folder: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "main.py").write_text("code")
    shutil.copy(folder / "manifest.json", project)
    with pytest.raises(OutputError, match=r"that were changed since: 'main\.py'"):
        made(project, b"second")
    assert (project / "main.py").read_text() == "code"


def test_what_came_while_it_was_written_is_kept(folder: Path) -> None:
    def write_late() -> None:
        with atomic_directory(folder, "graph") as new:
            (new / "manifest.json").write_text(json.dumps({"generator": "onnx2graphml 1"}))
            (folder / "late.txt").write_text("mine")

    with pytest.raises(OutputError, match=r"'late\.txt'"):
        write_late()
    assert (folder / "late.txt").read_text() == "mine"
    assert (folder / "nodes").read_bytes() == b"first"


def test_what_came_with_the_last_step_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older folder then stays, under another name."""
    step = atomic_folder.exchange

    def late(one: Path, other: Path) -> bool:
        (other / "late.txt").write_text("mine")
        return step(one, other)

    monkeypatch.setattr(atomic_folder, "exchange", late)
    made(folder, b"second")
    assert (folder / "nodes").read_bytes() == b"second"
    assert [p.read_text() for p in folder.parent.rglob("late.txt")] == ["mine"]
    made(folder.parent / "another", b"third")  # which cleans
    assert [p.read_text() for p in folder.parent.rglob("late.txt")] == ["mine"]


def test_another_kind_is_not_replaced(folder: Path) -> None:
    with pytest.raises(OutputError, match="it holds graph, not passage; remove it or choose another name"):
        made(folder, b"second", "passage")
    assert (folder / "nodes").read_bytes() == b"first"


def test_a_manifest_without_a_list_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(json.dumps({"generator": "onnx2graphml 0.1"}))
    with pytest.raises(OutputError, match="it holds an older version's output, not graph"):
        made(tmp_path / "out", b"second")


@pytest.mark.parametrize("name", ["../keep", "/tmp/keep", "edges/../../keep", ""])
def test_a_manifest_reaches_nothing_outside(folder: Path, name: str) -> None:
    (folder.parent / "keep").write_text("mine")
    content = json.loads((folder / "manifest.json").read_text())
    content["files"][name] = 4
    (folder / "manifest.json").write_text(json.dumps(content))
    assert name not in (temporary.listed_files(folder) or {})
    made(folder, b"second")
    assert (folder.parent / "keep").read_text() == "mine"


def test_an_empty_folder_survives_a_failure(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(RuntimeError, match="failed"), atomic_directory(tmp_path / "out", "graph"):
        raise RuntimeError("failed")
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    made(tmp_path / "out", b"first")
    assert (tmp_path / "out" / "nodes").read_bytes() == b"first"


@pytest.mark.slow
def test_the_command_line_keeps_what_is_not_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "g.gephi.csv"
    assert cli.main([str(DIGITS), str(out)]) == 0
    assert cli.main([str(DIGITS), str(out)]) == 0
    capsys.readouterr()
    assert cli.main(["weights", str(DIGITS), "-o", str(out)]) == 2
    assert "it holds graph, not weights" in capsys.readouterr().err
    (out / "notes.txt").write_text("mine")
    assert cli.main([str(DIGITS), str(out)]) == 2
    assert "'notes.txt'; move them, or choose another name" in capsys.readouterr().err
    assert (out / "notes.txt").read_text() == "mine"


# ----------------------------------------------------------------------------------------------------- kills, leftovers


def test_a_folder_is_replaced_in_two_steps(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic_folder, "exchange", lambda one, other: False)
    made(folder, b"second")
    assert (folder / "nodes").read_bytes() == b"second"
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


def test_folders_are_exchanged_here(tmp_path: Path) -> None:
    """On Linux and macOS there is no moment without a folder."""
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert exchange.exchange(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a" / "b").exists()
    assert (tmp_path / "b" / "a").exists()


def test_no_exchange_on_other_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert not exchange.exchange(tmp_path, tmp_path)


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from onnx2graphml.files import atomic_folder, exchange
from test_files_lost import made
if {two}:
    atomic_folder.exchange = lambda one, other: False
rename, exchanged, renames = Path.rename, exchange.exchange, 0
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
def counted(self, target):
    global renames
    renames += 1
    if renames == {at}:
        die()
    rename(self, target)
    if renames == -{at}:
        die()
Path.rename = counted
if not {two}:
    def then(one, other):
        {at} > 0 and die()
        exchanged(one, other)
        die()
    atomic_folder.exchange = then
made(Path({path!r}), b"second")
"""


@pytest.mark.slow
@pytest.mark.parametrize("two", [False, True])
@pytest.mark.parametrize("at", [1, -1, 2, -2])
def test_killed_between_the_steps(folder: Path, two: bool, at: int) -> None:
    """There is a folder under the name, the old or the new one, at the latest when the next one is begun."""
    program = KILLED.format(tests=str(Path(__file__).parent), two=two, at=at, path=str(folder))
    done = subprocess.run([sys.executable, "-c", program], check=False, stderr=subprocess.PIPE, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    if not two:
        assert (folder / "nodes").read_bytes() in (b"first", b"second")
    with pytest.raises(RuntimeError, match="failed"), atomic_directory(folder, "graph"):
        raise RuntimeError("failed")
    assert (folder / "nodes").read_bytes() in (b"first", b"second")
    made(folder, b"third")
    assert (folder / "nodes").read_bytes() == b"third"
    assert [p.name for p in folder.parent.iterdir()] == ["out"]


def test_what_a_dead_process_left_is_removed(tmp_path: Path) -> None:
    program = (
        "import os, sys, signal; from pathlib import Path; from onnx2graphml.files.atomic_file import atomic\n"
        "with atomic(Path('a')) as file: file.write(b'x' * 9); file.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".o2g-")
    (tmp_path / ".o2g-link.tmp").symlink_to(DIGITS)
    with atomic(tmp_path / "b"):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == [".o2g-link.tmp", "b"]
    assert DIGITS.exists()


def test_what_a_living_process_writes_stays(tmp_path: Path) -> None:
    with atomic(tmp_path / "a") as one:
        with atomic(tmp_path / "b"), atomic_directory(tmp_path / "c", "graph") as new:
            with atomic(tmp_path / "d"):
                pass
            assert new.is_dir()
            (new / "manifest.json").write_text("{}")
        one.write(b"whole")
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "c", "d"]


def test_a_new_file_that_was_taken_for_a_leftover(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its making and its locking another process removes it: a second one is made."""
    lock, taken = temporary.fcntl.flock, []

    def late(descriptor: int, how: int) -> None:
        if not taken:
            taken.append(1)
            next(tmp_path.iterdir()).unlink()
        lock(descriptor, how)

    monkeypatch.setattr(temporary.fcntl, "flock", late)
    with atomic(tmp_path / "a") as file:
        file.write(b"whole")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


# ---------------------------------------------------------------------------------------------------- inputs as outputs


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A model with external data."""
    import onnx

    proto = model([node("MatMul", "x w", "y")], {"x": [1, 300]}, {"w": weights(300, 300)})
    onnx.save(proto, tmp_path / "m.onnx", save_as_external_data=True, location="w.npz", size_threshold=0)
    return tmp_path / "m.onnx"


@pytest.mark.parametrize("target", ["m.onnx", "data.json", "link", "hard", "g.graphml", "p.npy"])
def test_a_report_is_no_input(stored: Path, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    import numpy as np

    folder = stored.parent
    (folder / "link").symlink_to("m.onnx")
    (folder / "data.json").symlink_to("w.npz")
    os.link(folder / "m.onnx", folder / "hard")
    np.save(folder / "p.npy", np.ones((1, 300), np.float32))
    assert cli.main([str(stored), str(folder / "g.graphml")]) == 0
    before = contents(folder)
    command = ["verify", str(stored), str(folder / "g.graphml"), "--input", str(folder / "p.npy")]
    assert cli.main([*command, "--report", str(folder / target)]) == 2
    assert "which is read; choose another name" in capsys.readouterr().err
    assert contents(folder) == before


def test_a_graph_is_not_the_graph_that_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.graphml"
    write(load(ROOT / "fixtures" / "residual.onnx"), path)
    before = contents(tmp_path)
    assert cli.main([str(path), str(path)]) == 2
    assert "which is read; choose another name" in capsys.readouterr().err
    assert contents(tmp_path) == before


def test_a_graph_is_not_the_models_weights(stored: Path) -> None:
    before = contents(stored.parent)
    with pytest.raises(OutputError, match=r"which is read"):
        write(load(stored), stored.parent / "w.npz")
    assert contents(stored.parent) == before


def test_nothing_within_a_folder_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "model" / "variables").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"it is '.*model', which is read"):
        refuse_inputs(tmp_path / "model" / "variables" / "report.json", [tmp_path / "model"])
    refuse_inputs(tmp_path / "report.json", [tmp_path / "model", tmp_path / "none"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["architecture", "m.onnx", "-o", "{}"],
        ["trace", "m.onnx", "--input", "random", "-o", "{}"],
        ["explore", "m.onnx", "-o", "{}"],
        ["m.onnx", "{}"],
    ],
    ids=lambda a: a[0],
)
@pytest.mark.parametrize("link", ["m.onnx", "w.bin"])
def test_what_a_command_reads_is_not_its_output(
    tmp_path: Path, arguments: list[str], link: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the model nor its external data, whatever they are called."""
    monkeypatch.chdir(tmp_path)
    made = model([node("MatMul", "x w", "y")], {"x": [1, 30]}, {"w": weights(30, 30)})
    onnx.save(made, "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    out = {"explore": "o.html", "architecture": "o.svg"}.get(arguments[0], "o.graphml")
    Path(out).hardlink_to(link)
    before = Path(link).read_bytes()
    assert cli.main([a.format(out) for a in arguments]) == 2
    assert f"can't write '{out}': it is" in (said := capsys.readouterr().err)
    assert said.endswith("which is read; choose another name\n")
    assert Path(link).read_bytes() == before


# ---------------------------------------------------------------------------------------------------------------- paths


def test_a_link_that_leads_to_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("l.graphml", "l.parquet"):
        (tmp_path / name).symlink_to(name)
        assert cli.main([str(DIGITS), str(tmp_path / name)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert cli.main(["info", str(tmp_path / "l.graphml")]) == 2
    assert "Too many levels of symbolic links" in capsys.readouterr().err


def test_a_name_that_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["info", "9" * 400], [str(DIGITS), "9" * 400 + ".graphml"], [str(DIGITS), "9" * 400 + ".npz"]):
        assert cli.main(arguments) == 2
        assert "File name too long\n" in capsys.readouterr().err
