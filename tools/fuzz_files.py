"""Broken models and broken graph files by the thousand: each must be answered in one line, soon, and in little memory.

python tools/fuzz_files.py models --count 50000 --jobs 2 --log models.json
python tools/fuzz_files.py graphs --count 20000 --jobs 2 --log graphs.json
python tools/fuzz_files.py models --seed 0 --only 1234 --keep .     # that one again, and the file with it

Models are drawn as random networks or taken from `tests/hostile`, and changed where they have structure: an attribute's
value or type, a node's inputs, a tensor's size, or bytes. Each runs through `info` and `verify`. Graphs are written of
small networks, and changed as text, as tables or as bytes; `verify` must refuse them or find the mismatch, unless an
independent reader reads the same graph from them. Each worker is a process with a limit on memory, and is watched.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import watch
from fuzzing.outcome import Outcome


def summary(found: Iterator[Outcome], keep: Path | None) -> dict[str, object]:
    """How often each came out, and what is wrong, as it comes."""
    counts: Counter[str] = Counter()
    said: Counter[str] = Counter()
    faults: list[dict[str, object]] = []
    slowest, largest = 0.0, 0.0
    for each in found:
        counts[each.kind] += 1
        said[each.said[:60]] += bool(each.said)
        slowest, largest = max(slowest, each.seconds), max(largest, each.megabytes)
        if each.is_fault:
            faults.append(each.told())
            print(f"{each.number}: {each.kind}: {each.said}", flush=True)
            if keep is not None and each.content:
                (keep / f"fault-{each.number}{each.suffix}").write_bytes(each.content)
        if sum(counts.values()) % 1000 == 0:
            print(f"{sum(counts.values()):,}: {dict(counts)}", flush=True)
    return {
        "outcomes": dict(counts),
        "slowest": round(slowest, 2),
        "megabytes": round(largest),
        "faults": faults,
        "messages": said.most_common(40),
    }


def main() -> int:
    """Exit status 1 if anything came out that must not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("models", "graphs"))
    parser.add_argument("--count", type=int, default=1000, help="how many")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--log", type=Path, help="a JSON file for counts and faults")
    parser.add_argument("--keep", type=Path, help="a folder for the files that are faults")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="that one alone")
    options = parser.parse_args()
    numbers = range(options.first, options.first + options.count) if options.only is None else [options.only]
    found = summary(watch.outcomes(options.what, options.seed, numbers, options.jobs), options.keep)
    if options.log is not None:
        options.log.write_text(json.dumps({"seed": options.seed, "count": len(numbers)} | found, indent=1))
    print({k: v for k, v in found.items() if k not in ("messages", "faults")})
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
