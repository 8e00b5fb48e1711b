"""Values moved, repeated or left out: selections, with weight 1."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.broadcast import broadcast, scalar
from onnx2graphml.ops.registry import Constant, NodeContext, Operand, OutputSpec, Tensor, among, incoming, operator


def in_place(X: Tensor, axes: tuple[int | None, ...] = ()) -> OutputSpec:
    """The same values at the same positions, whatever the shape is called."""
    factors = [ax.same(n).strided(s, s) for n, s in zip(X.shape, ax.strides(X.shape), strict=True)]
    return OutputSpec((incoming(X, *factors),), axes=axes)


@operator
def Identity(node: NodeContext, input: Tensor) -> OutputSpec:
    return in_place(input, input.axes)


@operator
def Dropout(node: NodeContext, data: Tensor, *, ratio: float = 0.5) -> list[OutputSpec]:
    return _kept(data)


@operator
def Dropout_12(
    node: NodeContext,
    data: Tensor,
    ratio: Operand | None = None,
    training_mode: Constant | None = None,
    *,
    seed: int | None = None,
) -> list[OutputSpec]:
    if training_mode is not None and training_mode.any() and (ratio is None or scalar(ratio) != 0):
        raise UnsupportedError("training_mode is true: its output is random; export the model for inference")
    return _kept(data)


def _kept(X: Tensor) -> list[OutputSpec]:
    """Everything, and the mask, which says so."""
    return [in_place(X, X.axes), OutputSpec(bias=np.broadcast_to(np.float32(1), X.shape))]


@operator
def Flatten(node: NodeContext, input: Tensor, *, axis: int = 1) -> OutputSpec:
    return in_place(input)


@operator
def Reshape(node: NodeContext, data: Tensor, shape: Constant, *, allowzero: int = 0) -> OutputSpec:
    if math.prod(node.shape) != math.prod(data.shape):  # ONNX's shape inference lets it pass
        raise ModelError(f"its input has shape {list(data.shape)}, its output {list(node.shape)}: not as many elements")
    return in_place(data, _axes_kept(data.shape, node.shape))


def _axes_kept(old: Sequence[int], new: Sequence[int]) -> tuple[int | None, ...]:
    """The axes, where only such of size 1 come, go or move: exporters write so a transposition that moves no value.

    Example:
        >>> _axes_kept((1, 8, 8, 1), (1, 1, 8, 8)), _axes_kept((1, 6), (1, 1, 6)), _axes_kept((1, 6), (1, 2, 3))
        ((0, 3, 1, 2), (0, None, 1), ())
    """
    if [n for n in old if n > 1] != [n for n in new if n > 1]:
        return ()
    long = iter([d for d, n in enumerate(old) if n > 1])
    single, places = ([d for d, n in enumerate(shape) if n == 1] for shape in (old, new))
    if len(single) != len(places):
        same = {0: 0} if old[:1] == new[:1] == (1,) else {}
    else:
        if len(old) > 2 and old[-1] == new[1] == 1:  # a single channel goes from the end to the second place
            single.insert(places.index(1), single.pop())
        elif len(old) > 2 and old[1] == new[-1] == 1:  # and back
            single.append(single.pop(single.index(1)))
        same = dict(zip(places, single, strict=True))
    return tuple(next(long) if n > 1 else same.get(d) for d, n in enumerate(new))


@operator
def Squeeze(node: NodeContext, data: Tensor, *, axes: Sequence[int] | None = None) -> OutputSpec:
    return in_place(data, _squeezed(data, axes))


@operator
def Squeeze_13(node: NodeContext, data: Tensor, axes: Constant | None = None) -> OutputSpec:
    return in_place(data, _squeezed(data, axes))


def _squeezed(X: Tensor, axes: Sequence[int] | Constant | None) -> tuple[int, ...]:
    gone = [d for d, n in enumerate(X.shape) if n == 1] if axes is None else among(axes, X.ndim)
    return tuple(d for d in X.axes if d not in gone)


@operator
def Unsqueeze(node: NodeContext, data: Tensor, *, axes: Sequence[int]) -> OutputSpec:
    return in_place(data, _unsqueezed(node, axes))


@operator
def Unsqueeze_13(node: NodeContext, data: Tensor, axes: Constant) -> OutputSpec:
    return in_place(data, _unsqueezed(node, axes))


def _unsqueezed(node: NodeContext, axes: Sequence[int] | Constant) -> tuple[int | None, ...]:
    ndim, old = len(node.shape), itertools.count()
    new = set(among(axes, ndim))
    return tuple(None if d in new else next(old) for d in range(ndim))


@operator
def Transpose(node: NodeContext, data: Tensor, *, perm: Sequence[int] | None = None) -> OutputSpec:
    order = list(perm) if perm is not None else list(range(data.ndim))[::-1]
    source, target = ax.strides(data.shape), ax.strides(node.shape)
    axes = [ax.same(data.shape[d]).strided(source[d], t) for d, t in zip(order, target, strict=True)]
    return OutputSpec((incoming(data, *axes),), axes=tuple(order))


@operator
def Expand(node: NodeContext, input: Tensor, shape: Constant) -> OutputSpec:
    return OutputSpec((incoming(input, *broadcast(input.shape, node.shape)),), axes=input.axes_in(len(node.shape)))


@operator
def Tile(node: NodeContext, input: Tensor, repeats: Constant) -> OutputSpec:
    return _picked(node, input, [np.tile(np.arange(n), int(r)) for n, r in zip(input.shape, repeats, strict=True)])


@operator
def Slice(
    node: NodeContext, data: Tensor, *, starts: Sequence[int], ends: Sequence[int], axes: Sequence[int] | None = None
) -> OutputSpec:
    return _slice(node, data, starts, ends, axes, None)


@operator
def Slice_10(
    node: NodeContext,
    data: Tensor,
    starts: Constant,
    ends: Constant,
    axes: Constant | None = None,
    steps: Constant | None = None,
) -> OutputSpec:
    return _slice(node, data, starts, ends, axes, steps)


def _slice(node: NodeContext, X: Tensor, starts: Any, ends: Any, axes: Any, steps: Any) -> OutputSpec:
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    kept = [np.arange(n) for n in X.shape]
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        axis, step, n = int(axis) % X.ndim, int(step), X.shape[int(axis) % X.ndim]
        # A negative end that stays negative means "before the first" only when going backwards.
        low, high = (int(v) + n if v < 0 else int(v) for v in (start, end))
        if step < 0:
            kept[axis] = np.arange(min(low, n - 1), max(high, -1), step)
        else:
            kept[axis] = np.arange(max(low, 0), min(high, n), step)
    return _picked(node, X, kept)


def _picked(node: NodeContext, X: Tensor, kept: Sequence[npt.NDArray[Any]], values: float = 0.0) -> OutputSpec:
    """Along each dimension, the position that each output position takes its value from; -1 for none."""
    if tuple(len(k) for k in kept) != node.shape:
        raise UnsupportedError(f"output shape comes to {tuple(len(k) for k in kept)}; ONNX infers {node.shape}")
    source, target = ax.strides(X.shape), ax.strides(node.shape)
    axes = [
        ax.relation(k, np.arange(len(k)))[k >= 0].strided(s, t) for k, s, t in zip(kept, source, target, strict=True)
    ]
    if not values:
        return OutputSpec((incoming(X, *axes),), axes=X.axes)
    ask(math.prod(node.shape))
    taken = np.zeros(node.shape, bool)
    taken[np.ix_(*(k >= 0 for k in kept))] = True
    return OutputSpec((incoming(X, *axes),), axes=X.axes, bias=np.where(taken, 0, values).astype(node.dtype))


@operator
def Pad(
    node: NodeContext, data: Tensor, *, pads: Sequence[int], mode: str = "constant", value: float = 0.0
) -> OutputSpec:
    return _pad(node, data, pads, mode, value, None)


@operator
def Pad_11(
    node: NodeContext,
    data: Tensor,
    pads: Constant,
    constant_value: Constant | None = None,
    *,
    mode: str = "constant",
) -> OutputSpec:
    return _pad(node, data, pads, mode, scalar(constant_value) or 0.0, None)


@operator
def Pad_18(
    node: NodeContext,
    data: Tensor,
    pads: Constant,
    constant_value: Constant | None = None,
    axes: Constant | None = None,
    *,
    mode: str = "constant",
) -> OutputSpec:
    return _pad(node, data, pads, mode, scalar(constant_value) or 0.0, axes)


NUMPY_MODES = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}


def _pad(node: NodeContext, X: Tensor, pads: Any, mode: str, value: float, axes: Any) -> OutputSpec:
    """Padding is a bias on neurons without an in-edge (constant), or further edges from the input (other modes)."""
    if mode != "constant" and mode not in NUMPY_MODES:
        raise UnsupportedError(f"mode is {mode!r}; expected constant, {', '.join(NUMPY_MODES)}")
    padded = among(axes, X.ndim) if axes is not None else list(range(X.ndim))
    kept = [np.arange(n) for n in X.shape]
    for i, d in enumerate(padded):
        before, after = int(pads[i]), int(pads[i + len(padded)])
        cropped = kept[d][max(-before, 0) : X.shape[d] - max(-after, 0)]
        widths = (max(before, 0), max(after, 0))
        if mode == "constant":
            kept[d] = np.pad(cropped, widths, constant_values=-1)
        else:
            kept[d] = np.pad(cropped, widths, mode=NUMPY_MODES[mode])  # type: ignore[call-overload]
    return _picked(node, X, kept, value)
