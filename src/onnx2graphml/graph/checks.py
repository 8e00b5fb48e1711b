"""What callers may mistake: ids and indices of neurons."""

from __future__ import annotations

import numbers
from collections.abc import Sequence

import numpy as np

from onnx2graphml.errors import Error


def check_index(index: object) -> None:
    """`Error` where an index is not a sequence of whole numbers."""
    if not isinstance(index, Sequence | np.ndarray) or not all(isinstance(i, numbers.Integral) for i in index):
        raise Error(f"the index is {index!r}; expected a sequence of whole numbers, as (0, 1)")


def check_id(neuron: object, count: int) -> None:
    """`Error` where it is not the id of one of so many neurons."""
    if not isinstance(neuron, numbers.Integral) or not 0 <= int(neuron) < count:
        raise Error(f"neuron {neuron!r} is not in the graph: ids run from 0 to {count - 1}")
