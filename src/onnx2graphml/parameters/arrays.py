"""Every layer's trained arrays, in the framework's own layout, each with what it is and what its axes mean."""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.layer_kinds import layer_nodes
from onnx2graphml.model import Model, Node, is_float
from onnx2graphml.parameters.roles import BY_NAME, PRODUCTS, Role, input_name, output_axes, role, space
from onnx2graphml.parameters.traces import Trace, Traces

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class TrainedArray:
    """An array that a layer is made of.

    Attributes:
        name: the framework's, as `conv1/kernel` or `fc.weight`.
        layer: the first layer that reads it; `shared` are the others.
        values: as the framework holds them.
        role: `kernel`, `weights`, `bias`, `scale`, `moving mean` ..., `constant of Mul`; `part of` one of these.
        axes: what each axis of `values` means.
        group: of a convolution.
        op, input: of the ONNX node that it reaches, and ONNX's name of that input.
        onnx_shape, onnx_axes: of that input.
        path: the operators on the way to it; empty where it is the input itself.
    """

    name: str
    layer: str
    values: Array
    role: str
    axes: tuple[str, ...]
    op: str
    input: str
    onnx_shape: tuple[int, ...]
    onnx_axes: tuple[str, ...]
    path: tuple[str, ...] = ()
    group: int = 1
    shared: tuple[str, ...] = ()

    @functools.cached_property
    def kernels(self) -> Array | None:
        """The values as (out, in, row, column ...), whatever the layout; None where there is no output axis."""
        outs = ("in", "multiplier") if "multiplier" in self.axes else ("out",)
        ins = () if "multiplier" in self.axes else ("in",)
        if not set(outs) <= set(self.axes) or len(self.axes) < 2 or any(a.startswith("product") for a in self.axes):
            return None
        first = [[k for k, a in enumerate(self.axes) if a in names] for names in (outs, ins)]
        rest = [k for k in range(len(self.axes)) if k not in (*first[0], *first[1])]
        places = space(len(rest))
        if {self.axes[k] for k in rest} == set(places):
            rest.sort(key=lambda k: places.index(self.axes[k]))  # rows before columns
        sizes = [int(np.prod([self.values.shape[k] for k in part])) for part in first]
        turned = self.values.transpose([*first[0], *first[1], *rest])
        found = turned.reshape(*sizes, *(self.values.shape[k] for k in rest))
        return _ungrouped(found, self.group) if self.op == "ConvTranspose" and self.group > 1 else found

    @property
    def channels(self) -> int | None:
        """The number of outputs or channels that it has one entry for each of; None where it has no such axis."""
        if self.kernels is not None:
            return len(self.kernels)
        last = [n for n, a in zip(self.values.shape, self.axes, strict=True) if a in ("out", "channel", "unit")]
        return last[0] if len(last) == 1 and self.values.size == last[0] else None

    @property
    def text(self) -> str:
        """In words.

        Example:
            >>> import onnx2graphml
            >>> found = layer_arrays(onnx2graphml.load("fixtures/digits.onnx"))
            >>> [array.text for array in found[1].arrays]
            ['16 kernels of 3×3 over 1 channel, (row, column, in, out)', 'bias: 16']
        """
        axes = f"({', '.join(self.axes)})"
        k = self.kernels
        if k is not None and self.role == "kernel":
            size = f"of {'×'.join(map(str, k.shape[2:]))}"
            if "multiplier" in self.axes:
                each = self.values.shape[self.axes.index("multiplier")]
                return f"{len(k) // each} channels with {_counted(each, 'kernel')} {size} each, {axes}"
            groups = f" each, in {self.group} groups" if self.group > 1 else ""
            return f"{_counted(len(k), 'kernel')} {size} over {_counted(k.shape[1], 'channel')}{groups}, {axes}"
        if k is not None and self.role == "weights":
            return f"weights of {_counted(k.shape[1], 'input')} to {_counted(len(k), 'unit')}, {axes}"
        if self.values.ndim == 0:
            return f"{self.role}: {self.values.item():.6g} (a scalar)"
        sizes = "×".join(map(str, self.values.shape))
        return f"{self.role}: {sizes}" if self.values.ndim == 1 else f"{self.role}: {sizes}, {axes}"


@dataclass(frozen=True, eq=False)
class LayerArrays:
    """A layer and its arrays.

    Attributes:
        position: of the layer in the graph.
        difference: why the arrays' sizes don't add up to `Layer.parameters`; empty where they do.
    """

    layer: Layer
    position: int
    arrays: tuple[TrainedArray, ...]
    difference: str = ""

    @property
    def numbers(self) -> int:
        """How many numbers the arrays have; scalars are settings, not trained."""
        return sum(a.values.size for a in self.arrays if a.values.ndim)

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.layer.name}: {'; '.join(a.text for a in self.arrays) or 'no arrays'}"


def layer_arrays(graph: NeuronGraph) -> tuple[LayerArrays, ...]:
    """Every layer with its arrays; arrays that several layers read stand at each, the first one's name in `layer`.

    Raises:
        Error: the graph was made from no model.

    Example:
        >>> import onnx2graphml
        >>> layer_arrays(onnx2graphml.load("fixtures/residual.onnx"))[1].text
        'conv1: 6 kernels of 3×3 over 3 channels, (out, in, row, column); bias: 6'
    """
    model = graph.require_model()
    traces = Traces(model)
    owned = layer_nodes(graph, model)
    found = [
        LayerArrays(layer, k, *_arrays(layer, owned[layer.name], model, traces)) for k, layer in enumerate(graph.layers)
    ]
    readers: dict[str, list[str]] = {}
    for of in found:
        for array in of.arrays:
            readers.setdefault(array.name, []).append(of.layer.name)
    return tuple(
        dataclasses.replace(
            of,
            arrays=tuple(
                dataclasses.replace(a, layer=readers[a.name][0], shared=tuple(readers[a.name][1:])) for a in of.arrays
            ),
        )
        for of in found
    )


