"""Mistakes of a converter, written by the real writers: each is found in the file, and most by the values alone."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify, verify_file
from onnx2graphml.formats import registry, writing
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, Layer, NeuronGraph
from onnx2graphml.inference.inputs import resolve
from onnx2graphml.ops import join, pool
from onnx2graphml.ops.windows import Window
from onnx2graphml.verification.against_runtime import network_values
from small import model, node, weights
from test_filecheck import FIXTURES, outcome

SUFFIXES = (".graphml", ".neo4j.csv", ".npz")
Change = Callable[[pytest.MonkeyPatch], NeuronGraph]


@dataclass(frozen=True)
class Mistake:
    """A model, and how its graph comes out wrong."""

    model: onnx.ModelProto
    wrong: Change


def graph_of(made: onnx.ModelProto) -> NeuronGraph:
    return load(made, detail="op")


def instead(right: onnx.ModelProto, wrong: onnx.ModelProto) -> Mistake:
    """The graph of another model is taken for that of the right one."""
    return Mistake(right, lambda _: graph_of(wrong))


def patched(made: onnx.ModelProto, owner: Any, name: str, new: Any) -> Mistake:
    """Something in the converter is another."""

    def wrong(monkeypatch: pytest.MonkeyPatch) -> NeuronGraph:
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, new)
            return graph_of(made)

    return Mistake(made, wrong)


def changed(made: onnx.ModelProto, change: Callable[[Layer], Layer]) -> Mistake:
    """The last layer of the graph is another."""

    def wrong(_: pytest.MonkeyPatch) -> NeuronGraph:
        graph = graph_of(made)
        return dataclasses.replace(graph, layers=(*graph.layers[:-1], change(graph.layers[-1])))

    return Mistake(made, wrong)


def with_block(layer: Layer, block: EdgeBlock, number: int = 0) -> Layer:
    incoming = list(layer.incoming)
    incoming[number] = dataclasses.replace(incoming[number], block=block)
    return dataclasses.replace(layer, incoming=tuple(incoming))


def with_axis(position: int, change: Callable[[Axis], Axis], number: int = 0) -> Callable[[Layer], Layer]:
    def edit(layer: Layer) -> Layer:
        block = layer.incoming[number].block
        axes = list(block.axes)
        axes[position] = change(axes[position])
        return with_block(layer, EdgeBlock(tuple(axes), block.weights), number)

    return edit


def with_weights(change: Callable[[Any], Any]) -> Callable[[Layer], Layer]:
    def edit(layer: Layer) -> Layer:
        block = layer.incoming[0].block
        return with_block(layer, EdgeBlock(block.axes, change(block.weights).astype(block.weights.dtype)))

    return edit


def window(change: Callable[[Window], dict[str, int]]) -> Callable[[Window], Axis]:
    """Windows with other parameters, over the same input and output."""

    def axis(w: Window) -> Axis:
        chosen = {"stride": w.stride, "dilation": w.dilation, "pad": w.pad} | change(w)
        return ax.window(w.input, w.output, w.kernel, **chosen)

    return axis


def taps(change: Callable[[Axis, Window], Axis]) -> Callable[[Window], Axis]:
    right = Window.axis
    return lambda w: change(right(w), w)


def next_tap(axis: Axis, w: Window) -> Axis:
    return Axis(axis.source, axis.target, (axis.tap + 1) % w.kernel)


def all_but_last_tap(axis: Axis, w: Window) -> Axis:
    return axis[axis.tap != w.kernel - 1]


def without_one_edge(layer: Layer, edge: int) -> Layer:
    edges = ax.product(layer.incoming[0].block.axes)
    rest = np.delete(np.arange(len(edges)), edge)
    return with_block(layer, EdgeBlock((edges[rest],), layer.incoming[0].block.weights))


def without_a_losing_candidate(layer: Layer) -> Layer:
    """The least candidate of the first neuron, for the input that is used here."""
    graph = graph_of(MAX_POOL)
    values = network_values(graph, resolve(graph))
    edges = ax.product(layer.incoming[0].block.axes)
    candidates = np.flatnonzero(edges.target == 0)
    assert len(candidates) > 1
    x = values[layer.incoming[0].source][edges.source[candidates]]
    return without_one_edge(layer, int(candidates[x.argmin()]))


def without_the_winner(layer: Layer) -> Layer:
    graph = graph_of(MAX_POOL)
    values = network_values(graph, resolve(graph))
    edges = ax.product(layer.incoming[0].block.axes)
    candidates = np.flatnonzero(edges.target == 0)
    x = values[layer.incoming[0].source][edges.source[candidates]]
    return without_one_edge(layer, int(candidates[x.argmax()]))


def with_an_edge_of_weight_0(layer: Layer) -> Layer:
    """From the last neuron before the layer to its first, which no window joins."""
    (first,) = layer.incoming
    last = sum(int(axis.source.max()) for axis in first.block.axes)
    block = EdgeBlock((ax.relation(last, 0, 0),), np.zeros(1, np.float32))
    return dataclasses.replace(layer, incoming=(first, Incoming(first.source, block)))


# --------------------------------------------------------------------------------------------------------------- models


def one(
    op: str, shape: Any, inputs: str = "x", constants: dict[str, Any] | None = None, **attributes: Any
) -> onnx.ModelProto:
    shapes = shape if isinstance(shape, dict) else {"x": shape}
    return model([node(op, inputs, "y", **attributes)], shapes, constants)


def conv(w: Any, b: Any = None, shape: Any = (1, 4, 7, 6), op: str = "Conv", **attributes: Any) -> onnx.ModelProto:
    constants = {"w": w} | ({} if b is None else {"b": b})
    return one(op, list(shape), " ".join(["x", *constants]), constants, **attributes)


def norm(scale: Any, b: Any, mean: Any, var: Any, **attributes: Any) -> onnx.ModelProto:
    constants = {"s": scale, "b": b, "m": mean, "v": var}
    return one("BatchNormalization", [1, 4, 3, 3], "x s b m v", constants, **attributes)


SIDE = {"pads": [1, 1, 1, 1]}
W, B = weights(4, 4, 3, 3), weights(4, seed=1)
GROUPED = weights(4, 2, 3, 3, seed=2)
CONV = conv(W, B, **SIDE)
STRIDED = conv(W, B, strides=[2, 2], **SIDE)
DILATED = conv(W, B, dilations=[2, 2], pads=[2, 2, 2, 2])
UNEVEN = conv(W, B, pads=[0, 2, 2, 0])
TRANSPOSED = conv(W, B, op="ConvTranspose", strides=[2, 2])
SQUARE_PICTURE = conv(W, B, shape=(1, 4, 4, 4), **SIDE)
WINDOW = {"kernel_shape": [3, 3], "strides": [2, 2], **SIDE}
MAX_POOL, AVERAGE_POOL = (one(op, [1, 2, 6, 6], **WINDOW) for op in ("MaxPool", "AveragePool"))
SQUARE = weights(5, 5, seed=3)
SCALE, MEAN, VARIANCE = weights(4, seed=4), weights(4, seed=5) ** 2 + 0.1, weights(4, seed=6) ** 2 + 0.1
TWO = {"x": [1, 3, 4], "z": [1, 3, 4]}
CONCAT = one("Concat", TWO, "x z", axis=1)


def sizes_one_less(w: Window, count_padding: bool) -> Any:
    return np.maximum(SIZES(w, count_padding) - 1, 1)


SIZES, PART = pool._window_sizes, join.part


def part_at_0(small: Any, large: Any, axis: int, target: int, flipped: bool = False) -> Any:
    return PART(small, large, axis, 0, flipped)


def shifted_back(axis: Axis) -> Axis:
    return Axis(axis.source, axis.target - 1, axis.tap)


def crossed(layer: Layer) -> Layer:
    """The second input's last two axes exchanged."""
    block = layer.incoming[1].block
    *axes, row, column = block.axes
    exchanged = (Axis(column.source, row.target, row.tap), Axis(row.source, column.target, column.tap))
    return with_block(layer, EdgeBlock((*axes, *exchanged), block.weights), 1)


