"""Einsum: an axis of the edge blocks for each letter; letters that are summed over make the terms."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.graph import Incoming
from onnx2graphml.ops.registry import NodeContext, Operand, OutputSpec, Tensor, incoming, operator


@operator
def Einsum(node: NodeContext, *Inputs: Operand, equation: str) -> OutputSpec:
    """Source: NumPy's einsum, whose notation ONNX takes over, an ellipsis among it."""
    letters, output = spelled_out(equation, [x.ndim for x in Inputs])
    sizes = _sizes(letters, Inputs)
    constants = [(x, own) for x, own in zip(Inputs, letters, strict=True) if isinstance(x, np.ndarray)]
    computed = [(x, own) for x, own in zip(Inputs, letters, strict=True) if isinstance(x, Tensor)]
    weights, weighted = _weights(constants)
    summed = [c for c in sizes if c not in output]
    target = dict(zip(output, ax.strides([sizes[c] for c in output]), strict=True))
    tap = dict(zip(weighted, ax.strides(weights.shape), strict=True))
    term = dict(zip(summed, ax.strides([sizes[c] for c in summed]), strict=True))
    edges: list[Incoming] = []
    for port, (x, own) in enumerate(computed):
        source = _strides(x, own)
        first = not port  # whose edges have the constants as weights
        axes = [
            ax.same(n).strided(source.get(c, 0), target.get(c, 0), tap.get(c, 0) if first else 0)
            for c, n in sizes.items()
        ]
        if len(computed) > 1:
            axes = [a.with_term(np.arange(len(a)) * term.get(c, 0)) for c, a in zip(sizes, axes, strict=True)]
            axes.append(Axis(*np.zeros((4, 1), np.int64)))
        edges.append(incoming(x, *axes, weights=weights if first else None, port=port if len(computed) > 1 else None))
    return OutputSpec(tuple(edges))


def spelled_out(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of each operand and of the output, with letters in place of ellipses, and an output where none is."""
    left, arrow, output = equation.replace(" ", "").partition("->")
    operands = left.split(",")
    if len(operands) != len(ranks):
        raise UnsupportedError(f"equation is {equation!r}; it has {len(operands)} operands and {len(ranks)} inputs")
    free = [c for c in string.ascii_letters if c not in equation]
    hidden = [rank - len(o.replace("...", "")) if "..." in o else 0 for o, rank in zip(operands, ranks, strict=True)]
    most = "".join(free[: max(hidden, default=0)])
    spelled = [o.replace("...", most[len(most) - n :]) for o, n in zip(operands, hidden, strict=True)]
    if not arrow:
        joined = "".join(operands).replace("...", "")
        output = "..." * ("..." in left) + "".join(sorted(c for c in set(joined) if joined.count(c) == 1))
    if any(len(o) != rank for o, rank in zip(spelled, ranks, strict=True)):
        raise UnsupportedError(f"equation is {equation!r}; its inputs have the ranks {list(ranks)}")
    return spelled, output.replace("...", most)


def _sizes(letters: Sequence[str], operands: Sequence[Operand]) -> dict[str, int]:
    """The size of each letter; one of size 1 is repeated."""
    sizes: dict[str, int] = {}
    for x, own in zip(operands, letters, strict=True):
        for c, n in zip(own, x.shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    return sizes


def _strides(x: Tensor, own: str) -> Mapping[str, int]:
    """The stride of each letter; of one that occurs twice, that of the diagonal."""
    strides = dict.fromkeys(own, 0)
    for c, n, s in zip(own, x.shape, ax.strides(x.shape), strict=True):
        strides[c] += s if n > 1 else 0
    return strides


def _weights(constants: Sequence[tuple[np.ndarray, str]]) -> tuple[np.ndarray, str]:
    """The product of the constants, with an axis for each of their letters."""
    if not constants:
        return np.ones(1, np.float32).reshape(()), ""
    letters = "".join(dict.fromkeys("".join(own for _, own in constants)))
    equation = ",".join(own for _, own in constants) + "->" + letters
    return np.asarray(np.einsum(equation, *(x for x, _ in constants))), letters
