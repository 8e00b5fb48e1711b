"""A Keras model while it learns: something is done with it after each epoch, and at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import onnx2graphml.frontends.keras  # noqa: F401  (sets TensorFlow up before Keras)
from onnx2graphml.errors import Error

import keras  # isort: skip


class FilmCallback(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback for `fit`.

    Epochs are counted from 1, as `fit` prints them; where `fit` is called again and begins anew, they are counted on.

    Args:
        begin: told the model before training begins; what it refuses is refused then.
        each: told an epoch's name, such as `epoch 3`, and the model.
        end: called when training ends.
        every: which epochs count: every one, every second ...

    Raises:
        Error: `every` is less than 1.

    Example:
        >>> seen = []
        >>> callback = FilmCallback(print, lambda epoch, model: seen.append(epoch), lambda: None, every=2)
        >>> for epoch in range(4):
        ...     callback.on_epoch_end(epoch)
        >>> seen
        ['epoch 2', 'epoch 4']
    """

    def __init__(
        self,
        begin: Callable[[Any], object],
        each: Callable[[str, Any], None],
        end: Callable[[], None],
        every: int = 1,
    ) -> None:
        super().__init__()
        if every < 1:
            raise Error(f"every is {every}; expected 1 or more")
        self._begin = begin
        self._each = each
        self._end = end
        self._every = every
        self._last = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Keras calls it when `fit` begins."""
        self._begin(self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keras calls it with the number of the epoch, from 0."""
        self._last = max(epoch, self._last) + 1
        if self._last % self._every == 0:
            self._each(f"epoch {self._last}", self.model)

    def on_train_end(self, logs: Any = None) -> None:
        """Keras calls it at the end of `fit`."""
        self._end()
