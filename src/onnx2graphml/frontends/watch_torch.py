"""A PyTorch module while it learns: what its layers put out for one input, whenever it is asked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.torch import check_arguments, evaluating, first_paths, run
from onnx2graphml.graph.graph import Layer

if TYPE_CHECKING:
    import torch

Array = npt.NDArray[Any]
Each = Callable[[str, Sequence[Layer], Mapping[str, Array]], None]


class FilmHook:
    """Runs a module on an input after each epoch.

    Args:
        module: the network. It is run as in evaluation, without gradients, and left as it was.
        inputs: forward's positional arguments: tensors with batch 1.
        each: told an epoch's name, the layers in the order of their calls, and their values; see `outputs`.
        end: called by `finish`.

    Raises:
        ModelError: it is no module, or the inputs are no tensors with batch 1.
        MissingExtraError: PyTorch is not installed.

    Example:
        >>> import torch
        >>> seen = []
        >>> module, inputs = torch.nn.Linear(3, 2), (torch.zeros(1, 3),)
        >>> hook = FilmHook(module, inputs, lambda epoch, layers, values: seen.append(epoch), lambda: print(seen))
        >>> hook.epoch(); hook.epoch("the second"); hook.finish()
        ['epoch 1', 'the second']
    """

    def __init__(
        self, module: torch.nn.Module, inputs: tuple[torch.Tensor, ...], each: Each, end: Callable[[], None]
    ) -> None:
        check_arguments(module, inputs)
        self._module = module
        self._inputs = inputs
        self._each = each
        self._end = end
        self._epochs = 0

    def epoch(self, name: str = "") -> None:
        """To be called after each epoch. Its name is `epoch 1` and so on, unless another is given."""
        self._epochs += 1
        values = outputs(self._module, self._inputs)
        layers = [layer(path, value) for path, value in values.items()]
        self._each(name or f"epoch {self._epochs}", layers, {x.name: values[x.name].reshape(x.shape) for x in layers})

    def finish(self) -> None:
        """To be called after the last epoch."""
        self._end()


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
    found = {name: _array(tensor) for name, tensor in zip(parameters, inputs, strict=False)}

    def note(part: torch.nn.Module, _: object, output: object) -> None:
        for name, tensor in _named(paths[part], output):
            found[_unused(name, found)] = _array(tensor)

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


def _unused(name: str, taken: Mapping[str, Array]) -> str:
    number = 1
    while (candidate := name if number == 1 else f"{name}#{number}") in taken:
        number += 1
    return candidate


def _array(tensor: torch.Tensor) -> Array:
    """A copy: the next module may compute in place."""
    tensor = tensor.detach().cpu()
    return np.array((tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor).numpy())


def layer(name: str, value: Array) -> Layer:
    """A layer for what was put out: without the batch axis; of the rank of a picture, its channels come first.

    Example:
        >>> layer("conv", np.zeros((1, 16, 8, 8))).shape, layer("conv", np.zeros((1, 16, 8, 8))).spatial
        ((16, 8, 8), (0, 1, 2))
    """
    shape = value.shape[1:] if value.ndim > 1 and value.shape[0] == 1 else value.shape
    return Layer(name, "", shape, spatial=(0, 1, 2) if len(shape) == 3 else (), dtype=value.dtype)
