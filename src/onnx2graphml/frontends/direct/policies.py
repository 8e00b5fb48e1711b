"""The types that a layer computes in and keeps its variables in, as Keras' policies name them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np

from onnx2graphml.frontends.direct.uncovered import require

BFLOAT16: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
"""Keras' short type of float32's range, which is written as that: NumPy and ONNX' operators lack it."""

FLOATS: dict[str, np.dtype[Any]] = {
    "bfloat16": BFLOAT16,
    "float16": np.dtype(np.float16),
    "float32": np.dtype(np.float32),
    "float64": np.dtype(np.float64),
}


@dataclass(frozen=True)
class Policy:
    """What a layer computes in, and the type of its variables.

    Attributes:
        compute: its inputs are cast to this type, and, as a rule, its variables when they are read.
        variable: as they are in the file.
    """

    compute: np.dtype[Any]
    variable: np.dtype[Any]


PLAIN = Policy(FLOATS["float32"], FLOATS["float32"])
"""Keras' own default."""

POLICIES = {name: Policy(dtype, dtype) for name, dtype in FLOATS.items()} | {
    f"mixed_{short}": Policy(FLOATS[short], FLOATS["float32"]) for short in ("bfloat16", "float16")
}
"""By name: types alone, and those of short products of long variables."""


def policy_of(policy: Any) -> Policy:
    """A policy by what a configuration says.

    Raises:
        UncoveredError: it is of whole numbers, quantized, or another one for each layer within.

    Example:
        >>> policy_of("mixed_float16").variable
        dtype('float32')
    """
    if isinstance(policy, dict):
        require(policy.get("class_name") == "DTypePolicy" and policy.get("module") == "keras", f"the policy {policy}")
        policy = policy["config"]["name"]
    require(isinstance(policy, str) and policy in POLICIES, f"the type {policy}")
    return POLICIES[policy]


def is_float(dtype: np.dtype[Any]) -> bool:
    """Whether numbers of a type may be fractions.

    Example:
        >>> is_float(BFLOAT16), is_float(np.dtype(np.int32))
        (True, False)
    """
    return dtype in FLOATS.values()


def promoted(dtypes: Iterable[np.dtype[Any]]) -> np.dtype[Any]:
    """The type that Keras computes in with numbers of several types; float32 where none is a fraction.

    Example:
        >>> promoted([FLOATS["float16"], BFLOAT16])
        dtype('float32')
    """
    floats = {dtype for dtype in dtypes if is_float(dtype)}
    if len(floats) == 1:
        return floats.pop()
    return FLOATS["float64"] if FLOATS["float64"] in floats else FLOATS["float32"]


def written(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in ONNX.

    Example:
        >>> written(BFLOAT16)
        dtype('float32')
    """
    return FLOATS["float32"] if dtype == BFLOAT16 else dtype
