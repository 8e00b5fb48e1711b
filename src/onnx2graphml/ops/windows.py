"""Sliding windows: what `pads`, `auto_pad`, `strides`, `dilations` and `ceil_mode` come to, per dimension.

Source: the ONNX operators Conv, ConvTranspose, MaxPool and AveragePool.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.graph import axes as ax
from onnx2graphml.graph.axes import Axis


@dataclass(frozen=True)
class Window:
    """A window along one dimension; `pad` and `pad_end` are the padding before and after the input."""

    input: int
    output: int
    kernel: int
    stride: int
    dilation: int
    pad: int
    pad_end: int

    def axis(self) -> Axis:
        """The pairs of input and output positions that the window joins, with the kernel's position as tap."""
        return ax.window(self.input, self.output, self.kernel, self.stride, self.dilation, self.pad)


@dataclass(frozen=True)
class WindowAttributes:
    """The attributes that Conv, ConvTranspose and the pools share; None stands for ONNX's default."""

    kernel: Sequence[int]
    strides: Sequence[int] | None = None
    dilations: Sequence[int] | None = None
    pads: Sequence[int] | None = None
    auto_pad: str = "NOTSET"

    def per_dimension(self) -> list[tuple[int, int, int, int, int]]:
        """Kernel, stride, dilation, pad and pad_end of each spatial dimension."""
        n = len(self.kernel)
        strides, dilations = self.strides or [1] * n, self.dilations or [1] * n
        pads = self.pads or [0] * 2 * n
        if self.auto_pad not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
            raise UnsupportedError(f"auto_pad is {self.auto_pad!r}; expected NOTSET, VALID, SAME_UPPER or SAME_LOWER")
        for name, values, length in (
            ("strides", strides, n),
            ("dilations", dilations, n),
            ("pads", pads, 2 * n),
        ):
            least = 0 if name == "pads" else 1
            if len(values) != length or min(values) < least:
                raise UnsupportedError(
                    f"{name} is {list(values)}; expected {length} integers of at least {least} "
                    f"for {n} spatial dimensions"
                )
        return list(zip(self.kernel, strides, dilations, pads[:n], pads[n:], strict=True))


def sliding(
    inputs: Sequence[int], attributes: WindowAttributes, ceil_mode: int = 0, *, left_out: int = 1
) -> list[Window]:
    """The windows of a convolution or a pool over a picture of size `inputs`.

    Where strides are larger than windows, `SAME` leaves positions out. Of more than `left_out`, ONNX does not say
    which, and runtimes differ: that is refused.
    """
    out = []
    for n, (k, s, d, begin, end) in zip(inputs, attributes.per_dimension(), strict=True):
        reach = (k - 1) * d + 1
        if attributes.auto_pad == "VALID":
            begin = end = 0
        if attributes.auto_pad.startswith("SAME"):
            output = -(-n // s)
            padding = (output - 1) * s + reach - n
            if padding < -left_out:
                raise UnsupportedError(
                    f"auto_pad is {attributes.auto_pad}, and windows of {reach} with stride {s} leave out {-padding} "
                    f"of {n} positions; expected pads, as ONNX does not say which"
                )
            begin, end = shared_out(max(padding, 0), attributes.auto_pad == "SAME_UPPER")
        else:
            room = n + begin + end - reach
            output = (-(-room // s) if ceil_mode else room // s) + 1
            if ceil_mode and (output - 1) * s >= n + begin:  # a window must not start in the padding at the end
                output -= 1
        out.append(Window(n, output, k, s, d, begin, end))
    return out


def shared_out(padding: int, more_at_end: bool) -> tuple[int, int]:
    """Padding divided between both ends."""
    small = padding // 2
    return (small, padding - small) if more_at_end else (padding - small, small)


def transposed(
    inputs: Sequence[int],
    attributes: WindowAttributes,
    output_padding: Sequence[int] | None,
    output_shape: Sequence[int] | None,
) -> list[Window]:
    """The windows of a transposed convolution, seen from its output: `input` and `output` are exchanged."""
    extra = output_padding or [0] * len(inputs)
    wanted = list(output_shape) if output_shape else [None] * len(inputs)
    out = []
    for n, more, want, (k, s, d, begin, end) in zip(
        inputs, extra, wanted[-len(inputs) :], attributes.per_dimension(), strict=True
    ):
        full = s * (n - 1) + more + (k - 1) * d + 1
        if attributes.auto_pad == "VALID":
            begin = end = 0
        if attributes.auto_pad.startswith("SAME") and want is None:
            want = min(full, n * s)
        if want is None:
            want = full - begin - end
        else:  # where more is asked for than the windows reach, the rest at the end has no in-edges
            begin, end = shared_out(max(full - want, 0), attributes.auto_pad == "SAME_UPPER")
        out.append(Window(want, n, k, s, d, begin, end))
    return out
