"""The configuration in an .h5 file, by Keras 2 or 3, in the words of a .keras file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from onnx2graphml.errors import UnsupportedError
from onnx2graphml.frontends.direct.activations import HARD_SIGMOID, OF_KERAS_2
from onnx2graphml.frontends.direct.plan import INPUT, MODELS
from onnx2graphml.frontends.direct.registry import LAYER_MODULE
from onnx2graphml.frontends.direct.stored import RENAMED as CALLED
from onnx2graphml.frontends.direct.uncovered import require
from onnx2graphml.frontends.keras_legacy import SHAPE, add_input_layers

SAME = frozenset(
    {
        *("Activation", "Add", "AdditiveAttention", "AlphaDropout", "Attention", "Average", "AveragePooling1D"),
        *("AveragePooling2D", "AveragePooling3D", "BatchNormalization", "Bidirectional", "CenterCrop", "Concatenate"),
        *("Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "ConvLSTM2D"),
        *("Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "Dropout"),
        *("ELU", "EinsumDense", "Embedding", "Flatten", "GRU", "GRUCell", "GaussianDropout", "GaussianNoise"),
        *("GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D"),
        *("GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "LSTM", "LSTMCell", "LayerNormalization"),
        *("LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "Maximum", "Minimum"),
        *("MultiHeadAttention", "Multiply", "Normalization", "PReLU", "Permute", "RNN", "ReLU", "RepeatVector"),
        *("Rescaling", "Reshape", "Resizing", "SeparableConv1D", "SeparableConv2D", "SimpleRNN", "SimpleRNNCell"),
        *("Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "StackedRNNCells", "Subtract"),
        *("TimeDistributed", "UnitNormalization", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D"),
        *("ZeroPadding2D", "ZeroPadding3D"),
    }
)
"""Layers that compute in Keras 2 what they do in Keras 3."""

RENAMED = {"Model": "Functional", **{name: called for called, name in CALLED.items()}}
"""Classes that .keras files call otherwise."""

UNUSED: dict[str, Any] = {"groups": 1, "softmax_robust_masking": False, "time_major": False}
"""Options that Keras 3 has in fewer layers, or no longer: with these values, they change nothing."""

GROUPED = ("Conv1D", "Conv2D", "Conv3D", "GroupNormalization")
ONLY_OF_KERAS_2 = ("implementation", "input_length", "query_shape", "key_shape", "value_shape")
"""Options that change nothing, whatever they are."""

INNER, ACTIVATIONS = ("layer", "backward_layer", "cell"), ("activation", "recurrent_activation")
"""Options that are layers or cells, and that are functions."""

VERSION = "keras_version"
ADVICE = "with the Keras that wrote it, export it as a SavedModel"

Beside = Mapping[str, bool]
"""The parts of the model by name, and which of them are models."""


def is_old(version: str) -> bool:
    """Whether a version is one of Keras 2."""
    return version.startswith("2.")


def todays(config: Any, old: bool) -> Any:
    """A model's configuration as Keras 3 takes it from such a file.

    Args:
        config: of the model, with its class; it is given the InputLayers that it lacks.
        old: whether Keras 2 wrote it, which gives a model's first call the number 1: the one that made it had 0.

    Raises:
        UncoveredError: it is not known what a part of it means.
    """
    add_input_layers(config)
    return _entry(config, {}, old)


def check_functions(config: Any) -> None:
    """Refuse what Keras 2 wrote, and Keras 3 would take for another function without a word.

    Raises:
        UnsupportedError: names the layer.
    """
    for name, inside in _within_layers(config):
        functions = [inside.get(key) for key in ACTIVATIONS]
        if HARD_SIGMOID in [each.get("config") if isinstance(each, dict) else each for each in functions]:
            raise UnsupportedError(f"layer {name!r} has the {HARD_SIGMOID} of Keras 2, which Keras 3 lacks: {ADVICE}")


def check_axes(config: Any) -> None:
    """Refuse what Keras 3 forgets when it reads an .h5 file.

    Raises:
        UnsupportedError: names the layer.
    """
    for name, inside in _within_layers(config):
        if isinstance(axis := inside.get("axis"), list) and len(axis) > 1:
            raise UnsupportedError(f"layer {name!r} has the axes {axis}, which Keras 3 forgets: {ADVICE}")


def _within_layers(config: Any, layer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """All dictionaries in a configuration, and the name of the layer that each is of."""
    if isinstance(config, dict):
        layer = str(config.get("name", layer))
        yield layer, config
    for each in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _within_layers(each, layer)


def _entry(entry: Mapping[str, Any], beside: Beside, old: bool) -> dict[str, Any]:
    """A layer or a model, of those beside it."""
    class_name, config = entry["class_name"], dict(entry["config"])
    class_name = RENAMED.get(class_name, class_name)
    made = {**entry, "class_name": class_name}
    made["inbound_nodes"] = [_call(call, beside) for call in entry.get("inbound_nodes", [])]
    if class_name in MODELS:
        return made | {"module": "keras", "config": _model(config, old)}
    if entry.get("module", LAYER_MODULE) != LAYER_MODULE:
        return made
    # An operation, which such a file can't be told from a layer by its class, is no layer for Keras 3 either.
    require(old or "dtype" in config, f"the operation {class_name}")
    shape = config.pop(SHAPE, None)
    if class_name == INPUT and shape is not None:
        config["batch_shape"] = shape
    return made | {"module": LAYER_MODULE, "config": _options(class_name, config, old)}


def _model(config: dict[str, Any], old: bool) -> dict[str, Any]:
    classes = {each["config"]["name"]: each["class_name"] for each in config["layers"]}
    beside = {name: found in (*MODELS, "Model") for name, found in classes.items()}
    config["layers"] = [_entry(each, beside, old) for each in config["layers"]]
    if old and (ends := config.get("output_layers")):
        chains = {name for name, found in classes.items() if found == "Sequential"}  # of others, Keras 3 knows it
        ends = [ends] if isinstance(ends[0], str) else ends
        config["output_layers"] = [[name, call - (name in chains), output] for name, call, output in ends]
    return config


def _options(class_name: str, config: dict[str, Any], old: bool) -> dict[str, Any]:
    """Options in today's words, and without those that have lost their meaning."""
    if isinstance(axis := config.get("axis"), list):
        require(len(axis) == 1, "several axes, which Keras forgets")
        config["axis"] = int(axis[0])
    for key in INNER:
        if isinstance(config.get(key), dict):
            config[key] = _within(config[key], old)
    if class_name == "StackedRNNCells":
        config["cells"] = [_within(each, old) for each in config["cells"]]
    return _of_keras_2(class_name, config) if old and class_name != INPUT else config


