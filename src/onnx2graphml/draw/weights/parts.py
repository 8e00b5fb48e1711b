"""What is drawn of an array: kernels side by side, a matrix, a vector; with what was left out or reduced, in words.

Rows of a matrix are inputs and columns are outputs, in the layer's order of outputs, whatever the array's own layout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from onnx2graphml.parameters.arrays import TrainedArray

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
Form = Literal["grid", "table", "strongest", "colours", "matrix", "vector"]

LIMIT = 16
STRONGEST = 64  # kernels that stand for a larger table
GRID = 32  # times the limit: so many kernels stand in a grid that are not a table of inputs and outputs
PIXELS = 640  # of a matrix each way; larger ones are reduced


@dataclass(frozen=True, eq=False)
class Part:
    """One drawing of an array.

    Attributes:
        form: `grid`, a kernel of each output, or of each input of an only output; `table`, a kernel of each output and
            input; `strongest`, the kernels of the largest norm, of any output and input; `colours`, kernels over three
            inputs as red, green and blue; `matrix`; `vector`.
        values: of a grid and of the strongest (n, rows, columns), of a table (inputs, outputs, rows, columns), of
            colours (n, rows, columns, 3), of a matrix (rows, columns), of a vector (n,): the array's own numbers,
            unscaled.
        rows, columns: the original indices of what stands there; of a grid, `columns` are those of its kernels; of
            the strongest, each kernel's input and output.
        row_name, column_name: what they are.
        statement: what is shown, left out or reduced.
    """

    form: Form
    values: Array
    rows: Ints
    columns: Ints
    row_name: str
    column_name: str
    statement: str


def parts(array: TrainedArray, order: Ints | None, limit: int = LIMIT) -> tuple[Part, ...]:
    """The drawings of an array.

    Args:
        array: of rank 1 or more, not empty.
        order: of the layer's outputs; the array's own where it has another number of them.
        limit: the most inputs and outputs whose kernels are shown one by one.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.parameters.arrays import layer_arrays
        >>> conv1 = layer_arrays(onnx2graphml.load("fixtures/digits.onnx"))[1].arrays
        >>> [(p.form, p.values.shape, p.statement) for array in conv1 for p in parts(array, None)]
        [('grid', (16, 3, 3), 'all 16 outputs'), ('vector', (16,), 'all 16')]
    """
    kernels = array.kernels
    if kernels is not None:
        known = order if order is not None and len(order) == len(kernels) else np.arange(len(kernels))
        if math.prod(kernels.shape[2:]) > 1:
            return _of_kernels(kernels, known, limit)
        return (_of_matrix(kernels.reshape(kernels.shape[:2]).T, known),)
    values = array.values
    if sum(n > 1 for n in values.shape) <= 1:
        fits = order is not None and array.channels == len(order) == values.size
        known = order if order is not None and fits else np.arange(values.size)
        name = array.axes[0] if len(array.axes) == 1 else "index"
        one = np.zeros(1, np.int64)
        return (Part("vector", values.reshape(-1)[known], one, known, "", name, f"all {values.size:,}"),)
    flat = values.reshape(-1, values.shape[-1])
    names = (" × ".join(array.axes[:-1]), array.axes[-1])
    return (_of_matrix(flat, np.arange(flat.shape[1]), names),)


def _of_kernels(kernels: Array, order: Ints, limit: int) -> tuple[Part, ...]:
    """A grid if there is one input or one output; a table of a few; of many the norms of all, and the strongest."""
    outs, ins = kernels.shape[:2]
    tiles = kernels.reshape(outs, ins, -1, kernels.shape[-1])
    slices = f"; the {kernels.shape[2]} slices of each one below the other" if kernels.ndim > 4 else ""
    if 1 in (outs, ins):
        over, row, column = ("output", "in", "out") if ins == 1 else ("input", "out", "in")
        flat, every = tiles.reshape(outs * ins, *tiles.shape[2:]), order if ins == 1 else np.arange(ins)
        shown = every[: GRID * limit]
        text = _some(len(shown), len(every), over) + slices
        return (Part("grid", flat[shown], np.zeros(1, np.int64), shown, row, column, text),)
    found = [_as_colours(tiles, order[: GRID * limit])] if ins == 3 and kernels.ndim == 4 else []
    if max(outs, ins) <= limit:
        text = f"columns: {_some(outs, outs, 'output')}; rows: {_some(ins, ins, 'input')}{slices}"
        return (*found, Part("table", tiles[order].swapaxes(0, 1), np.arange(ins), order, "in", "out", text))
    norms = np.sqrt(np.square(tiles, dtype=np.float64).sum(axis=(2, 3)))
    summary = _of_matrix(norms.T, order, what="L2 norm of each kernel: ")
    return (*found, summary, _strongest_kernels(tiles, norms, slices))


def _as_colours(tiles: Array, shown: Ints) -> Part:
    """Kernels over three inputs."""
    values = tiles[shown].transpose(0, 2, 3, 1)
    text = (
        f"{_some(len(shown), len(tiles), 'output')}; inputs 0, 1, 2 as red, green and blue, each the more the larger: "
        f"none at {-np.abs(values).max():.4g}, half at 0, full at {np.abs(values).max():.4g}"
    )
    return Part("colours", values, np.arange(3), shown, "in", "out", text)


def _strongest_kernels(tiles: Array, norms: Array, slices: str) -> Part:
    """The kernels of the largest norm, the largest first."""
    most = min(STRONGEST, norms.size)
    chosen = np.argsort(-norms, axis=None, kind="stable")[:most]
    outs, ins = np.unravel_index(chosen, norms.shape)
    text = f"the {most:,} of {norms.size:,} kernels with the largest L2 norm, each named out,in{slices}"
    return Part("strongest", tiles[outs, ins], ins, outs, "in", "out", text)


def _of_matrix(matrix: Array, order: Ints, names: tuple[str, str] = ("in", "out"), what: str = "") -> Part:
    """A matrix of which columns are in an order; one that is too large is reduced block by block."""
    rows, columns = matrix.shape
    high, wide = math.ceil(rows / PIXELS), math.ceil(columns / PIXELS)
    text = f"{what}rows: all {rows:,} ({names[0]}); columns: all {columns:,} ({names[1]})"
    if (high, wide) != (1, 1):
        text += f"; each pixel is the number of largest magnitude of {high}×{wide}"
    values = strongest(matrix, order, high, wide)
    return Part("matrix", values, np.arange(0, rows, high), order[::wide], *names, text)


def strongest(matrix: Array, order: Ints, high: int, wide: int) -> Array:
    """Of each block of so many rows and columns the number of largest magnitude, with its sign.

    Args:
        order: of the columns, before they are put together to blocks.

    Example:
        >>> strongest(np.array([[1, -5, 2], [3, 4, 0]]), np.arange(3), 2, 2).tolist()
        [[-5, 2]]
    """
    starts = np.arange(0, len(order), wide)
    found = np.empty((math.ceil(len(matrix) / high), len(starts)), matrix.dtype)
    for k in range(len(found)):
        part = matrix[high * k : high * (k + 1)][:, order]
        low, top = np.minimum.reduceat(part.min(0), starts), np.maximum.reduceat(part.max(0), starts)
        found[k] = np.where(-low > top, low, top)
    return found


def _some(shown: int, of: int, what: str) -> str:
    """How many of how many.

    Example:
        >>> _some(64, 512, "output"), _some(3, 3, "input")
        ('the first 64 of 512 outputs', 'all 3 inputs')
    """
    if of == 1:
        return f"the only {what}"
    return f"all {of:,} {what}s" if shown == of else f"the first {shown:,} of {of:,} {what}s"