def exchanged_ports(layer: Layer) -> Layer:
    incoming = [dataclasses.replace(i, port=1 - (i.port or 0)) for i in layer.incoming]
    return dataclasses.replace(layer, incoming=tuple(incoming))


MISTAKES: dict[str, Mistake] = {
    "Conv: the tap off by one": patched(CONV, Window, "axis", taps(next_tap)),
    "Conv: the last tap dropped": patched(CONV, Window, "axis", taps(all_but_last_tap)),
    "Conv: the padding dropped": patched(CONV, Window, "axis", window(lambda w: {"pad": 0})),
    "Conv: the padding of the other end": patched(UNEVEN, Window, "axis", window(lambda w: {"pad": w.pad_end})),
    "Conv: the stride off by one": patched(STRIDED, Window, "axis", window(lambda w: {"stride": w.stride - 1})),
    "Conv: the dilation off by one": patched(CONV, Window, "axis", window(lambda w: {"dilation": 2})),
    "Conv: the dilation ignored": patched(DILATED, Window, "axis", window(lambda w: {"dilation": 1})),
    "Conv: the kernel transposed": instead(CONV, conv(W.swapaxes(2, 3), B, **SIDE)),
    "Conv: the kernel flipped": instead(CONV, conv(W[:, :, ::-1, ::-1], B, **SIDE)),
    "Conv: the channels of the kernel exchanged": instead(CONV, conv(W.swapaxes(0, 1), B, **SIDE)),
    "Conv: the groups exchanged": instead(
        conv(GROUPED, B, group=2, **SIDE), conv(GROUPED[[2, 3, 0, 1]], B, group=2, **SIDE)
    ),
    "Conv: every group from the first channels": changed(
        conv(GROUPED, B, group=2, **SIDE), with_axis(1, lambda a: Axis(a.source * 0, a.target, a.tap))
    ),
    "Conv: an input channel missing": changed(CONV, with_axis(3, lambda a: a[:-1])),
    "Conv: an output channel missing": changed(CONV, with_axis(2, lambda a: a[:-1])),
    "Conv: the bias shifted by a channel": instead(CONV, conv(W, np.roll(B, 1), **SIDE)),
    "Conv: the bias along the columns": changed(
        SQUARE_PICTURE, lambda x: dataclasses.replace(x, bias=np.broadcast_to(B, x.shape))
    ),
    "Conv: the bias forgotten": changed(CONV, lambda x: dataclasses.replace(x, bias=None)),
    "Conv: an edge of weight 0 too many": changed(CONV, with_an_edge_of_weight_0),
    "ConvTranspose: the kernel flipped": instead(
        TRANSPOSED, conv(W[:, :, ::-1, ::-1], B, op="ConvTranspose", strides=[2, 2])
    ),
    "ConvTranspose: the kernel's channels exchanged": instead(
        TRANSPOSED, conv(W.swapaxes(0, 1), B, op="ConvTranspose", strides=[2, 2])
    ),
    "ConvTranspose: the stride off by one": patched(
        TRANSPOSED, Window, "axis", window(lambda w: {"stride": w.stride - 1})
    ),
    "MaxPool: the padding dropped": patched(MAX_POOL, Window, "axis", window(lambda w: {"pad": 0})),
    "MaxPool: the stride off by one": patched(MAX_POOL, Window, "axis", window(lambda w: {"stride": 1})),
    "MaxPool: the least for the greatest": changed(MAX_POOL, lambda x: dataclasses.replace(x, aggregation="min")),
    "MaxPool: the winning candidate missing": changed(MAX_POOL, without_the_winner),
    "MaxPool: a losing candidate missing": changed(MAX_POOL, without_a_losing_candidate),
    "AveragePool: the padding counted": instead(
        AVERAGE_POOL, one("AveragePool", [1, 2, 6, 6], count_include_pad=1, **WINDOW)
    ),
    "AveragePool: the count off by one": patched(AVERAGE_POOL, pool, "_window_sizes", sizes_one_less),
    "GlobalAveragePool: the count off by one": changed(
        one("GlobalAveragePool", [1, 2, 5, 5]), with_weights(lambda w: 1 / (1 / w + 1))
    ),
    "ReduceMean: another axis": instead(
        one("ReduceMean", [1, 4, 4], axes=[1], keepdims=1), one("ReduceMean", [1, 4, 4], axes=[2], keepdims=1)
    ),
    "ReduceMax: another axis": instead(
        one("ReduceMax", [1, 4, 4], axes=[1], keepdims=0), one("ReduceMax", [1, 4, 4], axes=[2], keepdims=0)
    ),
    "Gemm: without transB": instead(
        one("Gemm", [1, 5], "x w", {"w": SQUARE}, transB=1), one("Gemm", [1, 5], "x w", {"w": SQUARE})
    ),
    "Gemm: without alpha": instead(
        one("Gemm", [1, 5], "x w", {"w": SQUARE}, alpha=0.5), one("Gemm", [1, 5], "x w", {"w": SQUARE})
    ),
    "Gemm: the bias shifted": instead(
        one("Gemm", [1, 5], "x w b", {"w": SQUARE, "b": SQUARE[0]}),
        one("Gemm", [1, 5], "x w b", {"w": SQUARE, "b": np.roll(SQUARE[0], 1)}),
    ),
    "MatMul: the factor transposed": instead(
        one("MatMul", [1, 3, 5], "x w", {"w": SQUARE}), one("MatMul", [1, 3, 5], "x w", {"w": SQUARE.T.copy()})
    ),
    "Add: along another axis": instead(
        one("Add", [1, 5, 5], "x c", {"c": SQUARE[:1]}), one("Add", [1, 5, 5], "x c", {"c": SQUARE[:1].T.copy()})
    ),
    "Mul: along another axis": instead(
        one("Mul", [1, 5, 5], "x c", {"c": SQUARE[:1]}), one("Mul", [1, 5, 5], "x c", {"c": SQUARE[:1].T.copy()})
    ),
    "Add: one input along another axis": changed(one("Add", {"x": [1, 4, 4], "z": [1, 1, 4]}, "x z"), crossed),
    "Sub: the operands exchanged": instead(one("Sub", TWO, "x z"), one("Sub", TWO, "z x")),
    "Div: the ports exchanged": changed(one("Div", TWO, "x z"), exchanged_ports),
    "BatchNormalization: mean and variance exchanged": instead(
        norm(SCALE, B, MEAN, VARIANCE), norm(SCALE, B, VARIANCE, MEAN)
    ),
    "BatchNormalization: scale and bias exchanged": instead(
        norm(SCALE, B, MEAN, VARIANCE), norm(B, SCALE, MEAN, VARIANCE)
    ),
    "BatchNormalization: without epsilon": instead(
        norm(SCALE, B, MEAN, VARIANCE, epsilon=0.01), norm(SCALE, B, MEAN, VARIANCE, epsilon=0.0)
    ),
    "Concat: the inputs exchanged": instead(CONCAT, one("Concat", TWO, "z x", axis=1)),
    "Concat: an offset of 0": patched(CONCAT, join, "part", part_at_0),
    "Concat: an offset off by one": changed(CONCAT, with_axis(-1, shifted_back, 1)),
    "Split: the pieces exchanged": instead(
        model([node("Split", "x", "y z", axis=1)], {"x": [1, 4, 3]}, outputs=("y", "z"), opset=12),
        model([node("Split", "x", "z y", axis=1, name="the_y")], {"x": [1, 4, 3]}, outputs=("y", "z"), opset=12),
    ),
    "Transpose: another order": instead(
        one("Transpose", [1, 3, 3, 3], perm=[0, 2, 3, 1]), one("Transpose", [1, 3, 3, 3], perm=[0, 3, 1, 2])
    ),
    "Slice: off by one": instead(
        one("Slice", [1, 6], "x a b c", {"a": np.array([1]), "b": np.array([4]), "c": np.array([1])}),
        one("Slice", [1, 6], "x a b c", {"a": np.array([2]), "b": np.array([5]), "c": np.array([1])}),
    ),
    "Gather: another index": instead(
        one("Gather", [1, 6], "x i", {"i": np.array([0, 3])}, axis=1),
        one("Gather", [1, 6], "x i", {"i": np.array([0, 2])}, axis=1),
    ),
    "Pad: behind instead of before": instead(
        one("Pad", [1, 4], "x p", {"p": np.array([0, 1, 0, 0])}),
        one("Pad", [1, 4], "x p", {"p": np.array([0, 0, 0, 1])}),
    ),
    "LeakyRelu: another slope": instead(one("LeakyRelu", [1, 9], alpha=0.3), one("LeakyRelu", [1, 9], alpha=0.31)),
    "Softmax: another axis": instead(one("Softmax", [1, 3, 3], axis=1), one("Softmax", [1, 3, 3], axis=2)),
}  # fmt: skip

