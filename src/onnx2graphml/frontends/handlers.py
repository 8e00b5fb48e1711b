"""What tf2onnx has no handler for, or a wrong one. Imported, it is registered."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from tf2onnx.handler import tf_op
from tf2onnx.onnx_opset import nn
from tf2onnx.utils import make_name

from onnx2graphml.frontends.scales import scaled


@tf_op("Erfc")
class _Erfc:
    """The exact gelu is traced to Erfc, for which tf2onnx has no handler: 1 - Erf(x)."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **_: Any) -> None:
        shape, dtype = ctx.get_shape(node.output[0]), ctx.get_dtype(node.output[0])
        x, outputs, name = node.input[0], list(node.output), node.name
        ctx.remove_node(name)
        number = np.array(1, onnx.helper.tensor_dtype_to_np_dtype(dtype))
        one = ctx.make_const(make_name(name), number).output[0]
        known = {"shapes": [shape], "dtypes": [dtype]}
        erf = ctx.make_node("Erf", [x], name=make_name(name), **known).output[0]
        ctx.make_node("Sub", [one, erf], name=name, outputs=outputs, **known)


@tf_op("Bucketize")
class _Bucketize:
    """Discretization is traced to it: how many boundaries are not above a value."""

    @classmethod
    def version_13(cls, ctx: Any, node: Any, **_: Any) -> None:
        shape, dtype = ctx.get_shape(node.output[0]), ctx.get_dtype(node.output[0])
        x, outputs, name = node.input[0], list(node.output), node.name
        kind = onnx.helper.tensor_dtype_to_np_dtype(ctx.get_dtype(x))
        boundaries = np.array(node.get_attr("boundaries").floats, np.float32)
        ctx.remove_node(name)

        def constant(value: Any) -> str:
            return str(ctx.make_const(make_name(name), np.asarray(value)).output[0])

        def made(op: str, inputs: list[str], kind: int, axes: list[int], **attr: Any) -> str:
            known = {"shapes": [[*shape, *axes]], "dtypes": [kind]}
            return str(ctx.make_node(op, inputs, name=make_name(name), attr=attr, **known).output[0])

        if kind.kind != "f":  # a whole number is compared with a fraction
            x = made("Cast", [x], onnx.TensorProto.FLOAT, [], to=onnx.TensorProto.FLOAT)
            kind = np.dtype(np.float32)
        last = constant(np.array([-1], np.int64))
        wide = made("Unsqueeze", [x, last], onnx.helper.np_dtype_to_tensor_dtype(kind), [1])
        reached = made(
            "GreaterOrEqual", [wide, constant(boundaries.astype(kind))], onnx.TensorProto.BOOL, [len(boundaries)]
        )
        ones = made("Cast", [reached], dtype, [len(boundaries)], to=dtype)
        known = {"shapes": [shape], "dtypes": [dtype]}
        ctx.make_node("ReduceSum", [ones, last], attr={"keepdims": 0}, name=name, outputs=outputs, **known)


@tf_op(["BiasAdd", "BiasAddV1"])
class _BiasAdd:
    """With channels first, tf2onnx adds a bias that is no constant along the last axis; weights are inputs here."""

    @classmethod
    def version_7(cls, ctx: Any, node: Any, **_: Any) -> None:
        nn.BiasAdd.version_7(ctx, node)
        bias = node.input[1]
        if node.is_nhwc() or len(ctx.get_shape(bias)) != 1:  # it has been given axes behind the channels
            return
        shape = [*ctx.get_shape(bias), *[1] * (len(ctx.get_shape(node.input[0])) - 2)]
        wanted = ctx.make_const(make_name(node.name), np.array(shape, np.int64)).output[0]
        known = {"shapes": [shape], "dtypes": [ctx.get_dtype(bias)]}
        reshaped = ctx.make_node("Reshape", [bias, wanted], name=make_name(node.name), **known)
        ctx.replace_input(node, bias, reshaped.output[0], 1)


@tf_op(["Conv2DBackpropInput", "Conv3DBackpropInputV2"])
class _ConvTranspose:
    """Where strides are longer than the kernel, positions behind the last window get nothing but the bias.

    tf2onnx has them as negative pads, on both sides; TensorFlow's own gradient has them at the end, and ONNX as
    `output_padding`.
    """

    @classmethod
    def version_1(cls, ctx: Any, node: Any, **_: Any) -> None:
        nn.ConvTranspose.version_1(ctx, node)
        pads = node.get_attr("pads")
        if pads is None:
            return
        before, after = np.array_split(np.array(pads.ints), 2)
        beyond = np.maximum(-(before + after), 0)
        if beyond.any():
            kept = np.where(beyond, 0, [before, after])
            node.set_attr("pads", kept.ravel().tolist())
            node.set_attr("output_padding", beyond.tolist())

    version_11 = version_1


@tf_op(["ResizeBilinear", "ResizeBicubic", "ResizeNearestNeighbor"])
class _Resize:
    """TensorFlow's result is in single precision whatever its pictures are in, unless it takes the nearest.

    And it has the size that was asked for, which a scale in single precision may miss by one.
    """

    @classmethod
    def version_11(cls, ctx: Any, node: Any, **_: Any) -> None:
        single = onnx.TensorProto.FLOAT
        if node.type != "ResizeNearestNeighbor" and ctx.get_dtype(node.input[0]) != single:
            cast = ctx.insert_new_node_on_input(node, "Cast", node.input[0], to=single)
            ctx.set_dtype(cast.output[0], single)
            ctx.copy_shape(node.input[0], cast.output[0])
        name, old, size = node.name, ctx.get_shape(node.input[0]), node.inputs[1]
        wanted = size.get_tensor_value(as_list=False) if size.is_const() else None
        nn.Resize.version_11(ctx, node)
        if wanted is None or np.array_equal(scaled(old[1:3], wanted), wanted):
            return
        resize = ctx.get_node_by_name(name).inputs[0]
        empty = ctx.make_const(make_name(name), np.array([], np.float32)).output[0]
        sizes = ctx.make_const(make_name(name), np.array([old[0], old[3], *wanted], np.int64)).output[0]
        ctx.replace_inputs(resize, [*resize.input[:2], empty, sizes])
