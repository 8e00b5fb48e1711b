"""Keras files of older versions, in the words of Keras 3: what it would read in another sense, without a word."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHAPE = "batch_input_shape"


@contextlib.contextmanager
def in_todays_words(path: Path) -> Iterator[Any]:
    """An `.h5` file as Keras 3 is to read it: the path, or where something has to be changed, a copy in memory.

    Example:
        >>> with in_todays_words(Path("model.h5")) as file:  # doctest: +SKIP
        ...     model = keras.saving.load_model(file)
    """
    import h5py

    with h5py.File(path, "r") as file:
        text = file.attrs.get("model_config")
    config = None if text is None else json.loads(text)
    if config is None or not _add_input_layers(config):
        yield path
        return
    with h5py.File(io.BytesIO(path.read_bytes()), "r+") as copy:
        copy.attrs["model_config"] = json.dumps(config)
        yield copy


def _add_input_layers(config: Any) -> bool:
    """Give every Sequential that tells its input's shape in its first layer an InputLayer; whether there was any.

    Keras 3 takes that shape, batch axis included, for the shape of one sample, and so adds an axis.
    """
    parts = config if isinstance(config, list) else config.values() if isinstance(config, dict) else ()
    found = sum(map(_add_input_layers, parts)) > 0
    if not isinstance(config, dict) or config.get("class_name") != "Sequential":
        return found
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(layers, list) or not layers or not isinstance(layers[0], dict):
        return found
    own = layers[0].get("config")
    if layers[0].get("class_name") == "InputLayer" or not isinstance(own, dict) or SHAPE not in own:
        return found
    described = {"name": f"{own.get('name', 'first')}_input", "dtype": own.get("dtype"), "batch_shape": own.pop(SHAPE)}
    layers.insert(0, {"class_name": "InputLayer", "config": described})
    return True
