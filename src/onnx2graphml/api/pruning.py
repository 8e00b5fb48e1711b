"""Less of a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx2graphml.api.loading import as_graph
from onnx2graphml.arguments import typed

if TYPE_CHECKING:
    from onnx2graphml.pruning.prune import Pruned


@typed
def prune(
    model: Any,
    by: str = "weight",
    keep: float = 0.5,
    *,
    of: str = "edges",
    by_layer: bool = False,
    inputs: Any = None,
) -> Pruned:
    """Leave edges or neurons out, by a measure, and see how far the predictions move.

    Only edges that count among several may go: trained ones, into neurons that add up more than one. Those that pool,
    normalize or move values all stay.

    Args:
        model: a graph, or what `load` takes.
        by: `weight`, its absolute value; `synflow`; `contribution`, the mean of |weight · value| over the inputs;
            `pagerank`, as much as goes along an edge; or `betweenness`.
        keep: which share stays, such as 0.2.
        of: what is chosen: `edges`, each by itself; `weights`, each with all edges that have it, so that a convolution
            stays one; or `neurons`, of which one that goes has no edges into sums any more, in or out, and no bias.
        by_layer: keep that share of each layer, instead of the greatest of all layers together.
        inputs: an array whose first axis counts the inputs, arrays by input name, or an .npy or .npz file of them: how
            far predictions move is found for these, and contributions need them.

    Returns:
        `found.graph` is what stays; `found.layers` says how many edges each layer has left, and `found.moved` how far
        the predictions moved. `print(found)` shows both.

    Raises:
        Error: an option is none of those above, contributions have no inputs, or the inputs do not fit.
        TooLargeError: there are more than 50 million edges that may go.

    Example:
        >>> import onnx2graphml
        >>> found = onnx2graphml.prune("fixtures/digits.onnx", "synflow", 0.2)
        >>> found.graph.edges < found.before.edges
        True
    """
    from onnx2graphml.pruning import predictions
    from onnx2graphml.pruning.prune import Pruned, check, prune

    check(by, keep, of)
    graph = as_graph(model)
    feeds = None if inputs is None else predictions.many(graph, inputs)
    values = predictions.mean_values(graph, feeds) if feeds is not None and by == "contribution" else None
    less = prune(graph, by, keep, of=of, by_layer=by_layer, values=values)
    return Pruned(less, graph, None if feeds is None else predictions.moved(graph, less, feeds))
