"""Random networks of small shapes: every level of detail computes what ONNX Runtime does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from small import assert_exact, model, node

Shape = tuple[int, ...]


@dataclass
class Builder:
    """A network that grows by a node at a time; `shapes` has those of all tensors so far."""

    shapes: dict[str, Shape]
    random: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)

    def constant(self, value: Any) -> str:
        name = f"k{len(self.constants)}"
        self.constants[name] = np.asarray(value)
        return name

    def weights(self, *shape: int) -> str:
        fan_in = max(1, int(np.prod(shape[1:])))
        return self.constant((self.random.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32))

    def add(self, op: str, inputs: str, shape: Shape, **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(node(op, inputs, name, **attributes))
        self.shapes[name] = shape
        return name


# ------------------------------------------------------------------------------------ one operator on a picture (C,H,W)


def conv(b: Builder, draw: Any, x: str) -> str:
    _, c, h, w = b.shapes[x]
    groups = draw(st.sampled_from([g for g in (1, 2, 4) if c % g == 0]))
    out, k = groups * draw(st.integers(1, 2)), draw(st.integers(1, 3))
    pad = k // 2 if min(h, w) < k else draw(st.integers(0, k // 2))
    stride = draw(st.integers(1, 2))
    size = [(n + 2 * pad - k) // stride + 1 for n in (h, w)]
    names = f"{x} {b.weights(out, c // groups, k, k)} {b.weights(out)}"
    return b.add("Conv", names, (1, out, *size), group=groups, pads=[pad] * 4, strides=[stride] * 2)


def activation(b: Builder, draw: Any, x: str) -> str:
    op = draw(st.sampled_from(["Relu", "Sigmoid", "LeakyRelu", "Identity", "Abs", "Softmax"]))
    axis = {"axis": draw(st.integers(1, 3))} if op == "Softmax" else {}
    return b.add(op, x, b.shapes[x], **axis)


def normalization(b: Builder, draw: Any, x: str) -> str:
    c = b.shapes[x][1]
    variance = b.constant((b.random.random(c) + 0.5).astype(np.float32))
    names = " ".join([x, *(b.weights(c) for _ in range(3)), variance])
    return b.add("BatchNormalization", names, b.shapes[x])


def scale(b: Builder, draw: Any, x: str) -> str:
    c = b.shapes[x][1]
    return b.add(draw(st.sampled_from(["Mul", "Add", "Sub"])), f"{x} {b.weights(c, 1, 1)}", b.shapes[x])


def pad(b: Builder, draw: Any, x: str) -> str:
    _, c, h, w = b.shapes[x]
    before, after = (draw(st.integers(-1 if n > 2 else 0, 1)) for n in (h, w))
    value = draw(st.sampled_from([0.0, 0.0, 1.0, -2.0]))
    pads = b.constant(np.array([0, 0, before, 0, 0, 0, 0, after]))
    return b.add("Pad", f"{x} {pads} {b.constant(np.float32(value))}", (1, c, h + before, w + after))


def pool(b: Builder, draw: Any, x: str) -> str:
    _, c, h, w = b.shapes[x]
    op, k = draw(st.sampled_from(["MaxPool", "AveragePool"])), min(h, w, 2)
    pad = draw(st.integers(0, k - 1))
    size = [(n + 2 * pad - k) // 2 + 1 for n in (h, w)]
    return b.add(op, x, (1, c, *size), kernel_shape=[k, k], strides=[2, 2], pads=[pad] * 4)


def transpose(b: Builder, draw: Any, x: str) -> str:
    order = [0, *draw(st.permutations([1, 2, 3]))]
    return b.add("Transpose", x, tuple(b.shapes[x][a] for a in order), perm=order)


def reshape(b: Builder, draw: Any, x: str) -> str:
    _, c, h, w = b.shapes[x]
    to = draw(st.sampled_from([(1, h, c, w), (1, c * h, 1, w), (1, c, h * w, 1), (1, w, h, c)]))
    return b.add("Reshape", f"{x} {b.constant(np.array(to))}", to)


def slice_(b: Builder, draw: Any, x: str) -> str:
    axis = draw(st.integers(1, 3))
    n = b.shapes[x][axis]
    start = draw(st.integers(0, n - 1))
    end, step = draw(st.integers(start + 1, n)), draw(st.sampled_from([1, 2, -1]))
    first, last = (start, end) if step > 0 else (end - 1, start - 1 - n)
    shape = list(b.shapes[x])
    shape[axis] = len(range(start, end, abs(step)))
    names = " ".join(b.constant(np.array([v])) for v in (first, last, axis, step))
    return b.add("Slice", f"{x} {names}", tuple(shape))


def gather(b: Builder, draw: Any, x: str) -> str:
    axis = draw(st.integers(1, 3))
    shape = list(b.shapes[x])
    picked = draw(st.lists(st.integers(0, shape[axis] - 1), min_size=1, max_size=4))
    shape[axis] = len(picked)
    return b.add("Gather", f"{x} {b.constant(np.array(picked))}", tuple(shape), axis=axis)


def product(b: Builder, draw: Any, x: str) -> str:
    width, out = b.shapes[x][-1], draw(st.integers(1, 4))
    w = b.constant((b.random.standard_normal((width, out)) / np.sqrt(width)).astype(np.float32))
    return b.add("MatMul", f"{x} {w}", (*b.shapes[x][:-1], out))


def reduced(b: Builder, draw: Any, x: str) -> str:
    op, axis = draw(st.sampled_from(["ReduceMean", "ReduceMax", "ReduceMin"])), draw(st.integers(1, 3))
    shape = tuple(1 if d == axis else n for d, n in enumerate(b.shapes[x]))
    return b.add(op, x, shape, axes=[axis])


ONE = (conv, activation, normalization, scale, pad, pool, transpose, reshape, slice_, gather, product, reduced)


def two(b: Builder, draw: Any, x: str) -> str:
    """The last tensor with an earlier one, where the shapes let them be joined."""
    op = draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Concat", "Concat"]))
    shape = b.shapes[x]
    if op == "Concat":
        axis = draw(st.integers(1, 3))
        fits = [t for t, s in b.shapes.items() if all(d == axis or s[d] == n for d, n in enumerate(shape))]
        other = draw(st.sampled_from(fits))
        whole = tuple(n + b.shapes[other][axis] if d == axis else n for d, n in enumerate(shape))
        return b.add("Concat", draw(st.sampled_from([f"{x} {other}", f"{other} {x}"])), whole, axis=axis)
    other = draw(st.sampled_from([t for t, s in b.shapes.items() if s == shape]))
    if op == "Div":
        x, other = b.add("Sigmoid", x, shape), b.add("Exp", b.add("Tanh", other, shape), shape)
    return b.add(op, draw(st.sampled_from([f"{x} {other}", f"{other} {x}"])) if op != "Div" else f"{x} {other}", shape)


@st.composite
def networks(draw: Any) -> onnx.ModelProto:
    size = tuple(draw(st.integers(1, 4)) for _ in range(3))
    b = Builder({"x": (1, *size)}, np.random.default_rng(draw(st.integers(0, 999))))
    last = "x"
    for _ in range(draw(st.integers(2, 8))):
        # Mostly a chain, with a diamond where an older tensor is taken up.
        start = draw(st.sampled_from([last, last, last, *b.shapes]))
        grow = draw(st.sampled_from([*ONE, two, two, two]))
        if np.prod(b.shapes[start]) <= 200:
            last = grow(b, draw, start)
    if last == "x":
        last = activation(b, draw, "x")
    if draw(st.booleans()):
        n = int(np.prod(b.shapes[last]))
        flat = b.add("Flatten", last, (1, n))
        last = b.add("Gemm", f"{flat} {b.weights(3, n)} {b.weights(3)}", (1, 3), transB=1)
    made = [o for n in b.nodes for o in n.output]
    outputs = {last, *draw(st.lists(st.sampled_from(made), max_size=2))}
    return model(b.nodes, {"x": [1, *size]}, b.constants, [t for t in made if t in outputs])


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(networks(), st.integers(0, 3))
def test_random_networks_are_exact_at_every_level(proto: onnx.ModelProto, seed: int) -> None:
    note(onnx.printer.to_text(proto))
    graphs = assert_exact(proto, seed=seed)
    event(f"{len(graphs['op'].layers) - len(graphs['neuron'].layers)} layers fewer")
