"""Packs of inputs: what is on the disk is what ONNX Runtime computes, however often the run was killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import onnx2graphml
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.recording import array_file, fingerprint
from onnx2graphml.recording import folder as record_folder
from onnx2graphml.recording.input_files import input_files
from onnx2graphml.recording.maps import difference, maps, moments, read_labels
from onnx2graphml.recording.natural import natural
from onnx2graphml.recording.record import Record, record
from small import model, node, runtime, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = FIXTURES / "digits.onnx"


@pytest.fixture(scope="module")
def digits() -> onnx2graphml.NeuronGraph:
    return onnx2graphml.load(DIGITS)


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    with np.load(FIXTURES / "digits.npz") as held:
        return np.concatenate([held["x"], held["more_x"]])


@pytest.fixture
def saved(images: np.ndarray, tmp_path: Path) -> Path:
    np.save(tmp_path / "images.npy", images)
    return tmp_path / "images.npy"


def recorded(graph: onnx2graphml.NeuronGraph, source: Path, folder: Path, *args: Any, **kwargs: Any) -> Record:
    return record(graph, input_files(source, graph), folder, *args, **kwargs)


def contents(folder: Path) -> dict[str, bytes]:
    return {f.name: f.read_bytes() for f in folder.iterdir()}


def manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "manifest.json").read_text())


# What is written


@pytest.mark.slow
def test_arrays_are_what_onnx_runtime_computes(digits, images, saved, tmp_path):
    found = recorded(digits, saved, tmp_path / "out")
    proto = onnx.load(DIGITS)
    kinds = {v.name: v for v in onnx.shape_inference.infer_shapes(proto).graph.value_info}
    asked = [x for x in digits.layers if x.provenance.tensor in kinds]
    assert {"conv1", "maxpool", "conv2", "flatten", "dense1"} <= {x.name for x in asked}
    proto.graph.output.extend(kinds[x.provenance.tensor] for x in asked)
    for row, image in enumerate(images):
        output, *values = runtime(proto, {"image": image[None]})
        for layer, value in zip(asked, values, strict=True):
            channels_last = value[0].transpose(1, 2, 0) if layer.provenance.order == (1, 2, 0) else value[0]
            file = tmp_path / "out" / found.files[layer.name].path.name
            np.testing.assert_array_equal(np.load(file)[row], channels_last, err_msg=layer.name)
        np.testing.assert_array_equal(np.load(found.files["digit"].path)[row], output[0])
    np.testing.assert_array_equal(np.load(found.files["image"].path), images)


def test_the_manifest_tells_what_each_file_is(digits, saved, tmp_path):
    recorded(digits, saved, tmp_path / "out")
    told = manifest(tmp_path / "out")
    assert (told["done"], told["count"]) == (60, 60)
    assert told["left_out"] == []
    for layer, entry in zip(digits.layers, told["layers"], strict=True):
        array = np.load(tmp_path / "out" / entry["file"])
        assert (entry["name"], array.shape) == (layer.name, (60, *layer.shape))
        assert array.dtype == np.dtype(entry["dtype"]) == layer.dtype
        assert entry["neurons"] == [f"n{layer.first_id}", f"n{layer.first_id + layer.neurons - 1}"]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_each_layer_keeps_its_type_and_shape(dtype, tmp_path):
    nodes = [node("MatMul", "x w", "c"), node("Relu", "c", "r"), node("ReduceMean", "r", "y", keepdims=0)]
    proto = model(nodes, {"x": [1, 2, 5, 6]}, {"w": weights(6, 4, dtype=dtype)}, dtype=dtype)
    graph = onnx2graphml.load(proto, detail="op")
    given = weights(4, 2, 5, 6, seed=1, dtype=np.float64)
    np.save(tmp_path / "x.npy", given)
    found = recorded(graph, tmp_path / "x.npy", tmp_path / "out")
    (last,) = graph.outputs
    assert [f.dtype for f in found.files.values()] == [np.dtype(dtype)] * len(found.files)
    expected = [runtime(proto, {"x": g[None].astype(dtype)})[0] for g in given]
    np.testing.assert_array_equal(np.load(found.files[last].path).ravel(), np.ravel(expected))
    assert {len(x.shape) for x in graph.layers} >= {3}


def test_chosen_layers_in_the_graph_s_order_and_the_rest_is_listed(digits, saved, tmp_path):
    found = recorded(digits, saved, tmp_path / "out", ["digit", "conv2"])
    assert list(found.files) == ["conv2", "digit"]
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == ["05-conv2.npy", "09-digit.npy", "manifest.json"]
    left = [x.name for x in digits.layers if x.name not in ("conv2", "digit")]
    assert manifest(tmp_path / "out")["left_out"] == left


def test_a_folder_of_files_in_natural_order(digits, images, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(11):
        np.save(folder / f"image{k}.npy", images[k])
    np.savez(folder / "image11.npz", image=images[11])
    (folder / ".hidden").write_text("no input")
    found = recorded(digits, folder, tmp_path / "out", ["image"])
    np.testing.assert_array_equal(np.load(found.files["image"].path), images[:12])
    assert manifest(tmp_path / "out")["inputs"][9:] == ["image9.npy", "image10.npy", "image11.npz"]


def test_pictures_as_images_reads_them(digits, images, tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "in"
    folder.mkdir()
    for k in (2, 10):
        image.fromarray((images[k, ..., 0] * 255).astype(np.uint8)).save(folder / f"{k}.png")
    found = recorded(digits, folder, tmp_path / "out", ["image"])
    expected = [(images[k] * 255).astype(np.uint8) / np.float32(255) for k in (2, 10)]
    np.testing.assert_allclose(np.load(found.files["image"].path), expected, rtol=1e-6)
    with pytest.raises(OutputError, match="a record of other inputs"):
        record(digits, input_files(folder, digits, "none"), tmp_path / "out", ["image"])


def test_natural_order():
    names = ["epoch10", "epoch9", "Epoch2", "epoch 1", "a", "10", "9", "epoch2b", "epoch²"]
    assert sorted(names, key=natural) == ["9", "10", "a", "Epoch2", "epoch2b", "epoch9", "epoch10", "epoch 1", "epoch²"]
    assert sorted(["a01", "a1"], key=natural) == sorted(["a1", "a01"], key=natural)


def test_progress_is_told_of_every_input(digits, saved, tmp_path):
    told = []
    recorded(digits, saved, tmp_path / "out", progress=lambda *what: told.append(what), buffer=1 << 18)
    assert len(told) > 1
    assert [done for done, _, _ in told] == sorted({done for done, _, _ in told})
    assert told[-1] == (60, 60, "")


# Stopped and gone on with


class Stopped(Exception):
    pass


@pytest.mark.slow
def test_a_run_stopped_at_any_write_goes_on_to_the_same_bytes(digits, saved, tmp_path, monkeypatch):
    chosen, buffer = ["maxpool", "digit"], 1 << 15
    recorded(digits, saved, tmp_path / "whole", chosen, buffer=buffer)
    real, stopped = os.fsync, 0

    def failing(descriptor: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Stopped
        real(descriptor)

    for at in range(1, 60):
        left = at
        monkeypatch.setattr(os, "fsync", failing)
        try:
            recorded(digits, saved, tmp_path / f"at{at}", chosen, buffer=buffer)
        except Stopped:
            stopped += 1
        monkeypatch.setattr(os, "fsync", real)
        recorded(digits, saved, tmp_path / f"at{at}", chosen, buffer=buffer)
        assert contents(tmp_path / f"at{at}") == contents(tmp_path / "whole"), at
    assert 5 < stopped < 59


KILLED = """
import sys
from pathlib import Path
import onnx2graphml
from onnx2graphml.recording.record import record
from onnx2graphml.recording.input_files import InputFiles, input_files
graph = onnx2graphml.load(sys.argv[1])
given = input_files(Path(sys.argv[2]), graph)
told = InputFiles(given.count, given.names, given.identity, lambda at: (print(at, flush=True), given.feeds(at))[1])
record(graph, told, Path(sys.argv[3]), buffer=1 << 16)
"""


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bytes(digits, images, tmp_path):
    saved, count = tmp_path / "many.npy", 10 * len(images)
    np.save(saved, np.tile(images, (10, 1, 1, 1)))
    recorded(digits, saved, tmp_path / "whole")
    chance, done = random.Random(0), [0]
    for _ in range(4):
        command = [sys.executable, "-c", KILLED, str(DIGITS), str(saved), str(tmp_path / "out")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randint(7, 13)):  # inputs begun; four are written at a time
                process.stdout.readline()
            time.sleep(chance.uniform(0, 0.005))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        done.append(manifest(tmp_path / "out")["done"])
    assert done == sorted(set(done)), "each went on from where the one before was killed"
    assert done[-1] < count
    recorded(digits, saved, tmp_path / "out")
    left_behind = {name: content for name, content in contents(tmp_path / "out").items() if name[0] != "."}
    assert left_behind == contents(tmp_path / "whole")


def test_a_finished_pack_is_not_run_again(digits, saved, tmp_path):
    recorded(digits, saved, tmp_path / "out")
    before = {f.name: f.stat().st_mtime_ns for f in (tmp_path / "out").iterdir()}
    recorded(digits, saved, tmp_path / "out")
    assert {f.name: f.stat().st_mtime_ns for f in (tmp_path / "out").iterdir()} == before


def test_overwriting_begins_anew(digits, saved, tmp_path):
    recorded(digits, saved, tmp_path / "out", ["conv1", "digit"])
    recorded(digits, saved, tmp_path / "out", ["conv2"], overwrite=True)
    recorded(digits, saved, tmp_path / "new", ["conv2"])
    assert contents(tmp_path / "out") == contents(tmp_path / "new")


# Refused


def set_in_manifest(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "manifest.json").write_text(json.dumps(manifest(folder) | changes))

    return change


def rewrite(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(change((folder / name).read_bytes()))  # type: ignore[return-value]


DAMAGES = {
    "no JSON": (rewrite("manifest.json", lambda b: b[:-9]), "not a readable manifest"),
    "not text": (rewrite("manifest.json", lambda b: b"\xff\xfe"), "not a readable manifest"),
    "a list": (rewrite("manifest.json", lambda b: b"[1]"), "not the manifest of a record"),
    "another program's": (set_in_manifest(generator="else"), "not the manifest of a record"),
    "more done than there are": (set_in_manifest(done=61), "not the manifest of a record"),
    "negative": (set_in_manifest(done=-1), "not the manifest of a record"),
    "no count": (set_in_manifest(done=None), "not the manifest of a record"),
    "no layers": (set_in_manifest(layers=3), "not the manifest of a record"),
    "no layer": (set_in_manifest(layers=[3]), "not the manifest of a record"),
    "a file elsewhere": (set_in_manifest(layers=[{"file": "../x.npy"}]), "not the manifest of a record"),
    "another version": (set_in_manifest(model="else"), "a record of another version of this program"),
    "a truncated array": (rewrite("09-digit.npy", lambda b: b[:-1]), r"2,527 bytes; expected 2,528 for 60 rows"),
    "another last row": (rewrite("09-digit.npy", lambda b: b[:-1] + b"\0"), "input 59 now comes to other values"),
    "no header": (rewrite("09-digit.npy", lambda b: b"\0" + b[1:]), "not a readable .npy file"),
    "another type": (
        rewrite("09-digit.npy", lambda b: b.replace(b"<f4", b"<i4")),
        "type int32; expected .60, 10. and <f4",
    ),
    "a missing array": (lambda folder: (folder / "09-digit.npy").unlink(), "not a readable .npy file"),
}


@pytest.mark.parametrize(("damage", "message"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_pack_is_refused(damage, message, digits, saved, tmp_path):
    recorded(digits, saved, tmp_path / "out", ["digit"])
    damage(tmp_path / "out")
    with pytest.raises(Error, match=message):
        recorded(digits, saved, tmp_path / "out", ["digit"])


def test_a_record_of_something_else_is_refused(digits, images, saved, tmp_path):
    recorded(digits, saved, tmp_path / "out", ["digit"])
    before = contents(tmp_path / "out")
    with pytest.raises(OutputError, match="a record of another selection of layers; choose another folder, or --overw"):
        recorded(digits, saved, tmp_path / "out", ["conv1"])
    proto = onnx.load(DIGITS)
    weight = next(t for t in proto.graph.initializer if t.name.endswith("bias"))
    changed = onnx.numpy_helper.to_array(weight).copy()
    changed.ravel()[0] = np.nextafter(changed.ravel()[0], 9, dtype=np.float32)
    weight.CopyFrom(onnx.numpy_helper.from_array(changed, weight.name))
    with pytest.raises(OutputError, match="a record of another model;"):
        recorded(onnx2graphml.load(proto), saved, tmp_path / "out", ["digit"])
    np.save(tmp_path / "images.npy", images + np.float32(1e-6))
    with pytest.raises(OutputError, match="a record of other inputs;"):
        recorded(digits, saved, tmp_path / "out", ["digit"])
    assert contents(tmp_path / "out") == before


def test_other_files_are_left_alone(digits, saved, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.txt").write_text("years")
    for overwrite in (False, True):
        with pytest.raises(OutputError, match="holds other files and no record"):
            recorded(digits, saved, tmp_path / "out", overwrite=overwrite)
    assert contents(tmp_path / "out") == {"thesis.txt": b"years"}


def test_where_nothing_can_be_written(digits, saved, tmp_path):
    with pytest.raises(OutputError, match="there is no directory for it; create it first"):
        recorded(digits, saved, tmp_path / "no/out")
    with pytest.raises(OutputError, match=r"can't write .*images.npy.*: File exists"):
        recorded(digits, saved, saved)


def test_two_processes_don_t_write_at_once(digits, saved, tmp_path):
    with record_folder.writing(tmp_path / "out"), pytest.raises(OutputError, match="another process is writing to"):
        recorded(digits, saved, tmp_path / "out")


def test_no_room_on_the_disk(digits, saved, tmp_path, monkeypatch):
    need = 60 * digits.neurons * 4
    usage = record_folder.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(record_folder.shutil, "disk_usage", lambda path: usage._replace(free=need - 1))
    message = r"60 inputs need 897 kB and .* has 897 kB left: choose fewer layers; the largest, 'conv1', needs 246 kB"
    with pytest.raises(OutputError, match=message):
        recorded(digits, saved, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(record_folder.shutil, "disk_usage", lambda path: usage._replace(free=need))
    recorded(digits, saved, tmp_path / "out")


def test_a_full_disk_is_one_line(digits, saved, tmp_path, monkeypatch):
    def full(self: Any, rows: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(array_file.ArrayFile, "append", full)
    with pytest.raises(OutputError, match=r"can't write .*out': No space left on device"):
        recorded(digits, saved, tmp_path / "out")


def test_layers_that_can_t_be_recorded(digits, saved, tmp_path):
    with pytest.raises(Error, match="no layer is named 'conv9'; did you mean"):
        recorded(digits, saved, tmp_path / "out", ["conv9"])
    with pytest.raises(Error, match="no layer is chosen"):
        recorded(digits, saved, tmp_path / "out", [])
    nodes = [node("Div", "c x", "y")]
    graph = onnx2graphml.load(model(nodes, {"x": [1, 3]}, {"c": weights(1, 3)}))
    (constant,) = [x.name for x in graph.layers if x.aggregation == "constant"]
    np.save(tmp_path / "x.npy", weights(2, 3))
    with pytest.raises(Error, match="is a constant: no input changes it"):
        recorded(graph, tmp_path / "x.npy", tmp_path / "out", [constant])
    found = recorded(graph, tmp_path / "x.npy", tmp_path / "out")
    assert constant not in found.files
    assert manifest(tmp_path / "out")["left_out"] == [constant]


def test_a_graph_without_a_model(saved, digits, tmp_path):
    import dataclasses

    with pytest.raises(Error, match="was made from no model"):
        record(dataclasses.replace(digits, model=None), input_files(saved, digits), tmp_path / "out")
    with pytest.raises(Error, match="was made from no model"):
        input_files(saved, dataclasses.replace(digits, model=None))


def saving(array: Any) -> Callable[[Path], None]:
    return lambda path: np.save(path, array)


PATTERNS = {
    "one input": (saving(np.zeros((8, 8, 1))), r"has shape \[8, 8, 1\]; expected \[N, 8, 8, 1\]"),
    "none": (saving(np.zeros((0, 8, 8, 1))), "expected at least one row"),
    "a scalar": (saving(np.zeros(())), "expected at least one row"),
    "words": (saving(np.array(["a"])), "have type <U1|type <U1; expected numbers"),
    "complex": (saving(np.zeros((2, 8, 8, 1), complex)), "type complex128; expected numbers"),
    "objects": (lambda path: np.save(path, np.array([None]), allow_pickle=True), "type object; expected numbers"),
    "by columns": (saving(np.asfortranarray(np.zeros((3, 8, 8, 1)))), "stored column by column"),
    "text": (lambda path: path.write_text("1 2 3"), "not a readable .npy file"),
    "missing": (lambda path: None, "not a readable .npy file"),
}


@pytest.mark.parametrize(("write", "message"), PATTERNS.values(), ids=PATTERNS)
def test_patterns_that_can_t_be_read(write, message, digits, tmp_path):
    write(tmp_path / "x.npy")
    with pytest.raises(Error, match=message):
        input_files(tmp_path / "x.npy", digits)


def test_a_row_that_is_not_in_its_file(digits, tmp_path):
    np.save(tmp_path / "x.npy", np.zeros((3, 8, 8, 1)))
    os.truncate(tmp_path / "x.npy", 600)
    source = input_files(tmp_path / "x.npy", digits)
    with pytest.raises(Error, match="row 2 is not in it; it has 600 bytes"):
        source.feeds(2)


def test_patterns_of_other_kinds(digits, tmp_path):
    with pytest.raises(Error, match=r"expected an .npy file of many, or a folder"):
        input_files(tmp_path / "x.csv", digits)
    (tmp_path / "in").mkdir()
    with pytest.raises(Error, match="no inputs are in this folder"):
        input_files(tmp_path / "in", digits)
    (tmp_path / "in/1.csv").write_bytes(b"")
    with pytest.raises(Error, match=r"1.csv: not an input; a folder of inputs holds nothing else"):
        input_files(tmp_path / "in", digits)
    (tmp_path / "in/1.csv").rename(tmp_path / "in/1.png")
    two = onnx2graphml.load(model([node("Add", "a b", "y")], {"a": [1, 3], "b": [1, 3]}))
    np.save(tmp_path / "x.npy", weights(2, 3))
    with pytest.raises(Error, match=r"the model has the inputs a, b: give a folder of .npz"):
        input_files(tmp_path / "x.npy", two)
    with pytest.raises(Error, match="the model has the inputs a, b: a picture is one array"):
        input_files(tmp_path / "in", two)


# The model's fingerprint


def test_a_fingerprint_is_of_what_is_computed_and_not_of_names(digits):
    def of(proto: onnx.ModelProto) -> str:
        return fingerprint.of_model(onnx2graphml.load(proto).model)

    def made(x: str = "x", w: str = "w", op: str = "Relu", shape: int = 3, by: float = 1.0) -> onnx.ModelProto:
        nodes = [node("Gemm", f"{x} {w}", "g", alpha=by), node(op, "g", "y")]
        return model(nodes, {x: [1, shape]}, {w: np.ones((shape, 2), np.float32)})

    assert of(made()) == of(made()) == of(made(x="other", w="kernel"))
    others = [made(op="Tanh"), made(shape=4), made(by=2.0)]
    assert len({of(proto) for proto in (made(), *others)}) == 4


# Memory

MEASURED = """
import re, sys
from pathlib import Path
import onnx2graphml
from onnx2graphml.recording.record import record
from onnx2graphml.recording.input_files import input_files
graph = onnx2graphml.load(sys.argv[1])
record(graph, input_files(Path(sys.argv[2]), graph), Path(sys.argv[3]))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of this process alone is read from /proc")
def test_memory_does_not_depend_on_the_number_of_patterns(tmp_path):
    peaks = {}
    for count in (100, 10_000):
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((count, 8, 8, 1), np.float32))
        command = [sys.executable, "-c", MEASURED, str(DIGITS), str(tmp_path / "x.npy"), str(tmp_path / str(count))]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        peaks[count] = int(done.stdout) * 1024
    written = sum(f.stat().st_size for f in (tmp_path / "10000").iterdir())
    assert written > 140e6, "to hold everything would be seen"
    assert peaks[10_000] - peaks[100] < 100e6


