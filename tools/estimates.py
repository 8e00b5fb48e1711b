"""Estimates of sizes and times beside what is then written, each in a process of its own, as on the command line.

    python tools/estimates.py vgg16.onnx mobilenet.keras --formats .graphml.gz .parquet --folder /data

One process loads the model and estimates; another one loads it and writes. What is measured is the estimate and the
writing, with all that they load at their first use, not the start of the process or the model. What is estimated to
take longer than `--most` seconds is not written.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FORMATS = (
    ".graphml", ".graphml.gz", ".graphml.zst", ".parquet", ".gephi.csv", ".neo4j.csv", ".npz", ".gexf", ".gml", ".cyjs",
    ".dot", ".onnx",
)  # fmt: skip


def estimated(model: str, path: str) -> dict[str, Any]:
    """What an estimate says, and how long it took."""
    import onnx2graphml as o2g

    graph = o2g.load(model)
    start = time.perf_counter()
    try:
        found = o2g.estimate(graph, path)
    except o2g.Error as e:
        return {"refused": str(e)}
    return {"bytes": found.bytes, "seconds": found.seconds, "took": time.perf_counter() - start}


def written(model: str, path: str) -> dict[str, Any]:
    """What writing takes."""
    import onnx2graphml as o2g

    graph = o2g.load(model)
    start, busy = time.perf_counter(), time.process_time()
    try:
        if path.endswith(".onnx"):
            o2g.to_onnx(graph, path)
        else:
            o2g.write(graph, path)
    except o2g.Error as e:
        return {"refused": str(e)}
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    out = Path(path)
    files = [f for f in out.rglob("*") if f.is_file()] if out.is_dir() else [out]
    return {"bytes": sum(f.stat().st_size for f in files), "seconds": seconds, "busy": busy}


PARTS = {"estimated": estimated, "written": written}


def alone(part: str, model: str, path: str) -> dict[str, Any]:
    """A part in a process of its own."""
    line = [sys.executable, __file__, "--part", part, model, path]
    found: dict[str, Any] = json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE).stdout)
    return found


def row(model: str, suffix: str, folder: Path, most: float) -> str:
    """A line of the table."""
    path = folder / f"written{suffix}"
    said = alone("estimated", model, str(path))
    cells = [Path(model).name, suffix]
    if "refused" in said:
        return " | ".join([*cells, said["refused"]])
    cells += [f"{said['seconds']:.2f} s", f"{said['bytes'] / 1e6:.1f} MB", f"{said['took']:.2f} s"]
    if said["seconds"] > most:
        return " | ".join([*cells, "not written"])
    done = alone("written", model, str(path))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    if "refused" in done:
        return " | ".join([*cells, done["refused"]])
    cells += [f"{done['seconds']:.2f} s", f"{done['busy']:.2f} s", f"{done['bytes'] / 1e6:.1f} MB"]
    cells += [f"{said[what] / done[what]:.2f}" for what in ("seconds", "bytes")]
    return " | ".join([*cells, f"{os.getloadavg()[0]:.1f}"])


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="model files")
    parser.add_argument("--formats", nargs="+", default=FORMATS, help="suffixes (default: all)")
    parser.add_argument("--folder", type=Path, help="where to write (default: where temporary files are)")
    parser.add_argument("--most", type=float, default=600, help="seconds that writing may take")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](*options.models)))
        return
    print(
        "| model | format | estimate | | took | written in | of processors | | time, estimated / real | size | load |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for model in options.models:
            for suffix in options.formats:
                for _ in range(options.rounds):
                    print(f"| {row(model, suffix, Path(folder), options.most)} |", flush=True)


if __name__ == "__main__":
    main()
