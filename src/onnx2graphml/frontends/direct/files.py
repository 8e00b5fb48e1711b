"""Keras' files as ONNX: read directly where all that is in them is known here, and otherwise by Keras."""

from __future__ import annotations

from pathlib import Path

from onnx2graphml.errors import Error, ModelError
from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.hdf5 import read_hdf5
from onnx2graphml.frontends.direct.loading import Shapes
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.keras_check import UnsafeError
from onnx2graphml.frontends.messages import refusal


def load_file(path: str | Path, *, shapes: Shapes | None = None, trust: bool = False) -> Imported:
    """Read a .keras file, or an .h5 file of Keras 2 or 3.

    Args:
        path: the file.
        shapes: full static shapes by input name, where dimensions besides the batch are unknown.
        trust: as for `load_keras`.

    Raises:
        ModelError: there is no such file, it is damaged, it is not safe, or a shape is unknown.
        MissingExtraError: it needs TensorFlow, which is not installed.
        UnsupportedError: it computes something that has no standard ONNX operator.

    Example:
        >>> load_file("fixtures/digits.keras").light.proto.graph.input[0].name
        'image'
    """
    path = Path(path)
    read = read_archive if path.suffix.lower() == ".keras" else read_hdf5
    try:
        return read(path, shapes or {})
    except UncoveredError:
        pass
    except Error:
        raise
    except Exception as error:
        if path.exists() and not (trust and isinstance(error, UnsafeError)):
            raise ModelError(refusal(path, error, trust)) from error
    from onnx2graphml.frontends.keras_files import load_keras

    return load_keras(path, shapes=shapes, trust=trust)
