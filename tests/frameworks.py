"""The documentation's tables of what a framework's layers become; `python tests/frameworks.py` prints the page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "frameworks.md"

REASONS = {
    "SparseCross has no standard ONNX operator": "hashes",
    "StringToHashBucketFast has no standard ONNX operator": "hashes of strings",
    "LookupTableFindV2 has no standard ONNX operator": "a table of keys",
    "RFFT has no standard ONNX operator": "complex numbers",
    "StaticRegexReplace has no standard ONNX operator": "strings",
    "PyTorch can't export the module": "PyTorch has no export of it",
}
"""What the page says, by what the message says."""

HEAD = """# Layers of Keras and modules of PyTorch

Every built-in layer of Keras 3 and every module of `torch.nn` is made into a small network, converted, and verified
against ONNX Runtime and against the framework's own prediction. These tables are what the tests found.
"""

KERAS = """\
A `.keras` or `.h5` file whose layers all have a *yes* is read without TensorFlow and Keras, which need not be there,
in a quarter of the time. All else goes through TensorFlow, which the extra `keras` brings: the other layers,
SavedModels, models in memory, and options that are not known exactly. An `.h5` file may be of Keras 2 or 3. One that
holds functions on Keras tensors, as `x + 1`, can't be read: Keras itself can't. Layers may have their channels
first, and compute in float16, bfloat16 or float64, by mixed policies, too. Both ways make the same graph; of random
networks, about one in sixty had a layer more or fewer, where TensorFlow's exporter joins or adds one.
"""


def table(made: Collection[str], refused: Mapping[str, str]) -> str:
    """A row for each name: verified, or refused and why."""
    rows = [f"| `{name}` | {said(name, refused)} |" for name in sorted(made)]
    return "\n".join(["| name | |", "|---|---|", *rows]) + "\n"


def keras_table(made: Collection[str], refused: Mapping[str, str], by_tensorflow: Collection[str]) -> str:
    """The same, and whether a file with it is read without TensorFlow."""
    others = {*refused, *by_tensorflow}
    rows = [f"| `{name}` | {said(name, refused)} | {'' if name in others else 'yes'} |" for name in sorted(made)]
    return "\n".join(["| name | | without TensorFlow |", "|---|---|---|", *rows]) + "\n"


def said(name: str, refused: Mapping[str, str]) -> str:
    return f"refused: {REASONS[refused[name]]}" if name in refused else "verified"


def page() -> str:
    """All of the page."""
    import keras_layers
    import torch_modules

    return "\n".join(
        [
            HEAD,
            "## Keras\n",
            KERAS,
            keras_table(keras_layers.LAYERS, keras_layers.REFUSED, keras_layers.BY_TENSORFLOW),
            "## PyTorch\n",
            "Losses are left out; lazy modules become those that they are named after.\n",
            table(torch_modules.MODULES, torch_modules.REFUSED),
        ]
    )


if __name__ == "__main__":
    print(page(), end="")
