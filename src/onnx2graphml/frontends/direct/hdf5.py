"""Keras' older files: an .h5 file as ONNX without Keras, as far as all that is in it is known here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py

from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct.listed import Model, text
from onnx2graphml.frontends.direct.loading import MALFORMED, Shapes, made
from onnx2graphml.frontends.direct.older import VERSION, check_axes, check_functions, is_old, todays
from onnx2graphml.frontends.direct.uncovered import UncoveredError, require
from onnx2graphml.frontends.keras_check import check_open_hdf5

CONFIG, WEIGHTS, BACKEND = "model_config", "model_weights", "backend"

BACKENDS = ("tensorflow", "jax", "torch", "numpy", "openvino")
"""Theano's convolutions were mirrored."""


def read_hdf5(path: Path, shapes: Shapes) -> Imported:
    """Read an .h5 file of Keras 2 or 3; no code of it runs, and no framework is imported.

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
        version, backend = text(file.attrs.get(VERSION, "")), text(file.attrs.get(BACKEND, "tensorflow"))
        require(version.startswith(("2.", "3.")) and backend in BACKENDS, f"Keras {version} with {backend}")
        old, config = is_old(version), json.loads(file.attrs[CONFIG])
        try:
            return _made(config, old, Model(file[WEIGHTS]), shapes)
        except UncoveredError:
            check_axes(config)
            if old:
                check_functions(config)
            raise


def _made(config: Any, old: bool, variables: Model, shapes: Shapes) -> Imported:
    try:
        config = todays(config, old)
    except MALFORMED as error:
        raise UncoveredError(str(error)) from error
    return made(config, variables, shapes, variables.settle)
