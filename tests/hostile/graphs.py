"""Graphs that are none: cycles, names that nothing makes or two nodes do, wrong windows."""

from __future__ import annotations

import numpy as np
from onnx import helper

from hostile.cases import add, changed, model, node, small_dense, window

add("cycle", lambda _: model([node("Add", "x b", "a"), node("Abs", "a", "b"), node("Relu", "b", "y")]), "form a cycle:")
add(
    "self-loop",
    lambda _: model([node("Add", "x y", "y")]),
    "input 'y' of node: .*the_Add.* is not output of any previous nodes",
)
add("two nodes make the same tensor", lambda _: model([node("Relu", "x", "y"), node("Abs", "x", "y")]), "y.*SSA|SSA.*y")
add("two outputs of one name", lambda _: model([node("Split", "x", "y y", axis=1)]), "y.*SSA|SSA.*y")
add(
    "two nodes of one name",
    lambda _: model([node("Relu", "x", "a"), node("Relu", "a", "y")]),
    None,
)
add(
    "dangling input",
    lambda _: model([node("Relu", "nothing", "y")]),
    "input 'nothing' of node: .*the_Relu.* is not output of any previous nodes",
)
add("dangling output", lambda _: model(outputs=["nothing"]), "nothing")
add("output named twice", lambda _: model(outputs=["y", "y"]), None)
add("no outputs", lambda _: model(outputs=[]), "the graph has no outputs; expected one or more")
add("no nodes", changed(lambda m: m.graph.ClearField("node")), "y")
add("no inputs", lambda _: model([node("Relu", "w", "y")], constants={"w": np.ones(4, np.float32)}), None)
add(
    "no inputs at all",
    changed(
        lambda m: m.graph.ClearField("input"), lambda: model([node("Relu", "w", "y")], constants={"w": np.ones(4)})
    ),
    None,
)
add(
    "no nodes and no outputs", changed(lambda m: (m.graph.ClearField("node"), m.graph.ClearField("output"))), "no graph"
)
add("an output that is an input", changed(lambda m: None, lambda: model(outputs=["x"])), None)
add("an input that is an initializer", lambda _: model(constants={"x": np.ones((1, 4), np.float32)}), None)
add("an input listed twice", changed(lambda m: m.graph.input.append(m.graph.input[0])), "x")
add(
    "an initializer listed twice",
    changed(lambda m: m.graph.initializer.append(m.graph.initializer[0]), small_dense),
    "w",
)
add(
    "an attribute given twice",
    changed(
        lambda m: m.graph.node[0].attribute.extend([helper.make_attribute("alpha", 1.0)] * 2),
        lambda: model([node("Elu", "x", "y")]),
    ),
    "alpha",
)
add("an attribute of another type", lambda _: model([node("Elu", "x", "y", alpha="steep")]), "alpha")
add(
    "an attribute without a value",
    changed(lambda m: m.graph.node[0].attribute.add(name="alpha"), lambda: model([node("Elu", "x", "y")])),
    "'alpha' is of type UNDEFINED; expected FLOAT",
)
add("no input to a node", lambda _: model([node("Relu", "", "y")]), "Relu")
add("too many inputs to a node", lambda _: model([node("Relu", "x x x", "y")]), "Relu")
add("no output of a node", lambda _: model([node("Relu", "x", "y"), node("Relu", "x", "")]), "Relu")


# -------------------------------------------------------------------------------------------------------------- windows

SIDES = [1, 1, 1, 1]
for op in ("Conv", "MaxPool", "AveragePool", "ConvTranspose"):
    k = {"kernel_shape": [3, 3]}
    add(f"{op} of stride 0", window(op, **k, strides=[0, 0]), f"the_{op}.*stride")
    add(f"{op} of a negative stride", window(op, **k, strides=[-1, -1]), f"the_{op}.*stride")
    add(f"{op} of kernel 0", window(op, kernel_shape=[0, 0]), f"the_{op}.*kernel")
    add(f"{op} of a negative kernel", window(op, kernel_shape=[-3, -3]), f"the_{op}.*kernel")
    add(f"{op} of negative pads", window(op, **k, pads=[-1, -1, -1, -1]), f"the_{op}.*pads")
    add(f"{op} of too few pads", window(op, **k, pads=[1, 1]), f"the_{op}.*pads")
    add(f"{op} of a kernel of one side", window(op, kernel_shape=[3]), f"the_{op}.*kernel")
    if op != "AveragePool":
        add(f"{op} of dilation 0", window(op, **k, dilations=[0, 0]), f"the_{op}.*dilation")
        add(f"{op} of dilation 2^62", window(op, **k, dilations=[2**62, 2**62]), f"the_{op}")
for group in (0, -1, 3, 2**62):
    add(f"group {group}", window("Conv", group=group), "the_Conv.*group")
add("pads that overflow", window("MaxPool", kernel_shape=[3, 3], pads=[2**62] * 4), "the_MaxPool")
add("stride 2^62", window("MaxPool", kernel_shape=[3, 3], strides=[2**62, 2**62]), None)
add("a kernel larger than the picture", window("MaxPool", kernel_shape=[30, 30]), "the_MaxPool")
add(
    "a kernel and pads of 30000",
    window("MaxPool", kernel_shape=[30000, 30000], pads=[29999] * 4),
    "the_MaxPool|out of memory",
)
