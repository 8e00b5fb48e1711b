"""Which of a model's arrays an ONNX node's constant comes from, and where each axis of an array has gone.

A framework's array seldom reaches its node as it is: exporters transpose kernels, reshape biases, and fold a batch
normalization into a factor and a summand. The nodes that did it are still in the model: transpositions alone are
composed, everything else is run once more for each axis, with a slice of the array made NaN. Where that comes out,
the axis has gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.model import Model, is_float
from onnx2graphml.model.folding import READ_FOR_TYPE

Array = npt.NDArray[Any]

UNCHANGED = ("Identity", "Cast", "CastLike")  # the values stay; a cast rounds, but moves nothing


@dataclass(frozen=True)
class Trace:
    """How one array goes into one constant of a node.

    Attributes:
        array, constant: their names.
        path: the operators in between, in order; empty where the constant is the array itself.
        axes: per axis of the array, the axis of the constant that it has gone to; None where that can't be said.
        steps: per axis of the array, how far one step along it leads along that axis of the constant.
        alone: whether nothing else goes into the constant.
    """

    array: str
    constant: str
    path: tuple[str, ...]
    axes: tuple[int | None, ...]
    steps: tuple[int, ...]
    alone: bool


class Traces:
    """The origins of a model's constants.

    Example:
        >>> import onnx2graphml
        >>> traces = Traces(onnx2graphml.load("fixtures/digits.onnx").model)
        >>> (trace,) = traces.into("conv1/BiasAdd__12")
        >>> trace.array, trace.path, trace.axes
        ('conv1/kernel', ('Transpose',), (2, 3, 1, 0))
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._kernels = {n.input[1] for n in model.proto.graph.node if n.op_type in ("Conv", "ConvTranspose")}
        self._made = {o for node in model.proto.graph.node if self._keeps_arrays(node) for o in node.output}

    def into(self, constant: str) -> list[Trace]:
        """The arrays that a constant is made of: initializers, values of Constant nodes, and what was quantized."""
        nodes = self._nodes_before(constant)
        made = {o for node in nodes for o in node.output}
        read = [i for node in nodes for i in _values_read(node)] or [constant]
        arrays = list(dict.fromkeys(i for i in read if i not in made and self._is_array(i)))
        return [self._trace(array, constant, nodes, len(arrays) == 1) for array in arrays]

    def _is_array(self, name: str) -> bool:
        return name in self._model.constants and is_float(self._model.constants[name].dtype)

    def _keeps_arrays(self, node: onnx.NodeProto) -> bool:
        """Whether a constant node's output is looked behind: it is made of other arrays, not dequantized or filled."""
        constant = all(o in self._model.constants for o in node.output if o)
        return constant and node.op_type != "DequantizeLinear" and any(map(self._is_array, _values_read(node)))

    def _nodes_before(self, constant: str) -> list[onnx.NodeProto]:
        """The nodes that make a constant, in the model's order."""
        wanted, kept = {constant}, []
        for node in reversed(self._model.proto.graph.node):
            if any(o in self._made and o in wanted for o in node.output):
                wanted.update(_values_read(node))
                kept.append(node)
        return kept[::-1]

    def _trace(self, array: str, constant: str, nodes: list[onnx.NodeProto], alone: bool) -> Trace:
        reached, path = {array}, []
        for node in nodes:
            if reached & set(_values_read(node)):
                reached |= set(node.output)
                path.append(node)
        ops = tuple(node.op_type for node in path)
        if alone and set(ops) <= {"Transpose", *UNCHANGED}:
            axes = self._transposed(array, path)
            return Trace(array, constant, ops, axes, (1,) * len(axes), alone)
        axes, steps = self._followed(array, constant, path)
        return Trace(array, constant, ops, axes, steps, alone)

    def _transposed(self, array: str, path: list[onnx.NodeProto]) -> tuple[int | None, ...]:
        rank = self._model.constants[array].ndim
        order = list(range(rank))  # per axis of the constant, the array's
        for node in path:
            if node.op_type == "Transpose":
                given = [list(a.ints) for a in node.attribute if a.name == "perm"]
                order = [order[k] for k in (given[0] if given else range(rank)[::-1])]
        return tuple(order.index(a) for a in range(rank))

    def _followed(
        self, array: str, constant: str, path: list[onnx.NodeProto]
    ) -> tuple[tuple[int | None, ...], tuple[int, ...]]:
        """Axes and steps, each by what a NaN in one slice of the array makes of the constant."""
        source, target = self._model.constants[array], self._model.constants[constant]
        axes: list[int | None] = [None] * source.ndim
        steps = [1] * source.ndim
        for axis in (a for a in range(source.ndim) if source.shape[a] > 1):
            marked = source.copy()
            marked[(slice(None),) * axis + (1,)] = np.nan
            found = np.isnan(self._evaluated(array, marked, constant, path))
            reached = [found.any(axis=tuple(b for b in range(target.ndim) if b != d)) for d in range(target.ndim)]
            narrow = [d for d in range(target.ndim) if not reached[d].all()]
            if len(narrow) == 1:
                axes[axis], steps[axis] = narrow[0], int(reached[narrow[0]].argmax())
        if source.shape == target.shape:  # a norm spreads one element over all: the axes that remain stay in place
            axes = [
                d if a is None and n > 1 and d not in axes else a
                for d, (a, n) in enumerate(zip(axes, source.shape, strict=True))
            ]
        free = [d for d in range(target.ndim) if target.shape[d] == 1 and d not in axes]
        single = [a for a in range(source.ndim) if source.shape[a] == 1 and axes[a] is None]
        if self._model.channels_last and constant in self._kernels:
            # A kernel (..., in, out) that is reshaped to (out, in, ...), since no value moves.
            for d in (0, 1):
                if single and d in free:
                    axes[single.pop()] = d
                    free.remove(d)
        for axis, d in zip(single, free, strict=False):
            axes[axis] = d
        return tuple(axes), tuple(steps)

    def _evaluated(self, array: str, value: Array, constant: str, path: list[onnx.NodeProto]) -> Array:
        from onnx.reference import ReferenceEvaluator

        made = {o for node in path for o in node.output}
        read = {i for node in path for i in node.input if i} - made
        # What is read for its type alone may be no constant at all; the array stands in for it.
        feeds = {i: self._model.constants.get(i, value) for i in read} | {array: value}
        info = onnx.helper.make_empty_tensor_value_info
        graph = onnx.helper.make_graph(path, "constants", [info(i) for i in feeds], [info(constant)])
        imports = list(self._model.proto.opset_import)
        model = onnx.helper.make_model(graph, opset_imports=imports, ir_version=self._model.proto.ir_version)
        with np.errstate(all="ignore"):
            (found,) = ReferenceEvaluator(model).run(None, feeds)
        return np.asarray(found)


def _values_read(node: onnx.NodeProto) -> list[str]:
    """The inputs that are read for their values, not only for their shape or type."""
    skipped = READ_FOR_TYPE.get(node.op_type)
    return [i for k, i in enumerate(node.input) if i and k != skipped]
