"""Models that others made: they are expanded and verified, or refused for an operator or a type that is named here."""

from __future__ import annotations

import functools
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from network import run
from onnx2graphml.api import load, to_onnx, verify, write
from onnx2graphml.errors import ModelError, TooLargeError, UnsupportedError
from onnx2graphml.graph.graph import NeuronGraph
from small import random_feeds, runtime

SHARED = Path(__file__).parents[2] / "shared" / "models"
PACKAGED = Path(onnx.__file__).parent / "backend" / "test" / "data"
KINDS = ("simple", "pytorch-converted", "pytorch-operator")

REFUSED = {  # and what the message names
    "shared/marabou/layer-zoo/dropout_training_mode_true": "Dropout",
    **{f"simple/test_expand_shape_model{k}": "Expand" for k in (1, 2, 3, 4)},
    "simple/test_gradient_of_add": "Gradient",
    "simple/test_gradient_of_add_and_mul": "Gradient",
    "simple/test_sequence_model8": "SplitToSequence",
    "simple/test_strnorm_model_monday_casesensintive_lower": "object",
    "simple/test_strnorm_model_monday_casesensintive_nochangecase": "object",
    "simple/test_strnorm_model_monday_casesensintive_upper": "object",
    "simple/test_strnorm_model_monday_empty_output": "object",
    "simple/test_strnorm_model_monday_insensintive_upper_twodim": "object",
    "simple/test_strnorm_model_nostopwords_nochangecase": "object",
}
INVALID = {"shared/omlt/maxpool_2d": "a kernel of three dimensions on a picture of two"}

TOO_LARGE = {"pytorch-converted/test_MaxPool1d_stride_padding_dilation": "4,364,090 positions, which take 104 MB"}
"""A pool over 220,000 numbers, in a file without weights of its own: just beyond what such a file may take."""


@functools.cache
def models() -> dict[str, Path]:
    """All model files by a name; the shared ones where there are any."""
    found = {f"shared/{p.relative_to(SHARED).with_suffix('')}": p for p in sorted(SHARED.rglob("*.onnx"))}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.loader import load_model_tests

        for kind in KINDS:
            for case in sorted(load_model_tests(kind=kind), key=lambda c: c.name):
                found[f"{kind}/{case.name}"] = Path(case.model_dir) / "model.onnx"
    return found


def params() -> list[Any]:
    marked = []
    for name in models():
        reason = REFUSED.get(name)
        refused = pytest.mark.xfail(reason=f"{reason} is not supported", strict=True, raises=UnsupportedError)
        if name not in INVALID and name not in TOO_LARGE:
            marked.append(pytest.param(name, id=name, marks=[refused] if reason else []))
    return marked


@pytest.mark.parametrize("name", params())
def test_a_model_is_verified(name: str) -> None:
    try:
        graph = load(models()[name])
    except UnsupportedError as e:
        if REFUSED.get(name, "") not in str(e):
            pytest.fail(f"refused for another reason than the one that is known: {e}")
        raise
    report = verify(graph)
    assert report.passed, [r for r in report.rows if not r.passed]


@pytest.mark.parametrize("name", TOO_LARGE)
def test_a_model_beyond_the_budget_is_refused(name: str) -> None:
    with pytest.raises(TooLargeError, match=TOO_LARGE[name]):
        load(models()[name])


@pytest.mark.parametrize("name", sorted(INVALID))
def test_an_invalid_model_is_refused(name: str) -> None:
    if name not in models():
        pytest.skip("the shared models are not here")
    with pytest.raises(ModelError):
        load(models()[name])


def array(path: Path) -> Any:
    return numpy_helper.to_array(onnx.load_tensor(path))


@pytest.mark.parametrize("name", [n for n in models() if n.startswith("pytorch-") and n not in REFUSED | TOO_LARGE])
def test_the_stored_outputs_come_out(name: str) -> None:
    """Of PyTorch, when it exported the model; no runtime is asked."""
    graph = load(models()[name])
    assert graph.model is not None
    folder = models()[name].parent / "test_data_set_0"
    given = [array(p) for p in sorted(folder.glob("input_*.pb"))]
    feeds = dict(zip([i.name for i in onnx.load(models()[name]).graph.input], given, strict=False))
    got = run(graph, feeds)
    expected = [array(p) for p in sorted(folder.glob("output_*.pb"))]
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(g, e.astype(np.float64).ravel(), rtol=1e-3, atol=1e-5)


