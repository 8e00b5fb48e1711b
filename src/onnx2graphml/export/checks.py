"""Has every neuron what it needs? Errors name the neuron."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.export.tables import InEdges, Port
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.neurons import Activation

Floats = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]
CHOOSING = ("ArgMax", "ArgMin", "Hardmax", "TopK", "Gather")


def check_candidates(layer: Layer, plain: InEdges | None, bias: Floats | None, kept: Bools) -> None:
    """A maximum or minimum has a candidate, or a bias, which is one."""
    if layer.aggregation not in ("max", "min") or bias is not None:
        return
    degrees = np.zeros(kept.sum(), np.int64) if plain is None else plain.degrees
    _refuse_first(layer, kept, degrees == 0, f"takes a {layer.aggregation}imum and has no candidate left")


def check_ports(layer: Layer, ports: Mapping[Port, InEdges], kept: Bools) -> None:
    """Every value of a function comes in by an edge; of candidates there is one at least."""
    call = Activation.parse(layer.aggregation)
    if None in ports:
        _refuse_first(layer, kept, ports[None].degrees > 0, f"computes {call.op} and has an edge without a port")
    for port in _needed(call, ports):
        degrees = ports[port].degrees if port in ports else np.zeros(kept.sum(), np.int64)
        what = "no candidate left" if call.function.candidates else f"no edge with port {port}"
        _refuse_first(layer, kept, degrees == 0, f"computes {call.op} and has {what}")


def _needed(call: Activation, ports: Mapping[Port, InEdges]) -> list[int]:
    """The ports that every neuron must have an edge with."""
    if call.function.candidates:
        return [0] if call.op in CHOOSING else []
    given = dict(call.parameters)
    parameters = inspect.signature(call.function.evaluate).parameters.values()
    values = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD and p.name not in given]
    least = sum(p.default is p.empty for p in values)
    return list(range(max([least, *(p + 1 for p in ports if p is not None)])))


def _refuse_first(layer: Layer, kept: Bools, wrong: Bools, problem: str) -> None:
    if wrong.any():
        position = int(np.flatnonzero(kept)[np.argmax(wrong)])
        index = ",".join(str(int(i)) for i in np.unravel_index(position, layer.shape))
        raise Error(
            f"layer {layer.name!r}: neuron n{layer.first_id + position} (index {index}) {problem}; keep one of its "
            f"edges, or remove the neuron"
        )
