"""What the package loads, and which of its rooms may use which."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import onnx2graphml

PACKAGE = Path(onnx2graphml.__file__).parent
NAME = "onnx2graphml"

ROOMS = (
    "version", "program", "errors", "arguments", "cpu", "compiled", "files", "progress", "text", "functions", "model",
    "graph", "cuda", "engine", "measures", "ops", "build", "backend", "frontends", "inference", "formats", "memory",
    "verification", "attribution", "rebuild", "export", "pruning", "parameters", "recording", "analysis", "draw",
    "explorer", "api", "spark", "cli", "__init__", "__main__",
)  # fmt: skip
"""A room may import those before it, never one after it. What is imported for annotations alone counts, too."""

APART = {"ops", "formats", "draw", "frontends"}
"""These don't import each other."""

ONLY_IN = {
    "tensorflow": ("frontends",),
    "keras": ("frontends",),
    "tf2onnx": ("frontends",),
    "torch": ("frontends", "memory"),
    "onnxruntime": ("inference", "model"),
    "matplotlib": ("draw",),
}
HEAVY = [*ONLY_IN, "numba"]


def room(path: Path) -> str:
    """The first name below the package: a module or a folder."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(source: str, path: Path) -> set[tuple[str, str]]:
    """What a file imports, anywhere in it: module and name; the name is empty for a whole module."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = [NAME, *path.relative_to(PACKAGE).parts][: -node.level or None] if node.level else []
            module = ".".join([*here, *([node.module] if node.module else [])])
            found |= {(module, alias.name) for alias in node.names}
    return found


def used_rooms(source: str, path: Path) -> set[str]:
    """The rooms that a file imports."""
    rooms = set()
    for module, name in imports(source, path):
        head, *rest = module.split(".")
        if head == NAME:
            rooms.add(rest[0] if rest else name or "__init__")
    return rooms


def forbidden(source: str, path: Path) -> list[str]:
    """The imports of a file that go upwards, or from one room to another that is apart."""
    here, wrong = room(path), []
    for other in sorted(used_rooms(source, path) - {here}):
        if other not in ROOMS:
            wrong.append(f"{here} imports {other}, which has no place in ROOMS")
        elif ROOMS.index(other) >= ROOMS.index(here):
            wrong.append(f"{here} imports {other}, which lies above it")
        elif {here, other} <= APART:
            wrong.append(f"{here} imports {other}, which it is to be kept apart from")
    for module, _ in imports(source, path):
        owners = ONLY_IN.get(module.split(".")[0], (here,))
        if here not in owners:
            wrong.append(f"{here} imports {module}, which only {' and '.join(owners)} may")
    return wrong


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """The circles of a graph of imports, each as `a -> b -> a`; of those that share a member, one."""
    sorter = graphlib.TopologicalSorter(arrows)
    try:
        sorter.prepare()
    except graphlib.CycleError as e:
        return [" -> ".join(e.args[1])]
    return []


@cache
def arrows_between_modules() -> dict[str, set[str]]:
    """Every module of the package with the modules that it imports; a folder stands for its `__init__`."""
    names = {".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): p for p in FILES}
    arrows = {}
    for name, path in names.items():
        used = {f"{m}.{n}" if f"{m}.{n}" in names else m for m, n in imports(path.read_text(encoding="utf-8"), path)}
        arrows[name] = (used & names.keys()) - {name}
    return arrows


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])
def test_imports_go_only_downward(path: Path):
    assert room(path) in ROOMS, f"{room(path)} has no place in ROOMS"
    assert not forbidden(path.read_text(encoding="utf-8"), path)


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("graph/axes.py", "from onnx2graphml.build.walk import walk", "graph imports build, which lies above it"),
        ("graph/axes.py", "from onnx2graphml import build", "graph imports build, which lies above it"),
        ("graph/axes.py", "import onnx2graphml.build.walk", "graph imports build, which lies above it"),
        ("graph/axes.py", "def f():\n    from ..build.walk import walk", "graph imports build, which lies above it"),
        ("graph/graph.py", "if TYPE_CHECKING:\n    from ..api import load", "graph imports api, which lies above it"),
        ("graph/axes.py", "import onnx2graphml", "graph imports __init__, which lies above it"),
        ("ops/conv.py", "from ..build.walk import walk", "ops imports build, which lies above it"),
        ("ops/conv.py", "from onnx2graphml.cupboard import jar", "ops imports cupboard, which has no place in ROOMS"),
        ("formats/lines.py", "from onnx2graphml import ops", "formats imports ops, which it is to be kept apart from"),
        ("model/scopes.py", "from onnx2graphml.frontends import torch", "model imports frontends, which lies above it"),
        ("build/walk.py", "import onnxruntime as ort", "build imports onnxruntime, which only inference and model may"),
        ("api.py", "from tensorflow.python import x", "api imports tensorflow.python, which only frontends may"),
    ],
)  # fmt: skip
def test_a_forbidden_import_is_found(file: str, source: str, problem: str):
    assert forbidden(source, PACKAGE / file) == [problem]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("graph/blocks.py", "from onnx2graphml.graph import axes as ax, kernels"),
        ("ops/conv.py", "from onnx2graphml.ops.windows import Window"),
        ("ops/conv.py", "from .windows import Window"),
        ("build/walk.py", "from onnx2graphml import ops"),
        ("cli/info.py", "from onnx2graphml import api"),
        ("inference/runtime.py", "import onnxruntime"),
        ("graph/graph.py", "if TYPE_CHECKING:\n    from onnx2graphml.model import Model"),
    ],
)
def test_an_allowed_import_is_not(file: str, source: str):
    assert forbidden(source, PACKAGE / file) == []


