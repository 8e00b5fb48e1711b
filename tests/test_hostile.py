"""Models are not trusted: a broken or hostile file gives one line, in seconds and little memory, and leaves nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from hostile import CASES
from hostile.cases import Case
from hostile.texts import NAMES
from onnx2graphml.api import load, verify
from onnx2graphml.errors import Error, ModelError, TooLargeError
from onnx2graphml.formats.reading import open_graph
from onnx2graphml.graph.xmltext import unescape
from onnx2graphml.model import limits, load_model
from small import model, node, refusal, weights

HERE = Path(__file__).parent
SECONDS, MEGABYTES = 5.0, 500.0


def faults(case: Case, found: dict[str, Any]) -> list[str]:
    """What is wrong with what came of a file."""
    said = found["said"]
    wrong = []
    if case.says is None:
        wrong += [f"status {found['status']}: {said}"] * (found["status"] != 0)
    else:
        wrong += [f"status {found['status']}: {said}"] * (found["status"] != 2)
        wrong += [f"not one line: {said!r}"] * (not re.fullmatch(r"onnx2graphml: error: \S.*\n", said))
        wrong += [f"doesn't say {case.says!r}: {said}"] * (not re.search(case.says, said))
        wrong += [f"{name} is left" for name in found["left"]]
    wrong += [f"{found['seconds']} seconds"] * (found["seconds"] > SECONDS)
    wrong += [f"{found['megabytes']} MB"] * (found["megabytes"] > MEGABYTES)
    return wrong


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What came of all files: of those that are missing, the process died."""
    command = [sys.executable, "-m", "hostile", str(tmp_path_factory.mktemp("hostile"))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE, timeout=600, check=False)
    assert done.stderr == ""
    return {each["name"]: each for each in map(json.loads, done.stdout.splitlines())}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_file(name: str, found: dict[str, dict[str, Any]]) -> None:
    assert name in found, "the process died, or hung"
    assert faults(CASES[name], found[name]) == []


def test_how_many_files_there_are() -> None:
    assert len(CASES) >= 250


FINE = {"status": 2, "said": "onnx2graphml: error: too bad\n", "left": [], "seconds": 0.1, "megabytes": 1.0}


@pytest.mark.parametrize(
    "change",
    [
        {"status": 0},
        {"status": "ValueError: x"},
        {"said": "Traceback\nonnx2graphml: error: too bad\n"},
        {"said": "onnx2graphml: error: \n"},
        {"said": "onnx2graphml: error: fine\n"},
        {"left": ["out.graphml"]},
        {"seconds": 6.0},
        {"megabytes": 600.0},
    ],
    ids=str,
)
def test_faults_are_seen(change: dict[str, Any]) -> None:
    refused = Case(lambda _: None, "too bad")
    assert faults(refused, FINE) == []
    assert faults(refused, FINE | change)
    assert faults(Case(lambda _: None, None), FINE)


@pytest.mark.slow
@pytest.mark.parametrize("what", NAMES)
def test_names_are_restored(what: str, found: dict[str, dict[str, Any]]) -> None:
    """From the GraphML, as another library reads it."""
    graph = nx.read_graphml(found[f"names of {what}"]["out"])
    assert {unescape(layer) for _, layer in graph.nodes(data="layer")} == {"x", NAMES[what], "y"}


# ------------------------------------------------------------------------------------------------------------ in memory


@pytest.mark.slow
def test_subgraphs_that_no_file_can_hold() -> None:
    """In a process of its own: recursion in C++ ends the process."""
    program = """
import onnx, onnx2graphml
from onnx import helper
node = helper.make_node("If", ["x"], ["y"], then_branch=onnx.GraphProto())
graph = onnx.GraphProto(name="g", node=[node], output=[helper.make_tensor_value_info("y", 1, [])])
inner = graph.node[0]
for _ in range(3000):
    inner = inner.attribute[0].g.node.add(op_type="If", input=["x"], output=["y"])
    inner.attribute.add(name="then_branch", type=onnx.AttributeProto.GRAPH).g.name = "g"
proto = helper.make_model(graph)
try:
    onnx2graphml.load(proto)
except onnx2graphml.errors.ModelError as e:
    print(e)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "it is nested more than 100 messages deep: export it with fewer nested subgraphs\n", (
        done.stderr
    )


# -------------------------------------------------------------------------------------------------------- external data


def stored(folder: Path, arrays: dict[str, np.ndarray], before: int = 3) -> Path:
    """A chain of products whose weights stand in w.bin, one after the other, from a byte on."""
    nodes = [node("MatMul", f"h{k} {name}", f"h{k + 1}") for k, name in enumerate(arrays)]
    first = next(iter(arrays.values()))
    proto = model(nodes, {"h0": [1, len(first)]}, arrays, outputs=[f"h{len(arrays)}"], dtype=first.dtype)
    data = bytes(before)
    for tensor in proto.graph.initializer:
        raw = tensor.raw_data
        for key, value in {"location": "w.bin", "offset": str(len(data)), "length": str(len(raw))}.items():
            tensor.external_data.add(key=key, value=value)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        data += raw
    (folder / "w.bin").write_bytes(data)
    (folder / "m.onnx").write_bytes(proto.SerializeToString())
    return folder / "m.onnx"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [3, 300])
def test_external_data_is_what_onnx_reads(tmp_path: Path, size: int, dtype: Any) -> None:
    """Small and large, at odd offsets, of all types."""
    arrays = {"a": weights(size, size, dtype=dtype), "b": weights(size, size, seed=1, dtype=dtype)}
    path = stored(tmp_path, arrays)
    got, expected = load_model(path).constants, {t.name: t for t in onnx.load(path).graph.initializer}
    for name in arrays:
        np.testing.assert_array_equal(got[name], numpy_helper.to_array(expected[name]))
        assert got[name].dtype == dtype
        assert got[name].flags.aligned
    assert verify(load(path)).passed


def test_external_data_of_four_bits(tmp_path: Path) -> None:
    proto = model([node("Relu", "x", "y")], {"x": [1, 4]}, opset=21, ir_version=10)
    for name, dims in {"small": (3, 3), "large": (301, 301)}.items():
        raw = np.random.default_rng(0).bytes(-(-dims[0] * dims[1] // 2))
        (tmp_path / name).write_bytes(raw)
        tensor = TensorProto(name=name, dims=dims, data_type=TensorProto.INT4, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=name)
        proto.graph.initializer.append(tensor)
    (tmp_path / "m.onnx").write_bytes(proto.SerializeToString())
    got = load_model(tmp_path / "m.onnx").constants
    for tensor in onnx.load(tmp_path / "m.onnx").graph.initializer:
        np.testing.assert_array_equal(got[tensor.name], numpy_helper.to_array(tensor))


def test_external_data_of_a_model_in_memory(tmp_path: Path) -> None:
    path = stored(tmp_path, {"a": weights(3, 3)})
    message = refusal(onnx.load(path, load_external_data=False), ModelError)
    assert "it is in 'w.bin', beside a file: load the model by its path" in message


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_external_data_is_not_read_before_it_is_used(tmp_path: Path) -> None:
    """100 MB of weights, none of them looked at; and looked at, they are there once."""
    program = """
