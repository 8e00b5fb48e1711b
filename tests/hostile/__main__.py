"""`python -m hostile FOLDER`: write each of the files to a folder of its own, convert it, print a line of JSON for it.

In a process that may die, or be short of memory, without the tests.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import json
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

import onnx2graphml.graph.kernels  # noqa: F401 (its imports are not to count)
from hostile import CASES, write
from onnx2graphml import cli

MEMORY = 3 << 29  # address space beyond what the imports take: what passes the bounds ends here, not the machine
STATM = Path("/proc/self/statm")


def peak() -> int:
    """The most memory that this program ever had, in KiB; what `getrusage` says counts the process that started it."""
    if not STATM.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = re.search(r"VmHWM:\s*(\d+) kB", STATM.with_name("status").read_text())
    assert found
    return int(found[1])


def used_time() -> float:
    """Seconds of processors, those of processes that it started and that have ended among them."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def convert(name: str, folder: Path) -> dict[str, Any]:
    """What came of converting a file."""
    path, out, said = write(name, folder), folder / "out.graphml", io.StringIO()
    there, before, start = set(folder.iterdir()), peak(), used_time()
    try:
        with contextlib.redirect_stderr(said):
            status: Any = cli.main([*CASES[name].options, str(path), str(out)])
    except BaseException as e:
        status = f"{type(e).__name__}: {e}"
    return {
        "name": name,
        "status": status,
        "said": said.getvalue(),
        "seconds": used_time() - start,
        "megabytes": (peak() - before) / 1024,
        "left": [p.name for p in folder.iterdir() if p not in there],
        "out": str(out),
    }


def main(folder: Path) -> None:
    """Convert all of them."""
    (folder / "first").mkdir()
    convert(next(iter(CASES)), folder / "first")  # compiles and imports what all need
    if STATM.exists():
        used = int(STATM.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for k, name in enumerate(CASES):
        faulthandler.dump_traceback_later(60, exit=True)
        (folder / str(k)).mkdir()
        print(json.dumps(convert(name, folder / str(k))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
