"""What is not finished has a name of its own beside its target, and is locked for as long as its process lives.

So that what a process that was killed has left can be told from what another one is writing, and removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

PREFIX, SUFFIX = ".o2g-", ".tmp"
NAME = "manifest.json"
HIDDEN = "_manifest.json"
"""The same where all else in the folder is data of one kind: what reads such folders passes over an underscore."""


def new_file(target: Path) -> tuple[Path, int]:
    """A new locked file beside the target, and its descriptor for writing.

    The name is not derived from the target's, which may already be as long as a name can be.
    """
    while True:
        path = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        if _locked(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def new_folder(target: Path) -> tuple[Path, int]:
    """A new locked folder beside the target, and a descriptor that keeps it locked until it is closed."""
    while True:
        path = target.with_name(f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}")
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if _locked(path, descriptor):
            return path, descriptor
        os.close(descriptor)


@contextlib.contextmanager
def trial_folder(parent: Path) -> Iterator[Path]:
    """A new locked folder in another one, or where nothing can be written there, in the system's; removed afterwards.

    Example:
        >>> with trial_folder(Path()) as folder:
        ...     (folder / "a.txt").touch()
    """
    try:
        folder, descriptor = new_folder(parent / NAME)
    except OSError:
        folder, descriptor = new_folder(Path(tempfile.gettempdir(), NAME))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _locked(path: Path, descriptor: int) -> bool:
    """Lock it; False if another process has taken it for a leftover in between."""
    with contextlib.suppress(OSError):  # a file system without locks: nothing is cleaned there either
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def clean(folder: Path) -> None:
    """Remove what processes that are no more have left in a folder; what can't be removed stays.

    Example:
        >>> clean(Path("."))
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX) and not entry.is_symlink():
                with contextlib.suppress(OSError):
                    _remove_leftover(Path(entry.path))


def _remove_leftover(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: it is being written
        if path.is_dir():
            remove_folder(path)
        else:
            path.unlink()
    finally:
        os.close(descriptor)


def remove_folder(path: Path) -> None:
    """Remove a folder of this package's: of a finished one only the files that its manifest lists.

    Whatever else came into it stays, and with it the folder and its manifest.
    """
    listed = listed_files(path)
    if listed is None:
        shutil.rmtree(path, ignore_errors=True)
        return
    own = manifest_path(path)
    for name in listed:
        with contextlib.suppress(OSError):
            (path / name).unlink()
    for folder, _, _ in os.walk(path, topdown=False):
        with contextlib.suppress(OSError):
            if os.listdir(folder) == [own.name] and folder == str(path):
                own.unlink()
            os.rmdir(folder)


def listed_files(folder: Path) -> dict[str, int] | None:
    """The files that a folder's manifest lists, with their sizes; None where it lists none, or is no manifest of ours.

    Names that lead out of the folder are none of ours.
    """
    content = manifest(folder)
    files = content.get("files")
    if not isinstance(files, dict) or not all(isinstance(n, int) for n in files.values()):
        return None
    return {name: size for name, size in files.items() if _is_inside(name)}


def _is_inside(name: str) -> bool:
    return bool(name) and not os.path.isabs(name) and ".." not in Path(name).parts


def manifest_path(folder: Path) -> Path:
    """Where a folder's manifest is, or would be."""
    hidden = folder / HIDDEN
    return hidden if hidden.is_file() else folder / NAME


def manifest(folder: Path) -> dict[str, object]:
    """What a folder's manifest says, if this package wrote it; empty otherwise."""
    try:
        content = json.loads(manifest_path(folder).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    ours = isinstance(content, dict) and str(content.get("generator")).startswith("onnx2graphml ")
    return content if ours else {}
