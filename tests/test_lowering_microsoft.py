"""Operators of ONNX Runtime's own, which its optimizer and transformer exports write, against ONNX Runtime."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lowered import assert_lowered_exactly, assert_primitive, feeds, one_operator
from network import run
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model import load_model
from onnx2graphml.model.lowering import LOWERINGS
from onnx2graphml.model.lowering.registry import MICROSOFT
from small import runtime, weights

BATCH, STEPS, HEADS, SIZE, KEYS = 2, 4, 2, 3, 5
HIDDEN = HEADS * SIZE
random = np.random.default_rng(0)


def some(*shape: int) -> Any:
    return random.standard_normal(shape).astype(np.float32)


def ones_of(*shape: int) -> Any:
    """Zeros and ones, more of these."""
    return (random.random(shape) < 0.7).astype(np.int32)


def law(op: str, inputs: str, arrays: Any, constant: str = "", outputs: str = "y", opset: int = 17, **kw: Any) -> None:
    computed = list(dict.fromkeys(i for i in inputs.split() if i not in ("_", *constant.split())))
    proto = one_operator(op, inputs, arrays, computed, outputs, opset, **kw)
    assert_lowered_exactly(proto, feeds(arrays, computed))


WRITTEN_AS_ONNX = {"LayerNormalization", "SimplifiedLayerNormalization"}
SCHEMAS = sorted({op for domain, op in LOWERINGS if domain == MICROSOFT} - WRITTEN_AS_ONNX)


@pytest.mark.parametrize("op", SCHEMAS)
def test_the_signature_is_the_schema(op: str) -> None:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    schema = next(s for s in state.get_all_operator_schema() if (s.domain, s.name) == (MICROSOFT, op))
    parameters = list(inspect.signature(LOWERINGS[MICROSOFT, op]).parameters.values())[1:]
    named = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert named <= set(schema.attributes)
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        assert named == set(schema.attributes)
    positional = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    theirs = [i.name for i in schema.inputs]
    if not any(p.kind is p.VAR_POSITIONAL for p in parameters):
        assert positional == theirs[: len(positional)]


@pytest.mark.parametrize("opset", [13, 17, 21])
def test_gelus(opset: int) -> None:
    arrays = {"x": some(2, 5), "b": some(5)}
    for op, inputs in [("Gelu", "x"), ("QuickGelu", "x"), ("FastGelu", "x"), ("FastGelu", "x b"), ("BiasGelu", "x b")]:
        law(op, inputs, arrays, "b", opset=opset)
    law("QuickGelu", "x", arrays, alpha=0.7)


ACTIVATIONS: list[tuple[str, list[float]]] = [
    ("Relu", []),
    ("Tanh", []),
    ("Sigmoid", []),
    ("LeakyRelu", [0.2]),
    ("HardSigmoid", [0.3, 0.4]),
    ("Clip", [-0.5, 0.7]),
]
PICTURE = {"x": some(1, 2, 4, 4), "w": some(3, 2, 3, 3), "b": some(3), "z": some(1, 3, 4, 4)}
WINDOW = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}


@pytest.mark.parametrize(("activation", "parameters"), ACTIVATIONS)
@pytest.mark.parametrize("opset", [9, 13])
def test_fused_conv(activation: str, parameters: list[float], opset: int) -> None:
    given = {"activation_params": parameters} if parameters else {}
    law("FusedConv", "x w b", PICTURE, "w b", opset=opset, activation=activation, **given, **WINDOW)
    law("FusedConv", "x w b z", PICTURE, "w b", opset=opset, activation=activation, **given, **WINDOW)


def test_fused_conv_with_an_activation_that_is_not_known() -> None:
    proto = one_operator("FusedConv", "x w b", PICTURE, ["x"], activation="Relu", **WINDOW)
    proto.graph.node[0].attribute[0].s = b"Swirl"
    with pytest.raises(UnsupportedError, match="its activation is 'Swirl'; expected one of Relu, Tanh"):
        load_model(proto)


@pytest.mark.parametrize(("activation", "alpha"), [("Relu", 0.0), ("LeakyRelu", 0.3), ("Tanh", 0.0)])
def test_fused_gemm(activation: str, alpha: float) -> None:
    arrays = {"x": some(2, 4), "w": some(3, 4), "b": some(3)}
    law(
        "FusedGemm",
        "x w b",
        arrays,
        "w b",
        activation=activation,
        activation_alpha=alpha,
        transB=1,
        alpha=0.5,
        beta=2.0,
    )


@pytest.mark.parametrize("transposed_a", [0, 1])
@pytest.mark.parametrize("transposed_b", [0, 1])
def test_fused_matmul(transposed_a: int, transposed_b: int) -> None:
    a, b = some(2, 3, 4, 5), some(2, 3, 5, 6)
    arrays = {
        "a": np.swapaxes(a, 2, 3) if transposed_a else a,
        "b": np.swapaxes(b, 2, 3) if transposed_b else b,
    }
    turns = {"transA": transposed_a, "transB": transposed_b}
    law("FusedMatMul", "a b", arrays, alpha=0.5, **turns)
    law("TransposeMatMul", "a b", arrays, alpha=0.5, **turns)
    first = {n: np.ascontiguousarray(np.moveaxis(v, 2, 0)) for n, v in arrays.items()}
    law("FusedMatMul", "a b", {"a": first["a"], "b": arrays["b"]}, transBatchA=1, **turns)
    law("FusedMatMul", "a b", first, transBatchA=1, transBatchB=1, **turns)


def test_max_pool_of_channels_last() -> None:
    law(
        "NhwcMaxPool",
        "x",
        {"x": random.integers(0, 256, (1, 4, 4, 3)).astype(np.uint8)},
        kernel_shape=[2, 2],
        strides=[2, 2],
    )


@pytest.mark.parametrize(("op", "kernel"), [("NhwcConv", (0, 2, 3, 1)), ("NhwcFusedConv", (0, 1, 2, 3))])
def test_convolutions_of_channels_last(op: str, kernel: tuple[int, ...]) -> None:
    """ONNX Runtime has no kernel for them on a CPU: the same as a Conv between transpositions."""
    arrays = {"x": PICTURE["x"].transpose(0, 2, 3, 1), "w": PICTURE["w"].transpose(kernel), "b": PICTURE["b"]}
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "w", "b"], ["y"], domain=MICROSOFT, **WINDOW)],
        "channels_last",
        [helper.make_tensor_value_info("x", 1, arrays["x"].shape)],
        [helper.make_tensor_value_info("y", 1, (1, 4, 4, 3))],
        [numpy_helper.from_array(np.ascontiguousarray(arrays[n]), n) for n in "wb"],
    )
    loaded = load_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    assert_primitive(loaded)
    (got,) = runtime(loaded.proto, {"x": np.ascontiguousarray(arrays["x"])})
    plain = one_operator("Conv", "x w b", PICTURE, ["x"], domain="", **WINDOW)
    np.testing.assert_allclose(got.transpose(0, 3, 1, 2), runtime(plain, {"x": PICTURE["x"]})[0], rtol=1e-5, atol=1e-5)


NORM = {"x": some(1, 3, 6), "k": some(1, 3, 6), "g": some(6), "b": some(6), "c": some(6)}


@pytest.mark.parametrize("outputs", ["y", "y _ _ s"])
@pytest.mark.parametrize("inputs", ["x k g", "x k g b", "x k g b c", "x k g _ c"])
def test_skip_layer_normalization(inputs: str, outputs: str) -> None:
    law("SkipLayerNormalization", inputs, NORM, "g b c", outputs, epsilon=1e-5)


@pytest.mark.parametrize("inputs", ["x k g", "x k g c"])
def test_skip_simplified_layer_normalization(inputs: str) -> None:
    law("SkipSimplifiedLayerNormalization", inputs, NORM, "g c", "y _ _ s", epsilon=1e-3)


@pytest.mark.parametrize("axis", [-1, 1])
@pytest.mark.parametrize(("op", "opset"), [("LayerNormalization", 13), ("SimplifiedLayerNormalization", 17)])
def test_what_onnx_runtime_writes_as_onnx(op: str, opset: int, axis: int) -> None:
    """They are no operators of ONNX in these opsets."""
    shape = (6,) if axis == -1 else (3, 6)
    arrays = {"x": some(2, 3, 6), "w": some(*shape), "b": some(*shape)}
    inputs = "x w b" if op == "LayerNormalization" else "x w"
    law(op, inputs, arrays, "w b", opset=opset, domain="", axis=axis, epsilon=1e-3)


ATTENTION = {
    "x": some(BATCH, STEPS, 5),
    "w": some(5, 3 * HIDDEN),
    "b": some(3 * HIDDEN),
    "w8": some(5, 2 * HIDDEN + 8),
    "b8": some(2 * HIDDEN + 8),
    "past": some(2, BATCH, HEADS, 2, SIZE),
    "lengths": np.array([4, 2], np.int32),
    "keys": ones_of(BATCH, STEPS),
    "each": ones_of(BATCH, STEPS, STEPS),
    "longer": ones_of(BATCH, STEPS + 2),
    "bias": some(1, 1, STEPS, STEPS),
}


@pytest.mark.parametrize(
    ("inputs", "outputs", "attributes"),
    [
        ("x w b", "y", {}),
        ("x w", "y", {}),
        ("x w b", "y p", {"unidirectional": 1}),
        ("x w b", "y", {"scale": 0.3}),
        ("x w b lengths", "y", {}),
        ("x w b keys", "y", {"unidirectional": 1, "mask_filter_value": -50.0}),
        ("x w b each", "y", {}),
        ("x w b _ past", "y p", {}),
        ("x w b longer past", "y p", {"unidirectional": 1}),
        ("x w b keys _ bias", "y", {}),
        ("x w8 b8 keys", "y", {"qkv_hidden_sizes": [HIDDEN, HIDDEN, 8]}),
    ],
    ids=str,
)
@pytest.mark.parametrize("opset", [12, 17])
def test_attention(inputs: str, outputs: str, attributes: Any, opset: int) -> None:
    law("Attention", inputs, ATTENTION, "w b w8 b8", outputs, opset, num_heads=HEADS, **attributes)


MULTI = {
    "q": some(BATCH, STEPS, HIDDEN),
    "k": some(BATCH, KEYS, HIDDEN),
    "v": some(BATCH, KEYS, 8),
    "v6": some(BATCH, KEYS, HIDDEN),
    "b": some(2 * HIDDEN + 8),
    "b6": some(3 * HIDDEN),
    "lengths": np.array([5, 3], np.int32),
    "keys": ones_of(BATCH, KEYS),
    "each": ones_of(BATCH, STEPS, KEYS),
    "bias": some(1, 1, STEPS, KEYS),
    "past_k": some(BATCH, HEADS, 2, SIZE),
    "past_v": some(BATCH, HEADS, 2, SIZE),
    "by_head": some(BATCH, HEADS, KEYS, SIZE),
}


@pytest.mark.parametrize(
    ("inputs", "outputs", "attributes"),
    [
        ("q k v", "y", {}),
        ("q k v b", "y", {"scale": 0.2}),
        ("q k v b lengths", "y", {}),
        ("q k v b keys", "y", {"mask_filter_value": -50.0}),
        ("q k v _ each", "y", {}),
        ("q k v b _ bias", "y", {}),
        ("q q q", "y", {"unidirectional": 1}),
        ("q by_head by_head", "y", {}),
        ("q k v6 _ _ _ past_k past_v", "y pk pv", {}),
        ("q q q _ _ _ past_k past_v", "y pk pv", {"unidirectional": 1}),
    ],
    ids=str,
)
def test_multi_head_attention(inputs: str, outputs: str, attributes: Any) -> None:
    law("MultiHeadAttention", inputs, MULTI, "b b6", outputs, num_heads=HEADS, **attributes)


def attention_without(*attributes: onnx.AttributeProto) -> onnx.ModelProto:
    proto = one_operator("Attention", "x w b keys", ATTENTION, ["x", "keys"], num_heads=HEADS)
    proto.graph.node[0].attribute.extend(attributes)
    return proto


def test_attention_that_is_refused() -> None:
    rotary = attention_without(helper.make_attribute("do_rotary", 1))
    with pytest.raises(UnsupportedError, match="its do_rotary or past_present_share_buffer is set; expected neither"):
        load_model(rotary)
    mask = attention_without()
    mask.graph.input[1].type.tensor_type.shape.dim[1].dim_value = 3
    with pytest.raises(UnsupportedError, match=r"its mask has shape \[2, 3\]; expected \[2\], \[2, 4\] or \[2, 4, 4\]"):
        load_model(mask)
    without = attention_without()
    del without.graph.node[0].attribute[:]
    with pytest.raises(UnsupportedError, match="attribute 'num_heads' is missing; the operator needs it"):
        load_model(without)
    missing = attention_without()
    missing.graph.node[0].input[1] = ""
    with pytest.raises(UnsupportedError, match="input 'weights' is missing; the operator needs it"):
        load_model(missing)
    more = attention_without()
    more.graph.node[0].input.extend(["", "", "", "x"])
    with pytest.raises(UnsupportedError, match="it has 8 inputs; expected at most 7"):
        load_model(more)
    unknown = attention_without(helper.make_attribute("tilt", 1))
    with pytest.raises(UnsupportedError, match="attribute 'tilt' is not supported; supported: num_heads"):
        load_model(unknown)
    asked = attention_without()
    asked.graph.node[0].output.extend(["", "z"])
    asked.graph.output.append(helper.make_tensor_value_info("z", 1, [1]))
    with pytest.raises(UnsupportedError, match=r"its output 2 \('z'\) is used, which can't be expressed"):
        load_model(asked)


def test_packed_keys_are_refused() -> None:
    proto = one_operator("MultiHeadAttention", "q k v", MULTI, ["q", "k", "v"], num_heads=HEADS)
    del proto.graph.node[0].input[1:]
    with pytest.raises(UnsupportedError, match="its keys are packed beside its queries or values;"):
        load_model(proto)


TOKENS = {
    "ids": random.integers(0, 7, (BATCH, STEPS)).astype(np.int32),
    "segments": random.integers(0, 2, (BATCH, STEPS)).astype(np.int32),
    "words": some(7, 6),
    "places": some(9, 6),
    "kinds": some(2, 6),
    "g": some(6),
    "b": some(6),
    "mask": np.array([[1, 1, 1, 0], [1, 1, 0, 0]], np.int32),
    "at": random.integers(0, 9, (BATCH, STEPS)).astype(np.int32),
}


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        ("ids segments words places kinds g b", "y m"),
        ("ids segments words places kinds g b mask", "y m"),
        ("ids _ words places _ g b", "y m"),
        ("ids segments words places kinds g b mask at", "y m s"),
    ],
)
def test_embed_layer_normalization(inputs: str, outputs: str) -> None:
    law("EmbedLayerNormalization", inputs, TOKENS, "words places kinds g b", outputs, epsilon=1e-3)


@pytest.mark.parametrize("interleaved", [0, 1])
def test_rotary_embedding(interleaved: int) -> None:
    arrays = {
        "x": some(BATCH, STEPS, 8),
        "by_head": some(BATCH, 2, STEPS, 4),
        "wide": some(BATCH, 2, STEPS, 6),
        "at": np.array([[0, 1, 2, 3], [3, 4, 5, 6]]),
        "first": np.array([2]),
        "c": some(10, 2),
        "s": some(10, 2),
    }
    for inputs in ("x at c s", "x first c s", "by_head at c s"):
        law("RotaryEmbedding", inputs, arrays, "at first c s", interleaved=interleaved)
    more = {"rotary_embedding_dim": 4, "num_heads": 2}
    law("RotaryEmbedding", "wide at c s", arrays, "c s", interleaved=interleaved, **more)


def test_a_model_that_onnx_runtime_has_optimized(tmp_path: Any) -> None:
    """What its optimizer writes into a file is read, and computes what the model did."""
    import onnxruntime as ort

    from small import model, node

    nodes = [
        node("Conv", "x w b", "c", **WINDOW),
        node("Relu", "c", "r"),
        node("Gemm", "f v", "g"),
        node("Relu", "g", "y"),
    ]
    nodes.insert(2, node("Flatten", "r", "f"))
    proto = model(nodes, {"x": [1, 2, 4, 4]}, {"w": PICTURE["w"], "b": PICTURE["b"], "v": weights(48, 5)})
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    optimized = onnx.load(tmp_path / "optimized.onnx")
    assert {"FusedConv", "FusedGemm"} <= {n.op_type for n in optimized.graph.node}
    assert_lowered_exactly(optimized, {"x": PICTURE["x"]}, reference=proto)


@pytest.mark.slow
@pytest.mark.parametrize("channels_last", [0, 1])
@pytest.mark.parametrize("activation", [0, 1])
def test_group_norm(activation: int, channels_last: int) -> None:
    """ONNX Runtime has no kernel for it on a CPU: PyTorch's has the same formula."""
    import torch

    x, gamma, beta = some(2, 6, 3, 4), some(6), some(6)
    fed = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if channels_last else x
    given = {"groups": 3, "activation": activation, "channels_last": channels_last, "epsilon": 1e-3}
    graph = helper.make_graph(
        [helper.make_node("GroupNorm", ["x", "gamma", "beta"], ["y"], domain=MICROSOFT, **given)],
        "group_norm",
        [helper.make_tensor_value_info("x", 1, fed.shape)],
        [helper.make_tensor_value_info("y", 1, fed.shape)],
        [numpy_helper.from_array(gamma, "gamma"), numpy_helper.from_array(beta, "beta")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    loaded = load_model(helper.make_model(graph, opset_imports=opsets, ir_version=8))
    assert_primitive(loaded)
    (got,) = run(walk(loaded), {"x": fed})
    y = torch.nn.functional.group_norm(*map(torch.from_numpy, (x,)), 3, *map(torch.from_numpy, (gamma, beta)), 1e-3)
    expected = (torch.nn.functional.silu(y) if activation else y).numpy()
    expected = expected.transpose(0, 2, 3, 1) if channels_last else expected
    np.testing.assert_allclose(got.reshape(fed.shape), expected, rtol=1e-4, atol=1e-5)


QUANTIZED = {
    "x": random.integers(0, 256, (BATCH, STEPS, 5)).astype(np.uint8),
    "w": random.integers(-128, 128, (5, 3 * HIDDEN)).astype(np.int8),
    "b": some(3 * HIDDEN),
    "xs": np.float32(0.02),
    "ws": np.float32(0.01),
    "ws18": np.abs(some(3 * HIDDEN)) / 50,
    "lengths": np.array([4, 2], np.int32),
    "xz": np.uint8(128),
    "wz": np.int8(0),
    "past": some(2, BATCH, HEADS, 2, SIZE),
}


@pytest.mark.parametrize(
    ("inputs", "outputs", "attributes"),
    [
        ("x w b xs ws _ xz wz", "y", {}),
        ("x w b xs ws18 _ xz", "y", {}),
        ("x w b xs ws lengths xz wz", "y", {}),
        ("x w b xs ws _ xz wz past", "y p", {"unidirectional": 1}),
    ],
)
def test_quantized_attention(inputs: str, outputs: str, attributes: Any) -> None:
    law("QAttention", inputs, QUANTIZED, "w b xs ws ws18 xz wz lengths", outputs, num_heads=HEADS, **attributes)


def test_quantized_attention_that_is_refused() -> None:
    proto = one_operator("QAttention", "x w b xs ws _ xz wz", QUANTIZED, ["x"], num_heads=HEADS)
    proto.graph.node[0].attribute.append(helper.make_attribute("do_rotary", 1))
    with pytest.raises(UnsupportedError, match="its do_rotary or past_present_share_buffer is set; expected neither"):
        load_model(proto)


ANGLES = random.random((8, 8))
GROUPED = {
    "q": some(1, STEPS, 4 * 16),
    "k": some(1, STEPS, 2 * 16),
    "v": some(1, STEPS, 2 * 16),
    "packed": some(1, STEPS, 8 * 16),
    "n": np.array([STEPS - 1], np.int32),
    "short": np.array([1], np.int32),
    "total": np.array(STEPS, np.int32),
    "c": np.cos(ANGLES).astype(np.float32),
    "s": np.sin(ANGLES).astype(np.float32),
    "past": some(1, 2, 3, 16),
    "none": np.zeros((1, 2, 0, 16), np.float32),
}


@pytest.mark.parametrize(
    ("inputs", "attributes"),
    [
        ("q k v _ _ n total", {}),
        ("q k v _ _ n total", {"scale": 0.3}),
        ("packed _ _ _ _ n total", {}),
        ("q k v _ _ n total c s", {"do_rotary": 1}),
        ("q k v _ _ n total c s", {"do_rotary": 1, "rotary_interleaved": 1}),
        ("q k v none none n total", {}),
    ],
    ids=str,
)
def test_group_query_attention(inputs: str, attributes: Any) -> None:
    given = {"num_heads": 4, "kv_num_heads": 2, **attributes}
    law("GroupQueryAttention", inputs, GROUPED, "n total c s none", "y pk pv", **given)


@pytest.mark.parametrize(
    ("message", "inputs", "attributes"),
    [
        ("it has a cache of earlier keys, whose length depends on the data", "q k v past past seven", {}),
        (r"its seqlens_k are \[1\]; expected 3: no padding", "q k v _ _ short", {}),
        ("its softcap is 2.0; expected 0.0", "q k v _ _ n", {"softcap": 2.0}),
        ("its local_window_size is 2; expected -1", "q k v _ _ n", {"local_window_size": 2}),
    ],
)
def test_group_query_attention_that_is_refused(message: str, inputs: str, attributes: Any) -> None:
    arrays = GROUPED | {"seven": np.array([6], np.int32)}
    given = {"num_heads": 4, "kv_num_heads": 2, **attributes}
    names = [i if i != "_" else "" for i in (*inputs.split(), "total")]
    node = helper.make_node("GroupQueryAttention", names, ["y", "pk", "pv"], "it", domain=MICROSOFT, **given)
    graph = helper.make_graph(
        [node],
        "grouped",
        [helper.make_tensor_value_info(n, 1, arrays[n].shape) for n in "qkv"],
        [helper.make_tensor_value_info("y", 1, arrays["q"].shape)],
        [numpy_helper.from_array(arrays[n], n) for n in dict.fromkeys(names) if n not in ("q", "k", "v", "")],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(MICROSOFT, 1)]
    with pytest.raises(UnsupportedError, match=message):
        load_model(helper.make_model(graph, opset_imports=opsets, ir_version=8))


def few_bits(bits: int, size: int = 16, inputs: int = 40, outputs: int = 6) -> dict[str, Any]:
    blocks = -(-inputs // size)
    return {
        "x": some(3, inputs),
        "w": random.integers(0, 256, (outputs, blocks, size * bits // 8)).astype(np.uint8),
        "s": np.abs(some(outputs, blocks)) / 8,
        "z": random.integers(0, 256, (outputs, -(-blocks * bits // 8))).astype(np.uint8),
        "b": some(outputs),
    }


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("inputs", ["x w s", "x w s z", "x w s z _ b"])
def test_products_with_weights_of_few_bits(inputs: str, bits: int) -> None:
    law("MatMulNBits", inputs, few_bits(bits), "w s z b", K=40, N=6, block_size=16, bits=bits)


def test_products_that_round_their_input_are_refused() -> None:
    given = {"K": 40, "N": 6, "block_size": 16, "bits": 4}
    proto = one_operator("MatMulNBits", "x w s", few_bits(4), ["x"], **given, accuracy_level=4)
    with pytest.raises(
        UnsupportedError, match="its bits are 4, accuracy_level 4, weight_prepacked 0, and g_idx is not"
    ):
        load_model(proto)
