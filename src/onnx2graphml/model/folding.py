"""What is constant, computed; of what remains, every shape.

ONNX itself infers the shapes, node by node. A node whose inputs are all constant is evaluated. What remains depends on
the network's input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import ModelError, UnsupportedError, context, reason
from onnx2graphml.model.apart import note_place
from onnx2graphml.model.boundary import about
from onnx2graphml.model.evaluation import evaluated
from onnx2graphml.model.initializers import array
from onnx2graphml.model.limits import MOST_FOLDED, check_folded, check_neurons
from onnx2graphml.model.lowering import add_lowered, can_be_evaluated, is_lowered
from onnx2graphml.model.nodes import Node, node_name, plain, tensor_type, where
from onnx2graphml.model.uniform import filled, is_uniform
from onnx2graphml.model.work import check_kind, check_work, work

Array = npt.NDArray[Any]

READ_FOR_TYPE = {
    "Shape": 0,
    "Size": 0,
    "CastLike": 1,
    "EyeLike": 0,
}  # inputs that are read only for their shape or type
RANDOM = ("Random", "Bernoulli", "Multinomial")
KNOWN_VALUES = 4096  # constants up to this size take part in shape inference: shapes, axes, pads

SIZES: dict[str, Callable[..., float]] = {
    "Compress": lambda x, *_: x.size,
    "GroupNormalization": lambda x, *_: x.size,
    "MeanVarianceNormalization": lambda x: x.size,
    "NonZero": lambda x: x.ndim * x.size,
    "OneHot": lambda indices, depth, _: indices.size * depth.item(),
    "Range": lambda start, limit, delta: (limit.item() - start.item()) / (delta.item() or 1),
    "Unique": lambda x: 4 * x.size,
}
"""At most how many elements come out, for operators of which ONNX doesn't infer it."""


@dataclass(frozen=True)
class Added:
    """A node, the framework's layer that it comes from, and whether the network computes it."""

    proto: onnx.NodeProto
    layer: str | None
    computed: bool


class UnknownShapeError(UnsupportedError):
    """A shape is read that follows from data."""


