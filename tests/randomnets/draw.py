"""A whole model: inputs, steps and patterns of steps, outputs; and what it is fed."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from random import Random

import numpy as np
import onnx
from onnx import helper, numpy_helper

from randomnets import (  # noqa: F401  (they register steps)
    activations,
    arithmetic,
    candidates,
    composites,
    joins,
    linear,
    moves,
    rarer,
    records,
    windows,
)
from randomnets.builder import Array, Builder, Shape, Tensor, Unfit
from randomnets.patterns import PATTERNS, attention
from randomnets.runtime import OPSETS, computes
from randomnets.steps import STEPS

records.add_steps()

MOST_NODES = 12
FEEDS = ("normal", "normal", "normal", "zeros", "large", "ties", "equal")
LARGE = {"e": 50.0, "f": 1e4, "d": 1e4}


@dataclass(frozen=True)
class Network:
    """A model, and arrays by the name of its inputs.

    Attributes:
        feeding: the kind of numbers that the arrays hold.
        wild: whether values may be infinite or NaN.
    """

    proto: onnx.ModelProto
    feeds: dict[str, Array]
    feeding: str
    wild: bool


def draw_network(random: Random, ops: Collection[str] = ()) -> Network:
    """A random model.

    Args:
        random: drawn from.
        ops: if there are any, only steps of these operators.
    """
    opset = random.choice(OPSETS)
    wild = random.randrange(100) >= 92
    b = Builder(random, opset, wild, random.choice(["numbers", "none", "scopes"]))
    feeding = random.choice(FEEDS)
    dtype = np.dtype(random.choice([np.float32] * 6 + [np.float16, np.float64, np.float64]))
    feeds = {}
    for k in range(random.choice([1, 1, 1, 2])):
        array = fed(b, feeding, input_shape(b), dtype)
        size = max(float(np.abs(array).max(initial=0)), 1.0) if np.isfinite(array).all() else np.inf
        tensor = Tensor(f"x{k}", array.shape, dtype, -size, size)
        b.inputs[tensor.name] = tensor
        b.tensors.append(tensor)
        feeds[tensor.name] = array
    grow(b, random.randint(1, 8), ops)
    if random.randrange(100) == 99 and not ops:
        with contextlib.suppress(Unfit):
            attention(b, b.tensors[-1])
    return Network(finished(b), feeds, feeding, wild)


def input_shape(b: Builder) -> Shape:
    """Rank 0 to 5, mostly with batch 1; sizes of 1 are frequent."""
    rank = b.random.choice([0, 1, 2, 2, 3, 4, 4, 4, 5])
    most = {0: 1, 1: 12, 2: 8, 3: 7, 4: 6, 5: 4}[rank]
    sizes = tuple(1 if b.chance(0.15) else b.random.randint(1, most) for _ in range(rank))
    return (1, *sizes[1:]) if rank > 1 and b.chance(0.7) else sizes


def fed(b: Builder, kind: str, shape: Shape, dtype: np.dtype[np.generic]) -> Array:
    """An array for an input."""
    random = b.numpy()
    values = random.standard_normal(shape)
    if kind == "zeros":
        values = np.zeros(shape)
    elif kind == "large":
        values = values * LARGE[dtype.char] / 4
    elif kind == "ties":
        values = random.choice([-1.0, 0.0, 0.5], shape)
    elif kind == "equal":
        values = np.full(shape, 0.75)
    if b.may_overflow(dtype) and kind == "large":
        values = np.where(random.random(shape) < 0.1, random.choice([np.inf, -np.inf, np.nan], shape), values)
    return np.asarray(values, dtype)


def grow(b: Builder, steps: int, ops: Collection[str]) -> None:
    """So many steps, or patterns of them, each after the last tensor or an earlier one."""
    x = b.tensors[-1]
    for _ in range(steps):
        if sum(n.op_type != "Constant" for n in b.nodes) >= MOST_NODES:
            return
        start = b.random.choice(b.tensors) if b.chance(0.25) else x
        choices = [
            s.grow
            for _, s in sorted(STEPS.items())  # a number means one network, in whatever order they are registered
            for _ in range(s.weight)
            if s.fits(b.opset) and computes(s.op, b.opset, start.dtype) and (not ops or s.op in ops)
        ]
        if not ops and b.chance(0.15):
            choices = list(PATTERNS)
        for _ in range(5):
            try:
                x = b.random.choice(choices)(b, start)
                break
            except Unfit:
                continue


def finished(b: Builder) -> onnx.ModelProto:
    """The model. Its outputs are what nothing reads, mostly, and now and then something that is read, too."""
    if not any(t.name not in b.inputs for t in b.tensors):
        moves.identity(b, b.tensors[-1])
    made = [t for t in b.tensors if t.name not in b.inputs]
    read = {i for n in b.nodes for i in n.input}
    outputs = [t for t in made if t is made[-1] or b.chance(0.1 if t.name in read else 0.5)]
    graph = helper.make_graph(
        b.nodes,
        "random",
        [_info(t, open_batch=t.shape[:1] == (1,) and b.chance(0.1)) for t in b.inputs.values()],
        [_info(t) for t in outputs],
        [numpy_helper.from_array(v, n) for n, v in b.initializers.items()],
        value_info=[_info(t) for t in made if t not in outputs],
    )
    if b.chance(0.05):  # as older exporters list them
        graph.input.extend(helper.make_tensor_value_info(t.name, t.data_type, list(t.dims)) for t in graph.initializer)
    domains = {n.domain for n in b.nodes} - {""}
    opsets = [helper.make_opsetid("", b.opset), *(helper.make_opsetid(domain, 1) for domain in sorted(domains))]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    if b.chance(0.15):
        helper.set_model_props(model, {"onnx2graphml.channels_last": "true"})
    return model


def _info(t: Tensor, open_batch: bool = False) -> onnx.ValueInfoProto:
    shape: list[int | str] = ["N", *t.shape[1:]] if open_batch else list(t.shape)
    return helper.make_tensor_value_info(t.name, helper.np_dtype_to_tensor_dtype(t.dtype), shape)
