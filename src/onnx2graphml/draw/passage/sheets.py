"""Overview sheets: the pictures of many layers in a grid, as many sheets as they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from onnx2graphml.draw.figures import DPI, figure
from onnx2graphml.draw.passage.layer_picture import LayerPicture, draw_cell
from onnx2graphml.draw.passage.panel import Box
from onnx2graphml.errors import Error

CELL_WIDTH, CELL_HEIGHT, MARGIN = 500, 470, 24  # pixels
WIDEST = 1600


def check_grid(grid: tuple[int, int]) -> None:
    """`Error` unless it is a pair of numbers of 1 or more."""
    if len(grid) != 2 or min(grid) < 1:
        raise Error(f"the grid is {'x'.join(map(str, grid))}; expected rows and columns of 1 or more, such as 3x3")


def sheets_of(pictures: Sequence[LayerPicture], grid: tuple[int, int]) -> list[Sequence[LayerPicture]]:
    """The pictures of each sheet, in order, row by row.

    Example:
        >>> [len(sheet) for sheet in sheets_of([None] * 23, (3, 3))]
        [9, 9, 5]
    """
    each = grid[0] * grid[1]
    return [pictures[k : k + each] for k in range(0, len(pictures), each)]


def sheet_figure(pictures: Sequence[LayerPicture], grid: tuple[int, int]) -> Any:
    """A figure of a sheet; rows that would be empty are not there."""
    columns = min(grid[1], len(pictures))
    rows = -(-len(pictures) // columns)
    cell = min(CELL_WIDTH, max(CELL_WIDTH // 2, (WIDEST - MARGIN) // columns - MARGIN))
    high = CELL_HEIGHT * cell // CELL_WIDTH
    width, height = columns * (cell + MARGIN) + MARGIN, rows * (high + MARGIN) + MARGIN
    drawn = figure(width / DPI, height / DPI)
    for k, picture in enumerate(pictures):
        row, column = divmod(k, columns)
        draw_cell(drawn, Box(MARGIN + column * (cell + MARGIN), MARGIN + row * (high + MARGIN), cell, high), picture)
    return drawn
