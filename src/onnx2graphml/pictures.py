"""What a user calls for pictures: the functions of `draw`, for whatever `load` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api import load
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.inputs import InputLike as Pattern
from onnx2graphml.inference.inputs import resolve as feeds

if TYPE_CHECKING:
    from onnx2graphml.draw.activations.activations import Activations
    from onnx2graphml.draw.architecture.drawing import Drawing
    from onnx2graphml.frontends.watch_keras import PassageCallback
    from onnx2graphml.frontends.watch_torch import PassageHook
    from onnx2graphml.parameters.found import Weights
    from onnx2graphml.recording.epochs import Recorder


def passage(
    model: Any,
    pattern: Pattern = "random",
    folder: str | Path | None = None,
    *,
    preprocess: str | None = None,
    **options: Any,
) -> Activations:
    """A pattern on its way through a network: the values of every layer, and a picture of each.

    Args:
        model: a graph, or what `load` takes.
        pattern: see `Pattern`; with or without the batch axis.
        folder: where pictures, overview sheets and a manifest go; None for the values and what would be drawn.
        preprocess: of a picture file: `0..1` (the default), `-1..1`, `caffe`, `imagenet` or `none`.
        options: those of `draw.activations.activations`: layers, grid, kind, scale, channels, limit, min_size,
            overlay, colours, classes.

    Raises:
        Error: the pattern does not fit the network's inputs; the message states the shape that is expected.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.passage("fixtures/digits.onnx", "ties")
        >>> found.layer("conv1").value.shape
        (8, 8, 16)
    """
    from onnx2graphml.draw.activations.activations import activations as drawn

    graph = as_graph(model)
    if preprocess == "caffe":  # which turns red, green and blue around
        options.setdefault("colours", "bgr")
    return drawn(graph, feeds(graph, pattern, preprocess=preprocess), folder, **options)


def weights(model: Any, folder: str | Path | None = None, *, against: Any = None, **options: Any) -> Weights:
    """The trained arrays of every layer: named and explained, drawn, ordered, measured.

    Args:
        model: a graph, or what `load` takes.
        folder: where pictures, README.md, weights.csv and weights.json go; None for the arrays alone.
        against: another checkpoint of the same network, whose arrays are compared.
        options: those of `draw.weights.weights`: layers, order, kind, feeds, limit.

    Raises:
        Error: an option is unknown, or the folder can't be written.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.weights("fixtures/digits.onnx").layers[1].of.text
        'conv1: 16 kernels of 3x3 over 1 channel, (row, column, in, out); bias: 16'
    """
    from onnx2graphml.draw.weights.weights import weights as drawn

    return drawn(as_graph(model), folder, against=None if against is None else as_graph(against), **options)


def architecture(model: Any, path: str | Path, *, fold: bool | None = None) -> Drawing:
    """The network's layers as boxes and arrows, in an .svg, .png, .pdf or .dot file.

    Args:
        model: a graph, or what `load` takes.
        path: the file; its suffix says of what kind.
        fold: draw parts that stand several times in a row once; by default where there are more than 40 layers.

    Raises:
        Error: the suffix is none of these, or the file can't be written.
        MissingExtraError: Matplotlib, which .png and .pdf need, is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.architecture("fixtures/digits.onnx", "digits.svg")  # doctest: +SKIP
    """
    from onnx2graphml.draw.architecture.architecture import architecture as drawn

    return drawn(as_graph(model), path, fold=fold)


def plot_pattern_process(
    model: Any,
    pattern: Pattern,
    folder: str | Path,
    grid_size: tuple[int, int] = (3, 3),
    limit_size_layer: tuple[int, int] = (15, 15),
    plot_model: bool = True,
) -> list[Path]:
    """A pattern's way through a network as a few sheets `0.png`, `1.png` ..., and the network's architecture.

    Args:
        model: a graph, or what `load` takes.
        pattern: see `Pattern`.
        folder: made where there is none.
        grid_size: rows and columns of layers on a sheet.
        limit_size_layer: only layers whose output is a map of more rows and more columns are drawn.
        plot_model: also draw the architecture.

    Raises:
        Error: the pattern does not fit, or no layer is larger than the limit.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.plot_pattern_process("model.keras", "pattern.npy", "process")  # doctest: +SKIP
    """
    from onnx2graphml.draw.activations.process import plot_pattern_process as drawn

    graph = as_graph(model)
    return drawn(graph, feeds(graph, pattern), folder, grid_size, limit_size_layer, plot_model)


def passage_callback(
    pattern: Pattern, folder: str | Path, *, every: int = 1, layers: Sequence[str] | None = None, **options: Any
) -> PassageCallback:
    """A callback for Keras' `fit`: the same pattern through the model after each epoch, drawn when training ends.

    Args:
        pattern: see `Pattern`.
        folder: where a strip and a film of each layer go.
        every: which epochs count.
        layers: only these.
        options: those of `draw.film.folder.write_film`: film, kind, limit, seconds.

    Example:
        >>> model.fit(x, y, callbacks=[passage_callback(x[0], "film")])  # doctest: +SKIP
    """
    from onnx2graphml.frontends.watch_keras import PassageCallback
    from onnx2graphml.recording.epochs import Recorder

    recorder = Recorder()
    return PassageCallback(
        lambda epoch, model: recorder.add_graph(epoch, load(model), lambda graph: feeds(graph, pattern), layers),
        lambda: _film(recorder, folder, options),
        every,
    )


def passage_hook(module: Any, inputs: tuple[Any, ...], folder: str | Path, **options: Any) -> PassageHook:
    """For a PyTorch training loop: call `.epoch()` after each epoch and `.finish()` at the end, which draws.

    Args:
        module: the `torch.nn.Module` that learns.
        inputs: the pattern: tensors with batch 1, as `module` takes them.
        folder, options: as for `passage_callback`.

    Example:
        >>> hook = passage_hook(module, (digit,), "film")  # doctest: +SKIP
    """
    from onnx2graphml.frontends.watch_torch import PassageHook
    from onnx2graphml.recording.epochs import Recorder

    recorder = Recorder(type(module).__name__)
    return PassageHook(module, inputs, recorder.add, lambda: _film(recorder, folder, options))


def _film(recorder: Recorder, folder: str | Path, options: Mapping[str, Any]) -> None:
    from onnx2graphml.draw.film.folder import write_film

    write_film(recorder.recording(), folder, **options)


def as_graph(model: Any) -> NeuronGraph:
    """A graph as it is; of anything else, what `load` makes."""
    return model if isinstance(model, NeuronGraph) else load(model)
