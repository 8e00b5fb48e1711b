"""GML: nodes have numbers as ids, and names such as `conv1[0,1,5]`.

Source: Himsolt, GML: A portable graph file format, 1997. Texts are ASCII, numbers with an exponent have a point.
"""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

from onnx2graphml.formats import render
from onnx2graphml.formats.exchange.flat import Dialect, write_flat
from onnx2graphml.formats.lines import FLOAT, NUMBER
from onnx2graphml.formats.parallel import is_multigraph
from onnx2graphml.formats.registry import Progress
from onnx2graphml.graph.attributes import graph_attributes
from onnx2graphml.graph.graph import NeuronGraph

WORDS = {b"true": b"1", b"false": b"0"}
"""GML has no truth values."""


def write_gml(graph: NeuronGraph, file: BinaryIO, progress: Progress | None = None, *, jobs: int = 1) -> None:
    """Write a graph as GML; otherwise as `write_gexf`.

    Example:
        >>> import io
        >>> out = io.BytesIO()
        >>> write_gml(NeuronGraph((), ()), out)
        >>> out.getvalue().startswith(b"graph [")
        True
    """
    write_flat(graph, file, DIALECT, progress, jobs)


def _header(graph: NeuronGraph) -> str:
    about = "".join(f'  {_name(k)} "{_quoted(v)}"\n' for k, v in graph_attributes(graph).items())
    parallel = "  multigraph 1\n" if is_multigraph(graph) else ""
    return f"graph [\n  directed 1\n{parallel}{about}"


def _name(name: str) -> str:
    """A key has letters and digits alone."""
    return re.sub("_(.)", lambda m: m[1].upper(), name)


def _attribute(name: str, value: str, is_text: bool) -> str:
    return f'{_name(name)} "{value}"' if is_text else f"{_name(name)} {value}"


def _node(label: str, attributes: list[str]) -> str:
    own = " ".join(attributes)
    return f'  node [ id {NUMBER} label "{label}" {own} graphics [ x {FLOAT} y {FLOAT} ] ]\n'


def _edge(attributes: list[str]) -> str:
    return f"  edge [ source {NUMBER} target {NUMBER} {' '.join(attributes)} ]\n"


def _quoted(text: str) -> str:
    return re.sub('[^ -~]|[&"]', lambda m: f"&#{ord(m[0])};", text)


def pointed(texts: render.Texts) -> render.Texts:
    """Numbers with an exponent get a point, and truth values become numbers.

    Example:
        >>> found = pointed(render.decimals(np.array([3e20, 0.5])))
        >>> [bytes(found.data[a:b]) for a, b in zip(found.start, found.stop)]
        [b'3.0e+20', b'0.5']
    """
    data = texts.data.tobytes()
    start, stop = texts.start.copy(), texts.stop.copy()
    odd = np.flatnonzero(texts.data == ord("e"))
    if not len(odd):
        return texts
    changed: list[bytes] = []
    for k in np.flatnonzero(np.searchsorted(odd, stop) > np.searchsorted(odd, start)):
        old = data[start[k] : stop[k]]
        new = WORDS.get(old) or (old if b"." in old else old.replace(b"e", b".0e"))
        start[k] = len(data) + sum(map(len, changed))
        stop[k] = start[k] + len(new)
        changed.append(new)
    return render.Texts(np.frombuffer(data + b"".join(changed) + bytes(render.SLACK), np.uint8), start, stop)


DIALECT = Dialect(_header, "", "]\n", _attribute, _node, _edge, _quoted, number=pointed)
