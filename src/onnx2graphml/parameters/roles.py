"""What an ONNX operator's constant inputs are, and what each of their axes means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import onnx

from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Model, Node

SPACE = {1: ("position",), 2: ("row", "column"), 3: ("depth", "row", "column")}
PRODUCTS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
NORMALIZATION = {1: "scale", 2: "shift", 3: "moving mean", 4: "moving variance"}
BY_NAME = {
    "gamma": "scale",
    "beta": "shift",
    "moving_mean": "moving mean",
    "running_mean": "moving mean",
    "moving_variance": "moving variance",
    "running_var": "moving variance",
    "alpha": "slope",
}
"""What frameworks call the arrays of which exporters make factors and summands."""


@dataclass(frozen=True)
class Role:
    """What a constant is to its node.

    Attributes:
        name: `kernel`, `weights`, `bias`, `scale`, `slope` ..., or `constant of` the operator.
        axes: what each of its axes means.
        group: of a convolution.
    """

    name: str
    axes: tuple[str, ...]
    group: int = 1


def space(rank: int) -> tuple[str, ...]:
    """The names of a picture's axes besides the channel.

    Example:
        >>> space(2), space(4)
        (('row', 'column'), ('space 1', 'space 2', 'space 3', 'space 4'))
    """
    return SPACE.get(rank, tuple(f"space {k + 1}" for k in range(rank)))


def role(node: Node, position: int, rank: int, output: tuple[str, ...], adds_to_product: bool) -> Role:
    """What the constant input at a position is.

    Args:
        node: of which it is an input.
        position: which one.
        rank: of the constant.
        output: what the axes of the node's output mean.
        adds_to_product: whether the node adds to what a layer's product or convolution came to.
    """
    if node.op in ("Conv", "ConvTranspose"):
        ends = ("out", "in") if node.op == "Conv" else ("in", "out")
        group = int(node.attributes.get("group", 1))
        return Role("kernel", (*ends, *space(rank - 2)), group) if position == 1 else Role("bias", ("out",))
    if node.op in ("MatMul", "Gemm") and position < 2:
        return Role("weights", _factor(node, position, rank))
    if node.op == "BatchNormalization":
        return Role(NORMALIZATION[position], ("channel",) if rank == 1 else _broadcast(output, rank))
    if node.op == "Gemm":
        return Role("bias", _broadcast(("row", "out"), rank))
    if node.op == "PRelu":
        return Role("slope", _broadcast(output, rank))
    if adds_to_product and node.op in ("Add", "Sum"):
        return Role("bias", _broadcast(output, rank))
    return Role(f"constant of {node.op}", _broadcast(output, rank))


def _factor(node: Node, position: int, rank: int) -> tuple[str, ...]:
    """The axes of a constant factor: the one that is summed over is `in`, the one that stays `out`."""
    turned = bool(node.attributes.get("transB" if position else "transA", 0))
    last = ("in", "out") if (position == 1) != turned else ("out", "in")
    return ("in",) if rank == 1 else (*(f"product {k + 1}" for k in range(rank - 2)), *last)


def _broadcast(output: tuple[str, ...], rank: int) -> tuple[str, ...]:
    """The meaning of the last axes, as a constant broadcasts."""
    known = output[max(0, len(output) - rank) :]
    return (*(f"axis {k}" for k in range(rank - len(known))), *known)


def output_axes(layer: Layer, nodes: Iterable[Node], model: Model) -> Mapping[str, tuple[str, ...]]:
    """What the axes of the tensors inside a layer mean, as far as that follows from the layer's own.

    Args:
        layer: whose `shape`, `order` and `spatial` are known.
        nodes: those of the layer, in the model's order.
    """
    found: dict[str, tuple[str, ...]] = {}
    if layer.provenance.tensor in model.types:
        found[layer.provenance.tensor] = _of_layer(layer, len(model.types[layer.provenance.tensor].shape))
    for node in reversed(list(nodes)):
        name = node.outputs[0]
        rank = len(model.types[name].shape)
        if node.op in ("Conv", "ConvTranspose"):
            found[name] = ("batch", "channel", *space(rank - 2))
        names = found.setdefault(name, tuple(f"axis {k}" for k in range(rank)))
        for i in node.inputs:
            if i not in model.types or i in found:
                continue
            if node.op == "Transpose":
                order = node.attributes.get("perm", tuple(range(rank))[::-1])
                found[i] = tuple(names[list(order).index(k)] for k in range(rank))
            elif node.op not in (*PRODUCTS, "Reshape") and model.types[i].shape == model.types[name].shape:
                found[i] = names
    return found


def _of_layer(layer: Layer, rank: int) -> tuple[str, ...]:
    shown = ["unit"] if len(layer.shape) == 1 else [f"axis {k}" for k in range(len(layer.shape))]
    for name, position in zip(("channel", *space(len(layer.spatial) - 1)), layer.spatial, strict=False):
        shown[position] = name
    dropped = rank - len(layer.shape)
    names = ["batch"] * rank
    for name, d in zip(shown, layer.provenance.order, strict=True):
        names[d + dropped] = name
    return tuple(names)


def input_name(node: Node, position: int, opset: int) -> str:
    """ONNX's own name of an input.

    Example:
        >>> input_name(Node("Conv", "", "", (), (), {}), 1, 17)
        'W'
    """
    named = onnx.defs.get_schema(node.op, opset, node.domain).inputs
    return str(named[min(position, len(named) - 1)].name)
