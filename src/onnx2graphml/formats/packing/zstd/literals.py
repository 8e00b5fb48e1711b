"""The new bytes of sequences one after the other, as Zstandard has them."""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled
from onnx2graphml.formats.copies import LENGTH, LITERALS
from onnx2graphml.formats.words import address, copy_step

NOTHING = 0xFFFF  # in the place of a sequence: a distance that none has
MOST = 1 << 15  # bytes of a copy, or of literals, that are kept together

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.int64]


@compiled
def gather(text: Bytes, sequences: Words, out: Words, literals: Bytes) -> tuple[int, int]:
    """`NOTHING` and the sequences of a text as shorter ones, and their literals; the number of both.

    Args:
        text: readable for 16 bytes beyond.
        out: room for as many and for two with every `MOST` bytes of the text; what has no copy ends a block.
        literals: room for the text and 16 bytes.
    """
    n, new_at, place = 1, address(literals), address(text)
    out[0] = NOTHING
    first = new_at
    for sequence in sequences:
        new, length, back = sequence >> LITERALS, (sequence >> LENGTH) & 0xFFFFFF, sequence & 0xFFFF
        for done in range(0, new, 16):
            copy_step(new_at + done, place + done)
        new_at, place = new_at + new, place + new + length
        while new > MOST:
            out[n] = np.int64(MOST) << LITERALS | NOTHING
            n, new = n + 1, new - MOST
        while length > MOST:
            out[n] = new << LITERALS | (MOST - 8) << LENGTH | back
            n, new, length = n + 1, np.int64(0), length - (MOST - 8)
        if new or length:
            out[n] = new << LITERALS | length << LENGTH | back
            n += 1
    return n, int(new_at - first)
