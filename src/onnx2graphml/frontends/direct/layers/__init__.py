"""The layers of `keras.layers`, a module for each family; a function is named as its layer."""

from onnx2graphml.frontends.direct import operations
from onnx2graphml.frontends.direct.layers import (
    activation,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    preprocessing,
    regularization,
    reshaping,
)

families = (
    activation,
    convolution,
    core,
    merging,
    normalization,
    operations,
    pooling,
    preprocessing,
    regularization,
    reshaping,
)
