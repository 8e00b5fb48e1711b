"""Recurrent layers, unrolled: the parts of step 3 of an LSTM are called `t3/input_gate` ... `t3/cell`, `t3/hidden`.

What a step adds up from its input and from the step before stands in one Gemm, of both side by side.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model.lowering.builder import Builder
from onnx2graphml.model.lowering.registry import lowering

Activation = Callable[[Builder, str, str], str]
States = tuple[str | None, ...]
"""The hidden state, and an LSTM's cell; None for zeros."""

DEFAULTS: dict[str, tuple[float | None, ...]] = {
    "Affine": (None, None),
    "LeakyRelu": (0.01,),
    "ThresholdedRelu": (None,),
    "ScaledTanh": (None, None),
    "HardSigmoid": (0.2, 0.5),
    "Elu": (1.0,),
}
"""Alpha, and beta where there is one, of those that have any; None where ONNX and ONNX Runtime disagree on it."""

PLAIN = ("Relu", "Tanh", "Sigmoid", "Softsign", "Softplus")


@dataclass(frozen=True)
class Gate:
    """What the neurons of one gate add up.

    Attributes:
        W, R, both: matrices for the input, for the hidden state, and for both side by side.
        Wb, Rb, bias: their biases, and the sum of these; None where there are none.
        peephole: weights for the cell; None where there are none.
    """

    W: str
    R: str
    both: str
    Wb: str | None
    Rb: str | None
    bias: str | None
    peephole: str | None

    def sum(self, op: Builder, x: str, h: str | None, label: str) -> str:
        """From the input, and from the hidden state where it is not zero."""
        if h is None:
            return str(op.Gemm(x, self.W, self.bias, transB=1, label=label))
        return str(op.Gemm(op.Concat(x, h, axis=1, label="input"), self.both, self.bias, transB=1, label=label))


@dataclass(frozen=True)
class Direction:
    """What one direction of a layer computes with; activations and gates are in the operator's order."""

    op: Builder
    gates: tuple[Gate, ...]
    activations: tuple[Activation, ...]
    hidden: int


def _gates(op: Builder, hidden: int, W: str, R: str, B: str | None, P: str | None) -> tuple[Gate, ...]:
    """The rows of one direction's matrices, and the entries of its biases, that are each gate's."""
    count = op.shape(W)[0] // hidden

    def rows(x: str | None, k: int) -> str | None:
        if x is None or (k + 1) * hidden > op.shape(x)[0]:  # an LSTM's cell has no peephole
            return None
        return str(op.Slice(x, starts=[k * hidden], ends=[(k + 1) * hidden], axes=[0], label="rows"))

    gates = []
    for k in range(count):
        with op.scope(f"gate{k}"):
            w, r = rows(W, k), rows(R, k)
            assert w is not None
            assert r is not None
            both = op.Concat(w, r, axis=1, label="weights")
            wb, rb = rows(B, k), rows(B, count + k)
            bias = op.Add(wb, rb, label="bias") if B else None
            gates.append(Gate(w, r, both, wb, rb, bias, rows(P, k)))
    return tuple(gates)


Step = Callable[[Direction, str, States], States]


@dataclass(frozen=True)
class Layer:
    """The attributes that all recurrent operators have."""

    hidden_size: int
    direction: str
    activations: Sequence[str]
    activation_alpha: Sequence[float]
    activation_beta: Sequence[float]
    clip: float | None
    layout: int

    @property
    def directions(self) -> list[str]:
        """Of the sequence."""
        known = {"forward": ["forward"], "reverse": ["reverse"], "bidirectional": ["forward", "reverse"]}
        if self.direction not in known:
            raise UnsupportedError(f"its direction is {self.direction!r}; expected one of {', '.join(known)}")
        return known[self.direction]

    def functions(self, default: Sequence[str]) -> list[tuple[Activation, ...]]:
        """The activations of each direction, with their parameters, which stand in one list for all."""
        names = list(self.activations) or list(default) * len(self.directions)
        if len(names) != len(default) * len(self.directions):
            raise UnsupportedError(f"it has {len(names)} activations; expected {len(default)} for each direction")
        alphas, betas = list(self.activation_alpha), list(self.activation_beta)
        # ONNX says that inputs of activations are clipped; ONNX Runtime doesn't clip an LSTM's cell, the third one's.
        made = [
            _activation(name, alphas, betas, None if k % len(default) == 2 else self.clip)
            for k, name in enumerate(names)
        ]
        return [tuple(made[k : k + len(default)]) for k in range(0, len(made), len(default))]


