"""GraphML in a compressed file, compressed on several threads; the bytes don't depend on their number."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

import zstandard
from isal import isal_zlib

from onnx2graphml.compiled import many
from onnx2graphml.formats.graphml.labels import placed
from onnx2graphml.formats.graphml.write import FOOTER, header, rendering, write_graphml
from onnx2graphml.formats.inorder import InOrder
from onnx2graphml.formats.lines import TILE
from onnx2graphml.formats.registry import Progress
from onnx2graphml.graph.graph import NeuronGraph

if TYPE_CHECKING:
    from onnx2graphml.formats.packing.form import Form

CHUNK = 1 << 20  # bytes of text that one thread compresses
ZSTD_CHUNK = 1 << 22  # bytes of text that one of the library's threads compresses
NO_OVERLAP = 1  # a chunk does not begin with a look at the one before it: a third faster, and no larger
# Lines differ in few bytes: the fastest levels save nearly as much as slow ones.
GZIP_LEVEL = 1
ZSTD_LEVEL = 1
FEW = 1_000_000  # lines, which a library compresses within a second: to compile what is faster takes several
GZIP = 31  # a window of 32 kB, in the gzip format
NEVER = bytes(8)
"""What no XML has, as if it stood before a member. ISA-L looks up the third byte of an input without anything before it
under the hash of a register that it has not set: what it compresses it to would depend on addresses of memory."""


def write_graphml_gz(
    graph: NeuronGraph,
    file: BinaryIO,
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    labels: bool = False,
    tile: int = TILE,
    lines: int | None = None,
) -> None:
    """Write a graph as GraphML in a gzip file; otherwise as `write_graphml`.

    Args:
        lines: how many nodes and edges the graph has that this one is a sample of; by default its own.

    Example:
        >>> import gzip, io
        >>> out = io.BytesIO()
        >>> write_graphml_gz(NeuronGraph((), ()), out)
        >>> gzip.decompress(out.getvalue()).endswith(b"</graphml>\\n")
        True
    """
    if (graph.neurons + graph.edges if lines is None else lines) > FEW:
        _write_packed("gzip", graph, file, progress, jobs, labels, tile)
        return
    with InOrder[bytes, None](jobs, lambda packed, _: file.write(packed)) as work:
        text = Chunks(lambda pieces: work.submit(functools.partial(_member, pieces), None))
        write_graphml(graph, cast(BinaryIO, text), progress, jobs=jobs, labels=labels, tile=tile)
        text.end()


def _member(pieces: list[memoryview]) -> bytes:
    """The pieces as a gzip member, which needs nothing before it: no match can begin in `NEVER`."""
    compressor = isal_zlib.compressobj(GZIP_LEVEL, isal_zlib.DEFLATED, GZIP, zdict=NEVER)
    return compressor.compress(b"".join(pieces)) + compressor.flush()


def write_graphml_zst(
    graph: NeuronGraph,
    file: BinaryIO,
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    labels: bool = False,
    tile: int = TILE,
    lines: int | None = None,
) -> None:
    """Write a graph as GraphML in a Zstandard file, as a single frame; otherwise as `write_graphml_gz`.

    Example:
        >>> import io, zstandard
        >>> out = io.BytesIO()
        >>> write_graphml_zst(NeuronGraph((), ()), out)
        >>> zstandard.open(io.BytesIO(out.getvalue())).read().endswith(b"</graphml>\\n")
        True
    """
    if (graph.neurons + graph.edges if lines is None else lines) > FEW:
        _write_packed("zstd", graph, file, progress, jobs, labels, tile)
        return
    # Zstandard's own threads: they make one frame, which every reader reads to its end. Threads even for one job, since
    # what is made without any differs.
    parameters = zstandard.ZstdCompressionParameters.from_level(
        ZSTD_LEVEL, threads=jobs, job_size=ZSTD_CHUNK, overlap_log=NO_OVERLAP, write_checksum=True
    )
    text = zstandard.ZstdCompressor(compression_params=parameters).stream_writer(file, closefd=False)
    write_graphml(graph, cast(BinaryIO, text), progress, jobs=jobs, labels=labels, tile=tile)
    text.flush(zstandard.FLUSH_FRAME)  # not after an exception: it would write the rest


def _write_packed(
    kind: str,
    graph: NeuronGraph,
    file: BinaryIO,
    progress: Progress | None,
    jobs: int,
    labels: bool,
    tile: int,
) -> None:
    """Write a graph in a form that is made from what its lines consist of."""
    from onnx2graphml.formats.packing import blocks, member
    from onnx2graphml.formats.packing.zstd import frame

    many.expect(graph.neurons + graph.edges)
    form: Form = member.Gzip() if kind == "gzip" else frame.Zstd()
    if labels:
        graph = placed(graph)

    def put(parts: Sequence[bytes], _: None) -> None:
        for part in parts:
            file.write(part)
            form.took(part)

    file.write(form.head)
    with InOrder(jobs, put) as work:
        text = Chunks(lambda pieces: work.submit(lambda: [form.text(pieces)], None))

        def take(made: memoryview | bytes | Sequence[bytes], edges: int) -> None:
            if isinstance(made, memoryview | bytes):
                text.write(made)
            else:
                text.end()
                work.pass_on(made, None)
            if edges and progress is not None:
                progress(edges)

        text.write(header(graph, labels))
        with InOrder(jobs, take) as parts:
            nodes, of_edges = (functools.partial(cut, form) for cut in (blocks.nodes_in_parts, blocks.edges_in_parts))
            for make, edges in rendering(graph, labels, tile, nodes, of_edges):
                parts.submit(make, edges)
        text.write(FOOTER)
        text.end()
    file.write(form.foot())


class Chunks(io.RawIOBase):
    """A file that cuts what is written into it into chunks of `CHUNK` bytes, wherever the pieces end.

    Args:
        take: called with each chunk, as the pieces that it consists of.
    """

    def __init__(self, take: Callable[[list[memoryview]], object]) -> None:
        self._take = take
        self._pieces: list[memoryview] = []
        self._size = 0

    def write(self, data: memoryview | bytes) -> int:  # type: ignore[override]
        """Take bytes, which must not change afterwards."""
        rest = memoryview(data)
        while self._size + len(rest) >= CHUNK:
            cut = CHUNK - self._size
            self._pieces.append(rest[:cut])
            self._size = CHUNK
            self.end()
            rest = rest[cut:]
        self._pieces.append(rest)
        self._size += len(rest)
        return len(data)

    def end(self) -> None:
        """Pass on the last chunk, which is shorter, if it is not empty."""
        if not self._size:
            return
        self._take(self._pieces)
        self._pieces, self._size = [], 0
