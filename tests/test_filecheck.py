"""Written graphs against their models, in every format: undamaged ones pass, and damage of every kind is found."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest

from damage import FORMATS, expected
from damage.files import Files, put, read
from damage.graphs import FIXTURES, MODELS, graph_of, outcome
from onnx2graphml.api import load, verify_file
from onnx2graphml.build.detail import LEVELS
from onnx2graphml.cli import main
from onnx2graphml.formats import registry, writing
from small import model, node

POSITIONS = {"digits": 1, "ports": 3, "doubles": 3}
"""By model, at how many places a kind of damage is tried."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Files]:
    """By model and suffix, a graph as it is written."""
    made = {}
    for name in POSITIONS:
        for suffix in FORMATS:
            path = tmp_path_factory.mktemp("written") / f"a{suffix}"
            writing.write(graph_of(name), path)
            made[name, suffix] = read(path)
    return made


def test_every_format_is_damaged_in_every_way() -> None:
    assert FORMATS.keys() == registry.FORMATS.keys()
    for suffix, kinds in FORMATS.items():
        assert expected(suffix) - kinds.damages.keys() == set(), suffix


# ------------------------------------------------------------------------------------------------- what is not damaged


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", MODELS)
def test_what_was_written_passes(name: str, level: str, suffix: str, tmp_path: Path) -> None:
    graph = graph_of(name, level)
    path = tmp_path / f"a{suffix}"
    writing.write(graph, path)
    told: list[int] = []
    report = verify_file(graph, path, seed=list(FORMATS).index(suffix), progress=told.append)
    assert report.passed, [row for row in report.rows if not row.passed]
    assert [r.layer for r in report.rows] == [x.name for x in graph.layers if x.aggregation != "input"]
    assert sum(told) == graph.edges == sum(row.edges for row in report.rows)


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "kind"), [(s, kind) for s, f in FORMATS.items() for kind in f.otherwise])
def test_the_same_graph_otherwise_written_passes(
    suffix: str, kind: str, written: dict[tuple[str, str], Files], tmp_path: Path
) -> None:
    whole = written["ports", suffix]
    other = FORMATS[suffix].otherwise[kind](whole)
    assert other != whole
    report = verify_file(graph_of("ports"), put(other, tmp_path / f"a{suffix}"))
    assert report.passed
    assert (report.unchecked == ()) == (not registry.FORMATS[suffix].cannot_hold or suffix != ".npz")


# --------------------------------------------------------------------------------------------------------------- damage


def mutants(suffix: str, kind: str, name: str, whole: Files) -> list[Files]:
    """A graph of the model, damaged in one way at several positions."""
    found: list[Files] = []
    for position in range(POSITIONS[name]):
        damaged = FORMATS[suffix].damages[kind](whole, Random(f"{kind} {position}"))
        if damaged is not None and damaged != whole and damaged not in found:
            found.append(damaged)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_the_damage_that_every_format_has_is_found(
    suffix: str, written: dict[tuple[str, str], Files], tmp_path: Path
) -> None:
    """In the smallest model that can be damaged so; in all others: the next test."""
    never = expected(suffix)
    for kind in sorted(expected(suffix)):
        for name in ("doubles", "ports", "digits"):
            if found := mutants(suffix, kind, name, written[name, suffix]):
                assert outcome(graph_of(name), put(found[0], tmp_path / f"a{suffix}")) in FOUND, kind
                never.discard(kind)
                break
    assert never == set()


FOUND = ("refused", "wrong values", "wrong graph, with the same values")


COMPRESSED = [suffix for suffix in FORMATS if suffix.endswith((".gz", ".zst"))]


@pytest.mark.slow
@pytest.mark.parametrize(
    # A compressed text is damaged as its text is: of the largest model, the text is enough.
    ("name", "suffix"),
    [(n, s) for n in POSITIONS for s in FORMATS if n != "digits" or s not in COMPRESSED],
)
def test_all_damage_is_found(
    name: str,
    suffix: str,
    written: dict[tuple[str, str], Files],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    how, missed, kinds = Counter[str](), [], set()
    for kind in FORMATS[suffix].damages:
        for damaged in mutants(suffix, kind, name, written[name, suffix]):
            end = outcome(graph_of(name), put(damaged, tmp_path / f"a{suffix}"))
            how[end] += 1
            kinds.add(kind)
            missed += [kind] if end not in FOUND else []
    total = how.total()
    with capsys.disabled():
        found = 100 - 100 * len(missed) / total
        print(f"\n{name}{suffix}: {total} mutants of {len(kinds)} kinds, {found:.1f} % found: {how}")
    assert not missed
    assert len(kinds) >= 0.6 * len(FORMATS[suffix].damages)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_kind_of_damage_is_one_of_some_model(suffix: str, written: dict[tuple[str, str], Files]) -> None:
    """In this format, or in another that is damaged in the same ways."""
    kinds = FORMATS[suffix].damages
    cases = [(s, name) for name in reversed(POSITIONS) for s in FORMATS if FORMATS[s].damages is kinds]
    assert [k for k in kinds if not any(mutants(s, k, name, written[name, s]) for s, name in cases)] == []


@pytest.mark.slow
def test_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, digits = tmp_path / "a.graphml", str(FIXTURES / "digits.onnx")
    assert main([digits, str(path), "--detail", "neuron"]) == 0
    assert main(["verify", digits, str(path)]) == 0
    assert "every layer equals ONNX Runtime and the model" in capsys.readouterr().out
    text = path.read_bytes()
    path.write_bytes(re.sub(rb'"w">[^<]*<', b'"w">7<', text, count=1))
    assert main(["verify", digits, str(path)]) == 1
    out = capsys.readouterr().out
    assert "FAIL" in out
    assert "other in-edges than in the model at 1 neurons" in out
    path.write_bytes(text[:-5])
    assert main(["verify", digits, str(path)]) == 2
    assert main(["verify", str(FIXTURES / "residual.onnx"), str(path)]) == 2
    assert main(["verify", digits, str(tmp_path / "a.gexf")]) == 2
    err = capsys.readouterr().err
    assert "what can be read back: .graphml" in err
    assert "another model" in err


@pytest.mark.parametrize("detail", LEVELS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_layer_without_neurons(suffix: str, detail: str, tmp_path: Path) -> None:
    """Of a slice that is empty, and what follows from it: in no file, and nothing is missing."""
    nodes = [
        node("Slice", "x s s a", "z"), node("Relu", "z", "r"), node("Concat", "x r", "c", axis=1), node("Neg", "c", "y")
    ]  # fmt: skip
    graph = load(model(nodes, {"x": [1, 3]}, {"s": np.array([3]), "a": np.array([1])}), detail=detail)
    assert min(layer.neurons for layer in graph.layers) == 0
    writing.write(graph, tmp_path / f"a{suffix}")
    assert verify_file(graph, tmp_path / f"a{suffix}").passed
