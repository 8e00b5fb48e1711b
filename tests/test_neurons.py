"""What a neuron computes, against ONNX's own reference; and its text."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Mapping

import ml_dtypes
import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import FUNCTIONS, axes_text, parse_axes
from onnx2graphml.functions.record import find, function
from onnx2graphml.functions.rounding import Cast
from onnx2graphml.graph.neurons import Activation, activations_text, parse_activations

OPSET = 22
VALUES = np.array([-20.0, -3.5, -3.0, -1.0, -0.3, -1e-7, -0.0, 0.0, 1e-7, 0.25, 1.0, 2.0, 3.0, 6.0, 20.0])
MATRIX = np.stack([VALUES, VALUES[::-1] / 3, np.linspace(-2, 2, VALUES.size)])
POSITIVE = np.array([0.0, 1e-7, 0.3, 1.0, 2.5, 20.0])
GREAT = np.array([s * 10.0**e for s in (-1, 1) for e in (-300, -30, -5, 0, 1, 2, 3, 4, 20, 100, 300)])
SELU = {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}

PARAMETERS: dict[str, list[dict[str, float | str]]] = {
    "Relu": [{}],
    "LeakyRelu": [{}, {"alpha": 0.3}, {"alpha": -0.5}, {"alpha": 0.0}],
    "PRelu": [{"slope": 0.25}, {"slope": -2.0}],
    "Elu": [{}, {"alpha": 0.3}, {"alpha": 2.0}],
    "Selu": [SELU, {"alpha": 1.5, "gamma": 2.0}],
    "Celu": [{}, {"alpha": 0.5}, {"alpha": 3.0}],
    "ThresholdedRelu": [{}, {"alpha": 0.25}, {"alpha": -3.0}],
    "Sigmoid": [{}],
    "HardSigmoid": [{}, {"alpha": 0.5, "beta": 0.25}],
    "HardSwish": [{}],
    "Tanh": [{}],
    "Softplus": [{}],
    "Softsign": [{}],
    "Clip": [{}, {"min": 0.0, "max": 6.0}, {"min": -1.0}, {"max": 0.25}, {"min": 2.0, "max": 1.0}],
    "Gelu": [{}, {"approximate": "none"}, {"approximate": "tanh"}],
    "Erf": [{}],
    "Exp": [{}],
    "Log": [{}],
    "Sqrt": [{}],
    "Abs": [{}],
    "Neg": [{}],
    "Reciprocal": [{}],
    "Pow": [{"exponent": 2.0}, {"exponent": 3.0}, {"exponent": -1.0}, {"exponent": 0.5}, {"exponent": 0.0}],
    "Shrink": [{}, {"bias": 1.5, "lambd": 1.5}, {"lambd": 0.25}],
    "Swish": [{}, {"alpha": 2.0}],
    "IsInf": [{}, {"detect_negative": 0}, {"detect_positive": 0}],
    "Softmax": [{"axis": "0"}, {"axis": "1"}],
    "LogSoftmax": [{"axis": "0"}, {"axis": "1"}],
}
OF_SEVERAL = ("Clip", "PRelu", "Pow")  # that are activations, too, where all but one of their values are constant
ELSEWHERE = ("BitCast", "Cast")  # whose parameters are types
ACTIVATIONS = [name for name, f in FUNCTIONS.items() if f.is_activation and name not in ELSEWHERE] + [*OF_SEVERAL]
COUPLING = [name for name in ACTIVATIONS if FUNCTIONS[name].couples]
PARAMETERS = {name: PARAMETERS.get(name, [{}]) for name in ACTIVATIONS}
LOGIC, BITS = ("Not", "And", "Or", "Xor"), ("BitwiseNot", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
TYPES: dict[str, type] = dict.fromkeys(LOGIC, bool) | dict.fromkeys(BITS, np.int32)
"""Of the values that ONNX's operator takes, where they are no floats."""
DOMAIN = {
    "Log": (0, 20), "Sqrt": (0, 20), "Asin": (-1, 1), "Acos": (-1, 1), "Atanh": (-0.9, 0.9), "Acosh": (1, 20),
    "Sinh": (-20, 20), "Cosh": (-20, 20),
}  # fmt: skip
PARAMETER_NAMES = {op: {name for p in several for name in p} for op, several in PARAMETERS.items()}
CASES = [Activation(op, tuple(p.items())) for op, several in PARAMETERS.items() for p in several]
each_case = pytest.mark.parametrize("activation", CASES, ids=str)

