"""Graphs as files, tables and drawings."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed
from onnx2graphml.cpu import processors
from onnx2graphml.errors import Error
from onnx2graphml.files.atomic_file import check_parent
from onnx2graphml.files.inputs import refuse_inputs
from onnx2graphml.graph import neuron as neurons
from onnx2graphml.graph.layer_table import layer_table
from onnx2graphml.graph.neuron import Neuron
from onnx2graphml.graph.table import Table

if TYPE_CHECKING:
    from onnx2graphml.draw.architecture.drawing import Drawing
    from onnx2graphml.formats.estimate import Cost
    from onnx2graphml.progress import Told

WORTH_AN_ESTIMATE = 10_000_000  # edges: below, writing is as quick as asking whether there is room


@typed
def write(
    model: Any,
    path: str | Path,
    *,
    format: str | None = None,
    jobs: int | None = None,
    labels: bool = False,
    max_edges: int | None = None,
    part: tuple[int, int] | None = None,
    ids: str = "int64",
    partition: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Write the graph into a file or a folder: all of it or nothing.

    Args:
        model: a graph, or what `load` takes; or the view that `to_networkx(as_view=True)` made, with its columns.
        path: its suffix chooses the format; see docs/formats.md. An older file of that name is replaced once the new
            one is whole; a folder only if this package wrote it. `-` is standard output.
        format: a suffix such as `.graphml`, in place of the path's.
        jobs: number of threads; all processors by default. What is written does not depend on it.
        labels: in GraphML, also write a `label`, a `depth`, and a place `x`, `y` for each node, and `abs_weight` for
            each edge. NetworkX's `multipartite_layout(g, "depth")` then has the layers in order.
        max_edges: refuse a graph of more edges.
        part: of Parquet, write only this part, such as the third of 64, `(3, 64)`. Each may be written on a machine of
            its own; `merge` puts them together. A part that is finished is left as it is.
        ids: the type of ids in Parquet: `int64`, or `int32`, as cuGraph takes them; not of a part.
        partition: of Parquet, `layer`: a folder for the edges into each layer, `edges/layer=conv1/`, as Hive has them.
        progress: called now and then, from any thread, with the number of edges written since it was called last.

    Raises:
        Error: there is no such part, the format is not written in parts, or has no other type of ids
            and no partition.
        OutputError: the suffix is unknown, the path can't be written, or the format can't hold the graph.
        TooLargeError: there are more edges than allowed, than the format is good for, or than the disk has room for.
        MissingExtraError: the format needs a package that is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.write("fixtures/digits.onnx", "digits.graphml")  # doctest: +SKIP
    """
    from onnx2graphml.formats import estimate, registry, writing
    from onnx2graphml.formats.work import work

    to_file = str(path) != registry.STDOUT
    suffix = format or (registry.suffix(Path(path).name) if to_file else registry.DEFAULT)
    registry.options(registry.find(suffix), jobs, labels, ids, partition)  # a mistake is told before the model is read
    if part is not None and suffix != ".parquet":
        raise Error(f"part {part[0]}/{part[1]} of {suffix}: only .parquet is written in parts")
    if part is not None and ids != registry.IDS[0]:
        raise Error(f"ids of {ids} and a part: parts have ids of {registry.IDS[0]}; leave out one of the two")
    if to_file:
        check_parent(path)
    graph = as_graph(model)
    estimate.check_edges(graph, max_edges)
    if part is not None:
        from onnx2graphml.formats.parquet.shares import write_share

        write_share(graph, Path(path), part, progress, jobs=jobs or processors(), partition=partition)
        return
    is_large = graph.edges + graph.neurons > WORTH_AN_ESTIMATE
    if to_file and is_large and not estimate.has_plenty(graph, Path(path), suffix):
        found = work(graph, suffix, Path(tempfile.gettempdir()), jobs, labels, patience=0)
        estimate.check_room(graph, Path(path), found.all.bytes)
    writing.write(graph, path, format=suffix, progress=progress, jobs=jobs, labels=labels, ids=ids, partition=partition)


