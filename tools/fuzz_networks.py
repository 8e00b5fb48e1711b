"""Random networks by the thousand, each held against the law: a longer run of what tests/test_random_networks.py does.

python tools/fuzz_networks.py --models 5000 --seed 0 --jobs 2 --log out.json
python tools/fuzz_networks.py --seed 0 --only 1234        # that model again; it is saved as network-0-1234.onnx
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import onnx

from randomnets import census, law
from randomnets.draw import Network, draw_network

CHUNK = 16  # models that a process takes at a time


@dataclass(frozen=True)
class Verdict:
    """What came out for one model: `passed`, `discarded` or `failed`, and why."""

    number: int
    verdict: str
    reason: str
    seconds: float
    occurring: tuple[tuple[str, str], ...]


def network(seed: int, number: int) -> Network:
    """The model of that number: always the same."""
    return draw_network(Random(f"{seed}:{number}"))


def judged(seed: int, number: int) -> Verdict:
    """Draw a model and hold it against the law; whatever goes wrong is its verdict."""
    begin, found, seen = time.perf_counter(), ("passed", ""), []
    try:
        drawn = network(seed, number)
        seen = list(census.occurring(drawn))
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            held = law.check(drawn, number, Path(folder))
        seen += [("level", f"{level} in {suffix}") for level, suffix in held.written]
        seen += [("control", held.control or "no edge")]
    except law.Discarded as e:
        found = ("discarded", str(e))
    except Exception as e:
        found = ("failed", f"{type(e).__name__}: {e}")
    return Verdict(number, *found, time.perf_counter() - begin, tuple(seen))


def verdicts(seed: int, numbers: Sequence[int], jobs: int) -> Iterator[Verdict]:
    """Of all models, in their order."""
    seeds = [seed] * len(numbers)
    if jobs == 1:
        yield from map(judged, seeds, numbers)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(judged, seeds, numbers, chunksize=CHUNK)


def summary(found: Iterable[Verdict]) -> dict[str, object]:
    """How often everything occurred, and the numbers of the models for each reason."""
    counts: dict[str, Counter[str]] = {}
    reasons: dict[str, dict[str, list[int]]] = {}
    total: Counter[str] = Counter()
    slowest, seconds = (0.0, -1), 0.0
    for v in found:
        total[v.verdict] += 1
        slowest, seconds = max(slowest, (v.seconds, v.number)), seconds + v.seconds
        for what, value in v.occurring:
            counts.setdefault(what, Counter())[value] += 1
        if v.reason:
            reasons.setdefault(v.verdict, {}).setdefault(v.reason, []).append(v.number)
            if v.verdict == "failed":
                print(f"{v.number}: {v.reason}", flush=True)
    return {
        "verdicts": dict(total),
        "seconds_each": round(seconds / max(sum(total.values()), 1), 4),
        "slowest": {"seconds": round(slowest[0], 2), "number": slowest[1]},
        "reasons": reasons,
        "occurring": {what: dict(sorted(c.items())) for what, c in sorted(counts.items())},
    }


def main() -> int:
    """Exit status 1 if the law was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=600, help="how many")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="of the models; to share them out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--log", type=Path, help="a JSON file for all counts, reasons and numbers")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="that model alone; it is saved as an .onnx file")
    options = parser.parse_args()
    last = options.first + options.models
    numbers = range(options.first, last) if options.only is None else [options.only]
    if options.only is not None:
        path = Path(f"network-{options.seed}-{options.only}.onnx")
        onnx.save(network(options.seed, options.only).proto, path)
        print(f"saved as {path}")
    begin = time.perf_counter()
    found = summary(verdicts(options.seed, numbers, options.jobs)) | {"seed": options.seed, "models": len(numbers)}
    if options.log is not None:
        options.log.write_text(json.dumps(found, indent=1))
    print(f"{found['verdicts']} in {time.perf_counter() - begin:.0f} s, {found['seconds_each']} s each")
    return 1 if found["verdicts"].get("failed") else 0  # type: ignore[attr-defined]


if __name__ == "__main__":
    sys.exit(main())
