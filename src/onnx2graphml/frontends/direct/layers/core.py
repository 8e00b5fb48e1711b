"""`keras.layers`, core: Dense and what does nothing."""

from __future__ import annotations

from onnx2graphml.frontends.direct.activations import activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value


@layer(
    "Dense",
    takes={"units": REQUIRED, "activation": "linear", "use_bias": True},
    only={"quantization_config": None, "lora_rank": None, "lora_alpha": None},
)
def Dense(call: Call, x: Value) -> Value:
    """A weighted sum of the last axis."""
    require(x.rank >= 2, f"Dense on {x.shape}")
    shapes = {"kernel": (x.shape[-1], call["units"])} | ({"bias": (call["units"],)} if call["use_bias"] else {})
    kernel, *bias = call.weights(**shapes)
    if x.rank == 2 and bias:
        y = call.node("Gemm", x, kernel, *bias, shape=(1, call["units"]))
    else:
        y = call.matmul(x, kernel)
        y = call.binary("Add", y, bias[0]) if bias else y
    return activated(call, y, call["activation"])


@layer("Identity", any_type=True)
def Identity(call: Call, x: Value) -> Value:
    """The same."""
    return x
