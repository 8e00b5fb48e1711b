"""From a plan to ONNX: every call in the order in which Keras makes it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.call import Call, Made
from onnx2graphml.frontends.direct.network import MOST_NODES, Network
from onnx2graphml.frontends.direct.plan import INPUT, Arguments, Part, Plan, Reference
from onnx2graphml.frontends.direct.policies import FLOATS, Policy, is_float, promoted
from onnx2graphml.frontends.direct.registry import LAYER_MODULE, Kind
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.direct.values import Shape, Value
from onnx2graphml.frontends.names import Names
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYERS, TRAINED

Outputs = dict[tuple[str, int], list[Value]]


class Walk:
    """A network while its calls are made.

    Args:
        plan: of the whole model.
        inputs: full shapes and types, by name.
    """

    def __init__(self, plan: Plan, inputs: Mapping[str, tuple[Shape, np.dtype[Any]]]) -> None:
        self.plan, self.network = plan, Network()
        self._made: Made = {}
        self._shapes: dict[str, set[tuple[Shape, ...]]] = {}
        self._within: list[tuple[str, int]] = [
            ("", 0)
        ]  # the models that are being called, and the numbers of the calls
        ends = [self.network.input(each.part, *inputs[each.part]) for each in plan.inputs]
        for value in ends:
            self._shapes[value.name] = {(value.shape[1:],)}
        self.outputs = self._run(plan, ends)
        self.network.check_order()

    def light(self) -> LightModel:
        """The model, all of whose arrays are read now."""
        names = Names(value.name for value in self.network.inputs)
        outputs: dict[str, Value] = {}
        self.network.calls += 1
        for reference, value in zip(self.plan.outputs, self.outputs, strict=True):
            is_input = value in self.network.inputs
            require(not is_input or self._is_next(reference, value), f"{reference.part}, which does nothing")
            if is_input or value in outputs.values():
                kind = [(value.shape, value.dtype)]
                (value,) = self.network.node("Identity", [value], kind, name="identity", layer=reference.part)
            outputs[names.unique(reference.part)] = value
        return self.network.finish(outputs, self._metadata)

    def _is_next(self, reference: Reference, value: Value) -> bool:
        """Whether an output is an input, or that of the one layer behind it: of several, one gives its name."""
        part = next(part for part in self.plan.parts if part.name == reference.part)
        if value.name == part.name:
            return True
        given = part.calls[reference.call]
        ends = {end.part for end in self.plan.inputs}
        return part.model is None and all(r.part in ends for r in _references([*given.positional]))

    def _metadata(self, tagged: Collection[str]) -> dict[str, str]:
        """What to say of the layers; of a model within the model, where nodes belong to it, and not to its layers."""
        layers = []
        for part in self.plan.rows():
            if part.model is not None and part.path not in tagged:
                continue
            entry: dict[str, Any] = {"name": part.path, "class": part.class_name}
            found = self._shapes.get(part.path, set())
            if len(found) == 1 and len(only := next(iter(found))) == 1:
                entry["shape"] = list(only[0])
            layers.append(entry)
        formats = {str(part.options["data_format"]) for part in self.plan.rows() if part.options.get("data_format")}
        last = {CHANNELS_LAST: "true"} if (formats or {"channels_last"}) == {"channels_last"} else {}
        return {LAYERS: json.dumps(layers), TRAINED: json.dumps(self.network.trained), **last}

    def _run(self, plan: Plan, inputs: Sequence[Value]) -> list[Value]:
        """A model's outputs for its inputs."""
        require(len(inputs) == len(plan.inputs), "another number of inputs")
        ends = {part.name: part.options for part in plan.parts if part.class_name == INPUT}
        for reference, value in zip(plan.inputs, inputs, strict=True):
            wanted = ends[reference.part]
            fits = len(wanted["batch_shape"]) == value.rank and value.dtype == wanted["dtype"]
            pairs = zip(wanted["batch_shape"][1:], value.shape[1:], strict=False)
            require(fits and all(n in (None, m) for n, m in pairs), f"what {reference.part} makes of its input")
        done: Outputs = {(r.part, r.call): [value] for r, value in zip(plan.inputs, inputs, strict=True)}
        for part, number, arguments in _in_order(plan, done):
            done[part.name, number] = self._call(part, arguments, done)
        return [_found(done, reference) for reference in plan.outputs]

    def _entering(self, part: Part, plan: Plan, values: Sequence[Value]) -> list[Value]:
        """What a model within a model is called with, in the types of its inputs.

        A functional model takes all numbers that may be fractions in Keras' own type first; its file names no other.
        """
        types = {p.name: FLOATS.get(p.options["dtype"]) for p in plan.parts if p.class_name == INPUT}
        entered = []
        for reference, value in zip(plan.inputs, values, strict=False):
            dtype = types[reference.part]
            if dtype is not None and is_float(value.dtype):
                functional = plan.class_name == "Functional"
                value = self._cast(value, part.policy.compute if functional else dtype, part.path)
                if value.dtype != dtype:
                    value = self.network.cast(value, dtype, part.path, self.network.calls)
            entered.append(value)
        return [*entered, *values[len(entered) :]]

    def _cast(self, value: Value, dtype: np.dtype[Any], layer: str) -> Value:
        """What a layer takes, in its type: Keras casts that before it enters the layer, in the model around it."""
        if value.dtype == dtype:
            return value
        model, call = self._within[-1]
        made = self.network.cast(value, dtype, model or layer, call if model else self.network.calls)
        if not model:
            self.network.casts.add(made.name)
        return made

    def _call(self, part: Part, arguments: Arguments, done: Outputs) -> list[Value]:
        self.network.calls += 1
        require(self.network.calls < MOST_NODES, "too many calls")
        given = [_filled(each, done) for each in arguments.positional]
        keywords = {k: _filled(v, done) for k, v in arguments.keywords.items()}
        keywords.pop("training", None)  # a prediction decides that for all layers
        keywords = {key: value for key, value in keywords.items() if value is not None}  # as a mask that there isn't
        if part.model is not None:
            require(not keywords and len(given) == 1, f"the arguments of {part.path}")
            require(not isinstance(given[0], dict), f"inputs of {part.path} by name")
            values = self._entering(part, part.model, list(_flat(given[0])))
            self._within.append((part.path, self.network.calls))
            outputs = self._run(part.model, values)
            self._within.pop()
            self._shapes.setdefault(part.path, set()).add(tuple(value.shape[1:] for value in outputs))
            return outputs
        assert part.kind is not None
        again, policy = part.path in self._shapes, part.policy
        if part.kind.module != LAYER_MODULE:
            dtype = promoted(value.dtype for value in _flat([given, keywords]))
            policy = Policy(dtype, dtype)
        call = Call(self.network, part.path, part.options, part.variables, self._made, policy, again=again)
        given, keywords = self._taken(call, part.kind, [given, keywords])
        try:
            bound = inspect.signature(part.kind.make).bind(call, *given, **keywords)
        except TypeError:
            bound = None
        require(bound is not None, f"the arguments of {part.path}")
        assert bound is not None
        made = part.kind.make(*bound.args, **bound.kwargs)
        outputs = made if isinstance(made, list) else [made]
        self._shapes.setdefault(part.path, set()).add(tuple(value.shape[1:] for value in outputs))
        return outputs

    def _taken(self, call: Call, kind: Kind, arguments: Any) -> Any:
        """Arguments in the type that a layer computes in: Keras casts all numbers that may be fractions."""
        if isinstance(arguments, Value):
            fraction = is_float(arguments.dtype)
            if fraction and kind.module != LAYER_MODULE:
                arguments = call.cast(arguments, call.dtype)
            elif kind.whole or (fraction and kind.casts):
                arguments = self._cast(arguments, call.dtype, call.layer)
            known = kind.any_type or arguments.dtype == call.dtype or (fraction and not kind.casts)
            require(known, f"types of the inputs of {call.layer}")
            return arguments
        if isinstance(arguments, list | tuple):
            return type(arguments)(self._taken(call, kind, each) for each in arguments)
        return (
            {k: self._taken(call, kind, v) for k, v in arguments.items()} if isinstance(arguments, dict) else arguments
        )


