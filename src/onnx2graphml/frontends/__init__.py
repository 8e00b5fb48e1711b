"""Other frameworks' models as ONNX. One file a framework, and the only files that import it.

A frontend returns an `Imported`: the ONNX model, and the framework's own prediction to hold it against.
What the framework calls a layer is written into the model itself; see `model.metadata`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.model.light import LightModel

FILES = {
    ".keras": "onnx2graphml.frontends.direct.files:load_file",
    ".h5": "onnx2graphml.frontends.direct.files:load_file",
    ".hdf5": "onnx2graphml.frontends.direct.files:load_file",
    ".pt2": "onnx2graphml.frontends.torch_files:load_exported",
}
"""By suffix: `module:name` of a function from `(path, *, shapes, trust)` to an `Imported`."""
FOLDER = "onnx2graphml.frontends.keras_files:load_keras"
"""The same for a folder, which is a SavedModel."""


Feed = Mapping[str, np.ndarray]
Predict = Callable[[Feed], Sequence[np.ndarray]]


@dataclass(frozen=True)
class Imported:
    """A model brought in from a framework.

    Attributes:
        light: the model as ONNX, and large weights, which are not copied.
        predict: the framework's own prediction: arrays by ONNX input name, batch axis of size 1 included,
            to a list of arrays in the order of the ONNX outputs. None where the framework was not needed.
        outputs_of_layers: what each layer puts out in the framework, by its name, with `#2` and so on behind it for its
            later calls, and with the batch axis. Layers of several outputs are missing.
        other_predictions: other ways to predict, where the framework does not get it right in each.
        examples: inputs to compare the export with, where the user gave some.
        roundoff: the unit roundoff that the framework computes with, where that is not the outputs'.
        notes: what the user should know of how the model was brought in.
    """

    light: LightModel
    predict: Predict | None = None
    outputs_of_layers: Callable[[Feed], Mapping[str, np.ndarray]] = lambda feed: {}
    other_predictions: tuple[Predict, ...] = ()
    examples: Sequence[Feed] = ()
    roundoff: float = 0.0
    notes: tuple[str, ...] = ()
