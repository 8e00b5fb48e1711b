"""Text like that of a block or a layer, from which the codes for all of it are made."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.formats.lines import EdgeLines
from onnx2graphml.formats.node_lines import NodeLines
from onnx2graphml.formats.packing.sequences import SPARE
from onnx2graphml.graph.blocks import EdgeBlock

LINES, NODES = 1 << 11, 1 << 10
ROWS = 16  # that they come from, or more

Bytes = npt.NDArray[np.uint8]


def of_edges(lines: EdgeLines, block: EdgeBlock) -> Bytes:
    """Some lines from all over a block of two axes, and `SPARE` bytes."""
    outer, inner = block.axes
    rows = min(max(LINES // len(inner), ROWS), len(outer))
    chosen = np.linspace(0, len(outer) - 1, rows).astype(np.int64)
    return _padded(lines.render(block._part((outer[chosen], inner[: -(-LINES // rows)]))))


def of_nodes(lines: NodeLines) -> Bytes:
    """The first lines of a layer, and `SPARE` bytes."""
    return _padded(lines.by_python(0, min(lines.layer.neurons, NODES)))


def _padded(text: memoryview) -> Bytes:
    return np.frombuffer(b"".join((text, bytes(SPARE))), np.uint8)
