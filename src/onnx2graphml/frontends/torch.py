"""PyTorch modules as ONNX. The only file that imports PyTorch, and only once a module is given."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import onnx

from onnx2graphml.errors import MissingExtraError, ModelError
from onnx2graphml.frontends import Feed, Imported
from onnx2graphml.frontends.torch_layers import (
    array,
    called_layers,
    check_repeatable,
    evaluating,
    first_line,
    first_paths,
    leaves_of,
    outputs,
    run,
    tensors_in,
    unchanged,
)
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import LAYER, LAYERS, TRAINED
from onnx2graphml.model.scopes import framework_layers

if TYPE_CHECKING:
    import torch

SCRIPTED = (
    "got a scripted module (TorchScript), expected the torch.nn.Module that it was made from: pass that one, with "
    "example inputs of batch 1, as onnx2graphml.from_torch(module, (x,))"
)
"""What is said of it wherever it is given."""

_OPSET = 20  # the newest that the exporter writes by itself
_IR_VERSION = 10  # the newest that every supported ONNX Runtime reads


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
    with unchanged(module), evaluating(module):
        layers = called_layers(module, example_inputs)
        check_repeatable(module, example_inputs)
        proto = export(module, example_inputs)
    _tag(proto, module, layers)
    names = [value.name for value in proto.graph.input]

    def tensors(feed: Feed) -> tuple[torch.Tensor, ...]:
        return tuple(_as_tensor(feed[n], like) for n, like in zip(names, example_inputs, strict=True))

    def predict(feed: Feed) -> list[np.ndarray]:
        with evaluating(module):
            return [array(output) for output in tensors_in(run(module, tensors(feed)))]

    examples = [{n: array(t) for n, t in zip(names, some, strict=True)} for some in _examples(example_inputs)]
    return Imported(
        LightModel(proto), predict, outputs_of_layers=lambda feed: outputs(module, tensors(feed)), examples=examples
    )


def _as_tensor(array: np.ndarray, like: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.as_tensor(np.array(array), dtype=like.dtype, device=like.device)


def _examples(inputs: tuple[torch.Tensor, ...]) -> list[tuple[torch.Tensor, ...]]:
    """The user's inputs, and others near them: of zeros, for one, no module tells what it makes of an input."""
    import torch

    random = torch.Generator().manual_seed(0)

    def moved(x: torch.Tensor) -> torch.Tensor:
        if not x.is_floating_point():
            return x
        noise = torch.randn(x.shape, generator=random).to(x)
        return x + noise * (0.1 * x.abs().max().item() or 1.0)

    return [inputs, tuple(map(moved, inputs))]


def check_arguments(module: object, example_inputs: object) -> None:
    try:
        import onnxscript  # noqa: F401  (the exporter needs it)
        import torch
    except ImportError as error:
        raise MissingExtraError("PyTorch", "torch") from error
    if isinstance(module, torch.jit.ScriptModule):
        raise ModelError(SCRIPTED)
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
            raise ModelError(
                f"example input {index}: got shape {shape}, expected batch 1, (1, ...): pass x[None] where it has no "
                f"batch axis, x[:1] where its first axis is one, batch_first=True to a layer that wants steps first"
            )


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


def _tag(proto: onnx.ModelProto, module: torch.nn.Module, layers: list[dict[str, object]]) -> None:
    """Write the layers' names in place of the exporter's metadata, which tells the paths of source files."""
    first = first_paths(module)
    names = {path: first[part] for path, part in leaves_of(module).items()}
    for node, layer in zip(proto.graph.node, framework_layers(proto), strict=True):
        del node.metadata_props[:]
        if layer in names:
            node.metadata_props.add(key=LAYER, value=names[layer])
    graph = proto.graph
    for described in (graph, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del described.metadata_props[:]
    proto.metadata_props.add(key=LAYERS, value=json.dumps(layers))
    trained = [name for name, _ in module.named_parameters(remove_duplicate=False)]
    proto.metadata_props.add(key=TRAINED, value=json.dumps(trained))
