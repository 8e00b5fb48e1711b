"""What README and the documentation show runs: every Python block, every command, every example of a docstring."""

from __future__ import annotations

import doctest
import importlib
import os
import pkgutil
import re
import shlex
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml
from onnx2graphml.cli.parser import parse
from onnx2graphml.cli.registry import COMMANDS
from onnx2graphml.formats.registry import FORMATS
from onnx2graphml.model.lowering import LOWERINGS
from onnx2graphml.ops import OPERATORS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OTHERS = ("spark", "vgg16", "cat.jpg", "model.keras", "model.onnx", "fit(", "hook")
"""A Python block with one of these needs what a test has not: it is only compiled."""

DOCTESTS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like the project's root, with a digit to be looked at, and the digits' graph in every format."""
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    graph = onnx2graphml.load(ROOT / "fixtures" / "digits.onnx")
    for suffix in FORMATS:
        onnx2graphml.write(graph, tmp_path / f"digits{suffix}")
    np.save(tmp_path / "digit.npy", np.load(tmp_path / "fixtures/digits.npz")["x"][0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_python_blocks_run(page: Path, workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one page, the blocks go on from each other."""
    known: dict[str, Any] = {}
    for block in blocks(page, "python"):
        code = compile(block, str(page), "exec")
        if not any(word in block for word in OTHERS):
            exec(code, known)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_commands_are_understood(page: Path) -> None:
    for block in blocks(page, "sh") + blocks(page, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"(?:\$ )?onnx2graphml (.*)", line)
            if found:
                parse(shlex.split(found[1], comments=True))


def test_a_mistaken_command_is_not_understood(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["info", "model.onnx", "--no-such-option"])
    assert "--no-such-option" in capsys.readouterr().err


@pytest.mark.slow
def test_the_page_of_operators_has_all_of_them() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from docs_pages import commands, operators
    finally:
        sys.path.pop(0)
    page = operators()
    assert all(f"| `{op}` |" in page for op in OPERATORS)
    assert all(f"| `{op}` | {domain or 'ONNX'} |" in page for domain, op in LOWERINGS if domain or op not in OPERATORS)
    assert all(f"\n## {name}\n" in commands() for name in COMMANDS)


MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(onnx2graphml.__path__, "onnx2graphml.")
    if not module.name.endswith("__main__")
)


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_examples_of_docstrings_run(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = importlib.import_module(name)
        except ImportError as e:
            pytest.skip(f"needs an extra: {e}")
        failed, _ = doctest.testmod(module, optionflags=DOCTESTS)
    assert failed == 0


def test_a_wrong_example_is_found() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, None)
    with open(os.devnull, "w") as nowhere:
        assert doctest.DocTestRunner(verbose=False).run(test, out=nowhere.write).failed == 1
