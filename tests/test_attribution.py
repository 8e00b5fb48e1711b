"""What one input does: values, slopes, choices, relevances and traces, by their laws and by other libraries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import cli
from onnx2graphml.attribution import strongest
from onnx2graphml.attribution.difference import Difference
from onnx2graphml.attribution.local import LocalGraph, local
from onnx2graphml.attribution.relevance import relevance
from onnx2graphml.attribution.rules import RULES, alpha_beta, find, lrp_epsilon, lrp_gamma
from onnx2graphml.attribution.slopes import EXACT, slope
from onnx2graphml.attribution.strongest import Rows, Strongest
from onnx2graphml.attribution.trace import trace
from onnx2graphml.draw.colours import Scale
from onnx2graphml.draw.page import Image, Page, Text, flat
from onnx2graphml.draw.page import Path as Path_
from onnx2graphml.draw.trace import trace as drawing
from onnx2graphml.draw.trace.inputs import laid_over
from onnx2graphml.draw.trace.placement import columns_of
from onnx2graphml.draw.trace.trace import page
from onnx2graphml.errors import Error, OutputError, UnsupportedError
from onnx2graphml.graph.blocks import EdgeBlock
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.graph.neurons import Activation
from pages import illegible
from small import FIXTURES, model, node, weights

CONV = model(
    [
        node("Conv", "x w b", "c", pads=[1, 1, 1, 1]),
        node("Relu", "c", "r"),
        node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", "p", "f"),
        node("Gemm", "f v d", "y"),
    ],
    {"x": [1, 2, 6, 6]},
    {"w": weights(3, 2, 3, 3), "b": weights(3, seed=1), "v": weights(27, 4, seed=2), "d": weights(4, seed=3)},
)
SKIP = model(
    [
        node("Gemm", "x w b", "h"),
        node("LeakyRelu", "h", "r", alpha=0.2),
        node("Add", "r x", "s"),
        node("Clip", "s lo hi", "k"),
        node("Gemm", "k v d", "y"),
    ],
    {"x": [1, 5]},
    {"w": weights(5, 5), "b": weights(5, seed=1), "lo": np.float32(-1), "hi": np.float32(1),
     "v": weights(5, 3, seed=2), "d": weights(3, seed=3)},
)  # fmt: skip
SMOOTH = model(
    [node("Gemm", "x w b", "h"), node("Sigmoid", "h", "r"), node("Gemm", "r v d", "y")],
    {"x": [1, 4]},
    {"w": weights(4, 6), "b": weights(6, seed=1), "v": weights(6, 2, seed=2), "d": weights(2, seed=3)},
)
NETWORKS: dict[str, Any] = {
    "conv": CONV, "skip": SKIP, "digits": FIXTURES / "digits.onnx", "residual": FIXTURES / "residual.onnx",
}  # fmt: skip


def around(name: str, seed: int = 0, detail: str = "layer") -> LocalGraph:
    graph = o2g.load({**NETWORKS, "smooth": SMOOTH}[name], detail=detail)
    return local(graph, given(graph, seed))


def given(graph: NeuronGraph, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {x.name: random.standard_normal(x.shape) for x in graph.layers if x.aggregation == "input"}


def largest(found: LocalGraph) -> int:
    last = found.graph.layer(found.graph.outputs[-1])
    return last.first_id + int(np.argmax(found.value[last.ids]))


def blocks_of(local: LocalGraph) -> Iterator[tuple[str, str, EdgeBlock]]:
    """All blocks of the local graph: source, target and edges."""
    for layer in local.graph.layers:
        for source, block in local.blocks[layer.name]:
            yield source, layer.name, block


def inputs(found: LocalGraph) -> np.ndarray[Any, Any]:
    return np.concatenate([np.arange(x.first_id, x.first_id + x.neurons) for x in found.graph.layers
                           if x.aggregation == "input"])  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- values


@pytest.mark.parametrize("name", NETWORKS)
def test_values_are_onnx_runtimes(name: str) -> None:
    graph = o2g.load(NETWORKS[name])
    feeds = {k: v.astype(np.float32) for k, v in given(graph).items()}
    found = local(graph, feeds)
    assert graph.model is not None
    by_input = {graph.layer(k).provenance.tensor: v for k, v in feeds.items()}
    order = {k: np.argsort(graph.layer(k).provenance.order) for k in feeds}
    theirs = o2g.activations(graph, {graph.layer(k).provenance.tensor: v.transpose(order[k]) for k, v in feeds.items()})
    assert len(by_input) == len(feeds)
    for layer in graph.layers:
        if layer.name not in found.logits:
            expected = theirs.layer(layer.name).value
            np.testing.assert_allclose(found.value[layer.ids].reshape(layer.shape), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("op", EXACT)
def test_a_slope_is_the_limit_of_differences(op: str) -> None:
    x = np.array([0.13, 0.37, 0.71, 1.9]) if op == "Sqrt" else np.array([-2.3, -0.4, 0.13, 0.71, 1.9])
    parameters = {"Clip": (("min", -1.0), ("max", 1.0)), "LeakyRelu": (("alpha", 0.3),)}.get(op, ())
    activation = Activation(op, parameters)
    numeric = (activation(x + 1e-6) - activation(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(slope(activation, x), numeric, atol=1e-8)


def test_a_smooth_slope() -> None:
    x = np.linspace(-3, 3, 7)
    s = 1 / (1 + np.exp(-x))
    np.testing.assert_allclose(slope(Activation("Sigmoid"), x), s * (1 - s), atol=1e-9)


# ------------------------------------------------------------------------------------------------------------ choices


def test_of_equal_candidates_the_first_wins() -> None:
    proto = model([node("MaxPool", "x", "y", kernel_shape=[2, 2], strides=[2, 2])], {"x": [1, 1, 2, 4]})
    graph = o2g.load(proto)
    found = local(graph, {"x": np.array([[[1.0, 1, 0, 5], [1, 0, 5, 5]]])})
    (source, _, block) = next(blocks_of(found))
    assert source == "x"
    (edges,) = block.expand()
    assert dict(zip(edges.target.tolist(), edges.source.tolist(), strict=True)) == {0: 0, 1: 3}


@pytest.mark.parametrize("name", ["conv", "digits"])
def test_the_winners_alone_compute_the_same(name: str) -> None:
    """For this input, each maximum is the one edge that was chosen."""
    found = around(name)
    for layer in found.graph.layers:
        if layer.aggregation == "max":
            value = np.full(layer.neurons, np.nan)
            for source, block in found.blocks[layer.name]:
                for e in block.expand():
                    value[e.target] = e.weight * found.value[found.graph.layer(source).ids][e.source]
            np.testing.assert_array_equal(value, found.total[layer.ids])


# --------------------------------------------------------------------------------------------------------------- laws


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("rule", ["gradient", "lrp-0", "lrp-gamma"])
def test_inputs_and_biases_add_to_the_value(name: str, rule: str) -> None:
    """Of piecewise linear networks; by gradients, that is the sum over all paths."""
    found = around(name)
    target = largest(found)
    r = relevance(found, target, rule)
    assert r.score[inputs(found)].sum() + r.bias.sum() == pytest.approx(found.value[target], rel=1e-12, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NETWORKS, "smooth"])
def test_influences_add_to_one(name: str) -> None:
    found = around(name)
    r = relevance(found, largest(found), "influence")
    assert r.score[inputs(found)].sum() + r.bias.sum() == pytest.approx(1, abs=1e-12)
    assert r.score.min() >= 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv", "digits", "residual"])
def test_lrp_0_is_gradient_times_input_where_activations_are_relus(name: str) -> None:
    found = around(name)
    target = largest(found)
    one, other = (relevance(found, target, rule).score for rule in ("lrp-0", "gradient"))
    np.testing.assert_allclose(one[inputs(found)], other[inputs(found)], atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*NETWORKS, "smooth"])
def test_the_gradient_is_the_limit_of_differences(name: str) -> None:
    found = around(name)
    target, step = largest(found), 1e-5
    r = relevance(found, target, "gradient")
    feeds = given(found.graph)
    (key,) = feeds
    random = np.random.default_rng(5)
    for at in random.integers(0, feeds[key].size, 6):
        moved = []
        for way in (step, -step):
            other = feeds[key].copy()
            other.ravel()[at] += way
            moved.append(local(found.graph, {key: other}).value[target])
        numeric = (moved[0] - moved[1]) / (2 * step)
        assert r.score[at] / found.value[at] == pytest.approx(numeric, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["conv", "skip"])
def test_flows_of_single_edges_add_to_the_scores(name: str, rule: str) -> None:
    """What the pass by blocks says is what the edges say, one by one."""
    found = around(name)
    r = relevance(found, largest(found), rule)
    arrived = np.zeros(found.graph.neurons)
    for source, layer, block in blocks_of(found):
        for e in block.expand():
            np.add.at(arrived, e.source + found.graph.layer(source).first_id, r.flow(source, layer, e))
    arrived[r.target] = r.score[r.target]
    np.testing.assert_allclose(arrived, r.score, atol=1e-10)


@pytest.mark.slow
def test_influence_is_networkxs_edge_by_edge() -> None:
    """circuit-tracer's normalisation: in-edges and bias of a neuron add to 1."""
    found = around("digits")
    r = relevance(found, largest(found), "influence")
    g = nx.DiGraph()
    g.add_nodes_from(range(found.graph.neurons))
    size = np.abs(found.bias).copy()
    every = []
    for source, layer, block in blocks_of(found):
        for e in block.expand():
            u, v = e.source + found.graph.layer(source).first_id, e.target + found.graph.layer(layer).first_id
            c = np.abs(e.weight * found.value[u])
            np.add.at(size, v, c)
            every.append((u, v, c))
    for u, v, c in every:
        shares = np.divide(c, size[v], out=np.zeros_like(c), where=size[v] > 0)
        g.add_weighted_edges_from(zip(u.tolist(), v.tolist(), shares.tolist(), strict=True))
    score = dict.fromkeys(g, 0.0)
    score[r.target] = 1.0
    for v in reversed(list(nx.topological_sort(g))):
        for u, _, share in g.in_edges(v, data="weight"):
            score[u] += share * score[v]
    np.testing.assert_allclose(r.score, [score[n] for n in range(found.graph.neurons)], atol=1e-12)


