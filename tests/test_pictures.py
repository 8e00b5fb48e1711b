"""What a user calls for pictures, for whatever `load` takes; what it draws is tested where that is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from small import model, node, weights

DIGITS = Path(__file__).parents[1] / "fixtures" / "digits.onnx"
TWO = model([node("Add", "a b", "s"), node("Relu", "s", "y")], {"a": [1, 3], "b": [1, 3]})


def test_of_several_inputs_each_has_a_name() -> None:
    with pytest.raises(Error, match="one array is given; the model has the inputs a, b: give a mapping by name"):
        o2g.activations(TWO, weights(1, 3))
    found = o2g.activations(TWO, {"a": np.ones((1, 3)), "b": np.ones(3)})
    assert (found.layers[-1].value == 2).all()


def test_a_graph_of_no_model_runs_nothing() -> None:
    graph = o2g.NeuronGraph((o2g.Layer("x", "Input", (3,), aggregation="input"),), ("x",))
    with pytest.raises(Error, match="made from no model"):
        o2g.activations(graph, np.ones(3))


@pytest.mark.slow
def test_a_path_a_model_and_a_graph_are_the_same(tmp_path: Path) -> None:
    for given in (DIGITS, o2g.load(DIGITS)):
        assert o2g.weights(given).layers[1].of.text.startswith("conv1: 16 kernels of 3×3 over 1 channel")
        drawing = o2g.architecture(given, tmp_path / "d.svg")
        assert len(drawing.boxes) == 10
    assert (tmp_path / "d.svg").read_text().startswith("<?xml")


@pytest.mark.slow
def test_the_articles_function_takes_paths_and_arrays(tmp_path: Path) -> None:
    written = o2g.plot_pattern_process(DIGITS, np.ones((8, 8, 1)), tmp_path / "process", (3, 3), (3, 3))
    names = [path.name for path in written]
    assert names == ["0.png", "digits.onnx neural network architecture.png"]
    assert {p.name for p in (tmp_path / "process").iterdir()} == set(names)


@pytest.mark.slow
def test_a_keras_model_is_watched_while_it_learns(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="needs the extra keras")
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="dense")])
    network.compile("sgd", "mse")
    pattern = np.ones(4, np.float32)
    callback = o2g.film_callback(pattern, tmp_path / "film", seconds=0.1)
    network.fit(np.eye(4), np.ones((4, 3)), epochs=2, verbose=0, callbacks=[callback])
    recorded = np.load(next((tmp_path / "film").glob("*dense*.npy")))
    assert recorded.shape == (2, 3)
    np.testing.assert_allclose(recorded[-1], network.predict(pattern[None], verbose=0)[0], rtol=1e-5)


@pytest.mark.slow
def test_a_pytorch_module_is_watched_while_it_learns(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    hook = o2g.film_hook(module, (torch.ones(1, 4),), tmp_path / "film")
    hook.epoch()
    with torch.no_grad():
        module[0].weight *= 2
    hook.epoch()
    hook.finish()
    recorded = np.load(next((tmp_path / "film").glob("*-0*.npy")))
    np.testing.assert_allclose(recorded[1], module[0](torch.ones(4)).detach().numpy(), rtol=1e-5)


WRONG_FILMS = [
    ({"format": "gif"}, "gif"),
    ({"film_format": "mp4"}, "film is 'mp4'; expected png, gif"),
    ({"max_channels": 0}, "the limit of channels is 0; expected 1 or more"),
    ({"seconds": 0.0}, "an epoch stays for 0.0 seconds; expected more than 0"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("options", "message"), WRONG_FILMS)
def test_a_films_options_are_checked_before_anything_is_recorded(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    pytest.importorskip("keras", reason="needs the extra keras")
    module = torch.nn.Linear(4, 3)
    for begin in (
        lambda: o2g.film_callback("zeros", tmp_path / "film", **options),
        lambda: o2g.film_hook(module, (torch.ones(1, 4),), tmp_path / "film", **options),
        lambda: o2g.film(tmp_path / "nowhere", "zeros", tmp_path / "film", **options),
    ):
        with pytest.raises(Error, match=message):
            begin()


def test_a_films_folder_is_checked_before_anything_is_recorded(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").touch()
    for folder, message in (
        ("mine", "no directory that onnx2graphml wrote"),
        ("nowhere/film", "there is no directory"),
    ):
        with pytest.raises(Error, match=message):
            o2g.film(tmp_path / "nothing", "zeros", tmp_path / folder)


@pytest.mark.slow
def test_an_input_that_does_not_fit_is_refused_before_training(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="needs the extra keras")
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    network.compile("sgd", "mse")
    before = [array.copy() for array in network.get_weights()]
    callback = o2g.film_callback(np.ones(5, np.float32), tmp_path / "film")
    with pytest.raises(Error, match=r"is given with shape \[5\]; expected \[1, 4\]"):
        network.fit(np.eye(4), np.ones((4, 3)), epochs=2, verbose=0, callbacks=[callback])
    assert all(np.array_equal(a, b) for a, b in zip(before, network.get_weights(), strict=True))


@pytest.mark.slow
def test_a_film_of_models_by_name(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    graph = o2g.load(DIGITS)
    models = {"first": graph, "second": DIGITS}
    recording, files = o2g.film(
        models, "zeros", tmp_path / "film", layers="conv2:avgpool", progress=lambda *what: told.append(what)
    )
    assert recording.epochs == ("first", "second")
    assert [layer.name for layer in recording.layers] == ["conv2", "avgpool"]
    assert all((tmp_path / "film" / name).is_file() for name in files)
    assert told[:2] == [(0, 2, "first"), (1, 2, "second")]
    np.testing.assert_array_equal(*recording.values["conv2"])