def _activation(name: str, alphas: list[float], betas: list[float], clip: float | None) -> Activation:
    """A function that adds an activation, after a clipping; it takes its parameters from the lists."""
    known = {n.lower(): n for n in (*PLAIN, *DEFAULTS)}
    if name.lower() not in known:
        raise UnsupportedError(f"its activation is {name!r}; expected one of {', '.join(known.values())}")
    operator = known[name.lower()]
    defaults = DEFAULTS.get(operator, ())
    given = [taken.pop(0) if taken else default for taken, default in zip((alphas, betas), defaults, strict=False)]
    if None in given:
        raise UnsupportedError(f"its activation {operator} has no default: give activation_alpha and activation_beta")

    def add(op: Builder, x: str, label: str) -> str:
        if clip is not None:
            x = op.Clip(x, min=-clip, max=clip, label="clip")
        if operator == "Affine":
            return str(op.Add(op.Mul(x, given[0]), given[1], label=f"{label}/Affine"))
        if operator == "ScaledTanh":
            return str(op.Mul(op.Tanh(op.Mul(x, given[1])), given[0], label=f"{label}/ScaledTanh"))
        parameters = dict(zip(("alpha", "beta"), given, strict=False))
        return str(getattr(op, operator)(x, label=f"{label}/{operator}", **parameters))

    return add


@lowering()
def RNN(
    op: Builder,
    X: str,
    W: str,
    R: str,
    B: str | None = None,
    sequence_lens: str | None = None,
    initial_h: str | None = None,
    *,
    hidden_size: int = 0,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: str = "forward",
    layout: int = 0,
) -> Sequence[str | None]:
    """A layer of fully connected neurons with a state."""

    def step(part: Direction, x: str, states: States) -> States:
        (f,) = part.activations
        return (f(op, part.gates[0].sum(op, x, states[0], "hidden"), "hidden"),)

    layer = Layer(hidden_size, direction, activations, activation_alpha, activation_beta, clip, layout)
    return _unrolled(op, layer, step, ["Tanh"], X, W, R, B, sequence_lens, (initial_h,))


@lowering()
def GRU(
    op: Builder,
    X: str,
    W: str,
    R: str,
    B: str | None = None,
    sequence_lens: str | None = None,
    initial_h: str | None = None,
    *,
    hidden_size: int = 0,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: str = "forward",
    layout: int = 0,
    linear_before_reset: int = 0,
) -> Sequence[str | None]:
    """Gated recurrent units; gates in the order update, reset, candidate."""

    def step(part: Direction, x: str, states: States) -> States:
        f, g = part.activations
        update, reset, gate = part.gates
        (h,) = states
        z = f(op, update.sum(op, x, h, "update_gate"), "update_gate")
        if h is None and (not linear_before_reset or gate.Rb is None):
            candidate = gate.sum(op, x, None, "candidate")
        else:
            r = f(op, reset.sum(op, x, h, "reset_gate"), "reset_gate")
            if linear_before_reset:
                own = op.Gemm(x, gate.W, gate.Wb, transB=1, label="candidate_input")
                state = op.Gemm(h, gate.R, gate.Rb, transB=1, label="candidate_state") if h else gate.Rb
                candidate = op.Add(own, op.Mul(r, state, label="reset_state"), label="candidate")
            else:
                candidate = gate.sum(op, x, op.Mul(r, h, label="reset_state"), "candidate")
        candidate = g(op, candidate, "candidate")
        new = op.Mul(op.Sub(1.0, z, label="renewal"), candidate, label="hidden" if h is None else "new")
        return (new if h is None else op.Add(new, op.Mul(z, h, label="kept"), label="hidden"),)

    layer = Layer(hidden_size, direction, activations, activation_alpha, activation_beta, clip, layout)
    return _unrolled(op, layer, step, ["Sigmoid", "Tanh"], X, W, R, B, sequence_lens, (initial_h,))


@lowering()
def LSTM(
    op: Builder,
    X: str,
    W: str,
    R: str,
    B: str | None = None,
    sequence_lens: str | None = None,
    initial_h: str | None = None,
    initial_c: str | None = None,
    P: str | None = None,
    *,
    hidden_size: int = 0,
    activation_alpha: Sequence[float] = (),
    activation_beta: Sequence[float] = (),
    activations: Sequence[str] = (),
    clip: float | None = None,
    direction: str = "forward",
    input_forget: int = 0,
    layout: int = 0,
) -> Sequence[str | None]:
    """Long short-term memory; gates in the order input, output, forget, cell; peepholes input, output, forget."""

    def step(part: Direction, x: str, states: States) -> States:
        f, g, h_activation = part.activations
        h, c = states

        def gate(k: int, peeped: str | None, label: str) -> str:
            total = part.gates[k].sum(op, x, h, label)
            weights = part.gates[k].peephole
            if weights is not None and peeped is not None:
                total = op.Add(total, op.Mul(peeped, weights, label=f"{label}/peephole"), label=f"{label}/total")
            return f(op, total, label)

        i = gate(0, c, "input_gate")
        cell = op.Mul(i, g(op, part.gates[3].sum(op, x, h, "candidate"), "candidate"), label="new" if c else "cell")
        if c is not None:
            forget = op.Sub(1.0, i, label="forget_gate") if input_forget else gate(2, c, "forget_gate")
            cell = op.Add(op.Mul(forget, c, label="kept"), cell, label="cell")
        o = gate(1, cell, "output_gate")
        return op.Mul(o, h_activation(op, cell, "cell"), label="hidden"), cell

    layer = Layer(hidden_size, direction, activations, activation_alpha, activation_beta, clip, layout)
    default = ["Sigmoid", "Tanh", "Tanh"]
    return _unrolled(op, layer, step, default, X, W, R, B, sequence_lens, (initial_h, initial_c), P)


