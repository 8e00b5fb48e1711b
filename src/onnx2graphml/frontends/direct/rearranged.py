"""What TensorFlow and tf2onnx move from one layer to another, or leave out: a network that has it goes their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass

import onnx

from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape

SUMS, PRODUCTS = ("Add", "Sub"), ("Mul", "Div")

PASSED = frozenset(
    (
        "Abs", "Add", "ArgMax", "ArgMin", "Cast", "Clip", "Concat", "Elu", "Erf", "Exp", "Identity", "LeakyRelu", "Log",
        "LogSoftmax", "Max", "Min", "Mul", "Neg", "PRelu", "Pad", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin",
        "ReduceProd", "ReduceSum", "Relu", "Selu", "Sigmoid", "Slice", "Softmax", "Softplus", "Split", "Sqrt",
        "Squeeze", "Sub", "Tanh", "Tile", "Unsqueeze",
    )
)  # fmt: skip
"""Operators that tf2onnx moves a transposition across, so that it meets another one and both vanish."""

SEVERAL, BIASED, BARE = "several", "biased", "bare"
"""How TensorFlow makes a value with channels last and brings them first: by several nodes, or by one and a bias."""

ELEMENTWISE = PASSED - {"Concat", "Pad", "Slice", "Split", "Squeeze", "Tile", "Unsqueeze"}
ENDING = ("Conv", "Reshape", "Transpose", "ConvTranspose", "MaxPool", "AveragePool")
"""Those that no transposition is moved across; the latter ones of pictures only."""


@dataclass(frozen=True)
class Drawn:
    """A network before it is finished.

    Attributes:
        nodes: in an order in which each can be computed.
        call_of: the number of the call that a node belongs to, by name; None for one between layers.
        shapes: of all tensors, by name.
        constants: the names of those that are constants.
        outputs: the names of those that are outputs.
        turned: the names of those that TensorFlow makes with channels last, and brings first; and how: by
            several nodes, or with a sum at the end, or without.
    """

    nodes: Sequence[onnx.NodeProto]
    call_of: Mapping[str, int | None]
    shapes: Mapping[str, Shape]
    constants: Collection[str]
    outputs: Set[str]
    turned: Mapping[str, str]

    def require_kept(self) -> None:
        """Leave a network to TensorFlow, of which that would change what a layer computes, or where it stands.

        Raises:
            UncoveredError: numbers of two layers that would become one, or a transposition that would move.
        """
        makers = {name: node for node in self.nodes for name in node.output}
        readers = Counter(name for node in self.nodes for name in node.input)
        for node in self.nodes:
            for name in node.input:
                if name in makers:
                    self._require_numbers_kept(makers[name], node, readers[name])
                    self._require_sums_kept(makers[name], node, makers)
        self._require_first_kept()
        self._require_order_kept()

    def _require_first_kept(self) -> None:
        """Two transpositions around a layer vanish where nothing takes one of them further, or to an output."""
        turned = dict(self.turned)
        makers = {name: node for node in self.nodes for name in node.output}
        readers = Counter(name for node in self.nodes for name in node.input)
        for name in turned.keys() & makers.keys():
            made = makers[name]
            before = makers.get(made.input[0])
            row = len(self.shapes[name]) == 3 and made.op_type in ("AveragePool", "Conv", "MaxPool")
            free = not row or before is None or before.op_type in ("Conv", "ConvTranspose")
            require(free, f"channels first before {name}")
        for node in self.nodes:
            for name in turned.keys() & set(node.input):
                shape, how = self.shapes[name], turned[name]
                if node.op_type in (ENDING if len(shape) == 4 else ENDING[:3]):
                    continue
                only = readers[name] == 1 and sum(each not in self.constants for each in node.input) == 1
                plain = len(shape) == 4 and max(shape[2:]) > 1 and node.op_type in ELEMENTWISE
                plain = plain and how != SEVERAL and not (how == BARE and only)
                free = self.outputs.isdisjoint([name, *node.output])
                require(plain and free, f"channels first between {name} and {node.name}")
                turned |= dict.fromkeys(node.output, BIASED)

    def _of_different_layers(self, one: onnx.NodeProto, other: onnx.NodeProto) -> bool:
        return self.call_of[one.name] != self.call_of[other.name]

    def _require_numbers_kept(self, before: onnx.NodeProto, node: onnx.NodeProto, readers: int) -> None:
        """TensorFlow computes c + (x + y) as x + (c + y), and so for products."""
        for kind in (SUMS, PRODUCTS):
            moved = before.op_type in kind and node.op_type in kind and readers == 1 and self._has_number(node)
            require(
                not moved or not self._of_different_layers(before, node),
                f"a number of {node.name} and what {before.name} computes",
            )

    def _require_sums_kept(
        self, before: onnx.NodeProto, node: onnx.NodeProto, makers: Mapping[str, onnx.NodeProto]
    ) -> None:
        """Of a product of matrices, a number and a sum, tf2onnx makes one node."""
        if node.op_type != "Add" or len(self.shapes[before.output[0]]) != 2:
            return
        products = [before]
        if before.op_type == "Mul" and self._has_number(before):
            products += [makers[name] for name in before.input if name in makers]
        for product in products:
            one = product.op_type == "MatMul" and self._of_different_layers(product, node)
            require(not one, f"a sum behind {product.name}")

    def _has_number(self, node: onnx.NodeProto) -> bool:
        return any(name in self.constants and self.shapes[name] in ((), (1,)) for name in node.input)

    def _require_order_kept(self) -> None:
        """Where a tensor has ONNX' order of axes, nothing may stand that depends on the order."""
        readers: dict[str, list[onnx.NodeProto]] = {}
        for node in self.nodes:
            for name in node.input:
                readers.setdefault(name, []).append(node)
        alone = Counter(self.call_of[node.name] for node in self.nodes)
        turned = Counter((node.input[0], str(node.attribute)) for node in self.nodes if node.op_type == "Transpose")
        moved: set[str] = set()
        cast: set[str] = set()
        for node in self.nodes:
            behind = [each for name in node.output for each in readers.get(name, [])]
            is_moved, is_layer = not moved.isdisjoint(node.input), alone[self.call_of[node.name]] == 1
            if is_layer and node.op_type == "Transpose":
                free = all(each.op_type not in PASSED and not self._is_between(each) for each in behind)
                once = turned[node.input[0], str(node.attribute)] == 1
                require(self._is_between(node) or (free and once and not is_moved), f"the order of axes of {node.name}")
            elif self._turns(node):
                require(not self._is_at_end(node, behind), f"the order of axes behind {node.name}")
            if node.op_type in ("Unsqueeze", "Squeeze") and (is_layer or node.input[0] in cast):
                require(not is_moved, f"the axes of {node.name}")
            cast.update(node.output if node.op_type == "Cast" else ())
            if node.op_type in ("Softmax", "LogSoftmax"):
                self._require_shares_kept(node, self._is_read(node, behind), is_moved)
            if (self._is_between(node) and _to_back(node)) or (is_moved and node.op_type in PASSED):
                moved.update(node.output)
                is_output = not set(self.outputs).isdisjoint(node.output)
                joins = len(moved.intersection(node.input)) > 1 and bool(behind)
                plain = self._is_between(node) or node.op_type == "Relu"
                free = not joins and not any(
                    self._passes(each) or (self._is_between(each) and not plain) for each in behind
                )
                require(free or not is_output, f"what {node.name} makes is read, too")

    def _turns(self, node: onnx.NodeProto) -> bool:
        """Whether a layer of several nodes changes the order of axes; steps and a batch of one change by a Reshape."""
        if node.op_type == "Reshape":
            return self.shapes[node.input[0]][:1] != self.shapes[node.output[0]][:1]
        return node.op_type == "Transpose" and not self._is_between(node)

    def _is_at_end(self, node: onnx.NodeProto, behind: Sequence[onnx.NodeProto]) -> bool:
        """Whether a transposition would move from the end of its layer to behind the next one, or of a row into it."""
        row = node.op_type == "Transpose" and len(self.shapes[node.output[0]]) == 3
        if row and any(self._is_between(each) for each in behind):
            return True
        if len(behind) != 1 or behind[0].op_type not in PASSED or not self._of_different_layers(node, behind[0]):
            return False
        return sum(name not in self.constants for name in behind[0].input) == 1

    def _is_read(self, node: onnx.NodeProto, behind: Sequence[onnx.NodeProto]) -> bool:
        """Whether something reads what a node makes as it is: nothing does if its own layer turns the axes first."""
        return any(each.op_type != "Transpose" or self._of_different_layers(node, each) for each in behind)

    def _is_between(self, node: onnx.NodeProto) -> bool:
        return self.call_of[node.name] is None

    def _require_shares_kept(self, node: onnx.NodeProto, is_read: bool, is_moved: bool) -> None:
        """TensorFlow has a Softmax of the last axis alone, and transposes for another one."""
        shape = self.shapes[node.output[0]]
        last = next(each.i for each in node.attribute if each.name == "axis") % len(shape) == len(shape) - 1
        require(last or not (is_read or is_moved), f"shares along another axis than the last in {node.name}")
        require(1 not in shape[1:] or not is_moved, f"axes of size 1 in {node.name}")

    def _passes(self, node: onnx.NodeProto) -> bool:
        """Whether a transposition before it moves, for which another one comes to the output."""
        if self._is_between(node):
            return len(self.shapes[node.output[0]]) != 4
        scaled = any(name not in self.constants and len(self.shapes[name]) == 1 for name in node.input)
        return node.op_type in PASSED and not (node.op_type == "Mul" and scaled)  # as by a BatchNormalization


def _to_back(node: onnx.NodeProto) -> bool:
    order = [n for each in node.attribute if each.name == "perm" for n in each.ints]
    return bool(order) and order == [0, *range(2, len(order)), 1]
