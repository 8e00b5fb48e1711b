"""Every built-in layer of Keras: a small model of it, or the reason why it is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers as K

from alike import differences
from onnx2graphml.api.loading import _imported
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.hdf5 import read_hdf5
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.inputs import made
from onnx2graphml.verification.against_runtime import prediction_rows
from onnx2graphml.verification.report import Row

PICTURE, VOLUME, STEPS, ROW = (8, 8, 3), (4, 4, 4, 2), (6, 4), (5,)


def of(layer: Any, shape: tuple[int, ...], dtype: str = "float32") -> keras.Model:
    """A model of one layer, or of a function of Keras tensors."""
    x = keras.Input(shape, dtype=dtype)
    return keras.Model(x, layer(x))


def of_two(layer: Callable[[Any, Any], Any], a: tuple[int, ...] = ROW, b: tuple[int, ...] = ROW) -> keras.Model:
    one, two = keras.Input(a), keras.Input(b)
    return keras.Model([one, two], layer(one, two))


def merging(layer: type[Any], **options: Any) -> Callable[[], keras.Model]:
    return lambda: of_two(lambda a, b: layer(**options)([a, b]))


def crossed() -> keras.Model:
    one, two = (keras.Input((1,), dtype="int32") for _ in range(2))
    return keras.Model([one, two], K.HashedCrossing(5)((one, two)))


def adapted() -> Any:
    layer = K.Normalization()
    layer.adapt(np.random.default_rng(0).standard_normal((20, *STEPS)).astype(np.float32))
    return layer


LAYERS: dict[str, Callable[[], keras.Model]] = {
    "Activation": lambda: of(K.Activation("gelu"), ROW),
    "ActivityRegularization": lambda: of(K.ActivityRegularization(0.1), ROW),
    "AdaptiveAveragePooling1D": lambda: of(K.AdaptiveAveragePooling1D(4), STEPS),
    "AdaptiveAveragePooling2D": lambda: of(K.AdaptiveAveragePooling2D((3, 5)), PICTURE),
    "AdaptiveAveragePooling3D": lambda: of(K.AdaptiveAveragePooling3D(3), VOLUME),
    "AdaptiveMaxPooling1D": lambda: of(K.AdaptiveMaxPooling1D(4), STEPS),
    "AdaptiveMaxPooling2D": lambda: of(K.AdaptiveMaxPooling2D((3, 5)), PICTURE),
    "AdaptiveMaxPooling3D": lambda: of(K.AdaptiveMaxPooling3D(3), VOLUME),
    "Add": merging(K.Add),
    "AdditiveAttention": lambda: of_two(lambda a, b: K.AdditiveAttention()([a, b]), (5, 4), (6, 4)),
    "AlphaDropout": lambda: of(K.AlphaDropout(0.2), ROW),
    "Attention": lambda: of_two(lambda a, b: K.Attention()([a, b]), (5, 4), (6, 4)),
    "AugMix": lambda: of(K.AugMix(), PICTURE),
    "AutoContrast": lambda: of(K.AutoContrast(), PICTURE),
    "Average": merging(K.Average),
    "AveragePooling1D": lambda: of(K.AveragePooling1D(2), STEPS),
    "AveragePooling2D": lambda: of(K.AveragePooling2D(3, padding="same"), PICTURE),
    "AveragePooling3D": lambda: of(K.AveragePooling3D(2), VOLUME),
    "BatchNormalization": lambda: of(K.BatchNormalization(), STEPS),
    "Bidirectional": lambda: of(K.Bidirectional(K.LSTM(3, return_sequences=True)), STEPS),
    "CategoryEncoding": lambda: of(K.CategoryEncoding(5, output_mode="one_hot"), (1,), "int32"),
    "CenterCrop": lambda: of(K.CenterCrop(3, 4), PICTURE),
    "Concatenate": merging(K.Concatenate),
    "ContrastLimitedAdaptiveHistogramEqualization": lambda: of(
        K.ContrastLimitedAdaptiveHistogramEqualization(), PICTURE
    ),
    "Conv1D": lambda: of(K.Conv1D(3, 3, padding="causal"), STEPS),
    "Conv1DTranspose": lambda: of(K.Conv1DTranspose(3, 3), STEPS),
    "Conv2D": lambda: of(K.Conv2D(3, 3, strides=2, activation="relu"), PICTURE),
    "Conv2DTranspose": lambda: of(K.Conv2DTranspose(3, 3, strides=2), PICTURE),
    "Conv3D": lambda: of(K.Conv3D(3, 2), VOLUME),
    "Conv3DTranspose": lambda: of(K.Conv3DTranspose(3, 2), VOLUME),
    "ConvLSTM1D": lambda: of(K.ConvLSTM1D(2, 3), (3, 6, 2)),
    "ConvLSTM2D": lambda: of(K.ConvLSTM2D(2, 3), (3, 5, 5, 2)),
    "ConvLSTM3D": lambda: of(K.ConvLSTM3D(2, 2), (2, 3, 3, 3, 1)),
    "Cropping1D": lambda: of(K.Cropping1D(1), STEPS),
    "Cropping2D": lambda: of(K.Cropping2D(((1, 2), (0, 1))), PICTURE),
    "Cropping3D": lambda: of(K.Cropping3D(1), VOLUME),
    "CutMix": lambda: of(K.CutMix(), PICTURE),
    "Dense": lambda: of(K.Dense(4, activation="softmax"), ROW),
    "DepthwiseConv1D": lambda: of(K.DepthwiseConv1D(3), STEPS),
    "DepthwiseConv2D": lambda: of(K.DepthwiseConv2D(3, depth_multiplier=2), PICTURE),
    "Discretization": lambda: of(K.Discretization(bin_boundaries=[0.0, 0.5, 1.0]), ROW),
    "Dot": lambda: of_two(lambda a, b: K.Dot(2, normalize=True)([a, b]), (5, 4), (6, 4)),
    "Dropout": lambda: of(K.Dropout(0.5), ROW),
    "ELU": lambda: of(K.ELU(0.7), ROW),
    "EinsumDense": lambda: of(K.EinsumDense("abc,cd->abd", output_shape=(None, 3), bias_axes="d"), STEPS),
    "Embedding": lambda: of(K.Embedding(11, 4), (6,), "int32"),
    "Flatten": lambda: of(K.Flatten(), STEPS),
    "GRU": lambda: of(K.GRU(3), STEPS),
    "GRUCell": lambda: of(K.RNN(K.GRUCell(3, reset_after=False)), STEPS),
    "GaussianDropout": lambda: of(K.GaussianDropout(0.2), ROW),
    "GaussianNoise": lambda: of(K.GaussianNoise(0.2), ROW),
    "GlobalAveragePooling1D": lambda: of(K.GlobalAveragePooling1D(), STEPS),
    "GlobalAveragePooling2D": lambda: of(K.GlobalAveragePooling2D(), PICTURE),
    "GlobalAveragePooling3D": lambda: of(K.GlobalAveragePooling3D(), VOLUME),
    "GlobalMaxPooling1D": lambda: of(K.GlobalMaxPooling1D(), STEPS),
    "GlobalMaxPooling2D": lambda: of(K.GlobalMaxPooling2D(), PICTURE),
    "GlobalMaxPooling3D": lambda: of(K.GlobalMaxPooling3D(), VOLUME),
    "GroupNormalization": lambda: of(K.GroupNormalization(3), PICTURE),
    "GroupedQueryAttention": lambda: of_two(lambda a, b: K.GroupQueryAttention(4, 4, 2)(a, b), (5, 4), (6, 4)),
    "HashedCrossing": crossed,
    "Hashing": lambda: of(K.Hashing(3), (1,), "int32"),
    "Identity": lambda: of(K.Identity(), ROW),
    "IntegerLookup": lambda: of(K.IntegerLookup(vocabulary=[3, 5, 7]), (2,), "int64"),
    "LSTM": lambda: of(K.LSTM(3), STEPS),
    "LSTMCell": lambda: of(K.RNN(K.LSTMCell(3), go_backwards=True), STEPS),
    "Lambda": lambda: of(K.Lambda(lambda x: 2 * x), ROW),
    "LayerNormalization": lambda: of(K.LayerNormalization(), STEPS),
    "LeakyReLU": lambda: of(K.LeakyReLU(), ROW),
    "Masking": lambda: of(lambda x: K.LSTM(3)(K.Masking()(x)), STEPS),
    "MaxNumBoundingBoxes": lambda: of(K.MaxNumBoundingBoxes(2), PICTURE),
    "MaxPooling1D": lambda: of(K.MaxPooling1D(2), STEPS),
    "MaxPooling2D": lambda: of(K.MaxPooling2D(3, strides=2, padding="same"), PICTURE),
    "MaxPooling3D": lambda: of(K.MaxPooling3D(2), VOLUME),
    "Maximum": merging(K.Maximum),
    "MelSpectrogram": lambda: of(
        K.MelSpectrogram(fft_length=16, sequence_stride=8, num_mel_bins=4, sampling_rate=100, max_freq=50),
        (32,),
    ),
    "Minimum": merging(K.Minimum),
    "MixUp": lambda: of(K.MixUp(), PICTURE),
    "MultiHeadAttention": lambda: of_two(lambda a, b: K.MultiHeadAttention(2, 4)(a, b), (5, 4), (6, 4)),
    "Multiply": merging(K.Multiply),
    "Normalization": lambda: of(adapted(), STEPS),
    "PReLU": lambda: of(K.PReLU(), ROW),
    "Permute": lambda: of(K.Permute((2, 1)), STEPS),
    "RMSNormalization": lambda: of(K.RMSNormalization(), STEPS),
    "RNN": lambda: of(K.RNN([K.LSTMCell(3), K.GRUCell(2)]), STEPS),
    "ReLU": lambda: of(K.ReLU(6.0, negative_slope=0.1), ROW),
    "RepeatVector": lambda: of(K.RepeatVector(3), ROW),
    "Rescaling": lambda: of(K.Rescaling(1 / 255, offset=-1), PICTURE),
    "Reshape": lambda: of(K.Reshape((4, 6)), STEPS),
    "Resizing": lambda: of(K.Resizing(5, 6), PICTURE),
    "ReversibleEmbedding": lambda: of(K.ReversibleEmbedding(11, 4), (6,), "int32"),
    "STFTSpectrogram": lambda: of(
        K.STFTSpectrogram(mode="magnitude", frame_length=8, frame_step=4, fft_length=8), (16, 1)
    ),
    "SeparableConv1D": lambda: of(K.SeparableConv1D(3, 3), STEPS),
    "SeparableConv2D": lambda: of(K.SeparableConv2D(3, 3), PICTURE),
    "SimpleRNN": lambda: of(K.SimpleRNN(3, return_sequences=True), STEPS),
    "SimpleRNNCell": lambda: of(K.RNN(K.SimpleRNNCell(3)), STEPS),
    "Softmax": lambda: of(K.Softmax(axis=1), STEPS),
    "Solarization": lambda: of(K.Solarization(), PICTURE),
    "SpatialDropout1D": lambda: of(K.SpatialDropout1D(0.2), STEPS),
    "SpatialDropout2D": lambda: of(K.SpatialDropout2D(0.2), PICTURE),
    "SpatialDropout3D": lambda: of(K.SpatialDropout3D(0.2), VOLUME),
    "SpectralNormalization": lambda: of(K.SpectralNormalization(K.Dense(3)), ROW),
    "StackedRNNCells": lambda: of(K.RNN(K.StackedRNNCells([K.LSTMCell(3), K.SimpleRNNCell(2)])), STEPS),
    "StringLookup": lambda: of(K.StringLookup(vocabulary=["a", "b"]), (1,), "string"),
    "Subtract": merging(K.Subtract),
    "TextVectorization": lambda: of(K.TextVectorization(vocabulary=["a", "b"]), (1,), "string"),
    "TimeDistributed": lambda: of(K.TimeDistributed(K.Dense(3)), STEPS),
    "UnitNormalization": lambda: of(K.UnitNormalization(), STEPS),
    "UpSampling1D": lambda: of(K.UpSampling1D(2), STEPS),
    "UpSampling2D": lambda: of(K.UpSampling2D((2, 3), interpolation="bilinear"), PICTURE),
    "UpSampling3D": lambda: of(K.UpSampling3D(2), VOLUME),
    "ZeroPadding1D": lambda: of(K.ZeroPadding1D(1), STEPS),
    "ZeroPadding2D": lambda: of(K.ZeroPadding2D(((1, 2), (0, 1))), PICTURE),
    "ZeroPadding3D": lambda: of(K.ZeroPadding3D(1), VOLUME),
}

AUGMENTING: dict[str, Callable[[], Any]] = {
    "RandomBrightness": lambda: K.RandomBrightness(0.2),
    "RandomColorDegeneration": lambda: K.RandomColorDegeneration(0.2),
    "RandomContrast": lambda: K.RandomContrast(0.2),
    "RandomCrop": lambda: K.RandomCrop(5, 6),
    "RandomHue": lambda: K.RandomHue(0.2),
    "RandomPosterization": lambda: K.RandomPosterization(4),
    "RandomRotation": lambda: K.RandomRotation(0.2),
    "RandomSaturation": lambda: K.RandomSaturation(0.2),
    "RandomSharpness": lambda: K.RandomSharpness(0.2),
    "RandomTranslation": lambda: K.RandomTranslation(0.2, 0.2),
    "RandomZoom": lambda: K.RandomZoom(0.2),
}
"""Those that need a parameter."""


def augmenting(layer: type[Any]) -> Callable[[], keras.Model]:
    return lambda: of(AUGMENTING.get(layer.__name__, layer)(), PICTURE)


LAYERS |= {name: augmenting(layer) for name, layer in vars(K).items() if name.startswith("Rand")}

NO_LAYERS = {
    "Equalization", "FlaxLayer", "InputLayer", "JaxLayer", "Layer", "Pipeline", "TFSMLayer", "TorchModuleWrapper",
    "Wrapper",
}  # fmt: skip
"""Bases, containers, layers of other frameworks; and Equalization, of which Keras 3.15 itself can't make a model."""


