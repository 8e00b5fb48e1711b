"""The framework's layers, read from files as PyTorch's exporters and tf2onnx leave them."""

from pathlib import Path

import onnx
import pytest
import torch
from onnx import helper
from torch import nn
from torch.nn import functional as F

from onnx2graphml.model.metadata import LAYER
from onnx2graphml.model.scopes import framework_layers

pytestmark = [pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("FutureWarning", "DeprecationWarning")]


class Block(nn.Module):
    """Layers in a Sequential, a ModuleList and a ModuleDict, one called twice, and operations of its own."""

    def __init__(self):
        super().__init__()
        self.conv_1 = nn.Conv2d(4, 4, 3, padding=1)
        self.act = nn.ReLU()
        self.list = nn.ModuleList([nn.Conv2d(4, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 1), nn.Sigmoid())])
        self.dict = nn.ModuleDict({"a": nn.Conv2d(4, 4, 1)})

    def forward(self, x):
        y = self.act(self.conv_1(x)) + x
        for module in self.list:
            y = module(y)
        return self.act(self.dict["a"](y))


BLOCK = [
    ("Conv", "conv_1"),
    ("Relu", "act"),
    ("Add", None),
    ("Conv", "list.0"),
    ("Conv", "list.1.0"),
    ("Sigmoid", "list.1.1"),
    ("Conv", "dict.a"),
    ("Relu", "act"),
]


