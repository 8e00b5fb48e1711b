"""Weights from files into Keras' variables: read once, and not copied.

As it stands, Keras reads an array, and TensorFlow copies it twice before it is a variable: three times VGG16's largest,
0.4 GB each. Here it is read to where TensorFlow can compute with it, and lent to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt

ALIGNMENT = 64
"""Bytes; TensorFlow computes with whole words of a processor, which begin at multiples of that."""
LARGE = 1 << 20
"""Bytes of an array that is worth it."""
ZEROS: dict[str, Any] = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
LENT = (np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64))


def start_with_zeros(config: Any) -> None:
    """Let the weights of Keras' own layers, all of which are in the file, start as zeros.

    As it stands, Keras first fills them with random numbers, which takes several times their memory.
    """
    for part in config if isinstance(config, list) else config.values() if isinstance(config, dict) else ():
        start_with_zeros(part)
    if isinstance(config, dict) and _is_own_layer(config) and isinstance(config.get("config"), dict):
        for name, value in config["config"].items():
            if name.endswith("_initializer") and isinstance(value, dict):
                config["config"][name] = ZEROS


def _is_own_layer(config: dict[str, Any]) -> bool:
    """By its module, or in an older file, which tells none, by its class."""
    import keras

    return config.get("module", "keras.layers") == "keras.layers" and hasattr(
        keras.layers, str(config.get("class_name"))
    )


@contextlib.contextmanager
def read_once() -> Iterator[None]:
    """While this lasts, Keras takes large arrays from HDF5 files so."""
    import h5py
    from keras.src.backend.tensorflow.core import Variable
    from keras.src.legacy.saving import legacy_h5_format
    from keras.src.saving import saving_lib

    found, converted = saving_lib.safe_get_h5_dataset, Variable._convert_to_tensor

    def read(group: Any, name: str) -> Any:
        data = found(group, name)
        if not isinstance(data, h5py.Dataset) or data.dtype not in LENT or data.nbytes < LARGE:
            return data
        array = aligned(data.shape, data.dtype)
        data.read_direct(array)
        return array

    def lent(variable: Any, value: Any, dtype: Any = None) -> Any:
        return tensor(value) if is_lent(value, dtype) else converted(variable, value, dtype)

    with (
        mock.patch.object(saving_lib, "safe_get_h5_dataset", read),
        mock.patch.object(legacy_h5_format, "safe_get_h5_dataset", read),
        mock.patch.object(Variable, "_convert_to_tensor", lent),
    ):
        yield


def aligned(shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """An array to be filled, where TensorFlow can compute with it.

    Example:
        >>> aligned((2, 3), np.dtype(np.float32)).ctypes.data % ALIGNMENT
        0
    """
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    room = np.empty(size + ALIGNMENT, np.uint8)
    start = -room.ctypes.data % ALIGNMENT
    return room[start : start + size].view(dtype).reshape(shape)


def is_lent(value: Any, dtype: Any) -> bool:
    """Whether an array can be a tensor of that type as it is, and is worth it."""
    return (
        isinstance(value, np.ndarray)
        and value.nbytes >= LARGE
        and value.dtype in LENT
        and value.dtype.name == dtype
        and value.flags.c_contiguous
        and value.flags.writeable
        and value.ctypes.data % ALIGNMENT == 0
    )


def tensor(array: npt.NDArray[Any]) -> Any:
    """A tensor in the array's own memory, which nobody may change from now on."""
    import tensorflow as tf

    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
