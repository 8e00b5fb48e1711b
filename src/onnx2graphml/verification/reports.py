"""What verification found, for machines: JSON, and the XML that CI systems show as test cases (JUnit)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from xml.etree import ElementTree

from onnx2graphml.errors import OutputError
from onnx2graphml.files import json_file
from onnx2graphml.files.atomic_file import atomic
from onnx2graphml.graph.xmltext import escape
from onnx2graphml.verification.report import About, Report, Row


def write_report(report: Report, path: str | Path) -> None:
    """Write a report as JSON (.json) or JUnit (.xml); see `write_json` and `write_junit`.

    Raises:
        OutputError: the suffix is another, or the file can't be written.
    """
    check_suffix(path)
    (write_json if Path(path).suffix.lower() == ".json" else write_junit)(report, path)


def check_suffix(path: str | Path) -> None:
    """Refuse a path that `write_report` does not know how to write."""
    if Path(path).suffix.lower() not in (".json", ".xml"):
        raise OutputError(f"{path}: a report is a .json or an .xml file; choose one of these suffixes")


def write_json(report: Report, path: str | Path) -> None:
    """Write a report as JSON: `about`, `passed`, `unchecked` and a `rows` entry for each layer, as `Row` has them.

    Example:
        >>> import onnx2graphml
        >>> write_json(onnx2graphml.verify("fixtures/digits.onnx"), "report.json")  # doctest: +SKIP
    """
    content = {
        "about": dataclasses.asdict(report.about),
        "passed": report.passed,
        "unchecked": report.unchecked,
        "rows": [{"passed": row.passed} | dataclasses.asdict(row) for row in report.rows],
    }
    json_file.write_json(Path(path), content)


def write_junit(report: Report, path: str | Path) -> None:
    """Write a report as JUnit XML: a test case for each layer, with what is wrong as its failure.

    What could not be checked is a skipped test case each. Times are not measured for a layer and stand as 0.
    """
    about = report.about
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
            f"look at position {row.worst}" + (f", with the input {row.input}" if row.input else "")
        )
    return "; ".join(row.problems)


def _texts(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}
