"""A network watched while it learns, and the sheets of a network's process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph, load
from onnx2graphml.arguments import typed

if TYPE_CHECKING:
    from onnx2graphml.frontends.watch_keras import FilmCallback
    from onnx2graphml.frontends.watch_torch import FilmHook
    from onnx2graphml.inference.inputs import InputLike
    from onnx2graphml.recording.epochs import Recorder


@typed
def film_callback(
    input: InputLike,
    folder: str | Path,
    *,
    every: int = 1,
    layers: Sequence[str] | None = None,
    seed: int = 0,
    preprocess: str | None = None,
    format: str = "png",
    film_format: str = "png",
    max_channels: int = 16,
    seconds: float = 0.5,
) -> FilmCallback:
    """A callback for Keras' `fit`: the same input through the model after each epoch, drawn when training ends.

    All options, the folder and the input are checked before training begins.

    Args:
        input: as for `activations`.
        seed: as for `activations`.
        preprocess: as for `activations`.
        folder: where a strip and a film of each layer go; as for `film`.
        every: which epochs count: every one, every second ...
        layers: names; all by default.
        format: as for `film`.
        film_format: as for `film`.
        max_channels: as for `film`.
        seconds: as for `film`.

    Raises:
        Error: an option is out of range.
        OutputError: the folder can't be written.
        MissingExtraError: Keras is not installed.

    Example:
        >>> model.fit(x, y, callbacks=[onnx2graphml.film_callback(x[0], "film")])  # doctest: +SKIP
    """
    from onnx2graphml.draw.film.folder import check_options
    from onnx2graphml.frontends.watch_keras import FilmCallback
    from onnx2graphml.inference.inputs import resolve
    from onnx2graphml.recording.epochs import Recorder

    check_options(folder, film_format, format, max_channels, seconds)
    recorder = Recorder()

    def feeds(graph: Any) -> Any:
        return resolve(graph, input, seed=seed, preprocess=preprocess)

    def each(epoch: str, model: Any) -> None:
        graph = load(model)
        recorder.add_graph(epoch, graph, feeds(graph), layers)

    return FilmCallback(
        lambda model: feeds(load(model)),
        each,
        lambda: _write(recorder, folder, format, film_format, max_channels, seconds),
        every,
    )


@typed
def film_hook(
    module: Any,
    inputs: tuple[Any, ...],
    folder: str | Path,
    *,
    format: str = "png",
    film_format: str = "png",
    max_channels: int = 16,
    seconds: float = 0.5,
) -> FilmHook:
    """For a PyTorch training loop: call `.epoch()` after each epoch and `.finish()` at the end, which draws.

    Args:
        module: the `torch.nn.Module` that learns.
        inputs: tensors with batch 1, as `module` takes them.
        folder: as for `film`; checked at once.
        format: as for `film`; checked at once.
        film_format: as for `film`; checked at once.
        max_channels: as for `film`; checked at once.
        seconds: as for `film`; checked at once.

    Raises:
        Error: an option is out of range, or the module can't be run on the inputs.
        OutputError: the folder can't be written.
        MissingExtraError: PyTorch is not installed.

    Example:
        >>> hook = onnx2graphml.film_hook(module, (digit,), "film")  # doctest: +SKIP
        >>> for epoch in range(10):  # doctest: +SKIP
        ...     train(module)
        ...     hook.epoch()
        >>> hook.finish()  # doctest: +SKIP
    """
    from onnx2graphml.draw.film.folder import check_options
    from onnx2graphml.frontends.watch_torch import FilmHook
    from onnx2graphml.recording.epochs import Recorder

    check_options(folder, film_format, format, max_channels, seconds)
    recorder = Recorder(type(module).__name__)
    return FilmHook(
        module, inputs, recorder.add, lambda: _write(recorder, folder, format, film_format, max_channels, seconds)
    )


def _write(
    recorder: Recorder, folder: str | Path, format: str, film_format: str, max_channels: int, seconds: float
) -> None:
    from onnx2graphml.draw.film.folder import write_film

    write_film(recorder.recording(), folder, film=film_format, kind=format, limit=max_channels, seconds=seconds)


@typed
def plot_pattern_process(
    model: Any,
    pattern: InputLike,
    folder: str | Path,
    grid_size: tuple[int, int] = (3, 3),
    limit_size_layer: tuple[int, int] = (15, 15),
    plot_model: bool = True,
) -> list[Path]:
    """An input's way through a network as a few sheets `0.png`, `1.png` ..., and the network's architecture.

    Args:
        model: a graph, or what `load` takes.
        pattern: the input; as for `activations`.
        folder: made where there is none; other files in it stay.
        grid_size: rows and columns of layers on a sheet.
        limit_size_layer: only layers whose output is a map of more rows and more columns are drawn.
        plot_model: also draw the architecture.

    Returns:
        The files, in the order in which they were written.

    Raises:
        Error: the input does not fit, or no layer is larger than the limit.
        MissingExtraError: Matplotlib is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.plot_pattern_process("model.keras", "pattern.npy", "process")  # doctest: +SKIP
    """
    from onnx2graphml.draw.activations.process import plot_pattern_process as drawn
    from onnx2graphml.inference.inputs import resolve

    graph = as_graph(model)
    return drawn(graph, resolve(graph, pattern), folder, grid_size, limit_size_layer, plot_model)
