"""A folder that is either written whole or not at all, and that takes nobody else's files with it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from onnx2graphml.errors import OutputError
from onnx2graphml.files.atomic_file import resolved
from onnx2graphml.files.exchange import aside, exchange, recover
from onnx2graphml.files.temporary import NAME, clean, listed_files, manifest, manifest_path, new_folder, remove_folder

SHOWN = 3  # foreign files that a message names


@contextlib.contextmanager
def atomic_directory(path: Path, kind: str) -> Iterator[Path]:
    """A new folder that takes the place of `path` once the block is left without an exception.

    Until then it has another name beside it. After an exception, also KeyboardInterrupt, it is removed, and what
    `path` was before is untouched. The block writes a manifest, `manifest.json` with a `generator`, into which the
    kind and the files with their sizes are entered. An older folder of the same kind is replaced if there is nothing
    in it but what its own manifest lists; an empty one always.

    Args:
        kind: what the folder holds, such as `graph`.

    Raises:
        OutputError: names the path and the cause; also if `path` is anything that this package did not write.

    Example:
        >>> with atomic_directory(Path("graph.parquet"), "graph") as directory:  # doctest: +SKIP
        ...     write_manifest(graph, directory)
    """
    try:
        target = resolved(path)  # a link stays a link, to the new folder
        recover(target)
        refuse_other(target, kind)
        clean(target.parent)
        temporary, descriptor = new_folder(target)
        try:
            yield temporary
            _list_files(temporary, kind)
            _sync(temporary)
            refuse_other(target, kind)  # long work lies behind: what is there now must not be lost either
            _replace(target, temporary)
        finally:
            remove_folder(temporary)
            os.close(descriptor)
    except OSError as e:
        raise OutputError(f"can't write {str(path)!r}: {_cause(e, path)}") from e


def refuse_other(path: Path, kind: str) -> None:
    """`OutputError` if something is at the path that this package did not write as a folder of that kind."""
    if not os.path.lexists(path) or _is_empty(path):
        return
    found = manifest(path)
    if not found:
        raise OutputError(
            f"can't write {str(path)!r}: it exists and is no directory that onnx2graphml wrote (it has no {NAME} of "
            f"it); remove it or choose another name"
        )
    if found.get("kind") != kind:
        there = found.get("kind", "an older version's output")
        raise OutputError(f"can't write {str(path)!r}: it holds {there}, not {kind}; remove it or choose another name")
    if foreign := foreign_files(path):
        names = ", ".join(map(repr, foreign[:SHOWN])) + (" ..." if len(foreign) > SHOWN else "")
        raise OutputError(
            f"can't write {str(path)!r}: it has files that onnx2graphml did not write, or that were changed since: "
            f"{names}; move them, or choose another name"
        )


def foreign_files(folder: Path) -> list[str]:
    """What is in a folder besides what its manifest lists, with the size that it lists.

    Example:
        >>> sorted(foreign_files(Path("fixtures")))[:1]
        ['digits-held-out.npz']
    """
    listed, found = listed_files(folder) or {}, []
    own = manifest_path(folder).name
    folders = {str(parent) for name in listed for parent in Path(name).parents}
    for place, inner, files in os.walk(folder):
        here = Path(place).relative_to(folder)
        found += [str(here / name) for name in inner if str(here / name) not in folders]
        for name in files:
            path = str(here / name)
            if path != own and listed.get(path) != (folder / path).lstat().st_size:
                found.append(path)
    return sorted(found)


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not any(path.iterdir())


def _list_files(folder: Path, kind: str) -> None:
    """Enter the kind and the files with their sizes into the manifest."""
    own = manifest_path(folder)
    every = sorted(p for p in folder.rglob("*") if p.is_file() and p != own)
    content = json.loads(own.read_bytes())
    content |= {"kind": kind, "files": {str(p.relative_to(folder)): p.stat().st_size for p in every}}
    own.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _replace(target: Path, new: Path) -> None:
    """Put the new folder in the target's place; afterwards the older one has the new one's name, or is removed."""
    if not os.path.lexists(target) or _is_empty(target):
        new.rename(target)
    elif not exchange(new, target):
        old = aside(target)
        target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            old.rename(target)
            raise
        remove_folder(old)
    _sync_one(target.parent)


def _sync(directory: Path) -> None:
    for folder, _, files in os.walk(directory):
        for name in files:
            _sync_one(Path(folder, name))
        _sync_one(Path(folder))


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _cause(error: OSError, path: Path) -> str:
    if not path.absolute().parent.exists():
        return f"there is no directory {str(path.parent)!r}; create it first"
    return error.strerror or str(error)
