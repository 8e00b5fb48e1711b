"""What many inputs have in common, neuron by neuron: mean, variance, and how classes or two inputs differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, reason
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording.array_file import ArrayFile
from onnx2graphml.recording.record import Record

CHUNK = 1 << 23  # bytes of a layer's values that are read at a time

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Maps:
    """Statistics of a layer, in its shape, as float64.

    Attributes:
        layer: the layer.
        mean, variance: over all inputs; the variance is that of the population: divided by their number.
        classes: the labels that occur, sorted; empty without labels.
        class_means, class_variances: shape (classes, *layer.shape): over the inputs of each class.
    """

    layer: Layer
    mean: Floats
    variance: Floats
    classes: tuple[Any, ...]
    class_means: Floats
    class_variances: Floats

    @property
    def class_differences(self) -> Floats:
        """Shape (classes, *layer.shape): the mean of each class less the mean of all."""
        return self.class_means - self.mean


def maps(record: Record, layer: Layer, labels: Labels | None = None) -> Maps:
    """Mean and variance of a layer's neurons, in one pass over its file for each of all and the classes.

    Args:
        labels: shape (inputs,), see `read_labels`.

    Example:
        >>> maps(record, record.layers[1]).mean.shape  # doctest: +SKIP
        (8, 8, 16)
    """
    file = record.files[layer.name]
    mean, variance = moments(file, range(record.count))
    classes = np.unique(labels) if labels is not None else np.empty(0)
    means, variances = np.empty((2, len(classes), *layer.shape))
    for k, label in enumerate(classes):
        means[k], variances[k] = moments(file, np.flatnonzero(labels == label).tolist())
    return Maps(layer, mean, variance, tuple(classes.tolist()), means, variances)


def moments(file: ArrayFile, rows: Sequence[int]) -> tuple[Floats, Floats]:
    """Mean and variance over rows of a file, chunk by chunk; rounding grows with neither their number nor the mean.

    Each chunk's own mean and sum of squared deviations are merged into those before, as Chan, Golub and LeVeque do,
    after the first row was taken from all of them: deviations from a large mean would lose their last digits.
    """
    first = file.read(rows[:1])[0].astype(np.float64)
    first = np.where(np.isfinite(first), first, 0.0)
    count, mean, squares = 0, np.zeros_like(first), np.zeros_like(first)
    most = max(1, CHUNK // max(1, file.row_bytes))
    with np.errstate(invalid="ignore", over="ignore"):  # a NaN or an infinity of the network stays one
        for start in range(0, len(rows), most):
            values = file.read(rows[start : start + most]) - first
            new = len(values)
            own = values.mean(axis=0)
            values -= own
            values *= values
            apart = own - mean
            count += new
            mean = mean + apart * (new / count)
            squares = squares + values.sum(axis=0) + apart * apart * (new * (count - new) / count)
        return first + mean, squares / count


def difference(record: Record, layer: Layer, one: int, other: int) -> Floats:
    """A layer's values for one input less those for another, as float64.

    Raises:
        Error: there is no such input.

    Example:
        >>> difference(record, record.layers[1], 3, 17).shape  # doctest: +SKIP
        (8, 8, 16)
    """
    for row in (one, other):
        if not 0 <= row < record.count:
            raise Error(f"input {row} is not in the record; its inputs are 0 to {record.count - 1}")
    values = record.files[layer.name].read([one, other]).astype(np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray(values[0] - values[1])


def read_labels(path: Path, count: int) -> Labels:
    """A label for each input, from an .npy file: integers or words.

    Raises:
        Error: it can't be read, or does not have one label for each.

    Example:
        >>> read_labels(Path("labels.npy"), 10000).shape  # doctest: +SKIP
        (10000,)
    """
    try:
        labels = np.load(path, allow_pickle=False)
    except Exception as e:  # whatever comes of a damaged file
        raise Error(f"{path}: not a readable .npy file: {reason(e) or type(e).__name__}") from None
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iubU":
        raise Error(f"{path}: labels are integers or words in an .npy file; got {getattr(labels, 'dtype', 'an .npz')}")
    if labels.shape != (count,):
        raise Error(f"{path}: labels have shape {list(labels.shape)}; expected [{count}], one for each input")
    return labels
