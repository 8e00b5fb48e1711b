"""What layers are called with: references to what others make, in lists and dictionaries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from onnx2graphml.frontends.direct.plan import Reference
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Value

Outputs = dict[tuple[str, int], list[Value]]
"""By the name of a part, and which of its calls it was."""


def references(value: Any) -> Iterator[Reference]:
    """The tensors that an argument refers to."""
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in (value[key] for key in sorted(value)) if isinstance(value, dict) else value:
            yield from references(each)


def found(done: Outputs, reference: Reference) -> Value:
    """What a part has put out."""
    outputs = done.get((reference.part, reference.call), [])
    require(0 <= reference.output < len(outputs), f"the output {reference}")
    return outputs[reference.output]


def filled(value: Any, done: Outputs) -> Any:
    """An argument with the tensors that it refers to."""
    if isinstance(value, Reference):
        return found(done, value)
    if isinstance(value, list | tuple):
        return type(value)(filled(each, done) for each in value)
    return {k: filled(v, done) for k, v in value.items()} if isinstance(value, dict) else value


def flat(value: Any) -> Iterator[Value]:
    """The tensors in an argument, in the order in which Keras flattens them."""
    if isinstance(value, Value):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from flat(each)
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from flat(value[key])
