"""Keras models from files."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx2graphml.errors import ModelError
from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.keras import from_keras
from onnx2graphml.frontends.keras_check import MEMBERS, check_config, check_hdf5, check_size
from onnx2graphml.frontends.keras_legacy import in_todays_words
from onnx2graphml.frontends.keras_weights import read_once, start_with_zeros
from onnx2graphml.frontends.messages import refusal
from onnx2graphml.frontends.tensorflow import from_saved_model, quiet

import keras  # isort: skip

_SUFFIXES = (".keras", ".h5", ".hdf5")


def load_keras(path: str | Path, *, shapes: Mapping[str, Sequence[int]] | None = None, trust: bool = False) -> Imported:
    """Read a Keras model and convert it: `.keras`, `.h5`, `.hdf5`, or a SavedModel directory of Keras 2 or 3.

    Args:
        path: the file or directory.
        shapes: as in `from_keras`.
        trust: also load what runs Python code from the file, as a Lambda layer does, or reads other files. Otherwise
            the file may name nothing but Keras' own layers and functions.

    Returns:
        As `from_keras` does. From a SavedModel, which has no Keras layers, there is no list of layers, and a node
        notes its layer only where its name tells that without doubt.

    Raises:
        ModelError: there is no such file, it is no Keras model, it can't be loaded, or as in `from_keras`.
        UnsupportedError: as in `from_keras`.

    Example:
        >>> load_keras("fixtures/digits.keras").light.proto.graph.input[0].name
        'image'
    """
    path = Path(path)
    if not path.exists():
        raise ModelError(f"there is no file '{path}'")
    if path.is_dir():
        return from_saved_model(path, shapes or {}, trust)
    if path.suffix.lower() not in _SUFFIXES:
        raise ModelError(f"'{path}' is no Keras model: expected .keras, .h5, .hdf5 or a SavedModel directory")
    try:
        with quiet(), read_once():
            read = _read_archive if path.suffix.lower() == ".keras" else _read
            model = read(path, trust)
    except Exception as error:
        raise ModelError(refusal(path, error, trust)) from error
    return from_keras(model, shapes=shapes)


def _read(path: Path, trust: bool) -> Any:
    if not trust:
        check_hdf5(path)
    with in_todays_words(path) as file:
        return _loaded(file, trust)


def _loaded(path: Any, trust: bool) -> Any:
    if not isinstance(path, Path):  # an open HDF5 file, which only Keras' own reader of those takes
        from keras.src.legacy.saving.legacy_h5_format import load_model_from_hdf5

        return load_model_from_hdf5(path, compile=False, safe_mode=not trust)
    return keras.saving.load_model(path, compile=False, safe_mode=not trust)


def _read_archive(path: Path, trust: bool) -> Any:
    """The model in a .keras file."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        check_size(archive, path)
        members = [m for m in archive.namelist() if trust or m in MEMBERS]
        archive.extractall(folder, members)
        file = Path(folder, "config.json")
        config = json.loads(file.read_bytes())
        if not trust:
            check_config(config)
            for weights in Path(folder).glob("*.h5"):
                check_hdf5(weights)
        start_with_zeros(config)
        file.write_text(json.dumps(config), encoding="utf-8")
        return _loaded(Path(folder), trust)
