"""A .keras file without Keras and TensorFlow: the same graph, or the way through TensorFlow, never a guess."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alike import differences
from configurations import change_anything, part
from onnx2graphml.api import load
from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.frontends import Imported
from onnx2graphml.frontends.direct import archive
from onnx2graphml.frontends.direct.archive import read_archive
from onnx2graphml.frontends.direct.network import Names
from onnx2graphml.frontends.direct.registry import LAYERS, OPERATIONS
from onnx2graphml.frontends.direct.uncovered import UncoveredError
from onnx2graphml.frontends.keras_check import UnsafeError

keras = pytest.importorskip("keras", reason="Keras is an extra")
keras_layers = pytest.importorskip("keras_layers")

L = keras.layers
DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.keras"


def of(make: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Any:
    inputs = [keras.Input(shape, name=f"x{k}", dtype=dtype) for k, shape in enumerate(shapes)]
    return keras_layers.randomized(keras.Model(inputs, make(*inputs)))


def inner() -> Any:
    """A functional model to be called within another."""
    x = keras.Input((6, 6, 2), name="inside")
    y = L.Conv2D(2, 3, padding="same", activation="relu", name="conv")(x)
    return keras.Model(x, L.Add(name="sum")([x, y]), name="block")


def shared(x: Any) -> Any:
    """A layer called twice, a model called twice, and one within it."""
    model, dense = inner(), L.Dense(3, activation="tanh", name="dense")
    stack = keras.Sequential([keras.Input((6, 6, 2)), inner(), L.ReLU(name="relu")], name="stack")
    y = L.Flatten(name="flat")(stack(model(model(x))))
    return [dense(y), dense(L.Rescaling(0.5, name="half")(y))]


def convolutions(x: Any) -> Any:
    """Paddings, strides, dilations, groups; zeros that become a convolution's padding, and zeros that don't."""
    padded = L.ZeroPadding2D(((1, 0), (2, 1)), name="pad")(L.Conv2D(4, 3, dilation_rate=2, padding="same", name="a")(x))
    b = L.Conv2D(4, (3, 2), groups=2, strides=2, activation="silu", name="b")(padded)
    c = L.DepthwiseConv2D(3, depth_multiplier=2, activation="gelu", name="c")(L.ZeroPadding2D(1, name="edge")(x))
    d = L.SeparableConv2D(3, 3, strides=2, padding="same", use_bias=False, name="d")(c)
    e = L.Conv2DTranspose(3, 2, strides=3, name="e")(d)
    return [b, L.BatchNormalization(center=False, name="f")(e), L.MaxPooling2D(3, 2, "same", name="g")(padded)]


def rows(x: Any) -> Any:
    """One spatial axis."""
    a = L.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="relu6", name="a")(x)
    b = L.SeparableConv1D(3, 3, strides=2, padding="same", activation="hard_silu", name="b")(a)
    c = L.Conv1DTranspose(2, 3, strides=2, padding="same", name="c")(b)
    d = L.AveragePooling1D(3, 2, "same", name="d")(L.DepthwiseConv1D(3, padding="same", strides=2, name="e")(a))
    return [L.GlobalMaxPooling1D(name="f")(c), L.BatchNormalization(axis=1, name="g")(d)]


def volumes(x: Any) -> Any:
    """Three spatial axes."""
    a = L.Conv3D(2, 2, padding="same", strides=2, activation="sigmoid", name="a")(L.ZeroPadding3D(1, name="z")(x))
    b = L.Conv3DTranspose(2, 3, strides=2, padding="same", name="b")(L.AveragePooling3D(2, 1, "same", name="p")(a))
    return L.GlobalAveragePooling3D(keepdims=True, name="c")(b)


def units(x: Any) -> Any:
    """Options of activations."""
    relu = {"a": {}, "b": {"max_value": 6.0}, "c": {"max_value": 5.0}, "d": {"negative_slope": 0.1},
            "e": {"threshold": 1.0}, "f": {"max_value": 6.0, "negative_slope": 0.1, "threshold": 1.0}}  # fmt: skip
    made = [L.ReLU(**options, name=name)(x) for name, options in relu.items()]
    made += [L.ELU(name="g")(x), L.Dense(3, activation=L.LeakyReLU(negative_slope=0.3), name="h")(x)]
    names = ("elu", "exponential", "hard_shrink", "hard_sigmoid", "hard_tanh", "leaky_relu", "log_sigmoid",
             "log_softmax", "mish", "selu", "softplus", "softsign", "squareplus", "tanh_shrink")  # fmt: skip
    return made + [L.Activation(name, name=name)(x) for name in names]


def functions(x: Any, y: Any) -> Any:
    """Functions of `keras.ops` on Keras tensors."""
    ops = keras.ops
    a = ops.relu(1.0 - x * 2.0) / 3.0 + ops.maximum(y, 0.5)
    b = ops.concatenate([x[:, :2], y[:, 1:2]], axis=1)
    c = ops.matmul(ops.transpose(x, (0, 2, 1)), ops.exp(-ops.abs(y)))
    d = ops.sum(ops.square(ops.reshape(c, (-1, 9))), axis=-1, keepdims=True)
    return [ops.mean(a, axis=1), b, ops.squeeze(ops.expand_dims(d, 1), 1) ** 2, ops.softmax(x[:, 1])]


def flat(x: Any) -> Any:
    """What does nothing, at the end, in the middle, and from an input to an output."""
    y = L.Dense(4, name="d")(L.Dropout(0.5, name="off")(L.Flatten(name="flat")(x)))
    return [y, y, x, L.Dropout(0.5, name="end")(L.Dense(2, name="e")(L.Reshape((4,), name="same")(y)))]


def recurrent(x: Any) -> Any:
    """Steps forwards, backwards and both ways, with states and without biases."""
    a = L.LSTM(3, return_sequences=True, recurrent_activation="hard_sigmoid", name="a")(x)
    b = L.Bidirectional(L.GRU(2, return_sequences=True), name="b")(a)
    c = L.RNN([L.GRUCell(2, reset_after=False), L.LSTMCell(2)], return_sequences=True, go_backwards=True, name="c")(b)
    d = L.SimpleRNN(2, use_bias=False, return_state=True, name="d")(L.TimeDistributed(L.Dense(3), name="e")(c))
    return [*d, L.Bidirectional(L.LSTM(2), merge_mode="sum", name="f")(L.Dense(2, name="g")(a))]


def transformer(x: Any) -> Any:
    """A block of a transformer, on whole numbers."""
    x = L.Embedding(7, 4, name="words")(x)
    y = L.MultiHeadAttention(2, 3, value_dim=2, name="heads")(x, x, use_causal_mask=True)
    y = L.LayerNormalization(name="norm")(L.Add(name="sum")([x, L.Dropout(0.1, name="drop")(y)]))
    z = L.EinsumDense("abc,cde->abde", (None, 2, 3), activation="gelu", bias_axes="de", name="wide")(y)
    y = L.Add(name="both")([L.RMSNormalization(name="rms")(y), L.UnitNormalization(name="unit")(y)])
    return [y, L.EinsumDense("abcd,cde->abe", (None, 2), name="narrow")(z)]


def pictures(x: Any) -> Any:
    """What is done with pictures, and normalizations of them."""
    a = L.Resizing(5, 8, name="a")(L.RandomFlip(name="flip")(L.CenterCrop(5, 4, name="b")(x)))
    c = L.UpSampling2D(2, interpolation="bilinear", name="c")(L.GroupNormalization(2, name="d")(x))
    return [L.Conv2D(2, 2, name="e")(L.Add(name="f")([a, L.ReLU(name="g")(a)])), c]


def products(x: Any, y: Any) -> Any:
    """Products of two values, and layers within layers."""
    a = L.Attention(use_scale=True, name="a")([x, y])
    b = L.AdditiveAttention(name="b")([x, y])
    c = L.Dot((1, 1), normalize=True, name="c")([a, b])
    return [keras.ops.stack([c, c], axis=1), L.SpectralNormalization(L.Dense(3), name="e")(b), L.Activation("glu")(a)]


MODELS: dict[str, Callable[[], Any]] = {
    "shared": lambda: of(shared, (6, 6, 2)),
    "convolutions": lambda: of(convolutions, (9, 8, 4)),
    "rows": lambda: of(rows, (9, 3)),
    "volumes": lambda: of(volumes, (4, 3, 3, 2)),
    "units": lambda: of(units, (4,)),
    "functions": lambda: of(functions, (4, 3), (4, 3)),
    "flat": lambda: of(flat, (4,)),
    "recurrent": lambda: of(recurrent, (2, 2)),
    "transformer": lambda: of(transformer, (5,), dtype="int32"),
    "products": lambda: of(products, (3, 4), (5, 4)),
    "pictures": lambda: of(pictures, (7, 8, 4)),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_a_file_has_the_graph_that_its_model_has_through_tensorflow(name: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = MODELS[name]()
    model.save(tmp_path / "m.keras")
    keras_layers.assert_read_directly(tmp_path / "m.keras", load(model))
    if name not in ("functions", "products"):  # whose operations are lost in an .h5 file
        keras_layers.assert_read_from_hdf5(model, tmp_path / "m.keras")


def test_differences_are_found(tmp_path: Path) -> None:
    """The control: other weights, another bias, another name."""
    graph = load(DIGITS)
    assert differences(graph, graph) == []
    for change in ("conv2/kernel", "digit/bias"):
        light = read_archive(DIGITS, {}).light
        tensor = next(t for t in light.proto.graph.initializer if t.name == change)
        array = onnx.numpy_helper.to_array(tensor).copy()
        array.flat[0] += 1
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, change))
        what = "edges from (4, None) differ" if "kernel" in change else "biases differ"
        name = change.partition("/")[0]
        assert differences(graph, load(light.proto)) == [f"{name}: {what}"]
    renamed = read_archive(DIGITS, {}).light.proto
    renamed.graph.input[0].name = renamed.graph.node[0].input[0] = "picture"
    assert differences(graph, load(renamed))[0].startswith("layers ['image', ")


def test_neither_keras_nor_tensorflow_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['keras'] = sys.modules['tensorflow'] = sys.modules['tf2onnx'] = None\n"
        "import onnx2graphml; print(onnx2graphml.verify(sys.argv[1]).passed, onnx2graphml.load(sys.argv[1]).edges)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(DIGITS)], capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["True", "25816"], "")


def test_names_begin_with_the_layer_and_are_the_same_each_time() -> None:
    one, other = (read_archive(DIGITS, {}).light.proto for _ in range(2))
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)
    names = {layer.name for layer in load(DIGITS).layers}
    tensors = [tensor for node in one.graph.node for tensor in node.output]
    assert all(tensor.partition("/")[0] in names for tensor in tensors)
    assert len(set(tensors)) == len(tensors)


def changed(path: Path, change: Callable[[dict[str, Any]], None], version: str = "3.0.0") -> Path:
    """The digits network with another configuration, written by a version of Keras."""
    with zipfile.ZipFile(DIGITS) as whole:
        members = {name: whole.read(name) for name in whole.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    members["metadata.json"] = json.dumps({"keras_version": version}).encode()
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("conv1", {"tomorrow": None}, "the option tomorrow"),
        ("bn1", {"renorm": True}, "the option renorm = True"),
        ("conv1", {"data_format": "channels_nowhere"}, "the layout channels_nowhere"),
        ("conv1", {"padding": "reflect"}, "the padding reflect"),
        ("conv1", {"activation": "celu"}, "the activation 'celu'"),
        ("conv1", {"activation": {"class_name": "Mine", "module": "keras.layers"}}, "the activation Mine"),
        ("conv1", {"dtype": "int8"}, "the type int8"),
        ("conv1", {"filters": 17}, "variables of layers/conv2d"),
        ("conv1", {"kernel_size": [30, 30], "padding": "valid"}, "variables of layers/conv2d"),
        ("dense1", {"quantization_config": {}}, "the option quantization_config"),
        ("image", {"sparse": True}, "the input image"),
        ("maxpool", {"pool_size": [20, 20]}, "a window larger"),
        ("maxpool", {"pool_size": "2"}, "the sizes 2"),
    ],
)
def test_what_is_not_known_is_left_to_tensorflow(name: str, change: dict[str, Any], what: str, tmp_path: Path) -> None:
    path = changed(tmp_path / "m.keras", lambda config: part(config, name)["config"].update(change))
    with pytest.raises(UncoveredError, match=what):
        read_archive(path, {})


def test_a_class_that_is_not_known_is_left_to_tensorflow(tmp_path: Path) -> None:
    path = changed(tmp_path / "m.keras", lambda config: part(config, "relu1").update(class_name="FutureLayer"))
    with pytest.raises(UncoveredError, match="the class FutureLayer"):
        read_archive(path, {})
    with pytest.raises(ModelError, match=r"m\.keras' (can't be loaded as a Keras model|needs the class)"):
        load(path)  # as Keras says it


def test_what_is_left_to_tensorflow_loads_all_the_same(tmp_path: Path) -> None:
    model = of(lambda x: L.Softmax(axis=[1, 2], name="all")(x), (3, 2))
    model.save(tmp_path / "m.keras")
    with pytest.raises(UncoveredError, match="several axes"):
        read_archive(tmp_path / "m.keras", {})
    assert differences(load(tmp_path / "m.keras"), load(model)) == []


@pytest.mark.parametrize(
    "function", ["hard_sigmoid", {"module": "builtins", "class_name": "function", "config": "hard_sigmoid"}]
)
def test_a_function_that_keras_3_takes_for_another_one_is_refused(function: Any, tmp_path: Path) -> None:
    """As Keras 2 writes it; the control: one of that name in a file of Keras 3."""

    def change(config: dict[str, Any]) -> None:
        part(config, "dense1")["config"]["activation"] = function

    path = changed(tmp_path / "m.keras", change, "2.15.0")
    with pytest.raises(UnsupportedError, match="layer 'dense1' has the hard_sigmoid of Keras 2, which Keras 3 lacks"):
        load(path)
    if isinstance(function, str):
        assert "Clip" in {node.op_type for node in read_archive(changed(path, change), {}).light.proto.graph.node}


def test_a_normalization_beside_a_convolution_is_left_to_tensorflow(tmp_path: Path) -> None:
    """Which goes over to ONNX' order of axes around it; behind a Reshape nothing is left of that."""
    for name, flat in (("a", False), ("b", True)):
        x = keras.Input((4, 4, 2))
        y = L.Conv2D(3, 2, strides=2, name="c")(x)
        y = L.Reshape((4, 3), name="r")(y) if flat else y
        model = keras.Model(x, L.LayerNormalization(name="n")(y))
        model.save(tmp_path / f"{name}.keras")
        if flat:
            keras_layers.assert_read_directly(tmp_path / f"{name}.keras", load(model))
        else:
            with pytest.raises(UncoveredError, match="ONNX' order"):
                read_archive(tmp_path / f"{name}.keras", {})


