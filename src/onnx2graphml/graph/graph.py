"""The neuron-level graph: layers in topological order, and the edge blocks between them. Nothing is expanded."""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, check_text
from onnx2graphml.graph.axes import strides
from onnx2graphml.graph.blocks import EdgeBlock, Edges
from onnx2graphml.graph.checks import check_id, check_index
from onnx2graphml.graph.exports import Exports, method
from onnx2graphml.graph.neurons import Activation
from onnx2graphml.graph.recorded import VALUE, Recorded
from onnx2graphml.graph.table import shape_text

if TYPE_CHECKING:
    from onnx2graphml.model import Model

Floats = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Incoming:
    """The edges into a layer from one other layer.

    Attributes:
        source: the name of the layer that they come from.
        block: positions in the two layers' shapes, row-major.
        port: for a function whose inputs' order matters, which input this is; otherwise None.
    """

    source: str
    block: EdgeBlock
    port: int | None = None

    def stored(self) -> Iterator[Incoming]:
        """The same edges as the blocks that they are stored in, one after the other."""
        return (dataclasses.replace(self, block=block) for block in self.block.stored())


@dataclass(frozen=True)
class Provenance:
    """Where a layer came from; nothing of it says what its neurons compute.

    Attributes:
        tensor: the ONNX tensor that holds the same values.
        order: the tensor's axes, without the leading one that was dropped, in the order in which the layer shows them;
            axes of size 1 may be in only one of the two.
        framework_order: the same axes as the framework shows them; `detail` brings the layer into that order.
        scope: the framework's layer that it comes from; None where there is none.
        node: the name of the ONNX node that made it.
    """

    tensor: str = ""
    order: tuple[int, ...] = ()
    framework_order: tuple[int, ...] = ()
    scope: str | None = None
    node: str = ""


