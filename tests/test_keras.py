"""The Keras frontend: the ONNX model computes what the Keras model computes, and knows its layers."""

import json
import subprocess
import sys
import zipfile

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx2graphml.errors import MissingExtraError, ModelError, UnsupportedError
from onnx2graphml.frontends import tfnames
from onnx2graphml.model.metadata import CHANNELS_LAST, LAYER, LAYERS

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from onnx2graphml.frontends import freezing  # noqa: E402
from onnx2graphml.frontends.keras import from_keras  # noqa: E402
from onnx2graphml.frontends.keras_files import load_keras  # noqa: E402

L = keras.layers


def randomised(model, seed=0):
    """The model with all its weights random, biases and statistics of normalizations too."""
    rng = np.random.default_rng(seed)
    for variable in model.trainable_variables + model.non_trainable_variables:
        if "variance" in variable.path or "gamma" in variable.path:
            variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        elif variable.dtype == "float32":
            variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


def sequential(shape, *layers):
    return keras.Sequential([keras.Input(shape, name="x"), *layers], name="net")


def feed_for(proto, seed=1):
    rng = np.random.default_rng(seed)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in proto.graph.input}
    return {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}


def assert_same(imported, tolerance=1e-5):
    """ONNX Runtime on the ONNX model, against the framework's own prediction."""
    onnx.checker.check_model(imported.light.proto, full_check=True)
    assert imported.light.proto.ir_version <= 10
    session = onnxruntime.InferenceSession(imported.light.proto.SerializeToString())
    feed = feed_for(imported.light.proto)
    expected = imported.predict(feed)
    got = session.run(None, feed)
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert a.shape == b.shape
        assert np.ptp(b) > 0
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=tolerance * max(1, np.abs(b).max()))


def tags(proto):
    return [{p.key: p.value for p in node.metadata_props}.get(LAYER) for node in proto.graph.node]


def metadata(proto):
    return {p.key: p.value for p in proto.metadata_props}


def rows(proto):
    return {row["name"]: row for row in json.loads(metadata(proto)[LAYERS])}


LAYERS_UNDER_TEST = {
    "conv same": ((8, 8, 3), lambda: [L.Conv2D(4, 3, padding="same")]),
    "conv stride same": ((9, 8, 3), lambda: [L.Conv2D(4, 3, strides=2, padding="same")]),
    "conv stride valid": ((9, 8, 3), lambda: [L.Conv2D(4, (1, 3), strides=(2, 1), activation="relu")]),
    "conv dilated": ((9, 9, 3), lambda: [L.Conv2D(4, 3, dilation_rate=2)]),
    "conv one channel": ((9, 9, 1), lambda: [L.Conv2D(1, 3), L.Conv2D(2, 3)]),
    "depthwise": ((9, 9, 3), lambda: [L.DepthwiseConv2D(3, depth_multiplier=2, strides=2, padding="same")]),
    "separable": ((9, 9, 3), lambda: [L.SeparableConv2D(5, 3)]),
    "grouped": ((8, 8, 4), lambda: [L.Conv2D(6, 3, groups=2, padding="same")]),
    "transposed": ((4, 5, 3), lambda: [L.Conv2DTranspose(2, 3, strides=2, padding="same")]),
    "transposed valid": ((4, 5, 3), lambda: [L.Conv2DTranspose(2, 3, strides=2)]),
    "conv 1-D": ((12, 3), lambda: [L.Conv1D(4, 3, strides=2, padding="same")]),
    "conv causal": ((12, 3), lambda: [L.Conv1D(4, 3, dilation_rate=2, padding="causal")]),
    "conv 3-D": ((5, 6, 7, 2), lambda: [L.Conv3D(3, 3, padding="same")]),
    "max pool": ((7, 7, 3), lambda: [L.MaxPooling2D(3, strides=2, padding="same")]),
    "average pool": ((7, 7, 3), lambda: [L.AveragePooling2D(3, strides=2, padding="same")]),
    "pools 1-D": ((12, 3), lambda: [L.MaxPooling1D(2), L.AveragePooling1D(2)]),
    "pool 3-D": ((4, 6, 6, 2), lambda: [L.MaxPooling3D(2)]),
    "batch norm": ((6, 6, 3), lambda: [L.Conv2D(4, 3), L.BatchNormalization(), L.ReLU()]),
    "layer norm": ((6, 5), lambda: [L.LayerNormalization()]),
    "normalization": ((4,), lambda: [L.Normalization(mean=[1.0, 2, 3, 4], variance=[4.0, 3, 2, 1])]),
    "dropout": ((8,), lambda: [L.Dense(6), L.Dropout(0.5), L.Dense(5)]),
    "padding": ((5, 5, 2), lambda: [L.ZeroPadding2D(((1, 2), (0, 1))), L.Cropping2D(1)]),
    "global pools": ((6, 6, 3), lambda: [L.Conv2D(4, 3), L.GlobalAveragePooling2D()]),
    "global max": ((6, 6, 3), lambda: [L.GlobalMaxPooling2D()]),
    "upsampling": ((4, 4, 3), lambda: [L.UpSampling2D(2), L.Conv2D(2, 3)]),
    "reshape": ((4, 6), lambda: [L.Reshape((6, 4)), L.Permute((2, 1)), L.Flatten()]),
    "dense": ((7,), lambda: [L.Dense(5, activation="softmax")]),
    "dense without bias": ((7,), lambda: [L.Dense(5, use_bias=False)]),
    "dense on a matrix": ((50, 50), lambda: [L.Dense(4, activation="tanh")]),
    "relu6": ((6, 6, 3), lambda: [L.Conv2D(4, 3, activation="relu6")]),
    "swish": ((6, 6, 3), lambda: [L.Conv2D(4, 3, activation="swish")]),
    "gelu": ((7,), lambda: [L.Dense(5, activation="gelu")]),
    "gelu by tanh": ((7,), lambda: [L.Dense(5), L.Lambda(lambda x: keras.activations.gelu(x, True))]),
    "hard swish": ((7,), lambda: [L.Dense(5, activation="hard_swish")]),
    "elu": ((7,), lambda: [L.Dense(5, activation="elu"), L.Dense(5, activation="softplus")]),
    "softmax": ((5, 6), lambda: [L.Softmax(axis=1)]),
    "leaky relu": ((6, 6, 3), lambda: [L.Conv2D(4, 3), L.LeakyReLU(negative_slope=0.2)]),
    "prelu": ((6, 6, 3), lambda: [L.Conv2D(4, 3), L.PReLU(shared_axes=[1, 2]), L.PReLU()]),
}


