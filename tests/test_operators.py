"""The operators' signatures against ONNX's schemas, and every refusal of theirs."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml import ops
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.model import OLDEST_OPSET, load_model
from onnx2graphml.ops import OPERATORS, NodeContext, OutputSpec, Tensor
from onnx2graphml.ops.activation import PRelu
from onnx2graphml.ops.cast import QuantizeLinear
from onnx2graphml.ops.conv import Conv
from onnx2graphml.ops.einsum import Einsum
from onnx2graphml.ops.elementwise import Mul
from onnx2graphml.ops.gather import Gather
from onnx2graphml.ops.join import Split
from onnx2graphml.ops.linear import MatMul
from onnx2graphml.ops.pool import MaxPool
from onnx2graphml.ops.rearrange import DepthToSpace, ReverseSequence
from onnx2graphml.ops.registry import numbers, operator
from onnx2graphml.ops.resize import Resize_11, Upsample
from onnx2graphml.ops.sample import GridSample
from onnx2graphml.ops.shape import Slice
from small import model, node

# --------------------------------------------------------------------------------------------------------- the contract


def functions() -> list[Any]:
    return [
        pytest.param(op, since, id=f.__name__) for op, all_ in sorted(OPERATORS.items()) for since, f in all_.items()
    ]


def schemas(op: str, since: int) -> list[Any]:
    """ONNX's schemas of the operator in the opsets that a function stands for."""
    newest = onnx.defs.onnx_opset_version()
    later = [s for s in OPERATORS[op] if s > since]
    opsets = range(max(since, OLDEST_OPSET), min(later) if later else newest + 1)
    known = {}
    for opset in opsets:
        try:
            schema = onnx.defs.get_schema(op, opset)
        except onnx.defs.SchemaError:
            continue
        known[schema.since_version] = schema
    return list(known.values())


def parameters(op: str, since: int, kind: Any) -> dict[str, inspect.Parameter]:
    found = list(inspect.signature(OPERATORS[op][since]).parameters.values())[1:]
    return {p.name: p for p in found if p.kind is kind}


@pytest.mark.parametrize(("op", "since"), functions())
def test_keyword_parameters_are_the_attributes(op: str, since: int) -> None:
    attributes = {name for schema in schemas(op, since) for name in schema.attributes}
    assert set(parameters(op, since, inspect.Parameter.KEYWORD_ONLY)) == attributes


@pytest.mark.parametrize(("op", "since"), functions())
def test_defaults_are_those_of_the_schema(op: str, since: int) -> None:
    """Where all schemas agree on one. An attribute that ONNX demands has no default."""
    for name, parameter in parameters(op, since, inspect.Parameter.KEYWORD_ONLY).items():
        have = [s.attributes[name] for s in schemas(op, since) if name in s.attributes]
        if all(a.required for a in have):
            assert parameter.default is parameter.empty, name
            continue
        defaults = {repr(onnx.helper.get_attribute_value(a.default_value)) for a in have if a.default_value.type}
        if len(defaults) == 1 and all(a.default_value.type for a in have):
            value = onnx.helper.get_attribute_value(have[0].default_value)
            value = value.decode() if isinstance(value, bytes) else value
            given = parameter.default
            if isinstance(value, float):
                assert np.float32(given) == np.float32(value), name
            elif name != "round_mode":
                assert given == value, name


