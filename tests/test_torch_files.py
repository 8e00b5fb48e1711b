"""PyTorch programs from .pt2 files: what they compute, and that nothing in a file is run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error, ModelError

torch = pytest.importorskip("torch", reason="needs the extra torch")
pytest.importorskip("onnxscript", reason="needs the extra torch")


@pytest.fixture(scope="module")
def module() -> Any:
    torch.manual_seed(0)
    layers = torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.Flatten()
    return torch.nn.Sequential(*layers, torch.nn.Linear(4 * 36, 5)).eval()


@pytest.fixture(scope="module")
def program(module: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an open batch, so that it holds an expression."""
    path = tmp_path_factory.mktemp("programs") / "m.pt2"
    open_batch = ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(module, (torch.zeros(2, 1, 6, 6),), dynamic_shapes=open_batch), path)
    return path


@pytest.mark.slow
def test_a_program_is_the_module_that_it_was_made_from(module: Any, program: Path) -> None:
    graph = o2g.load(program)
    assert [layer.name for layer in graph.layers] == ["input", "0", "1", "2", "3", "4"]
    assert graph.edges == o2g.from_torch(module, (torch.zeros(1, 1, 6, 6),)).edges
    x = np.random.default_rng(0).standard_normal((1, 1, 6, 6)).astype(np.float32)
    report = o2g.verify(graph, {"input": x})
    assert report.passed
    assert report.rows[-1].op == "framework"
    assert graph.model is not None
    assert graph.model.predict is not None
    np.testing.assert_array_equal(graph.model.predict({"input": x})[0], module(torch.tensor(x)).detach().numpy())


@pytest.mark.slow
def test_a_program_in_memory_is_the_program_in_a_file(module: Any, program: Path) -> None:
    exported = torch.export.export(module, (torch.zeros(1, 1, 6, 6),))
    graph = o2g.load(exported)
    assert graph.model_name == "ExportedProgram"
    assert list(graph.weighted_edges()) == list(o2g.load(program).weighted_edges())
    assert o2g.verify(graph).passed


@pytest.mark.slow
def test_a_program_of_several_inputs_by_name(tmp_path: Path) -> None:
    class Two(torch.nn.Module):
        def forward(self, a: Any, *, b: Any) -> Any:
            return 2 * a - b, a + b

    given = {"b": torch.zeros(1, 3)}
    torch.export.save(torch.export.export(Two(), (torch.zeros(1, 3),), given), tmp_path / "two.pt2")
    graph = o2g.load(tmp_path / "two.pt2")
    assert o2g.verify(graph).passed
    assert [layer.name for layer in graph.layers if layer.op == "Input"] == ["a", "b"]


# ------------------------------------------------------------------------------------------------------ files with code


RAN: list[str] = []


def note_that_it_ran() -> None:
    RAN.append("ran")


class Runs:
    """Unpickling it is noticed."""

    def __reduce__(self) -> tuple[Any, ...]:
        return note_that_it_ran, ()


def torch_pickle() -> bytes:
    buffer = io.BytesIO()
    torch.save(Runs(), buffer)
    return buffer.getvalue()


def pickled_weight(members: dict[str, bytes]) -> None:
    config = json.loads(members["data/weights/model_weights_config.json"])
    config["config"]["0.weight"]["use_pickle"] = True
    members["data/weights/model_weights_config.json"] = json.dumps(config).encode()
    members["data/weights/weight_0"] = torch_pickle()


def pickled_constant(members: dict[str, bytes]) -> None:
    entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": False, "tensor_meta": None}
    members["data/constants/model_constants_config.json"] = json.dumps({"config": {"c": entry}}).encode()
    members["data/constants/opaque_obj_0"] = pickle.dumps(Runs())


def pickled_sample(members: dict[str, bytes]) -> None:
    members["data/sample_inputs/model.pt"] = torch_pickle()


def older(members: dict[str, bytes]) -> None:
    members["data/weights/model.pt"] = torch_pickle()


def compiled(members: dict[str, bytes]) -> None:
    members["data/aotinductor/model/x.so"] = b"\x7fELF"


def text(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        assert old.encode() in members["models/model.json"]
        members["models/model.json"] = members["models/model.json"].replace(old.encode(), new.encode())

    return change


FORGED: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "a weight": (pickled_weight, "'0.weight' is a pickle, which runs code when it is read"),
    "a constant": (pickled_constant, "'c' is a pickle, which runs code when it is read"),
    "example inputs": (pickled_sample, "its example inputs hold more than tensors, which runs code"),
    "an older file": (older, "written by an older PyTorch, its weights are a pickle: export it again"),
    "compiled": (compiled, r"holds data/aotinductor/model/x.so, which may be compiled code"),
    "a call": (text("torch.ops.aten.relu.default", "torch.os.system"), "its graph calls 'torch.os.system'"),
    "a library": (text("torch.ops.aten.relu.default", "torch.ops.load_library"), "'torch.ops.load_library'"),
    "an extension": (text("torch.ops.aten.relu.default", "#x:y"), "its graph calls '#x:y', an extension's operator"),
    "an expression": (text("Symbol('", "exec(chr(49))+Symbol('"), "which is no sum or product of sizes"),
}


def forged(program: Path, path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    with zipfile.ZipFile(program) as archive:
        members = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"m/{name}", content)
    return path


@pytest.mark.parametrize("name", FORGED)
def test_a_file_that_runs_code_is_refused(name: str, program: Path, tmp_path: Path) -> None:
    change, message = FORGED[name]
    RAN.clear()
    with pytest.raises(ModelError, match=message):
        o2g.load(forged(program, tmp_path / "m.pt2", change))
    assert not RAN


@pytest.mark.slow
def test_a_copied_archive_is_no_forgery(program: Path, tmp_path: Path) -> None:
    assert o2g.load(forged(program, tmp_path / "m.pt2", lambda members: None)).neurons == o2g.load(program).neurons


def test_pytorch_itself_runs_it(program: Path, tmp_path: Path) -> None:
    """So that the refusals above are not about nothing."""
    RAN.clear()
    path = forged(program, tmp_path / "m.pt2", pickled_weight)
    with pytest.raises(Error):
        o2g.load(path, trust=True)  # what it reads in place of a tensor is none
    assert RAN


def test_no_program(tmp_path: Path) -> None:
    (tmp_path / "m.pt2").write_bytes(b"text")
    with pytest.raises(ModelError, match=r"m\.pt2: not a program that torch\.export\.save wrote"):
        o2g.load(tmp_path / "m.pt2")


# -------------------------------------------------------------------------------------------------------------- pickles


@pytest.mark.parametrize("name", ["m.pt", "m.pth", "m.onnx"])
def test_a_pickle_is_refused_with_the_lines_that_export_it(name: str, module: Any, tmp_path: Path) -> None:
    torch.save(module, tmp_path / name)
    said = r"a PyTorch pickle.*torch\.export\.export\(.*torch\.export\.save\("
    with pytest.raises(ModelError, match=said):
        o2g.load(tmp_path / name)


def test_a_plain_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.pkl").write_bytes(pickle.dumps(Runs()))
    RAN.clear()
    with pytest.raises(ModelError, match="a PyTorch pickle, which runs code"):
        o2g.load(tmp_path / "m.pkl")
    assert not RAN
