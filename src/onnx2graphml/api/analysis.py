"""Network science on all neurons of a network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import Fixed, Shapes, load, select
from onnx2graphml.arguments import typed
from onnx2graphml.cuda.device import resolved, using
from onnx2graphml.graph.graph import NeuronGraph

if TYPE_CHECKING:
    from onnx2graphml.analysis.analysis import Analysis
    from onnx2graphml.analysis.course import Course
    from onnx2graphml.inference.inputs import InputLike

Told = Callable[[int, int, str], None]


@typed
def analyze(
    model: Any,
    folder: str | Path | None = None,
    *,
    measures: str | Sequence[str] | None = None,
    weight: str = "abs",
    layers: str | Sequence[str] | None = None,
    detail: str = "layer",
    shapes: Shapes | None = None,
    trust: bool = False,
    fixed: Fixed | None = None,
    input: InputLike | None = None,
    seed: int = 0,
    preprocess: str | None = None,
    format: str = "png",
    device: str = "cpu",
    progress: Told | None = None,
) -> Analysis | Course:
    """Measures of all neurons, told by layer; no edge is expanded.

    Args:
        model: a graph, what `load` takes, or a folder of two or more checkpoints, in the order of their names.
        folder: where `nodes.parquet` (a column for each measure), `layers.csv`, `analysis.json` and pictures go; of
            checkpoints also `course.csv`. It is written whole, and replaced if this package wrote it. None writes none.
        measures: names, as a list or separated by commas; see docs/measures.md. By default those that take less than a
            minute for VGG16.
        weight: what edges weigh: `abs`, their absolute value; `signed`, as they are; `none`, all the same. In a graph
            with an input, it is their contribution instead: weight · value of the source.
        layers: only these, as `select` takes them.
        detail: as for `load`, where the model is not a graph yet.
        shapes: as for `load`, where the model is not a graph yet.
        trust: as for `load`, where the model is not a graph yet.
        fixed: as for `load`, where the model is not a graph yet.
        input: of the network, for its contributions; by default the graph's own, if it has one.
        seed: as for `activations`.
        preprocess: as for `activations`.
        format: file format of the pictures: `png`, `svg` or `pdf`.
        device: `cpu`; `cuda`, a GPU for the products with weights (extra `cuda`); or `auto`, a GPU where there is one.
        progress: told after each measure, checkpoint or picture how many are done, of how many, and its name.

    Returns:
        `found.values["pagerank"]` has a number for every neuron, `found.layers` its summary in each layer,
        `found.table()` is the table. Of checkpoints, `found.epochs` has these by name.

    Raises:
        Error: there is no such measure or weight, weights are negative where that has no meaning, checkpoints have
            different layers, or no GPU can be used.
        TooLargeError: a measure that was asked for can't be computed for so large a network.
        OutputError: the folder holds something else, or can't be written.
        MissingExtraError: pyarrow, Matplotlib or numba-cuda is not installed.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.analyze("fixtures/digits.onnx", measures="in_degree")
        >>> found.values["in_degree"].by_layer()["digit"].tolist()
        [48, 48, 48, 48, 48, 48, 48, 48, 48, 48]
    """
    from onnx2graphml.analysis.analysis import analyze as analyzed
    from onnx2graphml.analysis.chosen import chosen, weight_of
    from onnx2graphml.analysis.course import follow

    chosen(measures), weight_of(weight), resolved(device)  # a mistake is told before the model is read
    if folder is not None:
        _check(Path(folder), format)

    def of(source: Any, told: Told | None = None) -> Analysis:
        source = getattr(source, "neuron_graph", source)
        known = isinstance(source, NeuronGraph)
        graph = source if known else load(source, shapes=shapes, detail=detail, trust=trust, fixed=fixed)
        if input is not None:
            graph = graph.with_input(input, seed=seed, preprocess=preprocess)
        with using(device):
            return analyzed(select(graph, layers), measures, weight, told)

    if _is_checkpoints(model):
        from onnx2graphml.recording.checkpoints import checkpoints

        files, _ = checkpoints(Path(model))
        course = follow(list(files), lambda name: of(files[name]), progress)
        if folder is not None:
            from onnx2graphml.draw.analysis.folder import write_course

            write_course(course, Path(folder), format, progress)
        return course
    found = of(model, progress)
    if folder is not None:
        from onnx2graphml.draw.analysis.folder import write_analysis

        write_analysis(found, Path(folder), format, progress)
    return found


def _is_checkpoints(model: Any) -> bool:
    if not isinstance(model, str | Path):
        return False
    return Path(model).is_dir() and not (Path(model) / "saved_model.pb").is_file()


def _check(folder: Path, format: str) -> None:
    """What would fail after minutes fails at once."""
    from onnx2graphml.draw.analysis.folder import KIND
    from onnx2graphml.draw.canvas import check_kind
    from onnx2graphml.files.picture_folder import check_folder
    from onnx2graphml.formats import registry

    check_kind(format)
    registry.find(".parquet")
    check_folder(folder, KIND)
