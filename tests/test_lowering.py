"""Operators that have intermediate results, replaced by those of the results: what is, by what, under which names."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from lowered import assert_lowered_exactly
from onnx2graphml.errors import Error, ModelError, TooLargeError, UnsupportedError
from onnx2graphml.model import limits, load_model
from onnx2graphml.model.lowering import BY_BODY, LOWERINGS, is_lowered
from onnx2graphml.model.lowering.functions import has_body
from onnx2graphml.model.lowering.registry import ONLY_IF_CONSTANT, ONLY_IF_REPEATED, PRIMITIVE_IF_CONSTANT, lowering
from onnx2graphml.ops import OPERATORS
from small import model, node, weights

NEWEST = onnx.defs.onnx_opset_version()
RANDOM = {"Bernoulli"}
SEQUENCES = {"SequenceMap"}


def test_an_operator_is_a_primitive_or_lowered_not_both() -> None:
    both = {*PRIMITIVE_IF_CONSTANT, *ONLY_IF_CONSTANT, *ONLY_IF_REPEATED}
    assert not set(OPERATORS) & {name for domain, name in set(LOWERINGS) - both if not domain}
    assert {name for _, name in both} <= set(OPERATORS)
    assert not set(OPERATORS) & set(BY_BODY)
    assert not set(BY_BODY) & {name for domain, name in LOWERINGS if not domain}


def test_every_body_that_is_named_is_there() -> None:
    assert [op for op in BY_BODY if not has_body(op, NEWEST)] == []


@pytest.mark.parametrize("key", [k for k in LOWERINGS if not k[0]], ids=lambda k: k[1])
def test_the_signature_is_the_schema(key: tuple[str, str]) -> None:
    """Every attribute that the operator has had from opset 7 on, and every input."""
    function = LOWERINGS[key]
    parameters = list(inspect.signature(function).parameters.values())[1:]
    named = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    schemas = [
        s
        for s in onnx.defs.get_all_schemas_with_history()
        if (s.domain, s.name) == key and s.since_version <= NEWEST and s.since_version > 5
    ]
    schemas += [onnx.defs.get_schema(key[1], 7)] if onnx.defs.has(key[1], 7) else []
    theirs = {a for s in schemas for a in s.attributes}
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        assert named <= theirs
        return
    assert named == theirs
    for name, attribute in schemas[-1].attributes.items():
        default = next(p.default for p in parameters if p.name == name)
        if attribute.required:
            assert default is inspect.Parameter.empty, name


def test_a_name_is_registered_once() -> None:
    def LRN() -> None:
        """Only its name matters."""

    with pytest.raises(ValueError, match="LRN is registered twice"):
        lowering()(LRN)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------------------ the names


def normalization(**kwargs: Any) -> onnx.NodeProto:
    return node("LayerNormalization", "x w b", "y", **kwargs)


SCALE = {"w": np.ones(6, np.float32), "b": weights(6)}


def test_parts_are_named_within_their_node() -> None:
    proto = model([normalization(name="norm")], {"x": [1, 6]}, SCALE)
    names = [n.name for n in load_model(proto).nodes]
    assert all(name.startswith("norm/") for name in names), names
    assert len(set(names)) == len(names)


def test_parts_keep_the_layer_and_the_metadata() -> None:
    tagged = normalization(name="node_7")
    tagged.metadata_props.add(key="onnx2graphml.layer", value="encoder/norm")
    tagged.metadata_props.add(key="note", value="kept")
    loaded = load_model(model([tagged], {"x": [1, 6]}, SCALE))
    assert {n.layer for n in loaded.nodes} == {"encoder/norm"}
    assert all(n.name.startswith("encoder/norm/") for n in loaded.nodes)
    for part in loaded.proto.graph.node:
        assert ("note", "kept") in {(m.key, m.value) for m in part.metadata_props}


def test_two_nodes_of_one_layer_have_parts_of_different_names() -> None:
    nodes = [node("LRN", "x", "a", size=3), node("LRN", "a", "y", size=3)]
    for each in nodes:
        each.metadata_props.add(key="onnx2graphml.layer", value="response")
    proto = model(nodes, {"x": [1, 4, 2, 2]})
    names = [n.name for n in assert_lowered_exactly(proto, {"x": weights(1, 4, 2, 2)}).nodes]
    assert len(set(names)) == len(names)
    assert {name.split("/")[1] for name in names} > {"squares", "2"}


def test_a_part_gives_way_to_a_tensor_of_the_model() -> None:
    nodes = [node("LRN", "x", "a", "lrn", size=3), node("Relu", "a", "lrn/squares"), node("Neg", "lrn/squares", "y")]
    assert_lowered_exactly(model(nodes, {"x": [1, 4, 2, 2]}), {"x": weights(1, 4, 2, 2)})


def test_a_model_without_composite_operators_stays_as_it_is() -> None:
    assert load_model(model([node("Relu", "x", "y")], {"x": [1, 4]})).original is None


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("op", "inputs", "outputs", "attributes", "said"),
    [
        ("RNN", "x w r", "y", {"direction": "sideways"}, "its direction is 'sideways'; expected one of forward,"),
        ("RNN", "x w r", "y", {"activations": ["Swish"]}, "its activation is 'Swish'; expected one of Relu, Tanh"),
        ("RNN", "x w r", "y", {"activations": ["Affine"]}, "Affine has no default: give activation_alpha and"),
        ("RNN", "x w r", "y", {"activations": ["Tanh"] * 2}, "it has 2 activations; expected 1 for each direction"),
        ("LpNormalization", "x", "y", {"p": 3}, "its p is 3; expected 1 or 2"),
    ],
)  # fmt: skip
def test_attributes_that_are_refused(op: str, inputs: str, outputs: str, attributes: Any, said: str) -> None:
    constants = {"w": weights(1, 2, 3), "r": weights(1, 2, 2)} if "w" in inputs else {}
    proto = model([node(op, inputs, outputs, name="it", **attributes)], {"x": [2, 1, 3]}, constants)
    with pytest.raises(UnsupportedError, match=said) as caught:
        load_model(proto)
    assert "'it'" in str(caught.value)


def test_a_sequence_without_steps() -> None:
    proto = model([node("RNN", "x w r", "y")], {"x": [0, 1, 3]}, {"w": weights(1, 2, 3), "r": weights(1, 2, 2)})
    with pytest.raises(UnsupportedError, match="its sequence has no steps"):
        load_model(proto)


# --------------------------------------------------------------------------------------------------------- control flow


def value(name: str, shape: Any, kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def branch(nodes: list[onnx.NodeProto], output: str = "r", shape: Any = (1, 4)) -> onnx.GraphProto:
    return helper.make_graph(nodes, "branch", [], [value(output, shape)])


def loop_body(nodes: list[onnx.NodeProto], keep: str = "go", collects: bool = True) -> onnx.GraphProto:
    """State `v`, which becomes `u` and is collected as `u`, too."""
    outputs = [value(keep, [], TensorProto.BOOL), value("u", [1, 4]), *([value("c", [1, 4])] if collects else [])]
    inputs = [value("i", [], TensorProto.INT64), value("go", [], TensorProto.BOOL), value("v", [1, 4])]
    return helper.make_graph(nodes, "body", inputs, outputs)


X = weights(1, 4)


@pytest.mark.parametrize("condition", [True, False])
def test_if_with_a_constant_condition(condition: bool) -> None:
    """Branches that read what is computed around them."""
    then = branch([node("Relu", "a", "m"), node("Add", "m x", "r")])
    other = branch([node("Identity", "a", "r")])
    nodes = [node("Neg", "x", "a"), node("If", "yes", "y", then_branch=then, else_branch=other)]
    loaded = assert_lowered_exactly(model(nodes, {"x": [1, 4]}, {"yes": np.bool_(condition)}), {"x": X})
    assert ("Relu" in {n.op for n in loaded.nodes}) == condition


def test_if_with_a_computed_condition_is_a_where_of_both() -> None:
    nodes = [
        node("ReduceSum", "x", "s", keepdims=0),
        node("Cast", "s", "yes", to=TensorProto.BOOL),
        node(
            "If", "yes", "y", then_branch=branch([node("Relu", "x", "r")]), else_branch=branch([node("Neg", "x", "r")])
        ),
    ]
    for x in (X, np.zeros_like(X)):
        assert_lowered_exactly(model(nodes, {"x": [1, 4]}), {"x": x})


def test_branches_of_different_shapes_are_refused() -> None:
    wide = branch([node("Concat", "x x", "r", axis=1)], shape=(1, 8))
    nodes = [
        node("ReduceSum", "x", "s", keepdims=0),
        node("Cast", "s", "yes", to=TensorProto.BOOL),
        node("If", "yes", "y", then_branch=wide, else_branch=branch([node("Neg", "x", "r")])),
    ]
    with pytest.raises(UnsupportedError, match=r"give float32\[1, 8\] or float32\[1, 4\]; expected the same"):
        load_model(model(nodes, {"x": [1, 4]}))


@pytest.mark.parametrize("times", [1, 3])
def test_a_loop_is_unrolled(times: int) -> None:
    nodes = [node("Tanh", "v", "t"), node("Add", "t x", "u"), node("Neg", "u", "c")]
    proto = model(
        [node("Loop", "n _ x", "l y", body=loop_body(nodes), name="again")], {"x": [1, 4]}, {"n": np.int64(times)}
    )
    loaded = assert_lowered_exactly(proto, {"x": X})
    assert [n.op for n in loaded.nodes].count("Tanh") == times
    assert {f"again/t{k}/t" for k in range(times)} <= {n.name for n in loaded.nodes}


def test_a_loop_ends_when_its_condition_says_so() -> None:
    """i < 3, computed from the iteration's number."""
    nodes = [node("Add", "v x", "u"), node("Identity", "u", "c"), node("Less", "i three", "on")]
    proto = model(
        [node("Loop", "_ yes x", "l y", body=loop_body(nodes, "on"))],
        {"x": [1, 4]},
        {"yes": np.bool_(True), "three": np.int64(3)},
    )
    loaded = assert_lowered_exactly(proto, {"x": X})
    assert [n.op for n in loaded.nodes].count("Add") == 4