def randomized(model: keras.Model) -> keras.Model:
    """With weights of which none is 0 or 1, so that no error is hidden."""
    for k, variable in enumerate(model.weights):
        if "float" in str(variable.dtype):
            value = np.random.default_rng(k).standard_normal(variable.shape) * 0.3
            variable.assign(np.abs(value) + 0.05 if "variance" in variable.name else value)
    for layer in model.layers:
        if isinstance(layer, K.Normalization):
            layer.finalize_state()  # as when a file is read
    return model


NOTHING = (K.Dropout, K.GaussianDropout, K.GaussianNoise, K.AlphaDropout, K.SpatialDropout1D, K.SpatialDropout2D)
"""Layers that do nothing but in training: in the middle of a network, none is left of them."""

MERGED = (K.ZeroPadding1D, K.ZeroPadding2D, K.ZeroPadding3D)
"""Layers that may become a part of the convolution behind them, as the README says."""


def does_nothing(layer: keras.Layer) -> bool:
    """Whether nothing need be left of a layer in the middle of a network."""
    is_linear = isinstance(layer, K.Activation) and layer.activation is keras.activations.linear
    return is_linear or isinstance(layer, (*NOTHING, *MERGED))


def rows(model: keras.Model, prefix: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """The layers of a model and of the models within it, by name."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from rows(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def disagreements(model: keras.Model, graph: NeuronGraph) -> list[str]:
    """How a graph's layers differ from what `model.layers` says: names, order, shapes, parameters."""
    place = {layer.name: k for k, layer in enumerate(graph.layers)}
    named = list(rows(model))
    found, last = [], -1
    for name, layer in named:
        if name not in place:
            found += [] if does_nothing(layer) else [f"{name} is missing"]
            continue
        if place[name] < last:
            found.append(f"{name} stands before one that Keras has before it")
        last = place[name]
        if isinstance(layer.output, keras.KerasTensor) and None not in (expected := layer.output.shape[1:]):
            shape = graph.layers[last].shape
            found += [] if shape == expected else [f"{name} has shape {shape}; in Keras {expected}"]
    operations = {operation.name for operation in getattr(model, "operations", ())}  # functions among the layers
    for other in place.keys() - operations:
        if graph.layer(other).aggregation != "input" and not any(
            other == name or other.startswith((f"{name}/", f"{name}#")) for name, _ in named
        ):
            found.append(f"{other} is no layer of Keras'")
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_weights)
    return found if graph.parameters == trained else [*found, f"{graph.parameters} parameters; in Keras {trained}"]


