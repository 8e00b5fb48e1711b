"""What NetworkX asks of a backend when it is imported: nothing else is imported here."""

from __future__ import annotations

from typing import Any

NAME = "onnx2graphml"
MAX_EDGES = 2_000_000  # some seconds and about 1 GB in NetworkX

FUNCTIONS: dict[str, str] = {}


def get_info() -> dict[str, Any]:
    """The backend's name, its functions and its configuration.

    Source: the section "Creating a custom backend" of NetworkX's reference.

    Example:
        >>> get_info()["default_config"]
        {'max_edges': 2000000}
    """
    return {
        "backend_name": NAME,
        "project": NAME,
        "package": NAME,
        "short_summary": "Neural networks as graphs of neurons, of any size, without expanding their edges.",
        "functions": {name: {"additional_docs": text} for name, text in FUNCTIONS.items()},
        "default_config": {"max_edges": MAX_EDGES},
    }
