"""Many inputs from an .npy file or a folder, read one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference import images
from onnx2graphml.inference.inputs import SUFFIXES, checked, input_types, resolve
from onnx2graphml.model import Array, Model
from onnx2graphml.recording import array_file, fingerprint
from onnx2graphml.recording.natural import natural

Feeds = dict[str, Array]


@dataclass(frozen=True)
class InputFiles:
    """A sequence of inputs.

    Attributes:
        count: how many.
        names: the files', in their order; empty where the inputs are rows of one file.
        identity: the SHA-256 of all that is read, and how pictures are.
        feeds: the one at a position: an array by the name of each of the network's inputs, in its shape and type.
    """

    count: int
    names: tuple[str, ...]
    identity: str
    feeds: Callable[[int], Feeds]


def input_files(path: Path, graph: NeuronGraph, preprocess: str = "0..1") -> InputFiles:
    """The inputs at a path.

    Args:
        path: an .npy file of (N, *an input's shape without the batch axis) for a network of one input; or a folder of
            .npy and .npz files and pictures, an input each, in the order of their names (image2 before image10).
            Names that begin with a dot don't count.
        graph: with the model that it was made from.
        preprocess: of pictures; see `images.PREPROCESS`.

    Raises:
        Error: there is no such file, it has another shape, or something in the folder is no input.

    Example:
        >>> input_files(Path("digits"), graph).names  # doctest: +SKIP
        ('0.png', '1.png')
    """
    if path.is_dir():
        return _folder(path, graph, preprocess)
    if path.suffix.lower() != ".npy":
        raise Error(f"{path}: no file of inputs; expected an .npy file of many, or a folder")
    return _rows(path, graph.require_model())


def _rows(path: Path, model: Model) -> InputFiles:
    if len(model.inputs) != 1:
        raise Error(
            f"{path} holds one array; the model has the inputs {', '.join(model.inputs)}: give a folder of .npz"
        )
    ((name, kind),) = input_types(model)
    rows = array_file.opened(path)
    if rows.shape[1:] not in (kind.shape, kind.shape[1:]):
        expected = ", ".join(map(str, ("N", *kind.shape[1:])))
        raise Error(f"{path}: it has shape {list(rows.shape)}; expected [{expected}] for input {name!r}")

    def feeds(at: int) -> Feeds:
        return checked(model, {name: rows.read([at])[0]})

    return InputFiles(rows.shape[0], (), fingerprint.of_files([path]), feeds)


def _folder(path: Path, graph: NeuronGraph, preprocess: str) -> InputFiles:
    files = sorted((f for f in path.iterdir() if not f.name.startswith(".")), key=lambda f: natural(f.name))
    if not files:
        raise Error(f"{path}: no inputs are in this folder")
    inputs = [layer for layer in graph.layers if layer.aggregation == "input"]
    for file in files:
        if not file.is_file() or file.suffix.lower() not in SUFFIXES:
            raise Error(f"{file}: not an input; a folder of inputs holds nothing else")
        if _is_picture(file) and len(inputs) != 1:
            names = ", ".join(layer.name for layer in inputs)
            raise Error(f"{file}: the model has the inputs {names}: a picture is one array")

    def feeds(at: int) -> Feeds:
        return resolve(graph, files[at], preprocess=preprocess if _is_picture(files[at]) else None, quiet=True)

    identity = fingerprint.of_files(files)
    if any(map(_is_picture, files)):
        identity += f" {preprocess}"
    return InputFiles(len(files), tuple(f.name for f in files), identity, feeds)


def _is_picture(file: Path) -> bool:
    return file.suffix.lower() in images.SUFFIXES
