"""A pattern's passage: the values drawn are ONNX Runtime's and the framework's, and every layer has its picture."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from PIL import Image

from onnx2graphml.api import from_torch, load
from onnx2graphml.draw.activations.activations import Activations, activations
from onnx2graphml.draw.activations.sheets import sheets_of
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.graph.graph import Layer, NeuronGraph, Provenance
from onnx2graphml.inference.activations import activations as values_of
from onnx2graphml.inference.images import read_image
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"
DIGITS = FIXTURES / "digits.onnx"


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return load(DIGITS)


@pytest.fixture(scope="module")
def digit() -> Any:
    return np.load(FIXTURES / "digits.npz")["x"][3]


def all_tensors(proto: onnx.ModelProto, feeds: dict[str, Any]) -> dict[str, Any]:
    """Every tensor that ONNX Runtime computes, of the model as it is in the file."""
    names = [o for n in proto.graph.node for o in n.output]
    wanted = onnx.ModelProto()
    wanted.CopyFrom(proto)
    del wanted.graph.output[:]
    wanted.graph.output.extend(onnx.helper.make_empty_tensor_value_info(n) for n in names)
    session = ort.InferenceSession(wanted.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip(names, session.run(names, feeds), strict=True)) | feeds


def assert_tiles_are_the_value(found: Activations) -> None:
    """Every tile is the part of the value that its index tells; by the layer's own account of its channel."""
    for p in found.layers:
        assert p.tiles is not None
        if p.tiles.view.form == "vector":
            assert np.array_equal(np.ma.compressed(p.tiles.array), p.value.ravel(), equal_nan=True)
            continue
        for tile, index in zip(p.tiles.array, p.tiles.indices, strict=True):
            at = [slice(None)] * p.value.ndim
            for axis, i in zip(p.tiles.view.leading, index, strict=True):
                at[axis] = i  # type: ignore[call-overload]
            part = p.value[tuple(at)]
            assert np.array_equal(np.squeeze(tile), np.squeeze(part), equal_nan=True)


def test_digits_are_onnx_runtimes(digits: NeuronGraph, digit: Any):
    found = activations(digits, {"image": digit})
    tensors = all_tensors(onnx.load(DIGITS), {"image": digit[None]})
    assert [p.layer for p in found.layers] == list(digits.layers)
    for p in found.layers:
        theirs = tensors[p.layer.provenance.tensor]
        moved = theirs.transpose(0, 2, 3, 1) if theirs.shape[1:] != p.value.shape else theirs
        np.testing.assert_allclose(p.value, moved[0], rtol=1e-5, atol=1e-6)
    assert_tiles_are_the_value(found)
    for k in range(16):
        assert np.array_equal(found.layer("conv1").tiles.array[k], found.layer("conv1").value[:, :, k])  # type: ignore[union-attr]


@pytest.mark.slow
def test_digits_are_keras_predictions(digit: Any):
    import keras

    network = keras.models.load_model(FIXTURES / "digits.keras")
    found = activations(load(FIXTURES / "digits.keras"), {"image": digit})
    names = [x.name for x in network.layers if x.name != "dropout"]
    assert [p.layer.name for p in found.layers] == ["image", *names]
    outputs = keras.Model(network.inputs, [network.get_layer(n).output for n in names])({"image": digit[None]})
    for name, theirs in zip(names, outputs, strict=True):
        np.testing.assert_allclose(found.layer(name).value, np.asarray(theirs)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_preprocessing_is_keras(tmp_path: Path):
    from keras.applications import imagenet_utils

    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    layer = Layer("x", "Input", (4, 6, 3), spatial=(2, 0, 1), provenance=Provenance(order=(0, 1, 2)))
    for ours, theirs in (("-1..1", "tf"), ("caffe", "caffe"), ("imagenet", "torch")):
        expected = imagenet_utils.preprocess_input(pixels.astype(float), mode=theirs, data_format="channels_last")
        np.testing.assert_allclose(read_image(tmp_path / "p.png", layer, ours), expected, rtol=1e-5, atol=1e-4)


@pytest.mark.slow
def test_a_convolutional_network_is_pytorchs():
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 5, 3, stride=2, padding=1),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(5 * 3 * 4, 6),
    ).eval()
    seen: dict[str, Any] = {}
    for name, part in network.named_children():
        part.register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, o.detach().numpy()[0]))
    x = torch.randn(1, 2, 12, 16)
    graph = from_torch(network, (x,))  # which runs the module, too
    network(x)
    found = activations(graph, {graph.layers[0].name: x.numpy()})
    assert [p.layer.name for p in found.layers[1:]] == ["0", "1", "2", "3", "4"]
    for p in found.layers[1:]:
        np.testing.assert_allclose(p.value, seen[p.layer.name], rtol=1e-4, atol=1e-5)
    assert found.layer("0").tiles.array.shape == (5, 6, 8)  # type: ignore[union-attr]
    assert_tiles_are_the_value(found)