def _in_order(plan: Plan, done: Outputs) -> Iterator[tuple[Part, int, Arguments]]:
    """The calls, each as soon as what it is called with is there, and after the earlier ones of its part."""
    waiting = {part.name: list(enumerate(part.calls)) for part in plan.parts if part.class_name != INPUT}
    while any(waiting.values()):
        before = sum(map(len, waiting.values()))
        for part in plan.parts:
            calls = waiting.get(part.name, [])
            while calls and _is_ready(calls[0][1], done):
                yield (part, *calls.pop(0))
        require(sum(map(len, waiting.values())) < before, "calls that wait for each other")


def _is_ready(arguments: Arguments, done: Outputs) -> bool:
    needed = _references([*arguments.positional, *arguments.keywords.values()])
    return all((reference.part, reference.call) in done for reference in needed)


def _references(value: Any) -> Iterator[Reference]:
    if isinstance(value, Reference):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each)


def _found(done: Outputs, reference: Reference) -> Value:
    outputs = done.get((reference.part, reference.call), [])
    require(0 <= reference.output < len(outputs), f"the output {reference}")
    return outputs[reference.output]


def _filled(value: Any, done: Outputs) -> Any:
    """An argument with the tensors that it refers to."""
    if isinstance(value, Reference):
        return _found(done, value)
    if isinstance(value, list | tuple):
        return type(value)(_filled(each, done) for each in value)
    return {k: _filled(v, done) for k, v in value.items()} if isinstance(value, dict) else value


def _flat(value: Any) -> Iterator[Value]:
    """The tensors in an argument, in the order in which Keras flattens them."""
    if isinstance(value, Value):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, dict):
        for key in sorted(value):
            yield from _flat(value[key])