INVISIBLE = ["Conv: an edge of weight 0 too many", "MaxPool: a losing candidate missing"]
"""These change no value for the input that is used."""

NOT_HELD = [
    "Conv: the bias shifted by a channel", "Conv: the bias along the columns", "Conv: the bias forgotten",
    "MaxPool: the least for the greatest", "Gemm: the bias shifted", "Add: along another axis",
    "Div: the ports exchanged", "Split: the pieces exchanged", "LeakyRelu: another slope", "Softmax: another axis",
]  # fmt: skip
"""These are in attributes of nodes, names of layers among them, and in ports, which an .npz does not hold."""


@functools.cache
def right_graph(kind: str) -> NeuronGraph:
    return graph_of(MISTAKES[kind].model)


def wrong_graph(kind: str, monkeypatch: pytest.MonkeyPatch) -> NeuronGraph:
    """The graph as the mistake makes it, which takes itself for that of the right model."""
    right, wrong = right_graph(kind), MISTAKES[kind].wrong(monkeypatch)
    return dataclasses.replace(wrong, model=right.model, model_name=right.model_name, model_sha256=right.model_sha256)


def found_in_file(kind: str, suffix: str, wrong: NeuronGraph, folder: Path) -> bool:
    writing.write(wrong, folder / f"a{suffix}")
    return outcome(right_graph(kind), folder / f"a{suffix}") not in ("not found", "refused in other than one line")


