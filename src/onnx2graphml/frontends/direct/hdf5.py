"""Keras' older files: an .h5 file as ONNX without Keras, as far as all that is in it is known here."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import h5py

from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct.listed import Model
from onnx2graphml.frontends.direct.loading import MALFORMED, Shapes, loaded, made
from onnx2graphml.frontends.direct.older import check_axes, check_functions, todays
from onnx2graphml.frontends.direct.uncovered import UncoveredError, require
from onnx2graphml.frontends.keras_check import check_open_hdf5

CONFIG, WEIGHTS, VERSION, BACKEND = "model_config", "model_weights", "keras_version", "backend"

BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")
"""Theano's convolutions were mirrored."""


def load_hdf5(path: str | Path, *, shapes: Shapes | None = None, trust: bool = False) -> Imported:
    """Read an .h5 file of Keras 2 or 3: directly where that is possible, and otherwise by Keras and TensorFlow.

    Args:
        path: the file.
        shapes: full static shapes by input name, where dimensions besides the batch are unknown.
        trust: as for `load_keras`.

    Raises:
        ModelError: there is no such file, it is damaged, it is not safe, or a shape is unknown.
        MissingExtraError: it needs TensorFlow, which is not installed.
        UnsupportedError: it computes something that has no standard ONNX operator.

    Example:
        >>> load_hdf5("model.h5").light.proto.graph.input[0].name  # doctest: +SKIP
        'image'
    """
    return loaded(Path(path), read_hdf5, shapes, trust)


def read_hdf5(path: Path, shapes: Shapes) -> Imported:
    """The same; no code of the file runs, and no framework is imported.

    Raises:
        UncoveredError: a part of it is not known exactly.
        UnsafeError: it names something that no trained network needs.
        ModelError: a shape is unknown.
        UnsupportedError: Keras 3 would read a part of it in another sense.
        Exception: of any kind: it is damaged.
    """
    with h5py.File(path, "r") as file:
        check_open_hdf5(file, path.stat().st_size)
        require(CONFIG in file.attrs and isinstance(file.get(WEIGHTS), h5py.Group), "no whole model")
        version, backend = _text(file, VERSION, ""), _text(file, BACKEND, "tensorflow")
        require(version.startswith(("2.", "3.")) and backend in BACKENDS, f"Keras {version} with {backend}")
        is_old, config = version.startswith("2."), json.loads(file.attrs[CONFIG])
        try:
            return _made(config, is_old, Model(file[WEIGHTS]), shapes)
        except UncoveredError:
            check_axes(config)
            if is_old:
                check_functions(config)
            raise


def _made(config: Any, is_old: bool, variables: Model, shapes: Shapes) -> Imported:
    try:
        config = todays(copy.deepcopy(config), is_old)
    except MALFORMED as error:
        raise UncoveredError(str(error)) from error
    return made(config, variables, shapes, variables.settle)


def _text(file: Any, name: str, default: str) -> str:
    found = file.attrs.get(name, default)
    return found.decode() if isinstance(found, bytes) else str(found)