@pytest.mark.parametrize("case", LAYERS_UNDER_TEST)
def test_a_layer_computes_what_keras_computes(case):
    shape, layers = LAYERS_UNDER_TEST[case]
    model = randomised(sequential(shape, *layers()))
    imported = from_keras(model)
    assert_same(imported)
    assert [v.name for v in imported.light.proto.graph.input] == ["x"]
    assert [v.name for v in imported.light.proto.graph.output] == [model.layers[-1].name]


def residual():
    x = keras.Input((8, 8, 3), name="image")
    a = L.Conv2D(4, 3, padding="same", activation="relu", name="conv2d")(x)
    b = L.Conv2D(4, 1, name="conv2d_1")(x)
    c = L.Add(name="sum")([a, b])
    d = L.BatchNormalization(name="bn")(L.Concatenate(name="join")([c, a]))
    e = L.GlobalAveragePooling2D(name="mean")(d)
    return randomised(keras.Model(x, L.Dense(5, activation="softmax", name="classes")(e), name="residual"))


def test_layers_are_the_rows_of_the_summary():
    model = residual()
    imported = from_keras(model)
    assert_same(imported)
    found = rows(imported.light.proto)
    assert list(found) == [layer.name for layer in model.layers]
    assert {name: tuple(row["shape"]) for name, row in found.items()} == {
        layer.name: tuple(layer.output.shape[1:]) for layer in model.layers
    }
    assert set(tags(imported.light.proto)) - {None} == set(found) - {"image"}
    assert metadata(imported.light.proto)[CHANNELS_LAST] == "true"


def test_an_activation_belongs_to_its_layer():
    proto = from_keras(residual()).light.proto
    by_layer = {(node.op_type, tag) for node, tag in zip(proto.graph.node, tags(proto), strict=True)}
    assert {("Conv", "conv2d"), ("Relu", "conv2d"), ("Conv", "conv2d_1")} <= by_layer
    assert {("Gemm", "classes"), ("Softmax", "classes"), ("Add", "sum"), ("Concat", "join")} <= by_layer


def test_batch_normalization_remains():
    proto = from_keras(residual()).light.proto
    ops = [node.op_type for node, tag in zip(proto.graph.node, tags(proto), strict=True) if tag == "bn"]
    assert "Mul" in ops
    assert "Add" in ops


