"""The layers of `keras.layers`, a module for each family; a function is named as its layer."""

from onnx2graphml.frontends.direct import operations
from onnx2graphml.frontends.direct.layers import (
    activation,
    attention,
    augmentation,
    convolution,
    core,
    einsum,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    wrappers,
)

families = (
    activation,
    attention,
    augmentation,
    convolution,
    core,
    einsum,
    merging,
    normalization,
    operations,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    wrappers,
)
