"""What the package loads, and which of its rooms may use which."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import onnx2graphml

PACKAGE = Path(onnx2graphml.__file__).parent
NAME = "onnx2graphml"

ROOMS = (
    "errors", "machine", "progress", "atomic", "atomic_directory", "axes", "blocks", "kernels", "compose", "neurons",
    "graph", "layout", "reach", "sublayers", "thin", "scopes", "model", "ops", "walk", "names", "absorb", "shown",
    "detail", "runtime", "patterns", "images", "recompute", "writers", "readers", "networkx_graph", "verification",
    "gathered", "filecheck", "reports", "draw", "frontends", "cost", "api", "pictures", "tables", "cli", "__init__",
    "__main__",
)  # fmt: skip
"""A room may import those above it, never one below; all may import the kernels."""

APART = {"ops", "writers", "verification", "draw", "frontends"}
"""These don't import each other."""

EXCEPTIONS = {("graph", "networkx_graph")}
"""`NeuronGraph.to_networkx` hands over to the function of that name, when it is called."""

ONLY_IN = {
    "tensorflow": "frontends",
    "keras": "frontends",
    "tf2onnx": "frontends",
    "torch": "frontends",
    "onnxruntime": "runtime",
    "matplotlib": "draw",
}
HEAVY = [*ONLY_IN, "numba"]


def room(path: Path) -> str:
    """The first name below the package: a module or a folder."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(source: str, path: Path) -> set[tuple[str, str]]:
    """What a file imports, at its head and in its functions: module and name; the name is empty for a whole module.

    What is imported for annotations alone is never loaded, and doesn't count.
    """
    tree = ast.parse(source)
    tree.body = [n for n in tree.body if not (isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING")]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            here = [NAME, *path.relative_to(PACKAGE).parts][: -node.level or None] if node.level else []
            module = ".".join([*here, *([node.module] if node.module else [])])
            found |= {(module, alias.name) for alias in node.names}
    return found


def used_rooms(source: str, path: Path) -> set[str]:
    """The rooms that a file imports. The constants of frontends may be used anywhere: they name entries of files."""
    rooms = set()
    for module, name in imports(source, path):
        head, *rest = module.split(".")
        if head == NAME and not (module == f"{NAME}.frontends" and name.isupper()):
            rooms.add(rest[0] if rest else name or "__init__")
    return rooms


def forbidden(source: str, path: Path) -> list[str]:
    """The imports of a file that go upwards, or from one room to another that is apart."""
    here, wrong = room(path), []
    for other in sorted(used_rooms(source, path) - {here}):
        if other not in ROOMS:
            wrong.append(f"{here} imports {other}, which has no place in ROOMS")
        elif (here, other) not in EXCEPTIONS and ROOMS.index(other) >= ROOMS.index(here) and other != "kernels":
            wrong.append(f"{here} imports {other}, which lies below it")
        elif {here, other} <= APART:
            wrong.append(f"{here} imports {other}, which it is to be kept apart from")
    for module, _ in imports(source, path):
        owner = ONLY_IN.get(module.split(".")[0], here)
        if owner != here:
            wrong.append(f"{here} imports {module}, which only {owner} may")
    return wrong


FILES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(PACKAGE)) for p in FILES])
def test_imports_go_only_downward(path: Path):
    assert room(path) in ROOMS, f"{room(path)} has no place in ROOMS"
    assert not forbidden(path.read_text(encoding="utf-8"), path)


@pytest.mark.parametrize(
    ("file", "source", "problem"),
    [
        ("axes.py", "from onnx2graphml.blocks import EdgeBlock", "axes imports blocks, which lies below it"),
        ("axes.py", "from onnx2graphml import blocks", "axes imports blocks, which lies below it"),
        ("axes.py", "import onnx2graphml.blocks", "axes imports blocks, which lies below it"),
        ("axes.py", "def f():\n    from .blocks import EdgeBlock", "axes imports blocks, which lies below it"),
        ("axes.py", "import onnx2graphml", "axes imports __init__, which lies below it"),
        ("ops/conv.py", "from ..walk import walk", "ops imports walk, which lies below it"),
        ("ops/conv.py", "from onnx2graphml.cupboard import jar", "ops imports cupboard, which has no place in ROOMS"),
        (
            "verification.py",
            "from onnx2graphml import ops",
            "verification imports ops, which it is to be kept apart from",
        ),
        (
            "frontends/torch.py",
            "from onnx2graphml import verification",
            "frontends imports verification, which it is to be kept apart from",
        ),
        ("scopes.py", "from onnx2graphml.frontends import torch", "scopes imports frontends, which lies below it"),
        ("walk.py", "import onnxruntime as ort", "walk imports onnxruntime, which only runtime may"),
        ("api.py", "from tensorflow.python import x", "api imports tensorflow.python, which only frontends may"),
    ],
)
def test_a_forbidden_import_is_found(file: str, source: str, problem: str):
    assert forbidden(source, PACKAGE / file) == [problem]


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("blocks.py", "from onnx2graphml import axes as ax, kernels"),
        ("axes.py", "from onnx2graphml import kernels"),
        ("ops/conv.py", "from onnx2graphml.ops.windows import Window"),
        ("ops/conv.py", "from .windows import Window"),
        ("scopes.py", "from onnx2graphml.frontends import LAYER"),
        ("walk.py", "from onnx2graphml import ops"),
        ("cli/info.py", "from onnx2graphml import api"),
        ("runtime.py", "import onnxruntime"),
        ("graph.py", "if TYPE_CHECKING:\n    from onnx2graphml.model import Model"),
    ],
)
def test_an_allowed_import_is_not(file: str, source: str):
    assert forbidden(source, PACKAGE / file) == []


def loaded(statement: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after a statement."""
    program = f"{statement}\nimport sys\nprint()\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_loads_no_framework():
    modules = loaded(f"import {NAME}")
    assert NAME in modules
    assert not modules & set(HEAVY)


def test_reading_a_model_loads_no_framework():
    """Nor does any room that is not about one: what a graph is made with needs only NumPy and ONNX."""
    rooms = [r for r in ROOMS[: ROOMS.index("detail") + 1] if r != "kernels" and any(room(p) == r for p in FILES)]
    assert len(rooms) >= 8
    modules = loaded("\n".join(f"import {NAME}.{r}" for r in rooms))
    assert {"numpy", "onnx"} <= modules
    assert not modules & set(HEAVY)


def test_help_loads_no_framework():
    asked = f"from {NAME}.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    modules = loaded(asked)
    assert "argparse" in modules
    assert not modules & set(HEAVY)


def test_a_loaded_framework_is_seen():
    assert "numba" in loaded(f"import {NAME}.kernels")


def test_no_module_has_the_name_of_a_public_function():
    """Importing such a module would put it in the place of the function."""
    assert not {path.stem for path in PACKAGE.iterdir()} & set(onnx2graphml.__all__)
    for name in onnx2graphml.__all__:
        assert callable(getattr(onnx2graphml, name))
