"""What a network makes of many inputs, and of one input while it learns."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import Fixed, Shapes, as_graph, load
from onnx2graphml.arguments import typed
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.select import layer_names

if TYPE_CHECKING:
    from onnx2graphml.inference.inputs import Array, InputLike
    from onnx2graphml.progress import Told
    from onnx2graphml.recording.epochs import Recording
    from onnx2graphml.recording.record import Record


@typed
def record(
    model: Any,
    inputs: str | Path,
    folder: str | Path,
    *,
    layers: str | Sequence[str] | None = None,
    preprocess: str = "0..1",
    overwrite: bool = False,
    maps: bool = False,
    by_class: str | Path | None = None,
    difference: tuple[int, int] | None = None,
    format: str = "png",
    max_channels: int = 64,
    progress: Told | None = None,
) -> Record:
    """The values of layers for many inputs, an array on disk for each layer. What was stopped goes on where it was.

    Args:
        model: a graph, or what `load` takes.
        inputs: an .npy file with a row for each input; or a folder with a file for each: .npy, .npz or a picture.
        folder: a new or an empty one, or one that was recorded from the same model, inputs and layers before.
        layers: names, or a text as `select` takes it; all by default.
        preprocess: how a picture's values are scaled: `0..1`, `-1..1`, `caffe`, `imagenet` or `none`.
        overwrite: remove a recording of something else first.
        maps: also write mean and variance of each neuron, to the folder `maps` in `folder`.
        by_class: an .npy file with a class for each input: also the means and variances of each class.
        difference: two inputs' numbers, from 0: also the first one's values less the second one's.
        format: file format of the pictures of maps: `png`, `svg` or `pdf`.
        max_channels: how many channels of a layer such a picture has.
        progress: told how many inputs are done, of how many; then of maps, how many layers.

    Returns:
        `found.files["conv1"].read([0, 5])` reads the values for some inputs.

    Raises:
        Error: there is no such layer or input, an input does not fit, or an option is none of those above.
        OutputError: the folder holds something else, or the disk has no room.
        MissingExtraError: maps need Matplotlib, pictures Pillow.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.record("digits.onnx", "images.npy", "out").count  # doctest: +SKIP
        10000
    """
    from onnx2graphml.recording import record as recording
    from onnx2graphml.recording.input_files import input_files

    graph = as_graph(model)
    given = input_files(Path(inputs), graph, preprocess)
    options = _map_options(given.count, maps, by_class, difference, format, max_channels)
    found = recording.record(graph, given, Path(folder), _names(graph, layers), overwrite=overwrite, progress=progress)
    if options is not None:
        from onnx2graphml.draw.maps import write_maps

        write_maps(found, progress=progress, **options)
    return found


def _map_options(
    count: int,
    maps: bool,
    labels: str | Path | None,
    difference: tuple[int, int] | None,
    format: str,
    max_channels: int,
) -> dict[str, Any] | None:
    """The options of maps, checked before anything is run; None where none are wanted."""
    from onnx2graphml.draw.canvas import check_kind
    from onnx2graphml.recording.maps import read_labels

    if max_channels < 1:
        raise Error(f"max_channels is {max_channels}; expected 1 or more")
    for number in difference or ():
        if not 0 <= number < count:
            raise Error(f"difference names input {number}; the inputs are 0 to {count - 1}")
    if not (maps or labels is not None or difference):
        return None
    check_kind(format)
    found = None if labels is None else read_labels(Path(labels), count)
    return {"labels": found, "pair": difference, "kind": format, "limit": max_channels}


@typed
def film(
    checkpoints: str | Path | Mapping[str, Any],
    input: InputLike,
    folder: str | Path,
    *,
    layers: str | Sequence[str] | None = None,
    seed: int = 0,
    preprocess: str | None = None,
    shapes: Shapes | None = None,
    trust: bool = False,
    fixed: Fixed | None = None,
    format: str = "png",
    film_format: str = "png",
    max_channels: int = 16,
    seconds: float = 0.5,
    progress: Told | None = None,
) -> tuple[Recording, tuple[str, ...]]:
    """The same input through every checkpoint of a network: each layer as it learns, as strips and as films.

    Args:
        checkpoints: a folder of model files, one an epoch, in the order of their names (epoch2 before epoch10); or
            models by the epoch's name, each what `load` takes.
        input: as for `activations`.
        seed: as for `activations`.
        preprocess: as for `activations`.
        folder: a new or an empty one, or one that this package wrote, which is replaced.
        layers: names, or a text as `select` takes it; all by default.
        shapes: as for `load`.
        trust: as for `load`.
        fixed: as for `load`.
        format: file format of the strips: `png`, `svg` or `pdf`.
        film_format: `png` (animated, in the true colours) or `gif` (256 colours, shown everywhere).
        max_channels: how many channels of a layer are drawn.
        seconds: how long each epoch stays.
        progress: told how many checkpoints are read, of how many; then of strips and films, how many are drawn.

    Returns:
        What was recorded, whose `values["conv1"]` has an entry for each epoch, in the layer's shape; and the names of
        the strips and films.

    Raises:
        Error: there is no checkpoint, they are of different networks, the input does not fit, or an option is none of
            those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib or Pillow is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> recording, files = onnx2graphml.film({"1": graph, "2": graph}, "zeros", "film")  # doctest: +SKIP
    """
    from onnx2graphml.draw.film.folder import check_options, write_film
    from onnx2graphml.inference.inputs import resolve
    from onnx2graphml.recording.epochs import Recorder

    check_options(folder, film_format, format, max_channels, seconds)
    tell = progress or (lambda done, total, name: None)
    if isinstance(checkpoints, Mapping):
        models, name = dict(checkpoints), ""
    else:
        models, name = _checkpoints(Path(checkpoints)), Path(checkpoints).resolve().name
    recorder = Recorder(name)
    feeds: dict[str, Array] = {}
    for done, (epoch, model) in enumerate(models.items()):
        tell(done, len(models), epoch)
        graph = model if isinstance(model, NeuronGraph) else load(model, shapes=shapes, trust=trust, fixed=fixed)
        if not feeds:  # all checkpoints have the same inputs
            feeds = resolve(graph, input, seed=seed, preprocess=preprocess)
        recorder.add_graph(epoch, graph, feeds, _names(graph, layers))
        del graph  # one at a time
    recording = recorder.recording()
    files = write_film(
        recording,
        folder,
        film=film_format,
        kind=format,
        limit=max_channels,
        seconds=seconds,
        progress=tell,
    )
    return recording, files


def _checkpoints(folder: Path) -> dict[str, Path]:
    """The models in a folder by their epochs' names; what is none is logged."""
    from onnx2graphml.recording.checkpoints import checkpoints

    models, others = checkpoints(folder)
    if others:
        logging.getLogger("onnx2graphml").info("no checkpoints, left out: %s", ", ".join(others))
    return models


def _names(graph: NeuronGraph, layers: str | Sequence[str] | None) -> list[str] | None:
    return layer_names(graph, layers) if isinstance(layers, str) else None if layers is None else list(layers)
