"""The page as one HTML file: nothing is fetched, no script runs but its own."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from onnx2graphml.errors import TooLargeError
from onnx2graphml.explorer.bundle import bundle, style
from onnx2graphml.explorer.drawing import drawings
from onnx2graphml.explorer.pool import Pool
from onnx2graphml.explorer.runs import Explored
from onnx2graphml.explorer.structure import structure, weights
from onnx2graphml.files.plain_text import printable
from onnx2graphml.graph.graph import NeuronGraph

Json = dict[str, Any]

MOST_PARAMETERS = 32_000_000
MOST_BYTES = 400_000_000  # of arrays: more than a browser takes in one page

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="root" class="o2g"><p class="empty tall">Loading {title} …</p></div>
<script type="application/json" id="meta">{meta}</script>
"""
END = """<script type="module">{script}</script>
</body>
</html>
"""
SHELL = "html,body{margin:0;height:100%}"


def described(found: Explored, pool: Pool | None) -> Json:
    """What a page knows of the networks and the runs, but for the arrays in the pool.

    Args:
        pool: takes all arrays; None for a page that asks a server.
    """
    first, layers = found.graphs[0], found.graphs[0].layers
    return {
        "structure": structure(first, pool),
        "drawings": drawings(first),
        "models": [
            {"name": name, "layers": weights(graph, pool)}
            for name, graph in zip(found.names, found.graphs, strict=True)
        ],
        "runs": [
            {
                "name": run.name,
                "model": run.model,
                "values": [pool.add(run.values[layer.name]) for layer in layers] if pool else [],
            }
            for run in found.runs
        ],
        "note": "values and weights are stored as float16" if pool and pool.half else "",
        "bgr": found.bgr,
        "server": pool is None,
    }


def check_size(graphs: Sequence[NeuronGraph], inputs: int, half: bool) -> None:
    """`TooLargeError` for networks that one file is not good for."""
    parameters = sum(graph.parameters for graph in graphs)
    if parameters > MOST_PARAMETERS:
        raise TooLargeError(
            f"the page would hold {parameters:,} parameters; at most {MOST_PARAMETERS:,} can be in one file: "
            f"serve it instead (--port, or port=)"
        )
    size = (2 if half else 4) * (parameters + graphs[0].neurons * len(graphs) * inputs)
    if size > MOST_BYTES:
        raise TooLargeError(
            f"the page would hold {size:,} bytes of weights and values; at most {MOST_BYTES:,} can be in one file: "
            f"give fewer inputs, store them as float16, or serve it instead (--port, or port=)"
        )


def packed(found: Explored, half: bool = False) -> tuple[Json, Pool]:
    """The description and the arrays of a page."""
    pool = Pool(half)
    meta = described(found, pool)
    return {**meta, "arrays": pool.kinds}, pool


def page(found: Explored, *, half: bool = False) -> Iterator[bytes]:
    """The file's content, in pieces.

    Args:
        half: store float32 as float16: half the size, three digits; the page says so.
    """
    meta, pool = packed(found, half)
    yield head(meta, found.graphs[0].model_name).encode()
    for number, array in enumerate(pool.arrays):
        yield f'<script type="text/plain" id="array-{number}">'.encode()
        yield base64.b64encode(array.tobytes())
        yield b"</script>\n"
    yield tail().encode()


def head(meta: Json, name: str, connect: str = "'none'") -> str:
    """The page up to its arrays."""
    title = html.escape(printable(name, 80) or "network")
    sheet = SHELL + style()
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script())}'",
            f"style-src '{_hash(sheet)}'",
            "img-src data: blob:",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return PAGE.format(policy=policy, title=title, style=sheet, meta=json_text(meta))


def tail() -> str:
    """The page after its arrays."""
    return END.format(script=script())


def script() -> str:
    """The module that a page runs."""
    return bundle() + '\nmodule_main.startPage(document.getElementById("root"));\n'


def json_text(value: Any) -> str:
    """JSON that can stand in a script element: no character ends it, none is a line of its own.

    Example:
        >>> json_text("</script>")
        '"\\\\u003c/script\\\\u003e"'
    """
    text = json.dumps(json_ready(value), ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def json_ready(value: Any) -> Any:
    """The value with numbers that JSON has: infinities and NaN, which only parameters of functions may be, as text."""
    if isinstance(value, dict):
        return {key: json_ready(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
