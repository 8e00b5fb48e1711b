"""The network in ONNX Runtime: what any of its tensors come to, in one forward pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort

from onnx2graphml.errors import Error, ModelError, TooLargeError
from onnx2graphml.graph.graph import Layer
from onnx2graphml.model import Model, TensorType
from onnx2graphml.model.light import lent
from onnx2graphml.model.uniform import is_uniform

Array = npt.NDArray[Any]

MOST_FILLED = 1 << 30
"""Bytes of constants that a file of a few kB may make ONNX Runtime fill: VGG19's weights are 0.6 GB."""


class Runtime:
    """A model of which the named tensors can be asked, run without ONNX Runtime's graph optimizations.

    Args:
        tensors: names of tensors of the model, its inputs among them if need be.
        lean: without a copy of the weights in an order in which sums are faster, and rounded otherwise.

    Raises:
        ModelError: ONNX Runtime can't load the model; and, from `run`, can't run it.

    Example:
        >>> import numpy, onnx2graphml
        >>> model = onnx2graphml.load("fixtures/digits.onnx").model
        >>> runtime = Runtime(model, model.outputs)
        >>> runtime.run({model.inputs[0]: numpy.zeros((1, 8, 8, 1), numpy.float32)})[model.outputs[0]].shape
        (1, 10)
    """

    def __init__(self, model: Model, tensors: Sequence[str], lean: bool = False) -> None:
        model.check_files()
        self._asked = [t for t in tensors if t not in model.inputs]
        self._shapes = {t: _kind(model, t).shape for t in self._asked}
        asked = list(dict.fromkeys([*self._asked, *_rounded(model)]))
        self._model = model
        self._session = _session(model, _asking(model, asked), lean) if self._asked else None

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """The tensors' values, and the feeds themselves."""
        if self._session is None:
            return dict(feeds)
        try:
            found = self._session.run([_read_as(self._model, t) for t in self._asked], dict(feeds))
        except Exception as e:
            raise _failure(e) from None
        for name, value in zip(self._asked, found, strict=True):
            if value.shape != self._shapes[name]:
                raise ModelError(
                    f"ONNX Runtime gives tensor {name!r} the shape {list(value.shape)}; ONNX infers "
                    f"{list(self._shapes[name])}: the model is not valid"
                )
        return dict(zip(self._asked, found, strict=True)) | dict(feeds)


def _rounded(model: Model) -> list[str]:
    """Tensors of float16, and what is cast to and from it: ONNX Runtime leaves a rounding out unless asked for it."""
    types = {name: kind.dtype for name, kind in model.types.items()}
    types |= {name: value.dtype for name, value in model.constants.items()}
    if np.float16 not in types.values():
        return []
    made = [(node.op_type, t) for node in model.proto.graph.node for t in node.output if t in types]
    return [t for op, t in made if types[t] == np.float16 or op in ("Cast", "CastLike")]


def original_outputs(model: Model, feeds: Mapping[str, Array]) -> list[Array]:
    """The outputs, in their order, of the model as it was before its composite operators were replaced by their parts.

    Raises:
        ModelError: ONNX Runtime can't run it.
    """
    assert model.original is not None
    session = _session(model, model.original)
    try:
        return list(session.run(None, dict(feeds)))
    except Exception as e:
        raise _failure(e) from None


def outputs_of(proto: onnx.ModelProto, feeds: Sequence[Mapping[str, Array]]) -> list[list[Array]]:
    """For each of the feeds, the outputs of a model as it is, in their order.

    Raises:
        ModelError: ONNX Runtime can't run the model.
    """
    options = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return [list(session.run(None, dict(own))) for own in feeds]
    except Exception as e:
        raise _failure(e) from None


def _session(model: Model, proto: onnx.ModelProto, lean: bool = False) -> Any:
    """A session of the model, or of what it was; large initializers are lent to it."""
    _check_filled(model)
    names = lent(proto)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.add_session_config_entry("session.disable_prepacking", "1" if lean else "0")
    try:
        values = [ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(model.constants[n])) for n in names]
        options.add_external_initializers(names, values)
        return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as e:
        raise _failure(e) from None


def _check_filled(model: Model) -> None:
    """Refuse constants of one value throughout that ONNX Runtime would need gigabytes for: it makes them in full."""
    filled = sum(v.nbytes for v in model.constants.values() if is_uniform(v))
    if filled > MOST_FILLED:
        raise TooLargeError(
            f"the model fills constants with one value, which takes {filled // 1_000_000:,} MB in ONNX Runtime; "
            f"they may take {MOST_FILLED // 1_000_000:,} MB: store such weights in the file instead"
        )


def _failure(error: Exception) -> Error:
    if isinstance(error, Error):  # a file was cut meanwhile
        return error
    return ModelError(f"ONNX Runtime can't run this model: {str(error).strip().splitlines()[0]}")


def _asking(model: Model, tensors: Sequence[str]) -> onnx.ModelProto:
    """The model with other outputs."""
    asking = onnx.ModelProto()
    asking.CopyFrom(model.proto)
    del asking.graph.output[:]
    for t in tensors:
        if (name := _read_as(model, t)) != t:
            asking.graph.node.append(onnx.helper.make_node("Cast", [t], [name], to=onnx.TensorProto.FLOAT))
    asking.graph.output.extend(_declared(model, t) for t in tensors)
    return asking


def _read_as(model: Model, tensor: str) -> str:
    """The name of an output that NumPy has a type for: what it lacks, such as 8-bit floats, comes as float32."""
    return tensor if _kind(model, tensor).dtype.isbuiltin == 1 else f"{tensor} as float32"


def _kind(model: Model, tensor: str) -> TensorType:
    """A tensor's type, whether it is computed or constant."""
    if tensor in model.types:
        return model.types[tensor]
    value = model.constants[tensor]
    return TensorType(value.shape, value.dtype)


def _declared(model: Model, tensor: str) -> onnx.ValueInfoProto:
    kind = _kind(model, tensor)
    read = kind.dtype if kind.dtype.isbuiltin == 1 else np.dtype(np.float32)
    dtype = onnx.helper.np_dtype_to_tensor_dtype(read)
    return onnx.helper.make_tensor_value_info(_read_as(model, tensor), dtype, kind.shape)


def tensors_of(layers: Sequence[Layer]) -> list[str]:
    """The tensors that hold the layers' values; constants have none."""
    return sorted({layer.provenance.tensor for layer in layers if layer.aggregation != "constant"})


def layer_value(layer: Layer, tensors: Mapping[str, Array]) -> Array:
    """A layer's value in its own shape, in the tensor's type."""
    if layer.aggregation == "constant":
        assert layer.bias is not None
        return np.broadcast_to(layer.bias, layer.shape)
    value, order = tensors[layer.provenance.tensor], layer.provenance.order
    shown = value[0] if value.ndim > len(order) else value
    return shown.transpose(order).reshape(layer.shape)
