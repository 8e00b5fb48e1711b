"""Fingerprints of a file's edges: a compiled loop over edges in any order."""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.compiled import compiled

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[Any]


class Fingerprints:
    """For each neuron, its in-degree, and the fingerprint of its in-edges.

    A fingerprint is the sum, modulo 2⁶⁴, of a hash of each in-edge's source, weight, port and term. Sums don't depend
    on the order, and those of different edges are equal by chance once in 2⁶⁴.

    Attributes:
        single: for each neuron, whether weights count as float32 values, which they were written from.
    """

    def __init__(self, single: npt.NDArray[np.bool_]) -> None:
        self.single = single
        self.degree = np.zeros(len(single), np.int64)
        self.fingerprint = np.zeros(len(single), np.int64)

    def add(self, source: Ints, target: Ints, weight: Floats, port: Ints, term: Ints) -> None:
        """Take edges, with ports and terms of int64, -1 where there is none."""
        bits = (np.asarray(weight, np.float64) + 0.0).view(np.int64)  # -0.0 is 0.0
        short = (np.asarray(weight, np.float32) + np.float32(0)).view(np.int32)
        add_fingerprints(source, target, bits, short, port, term, self.single, self.degree, self.fingerprint)


@compiled
def _mixed(x: int) -> int:
    """A 64-bit number whose every bit depends on all of x's: the finalizer of SplitMix64."""
    z = np.uint64(x) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64(z ^ (z >> np.uint64(31)))  # type: ignore[return-value]


@compiled
def add_fingerprints(
    source: Ints, target: Ints, bits: Ints, short: Ints, port: Ints, term: Ints,
    single: npt.NDArray[np.bool_], degree: Ints, fingerprint: Ints,
) -> None:  # fmt: skip
    """Count each target's edges and add up their hashes."""
    for i in range(source.size):
        t = target[i]
        w = np.int64(short[i]) if single[t] else bits[i]
        degree[t] += 1
        fingerprint[t] += _mixed(_mixed(_mixed(_mixed(source[i]) ^ w) ^ np.int64(port[i])) ^ term[i])