@pytest.mark.slow
def test_what_is_made_inside_a_layer_belongs_to_it():
    x = keras.Input((6, 8), name="x")
    y = L.MultiHeadAttention(2, 4, name="attention")(x, x)
    imported = from_keras(randomised(keras.Model(x, y)))
    assert_same(imported)
    proto = imported.light.proto
    products = [tag for node, tag in zip(proto.graph.node, tags(proto), strict=True) if node.op_type == "MatMul"]
    assert products == ["attention"] * 6


def test_a_resize_belongs_to_its_layer():
    model = sequential((4, 4, 3), L.UpSampling2D(2, interpolation="bilinear", name="up"), L.Conv2D(2, 3))
    proto = from_keras(randomised(model)).light.proto
    assert ("Resize", "up") in [(n.op_type, t) for n, t in zip(proto.graph.node, tags(proto), strict=True)]


def test_layout_transposes_have_no_layer():
    proto = from_keras(randomised(sequential((6, 6, 3), L.Conv2D(4, 3), L.MaxPooling2D()))).light.proto
    transposes = [t for n, t in zip(proto.graph.node, tags(proto), strict=True) if n.op_type == "Transpose"]
    assert transposes
    assert set(transposes) == {None}


def test_names_show_nothing_of_the_conversion():
    proto = from_keras(residual()).light.proto
    tensors = [name for node in proto.graph.node for name in node.output]
    nodes = [node.name for node in proto.graph.node]
    weights = [tensor.name for tensor in proto.graph.initializer]
    assert not any("L1__" in name or "L0__" in name for name in tensors + nodes + weights)
    assert len(set(nodes)) == len(nodes)
    assert {"conv2d/kernel", "conv2d_1/bias", "bn/gamma"} <= set(weights)


def test_layers_that_compute_the_same_stay_apart():
    x = keras.Input((6, 6, 3), name="x")
    pools = [L.MaxPooling2D(name=name)(x) for name in ("a", "b")]
    proto = from_keras(keras.Model(x, L.Concatenate(name="c")(pools))).light.proto
    assert {"a", "b", "c"} <= set(tags(proto))


def test_a_nested_model_gives_paths():
    inner = keras.Sequential([keras.Input((8, 8, 3)), L.Conv2D(4, 3, name="conv"), L.ReLU(name="relu")])
    inner.name = "block"
    x = keras.Input((8, 8, 3), name="x")
    y = L.Conv2D(2, 3, name="conv")(inner(x))
    imported = from_keras(randomised(keras.Model(x, L.Flatten(name="flat")(y))))
    assert_same(imported)
    assert list(rows(imported.light.proto)) == ["x", "block/conv", "block/relu", "conv", "flat"]
    assert {"block/conv", "block/relu", "conv"} <= set(tags(imported.light.proto))
    assert rows(imported.light.proto)["block/conv"] == {"name": "block/conv", "class": "Conv2D", "shape": [6, 6, 4]}


def test_several_inputs_and_outputs():
    a, b = keras.Input((6,), name="left"), keras.Input((4,), name="right")
    both = L.Concatenate(name="both")([L.Dense(3, name="p")(a), b])
    model = keras.Model({"left": a, "right": b}, [L.Dense(2, name="y")(both), L.Dense(5, name="z")(both), a])
    imported = from_keras(randomised(model))
    assert_same(imported)
    assert [v.name for v in imported.light.proto.graph.input] == ["left", "right"]
    assert [v.name for v in imported.light.proto.graph.output] == ["y", "z", "left_1"]


def test_a_layer_used_twice_is_one_row():
    x = keras.Input((6,), name="x")
    shared = L.Dense(6, activation="tanh", name="shared")
    imported = from_keras(randomised(keras.Model(x, shared(shared(x)))))
    assert_same(imported)
    assert rows(imported.light.proto)["shared"]["shape"] == [6]
    gemms = [
        t
        for n, t in zip(imported.light.proto.graph.node, tags(imported.light.proto), strict=True)
        if n.op_type == "Gemm"
    ]
    assert gemms == ["shared", "shared"]


def test_bare_operations_are_rows_too():
    x = keras.Input((6,), name="x")
    model = keras.Model(x, keras.ops.relu(L.Dense(3, name="d")(x) * 2.0 + 1.0))
    imported = from_keras(randomised(model))
    assert_same(imported)
    names = [operation.name for operation in model._operations]
    assert list(rows(imported.light.proto)) == names
    assert set(tags(imported.light.proto)) == set(names) - {"x"}
    assert "call" not in vars(model._operations[-1])


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = L.Dense(5, name="first layer"), L.Dense(3, name="second")

    def call(self, x, y):
        return {"b": self.second(self.first(x) + y), "a": y}


