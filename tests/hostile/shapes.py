"""Shapes that are wrong, or of more neurons than can be written, or planned."""

from __future__ import annotations

from typing import Any

import numpy as np

from hostile.cases import HUGE, Build, add, dense, model, node, tensor

add(
    "negative dimensions",
    lambda _: model(inputs={"x": [-3, -4]}),
    r"\[1, \?\]; every dimension must be known: give --sh",
)
add(
    "overflowing dimensions",
    lambda _: model(inputs={"x": [2**62, 2**62]}),
    "neurons; a network may have 9,007,199,254,740,992",
)
add(
    "dimensions that overflow to 0", lambda _: model(inputs={"x": [2**32, 2**32]}), "18,446,744,073,709,551,616 neurons"
)
add(
    "a given shape that overflows",
    lambda _: model(inputs={"x": ["n", "m"]}),
    r"the shape \[1, \d+\] is given for input 'x', which has \[n, m\]",
    "--shape",
    f"x=1,{2**70}",
)
add(
    "a dimension of 10^9",
    lambda _: model(inputs={"x": [1, 10**9]}),
    "run along 1,000,000,001 positions, which take 24,000 MB; a model",
)
add("sequences longer than time", lambda _: model(
    [node("ReverseSequence", "x n", "y", batch_axis=0, time_axis=1)], constants={"n": np.array([255])}
), r"the_ReverseSequence.*sequence_lens are \[255\]; expected lengths up to 4")  # fmt: skip
LONG = [1, 10**5]
for name, nodes, shape, constants in (
    ("a running sum over 10^5", [node("CumSum", "x k", "y")], LONG, {"k": np.array(1)}),
    ("a triangle of 10^5", [node("Trilu", "x", "y")], [1, 10**5, 10**5], {}),
    ("a Fourier transform of 10^5", [node("DFT", "x", "y", axis=1)], [1, 10**5, 1], {}),
    ("windows of 10^3 over 10^5", [node("MaxPool", "x", "y", kernel_shape=[10**3])], [1, 1, 10**5], {}),
    ("a table of 10^5 by 10^5 weights", [node("Resize", "x _ s", "y", mode="cubic")], [1, 1, 10**4, 10**4],
     {"s": np.float32([1, 1, 10.3, 10.3]), "_": np.float32([])}),
    ("updates at 10^7 places", [node("ScatterND", "x i u", "y")], [10**7],
     {"i": np.zeros((1, 1), np.int64), "u": np.zeros(1, np.float32)}),
):  # fmt: skip
    add(name, lambda _, n=nodes, s=shape, c=constants: model(n, {"x": s}, c),
        r"run along [\d,]+ positions, which take [\d,]+ MB; a model of its size may take 100 MB")  # fmt: skip
add("a dimension of 0", lambda _: model(inputs={"x": [1, 0]}), None)
add("10^12 neurons of input", lambda _: model(inputs={"x": [1, HUGE]}), "run along 1,000,000,000,001 positions")
NO_ROOM = r"would take about \d+ TB, and the disk has .* free; layer '.*' alone has 1,000,000,000,000 (edges|neurons)"
add("10^12 neurons in a picture", lambda _: model(inputs={"x": [1, 10**4, 10**4, 10**4]}), NO_ROOM)


def grown(op: str, *shape: int, **attributes: Any) -> Build:
    """The input, grown to a shape by an operator whose second input is that."""
    return lambda _: model([node(op, "x to", "y", **attributes)], {"x": [1, 1]}, {"to": np.array(shape)})


