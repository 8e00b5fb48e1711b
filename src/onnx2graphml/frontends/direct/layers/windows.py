"""Where the windows of convolutions and pools lie: sizes and paddings, before any array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from onnx2graphml.frontends.direct.call import Call
from onnx2graphml.frontends.direct.rearranged import BARE
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value

Sizes = tuple[int, ...]


@dataclass(frozen=True)
class Layout:
    """Where a layer has its channels: last, as Keras by default, or behind the batch, as ONNX.

    Attributes:
        first: whether they are behind the batch.
    """

    first: bool

    def channels(self, x: Value) -> int:
        """How many there are."""
        return x.shape[1 if self.first else -1]

    def axes(self, x: Value) -> range:
        """All but those of the batch and of the channels."""
        return range(2, x.rank) if self.first else range(1, x.rank - 1)

    def sizes(self, x: Value) -> Sizes:
        """Along these."""
        return tuple(x.shape[a] for a in self.axes(x))

    def shape(self, sizes: Sequence[int], channels: int) -> Shape:
        """Of a value of these sizes."""
        return (1, channels, *sizes) if self.first else (1, *sizes, channels)

    def to_onnx(self, call: Call, x: Value) -> Value:
        """Channels brought behind the batch."""
        return x if self.first else call.transpose(x, to_front(x.rank), own=False)

    def from_onnx(self, call: Call, x: Value) -> Value:
        """Channels brought back."""
        return x if self.first else call.transpose(x, to_back(x.rank), own=False)

    def turned(self, call: Call, x: Value, y: Value, how: str = BARE) -> Value:
        """Note of a layer's output that TensorFlow computes it with channels last where they are first.

        Args:
            call: of the layer.
            x: its input.
            y: its output.
            how: whether by several nodes, or with a bias.
        """
        if self.first:
            require(max(x.shape[2:]) > 1, "pictures of one place")
            owner = call.network.rows.setdefault(x.name, call.layer) if x.rank == 3 else call.layer
            require(owner == call.layer, f"{x.name} with channels last, for two layers")
            call.network.turned[y.name] = how
        return y


def layout_of(call: Call) -> Layout:
    """As the layer's option says."""
    given = call.options.get("data_format", "channels_last")
    require(given in ("channels_last", "channels_first"), f"the layout {given}")
    return Layout(given == "channels_first")


def sizes(value: Any, rank: int) -> Sizes:
    """An option for every spatial axis: one number, or one for each.

    Example:
        >>> sizes(2, 3), sizes([3, 1], 2)
        ((2, 2, 2), (3, 1))
    """
    found = (value,) * rank if isinstance(value, int) else tuple(value)
    require(len(found) == rank and all(isinstance(n, int) and n > 0 for n in found), f"the sizes {value}")
    return found


def paddings(
    padding: str, shape: Sequence[int], window: Sizes, strides: Sizes, dilations: Sizes
) -> tuple[list[int], list[int]]:
    """How much is put before and after each axis.

    Example:
        >>> paddings("same", (5, 6), (3, 3), (2, 2), (1, 1))
        ([1, 0], [1, 1])
    """
    if padding == "valid":
        return [0] * len(shape), [0] * len(shape)
    require(padding == "same", f"the padding {padding}")
    before, after = [], []
    for n, k, s, d in zip(shape, window, strides, dilations, strict=True):
        missing = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
        before.append(missing // 2)
        after.append(missing - missing // 2)
    return before, after


def outputs(
    shape: Sequence[int], window: Sizes, strides: Sizes, dilations: Sizes, pads: tuple[list[int], list[int]]
) -> Sizes:
    """How many windows there are along each axis.

    Example:
        >>> outputs((5, 6), (3, 3), (2, 2), (1, 1), ([1, 0], [1, 1]))
        (3, 3)
    """
    found = tuple(
        (n + b + a - (k - 1) * d - 1) // s + 1
        for n, k, s, d, b, a in zip(shape, window, strides, dilations, *pads, strict=True)
    )
    require(min(found) > 0, "a window larger than what it slides over")
    return found


def to_front(rank: int) -> list[int]:
    """The order of axes that has the channels, which are last, after the batch."""
    return [0, rank - 1, *range(1, rank - 1)]


def to_back(rank: int) -> list[int]:
    """The order of axes that has the channels, which are after the batch, last."""
    return [0, *range(2, rank), 1]
