"""One call of a layer: the nodes that it adds, the variables that it reads, the options that it has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.frontends.direct.network import Network
from onnx2graphml.frontends.direct.stored import Variables
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value, broadcast

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
        dtype: that the layer computes in.
        owner: before the names of its variables; the layer's name unless it is a part of another one.
    """

    def __init__(
        self,
        network: Network,
        layer: str,
        options: Mapping[str, Any],
        variables: Variables,
        made: Made,
        dtype: np.dtype[Any],
        owner: str | None = None,
    ) -> None:
        self.network, self.layer, self.options, self.dtype = network, layer, options, dtype
        self.variables, self._made, self.owner = variables, made, owner or layer

    def __getitem__(self, option: str) -> Any:
        return self.options[option]

    # ---------------------------------------------------------------------------------------------------- variables

    def weights(self, **shapes: Shape) -> list[Value]:
        """The layer's variables, which training changes: by name, of these shapes, in the order of the file."""
        return self.kept(shapes, {})

    def kept(self, trained: Mapping[str, Shape], measured: Mapping[str, Shape]) -> list[Value]:
        """The same, and those behind them that training does not change by gradients."""
        path = self.variables.path
        if path not in self._made:
            stored, wanted = self.variables.stored(), {**trained, **measured}
            require([s.shape for s in stored] == list(wanted.values()), f"variables of {path}")
            require(all(s.dtype == self.dtype or s.dtype.kind == "i" for s in stored), f"types of variables of {path}")
            self._made[path] = [
                self.network.weight(f"{self.owner}/{name}", each, name in trained)
                for name, each in zip(wanted, stored, strict=True)
            ]
        return self._made[path]

    def part(self, group: str, name: str, options: Mapping[str, Any]) -> Call:
        """The call of a layer inside of this one.

        Args:
            group: of its variables, within those of the layer.
            name: its own.
            options: its own.
        """
        within = self.variables.within(group)
        return Call(self.network, self.layer, options, within, self._made, self.dtype, f"{self.owner}/{name}")

    # -------------------------------------------------------------------------------------------------------- nodes

    def number(self, value: float, like: Value | None = None) -> Value:
        """A number of the layer's type, or of another value's."""
        return self.array(np.array(value, like.dtype if like else self.dtype))

    def integers(self, values: Sequence[int]) -> Value:
        """Whole numbers, as sizes and axes are given."""
        return self.array(np.array(values, np.int64))

    def array(self, values: npt.NDArray[Any]) -> Value:
        """A constant."""
        return self.network.constant(f"{self.layer}/constant", values)

    def node(
        self, op: str, *inputs: Value | None, shape: Shape, dtype: Any = None, name: str = "", **attributes: Any
    ) -> Value:
        """Any node of one output; its type is that of its first input, unless told."""
        kind = np.dtype(dtype) if dtype is not None else inputs[0].dtype if inputs and inputs[0] else self.dtype
        (made,) = self.network.node(op, inputs, [(shape, kind)], name=name or op, layer=self.layer, **attributes)
        return made

    def unary(self, op: str, x: Value, **attributes: Any) -> Value:
        """A node that computes each element from one."""
        return self.node(op, x, shape=x.shape, **attributes)

    def binary(self, op: str, a: Like, b: Like, dtype: Any = None) -> Value:
        """A node that computes each element from one of either side."""
        left = a if isinstance(a, Value) else self.number(a, b if isinstance(b, Value) else None)
        right = b if isinstance(b, Value) else self.number(b, left)
        require(left.dtype == right.dtype, f"{op} of {left.dtype} and {right.dtype}")
        return self.node(op, left, right, shape=broadcast([left.shape, right.shape]), dtype=dtype)

    def cast(self, x: Value, dtype: Any) -> Value:
        """The same numbers in another type."""
        from onnx import helper

        kind = np.dtype(dtype)
        return x if x.dtype == kind else self.unary("Cast", x, to=helper.np_dtype_to_tensor_dtype(kind), dtype=kind)

    def reshape(self, x: Value, shape: Shape) -> Value:
        """The same numbers in another shape."""
        require(math.prod(shape) == x.size, f"{x.shape} as {shape}")
        return x if shape == x.shape else self.node("Reshape", x, self.integers(shape), shape=shape)

    def transpose(self, x: Value, order: Sequence[int], own: bool = True) -> Value:
        """Axes in another order; `own` where the layer itself does it, not only ONNX' way to have channels."""
        if list(order) == list(range(x.rank)):
            return x
        shape = tuple(x.shape[a] for a in order)
        layer = self.layer if own else None
        name = "Transpose" if own else f"{self.layer}/Transpose"
        (made,) = self.network.node("Transpose", [x], [(shape, x.dtype)], name=name, layer=layer, perm=list(order))
        return made

    def squeeze(self, x: Value, axes: Sequence[int]) -> Value:
        """Without axes of size 1."""
        shape = tuple(n for a, n in enumerate(x.shape) if a not in axes)
        return self.node("Squeeze", x, self.integers(axes), shape=shape)

    def unsqueeze(self, x: Value, axes: Sequence[int]) -> Value:
        """With axes of size 1, at these places of the result."""
        sizes = iter(x.shape)
        shape = tuple(1 if a in axes else next(sizes) for a in range(x.rank + len(axes)))
        return self.node("Unsqueeze", x, self.integers(axes), shape=shape)

    def reduce(self, op: str, x: Value, axes: Sequence[int], keep: bool) -> Value:
        """One element for all along these axes."""
        shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape) if keep or a not in axes)
        if op == "ReduceSum":
            return self.node(op, x, self.integers(axes), shape=shape, keepdims=int(keep))
        return self.node(op, x, shape=shape, axes=list(axes), keepdims=int(keep))

    def slice(self, x: Value, axis: int, start: int, stop: int, step: int = 1) -> Value:
        """Some elements along an axis."""
        n = len(range(x.shape[axis])[start:stop:step])
        shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
        ends = [self.integers([each]) for each in (start, stop, axis, step)]
        return self.node("Slice", x, *ends, shape=shape)

    def concat(self, values: Iterable[Value], axis: int) -> Value:
        """Tensors one after the other."""
        parts = list(values)
        shape = (*parts[0].shape[:axis], sum(p.shape[axis] for p in parts), *parts[0].shape[axis + 1 :])
        return self.node("Concat", *parts, shape=shape, axis=axis)

    def pad(self, x: Value, before: Sequence[int], after: Sequence[int]) -> Value:
        """Zeros around a tensor, so many before and after it along each axis."""
        shape = tuple(b + n + a for b, n, a in zip(before, x.shape, after, strict=True))
        return self.node("Pad", x, self.integers([*before, *after]), shape=shape)

    def matmul(self, a: Value, b: Value) -> Value:
        """The product of matrices."""
        require(a.rank >= 2 and b.rank >= 2 and a.shape[-1] == b.shape[-2], f"{a.shape} times {b.shape}")
        shape = (*broadcast([a.shape[:-2], b.shape[:-2]]), a.shape[-2], b.shape[-1])
        return self.node("MatMul", a, b, shape=shape)
