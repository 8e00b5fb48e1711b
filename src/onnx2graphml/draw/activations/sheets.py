"""Overview sheets: the panels of many layers in a grid, as many sheets as they need."""

from __future__ import annotations

from collections.abc import Sequence

from onnx2graphml.draw.activations.pictures import LayerPicture
from onnx2graphml.draw.page import Page
from onnx2graphml.draw.panel import BETWEEN, MARGIN, sheet
from onnx2graphml.errors import Error

CELL = (505, 470)  # pixels of a layer: its width, and its height at most
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


def overview(pictures: Sequence[LayerPicture], grid: tuple[int, int]) -> Page:
    """The page of a sheet; rows that would be empty are not there."""
    columns = min(grid[1], len(pictures))
    wide = min(CELL[0], max(CELL[0] // 2, (WIDEST - 2 * MARGIN) // columns - BETWEEN))
    return sheet([picture.panel() for picture in pictures], columns, (wide, CELL[1] * wide / CELL[0]))