def test_an_if_within_a_loop_reads_the_tensors_of_its_iteration() -> None:
    inner = node(
        "If",
        "first",
        "u",
        then_branch=branch([node("Relu", "v", "r")]),
        else_branch=branch([node("Add", "v x", "r")]),
    )
    nodes = [node("Equal", "i zero", "first"), inner, node("Identity", "u", "c")]
    proto = model(
        [node("Loop", "n _ x", "l y", body=loop_body(nodes))], {"x": [1, 4]}, {"n": np.int64(3), "zero": np.int64(0)}
    )
    ops = [n.op for n in assert_lowered_exactly(proto, {"x": X}).nodes]
    assert (ops.count("Relu"), ops.count("Add")) == (1, 2)


def test_a_loop_as_long_as_the_input_says_is_refused() -> None:
    body = loop_body([node("Relu", "v", "u"), node("Neg", "u", "c")])
    nodes = [node("Cast", "x", "n", to=TensorProto.INT64), node("Loop", "n _ z", "l y", body=body)]
    with pytest.raises(UnsupportedError, match=r"its trip count .* is computed by the network"):
        load_model(model(nodes, {"x": []}, {"z": X}))


def test_a_loop_that_goes_on_while_something_computed_is_true_is_refused() -> None:
    nodes = [
        node("Add", "v x", "u"),
        node("Neg", "u", "c"),
        node("ReduceSum", "u", "s", keepdims=0),
        node("Cast", "s", "on", to=TensorProto.BOOL),
    ]
    proto = model([node("Loop", "n _ x", "l y", body=loop_body(nodes, "on"))], {"x": [1, 4]}, {"n": np.int64(3)})
    with pytest.raises(UnsupportedError, match=r"its condition after iteration 0 .* is computed by the network"):
        load_model(proto)


