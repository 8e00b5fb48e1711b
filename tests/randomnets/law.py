"""What must hold of every model: at each level of detail its graph computes it, in memory and read back from a file.

And what must not: the file with one edge altered or left out has to be told apart.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import onnx

from both_ways import LINES, differing
from onnx2graphml.api import load, verify, verify_file
from onnx2graphml.build.detail import COPIES, LEVELS
from onnx2graphml.errors import OutputError, UnsupportedError
from onnx2graphml.formats import registry, writing
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.verification.report import Report
from randomnets.builder import Array
from randomnets.draw import Network
from small import runtime


class Discarded(Exception):
    """ONNX's checker or ONNX Runtime refuses the model: it says nothing about this package."""


class Broken(AssertionError):
    """The law does not hold."""


@dataclass(frozen=True)
class Held:
    """A model of which the law holds.

    Attributes:
        written: the levels of detail, with the formats in which they were read back.
        control: what was done to an edge, for it to be found; empty where there was no edge.
    """

    written: tuple[tuple[str, str], ...] = ()
    control: str = ""


def check(network: Network, turn: int, folder: Path) -> Held:
    """Hold a network against the law.

    Args:
        turn: a number that chooses each level's format, and the edge that is altered.
        folder: where files may be written; they are overwritten.

    Raises:
        Discarded: the model is not valid.
        Broken: the law does not hold; the message says where.
    """
    judge(network)
    written, control = [], ""
    random = Random(turn)
    controlled = random.choice(LEVELS)
    fewer = None
    for k, level in enumerate(LEVELS):
        try:
            graph = load(network.proto, detail=level)
        except UnsupportedError as e:
            raise Broken(f"refused: {e}") from None
        check_counts(graph, network.proto)
        check_report(verify(graph, network.feeds), graph, f"{level} in memory")
        suffix = written_as(graph, list(FORMATS)[(turn + k) % len(FORMATS)], folder)
        path = folder / f"{level}{suffix}"
        check_report(verify_file(graph, path, network.feeds), graph, f"{level} in {suffix}")
        if fewer is not None and len(graph.layers) > fewer:
            raise Broken(f"{level}: {len(graph.layers)} layers, with more detail {fewer}")
        fewer = len(graph.layers)
        if level == controlled and graph.edges:
            control = check_control(graph, network.feeds, random, folder / "control.graphml")
        written.append((level, suffix))
    return Held(tuple(written), control=control)


def written_as(graph: NeuronGraph, suffix: str, folder: Path) -> str:
    """The format in which the graph was written: GraphML where the other has no parallel edges and the graph has."""
    try:
        writing.write(graph, folder / f"{graph.detail}{suffix}", jobs=1)
    except OutputError:
        if "parallel edges" not in registry.FORMATS[suffix].cannot_hold:
            raise
        suffix = ".graphml"
        writing.write(graph, folder / f"{graph.detail}{suffix}", jobs=1)
    if suffix in LINES and (names := differing(graph, suffix, folder)):
        raise Broken(f"{graph.detail} in {suffix}: Python and the compiled loops write another {' and '.join(names)}")
    return suffix


def judge(network: Network) -> None:
    """Refuse what is no valid model, or what ONNX Runtime does not run."""
    try:
        onnx.checker.check_model(network.proto, full_check=True)
        runtime(network.proto, network.feeds)
    except Exception as e:
        raise Discarded(str(e).strip()) from None


def check_counts(graph: NeuronGraph, proto: onnx.ModelProto) -> None:
    """What is counted is what is there, edges go forward, and no two without ports join the same two neurons."""
    tensors = [graph.layer(name).provenance.tensor for name in graph.outputs]
    nodes = graph.require_model().proto.graph.node  # those among them that take the place of others
    copies = {n.output[0]: n.input[0] for n in nodes if n.op_type in COPIES and graph.detail != "op"}
    if [_original(t, copies) for t in tensors] != [_original(o.name, copies) for o in proto.graph.output]:
        raise Broken(f"{graph.detail}: outputs are {tensors}")
    for layer in graph.layers:
        if not all(0 <= d < len(layer.shape) for d in layer.spatial):
            raise Broken(f"{graph.detail}: {layer.name} of shape {layer.shape} has its picture at {layer.spatial}")
        source, target = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for incoming, edges in graph.edges_into(layer):
            source.append(edges.source + graph.layer(incoming.source).first_id)
            target.append(edges.target)
        sources, targets = np.concatenate(source), np.concatenate(target)
        if len(sources) != layer.in_edges:
            raise Broken(f"{graph.detail}: {layer.name} says {layer.in_edges} edges and has {len(sources)}")
        if len(sources) and not 0 <= sources.min() <= sources.max() < layer.first_id:
            raise Broken(f"{graph.detail}: {layer.name} has edges that do not come from before it")
        if len(targets) and not 0 <= targets.min() <= targets.max() < layer.neurons:
            raise Broken(f"{graph.detail}: {layer.name} has edges beside it")
        portless = all(i.port is None for i in layer.incoming)  # nor any terms
        if portless and len(np.unique(sources * layer.neurons + targets)) != len(sources):
            raise Broken(f"{graph.detail}: two edges into {layer.name} join the same two neurons")


def _original(tensor: str, copies: Mapping[str, str]) -> str:
    """What a tensor is a copy of: at less detail, a copy is no layer."""
    while tensor in copies:
        tensor = copies[tensor]
    return tensor


def check_report(report: Report, graph: NeuronGraph, where: str) -> None:
    """Every layer passed, and had the edges that the graph says."""
    if not report.passed:
        wrong = [r for r in report.rows if not r.passed]
        raise Broken(f"{where}: no pass: {wrong or 'nothing was checked'}")
    if sum(row.edges for row in report.rows) != graph.edges:
        raise Broken(f"{where}: {sum(row.edges for row in report.rows)} edges, the graph has {graph.edges}")


def check_control(graph: NeuronGraph, feeds: dict[str, Array], random: Random, path: Path) -> str:
    """A file with a wrong edge does not pass."""
    writing.write(graph, path, jobs=1)
    way = random.choice(["altered", "dropped"])
    path.write_bytes(damaged(path.read_bytes(), graph, random, way))
    if verify_file(graph, path, feeds).passed:
        raise Broken(f"{graph.detail}: an edge was {way}, and the file passes")
    return way


def damaged(text: bytes, graph: NeuronGraph, random: Random, way: str) -> bytes:
    """GraphML with one edge left out of it and of its count; or its weight off by 1/1000 of its layer's largest."""
    lines = text.split(b"\n")
    edges = [k for k, line in enumerate(lines) if line.startswith(b"<edge")]
    chosen = random.choice(edges)
    if way == "dropped":
        del lines[chosen]
        return b"\n".join(lines).replace(b'parse.edges="%d"' % len(edges), b'parse.edges="%d"' % (len(edges) - 1))
    target = re.search(rb'target="n(\d+)"', lines[chosen])
    weight = re.search(rb'<data key="w">(.*?)</data>', lines[chosen])
    assert target is not None
    assert weight is not None
    layer = graph.layer_of(int(target[1]))
    largest = max(float(np.abs(i.block.weights).max()) for i in layer.incoming)
    other = float(weight[1]) + 1e-3 * (largest or 1.0)
    lines[chosen] = lines[chosen].replace(weight[0], b'<data key="w">%s</data>' % repr(other).encode())
    return b"\n".join(lines)
