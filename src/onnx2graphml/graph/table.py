"""Tables of text, and the same in a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

from onnx2graphml.files.plain_text import LONGEST, printable


@dataclass(frozen=True)
class Table:
    """Rows of text under a header.

    `str(table)` has columns as wide as their widest cell; a notebook shows it as a table.

    Attributes:
        header: a word for each column.
        rows: a cell for each column.
        align: `<` or `>` for each column.
        total: a last row below a line; empty where there is none.

    Example:
        >>> print(Table(("layer", "neurons"), (("conv1", "1,024"),), "<>"))
        layer  neurons
        --------------
        conv1    1,024
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: str
    total: tuple[str, ...] = ()

    def __str__(self) -> str:
        rows = [[printable(cell, LONGEST) for cell in row] for row in self.rows]
        every = [self.header, *rows, *([self.total] if self.total else [])]
        widths = [max(len(row[c]) for row in every) for c in range(len(self.header))]

        def line(row: Sequence[str]) -> str:
            return "  ".join(f"{cell:{a}{w}}" for cell, a, w in zip(row, self.align, widths, strict=True)).rstrip()

        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        lines = [line(self.header), rule, *map(line, rows)]
        return "\n".join([*lines, rule, line(self.total)] if self.total else lines)

    def _repr_html_(self) -> str:
        head = self._html_row(self.header, "th")
        rows = [self._html_row(row, "td") for row in self.rows]
        rows += [self._html_row(self.total, "th")] if self.total else []
        return f"<table><thead>{head}</thead><tbody>{''.join(rows)}</tbody></table>"

    def _html_row(self, cells: Sequence[str], tag: str) -> str:
        sides = {"<": "left", ">": "right"}
        made = (
            f'<{tag} style="text-align: {sides[a]}">{html.escape(cell)}</{tag}>'
            for cell, a in zip(cells, self.align, strict=True)
        )
        return f"<tr>{''.join(made)}</tr>"


def shape_text(sizes: Sequence[int]) -> str:
    """A shape as Python writes it.

    Example:
        >>> shape_text((224, 224, 3)), shape_text((10,))
        ('(224, 224, 3)', '(10,)')
    """
    return str(tuple(int(n) for n in sizes))
