"""A network's layers in Graphviz' language: what the drawing says, left to `dot` to place."""

from __future__ import annotations

from onnx2graphml.draw.architecture import colours
from onnx2graphml.draw.architecture.drawing import Box, Drawing
from onnx2graphml.draw.architecture.lettering import label


def dot(drawing: Drawing) -> bytes:
    """The drawing as a file's content; its places are left out.

    Example:
        >>> print(dot(Drawing(10, 10, (), (), (), (), ())).decode().splitlines()[0])
        digraph architecture {
    """
    number = {box.layer: k for k, box in enumerate(drawing.boxes)}
    lines = ["digraph architecture {", '  node [shape=box, style=filled, fontname="monospace", fontsize=11];']
    lines.append(f'  label="{quoted([text.text for text in drawing.texts])}"; labelloc=t; labeljust=l;')
    lines += [_node(k, box) for k, box in enumerate(drawing.boxes)]
    for k, fold in enumerate(drawing.folds):
        inside = " ".join(f"n{number[name]};" for name in fold.drawn)
        lines.append(f'  subgraph cluster_{k} {{ label="{label(fold)}"; style=dashed; {inside} }}')
    lines += [f"  n{number[arrow.source]} -> n{number[arrow.target]};" for arrow in drawing.arrows]
    return ("\n".join([*lines, "}"]) + "\n").encode()


def quoted(lines: list[str] | tuple[str, ...]) -> str:
    r"""Lines as the inside of a quoted string, each set to the left.

    Example:
        >>> print(quoted(['a "b"', "c\\n"]))
        a \"b\"\lc\\n\l
    """
    return "".join(line.replace("\\", "\\\\").replace('"', '\\"') + "\\l" for line in lines)


def _node(k: int, box: Box) -> str:
    border = f', color="{colours.END}", penwidth=2.5' if box.end else ""
    tip = box.title.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'  n{k} [label="{quoted(box.lines)}", tooltip="{tip}", fillcolor="{colours.FILLS[box.kind]}"{border}];'
