"""NPZ: the whole graph as one sparse matrix, as `scipy.sparse.save_npz` writes it.

Entry [source, target] is the edge's weight, in coordinate format: zero weights stay entries.

Source: https://docs.scipy.org/doc/scipy/reference/generated/scipy.sparse.save_npz.html
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import TooLargeError
from onnx2graphml.formats.columns import all_rows, contribution_type, weight_type
from onnx2graphml.formats.edge_rows import EdgeRows
from onnx2graphml.formats.parallel import refuse_parallel
from onnx2graphml.formats.registry import NPZ_EDGES, Progress
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.recorded import VALUE

ROWS = 1 << 20  # edges expanded at once


def write_npz(
    graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, max_edges: int = NPZ_EDGES
) -> None:
    """Write a graph as a sparse matrix of shape (neurons, neurons) that `scipy.sparse.load_npz` reads.

    Its entries are float32, or float64 where a weight needs it. Of a graph with an input, there are the further members
    `value` (a number for every neuron), `contribution` and `winner` (int8, -1 where an edge is no candidate).

    Args:
        file: open for writing bytes; neither closed nor flushed.
        progress: called now and then with a number of edges.

    Raises:
        TooLargeError: the graph has more than `max_edges` edges.
        OutputError: two edges join the same two neurons, as in Div(x, x); a matrix would add them up.

    Example:
        >>> import io, onnx2graphml
        >>> out = io.BytesIO()
        >>> write_npz(onnx2graphml.load("fixtures/digits.onnx"), out)
        >>> sorted(np.load(io.BytesIO(out.getvalue())))
        ['col', 'data', 'format', 'row', 'shape']
    """
    if graph.edges > max_edges:
        raise TooLargeError(
            f"the graph has {graph.edges:,} edges, more than the {max_edges:,} that one matrix in an .npz is good for; "
            f"write it as .parquet"
        )
    refuse_parallel(graph)
    ids = np.dtype(np.int32 if graph.neurons <= np.iinfo(np.int32).max else np.int64)
    weight, n = weight_type(graph), graph.edges

    def column(of: Callable[[EdgeRows], npt.NDArray[Any]]) -> Iterator[npt.NDArray[Any]]:
        return (of(columns) for columns in all_rows(graph, ROWS))

    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as members:
        _write(members, "row", ids, (n,), column(lambda c: c.source))
        _write(members, "col", ids, (n,), column(lambda c: c.target))
        _write(members, "data", weight, (n,), column(lambda c: c.weight), progress)
        _write(members, "shape", np.dtype(np.int64), (2,), [np.full(2, graph.neurons)])
        _write(members, "format", np.dtype("S3"), (), [np.array(b"coo")])
        if graph.recorded is not None:
            _write_recorded(members, graph, column)


def _write_recorded(members: zipfile.ZipFile, graph: NeuronGraph, column: Any) -> None:
    """What an input makes of the neurons and edges, in members that SciPy passes over."""
    n, kind = graph.edges, contribution_type(graph)
    assert kind is not None
    assert graph.recorded is not None
    value = graph.recorded.value
    _write(members, VALUE, value.dtype, value.shape, [value])
    _write(members, "contribution", kind, (n,), column(lambda c: c.recorded.contribution))
    _write(members, "winner", np.dtype(np.int8), (n,), column(lambda c: c.recorded.winner))


def _write(
    members: zipfile.ZipFile,
    name: str,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    parts: Iterable[npt.NDArray[Any]],
    progress: Progress | None = None,
) -> None:
    """Write an array as a member, part by part; np.savez would want it whole."""
    # A fixed date: the same graph gives the same bytes.
    about = zipfile.ZipInfo(f"{name}.npy")
    about.compress_type = members.compression
    with members.open(about, "w", force_zip64=True) as member:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(member, header)
        for part in parts:
            member.write(part.astype(dtype, copy=False).tobytes())
            if progress is not None:
                progress(part.size)
