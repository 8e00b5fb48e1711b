"""The kernel for sums where many targets share weights, and many share sources: tiles of a product of matrices.

A group of threads has tiles of the weights and of the values at hand, in shared memory; each thread has a tile of
targets in its registers. Imported only where numba-cuda is.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

import functools
from typing import Any

from numba import config, cuda, float64

from onnx2graphml.cuda.kernels import digits, offsets
from onnx2graphml.cuda.tables import DEEP, EACH, NONE, SIDE, WIDE

THREADS = SIDE * SIDE
ROWS = THREADS // WIDE  # taps that a group fetches at once
PADDED = WIDE + 1  # so that neighbouring taps are in other banks
OPTIONS = {} if config.ENABLE_CUDASIM else {"max_registers": 128}
"""So two groups have room on a multiprocessor, and one computes while the other one fetches."""


@cuda.jit(device=True)
def _source(number: Any, degree: Any, row0: Any, row1: Any, row2: Any, source: Any, column: Any) -> Any:
    """Where a place has its value for a tap, or NONE; its rows in the tables are given."""
    at0 = source[row0 + column[number]]
    at1 = source[row1 + column[degree + number]]
    at2 = source[row2 + column[2 * degree + number]]
    return at0 + at1 + at2 if at0 >= 0 and at1 >= 0 and at2 >= 0 else NONE


@functools.cache
def sums(sized: bool) -> Any:
    """The kernel that computes Σ w·x, and Σ |w·x| if `sized`."""

    @cuda.jit(**OPTIONS)
    def kernel(
        outputs: int, batch: int, places: int, parts: int, alike: int, taps_first: bool,
        indices: Any, weights: Any, x: Any, found: Any, magnitude: Any,
    ) -> None:  # fmt: skip
        """Σ w·x of each target, and Σ |w·x|.

        Args:
            outputs, batch, places, parts: of `Tables`; a grid of groups by places, by outputs, by batch and part.
            alike: of `Plan`.
            taps_first: threads that are neighbours fetch weights of neighbouring taps, not of neighbouring outputs.
            indices: what `Plan.indices` has, and what `Tables.indices` has.
            weights, x, found, magnitude: as `kernels.combine` takes them.
        """
        free_size = indices[indices[0] : indices[1]]
        free_first = indices[indices[1] : indices[2]]
        free_source = indices[indices[3] : indices[4]]
        free_tap = indices[indices[4] : indices[5]]
        size = indices[indices[5] : indices[6]]
        taps = indices[indices[8] : indices[9]]
        first = indices[indices[9] : indices[10]]
        source = indices[indices[10] : indices[11]]
        tap = indices[indices[11] : indices[12]]
        column = indices[indices[12] : indices[13]]
        held_w = cuda.shared.array((DEEP, PADDED), float64)
        held_x = cuda.shared.array((DEEP, PADDED), float64)
        total = cuda.local.array((EACH, EACH), float64)
        sizes = cuda.local.array((EACH, EACH), float64)
        for i in range(EACH):
            for j in range(EACH):
                total[i, j] = 0.0
                sizes[i, j] = 0.0
        thread = cuda.threadIdx.x
        part, in_batch = cuda.blockIdx.z // batch, cuda.blockIdx.z % batch
        degree = tap.size
        begin, end = degree * part // parts, degree * (part + 1) // parts

        # the place of which this thread fetches values
        axes = free_size.size
        mine = thread % WIDE
        place = cuda.blockIdx.x * WIDE + mine
        is_place = place < places
        rest, digit0, digit1, digit2 = digits(place if is_place else 0, size)
        row0, row1, row2 = first[0] + digit0 * taps[0], first[1] + digit1 * taps[1], first[2] + digit2 * taps[2]
        rest, from_source, from_tap = offsets(rest, axes - alike, axes, free_size, free_first, free_source, free_tap)
        rest, batch_source, batch_tap = offsets(in_batch, 1, axes - alike, free_size, free_first, free_source, free_tap)
        from_source += batch_source + free_source[0]
        from_tap += batch_tap

        for chunk in range(begin, end, DEEP):
            for k in range(thread // WIDE, DEEP, ROWS):
                number = chunk + k
                value = 0.0
                if is_place and number < end:
                    at = _source(number, degree, row0, row1, row2, source, column)
                    if at != NONE:
                        value = x[from_source + at]
                held_x[k, mine] = value
            for e in range(thread, DEEP * WIDE, THREADS):
                if taps_first:
                    k, row = e % DEEP, e // DEEP
                else:
                    k, row = e // WIDE, e % WIDE
                number, output = chunk + k, cuda.blockIdx.y * WIDE + row
                w = 0.0
                if number < end and output < outputs:
                    w = weights[from_tap + free_tap[output] + tap[number]]
                held_w[k, row] = w
            cuda.syncthreads()
            for k in range(DEEP):
                w0, w1 = held_w[k, thread // SIDE], held_w[k, thread // SIDE + SIDE]
                w2, w3 = held_w[k, thread // SIDE + 2 * SIDE], held_w[k, thread // SIDE + 3 * SIDE]
                for j in range(EACH):
                    v = held_x[k, thread % SIDE + j * SIDE]
                    total[0, j] += w0 * v
                    total[1, j] += w1 * v
                    total[2, j] += w2 * v
                    total[3, j] += w3 * v
                    if sized:
                        v = abs(v)
                        sizes[0, j] += abs(w0) * v
                        sizes[1, j] += abs(w1) * v
                        sizes[2, j] += abs(w2) * v
                        sizes[3, j] += abs(w3) * v
            cuda.syncthreads()

        for i in range(EACH):
            output = cuda.blockIdx.y * WIDE + thread // SIDE + i * SIDE
            for j in range(EACH):
                place = cuda.blockIdx.x * WIDE + thread % SIDE + j * SIDE
                if output < outputs and place < places:
                    at = ((part * outputs + output) * batch + in_batch) * places + place
                    found[at] = total[i, j]
                    if sized:
                        magnitude[at] = sizes[i, j]

    return kernel
