"""The layers of a PyTorch module: which they are, what they put out, and whether they do so each time."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.frontends.tfnames import numbered

if TYPE_CHECKING:
    import torch

Array = npt.NDArray[Any]

_CONTAINERS = ("torch.nn.modules.container", "torch.nn.modules.transformer")


def leaves_of(module: torch.nn.Module) -> dict[str, torch.nn.Module]:
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


def first_paths(module: torch.nn.Module) -> dict[torch.nn.Module, str]:
    """One name a layer, also where a module sits at several paths: the first, as in `named_modules`."""
    paths: dict[torch.nn.Module, str] = {}
    for path, part in leaves_of(module).items():
        paths.setdefault(part, path)
    return paths


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


def called_layers(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> list[dict[str, object]]:
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


def outputs(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> dict[str, Array]:
    """What goes in, by forward's parameter names, and what each layer puts out, by its path in the module.

    A layer is a module without modules inside, or one of torch.nn that computes as a whole. The second call of one
    adds `#2` to its path, and of several tensors that it puts out, each adds `/0`, `/1` and so on.

    Raises:
        ModelError: forward fails.

    Example:
        >>> import torch
        >>> found = outputs(torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU()), (torch.zeros(1, 3),))
        >>> {name: array.shape for name, array in found.items()}
        {'input': (1, 3), '0': (1, 2), '1': (1, 2)}
    """
    paths = first_paths(module) or {module: type(module).__name__}
    parameters = inspect.signature(module.forward).parameters
    found = {name: array(tensor) for name, tensor in zip(parameters, inputs, strict=False)}

    def note(part: torch.nn.Module, _: object, output: object) -> None:
        for name, tensor in _named(paths[part], output):
            found[numbered(name, found)] = array(tensor)

    hooks = [part.register_forward_hook(note) for part in paths]
    try:
        with evaluating(module):
            run(module, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _named(path: str, output: object) -> list[tuple[str, torch.Tensor]]:
    import torch
    from torch.utils import _pytree

    tensors = [leaf for leaf in _pytree.tree_leaves(output) if isinstance(leaf, torch.Tensor)]
    return [(path, tensors[0])] if len(tensors) == 1 else [(f"{path}/{k}", t) for k, t in enumerate(tensors)]


def array(tensor: torch.Tensor) -> Array:
    """A copy: the next module may compute in place."""
    tensor = tensor.detach().cpu()
    return np.array((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())


@contextlib.contextmanager
def unchanged(module: torch.nn.Module) -> Iterator[None]:
    """Random numbers and the module's buffers are afterwards as they were."""
    import torch

    kept = [(part, dict(part._buffers)) for part in module.modules()]
    values = [(b, b.clone()) for _, buffers in kept for b in buffers.values() if b is not None]
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            for part, buffers in kept:
                part._buffers.update(buffers)
            with torch.no_grad():
                for buffer, value in values:
                    buffer.copy_(value)


DRAWS = 16
"""How often a module that draws random numbers is run again before it is believed that they don't matter."""


def check_repeatable(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
    """Run a module twice on the same inputs: what differs was drawn at random, or counted on.

    Where it draws, it is run more often, and the least difference counts: two draws from a few may be equal.

    Raises:
        UnsupportedError: names the layer.
    """
    import torch

    with unchanged(module), torch.random.fork_rng(devices=[]):
        before = torch.random.get_rng_state()
        first = _returned(module, inputs)
        draws = not torch.equal(before, torch.random.get_rng_state())
        rest = (_returned(module, inputs) for _ in range(DRAWS if draws else 1))
        if any(not np.array_equal(first, r, equal_nan=True) if draws else _differ(first, r) for r in rest):
            one, other = outputs(module, inputs), outputs(module, inputs)
            layers = (f"layer {name!r}" for name in one if _differ(one[name], other.get(name)))
            raise UnsupportedError(
                f"{next(layers, 'the code of forward')} draws random numbers or keeps count: two runs on the same "
                f"inputs differ; pass a module without that part, or one that computes the same each time"
            )


def _returned(module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> Array:
    with evaluating(module):
        return np.concatenate([array(t).ravel() for t in tensors_in(run(module, inputs))])


def _differ(first: Array, second: Array | None) -> bool:
    alike = second is not None and second.shape == first.shape
    return not alike or not np.allclose(first, np.asarray(second), 1e-3, 1e-6, equal_nan=True)


def first_line(error: BaseException) -> str:
    """The first line of the innermost cause: the exporter wraps it in pages of advice."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [" ".join(line.split()) for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])
