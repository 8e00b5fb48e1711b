"""SavedModels, read by TensorFlow."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

SLOTS = "add_slot"
"""In TensorFlow's text where it can't make the slots of an optimizer, whose class a newer Keras no longer has."""


def load_saved_model(path: Path) -> Any:
    """The SavedModel as TensorFlow loads it, with its optimizer's slots or else without: nothing is trained here."""
    import tensorflow as tf

    try:
        return tf.saved_model.load(str(path))
    except AttributeError as error:
        if SLOTS not in str(error):
            raise
    with tempfile.TemporaryDirectory() as folder:
        _without_slots(path, Path(folder))
        return tf.saved_model.load(folder)


def _without_slots(path: Path, folder: Path) -> None:
    """The same SavedModel in another folder; its variables and assets are linked."""
    from tensorflow.core.protobuf import saved_model_pb2

    for entry in path.iterdir():
        if entry.name != "saved_model.pb":
            os.symlink(entry.absolute(), folder / entry.name)
    proto = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    for graph in proto.meta_graphs:
        for node in graph.object_graph_def.nodes:
            node.ClearField("slot_variables")
    (folder / "saved_model.pb").write_bytes(proto.SerializeToString())