@pytest.mark.parametrize(("op", "since"), functions())
def test_positional_parameters_are_the_inputs(op: str, since: int) -> None:
    positional = parameters(op, since, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    variadic = parameters(op, since, inspect.Parameter.VAR_POSITIONAL)
    required = [n for n, p in positional.items() if p.default is p.empty]
    known = schemas(op, since)
    many = onnx.defs.OpSchema.FormalParameterOption.Variadic
    assert {bool(s.inputs) and s.inputs[-1].option == many for s in known} == {bool(variadic)}
    if not variadic:
        assert len(required) == min(s.min_input for s in known)
        assert len(positional) == max(s.max_input for s in known)


@pytest.mark.parametrize(("op", "since"), functions())
def test_every_function_stands_for_some_opset(op: str, since: int) -> None:
    assert schemas(op, since)
    assert since == 1 or since in {s.since_version for s in onnx.defs.get_all_schemas_with_history() if s.name == op}


# ------------------------------------------------------------------------------------------------------------- refusals

F = np.float32
Refused = Callable[[], Any]


def graph_of(
    op: str, shapes: dict[str, list[int]], constants: Any = None, outputs: str = "y", **attributes: Any
) -> Refused:
    """A model of one node, loaded and expanded."""
    opset = 15 if op == "BatchNormalization" else 20
    nodes = [node(op, " ".join([*shapes, *(constants or {})]), outputs, **attributes)]
    proto = model(nodes, shapes, constants, outputs.split(), opset)
    if op == "MaxPool":
        proto.graph.output[1].type.tensor_type.elem_type = onnx.TensorProto.INT64
    return lambda: walk(load_model(proto))


def called(function: Any, *operands: Any, shape: tuple[int, ...] = (1, 4, 4, 4), **attributes: Any) -> Refused:
    """The operator's function itself, where ONNX's own checks would refuse the node before it."""
    call = NodeContext("op", "y", 13, (shape,), (True,), np.dtype(F))
    return lambda: function(call, *operands, **attributes)


def through_registry(*operands: Any, outputs: int = 1, **attributes: Any) -> Refused:
    """The same, after the registry has compared the node with the function's signature."""
    call = NodeContext("Relu", "y", 13, ((2,),) * outputs, (True,) * outputs, np.dtype(F))
    return lambda: ops.expand(call, "", operands, attributes)


def tensor(*shape: int, dtype: Any = F) -> Tensor:
    return Tensor("x", shape, np.dtype(dtype))


def conv(x: tuple[int, ...] = (1, 2, 6, 6), w: tuple[int, ...] = (4, 2, 3, 3), **kwargs: Any) -> Refused:
    return called(Conv, tensor(*x), np.ones(w, F), **kwargs)


def split(sizes: list[int], whole: int, **attributes: Any) -> Refused:
    call = NodeContext("Split", "y", 11, tuple((n,) for n in sizes), (True,) * len(sizes), np.dtype(F))
    return lambda: Split(call, tensor(whole), **attributes)


def computed_split() -> Refused:
    call = NodeContext("Split", "y", 13, ((2,),), (True,), np.dtype(F))
    return lambda: ops.expand(call, "", [tensor(2), Tensor("w", (1,), np.dtype(np.int64))], {})


PICTURE = [1, 2, 6, 6]
CHANNELS = {n: np.ones(2, F) for n in ("scale", "shift", "mean", "var")}
TWO_MATRICES = {"a": [2, 3], "b": [3, 2]}
REFUSALS: list[tuple[str, Refused]] = [
    (r"approximate is 'erf'; expected 'none' or 'tanh'", graph_of("Gelu", {"x": PICTURE}, approximate="erf")),
    (r"input has shape \(1, 2\) and kernel \(4, 2\); expected the same rank, at least 3", conv((1, 2), (4, 2))),
    (r"input has shape \(1, 2, 6\) and kernel \(4, 2, 3, 3\); expected the same rank", conv((1, 2, 6))),
    (r"group is 3; expected a divisor of 4", conv((1, 6, 6, 6), group=3)),
    (r"group is 0; expected a divisor of 4", conv(group=0)),
    (r"with group 2; expected 4 channels, got 2", conv(group=2)),
    (r"kernel_shape is \[5, 5\]; the kernel has \[3, 3\]", conv(kernel_shape=[5, 5])),
    (r"output size comes to \(4, 4\); ONNX infers \(5, 4\)", conv(shape=(1, 4, 5, 4))),
    (r"expected a tensor of the network and a constant", called(Mul, np.ones(2, F), np.ones(2, F))),
    (r"pieces are \[2, 2\] and split is None; expected them equal, with the sum 5", split([2, 2], 5)),
    (r"pieces are \[2, 3\] and split is \[1, 4\]", split([2, 3], 5, split=[1, 4])),
    (r"must agree in the axis summed over, got 4 and 3", called(MatMul, tensor(2, 4), np.ones((3, 2), F))),
    (r"both factors are constant; expected one", called(MatMul, np.ones((2, 2), F), np.ones((2, 2), F))),
    (r"equation is 'ij,jk'; it has 2 operands and 1 inputs", called(Einsum, tensor(2, 2), equation="ij,jk")),
    (r"equation is 'ij->i'; its inputs have the ranks \[3\]", called(Einsum, tensor(2, 2, 2), equation="ij->i")),
    (
        r"its scale is given for blocks and computed by the network; expected a constant one",
        called(QuantizeLinear, tensor(2, 4), tensor(2, 2), shape=(2, 4), block_size=2),
    ),
    (
        r"its scale is 0, infinite or not a number; expected others",
        called(QuantizeLinear, tensor(2), np.zeros((), F), shape=(2,)),
    ),
    (r"a constant has type <U1; expected numbers", lambda: numbers(np.array(["x"]))),
    (r"a constant has integers beyond 2\^53", lambda: numbers(np.array([2**53 + 2]))),
    (
        r"training_mode is 1; only inference",
        graph_of("BatchNormalization", {"x": PICTURE}, CHANNELS, "y m v", training_mode=1),
    ),
    (
        r"output size comes to \(3, 3\); ONNX infers \(4, 3\)",
        called(MaxPool, tensor(*PICTURE), shape=(1, 2, 4, 3), kernel_shape=[2, 2], strides=[2, 2]),
    ),
    (r"operator Conv2 is not supported; the nearest that are: Conv; the doc", lambda: ops.find("Conv2", "", 20)),
    (r"operator Q is not supported; the documentation lists those that are", lambda: ops.find("Q", "", 20)),
    (r"operator RandomNormal draws random numbers, so that no two", lambda: ops.find("RandomNormal", "", 20)),
    (r"operator mine\.Relu is not supported; the documentation", lambda: ops.find("Relu", "mine", 13)),
    (r"output 1 is used; only the first 1 can be expressed by edges", through_registry(tensor(2), outputs=2)),
    (r"mode is 'DRC'; expected 'DCR' or 'CRD'", called(DepthToSpace, tensor(1, 4, 1, 1), blocksize=2, mode="DRC")),
    (
        r"mode is 'cubist'; expected one of nearest, linear, cubic",
        called(Upsample, tensor(2), scales=[2.0], mode="cubist"),
    ),
    (r"attribute 'speed' is not supported; supported: none", through_registry(tensor(2), speed=1)),
    (r"it has 2 inputs; expected at most 1", through_registry(tensor(2), tensor(2))),
    (r"input 'x' is missing", through_registry()),
    (r"input 'x' is missing", through_registry(None)),
    (
        r"input 'split' is computed by the network \('w'\); it can only be expanded where it is constant",
        computed_split(),
    ),
    (
        r"input 'x' is constant; it can only be expanded where it is computed",
        through_registry(np.ones(2, F)),
    ),
    (
        r"training_mode is true: its output is random",
        graph_of("Dropout", {"x": PICTURE}, {"ratio": F(0.5), "on": np.bool_(True)}),
    ),
    (
        r"output shape comes to \(2,\); ONNX infers \(3,\)",
        called(Slice, tensor(5), shape=(3,), starts=[1], ends=[3]),
    ),
    (
        r"mode is 'mirror'; expected constant, reflect, edge, wrap",
        graph_of("Pad", {"x": PICTURE}, {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1])}, mode="mirror"),
    ),
    (r"auto_pad is 'SAME'; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER", conv(auto_pad="SAME")),
    (r"strides is \[1\]; expected 2 integers .* for 2 spatial", conv(strides=[1])),
    (r"strides is \[0, 1\]; expected 2 integers", conv(strides=[0, 1])),
    (r"dilations is \[0, 1\]; expected 2 integers", conv(dilations=[0, 1])),
    (r"pads is \[1, 1\]; expected 4 integers", conv(pads=[1, 1])),
    (r"pads is \[-1, 0, 0, 0\]; expected 4 integers", conv(pads=[-1, 0, 0, 0])),
    (
        r"an input of shape \(3,\) does not broadcast to \(1, 3, 2, 5\)",
        called(PRelu, tensor(1, 3, 2, 5), np.ones(3, np.float32), shape=(1, 3, 2, 5)),
    ),
    (
        r"its parameter 'slope' is NaN; expected a number",
        called(PRelu, tensor(4), np.full(1, np.nan, np.float32), shape=(4,)),
    ),
    (
        r"indices run from 0 to 5; the axis has 5 positions",
        called(Gather, tensor(5), np.array([0, 5]), shape=(2,)),
    ),
    (
        r"sequence_lens are \[2, 6\]; expected lengths up to 5",
        called(ReverseSequence, tensor(5, 2), np.array([2, 6]), shape=(5, 2)),
    ),
    (
        r"auto_pad is SAME_UPPER, and windows of 3 with stride 9 leave out 5 of 17 positions; expected pads",
        conv((1, 2, 17, 17), shape=(1, 4, 2, 2), auto_pad="SAME_UPPER", strides=[9, 9]),
    ),
    (
        r"its region, roi, has an end that is infinite or not a number; expected finite ones",
        called(Resize_11, tensor(2), np.array([0, np.inf], F), np.array([2], F), shape=(4,)),
    ),
    (
        r"its grid has a coordinate that is not a number, or farther than [\d,]+; the picture is from -1 to 1",
        called(GridSample, tensor(1, 1, 2, 2), np.full((1, 1, 1, 2), np.nan, F), shape=(1, 1, 1, 1)),
    ),
]