# ----------------------------------------------------------------------------------------------------- picture networks


LIGHT = {  # weights made by ConstantOfShape; parameters as the papers or the model zoo have them, in millions
    "bvlc_alexnet": 61.0,
    "densenet121": 8.0,
    "inception_v1": 7.0,
    "inception_v2": 11.2,
    "resnet50": 25.6,
    "shufflenet": 1.4,
    "squeezenet": 1.2,
    "vgg19": 143.7,
    "zfnet512": 87.2,
}


def weights_and_biases(graph: NeuronGraph) -> int:
    """The weights of all layers that multiply by them, and the biases that are added: what the nodes read."""
    model = graph.model
    assert model is not None
    read = [node for node in model.nodes if node.op in ("Conv", "Gemm", "BatchNormalization", "Mul", "Add")]
    names = {i for node in read for i in node.inputs if i in model.constants}
    return sum(model.constants[name].size for name in names)


@pytest.mark.slow
@pytest.mark.parametrize("name", LIGHT)
def test_a_picture_network_has_its_parameters(name: str) -> None:
    graph = load(PACKAGED / "light" / f"light_{name}.onnx")
    assert weights_and_biases(graph) / 1e6 == pytest.approx(LIGHT[name], rel=0.06)
    assert graph.edges > 100e6
    assert graph.layers[0].shape == (3, 224, 224)
    assert graph.layer(graph.outputs[0]).neurons == 1000


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "shufflenet"])
def test_a_picture_network_is_verified(name: str) -> None:
    graph = load(PACKAGED / "light" / f"light_{name}.onnx")
    assert verify(graph, sample_neurons=4).passed


# ------------------------------------------------------------------------------------------------------------ and back

FIXTURES = Path(__file__).parents[1] / "fixtures"
GRAPHS = {f"fixtures/{p.stem}": p for p in sorted(FIXTURES.glob("*.onnx"))} | {
    name: path for name, path in models().items() if name.startswith("shared/") and name not in {*REFUSED, *INVALID}
}


@pytest.mark.slow
@pytest.mark.parametrize("name", GRAPHS)
def test_a_written_graph_is_the_same_network_again(name: str, tmp_path: Path) -> None:
    """Model, GraphML, and ONNX: ONNX Runtime computes the same from both, to float32 rounding."""
    path = GRAPHS[name]
    write(load(path, detail="neuron"), tmp_path / "graph.graphml")
    again = to_onnx(load(tmp_path / "graph.graphml", original=str(path)))
    feeds = random_feeds(load(path))
    for own, found in zip(runtime(str(path), feeds), runtime(again, feeds), strict=True):
        assert (own.shape, own.dtype) == (found.shape, found.dtype)
        np.testing.assert_allclose(found, own, atol=1e-5 * max(1, np.abs(own).max(initial=0)))


# ---------------------------------------------------------------------------------------------------------- the numbers


def test_how_many_there_are() -> None:
    """A loader that finds nothing would pass every test above."""
    every = Counter(name.split("/")[0] for name in models())
    refused = Counter(name.split("/")[0] for name in REFUSED)
    assert {kind: every[kind] for kind in KINDS} == {"simple": 23, "pytorch-converted": 82, "pytorch-operator": 35}
    assert {kind: refused[kind] for kind in KINDS} == {"simple": 13, "pytorch-converted": 0, "pytorch-operator": 0}
    assert {p.stem for p in (PACKAGED / "light").glob("*.onnx")} == {f"light_{name}" for name in LIGHT}


def test_how_many_shared_ones_there_are() -> None:
    if not SHARED.is_dir():
        pytest.skip("the shared models are not here")
    shared = [name for name in models() if name.startswith("shared/")]
    assert len(shared) == 49
    assert sum(name in REFUSED for name in shared) == 1
    assert {name for name in (*REFUSED, *INVALID) if name.startswith("shared/")} <= set(shared)
