"""What a network makes of one input, and the arrays that it has learned."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import check_folder

if TYPE_CHECKING:
    from onnx2graphml.draw.activations.activations import Activations
    from onnx2graphml.inference.inputs import InputLike
    from onnx2graphml.parameters.found import Weights
    from onnx2graphml.progress import Told


@typed
def activations(
    model: Any,
    input: InputLike = "random",
    folder: str | Path | None = None,
    *,
    seed: int = 0,
    preprocess: str | None = None,
    layers: str | Sequence[str] | None = None,
    grid: tuple[int, int] = (3, 3),
    format: str = "png",
    scale: str = "layer",
    channels: str = "first",
    max_channels: int = 64,
    min_size: tuple[int, int] | None = None,
    overlay: str = "",
    colours: str | None = None,
    classes: Sequence[str] = (),
    progress: Told | None = None,
) -> Activations:
    """The values of every layer for one input, from one forward pass, and pictures of them.

    Args:
        model: a graph, or what `load` takes.
        input: a name (`random`, `zeros`, `large`, `ties`), an .npy or .npz file, a picture, an array, or arrays by
            input name; with or without the batch axis.
        folder: where pictures, overview sheets and a manifest go: a new or an empty one, or one that this package
            wrote, which is replaced. None for the values, and what would be drawn.
        seed: random seed, for the input `random`.
        preprocess: how a picture's values are scaled: `0..1`, `-1..1`, `caffe`, `imagenet` or `none`.
        layers: which are shown: names, or a text as `select` takes it; all by default.
        grid: rows and columns of layers on a sheet.
        format: file format of the pictures: `png`, `svg` or `pdf`.
        scale: limits of the colours: for each `layer`, for each `channel`, or `global`.
        channels: which channels are drawn of more than `max_channels`: the `first`, the `top` ones by energy (sum of
            squares), or `all`.
        max_channels: how many channels of a layer are drawn.
        min_size: rows and columns that a layer's map has at least; smaller layers are left out.
        overlay: `layer` also lays each layer's map on the input, `channels` its strongest channels, too.
        colours: how an input of three channels is drawn: as a photograph, `rgb` (default) or `bgr` (default with the
            preprocess `caffe`), or its `channels` one by one.
        classes: names of the units of the network's outputs.
        progress: told after each file how many are written, of how many, and its name.

    Returns:
        `found.layer("conv1").value` is a layer's value, in the layer's shape.

    Raises:
        Error: the input does not fit the network, or an option is none of those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib or Pillow is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.activations("fixtures/digits.onnx", "ties").layer("conv1").value.shape
        (8, 8, 16)
    """
    from onnx2graphml.draw.activations.activations import activations as drawn
    from onnx2graphml.inference.inputs import resolve

    if folder is not None:
        check_folder(Path(folder), "activations")
    graph = as_graph(model)
    return drawn(
        graph,
        resolve(graph, input, seed=seed, preprocess=preprocess),
        folder,
        layers=layers,
        grid=grid,
        kind=format,
        scale=scale,
        channels=channels,
        limit=max_channels,
        min_size=min_size,
        overlay=overlay,
        colours=colours or ("bgr" if preprocess == "caffe" else "rgb"),
        classes=classes,
        progress=progress,
    )


@typed
def weights(
    model: Any,
    folder: str | Path | None = None,
    *,
    layers: str | Sequence[str] | None = None,
    order: str = "index",
    input: InputLike = "random",
    seed: int = 0,
    preprocess: str | None = None,
    format: str = "png",
    against: Any = None,
    max_kernels: int = 16,
    progress: Told | None = None,
) -> Weights:
    """The trained arrays of every layer: named, explained, measured, ordered and drawn.

    Args:
        model: a graph, or what `load` takes.
        folder: where pictures, README.md, weights.csv and weights.json go; None for the arrays alone.
        layers: names, or a text as `select` takes it; all by default.
        order: of each layer's outputs: their own (`index`), by the L2 norm of their weights (`norm`), each beside the
            one most like it (`similarity`), or by the mean magnitude of their values (`activation`).
        input: for the order `activation`; as for `activations`.
        seed: as for `activations`.
        preprocess: as for `activations`.
        format: file format of the pictures: `png`, `svg` or `pdf`.
        against: another checkpoint of the same network, whose arrays are compared.
        max_kernels: draw all kernels of a layer of at most so many inputs and so many outputs; of a larger one, the
            norms of all and the strongest.
        progress: as for `activations`.

    Returns:
        `found.array("conv1/kernel")` is an array with the names of its axes and its statistics.

    Raises:
        Error: an option is none of those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.weights("fixtures/digits.onnx").layers[1].of.text
        'conv1: 16 kernels of 3×3 over 1 channel, (row, column, in, out); bias: 16'
    """
    from onnx2graphml.draw.weights.weights import weights as drawn
    from onnx2graphml.inference.inputs import resolve

    if order != "activation" and (not isinstance(input, str) or input != "random" or preprocess is not None):
        raise Error(f"an input is given, which is for the order 'activation'; the order is {order!r}")
    if folder is not None:
        check_folder(Path(folder), "weights")
    graph = as_graph(model)
    feeds = resolve(graph, input, seed=seed, preprocess=preprocess) if order == "activation" else None
    other = None if against is None else as_graph(against)
    return drawn(
        graph,
        folder,
        layers=layers,
        order=order,
        kind=format,
        feeds=feeds,
        against=other,
        limit=max_kernels,
        progress=progress,
    )
