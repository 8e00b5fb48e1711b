"""The interactive page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.atomic_file import atomic, check_parent

if TYPE_CHECKING:
    from onnx2graphml.inference.inputs import InputLike


@typed
def explore(
    model: Any,
    inputs: InputLike | Sequence[InputLike] = "random",
    path: str | Path | None = None,
    *,
    port: int | None = None,
    against: Any = (),
    names: Sequence[str] = (),
    float16: bool = False,
    seed: int = 0,
    preprocess: str | None = None,
) -> Any:
    """Look into a network: its layers, their maps, and every neuron with its exact edges.

    Args:
        model: a graph, or what `load` takes.
        inputs: one input, or a list of them, each as for `activations`.
        path: an .html file to write. It holds everything, and fetches nothing.
        port: serve the page on this machine at this port instead, 0 for a free one: for networks that are too large for
            a file.
        against: another checkpoint of the same network, or a list of them, to be shown beside it.
        names: of the inputs; by default their files' names.
        float16: store weights and values with three digits, in half the space; the page says so.
        seed: as for `activations`.
        preprocess: as for `activations`.

    Returns:
        The path; for a port, the server, which has a `url` and runs until `stop()`; with neither, a widget for a
        notebook.

    Raises:
        Error: an input does not fit, or a checkpoint has other layers.
        TooLargeError: there are too many parameters or values for one file or widget.
        OutputError: the file can't be written, or the port is taken.
        MissingExtraError: what a server or a widget needs is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.explore("fixtures/digits.onnx", "ties", "digits.html")  # doctest: +SKIP
    """
    from onnx2graphml.explorer.page import check_size, page
    from onnx2graphml.explorer.runs import explored

    if path is not None:
        _check_path(path, port)
    given: list[Any] = list(inputs) if isinstance(inputs, list | tuple) else [inputs]
    others = list(against) if isinstance(against, list | tuple) else [against]
    if names and len(names) != len(given):
        raise Error(f"{len(names)} names are given for {len(given)} inputs")
    if float16 and port is not None:
        raise Error("float16 is for a file or a widget; a server sends every number as it is")
    graphs = [as_graph(one) for one in (model, *others)]
    if port is None:
        check_size(graphs, len(given), float16)  # before the network is run
    found = explored(graphs, given, names=names, seed=seed, preprocess=preprocess)
    if path is not None:
        with atomic(Path(path)) as file:
            file.writelines(page(found, half=float16))
        return Path(path)
    if port is not None:
        from onnx2graphml.explorer.server import Server

        return Server(found, port).start()
    from onnx2graphml.explorer.widget import widget

    return widget(found, float16)


def _check_path(path: str | Path, port: int | None) -> None:
    if port is not None:
        raise Error("both a path and a port are given; give one")
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise OutputError(f"the page is written as .html; got {str(path)!r}")
    check_parent(path)
