"""From a plan to ONNX: every call in the order in which Keras makes it."""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from onnx2graphml.frontends.direct.arguments import Outputs, filled, found, references
from onnx2graphml.frontends.direct.arguments import flat as flat_values
from onnx2graphml.frontends.direct.call import Call, Made
from onnx2graphml.frontends.direct.masks import KEPT, Found, Masks, fixed, flat, masks_asked, of_outputs
from onnx2graphml.frontends.direct.masks import given as given_masks
from onnx2graphml.frontends.direct.network import MOST_NODES, Network
from onnx2graphml.frontends.direct.order import calls_in_order
from onnx2graphml.frontends.direct.plan import INPUT, Arguments, Part, Plan, Reference
from onnx2graphml.frontends.direct.policies import FLOATS, PLAIN, Policy, is_float, promoted
from onnx2graphml.frontends.direct.registry import LAYER_MODULE, Kind
from onnx2graphml.frontends.direct.uncovered import UncoveredError, require
from onnx2graphml.frontends.direct.values import Mask, Shape, Value
from onnx2graphml.frontends.names import Names
from onnx2graphml.model.light import LightModel
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYERS, TRAINED

RESHAPING = ("Flatten", "Permute", "Reshape")
"""Layers that have their own cast, also where they change nothing else: an exporter leaves them out later."""


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
                self.network.scope = (reference.part, self.network.calls)
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
        return part.model is None and all(r.part in ends for r in references([*given.positional]))

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
        require(last or not self.network.turns, "channels first and last")
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
        hidden = Found(plan.parts) if plan.class_name == "Sequential" else None
        parts = {part.name: part for part in plan.parts}
        for name, number in calls_in_order(plan):
            done[name, number] = self._call(parts[name], parts[name].calls[number], done, hidden)
        return [found(done, reference) for reference in plan.outputs]

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
                shortened = value.dtype == FLOATS["float64"] != dtype
                require(not shortened, f"what {part.path} takes in float64")  # a neuron of that model
                require(
                    value.dtype == dtype or value.name not in self.network.masks, f"a mask of what {part.path} casts"
                )
                value = self._cast(value, part.policy.compute if functional else dtype, part.path)
                if value.dtype != dtype:
                    value = self.network.cast(value, dtype, part.path)
            entered.append(value)
        return [*entered, *values[len(entered) :]]

    def _cast(self, value: Value, dtype: np.dtype[Any], layer: str) -> Value:
        """What a layer takes, in its type: Keras casts that before it enters the layer, in the model around it."""
        if value.dtype == dtype:
            return value
        around = self.network.scope[:-2]
        made = self.network.within(
            around or self.network.scope,
            lambda: self.network.cast(value, dtype, str(around[-2]) if around else layer),
        )
        if not around:
            self.network.casts.add(made.name)
        return made

    def _call(self, part: Part, arguments: Arguments, done: Outputs, found: Found | None) -> list[Value]:
        """What a part makes.

        Args:
            part: that is called.
            arguments: that it is called with.
            done: what the parts before it have made.
            found: masks that a Sequential has found before it was called; None in another model.
        """
        self.network.calls += 1
        require(self.network.calls < MOST_NODES, "too many calls")
        given = [filled(each, done) for each in arguments.positional]
        keywords = {k: filled(v, done) for k, v in arguments.keywords.items()}
        keywords.pop("training", None)  # a prediction decides that for all layers
        keywords = {key: value for key, value in keywords.items() if value is not None}  # as a mask that there isn't
        scope = self.network.scope
        around = Call(self.network, str(scope[-2]) if scope else "", {}, part.variables, self._made, PLAIN)
        made = functools.partial(self._made_by, part, given, keywords, found, around)
        return self.network.within((*scope, part.path, self.network.calls), made)

    def _made_by(
        self, part: Part, given: list[Any], keywords: dict[str, Any], found: Found | None, around: Call
    ) -> list[Value]:
        known = found.masks if found else {}
        if part.model is not None:
            mask = keywords.pop("mask", None)
            require(not keywords and len(given) == 1, f"the arguments of {part.path}")
            require(not isinstance(given[0], dict), f"inputs of {part.path} by name")
            inputs = list(flat_values(given[0]))
            masks = flat(given_masks(inputs, known) if mask is None else fixed(mask))
            self.network.masks |= {x.name: m for x, m in zip(inputs, masks, strict=True) if m is not None}
            return self._shown(part, self._run(part.model, self._entering(part, part.model, inputs)))
        assert part.kind is not None
        masks_given = {key: keywords.pop(key) for key in [*keywords] if key.endswith("mask")}
        again, policy = part.path in self._shapes, part.policy
        if part.kind.module != LAYER_MODULE:
            dtype = promoted(value.dtype for value in flat_values([given, keywords]))
            policy = Policy(dtype, dtype)
        call = Call(self.network, part.path, part.options, part.variables, self._made, policy, again=again)
        first = next(iter([*given, *keywords.values()]), None)
        entering = {value.name for value in flat_values([given, keywords])}
        given, keywords = self._taken(call, part.kind, [given, keywords])
        bound = self._bound(part, call, given, {**keywords, **masks_given})
        before = masks_asked(bound, self.network.masks, known, first)
        require(policy == PLAIN or not any(flat(before)), f"a mask in {policy.compute}")
        made = part.kind.make(*bound.args, **bound.kwargs)
        if part.class_name in RESHAPING:
            own = {value.name for value in flat_values([made])} - entering
            require(part.class_name == "Flatten" or not self.network.casts & own, f"{part.path}, which only casts")
            self.network.casts -= own
        outputs = self._shown(part, made if isinstance(made, list) else [made])
        self._mask(part, first, before, outputs, around, self.network.masks)
        if found is not None:
            self._mask(part, first, given_masks(first, known), outputs, around, known, lambda: found.behind(part))
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

    def _shown(self, part: Part, outputs: list[Value]) -> list[Value]:
        self._shapes.setdefault(part.path, set()).add(tuple(value.shape[1:] for value in outputs))
        return outputs

    def _bound(self, part: Part, call: Call, given: list[Any], keywords: dict[str, Any]) -> inspect.BoundArguments:
        assert part.kind is not None
        try:
            return inspect.signature(part.kind.make).bind(call, *given, **keywords)
        except TypeError as error:
            raise UncoveredError(f"the arguments of {part.path}") from error

    def _mask(
        self,
        part: Part,
        first: Any,
        before: Masks,
        outputs: list[Value],
        around: Call,
        masks: dict[str, Mask],
        hidden: Callable[[], list[bool]] | None = None,
    ) -> None:
        """Note the masks of what a layer has put out."""
        same = {x.name for x in flat_values(first)}.intersection(y.name for y in outputs)
        require(part.class_name in KEPT or not same.intersection(masks), f"what {part.path} leaves of a mask")
        if all(y.name in masks for y in outputs):
            return
        made = flat(of_outputs(part.class_name, part.options, first, before, outputs, around, hidden))
        for y, mask in zip(outputs, made, strict=False):
            if mask is not None:
                require(part.policy == PLAIN, f"a mask in {part.policy.compute}")
                masks.setdefault(y.name, mask)
