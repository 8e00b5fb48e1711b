"""Files that attack what reads them: endless equations, bombs of constants, crashes, and values nobody agrees on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from hostile.cases import FLOAT, add, case, changed, model, node, window

# ------------------------------------------------------------------------------------------------ endless, and crashing

for equation in ("a*", "a", "ab,bc->ac", "...*", "a->a->a", "a" * 300, "1", "ab->\x00"):
    add(
        f"an equation of {equation[:12]!r}",
        lambda _, e=equation: model([node("Einsum", "x x x", "y", equation=e)]),
        "the_Einsum.*equation is .*; expected letters",
    )


@case("branches that read a string around them", "the_If.*RegexFullMatch.*operators of text and sequences")
def _(_: Path) -> onnx.ModelProto:
    text = TensorProto(name="s", dims=[2], data_type=TensorProto.STRING, string_data=[b"aab", b"c"])
    info = [helper.make_tensor_value_info("m", TensorProto.BOOL, None)]
    match = node("RegexFullMatch", "s", "m", pattern="a+b")
    branches = {f"{name}_branch": helper.make_graph([match], name, [], info) for name in ("then", "else")}
    nodes = [node("If", "go", "m", **branches), node("Cast", "m", "f", to=1), node("Add", "x f", "y")]
    made = model(nodes, {"x": [1, 2]}, tensors=[text], opset=20)
    made.graph.input.add().CopyFrom(helper.make_tensor_value_info("go", TensorProto.BOOL, []))
    return made


# ---------------------------------------------------------------------------------------------------- time and memory

add("a chain of 600 Relus", lambda _: model([node("Relu", f"x{k}", f"x{k + 1}") for k in range(600)],
    {"x0": [1, 4]}, outputs=["x600"]), None)  # fmt: skip
add("a chain of 500 Transposes", lambda _: model(
    [node("Transpose", f"x{k}", f"x{k + 1}", perm=[0, 2, 1]) for k in range(500)], {"x0": [1, 4, 5]}, outputs=["x500"]
), None)  # fmt: skip
add(
    "a dimension of 67,108,863",
    lambda _: model([node("Concat", "x z", "y", axis=1)], {"x": [1, 67108863], "z": [1, 0]}),
    "run along 67,108,864 positions, which take 1,610 MB; a model of its size may take 100 MB",
)
add(
    "ten layers of 2,097,152 neurons",
    lambda _: model([node("Relu", f"x{k}", f"x{k + 1}") for k in range(10)], {"x0": [1, 1 << 21]}, outputs=["x10"]),
    "the network's edges run along 4,194,306 positions, which take 100 MB; a model of its size may take 100 MB",
)


def bomb(op: str, inputs: dict[str, Any], opset: int = 17, **attributes: Any) -> Any:
    """A small sum of something that takes long to compute: inputs are arrays, or shapes filled with 0.5."""
    nodes, constants, names = [], {}, []
    for name, value in inputs.items():
        names.append(name)
        if isinstance(value, tuple):
            constants[f"{name}_shape"] = np.array(value)
            half = helper.make_tensor("v", FLOAT, [1], [0.5])
            nodes.append(node("ConstantOfShape", f"{name}_shape", name, value=half))
        else:
            constants[name] = value
    nodes += [node(op, " ".join(names), "c", **attributes), node("ReduceSum", "c", "s", keepdims=0)]
    return lambda _: model([*nodes, node("Add", "x s", "y")], constants=constants, opset=opset)


STEPS = r"computing it takes [\d,]+ steps, with all others; it may take 2,147,483,648"
add(
    "a convolution of constants", bomb("Conv", {"v": (1, 1, 1000, 1000), "w": np.ones((1, 1, 3, 3), np.float32)}), STEPS
)
add("a pool of constants", bomb("MaxPool", {"v": (1, 1, 1000, 1000)}, kernel_shape=[3, 3], pads=[1] * 4), STEPS)
add("a Fourier transform of constants", bomb("DFT", {"v": (1, 1_000_000, 1)}, axis=1), STEPS)
add("a product of whole numbers", bomb("MatMul", {"a": np.ones((2000, 9), np.int64), "b": np.ones((9, 2000), int)}), "")
add("a product of constants", bomb("MatMul", {"a": (3000, 3000), "b": (3000, 300)}), STEPS)
add("a sum over six indices", bomb("Einsum", {"a": (99, 99, 9), "b": (99, 99, 9)}, equation="abc,def->a"), STEPS)
add("a scatter of constants", bomb("ScatterElements", {"a": (10**6,), "i": np.zeros(9, int), "u": (9,)}), STEPS)
add("a resize of constants", bomb("Resize", {"v": (1, 1, 1000, 1000), "r": np.zeros(0, np.float32),
    "z": np.float32([1, 1, 2, 2])}, mode="cubic"), STEPS)  # fmt: skip
add("a chain of sines", lambda _: model(
    [node("ConstantOfShape", "n", "c0"), *(node("Sin", f"c{k}", f"c{k + 1}") for k in range(40)),
     node("ReduceSum", "c40", "s", keepdims=0), node("Add", "x s", "y")], constants={"n": np.array([1 << 20])},
), "elements; they may have|steps, with all others")  # fmt: skip


def texts(count: int) -> TensorProto:
    return TensorProto(name="t", dims=[count], data_type=TensorProto.STRING, string_data=[b"a" * 30] * count)


TEXT = "operators of text and sequences, as {}, are not computed"
add(
    "a regular expression over constants",
    lambda _: model([node("RegexFullMatch", "t", "m", pattern="(a|a)*b"), node("Cast", "m", "f", to=1),
                     node("ReduceSum", "f", "s", keepdims=0), node("Add", "x s", "y")], tensors=[texts(9)], opset=20),
    TEXT.format("RegexFullMatch"),
)  # fmt: skip
add(
    "strings that double, again and again",
    lambda _: model([*(node("StringConcat", f"t{k or ''} t{k or ''}", f"t{k + 1}") for k in range(40)),
                     node("Shape", "t40", "n"), node("Cast", "n", "f", to=1), node("Add", "x f", "y")],
                    tensors=[texts(1)], opset=20),
    TEXT.format("StringConcat"),
)  # fmt: skip

# ---------------------------------------------------------------------------------------------------- wrong constants


def folded(op: str, shape: tuple[int, ...], opset: int, **attributes: Any) -> Any:
    """The weights of a product are what an operator makes of numbers."""
    value = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    flat = [node(op, "c", "d", **attributes), node("Flatten", "d", "w", axis=1), node("MatMul", "x w", "y")]
    return lambda _: model(flat, {"x": [1, shape[0]]}, {"c": value}, opset=opset)


ANOTHER = "ONNX Runtime makes another value of them than ONNX's reference: store the tensor '.*' in the model instead"
for op in ("Softmax", "LogSoftmax", "Hardmax"):
    add(f"constant {op} of opset 11", folded(op, (2, 3, 4), 11, axis=1), ANOTHER)
    add(f"constant {op} of opset 13", folded(op, (2, 3, 4), 13, axis=1), None)
add("constant GlobalMaxPool of a volume", folded("GlobalMaxPool", (2, 3, 2, 2, 2), 17), f"{ANOTHER}|^.*error|")

# ------------------------------------------------------------------------------------------------------------- nodes

for name, value in {"ceil_mode": 65536, "storage_order": 2}.items():
    add(
        f"MaxPool of {name} {value}",
        window("MaxPool", kernel_shape=[3, 3], **{name: value}),
        f"{name}.*expected 0 or 1",
    )
for value in (2, -1, -(2**63)):
    add(
        f"noop_with_empty_axes of {value}",
        lambda _, v=value: model([node("ReduceSum", "x", "y", noop_with_empty_axes=v)]),
        f"attribute 'noop_with_empty_axes' is {value}; expected 0 or 1",
    )
add(
    "an attribute that refers to a function's",
    changed(
        lambda m: m.graph.node[0].attribute.add(name="alpha", type=1, ref_attr_name="a"),
        lambda: model([node("Elu", "x", "y")]),
    ),
    "attribute 'alpha' refers to 'a' of a function; it is in none",
)
add(
    "an attribute without a name",
    changed(lambda m: m.graph.node[0].attribute.add(type=1, f=1), lambda: model([node("Elu", "x", "y")])),
    "attribute '' has no name; expected one of each",
)
add(
    "an attribute of two values",
    changed(
        lambda m: m.graph.node[0].attribute.add(name="alpha", type=1, f=1, i=3), lambda: model([node("Elu", "x", "y")])
    ),
    "attribute 'alpha' is of type FLOAT and has f, i",
)
add(
    "an attribute that is not UTF-8",
    changed(
        lambda m: m.graph.node[0].attribute.add(name="auto_pad", type=3, s=b"\xff"),
        lambda: window("MaxPool", kernel_shape=[3, 3])(Path()),
    ),
    r"attribute 'auto_pad' is b'\\xff', which is not UTF-8",
)
add(
    "a layer of a size without end",
    changed(lambda m: m.metadata_props.add(key="onnx2graphml.layers", value='[{"name": "a", "shape": [1e999]}]')),
    "its metadata 'onnx2graphml.layers' is not a list of layers",
)
for what, axes in {"of no axis": np.array(0), "of two axes": np.zeros((1, 1), np.int64)}.items():
    add(
        f"Unsqueeze {what}",
        lambda _, a=axes: model([node("Unsqueeze", "x a", "y")], constants={"a": a}),
        "the_Unsqueeze",
    )
    add(f"Squeeze {what}", lambda _, a=axes: model([node("Squeeze", "x a", "y")], constants={"a": a}), "the_Squeeze|")