def test_a_loop_that_never_runs() -> None:
    """Its states stay what they were; the shape of what it collects is not known."""
    body = loop_body([node("Relu", "v", "u"), node("Neg", "u", "c")])
    proto = model([node("Loop", "n _ x", "l y", body=body)], {"x": [1, 4]}, {"n": np.int64(0)})
    with pytest.raises(UnsupportedError, match="it runs no time, so that the shape of what it collects is not known"):
        load_model(proto)
    without = loop_body([node("Relu", "v", "u")], collects=False)
    assert_lowered_exactly(
        model([node("Loop", "n _ x", "y", body=without)], {"x": [1, 4]}, {"n": np.int64(0)}), {"x": X}
    )


def test_a_loop_that_makes_too_many_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_PARTS", 100)
    body = loop_body([node("Relu", "v", "u")], collects=False)
    proto = model([node("Loop", "n _ x", "y", body=body)], {"x": [1, 4]}, {"n": np.int64(10**9)})
    with pytest.raises(TooLargeError, match=r"unrolled, the model's loops .* are more than 100 nodes"):
        load_model(proto)


def scan(opset: int, **attributes: Any) -> onnx.ModelProto:
    """A running sum `s` of `x`'s slices, and the products with them."""
    body = helper.make_graph(
        [node("Add", "s e", "u"), node("Mul", "u e", "c")],
        "body",
        [value("s", [3]), value("e", [3])],
        [value("u", [3]), value("c", [3])],
    )
    made = node("Scan", "s x" if opset > 8 else "_ s x", "l y", body=body, num_scan_inputs=1, **attributes)
    return model(
        [made],
        {"x": [4, 3] if opset > 8 else [2, 4, 3]},
        {"s": weights(*([3] if opset > 8 else [2, 3]))},
        outputs=("l", "y"),
        opset=opset,
    )