def between_folders(arrows: dict[str, set[str]]) -> dict[str, set[str]]:
    """The same between folders, rooms and sub-rooms; a module of a folder counts as the folder."""
    folders = {".".join(p.parent.relative_to(PACKAGE.parent).parts) for p in FILES if p.name == "__init__.py"}
    found: dict[str, set[str]] = {}
    for module, used in arrows.items():
        here = module if module in folders else module.rpartition(".")[0]
        others = {name if name in folders else name.rpartition(".")[0] for name in used}
        found.setdefault(here, set()).update(o for o in others if o != here)
    return found


@pytest.mark.parametrize("parent", ["draw", "verification", "formats"])
def test_folders_within_a_room_import_each_other_in_no_circle(parent: str):
    """What lies in the room's own folder is shared by its sub-rooms, and uses none of them."""
    arrows = {
        a: {b for b in used if b.startswith(f"{NAME}.{parent}")}
        for a, used in between_folders(arrows_between_modules()).items()
        if a.startswith(f"{NAME}.{parent}")
    }
    assert not circles(arrows)


def test_a_circle_of_folders_is_found():
    draw = f"{NAME}.draw"
    arrows = {f"{draw}.film.film": {f"{draw}.weights.parts"}, f"{draw}.weights.figures": {f"{draw}.film.shown"}}
    assert circles(between_folders(arrows))
    assert not circles(between_folders({f"{draw}.film.film": {f"{draw}.page"}}))


def test_no_modules_import_each_other_in_a_circle():
    assert not circles(arrows_between_modules())


def test_a_circle_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def loaded(statement: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint()\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_no_framework():
    modules = loaded(f"import {NAME}")
    assert NAME in modules
    assert not modules & set(HEAVY)


@pytest.mark.slow
def test_reading_a_model_loads_no_framework():
    """Nor does any room that is not about one: what a graph is made with needs only NumPy and ONNX."""
    rooms = ROOMS[: ROOMS.index("build") + 1]
    modules = [name for name in arrows_between_modules() if name.split(".")[1:2] and name.split(".")[1] in rooms]
    heavy = (".dispatcher", ".cuda.kernels", ".cuda.tiles", ".networkx_graph", ".quotient")
    light = [name for name in modules if not name.endswith(heavy)]
    assert len(light) >= 30
    found = loaded("\n".join(f"import {name}" for name in light))
    assert {"numpy", "onnx"} <= found
    assert not found & {*HEAVY, "networkx"}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["engine", "measures"])
def test_public_modules_need_no_import_of_their_own(module: str):
    assert "numpy" in loaded(f"import {NAME}\n{NAME}.{module}")


def test_help_loads_no_framework():
    asked = f"from {NAME}.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    modules = loaded(asked)
    assert "argparse" in modules
    assert not modules & set(HEAVY)


@pytest.mark.slow
def test_a_loaded_framework_is_seen():
    assert "numba" in loaded(f"import {NAME}.compiled.dispatcher")


def test_no_module_has_the_name_of_a_public_function():
    """Importing such a module would put it in the place of the function."""
    assert not {path.stem for path in PACKAGE.iterdir()} & set(onnx2graphml.__all__)
    for name in onnx2graphml.__all__:
        assert callable(getattr(onnx2graphml, name))


def test_no_room_is_named_as_what_git_ignores():
    """What git ignores is left out of the packages, whether it is committed or not."""
    lines = (PACKAGE.parents[1] / ".gitignore").read_text(encoding="utf-8").split()
    ignored = {line.strip("/") for line in lines if not line.startswith("/")}
    rooms = {path.name for path in PACKAGE.rglob("*") if path.is_dir()} - {"__pycache__"}
    assert "build" in rooms
    assert not rooms & ignored
