"""Faults that were met in use with Keras models: each case computed something wrong, or told something wrong."""

import contextlib
import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import ModelError, UnsupportedError
from onnx2graphml.inference.activations import activations
from onnx2graphml.parameters.arrays import layer_arrays

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

L = keras.layers


def randomised(model, seed=0):
    """The model with all its weights random, biases and statistics of normalizations too."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables + model.non_trainable_variables:
        if variable.dtype == "float32":
            low = 0.5 if "variance" in variable.path or "gamma" in variable.path else -0.5
            variable.assign(rng.uniform(low, low + 1, variable.shape))
    return model


def shapes(graph):
    return {layer.name: layer.shape for layer in graph.layers}


# ------------------------------------------------------------------------------------------------ random and stateful


class Sampling(L.Layer):
    """Draws from a normal distribution, as the middle of a variational autoencoder does."""

    def __init__(self, seed=None, **options):
        super().__init__(**options)
        self.seed = keras.random.SeedGenerator(7) if seed == "generator" else seed

    def call(self, mean):
        return mean + keras.random.normal((1, 2), seed=self.seed)


class Counter(L.Layer):
    """Multiplies by how often it was called."""

    def build(self, shape):
        self.count = self.add_weight(shape=(), initializer="ones", trainable=False, name="count")

    def call(self, x):
        self.count.assign_add(1.0)
        return x * self.count


class Noise(L.Layer):
    def call(self, x):
        return x + tf.random.normal((1, 2))


@pytest.mark.parametrize("layer", [Sampling, lambda name: Sampling("generator", name=name), Noise])
def test_random_numbers_are_refused(layer):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, name="mean"), layer(name="z")])
    with pytest.raises(UnsupportedError, match=r"layer 'z' draws random numbers \(\w+\): two predictions differ"):
        o2g.load(model)


def test_a_number_that_is_drawn_the_same_each_time_is_a_constant():
    model = keras.Sequential([keras.Input((2,), name="x"), Sampling(5, name="z")])
    x = np.ones((1, 2), np.float32)
    np.testing.assert_allclose(activations(o2g.load(model), {"x": x})["z"], np.asarray(model(x))[0], rtol=1e-6)


def test_what_changes_with_each_call_is_refused():
    model = keras.Sequential([keras.Input((2,)), L.Dense(2), Counter(name="counter")])
    before = [np.asarray(w).copy() for w in model.variables]
    with pytest.raises(UnsupportedError, match="layer 'counter' changes a variable that it reads"):
        o2g.load(model)
    for was, now in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(was, np.asarray(now))


@pytest.mark.parametrize("wrapped", [False, True])
def test_states_that_are_kept_are_refused(wrapped: bool, tmp_path: Path):
    layer = L.GRU(2, stateful=True)
    layer = L.Bidirectional(layer, name="b") if wrapped else layer
    keras.Sequential([keras.Input((3, 2), batch_size=1), layer]).save(tmp_path / "m.keras")
    with pytest.raises(UnsupportedError, match=r"layer '(b|gru.*)' keeps its states, which are variables that"):
        o2g.load(tmp_path / "m.keras")


def test_random_numbers_in_a_saved_model_are_refused(tmp_path: Path):
    model = keras.Sequential([keras.Input((3,)), L.Dense(2, name="mean"), Sampling(name="z")])
    model.export(tmp_path / "model", verbose=False)
    with pytest.raises(UnsupportedError, match=r"draws random numbers \(\w+\)"):
        o2g.load(tmp_path / "model")


def test_what_is_random_in_training_only_is_no_matter():
    layers = [
        L.GaussianNoise(0.5),
        L.Dropout(0.5),
        L.GaussianDropout(0.5),
        L.SpatialDropout1D(0.5),
        L.Dense(2, name="d"),
    ]
    graph = o2g.load(randomised(keras.Sequential([keras.Input((4, 3), name="x"), *layers])))
    assert [layer.name for layer in graph.layers] == ["x", "d"]


# ------------------------------------------------------------------------------------------ the export is checked


def test_an_export_that_computes_something_else_is_refused(monkeypatch: pytest.MonkeyPatch):
    from onnx2graphml.frontends import keras as frontend

    def wrong(*args):
        proto, weights = convert(*args)
        next(node for node in proto.graph.node if node.op_type == "Relu").op_type = "Abs"
        return proto, weights

    model = randomised(
        keras.Sequential([keras.Input((4,)), L.Dense(3, name="a"), L.ReLU(name="b"), L.Dense(2, name="c")])
    )
    convert = frontend.convert
    monkeypatch.setattr(frontend, "convert", wrong)
    with pytest.raises(ModelError, match="layer 'b': the framework and its ONNX export differ"):
        o2g.load(model)
    assert not o2g.verify(o2g.load(model, check=False)).passed


def test_a_framework_that_cant_run_it_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    from onnx2graphml.frontends import keras as frontend

    def fails(feed):
        raise RuntimeError("no such kernel")

    monkeypatch.setattr(frontend, "_runners", lambda *args: [fails])
    with caplog.at_level(logging.WARNING, "onnx2graphml"):
        graph = o2g.load(keras.Sequential([keras.Input((4,)), L.Dense(2)], name="net"))
    assert "net: the export was not compared with the framework's own prediction: RuntimeError" in caplog.text
    report = o2g.verify(graph)
    assert report.passed
    assert report.unchecked == ("the framework's own prediction: RuntimeError: no such kernel",)


# ----------------------------------------------------------------------------------------------------------- types


def test_bfloat16_is_computed_in_float32_and_said_so(caplog: pytest.LogCaptureFixture):
    first = L.Dense(30, activation="relu", dtype="mixed_bfloat16", name="short")
    model = randomised(
        keras.Sequential([keras.Input((40,), name="x"), first, L.Dense(2, dtype="float32", name="long")])
    )
    with caplog.at_level(logging.WARNING, "onnx2graphml"):
        graph = o2g.load(model)
    assert "layer 'short' computes in bfloat16, which NumPy lacks; the graph has it in float32" in caplog.text
    assert {str(layer.dtype) for layer in graph.layers} == {"float32"}
    assert o2g.verify(graph).passed
    large = np.full((1, 40), 1e6, np.float32)  # float16 would end at 65,504
    kernel, bias = (np.asarray(w, np.float64) for w in model.layers[0].weights)
    np.testing.assert_allclose(
        activations(graph, {"x": large})["short"], np.maximum(large[0] @ kernel + bias, 0), rtol=1e-5
    )


@pytest.mark.parametrize("policy", ["bfloat16", "mixed_bfloat16", "float16", "mixed_float16"])
def test_short_types_raise_no_alarm(policy: str):
    layers = [L.Dense(64, activation="relu", dtype=policy), L.Dense(32, activation="tanh", dtype=policy)]
    model = randomised(keras.Sequential([keras.Input((16,), dtype="float32"), *layers, L.Dense(4, dtype="float32")]))
    assert o2g.verify(o2g.load(model)).passed


# ----------------------------------------------------------------------------------------------- the same each time

NETWORK = """
import keras, sys, hashlib, pathlib, onnx2graphml as o2g
from keras import layers as L
keras.utils.set_random_seed(0)
x = keras.Input((8, 8, 3), name="in")
h = L.LayerNormalization(name="ln")(L.Conv2D(4, 3, activation="gelu", name="c")(x))
h = L.UpSampling2D(2, name="up")(h)
d = L.Dropout(0.5, name="drop")(h)
a = [L.Conv2D(3, k, padding="same", activation="relu", name=f"a{k}")(h) for k in (1, 3, 5)]
p = L.Reshape((4, 9), name="r")(L.AveragePooling2D(6, name="p")(L.Concatenate(name="cat")(a)))
m = keras.Model(x, [L.Flatten(name="f")(h), d, d, L.LSTM(2, name="lstm")(p)])
for detail in ("op", "layer", "neuron"):
    for name in ("first", "again"):
        graph = o2g.load(m, detail=detail, check=False)
        o2g.write(graph, f"{sys.argv[1]}.graphml")
        print(detail, hashlib.sha256(pathlib.Path(f"{sys.argv[1]}.graphml").read_bytes()).hexdigest(), graph.outputs)