def test_a_rule_by_layer() -> None:
    found = around("conv")
    target = largest(found)
    mixed = relevance(found, target, "lrp-0", {"the_c": "lrp-gamma"})
    plain, gamma = relevance(found, target, "lrp-0"), relevance(found, target, "lrp-gamma")
    for name in ("the_f", "the_p"):
        np.testing.assert_array_equal(mixed.at(name), plain.at(name))
    assert not np.allclose(mixed.at("x"), plain.at("x"))
    assert not np.allclose(mixed.at("x"), gamma.at("x"))
    with pytest.raises(Error, match="'gradient' and 'influence' do not mix with others"):
        relevance(found, target, "gradient", {"the_c": "lrp-gamma"})


def test_epsilon_takes_what_it_says() -> None:
    found = around("conv")
    target = largest(found)
    exact, less = (relevance(found, target, rule) for rule in ("lrp-0", "lrp-epsilon"))
    kept = [np.abs(r.score[inputs(found)]).sum() for r in (exact, less)]
    assert kept[1] < kept[0]


def test_a_value_that_is_not_the_edges_breaks_the_law() -> None:
    found = around("conv")
    found.bias[found.graph.layer(found.graph.outputs[-1]).ids] += 1  # counted, but not there
    target = largest(found)
    r = relevance(found, target, "gradient")
    assert r.score[inputs(found)].sum() + r.bias.sum() != pytest.approx(found.value[target], rel=1e-6)


