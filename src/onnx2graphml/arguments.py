"""Whether the arguments of a public function are what its signature says, told before anything is done."""

from __future__ import annotations

import functools
import inspect
import numbers
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

from onnx2graphml.errors import Error

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

SHOWN = 60  # characters of a wrong value


class Kind(NamedTuple):
    """What a part of an annotation stands for.

    Attributes:
        text: the kind in words; empty where an error does not name it.
        holds: whether a value is of that kind.
    """

    text: str
    holds: Callable[[Any], bool]


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _several(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Whether a value is a list, a tuple, an array ... of things of a kind; a text is none of its letters."""

    def are(value: Any) -> bool:
        once = isinstance(value, str | bytes | Mapping | Iterator)
        return isinstance(value, Iterable) and not once and all(map(holds, value))

    return are


def _is_pair(value: Any) -> bool:
    return _several(_is_whole)(value) and len(value) == 2


def _is_place(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and _is_text(value[0]) and _several(_is_whole)(value[1])


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping) and all(map(_is_text, value))


FUNCTION = Kind("a function", callable)

KINDS = {
    "None": Kind("", lambda value: value is None),
    "bool": Kind("True or False", lambda value: isinstance(value, bool | np.bool_)),
    "int": Kind("a whole number", _is_whole),
    "float": Kind("a number", _is_number),
    "str": Kind("text", _is_text),
    "Path": Kind("a path", lambda value: isinstance(value, os.PathLike)),
    "Sequence[str]": Kind("a list of texts", _several(_is_text)),
    "Sequence[int]": Kind("a sequence of whole numbers, as (0, 1)", _several(_is_whole)),
    "tuple[int, int]": Kind("two whole numbers, as (3, 3)", _is_pair),
    "tuple[str, Sequence[int]]": Kind("a layer and a position in its shape, as ('conv1', (0, 1, 5))", _is_place),
    "Mapping[str, str]": Kind(
        "a mapping of text to text", lambda value: _is_mapping(value) and all(map(_is_text, value.values()))
    ),
    "Mapping[str, Any]": Kind("a mapping by name", _is_mapping),
    "Callable[[int], None]": FUNCTION,
    "Told": FUNCTION,
}
"""By annotation."""

OPEN = {"Any", "InputLike", "Sequence[InputLike]", "Shapes", "Fixed", "npt.ArrayLike", "tuple[Any, ...]"}
"""Annotations of what takes so many kinds of things that a function has to find out what it is; it tells by itself."""


def typed(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function, which raises `Error` where an argument is not of the kind that its annotation says.

    Example:
        >>> @typed
        ... def cut(text: str, keep: int | None = None) -> str:
        ...     return text[:keep]
        >>> cut("abc", "2")
        Traceback (most recent call last):
        onnx2graphml.errors.Error: keep is '2'; expected a whole number
    """
    signature = inspect.signature(function)
    kinds = {name: kinds_of(p.annotation) for name, p in signature.parameters.items() if p.annotation is not p.empty}

    @functools.wraps(function)
    def called(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # an argument is missing, or there is none of that name: Python says so
            return function(*args, **kwargs)
        for name, value in given.items():
            if kinds.get(name) and not any(kind.holds(value) for kind in kinds[name]):
                raise Error(f"{name} is {_shown(value)}; expected {_words(kinds[name])}")
        return function(*args, **kwargs)

    return called


def kinds_of(annotation: str) -> list[Kind]:
    """The kinds of which a value may be, by an annotation as it stands in the source; none where all are open."""
    parts = re.split(r" \| (?![^\[]*\])", annotation)
    if OPEN & set(parts):
        return []
    return [KINDS.get(part) or _object(part) for part in parts]


def _object(name: str) -> Kind:
    """An object of a class of this package, which need not be imported here."""
    return Kind(f"a {name}", lambda value: any(one.__name__ == name for one in type(value).__mro__))


def _words(kinds: list[Kind]) -> str:
    texts = [kind.text for kind in kinds if kind.text]
    return " or ".join(text for text in texts if not (text == "text" and "a path" in texts))


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
