"""What one input does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed

if TYPE_CHECKING:
    from onnx2graphml.attribution.local import LocalGraph
    from onnx2graphml.attribution.trace import Trace
    from onnx2graphml.inference.inputs import InputLike


@typed
def trace(
    model: Any,
    input: InputLike,
    path: str | Path | None = None,
    *,
    baseline: InputLike | None = None,
    target: tuple[str, Sequence[int]] | None = None,
    rule: str = "lrp-0",
    rules: Mapping[str, str] | None = None,
    keep: float | None = None,
    top_k: int | None = None,
    net: bool = False,
    max_edges: int = 50_000,
    seed: int = 0,
    preprocess: str | None = None,
) -> Trace:
    """Where does this output come from? The part of the graph that carries it, from one neuron back to the input.

    Each neuron's value is shared out among its in-edges, layer by layer. A softmax at the end is left out: the logit is
    explained. Of a maximum, the chosen candidate takes all.

    Args:
        model: a graph, or what `load` takes.
        input: as for `activations`.
        path: where to write the trace: a .graphml file, or a picture: .png, .svg or .pdf.
        baseline: a second input: the trace then is of what differs, the first input's flows less the second's.
        target: a layer and a position in its shape; by default the largest neuron of the last output.
        rule: how a neuron's share is divided: `gradient` (gradient · value), `lrp-0` (weight · value), `lrp-epsilon`,
            `lrp-gamma`, `alpha-beta`, or `influence` (|weight · value|).
        rules: by layer, another rule.
        keep: of each layer, the strongest flows that carry this share of their absolute sum; 0.95 by default.
        top_k: instead, so many of the strongest in-edges of each neuron.
        net: keep that share of the sum of flows instead, in which what speaks against the target cancels what speaks
            for it: only the strongest that speak for it are kept, and far fewer are needed.
        max_edges: at most so many edges, shared out among the layers; what that cuts is told.
        seed: as for `activations`.
        preprocess: as for `activations`.

    Returns:
        `found.to_networkx()` is the sub-graph; `found.summary()` says what was kept and cut at each layer;
        `found.relevance.at("conv1")` is a layer's relevance, in its shape.

    Raises:
        Error: the input does not fit, or an option is none of those above.
        UnsupportedError: a layer is of a kind that attribution is not defined for.
        OutputError: the path has another suffix, or can't be written.
        MissingExtraError: Matplotlib, which pictures need, is not installed.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.trace("fixtures/digits.onnx", "ties", top_k=3)
        >>> found.steps[0].layer, found.steps[0].edges
        ('digit', 3)
    """
    from onnx2graphml.attribution.difference import Difference
    from onnx2graphml.attribution.local import local
    from onnx2graphml.attribution.relevance import relevance
    from onnx2graphml.attribution.trace import Explained, check, trace
    from onnx2graphml.files.inputs import refuse_inputs
    from onnx2graphml.inference.activations import activations
    from onnx2graphml.inference.inputs import resolve

    check(keep, top_k, max_edges, net)
    write = _writer(path, "bgr" if preprocess == "caffe" else "rgb")
    graph = as_graph(model)
    if path is not None:
        refuse_inputs(path, graph.model.files if graph.model is not None else ())
    inputs = [layer for layer in graph.layers if layer.aggregation == "input"]

    def around(given: InputLike) -> LocalGraph:
        return local(graph, activations(graph, resolve(graph, given, seed=seed, preprocess=preprocess), inputs))

    first = around(input)
    neuron = _largest(first) if target is None else graph.neuron(*target)
    one = relevance(first, neuron, rule, rules)
    explained: Explained = one
    if baseline is not None:
        explained = Difference(one, relevance(around(baseline), neuron, rule, rules))
    found = trace(explained, keep=keep, top_k=top_k, net=net, max_edges=max_edges)
    write(found)
    return found


def _largest(around: LocalGraph) -> int:
    """The largest neuron of the last output."""
    import numpy as np

    last = around.graph.layer(around.graph.outputs[-1])
    return last.first_id + int(np.argmax(around.value[last.ids]))


def _writer(path: str | Path | None, colours: str) -> Callable[[Trace], None]:
    """What writes a trace into a file of that name; a mistake is told before anything is computed."""
    from onnx2graphml.draw.canvas import KINDS, save
    from onnx2graphml.errors import OutputError
    from onnx2graphml.files.atomic_file import check_parent

    if path is None:
        return lambda found: None
    suffix = Path(path).suffix.lower()
    if suffix.removeprefix(".") not in (*KINDS, "graphml"):
        raise OutputError(f"a trace is written as .graphml, or drawn as .{', .'.join(KINDS)}; got {str(path)!r}")
    check_parent(path)
    if suffix == ".graphml":
        return lambda found: found.write(path)

    from onnx2graphml.draw.trace.trace import page

    return lambda found: save(page(found, colours), Path(path))
