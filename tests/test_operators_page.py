"""The page of operators, and that a pointwise operator is one function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import pytest

import onnx2graphml
from onnx2graphml.api import load
from onnx2graphml.errors import UnsupportedError
from onnx2graphml.functions import FUNCTIONS
from onnx2graphml.functions.record import function
from onnx2graphml.ops import OPERATORS
from onnx2graphml.ops.pointwise import derive_all
from randomnets import draw, records  # noqa: F401  (they register steps)
from randomnets.steps import STEPS
from small import levels, model, node

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
try:
    from docs_pages import operators, restrictions
finally:
    sys.path.pop(0)


@pytest.fixture
def tables() -> Iterator[tuple[dict[str, Any], ...]]:
    """The registries, which afterwards are what they were, in their order too."""
    found: tuple[dict[str, Any], ...] = (FUNCTIONS, OPERATORS, STEPS)
    before = [dict(table) for table in found]
    yield found
    for table, entries in zip(found, before, strict=True):
        table.clear()
        table.update(entries)


@pytest.mark.slow
def test_a_pointwise_operator_is_one_function(tables: tuple[dict[str, Any], ...]) -> None:
    """Taken out and put back: its record is all that names it; operator, page and random networks follow from that."""
    own = FUNCTIONS["Mish"]
    for table in tables:
        del table["Mish"]
    with pytest.raises(UnsupportedError, match="operator Mish is not supported"):
        load(model([node("Mish", "x", "y")], {"x": [1, 5]}, opset=22))
    assert "| `Mish` |" not in operators()
    function(around_one=own.around_one)(own.evaluate)
    derive_all()
    records.add_steps()
    levels([node("Mish", "x", "y")], [1, 5], opset=22)
    assert "| `Mish` | none |" in operators()
    assert "Mish" in STEPS
    named = [p.name for p in Path(onnx2graphml.__file__).parent.rglob("*.py") if "Mish" in p.read_text()]
    beside = ("record.py", "float64.py")  # an example; a formula for what ONNX Runtime has no float64 of
    assert [name for name in named if name not in beside] == ["activations.py"], "another file has a list"


@pytest.mark.slow
def test_the_page_of_operators_tells_restrictions() -> None:
    page = operators()
    assert "| `Reshape` | `shape` constant |" in page
    assert "| `Relu` | none |" in page
    assert (
        "| `Loop` | ONNX | a function here | none | An iteration after the other, as many as constants say. |" in page
    )
    assert "`aggregate_function`" not in page
    assert restrictions("Conv", "", lambda node, X: None) == ", ".join(
        [*(f"no `{a}`" for a in onnx.defs.get_schema("Conv").attributes), "no `W`", "no `B`"]
    )