class Net(nn.Module):
    """`conv` and `conv_1` are two modules, `block` is one called twice; the head is functional but for `fc`."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.conv_1 = nn.Conv2d(4, 4, 1)
        self.block = Block()
        self.stages = nn.Sequential(nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)), Block())
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        x = F.relu(self.conv_1(self.conv(x)))
        x = self.stages(self.block(self.block(x)))
        return torch.softmax(self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1)), -1)


def under(path):
    return [(op, layer and f"{path}.{layer}") for op, layer in BLOCK]


NET = [
    ("Conv", "conv"),
    ("Conv", "conv_1"),
    ("Relu", None),
    *under("block"),
    *under("block"),
    ("Conv", "stages.0.0"),
    *under("stages.1"),
    ("Gemm", "fc"),
    ("Softmax", None),
]


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval()


def layers(path):
    """What the nodes that compute come from, but for Flatten and the pool, which the exporters spell apart."""
    model = onnx.load(path, load_external_data=False)
    seen = {"Conv", "Relu", "Add", "Sigmoid", "Gemm", "Softmax", "BatchNormalization"}
    nodes = zip(model.graph.node, framework_layers(model), strict=True)
    return [(node.op_type, layer) for node, layer in nodes if node.op_type in seen]


@pytest.mark.slow
def test_dynamo_with_its_weights_beside(net, tmp_path):
    path = tmp_path / "net.onnx"
    torch.onnx.export(net, (torch.zeros(1, 3, 8, 8),), path, dynamo=True, verbose=False)
    assert (tmp_path / "net.onnx.data").exists()
    # The BatchNorm, folded into its convolution, leaves it the convolution's name.
    assert layers(path) == NET


@pytest.mark.slow
def test_dynamo_unoptimized_by_either_of_its_metadata(net, tmp_path):
    path = tmp_path / "net.onnx"
    torch.onnx.export(net, (torch.zeros(1, 3, 8, 8),), path, dynamo=True, optimize=False, verbose=False)
    where = NET.index(("Conv", "stages.0.0")) + 1
    expected = [*NET[:where], ("BatchNormalization", "stages.0.1"), *NET[where:]]
    assert layers(path) == expected
    model = onnx.load(path)
    for node in model.graph.node:
        [kept] = [entry.value for entry in node.metadata_props if entry.key == "namespace"]
        del node.metadata_props[:]
        node.metadata_props.add(key="namespace", value=kept)
    onnx.save(model, path)
    assert layers(path) == expected


def test_torchscript(net, tmp_path):
    path = tmp_path / "net.onnx"
    with pytest.warns(DeprecationWarning, match="legacy TorchScript"):
        torch.onnx.export(net, (torch.zeros(1, 3, 8, 8),), path, dynamo=False)
    assert layers(path) == NET


def test_the_residual_fixture():
    path = Path(__file__).parent.parent / "fixtures" / "residual.onnx"
    block = [f"layer1.0.{name}" for name in ("conv1", "bn1", "relu", "conv2", "bn2")]
    shortcut = [f"layer1.0.downsample.{index}" for index in (0, 1)]
    expected = ["conv1", "bn1", "relu", *block, *shortcut, None, "layer1.0.relu", "fc"]
    assert [layer for op, layer in layers(path) if layer or op == "Add"] == expected


def named(*names, producer="", initializers=()):
    """Relus of these names, or (name, weight): Adds of a weight."""
    nodes = []
    for name in names:
        name, *weight = name if isinstance(name, tuple) else (name,)
        nodes.append(helper.make_node("Add" if weight else "Relu", ["x", *weight], [f"{name}_out"], name=name))
    weights = [helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [0.5]) for name in initializers]
    return helper.make_model(helper.make_graph(nodes, "g", [], [], weights), producer_name=producer)


@pytest.mark.parametrize("name", ["", "Conv_0", "node_Conv_53", "/Flatten", "conv", "sequential/conv2d/Conv2D"])
def test_plain_names_tell_nothing(name):
    assert framework_layers(named(name)) == [None]


def test_a_later_call_is_known_by_what_it_computes():
    assert framework_layers(named("/b/act/Relu", "/b/act_1/Relu", "/b/act_2/Relu")) == ["b.act"] * 3
    assert framework_layers(named("/b/act_1/Relu", "/b/act_2/Relu")) == ["b.act_1", "b.act_2"]
    folded = [("/conv/Add", "onnx::Conv_1"), ("/conv_1/Add", "onnx::Conv_2")]
    model = named(*folded, initializers=("onnx::Conv_1", "onnx::Conv_2"))
    assert framework_layers(model) == ["conv", "conv_1"]


def test_a_module_named_like_a_later_call_is_known_by_its_weights():
    model = named("/act/Relu", ("/act_1/Add", "act_1.shift"), initializers=["act_1.shift"])
    assert framework_layers(model) == ["act", "act_1"]
    model = named(("/a/Add", "a.shift"), ("/a_1/Add", "a.shift"), initializers=["a.shift"])
    assert framework_layers(model) == ["a", "a"]


def test_a_weight_shared_with_another_module_does_not_lend_its_name():
    assert framework_layers(named(("/b/conv/Add", "a.conv.shift"), initializers=["a.conv.shift"])) == ["b.conv"]
    assert framework_layers(named(("/b/conv/Add", "b.d.conv.shift"), initializers=["b.d.conv.shift"])) == ["b.d.conv"]


def test_our_own_metadata_comes_first():
    model = named("/conv/Conv", "/act/Relu")
    model.graph.node[1].metadata_props.add(key=LAYER, value="block.act")
    assert framework_layers(model) == [None, "block.act"]


@pytest.mark.parametrize("recorded", ["[", "7", "[]", "['', 'relu']", "f(x)"])
def test_metadata_that_tells_no_layer(recorded):
    model = named("node_relu")
    model.graph.node[0].metadata_props.add(key="pkg.torch.onnx.name_scopes", value=recorded)
    assert framework_layers(model) == [None]


def test_keras_by_tf2onnx():
    names = {
        "StatefulPartitionedCall/sequential/conv2d/BiasAdd": "conv2d",
        "StatefulPartitionedCall/sequential/conv2d_1/BiasAdd__6": "conv2d_1",
        "sequential/dense/Tensordot/MatMul": "dense",
        "model/batch_normalization/batchnorm/mul_1": "batch_normalization",
        "sequential/conv2d/Relu;sequential/conv2d/BiasAdd;sequential/conv2d/Conv2D": "conv2d",
        "sequential/act/Relu;sequential/conv2d/BiasAdd": None,
        "model/inner/conv2d/Conv2D": None,
        "Transpose__38": None,
        "": None,
    }
    assert framework_layers(named(*names, producer="tf2onnx")) == list(names.values())


def test_keras_3_numbers_every_layer_so_that_none_is_certain():
    names = ["functional_1_1/conv2d_1/convolution", "functional_1_1/conv2d_1_2/convolution", "Transpose__38"]
    assert framework_layers(named(*names, producer="tf2onnx")) == [None] * 3
