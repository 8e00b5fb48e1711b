"""A model's configuration as parts and their calls. Nothing is computed yet, and what is not known is found out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onnx2graphml.frontends.direct.policies import FLOATS, PLAIN, Policy, policy_of
from onnx2graphml.frontends.direct.registry import DTYPE, LAYERS, OPERATIONS, Kind
from onnx2graphml.frontends.direct.stored import RENAMED, Variables, group_names
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.names import Names

MODELS = {"Functional": ("keras", "keras.models", "keras.src.models.functional"),
          "Sequential": ("keras", "keras.models", "keras.src.models.sequential")}  # fmt: skip
"""Classes of models, and the modules that they are found in."""

INPUT = "InputLayer"
INPUTS = (*FLOATS, "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
"""Types of inputs."""


@dataclass(frozen=True)
class Reference:
    """An output of a part: of which call, and which of its outputs."""

    part: str
    call: int
    output: int


@dataclass(frozen=True)
class Arguments:
    """What a part is called with; a `Reference` stands for each tensor in it."""

    positional: Sequence[Any]
    keywords: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """A layer, an operation, an input or a model within a model.

    Attributes:
        name: within its model.
        path: with the names of the models around it; unique.
        kind: what makes it; None for inputs and models.
        options: that its function knows; of an input, its configuration.
        variables: in the file.
        policy: what types it has; of an operation, those of its inputs count.
        calls: in their order.
        model: of a model, its plan.
    """

    name: str
    path: str
    class_name: str
    kind: Kind | None
    options: Mapping[str, Any]
    variables: Variables
    policy: Policy
    calls: Sequence[Arguments]
    model: Plan | None = None


@dataclass(frozen=True)
class Plan:
    """A model: its parts in Keras' order, its inputs and its outputs in the order in which they are flattened."""

    parts: Sequence[Part]
    inputs: Sequence[Reference]
    outputs: Sequence[Reference]
    class_name: str

    def rows(self, inner: bool = False) -> Iterator[Part]:
        """What `model.summary()` shows, models within followed by their own."""
        for part in self.parts:
            if inner and part.class_name == INPUT:
                continue
            yield part
            if part.model is not None:
                yield from part.model.rows(inner=True)


def planned(config: Any, variables: Variables, prefix: str = "", paths: Names | None = None) -> Plan:
    """The plan of a model.

    Args:
        config: of the model, with its class.
        variables: of the model, in the file.
        prefix: the names of the models around it.
        paths: those that are given already.

    Raises:
        UncoveredError: the model is of a class, or has a part, that is not known.
    """
    paths = paths or Names([""])
    class_name, inner = config["class_name"], config["config"]
    require(config.get("module") in MODELS.get(class_name, ()), f"the class {class_name}")
    require(config.get("registered_name") in (None, class_name), f"the class {config.get('registered_name')}")
    entries = inner["layers"]
    groups = iter(group_names(e["class_name"] for e in entries if _has_group(e, class_name)))
    parts = []
    for entry in entries:
        own = variables
        if _has_group(entry, class_name):
            known = entry["config"]
            own = variables.within(f"layers/{next(groups)}", known["name"], known.get("trainable") is not False)
        parts.append(_part(entry, own, prefix, paths))
    require(len({part.name for part in parts}) == len(parts), "two parts of one name")
    if class_name == "Functional":
        require(set(inner) <= {"name", "trainable", "layers", "input_layers", "output_layers"}, "options of a model")
        made = {part.name for part in parts if part.class_name == "Functional"}  # which count the call that made them
        inputs, outputs = (
            [Reference(r.part, r.call - (r.part in made), r.output) for r in _flat(inner[key])]
            for key in ("input_layers", "output_layers")
        )
        return Plan(parts, inputs, outputs, class_name)
    require(set(inner) <= {"name", "trainable", "dtype", "layers", "build_input_shape"}, "options of a model")
    require("dtype" not in inner or policy_of(inner["dtype"]), "the type of a model")
    return _chained(parts)


