"""`keras.layers.STFTSpectrogram`: how much of each frequency is in each frame of a sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.layers.windows import outputs, paddings
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

LEAST = 1e-7
"""What Keras takes for nothing before a root and a logarithm."""

FRAMES: dict[str, Any] = {
    "mode": "log", "frame_length": REQUIRED, "frame_step": None, "fft_length": None, "padding": "valid",
    "expand_dims": False, "window": "hann", "periodic": False, "scaling": "density",
}  # fmt: skip


@layer("STFTSpectrogram", takes=FRAMES, only={"data_format": "channels_last"})
def STFTSpectrogram(call: Call, x: Value) -> Value:
    """Products of the frames with waves, real and imaginary; or their size, its square, its logarithm."""
    mode = call["mode"]
    require(x.dtype == np.float32 and x.rank == 3 and x.shape[2] == 1, f"sounds of {x.shape} in {x.dtype}")
    require(call.network.rows.setdefault(x.name, call.layer) == call.layer, f"{x.name} in frames, for two layers")
    require(mode in ("real", "imag", "magnitude", "psd", "log"), f"a spectrogram by {mode}")
    frequencies = (call["fft_length"] or call["frame_length"]) // 2 + 1
    shape = (call["frame_length"], 1, frequencies)
    wanted = [f"{part}_kernel" for part in ("real", "imag") if mode in (part, "magnitude", "psd", "log")]
    signals = [_convolved(call, x, kernel) for kernel in call.weights(**dict.fromkeys(wanted, shape))]
    if len(signals) == 1:
        return _arranged(call, signals[0])
    real, imaginary = (call.binary("Mul", signal, signal) for signal in signals)
    power = call.binary("Add", real, imaginary)
    if mode == "psd":
        inner = call.slice(power, 2, 1, frequencies - 1)
        return _arranged(call, call.binary("Add", power, call.pad(inner, [0, 0, 1, 0], [0, 0, 1, 0])))
    size = call.unary("Sqrt", call.binary("Max", power, LEAST))
    if mode == "magnitude":
        return _arranged(call, size)
    size = call.unary("Log", call.binary("Max", size, LEAST))
    return _arranged(call, size, own=False)  # which an exporter moves behind the logarithm


def _convolved(call: Call, x: Value, kernel: Value) -> Value:
    """Each frame with each wave: a row for each frequency."""
    length, step = call["frame_length"], call["frame_step"] or call["frame_length"] // 2
    pads = paddings(call["padding"], x.shape[1:2], (length,), (step,), (1,))
    (frames,) = outputs(x.shape[1:2], (length,), (step,), (1,), pads)
    y = call.node(
        "Conv",
        call.reshape(x, (1, 1, x.shape[1])),
        call.transpose(kernel, [2, 1, 0], own=False),
        shape=(1, kernel.shape[2], frames),
        strides=[step],
        kernel_shape=[length],
        pads=[*pads[0], *pads[1]],
    )
    return call.reshape(y, (1, 1, kernel.shape[2], frames))


def _arranged(call: Call, x: Value, own: bool = True) -> Value:
    """Frames behind the batch, then the frequencies."""
    if call["expand_dims"]:
        return call.transpose(x, [0, 3, 2, 1], own)
    return call.transpose(call.reshape(x, (1, *x.shape[2:])), [0, 2, 1], own)