INPUTS = {"Clip": ("min", "max"), "PRelu": ("slope",), "Pow": ("exponent",)}
"""Parameters that are inputs in ONNX, in their order; the others are attributes."""


def onnx_value(op: str, inputs: list[np.ndarray | None], attributes: Mapping[str, float | int | str]) -> np.ndarray:
    """One node, run by ONNX's reference implementation in float64."""
    names = [f"i{n}" if x is not None else "" for n, x in enumerate(inputs)]
    node = helper.make_node(op, names, ["y"], **attributes)
    given_ = {name: x for name, x in zip(names, inputs, strict=True) if x is not None}
    kinds = {name: helper.np_dtype_to_tensor_dtype(x.dtype) for name, x in given_.items()}
    infos = [helper.make_tensor_value_info(name, kinds[name], x.shape) for name, x in given_.items()]
    graph = helper.make_graph([node], op, infos, [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    (y,) = ReferenceEvaluator(model).run(None, given_)
    return np.asarray(y, np.float64)


def expected(activation: Activation, x: np.ndarray) -> np.ndarray:
    parameters = dict(activation.parameters)
    inputs: list[np.ndarray | None] = [x]
    inputs += [
        np.float64(parameters.pop(name)) if name in parameters else None for name in INPUTS.get(activation.op, ())
    ]
    if activation.op in COUPLING:
        parameters["axis"] = int(parameters["axis"])
    with np.errstate(all="ignore"):
        return onnx_value(activation.op, [np.asarray(i) if i is not None else None for i in inputs], parameters)


# ------------------------------------------------------------------------------------------------------- numbers


def test_what_couples_says_along_which_axis():
    assert COUPLING == ["Softmax", "LogSoftmax"]
    for op in COUPLING:
        assert PARAMETER_NAMES[op] == {"axis"}


@each_case
def test_an_activation_is_onnxs_operator(activation: Activation):
    x = np.clip(MATRIX, *DOMAIN.get(activation.op, (-np.inf, np.inf))).astype(TYPES.get(activation.op, np.float64))
    y = activation(x.astype(np.float64))
    assert y.dtype == np.float64
    assert y.shape == x.shape
    # The reference rounds attributes, and in Gelu also values in between, to float32.
    np.testing.assert_allclose(
        y, expected(activation, x), rtol=1e-6, atol=1e-6 if activation.op in ("Gelu", "Mish") else 1e-12
    )


@pytest.mark.parametrize("op", [op for op, names in PARAMETER_NAMES.items() if names])
def test_another_parameter_gives_other_values(op: str):
    """Which is how the comparison would tell a parameter that is not used."""
    values = [Activation(op, tuple(p.items()))(MATRIX) for p in PARAMETERS[op] if p]
    if op == "IsInf":
        values = [Activation(op, tuple(p.items()))(np.array([-np.inf, np.inf])) for p in PARAMETERS[op]]
    if op != "Gelu":
        assert all(not np.allclose(a, b, equal_nan=True) for i, a in enumerate(values) for b in values[:i])
    else:
        assert 0 < np.abs(values[0] - values[1]).max() < 1e-2, "tanh approximates"


@pytest.mark.parametrize("op", sorted(ACTIVATIONS))
def test_defaults_are_onnxs(op: str):
    attributes = onnx.defs.get_schema(op).attributes
    ours = {
        name: p.default
        for name, p in inspect.signature(FUNCTIONS[op].evaluate).parameters.items()
        if p.default is not p.empty and name in attributes
    }
    for name, value in ours.items():
        theirs = helper.get_attribute_value(attributes[name].default_value)
        assert value == theirs.decode() if isinstance(theirs, bytes) else np.float32(value) == np.float32(theirs)
    missing = set(attributes) - PARAMETER_NAMES[op]
    assert not missing, "every attribute is a parameter"


EXACT = [
    ("Sigmoid", -800.0, 0.0),
    ("Sigmoid", 800.0, 1.0),
    ("Sigmoid", -40.0, math.exp(-40)),
    ("Softplus", 800.0, 800.0),
    ("Softplus", -800.0, 0.0),
    ("Softplus", -40.0, math.exp(-40)),
    ("Elu", 1000.0, 1000.0),
    ("Elu", -1000.0, -1.0),
    ("Elu", -1e-15, -1e-15),
    ("Elu(alpha=0)", 1000.0, 1000.0),
    ("Celu", 1000.0, 1000.0),
    ("Celu(alpha=2)", -5000.0, -2.0),
    ("Celu(alpha=0.001)", 1000.0, 1000.0),
    ("Selu(alpha=2,gamma=3)", 1000.0, 3000.0),
    ("Selu(alpha=2,gamma=3)", -1000.0, -6.0),
    ("Gelu", 1e200, 1e200),
    ("Gelu", -1e200, 0.0),
    ("Gelu(approximate=tanh)", 1e200, 1e200),
    ("Gelu(approximate=tanh)", -1e200, 0.0),
    ("HardSwish", 1e200, 1e200),
    ("HardSwish", -1e200, 0.0),
    ("HardSigmoid", 1e300, 1.0),
    ("HardSigmoid", -1e300, 0.0),
    ("Softsign", -1e300, -1.0),
    ("Tanh", 1e300, 1.0),
    ("Erf", -1e300, -1.0),
    ("Relu", -1e300, 0.0),
    ("LeakyRelu(alpha=0)", 1e300, 1e300),
    ("ThresholdedRelu", 1.0, 0.0),
    ("Clip(min=0,max=6)", 1e300, 6.0),
    ("Clip", -math.inf, -math.inf),
    ("Relu", math.inf, math.inf),
    ("Exp", -math.inf, 0.0),
    ("Sqrt", 0.0, 0.0),
    ("Reciprocal", 1e300, 1e-300),
    ("Pow(exponent=0.5)", 1e300, 1e150),
]


@pytest.mark.parametrize(("text", "x", "y"), EXACT)
def test_far_out_values_are_exact(text: str, x: float, y: float):
    for shape in [(), (1,), (2, 1)]:
        got = Activation.parse(text)(np.full(shape, x))
        assert got.shape == shape
        np.testing.assert_allclose(got, y, rtol=1e-14, atol=0)


@each_case
def test_nothing_overflows_where_the_value_is_finite(activation: Activation):
    """Nor is anybody warned."""
    low, high = DOMAIN.get(activation.op, (-np.inf, np.inf))
    x = GREAT[(low <= GREAT) & ((high if low == -high or activation.op == "Exp" else np.inf) >= GREAT) & (GREAT != 0)]
    x = x[x < 700] if activation.op == "Exp" else x
    if activation.op == "Pow":
        x = np.abs(x[np.abs(x) < 1e100])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        y = activation(np.stack([x, x[::-1]]))
    assert np.isfinite(y).all()


def test_nan_stays_nan():
    """A value that is not known must not come out as if it were."""
    x = np.array([[math.nan, 1.0]])
    for activation in CASES:
        # By definition: x⁰ is 1, and what is not above the threshold is 0.
        is_told_apart = activation.op in ("ThresholdedRelu", "Shrink", "IsNaN", "IsInf", "Not")
        if not is_told_apart and activation != Activation("Pow", (("exponent", 0.0),)):
            assert np.isnan(activation(x)[0, 0]), str(activation)


@pytest.mark.parametrize("x", [[[1e4, 0.0]], [[-1e300, 1e300]], [[700.0, -700.0]]])
def test_softmax_of_far_out_values(x: list[list[float]]):
    hot = [float(v == max(x[0])) for v in x[0]]
    assert Activation.parse("Softmax(axis=1)")(np.array(x)).tolist() == [hot]
    assert Activation.parse("LogSoftmax(axis=1)")(np.array(x)).tolist() == [[min(0.0, v - max(x[0])) for v in x[0]]]


@pytest.mark.parametrize("op", COUPLING)
def test_softmax_over_several_axes_is_over_them_flattened(op: str):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    flat = expected(Activation(op, (("axis", "1"),)), x.reshape(2, 12)).reshape(x.shape)
    np.testing.assert_allclose(Activation(op, (("axis", "1+2"),))(x), flat, rtol=1e-12)
    one = expected(Activation(op, (("axis", "0"),)), x.reshape(6, 4)).reshape(x.shape)
    np.testing.assert_allclose(Activation.parse(f"{op}(axis=0+1)")(x), one, rtol=1e-12)
    assert not np.allclose(flat, one)
    alone = Activation.parse(f"{op}(axis=)")(x)
    assert alone.tolist() == np.full(x.shape, 1.0 if op == "Softmax" else 0.0).tolist(), "over no axis: each alone"


def test_what_couples_is_what_depends_on_other_neurons():
    for activation in CASES:
        x = np.array([[0.5, 1.0], [0.25, 2.0]])
        y = x.copy()
        y[0, 0] += 0.125
        before, after = activation(x), activation(y)
        changed = (before != after) & ~np.isnan(before)
        changed[0, 0] = False
        assert changed.any() == activation.couples, str(activation)


OF_TWO = [n for n, f in FUNCTIONS.items() if len(f.inputs) == 2 and not f.candidates]
COMMUTATIVE = ("And", "Or", "Xor", "Equal", "BitwiseAnd", "BitwiseOr", "BitwiseXor")
MORE = {"Mod": [{"fmod": 1}], "BitShift": [{"direction": "LEFT"}, {"direction": "RIGHT"}]}


@pytest.mark.parametrize(("op", "more"), [(op, more) for op in OF_TWO for more in MORE.get(op, [{}])])
def test_a_function_of_several_inputs_is_onnxs_operator(op: str, more: dict[str, int | str]):
    x, y = np.meshgrid(VALUES, np.array([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0]))
    kind = TYPES.get(op, np.float64)
    if op == "BitShift":
        x, y, kind = np.abs(np.trunc(x)), np.abs(np.trunc(y)), np.uint32
    x, y = x.astype(kind), y.astype(kind)
    ours = FUNCTIONS[op](
        x.astype(np.float64), y.astype(np.float64), **more, **({"bits": 32} if op == "BitShift" else {})
    )
    with np.errstate(all="ignore"):
        theirs, swapped = onnx_value(op, [x, y], more), onnx_value(op, [y, x], more)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    if op not in COMMUTATIVE:
        assert not np.allclose(theirs, swapped, equal_nan=True), "the order of the inputs matters"


def test_whole_numbers_have_the_sign_that_onnx_gives_them():
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-7.0, 8), [-3.0, -2.0, 2.0, 3.0]))
    theirs = onnx_value("Mod", [x.astype(np.int64), y.astype(np.int64)], {})
    assert FUNCTIONS["Mod"](x, y).tolist() == theirs.tolist()


