"""Many patterns through a network: an array on disk for each layer. What was stopped goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.files.picture_folder import file_name, write_manifest
from onnx2graphml.graph.attributes import layer_entry
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.inference.activations import Forward
from onnx2graphml.model import Array, Model
from onnx2graphml.recording import fingerprint
from onnx2graphml.recording import folder as pack_folder
from onnx2graphml.recording.array_file import ArrayFile
from onnx2graphml.recording.input_files import PatternFiles

GENERATOR = "pack of onnx2graphml"  # unlike other folders of this package, no other command may replace it
BUFFER = 1 << 24  # bytes of all layers together that are kept until they are written: what a killed run loses at most


@dataclass(frozen=True, eq=False)
class Pack:
    """The values of layers for many patterns.

    Attributes:
        folder: where its files are.
        layers: those recorded, in the graph's order.
        files: by the layer's name, the array of shape (patterns, *layer.shape).
        count: the number of patterns.
        channels_last: whether the framework shows (row, column, channel).
    """

    folder: Path
    layers: tuple[Layer, ...]
    files: Mapping[str, ArrayFile]
    count: int
    channels_last: bool = False


def pack(
    graph: NeuronGraph,
    patterns: PatternFiles,
    folder: Path,
    layers: Sequence[str] | None = None,
    *,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
    buffer: int = BUFFER,
) -> Pack:
    """Run all patterns, one at a time, and write each layer's values to `folder`.

    A file `03-conv1.npy` of shape (patterns, *layer.shape), in the layer's type, and `manifest.json`. Memory does not
    depend on the number of patterns. Called again on the same folder, a run that was stopped goes on: the arrays are
    the same, byte for byte, as if it never was.

    Args:
        graph: with the model that it was made from.
        patterns: see `pattern_files`.
        folder: a new or an empty one, or one with a pack of the same model, patterns and layers.
        layers: names; all by default. Constants, which no pattern changes, are never recorded.
        overwrite: remove a pack of something else first.
        progress: told the number of edges computed.
        buffer: bytes.

    Raises:
        OutputError: the folder holds something else, or the disk has no room.
        Error: there is no such layer, or a pattern has the wrong shape.

    Example:
        >>> pack(graph, pattern_files(Path("x.npy"), graph), Path("out")).files["conv1"].shape  # doctest: +SKIP
        (10000, 8, 8, 16)
    """
    model = graph.require_model()
    chosen = selected(graph, layers)
    plan = _plan(graph, model, patterns, chosen)
    with pack_folder.writing(folder):
        done = pack_folder.resumed(folder, plan, overwrite)
        pack_folder.check_room(folder, chosen, patterns.count - done)
        files = pack_folder.opened(folder, plan, done)
        run = _Run(graph, chosen, patterns)
        if done:
            _check_same(run, files, done - 1)
        for rows in _batches(run, range(done, patterns.count), files, buffer):
            for name, file in files.items():
                file.append(rows[name])
            new = len(rows[chosen[0].name])
            done += new
            write_manifest(folder, {**plan, "done": done})
            if progress:
                progress(new * graph.edges)
    return Pack(folder, chosen, files, patterns.count, model.channels_last)


def selected(graph: NeuronGraph, names: Sequence[str] | None) -> tuple[Layer, ...]:
    """The layers of those names, or all, in the graph's order; without constants.

    Raises:
        Error: there is no such layer, or it is a constant.
    """
    wanted = None if names is None else {graph.layer(name).name for name in names}
    for layer in graph.layers:
        if wanted is not None and layer.name in wanted and layer.aggregation == "constant":
            raise Error(f"layer {layer.name!r} is a constant: no pattern changes it; choose others")
    found = [x for x in graph.layers if x.aggregation != "constant" and (wanted is None or x.name in wanted)]
    if not found:
        raise Error("no layer is chosen; name one or more")
    return tuple(found)


def _plan(graph: NeuronGraph, model: Model, patterns: PatternFiles, layers: Sequence[Layer]) -> dict[str, Any]:
    """The manifest, but for how much is done."""
    position = {layer.name: k for k, layer in enumerate(graph.layers)}
    return {
        "generator": GENERATOR,
        "model": graph.model_name,
        "model_sha256": fingerprint.of_model(model),
        "patterns": list(patterns.names),
        "patterns_sha256": patterns.identity,
        "count": patterns.count,
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
    """The layers' values for a pattern, all through one session."""

    def __init__(self, graph: NeuronGraph, layers: Sequence[Layer], patterns: PatternFiles) -> None:
        self._forward = Forward(graph, layers)
        self._patterns = patterns

    def __call__(self, at: int) -> dict[str, Array]:
        return {name: np.ascontiguousarray(value) for name, value in self._forward(self._patterns.feeds(at)).items()}


def _batches(
    run: _Run, positions: range, files: Mapping[str, ArrayFile], buffer: int
) -> Iterator[dict[str, list[Array]]]:
    """Values by layer, of as many patterns in a row as fit into the buffer; one at least."""
    most = max(1, buffer // sum(file.row_bytes for file in files.values()))
    for start in range(0, len(positions), most):
        values = [run(at) for at in positions[start : start + most]]
        yield {name: [v[name] for v in values] for name in files}


def _check_same(run: _Run, files: Mapping[str, ArrayFile], row: int) -> None:
    """The last pattern once more: another machine or ONNX Runtime may round otherwise, and arrays be damaged."""
    for name, value in run(row).items():
        if files[name].read([row])[0].tobytes() != value.tobytes():
            raise Error(
                f"{files[name].path}: pattern {row} now comes to other values than before (another machine, another "
                f"ONNX Runtime, or a damaged file): use --overwrite"
            )
