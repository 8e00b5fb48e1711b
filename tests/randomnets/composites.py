"""Operators that are replaced by those of their intermediate results; all in float32."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from randomnets.builder import Builder, Tensor, Unfit
from randomnets.candidates import axis_of, picture
from randomnets.constants import constant, integers, numbers
from randomnets.ranges import calm, of_rank
from randomnets.records import as_float, hidden, single
from randomnets.steps import STEPS, Step, step

MICROSOFT = "com.microsoft"


def shaped(b: Builder, x: Tensor, rank: int, largest: int) -> Tensor:
    """Of that rank, with so many values at most."""
    x = of_rank(b, single(b, x), rank, rank)
    if x.size > largest:
        raise Unfit
    return x


def weights(b: Builder, *shape: int) -> str:
    return constant(b, numbers(b, shape, np.float32, largest=1))


# ------------------------------------------------------------------------------------------------------- recurrence


GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def _recurrent(op: str) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, shaped(b, x, 3, 80), 3.0)
        steps, batch, inputs = x.shape
        hidden_size, gates = b.random.randint(1, 2), GATES[op]
        direction = b.random.choice(["forward", "reverse", "bidirectional"])
        ways = 2 if direction == "bidirectional" else 1
        # None are tiny: ONNX Runtime computes Tanh around 1, and what normalizes it would show that.
        shapes = [(ways, gates * hidden_size, n) for n in (inputs, hidden_size)] + [(ways, 2 * gates * hidden_size)]
        arrays = [b.numpy().standard_normal(s).astype(np.float32) for s in shapes[: b.random.randint(2, 3)]]
        names: list[Tensor | str] = [x, *(constant(b, a) for a in arrays)]
        given: dict[str, Any] = {"direction": direction, "hidden_size": hidden_size}
        if b.chance(0.2) and x.is_finite:  # ONNX Runtime's makes a number of NaN
            given["clip"] = 0.7
        if op == "GRU":
            given["linear_before_reset"] = b.random.randint(0, 1)
        shape = (steps, ways, batch, hidden_size)
        edges = int(np.prod(shape)) * gates * (inputs + hidden_size + 8)
        return b.add(op, names, shape, -1, 1, edges=edges, **given)

    return grow


STEPS |= {op: Step(op, _recurrent(op), 7) for op in GATES}

# ----------------------------------------------------------------------------------------------------- normalizations


@step("LRN")
def response_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    if x.largest > 1e6:  # ONNX Runtime adds and subtracts squares as its window moves: NaN would go on to all channels
        raise Unfit
    given = {"size": b.random.choice([1, 3, 5]), "alpha": 0.1, "beta": 0.75, "bias": 1.0}
    return b.add("LRN", [x], x.shape, -x.largest, x.largest, edges=9 * x.size, **given)


@step("InstanceNormalization")
def instance_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    c = x.shape[1]
    return b.add("InstanceNormalization", [x, weights(b, c), weights(b, c)], x.shape, -100, 100, edges=9 * x.size)


def _normalized(op: str, since: int) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, of_rank(b, single(b, x), 2), 100.0)
        axis = b.random.randint(1, x.rank - 1)
        inputs: list[Tensor | str] = [x, weights(b, *x.shape[axis:])]
        if op == "LayerNormalization" and b.chance(0.6):
            inputs.append(weights(b, *x.shape[axis:]))
        given = {"axis": axis, "epsilon": 1e-3}
        return b.add(op, inputs, x.shape, -100, 100, edges=9 * x.size, **given)

    return grow


STEPS |= {
    op: Step(op, _normalized(op, since), since) for op, since in (("LayerNormalization", 17), ("RMSNormalization", 23))
}


@step("GroupNormalization", 21)
def group_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 2, 1, 1), 100.0)
    c = x.shape[1]
    inputs = [x, weights(b, c), weights(b, c)]
    return b.add("GroupNormalization", inputs, x.shape, -100, 100, edges=9 * x.size, num_groups=2, epsilon=1e-3)


@step("MeanVarianceNormalization", 9)
def mean_variance_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 10.0)
    if np.prod(x.shape[2:]) < 2:
        raise Unfit
    # ONNX's formula, E[x²] - E[x]², says nothing where the variance is small beside the mean.
    signs = np.where(np.arange(x.size) % 2, -1, 1) * np.linspace(1, 2, x.size)
    noise = constant(b, signs.reshape(x.shape).astype(np.float32))
    x = b.add("Add", [x, noise], x.shape, x.low - 2, x.high + 2)
    return b.add("MeanVarianceNormalization", [x], x.shape, -100, 100, edges=9 * x.size, axes=[0, 2, 3])


@step("LpNormalization", 7)
def lp_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, single(b, x), 1), 100.0)
    axis, p = axis_of(b, x), b.random.choice([1, 2])
    return b.add("LpNormalization", [x], x.shape, -1, 1, edges=4 * x.size, axis=axis, p=p)


# ----------------------------------------------------------------------------------------------------------- attention


@step("Attention", 23)
def attention(b: Builder, x: Tensor) -> Tensor:
    """Of a sequence to itself or to a constant one; now and then only to what came before."""
    x = calm(b, shaped(b, x, 3, 60), 3.0)
    heads = b.random.choice([h for h in (1, 2) if x.shape[2] % h == 0])
    key = x.name if b.chance(0.5) else weights(b, *x.shape)
    given = {"q_num_heads": heads, "kv_num_heads": heads, "is_causal": b.random.randint(0, 1)}
    edges = 4 * x.shape[0] * x.shape[1] ** 2 * x.shape[2] + 20 * x.size
    size = max(x.largest, 1.0)
    return b.add("Attention", [x, key, x], x.shape, -size, size, edges=edges, **given)


@step("RotaryEmbedding", 23)
def rotary_embedding(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 2), 100.0)
    batch, _, length, size = x.shape
    angles = b.numpy().random((batch, length, size // 2))
    tables = [constant(b, f(angles).astype(np.float32)) for f in (np.cos, np.sin)]
    interleaved = b.random.randint(0, 1)
    bound = 2 * x.largest
    return b.add("RotaryEmbedding", [x, *tables], x.shape, -bound, bound, edges=9 * x.size, interleaved=interleaved)


# ------------------------------------------------------------------------------------------------------- control flow


def _graph(nodes: Sequence[onnx.NodeProto], inputs: Sequence[Any], outputs: Sequence[Any], **values: Any) -> Any:
    """A subgraph; inputs and outputs are name, type and shape."""
    infos = [[helper.make_tensor_value_info(*i) for i in side] for side in (inputs, outputs)]
    tensors = [numpy_helper.from_array(np.asarray(v), n) for n, v in values.items()]
    return helper.make_graph(list(nodes), "body", *infos, tensors)


@step("Loop", 11)
def loop(b: Builder, x: Tensor) -> Tensor:
    """So many times half of itself plus its own Tanh; of each time, or of the last."""
    x = calm(b, single(b, x), 100.0)
    turns, own = b.random.randint(1, 3), b.fresh("s")
    kind = TensorProto.FLOAT
    nodes = [
        helper.make_node("Tanh", [f"{own}x"], [f"{own}t"]),
        helper.make_node("Mul", [f"{own}x", f"{own}h"], [f"{own}m"]),
        helper.make_node("Add", [f"{own}m", f"{own}t"], [f"{own}y"]),
        helper.make_node("Identity", [f"{own}y"], [f"{own}z"]),
        helper.make_node("Identity", [f"{own}c"], [f"{own}d"]),
    ]
    body = _graph(
        nodes,
        [(f"{own}i", TensorProto.INT64, []), (f"{own}c", TensorProto.BOOL, []), (f"{own}x", kind, x.shape)],
        [(f"{own}d", TensorProto.BOOL, []), (f"{own}y", kind, x.shape), (f"{own}z", kind, x.shape)],
        **{f"{own}h": np.float32(0.5)},
    )
    every = b.chance(0.5)
    shape = (turns, *x.shape) if every else x.shape
    b.afford("Loop", [x.dtype], turns * x.size * 3, 6 * turns * x.size)
    if len(shape) > 5:
        raise Unfit
    found = b.take(Tensor("", shape, x.dtype, -x.largest - 3, x.largest + 3))
    outputs = [b.fresh("h"), found.name] if every else [found.name, b.fresh("h")]
    inputs = [constant(b, np.asarray(turns, np.int64)), constant(b, np.asarray(True)), x.name]
    b.node("Loop", inputs, outputs, body=body)
    return found


@step("Scan", 9)
def scan(b: Builder, x: Tensor) -> Tensor:
    """A running sum along the first axis, halved at each step."""
    x = calm(b, of_rank(b, single(b, x), 2, 4), 100.0)
    own, kind, rest = b.fresh("s"), TensorProto.FLOAT, x.shape[1:]
    nodes = [
        helper.make_node("Mul", [f"{own}s", f"{own}h"], [f"{own}m"]),
        helper.make_node("Add", [f"{own}m", f"{own}x"], [f"{own}t"]),
        helper.make_node("Identity", [f"{own}t"], [f"{own}y"]),
    ]
    body = _graph(
        nodes,
        [(f"{own}s", kind, rest), (f"{own}x", kind, rest)],
        [(f"{own}t", kind, rest), (f"{own}y", kind, rest)],
        **{f"{own}h": np.float32(0.5)},
    )
    b.afford("Scan", [x.dtype], 3 * x.size, 6 * x.size)
    found = b.take(Tensor("", x.shape, x.dtype, -2 * x.largest, 2 * x.largest))
    start = constant(b, numbers(b, rest, np.float32, largest=1))
    given = {"scan_input_directions": [b.random.randint(0, 1)]}
    b.node("Scan", [start, x.name], [b.fresh("h"), found.name], body=body, num_scan_inputs=1, **given)
    return found


@step("If", 11)
def choice(b: Builder, x: Tensor) -> Tensor:
    """By the sign of the sum of all: one branch, or the other."""
    x = calm(b, single(b, x), 100.0)
    total = hidden(b, "ReduceSum", [x.name], keepdims=0)
    condition = hidden(b, "Greater", [total, constant(b, np.float32(0.1))])
    branches = {}
    for name, op in (("then_branch", "Tanh"), ("else_branch", "Neg")):
        out = b.fresh("s")
        branches[name] = _graph([helper.make_node(op, [x.name], [out])], [], [(out, TensorProto.FLOAT, x.shape)])
    b.afford("If", [x.dtype], 2 * x.size, 7 * x.size)
    size = max(x.largest, 1.0)
    found = b.take(Tensor("", x.shape, x.dtype, -size, size))
    b.node("If", [condition], [found.name], **branches)
    return found


# ------------------------------------------------------------------------------------------------ sequences of tensors


@step("SplitToSequence", 11)
def from_sequence(b: Builder, x: Tensor) -> Tensor:
    return _through_sequence(b, x)


@step("ConcatFromSequence", 11)
def concatenated_sequence(b: Builder, x: Tensor) -> Tensor:
    return _through_sequence(b, x)


@step("SequenceAt", 11)
def one_of_sequence(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 2, 4)
    parts = hidden(b, "SplitToSequence", [x.name], axis=0, keepdims=0)
    found = b.take(Tensor("", x.shape[1:], x.dtype, x.low, x.high))
    b.afford("SequenceAt", [x.dtype], found.size, found.size)
    b.node("SequenceAt", [parts, constant(b, np.asarray(b.random.randrange(x.shape[0]), np.int64))], [found.name])
    return found


def _through_sequence(b: Builder, x: Tensor) -> Tensor:
    """Apart along one axis, and together again along another."""
    x = of_rank(b, single(b, x), 2, 4)
    parts = hidden(b, "SplitToSequence", [x.name, constant(b, np.asarray(1, np.int64))], axis=0)
    shape = (1, x.shape[0] * x.shape[1], *x.shape[2:])
    b.afford("ConcatFromSequence", [x.dtype], x.size, 2 * x.size)
    found = b.take(Tensor("", shape, x.dtype, x.low, x.high))
    b.node("ConcatFromSequence", [parts], [found.name], axis=1)
    return found


# -------------------------------------------------------------------------------------------- places that are computed


@step("DeformConv", 19)
def deformed(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    _, c, h, w = x.shape
    if min(h, w) < 2 or x.size > 100:
        raise Unfit
    shape = (1, 2, h - 1, w - 1)
    offset = constant(b, numbers(b, (1, 8, h - 1, w - 1), np.float32, largest=1))
    size = 9 * c * x.largest
    edges = 16 * c * int(np.prod(shape)) + 8 * x.size
    given = {"kernel_shape": [2, 2]}
    return b.add("DeformConv", [x, weights(b, 2, c, 2, 2), offset], shape, -size, size, edges=edges, **given)


@step("RoiAlign", 16, until=21)
def regions(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    c = x.shape[1]
    corners = b.numpy().uniform(0, 3, (2, 2))
    rois = constant(b, np.concatenate([corners, corners + np.array([[2.0, 1.5], [1.0, 3.0]])], 1).astype(np.float32))
    given = {"output_height": 2, "output_width": 2, "sampling_ratio": b.random.randint(1, 2)}
    shape = (2, c, 2, 2)
    inputs = [x, rois, integers(b, [0, 0])]
    return b.add("RoiAlign", inputs, shape, -x.largest, x.largest, edges=80 * int(np.prod(shape)), **given)


@step("Compress", 9)
def compress(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    kept = [b.random.random() < 0.7 for _ in range(x.shape[axis])]
    kept[b.random.randrange(len(kept))] = True
    shape = [sum(kept) if d == axis else n for d, n in enumerate(x.shape)]
    return b.add("Compress", [x, constant(b, np.array(kept))], shape, x.low, x.high, axis=axis)


@step("CenterCropPad", 18)
def cropped(b: Builder, x: Tensor) -> Tensor:
    x = of_rank(b, single(b, x), 1)
    axis = axis_of(b, x)
    n = b.random.randint(1, x.shape[axis] + 2)
    shape = [n if d == axis else m for d, m in enumerate(x.shape)]
    return b.add("CenterCropPad", [x, integers(b, [n])], shape, min(x.low, 0), max(x.high, 0), axes=[axis])


# --------------------------------------------------------------------------------------------------------- quantization


def _bytes(b: Builder, x: Tensor) -> str:
    """Rounded to whole numbers from 0 to 255."""
    scale, zero = constant(b, np.float32(0.25)), constant(b, np.uint8(100))
    b.afford("QuantizeLinear", [x.dtype], x.size, x.size)
    return hidden(b, "QuantizeLinear", [x.name, scale, zero])


def _scaled(b: Builder, low: int = -100, high: int = 100, shape: Sequence[int] = ()) -> list[str]:
    """Weights in int8 with a scale and a zero point."""
    array = b.numpy().integers(low, high, shape).astype(np.int8)
    return [constant(b, array), constant(b, np.float32(0.02)), constant(b, np.int8(0))]


@step("QLinearConv", 10)
def quantized_convolution(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 20.0)
    _, c, h, w = x.shape
    given = [constant(b, np.float32(0.25)), constant(b, np.uint8(100))]
    out = [constant(b, np.float32(0.5)), constant(b, np.uint8(120))]
    made = hidden(b, "QLinearConv", [_bytes(b, x), *given, *_scaled(b, shape=(2, c, min(h, 2), min(w, 2))), *out])
    shape = (1, 2, h - min(h, 2) + 1, w - min(w, 2) + 1)
    return as_float(b, made, shape, 0, 255, 4 * c * int(np.prod(shape)))


@step("QLinearMatMul", 10)
def quantized_product(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, single(b, x), 2, 3), 20.0)
    n = x.shape[-1]
    given = [constant(b, np.float32(0.25)), constant(b, np.uint8(100))]
    out = [constant(b, np.float32(0.5)), constant(b, np.uint8(120))]
    made = hidden(b, "QLinearMatMul", [_bytes(b, x), *given, *_scaled(b, shape=(n, 3)), *out])
    return as_float(b, made, (*x.shape[:-1], 3), 0, 255, 3 * x.size)


@step("MatMulInteger", 10)
def integer_product(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, single(b, x), 2, 3), 20.0)
    n = x.shape[-1]
    weight = _scaled(b, shape=(n, 3))[0]
    zero = [constant(b, np.uint8(100))] if b.chance(0.5) else []
    made = hidden(b, "MatMulInteger", [_bytes(b, x), weight, *zero])
    return as_float(b, made, (*x.shape[:-1], 3), -3e5, 3e5, 3 * x.size)


# ------------------------------------------------------------------------------------------------ ONNX Runtime's own


def _fused(
    op: str, inputs: Callable[[Builder, Tensor], list[str]], **given: Any
) -> Callable[[Builder, Tensor], Tensor]:
    def grow(b: Builder, x: Tensor) -> Tensor:
        x = calm(b, of_rank(b, single(b, x), 2, 3), 20.0)
        size = x.largest + 3
        return b.add(op, [x, *inputs(b, x)], x.shape, -size, size, edges=9 * x.size, domain=MICROSOFT, **given)

    return grow


def _last(b: Builder, x: Tensor) -> list[str]:
    return [weights(b, x.shape[-1])]


FUSED: dict[str, tuple[Callable[[Builder, Tensor], list[str]], dict[str, Any]]] = {
    "BiasGelu": (_last, {}),
    "FastGelu": (_last, {}),
    "QuickGelu": (lambda b, x: [], {"alpha": 1.702}),
}
STEPS |= {op: Step(op, _fused(op, inputs, **given), 14) for op, (inputs, given) in FUSED.items()}


@step("SkipLayerNormalization", 14)
def skip_layer_normalization(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, single(b, x), 3, 3), 20.0)
    inputs = [x, weights(b, *x.shape), *_last(b, x), *_last(b, x)]
    given = {"epsilon": 1e-3, "domain": MICROSOFT}
    return b.add("SkipLayerNormalization", inputs, x.shape, -100, 100, edges=12 * x.size, **given)


@step("FusedMatMul", 14)
def fused_product(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, of_rank(b, single(b, x), 2, 3), 20.0)
    shape, size = (*x.shape[:-1], 3), 10 * x.shape[-1] * x.largest
    given = {"alpha": 0.5, "transB": 1, "domain": MICROSOFT}
    return b.add("FusedMatMul", [x, weights(b, 3, x.shape[-1])], shape, -size, size, edges=3 * x.size, **given)


@step("FusedConv", 14)
def fused_convolution(b: Builder, x: Tensor) -> Tensor:
    x = calm(b, picture(b, x, 1, 1, 1), 100.0)
    _, c, h, w = x.shape
    size, given = 9 * c * x.largest, {"activation": b.random.choice(["Relu", "Tanh", "Sigmoid"]), "domain": MICROSOFT}
    inputs = [x, weights(b, 2, c, 1, 1), weights(b, 2)]
    return b.add("FusedConv", inputs, (1, 2, h, w), -size, size, edges=4 * x.size + 4 * h * w, **given)
