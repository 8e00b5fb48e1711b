"""Huffman codes of limited length, for compiled loops.

Source: D. A. Huffman, "A method for the construction of minimum-redundancy codes", 1952; RFC 1951, section 3.2.2.
"""
# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from onnx2graphml.compiled import compiled


@compiled
def code_lengths(counts: Any, longest: Any, lengths: Any) -> None:
    """The number of bits of each symbol's code; 0 where it does not occur. One that occurs alone has one bit.

    Args:
        counts: (n,), of how often each symbol occurs.
        longest: bits that a code may have; 2^longest is at least n.
        lengths: (n,), becomes the answer.
    """
    order, n = np.zeros(counts.size, np.int64), 0
    for symbol in range(counts.size):  # inserted where it belongs: sorting is slow to compile
        lengths[symbol] = 0
        if counts[symbol]:
            at = n
            while at and counts[order[at - 1]] > counts[symbol]:
                order[at] = order[at - 1]
                at -= 1
            order[at] = symbol
            n += 1
    if n < 3:
        for i in range(n):
            lengths[order[i]] = 1
        return
    # Two queues: leaves in ascending order, and inner nodes, which come in ascending order by themselves.
    weight, parent = np.zeros(2 * n - 1, np.int64), np.zeros(2 * n - 1, np.int64)
    for i in range(n):
        weight[i] = counts[order[i]]
    leaf, inner = 0, n
    for node in range(n, 2 * n - 1):
        for _ in range(2):
            if leaf < n and (inner == node or weight[leaf] <= weight[inner]):
                child, leaf = leaf, leaf + 1
            else:
                child, inner = inner, inner + 1
            weight[node] += weight[child]
            parent[child] = node
    depth = np.zeros(2 * n - 1, np.int64)
    for node in range(2 * n - 3, -1, -1):
        depth[node] = depth[parent[node]] + 1
    _shorten(depth, n, longest)
    for i in range(n):
        lengths[order[i]] = depth[i]


@numba.njit(nogil=True)
def _shorten(depth: Any, n: Any, longest: Any) -> None:
    """Limit the depths of the `n` leaves, the rarest first, so that they are those of a tree."""
    used = 0  # of 2^longest leaves at the greatest depth
    for i in range(n):
        depth[i] = min(depth[i], longest)
        used += 1 << (longest - depth[i])
    i = 0
    while used > 1 << longest:  # too many: the rarest of those that can go deeper does
        while depth[i] == longest:
            i += 1
        used -= 1 << (longest - depth[i] - 1)
        depth[i] += 1
        i = 0 if depth[i] < longest else i
    for i in range(n - 1, -1, -1):  # room that is left: for the most frequent
        while depth[i] > 1 and used + (1 << (longest - depth[i])) <= 1 << longest:
            used += 1 << (longest - depth[i])
            depth[i] -= 1


@compiled
def codes(lengths: Any, out: Any) -> None:
    """`code << 8 | length` of each symbol, with the code's bits reversed, as DEFLATE writes them.

    Shorter codes come first, and those of one length are in the order of their symbols.
    """
    code = 0
    for length in range(1, 16):
        for symbol in range(lengths.size):
            if lengths[symbol] == length:
                turned = 0
                for bit in range(length):
                    turned |= (code >> bit & 1) << (length - 1 - bit)
                out[symbol] = turned << 8 | length
                code += 1
        code <<= 1
