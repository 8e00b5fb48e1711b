"""Does a graph, or a written file, compute the network?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import Fixed, Shapes, as_graph, load
from onnx2graphml.arguments import typed
from onnx2graphml.cuda.device import resolved, using
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph

if TYPE_CHECKING:
    from onnx2graphml.inference.inputs import Array, InputLike
    from onnx2graphml.verification.report import Report


@typed
def verify(
    model: Any,
    inputs: InputLike | Sequence[InputLike] = "random",
    *,
    seed: int = 0,
    preprocess: str | None = None,
    fast: bool = False,
    sample_neurons: int | None = None,
    device: str = "cpu",
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Recompute every layer from the edges into it, and compare it with ONNX Runtime's value of the same tensor.

    The framework's own prediction, where the model came from one, is compared with ONNX Runtime's outputs, too. Each
    layer starts from ONNX Runtime's values of the layers before it: a difference is found in the layer that makes it,
    and only that layer's own rounding has to be allowed for.

    Args:
        model: a graph at any level of detail, or what `load` takes.
        inputs: one input or a list of them. An input is a name (`random`, `zeros`, `large`, `ties`), an .npy or .npz
            file, a picture, an array, or arrays by input name.
        seed: random seed; a list's second input has the next seed, and so on.
        preprocess: how a picture's values are scaled: `0..1`, `-1..1`, `caffe`, `imagenet` or `none`.
        fast: sum by planes of edges, as matrix products, instead of edge by edge. Many times as fast; the report says
            so. What the two make of every layer is compared by the package's tests.
        sample_neurons: check only so many random neurons of each layer, chosen by `seed`, each from all edges into it.
        device: `cpu`; `cuda`, a GPU, edge by edge (extra `cuda`); or `auto`, a GPU where there is one.
        progress: called with the number of edges used since it was called last.

    Returns:
        A row for each layer; `report.passed` says whether all of them are equal but for rounding.

    Raises:
        Error: an input does not fit, edges were left out of the graph, ONNX Runtime can't run the model, there are no
            neurons to check, or no GPU can be used.
        MissingExtraError: numba-cuda is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.verify("fixtures/digits.onnx", ["random", "zeros"]).passed
        True
    """
    from onnx2graphml.verification import against_runtime

    if sample_neurons is not None and sample_neurons < 1:
        raise Error(f"sample_neurons is {sample_neurons}; expected 1 or more neurons of each layer")
    if sample_neurons is not None and fast:
        raise Error("fast sums whole layers, and sample_neurons single neurons; leave out one of the two")
    if fast or sample_neurons is not None:
        if device == "cuda":
            raise Error("device 'cuda' sums all edges of whole layers; leave out fast and sample_neurons")
        device = "cpu"
    device = resolved(device)
    graph = as_graph(model)
    sample = None if sample_neurons is None else against_runtime.Sample(sample_neurons, seed)
    with using(device):
        return against_runtime.verify(graph, _feeds(graph, inputs, seed, preprocess), progress, fast, sample)


@typed
def verify_file(
    model: Any,
    path: str | Path,
    inputs: InputLike | Sequence[InputLike] = "random",
    *,
    seed: int = 0,
    preprocess: str | None = None,
    shapes: Shapes | None = None,
    trust: bool = False,
    fixed: Fixed | None = None,
    worst: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Compare a written graph with ONNX Runtime's values of the model, and with the model's own edges.

    The file is read once, whatever the number of inputs, and once more for `worst`.

    Args:
        model: what `load` takes, which is then loaded at the file's level of detail; or a graph at that level.
        path: a file or folder in one of the formats that can be read back.
        inputs: as for `verify`.
        seed: as for `verify`.
        preprocess: as for `verify`.
        shapes: as for `load`.
        trust: as for `load`.
        fixed: as for `load`.
        worst: of how many layers that differ the in-edges of the worst neuron are told, in `report.worst`.
        progress: called with the number of edges read since it was called last.

    Returns:
        As `verify`; what the format can't hold is taken from the model and stands in `report.unchecked`.

    Raises:
        Error: the file is damaged, is of another model, or has other layers; or as `verify`.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> onnx2graphml.write(graph, "digits.graphml")  # doctest: +SKIP
        >>> onnx2graphml.verify_file(graph, "digits.graphml").passed  # doctest: +SKIP
        True
    """
    from onnx2graphml.verification.file import check

    if isinstance(model, NeuronGraph):
        graph = model
    else:
        graph = load(model, shapes=shapes, detail=check.detail_of(path) or "layer", trust=trust, fixed=fixed)
    return check.verify_file(graph, path, _feeds(graph, inputs, seed, preprocess), worst=worst, progress=progress)


@typed
def write_report(report: Report, path: str | Path) -> None:
    """Write what verification found, for machines.

    Args:
        report: what `verify` or `verify_file` found.
        path: a .json file, or an .xml file in JUnit's format, with a test case for each layer.

    Raises:
        OutputError: the suffix is none of these, or the file can't be written.

    Example:
        >>> import onnx2graphml
        >>> report = onnx2graphml.verify("fixtures/digits.onnx")
        >>> onnx2graphml.write_report(report, "report.json")  # doctest: +SKIP
    """
    from onnx2graphml.verification import reports

    reports.write_report(report, path)


def _feeds(
    graph: NeuronGraph, inputs: InputLike | Sequence[InputLike], seed: int, preprocess: str | None
) -> dict[str, Mapping[str, Array]]:
    """Each input's arrays, under the name that a report gives it."""
    from onnx2graphml.inference.inputs import is_picture, resolve

    several = inputs if isinstance(inputs, list | tuple) else [inputs]
    found: dict[str, Mapping[str, Array]] = {}
    for_all = not any(map(is_picture, several))  # where there is no picture, a preprocess is a mistake
    for k, given in enumerate(several):
        name = str(given) if isinstance(given, str | Path) else "arrays"
        name = f"{name} {seed + k}" if name == "random" else f"{name} {k}" if name in found else name
        found[name] = resolve(
            graph, given, seed=seed + k, preprocess=preprocess if for_all or is_picture(given) else None
        )
    return found