def found_by_values(wrong: NeuronGraph) -> bool:
    return not verify(wrong).passed


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_mistake_is_found_where_there_is_none(suffix: str, tmp_path: Path) -> None:
    for kind in MISTAKES:
        assert not found_in_file(kind, suffix, right_graph(kind), tmp_path), kind
        assert not found_by_values(right_graph(kind)), kind


@pytest.mark.slow
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_mistake_is_found_in_the_file(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = [k for k in MISTAKES if not found_in_file(k, suffix, wrong_graph(k, monkeypatch), tmp_path)]
    with capsys.disabled():
        share = 100 - 100 * len(missed) / len(MISTAKES)
        print(f"\n{suffix}: {len(MISTAKES)} mistakes of a converter, {share:.1f} % found in the file")
    assert missed == (NOT_HELD if suffix == ".npz" else [])


@pytest.mark.slow
def test_most_mistakes_are_found_by_values_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missed = [kind for kind in MISTAKES if not found_by_values(wrong_graph(kind, monkeypatch))]
    with capsys.disabled():
        share = 100 - 100 * len(missed) / len(MISTAKES)
        print(f"\nvalues alone: {len(MISTAKES)} mistakes, {share:.1f} % found; not found: {', '.join(missed)}")
    assert missed == INVISIBLE
    assert len(MISTAKES) >= 50


# ----------------------------------------------------------------------------------------------- one weight, any format


CASES = [("digits", suffix) for suffix in registry.FORMATS] + [("residual", ".parquet"), ("residual", ".npz")]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "suffix"), CASES)
def test_a_weight_changed_by_a_thousandth_is_found(name: str, suffix: str, tmp_path: Path) -> None:
    """Of each layer that has weights, one more by 1e-3 of the largest; and no other layer is called wrong."""
    graph = load(FIXTURES / f"{name}.onnx")
    random, tried = np.random.default_rng(0), 0
    for number, layer in enumerate(graph.layers):
        if not layer.incoming or layer.incoming[0].block.weights.size < 2:
            continue
        block = layer.incoming[0].block
        used = np.unique(ax.outer_sum([axis.tap for axis in block.axes]))
        changed_weights = block.weights.copy()
        changed_weights[random.choice(used)] += 1e-3 * np.abs(block.weights).max()
        wrong = with_block(layer, EdgeBlock(block.axes, changed_weights))
        writing.write(
            dataclasses.replace(graph, layers=(*graph.layers[:number], wrong, *graph.layers[number + 1 :])),
            tmp_path / f"a{suffix}",
        )
        report = verify_file(graph, tmp_path / f"a{suffix}")
        assert [row.layer for row in report.rows if not row.passed] == [layer.name]
        tried += 1
    assert tried >= 4
