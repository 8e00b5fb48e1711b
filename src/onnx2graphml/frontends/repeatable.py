"""Whether a TensorFlow function computes the same each time.

A random number or a counter would be frozen into the graph as it was at that moment, and nothing would show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from onnx2graphml.errors import UnsupportedError

_RANDOM = re.compile(
    r"Random|Rng|TruncatedNormal|Multinomial|StatelessShuffle|NonDeterministicInts|CandidateSampler|Stateful\w*Normal"
    r"|Stateful\w*Uniform|SampleDistorted"
)
_WRITES = re.compile(r"Assign\w*VariableOp|Resource\w*Assign|ResourceScatter\w*")


def is_random(op: str) -> bool:
    """Whether an operator of TensorFlow draws random numbers."""
    return _RANDOM.search(op) is not None


def check_repeatable(concrete: Any, layer_of: Callable[[str], str | None], written: Collection[str] = ()) -> None:
    """Refuse what draws random numbers, or reads what it changes itself.

    Args:
        concrete: a concrete TensorFlow function, before it is frozen.
        layer_of: the framework's layer of a node, by the node's name.
        written: names of those of its inputs of which it computes new values, to be used the next time.

    Raises:
        UnsupportedError: names the layer.
    """
    definition = concrete.graph.as_graph_def()
    functions = {f.signature.name: f.node_def for f in definition.library.function}
    nodes = {node.name: node for node in definition.node}
    ends = [output.op.name for output in concrete.outputs]
    needed = _behind(nodes, ends)
    for node in needed:
        found = node if _draws(node, nodes) else _inside(node, functions, lambda inner, those: _draws(inner, those))
        if found is not None:
            raise UnsupportedError(f"{_where(node, found, layer_of)} draws random numbers ({found.op}): {ADVICE}")
    for node in nodes.values():
        found = node if _changes(node, needed) else _inside(node, functions, lambda inner, _: _writes(inner))
        if found is not None:
            raise UnsupportedError(f"{_where(node, found, layer_of)} changes a variable ({found.op}): {ADVICE}")
    for node in needed:
        if node.name in written:
            readers = [n.name for n in needed if any(_source(i) == node.name for i in n.input)]
            raise UnsupportedError(f"{_told(map(layer_of, readers))} changes a variable that it reads: {ADVICE}")


ADVICE = "two predictions differ; give the part of the model without it, as keras.Model(inputs, outputs of a layer)"


def _source(name: str) -> str:
    return name.lstrip("^").split(":")[0]


def _behind(nodes: Mapping[str, Any], names: Iterable[str]) -> list[Any]:
    """The nodes that those named depend on by their data, and those themselves."""
    wanted, found = list(names), {}
    while wanted:
        name = wanted.pop()
        if name in nodes and name not in found:
            found[name] = nodes[name]
            wanted += [_source(i) for i in nodes[name].input if not i.startswith("^")]
    return list(found.values())


def _draws(node: Any, nodes: Mapping[str, Any]) -> bool:
    """Whether it is random: not so with a seed that is a number of the program, which gives the same each time."""
    if not is_random(node.op):
        return False
    behind = _behind(nodes, [node.name])
    keys = [n for n in behind if n.op == "StatelessRandomGetKeyCounter"]  # which the newer operators take
    seeds = [_source(i) for n in keys or [node] for i in (n.input if keys else n.input[1:])]
    if any(name not in nodes for name in seeds):
        return True
    return not node.op.startswith("Stateless") or any(_is_given(n, nodes) for n in _behind(nodes, seeds))


def _is_given(node: Any, nodes: Mapping[str, Any]) -> bool:
    """Whether its value comes from outside: an input, a variable, an argument of the function around it, or chance."""
    if is_random(node.op) and not node.op.startswith("Stateless"):
        return True
    return any(_source(i) not in nodes for i in node.input) or (not node.input and node.op != "Const")


def _writes(node: Any) -> bool:
    return _WRITES.fullmatch(node.op) is not None


def _changes(node: Any, needed: Sequence[Any]) -> bool:
    """Whether it writes a variable that the outputs depend on."""
    if not _writes(node):
        return False
    return any(n.op.startswith("ReadVariable") and n.input[0] == node.input[0] for n in needed)


def _inside(node: Any, functions: Mapping[str, Any], found: Callable[[Any, Mapping[str, Any]], bool]) -> Any | None:
    """The first node of that kind in the functions that a node calls."""
    called = [v for a in node.attr.values() for v in (a.func.name, *(f.name for f in a.list.func)) if v in functions]
    for name in called:
        nodes = {inner.name: inner for inner in functions[name]}
        for inner in nodes.values():
            hit = inner if found(inner, nodes) else _inside(inner, functions, found)
            if hit is not None:
                return hit
    return None


def _where(node: Any, found: Any, layer_of: Callable[[str], str | None]) -> str:
    return _told([layer_of(found.name) or layer_of(node.name)], found.name)


def _told(layers: Iterable[str | None], name: str = "") -> str:
    layer = next((each for each in layers if each), None)
    return f"layer {layer!r}" if layer else f"the operation {name!r}" if name else "the model"
