"""Every layer of Keras, and its applications: names, order, shapes, parameters and values are Keras' own.

The tests walk `keras.layers`: a layer that a later Keras brings has to be added here, as converted, as computing
nothing when it predicts, as refused (and for what), or as no part of a network.
"""

import re

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.inference.activations import activations

keras = pytest.importorskip("keras")

L = keras.layers

VECTOR, SERIES, PICTURE, VOLUME = (6,), (5, 4), (6, 5, 3), (4, 5, 4, 2)

# What a layer is made with, and what goes into it: one shape, or a list of them. `L.X` where nothing else is said.
CONVERTED = {
    "Activation": (VECTOR, lambda: L.Activation("tanh")),
    "ELU": (VECTOR, L.ELU),
    "LeakyReLU": (VECTOR, L.LeakyReLU),
    "PReLU": (PICTURE, lambda: L.PReLU(shared_axes=[1, 2])),
    "ReLU": (PICTURE, lambda: L.ReLU(6.0)),
    "Softmax": (SERIES, lambda: L.Softmax(axis=1)),
    "AdditiveAttention": ([SERIES, SERIES], L.AdditiveAttention),
    "Attention": ([SERIES, SERIES], L.Attention),
    "GroupedQueryAttention": ([SERIES, SERIES], lambda: L.GroupQueryAttention(3, 4, 2)),
    "MultiHeadAttention": ([SERIES, SERIES], lambda: L.MultiHeadAttention(2, 3)),
    "Conv1D": (SERIES, lambda: L.Conv1D(3, 2, padding="causal", activation="relu")),
    "Conv1DTranspose": (SERIES, lambda: L.Conv1DTranspose(3, 3, strides=2, padding="same")),
    "Conv2D": (PICTURE, lambda: L.Conv2D(4, 3, strides=2, padding="same", activation="gelu")),
    "Conv2DTranspose": (PICTURE, lambda: L.Conv2DTranspose(2, 3, strides=2)),
    "Conv3D": (VOLUME, lambda: L.Conv3D(3, 2)),
    "Conv3DTranspose": (VOLUME, lambda: L.Conv3DTranspose(3, 2, strides=2)),
    "DepthwiseConv1D": (SERIES, lambda: L.DepthwiseConv1D(2, depth_multiplier=2)),
    "DepthwiseConv2D": (PICTURE, lambda: L.DepthwiseConv2D(3, padding="same")),
    "SeparableConv1D": (SERIES, lambda: L.SeparableConv1D(3, 2)),
    "SeparableConv2D": (PICTURE, lambda: L.SeparableConv2D(4, 3)),
    "Dense": (SERIES, lambda: L.Dense(3, activation="softmax")),
    "EinsumDense": (SERIES, lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")),
    "Lambda": (VECTOR, lambda: L.Lambda(lambda x: x * 2 + 1, output_shape=VECTOR)),
    "Add": ([PICTURE, PICTURE], L.Add),
    "Average": ([PICTURE, PICTURE], L.Average),
    "Concatenate": ([PICTURE, PICTURE], L.Concatenate),
    "Dot": ([SERIES, SERIES], lambda: L.Dot(axes=2)),
    "Maximum": ([PICTURE, PICTURE], L.Maximum),
    "Minimum": ([PICTURE, PICTURE], L.Minimum),
    "Multiply": ([PICTURE, PICTURE], L.Multiply),
    "Subtract": ([PICTURE, PICTURE], L.Subtract),
    "BatchNormalization": (PICTURE, L.BatchNormalization),
    "GroupNormalization": ((4, 4, 6), lambda: L.GroupNormalization(3)),
    "LayerNormalization": (SERIES, L.LayerNormalization),
    "RMSNormalization": (SERIES, L.RMSNormalization),
    "SpectralNormalization": (VECTOR, lambda: L.SpectralNormalization(L.Dense(3))),
    "UnitNormalization": (VECTOR, L.UnitNormalization),
    "AdaptiveAveragePooling1D": (SERIES, lambda: L.AdaptiveAveragePooling1D(2)),
    "AdaptiveAveragePooling2D": (PICTURE, lambda: L.AdaptiveAveragePooling2D(2)),
    "AdaptiveAveragePooling3D": (VOLUME, lambda: L.AdaptiveAveragePooling3D(2)),
    "AdaptiveMaxPooling1D": (SERIES, lambda: L.AdaptiveMaxPooling1D(2)),
    "AdaptiveMaxPooling2D": (PICTURE, lambda: L.AdaptiveMaxPooling2D(2)),
    "AdaptiveMaxPooling3D": (VOLUME, lambda: L.AdaptiveMaxPooling3D(2)),
    "AveragePooling1D": (SERIES, lambda: L.AveragePooling1D(2)),
    "AveragePooling2D": (PICTURE, lambda: L.AveragePooling2D(3, 2, padding="same")),
    "AveragePooling3D": (VOLUME, lambda: L.AveragePooling3D(2)),
    "GlobalAveragePooling1D": (SERIES, L.GlobalAveragePooling1D),
    "GlobalAveragePooling2D": (PICTURE, lambda: L.GlobalAveragePooling2D(keepdims=True)),
    "GlobalAveragePooling3D": (VOLUME, L.GlobalAveragePooling3D),
    "GlobalMaxPooling1D": (SERIES, L.GlobalMaxPooling1D),
    "GlobalMaxPooling2D": (PICTURE, L.GlobalMaxPooling2D),
    "GlobalMaxPooling3D": (VOLUME, L.GlobalMaxPooling3D),
    "MaxPooling1D": ((61, 16), L.MaxPooling1D),
    "MaxPooling2D": (PICTURE, lambda: L.MaxPooling2D(3, 2, padding="same")),
    "MaxPooling3D": (VOLUME, L.MaxPooling3D),
    "Masking": (SERIES, lambda: L.Masking(0.5)),
    "AutoContrast": (PICTURE, L.AutoContrast),
    "CenterCrop": (PICTURE, lambda: L.CenterCrop(4, 3)),
    "Resizing": (PICTURE, lambda: L.Resizing(12, 10, interpolation="nearest")),
    "Normalization": (VECTOR, lambda: L.Normalization(mean=[1.0] * 6, variance=[2.0] * 6)),
    "Rescaling": (PICTURE, lambda: L.Rescaling(1 / 127.5, -1)),
    "Cropping1D": (SERIES, L.Cropping1D),
    "Cropping2D": (PICTURE, lambda: L.Cropping2D(((1, 0), (0, 2)))),
    "Cropping3D": (VOLUME, L.Cropping3D),
    "Flatten": (PICTURE, L.Flatten),
    "Permute": (PICTURE, lambda: L.Permute((3, 1, 2))),
    "RepeatVector": (VECTOR, lambda: L.RepeatVector(3)),
    "Reshape": (PICTURE, lambda: L.Reshape((10, 9))),
    "UpSampling1D": (SERIES, L.UpSampling1D),
    "UpSampling2D": (PICTURE, lambda: L.UpSampling2D((2, 3))),
    "UpSampling3D": (VOLUME, L.UpSampling3D),
    "ZeroPadding1D": (SERIES, L.ZeroPadding1D),
    "ZeroPadding2D": (PICTURE, lambda: L.ZeroPadding2D(((1, 0), (0, 2)))),
    "ZeroPadding3D": (VOLUME, L.ZeroPadding3D),
    "Bidirectional": (SERIES, lambda: L.Bidirectional(L.LSTM(2, return_sequences=True))),
    "ConvLSTM1D": ((3, 5, 2), lambda: L.ConvLSTM1D(2, 3)),
    "ConvLSTM2D": ((2, 4, 4, 2), lambda: L.ConvLSTM2D(2, 3)),
    "ConvLSTM3D": ((2, 3, 3, 3, 1), lambda: L.ConvLSTM3D(1, 2)),
    "GRU": (SERIES, lambda: L.GRU(3)),
    "LSTM": (SERIES, lambda: L.LSTM(3, return_sequences=True)),
    "RNN": (SERIES, lambda: L.RNN(L.SimpleRNNCell(3))),
    "SimpleRNN": (SERIES, lambda: L.SimpleRNN(3)),
    "StackedRNNCells": (SERIES, lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(2)]))),
    "TimeDistributed": (SERIES, lambda: L.TimeDistributed(L.Dense(6))),
}

