"""Measures of a network's neurons, and what they are layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnx2graphml import measures
from onnx2graphml.analysis.chosen import MEASURES, chosen, weight_of
from onnx2graphml.errors import TooLargeError, UnsupportedError
from onnx2graphml.graph.graph import Layer, NeuronGraph
from onnx2graphml.graph.table import Table
from onnx2graphml.measures.values import NodeValues
from onnx2graphml.text import number

FEW = 2  # measures of which a table has more than the median


@dataclass(frozen=True)
class Summary:
    """A measure's values in one layer; NaN where it has none.

    Attributes:
        share: of the sum over all neurons.
    """

    layer: str
    measure: str
    min: float
    median: float
    mean: float
    max: float
    std: float
    sum: float
    share: float


@dataclass(frozen=True, eq=False)
class Analysis:
    """Measures of all neurons.

    Attributes:
        graph: whose neurons they are.
        weight: `none`, `abs` or `signed`.
        values: by the measure's name, a number for every neuron.
        numbers: of the whole graph.
        left_out: by the measure's name, why it was not computed.
        layers: each measure in each layer.
    """

    graph: NeuronGraph
    weight: str
    values: Mapping[str, NodeValues]
    numbers: Mapping[str, Any]
    left_out: Mapping[str, str]
    layers: tuple[Summary, ...]

    def table(self) -> Table:
        """A row for each layer: medians; of one or two measures also the least, the greatest, the share of the sum."""
        many = len(self.values) > FEW
        header = ["layer", "neurons"]
        for name in self.values:
            header += [name.removesuffix("_centrality")] if many else [f"{name}: min", "median", "max", "share"]
        by_layer: dict[str, list[str]] = {layer.name: [] for layer in self.graph.layers}
        for s in self.layers:
            cells = [number(s.median)]
            by_layer[s.layer] += cells if many else [number(s.min), *cells, number(s.max), f"{s.share:.1%}"]
        rows = [(layer.name, f"{layer.neurons:,}", *by_layer[layer.name]) for layer in self.graph.layers]
        return Table(tuple(header), tuple(rows), "<" + ">" * (len(header) - 1))

    def with_columns(self) -> NeuronGraph:
        """The graph with a column for each measure."""
        columns = {name: np.asarray(values) for name, values in self.values.items()}
        return dataclasses.replace(self.graph, columns={**self.graph.columns, **columns})


def analyze(
    graph: NeuronGraph,
    names: str | Sequence[str] | None = None,
    weight: str = "abs",
    progress: Callable[[int, int, str], None] | None = None,
) -> Analysis:
    """Measure all neurons of a network; no edge is expanded.

    Args:
        names: of measures, as `chosen` takes them. Of the default ones, what the network is too large for, or what its
            products of computed tensors have no weights for, is left out and told; what is asked for is refused.
        weight: `none`, `abs` or `signed`: what edges weigh in the measures that depend on it; in a graph with an input,
            what they contribute.
        progress: told after each measure how many are done, of how many, and its name.

    Example:
        >>> import onnx2graphml
        >>> found = analyze(onnx2graphml.load("fixtures/digits.onnx"), "pagerank,in_degree")
        >>> round(found.layers[-2].share, 3)
        0.078
    """
    of = weight_of(weight, graph.recorded is not None)
    values: dict[str, NodeValues] = {}
    left_out: dict[str, str] = {}
    asked = chosen(names)
    for k, name in enumerate(asked):
        try:
            values[name] = MEASURES[name].of(graph, of)
        except (TooLargeError, UnsupportedError) as e:
            if names is not None:
                raise
            left_out[name] = str(e)
        if progress is not None:
            progress(k + 1, len(asked), name)
    totals = {name: float(np.nansum(found.array, dtype=np.float64)) for name, found in values.items()}
    layers = tuple(_summary(x, name, found, totals[name]) for x in graph.layers for name, found in values.items())
    return Analysis(graph, weight, values, numbers(graph), left_out, layers)


def numbers(graph: NeuronGraph) -> dict[str, Any]:
    """Numbers of the whole graph that are exact and cheap."""
    return {
        "neurons": graph.neurons,
        "edges": graph.edges,
        "density": measures.density(graph),
        "weakly_connected_components": measures.number_weakly_connected_components(graph),
        "degree_assortativity": measures.degree_assortativity_coefficient(graph),
        "paths_from_inputs_to_outputs": measures.number_of_paths(graph),
    }


def _summary(layer: Layer, name: str, values: NodeValues, total: float) -> Summary:
    own = values.array[layer.ids].astype(np.float64)
    known = own[~np.isnan(own)]
    part = float(known.sum())
    if not known.size:
        known = np.array([np.nan])
    return Summary(
        layer=layer.name,
        measure=name,
        min=float(known.min()),
        median=float(np.median(known)),
        mean=float(known.mean()),
        max=float(known.max()),
        std=float(known.std()),
        sum=part,
        share=part / total if total else 0.0,
    )