def test_a_subclassed_model_takes_shapes_by_parameter():
    model = Subclassed()
    model.first.build((1, 4))
    model.second.build((1, 5))
    model.built = True
    imported = from_keras(randomised(model), shapes={"x": (1, 4), "y": (1, 5)})
    assert_same(imported)
    assert [v.name for v in imported.light.proto.graph.input] == ["x", "y"]
    assert [v.name for v in imported.light.proto.graph.output] == ["output_0", "output_1"]
    assert list(rows(imported.light.proto)) == ["first layer", "second"]
    assert "first layer" in tags(imported.light.proto)
    with pytest.raises(ModelError, match="the input 'x' has the shape of unknown rank: give all of it"):
        from_keras(model)


def test_channels_first_is_told():
    x = keras.Input((3, 8, 8), name="x")
    y = L.GlobalAveragePooling2D(data_format="channels_first")(x)
    assert CHANNELS_LAST not in metadata(from_keras(keras.Model(x, y)).light.proto)


def test_a_shape_can_be_given():
    model = randomised(keras.Sequential([keras.Input((None, None, 3), name="x"), L.Conv2D(4, 3, name="c")]))
    with pytest.raises(ModelError, match=r"'x' has the shape \(None, None, None, 3\).*--shape x=1,224,224,3"):
        from_keras(model)
    words = keras.Sequential([keras.Input((None, 4), name="x"), L.Conv1D(4, 3)])  # a sequence is no picture
    with pytest.raises(ModelError, match=r"--shape x=1,16,4 \(shapes=\{'x': \(1, 16, 4\)\} in Python\)"):
        from_keras(words)
    imported = from_keras(model, shapes={"x": (1, 8, 9, 3)})
    assert_same(imported)
    assert rows(imported.light.proto)["c"]["shape"] == [6, 7, 4]
    for wrong in [(1, 8, 9, 4), (1, 8, 9), (2, 8, 9, 3), (1, 0, 9, 3)]:
        with pytest.raises(ModelError, match=r"got the shape \(.*\) for the input 'x', expected \(1, None"):
            from_keras(model, shapes={"x": wrong})
    with pytest.raises(ModelError, match="got a shape for 'y', but the model's inputs are x"):
        from_keras(model, shapes={"y": (1, 8, 9, 3)})


@keras.saving.register_keras_serializable("tests")
class Calls(L.Layer):
    """A layer that computes what the test says."""

    function = staticmethod(tf.math.lgamma)

    def call(self, x):
        return self.function(x)


def test_an_operation_without_onnx_operator_is_refused_and_names_are_restored():
    model = sequential((4,), L.Dense(3, name="dense"), Calls(name="odd"))
    with pytest.raises(UnsupportedError, match="layer 'odd': Lgamma has no standard ONNX operator; replace it"):
        from_keras(model)
    assert [layer.name for layer in model.layers] == ["dense", "odd"]


def test_a_failure_while_tracing_is_one_line_and_names_are_restored():
    model = sequential((4,), L.Dense(3, name="dense"), Calls(name="odd"))
    model.layers[1].function = lambda x: x.no_such_attribute
    with pytest.raises(ModelError, match=r"the model can't be converted to ONNX: .*no_such_attribute") as caught:
        from_keras(model)
    assert "\n" not in str(caught.value)
    assert [layer.name for layer in model.layers] == ["dense", "odd"]
    assert model.name == "net"
    assert all("call" not in vars(layer) for layer in [model, *model.layers])


def test_what_is_not_a_built_model_is_refused(monkeypatch):
    with pytest.raises(ModelError, match="got an unbuilt Sequential, expected a built Keras model"):
        from_keras(keras.Sequential([L.Dense(3)]))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ModelError, match="Keras runs on jax, expected tensorflow: set KERAS_BACKEND"):
        from_keras(residual())


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.hdf5"])
def test_a_file_gives_the_same_model(tmp_path, name):
    model = residual()
    model.save(tmp_path / name)
    imported = load_keras(tmp_path / name)
    assert_same(imported)
    feed = feed_for(imported.light.proto)
    np.testing.assert_allclose(imported.predict(feed)[0], from_keras(model).predict(feed)[0], rtol=1e-5)
    assert list(rows(imported.light.proto)) == [layer.name for layer in model.layers]


