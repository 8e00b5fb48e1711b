"""The nodes of a converted graph in an order that only the network decides.

tf2onnx goes through sets of names, so that what it writes changes from one process to the next.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator

import onnx


def walk(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes, those in bodies of loops and branches included."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from walk(attribute.g)


def put_in_order(graph: onnx.GraphProto, call_of: Callable[[str], int | None]) -> None:
    """Sort the nodes: in the order in which the framework called their layers, as far as that is topological.

    Args:
        graph: is changed.
        call_of: the number of the call that a node was made in, by its name; None for an exporter's own node, which
            comes with what reads it.
    """
    nodes = list(graph.node)
    makers = {o: k for k, node in enumerate(nodes) for o in node.output if o}
    reads = [_makers_read(node, makers) for node in nodes]
    readers: list[list[int]] = [[] for _ in nodes]
    for k, makers_read in enumerate(reads):
        for maker in makers_read:
            readers[maker].append(k)
    place = _from_the_outputs(reads, [makers[o.name] for o in graph.output if o.name in makers])
    calls = [call_of(node.name) for node in nodes]
    for k in sorted(range(len(nodes)), key=lambda k: -place.get(k, -1)):
        if calls[k] is None:
            calls[k] = min((c for r in readers[k] if (c := calls[r]) is not None), default=None)
    last = len(nodes)
    keys = [(last if call is None else call, place.get(k, last), k) for k, call in enumerate(calls)]
    order = _by_priority(reads, readers, keys)
    kept = [onnx.NodeProto.FromString(nodes[k].SerializeToString()) for k in order]
    del graph.node[:]
    graph.node.extend(kept)


def _makers_read(node: onnx.NodeProto, makers: dict[str, int]) -> list[int]:
    """The nodes that a node reads, also within its bodies, each once, in the order of its inputs."""
    inner = onnx.GraphProto(node=[node])
    return list(dict.fromkeys(makers[i] for each in walk(inner) for i in each.input if i in makers))


def _from_the_outputs(reads: list[list[int]], ends: list[int]) -> dict[int, int]:
    """Places in the order in which a walk back from the outputs leaves the nodes: what it reads before each."""
    place: dict[int, int] = {}
    stack = [(k, iter(reads[k])) for k in reversed(ends)]
    seen: set[int] = set()
    while stack:
        k, rest = stack.pop()
        seen.add(k)
        following = next((j for j in rest if j not in seen), None)
        if following is not None:
            stack += [(k, rest), (following, iter(reads[following]))]
        else:
            place.setdefault(k, len(place))
    return place


def _by_priority(reads: list[list[int]], readers: list[list[int]], keys: list[tuple[int, int, int]]) -> list[int]:
    """A topological order; of the nodes that may come next, the one with the least key does."""
    missing = [len(r) for r in reads]
    ready = [(keys[k], k) for k, n in enumerate(missing) if not n]
    heapq.heapify(ready)
    order = []
    while ready:
        _, k = heapq.heappop(ready)
        order.append(k)
        for reader in readers[k]:
            missing[reader] -= 1
            if not missing[reader]:
                heapq.heappush(ready, (keys[reader], reader))
    return order
