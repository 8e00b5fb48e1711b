"""Fourier transforms: linear maps whose weights are sines and cosines."""

from __future__ import annotations

import math

import numpy as np

from onnx2graphml.graph import axes as ax
from onnx2graphml.model.limits import ask
from onnx2graphml.ops.broadcast import scalar
from onnx2graphml.ops.registry import Constant, NodeContext, OutputSpec, Tensor, incoming, operator, weights_dtype


@operator
def DFT(
    node: NodeContext,
    input: Tensor,
    dft_length: Constant | None = None,
    *,
    axis: int = 1,
    inverse: int = 0,
    onesided: int = 0,
) -> OutputSpec:
    return _transformed(node, input, dft_length, axis, inverse, onesided)


@operator
def DFT_20(
    node: NodeContext,
    input: Tensor,
    dft_length: Constant | None = None,
    axis: Constant | None = None,
    *,
    inverse: int = 0,
    onesided: int = 0,
) -> OutputSpec:
    return _transformed(node, input, dft_length, -2 if axis is None else int(scalar(axis) or 0), inverse, onesided)


@operator
def STFT(
    node: NodeContext,
    signal: Tensor,
    frame_step: Constant,
    window: Constant | None = None,
    frame_length: Constant | None = None,
    *,
    onesided: int = 1,
) -> OutputSpec:
    """(batch, samples, parts) to (batch, frames, frequencies, 2): a transform of each frame, weighted by the window."""
    step = int(scalar(frame_step) or 0)
    length = int(scalar(frame_length) or 0) if frame_length is not None else len(window)  # type: ignore[arg-type]
    parts = signal.shape[2] if signal.ndim == 3 else 1
    batch, frames, frequencies, _ = node.shape
    weights = transform(length, length, parts, frequencies, 2)
    if window is not None:
        weights = weights * window.astype(np.float64).reshape(-1, 1, 1, 1)
    taps = ax.strides(weights.shape)
    target = ax.strides(node.shape)
    axes = [
        ax.same(batch).strided(signal.shape[1] * parts, target[0], 0),
        ax.same(frames).strided(step * parts, target[1], 0),
        ax.same(length).strided(parts, 0, taps[0]),
        ax.same(parts).strided(1, 0, taps[1]),
        ax.same(frequencies).strided(0, target[2], taps[2]),
        ax.same(2).strided(0, target[3], taps[3]),
    ]
    return OutputSpec((incoming(signal, *axes, weights=weights.astype(weights_dtype(signal))),))


def _transformed(
    node: NodeContext, X: Tensor, dft_length: Constant | None, axis: int, inverse: int, onesided: int
) -> OutputSpec:
    """Along one axis; the last one has the real part alone, or the imaginary one as well."""
    axis %= X.ndim
    n, parts = X.shape[axis], X.shape[-1]
    from_half = bool(inverse and onesided)
    length = int(scalar(dft_length) or 0) if dft_length is not None else (2 * (n - 1) if from_half else n)
    used = min(n, length // 2 + 1 if from_half else length)
    if inverse:
        weights = inverse_transform(length, used, parts, node.shape[axis], node.shape[-1], from_half)
    else:
        weights = transform(length, used, parts, node.shape[axis], node.shape[-1])
    taps, source, target = ax.strides(weights.shape), ax.strides(X.shape), ax.strides(node.shape)
    kept = [d for d in range(X.ndim - 1) if d != axis]
    axes = [ax.same(X.shape[d]).strided(source[d], target[d], 0) for d in kept]
    axes += [
        ax.same(used).strided(source[axis], 0, taps[0]),
        ax.same(parts).strided(1, 0, taps[1]),
        ax.same(node.shape[axis]).strided(0, target[axis], taps[2]),
        ax.same(node.shape[-1]).strided(0, 1, taps[3]),
    ]
    return OutputSpec((incoming(X, *axes, weights=weights.astype(weights_dtype(X))),))


def transform(length: int, samples: int, parts: int, frequencies: int, parts_out: int) -> Constant:
    """Weights by sample, its part, frequency and its part: X[k] = Σ x[n] · exp(-2πi·kn / length)."""
    ask(4 * samples * frequencies)
    turn = 2 * math.pi * (np.outer(np.arange(samples), np.arange(frequencies)) % length) / length
    return _complex(np.cos(turn), -np.sin(turn), parts, parts_out)


def inverse_transform(
    length: int, frequencies: int, parts: int, samples: int, parts_out: int, from_half: bool
) -> Constant:
    """The same by frequency, its part, sample and its part: x[n] = Σ X[k] · exp(2πi·kn / length) / length.

    Args:
        from_half: only one half of the frequencies is there; the others are their conjugates, and x is real.
    """
    ask(4 * samples * frequencies)
    turn = 2 * math.pi * (np.outer(np.arange(frequencies), np.arange(samples)) % length) / length
    times = np.full((frequencies, 1), 1 / length)
    if from_half:
        twice = (np.arange(frequencies) > 0) & (2 * np.arange(frequencies) != length)
        times[twice] *= 2
    return _complex(np.cos(turn) * times, np.sin(turn) * times, parts, parts_out)


def _complex(real: Constant, imaginary: Constant, parts: int, parts_out: int) -> Constant:
    """A product with complex numbers as one of real ones: (in, part, out, part)."""
    rows = [np.stack([real, imaginary], -1), np.stack([-imaginary, real], -1)]
    return np.stack(rows, 1)[:, :parts, :, :parts_out]
