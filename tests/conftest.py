"""What holds for all tests; and which of them are slow, beside those that are marked so one by one."""

from __future__ import annotations

import os
import re
import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

SLOW_FILES = (
    "test_*keras*.py", "test_torch*.py", "test_text_models.py", "test_scopes.py", "test_layer_kinds.py",
    "test_*node_cases.py",
)  # fmt: skip
"""They import a framework, which takes seconds, or compute all of ONNX's node tests. `-m "not slow"` doesn't read them:
`test_frontends.py` and the tests of single operators stand for them."""

FAMILY = 12
"""Cases of one test. Where there are more, the first case of each kind is fast, and the rest is slow. A kind is the
first word of a case's name, such as the operator."""

KINDS = 120
"""Kinds of cases that are fast, of those of one test: evenly spread where there are more."""

# Shells start what runs in the background with Ctrl-C ignored, which processes that the tests interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Read when numba is first imported: kernels for GPUs run in its simulator.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the slow files alone in the fast lane."""
    return True if config.option.markexpr == "not slow" and is_slow_file(collection_path) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow files' tests, and of large families all but a sample."""
    families: dict[tuple[Path, Any], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if hasattr(item, "callspec"):
            families[item.path, getattr(item, "originalname", item.name)].append(item)
        if is_slow_file(item.path):
            item.add_marker(pytest.mark.slow)
    for family in families.values():
        fast = set(sample([item.callspec.id for item in family]))  # type: ignore[attr-defined]
        for item in family:
            if item.callspec.id not in fast:  # type: ignore[attr-defined]
                item.add_marker(pytest.mark.slow)


def is_slow_file(path: Path) -> bool:
    """Whether all tests of a file are slow."""
    return any(fnmatch(path.name, pattern) for pattern in SLOW_FILES)


def sample(names: Sequence[str]) -> list[str]:
    """The names of the cases that are fast, of those of one test."""
    if len(names) <= FAMILY:
        return list(names)
    firsts = {re.split("[-/ ]", name)[0]: name for name in reversed(names)}
    kept = [name for name in names if firsts[re.split("[-/ ]", name)[0]] == name]
    return kept[:: -(-len(kept) // KINDS)]


@pytest.fixture(autouse=True, scope="session")
def loops() -> Iterator[None]:
    """Small graphs are written as large ones are, by the compiled loops; `test_start.py` compares both ways."""
    from both_ways import few

    with few(0):
        yield


@pytest.fixture(autouse=True, scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests run in a folder of their own: none depends on where pytest was started."""
    before = Path.cwd()
    os.chdir(tmp_path_factory.mktemp("elsewhere"))
    yield
    os.chdir(before)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium."""
    from browser import chromium

    with chromium() as running:
        yield running
