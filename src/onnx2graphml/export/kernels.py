"""Compiled loops over edges."""

from __future__ import annotations

from typing import Any

from onnx2graphml.compiled import compiled_for_many


@compiled_for_many
def add_edges(source: Any, target: Any, weight: Any, row: Any, column: Any, matrix: Any) -> None:
    """Add weights to a matrix; `row` and `column` say where neurons are in it, below 0 where they are not.

    NumPy's `add.at` takes ten times as long.
    """
    for e in range(source.size):
        i, j = row[source[e]], column[target[e]]
        if i >= 0 and j >= 0:
            matrix[i, j] += weight[e]