"""


@pytest.mark.slow
def test_a_model_gives_the_same_bytes_in_every_process(tmp_path: Path):
    found = []
    for seed in ("1", "2"):
        command = [sys.executable, "-c", NETWORK, str(tmp_path / seed)]
        environment = {"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"}
        run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert run.returncode == 0, run.stderr[-2000:]
        found.append(run.stdout.splitlines())
    assert found[0] == found[1]
    first, again = found[0][::2], found[0][1::2]
    assert first == again
    assert first[1].endswith("('f', 'up', 'up', 'lstm')")


def test_what_tf2onnx_says_does_not_reach_the_terminal(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    """With the control: where it is let, it says something of this network."""
    from onnx2graphml.frontends import tensorflow

    x = keras.Input((8, 8, 3))
    model = keras.Model(x, L.UpSampling2D(2)(L.LayerNormalization()(L.Conv2D(4, 3, activation="gelu")(x))))
    o2g.load(model, check=False)
    assert not caplog.messages
    monkeypatch.setattr(tensorflow, "quiet", contextlib.nullcontext)
    with caplog.at_level(logging.INFO, "tf2onnx"):
        o2g.load(model, check=False)
    assert caplog.messages


# ------------------------------------------------------------------------------------------------------ older files


@pytest.mark.parametrize("batch", [None, 32])
def test_an_old_sequential_without_an_input_layer_keeps_its_rank(tmp_path: Path, batch: int | None):
    """Keras 3 takes the shape of a batch that Keras 2 wrote for that of a sample, and adds an axis."""
    import h5py

    a = L.Dense(2, name="a")
    inner = keras.Sequential([keras.Input((2,)), a, L.Dense(3, name="b")], name="s")
    kernels = [np.asarray(w) for w in randomised(inner).weights]
    dense = [
        {"class_name": "Dense", "config": {"name": n, "dtype": "float32", "units": u, "activation": "linear"}}
        for n, u in (("a", 2), ("b", 3))
    ]
    dense[0]["config"]["batch_input_shape"] = [batch, 2]
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": dense}}
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), b"2.4.0"
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [b"a", b"b"]
        for name, pair in (("a", kernels[:2]), ("b", kernels[2:])):
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{n}:0".encode() for n in ("kernel", "bias")]
            for n, values in zip(("kernel", "bias"), pair, strict=True):
                group[f"{name}/{n}:0"] = values
    graph = o2g.load(tmp_path / "old.h5")
    assert (graph.neurons, graph.edges) == (7, 10)
    assert o2g.verify(graph).passed
    x = np.array([[1.0, -2.0]], np.float32)
    (name,) = graph.model.inputs
    np.testing.assert_allclose(activations(graph, {name: x})["b"], np.asarray(inner(x))[0], rtol=1e-5)


# ------------------------------------------------------------------------------------- channels, rows and columns


def functional(shape, *layers):
    return keras.Sequential([keras.Input(shape, name="x"), *layers])


AXES = {
    "one channel": ((8, 8, 1), lambda: [L.Conv2D(2, 3, name="c")], {"x": (2, 0, 1), "c": (2, 0, 1)}),
    "autoencoder": (
        (8, 8, 1),
        lambda: [L.Conv2D(2, 3, 2, padding="same", name="e"), L.Conv2DTranspose(1, 2, 2, name="d")],
        {"x": (2, 0, 1), "e": (2, 0, 1), "d": (2, 0, 1)},
    ),
    "upsampled": (
        (8, 8, 1),
        lambda: [L.MaxPooling2D(name="p"), L.UpSampling2D(name="u"), L.Conv2D(1, 3, name="o")],
        {"x": (2, 0, 1), "p": (2, 0, 1), "u": (2, 0, 1), "o": (2, 0, 1)},
    ),
    "series": (
        (12, 3),
        lambda: [L.Conv1D(4, 3, name="c"), L.MaxPooling1D(2, name="p")],
        {"x": (1, 0), "c": (1, 0), "p": (1, 0)},
    ),
    "series of one channel": ((12, 1), lambda: [L.Conv1D(1, 3, name="c")], {"x": (1, 0), "c": (1, 0)}),
}


@pytest.mark.parametrize("case", AXES)
def test_neurons_have_their_channel_row_and_column(case: str):
    """The channel's position in a layer's shape, then those of the spatial axes."""
    shape, layers, expected = AXES[case]
    graph = o2g.load(randomised(functional(shape, *layers())))
    assert {layer.name: layer.spatial for layer in graph.layers} == expected


def test_the_arrays_of_a_convolution_from_one_channel_to_one_are_labelled():
    layers = [L.Conv2D(1, 3, name="a"), L.Conv2D(1, 1, name="b"), L.Conv2D(1, (1, 3), name="c")]
    graph = o2g.load(randomised(functional((7, 9, 1), *layers)))
    axes = {array.name: array.axes for of in layer_arrays(graph) for array in of.arrays}
    kernel, bias = ("row", "column", "in", "out"), ("out",)
    assert axes == {f"{n}/{k}": v for n in "abc" for k, v in (("kernel", kernel), ("bias", bias))}
    series = o2g.load(randomised(functional((5, 1), L.Conv1D(1, 3, name="a"))))
    axes = {array.name: array.axes for of in layer_arrays(series) for array in of.arrays}
    assert axes == {"a/kernel": ("position", "in", "out"), "a/bias": bias}


# ------------------------------------------------------------------------------------------------- channels first


@pytest.mark.parametrize("kind", ["conv", "transposed", "series", "volume"])
@pytest.mark.parametrize("eager", [False, True])
def test_channels_first_is_verified_against_what_keras_means(kind: str, eager: bool):
    """TensorFlow can't run it on a processor, or adds the biases along the wrong axis."""
    shape, layer = {
        "conv": ((3, 6, 6), lambda: L.Conv2D(4, 3, data_format="channels_first", name="c")),
        "transposed": ((3, 5, 5), lambda: L.Conv2DTranspose(4, 3, data_format="channels_first", name="c")),
        "series": ((3, 6), lambda: L.Conv1D(4, 3, data_format="channels_first", name="c")),
        "volume": ((2, 4, 6, 6), lambda: L.Conv3D(4, 3, data_format="channels_first", name="c")),
    }[kind]
    model = randomised(functional(shape, layer()))
    before = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(eager)
    try:
        graph = o2g.load(model)
        report = o2g.verify(graph)
    finally:
        tf.config.run_functions_eagerly(before)
    assert report.passed
    if report.unchecked:  # TensorFlow without oneDNN can't run it at all
        assert report.unchecked[0].startswith("the framework's own prediction: ")
    else:
        assert report.rows[-1].layer == "prediction of c"
    assert graph.layer("c").spatial == tuple(range(len(shape)))


