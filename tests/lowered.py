"""The law of lowering: the model of primitives computes in ONNX Runtime what the model as it is does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from onnx2graphml.model import Model, load_model
from onnx2graphml.model.lowering import is_lowered
from small import CLOSE, runtime

Array = npt.NDArray[Any]


def assert_lowered_exactly(
    proto: onnx.ModelProto, feeds: Mapping[str, Array], *, reference: onnx.ModelProto | None = None, factor: float = 1.0
) -> Model:
    """The loaded model, after it was made sure that nothing composite is left in it and that it computes the same.

    Args:
        reference: what ONNX Runtime runs to compare with, where it can't run the model itself.
        factor: by which the tolerance is wider.
    """
    model = load_model(proto)
    assert model.original is not None, "nothing was lowered"
    assert_primitive(model)
    expected = runtime(reference if reference is not None else proto, feeds)
    got = runtime(model.proto, feeds)
    assert len(got) == len(expected)
    for g, e in zip(got, expected, strict=True):
        assert (g.shape, g.dtype) == (e.shape, e.dtype)
        rtol, atol = CLOSE[e.dtype.itemsize] if e.dtype.kind == "f" else (0, 0)
        finite = np.abs(e[np.isfinite(e)]) if e.dtype.kind == "f" else np.ones(1)
        atol *= max(1.0, float(finite.max(initial=0)))
        np.testing.assert_allclose(g.astype(np.float64), e.astype(np.float64), factor * rtol, factor * atol)
    return model


def assert_primitive(model: Model) -> None:
    """No node is left that would be lowered."""
    left = {n.op for n in model.nodes if is_lowered(n.op, n.domain, model.opset)}
    assert not left, left
