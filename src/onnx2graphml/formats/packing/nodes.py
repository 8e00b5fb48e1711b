"""Lines of nodes as copies of the line before but for some digits, written as they are found: see `copies`."""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.bits import entry, put_code, resumed
from onnx2graphml.formats.copies import put_rest
from onnx2graphml.formats.node_kernels import put_node_lines
from onnx2graphml.formats.packing.deflate import END
from onnx2graphml.formats.words import address

_U = np.uint64
Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@compiled
def put_nodes(
    place: Ints,
    shape: Ints,
    shown: Ints,
    count: int,
    text: Bytes,
    text_start: Ints,
    text_stop: Ints,
    text_first: Ints,
    text_stride: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
    literal: Ints,
    pair: Ints,
    copied: Ints,
    distance: Ints,
    packed: Bytes,
    packed_bits: int,
) -> tuple[int, int]:
    """A line for every neuron, as text and behind the codes of a block of DEFLATE.

    Args:
        place, …, out: as `node_lines` takes them.
        literal, …, packed_bits: as `put_edges` takes them.

    Returns:
        The number of bytes of text, and that of the block.
    """
    codes = address(literal), address(pair), address(copied), address(distance)
    begin = address(packed)
    at, held, bits = resumed(begin, packed_bits)
    text_at, at, held, bits = put_node_lines(
        place, shape, shown, count, text, text_start, text_stop, text_first, text_stride, constant, start, stop,
        address(out), True, codes, at, held, bits,
    )  # fmt: skip
    at, held, bits = put_code(at, held, bits, entry(codes[0], END))
    return int(text_at - address(out)), at + (bits + 7) // 8 - begin


@compiled
def node_sequences(
    place: Ints,
    shape: Ints,
    shown: Ints,
    count: int,
    text: Bytes,
    text_start: Ints,
    text_stop: Ints,
    text_first: Ints,
    text_stride: Ints,
    constant: Bytes,
    start: Ints,
    stop: Ints,
    out: Bytes,
    sequences: Ints,
    literals: Bytes,
) -> tuple[int, int]:
    """The same lines as text, and as sequences and their literals one after the other.

    Args:
        sequences: room for one a number and text of each line, and one more.
        literals: room for the first line, and the numbers and texts of all.

    Returns:
        The numbers of sequences and of literals.
    """
    begin, first_literal = address(sequences), address(literals)
    _, at, held, bits = put_node_lines(
        place, shape, shown, count, text, text_start, text_stop, text_first, text_stride, constant, start, stop,
        address(out), True, None, begin, _U(first_literal), np.int64(0),
    )  # fmt: skip
    return int((put_rest(at, bits) - begin) // 8), int(np.int64(held) - first_literal)
