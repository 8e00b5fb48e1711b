"""How far predictions move when a network is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.errors import Error, reason
from onnx2graphml.export.model import to_onnx
from onnx2graphml.export.signature import inputs_of
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.table import Table
from onnx2graphml.inference.runtime import outputs_of
from onnx2graphml.verification.recompute import recompute

Array = npt.NDArray[Any]
Feeds = Mapping[str, Array]


def many(graph: NeuronGraph, given: Any) -> dict[str, Array]:
    """Several inputs at once, by the name of the network's input.

    Args:
        given: an array, or arrays by name; a first axis counts the inputs. Or an .npy or .npz file that holds them.

    Raises:
        Error: there is no such file, or an array has another shape.
    """
    ports = inputs_of(graph)
    if isinstance(given, str | Path):
        given = _read(Path(given))
    if not isinstance(given, Mapping):
        given = {ports[0].name: given}
    found = {}
    for port in ports:
        if port.name not in given:
            raise Error(f"no array is given for input {port.name!r}; there are {', '.join(map(repr, given)) or 'none'}")
        array = np.asarray(given[port.name])
        if array.shape[1:] != port.inside or not len(array) or array.dtype.kind not in "biuf":
            expected = ", ".join(map(str, ("N", *port.inside)))
            raise Error(f"the inputs {port.name!r} have shape {list(array.shape)}; expected numbers of [{expected}]")
        found[port.name] = array.astype(port.dtype)
    return found


def _read(path: Path) -> Any:
    try:
        found = np.load(path, allow_pickle=False)
        return dict(found) if hasattr(found, "files") else found
    except (OSError, ValueError, EOFError) as e:
        raise Error(f"{path}: no .npy or .npz file of inputs: {reason(e)}") from None


def mean_values(graph: NeuronGraph, feeds: Feeds) -> npt.NDArray[np.float64]:
    """The mean absolute value of each neuron over some inputs, by id, computed from the edges."""
    ports, total = inputs_of(graph), np.zeros(graph.neurons)
    count = min(len(array) for array in feeds.values())
    for k in range(count):
        values: dict[str, npt.NDArray[np.float64]] = {}
        for port in ports:
            shown = feeds[port.name][k].transpose(port.order)
            values[port.layer.name] = shown.astype(np.float64).ravel()
        for layer in graph.layers:
            if layer.name not in values:
                values[layer.name] = recompute(layer, values, fast=True).value
            total[layer.ids] += np.abs(values[layer.name])
    return total / count


def moved(before: NeuronGraph, after: NeuronGraph, feeds: Feeds) -> Table:
    """How far each output moves: the mean and the largest difference, and how often the largest neuron stays it."""
    rows = []
    one, other = (predictions(to_onnx(graph), feeds) for graph in (before, after))
    for name, x, y in zip(before.outputs, one, other, strict=True):
        difference = np.abs(x - y)
        same = float((x.argmax(axis=1) == y.argmax(axis=1)).mean())
        rows.append((name, f"{len(x):,}", f"{difference.mean():.3g}", f"{difference.max():.3g}", f"{same:.1%}"))
    return Table(("output", "inputs", "mean change", "largest change", "same largest"), tuple(rows), "<>>>>")


def predictions(model: onnx.ModelProto, feeds: Feeds) -> list[npt.NDArray[np.float64]]:
    """Each output as (inputs, neurons), in float64."""
    count = min(len(array) for array in feeds.values())
    shapes = {i.name: i.type.tensor_type.shape.dim for i in model.graph.input}
    if all(dims and dims[0].dim_param for dims in shapes.values()):
        runs: list[Feeds] = [{name: array[:count] for name, array in feeds.items()}]
    else:
        runs = [{n: a[k].reshape([d.dim_value for d in shapes[n]]) for n, a in feeds.items()} for k in range(count)]
    found = outputs_of(model, runs)
    several = [np.concatenate([run[o].reshape(-1) for run in found]) for o in range(len(found[0]))]
    return [values.astype(np.float64).reshape(count, -1) for values in several]