import sys
import onnx2graphml.model, onnx.reference
from hostile.__main__ import peak
from onnx2graphml.files import mapped
mapped.is_guarded(mapped._ranges, mapped._cut)  # what compiles it takes some MB, once
before = peak()
model = onnx2graphml.model.load_model(sys.argv[1])
print((peak() - before) // 1024)
assert model.constants["a"].sum() == 0
print((peak() - before) // 1024)
"""
    path = stored(tmp_path, {"a": np.zeros((5000, 5000), np.float32)}, before=64)
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=HERE)
    loaded, used = map(int, done.stdout.split())
    assert loaded < 20
    assert 90 < used < 150


def test_the_given_model_keeps_its_weights() -> None:
    proto = model([node("MatMul", "x w", "y")], {"x": [1, 300]}, {"w": weights(300, 300)})
    before = proto.SerializeToString(deterministic=True)
    assert load(proto).edges == 90_000
    assert proto.SerializeToString(deterministic=True) == before


# --------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("check", "fits", "too_large", "says"),
    [
        (lambda n: limits.check_neurons("x", (1 << 20, n)), 1 << 33, (1 << 33) + 1, "may have 9,007,199,254,740,992"),
        (limits.check_all_neurons, 1 << 53, (1 << 53) + 1, "it may have 9,007,199,254,740,992 in all"),
        (lambda n: limits.Budget(0).take(n), 1 << 22, (1 << 22) + 1, "4,194,305 positions, which take 100 MB; a"),
        (lambda n: limits.Budget(1).take(n), (1 << 22) + 64, (1 << 22) + 65, "its size may take 100 MB: give it"),
        (lambda n: limits.Budget(0).take_numbers(n), 1 << 24, (1 << 24) + 1, "they may have 16,777,216: store such"),
        (limits.check_folded, 1 << 24, (1 << 24) + 1, "they may have 16,777,216"),
        (limits.check_nodes, 1 << 20, (1 << 20) + 1, "it may have 1,048,576"),
    ],
)
def test_limits_are_what_they_say(check: Callable[[int], None], fits: int, too_large: int, says: str) -> None:
    check(fits)
    with pytest.raises(TooLargeError, match=says):
        check(too_large)


def test_a_shape_that_is_given() -> None:
    proto = model([node("Relu", "x", "y")], {"x": ["n", "m"]})
    assert "1,000,000,000,000,000,000 neurons" in refusal(proto, TooLargeError, shapes={"x": (10**9, 10**9)})


# -------------------------------------------------------------------------------------------------------------- readers


ENTITIES = """<?xml version="1.0"?>
<!DOCTYPE graphml [<!ENTITY a "aaaaaaaaaa">%s]>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns"><graph edgedefault="directed">%s</graph></graphml>
"""
LAUGHS = "".join(f'<!ENTITY a{k} "{f"&a{k - 1 or str()};" * 10}">' for k in range(1, 20))


@pytest.mark.parametrize(
    ("declared", "used"),
    [
        (LAUGHS, "<desc>&a19;</desc>"),
        ('<!ENTITY f SYSTEM "file:///etc/hostname">', "<desc>&f;</desc>"),
        ('<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;', ""),
        ("", ""),
    ],
    ids=["entities of entities", "a file", "a parameter", "declared only"],
)
def test_entities_in_graphml_are_refused(tmp_path: Path, declared: str, used: str) -> None:
    path = tmp_path / "a.graphml"
    path.write_text(ENTITIES % (declared, used))
    said = r"a\.graphml, line 2: the file has a DOCTYPE, which is refused"
    with pytest.raises(Error, match=said), open_graph(path) as file:
        file.layers()
