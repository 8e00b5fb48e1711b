"""A file as an ONNX model: what it is instead is told before it is read."""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError

from onnx2graphml.errors import ModelError, reason
from onnx2graphml.model.limits import LARGEST_FILE

HEAD = 512  # bytes by which other files are known
POINTER = b"version https://git-lfs"
PICKLE = re.compile(rb"\x80[\x02-\x05]|PK\x03\x04.{26}[^/]*/(data\.pkl|data/\d|code/|constants\.pkl)", re.DOTALL)
"""How a pickle begins, and what `torch.save` and TorchScript write: an archive with pickles."""
PICKLED = (".pt", ".pth")  # what such files are called, whatever is left of them
WIRE_TYPES = (0, 1, 2, 5)  # of Protocol Buffers; the first byte of any message has one of them, and a field's number


def read(path: Path) -> tuple[onnx.ModelProto, str]:
    """The model in a file, without its external data, and the file's SHA-256.

    Raises:
        ModelError: the file can't be read, or is no ONNX model.

    Example:
        >>> read(Path("fixtures/digits.onnx"))[0].graph.input[0].name
        'image'
    """
    content = _content(path)
    try:
        proto = onnx.ModelProto.FromString(content)
    except DecodeError:
        raise ModelError(f"{path}: not an ONNX model, or truncated: its bytes can't be decoded") from None
    if not proto.graph.node and not proto.graph.output:
        raise ModelError(f"{path}: the file holds no graph; expected an ONNX model")
    return proto, hashlib.sha256(content).hexdigest()


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path}: not a regular file; expected an ONNX model")
        if not status.st_size:
            raise ModelError(f"{path}: the file is empty; expected an ONNX model")
        with path.open("rb") as file:
            _check_head(path, file.read(HEAD))
            if status.st_size > LARGEST_FILE:
                raise ModelError(
                    f"{path}: has {status.st_size:,} bytes; an ONNX file holds {LARGEST_FILE:,}: "
                    f"save the model with its weights as external data"
                )
            file.seek(0)
            return file.read()
    except OSError as e:
        raise ModelError(f"{path}: {reason(e)}") from None


def _check_head(path: Path, head: bytes) -> None:
    if head.startswith(POINTER):
        raise ModelError(f"{path}: a Git LFS pointer, not the model itself: get that by `git lfs pull`")
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise ModelError(f"{path}: a web page, not an ONNX model: download the model itself")
    if PICKLE.match(head) or path.suffix.lower() in PICKLED:
        raise ModelError(
            f"{path}: a PyTorch pickle, which runs code when it is read; where the model is made, export it: "
            f"program = torch.export.export(model.eval(), (example_input,)); torch.export.save(program, 'model.pt2')"
        )
    if head[0] & 7 not in WIRE_TYPES or head[0] >> 3 == 0:
        raise ModelError(f"{path}: not an ONNX model: its bytes can't be decoded")
