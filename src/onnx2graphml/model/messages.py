"""A model as a tree of Protocol Buffers messages: all of them, without recursion, and whether their text is text."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from google.protobuf.message import Message

from onnx2graphml.errors import ModelError

DEEPEST = 100
"""How deep messages lie in each other. No more can be read from a file."""

FREE_TEXT = ("doc_string", "producer_version", "model_version")
"""Fields that nothing is done with."""


def messages(root: Message) -> Iterator[Message]:
    """The message and all those inside of it; what is in a tensor is left out.

    Raises:
        ModelError: they are nested too deep.

    Example:
        >>> len(list(messages(onnx.GraphProto(node=[onnx.NodeProto(), onnx.NodeProto()]))))
        3
    """
    stack = [(root, 0)]
    while stack:
        message, depth = stack.pop()
        if depth > DEEPEST:
            raise ModelError(f"it is nested more than {DEEPEST} messages deep: export it with fewer nested subgraphs")
        yield message
        if isinstance(message, onnx.TensorProto):
            continue
        for field, value in message.ListFields():
            if field.message_type is not None:
                inner = [value] if isinstance(value, Message) else value
                stack.extend((m, depth + 1) for m in inner)


def check_text(root: Message) -> None:
    """Refuse names that are not UTF-8, which Protocol Buffers hand over as bytes.

    Raises:
        ModelError: shows the name; or the messages are nested too deep.

    Example:
        >>> check_text(onnx.NodeProto(name="é"))
    """
    for message in messages(root):
        if isinstance(message, onnx.TensorProto):
            texts = [message.name, *(t for e in message.external_data for t in (e.key, e.value))]
        else:
            texts = list(_texts(message))
        for text in texts:
            if not isinstance(text, str):
                raise ModelError(f"the name {text!r} is not UTF-8, as ONNX's names are: export the model again")


def _texts(message: Message) -> Iterator[object]:
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING and field.name not in FREE_TEXT:
            yield from [value] if isinstance(value, str | bytes) else value
