"""The frameworks in the fast lane: one test each, so that each is imported once; and what the fast lane is made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import onnx2graphml as o2g
from conftest import FAMILY, KINDS, is_slow_file, sample


def test_a_keras_model_in_memory_and_from_its_three_kinds_of_files(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras", reason="needs the extra keras")
    layers = [keras.layers.Conv2D(2, 3, activation="relu", name="conv"), keras.layers.Flatten()]
    net = keras.Sequential([keras.Input((5, 5, 1), name="image"), *layers, keras.layers.Dense(3, name="dense")])
    net.compile("sgd", "mse")
    x, y = np.ones((4, 5, 5, 1), np.float32), np.zeros((4, 3), np.float32)
    net.fit(x, y, verbose=0, callbacks=[o2g.film_callback(x[:1], tmp_path / "film")])
    assert (tmp_path / "film" / "manifest.json").exists()
    net.save(tmp_path / "net.keras")
    net.save(tmp_path / "net.h5")
    net.export(tmp_path / "saved", verbose=False)
    graph = o2g.load(net)
    assert graph.layer("conv").in_edges == 9 * 3 * 3 * 2
    assert o2g.verify(graph).passed
    for name in ("net.keras", "net.h5", "saved"):
        again = o2g.load(tmp_path / name)
        assert again.edges == graph.edges
        assert o2g.verify(again).passed


def test_a_torch_module_in_memory_and_in_a_file(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra torch")
    pytest.importorskip("onnxscript", reason="needs the extra torch")
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(18, 3))
    example = (torch.zeros(1, 1, 5, 5),)
    hook = o2g.film_hook(net, example, tmp_path / "film")
    hook.epoch()
    hook.finish()
    assert (tmp_path / "film" / "manifest.json").exists()
    torch.export.save(torch.export.export(net.eval(), example), tmp_path / "net.pt2")
    graph = o2g.from_torch(net, example)
    assert [layer.name for layer in graph.layers] == ["input", "0", "1", "2", "3"]
    assert graph.layer("0").in_edges == 9 * 3 * 3 * 2
    assert o2g.verify(graph).passed
    assert o2g.load(tmp_path / "net.pt2").edges == graph.edges


# ------------------------------------------------------------------------------------------------ what the fast lane is


def test_of_a_large_family_the_first_case_of_each_kind_is_fast() -> None:
    few = [f"Conv-{k}" for k in range(FAMILY)]
    assert sample(few) == few
    assert sample([*few, "Relu-0", "Conv-x", "Relu-1", "Add of two-0", "ops/conv.py"]) == [
        "Conv-0",
        "Relu-0",
        "Add of two-0",
        "ops/conv.py",
    ]
    many = sample([str(k) for k in range(10 * KINDS + 1)])
    assert len(many) <= KINDS
    assert {"0", many[-1]} <= set(many)


def test_files_of_frameworks_are_slow() -> None:
    assert is_slow_file(Path("tests/test_keras_layers.py"))
    assert is_slow_file(Path("tests/test_lowering_node_cases.py"))
    assert not is_slow_file(Path("tests/test_lowering.py"))
    assert not is_slow_file(Path(__file__))
