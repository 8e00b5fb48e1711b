"""The page in a cell of a notebook: Jupyter, VS Code, Colab."""

from __future__ import annotations

from functools import cache
from typing import Any

from onnx2graphml.errors import MissingExtraError
from onnx2graphml.explorer.bundle import bundle, style
from onnx2graphml.explorer.page import json_ready, packed
from onnx2graphml.explorer.pool import message
from onnx2graphml.explorer.runs import Explored

HEIGHT = 640  # pixels


def widget(found: Explored, half: bool = False, height: int = HEIGHT) -> Any:
    """A widget that holds everything that the page would.

    Raises:
        MissingExtraError: anywidget is not installed.

    Example:
        >>> import onnx2graphml
        >>> from onnx2graphml.explorer.runs import explored
        >>> shown = widget(explored([onnx2graphml.load("fixtures/digits.onnx")], ["ties"]))
        >>> shown.state
        ''
    """
    meta, pool = packed(found, half)
    return _class()(data=message(json_ready(meta), pool.arrays), height=height)


@cache
def _class() -> Any:
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise MissingExtraError("anywidget", "explore") from None

    class Explorer(anywidget.AnyWidget):  # type: ignore[misc, unused-ignore]
        """Attributes: `state`, what is shown, as it stands in a page's address: `neuron=1234&tab=weights`."""

        _esm = bundle() + "\nexport default { render: module_main.render };\n"
        _css = style()
        data = traitlets.Bytes().tag(sync=True)
        height = traitlets.Int(HEIGHT).tag(sync=True)
        state = traitlets.Unicode("").tag(sync=True)

    return Explorer