@dataclass
class Folding:
    """What is known while going through the nodes.

    Attributes:
        around: the model, for its opsets and its version of the format.
        constants: values by name.
        types: of what is computed by the network.
        taken: names of tensors, those among them that come later.
        nodes: all that were added, lowered ones replaced by their parts.
        elements: of all constants that were computed so far, of which there may be `most`.
        work: that it was to compute them; see `work`.
        filled: names of constants of one value throughout, which were not computed.
        parts: how many nodes were added in the place of others.
        same: names of constants, with those that were made in the same way before, and are the same array: layers that
            share weights, as ALBERT's do, share what is made of them.
        sequences: names of the tensors in them, by name.
    """

    opset: int
    around: onnx.ModelProto
    constants: dict[str, Array]
    types: dict[str, onnx.TypeProto]
    taken: set[str]
    nodes: list[Added] = field(default_factory=list)
    elements: int = 0
    most: int = MOST_FOLDED
    work: int = 0
    filled: set[str] = field(default_factory=set)
    parts: int = 0
    same: dict[str, str] = field(default_factory=dict)
    sequences: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _made: dict[bytes, tuple[str, ...]] = field(default_factory=dict)
    _lowering: int = 0

    def add(self, node: onnx.NodeProto, layer: str | None) -> None:
        """Evaluate the next node if it is constant, otherwise infer its outputs' types and keep it.

        Args:
            layer: the framework's layer that it comes from.

        Raises:
            ModelError: the shapes of its inputs don't fit.
            UnsupportedError: it is none of ONNX's operators, or constant but can't be evaluated.
            TooLargeError: of its output.
        """
        place = where(node_name(node), node.op_type, layer, self.opset, node.domain)
        note_place(place)
        with context(place), about("its inputs and attributes don't fit together"):
            self._add(node, layer)

    def _add(self, node: onnx.NodeProto, layer: str | None) -> None:
        given = [i for i in node.input if i]
        values = {i: self.constants[i] for i in given if i in self.constants}
        if (position := READ_FOR_TYPE.get(node.op_type)) is not None:
            asked = given[position]
            if asked in self.types and given.count(asked) == 1:
                values[asked] = _stand_in(self.types[asked])
        constant = len(values) == len(set(given)) and not _is_random(node)
        if is_lowered(node, self.opset, self.constants) and not (constant and can_be_evaluated(node)):
            self._take_in_full(self.constants[i] for i in given if i in self.constants)
            self._lower(node, layer)
            return
        if constant:
            if self._lowering or _has_subgraphs(node) or not given:
                self.constants |= self._folded(node, values)
            else:
                node = self._folded_once(node, values)
            self.nodes.append(Added(node, layer, computed=False))
            return
        if _has_subgraphs(node):
            raise UnsupportedError("it has subgraphs, and its inputs are computed by the network: no control flow")
        inferred = self._inferred(node, values) | self._told(node)
        for name, proto in inferred.items():
            if (known := tensor_type(proto)) is not None:
                _check_output(name, known.shape)
        self.types |= inferred
        self.nodes.append(Added(node, layer, computed=True))

    def _told(self, node: onnx.NodeProto) -> dict[str, onnx.TypeProto]:
        """The output's type where a constant says its shape, and ONNX's inference doesn't read it."""
        if node.op_type != "MaxUnpool" or len(node.input) < 3 or node.input[2] not in self.constants:
            return {}
        kind = (
            self.types[node.input[0]].tensor_type.elem_type if node.input[0] in self.types else onnx.TensorProto.FLOAT
        )
        shape = self.constants[node.input[2]].tolist()
        return {node.output[0]: onnx.helper.make_tensor_type_proto(kind, shape)}

    def _lower(self, node: onnx.NodeProto, layer: str | None) -> None:
        """Add a node's parts, those that make its outputs under the outputs' names."""
        start = len(self.nodes)
        self._lowering += 1  # names change there
        names = add_lowered(self, node, layer)
        self._lowering -= 1
        for part in self.nodes[start:]:
            part.proto.input[:] = [names.get(i, i) for i in part.proto.input]
            part.proto.output[:] = [names.get(o, o) for o in part.proto.output]
        for sequence, members in self.sequences.items():
            self.sequences[sequence] = tuple(names.get(m, m) for m in members)
        for made, name in names.items():
            known: dict[str, Any] = self.constants if made in self.constants else self.types
            known[name] = known.pop(made)

    def _folded_once(self, node: onnx.NodeProto, values: Mapping[str, Array]) -> onnx.NodeProto:
        """Take the outputs of a node with constant inputs, or those of one like it; it reads the first of its kind."""
        once = onnx.NodeProto()
        once.CopyFrom(node)
        once.input[:] = [self.same.get(i, i) for i in node.input]
        key = onnx.NodeProto(op_type=node.op_type, domain=node.domain, input=once.input, attribute=node.attribute)
        found = self._made.setdefault(key.SerializeToString(deterministic=True), tuple(node.output))
        if found == tuple(node.output) or len(found) != len(node.output):
            self.constants |= self._folded(node, values)
        else:
            self.same |= dict(zip(node.output, found, strict=True))
            self.constants |= {o: self.constants[self.same[o]] for o in node.output if o}
        return once

    def _folded(self, node: onnx.NodeProto, values: Mapping[str, Array]) -> dict[str, Array]:
        """The outputs of a node with constant inputs; refused beforehand if they are too large."""
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            return {node.output[0]: array(node.attribute[0].t)}
        if node.op_type != "Constant":
            check_kind(node, values)
            known = [tensor_type(t) for t in self._inferred(node, values).values()]
            if len(known) == 1 and known[0] and (value := filled(node, values, known[0])) is not None:
                self.filled.add(node.output[0])
                return {node.output[0]: value}
            shapes = [t.shape for t in known if t is not None]
            read = [values[i] for i in _values_read(node)]
            self._take_in_full(read)
            self.elements += self._size(node, values, shapes, len(shapes) == len(known))
            check_folded(self.elements, self.most)
            self.work += work(node, read, shapes)
            check_work(self.work)
        return evaluated(node, values, self.around)

    def _take_in_full(self, values: Iterable[Array]) -> None:
        """Count constants of one value throughout as made: all of their numbers are to be in memory."""
        self.elements += sum(v.size for v in values if is_uniform(v))
        check_folded(self.elements, self.most)

    def _size(
        self, node: onnx.NodeProto, values: Mapping[str, Array], shapes: list[tuple[int, ...]], all_known: bool
    ) -> int:
        """How many elements its outputs have, at most."""
        if all_known:
            return sum(math.prod(shape) for shape in shapes)
        if node.op_type not in SIZES:
            raise UnsupportedError("its inputs are constant, but how large its output is can't be told beforehand")
        try:
            return math.ceil(SIZES[node.op_type](*(values[i] for i in node.input if i)))
        except (ValueError, TypeError, OverflowError) as e:
            raise ModelError(f"its constant inputs make no sense: {reason(e)}") from None

    def _opset_for(self, node: onnx.NodeProto) -> int:
        """The opset that a node's operator is looked up in: that of its own domain."""
        if not node.domain:
            return _inference_opset(node, self.opset)
        return next((int(o.version) for o in self.around.opset_import if o.domain == node.domain), 1)

    def _inferred(self, node: onnx.NodeProto, constant: Mapping[str, Array]) -> dict[str, onnx.TypeProto]:
        """The outputs' types, inferred from the inputs' types and from small constants."""
        _check_axis(node)
        known = {i: self.types[i] for i in node.input if i in self.types}
        values = {}
        for i, value in constant.items():
            if node.op_type == "Range" and value.size == 1:
                value = value.reshape(())  # ONNX's inference refuses arrays of one number, its runtimes take them
            kind = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
            known[i] = onnx.helper.make_tensor_type_proto(kind, value.shape)
            if value.size <= KNOWN_VALUES:
                values[i] = numpy_helper.from_array(np.asarray(value, order="C"), i)
        try:
            schema = onnx.defs.get_schema(node.op_type, self._opset_for(node), node.domain)
        except onnx.defs.SchemaError:
            own = f"{node.op_type} is not one of ONNX's opset {self.opset}"
            other = f"{node.domain}.{node.op_type} is none of ONNX's own"
            raise UnsupportedError(f"operator {other if node.domain else own}") from None
        imports, version = list(self.around.opset_import), self.around.ir_version
        with about("its shapes don't fit"):
            try:
                return onnx.shape_inference.infer_node_outputs(
                    schema, _spelled_out(node), known, values, opset_imports=imports, ir_version=version
                )
            except onnx.checker.ValidationError as e:
                raise ModelError(f"its types don't fit: {reason(e)}") from None


