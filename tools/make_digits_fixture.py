"""Train a small network on handwritten digits and write it as fixtures/digits.keras, .onnx and .npz, with all digits
that it was not trained on in digits-held-out.npz.

Small enough for NetworkX to read its graph in seconds, and with one of each of the usual layers.
"""

from pathlib import Path

import numpy as np
import onnx

from onnx2graphml.frontends.keras import from_keras

import keras  # isort: skip
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

FIXTURES = Path(__file__).parents[1] / "fixtures"
SEED = 0
MORE = 50


def build() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 1), name="image"),
            layers.Conv2D(16, 3, padding="same", name="conv1"),
            layers.BatchNormalization(name="bn1"),
            layers.ReLU(name="relu1"),
            layers.MaxPooling2D(2, name="maxpool"),
            layers.Conv2D(24, 3, strides=2, padding="same", activation="relu", name="conv2"),
            layers.AveragePooling2D(2, strides=1, padding="same", name="avgpool"),
            layers.Flatten(name="flatten"),
            layers.Dense(48, activation="relu", name="dense1"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(10, activation="softmax", name="digit"),
        ],
        name="digits",
    )


def split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images in [0, 1], float32 (n, 8, 8, 1), and labels: to learn from, and held out."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    x, held_x, y, held_y = train_test_split(images, labels, test_size=0.25, random_state=SEED, stratify=labels)
    return x, held_x, y, held_y


def main() -> None:
    keras.utils.set_random_seed(SEED)
    x, held_x, y, held_y = split()
    model = build()
    model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    model.fit(x, y, batch_size=32, epochs=30, verbose=0)
    accuracy = float(np.mean(model.predict(held_x, verbose=0).argmax(1) == held_y))
    print(f"{accuracy:.2%} of {len(held_y)} held-out digits")
    assert accuracy >= 0.97

    FIXTURES.mkdir(exist_ok=True)
    plain = build()  # without the optimizer's state
    plain.set_weights(model.get_weights())
    plain.save(FIXTURES / "digits.keras")
    onnx.save(from_keras(plain).light.proto, FIXTURES / "digits.onnx")
    first = [int(np.flatnonzero(held_y == digit)[0]) for digit in range(10)]
    more = np.setdiff1d(np.arange(len(held_y)), first)[:MORE]
    arrays = {"x": held_x[first], "y": held_y[first], "more_x": held_x[more], "more_y": held_y[more]}
    np.savez_compressed(FIXTURES / "digits.npz", **arrays)
    sixteenths = (held_x * 16).astype(np.uint8)
    np.savez_compressed(FIXTURES / "digits-held-out.npz", x=sixteenths, y=held_y.astype(np.uint8))


if __name__ == "__main__":
    main()
