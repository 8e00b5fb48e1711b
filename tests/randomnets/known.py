"""Bugs that are known: each has its smallest model in found.py, and fails there, too, until it is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import onnx

HALF = onnx.TensorProto.FLOAT16


@dataclass(frozen=True)
class Known:
    """A bug, by the message with which it shows and by what a model must have for it."""

    reason: str
    message: str
    occurs: Callable[[onnx.ModelProto], bool]


def _types(proto: onnx.ModelProto) -> Iterator[onnx.TypeProto.Tensor]:
    for info in (*proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        yield info.type.tensor_type


def _has_type(proto: onnx.ModelProto, kind: int) -> bool:
    return any(t.elem_type == kind for t in _types(proto))


def _has_operator(proto: onnx.ModelProto, *operators: str) -> bool:
    return any(n.op_type in operators for n in proto.graph.node)


KNOWN = (
    Known(
        "ONNX Runtime leaves out a rounding to float16 that is asked for elsewhere",
        r"(layer|neuron) in .*no pass",
        lambda m: _has_type(m, HALF) and _has_operator(m, "Cast", "CastLike"),
    ),
)


def known_reason(proto: onnx.ModelProto, message: str) -> str:
    """Why a model breaks the law with that message; empty where it is not known."""
    return next((k.reason for k in KNOWN if re.search(k.message, message, re.DOTALL) and k.occurs(proto)), "")
