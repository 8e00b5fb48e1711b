"""`keras.layers`, wrappers: a layer within a layer."""

from __future__ import annotations

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import LAYERS, REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

ROWS = ("Activation", "BatchNormalization", "Dense", "Dropout", "ELU", "LeakyReLU", "ReLU")
"""Layers that are known at every step of a series of vectors."""

KERNELS = ("Conv1D", "Conv2D", "Conv3D", "Dense")
"""Layers whose kernel may be normalized."""


@layer("TimeDistributed", takes={"layer": REQUIRED})
def TimeDistributed(call: Call, x: Value, mask: Value | None = None) -> Value:
    """One layer at every step, of those that do the same with a mask."""
    entry = call["layer"]
    name, config = entry["class_name"], entry["config"]
    require(name in ROWS and entry["module"] == "keras.layers", f"{name} at every step")
    part = call.part("layer", config["name"], LAYERS[name].options(config))
    steps = call.steps(x)
    made = []
    for k in range(x.shape[1]):
        y = LAYERS[name].make(part, call.squeeze(call.slice(steps, 0, k, k + 1), [0]))
        made.append(call.unsqueeze(y, [0]))
    y = call.concat(made, 0)
    return call.reshape(y, (1, len(made), y.shape[2]))


@layer("SpectralNormalization", takes={"layer": REQUIRED, "power_iterations": 1})
def SpectralNormalization(call: Call, x: Value) -> Value:
    """The layer as it is: its kernel is normalized in training alone."""
    entry = call["layer"]
    name, config = entry["class_name"], entry["config"]
    require(name in KERNELS and entry["module"] == "keras.layers", f"a normalized {name}")
    made: Value = LAYERS[name].make(call.part("layer", config["name"], LAYERS[name].options(config)), x)
    return made
