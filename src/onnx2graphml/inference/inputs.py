"""Patterns: what goes in at a network's inputs. Made by a seed, extreme on purpose, or read from a file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error
from onnx2graphml.model import Model, TensorType

Array = npt.NDArray[Any]
Random = np.random.Generator

LARGE = 2.0**13  # its square still is a float32 by far, and it itself a float16


def _random(random: Random, shape: tuple[int, ...]) -> Array:
    return random.standard_normal(shape)


def _zeros(random: Random, shape: tuple[int, ...]) -> Array:
    return np.zeros(shape)


def _large(random: Random, shape: tuple[int, ...]) -> Array:
    return LARGE * random.standard_normal(shape).clip(-2, 2)


def _ties(random: Random, shape: tuple[int, ...]) -> Array:
    return random.integers(-1, 2, shape)


MADE: dict[str, Callable[[Random, tuple[int, ...]], Array]] = {
    "random": _random,
    "zeros": _zeros,
    "large": _large,
    "ties": _ties,
}
"""By name: normally distributed; zeros; normally distributed and large; -1, 0 and 1, among which maxima are ties."""

FILES = (".npy", ".npz")


def pattern(text: str, model: Model, seed: int = 0) -> dict[str, Array]:
    """Arrays for all of a model's inputs, in their shapes and types.

    Args:
        text: a name in `MADE`, or a path to an .npy file (for a network of one input) or an .npz file (an array for
            each input's name). An array without the batch axis gets one of size 1.
        seed: of what is made.

    Raises:
        Error: there is no such name or file, or an array is missing or has the wrong shape; pickles are refused.

    Example:
        >>> import onnx2graphml
        >>> model = onnx2graphml.load("fixtures/digits.onnx").origin
        >>> {name: array.shape for name, array in pattern("ties", model).items()}
        {'image': (1, 8, 8, 1)}
    """
    if text in MADE:
        return made(text, model, seed)
    return checked(model, read(Path(text), model))


def made(name: str, model: Model, seed: int = 0) -> dict[str, Array]:
    """A pattern of `MADE`: the same for the same seed."""
    random = np.random.default_rng(seed)
    return {n: MADE[name](random, kind.shape).astype(kind.dtype) for n, kind in input_types(model)}


def checked(model: Model, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The given arrays in the types of the model's inputs; an error states what shape is expected."""
    feeds = {}
    for name, kind in input_types(model):
        if name not in arrays:
            raise Error(f"no array is given for input {name!r} of shape {list(kind.shape)}")
        given = arrays[name][None] if kind.shape and arrays[name].shape == kind.shape[1:] else arrays[name]
        if given.shape != kind.shape:
            raise Error(f"input {name!r} is given with shape {list(given.shape)}; expected {list(kind.shape)}")
        feeds[name] = given.astype(kind.dtype)
    return feeds


def read(path: Path, model: Model) -> dict[str, Array]:
    """Arrays by input name, as they stand in an .npy or .npz file."""
    if path.suffix.lower() not in FILES:
        raise Error(f"{path}: not a pattern; expected {', '.join(MADE)}, or a file {' or '.join(FILES)}")
    try:
        loaded = np.load(path, allow_pickle=False)
        arrays = {"": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as e:
        why = e.strerror if isinstance(e, OSError) and e.strerror else str(e).splitlines()[0]
        raise Error(f"{path}: not a readable .npy or .npz file: {why}; {_expected(model)}") from None
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub":
            raise Error(f"{path}: array {name!r} has type {array.dtype}, not numbers; {_expected(model)}")
    if "" not in arrays:
        return arrays
    if len(model.inputs) != 1:
        raise Error(f"{path} holds one array; {_expected(model)}: give an .npz")
    return {model.inputs[0]: arrays[""]}


def _expected(model: Model) -> str:
    shapes = ", ".join(f"{name!r} of shape {list(kind.shape)}" for name, kind in input_types(model))
    return f"expected the input{'s' * (len(model.inputs) > 1)} {shapes}"


def input_types(model: Model) -> Iterator[tuple[str, TensorType]]:
    """The name, shape and type of each input."""
    for name in model.inputs:
        yield name, model.types[name]
