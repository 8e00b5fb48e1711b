"""The colours of layers, light enough for text and told apart in print; and the paper's own."""

FILLS = {
    "input": "#d9f0d3",
    "constant": "#f2f2f2",
    "convolution": "#cfe2f7",
    "dense": "#fbdcc0",
    "pool": "#e3d7f1",
    "join": "#fff1b8",
    "move": "#ffffff",
    "other": "#eeeeee",
}
"""By what a layer does with its in-edges."""

PAPER = "#ffffff"
INK = "#1a1a1a"
BORDER = "#7a8794"
END = "#2c7a3f"  # the border of the network's inputs and outputs
ARROW = "#55606b"
REPEAT = "#a8326e"
SKIPS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#e07b00", "#17868f", "#c2418f", "#8a6d00")
"""Of arrows that lead past other layers, by their source."""
