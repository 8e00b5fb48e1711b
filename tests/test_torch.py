"""PyTorch modules: what ONNX Runtime computes from the exported model is what PyTorch predicts."""

import functools
import json
import logging
import subprocess
import sys
import warnings

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from onnx2graphml.errors import MissingExtraError, ModelError
from onnx2graphml.frontends.torch import from_torch
from onnx2graphml.model.metadata import LAYER, LAYERS
from onnx2graphml.model.scopes import framework_layers


def randomised(module, seed=0):
    """Every weight, bias and statistic off its default, where a wrong graph could still be right."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in (*module.named_parameters(), *module.named_buffers()):
            if value.is_floating_point():
                low = 0.5 if name.endswith("running_var") else -0.5
                value.copy_(torch.rand(value.shape, generator=generator) + low)
    return module


def zeros(*shapes):
    return tuple(torch.zeros(1, *shape) for shape in shapes)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.act = nn.ReLU()
        same = stride == 1 and inputs == outputs
        self.short = (
            nn.Identity() if same else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))
        )

    def forward(self, x):
        return F.relu(self.bn(self.conv(self.act(x))) + self.short(x))


class Branches(nn.Module):
    """Two inputs; outputs in a nest, one of them twice and one an input."""

    def __init__(self):
        super().__init__()
        self.left = nn.Linear(3, 4)
        self.right = nn.Linear(5, 4)

    def forward(self, a, b):
        total = self.left(a) + self.right(b)
        return {"total": total, "more": [a, (total.sigmoid(), None), total]}


class Tied(nn.Module):
    """One module under two names, called at both, and another called twice."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.second = self.first
        self.act = nn.Tanh()

    def forward(self, x):
        return self.act(self.second(self.act(self.first(x))))


CASES = {
    "bn and dropout": lambda: (
        nn.Sequential(
            nn.Conv2d(2, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout2d(0.5),
            nn.Flatten(),
            nn.Linear(64, 8),
            nn.BatchNorm1d(8),
            nn.Dropout(0.5),
            nn.Linear(8, 3),
            nn.Softmax(-1),
        ),
        zeros((2, 6, 6)),
    ),
    "residual": lambda: (nn.Sequential(Block(3, 3, 1), Block(3, 4, 2)), zeros((3, 7, 7))),
    "grouped": lambda: (nn.Conv2d(4, 6, 3, groups=2), zeros((4, 6, 5))),
    "depthwise": lambda: (nn.Conv2d(4, 8, (3, 1), groups=4, padding="same"), zeros((4, 6, 5))),
    "dilated": lambda: (nn.Conv2d(2, 3, 3, dilation=(2, 1), padding=(2, 0)), zeros((2, 7, 6))),
    "asymmetric pads": lambda: (
        nn.Sequential(nn.ZeroPad2d((0, 1, 2, 0)), nn.Conv2d(2, 3, 3, stride=2)),
        zeros((2, 7, 6)),
    ),
    "even kernel, same": lambda: (nn.Conv2d(2, 3, 4, padding="same"), zeros((2, 5, 6))),
    "transposed": lambda: (
        nn.ConvTranspose2d(2, 4, 3, stride=2, padding=1, output_padding=1, groups=2),
        zeros((2, 4, 5)),
    ),
    "1-d": lambda: (nn.Sequential(nn.Conv1d(2, 3, 3), nn.MaxPool1d(2)), zeros((2, 9))),
    "3-d": lambda: (nn.Sequential(nn.Conv3d(1, 2, 2), nn.AvgPool3d(2)), zeros((1, 5, 5, 5))),
    "adaptive to 1": lambda: (nn.AdaptiveAvgPool2d(1), zeros((3, 5, 4))),
    "adaptive to 2x3": lambda: (nn.AdaptiveAvgPool2d((2, 3)), zeros((3, 4, 6))),
    "max pool, ceil": lambda: (nn.MaxPool2d(3, 2, padding=1, ceil_mode=True), zeros((2, 6, 7))),
    "average pool, ceil": lambda: (nn.AvgPool2d(3, 2, 1, True, count_include_pad=False), zeros((2, 6, 7))),
    "activations": lambda: (
        nn.Sequential(nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 4), nn.PReLU(4), nn.Hardswish(), nn.ELU()),
        zeros((4,)),
    ),
    "attention": lambda: (nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), zeros((5, 4))),
    "weight norm": lambda: (
        nn.Sequential(nn.Sequential(weight_norm(nn.Conv1d(2, 3, 3)), nn.ReLU())),
        zeros((2, 6)),
    ),
    "branches": lambda: (Branches(), zeros((3,), (5,))),
    "tied": lambda: (Tied(), zeros((4,))),
}


