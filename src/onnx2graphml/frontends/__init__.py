"""Other frameworks' models as ONNX. One file a framework, and the only files that import it.

A frontend returns an `Imported`: the ONNX model, and the framework's own prediction to hold it against.
What the framework calls a layer is written into the model itself, as metadata, so that it survives a file:

- on a node, `LAYER`: the name of the framework's layer that the node comes from; absent where there is none;
- on the model, `LAYERS`: a JSON list, in the framework's order, of `{"name", "class", "shape"}`, the shape that the
  framework shows without the batch axis (absent when the layer has several outputs);
- on the model, `CHANNELS_LAST`: `"true"` where the framework shows (row, column, channel).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx

LAYER = "onnx2graphml.layer"
LAYERS = "onnx2graphml.layers"
CHANNELS_LAST = "onnx2graphml.channels_last"


KERAS_SUFFIXES = (".keras", ".h5", ".hdf5")

LARGE = 1 << 16
"""Elements of a weight that is kept once, as an array beside the model: in it, it would be a copy."""


@dataclass(frozen=True)
class Imported:
    """A model brought in from a framework.

    Attributes:
        proto: the model as ONNX, its weights inside, except those in `weights`.
        predict: the framework's own prediction: arrays by ONNX input name, batch axis of size 1 included,
            to a list of arrays in the order of the ONNX outputs.
        weights: large weights, by the names under which `proto` has them as additional inputs.
    """

    proto: onnx.ModelProto
    predict: Callable[[Mapping[str, np.ndarray]], Sequence[np.ndarray]]
    weights: Mapping[str, np.ndarray] = field(default_factory=dict)