def ranks() -> onnx.ModelProto:
    """Layers of rank 5, 4, 3, 2, 1 and one of one value."""
    means = [node("ReduceMean", f"a{k}", f"a{k + 1}", f"rank{4 - k}", axes=[-1], keepdims=0) for k in range(5)]
    nodes = [node("Relu", "x", "a0", "rank5"), *means]
    return model(nodes, {"x": [1, 2, 3, 2, 4, 5]}, outputs=("a5",))


@pytest.mark.slow
def test_every_rank(tmp_path: Path):
    proto, x = ranks(), weights(1, 2, 3, 2, 4, 5)
    found = activations(load(proto), {"x": x}, tmp_path / "out")
    tensors = all_tensors(proto, {"x": x})
    assert [len(p.layer.shape) for p in found.layers] == [5, 5, 4, 3, 2, 1, 1]
    for p in found.layers:
        np.testing.assert_allclose(
            p.value, tensors[p.layer.provenance.tensor].reshape(p.value.shape), rtol=1e-5, atol=1e-7
        )
        assert p.tiles is not None
        assert p.tiles.array.size >= p.value.size
    assert_tiles_are_the_value(found)


def test_a_line_of_positions_has_a_row_for_each_channel():
    graph = load(model([node("Conv", "x w", "y", pads=[1, 1])], {"x": [1, 2, 20]}, {"w": weights(4, 2, 3)}))
    found = activations(graph, {"x": weights(2, 20)}).layers[1]
    assert found.tiles is not None
    assert found.tiles.array.shape == (4, 1, 20)
    assert np.array_equal(found.tiles.array[:, 0], found.value)
    assert found.notes == ["all 4 channels, a row each"]


def test_scales_are_true(digits: NeuronGraph, digit: Any):
    by_layer = activations(digits, {"image": digit}, channels="first", limit=3)
    for p in by_layer.layers:
        (scale,) = p.scales
        assert scale.high == (np.abs(p.value).max() if scale.diverging else p.value.max())
        assert scale.low == (-scale.high if (p.value < 0).any() else 0)
    whole = activations(digits, {"image": digit}, scale="global")
    most = max(float(np.abs(p.value).max()) for p in whole.layers)
    assert {(s.low, s.high, s.diverging) for p in whole.layers for s in p.scales} == {(-most, most, True)}
    each = activations(digits, {"image": digit}, scale="channel")
    for p in each.layers:
        assert p.tiles is not None
        assert len(p.scales) == len(p.tiles.array)
        for tile, scale in zip(p.tiles.array, p.scales, strict=True):
            assert scale.high == np.abs(tile).max()
            assert scale.low == (-scale.high if p.value.min() < 0 else 0)


def manifest(folder: Path) -> Any:
    return json.loads((folder / "manifest.json").read_text())


