"""Initializers that are not what their shape and type say, dense and sparse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from hostile.cases import ELEMENTS, HUGE, Build, add, changed, dense, model, node, tensor

add("initializer of no data", lambda _: dense(tensor([4, 3])), "w")
add("initializer of 10^12 and no data", lambda _: dense(tensor([4, HUGE])), "tensor 'w' of shape")
add("initializer that overflows", lambda _: dense(tensor([2**62, 2**62], bytes(48))), "tensor 'w' of shape")
add("initializer too short", lambda _: dense(tensor([4, 3], bytes(44))), r"w")
add("initializer too long", lambda _: dense(tensor([4, 3], bytes(52))), r"w")
add("large initializer too short", lambda _: dense(tensor([300, 300], bytes(44))), r"tensor 'w' of shape \[300, 300\]")
add("initializer of half a number", lambda _: dense(tensor([4, 3], bytes(47))), "w")
add(
    "initializer of negative sizes",
    lambda _: dense(tensor([-4, -3], bytes(48))),
    "Negative dimension value .tensor name: w",
)
add(
    "initializer of one negative size",
    lambda _: dense(tensor([-1], bytes(48))),
    "Negative dimension value .tensor name: w",
)
add("initializer in two fields", lambda _: dense(tensor([1], bytes(4), float_data=[1.0])), "w")
add(
    "initializer of quantised numbers",
    lambda _: dense(tensor([4, 3], bytes(12), TensorProto.INT8)),
    "the_MatMul.*its types don't fit: B .* has unsupported type: tensor.int8",
)
add(
    "initializer of four bits",
    lambda _: dense(tensor([4, 3], bytes(6), TensorProto.INT4)),
    "the_MatMul.*its types don't fit: B .* has unsupported type: tensor.int4",
)
add(
    "initializer of strings",
    lambda _: dense(TensorProto(name="w", dims=[4, 3], data_type=8, string_data=[b"a"] * 12)),
    "the_MatMul.*its types don't fit: B .* has unsupported type: tensor.string",
)
add(
    "initializer of strings that are none",
    lambda _: dense(TensorProto(name="w", dims=[1], data_type=8, string_data=[b"\xff"])),
    "w",
)
add(
    "initializer of complex numbers",
    lambda _: dense(tensor([4, 3], bytes(96), TensorProto.COMPLEX64)),
    "the_MatMul.*its types don't fit: B .* has unsupported type: tensor.complex64",
)
add(
    "initializer in a segment",
    lambda _: dense(tensor([4, 3], bytes(48), segment=TensorProto.Segment(begin=0, end=9))),
    "egment",
)
for value in ("inf", "-inf", "nan"):
    w = np.full((4, 3), np.float32(value))
    add(f"weights of {value}", lambda _, w=w: dense(numpy_helper.from_array(w, "w")), "not all finite")


def sparse(indices: Any, shape: Sequence[int] = (4, 3), values: int = 2) -> Build:
    """A product with a sparse weight."""
    made = helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(values, np.float32), "w"),
        numpy_helper.from_array(np.array(indices), "i"),
        shape,
    )
    return changed(lambda m: m.graph.sparse_initializer.append(made), lambda: model([node("MatMul", "x w", "y")]))


add("sparse indices out of range", sparse([1, 99]), "range|bounds|fit")
add("sparse indices that are negative", sparse([-9, 1]), "range|bounds|fit|negative")
add("sparse coordinates out of range", sparse([[0, 0], [9, 9]]), "range|bounds|fit")
add("sparse of too few indices", sparse([1]), "indices|w")
add("sparse of 10^12", sparse([0, 1], (10**6, 10**6)), ELEMENTS)
add("sparse of a negative size", sparse([0, 1], (-4, 3)), "negative|positive|w")
