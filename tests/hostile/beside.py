"""External data that is not there, or not the model's to read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import onnx
from onnx import TensorProto

from hostile.cases import FLOAT, add, case, changed, dense, model, node


def beside(dims: Sequence[int] = (4, 3), kind: int = FLOAT, **entries: str) -> onnx.ModelProto:
    w = TensorProto(name="w", dims=dims, data_type=kind, data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        w.external_data.add(key=key, value=value)
    return dense(w)


def data(size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / "w.bin").write_bytes(bytes(size)) and None


EXTERNAL = r"tensor 'w' of shape \[4, 3\]: external data: "
AW = {"location": "a/w"}
PLACED = {
    "whole": (data(48), None, {}),
    "too short": (data(47), "its 48 bytes from 0 on pass the end of 'w.bin', which has 47", {}),
    "of no bytes": (data(0), "pass the end of 'w.bin', which has 0", {}),
    "missing": (data(0), "'gone.bin' can't be read beside the model: No such file", {"location": "gone.bin"}),
    "at a negative offset": (data(48), "its offset is '-4'; expected a number of bytes", {"offset": "-4"}),
    "at an offset that is no number": (data(48), "its offset is '0x10'; expected", {"offset": "0x10"}),
    "at an offset of other digits": (data(48), "its offset is '٤'; expected", {"offset": "٤"}),
    "at an offset past the end": (data(48), "its 48 bytes from 4096 on pass the end", {"offset": "4096"}),
    "at an offset that overflows": (data(48), "its offset is '18446744073709551612'", {"offset": str(2**64 - 4)}),
    "of a negative length": (data(48), "its length is '-1'; expected a number of bytes", {"length": "-1"}),
    "of a huge length": (data(48), "its length is 9223372036854775807; its shape", {"length": str(2**63 - 1)}),
    "of a length of 5000 digits": (data(48), "its length is '1111", {"length": "1" * 5000}),
    "of a shorter length": (data(48), "its length is 44; its shape and type take 48 bytes", {"length": "44"}),
    "without a location": (data(48), "its location is ''; expected a file in the model's folder", {"location": ""}),
    "one folder up": (data(48), "its location is '../up.bin'; expected a file in", {"location": "../up.bin"}),
    "up and down again": (data(48), "its location is 'a/../w.bin'; expected", {"location": "a/../w.bin"}),
    "at an absolute path": (data(48), "its location is '/etc/passwd'; expected", {"location": "/etc/passwd"}),
    "in a file with NUL": (data(48), "expected a file in the model's folder", {"location": "w.bin\0"}),
    "in a name too long": (data(48), "can't be read beside the model: File name too long", {"location": "w" * 5000}),
    "in a link out": (lambda f: (f / "out").symlink_to("/etc/passwd"), "a link out of the", {"location": "out"}),
    "behind a linked folder": (lambda f: (f / "etc").symlink_to("/etc"), "a link out", {"location": "etc/passwd"}),
    "in a circle of links": (lambda f: (f / "w.bin").symlink_to("w.bin"), "beside the model: Too many levels", {}),
    "in a folder": (lambda f: (f / "w.bin").mkdir(), "'w.bin' is not a regular file", {}),
    "in a pipe": (lambda f: os.mkfifo(f / "w.bin"), "'w.bin' is not a regular file", {}),
    "in a link inside": (lambda f: (data(48)(f), (f / "l").symlink_to("w.bin")), None, {"location": "l"}),
    "in a folder inside": (lambda f: ((f / "a").mkdir(), (f / "a/w").write_bytes(bytes(48))), None, AW),
}  # fmt: skip
for name, (prepare, says, entries) in PLACED.items():
    add(
        f"external data {name}",
        lambda f, p=prepare, e=entries: (p(f), beside(**{"location": "w.bin", **e}))[1],
        says and EXTERNAL + ".*" + says,
    )
add(
    "external data located twice",
    changed(
        lambda m: m.graph.initializer[0].external_data.add(key="location", value="b"), lambda: beside(location="a")
    ),
    EXTERNAL + "an entry is there twice",
)
add(
    "external data of strings", lambda _: beside(kind=8, location="a"), EXTERNAL + "strings must be in the model itself"
)
add("external data of unknown type", lambda _: beside(kind=77, location="a"), EXTERNAL + "its element type is 77")
add("external data of a negative size", lambda _: beside([4, -3], location="a"), "external data: a size is negative")
add(
    "external data that overflows",
    lambda f: (data(48)(f), beside([2**62, 2**62], location="w.bin"))[1],
    "pass the end of 'w.bin'",
)
add(
    "large external data that is short",
    lambda f: (data(48)(f), beside([4, 10**6], location="w.bin"))[1],
    "16000000 bytes from 0 on pass",
)


@case("external data of a constant escapes", "external data: its location is '../up.bin'")
def _(_: Path) -> onnx.ModelProto:
    w = beside(location="../up.bin").graph.initializer[0]
    return model([node("Constant", "", "c", value=w), node("MatMul", "x c", "y")])


@case("external data of a sparse file of 1 TB", "Cannot allocate memory|neurons")
def _(folder: Path) -> onnx.ModelProto:
    data(1)(folder)
    os.truncate(folder / "w.bin", 1 << 40)
    return beside([4, 1 << 36], location="w.bin")
