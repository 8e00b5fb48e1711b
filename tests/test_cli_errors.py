"""A user's mistake is one line on standard error and status 2; no traceback, and no half a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from onnx2graphml import cli
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = str(FIXTURES / "digits.onnx")
Failing = Callable[..., str]


@pytest.fixture
def failing(capsys: pytest.CaptureFixture[str]) -> Failing:
    """Run the command line and return its one line on standard error; after the usage, where that may come first."""

    def run(*arguments: str, status: int = 2, usage: bool = False) -> str:
        try:
            found = cli.main([str(a) for a in arguments])
        except SystemExit as stopped:  # argparse's way to end
            found = stopped.code  # type: ignore[assignment]
        out, err = capsys.readouterr()
        assert found == status, err
        assert out == ""
        assert "Traceback" not in err
        assert err.endswith("\n")
        if usage and err.startswith("usage:"):
            err = err.splitlines(keepends=True)[-1]
        assert err.count("\n") == 1, err
        assert err.startswith("onnx2graphml")
        return err

    return run


def written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def unsupported() -> bytes:
    return model([node("RandomNormalLike", "x", "y", name="the noise")], {"x": [1, 1, 2, 2]}).SerializeToString()


def dynamic() -> bytes:
    return model([node("GlobalAveragePool", "x", "y")], {"x": [1, 2, "h", "w"]}).SerializeToString()


def truncated() -> bytes:
    return Path(DIGITS).read_bytes()[:5000]


BROKEN: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "empty"),
    "text": (lambda: b"Dear reader,\n", "not an ONNX model"),
    "truncated": (truncated, "truncated"),
    "unsupported operator": (unsupported, "'the noise' (RandomNormalLike, opset 17)"),
    "dynamic shape": (dynamic, "--shape x=1,2,"),
}


# --------------------------------------------------------------------------------------------------------------- models


@pytest.mark.parametrize("command", ["convert", "info", "verify", "neuron"])
@pytest.mark.parametrize("name", BROKEN)
def test_models_that_can_not_be_read(failing: Failing, tmp_path: Path, name: str, command: str) -> None:
    content, said = BROKEN[name]
    path, out = written(tmp_path / "m.onnx", content()), tmp_path / "m.graphml"
    rest = {"convert": [path, out], "neuron": ["neuron", path, "y", "0"]}.get(command, [command, path])
    assert said in failing(*rest)
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize("name", BROKEN)
def test_an_earlier_file_is_left_as_it_was(failing: Failing, tmp_path: Path, name: str) -> None:
    out = tmp_path / "m.graphml"
    out.write_text("earlier")
    failing(written(tmp_path / "m.onnx", BROKEN[name][0]()), out)
    assert out.read_text() == "earlier"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.graphml", "m.onnx"]


def test_a_missing_model(failing: Failing, tmp_path: Path) -> None:
    assert "nowhere.onnx" in failing("info", tmp_path / "nowhere.onnx")


def test_names_with_line_breaks(failing: Failing, tmp_path: Path) -> None:
    proto = model([node("RandomNormalLike", "x", "y", name="first\nsecond\x1b[31m")], {"x": [1, 1, 2, 2]})
    message = failing("info", written(tmp_path / "m.onnx", proto.SerializeToString()))
    assert "\x1b" not in message


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("content", [b"", b"not a model\n", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"])
def test_keras_files_that_can_not_be_read(failing: Failing, tmp_path: Path, suffix: str, content: bytes) -> None:
    pytest.importorskip("tensorflow")
    failing("info", written(tmp_path / f"m{suffix}", content))


@pytest.mark.slow
def test_a_folder_that_is_no_model(failing: Failing, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    failing("info", tmp_path)


def test_the_framework_is_not_installed(failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] in ("tensorflow", "keras", "tf2onnx")]:
        monkeypatch.delitem(sys.modules, name)
    for name in sorted((n for n in sys.modules if n.startswith("onnx2graphml.frontends.")), reverse=True):
        monkeypatch.delitem(sys.modules, name)
        monkeypatch.delattr(name, raising=False)
    for name in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
    model = tmp_path / "m.h5"
    h5py.File(model, "w").close()  # whole, but no model that is read without Keras
    message = failing(model, tmp_path / "m.graphml")
    assert "pip install 'onnx2graphml[keras]'" in message
    assert list(tmp_path.iterdir()) == [model]


# -------------------------------------------------------------------------------------------------------------- outputs


@pytest.mark.parametrize("name", ["out.xyz", "out", "graphml", "out.graphml.rar"])
def test_an_unknown_suffix(failing: Failing, tmp_path: Path, name: str) -> None:
    message = failing(DIGITS, tmp_path / name)
    assert name in message
    assert ".graphml" in message
    assert not list(tmp_path.iterdir())


def test_an_unknown_suffix_is_told_before_the_model_is_read(failing: Failing, tmp_path: Path) -> None:
    assert "out.xyz" in failing(tmp_path / "nowhere.onnx", tmp_path / "out.xyz")


def test_no_directory(failing: Failing, tmp_path: Path) -> None:
    assert "no directory" in failing(DIGITS, tmp_path / "nowhere" / "out.graphml")


def test_the_output_is_a_directory(failing: Failing, tmp_path: Path) -> None:
    (tmp_path / "out.graphml").mkdir()
    assert "directory" in failing(DIGITS, tmp_path / "out.graphml")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unwritable for root")
def test_a_directory_that_can_not_be_written_to(failing: Failing, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "out.graphml" in failing(DIGITS, tmp_path / "out.graphml")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_the_disk_is_full(failing: Failing, tmp_path: Path) -> None:
    (tmp_path / "out.graphml").symlink_to("/dev/full")
    assert "out.graphml" in failing(DIGITS, tmp_path / "out.graphml")


@pytest.mark.slow
def test_the_disk_gets_full_on_the_way(failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(graph: Any, file: Any, progress: Any = None, **options: Any) -> None:
        file.write(b"<graphml>")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("onnx2graphml.formats.graphml.write.write_graphml", write)
    out = tmp_path / "out.graphml"
    out.write_text("earlier")
    assert "No space left on device" in failing(DIGITS, out)
    assert out.read_text() == "earlier"
    assert [p.name for p in tmp_path.iterdir()] == ["out.graphml"]


# -------------------------------------------------------------------------------------------------------------- options


MISTYPED = [
    ["info", DIGITS, "--detail", "fine"],
    ["info", DIGITS, "--frobnicate"],
    ["info"],
    [DIGITS],
    ["neuron"],
]


@pytest.mark.parametrize("text", ["x", "x=", "x=1,b", "x=1;3", "x=1,,3", "x=1x3"])
def test_a_shape_that_is_none(failing: Failing, text: str) -> None:
    message = failing("info", DIGITS, "--shape", text, usage=True)
    assert text in message
    assert "NAME=1,3,224,224" in message


@pytest.mark.parametrize("arguments", MISTYPED, ids=lambda a: " ".join(a).replace(DIGITS, "MODEL"))
def test_options_that_there_are_not(failing: Failing, arguments: list[str]) -> None:
    assert "error: " in failing(*arguments, usage=True)


def test_a_mistyped_command_is_one_line_as_well(failing: Failing) -> None:
    failing("info", DIGITS, "--shape", "x")


def test_a_shape_of_an_unknown_input(failing: Failing) -> None:
    message = failing("info", DIGITS, "--shape", "picture=1,8,8,1")
    assert "'picture'" in message
    assert "'image'" in message


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ("0,0,16", "(8, 8, 16)"),
        ("8,0,0", "(8, 8, 16)"),
        ("0,0", "(8, 8, 16)"),
        ("0,0,0,0", "(8, 8, 16)"),
        ("", "(8, 8, 16)"),
        ("-1,0,0", "(8, 8, 16)"),
        ("a,b,c", "expected integers such as 3,12,5"),
        ("0.5,0,0", "expected integers such as 3,12,5"),
    ],
)
def test_an_index_that_there_is_not(failing: Failing, index: str, said: str) -> None:
    assert said in failing("neuron", DIGITS, "conv1", index, usage=True)


def test_an_unknown_layer(failing: Failing) -> None:
    message = failing("neuron", DIGITS, "conv3", "0,0,0")
    assert "'conv3'" in message
    assert "did you mean 'conv" in message


@pytest.mark.slow
def test_input_files(failing: Failing, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", weights(1, 3, 8, 8))
    assert "[1, 8, 8, 1]" in failing("verify", DIGITS, "--input", tmp_path / "x.npy")
    assert "nowhere.npy" in failing("verify", DIGITS, "--input", tmp_path / "nowhere.npy")
    assert "text.npy" in failing("verify", DIGITS, "--input", written(tmp_path / "text.npy", b"hello\n"))
    assert "empty.npy" in failing("verify", DIGITS, "--input", written(tmp_path / "empty.npy", b""))


# ---------------------------------------------------------------------------------------------------------- interrupted


def test_an_interruption_leaves_no_file(failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(graph: Any, file: Any, progress: Any = None, **options: Any) -> None:
        file.write(b"<graphml>")
        raise KeyboardInterrupt

    monkeypatch.setattr("onnx2graphml.formats.graphml.write.write_graphml", write)
    assert "interrupted" in failing(DIGITS, tmp_path / "out.graphml", status=130)
    assert not list(tmp_path.iterdir())


def test_out_of_memory(failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(graph: Any, file: Any, progress: Any = None, **options: Any) -> None:
        raise MemoryError

    monkeypatch.setattr("onnx2graphml.formats.graphml.write.write_graphml", write)
    assert "memory" in failing(DIGITS, tmp_path / "out.graphml")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_real_interruption(tmp_path: Path) -> None:
    """Of a process that is writing a file that takes long."""
    nodes = [node("Conv", "x w", "y", pads=[1, 1, 1, 1])]
    path = tmp_path / "m.onnx"
    path.write_bytes(model(nodes, {"x": [1, 16, 150, 150]}, {"w": weights(16, 16, 3, 3)}).SerializeToString())
    folder = tmp_path / "out"
    folder.mkdir()
    command = [sys.executable, "-m", "onnx2graphml", str(path), str(folder / "m.graphml")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None and not any(p.stat().st_size for p in folder.iterdir()):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert (err.count("\n"), "interrupted" in err) == (1, True)
    assert not list(folder.iterdir())


@pytest.mark.slow
def test_a_closed_pipe() -> None:
    command = [sys.executable, "-m", "onnx2graphml", DIGITS, "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(10).startswith(b"<?xml")
        process.stdout.close()
        err = process.stderr.read().decode()
        assert process.wait(timeout=60) == 2
    assert err.count("\n") == 1
    assert "standard output was closed" in err
