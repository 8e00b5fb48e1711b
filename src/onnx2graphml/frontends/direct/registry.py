"""Which function makes which layer, and which options it knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from onnx2graphml.frontends.direct.policies import policy_of
from onnx2graphml.frontends.direct.uncovered import require

REQUIRED = object()
"""An option that every configuration has."""

TRAINING = ("_initializer", "_regularizer", "_constraint")
"""How options end that matter only while a network is trained."""

LAYER_MODULE, DTYPE = "keras.layers", "dtype"
OWN = ("name", "trainable", DTYPE)
"""What every layer has."""


@dataclass(frozen=True)
class Kind:
    """A class of layers.

    Attributes:
        make: from the layer's call and its inputs to its outputs.
        takes: the options that it knows, with what stands for those that an older file lacks.
        only: options that must have this one value, where they are there.
        module: of Keras, that an operation is in.
        any_type: whether it takes other values than those of its own type.
        casts: whether Keras casts what it takes to its own type, where it may be a fraction.
        whole: whether whole numbers are cast, too, as TensorFlow's graphs do before preprocessing.
    """

    make: Callable[..., Any]
    takes: Mapping[str, Any]
    only: Mapping[str, Any]
    module: str = LAYER_MODULE
    any_type: bool = False
    casts: bool = True
    whole: bool = False

    def options(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The options of a configuration, with the policy as its "dtype", unless an operation has one of its own.

        Raises:
            UncoveredError: there is one that the function does not know.
        """
        for key, value in config.items():
            known = key in self.takes or key in OWN or key.endswith(TRAINING)
            require(known or (key in self.only and _is(value, self.only[key])), f"the option {key} = {value!r}")
        found = {key: config.get(key, default) for key, default in self.takes.items()}
        for key, value in found.items():
            require(value is not REQUIRED, f"no option {key}")
        return found if DTYPE in found else found | {DTYPE: policy_of(config.get(DTYPE, "float32"))}


def _is(value: Any, other: Any) -> bool:
    """Whether two values of JSON are the same: 1 is not true."""
    return type(value) is type(other) and bool(value == other)


LAYERS: dict[str, Kind] = {}
"""By the name of the class in `keras.layers`."""

OPERATIONS: dict[str, Kind] = {}
"""By the name of the class behind a function of `keras.ops`."""


Maker = Callable[..., Any]
Options = Mapping[str, Any]


def layer(
    *names: str,
    takes: Options | None = None,
    only: Options | None = None,
    any_type: bool = False,
    casts: bool = True,
    whole: bool = False,
) -> Callable[[Maker], Maker]:
    """Register a function for layers of these classes."""

    def register(make: Maker) -> Maker:
        kind = Kind(make, takes or {}, only or {}, any_type=any_type, casts=casts, whole=whole)
        LAYERS.update(dict.fromkeys(names, kind))
        return make

    return register


def operation(
    *names: str, module: str, takes: Options | None = None, only: Options | None = None
) -> Callable[[Maker], Maker]:
    """Register a function for operations of these classes, which are in a module of `keras.src.ops`."""

    def register(make: Maker) -> Maker:
        kind = Kind(make, takes or {}, only or {}, f"keras.src.ops.{module}", any_type=True)
        OPERATIONS.update(dict.fromkeys(names, kind))
        return make

    return register