def _has_group(entry: Mapping[str, Any], model: str) -> bool:
    """Whether the file has a group for it: operations have none, and a Sequential doesn't count its input."""
    if _is_operation(entry):
        return False
    return model != "Sequential" or entry["class_name"] != INPUT


def _is_operation(entry: Mapping[str, Any]) -> bool:
    return str(entry.get("module")).startswith("keras.src.ops.")


def _chained(parts: Sequence[Part]) -> Plan:
    """A Sequential: each part is called with what the one before it puts out."""
    require(len(parts) > 1 and parts[0].class_name == INPUT, "a Sequential without input")
    require(all(part.class_name != INPUT for part in parts[1:]), "a Sequential with two inputs")
    called = [parts[0]]
    for part in parts[1:]:
        before = called[-1]
        call = Arguments([Reference(before.name, 0, 0)], {})
        called.append(Part(**{**vars(part), "calls": [call]}))
    ends = [Reference(part.name, 0, 0) for part in (called[0], called[-1])]
    return Plan(called, ends[:1], ends[1:], "Sequential")


def _part(entry: Mapping[str, Any], variables: Variables, prefix: str, paths: Names) -> Part:
    class_name, config = entry["class_name"], entry["config"]
    name = config["name"]
    require(entry.get("name", name) == name and "/" not in name, f"the name {name}")
    path = paths.unique(f"{prefix}{name}")
    calls = [_arguments(call) for call in entry.get("inbound_nodes", [])]
    if class_name in MODELS:
        model = planned(entry, variables, f"{path}/", paths)
        return Part(name, path, class_name, None, config, variables, PLAIN, calls, model)
    kind: Kind | None = None
    if _is_operation(entry):
        kind = OPERATIONS.get(class_name)
        require(kind is not None and entry["module"] == kind.module, f"the operation {class_name}")
        require(entry.get("registered_name") in (None, class_name), f"the operation {entry.get('registered_name')}")
        return Part(name, path, class_name, kind, _known(kind, config), variables, PLAIN, calls)
    require(entry.get("module") == "keras.layers" and entry.get("registered_name") is None, f"the class {class_name}")
    if class_name == INPUT:
        plain = not any(config.get(key) for key in ("sparse", "ragged", "optional"))
        require(plain and isinstance(config.get("batch_shape"), list), f"the input {name}")
        require(config.get("dtype") in INPUTS, f"the type of the input {name}")
        return Part(name, path, class_name, None, config, variables, PLAIN, calls)
    kind = LAYERS.get(class_name)
    require(kind is not None, f"the class {class_name}")
    require(variables.named() in (None, name), f"the variables of {name}")
    options = _known(kind, config)
    class_name = RENAMED.get(class_name, class_name)
    return Part(name, path, class_name, kind, options, variables, options[DTYPE], calls)


def _known(kind: Kind | None, config: Mapping[str, Any]) -> Mapping[str, Any]:
    assert kind is not None
    return kind.options(config)


def _flat(references: Any) -> Iterator[Reference]:
    """The ends of a model, as Keras flattens them: of a dictionary, by its keys in order."""
    if isinstance(references, dict):
        for key in sorted(references):
            yield from _flat(references[key])
    elif len(references) == 3 and isinstance(references[0], str):
        yield Reference(*references)
    else:
        for each in references:
            yield from _flat(each)


def _arguments(call: Any) -> Arguments:
    require(isinstance(call, dict) and set(call) == {"args", "kwargs"}, "a call of an older Keras")
    return Arguments([_argument(each) for each in call["args"]], {k: _argument(v) for k, v in call["kwargs"].items()})


def _argument(value: Any) -> Any:
    if isinstance(value, list):
        return [_argument(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "__keras_tensor__":
        return Reference(*value["config"]["keras_history"])
    if value.get("class_name") == "__tuple__":
        return tuple(_argument(each) for each in value["config"])
    if value.get("class_name") in ("__slice__", "slice"):
        return slice(*(value["config"][key] for key in ("start", "stop", "step")))
    require("class_name" not in value, f"the argument {value.get('class_name')}")
    return {key: _argument(each) for key, each in value.items()}
