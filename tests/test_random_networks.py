"""Random networks over all operators obey the law, at every level of detail; and what they have brought to light."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, assume, event, given, note, settings
from hypothesis import strategies as st
from onnx.reference import ReferenceEvaluator

from network import run
from onnx2graphml.api import load, verify, verify_file
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.formats.writing import write
from onnx2graphml.graph.axes import same
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import Incoming, NeuronGraph
from onnx2graphml.model.lowering import BY_BODY, LOWERINGS
from onnx2graphml.ops import OPERATORS
from onnx2graphml.verification.report import Report
from randomnets import census, law
from randomnets.builder import Builder, Tensor, Unfit
from randomnets.draw import Network, draw_network, fed, finished
from randomnets.found import FOUND, LEFT_OUT, Found
from randomnets.law import Broken, Discarded
from randomnets.runtime import OPSETS, computes
from randomnets.steps import STEPS
from small import model, node, runtime, weights

BY_CHOICES, BY_NUMBERS = 75, 75  # models: those that shrink, and those that tools/fuzz_networks.py has, too


def hold(network: Network, turn: int, folder: Path) -> str:
    """What was done to an edge, and found; empty where there is none."""
    return law.check(network, turn, folder).control


@pytest.mark.slow
@settings(max_examples=BY_CHOICES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.integers(0, 1000))
def test_the_law(tmp_path_factory: pytest.TempPathFactory, random: Random, turn: int) -> None:
    network = draw_network(random)
    note(onnx.printer.to_text(network.proto))
    try:
        event(hold(network, turn, tmp_path_factory.mktemp("network")))
    except Discarded:
        assume(False)


@pytest.mark.slow
def test_the_law_by_numbers(tmp_path: Path) -> None:
    discarded = 0
    for number in range(BY_NUMBERS):
        try:
            hold(draw_network(Random(f"0:{number}")), number, tmp_path)
        except Discarded:
            discarded += 1
        except Exception as e:
            e.add_note(f"model {number}: python tools/fuzz_networks.py --seed 0 --only {number}")
            raise
    assert discarded <= BY_NUMBERS // 50


# ------------------------------------------------------------------------------------------------------- the generator


CONSTANTS = "it is of constants alone"
NO_KERNEL = "ONNX Runtime has no kernel; ONNX's own cases are in test_lowering_node_cases"
PLACES = "its places are computed from few numbers; see test_lowering_node_cases and test_lowering_sampled"
LOSS = "a loss, which a trained network has not; ONNX's own cases are in test_lowering_node_cases"
TREES = "each value decides much; test_lowering_classical compares it with ONNX Runtime"
SEQUENCES = "of a sequence of tensors nothing but its tensors is computed; see test_lowering_sequences"
FUSED = "ONNX Runtime's own, of an optimized export; test_lowering_microsoft compares it with ONNX Runtime"
QUANTIZED = "ONNX Runtime's own, on integers; test_lowering_quantized compares every integer"
NOT_DRAWN = {
    **dict.fromkeys(("BlackmanWindow", "HammingWindow", "HannWindow"), CONSTANTS),
    **dict.fromkeys(("CausalConvWithState", "FlexAttention", "LinearAttention", "SwiGLU"), NO_KERNEL),
    **dict.fromkeys(("AffineGrid", "MaxRoiPool"), PLACES),
    **dict.fromkeys(("NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"), LOSS),
    **dict.fromkeys(("ArrayFeatureExtractor", "Binarizer", "TfIdfVectorizer", "TreeEnsemble"), TREES),
    **dict.fromkeys(("Normalizer", "Scaler"), "of classical models; test_onnx_faults compares it with ONNX Runtime"),
    **dict.fromkeys(("SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert"), SEQUENCES),
    **dict.fromkeys(("SequenceLength", "SequenceMap"), SEQUENCES),
    **dict.fromkeys(("EmbedLayerNormalization", "FusedGemm", "GroupNorm", "GroupQueryAttention"), FUSED),
    **dict.fromkeys(("NhwcConv", "NhwcFusedConv", "SimplifiedLayerNormalization", "TransposeMatMul"), FUSED),
    **dict.fromkeys(("MatMulNBits", "MultiHeadAttention", "QAttention", "SkipSimplifiedLayerNormalization"), FUSED),
    **dict.fromkeys(("DynamicQuantizeLinear", "DynamicQuantizeMatMul", "MatMulIntegerToFloat", "QGemm"), QUANTIZED),
    **dict.fromkeys(("NhwcMaxPool", "QLinearAdd", "QLinearAveragePool", "QLinearConcat", "QLinearMul"), QUANTIZED),
    **dict.fromkeys(("QLinearGlobalAveragePool", "QLinearLeakyRelu", "QLinearSigmoid"), QUANTIZED),
    **dict.fromkeys(("QLinearSoftmax", "QLinearWhere"), QUANTIZED),
}
"""Operators that are replaced by others and have no step, with the reason."""


def test_every_operator_has_a_step_or_a_reason() -> None:
    replaced = {op for _, op in LOWERINGS} | set(BY_BODY)
    assert set(OPERATORS) <= set(STEPS) <= set(OPERATORS) | replaced
    assert set(NOT_DRAWN) == replaced - set(STEPS)


@pytest.mark.parametrize("op", sorted(STEPS))
def test_a_step_makes_valid_models(op: str) -> None:
    """Of its operator, in every other opset and in all types that ONNX Runtime computes it in; no one is discarded."""
    made, step = 0, STEPS[op]
    opsets = [o for o in OPSETS if step.fits(o)]
    for opset in opsets[:: 2 if len(opsets) > 8 else 1]:
        for kind in ("e", "f", "d"):
            dtype = np.dtype(kind)
            b = Builder(Random(f"{op}:{opset}:{kind}"), opset)
            x = fed(b, "normal", (1, 2, 4, 3), dtype)
            b.inputs["x0"] = Tensor("x0", x.shape, dtype, -4, 4)
            b.tensors.append(b.inputs["x0"])
            if not computes(op, opset, dtype):
                continue
            try:
                step.grow(b, b.tensors[-1])
            except Unfit:
                continue
            law.judge(Network(finished(b), {"x0": x}, "normal", False))
            made += any(n.op_type == op for n in b.nodes)
    assert made >= min(4, len(opsets))


def test_a_number_makes_a_model() -> None:
    """The same one each time, and another one than other numbers."""
    made = [draw_network(Random(f"0:{n}")).proto.SerializeToString() for n in (3, 3, 4)]
    assert made[0] == made[1] != made[2]


@pytest.mark.slow
def test_much_occurs() -> None:
    """Every operator, opset, rank and type, within models that are only drawn."""
    seen = {pair for n in range(1500) for pair in census.occurring(draw_network(Random(f"0:{n}")))}
    found = {what: {value for w, value in seen if w == what} for what, _ in seen}
    assert found["operator"] == set(STEPS)
    assert found["opset"] == {str(o) for o in OPSETS}
    assert found["rank"] >= set("012345")
    assert found["type"] == {"FLOAT", "FLOAT16", "DOUBLE"}
    pads = ("VALID", "SAME_UPPER", "SAME_LOWER")
    assert {f"{op}.auto_pad={p}" for op in ("Conv", "MaxPool") for p in pads} <= found["attribute"]


def test_what_is_counted_of_an_attribute() -> None:
    values = [1, 700, 0.5, b"SAME_UPPER", [1, 1], [2, 0], [-1, 0]]
    expected = ["1", "beyond 5", "0.5", "SAME_UPPER", "2 of 1", "2 mixed", "2 mixed, negative ones"]
    assert [census.bucket(v) for v in values] == expected


# ----------------------------------------------------------------------------------------------- the law can be broken


def dense() -> tuple[onnx.ModelProto, NeuronGraph]:
    proto = model(
        [node("Gemm", "x w b", "h"), node("Relu", "h", "y")], {"x": [1, 3]}, {"w": weights(3, 4), "b": weights(4)}
    )
    return proto, load(proto, detail="op")


def with_incoming(graph: NeuronGraph, *blocks: EdgeBlock) -> NeuronGraph:
    """The graph with other edges into its last layer."""
    *layers, last = graph.layers
    edges = tuple(Incoming(layers[-1].name, block) for block in blocks)
    return dataclasses.replace(graph, layers=(*layers, dataclasses.replace(last, incoming=edges)))


IDENTITY = EdgeBlock((same(4).strided(1, 1),))


@pytest.mark.parametrize(
    ("message", "blocks"),
    [
        ("join the same two neurons", [IDENTITY, IDENTITY]),
        ("edges beside it", [EdgeBlock((same(4).strided(1, 2),))]),
        ("do not come from before it", [EdgeBlock((same(4).strided(9, 1),))]),
    ],
)
def test_wrong_edges_are_noticed(message: str, blocks: list[EdgeBlock]) -> None:
    proto, graph = dense()
    law.check_counts(with_incoming(graph, IDENTITY), proto)
    with pytest.raises(Broken, match=message):
        law.check_counts(with_incoming(graph, *blocks), proto)


def test_wrong_outputs_and_pictures_are_noticed() -> None:
    proto, graph = dense()
    with pytest.raises(Broken, match="outputs are"):
        law.check_counts(dataclasses.replace(graph, outputs=("h",)), proto)
    moved = tuple(dataclasses.replace(x, spatial=(-1, 0)) for x in graph.layers)
    with pytest.raises(Broken, match="has its picture at"):
        law.check_counts(dataclasses.replace(graph, layers=moved), proto)


def test_wrong_reports_are_noticed() -> None:
    _, graph = dense()
    report = verify(graph)
    law.check_report(report, graph, "here")
    with pytest.raises(Broken, match="here: no pass: nothing was checked"):
        law.check_report(Report(()), graph, "here")
    with pytest.raises(Broken, match=r"here: no pass: \[Row"):
        law.check_report(Report((dataclasses.replace(report.rows[0], share=2.0),)), graph, "here")
    with pytest.raises(Broken, match="12 edges, the graph has 16"):
        law.check_report(Report(report.rows[:1]), graph, "here")


def test_a_control_that_passes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, graph = dense()
    feeds = {"x": weights(1, 3)}
    for seed in range(4):
        assert law.check_control(graph, feeds, Random(seed), tmp_path / "a.graphml") in ("altered", "dropped")
    monkeypatch.setattr(law, "damaged", lambda text, *_: text)
    with pytest.raises(Broken, match=r"an edge was .*, and the file passes"):
        law.check_control(graph, feeds, Random(0), tmp_path / "a.graphml")


def test_a_refusal_that_is_no_documented_limit_is_noticed(tmp_path: Path) -> None:
    other = model([node("NonZero", "x", "i"), node("Cast", "i", "y", to=1)], {"x": [2, 2]})
    del other.graph.output[0].type.tensor_type.shape.dim[1:]
    other.graph.output[0].type.tensor_type.shape.dim.add()
    with pytest.raises(Broken, match=r"refused: .*NonZero"):
        law.check(Network(other, {"x": weights(2, 2)}, "normal", False), 0, tmp_path)
    two = model([node("MatMul", "x x", "y")], {"x": [2, 2]})
    with pytest.raises(Discarded):
        law.check(Network(two, {"x": weights(3, 2)}, "normal", False), 0, tmp_path)


# ------------------------------------------------------------------------------------------- what was found, minimized


@pytest.mark.parametrize("found", FOUND.values(), ids=FOUND)
def test_found(found: Found) -> None:
    """The law without files, at every level of detail."""
    for level in LEVELS:
        graph = load(found.proto, detail=level)
        law.check_counts(graph, found.proto)
        law.check_report(verify(graph, "random" if found.value is None else {"x": found.value}), graph, level)


@pytest.mark.parametrize("found", LEFT_OUT.values(), ids=LEFT_OUT)
def test_left_out(found: Found) -> None:
    """ONNX's reference evaluator computes what the edges do, and ONNX Runtime something else."""
    feeds = {"x": found.value}
    (expected,) = ReferenceEvaluator(found.proto).run(None, feeds)
    (ours,) = run(load(found.proto, detail="op"), feeds)
    (theirs,) = runtime(found.proto, feeds)
    np.testing.assert_allclose(ours.reshape(expected.shape), expected, rtol=1e-12)
    assert not np.allclose(theirs, expected, equal_nan=True)
    assert not verify(load(found.proto), feeds).passed


@pytest.mark.parametrize("suffix", [s for s in FORMATS if "node attributes" in FORMATS[s].cannot_hold])
def test_a_layer_of_rank_0_in_a_format_without_nodes(suffix: str, tmp_path: Path) -> None:
    graph = load(model([node("ReduceSum", "x", "y", keepdims=0)], {"x": [1, 3]}))
    write(graph, tmp_path / f"a{suffix}")
    assert verify_file(graph, tmp_path / f"a{suffix}").passed
