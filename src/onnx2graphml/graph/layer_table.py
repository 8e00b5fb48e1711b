"""The layers of a graph as a table."""

from __future__ import annotations

from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.layer_kinds import layer_kinds
from onnx2graphml.graph.table import Table, shape_text


def layer_table(graph: NeuronGraph) -> Table:
    """A row for each layer: name, the framework's type, operator, window, shape, and numbers; and the totals.

    A column that says nothing of any layer is left out.
    """
    kinds = layer_kinds(graph)
    columns: dict[str, list[str]] = {
        "layer": [x.name for x in graph.layers],
        "type": [kinds[x.name].type for x in graph.layers],
        "operator": [x.op for x in graph.layers],
        "window": [kinds[x.name].window for x in graph.layers],
        "shape": [shape_text(x.shape) for x in graph.layers],
        "neurons": [f"{x.neurons:,}" for x in graph.layers],
        "in-edges": [f"{x.in_edges:,}" for x in graph.layers],
        "parameters": [f"{x.parameters:,}" for x in graph.layers],
    }
    columns = {name: cells for name, cells in columns.items() if name not in ("type", "window") or any(cells)}
    totals = {
        "layer": "total",
        ("type" if "type" in columns else "operator"): f"{len(graph.layers)} layers",
        "neurons": f"{graph.neurons:,}",
        "in-edges": f"{graph.edges:,}",
        "parameters": f"{graph.parameters:,}",
    }
    return Table(
        tuple(columns),
        tuple(zip(*columns.values(), strict=True)),
        "<" * (len(columns) - 3) + ">>>",
        tuple(totals.get(name, "") for name in columns),
    )
