"""A PyTorch module while it learns: what its layers put out for one input, whenever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from onnx2graphml.frontends.torch import check_arguments
from onnx2graphml.frontends.torch_layers import outputs
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


def layer(name: str, value: Array) -> Layer:
    """A layer for what was put out: without the batch axis; of the rank of a picture, its channels come first.

    Example:
        >>> import numpy as np
        >>> layer("conv", np.zeros((1, 16, 8, 8))).shape, layer("conv", np.zeros((1, 16, 8, 8))).spatial
        ((16, 8, 8), (0, 1, 2))
    """
    shape = value.shape[1:] if value.ndim > 1 and value.shape[0] == 1 else value.shape
    return Layer(name, "", shape, spatial=(0, 1, 2) if len(shape) == 3 else (), dtype=value.dtype)