@pytest.mark.slow
@pytest.mark.parametrize("save", ["export", "tf.saved_model.save"])
def test_a_saved_model_gives_the_same_model(tmp_path, save):
    model = residual()
    if save == "export":
        model.export(tmp_path / "model", verbose=False)
    else:
        tf.saved_model.save(model, str(tmp_path / "model"))
    imported = load_keras(tmp_path / "model")
    assert_same(imported)
    (name,) = [v.name for v in imported.light.proto.graph.input]
    feed = feed_for(imported.light.proto)
    expected = from_keras(model).predict({"image": feed[name]})
    np.testing.assert_allclose(imported.predict(feed)[0], expected[0], rtol=1e-4)
    assert set(tags(imported.light.proto)) - {None} == {layer.name for layer in model.layers} - {"image"}
    assert metadata(imported.light.proto)[CHANNELS_LAST] == "true"


def test_a_saved_model_of_keras_2_names_its_layers(tmp_path):
    # Keras 2 enters each scope once, so that they are not numbered, and TensorFlow knows only functions.
    class Module(tf.Module):
        def __init__(self):
            super().__init__()
            with tf.name_scope("conv"):
                self.kernel = tf.Variable(np.ones((3, 3, 2, 4), np.float32), name="conv/kernel")

        @tf.function(input_signature=[tf.TensorSpec([None, 6, 6, 2], name="x")])
        def __call__(self, x):
            with tf.name_scope("model"):
                with tf.name_scope("conv"):
                    y = tf.nn.conv2d(x, self.kernel, 1, "SAME")
                with tf.name_scope("pool"):
                    return tf.nn.max_pool2d(y, 2, 2, "VALID")

    module = Module()
    tf.saved_model.save(module, str(tmp_path / "model"), signatures=module.__call__.get_concrete_function())
    imported = load_keras(tmp_path / "model")
    assert_same(imported)
    assert set(tags(imported.light.proto)) - {None} == {"conv", "pool"}
    tf.saved_model.save(tf.Module(), str(tmp_path / "none"))
    with pytest.raises(ModelError, match="has the signatures none, expected serving_default"):
        load_keras(tmp_path / "none")


def test_layers_without_variables_have_names_only_beyond_doubt():
    numbered = tfnames.scoped({"net_1/conv_1/Read": "conv/kernel", "net_1/inner_1/conv_2/Read": "inner/conv/kernel"})
    assert numbered("net_1/relu_1/Relu") == ("relu", "net_1/relu_1/Relu")
    assert numbered("PartitionedCall/net_1/inner_1/relu_1_2/Relu") == ("inner/relu_1", "net_1/inner_1/relu_1_2/Relu")
    assert numbered("net_1/conv_1/Conv2D")[0] == "conv"
    plain = tfnames.scoped({"net/conv/Read": "net/conv/kernel", "net/inner/conv/Read": "net/inner/conv/kernel"})
    assert plain("net/relu/Relu")[0] == "relu"
    assert plain("net/inner/relu/Relu")[0] is None
    mixed = tfnames.scoped({"net/a_1/Read": "a/kernel", "net/b/Read": "b/kernel"})
    assert [mixed(name)[0] for name in ("net/a_1/x", "net/b/x", "net/c_1/x")] == ["a", "b", None]
    assert tfnames.scoped({})("net/relu/Relu")[0] is None


def test_what_a_file_holds_takes_the_place_of_the_zeros_that_weights_start_with(tmp_path):
    @keras.saving.register_keras_serializable()
    class Own(L.Layer):
        """What it does not save, it makes anew when it is loaded: its initializers must stay what they are."""

        def __init__(self, kernel_initializer="ones", **options):
            super().__init__(**options)
            self.kernel_initializer = keras.initializers.get(kernel_initializer)

        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1],), initializer=self.kernel_initializer, trainable=False)

        def call(self, x):
            return x * self.kernel

        def save_own_variables(self, store):
            pass

        def load_own_variables(self, store):
            pass

        def get_config(self):
            return super().get_config() | {"kernel_initializer": keras.initializers.serialize(self.kernel_initializer)}

    model = sequential((4,), L.Dense(3, name="dense"), Own(name="own"), L.PReLU(name="slopes"))
    model.get_layer("dense").set_weights([np.arange(12.0).reshape(4, 3), np.ones(3)])
    model.get_layer("slopes").set_weights([np.arange(3.0)])
    model.save(tmp_path / "model.keras")
    imported = load_keras(tmp_path / "model.keras", trust=True)
    assert_same(imported)
    feed = feed_for(imported.light.proto)
    np.testing.assert_allclose(imported.predict(feed)[0], np.asarray(model(next(iter(feed.values())))), rtol=1e-6)


