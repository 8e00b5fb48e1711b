"""Random ONNX models over all operators of the registry, valid by construction, and the law that each must obey.

A model is drawn from any object with the methods of `random.Random`: one with a seed makes it reproducible by a number,
Hypothesis' own makes it shrink.
"""

from __future__ import annotations
