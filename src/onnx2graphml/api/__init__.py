"""What a user calls. A function for every command, and a few more; each is a few lines over the rooms below."""

from onnx2graphml.api.analysis import analyze
from onnx2graphml.api.attribution import trace
from onnx2graphml.api.checking import verify, verify_file, write_report
from onnx2graphml.api.exploring import explore
from onnx2graphml.api.export import to_onnx
from onnx2graphml.api.graphs import architecture, convert, estimate, estimates, info, merge, neuron, write
from onnx2graphml.api.loading import from_torch, load, select
from onnx2graphml.api.pictures import activations, weights
from onnx2graphml.api.pruning import prune
from onnx2graphml.api.recording import film, record
from onnx2graphml.api.training import film_callback, film_hook, plot_pattern_process

__all__ = [
    "activations",
    "analyze",
    "architecture",
    "convert",
    "estimate",
    "estimates",
    "explore",
    "film",
    "film_callback",
    "film_hook",
    "from_torch",
    "info",
    "load",
    "merge",
    "neuron",
    "plot_pattern_process",
    "prune",
    "record",
    "select",
    "to_onnx",
    "trace",
    "verify",
    "verify_file",
    "weights",
    "write",
    "write_report",
]