# These pass on what they get when the model predicts.
HALF = {"factor": 0.5}
NOTHING = {
    "Identity": {},
    "ActivityRegularization": {},
    "AlphaDropout": {"rate": 0.5},
    "Dropout": {"rate": 0.5},
    "GaussianDropout": {"rate": 0.5},
    "GaussianNoise": {"stddev": 0.5},
    "SpatialDropout1D": {"rate": 0.5},
    "SpatialDropout2D": {"rate": 0.5},
    "SpatialDropout3D": {"rate": 0.5},
    "AugMix": {},
    "CutMix": {},
    "MixUp": {},
    "RandAugment": {},
    "RandomBrightness": HALF,
    "RandomColorDegeneration": HALF,
    "RandomColorJitter": {},
    "RandomContrast": HALF,
    "RandomCrop": {"height": 4, "width": 4},
    "RandomElasticTransform": {},
    "RandomErasing": {},
    "RandomFlip": {},
    "RandomGaussianBlur": {},
    "RandomGrayscale": {},
    "RandomHue": HALF,
    "RandomInvert": {},
    "RandomPerspective": {},
    "RandomPosterization": {"factor": 4},
    "RandomRotation": HALF,
    "RandomSaturation": HALF,
    "RandomSharpness": HALF,
    "RandomShear": {"x_factor": 0.5},
    "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.5},
    "RandomZoom": {"height_factor": 0.5},
    "Solarization": {},
}

