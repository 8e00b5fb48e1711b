"""What all of Keras' files have in common: a configuration and variables become a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from onnx2graphml.errors import ModelError
from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct import layers  # noqa: F401  (which registers them)
from onnx2graphml.frontends.direct.plan import planned
from onnx2graphml.frontends.direct.policies import BFLOAT16, FLOATS
from onnx2graphml.frontends.direct.stored import Variables
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.direct.walk import Walk
from onnx2graphml.frontends.messages import told_of_bfloat16
from onnx2graphml.frontends.static import static_shapes

Shapes = Mapping[str, Sequence[int]]

MALFORMED = (UncoveredError, ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError,
             RecursionError)  # fmt: skip
"""What a configuration that Keras has not written may lead to; Keras says what is wrong with it."""


def made(config: Any, variables: Variables, shapes: Shapes, settle: Callable[[], None] = lambda: None) -> Imported:
    """The model of a configuration, as a .keras file has it.

    Args:
        config: of the model, with its class.
        variables: of the model, in the file.
        shapes: full static shapes by input name.
        settle: finds the arrays that could not be found before all layers had said what they want.

    Raises:
        UncoveredError: a part of it is not known exactly.
        ModelError: a shape is unknown.
    """
    try:
        plan = planned(config, variables)
        options = {part.name: part.options for part in plan.parts}
        known = {end.part: (tuple(options[end.part]["batch_shape"]), options[end.part]["dtype"]) for end in plan.inputs}
        dtypes = {name: FLOATS.get(dtype) or np.dtype(dtype) for name, (_, dtype) in known.items()}
        static = static_shapes(known, shapes)
        walk = Walk(plan, {name: (shape, dtypes[name]) for name, shape in static.items()})
        settle()
        light = walk.light()
        short = [part.path for part in plan.rows() if part.policy.compute == BFLOAT16]
        notes = (told_of_bfloat16(short),) if short or BFLOAT16 in dtypes.values() else ()
        return Imported(light, notes=notes)
    except ModelError:
        raise
    except MALFORMED as error:
        raise UncoveredError(str(error)) from error
