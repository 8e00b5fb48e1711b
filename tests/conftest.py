"""What holds for all tests; and which of them are slow, beside those that are marked so one by one."""

from __future__ import annotations

import gc
import os
import re
import signal
from collections.abc import Iterable, Iterator, Sequence
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

FAMILY = 4
"""Cases of one test. Where there are more, the first case of each kind is fast, and the rest is slow. A kind is the
first word of a case's name, such as the operator."""

KINDS = 40
"""Kinds of cases that are fast, of those of one test: evenly spread where there are more."""

# Shells start what runs in the background with Ctrl-C ignored, which processes that the tests interrupt would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Read when numba is first imported: kernels for GPUs run in its simulator.
os.environ.setdefault("NUMBA_ENABLE_CUDASIM", "1")


# To look for garbage in all that frameworks have loaded takes a twentieth of the time, and finds little.
gc.set_threshold(100_000, 50, 1000)


def pytest_collection_finish() -> None:
    """What is there before the tests is no garbage."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Pytest is about to look five times for what was never closed; once finds it, too."""
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the slow files alone in the fast lane."""
    return True if only_fast(config) and is_slow_file(collection_path) else None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: pytest.Collector, obj: object) -> list[pytest.Item] | None:
    """Make nothing of a slow test in the fast lane: to make it only to leave it out takes half of collecting."""
    return [] if only_fast(collector.config) and is_slow(getattr(obj, "pytestmark", ())) else None


@pytest.hookimpl(trylast=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Mark all but a sample of a large family's cases as slow; in the fast lane, make no slow cases."""
    cases = metafunc._calls
    fast = set(sample([case.id for case in cases]))
    for case in cases:
        if case.id not in fast:
            case.marks.append(pytest.mark.slow.mark)
    if only_fast(metafunc.config):
        metafunc._calls = [case for case in cases if not is_slow(case.marks)] or cases[:1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow files' tests."""
    for item in items:
        if is_slow_file(item.path):
            item.add_marker(pytest.mark.slow)


def only_fast(config: pytest.Config) -> bool:
    """Whether no slow tests are asked for."""
    return bool(config.option.markexpr == "not slow")


def is_slow(marks: Iterable[pytest.Mark]) -> bool:
    """Whether one of the marks says so."""
    return any(mark.name == "slow" for mark in marks)


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