@dataclass(frozen=True, eq=False)
class Layer:
    """A tensor whose scalars are neurons.

    Attributes:
        name: the framework's name of the layer, unique in the graph.
        op: the ONNX operator that made it, `Input` or `Constant`.
        shape: as the framework shows it; a leading axis of size 1 is dropped where the rank is over 1.
        aggregation: how a neuron's value starts: `input`, `constant`, `sum` (bias + Σ weight·x), `max`, `min`,
            `product`, or the name of an ONNX operator of several inputs, told apart by their port.
        bias: broadcast to `shape`; None where there is none. The value of a constant.
        bias_size: the largest sum of absolute values that the bias is a sum of, where that is more than the bias
            itself: what its rounding goes by.
        activation: functions applied to that, in order.
        incoming: the layer's in-edges.
        spatial: the positions in `shape` of the channel and the rows and columns, where the layer is a picture.
        dtype: of the values.
        parameters: the number of trained scalars; those of an array that several layers read count at the first.
        first_id: the id of the layer's first neuron; the others follow in row-major order.
        provenance: where it came from.
    """

    name: str
    op: str
    shape: tuple[int, ...]
    aggregation: str = "sum"
    bias: Floats | None = None
    activation: tuple[Activation, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    spatial: tuple[int, ...] = ()
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    parameters: int = 0
    bias_size: float = 0.0
    first_id: int = 0
    provenance: Provenance = Provenance()

    @property
    def neurons(self) -> int:
        """The number of neurons."""
        return math.prod(self.shape)

    @property
    def ids(self) -> slice:
        """Where the layer's neurons are in an array of all of the graph's."""
        return slice(self.first_id, self.first_id + self.neurons)

    @property
    def in_edges(self) -> int:
        """The number of edges into the layer."""
        return sum(i.block.count for i in self.incoming)

    def stored(self) -> Iterator[Incoming]:
        """The layer's in-edges as the blocks that they are stored in, in order."""
        return itertools.chain.from_iterable(incoming.stored() for incoming in self.incoming)

    def __repr__(self) -> str:
        shape = shape_text(self.shape)
        return f"<Layer {self.name!r}: {self.op} {shape}, {self.neurons:,} neurons, {self.in_edges:,} in-edges>"


@dataclass(frozen=True, eq=False)
class NeuronGraph(Exports):
    """A network as a graph of neurons.

    Attributes:
        layers: in topological order; their neurons' ids are consecutive, in this order.
        outputs: the names of the layers that are the network's outputs.
        model_name: the file's or the model's name.
        model_sha256: of the ONNX file that was read; empty where there was none.
        detail: `op`, `layer` or `neuron`.
        model: the model that it was made from, which `verify` runs; None where it was made from none.
        thinned: how edges were left out; empty where all are there.
        columns: further attributes of nodes, such as a measure: by name an array with a number for every neuron, by id.
        recorded: what an input makes of it, after `with_input`; None before.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> graph.layers[0].op, graph.layers[0].shape
        ('Input', (8, 8, 1))
    """

    layers: tuple[Layer, ...]
    outputs: tuple[str, ...]
    model_name: str = ""
    model_sha256: str = ""
    detail: str = "op"
    model: Model | None = None
    thinned: str = ""
    columns: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    recorded: Recorded | None = None

    def __repr__(self) -> str:
        counts = f"{len(self.layers):,} layers, {self.neurons:,} neurons, {self.edges:,} edges"
        thinned = f", {self.thinned}" if self.thinned else ""
        return f"<NeuronGraph {self.model_name!r}: {counts}, detail {self.detail!r}{thinned}>"

    def _repr_html_(self) -> str:
        html: str = method("onnx2graphml.graph.layer_table:layer_table")(self)._repr_html_()
        return html

    @functools.cached_property
    def _by_name(self) -> dict[str, Layer]:
        return {layer.name: layer for layer in self.layers}

    @functools.cached_property
    def _first_ids(self) -> list[int]:
        return [layer.first_id for layer in self.layers]

    @property
    def neurons(self) -> int:
        """The number of nodes."""
        return sum(layer.neurons for layer in self.layers)

    @property
    def edges(self) -> int:
        """The number of edges, exact, without expanding them."""
        return sum(layer.in_edges for layer in self.layers)

    @property
    def parameters(self) -> int:
        """The number of trained scalars."""
        return sum(layer.parameters for layer in self.layers)

    def require_model(self) -> Model:
        """The model that the graph was made from; `Error` where there is none."""
        if self.model is None:
            raise Error("the graph was made from no model; load it from one")
        return self.model

    def layer(self, name: str) -> Layer:
        """The layer of that name; `Error` names the nearest ones if there is none."""
        check_text("the layer's name", name)
        if name not in self._by_name:
            import difflib

            near = difflib.get_close_matches(name, self._by_name, n=3) or list(self._by_name)[:3]
            raise Error(f"no layer is named {name!r}; did you mean {', '.join(map(repr, near))}?")
        return self._by_name[name]

    def neuron(self, layer: str, index: Sequence[int]) -> int:
        """The id of the neuron at a position in a layer's shape."""
        found = self.layer(layer)
        check_index(index)
        fits = len(index) == len(found.shape) and all(0 <= i < n for i, n in zip(index, found.shape, strict=True))
        if not fits:
            raise Error(f"index {tuple(index)} is not in layer {layer!r}, which has shape {found.shape}")
        return found.first_id + sum(i * s for i, s in zip(index, strides(found.shape), strict=True))

    def index_of(self, neuron: int) -> tuple[int, ...]:
        """A neuron's position in its layer's shape."""
        layer = self.layer_of(neuron)
        return tuple(int(i) for i in np.unravel_index(neuron - layer.first_id, layer.shape))

    def layer_of(self, neuron: int) -> Layer:
        """The layer that a neuron's id belongs to."""
        check_id(neuron, self.neurons)
        return self.layers[bisect.bisect_right(self._first_ids, neuron) - 1]

    def edges_into(self, layer: Layer) -> Iterator[tuple[Incoming, Edges]]:
        """A layer's in-edges in chunks, as positions within the two layers, in the graph's fixed order."""
        for incoming in layer.incoming:
            for edges in incoming.block.expand():
                yield incoming, self.with_recorded(edges, layer, incoming)

    def with_recorded(self, edges: Edges, layer: Layer, incoming: Incoming) -> Edges:
        """Edges into a layer, by position, with what the graph's input makes of them, where it has one."""
        if self.recorded is None:
            return edges
        source = edges.source + self._by_name[incoming.source].first_id
        return dataclasses.replace(
            edges,
            contribution=self.recorded.contribution(source, edges.weight),
            winner=self.recorded.flags(layer.name, edges.target, source, incoming.port, edges.term),
        )

    def weighted_edges(self, weight: str = "weight") -> Iterator[tuple[int, int, float]]:
        """Every edge as `(in_node, out_node, weight)`, ids and weight as Python numbers.

        Args:
            weight: `weight`, or `contribution` in a graph with an input.

        Raises:
            Error: edges have no such number.

        Example:
            >>> import networkx as nx, onnx2graphml
            >>> graph = onnx2graphml.load("fixtures/digits.onnx")
            >>> g = nx.DiGraph()
            >>> g.add_weighted_edges_from(graph.weighted_edges())
            >>> g.number_of_edges() == graph.edges
            True
        """
        self.check_weight(weight)
        for layer in self.layers:
            for incoming, e in self.edges_into(layer):
                source = e.source + self._by_name[incoming.source].first_id
                target = e.target + layer.first_id
                yield from zip(source.tolist(), target.tolist(), getattr(e, weight).tolist(), strict=True)

    def check_weight(self, weight: str) -> None:
        """`Error` where the edges have no number of that name."""
        if weight not in ("weight", "contribution")[: 1 + (self.recorded is not None)]:
            raise Error(f"weight is {weight!r}; expected 'weight', or 'contribution' in a graph with an input")

    def in_edges(self, neuron: int) -> Edges:
        """The edges into one neuron, with ids; no other edge is expanded."""
        found: Edges = method("onnx2graphml.graph.neuron_edges:in_edges")(self, neuron)
        return found

    def out_edges(self, neuron: int) -> Edges:
        """The edges out of one neuron, with ids; no other edge is expanded."""
        found: Edges = method("onnx2graphml.graph.neuron_edges:out_edges")(self, neuron)
        return found

    def with_column(self, name: str, values: npt.ArrayLike) -> NeuronGraph:
        """The graph with one more attribute of its nodes, which every format that has attributes of nodes writes.

        Args:
            name: of the attribute: letters, digits and underscores, not that of another attribute.
            values: integers or floats, one for every neuron, by id.

        Example:
            >>> import numpy as np, onnx2graphml
            >>> graph = onnx2graphml.load("fixtures/digits.onnx")
            >>> graph.with_column("rank", np.arange(3738)).columns["rank"][5]
            np.int64(5)
        """
        column: npt.NDArray[Any] = method("onnx2graphml.graph.attributes:checked_column")(name, values, self.neurons)
        return dataclasses.replace(self, columns={**self.columns, name: column})

    def holding(self, recorded: Recorded) -> NeuronGraph:
        """The graph with what an input makes of it: `value` is a column of its nodes."""
        return dataclasses.replace(self, recorded=recorded, columns={**self.columns, VALUE: recorded.value})


def numbered(layers: list[Layer]) -> tuple[Layer, ...]:
    """The layers with their neurons' ids made consecutive, in this order."""
    first, out = 0, []
    for layer in layers:
        out.append(dataclasses.replace(layer, first_id=first))
        first += layer.neurons
    return tuple(out)