def test_a_configuration_without_sense_is_left_to_keras(tmp_path: Path) -> None:
    path = changed(tmp_path / "m.keras", lambda config: config["config"].update(layers=7))
    with pytest.raises(UncoveredError, match="not iterable"):
        read_archive(path, {})


def test_configurations_that_are_changed_at_random(tmp_path: Path) -> None:
    """Are read, or left to Keras; nothing else happens, and soon."""
    random, outcomes = np.random.default_rng(0), set()
    for _ in range(80):
        try:
            path = changed(tmp_path / "m.keras", lambda config: change_anything(config, random))
            outcomes.add(type(read_archive(path, {})))
        except (UncoveredError, UnsafeError, ModelError) as error:
            outcomes.add(type(error))
    assert {Imported, UncoveredError, UnsafeError} <= outcomes


def test_names_are_given_once_and_soon() -> None:
    names = Names()
    made = [names.unique("a") for _ in range(20_000)]  # which took a minute, one number after the other
    assert len(set(made)) == len(made)
    assert names.unique("a_1") not in made


def test_weights_that_are_damaged(tmp_path: Path) -> None:
    content = bytearray(DIGITS.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "m.keras").write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.keras' can't be loaded as a Keras model: Bad CRC-32 for file 'model"):
        load(tmp_path / "m.keras")


