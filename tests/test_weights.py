"""Pictures of arrays show the arrays; the folder says what is in it; two checkpoints are compared."""

from __future__ import annotations

import csv
import dataclasses
import json

import numpy as np
import onnx
import pytest
from scipy.spatial.distance import cosine

from onnx2graphml.api import load
from onnx2graphml.cli import weights as command
from onnx2graphml.cli.options import FORMATS
from onnx2graphml.cli.parser import parse
from onnx2graphml.draw.canvas import KINDS
from onnx2graphml.draw.weights.weights import weights
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.parameters.arrays import layer_arrays
from onnx2graphml.parameters.differences import difference, matches
from onnx2graphml.parameters.measure import moved
from onnx2graphml.parameters.orders import ORDERS
from small import FIXTURES, model, node
from small import weights as numbers


def conv(outs: int, ins: int, *space: int, **initializers: np.ndarray) -> onnx.ModelProto:
    """One convolution, kernels `w` and biases `b`."""
    nodes = [node("Conv", "x w b", "y")]
    given = {"w": numbers(outs, ins, *space), "b": numbers(outs, seed=1)} | initializers
    return model(nodes, {"x": [1, ins, *(n + 2 for n in space)]}, given)


# What is written


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "digits"
    return path, weights(load(FIXTURES / "digits.onnx"), path, order="norm")


@pytest.mark.slow
def test_the_manifest_ties_each_picture_to_its_layer(folder):
    path, found = folder
    manifest = json.loads((path / "manifest.json").read_text())
    assert [entry["name"] for entry in manifest["layers"]] == [x.of.layer.name for x in found.layers]
    assert manifest["layers"][1]["neurons"] == ["n64", "n1087"]
    pictures = [p for entry in manifest["layers"] for p in entry["pictures"]]
    files = {p["file"] for p in pictures} | {e["histograms"] for e in manifest["layers"] if e["histograms"]}
    assert files == {p.name for p in path.glob("*.png")}
    assert {p["array"]: p["file"] for p in pictures}["conv2/kernel"] == found.array("conv2/kernel").file
    kernel = found.array("conv1/kernel")
    limit = float(np.abs(kernel.array.values).max())
    assert pictures[0]["panels"] == [{"form": "grid", "shown": "all 16 outputs", "limits": [-limit, limit]}]


@pytest.mark.slow
def test_the_permutations_are_saved(folder):
    path, found = folder
    saved = json.loads((path / "permutation.json").read_text())
    assert saved == found.permutations
    for x in found.layers:
        assert x.order is None or sorted(saved[x.of.layer.name]) == list(range(len(saved[x.of.layer.name])))
    norms = np.linalg.norm(np.asarray(found.array("conv2/kernel")).reshape(-1, 24), axis=0)
    assert saved["conv2"] == np.argsort(-norms, kind="stable").tolist()


@pytest.mark.slow
def test_the_tables_have_a_row_for_each_array(folder):
    path, found = folder
    names = [a.array.name for x in found.layers for a in x.arrays]
    rows = list(csv.DictReader((path / "weights.csv").open()))
    assert [row["array"] for row in rows] == names
    record = json.loads((path / "weights.json").read_text())
    assert [r["array"] for r in record["arrays"]] == names
    for row, entry in zip(rows, record["arrays"], strict=True):
        statistics = found.array(row["array"]).statistics
        assert float(row["l2"]) == entry["l2"] == statistics.l2
        assert sum(entry["histogram"]["counts"]) == statistics.size
    text = (path / "README.md").read_text()
    assert "24 kernels of 3×3 over 16 channels, (row, column, in, out); bias: 24" in text
    for name in names:
        assert f"`{name}`" in text
    for file in path.glob("*.png"):
        assert f"]({file.name})" in text


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF-")])
def test_the_same_again_is_the_same_bytes(kind: str, start: bytes, tmp_path):
    for name in ("once", "again"):
        weights(load(conv(2, 1, 3, 3)), tmp_path / name, kind=kind)
    for file in (tmp_path / "once").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
    assert {file.read_bytes()[: len(start)] for file in (tmp_path / "once").glob(f"*.{kind}")} == {start}


def test_without_a_folder_nothing_is_drawn():
    found = weights(load(FIXTURES / "digits.onnx"))
    assert all(not a.file for x in found.layers for a in x.arrays)
    assert found.array("conv1/kernel").values.any()


def test_an_array_is_an_array_and_a_mistyped_name_is_told():
    found = weights(load(FIXTURES / "digits.onnx"))
    kernel = found.array("conv1/kernel")
    given = onnx.numpy_helper.to_array(next(t for t in onnx.load(FIXTURES / "digits.onnx").graph.initializer
                                            if t.name == "conv1/kernel"))  # fmt: skip
    np.testing.assert_array_equal(np.asarray(kernel), given)
    assert np.asarray(kernel, np.float64).dtype == np.float64
    assert (kernel.shape, kernel.axes) == (given.shape, ("row", "column", "in", "out"))
    with pytest.raises(Error, match="no layer has an array named 'conv1/kernl'; did you mean 'conv1/kernel'"):
        found.array("conv1/kernl")


