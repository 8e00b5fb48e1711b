"""The network's inputs with static shapes: as the model has them, as the user gives them, and 1 for an open batch."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Mapping, Sequence

import onnx

from onnx2graphml.errors import ModelError, UnsupportedError, option

Shapes = Mapping[str, Sequence[int]]

ANONYMOUS = ("?", "-1", "None", "unk", "")
"""What exporters call a dimension that has no name: two of them are two dimensions."""

PICTURE_SIDE, STEPS = 224, 16  # sizes that messages suggest: of pictures, which have rank 4, and of sequences


def network_inputs(graph: onnx.GraphProto, constant: Collection[str]) -> list[onnx.ValueInfoProto]:
    """The graph's inputs without initializers, which older models list among them.

    Args:
        constant: names of initializers that are not in the graph.
    """
    names = {i.name for i in graph.initializer} | {i.values.name for i in graph.sparse_initializer} | set(constant)
    return [i for i in graph.input if i.name not in names]


def check_shapes(shapes: object) -> None:
    """`ModelError` where what is given is no shapes by input name."""
    if shapes is None:
        return
    sizes = list(shapes.values()) if isinstance(shapes, Mapping) else [None]
    if not all(isinstance(s, Sequence) and all(isinstance(n, numbers.Integral) for n in s) for s in sizes):
        raise ModelError(f"shapes are {shapes!r}; expected whole numbers by input name, as in {{'x': (1, 16)}}")


def make_static(inputs: Sequence[onnx.ValueInfoProto], shapes: Shapes) -> None:
    """Set the inputs' dimensions that are open.

    Args:
        inputs: are changed.
        shapes: full static shapes by input name.

    Raises:
        ModelError: a shape remains open, or a given one contradicts the model.
        UnsupportedError: an input is no tensor.
    """
    names = [i.name for i in inputs]
    for name in shapes:
        if name not in names:
            raise ModelError(f"a shape is given for {name!r}; the model's inputs are {', '.join(map(repr, names))}")
    symbols: dict[str, int] = {}
    for i in inputs:
        for d in i.type.tensor_type.shape.dim:
            if d.dim_param in ANONYMOUS and not (d.HasField("dim_value") and d.dim_value >= 0):
                d.Clear()
    for i in inputs:
        if i.name in shapes:
            _set_shape(i, shapes[i.name], symbols)
    for i in inputs:
        for position, d in enumerate(i.type.tensor_type.shape.dim):
            if not d.HasField("dim_value") and (d.dim_param in symbols or position == 0):
                d.dim_value = symbols.get(d.dim_param, 1)
    for i in inputs:
        _check_static(i)


def _set_shape(info: onnx.ValueInfoProto, shape: Sequence[int], symbols: dict[str, int]) -> None:
    """Make an input's dimensions those, and add what its symbols thereby stand for."""
    dims = info.type.tensor_type.shape.dim
    if not info.type.tensor_type.HasField("shape"):
        info.type.tensor_type.shape.SetInParent()
        for _ in shape:
            dims.add()
    fits = len(dims) == len(shape) and all(
        not _is_known(d) or d.dim_value == n for d, n in zip(dims, shape, strict=True)
    )
    if not fits or not 1 <= min(shape, default=1) <= max(shape, default=1) < 1 << 63:
        raise ModelError(f"the shape {list(shape)} is given for input {info.name!r}, which has {_shape_text(info)}")
    for d, n in zip(dims, shape, strict=True):
        if d.dim_param and symbols.setdefault(d.dim_param, n) != n:
            raise ModelError(f"the shapes give {d.dim_param!r} both {symbols[d.dim_param]} and {n}, at {info.name!r}")
        d.dim_value = n


def _check_static(info: onnx.ValueInfoProto) -> None:
    kind = info.type.tensor_type
    if not info.type.HasField("tensor_type"):
        raise UnsupportedError(f"input {info.name!r} is a {info.type.WhichOneof('value')}; expected a tensor")
    if not kind.HasField("shape") or not all(map(_is_known, kind.shape.dim)):
        sizes = suggested([d.dim_value if _is_known(d) else None for d in kind.shape.dim])
        raise ModelError(
            f"input {info.name!r} has shape {_shape_text(info)}; every dimension must be known: "
            f"give {shape_option(info.name, sizes)}, with your sizes"
        )


def suggested(shape: Sequence[int | None]) -> tuple[int, ...]:
    """A shape as the user may mean it: batch 1, and sizes of a picture or of a sequence where they are open.

    Example:
        >>> suggested([None, 3, None, None]), suggested([None, None])
        ((1, 3, 224, 224), (1, 16))
    """
    side = PICTURE_SIDE if len(shape) == 4 else STEPS
    return tuple((side if k else 1) if n is None else n for k, n in enumerate(shape)) or (
        1,
        3,
        PICTURE_SIDE,
        PICTURE_SIDE,
    )


def shape_option(name: str, shape: tuple[int, ...]) -> str:
    """How to give the shape of an input.

    Example:
        >>> shape_option("x", (1, 16))
        "--shape x=1,16 (shapes={'x': (1, 16)} in Python)"
    """
    return option(f"--shape {name}={','.join(map(str, shape))}", f"shapes={{{name!r}: {shape}}}")


def _is_known(dimension: onnx.TensorShapeProto.Dimension) -> bool:
    """Whether it has a size; some exporters write -1 where it is open."""
    return bool(dimension.HasField("dim_value") and dimension.dim_value >= 0)


def _shape_text(info: onnx.ValueInfoProto) -> str:
    if not info.type.tensor_type.HasField("shape"):
        return "no known shape"
    dims = [
        str(d.dim_value) if d.HasField("dim_value") else d.dim_param or "?" for d in info.type.tensor_type.shape.dim
    ]
    return f"[{', '.join(dims)}]"