# ------------------------------------------------------------------------------------------- calls, parameters, shapes


def test_calls_are_numbered_in_the_order_of_the_calls():
    x = keras.Input((7, 7, 1))
    conv = L.Conv2D(3, 3, name="c")
    vision = keras.Model(x, L.Flatten(name="f")(conv(x)), name="vision")
    first, second = keras.Input((7, 7, 1), name="first"), keras.Input((7, 7, 1), name="second")
    one, two = vision(first), vision(second)
    graph = o2g.load(randomised(keras.Model([second, first], L.Concatenate(name="cat")([two, one]))))
    reads = {layer.name: [i.source for i in layer.incoming] for layer in graph.layers}
    assert reads["vision/c"] == ["first"]
    assert reads["vision/c#2"] == ["second"]
    assert sorted(reads["cat"]) == ["vision/f", "vision/f#2"]


def test_a_call_that_runs_late_keeps_its_number():
    dense = L.Dense(3, name="c")
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    early, late = dense(a), dense(L.ReLU(name="f")(b))
    graph = o2g.load(randomised(keras.Model([a, b], L.Concatenate(name="cat")([L.ReLU(name="g")(late), early]))))
    reads = {layer.name: [i.source for i in layer.incoming] for layer in graph.layers}
    assert (reads["c"], reads["c#2"]) == (["a"], ["f"])


