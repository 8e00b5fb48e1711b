"""PyTorch programs from files: `.pt2`, as `torch.export.save` writes them.

PyTorch's own loader runs what stands in such a file: pickles, shared libraries, expressions that are evaluated, and any
function below `torch` that the graph names. So a file is first read as what it is, a ZIP archive of JSON and numbers,
and refused if it holds anything else.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.errors import TRUST, MissingExtraError, ModelError
from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.torch import export
from onnx2graphml.frontends.torch_layers import array, first_line, tensors_in
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.static import make_static, network_inputs

_OPERATORS = re.compile(
    r"torch\.ops\.(aten|prims|higher_order|torchvision)(\.\w+){1,2}|torch\.sym_\w+|math\.\w+"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|pow|neg|eq|ne|lt|le|gt|ge|and_|or_|not_)"
)
"""What a graph may call: functions of tensors and of sizes."""
_EXPRESSION = re.compile(
    r"(Symbol\('\w+'(, (positive|nonnegative|integer)=True)*\)"
    r"|(Max|Min|Mod|PythonMod|FloorDiv|CleanDiv|CeilToInt|FloorToInt|Integer|Add|Mul|Pow)(?=\()|\d+|[-+*/(), ]"
    r"|(?<!\w)[su]\d+(?!\w))*"
)
"""Sizes that depend on other sizes."""
_DATA = ("data/weights/", "data/constants/", "data/sample_inputs/", "models/", "extra/", ".data/")
_TRUST = f"if you trust it, add {TRUST}"


def load_exported(path: Path, *, shapes: Mapping[str, Sequence[int]] | None = None, trust: bool = False) -> Imported:
    """Read a program that `torch.export.save` wrote, and convert it.

    Args:
        path: the .pt2 file.
        shapes: full static shapes by input name, for inputs with open dimensions; an open first one is 1 by default.
        trust: also load what runs code from the file.

    Returns:
        The ONNX model, and a `predict` that runs the program itself.

    Raises:
        MissingExtraError: PyTorch or its exporter onnxscript is not installed.
        ModelError: the file is no such program, holds code, or can't be exported to ONNX.

    Example:
        >>> load_exported(Path("model.pt2")).proto.graph.input[0].name  # doctest: +SKIP
        'input'
    """
    try:
        import onnxscript  # noqa: F401  (the exporter needs it)
        import torch
        from torch.export.pt2_archive._package import PT2ArchiveReader
    except ImportError as error:
        raise MissingExtraError("PyTorch", "torch") from error
    try:
        if not trust:
            with PT2ArchiveReader(str(path)) as archive:
                _refuse_code(path, {name: archive.read_bytes(name) for name in archive.get_file_names()})
        program = torch.export.load(path)
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{path}: not a program that torch.export.save wrote, or of another PyTorch: {first_line(error)}"
        ) from error
    return from_exported(program, shapes=shapes)


def from_exported(program: Any, *, shapes: Mapping[str, Sequence[int]] | None = None) -> Imported:
    """Convert a `torch.export.ExportedProgram`; otherwise as `load_exported`.

    Example:
        >>> import torch
        >>> program = torch.export.export(torch.nn.Linear(3, 2), (torch.zeros(1, 3),))
        >>> from_exported(program).light.proto.graph.input[0].name
        'input'
    """
    proto = export(program, ())
    make_static(network_inputs(proto.graph, ()), shapes or {})
    return Imported(LightModel(proto), _prediction(program))


def _refuse_code(path: Path, members: Mapping[str, bytes]) -> None:
    """Refuse a program whose loading would run code.

    Args:
        members: the archive's, by name, as PyTorch's reader gives them.

    Raises:
        ModelError: says what there is.
    """
    for name in members:
        if name.startswith(("data/weights/", "data/constants/")) and name.endswith(".pt"):
            raise ModelError(f"{path}: written by an older PyTorch, its weights are a pickle: export it again")
        if "/" in name and not name.startswith(_DATA):
            raise ModelError(f"{path}: holds {name}, which may be compiled code: {_TRUST}")
    for name, content in members.items():
        if name.endswith("_config.json"):
            _refuse_pickles(path, json.loads(content))
        elif name.startswith("data/sample_inputs/"):
            _check_sample(path, content)
        elif name.startswith("models/"):
            _check_program(path, json.loads(content))


def _refuse_pickles(path: Path, config: Any) -> None:
    for name, entry in config["config"].items():
        if entry["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", entry["path_name"]):
            raise ModelError(f"{path}: {name!r} is a pickle, which runs code when it is read: {_TRUST}")


def _check_sample(path: Path, content: bytes) -> None:
    import torch

    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except Exception:
        raise ModelError(f"{path}: its example inputs hold more than tensors, which runs code: {_TRUST}") from None


def _check_program(path: Path, program: Any) -> None:
    for key, value in _entries(program):
        if key == "target" and "." in value and not _OPERATORS.fullmatch(value):
            raise ModelError(f"{path}: its graph calls {value!r}, which is no function of tensors: {_TRUST}")
        if key == "target" and value.startswith("#"):
            raise ModelError(f"{path}: its graph calls {value!r}, an extension's operator: {_TRUST}")
        if key == "expr_str" and not _EXPRESSION.fullmatch(value):
            raise ModelError(f"{path}: a size is {value!r}, which is no sum or product of sizes: {_TRUST}")


def _entries(value: Any) -> Iterator[tuple[str, str]]:
    """All entries of nested JSON whose value is a text."""
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            yield from ((k, v) for k, v in here.items() if isinstance(v, str))
        stack += here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()


def _prediction(program: Any) -> Any:
    """A function from arrays by ONNX input name to the program's outputs."""
    import torch
    from torch.utils import _pytree

    module = program.module()
    examples = _pytree.tree_leaves(program.example_inputs)
    structure = program.call_spec.in_spec

    def predict(inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        given = iter(inputs.values())
        leaves = [torch.as_tensor(np.array(next(given))) if isinstance(x, torch.Tensor) else x for x in examples]
        args, kwargs = _pytree.tree_unflatten(leaves, structure)
        with torch.no_grad():
            return [array(y) for y in tensors_in(module(*args, **kwargs))]

    return predict