@pytest.mark.parametrize(("message", "refuse"), REFUSALS, ids=[str(k) for k in range(len(REFUSALS))])
def test_refusal(message: str, refuse: Refused) -> None:
    with pytest.raises(UnsupportedError, match=message) as caught:
        refuse()
    assert "\n" not in str(caught.value)


def test_every_raise_has_its_test() -> None:
    """By the lines on which the refusals above are raised."""
    raised = set()
    for _, refuse in REFUSALS:
        with pytest.raises(UnsupportedError) as caught:
            refuse()
        cause = caught.value.__context__ or caught.value  # the loader raises it again, with the node's name
        frame = cause.__traceback__
        while frame is not None and frame.tb_next is not None:
            frame = frame.tb_next
        assert frame is not None
        raised.add((Path(frame.tb_frame.f_code.co_filename).name, frame.tb_lineno))
    missing = []
    for path in Path(ops.__file__).parent.glob("*.py"):
        for statement in ast.walk(ast.parse(path.read_text())):
            if isinstance(statement, ast.Raise) and "UnsupportedError" in ast.unparse(statement):
                lines = range(statement.lineno, (statement.end_lineno or 0) + 1)
                if not raised & {(path.name, line) for line in lines}:
                    missing.append(f"{path.name}:{statement.lineno}: {ast.unparse(statement)}")
    assert not missing


def test_a_function_is_registered_once() -> None:
    def Relu(node: NodeContext, X: Tensor) -> OutputSpec:
        raise AssertionError

    with pytest.raises(ValueError, match="Relu is registered twice"):
        operator(Relu)


def test_a_block_needs_flat_weights() -> None:
    with pytest.raises(ValueError, match="one-dimensional"):
        EdgeBlock((), np.ones((2, 2), F))
