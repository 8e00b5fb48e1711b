"""The commands: one line each. Help, README and tests go by this list; a command's module is named as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        arguments: as they are shown in a list of commands.
        summary: what it does.
        function: the public function of the package that it calls.
    """

    arguments: str
    summary: str
    function: str


COMMANDS = {
    "convert": Command("MODEL OUT", "write the graph; OUT's suffix chooses the format (the default command)", "write"),
    "merge": Command("OUT", "put together the parts that --part wrote", "merge"),
    "info": Command("MODEL", "print the layers: shapes, neurons, edges, parameters", "info"),
    "verify": Command("MODEL [GRAPH]", "check the graph, or a written file, against ONNX Runtime", "verify"),
    "explore": Command("MODEL [INPUT ...] [-o FILE]", "an interactive page: layers, maps, neurons, edges", "explore"),
    "neuron": Command("MODEL LAYER INDEX", "print one neuron: its edges and its receptive field", "neuron"),
    "analyze": Command("MODEL [-o DIR]", "measure all neurons: degrees, PageRank, betweenness", "analyze"),
    "architecture": Command("MODEL -o FILE", "draw the layers as boxes and arrows", "architecture"),
    "weights": Command("MODEL [-o DIR]", "explain, draw, order and measure the trained arrays", "weights"),
    "activations": Command("MODEL INPUT -o DIR", "draw what each layer makes of an input", "activations"),
    "record": Command("MODEL INPUTS -o DIR", "write each layer's values for many inputs; resumable", "record"),
    "trace": Command("MODEL --input INPUT", "go back from an output to the input along what carries it", "trace"),
    "film": Command("CHECKPOINTS INPUT -o DIR", "draw the same input at every checkpoint: strips and a film", "film"),
}
"""By name. Each has a module here with `DESCRIPTION`, `EXAMPLES`, `add_options(parser)` and `run(options)`."""

DEFAULT = "convert"
