"""Every layer's arrays: the framework's own values, what they are, and what their axes mean."""

from __future__ import annotations

import numpy as np
import pytest

from onnx2graphml.api import from_torch, load
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.model import is_float
from onnx2graphml.parameters.arrays import LayerArrays, layer_arrays, unread
from onnx2graphml.parameters.traces import Traces
from small import FIXTURES


def by_name(graph: NeuronGraph) -> dict:
    return {a.name: a for of in layer_arrays(graph) for a in of.arrays}


def texts(graph: NeuronGraph) -> dict[str, str]:
    return {of.layer.name: of.text for of in layer_arrays(graph)}


def check_laws(graph: NeuronGraph) -> tuple[LayerArrays, ...]:
    """Nothing is skipped, nothing is changed, sizes add up or it is said why not."""
    found, origin = layer_arrays(graph), graph.model
    listed = {a.name: a for of in found for a in of.arrays}
    traces = Traces(origin)
    for n in origin.nodes:
        for i in n.inputs:
            if i in origin.constants and is_float(origin.constants[i].dtype):
                assert {t.array for t in traces.into(i)} <= set(listed)
                assert traces.into(i)
    for array in listed.values():
        assert array.values is origin.constants[array.name]
        assert len(array.axes) == array.values.ndim
        assert len(array.onnx_axes) == len(array.onnx_shape)
        assert array.text
    for of in found:
        assert sum(a.values.size for a in of.arrays if a.values.ndim) == of.numbers
        trained = sum(a.values.size for a in of.arrays if a.name in origin.trained)
        assert (trained == of.layer.parameters) == (not of.difference)
        if of.difference:
            assert f"{trained:,} trained numbers in its arrays, of which {of.layer.parameters:,} count" in of.difference
    assert sum(of.layer.parameters for of in found) == sum(
        origin.trained[name] for name in listed if name in origin.trained
    )
    return found


@pytest.mark.parametrize("file", ["digits", "residual"])
@pytest.mark.parametrize("detail", ["op", "layer", "neuron"])
def test_the_laws_hold_for_the_fixtures(file: str, detail: str):
    graph = load(FIXTURES / f"{file}.onnx", detail=detail)
    found = check_laws(graph)
    assert not unread(graph, found)


def test_digits_in_words():
    found = texts(load(FIXTURES / "digits.onnx"))
    assert found["conv2"] == "conv2: 24 kernels of 3×3 over 16 channels, (row, column, in, out); bias: 24"
    assert found["dense1"] == "dense1: weights of 96 inputs to 48 units, (in, out); bias: 48"
    assert found["bn1"].startswith("bn1: scale: 16; shift: 16; moving mean: 16; moving variance: 16; ")
    assert found["maxpool"] == "maxpool: no arrays"


def test_a_graph_without_a_model_is_refused():
    with pytest.raises(Error, match="made from no model"):
        layer_arrays(NeuronGraph((), ()))


# Keras


@pytest.fixture(scope="module")
def autoencoder():
    import keras
    from keras import layers

    keras.utils.set_random_seed(1)
    x = entry = keras.Input((96, 96, 1), name="image")
    x = layers.Conv2D(32, 3, padding="same", name="encode")(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.MaxPooling2D(4, name="pool")(layers.ReLU(name="relu")(x))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="twice")(x)
    x = layers.DepthwiseConv2D(3, padding="same", name="once")(x)
    x = layers.Conv2D(8, 3, groups=2, padding="same", use_bias=False, name="grouped")(x)
    x = layers.SeparableConv2D(4, 3, padding="same", name="separable")(x)
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(x)
    x = layers.Conv2DTranspose(5, 4, strides=4, name="decode")(x)
    x = layers.Conv2D(1, 3, padding="same", name="one")(layers.MaxPooling2D(8, name="small")(x))
    x = layers.Reshape((72, 2), name="sequence")(x)
    x = layers.Conv1D(3, 5, name="conv1d")(x)
    x = layers.Dense(4, name="each")(x)
    x = layers.Reshape((8, 17, 2, 1), name="volume")(x)
    x = layers.Conv3D(2, (2, 3, 2), name="conv3d")(x)
    net = keras.Model(entry, layers.Dense(3, name="dense")(layers.Flatten(name="flatten")(x)))
    random = np.random.default_rng(0)
    net.set_weights([w + random.random(w.shape, np.float32) for w in net.get_weights()])
    return net, load(net)


@pytest.mark.slow
def test_keras_arrays_are_those_of_get_weights_in_its_order(autoencoder):
    net, graph = autoencoder
    found = check_laws(graph)
    assert not unread(graph, found)
    for layer in net.layers:
        mine = [a for of in found for a in of.arrays if a.values.ndim and a.name.split("/")[0] == layer.name]
        assert [a.name.split("/")[-1] for a in mine] == [w.name for w in layer.weights]
        for array, expected in zip(mine, layer.get_weights(), strict=True):
            np.testing.assert_array_equal(array.values, expected)
            assert array.values.dtype == expected.dtype


@pytest.mark.slow
def test_the_autoencoders_first_layer_is_explained(autoencoder):
    _, graph = autoencoder
    assert graph.layer("encode").shape == (96, 96, 32)
    assert texts(graph)["encode"] == "encode: 32 kernels of 3×3 over 1 channel, (row, column, in, out); bias: 32"