DISAGREE = {
    "Masking": ["is no layer of Keras'"],
    "RandomCrop": ["random_crop has shape (8, 8, 3); in Keras (5, 6, 3)"],
}
"""A mask is computed between Keras' layers; and what Keras says of RandomCrop is not what it computes."""


def every_layer() -> set[str]:
    """The names of all of Keras' layers, without aliases."""
    return {c.__name__ for c in vars(K).values() if isinstance(c, type) and issubclass(c, keras.Layer)} - NO_LAYERS


BY_TENSORFLOW = {"Lambda"}
"""Layers that a .keras file is not read with directly: Keras and TensorFlow read it."""


NOT_IN_HDF5 = {"Masking", "RandomBrightness", "RandomColorDegeneration", "RandomPosterization", "RandomSaturation",
               "RandomSharpness", "Solarization"}  # fmt: skip
"""Those that Keras can't write into an .h5 file, or can't read again: the first has an operation beside it here."""


def assert_read_from_hdf5(model: keras.Model, path: Path) -> None:
    """A model's .h5 file has the graph of its .keras file, which lies there."""
    model.save(path.with_suffix(".h5"))
    found = _imported(read_hdf5(path.with_suffix(".h5"), {}), path.name, "layer", False)
    assert read_differences(path, found) == []


