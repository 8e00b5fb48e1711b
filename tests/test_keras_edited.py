"""Configurations and weights that Keras has not written, and would refuse or cast: they are left to it."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from onnx2graphml.api import load
from onnx2graphml.errors import ModelError
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.uncovered import UncoveredError


def written(path: Path, layer: str, options: dict[str, Any], *weights: np.ndarray) -> Path:
    """An archive of one layer behind an input of four numbers."""
    layers = [
        ("InputLayer", {"batch_shape": [None, 4], "dtype": "float32", "name": "x"}),
        (layer, {"name": "y"} | options),
    ]
    entries = [{"module": "keras.layers", "class_name": n, "config": c, "registered_name": None} for n, c in layers]
    config = {"module": "keras", "class_name": "Sequential", "config": {"name": "m", "layers": entries}}
    data = io.BytesIO()
    with h5py.File(data, "w") as file:
        for k, array in enumerate(weights):
            file[f"layers/{layer.lower()}/vars/{k}"] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", data.getvalue())
    return path


@pytest.mark.parametrize(
    ("layer", "options", "what"),
    [
        ("RepeatVector", {"n": 0}, "0 times"),
        ("RepeatVector", {"n": -1}, "-1 times"),
        ("Reshape", {"target_shape": [-2, -2]}, "the shape"),
        ("Rescaling", {"scale": "2"}, "no numbers"),
        ("Rescaling", {"scale": 2.0, "offset": "1"}, "no numbers"),
        ("ELU", {"alpha": "2"}, "the number '2'"),
        ("ReLU", {"max_value": -1.0}, "a negative option"),
        ("ReLU", {"negative_slope": -1.0}, "a negative option"),
    ],
)
def test_options_without_sense(layer: str, options: dict[str, Any], what: str, tmp_path: Path) -> None:
    with pytest.raises(UncoveredError, match=what):
        read_archive(written(tmp_path / "m.keras", layer, options), {})


def test_weights_of_another_type_or_number(tmp_path: Path) -> None:
    options = {"units": 2, "use_bias": False}
    kernel = np.ones((4, 2), np.float32)
    assert (
        read_archive(written(tmp_path / "m.keras", "Dense", options, kernel), {}).light.proto.graph.output[0].name
        == "y"
    )
    for each in ([kernel.astype(np.int32)], [kernel.astype(">f4")], [kernel.astype(np.float64)]):
        with pytest.raises(UncoveredError, match="types of variables"):
            read_archive(written(tmp_path / "m.keras", "Dense", options, *each), {})
    for each in ([], [kernel.T], [kernel, kernel]):
        with pytest.raises(UncoveredError, match="variables of layers/dense"):
            read_archive(written(tmp_path / "m.keras", "Dense", options, *each), {})


def test_a_configuration_that_is_too_large(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b"[" + b"[]," * (1 << 24) + b"[]]")
        archive.writestr("model.weights.h5", np.random.default_rng(0).bytes(1 << 20), zipfile.ZIP_STORED)
    with pytest.raises(ModelError, match=r"its configuration has 50,331,652 bytes, expected at most 33,554,432"):
        load(tmp_path / "m.keras")


def test_an_inner_model_that_is_called_by_names(tmp_path: Path) -> None:
    """Keras gives each input what has its name, whatever the order."""
    keras = pytest.importorskip("keras", reason="Keras is an extra")
    b, a, x, y = (keras.Input((3,), name=name) for name in ("b", "a", "x", "y"))
    inner = keras.Model([b, a], keras.layers.Subtract()([b, a]), name="inner")
    keras.Model([x, y], inner({"b": x, "a": y})).save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    config = json.loads(members["config.json"])
    next(part for part in config["config"]["layers"] if part["name"] == "inner")["inbound_nodes"][0]["kwargs"] = {}
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as made:
        for name, content in (members | {"config.json": json.dumps(config).encode()}).items():
            made.writestr(name, content)
    with pytest.raises(UncoveredError, match="inputs of inner by name"):
        read_archive(tmp_path / "n.keras", {})