@functools.cache
def imported_case(name):
    module, examples = CASES[name]()
    return from_torch(randomised(module), examples)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("name", CASES)
def test_onnx_runtime_computes_what_pytorch_predicts(name):
    imported = imported_case(name)
    onnx.checker.check_model(imported.light.proto, full_check=True)
    session = ort.InferenceSession(imported.light.proto.SerializeToString(), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(1)
    for _ in range(2):
        inputs = {value.name: random.normal(size=value.shape).astype(np.float32) for value in session.get_inputs()}
        computed, predicted = session.run(None, inputs), imported.predict(inputs)
        assert len(computed) == len(predicted)
        for got, want in zip(computed, predicted, strict=True):
            assert got.shape == want.shape
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def exported(name):
    return imported_case(name).light.proto


def rows(proto):
    [entry] = [entry for entry in proto.metadata_props if entry.key == LAYERS]
    return json.loads(entry.value)


def named(proto, *plumbing):
    skipped = {"Constant", "Shape", "Expand", "CastLike", "Identity", *plumbing}
    nodes = zip(proto.graph.node, framework_layers(proto), strict=True)
    return [(node.op_type, layer) for node, layer in nodes if node.op_type not in skipped]


def test_layers_keep_their_paths_and_what_a_container_computes_has_none():
    assert named(exported("residual")) == [
        ("Relu", "0.act"),
        ("Conv", "0.conv"),
        ("BatchNormalization", "0.bn"),
        ("Add", None),
        ("Relu", None),
        ("Relu", "1.act"),
        ("Conv", "1.conv"),
        ("BatchNormalization", "1.bn"),
        ("Conv", "1.short.0"),
        ("BatchNormalization", "1.short.1"),
        ("Add", None),
        ("Relu", None),
    ]


def test_the_layer_table_has_every_layer_called_with_its_class_and_shape():
    assert rows(exported("bn and dropout"))[:5] == [
        {"name": "0", "class": "Conv2d", "shape": [4, 4, 4]},
        {"name": "1", "class": "BatchNorm2d", "shape": [4, 4, 4]},
        {"name": "2", "class": "ReLU", "shape": [4, 4, 4]},
        {"name": "3", "class": "Dropout2d", "shape": [4, 4, 4]},
        {"name": "4", "class": "Flatten", "shape": [64]},
    ]


def test_a_layer_with_several_outputs_has_no_shape_and_a_whole_of_torch_nn_is_one_layer():
    proto = exported("attention")
    assert rows(proto)[0] == {"name": "self_attn", "class": "MultiheadAttention"}
    layers = framework_layers(proto)
    assert {"self_attn", "linear1", "norm2", None} <= set(layers)
    assert "self_attn.out_proj" not in layers


def test_what_computes_a_layers_weights_is_part_of_the_layer():
    proto = exported("weight norm")
    assert set(framework_layers(proto)) == {"0.0", "0.1"}
    assert [row["name"] for row in rows(proto)] == ["0.0", "0.1"]


def test_a_module_at_two_paths_has_one_name():
    proto = exported("tied")
    assert named(proto) == [("Gemm", "first"), ("Tanh", "act"), ("Gemm", "first"), ("Tanh", "act")]
    assert [row["name"] for row in rows(proto)] == ["first", "act"]


@pytest.mark.slow
def test_a_layer_that_forward_does_not_call_is_not_listed():
    class Half(nn.Sequential):
        def forward(self, x):
            return self[1](x)

    proto = from_torch(Half(nn.Linear(2, 3), nn.Linear(2, 4)), zeros((2,))).light.proto
    assert [row["name"] for row in rows(proto)] == ["1"]


def test_the_model_is_whole_and_of_versions_that_onnx_runtime_reads():
    proto = exported("bn and dropout")
    assert [(opset.domain, opset.version) for opset in proto.opset_import] == [("", 20)]
    assert proto.ir_version <= 10
    assert not proto.functions
    assert not any(tensor.external_data for tensor in proto.graph.initializer)
    assert [dim.dim_value for dim in proto.graph.input[0].type.tensor_type.shape.dim] == [1, 2, 6, 6]


def test_no_metadata_but_the_layers():
    proto = exported("residual")
    assert {entry.key for node in proto.graph.node for entry in node.metadata_props} == {LAYER}
    assert __file__.encode() not in proto.SerializeToString()


def modes(module):
    return {name: part.training for name, part in module.named_modules()}


def frozen():
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout()).train()
    module[1].eval()
    return module