# What is refused, with the operator that is missing or that ONNX doesn't have.
REFUSED = {
    "Bidirectional": "ReverseSequence",
    "Resizing": "Resize",
    "ContrastLimitedAdaptiveHistogramEqualization": "Compress|ScatterND|Bincount|NonZero",
    "IntegerLookup": "LookupTableFindV2",
    "MelSpectrogram": "RFFT",
}

NO_NETWORK = {
    "InputLayer": "the input itself, in every other test",
    "Layer": "to be derived from",
    "Wrapper": "to be derived from",
    "GRUCell": "a part of GRU, in RNN",
    "LSTMCell": "a part of LSTM, in RNN",
    "SimpleRNNCell": "a part of SimpleRNN, in RNN",
    "FlaxLayer": "of another framework",
    "JaxLayer": "of another framework",
    "TorchModuleWrapper": "of another framework",
    "TFSMLayer": "reads a SavedModel, which runs its code",
    "MaxNumBoundingBoxes": "takes dictionaries of boxes",
    "Pipeline": "prepares data",
    "Equalization": "gives back its symbolic input, which Keras then takes for a cycle",
    "CategoryEncoding": "takes integers",
    "Discretization": "gives integers",
    "Embedding": "takes integers; see test_keras_faults",
    "ReversibleEmbedding": "takes integers",
    "HashedCrossing": "takes strings or integers",
    "Hashing": "takes strings or integers",
    "StringLookup": "takes strings",
    "TextVectorization": "takes strings",
    "STFTSpectrogram": "the Fourier transform of MelSpectrogram",
}


def all_layers():
    classes = {c.__name__ for c in vars(L).values() if isinstance(c, type) and issubclass(c, L.Layer)}
    return sorted(classes)


def test_every_layer_of_keras_is_accounted_for():
    known = [*CONVERTED, *NOTHING, *NO_NETWORK, *(REFUSED.keys() - CONVERTED.keys())]
    assert sorted(known) == all_layers()


def network(shapes, layer):
    """Inputs x0, x1 ..., and one layer, its weights random."""
    many = shapes if isinstance(shapes, list) else [shapes]
    inputs = [keras.Input(shape, name=f"x{k}") for k, shape in enumerate(many)]
    layer.name = "layer"
    several = len(inputs) > 1
    apart = type(layer).__name__ in ("MultiHeadAttention", "GroupedQueryAttention")
    model = keras.Model(inputs, layer(*inputs) if apart else layer(inputs if several else inputs[0]))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.dtype == "float32":
            positive = "variance" in variable.path
            variable.assign(rng.uniform(0.5, 1.5, variable.shape) if positive else rng.normal(0, 0.5, variable.shape))
    return model


def check_layer(model):
    """Name, order, shape, parameters and values of the layer are what Keras says and computes."""
    graph = o2g.load(model)
    names = [x.name for x in graph.layers if x.aggregation != "constant"]
    inputs = [tensor.name for tensor in model.inputs]
    assert [name for name in names if not name.startswith("layer/")] == [*inputs, "layer"]
    rng = np.random.default_rng(1)
    sizes = {tensor.name: (1, *tensor.shape[1:]) for tensor in model.inputs}
    feed = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    expected = np.asarray(model(list(feed.values()), training=False))[0]
    assert graph.layer("layer").shape == expected.shape
    np.testing.assert_allclose(activations(graph, feed)["layer"], expected, rtol=1e-3, atol=1e-4)
    assert graph.parameters == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    assert o2g.verify(graph).passed


