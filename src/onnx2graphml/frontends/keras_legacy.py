"""Keras files of older versions, in the words of Keras 3: what it would read in another sense, without a word."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from onnx2graphml.frontends.keras_weights import start_with_zeros

SHAPE = "batch_input_shape"


@contextlib.contextmanager
def in_todays_words(path: Path) -> Iterator[Any]:
    """An `.h5` file as Keras 3 is to read it: the path, or where it says what its layers are, with other words for it.

    Example:
        >>> with in_todays_words(Path("model.h5")) as file:  # doctest: +SKIP
        ...     model = keras.saving.load_model(file)
    """
    import h5py

    class Reworded(h5py.File):  # type: ignore[misc]
        """The file, which says something else of its layers: nothing is written, and nothing copied."""

        words: Mapping[str, Any]

        @property
        def attrs(self) -> Any:
            return self.words

    with Reworded(path, "r") as file:
        file.words = dict(super(Reworded, file).attrs)
        text = file.words.get("model_config")
        if text is None:
            yield path
            return
        config = json.loads(text)
        add_input_layers(config)
        start_with_zeros(config)
        file.words = {**file.words, "model_config": json.dumps(config)}
        yield file


def add_input_layers(config: Any) -> None:
    """Give every Sequential that tells its input's shape in its first layer an InputLayer.

    Keras 3 takes that shape, batch axis included, for the shape of one sample, and so adds an axis.
    """
    for part in config if isinstance(config, list) else config.values() if isinstance(config, dict) else ():
        add_input_layers(part)
    if not isinstance(config, dict) or config.get("class_name") != "Sequential":
        return
    inner = config.get("config")
    layers = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(layers, list) or not layers or not isinstance(layers[0], dict):
        return
    own = layers[0].get("config")
    if layers[0].get("class_name") == "InputLayer" or not isinstance(own, dict) or SHAPE not in own:
        return
    described = {"name": f"{own.get('name', 'first')}_input", "dtype": own.get("dtype"), "batch_shape": own.pop(SHAPE)}
    layers.insert(0, {"class_name": "InputLayer", "config": described})