@typed
def convert(
    path: str | Path,
    out: str | Path,
    *,
    format: str | None = None,
    jobs: int | None = None,
    labels: bool = False,
    partition: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Table:
    """Write a written graph in another format, without its model.

    The result is, byte by byte, what `write` makes of the model. Where the first format can't tell what the second one
    has, as whether a number is of 32 or 64 bits, it reads back as the same graph. Memory grows with the number of
    neurons, not of edges: the file is read twice, to know what there is and to write it.

    Args:
        path: a file or folder that `write` made. A graph that was edited is loaded instead:
            `write(load(path), out)`.
        out: its suffix chooses the format; `-` is standard output.
        format: as for `write`.
        jobs: as for `write`.
        labels: as for `write`.
        partition: as for `write`.
        progress: as for `write`.

    Returns:
        How many nodes and edges there are.

    Raises:
        Error: the file is damaged, was edited, or is an .npz, which has no attributes of nodes.
        OutputError: the suffix is unknown, the path can't be written, or the format can't hold the graph.
        TooLargeError: there are more edges than the format is good for.
        MissingExtraError: the format needs a package that is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.convert("digits.parquet", "digits.graphml.gz")  # doctest: +SKIP
    """
    from onnx2graphml.formats import registry
    from onnx2graphml.formats.conversion.convert import convert as converted

    suffix = format or (registry.DEFAULT if str(out) == registry.STDOUT else registry.suffix(Path(out).name))
    graph = converted(Path(path), out, format=suffix, progress=progress, jobs=jobs, labels=labels, partition=partition)
    return Table(("nodes", "edges"), ((f"{graph.neurons:,}", f"{graph.edges:,}"),), ">>")


@typed
def merge(path: str | Path) -> Table:
    """Put the parts of a graph together, which `write(..., part=(k, n))` wrote, on whatever machines.

    All parts have to be there, whole, and of one graph. The result is, byte by byte, what `write` makes at once; the
    parts are removed.

    Args:
        path: of the whole graph, as for `write`; the parts are in the folder `path` + `.parts`.

    Returns:
        How many nodes, edges and files it has.

    Raises:
        Error: parts are missing, damaged, or of several graphs.
        OutputError: the path holds something else, or can't be written.
        MissingExtraError: pyarrow is not installed.

    Example:
        >>> import onnx2graphml
        >>> for k in (1, 2, 3):
        ...     onnx2graphml.write("fixtures/digits.onnx", "whole.parquet", part=(k, 3))  # doctest: +SKIP
        >>> print(onnx2graphml.merge("whole.parquet"))  # doctest: +SKIP
        nodes   edges  files
        3,738  25,816     10
    """
    from onnx2graphml.formats.parquet.shares import merge as merged

    found = merged(Path(path))
    row = (f"{found['nodes']:,}", f"{found['edges']:,}", f"{len(found['parts']) + 1:,}")
    return Table(("nodes", "edges", "files"), (row,), ">>>")


@typed
def estimate(model: Any, format: str, *, jobs: int | None = None, labels: bool = False) -> Cost:
    """The size and the time of the graph in a format.

    A sample of each kind of edges and nodes is written beside the target and removed, in about half a second. Sizes are
    right within a quarter, for most formats within a hundredth; so are times, on a machine without other work. They are
    of the writing alone, with what a process loads when it first writes, until all is on the disk.

    Args:
        model: a graph, or what `load` takes.
        format: a suffix such as `.graphml`, or a file's name, whose folder's disk then counts. Of `.onnx`, the network
            that `to_onnx` makes, size and time come from small layers of each kind.
        jobs: as `write` takes them.
        labels: as `write` takes them.

    Returns:
        `bytes` and `seconds`.

    Raises:
        OutputError: the suffix is unknown, or the format can't hold the graph.
        MissingExtraError: the format needs a package that is not installed.
        TooLargeError: the format is not good for that many edges.

    Example:
        >>> import onnx2graphml
        >>> 2e6 < onnx2graphml.estimate("fixtures/digits.onnx", ".graphml").bytes < 4e6
        True
    """
    from onnx2graphml.api.export import SUFFIX, export_cost, refuse_labels
    from onnx2graphml.formats import estimate as estimating
    from onnx2graphml.formats import registry

    if str(format).lower().endswith(SUFFIX):
        refuse_labels(labels)
        return export_cost(as_graph(model), Path(format).parent)
    suffix, folder = registry.suffix(format), Path(format).parent
    return estimating.estimate(as_graph(model), suffix, folder=folder, jobs=jobs, labels=labels)


@typed
def estimates(model: Any, *, progress: Told | None = None) -> dict[str, Cost | str]:
    """The size and the time of the graph in every format, or the reason why it can't be written.

    Args:
        model: a graph, or what `load` takes.
        progress: told how many formats are tried, of how many, and the next one.

    Example:
        >>> import onnx2graphml
        >>> ".graphml" in onnx2graphml.estimates("fixtures/digits.onnx")  # doctest: +SKIP
        True
    """
    from onnx2graphml.formats import estimate as estimating

    return estimating.estimates(as_graph(model), progress)


@typed
def info(model: Any) -> Table:
    """The layers as a table: name, operator, shape, and numbers of neurons, in-edges and parameters.

    Nothing is expanded. `print` shows it as text, a notebook as a table.

    Args:
        model: a graph, or what `load` takes.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.info("fixtures/digits.onnx").rows[1]
        ('conv1', 'Conv2D', 'Conv', '3×3', '(8, 8, 16)', '1,024', '7,744', '160')
    """
    return layer_table(as_graph(model))


@typed
def neuron(model: Any, layer: str, index: Sequence[int]) -> Neuron:
    """One neuron: what it computes, its in-edges and out-edges, its receptive field. No other edge is expanded.

    Args:
        model: a graph, or what `load` takes.
        layer: the layer's name.
        index: the neuron's position in the layer's shape.

    Raises:
        Error: there is no such layer or position.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.neuron("fixtures/digits.onnx", "conv1", (0, 0, 5))
        >>> found.id, len(found.in_edges), int(found.receptive_field["image"].sum())
        (69, 4, 4)
    """
    graph = as_graph(model)
    return neurons.neuron(graph, graph.neuron(layer, index))


@typed
def architecture(model: Any, path: str | Path, *, fold: bool | None = None, columns: int | None = None) -> Drawing:
    """Draw the network's layers as boxes and arrows.

    Args:
        model: a graph, or what `load` takes.
        path: an .svg, .png, .pdf or .dot file.
        fold: draw parts that stand several times in a row once; by default where there are more than 40 layers.
        columns: of boxes, at most; by default as many as a screen's shape asks for.

    Returns:
        What was drawn: `boxes` and `folds`.

    Raises:
        Error: the suffix is none of these.
        OutputError: the file can't be written.
        MissingExtraError: what .png and .pdf need is not installed.

    Example:
        >>> import onnx2graphml
        >>> onnx2graphml.architecture("fixtures/digits.onnx", "digits.svg")  # doctest: +SKIP
    """
    from onnx2graphml.draw.architecture.architecture import architecture as drawn
    from onnx2graphml.draw.architecture.architecture import check_suffix

    check_suffix(str(path))
    check_parent(path)
    graph = as_graph(model)
    refuse_inputs(path, graph.model.files if graph.model is not None else ())
    return drawn(graph, path, fold=fold, columns=columns)
