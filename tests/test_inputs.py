"""What a name, a file, a picture or an array stands for: the same for every command and function."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import onnx2graphml as o2g
from onnx2graphml.errors import Error, MissingExtraError, ModelError, context, did_you_mean
from onnx2graphml.inference.activations import Forward, activations
from onnx2graphml.inference.inputs import resolve
from small import model, node, weights

DIGITS = Path(__file__).parents[1] / "fixtures" / "digits.onnx"
TWO = model([node("Add", "a b", "s"), node("Relu", "s", "y")], {"a": [1, 3], "b": [1, 3]})


@pytest.fixture(scope="module")
def digits() -> o2g.NeuronGraph:
    return o2g.load(DIGITS)


def test_an_array_in_every_form(digits: o2g.NeuronGraph, tmp_path: Path) -> None:
    array = weights(8, 8, 1)
    np.save(tmp_path / "x.npy", array)
    np.savez(tmp_path / "x.npz", image=array)
    forms = [array, array[None], array.tolist(), {"image": array}, tmp_path / "x.npy", str(tmp_path / "x.npz")]
    for given in forms:
        (found,) = resolve(digits, given).values()
        assert found.dtype == np.float32
        np.testing.assert_array_equal(found, array[None].astype(np.float32))


def test_a_picture_is_read_as_it_is_preprocessed(
    digits: o2g.NeuronGraph, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(pixels).save(tmp_path / "p.png")
    with caplog.at_level(logging.INFO, "onnx2graphml"):
        found = resolve(digits, tmp_path / "p.png", preprocess="-1..1")["image"]
    np.testing.assert_allclose(found[0, :, :, 0], pixels / 127.5 - 1, rtol=1e-6)
    assert caplog.messages == [f"{tmp_path / 'p.png'}: scaled by -1..1"]
    resolve(digits, tmp_path / "p.png", quiet=True)
    assert len(caplog.messages) == 1


def test_a_seed_makes_the_same_again(digits: o2g.NeuronGraph) -> None:
    first, same, other = (resolve(digits, "random", seed=n)["image"] for n in (1, 1, 2))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)


def test_what_is_no_input(digits: o2g.NeuronGraph, tmp_path: Path) -> None:
    two = o2g.load(TWO)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "p.png")
    for graph, given, options, message in (
        (digits, "nothing", {}, r"nothing: not an input; expected random, zeros, large, ties, or a file \.npy"),
        (digits, "random", {"preprocess": "caffe"}, r"preprocess is for pictures .*; the input is 'random'"),
        (digits, np.zeros(64), {"preprocess": "caffe"}, "the input is 'an array'"),
        (digits, np.array(["a"]), {}, "input 'image' has type <U1, not numbers; expected the input 'image' of shape"),
        (digits, {"picture": np.zeros((8, 8, 1))}, {}, "no array is given for input 'image'"),
        (two, np.zeros(3), {}, "one array is given; the model has the inputs a, b: give a mapping by name"),
        (two, tmp_path / "p.png", {}, "is one picture; the model has the inputs 'a', 'b': give an .npz file"),
    ):
        with pytest.raises(Error, match=message):
            resolve(graph, given, **options)


def test_a_network_is_run_on_one_input_after_the_other(digits: o2g.NeuronGraph) -> None:
    chosen = [digits.layer("digit"), digits.layer("conv1")]
    forward = Forward(digits, chosen)
    for seed in (1, 2):
        feeds = resolve(digits, seed=seed)
        found, every = forward(feeds), activations(digits, feeds)
        assert list(found) == ["digit", "conv1"]
        assert list(every) == [layer.name for layer in digits.layers]
        for layer in chosen:
            assert found[layer.name].shape == layer.shape
            np.testing.assert_array_equal(found[layer.name], every[layer.name])


def test_a_context_keeps_the_errors_class() -> None:
    for error in (ModelError("no graph"), MissingExtraError("PyTorch", "torch"), Error("x")):
        message = str(error)
        with pytest.raises(type(error)) as caught, context("node 'a'"):
            raise error
        assert str(caught.value) == f"node 'a': {message}"
    with pytest.raises(ValueError, match=r"^other$"), context("node"):
        raise ValueError("other")


def test_near_words() -> None:
    assert did_you_mean("inf", ["info", "verify"]) == "; did you mean 'info'?"
    assert did_you_mean("qqq", ["info", "verify"]) == ""


def test_a_preprocess_without_a_picture_is_a_mistake(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "p.png")
    assert o2g.verify(DIGITS, [tmp_path / "p.png", "zeros"], preprocess="-1..1").passed
    with pytest.raises(Error, match="preprocess is for pictures"):
        o2g.verify(DIGITS, ["zeros", "ties"], preprocess="-1..1")


def test_an_input_that_no_order_needs_is_a_mistake() -> None:
    for given in ({"input": "zeros"}, {"input": np.zeros((8, 8, 1))}, {"preprocess": "caffe"}):
        with pytest.raises(Error, match="an input is given, which is for the order 'activation'; the order is 'norm'"):
            o2g.weights(DIGITS, order="norm", **given)
    assert o2g.weights(DIGITS, order="activation", input="ties").order == "activation"
