"""Which numbers of a model training changes, and which node has each of them: every one is counted once.

What a constant is made of counts, not the constant: exporters transpose kernels, fold normalizations, add biases of 0.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy.typing as npt
import onnx

from onnx2graphml.errors import ModelError
from onnx2graphml.model.metadata import TRAINED
from onnx2graphml.model.nodes import Node, is_float

Array = npt.NDArray[Any]

STATISTICS = {"BatchNormalization": (3, 4)}  # inputs that are measured, not trained: mean and variance
SETTINGS = {"Clip": (1, 2), "OneHot": (2,), "Pad": (2,), "Resize": (1, 2), "Upsample": (1,)}  # nor are sizes and bounds
NOT_TRAINED = STATISTICS | SETTINGS
MEASURED = ("moving_mean", "moving_variance", "running_mean", "running_var")  # the same, as frameworks call them


def trained_arrays(graph: onnx.GraphProto, constants: Mapping[str, Array], listed: str | None) -> dict[str, int]:
    """The sizes of the arrays that training changes, by their names.

    Args:
        graph: with its constant nodes still in it.
        constants: values of initializers and of folded tensors.
        listed: the framework's own list, as `TRAINED` has it; without one, they are all initializers and values of
            Constant nodes that are float arrays, except running statistics, sizes and bounds.

    Raises:
        ModelError: the list is none.
    """
    if listed is not None:
        return {name: constants[name].size for name in _names(listed) if name in constants}
    made = {o for node in graph.node if node.op_type != "Constant" for o in node.output}
    measured = {
        i for node in graph.node for k, i in enumerate(node.input) if k in NOT_TRAINED.get(node.op_type, ()) if i
    }
    return {
        name: a.size
        for name, a in constants.items()
        if a.ndim and is_float(a.dtype) and name not in made | measured and re.split(r"[/.]", name)[-1] not in MEASURED
    }


def _names(text: str) -> list[str]:
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ModelError(f"its metadata {TRAINED!r} is not a list of names: remove it")
    return names


def parameters(
    nodes: Iterable[Node], graph: onnx.GraphProto, constants: Mapping[str, Array], trained: Mapping[str, int]
) -> dict[str, int]:
    """The number of trained scalars of each node, by the name of its first output.

    An array that several nodes read counts at the first.

    Args:
        nodes: in topological order.
        graph, constants: as above.
        trained: from `trained_arrays`.
    """
    origins = {name: (name,) for name in trained}
    for node in graph.node:
        made = [o for o in node.output if o in constants and o not in origins and is_float(constants[o].dtype)]
        if made:
            origins |= dict.fromkeys(made, tuple(dict.fromkeys(o for i in node.input for o in origins.get(i, ()))))
    counted: set[str] = set()
    found = {}
    for node in nodes:
        own = {o for i in node.inputs for o in origins.get(i, ())} - counted
        counted |= own
        found[node.outputs[0]] = sum(trained[o] for o in own)
    return found