@pytest.mark.slow
def test_every_layer_has_a_picture_and_an_entry(tmp_path: Path, digits: NeuronGraph, digit: Any):
    found = activations(digits, {"image": digit}, tmp_path / "out", overlay="layer", limit=5, channels="top")
    told = manifest(tmp_path / "out")
    assert [e["name"] for e in told["layers"]] == [layer.name for layer in digits.layers]
    for entry, p in zip(told["layers"], found.layers, strict=True):
        assert entry["file"] == p.file
        assert entry["op"] == p.layer.op
        assert entry["shape"] == list(p.layer.shape)
        first, last = (int(n.removeprefix("n")) for n in entry["neurons"])
        assert digits.layer_of(first) is p.layer is digits.layer_of(last)
        assert last - first + 1 == p.layer.neurons
        assert [(s["low"], s["high"]) for s in entry["scales"]] == [(s.low, s.high) for s in p.scales]
        assert p.tiles is not None
        assert (entry["tiles"], entry["of"]) == ([list(i) for i in p.tiles.indices], p.tiles.of)
    files = [e["file"] for e in told["layers"]] + [o["file"] for o in told["overlays"]] + told["sheets"]
    assert sorted([*files, "manifest.json"]) == sorted(f.name for f in (tmp_path / "out").iterdir())
    assert told["layers"][1]["notes"][0] == "5 of 16 channels, by energy"
    assert set(told["not_overlaid"]) == {"flatten", "dense1", "digit"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_bytes_each_time(tmp_path: Path, kind: str):
    graph = load(model([node("Softmax", "x", "s"), node("ReduceMean", "s", "y", axes=[1])], {"x": [1, 4, 5]}))
    for name, seed in (("a", 0), ("b", 0), ("other", 1)):
        activations(graph, {"x": weights(4, 5, seed=seed)}, tmp_path / name, kind=kind)
    first, second, other = ({f.name: f.read_bytes() for f in (tmp_path / n).iterdir()} for n in ("a", "b", "other"))
    assert first == second
    assert sum(name.endswith(f".{kind}") for name in first) == 4
    assert all(content != other[name] for name, content in first.items())


@pytest.mark.slow
def test_hostile_names_stay_in_the_folder(tmp_path: Path):
    names = ["../../up", "CON", "con", "$\\frac{$", "a" * 300, ".dot", "\x01\n", "畳み込み", "<b>&"]
    nodes = [node("Relu", "x" if not k else f"t{k - 1}", f"t{k}", name) for k, name in enumerate(names)]
    nodes = [n if k % 2 else node("Sigmoid", n.input[0], n.output[0], n.name) for k, n in enumerate(nodes)]
    graph = load(model(nodes, {"x": [1, 3, 4]}, outputs=(f"t{len(names) - 1}",)), detail="op")
    before = set(tmp_path.parent.iterdir())
    found = activations(graph, {"x": weights(3, 4)}, tmp_path / "out", kind="svg")
    assert set(tmp_path.parent.iterdir()) == before
    told = manifest(tmp_path / "out")
    assert [e["name"] for e in told["layers"]] == [layer.name for layer in graph.layers]
    assert {f.name for f in (tmp_path / "out").iterdir()} == {
        "manifest.json",
        *found.sheets,
        *(e["file"] for e in told["layers"]),
    }
    assert len({e["file"].lower() for e in told["layers"]}) == len(names) + 1


@pytest.mark.slow
def test_what_is_too_small_is_listed(tmp_path: Path, digits: NeuronGraph, digit: Any):
    found = activations(digits, {"image": digit}, tmp_path / "out", min_size=(4, 4))
    assert [p.layer.name for p in found.layers] == ["image", "conv1", "bn1", "relu1", "maxpool"]
    assert [layer.name for layer in found.left_out] == ["conv2", "avgpool", "flatten", "dense1", "digit"]
    assert [e["name"] for e in manifest(tmp_path / "out")["left_out"]] == [layer.name for layer in found.left_out]
    assert [p.file[:2] for p in found.layers] == ["00", "01", "02", "03", "04"]
    with pytest.raises(Error, match="no layer 'digit' is shown; did you mean 'image', 'conv1'"):
        found.layer("digit")


@pytest.mark.slow
def test_an_older_folder_is_replaced_and_another_is_not(tmp_path: Path):
    graph, feeds, out = load(model([node("Relu", "x", "y")], {"x": [1, 3]})), {"x": np.ones(3)}, tmp_path / "out"
    out.mkdir()
    activations(graph, feeds, out)
    activations(graph, feeds, out, kind="pdf")
    assert not list(out.glob("*.png"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="it exists and is no directory that onnx2graphml wrote"):
        activations(graph, feeds, tmp_path / "mine")
    assert [f.name for f in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_nothing_is_left_of_a_run_that_failed(
    tmp_path: Path, digits: NeuronGraph, digit: Any, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("onnx2graphml.draw.activations.activations.overview", broken)
    with pytest.raises(KeyboardInterrupt):
        activations(digits, {"image": digit}, tmp_path / "out", min_size=(8, 8))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "bmp"}, "kind is 'bmp'; expected png, svg, pdf"),
        ({"scale": "row"}, "scale is 'row'; expected layer, channel, global"),
        ({"channels": "best"}, "channels is 'best'; expected first, top, all"),
        ({"limit": 0}, "the limit of channels is 0; expected 1 or more"),
        ({"grid": (0, 3)}, "the grid is 0x3; expected rows and columns of 1 or more"),
        ({"min_size": (99, 9)}, "no layer has a map of 99x9 or more; choose a smaller min_size"),
    ],
)
def test_wrong_options(digits: NeuronGraph, digit: Any, options: Any, message: str):
    with pytest.raises(Error, match=message):
        activations(digits, {"image": digit}, **options)


