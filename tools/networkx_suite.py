"""Run NetworkX's own tests through the backend, and count how many of them ran on its methods.

    python tools/networkx_suite.py [test modules or folders of networkx, by default all that call one of its functions]

NetworkX converts the graphs of each test to blocks where they are directed and acyclic; elsewhere it runs its own code.
"""

from __future__ import annotations

import collections
import os
import pathlib
import re
import sys

os.environ["NETWORKX_TEST_BACKEND"] = "onnx2graphml"
os.environ["NETWORKX_FALLBACK_TO_NX"] = "1"

import networkx as nx
import pytest

from onnx2graphml.backend import interface
from onnx2graphml.backend.info import FUNCTIONS


class Counter:
    """A pytest plugin that notes which tests ran which methods."""

    def __init__(self) -> None:
        self.test = ""
        self.ran: dict[str, set[str]] = collections.defaultdict(set)
        self.calls: collections.Counter[str] = collections.Counter()
        self.outcomes: collections.Counter[str] = collections.Counter()

    def wrap(self) -> None:
        """Count the calls that end without an exception of ours."""
        for name, own in interface.OWN.items():

            def counted(*args: object, _own: object = own, _name: str = name, **kwargs: object) -> object:
                found = _own(*args, **kwargs)  # type: ignore[operator]
                self.calls[_name] += 1
                self.ran[self.test].add(_name)
                return found

            interface.OWN[name] = counted

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Remember which test runs."""
        self.test = item.nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count how tests ended."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1


def modules() -> list[str]:
    """NetworkX's test modules that name a function of the backend."""
    named = re.compile(r"nx\.(?:[a-z_]+\.)?(" + "|".join(FUNCTIONS) + r")\b")
    root = pathlib.Path(nx.__file__).parent
    return sorted(str(p) for p in root.rglob("test_*.py") if named.search(p.read_text(encoding="utf-8")))


def run(arguments: list[str]) -> tuple[int, Counter]:
    """Run the tests; pytest's exit status, and what was counted."""
    counter = Counter()
    counter.wrap()
    conftest = pathlib.Path(nx.__file__).parent / "conftest.py"
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        str(conftest.parent),
        "--import-mode=prepend",
    ]
    status = pytest.main([*options, *(arguments or modules())], plugins=[counter])
    return int(status), counter


if __name__ == "__main__":
    status, counter = run(sys.argv[1:])
    print(
        f"NetworkX {nx.__version__}: {dict(counter.outcomes)}; {len(counter.ran)} tests ran on methods of the backend"
    )
    for name, count in sorted(counter.calls.items()):
        print(f"{count:8,} {name}")
    sys.exit(status)
