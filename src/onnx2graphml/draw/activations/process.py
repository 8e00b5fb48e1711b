"""A pattern's way through a network as a few sheets: the layers whose output is a map worth looking at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from onnx2graphml.draw.activations.activations import activations
from onnx2graphml.draw.activations.sheets import overview, sheets_of
from onnx2graphml.draw.canvas import save
from onnx2graphml.errors import Error, OutputError
from onnx2graphml.files.picture_folder import safe
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.model import Array


def plot_pattern_process(
    graph: NeuronGraph,
    pattern: Array | Mapping[str, Array],
    folder: Path | str,
    grid_size: tuple[int, int] = (3, 3),
    limit_size_layer: tuple[int, int] = (15, 15),
    plot_model: bool = True,
) -> list[Path]:
    """Draw what a network's layers make of a pattern, as sheets `0.png`, `1.png`, ... of so many layers each.

    A layer is drawn if its output is a map of more rows and of more columns than the limit; the input is one of them.
    A vector is none; of a convolution's output a channel's map counts, and up to 64 channels are drawn.

    Args:
        graph: with the model that it was made from.
        pattern: an array in the shape of the input, with or without the batch axis; for several inputs by their names.
        folder: made where there is none; other files in it stay.
        grid_size: rows and columns of layers on a sheet.
        limit_size_layer: rows and columns.
        plot_model: also draw the layers and their connections: `<model> neural network architecture.png`.

    Returns:
        The files, in the order in which they were written.

    Raises:
        Error: the pattern has another shape, or no layer is larger than the limit.
        OutputError: the folder can't be written.

    Example:
        >>> plot_pattern_process(graph, picture, "process")  # doctest: +SKIP
        [PosixPath('process/0.png'), PosixPath('process/model neural network architecture.png')]
    """
    from onnx2graphml.draw.architecture.architecture import architecture

    found = activations(
        graph,
        _feeds(graph, pattern),
        grid=grid_size,
        min_size=(limit_size_layer[0] + 1, limit_size_layer[1] + 1),
    )
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise OutputError(f"can't make the folder {str(folder)!r}: {e.strerror or e}") from None
    files = []
    for k, sheet in enumerate(sheets_of(found.layers, grid_size)):
        files.append(folder / f"{k}.png")
        save(overview(sheet, grid_size), files[-1])
    if plot_model:
        files.append(folder / f"{safe(graph.model_name, ' ')} neural network architecture.png")
        architecture(graph, files[-1])
    return files


def _feeds(graph: NeuronGraph, pattern: Array | Mapping[str, Array]) -> Mapping[str, Array]:
    if isinstance(pattern, Mapping):
        return pattern
    inputs = graph.model.inputs if graph.model else ()
    if len(inputs) != 1:
        raise Error(f"one pattern is given; the model has the inputs {', '.join(inputs)}: give a mapping from names")
    return {inputs[0]: pattern}
