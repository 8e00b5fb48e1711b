"""No place for compiled loops, a damaged one, a full disk; links, names and seeds: one line, or it just works."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import onnx
import pytest

from onnx2graphml import cli
from onnx2graphml.__main__ import start
from onnx2graphml.api import load, verify
from onnx2graphml.compiled import compiled
from onnx2graphml.errors import Error, ModelError, TooLargeError
from onnx2graphml.model import apart, load_model
from onnx2graphml.model.limits import most_folded
from small import model, node, weights

ROOT = Path(__file__).parents[1]
DIGITS = ROOT / "fixtures" / "digits.onnx"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "onnx2graphml", *arguments]
    return subprocess.run(
        command, env={**os.environ, **environment}, text=True, check=False, capture_output=True, timeout=300
    )


# ------------------------------------------------------------------------------------------------------- compiled loops


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with what checking a small file needs, and that file."""
    folder = tmp_path_factory.mktemp("cache")
    assert run(str(DIGITS), str(folder / "g.npz")).returncode == 0
    done = run("verify", str(DIGITS), str(folder / "g.npz"), NUMBA_CACHE_DIR=str(folder / "c"))
    assert done.returncode == 0, done.stderr
    assert list((folder / "c").rglob("*.nbi"))
    return folder


def cut(file: Path) -> None:
    os.truncate(file, 40)


def other(file: Path) -> None:
    file.write_bytes(b"\x80\x04no pickle")


def empty(file: Path) -> None:
    file.write_bytes(b"")


@pytest.mark.slow
@pytest.mark.parametrize("damage", [cut, other, empty])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_a_damaged_cache_is_made_anew(cache: Path, tmp_path: Path, damage: Callable[[Path], None], suffix: str) -> None:
    shutil.copytree(cache / "c", tmp_path / "c")
    for file in (tmp_path / "c").rglob(f"*.{suffix}"):
        damage(file)
    done = run("verify", str(DIGITS), str(cache / "g.npz"), NUMBA_CACHE_DIR=str(tmp_path / "c"))
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@pytest.mark.slow
def test_a_cache_that_is_no_folder(cache: Path, tmp_path: Path) -> None:
    """As where the package is read-only and there is no home."""
    (tmp_path / "file").write_text("")
    done = run("verify", str(DIGITS), str(cache / "g.npz"), NUMBA_CACHE_DIR=str(tmp_path / "file"))
    assert done.returncode == 0, done.stderr


