"""Configurations of Keras' files, looked into and changed."""

from __future__ import annotations

from typing import Any

import numpy as np

VALUES: list[Any] = [None, True, 0, -1, 3, 10**12, 1.5, "x", [], [1], {}, "same", 10**400]
"""What may stand anywhere in a configuration that Keras has not written."""


def part(config: Any, name: str) -> Any:
    """The entry of a layer."""
    return next(each for each in config["config"]["layers"] if each["config"]["name"] == name)


def places(inside: Any) -> list[tuple[Any, Any]]:
    """All values in a configuration, as what they are in and their key."""
    inner = inside.items() if isinstance(inside, dict) else enumerate(inside) if isinstance(inside, list) else ()
    return [each for key, value in inner for each in ((inside, key), *places(value))]


def change_anything(config: Any, random: np.random.Generator) -> None:
    """Put another value into one place."""
    found = places(config)
    inside, key = found[random.integers(len(found))]
    inside[key] = VALUES[random.integers(len(VALUES))]
