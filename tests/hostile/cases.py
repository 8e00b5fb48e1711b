"""A hostile file: how it is built, and what is to be said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
HUGE = 10**12
ELEMENTS = r"elements; they may have [123]\d,\d+,\d+: store such weights in the file instead"
Build = Callable[[Path], onnx.ModelProto | bytes | None]


@dataclass(frozen=True)
class Case:
    """A file.

    Attributes:
        build: gives the model, given the folder that it will be in; None if it has made `m.onnx` itself.
        says: a pattern that the error's line matches; None if the file is converted.
        options: of the command line.
    """

    build: Build
    says: str | None
    options: tuple[str, ...] = ()


CASES: dict[str, Case] = {}


def case(name: str, says: str | None, *options: str) -> Callable[[Build], Build]:
    """Register a function that builds a file."""

    def register(build: Build) -> Build:
        add(name, build, says, *options)
        return build

    return register


def add(name: str, build: Build, says: str | None, *options: str) -> None:
    assert name not in CASES
    CASES[name] = Case(build, says, options)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """Names with spaces between them; nothing is checked."""
    return helper.make_node(op, inputs.split(), outputs.split(), name=f"the_{op}", **attributes)


def model(
    nodes: Sequence[onnx.NodeProto] = (),
    inputs: Mapping[str, Sequence[Any]] | None = None,
    constants: Mapping[str, Any] | None = None,
    outputs: Sequence[str] = ("y",),
    opset: int = 17,
    tensors: Sequence[TensorProto] = (),
    kind: int = FLOAT,
    **kwargs: Any,
) -> onnx.ModelProto:
    """A model as it is said, however wrong: a Relu of four numbers where no nodes are given."""
    graph = helper.make_graph(
        list(nodes) or [node("Relu", "x", "y")],
        "hostile",
        [helper.make_tensor_value_info(n, kind, shape) for n, shape in (inputs or {"x": [1, 4]}).items()],
        [helper.make_tensor_value_info(o, kind, ()) for o in outputs],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (constants or {}).items()] + list(tensors),
    )
    kwargs.setdefault("opset_imports", [helper.make_opsetid("", opset)])
    return helper.make_model(graph, ir_version=8, **kwargs)


def tensor(dims: Sequence[int], raw: bytes = b"", kind: int = FLOAT, name: str = "w", **fields: Any) -> TensorProto:
    return TensorProto(dims=dims, raw_data=raw, data_type=kind, name=name, **fields)


def dense(w: TensorProto, **kwargs: Any) -> onnx.ModelProto:
    """A product with that weight."""
    return model([node("MatMul", "x w", "y")], tensors=[w], **kwargs)


def small_dense() -> onnx.ModelProto:
    return dense(numpy_helper.from_array(np.eye(4, 3, dtype=np.float32), "w"))


def window(op: str, **attributes: Any) -> Build:
    """A convolution of 2 channels with a 3x3 kernel, or a pool, over 6x6 pictures."""
    made = node(op, "x w" if "Conv" in op else "x", "y", **attributes)
    return lambda _: model([made], {"x": [1, 2, 6, 6]}, {"w": np.ones((2, 2, 3, 3), np.float32)})


def changed(change: Callable[[onnx.ModelProto], object], base: Callable[[], onnx.ModelProto] = model) -> Build:
    """The model after a change."""

    def build(_: Path) -> onnx.ModelProto:
        proto = base()
        change(proto)
        return proto

    return build