add("Expand to 10^12", grown("Expand", 10**6, 10**6), NO_ROOM)
add("Tile to 10^12", grown("Tile", 10**6, 10**6), NO_ROOM)
add("Pad to 10^12", grown("Pad", 0, 0, 10**6 - 1, 10**6 - 1), NO_ROOM)
add("Tile that overflows", grown("Tile", 2**62, 4), "the_Tile")
add("Pad that overflows", grown("Pad", 2**63 - 1, 0, 2**63 - 1, 0), "the_Pad")
add("Pad to less than nothing", grown("Pad", 0, -5, 0, 0), "the_Pad.*would have shape")
add(
    "Resize to 10^12",
    lambda _: model(
        [node("Resize", "x _ _ to", "y")],
        {"x": [1, 1, 1, 1]},
        {"to": np.array([1, 1, 10**6, 10**6]), "_": np.float32([])},
    ),
    NO_ROOM,
)
add(
    "many layers of 10^12",
    lambda _: model(
        [node("Relu", "x", "a"), node("Relu", "a", "b"), node("Relu", "b", "y")], {"x": [10**4, 10**4, 10**4]}
    ),
    NO_ROOM,
)
add("Reshape to a wrong size", grown("Reshape", 3, 5), "the_Reshape.*Reshape")
add("Reshape to two open sizes", grown("Reshape", -1, -1), "the_Reshape")
add("Reshape to -7", grown("Reshape", -7, 1), "the_Reshape")
add(
    "Expand to a shape that does not fit",
    lambda _: model([node("Expand", "x to", "y")], constants={"to": np.array([3])}),
    "the_Expand",
)
for axis in (5, -9, 2**40):
    add(f"Concat along axis {axis}", lambda _, a=axis: model([node("Concat", "x x", "y", axis=a)]), "the_Concat.*axis")
    add(f"Softmax along axis {axis}", lambda _, a=axis: model([node("Softmax", "x", "y", axis=a)]), "the_Softmax.*axis")
    add(f"Flatten at axis {axis}", lambda _, a=axis: model([node("Flatten", "x", "y", axis=a)]), "the_Flatten.*axis")
add(
    "Concat of shapes that do not fit",
    lambda _: model([node("Concat", "x w", "y", axis=0)], constants={"w": np.ones((1, 5), np.float32)}),
    "the_Concat",
)
add(
    "Split that does not add up",
    lambda _: model([node("Split", "x s", "y z", axis=1)], constants={"s": np.array([1, 2])}, outputs=["y", "z"]),
    "the_Split",
)
add(
    "Split of negative sizes",
    lambda _: model([node("Split", "x s", "y z", axis=1)], constants={"s": np.array([-1, 5])}, outputs=["y", "z"]),
    "the_Split",
)
add(
    "Gather out of range",
    lambda _: model([node("Gather", "x i", "y", axis=1)], constants={"i": np.array([0, 9])}),
    "the_Gather",
)
add(
    "Gather far out of range",
    lambda _: model([node("Gather", "x i", "y", axis=1)], constants={"i": np.array([2**62])}),
    "the_Gather",
)
add(
    "Gather of constants out of range",
    lambda _: model(
        [node("Gather", "w i", "v"), node("Add", "x v", "y")],
        constants={"w": np.ones(4, np.float32), "i": np.array([9])},
    ),
    "the_Gather",
)
add("Transpose that is no permutation", lambda _: model([node("Transpose", "x", "y", perm=[0, 0])]), "the_Transpose")
add(
    "Squeeze of an axis that is not 1",
    lambda _: model([node("Squeeze", "x a", "y")], constants={"a": np.array([1])}),
    "the_Squeeze",
)
for wrapping in (2**32, 2**32 + 1, -(2**32)):
    far = np.array([wrapping])
    add(
        f"Squeeze of axis {wrapping}",
        lambda _, a=far: model([node("Squeeze", "x a", "y")], constants={"a": a}),
        "the_Sq",
    )
    add(
        f"Unsqueeze at {wrapping}",
        lambda _, a=far: model([node("Unsqueeze", "x a", "y")], constants={"a": a}),
        "the_Un",
    )
    add(f"sum along {wrapping}", lambda _, a=far: model([node("ReduceSum", "x a", "y")], constants={"a": a}), "the_Re")
    add(f"mean along {wrapping}", lambda _, a=wrapping: model([node("ReduceMean", "x", "y", axes=[a])]), "the_Re")
    add(f"Transpose by {wrapping}", lambda _, a=wrapping: model([node("Transpose", "x", "y", perm=[a, 1])]), "the_Tr")
    add(
        f"Gather along {wrapping}",
        lambda _, a=wrapping: model([node("Gather", "x i", "y", axis=a)], constants={"i": np.array([0])}),
        "the_Ga",
    )
    add(
        f"Slice along {wrapping}",
        lambda _, a=far: model(
            [node("Slice", "x z o a", "y")], constants={"z": np.array([0]), "o": np.array([1]), "a": a}
        ),
        "the_Sl",
    )
add(
    "Slice in steps of 0",
    lambda _: model(
        [node("Slice", "x a b c d", "y")],
        constants={"a": np.array([0]), "b": np.array([4]), "c": np.array([1]), "d": np.array([0])},
    ),
    "the_Slice",
)
add("product of shapes that do not fit", lambda _: dense(tensor([5, 3], bytes(60))), "the_MatMul.*shapes don't fit")
