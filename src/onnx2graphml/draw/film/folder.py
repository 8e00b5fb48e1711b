"""A folder of a recording: its arrays, strips, films, and a manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.draw.canvas import check_kind, save
from onnx2graphml.draw.film import film as films
from onnx2graphml.draw.film.shown import LIMIT, Shown, shown
from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import check_folder, file_name, picture_folder, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.progress import Told
from onnx2graphml.recording.epochs import Recording


def write_film(
    recording: Recording,
    folder: Path | str,
    *,
    film: str = "png",
    kind: str = "png",
    limit: int = LIMIT,
    seconds: float = 0.5,
    progress: Told | None = None,
) -> tuple[str, ...]:
    """Write a recording: `03-conv1.npy` for each layer, strips, films, and `manifest.json`. Whole or not at all.

    Args:
        folder: a new or an empty one, or one that this package wrote, which is replaced.
        film: `png` (animated, in the true colours) or `gif` (256 colours, shown everywhere).
        kind: of the strips: `png`, `svg` or `pdf`.
        limit: channels of a layer that are shown.
        seconds: how long each epoch stays.
        progress: told how many files are drawn, of how many, and the name of the next.

    Returns:
        The names of the strips and films.

    Raises:
        Error: an option is none of those above.
        OutputError: the folder can't be written.
        MissingExtraError: Matplotlib or Pillow is not installed.

    Example:
        >>> write_film(recording, "film", film="gif")  # doctest: +SKIP
        ('strip-1.png', 'film-1.gif')
    """
    check_options(folder, film, kind, limit, seconds)
    layers = [shown(recording, layer, limit) for layer in recording.layers if layer.neurons]
    tell = progress or (lambda done, total, name: None)
    with picture_folder(Path(folder), "film") as new:
        entries = [_array(new, recording, k, layer) for k, layer in enumerate(layers)]
        strips = {f"strip-{k}.{kind}": part for k, part in _parts(layers, films.ON_A_STRIP)}
        moving = {f"film-{k}.{film}": part for k, part in _parts(layers, films.IN_A_FRAME)}
        total = len(strips) + len(moving)
        for done, (name, part) in enumerate(strips.items()):
            tell(done, total, name)
            save(films.strip(recording, part), new / name)
        for done, (name, part) in enumerate(moving.items(), len(strips)):
            tell(done, total, name)
            films.save_film(films.frames(recording, part), new / name, seconds)
        write_manifest(
            new,
            {
                "generator": "onnx2graphml film",
                "model": recording.model,
                "epochs": recording.epochs,
                "epochs_on_strips": _epochs(recording, films.MOST),
                "epochs_in_films": _epochs(recording, films.FRAMES),
                "layers": entries,
                "without_neurons": [layer.name for layer in recording.layers if not layer.neurons],
                **{n: [x.layer.name for x in part] for n, part in (strips | moving).items()},
            },
        )
    return (*strips, *moving)


def check_options(folder: Path | str, film: str, kind: str, limit: int, seconds: float) -> None:
    """Refuse, before anything is recorded, what `write_film` would refuse."""
    check_kind(kind)
    if film not in films.FILMS:
        raise Error(f"film is {film!r}; expected {', '.join(films.FILMS)}")
    if limit < 1:
        raise Error(f"the limit of channels is {limit}; expected 1 or more")
    if not seconds > 0:
        raise Error(f"an epoch stays for {seconds} seconds; expected more than 0")
    check_folder(Path(folder), "film")


def _parts(layers: Sequence[Shown], size: int) -> list[tuple[int, Sequence[Shown]]]:
    """Numbered parts of about the same size, and of that size at most."""
    parts = -(-len(layers) // size)
    each = -(-len(layers) // parts)
    return [(k // each + 1, layers[k : k + each]) for k in range(0, len(layers), each)]


def _epochs(recording: Recording, most: int) -> list[str]:
    return [recording.epochs[k] for k in films.subset(len(recording.epochs), most)]


def _array(folder: Path, recording: Recording, position: int, layer: Shown) -> dict[str, Any]:
    """Write a layer's values at all epochs; what the manifest says of it."""
    name = f"{file_name(position, len(recording.layers), layer.layer.name)}.npy"
    np.save(folder / name, recording.values[layer.layer.name])
    tiles = layer.tiles[0]
    entry = layer_entry(layer.layer)
    if not layer.layer.op:  # it comes from no graph, so its neurons have no ids
        del entry["neurons"]
    return entry | {
        "file": name,
        "scale": {"low": layer.scale.low, "high": layer.scale.high, "diverging": layer.scale.diverging},
        "shown": tiles.statement,
        "indices": tiles.indices,
    }
