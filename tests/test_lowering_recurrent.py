"""RNN, GRU and LSTM, unrolled, against ONNX Runtime's own: every attribute and every input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lowered import assert_lowered_exactly, assert_primitive
from onnx2graphml.model import load_model
from onnx2graphml.model.lowering.recurrent import DEFAULTS, PLAIN
from small import Array, model, node, runtime, weights

STEPS, BATCH, INPUTS, HIDDEN = 3, 2, 3, 4
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
ACTIVATIONS = {"RNN": 1, "GRU": 2, "LSTM": 3}
DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}


def constants(op: str, directions: int, dtype: Any = np.float32) -> dict[str, Array]:
    gates = GATES[op]
    shapes = {
        "W": (gates * HIDDEN, INPUTS),
        "R": (gates * HIDDEN, HIDDEN),
        "B": (2 * gates * HIDDEN,),
        "h": (BATCH, HIDDEN),
        "c": (BATCH, HIDDEN),
        "P": (3 * HIDDEN,),
    }
    made = {n: 0.7 * weights(directions, *s, seed=k, dtype=dtype) for k, (n, s) in enumerate(shapes.items())}
    return made | {"L": np.array([3, 1], np.int32)}


def network(op: str, inputs: str, direction: str = "forward", **attributes: Any) -> Any:
    states = ["y", "yh", *(["yc"] if op == "LSTM" else [])]
    made = node(op, inputs, " ".join(states), hidden_size=HIDDEN, direction=direction, **attributes)
    given = {n: v for n, v in constants(op, DIRECTIONS[direction]).items() if n in inputs.split()}
    return model([made], {"x": [STEPS, BATCH, INPUTS]}, given, outputs=states)


X = weights(STEPS, BATCH, INPUTS, seed=9)
GIVEN = ["x W R", "x W R B", "x W R B L", "x W R _ L", "x W R B _ h", "x W R B L h"]
LSTM_GIVEN = [*GIVEN, "x W R B _ h c", "x W R B _ _ c", "x W R _ _ _ _ P", "x W R B L h c P"]


OWN: dict[str, list[dict[str, Any]]] = {
    "RNN": [{}, {"clip": 0.3}],
    "GRU": [{}, {"clip": 0.3}, {"linear_before_reset": 1}, {"linear_before_reset": 1, "clip": 0.3}],
    "LSTM": [{}, {"clip": 0.3}, {"input_forget": 1}],
}


@pytest.mark.slow
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize(("op", "attributes"), [(op, a) for op, own in OWN.items() for a in own], ids=str)
def test_inputs_and_directions(op: str, attributes: Any, direction: str) -> None:
    for inputs in LSTM_GIVEN if op == "LSTM" else GIVEN:
        assert_lowered_exactly(network(op, inputs, direction, **attributes), {"x": X})


def parameters(name: str) -> dict[str, float]:
    return dict(zip(("alpha", "beta"), (0.4, 0.3), strict=True)) if len(DEFAULTS.get(name, ())) == 2 else {"alpha": 0.4}


@pytest.mark.parametrize("name", [*PLAIN, *DEFAULTS])
@pytest.mark.parametrize("op", GATES)
def test_activations(op: str, name: str) -> None:
    """With parameters of their own for each, in two directions; and with their defaults, where they have any."""
    count = 2 * ACTIVATIONS[op]
    others = ["Tanh"] * (count - 1)
    given: dict[str, Any] = {}
    if name in DEFAULTS:
        given = {f"activation_{k}": [v, v + 0.1] for k, v in parameters(name).items()}
    both = network(op, "x W R", "bidirectional", activations=[name, *others[1:], name], **given)
    assert_lowered_exactly(both, {"x": X})
    if None not in DEFAULTS.get(name, ()):
        assert_lowered_exactly(network(op, "x W R", "bidirectional", activations=[*others, name]), {"x": X})


@pytest.mark.parametrize("op", ["GRU", "LSTM"])
def test_the_case_of_an_activation_does_not_matter(op: str) -> None:
    assert_lowered_exactly(network(op, "x W R", activations=["sigmoid"] * ACTIVATIONS[op]), {"x": X})


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("op", GATES)
def test_batch_first(op: str, direction: str) -> None:
    """ONNX Runtime has no layout 1: the same with what goes in and comes out transposed."""
    inputs = "x W R B _ h c" if op == "LSTM" else "x W R B _ h"
    turned = network(op, inputs, direction, layout=1)
    turned.graph.input[0].CopyFrom(model([], {"x": [BATCH, STEPS, INPUTS]}, outputs=()).graph.input[0])
    for tensor in turned.graph.initializer:
        if tensor.name in "hc":
            dims = [tensor.dims[1], tensor.dims[0], tensor.dims[2]]
            swapped = constants(op, DIRECTIONS[direction])[tensor.name].transpose(1, 0, 2)
            tensor.dims[:], tensor.raw_data = dims, np.ascontiguousarray(swapped).tobytes()
    loaded = load_model(turned)
    assert_primitive(loaded)
    y, *states = runtime(loaded.proto, {"x": X.transpose(1, 0, 2)})
    expected, *last = runtime(network(op, inputs, direction), {"x": X})
    np.testing.assert_allclose(y, expected.transpose(2, 0, 1, 3), rtol=1e-4, atol=1e-5)
    for got, e in zip(states, last, strict=True):
        np.testing.assert_allclose(got, e.transpose(1, 0, 2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op", GATES)
@pytest.mark.parametrize("opset", [7, 9, 11, 13, 14, 22])
def test_opsets(op: str, opset: int) -> None:
    """Clip, Slice, Unsqueeze and the like have changed in between; before opset 9, there is no Where."""
    for inputs in ("x W R B L h" if opset > 7 else "x W R B _ h", "x W R"):
        proto = network(op, inputs, "bidirectional", clip=0.8)
        proto.opset_import[0].version = opset
        assert_lowered_exactly(proto, {"x": X})


def test_lengths_that_the_network_computes() -> None:
    proto = network("LSTM", "x W R B L h c")
    del proto.graph.initializer[[t.name for t in proto.graph.initializer].index("L")]
    proto.graph.input.add().CopyFrom(model([], {"L": [BATCH]}, outputs=(), dtype=np.int32).graph.input[0])
    for lengths in ([3, 1], [0, 2]):
        assert_lowered_exactly(proto, {"x": X, "L": np.array(lengths, np.int32)})


def test_a_sequence_of_length_0() -> None:
    proto = network("GRU", "x W R B L h")
    lengths = next(t for t in proto.graph.initializer if t.name == "L")
    lengths.raw_data = np.array([0, 2], np.int32).tobytes()
    assert_lowered_exactly(proto, {"x": X})


def test_weights_that_the_network_computes() -> None:
    proto = network("GRU", "x W R B")
    del proto.graph.initializer[0]
    proto.graph.input.add().CopyFrom(model([], {"W": [1, 3 * HIDDEN, INPUTS]}, outputs=()).graph.input[0])
    assert_lowered_exactly(proto, {"x": X, "W": constants("GRU", 1)["W"]})


def test_only_the_last_state() -> None:
    made = node("LSTM", "x W R", "_ y", hidden_size=HIDDEN)
    given = {n: v for n, v in constants("LSTM", 1).items() if n in "WR"}
    loaded = assert_lowered_exactly(model([made], {"x": [STEPS, BATCH, INPUTS]}, given), {"x": X})
    assert "Concat" not in {n.op for n in loaded.nodes if n.outputs[0] == "y"}


def test_the_parts_are_named() -> None:
    proto = network("LSTM", "x W R B")
    proto.graph.node[0].name = "lstm"
    names = {n.name for n in load_model(proto).nodes}
    for part in ("input_gate", "forget_gate", "output_gate", "candidate", "cell", "hidden"):
        assert f"lstm/t2/{part}" in names
    assert {n.name for n in load_model(network("GRU", "x W R", "bidirectional")).nodes} >= {
        f"the_y/{d}/t1/{part}" for d in ("forward", "reverse") for part in ("update_gate", "reset_gate", "candidate")
    }