@pytest.mark.slow
def test_only_some_layers(tmp_path):
    told = []
    found = weights(
        load(FIXTURES / "digits.onnx"), tmp_path / "out", layers="conv1,digit", progress=lambda *a: told.append(a)
    )
    assert [x.of.layer.name for x in found.layers] == ["conv1", "digit"]
    pictures = sorted(f.name for f in (tmp_path / "out").glob("*.png"))
    assert {name[:2] for name in pictures} == {"01", "09"}
    assert sorted(name for _, _, name in told) == pictures
    assert [(done, total) for done, total, _ in told] == [(k, 6) for k in range(1, 7)]
    with pytest.raises(Error, match="no layer is named 'conv9'; did you mean"):
        weights(load(FIXTURES / "digits.onnx"), layers=["conv9"])


def test_models_that_have_nothing_in_common_are_refused():
    with pytest.raises(Error, match=r"no array of .* has the name and shape of one in .*: nothing to compare"):
        weights(load(conv(6, 1, 3, 3)), against=load(conv(5, 1, 3, 3)))


@pytest.mark.slow
def test_names_from_the_model_are_no_paths_and_no_markup(tmp_path):
    name = "../../up|<b>`$x^"
    proto = conv(2, 1, 3, 3)
    proto.graph.node[0].name, proto.graph.node[0].input[1] = name, name
    proto.graph.initializer[0].name = name
    found = weights(load(proto), tmp_path / "safe")
    files = sorted(p.name for p in (tmp_path / "safe").iterdir())
    assert found.array(name).file in files
    assert len(list(tmp_path.iterdir())) == 1
    text = (tmp_path / "safe" / "README.md").read_text()
    assert "<b>" not in text.replace("`../../up¦<b>'$x^`", "")
    table = [line for line in text.splitlines() if line.startswith("| `")]
    assert len({line.count("|") for line in table}) == 1
    assert name in (tmp_path / "safe" / "manifest.json").read_text()


def test_shared_arrays_are_named_at_each_layer_and_drawn_once(tmp_path):
    nodes = [node("MatMul", "x w", "a", name="one"), node("MatMul", "a w", "y", name="two")]
    found = weights(load(model(nodes, {"x": [1, 4]}, {"w": numbers(4, 4)})), tmp_path / "shared")
    one, two = (a for x in found.layers for a in x.arrays)
    assert (one.array.name, two.array.name, one.array.shared) == ("w", "w", ("two",))
    assert (bool(one.file), two.file) == (True, "")
    assert len(list((tmp_path / "shared").glob("*weights.png"))) == 1
    assert "`w` is shared: it is drawn at one" in (tmp_path / "shared" / "README.md").read_text()


def test_scalars_empty_and_unread_arrays_are_listed(tmp_path):
    nodes = [node("Mul", "x s", "a"), node("Concat", "a none", "y", axis=1)]
    constants = {"s": np.float32(2.5), "none": np.zeros((1, 0), np.float32), "idle": numbers(2, 3)}
    found = weights(load(model(nodes, {"x": [1, 4]}, constants)), tmp_path / "few")
    text = (tmp_path / "few" / "README.md").read_text()
    assert "2.5 (a scalar)" in text
    assert "- `idle`: 2×3" in text
    assert found.array("none").file == ""
    assert not list((tmp_path / "few").glob("*.png"))


def test_a_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError):
        weights(load(conv(2, 1, 3, 3)), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": "size"}, "order is 'size'; expected one of index, norm, similarity, activation"),
        ({"kind": "gif"}, "kind is 'gif'"),
        ({"limit": 0}, "limit is 0; expected 1 or more"),
        ({"order": "activation", "feeds": {}}, "no array is given for input 'image'"),
    ],
)
def test_mistakes(arguments: dict, message: str):
    with pytest.raises(Error, match=message):
        weights(load(FIXTURES / "digits.onnx"), **arguments)


def test_an_unknown_array_is_a_mistake():
    with pytest.raises(Error, match="no layer has an array named 'w'"):
        weights(load(FIXTURES / "digits.onnx")).array("w")


# Two checkpoints


def test_a_difference_is_numpys(monkeypatch):
    monkeypatch.setattr("onnx2graphml.parameters.statistics.CHUNK", 10)
    this, other = numbers(5, 7), numbers(5, 7, seed=1)
    found, exact = difference(this, other), other.astype(np.float64) - this
    np.testing.assert_allclose(found.l2, np.linalg.norm(exact), rtol=1e-12)
    np.testing.assert_allclose(found.relative, np.linalg.norm(exact) / np.linalg.norm(this), rtol=1e-6)
    np.testing.assert_allclose(found.cosine, 1 - cosine(this.ravel(), other.ravel()), rtol=1e-6)
    assert found.index == np.unravel_index(np.abs(exact).argmax(), exact.shape)
    assert found.largest == exact[found.index]


