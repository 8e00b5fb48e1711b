"""Models as graphs, and parts of graphs."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy.typing as npt
import onnx

from onnx2graphml.arguments import typed
from onnx2graphml.build.detail import at_detail
from onnx2graphml.build.walk import walk
from onnx2graphml.errors import Error, ModelError, did_you_mean, reason
from onnx2graphml.formats.registry import suffix_of
from onnx2graphml.frontends import FILES, FOLDER, Imported
from onnx2graphml.graph import select as parts
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.model import load_model
from onnx2graphml.model.fixed import check_fixed
from onnx2graphml.model.static import check_shapes

log = logging.getLogger("onnx2graphml")

Shapes = Mapping[str, Sequence[int]]
Fixed = Mapping[str, npt.ArrayLike]


@typed
def load(
    source: Any,
    *,
    shapes: Shapes | None = None,
    detail: str = "layer",
    trust: bool = False,
    check: bool = True,
    fixed: Fixed | None = None,
    original: Any = None,
) -> NeuronGraph:
    """A trained network as a graph of its neurons. Lazy: nothing is expanded.

    Args:
        source: a path to an ONNX file, a Keras file (.keras, .h5), a SavedModel folder or a PyTorch program (.pt2); or
            a Keras model, a `torch.export.ExportedProgram` or an `onnx.ModelProto` in memory. For a PyTorch module see
            `from_torch`. Also a graph that `write` wrote, or one for NetworkX, edited since or not; its edges are held
            one by one, about 80 bytes each.
        shapes: full static shapes by input name, where the model leaves other dimensions open than the batch, which
            is 1.
        detail: `op` (a layer for every ONNX tensor), `layer` (what the framework calls a layer) or `neuron` (only what
            computes).
        trust: let the framework run code that the file holds, such as a Keras Lambda layer.
        check: compare a framework's own prediction with that of its ONNX export, for one random input. A .keras file
            that is read without Keras has none.
        fixed: a number or an array, by name, for inputs of an ONNX model that are to be constants, as `{"sr": 16000}`.
        original: of a written graph, the model that it was made from: for the names, shapes and types of inputs and
            outputs. An .npz has no attributes of nodes, and needs it.

    Raises:
        Error: a written graph is damaged, has a cycle, or lacks an attribute.
        ModelError: the file is missing, is no model, leaves a shape open, or its export differs from the framework.
        UnsupportedError: something in the network is not handled exactly.
        MissingExtraError: the framework is not installed.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.load("fixtures/digits.onnx")
        >>> graph.neurons, graph.edges
        (3738, 25816)
    """
    check_shapes(shapes)
    check_fixed(fixed)
    if fixed and not _is_onnx(source):
        raise Error("fixed inputs are for ONNX models alone; export the model to ONNX, or leave them out")
    if isinstance(source, onnx.ModelProto):
        return at_detail(walk(load_model(source, shapes, fixed=fixed)), detail)
    if isinstance(source, str | Path) and suffix_of(Path(source).name) is not None and Path(source).exists():
        return _load_graph(Path(source), original, shapes, detail, trust)
    if "networkx" in sys.modules and isinstance(source, sys.modules["networkx"].Graph):
        from onnx2graphml.rebuild.read import from_networkx

        return from_networkx(source, _original(original, source.graph.get("detail") or detail, shapes, trust))
    if original is not None:
        raise Error("original is for a written graph: the model that it was made from; leave it out")
    if isinstance(source, str | Path):
        return _load_file(Path(source), shapes, detail, trust, check, fixed)
    if "keras" in sys.modules and isinstance(source, sys.modules["keras"].Model):
        from onnx2graphml.frontends import keras

        return _imported(keras.from_keras(source, shapes=shapes), source.name, detail, check)
    if "torch" in sys.modules and isinstance(source, sys.modules["torch"].export.ExportedProgram):
        from onnx2graphml.frontends import torch_files

        return _imported(torch_files.from_exported(source, shapes=shapes), "ExportedProgram", detail, check)
    if "torch" in sys.modules and isinstance(source, sys.modules["torch"].jit.ScriptModule):
        from onnx2graphml.frontends.torch import SCRIPTED

        raise ModelError(SCRIPTED)
    raise ModelError(
        f"got {type(source).__name__}; expected a path, a Keras model, a torch.export.ExportedProgram or an "
        f"onnx.ModelProto (a PyTorch module goes to from_torch, with example inputs)"
    )


@typed
def from_torch(
    module: Any, example_inputs: tuple[Any, ...], *, detail: str = "layer", check: bool = True
) -> NeuronGraph:
    """A PyTorch module as a graph of its neurons.

    Args:
        module: a `torch.nn.Module`; it is exported as in evaluation.
        example_inputs: a tuple of tensors with batch 1, as the module takes them.
        detail: as for `load`.
        check: compare the module's own outputs with those of its ONNX export, for the example inputs and for others.

    Raises:
        MissingExtraError: PyTorch is not installed.
        ModelError: the module can't be exported, or the export computes something else.
        UnsupportedError: something in the network is not handled exactly.

    Example:
        >>> import torch, onnx2graphml
        >>> onnx2graphml.from_torch(torch.nn.Linear(3, 2), (torch.zeros(1, 3),)).edges
        6
    """
    from onnx2graphml.frontends import torch

    return _imported(torch.from_torch(module, example_inputs), type(module).__name__, detail, check)


def as_graph(model: Any) -> NeuronGraph:
    """A graph as it is, and the one that a view for NetworkX is of; of anything else, what `load` makes."""
    found = getattr(model, "neuron_graph", model)
    return found if isinstance(found, NeuronGraph) else load(model)


@typed
def select(
    model: Any,
    layers: str | Sequence[str] | None = None,
    *,
    min_abs_weight: float | None = None,
    top_k: int | None = None,
    sample: int | None = None,
    winners: bool = False,
    seed: int = 0,
) -> NeuronGraph:
    """A part of a graph, chosen exactly; what is left out is never expanded.

    Args:
        model: a graph, or what `load` takes.
        layers: a sub-network: names, in a list or separated by commas; or `FIRST:LAST`, two names with all layers
            between them in the graph's order, of which either may be left out. A layer whose sources are not among them
            becomes an input, with the values that it has in the whole network.
        min_abs_weight: only edges of this weight or more, either sign.
        top_k: only the strongest in-edges of each neuron.
        sample: only so many edges, uniformly random.
        winners: of every choice, such as a pooling window, only the edge that the graph's input chose; all other edges
            stay. The graph needs an input: `graph.with_input(x)`.
        seed: random seed of the sample.

    Raises:
        Error: there is no such layer, a number is out of range, or more than one way to leave edges out is given.

    Example:
        >>> import onnx2graphml
        >>> graph = onnx2graphml.select("fixtures/digits.onnx", "conv1:maxpool", top_k=2)
        >>> [layer.name for layer in graph.layers], graph.edges
        (['conv1', 'bn1', 'relu1', 'maxpool'], 2560)
    """
    given = {"min_abs_weight": min_abs_weight, "top_k": top_k, "sample": sample, "winners": winners or None}
    if sum(value is not None for value in given.values()) > 1:
        raise Error(f"{' and '.join(n for n, v in given.items() if v is not None)} are given; choose one of them")
    graph = as_graph(model)
    if layers is not None:
        graph = parts.subnetwork(graph, layers)
    if min_abs_weight is not None:
        return parts.min_abs_weight(graph, min_abs_weight)
    if top_k is not None:
        return parts.top_k(graph, top_k)
    if winners:
        return parts.winners(graph)
    return graph if sample is None else parts.sample(graph, sample, seed)


def _load_graph(path: Path, original: Any, shapes: Shapes | None, detail: str, trust: bool) -> NeuronGraph:
    from onnx2graphml.rebuild.read import from_file
    from onnx2graphml.verification.file.check import detail_of

    made_from = _original(original, detail_of(path) or detail, shapes, trust) if original is not None else None
    return from_file(path, made_from)


def _original(original: Any, detail: str, shapes: Shapes | None, trust: bool) -> NeuronGraph | None:
    if original is None or isinstance(original, NeuronGraph):
        return original
    return load(original, shapes=shapes, detail=detail, trust=trust)


def _is_onnx(source: Any) -> bool:
    if isinstance(source, str | Path):
        path = Path(source)
        return suffix_of(path.name) is None and path.suffix.lower() not in FILES and not path.is_dir()
    return isinstance(source, onnx.ModelProto)


def _load_file(
    path: Path, shapes: Shapes | None, detail: str, trust: bool, check: bool, fixed: Fixed | None
) -> NeuronGraph:
    try:
        path.stat()
    except OSError as e:
        why = f"no such file{_nearest(path)}" if isinstance(e, FileNotFoundError) else reason(e)
        raise ModelError(f"{path}: {why}") from None
    loader = FOLDER if path.is_dir() else FILES.get(path.suffix.lower())
    if loader is not None:
        module, name = loader.split(":")
        imported = getattr(importlib.import_module(module), name)(path, shapes=shapes, trust=trust)
        return _imported(imported, path.name, detail, check, (path,))
    return at_detail(walk(load_model(path, shapes, fixed=fixed)), detail)


def _nearest(path: Path) -> str:
    """A question that names the file beside it whose name is most alike."""
    try:
        return did_you_mean(path.name, [p.name for p in path.absolute().parent.iterdir()])
    except OSError:
        return ""


def _imported(imported: Imported, name: str, detail: str, check: bool, files: tuple[Path, ...] = ()) -> NeuronGraph:
    read = load_model(imported.light)
    model = dataclasses.replace(
        read,
        name=name,
        predict=imported.predict,
        other_predictions=imported.other_predictions,
        framework_roundoff=imported.roundoff,
        files=files,
    )
    graph = at_detail(walk(model), detail)
    notes = imported.notes
    if check:
        from onnx2graphml.inference.inputs import made
        from onnx2graphml.verification.import_check import check_import

        feeds = imported.examples or [made("random", model)]
        notes += tuple(filter(None, [check_import(graph, feeds, imported.outputs_of_layers)]))
    for note in notes:
        log.warning("%s: %s", name, note)
    return graph