@pytest.mark.parametrize("name", CONVERTED)
def test_a_layer_is_what_keras_says(name):
    shapes, make = CONVERTED[name]
    model = network(shapes, make())
    try:
        check_layer(model)
    except Error as e:
        if name not in REFUSED or not re.search(f"layer 'layer'.*({REFUSED[name]})", str(e)):
            raise
        pytest.xfail(f"refused: {e}"[:150])


@pytest.mark.parametrize("name", NOTHING)
def test_a_layer_that_only_trains_computes_nothing(name):
    rank = {"1D": SERIES, "3D": VOLUME}.get(name[-2:], PICTURE)
    model = network(rank, getattr(L, name)(**NOTHING[name]))
    graph = o2g.load(model)
    x = np.random.default_rng(1).normal(size=(1, *rank)).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(model(x, training=False)), x)
    assert [(layer.name, layer.in_edges) for layer in graph.layers] == [("x0", 0), ("layer", x.size)]
    np.testing.assert_array_equal(activations(graph, {"x0": x})["layer"], x[0])


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - CONVERTED.keys()))
def test_what_is_refused_names_the_layer_and_the_operator(name):
    arguments = {"IntegerLookup": {"vocabulary": [1, 2, 3]}, "MelSpectrogram": {"sequence_length": 4, "fft_length": 4}}
    shape, kind = ((64,), "float32") if name == "MelSpectrogram" else (PICTURE, "float32")
    layer = getattr(L, name)(name="layer", **arguments.get(name, {}))
    x = keras.Input(shape, dtype="int32" if name == "IntegerLookup" else kind)
    with pytest.raises(Error, match=REFUSED[name]) as caught:
        o2g.load(keras.Model(x, layer(x)))
    assert "layer 'layer'" in str(caught.value)


# ------------------------------------------------------------------------------------------------------- whole networks

SMALLEST = {
    "ConvNeXtTiny": (32, 32, 3),
    "DenseNet121": (32, 32, 3),
    "EfficientNetB0": (32, 32, 3),
    "EfficientNetV2B0": (32, 32, 3),
    "InceptionResNetV2": (75, 75, 3),
    "InceptionV3": (75, 75, 3),
    "MobileNet": (32, 32, 3),
    "MobileNetV2": (32, 32, 3),
    "MobileNetV3Large": (32, 32, 3),
    "MobileNetV3Small": (32, 32, 3),
    "NASNetMobile": (32, 32, 3),
    "ResNet50": (32, 32, 3),
    "ResNet50V2": (32, 32, 3),
    "VGG16": (32, 32, 3),
    "VGG19": (32, 32, 3),
    "Xception": (71, 71, 3),
}


def check_application(name):
    model = getattr(keras.applications, name)(weights=None, input_shape=SMALLEST[name], classes=10)
    graph = o2g.load(model)
    kept = [layer for layer in model.operations if not isinstance(layer, (L.Dropout, L.InputLayer))]
    ours = [x for x in graph.layers if x.aggregation not in ("input", "constant") and "/" not in x.name]
    by_name = {x.name: x for x in ours}
    assert [x.name for x in ours] == [layer.name for layer in kept if layer.name in by_name]
    missing = [layer for layer in kept if layer.name not in by_name]
    assert all(computes_nothing(layer) for layer in missing), [layer.name for layer in missing]
    for layer in kept:
        if layer.name in by_name:
            assert by_name[layer.name].shape == tuple(layer.output.shape[1:]), layer.name
    assert graph.parameters == sum(int(np.prod(w.shape)) for w in model.trainable_weights)


def computes_nothing(layer):
    """Whether a layer gives what it gets: a linear activation, a rescaling by 1."""
    x = np.random.default_rng(0).normal(size=(1, *layer.output.shape[1:])).astype(np.float32)
    return np.array_equal(np.asarray(layer(x, training=False)), x)


def test_the_smallest_application():
    check_application("MobileNetV3Small")


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALLEST)
def test_every_application(name):
    check_application(name)
