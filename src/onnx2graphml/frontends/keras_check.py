"""Keras files are read before Keras sees them: what they name must be Keras' own, and their data in the file itself.

Keras' safe mode alone has had holes in every version: layers that load other models, bytecode in old files, data sets
that lie in other files. What is accepted here is a list, so that what nobody thought of is refused.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

ROOMS = ("activations", "constraints", "dtype_policies", "initializers", "layers", "models", "ops", "quantizers",
         "random", "regularizers")  # fmt: skip
"""The parts of Keras that a trained network is made of."""

FUNCTIONS = ("activations", "constraints", "initializers", "ops", "regularizers")
"""Those whose plain functions only compute: `keras.models` has one that loads files."""

NAMES = {
    "keras": (
        "DTypePolicy",
        "FloatDTypePolicy",
        "Functional",
        "Model",
        "QuantizedDTypePolicy",
        "Sequential",
        "Variable",
    ),
    "builtins": ("slice",),
}
"""What may come from elsewhere."""

MODELS = ("Functional", "Model", "Sequential")

BARRED = frozenset(
    {
        *("FeatureSpace", "FlaxLayer", "Hashing", "IntegerLookup", "JaxLayer", "Lambda", "Pipeline", "StringLookup"),
        *("TFSMLayer", "TextVectorization", "TorchModuleWrapper", "__lambda__", "__typespec__"),
    }
)
"""Classes that hold code, load other files, or read a vocabulary from a path."""

TRAINING = ("compile_config", "training_config", "build_config")
"""Parts of a configuration of which nothing is made."""

MEMBERS = ("metadata.json", "config.json", "model.weights.h5")
"""What of an archive is needed; its assets are vocabularies."""

DEEPEST = 200
BOMB = 100  # an archive whose content is that many times its size: Keras stores weights uncompressed
LONGEST = 1 << 25  # bytes of a configuration, of which Python makes many times as many
MANY_TIMES = 1000  # a data set that is so many times larger than its file


class UnsafeError(ValueError):
    """A file that names what a trained network has no need of."""


def check_config(config: Any) -> None:
    """Refuse a configuration that names anything but Keras' own layers and functions.

    Raises:
        UnsafeError: names the class.

    Example:
        >>> check_config({"module": "keras.layers", "class_name": "Dense", "config": {"units": 2}})
    """
    for part in _parts(config):
        name, module = part.get("class_name"), part.get("module")
        if name is None and module is None:
            continue
        if not isinstance(name, str) or not isinstance(module, str | None):
            raise UnsafeError(f"its configuration has the class {name!r} of the module {module!r}; expected two names")
        registered = str(part.get("registered_name")).rpartition(">")[2]
        for barred in BARRED & {name, registered}:
            raise UnsafeError(f"it has a {barred} layer, which runs code or reads files that it names")
        if not _is_own(name, module):
            raise UnsafeError(
                f"it needs {name!r} of the module {module!r}, which is no layer or function of Keras' own"
            )


def _is_own(name: str, module: str | None) -> bool:
    if module is None:
        return name != "function"
    if name in NAMES.get(module, ()):
        return True
    parts = module.split(".")
    if parts[0] != "keras" or len(parts) < 2:
        return False
    room = parts[2] if parts[1] == "src" and len(parts) > 2 else parts[1]
    if name == "function":
        return room in FUNCTIONS
    return room in ROOMS and (room != "models" or name in MODELS)


def _parts(config: Any) -> Iterator[dict[str, Any]]:
    """All objects in it, however deep, but for those that only training needs."""
    waiting = [(config, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > DEEPEST:
            raise UnsafeError(f"its configuration is nested more than {DEEPEST} deep")
        if isinstance(part, dict):
            yield part
            waiting += [(value, depth + 1) for key, value in part.items() if key not in TRAINING]
        elif isinstance(part, list):
            waiting += [(value, depth + 1) for value in part]


def check_size(archive: zipfile.ZipFile, path: Path) -> None:
    """Refuse an archive whose content is too large for its size.

    Raises:
        ValueError: it is more than 100 times as large, or the configuration alone is too large.
    """
    if sum(member.file_size for member in archive.infolist()) > BOMB * path.stat().st_size:
        raise ValueError(f"its content is more than {BOMB} times its size")
    longest = max((member.file_size for member in archive.infolist() if member.filename == "config.json"), default=0)
    if longest > LONGEST:
        raise ValueError(f"its configuration has {longest:,} bytes, expected at most {LONGEST:,}")


def check_hdf5(path: Path) -> None:
    """Refuse an HDF5 file whose data lie in other files, are computed from others, or are larger than can be.

    Args:
        path: of an `.h5` file, or of the weights in a `.keras` file.

    Raises:
        UnsafeError: names the data set; or the configuration in the file is refused by `check_config`.
        OSError: it is no HDF5 file.
    """
    with h5py.File(path, "r") as file:
        check_open_hdf5(file, path.stat().st_size)


def check_open_hdf5(file: h5py.File, size: int) -> None:
    """The same for one that is open, and has so many bytes."""
    total = 0
    for name, data in _datasets(file):
        if data.external or data.is_virtual:
            raise UnsafeError(f"its data set {name!r} lies in another file, or is computed from others")
        total += data.nbytes
    if total > MANY_TIMES * size:
        raise UnsafeError(f"its data sets are more than {MANY_TIMES} times its size")
    text = file.attrs.get("model_config")
    if text is not None:
        check_config(json.loads(text))


def _datasets(file: h5py.File) -> Iterator[tuple[str, Any]]:
    """All data sets with their names, each once; what links to elsewhere is refused."""
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise UnsafeError(f"{where!r} is a link to another place or file")
            found = group[name]
            address = h5py.h5o.get_info(found.id).addr
            if address in seen:
                continue
            seen.add(address)
            if isinstance(found, h5py.Group):
                waiting.append(found)
            elif isinstance(found, h5py.Dataset):
                yield where, found
