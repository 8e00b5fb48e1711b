"""The numeric operators of `ai.onnx.ml`, and counts of n-grams, against ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from lowered import assert_primitive
from onnx2graphml.api import load, verify
from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.model import load_model
from small import runtime

ML = "ai.onnx.ml"
Array = np.ndarray[Any, Any]


def one(op: str, x: Array, domain: str = ML, inputs: Mapping[str, Array] | None = None, **given: Any) -> Any:
    """A model of one node of another domain than ONNX's own."""
    kinds = {n: helper.np_dtype_to_tensor_dtype(np.asarray(v).dtype) for n, v in {"x": x, **(inputs or {})}.items()}
    graph = helper.make_graph(
        [helper.make_node(op, list(kinds), ["y"], "the_y", domain=domain, **given)],
        "one",
        [helper.make_tensor_value_info("x", kinds["x"], x.shape)],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in (inputs or {}).items()],
    )
    opset = helper.make_opsetid(domain, 5 if domain == ML else 17)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=8)
    proto.graph.output[0].CopyFrom(_info(runtime(proto, {"x": x})[0]))
    return proto


def _info(y: Array) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info("y", helper.np_dtype_to_tensor_dtype(y.dtype), y.shape)


def tree_attributes(depth: int, trees: int, features: int, targets: int, seed: int = 0) -> dict[str, Any]:
    """Random binary trees, in which each branch is a leaf or a node."""
    random = Random(seed)
    ids: dict[str, list[int]] = {
        n: [] for n in ("truenodeids", "falsenodeids", "trueleafs", "falseleafs", "featureids")
    }
    modes, splits, weights, of, roots = [], [], [], [], []

    def node(left: int) -> int:
        number = len(modes)
        modes.append(random.randint(0, 3))
        splits.append(random.uniform(-1, 1))
        ids["featureids"].append(random.randrange(features))
        for side in ("true", "false"):
            ids[f"{side}nodeids"].append(0)
            ids[f"{side}leafs"].append(0)
        for side in ("true", "false"):
            is_leaf = left == 1 or random.random() < 0.3
            if is_leaf:
                weights.append(random.uniform(-1, 1))
                of.append(random.randrange(targets))
            ids[f"{side}leafs"][number] = int(is_leaf)
            ids[f"{side}nodeids"][number] = len(weights) - 1 if is_leaf else node(left - 1)
        return number

    roots = [node(depth) for _ in range(trees)]
    return {f"nodes_{n}": v for n, v in ids.items()} | {
        "nodes_modes": numpy_helper.from_array(np.array(modes, np.uint8), "modes"),
        "nodes_splits": numpy_helper.from_array(np.array(splits, np.float32), "splits"),
        "leaf_weights": numpy_helper.from_array(np.array(weights, np.float32), "leaves"),
        "leaf_targetids": of, "tree_roots": roots, "n_targets": targets,
    }  # fmt: skip


def points(*shape: int) -> Array:
    return np.random.default_rng(5).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_an_ensemble_of_trees(seed: int) -> None:
    x = points(5, 3)
    proto = one("TreeEnsemble", x, **tree_attributes(4, 3, 3, 2, seed))
    graph = load(proto)
    assert verify(graph, {"x": x}).passed
    assert all("the_y" in layer.name or layer.op == "Input" for layer in graph.layers)


@pytest.mark.parametrize(
    ("kind", "message", "changed"),
    [
        (UnsupportedError, "aggregate_function is max, post_transform 0; expected sums", {"aggregate_function": 3}),
        (UnsupportedError, "aggregate_function is sum, post_transform 2; expected sums", {"post_transform": 2}),
        (
            ModelError,
            "don't fit its inputs: its nodes form a cycle",
            {"nodes_truenodeids": [0], "nodes_trueleafs": [0]},
        ),
    ],
    ids=["greatest", "transformed", "cycle"],
)
def test_trees_that_are_refused(kind: type[Exception], message: str, changed: dict[str, Any]) -> None:
    given = tree_attributes(1, 1, 3, 2)
    proto = one("TreeEnsemble", points(2, 3), **given)
    del proto.graph.node[0].attribute[:]
    proto.graph.node[0].attribute.extend(helper.make_attribute(n, v) for n, v in (given | changed).items())
    with pytest.raises(kind, match=message):
        load(proto)


def test_a_threshold_and_chosen_features() -> None:
    x = points(3, 4)
    assert verify(load(one("Binarizer", x, threshold=0.25)), {"x": x}).passed
    graph = load(one("ArrayFeatureExtractor", x, inputs={"of": np.array([[2, 0]])}))
    assert verify(graph, {"x": x}).passed
    assert graph.layers[-1].in_edges == 6


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("x", [np.array([2, 3, 5, 2, 3, 7], np.int64), np.array([[2, 3, 3], [9, 3, 2]], np.int32)])
def test_counts_of_ngrams(mode: str, weighted: bool, x: Array) -> None:
    given: dict[str, Any] = {"weights": [0.5, 2.0, 3.0, 0.25]} if weighted else {}
    proto = one(
        "TfIdfVectorizer", x, "", mode=mode, min_gram_length=1, max_gram_length=2, max_skip_count=1,
        ngram_counts=[0, 2], ngram_indexes=[3, 0, 1, 2], pool_int64s=[2, 3, 2, 3, 3, 2], **given,
    )  # fmt: skip
    loaded = load_model(proto)
    assert_primitive(loaded)
    np.testing.assert_array_equal(runtime(loaded.proto, {"x": x})[0], runtime(proto, {"x": x})[0])
    assert verify(load(proto), {"x": x}).passed


def test_counts_of_words_that_are_strings_are_refused() -> None:
    given = {"max_gram_length": 1, "max_skip_count": 0, "min_gram_length": 1, "mode": "TF"}
    node = helper.make_node(
        "TfIdfVectorizer", ["x"], ["y"], ngram_counts=[0], ngram_indexes=[0], pool_strings=["a"], **given
    )
    x, y = (helper.make_tensor_value_info(n, t, [1]) for n, t in (("x", 7), ("y", 1)))
    proto = helper.make_model(helper.make_graph([node], "one", [x], [y]), ir_version=8)
    with pytest.raises(UnsupportedError, match="its words are strings; expected numbers"):
        load(proto)


def test_an_operator_that_trains_is_refused() -> None:
    names = ["r", "t", "x", "g", "h"]
    domain = "ai.onnx.preview.training"
    node = helper.make_node("Adagrad", names, ["x_new", "h_new"], norm_coefficient=0.0, epsilon=1e-5, domain=domain)
    kinds = [helper.make_tensor_value_info(n, 7 if n == "t" else 1, [] if n in "rt" else [2]) for n in names]
    out = helper.make_tensor_value_info("x_new", 1, [2])
    opset = helper.make_opsetid(domain, 1)
    proto = helper.make_model(helper.make_graph([node], "one", kinds, [out]), opset_imports=[opset], ir_version=8)
    with pytest.raises(UnsupportedError, match=r"training.Adagrad trains: it changes weights; export the network for"):
        load(proto)
