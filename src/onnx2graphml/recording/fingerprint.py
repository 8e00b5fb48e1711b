"""What a network computes and what a file holds, as a number: has it changed since?"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from onnx2graphml.model import Array, Model


def of_model(model: Model) -> str:
    """The SHA-256 of what a model computes: operators, attributes, connections, weights.

    Names of tensors don't count: a framework's exporter may number them anew each time.

    Example:
        >>> import onnx2graphml
        >>> twice = [onnx2graphml.load("fixtures/digits.onnx").model for _ in range(2)]
        >>> of_model(twice[0]) == of_model(twice[1])
        True
    """
    digest = hashlib.sha256()
    numbers: dict[str, int] = {}
    for name in model.inputs:
        numbers[name] = len(numbers)
        digest.update(repr((model.types[name].shape, model.types[name].dtype.str)).encode())
    for node in model.nodes:
        for name in node.inputs:
            if name in model.constants and name not in numbers:
                _add(digest, model.constants[name])
        places = [[numbers.setdefault(n, len(numbers)) if n else -1 for n in p] for p in (node.inputs, node.outputs)]
        digest.update(repr((node.domain, node.op, places, sorted(node.attributes.items()))).encode())
    return digest.hexdigest()


def _add(digest: hashlib._Hash, array: Array) -> None:
    digest.update(repr((array.shape, array.dtype.str)).encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def of_files(paths: list[Path]) -> str:
    """The SHA-256 of files' names and contents, in their order."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            digest.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\0".encode())
    return digest.hexdigest()
