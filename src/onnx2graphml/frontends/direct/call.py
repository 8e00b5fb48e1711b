"""One call of a layer: the nodes that it adds, the variables that it reads, the options that it has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import helper

from onnx2graphml.frontends.direct.network import Network
from onnx2graphml.frontends.direct.policies import FLOATS, Policy, is_float, promoted, written
from onnx2graphml.frontends.direct.registry import DTYPE
from onnx2graphml.frontends.direct.stored import Variables, Wanted
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value, broadcast

Like = Value | float
Made = dict[str, list[Value]]
"""Variables that were made already, by the path of their group: a layer that is called again reads the same."""


class Call:
    """What a layer's function is given. Its methods add one node each and are named as ONNX names it.

    Args:
        network: is added to.
        layer: the layer's name, with those of the models around it.
        options: its own.
        variables: of the layer in the file.
        made: those of all layers that were made already.
        policy: what types the layer has.
        owner: before the names of its variables; the layer's name unless it is a part of another one.
        again: whether the layer was called before.
    """

    def __init__(
        self,
        network: Network,
        layer: str,
        options: Mapping[str, Any],
        variables: Variables,
        made: Made,
        policy: Policy,
        owner: str | None = None,
        again: bool = False,
    ) -> None:
        self.again, self.scope = again, network.scope
        self.network, self.layer, self.options = network, layer, options
        self.policy, self.dtype = policy, policy.compute
        self.variables, self._made, self.owner = variables, made, owner or layer

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    def later(self, make: Callable[[], Value]) -> Mask:
        """A mask that this layer makes, if something asks for it."""
        return Mask(lambda: self.network.within(self.scope, make))

    # ---------------------------------------------------------------------------------------------------- variables

    def weights(self, **shapes: Shape) -> list[Value]:
        """The layer's variables, which training changes: by name, of these shapes, in the order of the file."""
        return self.kept(shapes, {})

    def kept(
        self,
        trained: Mapping[str, Shape],
        measured: Mapping[str, Shape],
        dtype: np.dtype[Any] | None = None,
        rounded: bool = False,
    ) -> list[Value]:
        """The same, and those behind them that training does not change by gradients.

        They are cast to the type that the layer computes in, or to another one; `rounded` where Keras has done so
        before it makes the network.
        """
        path = self.variables.path
        if path not in self._made:
            wanted = Wanted(trained, measured, self.policy.variable)
            stored = self.variables.stored(wanted, self.dtype if rounded else None)
            made = [
                self.network.weight(f"{self.owner}/{name}", each, name in trained)
                for name, each in zip(wanted.shapes, stored, strict=True)
            ]
            self._made[path] = [self.cast(v, dtype or self.dtype) if is_float(v.dtype) else v for v in made]
        return self._made[path]

    def part(self, group: str, name: str, options: Mapping[str, Any], own_types: bool = False) -> Call:
        """The call of a layer inside of this one.

        Args:
            group: of its variables, within those of the layer.
            name: its own.
            options: its own.
            own_types: whether it may have other types than this layer.

        Raises:
            UncoveredError: it has other types, and may not.
        """
        policy = options.get(DTYPE, self.policy)
        require(own_types or policy == self.policy, f"the type of {name} in {self.layer}")
        within = self.variables.within(group, name)
        owner = f"{self.owner}/{name}" if name else self.owner
        return Call(self.network, self.layer, options, within, self._made, policy, owner)

    # -------------------------------------------------------------------------------------------------------- nodes

    def number(self, value: float, like: Value | None = None) -> Value:
        """A number of the layer's type, or of another value's."""
        require(isinstance(value, int | float), f"the number {value!r}")
        return self.array(np.array(value, like.dtype if like else self.dtype))

    def integers(self, values: Sequence[int]) -> Value:
        """Whole numbers, as sizes and axes are given."""
        return self.array(np.array(values, np.int64))

    def array(self, values: npt.NDArray[Any], dtype: np.dtype[Any] | None = None) -> Value:
        """A constant, which is small beside the weights; of the array's type, unless told."""
        return self.network.constant(f"{self.layer}/constant", values, dtype)

    def single(self, values: Any, dtype: np.dtype[Any]) -> Value:
        """Numbers that Keras makes in float32 and casts, which an exporter does beforehand."""
        return self.array(np.array(values, np.float32).astype(written(dtype)), dtype)

    def inverse(self, value: float, like: Value) -> Value:
        """What a division by a number multiplies with, as TensorFlow rounds it."""
        rounded = np.array(value, like.dtype).astype(written(like.dtype))
        return self.array(np.reciprocal(rounded), like.dtype)

    def node(
        self,
        op: str,
        *inputs: Value | None,
        shape: Shape,
        dtype: Any = None,
        name: str = "",
        floating: bool = False,
        **attributes: Any,
    ) -> Value:
        """Any node of one output; its type is that of its first input, unless told. For `floating` see `Network`."""
        kind = np.dtype(dtype) if dtype is not None else inputs[0].dtype if inputs and inputs[0] else self.dtype
        (made,) = self.network.node(
            op, inputs, [(shape, kind)], name=name or op.lower(), layer=self.layer, floating=floating, **attributes
        )
        return made

    def unary(self, op: str, x: Value, **attributes: Any) -> Value:
        """A node that computes each element from one."""
        return self.node(op, x, shape=x.shape, **attributes)

    def compare(self, op: str, a: Value, b: Like, name: str = "", floating: bool = False) -> Value:
        """A node that compares each element with a number, which is a neuron of the node's name in the graph."""
        right = b if isinstance(b, Value) else self.number(b, a)
        return self.node(op, a, right, shape=a.shape, dtype=bool, name=name or op, floating=floating)

    def binary(self, op: str, a: Like, b: Like, name: str = "") -> Value:
        """A node that computes each element from one of either side."""
        left = a if isinstance(a, Value) else self.number(a, b if isinstance(b, Value) else None)
        right = b if isinstance(b, Value) else self.number(b, left)
        require(left.dtype == right.dtype, f"{op} of {left.dtype} and {right.dtype}")
        return self.node(op, left, right, shape=broadcast([left.shape, right.shape]), name=name)

    def keras_sum(self, x: Value, y: Value) -> Value:
        """A sum by Keras, which takes for a bias of the second axis what has its size, and belongs to another one."""
        wide = [n for n in y.shape if n > 1]
        if len(wide) == 1 and x.rank > 2 and wide[0] == x.shape[1] != x.shape[-1]:
            own = y.rank - y.shape.index(wide[0])
            require(own == x.rank - 1, f"a sum of {x.shape} and {y.shape}, which Keras adds along another axis")
        return self.binary("Add", x, y)

    def cast(self, x: Value, dtype: Any, name: str = "", floating: bool = False) -> Value:
        """The same numbers in another type."""
        kind = np.dtype(dtype)
        if x.dtype == kind:
            return x
        to = helper.np_dtype_to_tensor_dtype(written(kind))
        return self.unary("Cast", x, to=to, dtype=kind, name=name, floating=floating)

    def long(self, x: Value) -> Value:
        """In float32 at least, as Keras has what short numbers are too coarse for."""
        return self.cast(x, promoted([x.dtype, FLOATS["float32"]]))

    def reshape(self, x: Value, shape: Shape, own: bool = True) -> Value:
        """The same numbers in another shape; for `own` see `transpose`."""
        require(math.prod(shape) == x.size, f"{x.shape} as {shape}")
        return x if shape == x.shape else self._moved("Reshape", [x, self.integers(shape)], shape, own)

    def transpose(self, x: Value, order: Sequence[int], own: bool = True) -> Value:
        """Axes in another order; `own` where the layer itself does it, not only ONNX' way to have channels."""
        if list(order) == list(range(x.rank)):
            return x
        return self._moved("Transpose", [x], tuple(x.shape[a] for a in order), own, perm=list(order))

    def _moved(self, op: str, inputs: list[Value], shape: Shape, own: bool, **attributes: Any) -> Value:
        name, layer = (op.lower(), self.layer) if own else (op, None)
        kind = [(shape, inputs[0].dtype)]
        self.network.turns |= not own and inputs[0].name not in self.network.still
        (made,) = self.network.node(
            op, inputs, kind, name=name, layer=layer, tensor=f"{self.layer}/{op.lower()}", **attributes
        )
        return made

    def steps(self, x: Value) -> Value:
        """A series with its steps first. TensorFlow does that once for several layers: the first one has it."""
        require(x.rank > 2, f"steps of {x.shape}")
        if x.name not in self.network.steps:
            self.network.steps[x.name] = self.reshape(x, (x.shape[1], 1, *x.shape[2:]))
        found = self.network.steps[x.name]
        own = x.rank == 3 or found.name.startswith(f"{self.layer}/")
        require(own, f"steps of {x.shape} that two layers read, of which TensorFlow chooses one")
        return found

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Without axes of size 1."""
        shape = tuple(n for a, n in enumerate(x.shape) if a not in axes)
        return self.node("Squeeze", x, self.integers(axes), shape=shape)

    def unsqueeze(self, x: Value, axes: Sequence[int], name: str = "") -> Value:
        """With axes of size 1, at these places of the result."""
        sizes = iter(x.shape)
        shape = tuple(1 if a in axes else next(sizes) for a in range(x.rank + len(axes)))
        return self.node("Unsqueeze", x, self.integers(axes), shape=shape, name=name)

    def reduce(self, op: str, x: Value, axes: Sequence[int], keep: bool, name: str = "") -> Value:
        """One element for all along these axes."""
        shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape) if keep or a not in axes)
        if op == "ReduceSum":
            return self.node(op, x, self.integers(axes), shape=shape, name=name, keepdims=int(keep))
        return self.node(op, x, shape=shape, name=name, axes=list(axes), keepdims=int(keep))

    def slice(self, x: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
        """Some elements along an axis."""
        n = len(range(x.shape[axis])[start:stop:step])
        shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
        ends = [self.integers([each]) for each in (start, stop, axis, step)]
        return self.node("Slice", x, *ends, shape=shape)

    def concat(self, values: Iterable[Value], axis: int, name: str = "") -> Value:
        """Tensors one after the other."""
        parts = list(values)
        shape = (*parts[0].shape[:axis], sum(p.shape[axis] for p in parts), *parts[0].shape[axis + 1 :])
        return self.node("Concat", *parts, shape=shape, name=name, axis=axis)

    def split(self, x: Value, parts: int, axis: int) -> list[Value]:
        """A tensor in so many equal parts along an axis."""
        require(x.shape[axis] % parts == 0, f"{x.shape} in {parts} parts")
        shape = (*x.shape[:axis], x.shape[axis] // parts, *x.shape[axis + 1 :])
        return self.network.node("Split", [x], [(shape, x.dtype)] * parts, name="split", layer=self.layer, axis=axis)

    def mean(self, x: Value, axes: Sequence[int]) -> Value:
        """The mean along some axes, which are kept; as a pooling where they are all behind the second."""
        if list(axes) == list(range(2, x.rank)):
            return self.node("GlobalAveragePool", x, shape=(*x.shape[:2], *[1] * (x.rank - 2)))
        return self.reduce("ReduceMean", x, axes, True)

    def gemm(self, x: Value, kernel: Value, bias: Value) -> Value:
        """A product of matrices and a sum: one node in the one type that an exporter joins them in."""
        require(x.rank == kernel.rank == 2 and x.shape[1] == kernel.shape[0], f"{x.shape} times {kernel.shape}")
        if not self.joins(x):
            return self.binary("Add", self.matmul(x, kernel), bias)
        return self.node("Gemm", x, kernel, bias, shape=(x.shape[0], kernel.shape[1]))

    def joins(self, x: Value) -> bool:
        """Whether an exporter makes one node of a product of matrices and a sum."""
        return written(x.dtype) == np.float32

    def pad(self, x: Value, before: Sequence[int], after: Sequence[int]) -> Value:
        """Zeros around a tensor, so many before and after it along each axis; of half numbers as of longer ones."""
        if x.dtype == np.float16:
            return self.cast(self.pad(self.long(x), before, after), x.dtype)
        shape = tuple(b + n + a for b, n, a in zip(before, x.shape, after, strict=True))
        return self.node("Pad", x, self.integers([*before, *after]), shape=shape)

    def matmul(self, a: Value, b: Value) -> Value:
        """The product of matrices."""
        require(a.rank >= 2 and b.rank >= 2 and a.shape[-1] == b.shape[-2], f"{a.shape} times {b.shape}")
        shape = (*broadcast([a.shape[:-2], b.shape[:-2]]), a.shape[-2], b.shape[-1])
        return self.node("MatMul", a, b, shape=shape)