@pytest.mark.slow
def test_training_modes_and_statistics_are_left_as_found():
    module = frozen()
    before, state = modes(module), {name: value.clone() for name, value in module.state_dict().items()}
    imported = from_torch(module, zeros((1, 4, 4)))
    imported.predict({imported.light.proto.graph.input[0].name: np.ones((1, 1, 4, 4), np.float32)})
    assert modes(module) == before
    assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert all(value.requires_grad and value.grad is None for value in module.parameters())


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = frozen()

    def forward(self, x):
        return x if x.sum() > 0 else self.inner(x)


class Unexportable(nn.Module):
    def forward(self, x):
        return torch.linalg.eigvalsh(x.transpose(1, 2) @ x)


class Returning(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def forward(self, x):
        return self.value


def one_line(error):
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_after_a_failure_too():
    module = Branching()
    before = modes(module)
    disabled = logging.root.manager.disable
    with pytest.raises(ModelError, match=r"PyTorch can't export the module: .*data-dependent") as error:
        from_torch(module, zeros((1, 4, 4)))
    one_line(error)
    assert modes(module) == before
    assert logging.root.manager.disable == disabled
    with pytest.raises(ModelError, match="the module fails on its inputs: ValueError"):
        from_torch(module, zeros((3, 4)))
    assert modes(module) == before
    assert not any(part._forward_hooks for part in module.modules())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "examples", "message"),
    [
        ("net.pt", zeros((2,)), r"got str, expected a torch\.nn\.Module: pass the model itself"),
        (
            nn.ReLU(),
            torch.zeros(1, 2),
            r"got example_inputs Tensor, expected a tuple of tensors: pass \(x,\)",
        ),
        (nn.ReLU(), (), r"got example_inputs an empty tuple, expected a tuple of tensors"),
        (nn.ReLU(), (np.zeros((1, 2)),), "example input 0: got ndarray, expected a tensor"),
        (
            nn.ReLU(),
            (torch.zeros(4, 2),),
            r"example input 0: got shape \(4, 2\), expected batch 1, .*: pass x\[None\] where it has no batch",
        ),
        (nn.LSTM(3, 2), (torch.zeros(4, 1, 3),), r"got shape \(4, 1, 3\), .*, batch_first=True to a layer that wants"),
        (nn.ReLU(), (torch.tensor(1.0),), r"example input 0: got shape \(\), expected batch 1"),
        (nn.Linear(3, 2), zeros((2,)), "the module fails on its inputs: RuntimeError: mat1 and mat2"),
        (Returning(3), zeros((2,)), "the module returned int, expected tensors: wrap it"),
        (Returning(None), zeros((2,)), "the module returned no tensor, expected one or more"),
        (Unexportable(), zeros((2, 2)), "PyTorch can't export the module: .*aten._linalg_eigh"),
    ],
)
def test_what_cannot_be_brought_in_is_said_in_one_line(module, examples, message):
    with pytest.raises(ModelError, match=message) as error:
        from_torch(module, examples)
    one_line(error)


@pytest.mark.parametrize("missing", ["torch", "onnxscript"])
def test_without_pytorch_or_its_exporter(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingExtraError, match=r"PyTorch.*pip install 'onnx2graphml\[torch\]'"):
        from_torch(nn.ReLU(), zeros((2,)))


def test_importing_the_frontend_loads_no_pytorch():
    code = "import sys, onnx2graphml.frontends.torch; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_quiet(capfd, recwarn):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        from_torch(nn.Linear(3, 2), zeros((3,)))
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list
