"""What is no model at all, or of no known version and type."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from hostile.cases import add, case, changed, dense, model, node, small_dense, tensor

for k in (1, 7, 50, 90, 99):
    add(
        f"truncated to {k} percent",
        lambda _, k=k: (b := small_dense().SerializeToString())[: max(1, len(b) * k // 100)],
        "not an ONNX model, or truncated|holds no graph",
    )
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d7a" * 16 + b"\nsize 553432081\n"
add("Git LFS pointer", lambda _: LFS, "Git LFS pointer, not the model itself: .*git lfs pull")
add(
    "web page", lambda _: b"\n<!DOCTYPE html>\n<html><title>404</title></html>", "a web page.*download the model itself"
)
add("empty file", lambda _: b"", "the file is empty; expected an ONNX model")
add("random bytes", lambda _: np.random.default_rng(1).bytes(4096), "not an ONNX model")
add("zeros", lambda _: bytes(4096), "not an ONNX model")
add("one byte of a message", lambda _: b"\x08", "not an ONNX model, or truncated")
add("a length past the end", lambda _: b"\x3a\xff\xff\xff\xff\x07", "not an ONNX model, or truncated")
add("a model without a graph", lambda _: onnx.ModelProto(ir_version=8), "holds no graph; expected an ONNX model")


@case("pipe", "not a regular file; expected an ONNX model")
def _(folder: Path) -> None:
    os.mkfifo(folder / "m.onnx")


@case("link to nowhere", "no such file")
def _(folder: Path) -> None:
    (folder / "m.onnx").symlink_to("nowhere")


@case("sparse file of 3 GB", r"has 3,000,000,000 bytes; an ONNX file holds 2,147,483,647: save .* external data")
def _(folder: Path) -> None:
    (folder / "m.onnx").write_bytes(b"\x08\x08")
    os.truncate(folder / "m.onnx", 3 * 10**9)


# --------------------------------------------------------------------------------------------------------- opset, types

add(
    "unknown opset",
    lambda _: model(opset=999),
    "the model's opset is 999; the installed onnx knows opsets from 1 up to",
)
add("opset 0", lambda _: model(opset=0), "the model's opset is 0; ")
add("negative opset", lambda _: model(opset=-3), "the model's opset is -3; ")
add("no opset", changed(lambda m: m.ClearField("opset_import")), "imports no opset of ONNX's own domain; expected one")
add(
    "two opsets",
    changed(lambda m: m.opset_import.add(domain="ai.onnx", version=999)),
    "the model's opset is 999; the installed onnx knows",
)
add("unknown IR version", changed(lambda m: setattr(m, "ir_version", 999)), "ir_version 999 is higher than")
add("no IR version", changed(lambda m: m.ClearField("ir_version")), "ir_version")
add("unknown element type", lambda _: model(kind=77), "input 'x': its element type is 77; the installed onnx knows 1")
add("element type 0", lambda _: model(kind=0), "element type|elem_type")
add(
    "element type of a weight", lambda _: dense(tensor([4, 3], bytes(48), 77)), r"tensor 'w' of shape \[4, 3\]: .*is 77"
)
add(
    "strings",
    lambda _: model(kind=TensorProto.STRING),
    "the_Relu.*its types don't fit: X .* has unsupported type: tensor.string",
)
add(
    "complex numbers",
    lambda _: model(kind=TensorProto.COMPLEX64),
    "the_Relu.*its types don't fit: X .* has unsupported type: tensor.complex64",
)
add("unknown operator", lambda _: model([node("Destroy", "x", "y")]), "ONNX has no operator 'Destroy'")
add("unknown domain", lambda _: model([node("Relu", "x", "y", domain="evil")]), "evil")