def test_differences_from_and_to_zeros():
    zeros, ones = np.zeros(3), np.ones(3)
    assert (difference(zeros, ones).relative, difference(zeros, ones).cosine) == (float("inf"), None)
    same = difference(ones, ones)
    assert (same.l2, same.relative, same.cosine, same.largest) == (0, 0, 1, 0)
    assert difference(zeros, zeros).relative == 0


@pytest.mark.slow
def test_checkpoints_are_matched_by_name_and_shape(tmp_path):
    kernel, change = numbers(6, 1, 3, 3), np.zeros((6, 1, 3, 3), np.float32)
    change[5, 0, 1, 2] = 0.5
    graph, other = load(conv(6, 1, 3, 3, w=kernel)), load(conv(6, 1, 3, 3, w=kernel + change))
    found = weights(graph, tmp_path / "moved", order="norm", against=other)
    of = found.array("w")
    np.testing.assert_allclose(of.difference.l2, 0.5, rtol=1e-6)
    assert of.difference.index == (5, 0, 1, 2)
    np.testing.assert_array_equal(moved(of.array, found.matches).values, kernel + change - kernel)
    assert (tmp_path / "moved" / of.difference_file).exists()
    still = found.array("b").difference
    assert (still.l2, still.cosine, still.largest) == (0, 1, 0)
    text = (tmp_path / "moved" / "README.md").read_text()
    assert "largest change 0.5 at (5, 0, 1, 2)" in text
    rows = list(csv.DictReader((tmp_path / "moved" / "weights.csv").open()))
    assert float(rows[0]["difference_largest"]) == of.difference.largest


def test_what_only_one_model_has_is_listed(tmp_path):
    here, there = load(conv(2, 1, 3, 3)), load(conv(2, 1, 5, 5))
    found = matches(layer_arrays(here), layer_arrays(there))
    assert set(found.other) == {"b"}
    assert (found.only_here, found.only_there) == ({"w": (2, 1, 3, 3)}, {"w": (2, 1, 5, 5)})
    weights(here, tmp_path / "two", against=dataclasses.replace(there, model_name="other"))
    text = (tmp_path / "two" / "README.md").read_text()
    assert "## Only in other\n\n- `w`: 2×1×5×5" in text
    record = json.loads((tmp_path / "two" / "weights.json").read_text())
    assert record["only_in_model"] == {"w": [2, 1, 3, 3]}


# The command


def test_the_command_offers_what_there_is():
    assert (command.ORDERS, FORMATS) == (ORDERS, KINDS)


def run(*arguments: str) -> int:
    return command.run(parse(["weights", *arguments]))


@pytest.mark.slow
def test_the_command_explains_and_draws(tmp_path, capsys):
    onnx.save(conv(4, 1, 3, 3), tmp_path / "small.onnx")
    path = tmp_path / "out"
    given = ("-o", str(path), "--order", "activation", "--input", "zeros")
    assert run(str(tmp_path / "small.onnx"), *given) == 0
    printed = capsys.readouterr().out
    assert "the_y: 4 kernels of 3×3 over 1 channel, (out, in, row, column); bias: 4" in printed
    assert f"2 pictures of arrays in {path}" in printed
    biases = np.abs(numbers(4, seed=1))  # what zeros come to
    order = json.loads((path / "permutation.json").read_text())["the_y"]
    assert order == np.argsort(-biases, kind="stable").tolist()


@pytest.mark.slow
def test_the_command_compares_and_prints_what_has_moved(tmp_path, capsys):
    one, other, path = (str(tmp_path / name) for name in ("one.onnx", "other.onnx", "out"))
    onnx.save(conv(2, 1, 3, 3), one)
    onnx.save(conv(2, 1, 3, 3, b=numbers(2)), other)
    assert run(one, "-o", path, "--against", other) == 0
    assert list((tmp_path / "out").glob("*bias-difference.png"))
    capsys.readouterr()
    assert run(one, "--against", other) == 0
    lines = capsys.readouterr().out.splitlines()
    header = next(k for k, line in enumerate(lines) if line.startswith("from one.onnx to other.onnx"))
    rows = {line.split()[0]: line for line in lines[header + 2 :]}
    assert set(rows) == {"w", "b"}
    moved = numbers(2) - numbers(2, seed=1)
    assert f"{np.linalg.norm(moved):.4g}" in rows["b"]
    assert f"{moved[np.abs(moved).argmax()]:.4g} at ({np.abs(moved).argmax()},)" in rows["b"]
    assert rows["w"].split()[5:7] == ["0", "0.00%"]


def test_the_command_without_a_folder_prints_only(tmp_path, capsys, monkeypatch):
    onnx.save(conv(2, 1, 3, 3, idle=numbers(3)), tmp_path / "small.onnx")
    assert run(str(tmp_path / "small.onnx")) == 0
    assert "read by no layer: idle, (3,)" in capsys.readouterr().out
    assert [p.name for p in tmp_path.iterdir()] == ["small.onnx"]