def _inference_opset(node: onnx.NodeProto, opset: int) -> int:
    """The opset whose shape inference is right.

    Before 22, ONNX's counts windows that begin behind a pool's input; before 13, it has no shape for a scalar that is
    transposed; before 16, it has no type for the comparisons that are functions.
    """
    first = {"Transpose": 13, "LessOrEqual": 16, "GreaterOrEqual": 16}
    if node.op_type in first:
        return max(opset, first[node.op_type])
    rounds_up = any(a.name == "ceil_mode" and a.i for a in node.attribute)
    return max(opset, 22) if rounds_up and node.op_type in ("AveragePool", "MaxPool") else opset


def _spelled_out(node: onnx.NodeProto) -> onnx.NodeProto:
    """The node with a default of which ONNX's shape inference takes another: STFT's `onesided` is 1, and not 0."""
    if node.op_type != "STFT" or node.domain or any(a.name == "onesided" for a in node.attribute):
        return node
    spelled = onnx.NodeProto()
    spelled.CopyFrom(node)
    spelled.attribute.append(onnx.helper.make_attribute("onesided", 1))
    return spelled


def _check_axis(node: onnx.NodeProto) -> None:
    """ONNX's inference takes the lower 32 bits, whatever stands above them."""
    for attribute in node.attribute:
        if attribute.name == "axis" and not -(1 << 31) <= attribute.i < 1 << 31:
            raise ModelError(f"its axis is {attribute.i}; expected one of its input's")


def _check_output(name: str, shape: tuple[int, ...]) -> None:
    if min(shape, default=0) < 0:
        raise ModelError(
            f"its output {name!r} would have shape {list(shape)}; a window larger than its padded input makes such ones"
        )
    check_neurons(name, shape)


def _values_read(node: onnx.NodeProto) -> list[str]:
    """The inputs that are given, but for one of which only the shape or the type is read."""
    given = [i for i in node.input if i]
    position = READ_FOR_TYPE.get(node.op_type)
    return [i for k, i in enumerate(given) if k != position]


def _has_subgraphs(node: onnx.NodeProto) -> bool:
    return any(a.HasField("g") or a.graphs for a in node.attribute)


def _is_random(node: onnx.NodeProto) -> bool:
    """Whether two evaluations may differ: also a Dropout in training, and a subgraph with such a node."""
    inner = [n for a in node.attribute for g in (a.g, *a.graphs) for n in g.node]
    trains = node.op_type == "Dropout" and len(node.input) > 2
    return node.op_type.startswith(RANDOM) or trains or any(map(_is_random, inner))


def _stand_in(proto: onnx.TypeProto) -> Array:
    """An array of the shape and type of a computed tensor, where nothing else of it is read."""
    known = tensor_type(proto)
    if known is None:
        raise UnknownShapeError("the shape of its input can't be inferred")
    return np.broadcast_to(np.zeros((), known.dtype), known.shape)


def needed(nodes: Iterable[Added], outputs: Iterable[str]) -> tuple[Node, ...]:
    """The nodes that the network computes and an output depends on, in their order.

    Example:
        >>> unread = onnx.helper.make_node("Neg", ["x"], ["z"])
        >>> needed([Added(unread, None, computed=True)], ["y"])
        ()
    """
    wanted, kept = set(outputs), []
    for node in reversed(list(nodes)):
        if node.computed and wanted & set(node.proto.output):
            wanted |= set(node.proto.input)
            kept.append(plain(node.proto, node.layer))
    return tuple(reversed(kept))
