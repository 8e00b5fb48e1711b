"""A command of the program, run in this process, and what came of it."""

from __future__ import annotations

import contextlib
import io
import re
import resource
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path

from fuzzing.outcome import MEGABYTES, SECONDS
from onnx2graphml import cli

STATUS = Path("/proc/self/status")


def peak() -> float:
    """Megabytes that this process and its children had at most."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if not STATUS.exists():
        return max(children, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    found = re.search(r"VmHWM:\s*(\d+) kB", STATUS.read_text())
    return max(children, int(found[1]) / 1024 if found else 0)


def spent() -> float:
    """Seconds of a processor's time, of this process and its children."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def ran(arguments: Sequence[str]) -> tuple[str, str, str, float, float]:
    """The kind of outcome, what was said of it, what was printed, seconds and megabytes."""
    out, err = io.StringIO(), io.StringIO()
    before, start = peak(), spent()
    kind, said = "", ""
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)
            status: object = cli.main(arguments)
    except SystemExit as e:
        status = e.code
    except BaseException:
        status, kind, said = None, "traceback", " | ".join(traceback.format_exc().strip().splitlines()[-3:])
    seconds, megabytes = spent() - start, peak() - before
    if not kind:
        said = err.getvalue()
        kind = {0: "fine", 1: "mismatch", 2: "refused"}.get(status, f"status {status}")  # type: ignore[call-overload]
        if kind == "refused" and not re.fullmatch(r"onnx2graphml\S*: error: \S.*\n", said):
            kind = "many lines"
        if any(not c.isprintable() and c != "\n" for c in out.getvalue() + said):
            kind = "control characters"
        kind = "slow" if seconds > SECONDS else "large" if megabytes > MEGABYTES else kind
    return kind, said.strip()[:300], out.getvalue(), seconds, megabytes
