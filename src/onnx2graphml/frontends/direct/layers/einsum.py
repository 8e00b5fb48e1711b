"""`keras.layers.EinsumDense`, and the products of several axes that attention is made of."""

from __future__ import annotations

import math

from onnx2graphml.frontends.direct.activations import activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, layer
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value


@layer(
    "EinsumDense",
    takes={"equation": REQUIRED, "output_shape": REQUIRED, "activation": "linear", "bias_axes": None},
    only={"quantization_config": None, "lora_rank": None, "lora_alpha": None},
)
def EinsumDense(call: Call, x: Value) -> Value:
    """A weighted sum of the last axes: `abc,cd->abd` and the like."""
    left, _, result = call["equation"].replace(" ", "").partition("->")
    own, _, kernel = left.partition(",")
    require(len(own) == x.rank and all(len(set(part)) == len(part) for part in (own, kernel, result)), "the equation")
    kept = "".join(a for a in own if a in result)
    summed, made = own[len(kept) :], result[len(kept) :]
    known = own == kept + summed and result == kept + made and kernel == summed + made
    require(known and kept and summed and made, f"the equation {call['equation']}")
    given = call["output_shape"]
    sizes = [given] if isinstance(given, int) else list(given)
    require(len(sizes) == len(result) - 1, f"the shape {given}")
    new = tuple(sizes[-len(made) :])
    bias = call["bias_axes"] or ""
    require(set(bias) <= set(made) and made.endswith(bias), f"the bias {bias}")
    y = dense(call, x, len(summed), new, new[len(new) - len(bias) :] if bias else None)
    return activated(call, y, call["activation"])


def dense(call: Call, x: Value, summed: int, new: Shape, bias: Shape | None) -> Value:
    """A weighted sum of the last axes of a value, which others take the place of.

    Args:
        call: has the kernel, and the bias.
        x: a value.
        summed: how many axes.
        new: the sizes of those that take their place.
        bias: its shape, if there is one.
    """
    require(all(isinstance(n, int) and n > 0 for n in new), f"the sizes {new}")
    kept, old = x.shape[: x.rank - summed], x.shape[x.rank - summed :]
    variables = call.weights(kernel=(*old, *new), **({"bias": bias} if bias is not None else {}))
    flat = call.reshape(x, (*kept, math.prod(old)))
    kernel = call.reshape(variables[0], (math.prod(old), math.prod(new)))
    if flat.rank == 2 and len(new) == 1 and bias is not None:
        return call.gemm(flat, kernel, variables[1])
    require(flat.rank > 2 or bias is None, "a bias of several axes")
    y = call.reshape(call.matmul(flat, kernel), (*kept, *new))
    return y if bias is None else call.keras_sum(y, variables[1])
