"""Inputs to which the user gives a value once and for all, such as a sampling rate: they become constants."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from onnx2graphml.errors import ModelError, did_you_mean
from onnx2graphml.model.static import Shapes, make_static, network_inputs

Fixed = Mapping[str, npt.ArrayLike]


def check_fixed(fixed: object) -> None:
    """`ModelError` where what is given is no values by input name."""
    if fixed is not None and not (isinstance(fixed, Mapping) and all(isinstance(name, str) for name in fixed)):
        raise ModelError(f"fixed is {fixed!r}; expected numbers or arrays by input name, as in {{'sr': 16000}}")


def fix_inputs(proto: onnx.ModelProto, fixed: Fixed, shapes: Shapes, constant: Collection[str] = ()) -> None:
    """Make inputs constants.

    Args:
        proto: is changed.
        fixed: a number, or an array, by input name; a number stands at every place.
        shapes: as given by the user, for inputs that leave theirs open.
        constant: names of initializers that are not in the graph.

    Raises:
        ModelError: there is no such input, or the value does not fit its type and shape.
    """
    inputs = {i.name: i for i in network_inputs(proto.graph, constant)}
    for name, value in fixed.items():
        if name not in inputs:
            near = did_you_mean(name, inputs)
            raise ModelError(f"a value is given for {name!r}; the model's inputs are {', '.join(inputs)}{near}")
        if len(inputs) == 1:
            raise ModelError(f"a value is given for {name!r}, the only input: nothing would be left to compute")
        info = inputs.pop(name)
        make_static([info], {k: v for k, v in shapes.items() if k == name})
        proto.graph.initializer.append(numpy_helper.from_array(_array(info, value), name))
        proto.graph.input.remove(info)


def _array(info: onnx.ValueInfoProto, value: Any) -> npt.NDArray[Any]:
    kind = info.type.tensor_type
    shape, dtype = tuple(d.dim_value for d in kind.shape.dim), onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
    got = np.asarray(value)
    if got.dtype.kind not in "biuf":
        raise ModelError(f"the value of {info.name!r} is {value!r}; expected a number, or an array of numbers")
    with np.errstate(all="ignore"):
        made = got.astype(dtype)
    if dtype.kind in "biu" and not np.array_equal(made.astype(got.dtype), got):
        raise ModelError(f"the value of {info.name!r} is {value!r}, which its type, {dtype}, can't hold")
    if got.ndim and got.shape != shape:
        raise ModelError(f"the value of {info.name!r} has shape {list(got.shape)}; expected {list(shape)}")
    return np.ascontiguousarray(np.broadcast_to(made, shape))
