"""What goes in at a network's inputs. The one place that says what a name, a file, a picture or an array stands for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from onnx2graphml.errors import Error, MissingExtraError, reason
from onnx2graphml.functions.rounding import is_exact, is_number
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference import images
from onnx2graphml.inference.array_files import arrays_of
from onnx2graphml.inference.whole_numbers import in_range, vocabulary
from onnx2graphml.model import Model, TensorType

Array = npt.NDArray[Any]
Random = np.random.Generator
InputLike = str | Path | Array | Mapping[str, Array]
"""One input of a network: a name in `MADE`, a path to an .npy or .npz file or to a picture, an array for a network of
one input, or arrays by input name; each with or without the batch axis."""

LARGE = 2.0**13  # its square still is a float32 by far, and it itself a float16

log = logging.getLogger("onnx2graphml")
"""Says, as INFO, what was done with a picture; the command line prints it on standard error."""


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
SUFFIXES = (*FILES, *images.SUFFIXES)
"""Of files that hold an input."""


def resolve(
    graph: NeuronGraph,
    given: InputLike = "random",
    *,
    seed: int = 0,
    preprocess: str | None = None,
    quiet: bool = False,
) -> dict[str, Array]:
    """The arrays that an input stands for, by the names of the model's inputs, in their shapes and types.

    Args:
        graph: with the model that it was made from.
        given: see `InputLike`.
        seed: random seed, for a name in `MADE`.
        preprocess: how a picture's values 0 to 255 are scaled, a key of `images.PREPROCESS`; `0..1` by default.
        quiet: don't log what is done with a picture.

    Raises:
        Error: there is no such name or file, an array is missing or has another shape, a file holds no numbers (pickles
            are never opened), or `preprocess` is given and there is no picture.
        MissingExtraError: Pillow, which pictures need, is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> resolve(graph, "ties")["image"].shape, resolve(graph, np.zeros((8, 8, 1)))["image"].shape
        ((1, 8, 8, 1), (1, 8, 8, 1))
    """
    model = graph.require_model()
    if isinstance(given, str | Path) and is_picture(given):
        return _picture(graph, model, Path(given), preprocess or "0..1", quiet)
    if preprocess is not None:
        shown = str(given) if isinstance(given, str | Path) else "an array"
        raise Error(f"preprocess is for pictures ({', '.join(images.SUFFIXES)}); the input is {shown!r}")
    if isinstance(given, str | Path):
        return made(str(given), model, seed) if str(given) in MADE else checked(model, _read(Path(given), model))
    if isinstance(given, Mapping):
        return checked(model, given)
    if len(model.inputs) != 1:
        raise Error(f"one array is given; the model has the inputs {', '.join(model.inputs)}: give a mapping by name")
    return checked(model, {model.inputs[0]: given})


def is_picture(given: InputLike) -> bool:
    """Whether an input is the path of a picture."""
    return isinstance(given, str | Path) and Path(given).suffix.lower() in images.SUFFIXES


def made(name: str, model: Model, seed: int = 0) -> dict[str, Array]:
    """An input of `MADE`: the same for the same seed."""
    random = np.random.default_rng(seed)
    feeds = {}
    for n, kind in input_types(model):
        values = np.asarray(MADE[name](random, kind.shape))
        whole = is_exact(kind.dtype)
        feeds[n] = in_range(values, kind, vocabulary(model, n)) if whole else values.astype(kind.dtype)
    return feeds


def checked(model: Model, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """The given arrays in the types of the model's inputs; an error states what shape is expected."""
    feeds = {}
    for name, kind in input_types(model):
        if name not in arrays:
            raise Error(f"no array is given for input {name!r} of shape {list(kind.shape)}")
        given = np.asarray(arrays[name])
        _check_numbers(given, f"input {name!r}", model)
        given = given[None] if kind.shape and given.shape == kind.shape[1:] else given
        if given.shape != kind.shape:
            raise Error(f"input {name!r} is given with shape {list(given.shape)}; expected {list(kind.shape)}")
        feeds[name] = given.astype(kind.dtype)
    return feeds


def _picture(graph: NeuronGraph, model: Model, path: Path, preprocess: str, quiet: bool) -> dict[str, Array]:
    inputs = [layer for layer in graph.layers if layer.aggregation == "input"]
    if len(inputs) != 1:
        names = ", ".join(repr(layer.name) for layer in inputs)
        raise Error(f"{path} is one picture; the model has the inputs {names}: give an .npz file")
    picture = images.open_picture(path, inputs[0], preprocess)
    if not quiet:
        log.info("%s: %s", path, "; ".join(picture.done))
    return checked(model, {inputs[0].provenance.tensor: picture.array})


def _read(path: Path, model: Model) -> dict[str, Array]:
    """Arrays by input name, as they stand in an .npy or .npz file."""
    if path.suffix.lower() not in FILES:
        raise Error(f"{path}: not an input; expected {', '.join(MADE)}, or a file {', '.join(SUFFIXES)}")
    try:
        arrays = arrays_of(path, [kind for _, kind in input_types(model)], model.inputs)
    except (MemoryError, MissingExtraError):
        raise
    except Exception as e:  # whatever comes of a damaged archive
        why = reason(e) or type(e).__name__
        raise Error(f"{path}: not a readable .npy or .npz file: {why}; {_expected(model)}") from None
    for name, array in arrays.items():
        _check_numbers(array, f"{path}: array {name!r}", model)
    if "" not in arrays:
        return arrays
    if len(model.inputs) != 1:
        raise Error(f"{path} holds one array; {_expected(model)}: give an .npz")
    return {model.inputs[0]: arrays[""]}


def _check_numbers(array: Array, what: str, model: Model) -> None:
    if not is_number(array.dtype):
        raise Error(f"{what} has type {array.dtype}, not numbers; {_expected(model)}")


def _expected(model: Model) -> str:
    shapes = ", ".join(f"{name!r} of shape {list(kind.shape)}" for name, kind in input_types(model))
    return f"expected the input{'s' * (len(model.inputs) > 1)} {shapes}"


def input_types(model: Model) -> Iterator[tuple[str, TensorType]]:
    """The name, shape and type of each input."""
    for name in model.inputs:
        yield name, model.types[name]
