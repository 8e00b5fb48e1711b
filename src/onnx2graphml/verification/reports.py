"""What verification found, for machines: JSON, and the XML that CI systems show as test cases (JUnit)."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.graph.xmltext import escape
from onnx2graphml.verification.against_runtime import Report, Row


@dataclass(frozen=True)
class About:
    """What was verified: the model, the graph's file (None: the graph as it would be written), its detail and size."""

    model: str
    graph: str | None
    detail: str
    neurons: int
    edges: int


def write_json(about: About, report: Report, path: str | Path) -> None:
    """Write a report as JSON: `about`, `passed`, `unchecked` and a `rows` entry for each layer, as `Row` has them.

    A difference that is infinite stands there as the text "inf": JSON has no such number.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> about = About("digits.onnx", None, graph.detail, graph.neurons, graph.edges)
        >>> write_json(about, onnx2graphml.verify(graph), "report.json")  # doctest: +SKIP
    """
    content = {
        "about": dataclasses.asdict(about),
        "passed": report.passed,
        "unchecked": report.unchecked,
        "rows": [{"passed": row.passed} | _finite(dataclasses.asdict(row)) for row in report.rows],
    }
    with atomic(Path(path)) as file:
        file.write((json.dumps(content, indent=2, allow_nan=False) + "\n").encode())


def write_junit(about: About, report: Report, path: str | Path) -> None:
    """Write a report as JUnit XML: a test case for each layer, with what is wrong as its failure.

    What could not be checked is a skipped test case each. Times are not measured for a layer and stand as 0.
    """
    name = f"onnx2graphml verify {' '.join(filter(None, (about.model, about.graph)))}"
    failures, skipped = sum(not row.passed for row in report.rows), len(report.unchecked)
    counts = {"tests": len(report.rows) + skipped, "failures": failures, "errors": 0, "skipped": skipped}
    suite = ElementTree.Element("testsuite", {"name": escape(name), "time": "0"} | _texts(counts))
    for row in report.rows:
        case = _case(suite, about, row.layer)
        if not row.passed:
            failure = ElementTree.SubElement(case, "failure", message=escape(_message(row)))
            failure.text = escape("\n".join([_message(row), *row.problems]))
    for reason in report.unchecked:
        ElementTree.SubElement(_case(suite, about, reason), "skipped", message=escape(f"not checked: {reason}"))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    with atomic(Path(path)) as file:
        ElementTree.ElementTree(root).write(file, encoding="utf-8", xml_declaration=True)


def _case(suite: ElementTree.Element, about: About, name: str) -> ElementTree.Element:
    of = {"classname": escape(Path(about.model).name), "name": escape(name), "time": "0"}
    return ElementTree.SubElement(suite, "testcase", of)


def _message(row: Row) -> str:
    if row.share > 1:
        return (
            f"a neuron differs by {row.absolute:.3g}, {row.share:.3g} times what rounding explains; "
            f"look at position {row.worst}" + (f", with the pattern {row.pattern}" if row.pattern else "")
        )
    return "; ".join(row.problems)


def _texts(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


def _finite(row: dict[str, Any]) -> dict[str, Any]:
    return {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
