"""GEXF, Gephi's own format, laid out: layers are columns of neurons.

Source: https://gexf.net/schema.html, version 1.3
"""

from __future__ import annotations

from typing import BinaryIO
from xml.sax import saxutils

from onnx2graphml.formats.exchange.flat import PLACE, Dialect, write_flat
from onnx2graphml.formats.lines import FLOAT, NUMBER
from onnx2graphml.formats.registry import Progress
from onnx2graphml.graph.attributes import graph_attributes, used_attributes
from onnx2graphml.graph.graph import NeuronGraph

TYPES = {"int": "integer"}  # others have the same name
POSITION = f'<viz:position x="{FLOAT}" y="{FLOAT}" z="0"/>'


def write_gexf(graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, jobs: int = 1) -> None:
    """Write a graph as GEXF.

    Args:
        file: open for writing bytes; neither closed nor flushed.
        progress: called now and then with the number of edges written since.
        jobs: the number of threads that render; the bytes written do not depend on it.

    Raises:
        OutputError: a weight or a bias is not finite.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_gexf(NeuronGraph((), ()), out)
        >>> out.getvalue().endswith(b"</gexf>\\n")
        True
    """
    write_flat(graph, file, DIALECT, progress, jobs)


def _header(graph: NeuronGraph) -> str:
    about = graph_attributes(graph)
    told = "".join(f"{name}: {value}; " for name, value in about.items())
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<gexf xmlns="http://gexf.net/1.3" xmlns:viz="http://gexf.net/1.3/viz" version="1.3">',
        f"<meta><creator>{saxutils.escape(about['generator'])}</creator>"
        f"<description>{saxutils.escape(told)}</description></meta>",
        '<graph defaultedgetype="directed" mode="static">',
    ]
    for owner in ("node", "edge"):
        found = [a for a in used_attributes(graph) if a.owner == owner and a.name not in ("weight", *PLACE)]
        lines.append(f'<attributes class="{owner}">')
        lines += [f'<attribute id="{a.name}" title="{a.name}" type="{TYPES.get(a.type, a.type)}"/>' for a in found]
        lines.append("</attributes>")
    return "\n".join([*lines, "<nodes>\n"])


def _attribute(name: str, value: str, _: bool) -> str:
    return f'weight="{value}"' if name == "weight" else f'<attvalue for="{name}" value="{value}"/>'


def _node(label: str, attributes: list[str]) -> str:
    own = "".join(attributes)
    return f'<node id="n{NUMBER}" label="{label}"><attvalues>{own}</attvalues>{POSITION}</node>\n'


def _edge(attributes: list[str]) -> str:
    weight, *more = attributes
    ends = f'<edge source="n{NUMBER}" target="n{NUMBER}" {weight}'
    return f"{ends}><attvalues>{''.join(more)}</attvalues></edge>\n" if more else f"{ends}/>\n"


def _quoted(text: str) -> str:
    return saxutils.escape(text, {'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


DIALECT = Dialect(
    _header, "</nodes>\n<edges>\n", "</edges>\n</graph>\n</gexf>\n", _attribute, _node, _edge, _quoted
)  # fmt: skip