@pytest.mark.slow
def test_parameters_are_those_that_are_trained_each_once():
    shared = L.Conv2D(3, 3, padding="same", name="shared")
    x = keras.Input((6, 6, 3), name="x")
    y = L.Conv2D(2, 3, use_bias=False, name="bare")(shared(L.ReLU()(shared(x))))
    y = L.BatchNormalization(name="bn")(L.Rescaling(2.0, name="r")(y))
    model = randomised(keras.Model(x, L.PReLU(name="slopes")(y)))
    for detail in ("op", "layer", "neuron"):
        graph = o2g.load(model, detail=detail)
        assert graph.parameters == 84 + 54 + 4 + 32 == sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    counts = {layer.name: layer.parameters for layer in o2g.load(model).layers}
    assert (counts["shared"], counts["shared#2"], counts["bare"], counts["bn"], counts["r"]) == (84, 0, 54, 4, 0)
    model.trainable = False
    assert o2g.load(model).parameters == 174, "frozen weights were trained, too"


def test_what_is_put_out_twice_is_one_layer():
    x = keras.Input((4,), name="x")
    h = L.Dense(3, name="h")(x)
    graph = o2g.load(randomised(keras.Model(x, [h, x, L.Dropout(0.5, name="drop")(h), h])))
    assert graph.outputs == ("h", "x", "h", "h")
    assert [layer.name for layer in graph.layers] == ["x", "h"]
    assert o2g.verify(graph).passed