@pytest.mark.parametrize(
    "attributes",
    [{}, {"scan_input_directions": [1]}, {"scan_output_directions": [1]}, {"scan_output_axes": [1]}],
    ids=str,
)
def test_scan(attributes: Any) -> None:
    assert_lowered_exactly(scan(11, **attributes), {"x": weights(4, 3)})


def test_scan_along_another_axis() -> None:
    body = helper.make_graph(
        [node("Add", "s e", "u"), node("Mul", "u e", "c")],
        "body",
        [value("s", [3]), value("e", [3])],
        [value("u", [3]), value("c", [3])],
    )
    made = node("Scan", "s x", "l y", body=body, num_scan_inputs=1, scan_input_axes=[1])
    assert_lowered_exactly(model([made], {"x": [3, 4]}, {"s": weights(3)}, outputs=("l", "y")), {"x": weights(3, 4)})


@pytest.mark.parametrize("attributes", [{}, {"directions": [1]}], ids=str)
def test_scan_of_opset_8(attributes: Any) -> None:
    assert_lowered_exactly(scan(8, **attributes), {"x": weights(2, 4, 3)})


def test_scan_of_opset_8_with_lengths_is_refused() -> None:
    proto = scan(8)
    proto.graph.node[0].input[0] = "lengths"
    proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([4, 2]), "lengths"))
    with pytest.raises(UnsupportedError, match="its sequences have lengths of their own; expected opset 9 or newer"):
        load_model(proto)


def test_what_only_constants_decide_is_computed_by_its_parts() -> None:
    """A loop over constants leaves a constant."""
    body = loop_body([node("Add", "v one", "u"), node("Neg", "u", "c")])
    nodes = [node("Loop", "n _ z", "l d", body=body), node("Add", "x l", "y")]
    proto = model(nodes, {"x": [1, 4]}, {"n": np.int64(3), "z": X, "one": np.float32(1)})
    assert [n.op for n in assert_lowered_exactly(proto, {"x": X}).nodes] == ["Add"]


def test_an_error_within_a_part_names_the_node_and_the_part() -> None:
    proto = model([node("LpNormalization", "x", "y", name="l2", axis=7)], {"x": [1, 4]})
    with pytest.raises(ModelError, match=r"node 'l2' .*node 'l2/norm'"):
        load_model(proto)


def test_is_lowered_knows_the_domain() -> None:
    assert is_lowered(helper.make_node("LSTM", [], [], domain="ai.onnx"), 17)
    assert not is_lowered(helper.make_node("LSTM", [], [], domain="somewhere.else"), 17)


FIT = "its attributes or its subgraphs don't fit its inputs"


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Loop", "n _ x x", "l y", body=loop_body([node("Relu", "v", "u"), node("Neg", "u", "c")]))],
        [node("Scan", "x", "y", body=branch([node("Relu", "x", "r")]), num_scan_inputs=1)],
        [node("Scan", "x", "y", body=branch([node("Relu", "x", "r")]), num_scan_inputs=3)],
        [node("SplitToSequence", "x", "s", axis=7), node("SequenceAt", "s n", "y")],
        [node("LRN", "x", "y", size=0)],
        [node("LSTM", "x x x", "y", hidden_size=0)],
    ],
    ids=lambda nodes: nodes[0].op_type,
)
def test_a_node_that_is_not_valid_is_one_line(nodes: list[onnx.NodeProto]) -> None:
    """Whether ONNX's checker or shape inference finds it, or the lowering."""
    with pytest.raises(Error) as caught:
        load_model(model(nodes, {"x": [1, 4]}, {"n": np.int64(2)}))
    assert "\n" not in str(caught.value)


def test_a_body_of_too_many_inputs() -> None:
    body = loop_body([node("Relu", "v", "u"), node("Neg", "u", "c")])
    body.input.append(value("more", [1, 4]))
    with pytest.raises(ModelError, match=FIT):
        load_model(model([node("Loop", "n _ x", "l y", body=body)], {"x": [1, 4]}, {"n": np.int64(2)}))
