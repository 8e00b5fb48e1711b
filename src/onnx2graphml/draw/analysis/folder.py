"""An analysis as a folder: tables and pictures, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from onnx2graphml.analysis.analysis import Analysis
from onnx2graphml.analysis.course import Course
from onnx2graphml.analysis.tables import write_layers, write_tables
from onnx2graphml.draw.analysis import pages
from onnx2graphml.draw.canvas import save
from onnx2graphml.draw.page import Page
from onnx2graphml.files.picture_folder import file_name, picture_folder, write_manifest

KIND = "analysis"
CHANNELS = 16  # of a layer, on its maps
Told = Callable[[int, int, str], None]


def write_analysis(found: Analysis, folder: Path, kind: str = "png", progress: Told | None = None) -> list[str]:
    """Write tables and pictures of an analysis; the names of the files.

    Raises:
        OutputError: the folder holds something else, or can't be written.
        MissingExtraError: pyarrow or Matplotlib is not installed.
    """
    with picture_folder(folder, KIND) as new:
        files = write_tables(found, new) + _saved(new, _pictures(found, kind), progress)
        write_manifest(new, {"generator": f"onnx2graphml {KIND}", "files": files})
    return files


def write_course(found: Course, folder: Path, kind: str = "png", progress: Told | None = None) -> list[str]:
    """The same of checkpoints: measures through training, and the analysis of the last one."""
    with picture_folder(folder, KIND) as new:
        files = write_tables(found.last, new)
        write_layers(new / "course.csv", list(found.epochs.items()))
        courses = [(f"course-{name}.{kind}", lambda name=name: pages.course(found, name)) for name in found.last.values]
        files += ["course.csv", *_saved(new, [*courses, *_pictures(found.last, kind)], progress)]
        write_manifest(new, {"generator": f"onnx2graphml {KIND}", "epochs": list(found.epochs), "files": files})
    return files


Drawn = list[tuple[str, Callable[[], Page]]]


def _pictures(found: Analysis, kind: str) -> Drawn:
    """Names of pictures, and how each is made."""
    layers = found.graph.layers
    drawn: Drawn = [(f"layers.{kind}", lambda: pages.layers_as_graph(found))]
    drawn += [(f"{name}.{kind}", lambda name=name: pages.distributions(found, name)) for name in found.values]  # type: ignore[misc]
    drawn += [
        (f"{file_name(k, len(layers), layer.name)}.{kind}", lambda layer=layer: pages.maps(found, layer, CHANNELS))  # type: ignore[misc]
        for k, layer in enumerate(layers)
        if layer.neurons
    ]
    return drawn


def _saved(folder: Path, drawn: Drawn, progress: Told | None) -> list[str]:
    for k, (name, page) in enumerate(drawn):
        save(page(), folder / name)
        if progress is not None:
            progress(k + 1, len(drawn), name)
    return [name for name, _ in drawn]
