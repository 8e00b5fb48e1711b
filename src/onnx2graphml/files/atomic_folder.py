"""A directory that is either written whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from onnx2graphml.errors import OutputError

NAME = "manifest.json"
"""Each such directory has a file of this name with a `generator`, which marks it as one that may be replaced."""


@contextlib.contextmanager
def atomic_directory(path: Path) -> Iterator[Path]:
    """A new directory that takes the place of `path` once the block is left without an exception.

    Until then it has another name beside it. After an exception, also KeyboardInterrupt, it is removed, and what
    `path` was before is untouched. The block writes a manifest; an older directory with one is replaced.

    Raises:
        OutputError: names the path and the cause; also if `path` is anything that this package did not write.

    Example:
        >>> with atomic_directory(Path("graph.parquet")) as directory:  # doctest: +SKIP
        ...     write_manifest(graph, directory)
    """
    try:
        target = path.resolve()  # a link stays a link, to the new directory
        refuse_other(target)
        # The name is not derived from the target's, which may already be as long as a name can be.
        temporary = target.with_name(f".o2g-{secrets.token_hex(8)}.tmp")
        temporary.mkdir()
        try:
            yield temporary
            _sync(temporary)
            refuse_other(target)  # long work lies behind: what is there now must not be lost either
            _replace(target, temporary)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as e:
        raise OutputError(f"can't write {str(path)!r}: {_cause(e, path)}") from e


def refuse_other(path: Path) -> None:
    """`OutputError` if something is at the path that this package did not write as a directory."""
    if os.path.lexists(path) and not is_ours(path):
        raise OutputError(
            f"can't write {str(path)!r}: it exists and is no directory that onnx2graphml wrote (it has no {NAME} of "
            f"it); remove it or choose another name"
        )


def _replace(target: Path, new: Path) -> None:
    """Put the new directory in the target's place. No system renames over a directory that is not empty."""
    if not target.exists():
        new.rename(target)
    else:
        old = new.with_suffix(".old")
        target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            old.rename(target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    _sync_one(target.parent)


def _sync(directory: Path) -> None:
    for folder, _, files in os.walk(directory):
        for name in files:
            _sync_one(Path(folder, name))
        _sync_one(Path(folder))


def _sync_one(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return  # Windows opens no directories
    # Windows flushes only what is open for writing.
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cause(error: OSError, path: Path) -> str:
    if not path.resolve().parent.exists():
        return f"there is no directory {str(path.parent)!r}; create it first"
    return error.strerror or str(error)


def is_ours(directory: Path) -> bool:
    """Whether this package wrote the folder."""
    try:
        content = json.loads((directory / NAME).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and str(content.get("generator")).startswith("onnx2graphml ")