def unread(graph: NeuronGraph, found: tuple[LayerArrays, ...]) -> dict[str, Array]:
    """The model's initializers of floats that no layer reads."""
    model = graph.require_model()
    known = {a.name for of in found for a in of.arrays}
    names = [t.name for t in model.proto.graph.initializer]
    constants = model.constants
    return {n: constants[n] for n in names if n not in known and is_float(constants[n].dtype)}


def _arrays(layer: Layer, nodes: list[Node], model: Model, traces: Traces) -> tuple[tuple[TrainedArray, ...], str]:
    """The arrays in the order of the nodes' inputs, and why they don't add up."""
    meaning = output_axes(layer, nodes, model)
    found: dict[str, TrainedArray] = {}
    reasons = []
    product = False
    for node in nodes:
        for position, name in enumerate(node.inputs):
            if name not in model.constants or not is_float(model.constants[name].dtype):
                continue
            constant = model.constants[name]
            this = role(node, position, constant.ndim, meaning.get(node.outputs[0], ()), product)
            into = traces.into(name)
            for trace in into:
                if trace.array not in found:
                    found[trace.array] = _array(layer, node, position, this, trace, model)
            if constant.ndim and sum(model.constants[t.array].size for t in into) != constant.size:
                made = ", ".join(t.array for t in into)
                where = input_name(node, position, model.opset)
                reasons.append(f"{where} of {node.op} ({constant.size:,}) is made of {made}")
        product = product or node.op in PRODUCTS
    arrays = _in_framework_order(found, model)
    numbers = sum(a.values.size for a in arrays if a.name in model.trained)
    if numbers == layer.parameters:
        return arrays, ""
    why = "; ".join([*reasons, "an array counts where it is read first"])
    return arrays, f"{numbers:,} trained numbers in its arrays, of which {layer.parameters:,} count here: {why}"


def _in_framework_order(found: dict[str, TrainedArray], model: Model) -> tuple[TrainedArray, ...]:
    """Kernels, then what else the model lists, in its order, which is the framework's; then what is no initializer."""
    place = {t.name: k for k, t in enumerate(model.proto.graph.initializer)}

    def key(array: TrainedArray) -> tuple[bool, bool, int]:
        return array.values.ndim == 0, array.kernels is None, place.get(array.name, len(place))

    return tuple(sorted(found.values(), key=key))


def _array(layer: Layer, node: Node, position: int, this: Role, trace: Trace, model: Model) -> TrainedArray:
    values, constant = model.constants[trace.array], model.constants[trace.constant]
    word = BY_NAME.get(re.split(r"[/.]", trace.array)[-1])
    name = this.name if trace.alone else f"part of {this.name}"
    if word and (not trace.alone or this.name.startswith("constant of")):
        name = word
    return TrainedArray(
        name=trace.array,
        layer=layer.name,
        values=values,
        role=name,
        axes=_axes(values.shape, this, trace, node.op),
        op=node.op,
        input=input_name(node, position, model.opset),
        onnx_shape=constant.shape,
        onnx_axes=this.axes,
        path=trace.path,
        group=this.group,
    )


def _axes(shape: tuple[int, ...], this: Role, trace: Trace, op: str) -> tuple[str, ...]:
    """What an array's axes mean, from the axes of the constant that they go to."""
    places = space(len(this.axes) - 2) if this.name == "kernel" else ()
    gone = [d for d in trace.axes if d is not None and this.axes[d] in places]
    # A convolution along one dimension may be carried out along two: the places are named by how many there are.
    renamed = dict(zip(sorted(gone), space(len(gone)), strict=True))
    names = []
    for axis, d in enumerate(trace.axes):
        known = None if d is None else renamed.get(d, this.axes[d])
        names.append(known or ("1" if shape[axis] == 1 else f"axis {axis}"))
    if this.name == "bias" and shape and sum(n > 1 for n in shape) <= 1:
        names[max(range(len(shape)), key=shape.__getitem__)] = "out"
    by_channel = this.group > 1 and trace.path and op == "Conv"
    return _depthwise(names, trace) if by_channel else tuple(names)


def _depthwise(names: list[str], trace: Trace) -> tuple[str, ...]:
    """A kernel for each channel, as Keras has it: the outputs are made of input channels and their multiples."""
    outs = [k for k, name in enumerate(names) if name == "out"]
    if len(outs) == 2:
        major, minor = sorted(outs, key=lambda k: -trace.steps[k])
        names[major], names[minor] = "in", "multiplier"
    elif len(outs) == 1 and "in" in names[outs[0] :]:
        names[names.index("in")], names[outs[0]] = "multiplier", "in"
    return tuple(names)


def _ungrouped(kernels: Array, group: int) -> Array:
    """Of a transposed convolution in groups, which has its outputs once for all groups: (out, in of its group, ...)."""
    per, ins, *rest = kernels.shape
    return kernels.reshape(per, group, ins // group, *rest).swapaxes(0, 1).reshape(per * group, ins // group, *rest)


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