def test_a_cache_that_can_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full: it works without."""

    def once(x: int) -> int:
        return x + 1

    function: Any = compiled(once)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(function.dispatcher._cache).__mro__[1], "save_overload", full)
    assert function(41) == 42


def test_no_place_for_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    from onnx2graphml.compiled import dispatcher as module

    def nowhere(_: Any) -> None:
        raise RuntimeError("cannot cache function: no locator available")

    monkeypatch.setattr(module, "_Cache", nowhere)
    assert compiled(lambda x: x + 1)(41) == 42


# -------------------------------------------------------------------------------------------------- processes of models


LIMITS = apart.Limits(2, 1 << 28)


def endless() -> None:
    while True:
        pass


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no process")
@pytest.mark.parametrize(
    ("function", "kind", "says"),
    [
        (endless, TooLargeError, r"node 'n': checking it takes more than 2 s"),
        (
            lambda: os.kill(os.getpid(), signal.SIGSEGV),
            ModelError,
            r"node 'n': not a valid ONNX model: .* crashes on it",
        ),
        (lambda: os.abort(), ModelError, r"crashes on it"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), TooLargeError, r"its process was ended by the system"),
        (lambda: bytearray(1 << 31), TooLargeError, r"takes more memory than a model of its size may"),
    ],
)
def test_a_process_that_fails(
    function: Callable[[], Any], kind: type[Error], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def named() -> Any:
        apart.note_place("node 'n'")
        return function()

    monkeypatch.setattr(apart.threading, "active_count", lambda: 1)  # whatever other tests left running
    with pytest.raises(kind, match=says):
        apart.apart(named, LIMITS)


def test_what_is_raised_comes_back() -> None:
    def fails() -> None:
        raise ModelError("as it is")

    with pytest.raises(ModelError, match=r"^as it is$"):
        apart.apart(fails, LIMITS)
    assert apart.apart(lambda: np.arange(3).sum(), LIMITS) == 3


def test_types_come_back_as_they_are() -> None:
    """Who asks whether NumPy has a type of its own would get another answer for a copy."""
    sent = [np.zeros(3), np.zeros((), np.float16), np.dtype("f8"), np.array(["a", "bc"]), np.zeros(2, np.int64)[::2]]
    for before, after in zip(sent, apart.apart(lambda: sent, LIMITS), strict=True):
        kinds = [each if isinstance(each, np.dtype) else each.dtype for each in (before, after)]
        assert kinds[0] == kinds[1]
        assert kinds[0].isbuiltin == kinds[1].isbuiltin
        np.testing.assert_array_equal(before, after)


def test_double_precision_of_a_file(tmp_path: Path) -> None:
    proto = model([node("Tanh", "x", "y")], {"x": [1, 40]}, dtype=np.float64)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    assert cli.main(["verify", str(tmp_path / "m.onnx")]) == 0


def test_no_process_beside_other_threads() -> None:
    """A copy of this process would not have them, nor what they hold."""
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert apart.apart(os.getpid, LIMITS) == os.getpid()
    finally:
        stop.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no process")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_what_never_ends(tmp_path: Path, number: int) -> None:
    """The process that checks the model is ended, too."""
    program = (
        "import os, signal, sys; from onnx2graphml import cli, model; from onnx2graphml.model import apart\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "def endless(*_):\n  print('here', os.getpid(), flush=True)\n  while True: pass\n"
        "model._reduced = endless; apart.SECONDS = 100\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "info", str(DIGITS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline().split()[1])
        process.send_signal(number)
        assert process.wait(20) == 130
    for _ in range(50):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.1)
    pytest.fail("the process that checks the model lives on")


def test_large_weights_are_not_sent_back(tmp_path: Path) -> None:
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 300]}, {"w": weights(300, 300)})
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    np.testing.assert_array_equal(load_model(tmp_path / "m.onnx").constants["w"], weights(300, 300))


# -------------------------------------------------------------------------------------------------------- external data


def test_external_data_that_was_cut(tmp_path: Path) -> None:
    """Before it is used again: what is mapped then would end the process."""
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 300]}, {"w": weights(300, 300)})
    onnx.save(proto, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    graph = load(tmp_path / "m.onnx")
    os.truncate(tmp_path / "w.bin", 10)
    import onnx2graphml

    for use in (lambda: onnx2graphml.verify(graph), lambda: onnx2graphml.write(graph, tmp_path / "g.graphml")):
        with pytest.raises(
            ModelError, match=r"w\.bin: it was changed while the model was in use; load the model again"
        ):
            use()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.onnx", "w.bin"]


# ------------------------------------------------------------------------------------------------------------- the rest


@pytest.mark.parametrize("seed", ["-1", "1.5", "x", "9" * 30])
def test_seeds(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["verify", str(DIGITS), f"--seed={seed}"])
    assert caught.value.code == 2
    assert "expected a number of 0 or more" in capsys.readouterr().err


def test_a_neuron_without_a_receptive_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pad = model([node("Pad", "x p", "y")], {"x": [1, 1, 2, 2]}, {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1])})
    scalar = model([node("Relu", "x", "y")], {"x": []})
    for proto, index in ((pad, "0,0,0"), (scalar, "")):
        (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
        assert cli.main(["neuron", str(tmp_path / "m.onnx"), "the_y", index]) == 0
        assert "receptive field in x: []" in capsys.readouterr().out


def test_nothing_to_compare(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proto = model([], {"x": [1, 4]}, outputs=["x"])
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    assert cli.main(["verify", str(tmp_path / "m.onnx")]) == 2
    assert "there is nothing to compare: the network's outputs are its inputs" in capsys.readouterr().err


@pytest.mark.parametrize(("op", "inputs", "kind"), [("ArgMax", "x", np.int64), ("Greater", "x zero", np.bool_)])
def test_a_network_whose_outputs_are_no_floats(
    op: str, inputs: str, kind: type, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is a number: it has a row, and has to be equal."""
    proto = model([node(op, inputs, "y")], {"x": [1, 4]}, {"zero": np.float32(0)} if "zero" in inputs else {})
    (output,) = proto.graph.output
    output.type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    assert cli.main(["verify", str(tmp_path / "m.onnx")]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert any(op in row and row[-1] == "pass" for row in rows)


def test_a_constant_of_half_precision(tmp_path: Path) -> None:
    """It is rounded after each operator, and ONNX Runtime is asked to do the same."""
    half = np.float16
    nodes = [node("Mul", "a b", "c"), node("Sub", "c a", "d"), node("Mul", "d b", "e"), node("MatMul", "x e", "y")]
    constants = {"a": weights(40, 4, dtype=half), "b": weights(40, 4, seed=1, dtype=half)}
    proto = model(nodes, {"x": [1, 40]}, constants, dtype=half)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    assert cli.main(["verify", str(tmp_path / "m.onnx")]) == 0


def test_large_weights_make_room_for_their_turned_copies() -> None:
    """As exports of transformers have them; but not without end, for a sparse file holds any number of zeros."""
    small, large = apart.Limits.of(1_000_000), apart.Limits.of(1_000_000, 400_000_000)
    assert large.memory - small.memory == 4 * 400_000_000
    assert large.seconds - small.seconds == 20
    assert apart.Limits.of(1_000_000, 1 << 50) == apart.Limits.of(1_000_000, 2 << 30)


def test_what_is_made_of_shared_weights_is_made_once(tmp_path: Path) -> None:
    """As of ALBERT's, whose layers have the same: 24 copies of each would pass the limits."""
    layers, nodes = 60, []
    for k in range(layers):
        nodes += [node("Transpose", "w", f"t{k}"), node("Mul", f"t{k} half", f"u{k}")]
        nodes += [node("MatMul", f"{f'y{k - 1}' if k else 'x'} u{k}", f"y{k}")]
    arrays = {"w": weights(600, 600), "half": np.float32(0.5)}
    proto = model(nodes, {"x": [1, 600]}, arrays, outputs=[f"y{layers - 1}"])
    assert 2 * layers * 600**2 > most_folded(600**2)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    for source in (proto, tmp_path / "m.onnx"):
        found = load_model(source).constants
        assert len({id(found[f"u{k}"]) for k in range(layers)}) == 1
        np.testing.assert_array_equal(found["u7"], weights(600, 600).T / 2)


def test_what_only_looks_alike_is_made_twice() -> None:
    """Another permutation, another input, another operator."""
    nodes = [node("Transpose", "w", "a", perm=[1, 0]), node("Transpose", "w", "b", perm=[0, 1])]
    nodes += [node("Add", "a b", "c"), node("Sub", "a b", "d"), node("Sub", "b a", "e"), node("Add", "a b", "f")]
    nodes += [
        node("MatMul", "x c", "p"),
        node("MatMul", "p d", "q"),
        node("MatMul", "q e", "r"),
        node("MatMul", "r f", "s"),
    ]
    w = weights(3, 3)
    graph = load(model(nodes, {"x": [1, 3]}, {"w": w}, outputs=["s"]))
    assert graph.model is not None
    for name, value in {"c": w.T + w, "d": w.T - w, "e": w - w.T, "f": w.T + w}.items():
        np.testing.assert_allclose(graph.model.constants[name], value, rtol=1e-6)
    assert verify(graph).passed


# ---------------------------------------------------------------------------------------------------------------- start


@pytest.mark.parametrize("error", [ImportError("x.so: no\nroom"), OSError("x.so can't be loaded\nat all")])
def test_a_library_that_can_not_be_loaded(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> NoReturn:
        raise error

    monkeypatch.setattr(cli, "_run", fails)
    assert cli.main(["info", str(DIGITS)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("onnx2graphml: error: a library can't be loaded, for want of memory or of itself: x.so")
    assert said.count("\n") == 1


def test_a_command_line_that_can_not_be_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnx2graphml.cli", None)
    before = signal.getsignal(signal.SIGINT)
    try:
        assert start() == 2
    finally:
        signal.signal(signal.SIGINT, before)
    said = capsys.readouterr().err
    assert said.startswith("onnx2graphml: error: it can't start: import of onnx2graphml.cli halted")
    assert said.count("\n") == 1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("megabytes", [20, 60, 150, 300])
def test_little_memory(megabytes: int, tmp_path: Path) -> None:
    program = (
        "import resource, sys; from onnx2graphml import cli\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        f"resource.setrlimit(resource.RLIMIT_AS, (used + {megabytes << 20},) * 2)\n"
        "sys.exit(cli.main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, str(DIGITS), str(tmp_path / "g.graphml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"onnx2graphml: error: (out of memory|the limit on mem|a library).*\n", done.stderr)
    assert not list(tmp_path.iterdir())


def test_interrupted_within_a_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A compiled library that is interrupted while it is loaded raises an ImportError."""

    def loads(given: list[str]) -> int:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as e:
            raise ImportError("initialization failed") from e

    monkeypatch.setattr("onnx2graphml.cli._run", loads)
    assert cli.main([]) == 130
    assert capsys.readouterr().err == "onnx2graphml: interrupted; no file was written\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("seconds", [0.02, 0.1, 0.2, 0.4, 0.7, 1.0])
def test_interrupted_while_it_starts(seconds: float, tmp_path: Path) -> None:
    program = (
        "import signal, sys; from onnx2graphml.__main__ import start; signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
        "print('here', flush=True); sys.exit(start())"
    )
    command = [sys.executable, "-c", program, str(DIGITS), str(tmp_path / "g.graphml")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
    assert process.returncode in (130, -signal.SIGINT, 0), said
    assert said.count("\n") <= 1, said
    assert "Traceback" not in said
