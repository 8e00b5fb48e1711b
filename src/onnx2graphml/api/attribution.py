"""What one input does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph

if TYPE_CHECKING:
    from onnx2graphml.attribution.trace import Trace
    from onnx2graphml.inference.inputs import InputLike


def trace(
    model: Any,
    input: InputLike,
    path: str | Path | None = None,
    *,
    target: tuple[str, Sequence[int]] | None = None,
    rule: str = "lrp-0",
    rules: Mapping[str, str] | None = None,
    keep: float | None = None,
    top_k: int | None = None,
    max_edges: int = 1_000_000,
    seed: int = 0,
    preprocess: str | None = None,
) -> Trace:
    """Where does this output come from? The part of the graph that carries it, from one neuron back to the input.

    Each neuron's value is shared out among its in-edges, layer by layer. A softmax at the end is left out: the logit is
    explained. Of a maximum, the chosen candidate takes all.

    Args:
        model: a graph, or what `load` takes.
        input: as for `activations`.
        path: a .graphml file to write the trace into.
        target: a layer and a position in its shape; by default the largest neuron of the last output.
        rule: how a neuron's share is divided: `gradient` (gradient · value), `lrp-0` (weight · value), `lrp-epsilon`,
            `lrp-gamma`, `alpha-beta`, or `influence` (|weight · value|).
        rules: by layer, another rule.
        keep: of each layer, the strongest flows that carry this share of their absolute sum; 0.95 by default.
        top_k: instead, so many of the strongest in-edges of each neuron.
        max_edges: the trace is refused when it has more.
        seed, preprocess: as for `activations`.

    Returns:
        `found.to_networkx()` is the sub-graph; `found.summary()` says what was kept and cut at each layer;
        `found.relevance.at("conv1")` is a layer's relevance, in its shape.

    Raises:
        Error: the input does not fit, or an option is none of those above.
        UnsupportedError: a layer is of a kind that attribution is not defined for.
        TooLargeError: the trace has more than `max_edges` edges.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.trace("fixtures/digits.onnx", "ties", top_k=3)
        >>> found.steps[0].layer, found.steps[0].edges
        ('digit', 3)
    """
    import numpy as np

    from onnx2graphml.attribution.local import local
    from onnx2graphml.attribution.relevance import relevance
    from onnx2graphml.attribution.trace import check, trace
    from onnx2graphml.inference.activations import activations
    from onnx2graphml.inference.inputs import resolve

    check(keep, top_k)
    graph = as_graph(model)
    inputs = [layer for layer in graph.layers if layer.aggregation == "input"]
    values = activations(graph, resolve(graph, input, seed=seed, preprocess=preprocess), inputs)
    around = local(graph, values)
    if target is None:
        last = graph.layer(graph.outputs[-1])
        neuron = last.first_id + int(np.argmax(around.value[last.ids]))
    else:
        neuron = graph.neuron(*target)
    found = trace(relevance(around, neuron, rule, rules), keep=keep, top_k=top_k, max_edges=max_edges)
    if path is not None:
        found.write(path)
    return found
