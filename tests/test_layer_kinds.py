"""What a layer is in the framework's words, against the framework's own layers."""

from __future__ import annotations

import pytest

import onnx2graphml as o2g
from onnx2graphml.graph.layer_kinds import layer_kinds
from small import model, node, weights


def test_windows_are_the_nodes():
    nodes = [
        node("Conv", "x w", "a", strides=[2, 1], dilations=[1, 2], group=2, pads=[1, 2, 1, 2]),
        node("MaxPool", "a", "b", kernel_shape=[2, 2]),
        node("Relu", "b", "y"),
    ]
    graph = o2g.load(model(nodes, {"x": [1, 4, 9, 9]}, {"w": weights(6, 2, 3, 3)}), detail="op")
    found = list(layer_kinds(graph).values())
    assert [kind.window for kind in found] == ["", "3×3, stride 2×1, dilation 1×2, 2 groups", "2×2", ""]
    assert {kind.type for kind in found} == {""}
    assert o2g.NeuronGraph(graph.layers, graph.outputs).model is None
    assert {k.window for k in layer_kinds(o2g.NeuronGraph(graph.layers, graph.outputs)).values()} == {""}


def test_they_are_keras_own():
    keras = pytest.importorskip("keras")
    x = given = keras.layers.Input((16, 16, 4), name="image")
    for layer in (
        keras.layers.Conv2D(8, (3, 5), strides=2, groups=2, padding="same", activation="relu", name="conv"),
        keras.layers.BatchNormalization(name="norm"),
        keras.layers.DepthwiseConv2D(3, padding="same", name="depthwise"),
        keras.layers.MaxPooling2D(2, name="pool"),
        keras.layers.Conv2DTranspose(6, 2, strides=2, name="up"),
        keras.layers.GlobalAveragePooling2D(name="mean"),
        keras.layers.Dense(3, activation="softmax", name="dense"),
    ):
        x = layer(x)
    network = keras.Model(given, x)
    kinds = layer_kinds(o2g.load(network))
    for layer in network.layers:
        kind = kinds[layer.name]
        assert kind.type == type(layer).__name__
        size = getattr(layer, "kernel_size", getattr(layer, "pool_size", ()))
        assert kind.kernel == tuple(size)
        strides = tuple(getattr(layer, "strides", ()))
        assert kind.stride == (strides if set(strides) - {1} else ())
    assert kinds["conv"].groups == 2
    assert kinds["depthwise"].groups == 8


@pytest.mark.slow
def test_they_are_pytorchs_own():
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3, stride=2, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(64, 3)
    ).eval()
    kinds = layer_kinds(o2g.from_torch(network, (torch.zeros(1, 2, 8, 8),)))
    assert [kinds[str(k)].type for k in range(4)] == [type(part).__name__ for part in network]
    assert kinds["0"].window == "3×3, stride 2"