KERAS_AXES = {
    "encode/kernel": ("row", "column", "in", "out"),
    "encode/bias": ("out",),
    "bn/gamma": ("channel",),
    "bn/beta": ("channel",),
    "bn/moving_mean": ("channel",),
    "bn/moving_variance": ("channel",),
    "twice/kernel": ("row", "column", "in", "multiplier"),
    "once/kernel": ("row", "column", "in", "multiplier"),
    "grouped/kernel": ("row", "column", "in", "out"),
    "separable/depthwise_kernel": ("row", "column", "in", "multiplier"),
    "separable/pointwise_kernel": ("row", "column", "in", "out"),
    "prelu/alpha": ("row", "column", "channel"),
    "decode/kernel": ("row", "column", "out", "in"),
    "one/kernel": ("row", "column", "in", "out"),
    "conv1d/kernel": ("position", "in", "out"),
    "conv1d/bias": ("out",),
    "each/kernel": ("in", "out"),
    "each/bias": ("out",),
    "conv3d/kernel": ("depth", "row", "column", "in", "out"),
    "dense/kernel": ("in", "out"),
}


@pytest.mark.slow
def test_the_axes_of_keras(autoencoder):
    found = by_name(autoencoder[1])
    assert {name: found[name].axes for name in KERAS_AXES} == KERAS_AXES
    roles = [found[f"bn/{n}"].role for n in ("gamma", "beta", "moving_mean", "moving_variance")]
    assert roles == ["scale", "shift", "moving mean", "moving variance"]
    assert found["prelu/alpha"].role == "slope"
    assert found["twice/kernel"].text == "32 channels with 2 kernels of 3×3 each, (row, column, in, multiplier)"
    assert "over 32 channels each, in 2 groups" in found["grouped/kernel"].text


@pytest.mark.slow
def test_kernels_are_those_that_onnx_computes_with(autoencoder):
    """Brought into one layout by their axes, they are the ONNX nodes' own, which the exporter made."""
    origin, seen = autoencoder[1].model, 0
    traces, found = Traces(origin), by_name(autoencoder[1])
    for n in origin.nodes:
        if n.op not in ("Conv", "ConvTranspose", "MatMul", "Gemm"):
            continue
        (trace,) = traces.into(n.inputs[1])
        constant, kernels = origin.constants[n.inputs[1]], found[trace.array].kernels
        if n.op in ("MatMul", "Gemm"):
            expected = constant if n.attributes.get("transB") else constant.T
        elif n.op == "ConvTranspose":
            expected = constant.swapaxes(0, 1)
        else:
            expected = constant
        np.testing.assert_array_equal(kernels.reshape(expected.shape), expected)
        seen += 1
    assert seen == 12


# PyTorch


@pytest.fixture(scope="module")
def module():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.group = nn.Conv2d(4, 6, 3), nn.Conv2d(6, 6, 3, groups=2, bias=False)
            self.deep, self.bn, self.prelu = nn.Conv2d(6, 12, 3, groups=6), nn.BatchNorm2d(12), nn.PReLU(12)
            self.up = nn.ConvTranspose2d(12, 6, 2, stride=2, groups=3)
            self.line, self.lin = nn.Conv1d(6, 7, 3), nn.Linear(14, 6)
            self.volume = nn.Conv3d(1, 2, 2)
            self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(24, 3))
            self.tied, self.tied2 = nn.Linear(3, 3), nn.Linear(3, 3)
            self.tied2.weight = self.tied.weight
            self.gain = nn.Parameter(torch.randn(3))

        def forward(self, x):
            x = self.up(self.prelu(self.bn(self.deep(self.group(self.conv(x))))))
            x = self.volume(self.lin(self.line(x.flatten(2))).reshape(1, 1, 7, 3, 2)).flatten(1)
            return self.tied2(self.tied(self.normed(x))) * self.gain

    torch.manual_seed(0)
    net = Net().eval()
    return net, from_torch(net, (torch.zeros(1, 4, 8, 8),))


TORCH_AXES = {
    "conv.weight": ("out", "in", "row", "column"),
    "conv.bias": ("out",),
    "group.weight": ("out", "in", "row", "column"),
    "deep.weight": ("out", "in", "row", "column"),
    "bn.weight": ("channel",),
    "prelu.weight": ("channel",),
    "up.weight": ("in", "out", "row", "column"),
    "line.weight": ("out", "in", "position"),
    "lin.weight": ("out", "in"),
    "lin.bias": ("out",),
    "volume.weight": ("out", "in", "depth", "row", "column"),
    "normed.parametrizations.weight.original0": ("out", "1"),
    "normed.parametrizations.weight.original1": ("out", "in"),
    "gain": ("unit",),
}


@pytest.mark.slow
def test_pytorch_arrays_are_those_of_the_state_dict(module):
    net, graph = module
    found = check_laws(graph)
    arrays = by_name(graph)
    state = {k: v.numpy() for k, v in net.state_dict().items() if v.ndim}
    assert {*state} - {*arrays} == {"tied.weight"}  # the same tensor as tied2's
    for name in {*state} & {*arrays}:
        np.testing.assert_array_equal(arrays[name].values, state[name])
    assert {name: arrays[name].axes for name in TORCH_AXES} == TORCH_AXES
    assert arrays["bn.running_var"].role == "moving variance"
    assert arrays["normed.parametrizations.weight.original1"].role == "part of weights"
    tied = [a for of in found for a in of.arrays if a.name == "tied2.weight"]
    assert [(a.layer, a.shared) for a in tied] == [("tied", ("tied2",))] * 2
    of = next(of for of in found if of.layer.name == "normed")
    assert of.layer.parameters == sum(p.numel() for p in net.normed.parameters())


@pytest.mark.slow
def test_pytorchs_kernels_are_those_that_onnx_computes_with(module):
    net, graph = module
    kernels = by_name(graph)["up.weight"].kernels
    assert kernels.shape == (6, 4, 2, 2)  # 6 outputs over 4 inputs each, in 3 groups
    np.testing.assert_array_equal(kernels[3], net.up.weight.detach().numpy()[4:8, 1])
