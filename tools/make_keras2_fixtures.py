"""Write tests/keras2/*.h5: small networks of Keras 2 with random weights, an input of each and what Keras 2 predicts.

Keras 2 is no dependency: `pip install tf_keras` beside TensorFlow, then run this.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tf_keras as keras

TARGET = Path(__file__).parent.parent / "tests" / "keras2"
L = keras.layers


def of(make: Callable[..., Any], *shapes: tuple[int, ...], dtype: str = "float32") -> Any:
    inputs = [keras.Input(shape, name=f"x{k}", dtype=dtype) for k, shape in enumerate(shapes)]
    return keras.Model(inputs, make(*inputs))


def pictures(x: Any) -> Any:
    """Layers whose options Keras 3 has lost, and activations that it has changed."""
    x = L.ReLU(6.0)(L.BatchNormalization()(L.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(x)))
    x = L.LeakyReLU(name="leaky")(L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(x)))
    x = L.SeparableConv2D(4, 3, activation="hard_sigmoid")(L.ZeroPadding2D(((0, 1), (1, 0)))(x))
    x = L.Conv2DTranspose(3, 2, strides=2, activation="swish")(x)
    return L.Dense(3, activation="softmax")(L.Dropout(0.5)(L.Flatten()(L.MaxPooling2D()(x))))


def words(x: Any) -> Any:
    """Series with masks, and cells of all kinds."""
    x = L.Embedding(7, 4, input_length=6, mask_zero=True)(x)
    x = L.Bidirectional(L.LSTM(4, return_sequences=True, recurrent_activation="hard_sigmoid"))(x)
    x = L.GRU(4, return_sequences=True)(L.TimeDistributed(L.Dense(4, activation="gelu"))(x))
    x = L.RNN([L.LSTMCell(4), L.GRUCell(4)], return_sequences=True)(x)
    return L.SimpleRNN(3)(L.Bidirectional(L.GRU(2, return_sequences=True, reset_after=False), merge_mode="ave")(x))


def inner() -> Any:
    x = keras.Input((3,))
    y = L.BatchNormalization(name="b")(L.Dense(3, name="a")(x))
    return keras.Model(x, L.Dense(3, name="c")(y), name="inner")


def nested(x: Any) -> Any:
    """Models within the model, each called twice; one is frozen, and one in part."""
    one, two = inner(), keras.Sequential([L.Dense(3, input_shape=(3,)), L.BatchNormalization(), L.Dense(3)])
    one.get_layer("a").trainable = False
    two.trainable = False
    y = two(L.Activation("tanh")(one(L.Activation("tanh")(two(one(x))))))
    return [L.Dense(2)(L.Concatenate()([x, y])), one(L.Dense(3)(y))]


def heads(x: Any, y: Any) -> Any:
    """Attention to two values, which a call has by their names."""
    z = L.Add()([x, L.MultiHeadAttention(2, 2)(x, y, key=y, use_causal_mask=True)])
    z = L.LayerNormalization(epsilon=1e-6)(z)
    return L.GlobalAveragePooling1D()(L.Dense(3, activation="gelu")(L.Attention(use_scale=True)([z, y])))


def chain() -> Any:
    """Without an input of its own."""
    return keras.Sequential([L.Conv1D(3, 3, padding="causal", input_shape=(6, 2)), L.PReLU(), L.Flatten(), L.Dense(2)])


MODELS: dict[str, Callable[[], Any]] = {
    "pictures": lambda: of(pictures, (8, 8, 3)),
    "words": lambda: of(words, (6,), dtype="int32"),
    "nested": lambda: of(nested, (3,)),
    "heads": lambda: of(heads, (3, 4), (3, 4)),
    "chain": chain,
}


def main() -> None:
    TARGET.mkdir(exist_ok=True)
    for name, make in MODELS.items():
        keras.backend.clear_session()
        random, model = np.random.default_rng(0), make()
        values = [random.uniform(0.2, 1.0, w.shape) if "variance" in w.name else random.normal(0, 0.6, w.shape)
                  for w in model.weights]  # fmt: skip
        model.set_weights(values)
        model.save(TARGET / f"{name}.h5")
        if name == "words":
            feeds = [np.array([[3, 1, 6, 2, 0, 0]], np.int32)]  # the last two are hidden
        else:
            feeds = [random.normal(size=(1, *x.shape[1:])).astype(np.float32) for x in model.inputs]
        found = model(feeds if len(feeds) > 1 else feeds[0])
        with h5py.File(TARGET / f"{name}.h5", "a") as file:
            for key, arrays in (("inputs", feeds), ("outputs", found if isinstance(found, list) else [found])):
                for k, array in enumerate(arrays):
                    file[f"predicted/{key}/{k}"] = np.asarray(array)


if __name__ == "__main__":
    main()