# Maps


@pytest.fixture(scope="module")
def many(digits, images, tmp_path_factory) -> Record:
    folder = tmp_path_factory.mktemp("many")
    np.save(folder / "x.npy", images)
    return recorded(digits, folder / "x.npy", folder / "out")


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    with np.load(FIXTURES / "digits.npz") as held:
        return np.concatenate([held["y"], held["more_y"]])


@pytest.mark.parametrize("chunk", [1, 5000, 1 << 23])
def test_mean_and_variance_are_numpy_s(many, labels, chunk, monkeypatch):
    monkeypatch.setattr("onnx2graphml.recording.maps.CHUNK", chunk)
    for layer in many.layers:
        whole = np.load(many.files[layer.name].path).astype(np.float64)
        found = maps(many, layer, labels)
        np.testing.assert_allclose(found.mean, whole.mean(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(found.variance, whole.var(0), rtol=1e-12, atol=1e-14)
        assert found.classes == tuple(range(10))
        for k in range(10):
            of_class = whole[labels == k]
            np.testing.assert_allclose(found.class_means[k], of_class.mean(0), rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(found.class_variances[k], of_class.var(0), rtol=1e-12, atol=1e-14)
            np.testing.assert_array_equal(found.class_differences[k], found.class_means[k] - found.mean)


def test_a_large_mean_takes_nothing_from_the_variance(tmp_path, monkeypatch):
    """The sum of squares less the square of the sum would lose all of it."""
    monkeypatch.setattr("onnx2graphml.recording.maps.CHUNK", 800)
    values = 1e9 + np.random.default_rng(0).random((1000, 3))
    np.save(tmp_path / "x.npy", values)
    _, variance = moments(array_file.opened(tmp_path / "x.npy"), range(1000))
    exact = values.astype(np.longdouble).var(0).astype(np.float64)
    np.testing.assert_allclose(variance, exact, rtol=1e-9)
    naive = (values**2).mean(0) - values.mean(0) ** 2
    assert not np.allclose(naive, exact, rtol=1e-2)


def test_what_is_not_finite_stays_so(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[1.0, np.inf, np.nan], [1.0, 1.0, 1.0]]))
    mean, variance = moments(array_file.opened(tmp_path / "x.npy"), range(2))
    assert mean[0] == 1
    assert variance[0] == 0
    assert not np.isfinite(mean[1:]).any()
    assert not np.isfinite(variance[1:]).any()


def test_the_difference_of_two_patterns(many):
    for layer in many.layers:
        whole = np.load(many.files[layer.name].path).astype(np.float64)
        np.testing.assert_array_equal(difference(many, layer, 3, 17), whole[3] - whole[17])
    for wrong in (60, -1):
        with pytest.raises(Error, match=f"input {wrong} is not in the record; its inputs are 0 to 59"):
            difference(many, many.layers[0], 3, wrong)


def test_labels(tmp_path):
    np.save(tmp_path / "y.npy", np.array(["cat", "dog"]))
    assert read_labels(tmp_path / "y.npy", 2).tolist() == ["cat", "dog"]
    with pytest.raises(Error, match=r"labels have shape \[2\]; expected \[3\], one for each input"):
        read_labels(tmp_path / "y.npy", 3)
    with pytest.raises(Error, match=r"not a readable .npy file"):
        read_labels(tmp_path / "no.npy", 3)
    np.save(tmp_path / "y.npy", np.zeros(3))
    with pytest.raises(Error, match=r"labels are integers or words in an .npy file; got float64"):
        read_labels(tmp_path / "y.npy", 3)
    np.savez(tmp_path / "y.npz", y=np.zeros(3, int))
    with pytest.raises(Error, match=r"got an .npz"):
        read_labels(tmp_path / "y.npz", 3)


def test_no_other_command_takes_the_place_of_a_pack(
    digits: onnx2graphml.NeuronGraph, saved: Path, tmp_path: Path
) -> None:
    recorded(digits, saved, tmp_path / "record")
    before = contents(tmp_path / "record")
    with pytest.raises(OutputError, match="is no directory that onnx2graphml wrote"):
        onnx2graphml.activations(digits, "zeros", tmp_path / "record")
    assert contents(tmp_path / "record") == before