@pytest.mark.parametrize("to", ["bool", "int8", "uint8", "int16", "int32", "int4", "uint2", "float8_e4m3fn"])
def test_a_cast_is_onnxs(to: str):
    x = np.array([-200.7, -3.5, -1.0, -0.3, 0.0, 0.4, 1.5, 2.5, 7.9, 100.6, 447.0, 500.0])
    if to[0] in "iu":
        x = np.trunc(x)  # a float beyond a type's range is not defined; an integer wraps around
    source = x.astype(np.int64 if to[0] in "iu" else np.float32)
    number = helper.np_dtype_to_tensor_dtype(np.dtype(getattr(ml_dtypes, to, to)))
    assert Cast(x.copy(), to=to).tolist() == onnx_value("Cast", [source], {"to": number}).tolist()


def test_the_same_bits_as_another_type():
    x = np.array([1.0, -2.5, 0.0, 3e-40])
    bits = FUNCTIONS["BitCast"](x, of="float32", to="int32")
    assert bits.tolist() == x.astype(np.float32).view(np.int32).tolist()
    assert FUNCTIONS["BitCast"](bits, of="int32", to="float32").tolist() == x.astype(np.float32).tolist()


@pytest.mark.parametrize(("direction", "by"), [("LEFT", [0, 3, 8, -1]), ("RIGHT", [0, 3, 8, -1])])
def test_bits_are_shifted_out(direction: str, by: list[int]):
    expected = {"LEFT": [200, 200 * 8 % 256, 0, 0], "RIGHT": [200, 25, 0, 0]}[direction]
    shifted = FUNCTIONS["BitShift"](np.full(4, 200.0), np.array(by, float), direction=direction, bits=8)
    assert shifted.tolist() == expected