def read_differences(path: Path, graph: NeuronGraph) -> list[str]:
    """How the graph of a file without TensorFlow differs from another one."""
    return differences(read_directly(path), graph)


def read_directly(path: Path) -> NeuronGraph:
    """The graph of a file without TensorFlow."""
    return _imported(read_archive(path, {}), path.name, "layer", False)


def assert_read_directly(path: Path, graph: NeuronGraph) -> None:
    """Without TensorFlow, a file has the graph that its model has by way of it, and computes what Keras does."""
    found = read_directly(path)
    assert differences(found, graph) == []
    assert all(row.passed for row in predicted(found, graph))


def predicted(found: NeuronGraph, graph: NeuronGraph, off: Sequence[int] = ()) -> list[Row]:
    """What one graph predicts against what Keras does by the other one's model; some steps of the inputs are 0."""
    other = graph.require_model()
    model = dataclasses.replace(
        found.require_model(),
        predict=other.predict,
        other_predictions=other.other_predictions,
        framework_roundoff=other.framework_roundoff,
    )
    feeds = made("random", model)
    for array in feeds.values() if off else ():
        array[:, list(off)] = 0
    return prediction_rows(found, model, feeds)


REFUSED = {
    "HashedCrossing": "SparseCross has no standard ONNX operator",
    "Hashing": "StringToHashBucketFast has no standard ONNX operator",
    "IntegerLookup": "LookupTableFindV2 has no standard ONNX operator",
    "MelSpectrogram": "RFFT has no standard ONNX operator",
    "StringLookup": "LookupTableFindV2 has no standard ONNX operator",
    "TextVectorization": "StaticRegexReplace has no standard ONNX operator",
}
"""With what message; the page of frameworks says why."""
