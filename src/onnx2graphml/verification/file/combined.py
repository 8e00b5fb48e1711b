"""The values of neurons from what a file says of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from onnx2graphml.errors import Error
from onnx2graphml.formats.found import Edges
from onnx2graphml.graph.graph import Layer
from onnx2graphml.graph.neurons import FUNCTIONS, parse_activations
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.verification.file import accumulate
from onnx2graphml.verification.file.accumulate import CODES, OTHER, START
from onnx2graphml.verification.file.matched import Matched
from onnx2graphml.verification.recompute import SPARE, Recomputed, Values, finished, sum_tolerance, unit_roundoff

INPUTS = 2  # ports that a function has


class Combined:
    """The neurons' combined values, from their bias and the in-edges that have been added."""

    def __init__(self, matched: Matched, values: Mapping[str, Values]) -> None:
        self.matched, self.values = matched, np.concatenate([values[x.name] for x in matched.graph.layers])
        self.code = np.zeros(matched.graph.neurons, np.int8)
        self.total = np.nan_to_num(matched.bias, nan=0.0, posinf=np.inf, neginf=-np.inf)
        self.size = np.nan_to_num(np.abs(matched.bias), nan=0.0, posinf=np.inf)
        self.ports: dict[tuple[int, int], Values] = {}
        for layer, found in zip(matched.graph.layers, matched.found, strict=True):
            rows, code = rows_of(layer), CODES.get(found.combine, OTHER)
            self.code[rows] = code
            if code in START:
                self.total[rows] = START[code]
        self._functions = [n for n, found in enumerate(matched.found) if found.combine in FUNCTIONS]

    def add(self, edges: Edges) -> None:
        """Take edges, whose ends are places."""
        source, target, single = edges.source, edges.target, self.matched.single
        accumulate.combine(source, target, edges.weight, self.code, single, self.values, self.total, self.size)
        for number in self._functions:
            layer = self.matched.graph.layers[number]
            rows = rows_of(layer)
            mine = (target >= rows.start) & (target < rows.stop)
            for port in np.unique(edges.port[mine]).tolist():
                chosen = mine & (edges.port == port)
                total = self.ports.setdefault((number, port), np.zeros(layer.neurons))
                np.add.at(total, target[chosen] - rows.start, edges.weight[chosen] * self.values[source[chosen]])

    def of(self, number: int, degree: int) -> Recomputed:
        """The values of a layer; `degree` is the greatest in-degree."""
        layer, found = self.matched.graph.layers[number], self.matched.found[number]
        rows, u = rows_of(layer), unit_roundoff(layer.dtype)
        value, tolerance = self.total[rows], np.zeros(layer.neurons)
        if found.combine == "sum":
            bias_size = max(layer.bias_size, float(np.nanmax(np.abs(self.matched.bias[rows]), initial=0)))
            tolerance = sum_tolerance(degree, self.size[rows], bias_size, u)
        elif found.combine not in ("input", "constant"):
            value = self._function(number, found.combine) if found.combine in FUNCTIONS else value
            tolerance = SPARE * u * np.abs(value)
        activation = parse_activations(unescape(found.activation))
        try:
            return finished(activation, value.reshape(layer.shape), tolerance.reshape(layer.shape), layer.dtype)
        except (TypeError, ValueError, IndexError) as e:
            raise Error(f"layer {found.name!r}: activation {found.activation!r} can't be computed: {e}") from None

    def _function(self, number: int, combine: str) -> Values:
        ports = [total for (layer, _), total in sorted(self.ports.items()) if layer == number]
        if len(ports) != INPUTS:
            return np.full(self.matched.graph.layers[number].neurons, np.nan)
        with np.errstate(all="ignore"):
            return np.asarray(FUNCTIONS[combine](*ports), np.float64)


def rows_of(layer: Layer) -> slice:
    """The places of a layer's neurons."""
    return slice(layer.first_id, layer.first_id + layer.neurons)
