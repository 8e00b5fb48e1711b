"""`keras.layers`, regularization: layers that do something in training alone."""

from __future__ import annotations

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.values import Value


@layer(
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    takes=dict.fromkeys(("rate", "seed", "noise_shape", "stddev", "l1", "l2", "data_format")),
)
def Dropout(call: Call, x: Value) -> Value:
    """The same: noise is for training."""
    return x