# ------------------------------------------------------------------------------------------------------------- traces


def test_a_whole_trace_has_every_flow() -> None:
    found = around("conv")
    r = relevance(found, largest(found), "lrp-0")
    whole = trace(r, keep=1.0)
    flows = np.zeros(found.graph.neurons)
    np.add.at(flows, whole.source, whole.flow)
    flows[r.target] = r.score[r.target]
    np.testing.assert_allclose(flows, r.score, atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("keep", [0.3, 0.8, 0.95])
@pytest.mark.parametrize("name", ["digits", "residual"])
def test_a_trace_keeps_its_share_with_the_fewest_edges(name: str, keep: float) -> None:
    found = around(name)
    t = trace(relevance(found, largest(found), "influence"), keep=keep)
    for step in t.steps:
        assert step.kept >= keep * step.flow * (1 - 1e-9)
        of_layer = np.isin(t.target, np.arange(found.graph.neurons)[found.graph.layer(step.layer).ids])
        assert step.kept - np.abs(t.flow[of_layer]).min() < keep * step.flow
    assert t.relevance.target in t.neurons
    reached = nx.ancestors(t.to_networkx(), t.relevance.target)
    assert reached == set(t.neurons.tolist()) - {t.relevance.target}


@pytest.mark.parametrize("rule", ["gradient", "lrp-gamma"])
@pytest.mark.parametrize("keep", [0.5, 0.95])
def test_a_net_trace_adds_to_its_share_with_the_fewest_edges(keep: float, rule: str) -> None:
    local = around("digits")
    graph, relevant = local.graph, relevance(local, largest(local), rule)
    found = trace(relevant, keep=keep, net=True)
    whole = trace(relevant, keep=1.0)
    assert len(found) < len(trace(relevant, keep=keep))
    layer_of = np.array([graph.layer_of(int(t)).name for t in found.target])
    for step in found.steps:
        flow = found.flow[layer_of == step.layer]
        inside = np.intersect1d(found.neurons, np.arange(graph.neurons)[graph.layer(step.layer).ids])
        into = np.isin(whole.target, inside)
        assert step.flow == pytest.approx(whole.flow[into].sum(), rel=1e-9)
        sign = np.sign(step.flow)
        assert (np.sign(flow) == sign).all()
        assert step.kept == pytest.approx(flow.sum(), rel=1e-12)
        assert keep <= step.kept / step.flow + 1e-9
        assert (step.kept - sign * np.abs(flow).min()) / step.flow < keep
        others = np.sort(sign * whole.flow[into])[::-1][: len(flow)]
        assert np.allclose(np.sort(np.abs(flow))[::-1], others)  # they are the strongest
    assert found.summary().splitlines()[0].endswith("kept of flow")


def test_the_strongest_of_each_neuron() -> None:
    found = around("digits")
    t = trace(relevance(found, largest(found), "lrp-0"), top_k=3)
    _, counts = np.unique(t.target, return_counts=True)
    assert counts.max() == 3
    graph = found.graph
    for u, v, w in zip(t.source[:20].tolist(), t.target[:20].tolist(), t.weight[:20].tolist(), strict=True):
        edges = graph.in_edges(v)
        assert w in edges.weight[edges.source == u].tolist()


@pytest.mark.slow
def test_what_max_edges_cuts_is_told() -> None:
    found = around("digits")
    r = relevance(found, largest(found), "lrp-0")
    whole, less = trace(r, keep=0.95), trace(r, keep=0.95, max_edges=90)
    assert len(less) <= 90 < len(whole)
    assert not any(step.cut for step in whole.steps)
    cut = [step for step in less.steps if step.cut]
    assert cut
    assert all(step.kept < 0.95 * step.flow for step in cut)
    assert all(step.kept >= 0.95 * step.flow * (1 - 1e-9) for step in less.steps if not step.cut)
    assert less.summary().count("as much as max_edges allows") == len(cut)
    target = less.steps[1]
    mine = less.flow[np.isin(less.target, np.arange(found.graph.neurons)[found.graph.layer(target.layer).ids])]
    inside = np.unique(less.source[less.target == r.target])
    flows = [flow for _, _, _, flow in r.into(found.graph.layer(target.layer), inside)]
    every = np.sort(np.abs(np.concatenate(flows)))[::-1]
    np.testing.assert_allclose(np.sort(np.abs(mine))[::-1], every[: len(mine)])


def test_the_strongest_are_the_same_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    n = 5000
    rows = Rows(np.arange(n), random.integers(0, 40, n), np.ones(n), random.standard_normal(n).round(2))
    for top_k in (None, 3):
        expected = Strongest(200, top_k)
        expected.add(rows)
        monkeypatch.setattr(strongest, "SPARE", 0)
        pool = Strongest(200, top_k)
        for first in range(0, n, 333):
            pool.add(rows[np.arange(first, min(first + 333, n))])
        monkeypatch.undo()
        (one, cut), (other, also) = expected.found(0.9), pool.found(0.9)
        np.testing.assert_array_equal(np.sort(np.abs(one.flow)), np.sort(np.abs(other.flow)))
        assert cut == also == (top_k is None)
        assert pool.total == pytest.approx(np.abs(rows.flow).sum())


def test_the_file_opens_in_networkx(tmp_path: Path) -> None:
    digit = np.load(FIXTURES / "digits.npz")["x"][0]
    found = o2g.trace(FIXTURES / "digits.onnx", digit, tmp_path / "t.graphml", target=("digit", (3,)), keep=0.5)
    g = nx.read_graphml(tmp_path / "t.graphml", node_type=int)
    assert g.number_of_edges() == len(found)
    assert set(g) == set(found.neurons.tolist())
    graph = found.relevance.local.graph
    for n, attributes in g.nodes(data=True):
        assert attributes["layer"] == graph.layer_of(n).name
        assert attributes["relevance"] == pytest.approx(found.relevance.score[n])


def test_what_is_asked_wrongly(tmp_path: Path) -> None:
    digits = o2g.load(FIXTURES / "digits.onnx")
    for options, message in [
        ({"keep": 0.0}, "keep is 0.0; expected a share above 0, up to 1"),
        ({"top_k": 0}, "top_k is 0; expected 1 or more"),
        ({"keep": 0.5, "top_k": 2}, "both keep and top_k are given"),
        ({"net": True, "top_k": 2}, "net is for a share of the flows; top_k keeps the strongest of each neuron"),
        ({"rule": "lrp-1"}, "rule is 'lrp-1'; expected one of .*did you mean 'lrp-0'"),
        ({"target": ("digits", (3,))}, "no layer is named 'digits'"),
    ]:
        with pytest.raises(Error, match=message):
            o2g.trace(digits, "random", **options)
    with pytest.raises(Error, match="max_edges is 0; expected 1 or more"):
        o2g.trace(digits, "random", max_edges=0)
    with pytest.raises(OutputError, match=r"a trace is written as \.graphml, or drawn as \.png, \.svg, \.pdf"):
        o2g.trace(digits, "random", tmp_path / "t.csv", top_k=1)
    with pytest.raises(Error, match="expected alpha - beta = 1"):
        alpha_beta(2, 2)
    assert find(RULES["lrp-0"]) is RULES["lrp-0"]


@pytest.mark.parametrize(
    ("proto", "message"),
    [
        (model([node("Div", "x c", "y")], {"x": [1, 3]}, {"c": weights(1, 3)}), None),
        (model([node("Div", "x x", "y")], {"x": [1, 3]}), "layer 'the_y' combines its in-edges by Div"),
        (model([node("MatMul", "a b", "y")], {"a": [2, 3], "b": [3, 2]}), "multiplies computed tensors"),
        (model([node("Softmax", "x", "s"), node("Gemm", "s w", "y")], {"x": [1, 3]}, {"w": weights(3, 2)}),
         "has a Softmax in the middle of the network"),
    ],
)  # fmt: skip
def test_what_is_not_defined_is_refused(proto: Any, message: str | None) -> None:
    graph = o2g.load(proto)
    if message is None:
        assert len(o2g.trace(graph, "random", keep=1.0)) > 0
        return
    with pytest.raises(UnsupportedError, match=message):
        o2g.trace(graph, "random")


@pytest.mark.slow
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "t.graphml"
    digits = str(FIXTURES / "digits.onnx")
    assert cli.main(["trace", digits, "--input", "ties", "--target", "digit:3", "--top-k", "2", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("digit 3: ")
    assert f"{len(nx.read_graphml(out)):,} neurons" in printed
    assert "lrp-0: relevances of a layer and biases add to the target's" in printed
    value, of_inputs, of_biases = (float(re.search(rf"{word} (-?[\d.e-]+)", printed)[1]) for word in
                                   ("digit 3:", "inputs", "biases"))  # fmt: skip
    assert of_inputs + of_biases == pytest.approx(value, rel=1e-4)
    picture = tmp_path / "t.png"
    assert cli.main(["trace", digits, "--baseline", "ties", "--max-edges", "40", "-o", str(picture)]) == 0
    printed = capsys.readouterr().out
    assert " and " in printed.splitlines()[0]
    assert "(as much as max_edges allows)" in printed
    assert picture.read_bytes()[1:4] == b"PNG"
    rules = ["--rule", "lrp-epsilon", "--rule", "conv1=lrp-gamma", "--rule", "conv2=lrp-gamma"]
    assert cli.main(["trace", digits, "--input", "ties", "--net", *rules]) == 0
    printed = capsys.readouterr().out
    own = o2g.trace(digits, "ties", rule="lrp-epsilon", rules=dict.fromkeys(["conv1", "conv2"], "lrp-gamma"), net=True)
    assert own.summary() in printed
    assert printed.count("lrp-gamma: ") == printed.count("lrp-epsilon: ") == 1
    for wrong in ("lrp-1", "=lrp-0", "conv1=lrp-1"):
        with pytest.raises(SystemExit):
            cli.main(["trace", digits, "--rule", wrong])
        assert f"got '{wrong}'; expected RULE or LAYER=RULE, RULE one of gradient, lrp-0" in capsys.readouterr().err
    assert cli.main(["trace", digits, "--rule", "conv9=lrp-0"]) == 2
    assert "no layer is named 'conv9'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["trace", digits, "--target", "digit"])
    assert "expected LAYER:INDEX, such as conv2:0,1,5" in capsys.readouterr().err


# ---------------------------------------------------------------------------------------------------- other libraries


@pytest.mark.slow
def test_relevances_are_captums() -> None:
    """Layer by layer, where captum defines the same: it takes biases as they are, whatever its rule does to weights."""
    import torch
    from captum.attr import LayerLRP
    from captum.attr._utils.lrp_rules import Alpha1_Beta0_Rule, EpsilonRule, GammaRule
    from torch import nn

    class Net(nn.Module):
        def __init__(self, bias: bool) -> None:
            super().__init__()
            self.maps = nn.Sequential(
                nn.Conv2d(2, 4, 3, padding=1, bias=bias), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(4, 3, 3, bias=bias), nn.ReLU(),
            )  # fmt: skip
            self.dense = nn.Sequential(nn.Linear(12, 5, bias=bias), nn.ReLU(), nn.Linear(5, 3, bias=bias))

        def forward(self, x: Any) -> Any:
            return self.dense(self.maps(x).flatten(1))

    torch.manual_seed(0)
    x = torch.rand(1, 2, 8, 8)
    rules: list[tuple[bool, Any, Any]] = [
        (True, lambda: EpsilonRule(1e-12), lrp_epsilon()),
        (True, lambda: EpsilonRule(0.01), lrp_epsilon(0.01)),
        (False, lambda: GammaRule(0.25), lrp_gamma(0.25)),
        (False, Alpha1_Beta0_Rule, alpha_beta(1, 0)),
    ]
    for bias in (True, False):
        net = Net(bias).eval()
        found = local(o2g.from_torch(net, (x,), check=False), {"x": x[0].double().numpy()})
        net, y = net.double(), net.double()(x.double())
        target = int(y.argmax())
        linear = {"x": net.maps[0], "maps.2": net.maps[3], "view": net.dense[0], "dense.1": net.dense[2]}
        for _, theirs, ours in (rule for rule in rules if rule[0] == bias):
            r = relevance(found, found.graph.layer("dense.2").first_id + target, ours)
            for name, module in linear.items():
                for each in linear.values():
                    each.rule = theirs()
                given_x = x.double().requires_grad_()
                expected = LayerLRP(net, module).attribute(given_x, target=target, attribute_to_layer_input=True)
                expected = expected[0] if isinstance(expected, tuple) else expected
                np.testing.assert_allclose(r.at(name).ravel(), expected.detach().numpy().ravel(), atol=1e-8)
                assert np.abs(r.at(name)).max() > 1e-5


# -------------------------------------------------------------------------------------------------------- two inputs


@pytest.mark.slow
@pytest.mark.parametrize("name", ["conv", "digits", "skip"])
def test_a_difference_adds_to_that_of_the_values(name: str) -> None:
    """Also where a pool chooses another candidate for the second input."""
    one, other = around(name, 0), around(name, 1)
    target = largest(one)
    found = Difference(relevance(one, target), relevance(other, target))
    expected = one.value[target] - other.value[target]
    assert found.score[inputs(one)].sum() + found.bias.sum() == pytest.approx(expected, rel=1e-10)
    whole = trace(found, keep=1.0)
    flows = np.zeros(one.graph.neurons)
    np.add.at(flows, whole.source, whole.flow)
    flows[target] = found.score[target]
    np.testing.assert_allclose(flows, found.score, atol=1e-9)
    ends = np.stack([whole.source, whole.target])
    assert np.unique(ends, axis=1).shape[1] == len(whole)


def test_the_same_input_twice_has_no_difference() -> None:
    digit = np.load(FIXTURES / "digits.npz")["x"][3]
    found = o2g.trace(FIXTURES / "digits.onnx", digit, baseline=digit)
    assert len(found) == 0
    assert found.neurons.tolist() == [found.relevance.target]


def test_a_difference_as_a_graph() -> None:
    x = np.load(FIXTURES / "digits.npz")["x"]
    found = o2g.trace(FIXTURES / "digits.onnx", x[3], baseline=x[8], target=("digit", (3,)), top_k=2)
    g = found.to_networkx()
    for n, own in g.nodes(data=True):
        assert own["value"] == pytest.approx(float(found.relevance.values[0][n]))
        assert own["value_baseline"] == pytest.approx(float(found.relevance.values[1][n]))
    assert any(own["value"] != own["value_baseline"] for _, own in g.nodes(data=True))


# ------------------------------------------------------------------------------------------------------------ choices


@pytest.mark.parametrize("rule", ["gradient", "lrp-0"])
def test_a_condition_has_no_part(rule: str) -> None:
    """A Where hands on what was chosen: inputs add to the value, and the condition gets nothing."""
    proto = model(
        [node("Gemm", "a w", "h"), node("Greater", "a b", "g"), node("Where", "g h b", "s"), node("Gemm", "s v", "y")],
        {"a": [1, 4], "b": [1, 4]},
        {"w": weights(4, 4), "v": weights(4, 2, seed=1)},
    )
    graph = o2g.load(proto)
    found = local(graph, given(graph))
    target = largest(found)
    r = relevance(found, target, rule)
    assert r.score[inputs(found)].sum() == pytest.approx(found.value[target], rel=1e-12)
    condition = next(x for x in graph.layers if x.op == "Greater")
    assert not r.score[condition.ids].any()


def test_a_constant_that_wins_is_a_bias() -> None:
    proto = model([node("Max", "x c", "m"), node("Gemm", "m v", "y")], {"x": [1, 6]},
                  {"c": np.float32(0.2), "v": weights(6, 2)})  # fmt: skip
    graph = o2g.load(proto)
    found = local(graph, given(graph))
    target = largest(found)
    r = relevance(found, target)
    assert r.bias.any()
    assert r.score[inputs(found)].any()
    assert r.score[inputs(found)].sum() + r.bias.sum() == pytest.approx(found.value[target], rel=1e-12)


# ---------------------------------------------------------------------------------------------------------- pictures


def lines_of(page: Page) -> int:
    return sum(len(mark.commands) // 2 for mark in flat(page.marks) if isinstance(mark, Path_))


@pytest.mark.slow
def test_the_picture_has_every_edge_from_its_neuron_to_its_neuron() -> None:
    x = np.load(FIXTURES / "digits.npz")["x"][3]
    found = o2g.trace(FIXTURES / "digits.onnx", x, target=("digit", (3,)), keep=0.7)
    drawn = page(found)
    assert lines_of(drawn) == len(found)
    assert illegible(drawn) == []
    graph = found.relevance.graph
    columns = {c.layer.name: c for c in columns_of(graph.layers, False, 0, 0)}
    pool = columns["maxpool"]
    for index in ((0, 0, 0), (3, 1, 7)):
        x_at, y_at = pool.places(np.array([graph.neuron("maxpool", index)]))
        row, column = (
            int((y_at[0] - pool.box.y) / pool.box.height * 4),
            int((x_at[0] - pool.box.x) / pool.box.width * 4),
        )
        assert (row, column) == index[:2]
    places = np.stack(pool.places(np.arange(graph.neurons)[graph.layer("maxpool").ids]))
    assert np.unique(places.round(6), axis=1).shape[1] == 256
    strongest_first = sorted(columns.values(), key=lambda c: c.box.x)
    assert [c.layer.name for c in strongest_first] == [layer.name for layer in graph.layers]


@pytest.mark.slow
def test_positive_and_negative_edges_are_told_apart() -> None:
    x = np.load(FIXTURES / "digits.npz")["x"][3]
    found = o2g.trace(FIXTURES / "digits.onnx", x, target=("digit", (3,)), keep=0.7)
    red, blue = 0, 0
    for mark in flat(page(found).marks):
        if isinstance(mark, Path_) and mark.stroke:
            value = [int(mark.stroke[k : k + 2], 16) for k in (1, 5)]
            red, blue = (
                red + (value[0] > value[1]) * len(mark.commands),
                blue + (value[0] < value[1]) * len(mark.commands),
            )
    assert (red // 2, blue // 2) == (int((found.flow > 0).sum()), int((found.flow < 0).sum()))


def test_only_the_strongest_edges_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "EDGES", 5)
    found = o2g.trace(FIXTURES / "digits.onnx", "ties", keep=0.8)
    drawn = drawing.page(found)
    assert lines_of(drawn) == sum(min(step.edges, 5) for step in found.steps)
    assert any("strongest are drawn" in mark.text for mark in flat(drawn.marks) if isinstance(mark, Text))


def test_the_share_lies_over_the_input() -> None:
    grey = np.full((1, 3, 3), 200, np.uint8)
    pixels = laid_over(grey, np.array([[0.0, 1.0, -1.0]]), Scale(-1.0, 1.0, True))
    assert len(set(pixels[0, 0].tolist())) == 1
    assert pixels[0, 1, 0] > pixels[0, 1, 2]
    assert pixels[0, 2, 2] > pixels[0, 2, 0]


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_of_an_rgb_network(suffix: str, tmp_path: Path) -> None:
    net = model(
        [node("Conv", "x w", "c", strides=[2, 2]), node("Relu", "c", "r"), node("Flatten", "r", "f"),
         node("Gemm", "f v", "y")],
        {"x": [1, 3, 9, 9]}, {"w": weights(4, 3, 3, 3), "v": weights(64, 5, seed=1)},
    )  # fmt: skip
    out = tmp_path / f"t{suffix}"
    o2g.trace(net, np.random.default_rng(0).random((3, 9, 9)), out, baseline="random", keep=0.5)
    assert out.read_bytes()[:5] in (b"\x89PNG\r", b"%PDF-", b"<?xml")


def test_a_photograph_has_its_colours() -> None:
    found = o2g.trace(model([node("Flatten", "x", "f"), node("Gemm", "f v", "y")], {"x": [1, 3, 4, 4]},
                            {"v": weights(48, 2)}), "random", top_k=3)  # fmt: skip
    rgb, bgr = (next(m for m in flat(page(found, c).marks) if isinstance(m, Image)).pixels for c in ("rgb", "bgr"))
    assert not np.array_equal(rgb, bgr)


def test_a_network_without_a_picture() -> None:
    net = model([node("Gemm", "x w", "y")], {"x": [1, 5]}, {"w": weights(5, 3)})
    drawn = page(o2g.trace(net, "random", keep=1.0))
    assert not any("its share" in mark.text for mark in flat(drawn.marks) if isinstance(mark, Text))
    assert lines_of(drawn) == 5
    assert illegible(drawn) == []
