"""Keras files are not trusted: none runs code that it brings along, nor writes where it likes."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from onnx2graphml import cli


class Harm:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def harmful(folder: Path, whole: Path) -> dict[str, bytes]:
    """Keras files that would make a file named harm in the folder, or are broken."""
    harm, made = folder / "harm", folder / "made.keras"
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    changes: dict[str, dict[str, Any]] = {
        "a member outside": {"../harm": b"harm"},
        "a pickle": {"config.json": pickle.dumps(Harm(harm))},
        "weights that are a pickle": {"model.weights.h5": pickle.dumps(Harm(harm))},
        "a function": {"config.json": config | {"module": "os", "class_name": "function", "config": "system"}},
        "a class of another module": {"config.json": config | {"module": "pathlib", "class_name": "Path"}},
    }
    files = {"text.h5": b"no HDF5", "truncated.keras": whole.read_bytes()[:-99]}
    for name, change in changes.items():
        with zipfile.ZipFile(made, "w") as archive:
            for member, content in {**members, **change}.items():
                archive.writestr(member, content if isinstance(content, bytes) else json.dumps(content))
        files[f"{name}.keras"] = made.read_bytes()
    made.unlink()
    return files


def test_keras_files_that_mean_harm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keras = pytest.importorskip("tensorflow").keras
    folder = tmp_path / "inside"
    (folder / "folder.onnx").mkdir(parents=True)
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save(tmp_path / "whole.keras")
    for name, content in harmful(tmp_path, tmp_path / "whole.keras").items():
        (folder / name).write_bytes(content)
    before, said = sorted(tmp_path.rglob("*")), {}
    for path in folder.iterdir():
        status = cli.main([str(path), str(tmp_path / "out.graphml")])
        error = said[path.name] = capsys.readouterr().err
        if path.name == "a member outside.keras":  # which is not looked at
            assert status == 0
            (tmp_path / "out.graphml").unlink()
            continue
        assert status == 2
        assert re.fullmatch(r"onnx2graphml: error: .*can't be (loaded as a Keras m|read as a SavedM)odel.*\n", error)
    assert len(said) == 8
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pickle_would_do_harm(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Harm(tmp_path / "harm")))
    assert (tmp_path / "harm").exists()
