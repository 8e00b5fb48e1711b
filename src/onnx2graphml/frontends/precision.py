"""TensorFlow's graphs in types that NumPy has: bfloat16, which it lacks, becomes float32, of the same range."""

from __future__ import annotations

from typing import Any

import numpy as np

ROUNDOFF = 2.0**-8
"""Half the distance from 1 to the next bfloat16: how far a framework that computes in it may be off."""


def widen(definition: Any) -> bool:
    """Let a graph definition compute in float32 what it computes in bfloat16; whether there was any.

    Args:
        definition: is changed: every type, and every constant of that type.
    """
    import tensorflow as tf  # not before `frontends.tensorflow` has set it up

    short, long = tf.bfloat16.as_datatype_enum, tf.float32.as_datatype_enum
    found = False
    for node in definition.node:
        for attribute in node.attr.values():
            if attribute.type == short:
                attribute.type, found = long, True
            for k, kind in enumerate(attribute.list.type):
                if kind == short:
                    attribute.list.type[k], found = long, True
            if attribute.HasField("tensor") and attribute.tensor.dtype == short:
                values = tf.make_ndarray(attribute.tensor).astype(np.float32)
                attribute.tensor.CopyFrom(tf.make_tensor_proto(values))
                found = True
    return found
