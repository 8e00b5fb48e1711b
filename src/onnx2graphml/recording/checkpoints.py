"""A folder of checkpoints: a network's files in the order of its epochs."""

from __future__ import annotations

from pathlib import Path

from onnx2graphml.errors import Error
from onnx2graphml.frontends import FILES
from onnx2graphml.recording.natural import natural

SUFFIXES = (".onnx", *FILES)


def checkpoints(folder: Path) -> tuple[dict[str, Path], list[str]]:
    """The models in a folder, and the names of what is none.

    Returns:
        Files of the suffixes above and SavedModel folders in natural order (epoch2 before epoch10), under their names
        without the suffix where these differ; and what else is in the folder, but for names that begin with a dot.

    Raises:
        Error: it is no folder, or holds no model.

    Example:
        >>> checkpoints(Path("fixtures"))[1]
        ['digits-held-out.npz', 'digits.npz']
    """
    if not folder.is_dir():
        raise Error(f"{folder}: not a folder of checkpoints ({', '.join(SUFFIXES)}, SavedModel)")
    every = sorted((f for f in folder.iterdir() if not f.name.startswith(".")), key=lambda f: natural(f.name))
    models = [f for f in every if _is_model(f)]
    if not models:
        raise Error(f"{folder}: no checkpoint is in this folder; expected files {', '.join(SUFFIXES)}, or SavedModels")
    stems = [f.stem for f in models]
    names = [f.stem if stems.count(f.stem) == 1 else f.name for f in models]
    return dict(zip(names, models, strict=True)), [f.name for f in every if f not in models]


def _is_model(path: Path) -> bool:
    return (path / "saved_model.pb").is_file() if path.is_dir() else path.suffix.lower() in SUFFIXES