def test_a_function_is_registered_once_and_known_by_name():
    def Relu(x: object) -> object:
        return x

    with pytest.raises(ValueError, match="function Relu is registered twice"):
        function()(Relu)
    with pytest.raises(UnsupportedError, match=r"function 'Relu6' is not known; known: .*Relu"):
        find("Relu6")


# ---------------------------------------------------------------------------------------------------------- text

numbers = st.one_of(
    st.floats(allow_nan=False),
    st.floats(allow_nan=False, width=32),
    st.integers(-(10**18), 10**18).map(float),
    st.sampled_from([1e-7, 1e15, 1e16, 1e22, math.inf, -math.inf, 0.1, float(np.float32(0.1)), 5e-324, -0.0]),
)


@st.composite
def written(draw: st.DrawFn) -> Activation:
    """Any activation that an operator may make."""
    op = draw(st.sampled_from(sorted(ACTIVATIONS)))
    names = [n for n in sorted(PARAMETER_NAMES[op]) if op != "Clip" or draw(st.booleans())]
    texts = {
        "axis": st.lists(st.integers(0, 4), unique=True).map(lambda axes: axes_text(sorted(axes))),
        "approximate": st.sampled_from(["none", "tanh"]),
    }
    return Activation(op, tuple((name, draw(texts.get(name, numbers))) for name in names))


