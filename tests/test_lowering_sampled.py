"""Convolutions and pools at computed places, and values kept by a condition: against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load, verify
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.model import load_model
from small import model, node, weights

REGIONS = {
    "rois": np.array([[0, 0, 4, 4], [1, 2, 5.5, 3], [-3, -2, 9, 9]], np.float32),
    "of": np.array([0, 1, 0], np.int64),
}


def deformable(groups: int = 1, mask: bool = False) -> onnx.ModelProto:
    inputs = {"x": [1, 4, 5, 5], "o": [1, groups * 18, 3, 3]} | ({"m": [1, groups * 9, 3, 3]} if mask else {})
    names = "x w o b m" if mask else "x w o b"
    given: dict[str, Any] = {"kernel_shape": [3, 3], "offset_group": groups, "group": 2, "pads": [1, 1, 1, 1]}
    nodes = [node("DeformConv", names, "y", strides=[2, 2], **given)]
    return model(nodes, inputs, {"w": weights(6, 2, 3, 3), "b": weights(6)}, opset=20)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("mask", [False, True])
def test_a_convolution_at_computed_places(groups: int, mask: bool) -> None:
    for level in LEVELS:
        assert verify(load(deformable(groups, mask), detail=level)).passed


@pytest.mark.parametrize("of", ["avg", "max"])
@pytest.mark.parametrize("mode", ["half_pixel", "output_half_pixel"])
@pytest.mark.parametrize("computed", [False, True])
def test_a_mean_or_the_greatest_of_regions(of: str, mode: str, computed: bool) -> None:
    given = {"mode": of, "output_height": 2, "output_width": 3, "sampling_ratio": 2, "spatial_scale": 0.5}
    nodes = [node("RoiAlign", "x rois of", "y", coordinate_transformation_mode=mode, **given)]
    inputs = {"x": [2, 3, 6, 6]} | ({"rois": [3, 4]} if computed else {})
    constants = {n: v for n, v in REGIONS.items() if n not in inputs}
    assert verify(load(model(nodes, inputs, constants, opset=18))).passed


BOXES = [[0, 0, 0, 7, 7], [1, 2, 3, 9, 6.5], [0, -9, 5, -5, 11], [1, 5, 5, 4, 4], [0, 20, 20, 30, 30]]


@pytest.mark.parametrize("computed", [False, True])
@pytest.mark.parametrize("level", LEVELS)
def test_the_greatest_of_each_bin_of_a_region(computed: bool, level: str) -> None:
    """Regions that end between pixels, outside the picture, before they begin; ONNX Runtime has them so."""
    nodes = [node("MaxRoiPool", "x rois", "y", pooled_shape=[2, 3], spatial_scale=0.5)]
    rois = np.array(BOXES, np.float32)
    inputs = {"x": [2, 3, 6, 5]} | ({"rois": [5, 5]} if computed else {})
    graph = load(model(nodes, inputs, {} if computed else {"rois": rois}), detail=level)
    report = verify(graph, {"x": weights(2, 3, 6, 5)} | ({"rois": rois} if computed else {}))
    assert report.passed
    assert any(row.layer.startswith("original") for row in report.rows)


@pytest.mark.parametrize("axis", [None, 0, 1])
def test_values_kept_by_a_constant_condition(axis: int | None) -> None:
    condition = np.array([True, False, True])
    nodes = [node("Compress", "x c", "k", **({} if axis is None else {"axis": axis})), node("Neg", "k", "y")]
    proto = model(nodes, {"x": [3, 4]}, {"c": condition})
    del proto.graph.output[0].type.tensor_type.shape.dim[:]
    kept = {None: [2], 0: [2, 4], 1: [3, 2]}[axis]
    for n in kept:
        proto.graph.output[0].type.tensor_type.shape.dim.add(dim_value=n)
    graph = load(proto)
    assert verify(graph).passed
    assert graph.layers[-1].neurons == np.prod(kept)


@pytest.mark.parametrize(
    ("message", "proto"),
    [
        (
            r"its sampling_ratio is 0; expected at least 1: otherwise how many values are sampled depends on the data",
            model([node("RoiAlign", "x rois of", "y", mode="max")], {"x": [2, 3, 6, 6]}, REGIONS),
        ),
        (
            r"its input has shape \[1, 4, 5\]; expected \(N, C, rows, columns\)",
            model(
                [node("DeformConv", "x w o", "y")], {"x": [1, 4, 5], "o": [1, 3, 3]}, {"w": weights(2, 4, 3)}, opset=20
            ),
        ),
        (
            r"its condition, on which the shape depends, \('c'\) is computed by the network; it must be constant",
            model([node("Greater", "x x", "c"), node("Compress", "x c", "y")], {"x": [3]}),
        ),
    ],
    ids=["as many samples as fit", "three axes", "computed condition"],
)
def test_what_is_refused(message: str, proto: onnx.ModelProto) -> None:
    with pytest.raises(UnsupportedError, match=message):
        load_model(proto)


def test_rows_chosen_of_a_constant_table_are_folded() -> None:
    """As Swin's shifts are exported: thousands of rows, in a time that goes by their number."""
    rows = np.arange(8_000, dtype=np.int64).reshape(-1, 1) % 40
    nodes = [
        node("GatherND", "table rows", "t"),
        node("ReduceMax", "t", "m", axes=[0], keepdims=0),
        node("Add", "x m", "y"),
    ]
    graph = load(model(nodes, {"x": [40, 4]}, {"table": weights(40, 40, 4), "rows": rows}))
    assert verify(graph).passed
    assert graph.edges == 160
