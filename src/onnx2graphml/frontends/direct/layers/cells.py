"""What `keras.layers`' recurrent layers do at one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from onnx2graphml.frontends.direct.activations import UNARY, activated
from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.registry import REQUIRED, Kind
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

States = list[Value]
Cell = Callable[[Call, Value, States], tuple[Value, States]]

SIMPLE: dict[str, Any] = {
    "units": REQUIRED, "activation": "tanh", "use_bias": True, "seed": None, "dropout": 0.0, "recurrent_dropout": 0.0
}  # fmt: skip
GATED: dict[str, Any] = SIMPLE | {"recurrent_activation": "sigmoid"}


WHOLE = (None, "gelu", "linear", "softmax", *UNARY)
"""Activations whose numbers TensorFlow does not join to what stands before or behind them in a cell."""


def require_whole(*activations: Any) -> None:
    """Leave other activations in a cell to TensorFlow."""
    for each in activations:
        require(not isinstance(each, str) or each in WHOLE, f"the activation {each} in a cell")
        require(not isinstance(each, dict), "a layer as the activation of a cell")


def simple_rnn_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """The state: an activation of the input and the state before."""
    (before,), units = states, call["units"]
    require_whole(call["activation"])
    kernel, recurrent, *bias = _variables(call, x, units, (units,))
    if bias:
        own = call.gemm(x, kernel, bias[0])
        joined = call.joins(x) and units > 1  # of a single number, tf2onnx makes no part of a product
        z = call.gemm(before, recurrent, own) if joined else call.binary("Add", own, call.matmul(before, recurrent))
    else:
        z = call.gemm(x, kernel, call.matmul(before, recurrent))
    h = activated(call, z, call["activation"])
    return h, [h]


def lstm_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """A state that is kept, forgotten and shown by gates."""
    (h, c), units = states, call["units"]
    require_whole(call["activation"])
    kernel, recurrent, *bias = _variables(call, x, 4 * units, (4 * units,))
    if call["recurrent_dropout"]:  # by which Keras computes each gate for itself, also in a prediction
        biases = call.split(bias[0], 4, 0) if bias else [None] * 4
        i, f, g, o = (
            _sum(call, x, part, b, call.matmul(h, _gate(call, recurrent, k)))
            for k, (part, b) in enumerate(zip(call.split(kernel, 4, 1), biases, strict=True))
        )
    else:
        z = call.gemm(x, kernel, call.matmul(h, recurrent))
        z = call.binary("Add", z, bias[0]) if bias else z
        i, f, g, o = call.split(z, 4, 1)
    shown = activated(call, o, call["recurrent_activation"])
    kept = call.binary("Mul", activated(call, f, call["recurrent_activation"]), c)
    new = activated(call, i, call["recurrent_activation"])
    c = call.binary("Add", kept, call.binary("Mul", new, activated(call, g, call["activation"])))
    h = call.binary("Mul", shown, activated(call, c, call["activation"]))
    return h, [h, c]


def gru_cell(call: Call, x: Value, states: States) -> tuple[Value, States]:
    """A state that is kept and renewed by gates."""
    (before,), units, after = states, call["units"], call["reset_after"]
    kernel, recurrent, *bias = _variables(call, x, 3 * units, (2, 3 * units) if after else (3 * units,))
    gate = call["recurrent_activation"]
    require_whole(call["activation"], gate)
    inner = [call.squeeze(b, [0]) for b in call.split(bias[0], 2, 0)] if bias and after else bias
    gates = _gates_apart if call["recurrent_dropout"] else _gates
    z, new = gates(call, x, before, (kernel, recurrent), inner, gate)
    new = activated(call, new, call["activation"])
    kept = call.binary("Mul", z, before)
    h = call.binary("Add", kept, call.binary("Mul", call.binary("Sub", 1.0, z), new))
    return h, [h]


Kernels = tuple[Value, Value]


def _gates(
    call: Call, x: Value, before: Value, kernels: Kernels, bias: Sequence[Value], gate: Any
) -> tuple[Value, Value]:
    """How much of the state is kept; and what is new, before its activation."""
    (kernel, recurrent), units, after = kernels, call["units"], call["reset_after"]
    own = call.gemm(x, kernel, bias[0]) if bias else call.matmul(x, kernel)
    xz, xr, xh = call.split(own, 3, 1)
    if after:
        whole = call.gemm(before, recurrent, bias[1]) if bias else call.matmul(before, recurrent)
    else:
        whole = call.matmul(before, call.slice(recurrent, 1, 0, 2 * units))
    z = activated(call, call.binary("Add", xz, call.slice(whole, 1, 0, units)), gate)
    r = activated(call, call.binary("Add", xr, call.slice(whole, 1, units, 2 * units)), gate)
    if after:
        new = call.binary("Add", xh, call.binary("Mul", r, call.slice(whole, 1, 2 * units, 3 * units)))
    else:
        new = call.gemm(call.binary("Mul", r, before), _gate(call, recurrent, 2), xh)
    return z, new


def _gates_apart(
    call: Call, x: Value, before: Value, kernels: Kernels, bias: Sequence[Value], gate: Any
) -> tuple[Value, Value]:
    """The same, as Keras computes it with a dropout of the state, also in a prediction: each gate for itself."""
    inputs, states = ([_part(call, b, k) for k in range(3)] for b in (*bias, None, None)[:2])
    parts = [[_gate(call, kernel, k) for k in range(3)] for kernel in kernels]

    def shown(state: Value, k: int) -> Value:
        of, b = parts[1][k], states[k]
        return call.matmul(state, of) if b is None else call.gemm(state, of, b)

    z, r = (activated(call, _sum(call, x, parts[0][k], inputs[k], shown(before, k)), gate) for k in range(2))
    after = call["reset_after"]
    new = call.binary("Mul", r, shown(before, 2)) if after else shown(call.binary("Mul", r, before), 2)
    return z, _sum(call, x, parts[0][2], inputs[2], new)


def _variables(call: Call, x: Value, width: int, bias: tuple[int, ...]) -> list[Value]:
    shapes = {"kernel": (x.shape[-1], width), "recurrent_kernel": (call["units"], width)}
    return call.weights(**shapes, **({"bias": bias} if call["use_bias"] else {}))


def _gate(call: Call, kernel: Value, k: int) -> Value:
    """The part of a kernel that makes one gate."""
    units = call["units"]
    return call.slice(kernel, 1, k * units, (k + 1) * units)


def _part(call: Call, bias: Value | None, k: int) -> Value | None:
    units = call["units"]
    return None if bias is None else call.slice(bias, 0, k * units, (k + 1) * units)


def _sum(call: Call, x: Value, kernel: Value, bias: Value | None, other: Value) -> Value:
    """What a gate makes of the input, and something else."""
    return call.gemm(x, kernel, other) if bias is None else call.binary("Add", call.gemm(x, kernel, bias), other)


CELLS: dict[str, tuple[Cell, int, Kind]] = {
    "SimpleRNNCell": (simple_rnn_cell, 1, Kind(simple_rnn_cell, SIMPLE, {})),
    "LSTMCell": (lstm_cell, 2, Kind(lstm_cell, GATED | {"unit_forget_bias": True}, {})),
    "GRUCell": (gru_cell, 1, Kind(gru_cell, GATED | {"reset_after": True}, {})),
}
"""By Keras' name: the cell, how many states it has, and what it takes."""