def test_compressed_weights_are_left_to_keras(tmp_path: Path) -> None:
    with zipfile.ZipFile(DIGITS) as whole, zipfile.ZipFile(tmp_path / "m.keras", "w", zipfile.ZIP_DEFLATED) as made:
        for name in whole.namelist():
            made.writestr(name, whole.read(name))
    with pytest.raises(UncoveredError, match="compressed weights"):
        read_archive(tmp_path / "m.keras", {})
    assert load(tmp_path / "m.keras").edges == 25816


def test_shapes_are_given_as_through_tensorflow(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((None, None, 3), name="x"), L.Conv2D(4, 3, name="c")])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ModelError, match=r"'x' has the shape \(None, None, None, 3\).*--shape x=1,224,224,3"):
        load(tmp_path / "m.keras")
    assert load(tmp_path / "m.keras", shapes={"x": (1, 8, 9, 3)}).layers[-1].shape == (6, 7, 4)


def test_every_function_is_for_a_class_of_keras() -> None:
    assert all(issubclass(getattr(L, name), L.Layer) for name in LAYERS)
    for name, kind in OPERATIONS.items():
        module = sys.modules[kind.module]
        assert issubclass(getattr(module, name), keras.Operation)


def test_the_options_that_a_function_knows_are_keras_own() -> None:
    """So that none is spelled otherwise: each one is a parameter of the class, or was one."""
    import inspect

    former = {"lora_rank", "lora_alpha", "data_format", "rms_scaling"}
    for name, kind in LAYERS.items():
        mro = [c for c in getattr(L, name).__mro__ if c.__module__.startswith("keras")]
        known = {p for c in mro for p in inspect.signature(c.__init__).parameters} | former
        if len({k for k, v in LAYERS.items() if v.make is kind.make}) == 1:
            assert {*kind.takes, *kind.only} <= known, (name, {*kind.takes, *kind.only} - known)


def test_memory_is_that_of_the_weights(tmp_path: Path) -> None:
    """A large kernel is read once, and beside the model."""
    model = keras.Sequential([keras.Input((300,), name="x"), L.Dense(300, name="d")])
    model.save(tmp_path / "m.keras")
    light = read_archive(tmp_path / "m.keras", {}).light
    assert {name: array.shape for name, array in light.arrays.items()} == {"d/kernel": (300, 300)}
    np.testing.assert_array_equal(light.arrays["d/kernel"], np.asarray(model.layers[0].kernel))
    assert os.path.getsize(tmp_path / "m.keras") > 4 * 300 * 300 > light.proto.ByteSize()
    assert archive.WEIGHTS == "model.weights.h5"
