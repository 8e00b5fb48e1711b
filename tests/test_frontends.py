"""The frameworks in the fast lane: one test each, so that each is imported once; and what the fast lane is made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import conftest
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


def test_a_torch_module_in_memory_and_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    monkeypatch.setitem(sys.modules, "torch_geometric.data", None)
    with pytest.raises(o2g.Error, match=r"onnx2graphml\[graphs\]"):
        graph.to_pyg()


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


FILE = """
import pytest

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.parametrize("name", [f"{kind}-{k}" for kind in "abc" for k in range(9)])
def test_family(name): pass

@pytest.mark.parametrize("k", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_marked(k): pass

@pytest.mark.parametrize("k", [pytest.param(3, marks=pytest.mark.slow)])
def test_all_marked(k): pass
"""


@pytest.mark.slow
def test_every_test_is_either_fast_or_slow(tmp_path: Path) -> None:
    """The fast lane does not make what it leaves out; the slow tests are all the others, and none is lost."""
    (tmp_path / "conftest.py").write_bytes(Path(conftest.__file__).read_bytes())
    (tmp_path / "test_few.py").write_text(FILE)
    (tmp_path / "test_keras.py").write_text("def test_it(): pass\n")

    def collected(*options: str) -> set[str]:
        line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--rootdir", str(tmp_path), *options]
        done = subprocess.run([*line, str(tmp_path)], capture_output=True, text=True, check=True, cwd=tmp_path)
        return {line.split("::")[1] for line in done.stdout.splitlines() if "::" in line}

    every, fast, slow = collected(), collected("-m", "not slow"), collected("-m", "slow")
    assert fast == {"test_family[a-0]", "test_family[b-0]", "test_family[c-0]", "test_marked[1]"}
    assert slow == every - fast
    assert len(every) == 1 + 27 + 2 + 1 + 1
