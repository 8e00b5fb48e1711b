"""What is drawn of a recording: the same channels of a layer at each epoch, in the same colours."""

from __future__ import annotations

from dataclasses import dataclass

from onnx2graphml.draw.colours import Scale, scale_of
from onnx2graphml.draw.tiles import Tiles, alike
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import Layer
from onnx2graphml.recording.epochs import Recording

LIMIT = 16  # channels of a layer that are shown


@dataclass(frozen=True, eq=False)
class Shown:
    """What is drawn of a layer.

    Attributes:
        layer: the layer.
        tiles: of each epoch; the same channels in all of them.
        scale: of all its values at all epochs, also of channels that are not drawn.
    """

    layer: Layer
    tiles: tuple[Tiles, ...]
    scale: Scale


def shown(recording: Recording, layer: Layer, limit: int = LIMIT) -> Shown:
    """A layer's tiles at each epoch, all in the same colours.

    Args:
        layer: one that has neurons.
        limit: how many channels at most: those of the greatest sum of squares over all epochs.

    Raises:
        Error: the limit is less than 1.

    Example:
        >>> import numpy as np
        >>> layer = Layer("y", "Gemm", (4,))
        >>> shown(Recording(("1", "2"), (layer,), {"y": np.arange(8.0).reshape(2, 4)}), layer).scale
        Scale(low=0.0, high=7.0, diverging=False)
    """
    if limit < 1:
        raise Error(f"the limit of channels is {limit}; expected 1 or more")
    values = recording.values[layer.name]
    return Shown(layer, alike(layer, values, recording.channels_last, limit), scale_of([values]))
