"""`keras.layers`, normalization."""

from __future__ import annotations

from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import layer
from onnx2graphml.frontends.direct.values import Value

BATCH: dict[str, Any] = {"axis": -1, "momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True}


@layer(
    "BatchNormalization",
    takes=BATCH | {"synchronized": False},
    only={"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
)
def BatchNormalization(call: Call, x: Value) -> Value:
    """Scaled and shifted by the statistics of training, computed as TensorFlow does."""
    axis = x.axis(call["axis"])
    shape = (x.shape[axis],)
    scale = ["gamma"] if call["scale"] else []
    center = ["beta"] if call["center"] else []
    trained = dict.fromkeys([*scale, *center], shape)
    found = call.kept(trained, {"moving_mean": shape, "moving_variance": shape})
    across = shape if axis == x.rank - 1 else tuple(n if a == axis else 1 for a, n in enumerate(x.shape))
    values = dict(zip([*trained, "mean", "variance"], (call.reshape(v, across) for v in found), strict=True))
    factor = call.unary("Sqrt", call.binary("Add", values["variance"], call["epsilon"]))
    factor = call.unary("Reciprocal", factor)
    factor = call.binary("Mul", factor, values["gamma"]) if scale else factor
    scaled = call.binary("Mul", x, factor)
    if not center:
        return call.binary("Add", scaled, call.binary("Mul", call.unary("Neg", values["mean"]), factor))
    shift = call.binary("Sub", values["beta"], call.binary("Mul", values["mean"], factor))
    return call.binary("Add", scaled, shift)
