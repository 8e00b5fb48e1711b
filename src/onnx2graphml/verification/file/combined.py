"""The values of neurons from what a file says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.formats.edge_rows import NO_TERM, EdgeRows
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.neurons import BASIC, parse_activations
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.verification.combine import CODES, OTHER, START, combine
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.recompute import Recomputed, Values, finished, is_one_to_one
from onnx2graphml.verification.tables import columns_of, empty_table, evaluated, is_tabled
from onnx2graphml.verification.tolerance import SPARE, bias_size_of, sum_tolerance, unit_roundoff


class Combined:
    """The neurons' combined values, from their bias and the in-edges that have been added."""

    def __init__(self, matched: Matched, values: Mapping[str, Values]) -> None:
        self.matched, self.values = matched, np.concatenate([values[x.name] for x in matched.graph.layers])
        self.code = np.zeros(matched.graph.neurons, np.int8)
        self.total, self.size = np.empty(matched.graph.neurons), np.empty(matched.graph.neurons)
        self.tables: dict[int, dict[int | None, Values]] = {}
        for number, (layer, found) in enumerate(zip(matched.graph.layers, matched.found, strict=True)):
            rows, code = rows_of(layer), CODES.get(found.combine, OTHER)
            if is_tabled(layer) or found.combine not in BASIC:
                columns = columns_of(layer)
                self.tables[number] = {p: empty_table(found.combine, layer.neurons, n) for p, n in columns.items()}
                code = OTHER
            self.code[rows], bias = code, self._bias(number)
            self.total[rows], self.size[rows] = bias, np.abs(bias)
            if code in START and layer.bias is None:
                self.total[rows] = START[code]
            elif layer.bias is None and is_one_to_one(layer):
                self.total[rows] = np.where(bias == 0, -0.0, bias)

    def _bias(self, number: int) -> Values:
        """The biases of a layer in the file, 0 where there is none."""
        biases = self.matched.biases[number].astype(np.float64).ravel()
        return np.nan_to_num(biases, nan=0.0, posinf=np.inf, neginf=-np.inf)

    def add(self, edges: EdgeRows) -> None:
        """Take edges, whose ends are places."""
        source, target, single = edges.source, edges.target, self.matched.single
        combine(source, target, edges.weight, self.values, self.total, self.size, self.code, single)
        for number, tables in self.tables.items():
            rows = rows_of(self.matched.graph.layers[number])
            mine = np.flatnonzero((target >= rows.start) & (target < rows.stop))
            if mine.size:
                self._into(tables, edges, mine, rows.start)

    def _into(self, tables: dict[int | None, Values], edges: EdgeRows, mine: np.ndarray, first: int) -> None:
        """Put a layer's edges into its tables; one that has no place there leaves its neuron without a value."""
        row, x = edges.target[mine] - first, edges.weight[mine] * self.values[edges.source[mine]]
        port, term = edges.port[mine], edges.term[mine]
        for number in np.unique(port).tolist():
            chosen = port == number
            table = tables.get(None if number < 0 else number)
            if table is None:
                for other in tables.values():
                    other[row[chosen]] = np.nan
            elif table.ndim == 1:
                np.add.at(table, row[chosen], x[chosen])
            else:
                known = chosen & (term > NO_TERM) & (term < table.shape[1])
                table[row[known], term[known]] = x[known]
                table[row[chosen & ~known]] = np.nan

    def sources(self, layer: Layer) -> dict[str, Values]:
        """The values of the layers that a layer reads in the model."""
        sources = {i.source: self.matched.graph.layer(i.source) for i in layer.incoming}
        return {name: self.values[rows_of(source)] for name, source in sources.items()}

    def of(self, number: int, degree: int) -> Recomputed:
        """The values of a layer; `degree` is the greatest in-degree."""
        layer, found = self.matched.graph.layers[number], self.matched.found[number]
        rows, u = rows_of(layer), unit_roundoff(layer.dtype)
        value, tolerance = self.total[rows], np.zeros(layer.neurons)
        try:
            if number in self.tables:
                value, tolerance = evaluated(
                    unescape(found.combine), self._bias(number), self.tables[number], layer.bias_size, u
                )
            elif found.combine == "sum":
                bias_size = bias_size_of(layer, self.sources(layer), self._bias(number))
                tolerance = sum_tolerance(degree, self.size[rows], bias_size, u)
            elif found.combine not in ("input", "constant"):
                tolerance = SPARE * u * np.abs(value)
            activation = parse_activations(unescape(found.activation))
            return finished(activation, value.reshape(layer.shape), tolerance.reshape(layer.shape), layer.dtype)
        except (TypeError, ValueError, IndexError, AttributeError) as e:
            raise Error(
                f"layer {found.name!r}: {found.combine!r} with activation {found.activation!r} can't be computed: {e}"
            ) from None


def rows_of(layer: Layer) -> slice:
    """The places of a layer's neurons."""
    return slice(layer.first_id, layer.first_id + layer.neurons)