def test_a_wrong_pattern_says_which_shape_is_expected(digits: NeuronGraph):
    with pytest.raises(Error, match=r"input 'image' is given with shape \[7, 8\]; expected \[1, 8, 8, 1\]"):
        activations(digits, {"image": np.zeros((7, 8))})


def test_a_graph_without_a_model(digits: NeuronGraph):
    with pytest.raises(Error, match="the graph was made from no model; load it from one"):
        values_of(NeuronGraph(digits.layers, digits.outputs), {})


def test_marks_and_numbers_that_are_not_finite_are_told():
    w = np.zeros((4, 1, 1, 1), np.float32)
    w[1:, 0, 0, 0] = 1, -1, 0
    bias = np.array([0, 0, 0, 3], np.float32)
    nodes = [node("Conv", "x w b", "c"), node("Log", "c", "y")]
    graph = load(model(nodes, {"x": [1, 1, 5, 5]}, {"w": w, "b": bias}), detail="op")
    x = np.full((1, 5, 5), 2, np.float32)
    x[0, 0, 0] = 1
    found = activations(graph, {"x": x})
    conv, log = found.layers[1:]
    assert conv.notes == [
        "all 4 channels",
        "× zero everywhere: 1 of 4 shown",
        "□ one value everywhere: 1 of 4 shown",
    ]
    assert log.notes == [
        "all 4 channels",
        "□ one value everywhere: 1 of 4 shown",
        "magenta: 25 NaN, 25 -inf, of 100 values",
    ]
    assert log.scales[0].high == np.log(np.float32(3))


def test_constants_are_shown_too():
    nodes = [node("Div", "k x", "y")]
    graph = load(model(nodes, {"x": [1, 4]}, {"k": np.array([1, 2, 3, 4], np.float32)}))
    found = activations(graph, {"x": np.full(4, 2.0)})
    assert [p.layer for p in found.layers] == list(graph.layers)
    constant = next(p for p in found.layers if p.layer.aggregation == "constant")
    assert constant.value.ravel().tolist() == [1, 2, 3, 4]


@pytest.mark.slow
def test_as_many_sheets_as_are_needed(tmp_path: Path, digits: NeuronGraph, digit: Any):
    found = activations(digits, {"image": digit}, tmp_path / "out", grid=(1, 4), kind="svg")
    assert found.sheets == ("sheet-0.svg", "sheet-1.svg", "sheet-2.svg")
    sheets = sheets_of(found.layers, (1, 4))
    assert [p for sheet in sheets for p in sheet] == list(found.layers)
    assert len(sheets) == math.ceil(10 / 4)