def test_a_bomb_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", bytes(1 << 24))
    with pytest.raises(ModelError, match="its content is more than 100 times its size"):
        load_keras(tmp_path / "bomb.keras")


def test_weights_are_those_at_the_time(tmp_path):
    """What is converted shares the weights' memory with a live model, and does not change with it."""
    model = sequential((4,), L.Dense(3, name="dense"))
    model.get_layer("dense").set_weights([np.ones((4, 3)), np.ones(3)])
    view = freezing.view(model.weights[0].value.value())
    model.weights[0].assign(np.zeros((4, 3)))
    model.weights[0].assign_add(np.ones((4, 3)))
    model.weights[0].assign_add(np.ones((4, 3)))
    assert (view == 1).all()


def test_code_in_a_file_needs_trust(tmp_path):
    model = sequential((4,), L.Dense(3, name="dense"), L.Lambda(lambda x: x * 2, name="twice"))
    for name in ("model.keras", "model.h5"):
        randomised(model).save(tmp_path / name)
        with pytest.raises(ModelError, match=r"has a Lambda layer, .* if you trust it, add --trust"):
            load_keras(tmp_path / name)
        assert_same(load_keras(tmp_path / name, trust=True))


def test_what_is_no_model_is_refused(tmp_path):
    def refused(name, match, content=b"no model"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelError, match=match) as caught:
            load_keras(tmp_path / name)
        assert "\n" not in str(caught.value)

    refused("text.keras", "can't be loaded as a Keras model")
    refused("empty.keras", "can't be loaded as a Keras model", b"")
    refused("text.h5", "can't be loaded as a Keras model")
    refused("model.onnx", "is no Keras model: expected .keras, .h5, .hdf5 or a SavedModel directory")
    residual().save(tmp_path / "whole.keras")
    refused("cut.keras", "can't be loaded as a Keras model", (tmp_path / "whole.keras").read_bytes()[:-500])
    with zipfile.ZipFile(tmp_path / "zip.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    refused("zip.keras", "can't be loaded as a Keras model", (tmp_path / "zip.keras").read_bytes())
    residual().save_weights(tmp_path / "only.weights.h5")
    weights = (tmp_path / "only.weights.h5").read_bytes()
    refused(
        "weights.h5", "holds weights without a model: build the model, load_weights, and save it as .keras", weights
    )
    with pytest.raises(ModelError, match="there is no file"):
        load_keras(tmp_path / "missing.keras")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="can't be read as a SavedModel"):
        load_keras(tmp_path / "folder")


def test_tensorflow_missing():
    code = "import sys; sys.modules['tensorflow'] = None; import onnx2graphml.frontends.keras"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert MissingExtraError.__name__ in run.stderr
    assert "this needs TensorFlow, which is not installed: pip install 'onnx2graphml[keras]'" in run.stderr


@pytest.mark.slow
def test_nothing_is_written_to_the_terminal(tmp_path):
    residual().save(tmp_path / "model.keras")
    code = "import sys; from onnx2graphml.frontends.keras_files import load_keras; load_keras(sys.argv[1])"
    command = [sys.executable, "-c", code, str(tmp_path / "model.keras")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.slow
def test_vgg16():
    model = randomised(keras.applications.VGG16(weights=None))
    imported = from_keras(model)
    proto = imported.light.proto
    found = rows(proto)
    assert len(found) == 23
    assert [(row["name"], row["shape"]) for row in found.values()] == [
        (layer.name, list((layer.output.shape)[1:])) for layer in model.layers
    ]
    assert set(tags(proto)) - {None} == set(found) - {model.layers[0].name}
    inside = sum(int(np.prod(tensor.dims)) for tensor in proto.graph.initializer)
    assert inside + sum(array.size for array in imported.light.arrays.values()) >= model.count_params()
    assert {value.name for value in proto.graph.input[1:]} == set(imported.light.arrays)
    kernel = model.get_layer("fc1").kernel
    assert np.shares_memory(imported.light.arrays["fc1/kernel"], np.asarray(memoryview(kernel.value.value())))
