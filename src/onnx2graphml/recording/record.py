"""Many inputs through a network: an array on disk for each layer. What was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.errors import OVERWRITE, Error
from onnx2graphml.files.picture_folder import file_name, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import Forward
from onnx2graphml.model import Array, Model
from onnx2graphml.recording import fingerprint
from onnx2graphml.recording import folder as record_folder
from onnx2graphml.recording.array_file import ArrayFile
from onnx2graphml.recording.input_files import InputFiles

GENERATOR = "record of onnx2graphml"  # unlike other folders of this package, no other command may replace it
BUFFER = 1 << 24  # bytes of all layers together that are kept until they are written: what a killed run loses at most


@dataclass(frozen=True, eq=False)
class Record:
    """The values of layers for many inputs.

    Attributes:
        folder: where its files are.
        layers: those recorded, in the graph's order.
        files: by the layer's name, the array of shape (inputs, *layer.shape).
        count: the number of inputs.
        channels_last: whether the framework shows (row, column, channel).
    """

    folder: Path
    layers: tuple[Layer, ...]
    files: Mapping[str, ArrayFile]
    count: int
    channels_last: bool = False


def record(
    graph: NeuronGraph,
    inputs: InputFiles,
    folder: Path,
    layers: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int, int, str], None] | None = None,
    buffer: int = BUFFER,
) -> Record:
    """Run all inputs, one at a time, and write each layer's values to `folder`.

    A file `03-conv1.npy` of shape (inputs, *layer.shape), in the layer's type, and `manifest.json`. Memory does not
    depend on the number of inputs. Called again on the same folder, a run that was stopped goes on: the arrays are
    the same, byte for byte, as if it never was.

    Args:
        graph: with the model that it was made from.
        inputs: see `input_files`.
        folder: a new or an empty one, or one with a record of the same model, inputs and layers.
        layers: names; all by default. Constants, which no input changes, are never recorded.
        overwrite: remove a record of something else first.
        progress: told how many inputs are done, of how many.
        buffer: bytes.

    Raises:
        OutputError: the folder holds something else, or the disk has no room.
        Error: there is no such layer, or an input has the wrong shape.

    Example:
        >>> record(graph, input_files(Path("x.npy"), graph), Path("out")).files["conv1"].shape  # doctest: +SKIP
        (10000, 8, 8, 16)
    """
    model = graph.require_model()
    chosen = selected(graph, layers)
    plan = _plan(graph, model, inputs, chosen)
    with record_folder.writing(folder):
        done = record_folder.resumed(folder, plan, overwrite)
        record_folder.check_room(folder, chosen, inputs.count - done)
        files = record_folder.opened(folder, plan, done)
        run = _Run(graph, chosen, inputs)
        if done:
            _check_same(run, files, done - 1)
        for rows in _batches(run, range(done, inputs.count), files, buffer):
            for name, file in files.items():
                file.append(rows[name])
            new = len(rows[chosen[0].name])
            done += new
            write_manifest(folder, {**plan, "done": done})
            if progress:
                progress(done, inputs.count, "")
    return Record(folder, chosen, files, inputs.count, model.channels_last)


def selected(graph: NeuronGraph, names: Sequence[str] | None) -> tuple[Layer, ...]:
    """The layers of those names, or all, in the graph's order; without constants.

    Raises:
        Error: there is no such layer, or it is a constant.
    """
    wanted = None if names is None else {graph.layer(name).name for name in names}
    for layer in graph.layers:
        if wanted is not None and layer.name in wanted and layer.aggregation == "constant":
            raise Error(f"layer {layer.name!r} is a constant: no input changes it; choose others")
    found = [x for x in graph.layers if x.aggregation != "constant" and (wanted is None or x.name in wanted)]
    if not found:
        raise Error("no layer is chosen; name one or more")
    return tuple(found)


def _plan(graph: NeuronGraph, model: Model, inputs: InputFiles, layers: Sequence[Layer]) -> dict[str, Any]:
    """The manifest, but for how much is done."""
    position = {layer.name: k for k, layer in enumerate(graph.layers)}
    return {
        "generator": GENERATOR,
        "model": graph.model_name,
        "model_sha256": fingerprint.of_model(model),
        "inputs": list(inputs.names),
        "inputs_sha256": inputs.identity,
        "count": inputs.count,
        "left_out": [layer.name for layer in graph.layers if layer not in layers],
        "layers": [
            layer_entry(layer)
            | {
                "file": f"{file_name(position[layer.name], len(graph.layers), layer.name)}.npy",
                "dtype": layer.dtype.str,
            }
            for layer in layers
        ],
    }


class _Run:
    """The layers' values for an input, all through one session."""

    def __init__(self, graph: NeuronGraph, layers: Sequence[Layer], inputs: InputFiles) -> None:
        self._forward = Forward(graph, layers)
        self._inputs = inputs

    def __call__(self, at: int) -> dict[str, Array]:
        return {name: np.ascontiguousarray(value) for name, value in self._forward(self._inputs.feeds(at)).items()}


def _batches(
    run: _Run, positions: range, files: Mapping[str, ArrayFile], buffer: int
) -> Iterator[dict[str, list[Array]]]:
    """Values by layer, of as many inputs in a row as fit into the buffer; one at least."""
    most = max(1, buffer // sum(file.row_bytes for file in files.values()))
    for start in range(0, len(positions), most):
        values = [run(at) for at in positions[start : start + most]]
        yield {name: [v[name] for v in values] for name in files}


def _check_same(run: _Run, files: Mapping[str, ArrayFile], row: int) -> None:
    """The last input once more: another machine or ONNX Runtime may round otherwise, and arrays be damaged."""
    for name, value in run(row).items():
        if files[name].read([row])[0].tobytes() != value.tobytes():
            raise Error(
                f"{files[name].path}: input {row} now comes to other values than before (another machine, another "
                f"ONNX Runtime, or a damaged file): use {OVERWRITE}"
            )
