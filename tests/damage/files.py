"""A written graph as bytes: of one file, or of the files of a folder; and what may happen to lines of text."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

Files = dict[str, bytes]
"""By path below the folder; a graph that is one file has the path ""."""
Change = Callable[[Files, Random], Files | None]
"""Damage at some place; None where there is nothing to damage."""
Otherwise = Callable[[Files], Files]
Lines = list[bytes]
Damage = Callable[[Lines, Random], Lines | None]


def read(path: Path) -> Files:
    if path.is_file():
        return {"": path.read_bytes()}
    return {str(p.relative_to(path)): p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file()}


def put(files: Files, path: Path) -> Path:
    """Write the files in place of what is there."""
    shutil.rmtree(path, ignore_errors=True)
    for name, content in files.items():
        file = path / name if name else path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def to(name: str, damage: Damage) -> Change:
    """Damage to the lines of one file."""

    def changed(files: Files, random: Random) -> Files | None:
        lines = damage(files[name].splitlines(keepends=True), random)
        return None if lines is None else files | {name: b"".join(lines)}

    return changed


def without(name: str) -> Change:
    return lambda files, _: {n: content for n, content in files.items() if n != name}


@dataclass(frozen=True)
class compressed:
    """A compressed text."""

    unpack: Callable[[bytes], bytes]
    pack: Callable[[bytes], bytes]

    def around(self, change: Change) -> Change:
        """The change to the text, which is packed again."""

        def changed(files: Files, random: Random) -> Files | None:
            found = change({"": self.unpack(files[""])}, random)
            return None if found is None else {"": self.pack(found[""])}

        return changed

    @property
    def damages(self) -> dict[str, Change]:
        """To the bytes as they are in the file."""

        def at_a_byte(change: Callable[[bytes, int], bytes]) -> Change:
            return lambda files, random: {"": change(files[""], random.randrange(len(files[""])))}

        return {
            "the compressed bytes are truncated": at_a_byte(lambda data, i: data[:i]),
            "the compressed bytes lack their end": lambda files, _: {"": files[""][:-1]},
            "a compressed byte is another": lambda files, random: {
                "": (lambda data, i: data[:i] + bytes([data[i] ^ 255]) + data[i + 1 :])(
                    files[""], random.choice((0, len(files[""]) // 2, len(files[""]) - 3))
                )
            },
            "something follows": lambda files, _: {"": files[""] + b"more"},
        }


# ---------------------------------------------------------------------------------------------------------------- lines


def some(lines: Lines, random: Random, pattern: bytes) -> int | None:
    """A line in which the pattern is found."""
    found = [i for i, line in enumerate(lines) if re.search(pattern, line)]
    return random.choice(found) if found else None


def replaced(pattern: bytes, by: bytes | Callable[[re.Match[bytes]], bytes]) -> Damage:
    """What the pattern finds is replaced in one line."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        if at is None:
            return None
        new = re.sub(pattern, by, lines[at], count=1)
        return None if new == lines[at] else [*lines[:at], new, *lines[at + 1 :]]

    return damage


def around(pattern: bytes, change: Callable[[bytes], Lines]) -> Damage:
    """A line in which the pattern is found becomes others."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        return None if at is None else [*lines[:at], *change(lines[at]), *lines[at + 1 :]]

    return damage


def two(pattern: bytes, swap: Callable[[bytes, bytes], tuple[bytes, bytes]]) -> Damage:
    """Two lines of one layer or one target change something between them."""

    def damage(lines: Lines, random: Random) -> Lines | None:
        at = some(lines, random, pattern)
        if at is None or at + 1 >= len(lines) or not re.search(pattern, lines[at + 1]):
            return None
        new = swap(lines[at], lines[at + 1])
        return None if sorted(new) == sorted(lines[at : at + 2]) else [*lines[:at], *new, *lines[at + 2 :]]

    return damage


def exchanged(part: bytes) -> Callable[[bytes, bytes], tuple[bytes, bytes]]:
    def swap(a: bytes, b: bytes) -> tuple[bytes, bytes]:
        x, y = re.search(part, a), re.search(part, b)
        assert x
        assert y
        return a.replace(x[0], y[0]), b.replace(y[0], x[0])

    return swap


def another_number(match: re.Match[bytes]) -> bytes:
    return match[0].replace(match[1], str(int(match[1]) + 1).encode())


def cut(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    return [text[: random.randrange(1, len(text) - 1)]]


def cut_between_lines(lines: Lines, random: Random) -> Lines:
    return lines[: random.randrange(1, len(lines) - 1)]


def garbage(lines: Lines, random: Random) -> Lines:
    text = b"".join(lines)
    at = random.randrange(len(text) - 8)
    return [text[:at], bytes(random.randrange(128, 256) for _ in range(8)), text[at + 8 :]]