@pytest.mark.slow
@given(written())
@settings(max_examples=300, deadline=None)
def test_parsing_gives_back_what_was_written(activation: Activation):
    assert Activation.parse(str(activation)) == activation


@given(written())
@settings(max_examples=200, deadline=None)
def test_writing_gives_back_what_was_parsed(activation: Activation):
    assert str(Activation.parse(str(activation))) == str(activation)
    assert Activation.parse(str(activation)).couples == activation.couples


@pytest.mark.slow
@given(st.lists(written(), max_size=4))
@settings(max_examples=100, deadline=None)
def test_several_are_joined_in_order(activations: list[Activation]):
    text = activations_text(activations)
    assert text.count("|") == max(len(activations) - 1, 0)
    assert [str(a) for a in parse_activations(text)] == [str(a) for a in activations]


@pytest.mark.parametrize(
    ("activation", "text"),
    [
        (Activation("Relu"), "Relu"),
        (Activation("Clip", (("min", 0.0), ("max", 6.0))), "Clip(min=0,max=6)"),
        (Activation("Clip", (("max", 6.5),)), "Clip(max=6.5)"),
        (Activation("LeakyRelu", (("alpha", 0.1),)), "LeakyRelu(alpha=0.1)"),
        (Activation("LeakyRelu", (("alpha", 1e-7),)), "LeakyRelu(alpha=1e-07)"),
        (Activation("Clip", (("max", math.inf),)), "Clip(max=inf)"),
        (Activation("Gelu", (("approximate", "tanh"),)), "Gelu(approximate=tanh)"),
        (Activation("Softmax", (("axis", "0+1"),)), "Softmax(axis=0+1)"),
    ],
)
def test_the_text_is_that_of_the_file_format(activation: Activation, text: str):
    assert str(activation) == text
    assert str(Activation.parse(text)) == text


def test_no_activation_is_no_text():
    assert activations_text([]) == ""
    assert parse_activations("") == ()


@pytest.mark.parametrize("text", ["Frobnicate", "relu", "Relu6(max=6)", "", "Clip(min=0", "Relu Relu", "x|Relu"])
def test_an_unknown_activation_is_refused(text: str):
    with pytest.raises(UnsupportedError) as e:
        Activation.parse(text)
    message = str(e.value)
    assert repr(text) in message
    assert "\n" not in message
    assert all(op in message for op in ACTIVATIONS), "the message names those that are known"


def test_an_unknown_one_of_several_is_refused():
    with pytest.raises(UnsupportedError, match="'Swash'"):
        parse_activations("Relu|Swash|Tanh")


@given(st.lists(st.integers(0, 9), unique=True))
@settings(max_examples=50, deadline=None)
def test_axes_have_a_text(axes: list[int]):
    assert parse_axes(axes_text(axes)) == tuple(axes)


def test_one_axis_may_be_read_as_a_number():
    assert parse_axes(2.0) == parse_axes("2") == (2,)


# ------------------------------------------------------------------------------------------------- another layout


@pytest.mark.parametrize(
    ("axis", "position", "shown"),
    [
        ("1", {1: 0, 2: 1, 3: 2}, "0"),
        ("0+1", {0: 2, 1: 0, 2: 1}, "0+2"),
        ("0+1+2", {1: 0, 2: 1}, "0+1"),
        ("0", {1: 0}, ""),
        ("", {0: 1}, ""),
        ("2", {0: 0, 1: 1, 2: 2}, "2"),
    ],
)
def test_axes_follow_the_layout(axis: str, position: dict[int, int], shown: str):
    """Old positions to new ones; one that is missing has size 1, over which a softmax has nothing to do."""
    for op in COUPLING:
        assert str(Activation(op, (("axis", axis),)).with_axes(position)) == f"{op}(axis={shown})"


@given(st.permutations(range(3)), st.sets(st.integers(0, 2)))
@settings(max_examples=60, deadline=None)
def test_the_values_follow_the_layout(order: list[int], axes: set[int]):
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    for op in COUPLING:
        activation = Activation(op, (("axis", axes_text(sorted(axes))),))
        there = activation.with_axes({old: new for new, old in enumerate(order)})
        np.testing.assert_allclose(there(x.transpose(order)), activation(x).transpose(order), rtol=1e-12)


def test_pointwise_ones_have_no_axes_to_follow():
    for activation in CASES:
        if not activation.couples:
            assert activation.with_axes({0: 1, 1: 0}) == activation