def test_shapes_are_those_of_keras_where_axes_have_one_entry():
    x = keras.Input((3, 3, 2), name="x")
    a = L.ReLU(name="a")(L.BatchNormalization()(L.Conv2D(3, 3, use_bias=False)(x)))
    joined = L.Concatenate(name="cat")([a, L.MaxPooling2D(3, name="p")(x)])
    model = randomised(keras.Model(x, L.Concatenate(name="o")([L.Conv2D(2, 1)(joined), L.Conv2D(2, 1)(joined)])))
    graph = o2g.load(model)
    assert (graph.layer("cat").shape, graph.layer("cat").spatial) == ((1, 1, 5), (2, 0, 1))
    for layers in ([L.TimeDistributed(L.Dense(6), name="t"), L.Reshape((5, 2, 3), name="r"), L.Flatten(name="f")],):
        graph = o2g.load(randomised(functional((5, 4), *layers)))
        assert [shapes(graph)[n] for n in "trf"] == [(5, 6), (5, 2, 3), (30,)]
    graph = o2g.load(
        functional((61, 16), L.Conv1D(4, 3, name="c"), L.MaxPooling1D(2, name="p"), L.UpSampling1D(name="u"))
    )
    assert shapes(graph) == {"x": (61, 16), "c": (59, 4), "p": (29, 4), "u": (58, 4)}


def test_a_class_that_is_not_there_is_told_with_the_way_out(tmp_path: Path):
    @keras.saving.register_keras_serializable("faults")
    class Scale(L.Layer):
        def call(self, x):
            return x * 2.0

    functional((3,), Scale(name="s")).save(tmp_path / "custom.keras")
    del keras.saving.get_custom_objects()["faults>Scale"]
    with pytest.raises(ModelError, match=r"needs the class 'Scale', which only your program has: .*model.export"):
        o2g.load(tmp_path / "custom.keras", trust=True)


@pytest.mark.slow
def test_a_saved_model_with_an_optimizer_of_an_older_keras_is_read(tmp_path: Path):
    """TensorFlow itself doesn't load it: it has no class for the optimizer any more, and that should add its slots."""

    class Network(tf.Module):
        def __init__(self):
            super().__init__()
            self.w = tf.Variable(np.random.default_rng(0).standard_normal((4, 3)).astype("float32"))
            self.optimizer = tf.compat.v1.train.MomentumOptimizer(0.1, 0.9)

        @tf.function(input_signature=[tf.TensorSpec((None, 4), tf.float32, name="x")])
        def __call__(self, x):
            return {"y": tf.nn.relu(x @ self.w)}

    network = Network()
    network.optimizer.minimize(lambda: tf.reduce_sum(network(tf.ones((1, 4)))["y"]), var_list=[network.w])
    tf.saved_model.save(network, str(tmp_path / "m"), signatures=network.__call__)
    with pytest.raises(AttributeError, match="add_slot"):
        tf.saved_model.load(str(tmp_path / "m"))
    before = {p: p.read_bytes() for p in (tmp_path / "m").rglob("*") if p.is_file()}
    graph = o2g.load(tmp_path / "m")
    assert graph.edges == 12
    assert o2g.verify(graph).passed
    np.testing.assert_array_equal(graph.layers[-1].incoming[0].block.weights.reshape(4, 3), network.w.numpy())
    assert {p: p.read_bytes() for p in (tmp_path / "m").rglob("*") if p.is_file()} == before