def _unrolled(
    op: Builder,
    layer: Layer,
    step: Step,
    default: Sequence[str],
    X: str,
    W: str,
    R: str,
    B: str | None,
    lengths: str | None,
    initial: States,
    P: str | None = None,
) -> Sequence[str | None]:
    """All steps of all directions: the hidden states of all steps, and the last of each state."""
    for weights in (W, R, B, P):  # a state of zeros leaves some of them out, which NaN times 0 is not
        known = op.value(weights)
        if known is not None and not np.isfinite(known).all():
            raise UnsupportedError("its weights are not all finite: NaN or infinity has no place in a graph's weights")
    initial = tuple(None if _is_zero(op, s) else s for s in initial)
    if layer.layout:
        X = op.Transpose(X, perm=[1, 0, 2], label="steps")
        initial = tuple(None if s is None else op.Transpose(s, perm=[1, 0, 2], label="initial") for s in initial)
    hidden = op.shape(R)[2]
    functions = layer.functions(default)
    every: list[list[str]] = []
    last: list[States] = []
    for k, name in enumerate(layer.directions):
        with op.scope(name) if len(layer.directions) > 1 else contextlib.nullcontext():
            w, r, b, p = (_at(op, x, k) for x in (W, R, B, P))
            assert w is not None
            assert r is not None
            part = Direction(op, _gates(op, hidden, w, r, b, p), functions[k], hidden)
            states = tuple(_at(op, s, k) for s in initial)
            outputs, states = _steps(part, step, X, lengths, states, name == "reverse")
            every.append(outputs)
            last.append(states)
    return _results(op, layer, every, last)


def _is_zero(op: Builder, state: str | None) -> bool:
    """Whether a state is nothing but zeros, as exporters write that there is none."""
    value = op.value(state)
    return value is not None and not value.any()


def _at(op: Builder, x: str | None, k: int) -> str | None:
    """The part of a tensor that is one direction's."""
    return None if x is None else str(op.Gather(x, np.int64(k), axis=0, label="of_direction"))


def _steps(
    part: Direction, step: Step, X: str, lengths: str | None, states: States, backward: bool
) -> tuple[list[str], States]:
    """The hidden states in the order of time, and the last states."""
    op = part.op
    length, batch = op.shape(X)[:2]
    if not length:
        raise UnsupportedError("its sequence has no steps")
    known = op.value(lengths)
    shortest = length if lengths is None else 0 if known is None else int(known.min(initial=length))
    outputs: dict[int, str] = {}
    for t in reversed(range(length)) if backward else range(length):
        with op.scope(f"t{t}"):
            x = str(op.Gather(X, np.int64(t), axis=0, label="x"))
            new = step(part, x, states)
            output = new[0]
            if t >= shortest:  # some sequences have ended before
                within = known[:, None] > t if known is not None else _within(op, t, lengths)
                zeros = np.zeros((batch, part.hidden), op.dtype(X))
                output = op.Where(within, output, zeros, label="output")
                new = tuple(
                    op.Where(within, n, zeros if s is None else s, label="state")
                    for n, s in zip(new, states, strict=True)
                )
            states = new
            assert output is not None
            outputs[t] = output
    if not shortest:  # ONNX Runtime makes the last states of an empty sequence 0, whatever they began with
        within, zeros = _within(op, 0, lengths), np.zeros((batch, part.hidden), op.dtype(X))
        states = tuple(op.Where(within, s, zeros, label="last") for s in states)
    return [outputs[t] for t in range(length)], states


def _within(op: Builder, t: int, lengths: str | None) -> str:
    """Which sequences have a step t."""
    return str(op.Unsqueeze(op.Less(np.int32(t), lengths, label="within"), axes=[1], label="within"))


def _results(op: Builder, layer: Layer, every: list[list[str]], last: list[States]) -> list[str | None]:
    """The operator's outputs: (time, direction, batch, hidden) and (direction, batch, hidden), or batch first."""
    axes = [1, 2] if layer.layout else [0, 1]
    steps = [op.Concat(*(op.Unsqueeze(h, axes=axes) for h in outputs), axis=axes[0]) for outputs in every]
    hidden = op.Concat(*steps, axis=axes[1]) if len(steps) > 1 else steps[0]
    states: list[str | None] = []
    for of_all in zip(*last, strict=True):
        parts = [op.Unsqueeze(s, axes=[1 if layer.layout else 0]) for s in of_all]
        states.append(op.Concat(*parts, axis=1 if layer.layout else 0) if len(parts) > 1 else parts[0])
    return [hidden, *states]
