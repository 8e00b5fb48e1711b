"""A record's folder: what its manifest promises, how much of it is done, and who may write there."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onnx2graphml.errors import OVERWRITE, Error, OutputError
from onnx2graphml.files.picture_folder import write_manifest
from onnx2graphml.files.temporary import NAME, manifest, remove_folder
from onnx2graphml.graph.graph import Layer
from onnx2graphml.progress import size
from onnx2graphml.recording import array_file
from onnx2graphml.recording.array_file import ArrayFile

MAPS = "maps"
"""A folder of what was computed from the arrays."""

ABOUT = {"model_sha256": "another model", "inputs_sha256": "other inputs", "layers": "another selection of layers"}
"""What must be the same for a run to go on, in words."""

Manifest = dict[str, Any]


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder, and keep other processes from writing there.

    Raises:
        OutputError: another process does, or the disk is full or can't be written to.
    """
    try:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            _lock(descriptor, folder)
            yield
        finally:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                folder.rmdir()  # if nothing was written to it
    except FileNotFoundError as e:
        raise OutputError(f"can't write {str(e.filename)!r}: there is no directory for it; create it first") from None
    except OSError as e:
        raise OutputError(f"can't write {str(e.filename or folder)!r}: {e.strerror or e}") from None


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise OutputError(f"another process is writing to {str(folder)!r}; wait for it") from None


def resumed(folder: Path, plan: Mapping[str, Any], overwrite: bool) -> int:
    """How many inputs are done already.

    Args:
        plan: the manifest without `done`.
        overwrite: remove the record that is there.

    Raises:
        OutputError: the folder has a record of something else, or other files.
        Error: its manifest or its arrays are damaged.
    """
    path = folder / NAME
    if not path.exists():
        if any(not f.name.startswith(".") for f in folder.iterdir()):
            raise OutputError(f"{str(folder)!r} holds other files and no record; choose a new or an empty folder")
        return 0
    found = read_manifest(path, str(plan["generator"]))
    if overwrite:
        _remove(folder, found)
        return 0
    _refuse_other(folder, found, plan)
    return int(found["done"])


def read_manifest(path: Path, generator: str) -> Manifest:
    """A record's manifest, its form checked.

    Raises:
        Error: it can't be read, or is not a record's.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as e:
        raise Error(f"{path}: not a readable manifest: {e}; remove its folder") from None
    wrong = not isinstance(found, dict) or found.get("generator") != generator
    if wrong or not _is_sound(found):
        raise Error(f"{path}: not the manifest of a record; choose another folder, or remove this one")
    return dict(found)


def _is_sound(found: Manifest) -> bool:
    """Whether the count of what is done can be, and the arrays are files of this very folder."""
    done, count, layers = found.get("done"), found.get("count"), found.get("layers")
    if not (isinstance(done, int) and isinstance(count, int) and 0 <= done <= count and isinstance(layers, list)):
        return False
    files = [layer.get("file") if isinstance(layer, dict) else None for layer in layers]
    return all(isinstance(f, str) and f.endswith(".npy") and Path(f).name == f for f in files)


def _refuse_other(folder: Path, found: Manifest, plan: Mapping[str, Any]) -> None:
    other = [words for key, words in ABOUT.items() if found.get(key) != plan[key]]
    if other or {**plan, "done": found["done"]} != found:
        what = " and ".join(other) or "another version of this program"
        raise OutputError(f"{str(folder)!r} has a record of {what}; choose another folder, or {OVERWRITE}")


def _remove(folder: Path, found: Manifest) -> None:
    for layer in found["layers"]:
        (folder / layer["file"]).unlink(missing_ok=True)
    if manifest(folder / MAPS).get("kind") == MAPS:
        remove_folder(folder / MAPS)
    (folder / NAME).unlink()


def opened(folder: Path, promised: Mapping[str, Any], done: int) -> dict[str, ArrayFile]:
    """The layers' arrays, each cut to the inputs that are done; new ones, and their manifest, before the first.

    Raises:
        Error: one is missing, is shorter, or has another shape or type.
    """
    files = {}
    if not done:
        write_manifest(folder, {**promised, "done": 0})
    for layer in promised["layers"]:
        path, shape = folder / layer["file"], (promised["count"], *layer["shape"])
        if not done:
            array_file.create(path, shape, layer["dtype"])
        file = array_file.opened(path)
        if file.shape != shape or file.dtype.str != layer["dtype"]:
            raise Error(
                f"{path}: it has shape {list(file.shape)} and type {file.dtype}; expected {list(shape)} and "
                f"{layer['dtype']}: use {OVERWRITE}"
            )
        file.cut(done)
        files[layer["name"]] = file
    return files


def check_room(folder: Path, layers: Sequence[Layer], inputs: int) -> None:
    """Refuse what the disk has no room for.

    Args:
        inputs: how many are still to be written.

    Raises:
        OutputError: names the largest layer.
    """
    sizes = {layer.name: inputs * layer.neurons * layer.dtype.itemsize for layer in layers}
    free = shutil.disk_usage(folder).free
    if sum(sizes.values()) > free:
        largest = max(sizes, key=lambda name: sizes[name])
        raise OutputError(
            f"{inputs:,} inputs need {size(sum(sizes.values()))} and {str(folder)!r} has {size(free)} left: choose "
            f"fewer layers; the largest, {largest!r}, needs {size(sizes[largest])}"
        )
