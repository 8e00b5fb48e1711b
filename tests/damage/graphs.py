"""The graphs that are written and damaged, and how the check of a damaged one ends."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from onnx2graphml.api import load, verify_file
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.report import Report
from small import model, node, weights

FIXTURES = Path(__file__).parents[2] / "fixtures"
MODELS = ["digits", "residual", "ports", "doubles"]


def ports() -> onnx.ModelProto:
    """Quotients and powers, products, a maximum, a bias of its own for each neuron."""
    nodes = [
        node("Add", "x c", "u"),
        node("Exp", "u", "e"),
        node("Sigmoid", "x", "s"),
        node("Div", "s e", "d"),
        node("Mul", "d s", "m"),
        node("ReduceMax", "m", "r", axes=[1], keepdims=1),
        node("PRelu", "m k", "p"),
        node("Div", "d q", "t"),
        node("Sum", "p t", "y"),
    ]
    constants = {"c": weights(1, 4), "k": weights(4, seed=1), "q": weights(1, 4, seed=2)}
    return model(nodes, {"x": [1, 4]}, constants, outputs=("y", "r"))


def doubles() -> onnx.ModelProto:
    nodes = [node("Gemm", "x w b", "h"), node("Tanh", "h", "t"), node("Gemm", "t v", "y")]
    constants = {n: weights(*s, dtype=np.float64) for n, s in {"w": (6, 5), "b": (5,), "v": (5, 3)}.items()}
    return model(nodes, {"x": [1, 6]}, constants, dtype=np.float64)


@functools.cache
def graph_of(name: str, level: str = "layer") -> NeuronGraph:
    made: dict[str, Callable[[], Any]] = {"ports": ports, "doubles": doubles}
    return load(made[name]() if name in made else FIXTURES / f"{name}.onnx", detail=level)


def outcome(graph: NeuronGraph, path: Path) -> str:
    """How it ends: by a refusal, a mismatch of values, one of edges or attributes alone, or with nothing found."""
    try:
        report: Report = verify_file(graph, path)
    except Error as e:
        return "refused" if len(str(e).splitlines()) == 1 else "refused in other than one line"
    if report.passed:
        return "not found"
    return "wrong values" if any(row.share > 1 for row in report.rows) else "wrong graph, with the same values"
