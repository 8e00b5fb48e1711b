"""PyTorch modules as ONNX. The only file that imports PyTorch, and only once a module is given."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx

from onnx2graphml.errors import MissingExtraError, ModelError
from onnx2graphml.frontends import Imported
from onnx2graphml.model.metadata import LAYER, LAYERS
from onnx2graphml.model.scopes import framework_layers

if TYPE_CHECKING:
    import torch

_OPSET = 20  # the newest that the exporter writes by itself
_IR_VERSION = 10  # the newest that every supported ONNX Runtime reads
_CONTAINERS = ("torch.nn.modules.container", "torch.nn.modules.transformer")


def from_torch(module: torch.nn.Module, example_inputs: tuple[torch.Tensor, ...]) -> Imported:
    """Bring a PyTorch module in, as it predicts: in eval mode, nothing folded into anything else.

    A layer is a module without modules inside, or one of torch.nn that computes as a whole, as
    MultiheadAttention does. Every submodule gets its training mode back, also after an error.

    Args:
        module: the network; its forward takes tensors and returns a tensor or tuples, lists, dicts of them.
        example_inputs: forward's positional arguments, each of any dtype and of shape (1, ...), the batch
            axis first. The graph has exactly these shapes.

    Returns:
        The ONNX model (opset 20, weights inside), and a `predict` that runs `module` itself, as it then is.

    Raises:
        MissingExtraError: PyTorch or its exporter onnxscript is not installed.
        ModelError: not a module, inputs of another kind or batch, forward fails, or it can't be exported.

    Example:
        >>> import torch
        >>> imported = from_torch(torch.nn.Linear(3, 2), (torch.zeros(1, 3),))
        >>> imported.predict({"input": np.zeros((1, 3), np.float32)})[0].shape
        (1, 2)
    """
    check_arguments(module, example_inputs)
    with evaluating(module):
        layers = _layers(module, example_inputs)
        proto = export(module, example_inputs)
    _tag(proto, module, layers)
    names = [value.name for value in proto.graph.input]

    def predict(inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return _predict(module, [(inputs[n], like) for n, like in zip(names, example_inputs, strict=True)])

    return Imported(proto, predict)


def check_arguments(module: object, example_inputs: object) -> None:
    try:
        import onnxscript  # noqa: F401  (the exporter needs it)
        import torch
    except ImportError as error:
        raise MissingExtraError("PyTorch", "torch") from error
    if not isinstance(module, torch.nn.Module):
        raise ModelError(f"got {type(module).__name__}, expected a torch.nn.Module: pass the model itself")
    if not isinstance(example_inputs, tuple) or not example_inputs:
        kind = "an empty tuple" if example_inputs == () else type(example_inputs).__name__
        raise ModelError(f"got example_inputs {kind}, expected a tuple of tensors: pass (x,)")
    for index, example in enumerate(example_inputs):
        if not isinstance(example, torch.Tensor):
            kind = type(example).__name__
            raise ModelError(
                f"example input {index}: got {kind}, expected a tensor: wrap the module in one that takes it"
            )
        if not example.ndim or example.shape[0] != 1:
            shape = tuple(example.shape)
            raise ModelError(f"example input {index}: got shape {shape}, expected batch 1, (1, ...): pass x[:1]")


@contextlib.contextmanager
def evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Eval mode without gradients. Submodules may differ in their mode, as a frozen BatchNorm does."""
    import torch

    modes = [(part, part.training) for part in module.modules()]
    try:
        module.eval()
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def run(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> Any:
    try:
        return module(*inputs)
    except Exception as error:
        raise ModelError(f"the module fails on its inputs: {first_line(error)}: pass what its forward takes") from error


def _leaves(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The modules that are layers, by every path that leads to them, in the module's order."""
    leaves: dict[str, torch.nn.Module] = {}
    for path, part in module.named_modules(remove_duplicate=False):
        home = type(part).__module__
        whole = home.startswith("torch.nn.modules.") and not home.startswith(_CONTAINERS)
        inside = any(path.startswith(leaf + ".") for leaf in leaves)
        parts = {name for name, _ in part.named_children()} - {"parametrizations"}
        if path and not inside and (whole or not parts):
            leaves[path] = part
    return leaves


def tensors_in(outputs: Any) -> list[torch.Tensor]:
    """The tensors in what forward returned, in the exporter's order."""
    import torch
    from torch.utils import _pytree

    leaves: list[torch.Tensor] = [leaf for leaf in _pytree.tree_leaves(outputs) if leaf is not None]
    for leaf in leaves:
        if not isinstance(leaf, torch.Tensor):
            kind = type(leaf).__name__
            raise ModelError(f"the module returned {kind}, expected tensors: wrap it in a module that drops it")
    if not leaves:
        raise ModelError("the module returned no tensor, expected one or more: return what it computes")
    return leaves


def _layers(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> list[dict[str, object]]:
    """Run the module once: the layers that its forward calls, in the module's order, with their shapes."""
    import torch

    called: dict[torch.nn.Module, set[tuple[int, ...]]] = {}

    def note(part: torch.nn.Module, _: object, output: object) -> None:
        shape = tuple(output.shape) if isinstance(output, torch.Tensor) else ()
        called.setdefault(part, set()).add(shape)

    paths = first_paths(module)
    hooks = [part.register_forward_hook(note) for part in paths]
    try:
        tensors_in(run(module, inputs))
    finally:
        for hook in hooks:
            hook.remove()
    return [_layer(path, part, called[part]) for part, path in paths.items() if part in called]


def _layer(path: str, part: torch.nn.Module, shapes: set[tuple[int, ...]]) -> dict[str, object]:
    """A row of LAYERS; without a shape if there are several outputs, calls that differ, or no batch axis."""
    layer: dict[str, object] = {"name": path, "class": type(part).__name__}
    shape = shapes.pop() if len(shapes) == 1 else ()
    if shape and shape[0] == 1:
        layer["shape"] = list(shape[1:])
    return layer


def first_paths(module: torch.nn.Module) -> dict[torch.nn.Module, str]:
    """One name a layer, also where a module sits at several paths: the first, as in `named_modules`."""
    paths: dict[torch.nn.Module, str] = {}
    for path, part in _leaves(module).items():
        paths.setdefault(part, path)
    return paths


def export(module: torch.nn.Module | torch.export.ExportedProgram, inputs: tuple[torch.Tensor, ...]) -> onnx.ModelProto:
    """The ONNX model of a module, or of a program, which has example inputs of its own."""
    import torch

    try:
        with _quiet():
            # optimize=True would fold each BatchNorm into its convolution: a layer of the framework's lost.
            program = torch.onnx.export(
                module, inputs, dynamo=True, optimize=False, opset_version=_OPSET, verbose=False
            )
            proto: onnx.ModelProto = program.model_proto
    except Exception as error:
        raise ModelError(
            f"PyTorch can't export the module: {first_line(error)}: change its forward, or export it yourself"
        ) from error
    proto.ir_version = min(proto.ir_version, _IR_VERSION)
    _distinguish_outputs(proto.graph)
    return proto


def _distinguish_outputs(graph: onnx.GraphProto) -> None:
    """Copy an output that is an input or was returned before: the exporter's repeated name isn't valid."""
    taken = {value.name for value in graph.input}
    for index, output in enumerate(graph.output):
        if output.name in taken:
            copy = f"{output.name}_output_{index}"
            graph.node.append(onnx.helper.make_node("Identity", [output.name], [copy], name=f"node_{copy}"))
            output.name = copy
        taken.add(output.name)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No prints, warnings or log lines; the exporter logs on a stream that redirecting doesn't reach."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def first_line(error: BaseException) -> str:
    """The first line of the innermost cause: the exporter wraps it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])


def _tag(proto: onnx.ModelProto, module: torch.nn.Module, layers: list[dict[str, object]]) -> None:
    """Write the layers' names in place of the exporter's metadata, which tells the paths of source files."""
    first = first_paths(module)
    names = {path: first[part] for path, part in _leaves(module).items()}
    for node, layer in zip(proto.graph.node, framework_layers(proto), strict=True):
        del node.metadata_props[:]
        if layer in names:
            node.metadata_props.add(key=LAYER, value=names[layer])
    graph = proto.graph
    for described in (graph, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del described.metadata_props[:]
    proto.metadata_props.add(key=LAYERS, value=json.dumps(layers))


def _predict(module: torch.nn.Module, inputs: list[tuple[np.ndarray, torch.Tensor]]) -> list[np.ndarray]:
    import torch

    tensors = tuple(torch.as_tensor(np.array(a), dtype=like.dtype, device=like.device) for a, like in inputs)
    with evaluating(module):
        return [output.cpu().numpy() for output in tensors_in(run(module, tensors))]
