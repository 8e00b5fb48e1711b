"""What is drawn of an array is the array: every number in its place, what is left out is said."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from onnx2graphml.api import load
from onnx2graphml.draw.mosaic import Mosaic
from onnx2graphml.draw.weights.figures import array_page, body, histogram_page
from onnx2graphml.draw.weights.parts import GRID, PIXELS, parts, strongest
from onnx2graphml.draw.weights.weights import BY
from onnx2graphml.parameters.arrays import layer_arrays
from onnx2graphml.parameters.statistics import statistics
from pages import illegible
from small import model, node
from small import weights as numbers


def conv(outs: int, ins: int, *space: int) -> onnx.ModelProto:
    """One convolution, kernels `w` and biases `b`."""
    given = {"w": numbers(outs, ins, *space), "b": numbers(outs, seed=1)}
    return model([node("Conv", "x w b", "y")], {"x": [1, ins, *(n + 2 for n in space)]}, given)


def first_array(proto: onnx.ModelProto):
    return layer_arrays(load(proto))[1].arrays[0]


def test_kernels_over_one_input_are_a_grid_in_the_order():
    array = first_array(conv(32, 1, 3, 3))
    order = np.random.default_rng(0).permutation(32)
    (panel,) = parts(array, order)
    assert panel.form == "grid"
    np.testing.assert_array_equal(panel.values, array.values[order, 0])
    np.testing.assert_array_equal(panel.columns, order)
    made = body(panel)
    assert isinstance(made, Mosaic)
    assert made.labels == tuple(map(str, order))


def test_kernels_of_one_output_are_a_grid_of_its_inputs():
    array = first_array(conv(1, 6, 3, 3))
    (panel,) = parts(array, np.arange(1))
    assert (panel.form, panel.column_name, panel.statement) == ("grid", "in", "all 6 inputs")
    np.testing.assert_array_equal(panel.values, array.values[0])
    (only,) = parts(first_array(conv(1, 1, 3, 3)), None)
    assert only.statement == "the only output"


def test_kernels_over_some_inputs_are_a_table():
    array = first_array(conv(6, 4, 3, 5))
    order = np.array([5, 0, 1, 4, 3, 2])
    (panel,) = parts(array, order)
    assert panel.form == "table"
    for i in range(4):
        for o in range(6):
            np.testing.assert_array_equal(panel.values[i, o], array.values[order[o], i])
    made = body(panel)
    assert isinstance(made, Mosaic)
    assert (made.columns, made.sides) == (6, (("0", "1", "2", "3"), tuple(map(str, order))))
    np.testing.assert_array_equal(made.tiles[6 + 2], array.values[order[2], 1])


def test_three_inputs_are_colours_and_a_table():
    array = first_array(conv(8, 3, 3, 3))
    colours, table = parts(array, None)
    assert (colours.form, table.form) == ("colours", "table")
    np.testing.assert_array_equal(colours.values, array.values.transpose(0, 2, 3, 1))
    limit = f"{np.abs(array.values).max():.4g}"
    assert f"none at -{limit}, half at 0, full at {limit}" in colours.statement


def test_of_many_kernels_the_norms_of_all_and_the_strongest_are_drawn():
    array = first_array(conv(20, 12, 3, 3))
    order = np.arange(20)[::-1]
    norms, strong = parts(array, order, limit=8)
    expected = np.linalg.norm(array.values.astype(np.float64), axis=(2, 3))
    np.testing.assert_allclose(norms.values, expected[order].T, rtol=1e-12)
    assert norms.statement.startswith("L2 norm of each kernel")
    assert strong.form == "strongest"
    assert strong.statement == "the 64 of 240 kernels with the largest L2 norm, each named out,in"
    kept = [expected[o, i] for o, i in zip(strong.columns, strong.rows, strict=True)]
    assert kept == sorted(expected.ravel(), reverse=True)[:64]
    for kernel, o, i in zip(strong.values, strong.columns, strong.rows, strict=True):
        np.testing.assert_array_equal(kernel, array.values[o, i])
    made = body(strong)
    assert isinstance(made, Mosaic)
    assert made.labels[0] == f"{strong.columns[0]},{strong.rows[0]}"
    (grid,) = parts(first_array(conv(80, 1, 3, 3)), None, limit=2)
    assert len(grid.values) == 2 * GRID
    assert grid.statement == "the first 64 of 80 outputs"


def test_a_table_is_drawn_where_it_can_be_read_and_up_to_a_limit_that_is_asked_for():
    array = first_array(conv(20, 12, 3, 3))
    assert [p.form for p in parts(array, None)] == ["matrix", "strongest"]
    assert [p.form for p in parts(array, None, limit=20)] == ["table"]


def test_a_third_dimension_is_one_below_the_other():
    (panel,) = parts(first_array(conv(4, 1, 2, 3, 5)), None)
    assert panel.values.shape == (4, 6, 5)
    assert "the 2 slices of each one below the other" in panel.statement


def test_kernels_of_one_number_are_a_matrix():
    array = first_array(conv(5, 7, 1, 1))
    order = np.array([4, 3, 2, 1, 0])
    (panel,) = parts(array, order)
    assert panel.form == "matrix"
    np.testing.assert_array_equal(panel.values, array.values[order, :, 0, 0].T)


def test_vectors_go_along_with_the_order_of_their_layer():
    bias = layer_arrays(load(conv(5, 1, 3, 3)))[1].arrays[1]
    order = np.array([4, 3, 2, 0, 1])
    (panel,) = parts(bias, order)
    np.testing.assert_array_equal(panel.values, bias.values[order])
    (other,) = parts(bias, np.arange(6))
    np.testing.assert_array_equal(other.columns, np.arange(5))


def test_a_large_matrix_is_reduced_to_the_strongest_of_blocks():
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 3 * PIXELS + 5]}, {"w": numbers(3 * PIXELS + 5, 10)})
    (panel,) = parts(first_array(proto), None)
    assert panel.values.shape == (482, 10)
    assert "each pixel is the number of largest magnitude of 4×1" in panel.statement


@pytest.mark.parametrize(("high", "wide"), [(1, 1), (2, 3), (4, 7), (50, 50)])
def test_the_strongest_of_each_block(high: int, wide: int):
    matrix, order = numbers(11, 13), np.random.default_rng(0).permutation(13)
    found, turned = strongest(matrix, order, high, wide), matrix[:, order]
    for i in range(found.shape[0]):
        for j in range(found.shape[1]):
            block = turned[high * i : high * (i + 1), wide * j : wide * (j + 1)].ravel()
            assert found[i, j] == block[np.abs(block).argmax()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("proto", "limit"),
    [(conv(6, 3, 3, 3), 64), (conv(70, 5, 3, 3), 4), (conv(300, 1, 3, 3), 64), (conv(2, 1, 7, 7), 64)],
)
def test_all_text_lies_within_the_figure(proto: onnx.ModelProto, limit: int):
    head = ["a_layer_of_a_long_name/" * 8, BY["similarity"]]
    for array in layer_arrays(load(proto))[1].arrays:
        assert illegible(array_page(head, parts(array, None, limit))) == []
        assert illegible(histogram_page(head[0], [(head[0], statistics(array.values))] * 5)) == []
