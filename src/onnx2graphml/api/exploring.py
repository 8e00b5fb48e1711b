"""The interactive page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.files.atomic_file import atomic, check_parent

if TYPE_CHECKING:
    from onnx2graphml.inference.inputs import InputLike


def explore(
    model: Any,
    inputs: InputLike | Sequence[InputLike] = "random",
    path: str | Path = "network.html",
    *,
    against: Any = (),
    names: Sequence[str] = (),
    float16: bool = False,
    seed: int = 0,
    preprocess: str | None = None,
) -> Path:
    """Look into a network: a page with its layers, their maps, and every neuron with its exact edges.

    Args:
        model: a graph, or what `load` takes.
        inputs: one input, or a list of them, each as for `activations`.
        path: the .html file to write. It holds everything, and fetches nothing.
        against: another checkpoint of the same network, or a list of them, to be shown beside it.
        names: of the inputs; by default their files' names.
        float16: store weights and values with three digits, in half the space; the page says so.
        seed, preprocess: as for `activations`.

    Raises:
        Error: an input does not fit, or a checkpoint has other layers.
        TooLargeError: there are too many parameters or values for one file.
        OutputError: the file can't be written.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.explore("fixtures/digits.onnx", "ties", "digits.html")  # doctest: +SKIP
    """
    from onnx2graphml.explorer.page import page
    from onnx2graphml.explorer.runs import explored

    check_parent(path)
    given: list[Any] = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    others = list(against) if isinstance(against, list | tuple) else [against]
    graphs = [as_graph(one) for one in (model, *others)]
    found = explored(graphs, given, names=names, seed=seed, preprocess=preprocess)
    with atomic(Path(path)) as file:
        file.writelines(page(found, half=float16))
    return Path(path)
