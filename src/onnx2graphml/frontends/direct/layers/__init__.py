"""The layers of `keras.layers`, a module for each family; a function is named as its layer."""

from onnx2graphml.frontends.direct import movements, operations  # noqa: F401
from onnx2graphml.frontends.direct.layers import (  # noqa: F401  (each registers its layers)
    activation,
    adaptive,
    attention,
    augmentation,
    conv_recurrent,
    convolution,
    core,
    einsum,
    encoding,
    equalization,
    heads,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    spectrogram,
    wrappers,
)
