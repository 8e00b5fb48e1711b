"""Does an export compute what the framework does? Asked once, when a model comes in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from onnx2graphml.errors import ModelError, reason
from onnx2graphml.graph.graph import NeuronGraph
from onnx2graphml.inference.activations import activations
from onnx2graphml.verification.against_runtime import Array, prediction_rows, roundoff

Feed = Mapping[str, Array]

CLEARLY = 1e-3  # relative to a layer's largest value: a difference that no rounding makes


def check_import(
    graph: NeuronGraph, feeds: Sequence[Feed], outputs_of_layers: Callable[[Feed], Mapping[str, Array]]
) -> str:
    """Compare the framework's own prediction with what ONNX Runtime makes of its export.

    Args:
        graph: with the model that it was made from, and that model's prediction by the framework.
        feeds: what to predict from, each with an array for every input.
        outputs_of_layers: what the framework's layers put out, by name; asked only where the outputs differ.

    Returns:
        Why nothing could be compared; empty where everything was, and was equal.

    Raises:
        ModelError: they differ; names the layer where that starts.
    """
    model = graph.require_model()
    if model.predict is None:
        return ""
    for feed in feeds:
        try:
            rows = prediction_rows(graph, model, feed)
        except Exception as e:  # of any kind: a framework or a runtime that can't run it
            return f"the export was not compared with the framework's own prediction: {type(e).__name__}: {reason(e)}"
        worst = max(rows, key=lambda row: row.share, default=None)
        if worst is not None and not worst.passed:
            where = _start(graph, feed, outputs_of_layers(feed)) or f"the {worst.layer}"
            raise ModelError(
                f"{where}: the framework and its ONNX export differ, in the end by {worst.absolute:.2g}: the exporter "
                f"gets something wrong here; write that part otherwise, or pass check=False to have the export's graph"
            )
    return ""


def _start(graph: NeuronGraph, feed: Feed, theirs: Mapping[str, Array]) -> str:
    """The first layer that differs clearly, as far as the framework tells its layers' values."""
    clearly = max(CLEARLY, 32 * roundoff(graph, graph.require_model()))
    ours = activations(graph, feed)
    for layer in graph.layers:
        if layer.name in theirs and theirs[layer.name].size == layer.neurons:
            got = np.asarray(ours[layer.name], np.float64).ravel()
            expected = np.asarray(theirs[layer.name], np.float64).ravel()
            size = np.abs(expected[np.isfinite(expected)]).max(initial=0)
            if not np.allclose(got, expected, rtol=clearly, atol=clearly * size, equal_nan=True):
                return f"layer {layer.name!r}"
    return ""
