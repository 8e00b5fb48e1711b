"""The order in which a functional model makes its calls: Keras' own, with the calls of one layer as they were made.

It decides no value, but the numbers in the names of nodes outside of all layers.
"""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Mapping

from onnx2graphml.frontends.direct.arguments import references
from onnx2graphml.frontends.direct.plan import INPUT, Plan
from onnx2graphml.frontends.direct.uncovered import require

Key = tuple[str, int]
"""A call: the name of its part, and which of the part's calls it is."""

Reads = Mapping[Key, list[Key]]


def calls_in_order(plan: Plan) -> list[Key]:
    """All calls but those of inputs, each after what it reads and after the earlier calls of its part.

    Raises:
        UncoveredError: they read what there isn't, or each other in a circle.
    """
    reads: dict[Key, list[Key]] = {(r.part, r.call): [] for r in plan.inputs}
    for part in plan.parts:
        for number, call in enumerate(part.calls) if part.class_name != INPUT else ():
            values = [*call.positional, *(call.keywords[key] for key in sorted(call.keywords))]
            reads.setdefault((part.name, number), [(r.part, r.call) for r in references(values)])
    ends = [(r.part, r.call) for r in plan.outputs]
    require({key for each in reads.values() for key in each}.union(ends) <= reads.keys(), "a call that there isn't")
    sorter: graphlib.TopologicalSorter[Key] = graphlib.TopologicalSorter()
    for part_name, number in _by_depth(reads, ends):
        earlier = [(part_name, k) for k in range(number)]
        sorter.add((part_name, number), *reads[part_name, number], *earlier)
    inputs = {part.name for part in plan.parts if part.class_name == INPUT}
    try:
        return [key for key in sorter.static_order() if key[0] not in inputs]
    except graphlib.CycleError:
        require(False, "calls that wait for each other")
        raise


def _by_depth(reads: Reads, ends: Iterable[Key]) -> list[Key]:
    """As Keras has them: those first that are farthest from the outputs."""
    depths: dict[Key, int] = {}
    of_parts: dict[str, int] = {}
    for key in reversed(_from_the_outputs(reads, ends)):
        depth = depths[key] = of_parts[key[0]] = max(depths.get(key, 0), of_parts.get(key[0], 0))
        for read in reads[key]:
            depths[read] = max(depth + 1, depths.get(read, 0))
    return sorted(depths, key=lambda key: -depths[key])


def _from_the_outputs(reads: Reads, ends: Iterable[Key]) -> list[Key]:
    """The calls that the outputs depend on, each behind what it reads."""
    order: list[Key] = []
    begun: set[Key] = set()
    for end in ends:
        stack = [(end, iter(reads[end]))] if end not in begun else []
        begun.add(end)
        while stack:
            key, rest = stack[-1]
            following = next((each for each in rest if each not in begun), None)
            if following is None:
                order.append(key)
                stack.pop()
            else:
                begun.add(following)
                stack.append((following, iter(reads[following])))
    return order