def _within(entry: Mapping[str, Any], old: bool) -> dict[str, Any]:
    """A layer or a cell within a layer."""
    config = _options(entry["class_name"], dict(entry["config"]), old)
    return {"module": LAYER_MODULE, **entry, "config": config}


def _of_keras_2(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    require(class_name in SAME, f"{class_name} of Keras 2")
    require(not class_name.startswith("GRU") or "reset_after" in config, f"a {class_name} of the first Keras 2")
    if class_name == "Bidirectional":
        _both_ways(config)
    if class_name == "LeakyReLU" and "alpha" in config:
        config["negative_slope"] = float(config.pop("alpha"))
    for key in ACTIVATIONS:
        if config.get(key) == HARD_SIGMOID:
            config[key] = OF_KERAS_2
    unused = {key: value for key, value in UNUSED.items() if key != "groups" or class_name not in GROUPED}
    return {
        key: value for key, value in config.items() if key not in ONLY_OF_KERAS_2 and unused.get(key, config) != value
    }


def _both_ways(config: dict[str, Any]) -> None:
    """Say of both directions what Keras 2 says of one."""
    forward = config["layer"]
    backward = config.get("backward_layer")
    if backward is None:
        own = forward["config"]
        backward = {**forward, "config": {**own, "go_backwards": not own.get("go_backwards")}}
    for key, entry, side in (("layer", forward, "forward_"), ("backward_layer", backward, "backward_")):
        name = f"{side}{entry['config']['name'].removeprefix(side)}"
        config[key] = {**entry, "config": {**entry["config"], "name": name}}


def _call(call: Any, beside: Beside) -> Any:
    """A call, which Keras 2 writes as a list of what the layer is called with: part, call, output, options."""
    if not isinstance(call, list):
        return call
    require(call and all(isinstance(each, list) and len(each) in (3, 4) for each in call), "a call without inputs")
    tensors = [_tensor(each[:3], beside) for each in call]
    options = {key: value for each in call for key, value in (each[3] if len(each) == 4 else {}).items()}
    keywords = {key: _argument(value, beside) for key, value in options.items()}
    return {"args": tensors if len(tensors) == 1 else [tensors], "kwargs": keywords}


def _argument(value: Any, beside: Beside) -> Any:
    if isinstance(value, list) and len(value) == 3 and value[0] in beside:
        return _tensor(value, beside)
    require(isinstance(value, bool | None), f"the argument {value}")
    return value


def _tensor(place: Iterable[Any], beside: Beside) -> dict[str, Any]:
    name, call, output = place
    return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, call - beside[name], output]}}