def test_a_concatenation_of_a_concatenation_is_two_layers():
    a, b, c = (keras.Input((2,), name=n) for n in "abc")
    inner = L.Concatenate(name="inner")([a, b])
    graph = o2g.load(keras.Model([a, b, c], L.Concatenate(name="outer")([inner, c])))
    assert shapes(graph) == {"a": (2,), "b": (2,), "c": (2,), "inner": (4,), "outer": (6,)}
    assert o2g.verify(graph).passed


@pytest.mark.slow
def test_strides_longer_than_the_kernel_of_a_transposed_convolution():
    """What no window reaches has the bias alone; tf2onnx had negative pads for it."""
    x = L.Input((4, 3, 2), name="x")
    kinds = [(2, 3, "same"), (1, 2, "valid"), (2, 5, "same"), ((3, 1), (2, 4), "same")]
    ups = [L.Conv2DTranspose(3, k, strides=s, padding=p, name=f"up{n}")(x) for n, (k, s, p) in enumerate(kinds)]
    model = randomised(keras.Model(x, ups))
    given = np.random.default_rng(0).normal(size=(1, 4, 3, 2)).astype(np.float32)
    graph = o2g.load(model)
    found = activations(graph, {"x": given})
    for name, expected in zip(graph.outputs, model.predict(given, verbose=0), strict=True):
        assert graph.layer(name).shape == expected.shape[1:]
        np.testing.assert_allclose(found[name], expected[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found["up2"][-3:], np.broadcast_to(model.get_layer("up2").bias, (3, 15, 3)))
    assert o2g.verify(graph).passed


SPATIAL = {
    "Conv1DTranspose": ((5, 3), {"strides": 2}),
    "Conv3D": ((2, 4, 4, 3), {}),
    "Conv3DTranspose": ((3, 2, 2, 3), {"strides": (1, 2, 2)}),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPATIAL)
def test_the_bias_of_channels_that_come_first(kind):
    """As with channels last: TensorFlow itself adds some of them along the wrong axis, and tf2onnx did."""
    shape, options = SPATIAL[kind]
    last = randomised(keras.Sequential([L.Input(shape), getattr(L, kind)(3, 2, padding="same", **options)]))
    first = keras.Sequential(
        [L.Input((shape[-1], *shape[:-1]), name="x"), type(last.layers[0])(
            3, 2, padding="same", data_format="channels_first", name="y", **options
        )]
    )  # fmt: skip
    first.set_weights(last.get_weights())
    given = np.random.default_rng(0).normal(size=(1, *shape)).astype(np.float32)
    graph = o2g.load(first)
    found = activations(graph, {"x": np.moveaxis(given, -1, 1)})["y"]
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), last.predict(given, verbose=0)[0], rtol=1e-5, atol=1e-6)
    assert o2g.verify(graph).passed


def test_two_biases_of_one_number_each_side():
    """Of 1 x 1 pictures, TensorFlow adds a layer's output as a bias, and tf2onnx made both biases one convolution's."""
    x = L.Input((1, 1, 4))
    model = randomised(
        keras.Model(x, L.Add(name="sum")([L.Conv2D(3, 1, name="one")(x), L.Conv2D(3, 1, name="two")(x)]))
    )
    graph = o2g.load(model)
    assert [layer.name for layer in graph.layers][1:] == ["one", "two", "sum"]
    assert graph.layer("sum").in_edges == 6
    assert o2g.verify(graph).passed
