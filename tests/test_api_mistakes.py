"""A mistake in a call of the library is told as well as one on the command line: no other package's exception."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import onnx2graphml as o2g
from onnx2graphml import arguments
from onnx2graphml.errors import Error
from onnx2graphml.graph.exports import Exports
from onnx2graphml.graph.graph import NeuronGraph

DIGITS = Path(__file__).parent.parent / "fixtures" / "digits.onnx"

MISTAKES: dict[str, tuple[Callable[[NeuronGraph], Any], str]] = {
    "a list of numbers for layers": (lambda g: o2g.select(g, [1]), "layers is [1]; expected text or a list of texts"),
    "half an edge": (lambda g: o2g.select(g, top_k=2.5), "top_k is 2.5; expected a whole number"),
    "text for a number": (lambda g: o2g.select(g, top_k="3"), "top_k is '3'; expected a whole number"),
    "text for a weight": (
        lambda g: o2g.select(g, min_abs_weight="a"), "min_abs_weight is 'a'; expected a number",
    ),
    "half a sample": (lambda g: o2g.select(g, sample=1.5), "sample is 1.5; expected a whole number"),
    "a seed": (lambda g: o2g.select(g, sample=9, seed="x"), "seed is 'x'; expected a whole number"),
    "three numbers for a picture": (
        lambda g: o2g.activations(g, [1, 2, 3]), "input 'image' is given with shape [3]; expected [1, 8, 8, 1]",
    ),
    "another input": (
        lambda g: o2g.activations(g, {"imag": np.zeros((1, 8, 8, 1))}), "no array is given for input 'image' of shape",
    ),
    "one shape": (lambda _: o2g.load(DIGITS, shapes=(1, 8, 8, 1)), "shapes are (1, 8, 8, 1); expected whole"),
    "a size for a shape": (lambda _: o2g.load(DIGITS, shapes={"image": 8}), "shapes are {'image': 8}; expected whole"),
    "no negative edges": (lambda g: o2g.select(g, top_k=-1), "top-k is -1; expected a whole number, at least 1"),
    "a weight below 0": (
        lambda g: o2g.select(g, min_abs_weight=-0.5), "min-abs-weight is -0.5; expected a number that is 0 or more",
    ),
    "too many edges": (
        lambda g: o2g.select(g, sample=10**6), "sample is 1000000; expected a whole number from 0 to 25,816",
    ),
    "another shape": (
        lambda _: o2g.load(DIGITS, shapes={"image": (1, 2)}),
        "the shape [1, 2] is given for input 'image', which has [1, 8, 8, 1]",
    ),
    "a shape of another input": (
        lambda _: o2g.load(DIGITS, shapes={"x": (1, 2)}), "a shape is given for 'x'; the model's inputs are 'image'",
    ),
    "half a thread": (lambda g: o2g.write(g, "x.graphml", jobs=1.5), "jobs is 1.5; expected a whole number"),
    "text for a limit": (lambda g: o2g.write(g, "x.graphml", max_edges="a"), "max_edges is 'a'; expected a whole"),
    "a number for a format": (lambda g: o2g.estimate(g, 5), "format is 5; expected text"),
    "a neuron's name": (lambda g: o2g.receptive_field(g, "conv1"), "neuron is 'conv1'; expected a whole number"),
    "half a neuron": (lambda g: g.in_edges(2.5), "neuron 2.5 is not in the graph: ids run from 0 to 3737"),
    "an index as text": (lambda g: g.neuron("conv2", "0,1"), "the index is '0,1'; expected a sequence of"),
    "an index that is one number": (lambda g: g.neuron("flatten", 5), "the index is 5; expected a sequence of whole"),
    "a layer's number": (lambda g: g.layer(3), "the layer's name is 3; expected text"),
    "NetworkX": (
        lambda g: g.to_networkx(max_edges=5),
        "the graph has 25,816 edges, which would take about 10.3 MB in NetworkX; max_edges is 5: take "
        "to_networkx(as_view=True), which expands none, select a part of the graph, or raise max_edges",
    ),
    "NetworkX with text": (lambda g: g.to_networkx(max_edges="5"), "max_edges is '5'; expected a whole number"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: str) -> None:
    call, message = MISTAKES[mistake]
    with pytest.raises(Error, match=f"^{re.escape(message)}"):
        call(o2g.load(DIGITS))
    assert not Path("x.graphml").exists()


@pytest.mark.slow
def test_numbers_of_numpy_are_numbers() -> None:
    graph = o2g.load(DIGITS)
    assert o2g.select(graph, top_k=np.int32(1)).edges < graph.edges
    assert graph.neuron("conv2", np.array([0, 1, 5])) == graph.neuron("conv2", (0, 1, 5))
    assert len(graph.in_edges(np.int64(100)).source) == len(graph.in_edges(100).source)


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    """By name, an argument that has to be given, in place of a parameter without a default."""
    return {
        "model": DIGITS, "source": DIGITS, "graph": o2g.load(DIGITS), "checkpoints": {"1": DIGITS}, "input": "zeros",
        "inputs": "zeros", "x": "zeros", "pattern": "zeros", "by": "layer", "module": None, "example_inputs": (),
        "report": o2g.verify(DIGITS), "self": None, "folder": "out", "path": "out.graphml", "format": ".csv",
        "out": "out.csv", "layer": "conv1", "index": (0, 0, 0), "neuron": 0,
    }  # fmt: skip


WRONG: dict[str, Any] = {
    "an object": object(), "None": None, "a number": 2.5, "a whole number": 7, "a truth": True, "text": "text",
    "bytes": b"text", "an array": np.zeros((2, 2)), "a list": [object()], "two": (1, "a"), "a mapping": {1: 2},
}  # fmt: skip
RIGHT = {
    "None": {"None"}, "bool": {"a truth"}, "int": {"a whole number"}, "float": {"a number", "a whole number"},
    "str": {"text"}, "Path": {"text"}, "Sequence[str]": set(), "Sequence[int]": set(), "tuple[int, int]": set(),
    "tuple[str, Sequence[int]]": set(), "Mapping[str, str]": set(), "Mapping[str, Any]": set(), "Told": set(),
    "Callable[[int], None]": set(), "NeuronGraph": set(), "Report": set(),
}  # fmt: skip
"""By part of an annotation, those of `WRONG` that are right."""


def public_functions() -> dict[str, Callable[..., Any]]:
    functions = {n: getattr(o2g, n) for n in o2g.__all__ if inspect.isfunction(getattr(o2g, n))}
    methods = {f"graph.{n}": f for n, f in vars(Exports).items() if not n.startswith("_") and n != "explore"}
    return functions | methods


def arguments_of_a_kind() -> Iterator[tuple[str, str, str]]:
    for name, function in public_functions().items():
        for parameter in inspect.signature(function).parameters.values():
            if parameter.annotation is not parameter.empty and arguments.kinds_of(parameter.annotation):
                yield name, parameter.name, parameter.annotation


@pytest.mark.parametrize(
    ("name", "argument", "annotation"), list(arguments_of_a_kind()), ids=lambda text: text if len(text) < 20 else ""
)
def test_an_argument_of_another_kind_is_told_by_its_name(
    name: str,
    argument: str,
    annotation: str,
    given: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Before anything is done: no file is read or written."""
    monkeypatch.chdir(tmp_path)
    function = public_functions()[name]
    right = set().union(*(RIGHT[part] for part in re.split(r" \| (?![^\[]*\])", annotation)))
    needed = [p.name for p in inspect.signature(function).parameters.values() if p.default is p.empty]
    for what, value in WRONG.items():
        if what not in right:
            others = {n: given[n] for n in needed if n != argument}
            with pytest.raises(Error, match=rf"^{argument} is .*; expected [^\n]+$"):
                function(**others, **{argument: value})
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_what_takes_many_kinds_of_things_tells_by_itself() -> None:
    """All parameters whose kind is left open, and what an object of no kind comes to."""
    open_ones = {
        p.annotation
        for function in public_functions().values()
        for p in inspect.signature(function).parameters.values()
        if p.annotation is not p.empty and not arguments.kinds_of(p.annotation)
    }
    names = {part for annotation in open_ones for part in re.split(r" \| ", annotation)} - {"None"}
    assert names <= arguments.OPEN
    graph, thing = o2g.load(DIGITS), object()
    for call in (
        lambda: o2g.info(thing),
        lambda: o2g.activations(graph, thing),
        lambda: o2g.verify(graph, [thing]),
        lambda: o2g.trace(graph, thing),
        lambda: o2g.trace(graph, "zeros", baseline=thing),
        lambda: o2g.explore(graph, thing, "page.html"),
        lambda: o2g.explore(graph, "zeros", "page.html", against=thing),
        lambda: o2g.load(DIGITS, shapes=thing),
        lambda: o2g.load(DIGITS, fixed=thing),
        lambda: o2g.load(DIGITS, original=thing),
        lambda: o2g.weights(graph, against=thing),
        lambda: o2g.prune(graph, inputs=thing),
        lambda: o2g.analyze(graph, measures="in_degree", input=thing),
        lambda: o2g.plot_pattern_process(graph, thing, "out"),
        lambda: o2g.film({"1": thing}, "zeros", "out"),
        lambda: o2g.film({"1": graph}, thing, "out"),
        lambda: graph.with_input(thing),
        lambda: graph.with_column("a", thing),
        lambda: graph.quotient(thing),
    ):
        with pytest.raises(Error, match=r"^[^\n]+$"):
            call()
    assert not any(Path(name).exists() for name in ("page.html", "out"))


def test_what_is_of_the_kind_is_taken() -> None:
    @arguments.typed
    def f(
        n: int | None = None,
        x: float = 0,
        names: str | Sequence[str] = (),
        size: tuple[int, int] = (1, 1),
        flag: bool = False,
        place: str | Path = "",
        at: tuple[str, Sequence[int]] | None = None,
    ) -> bool:
        return True

    assert f(np.int64(3), np.float32(2.5), ["a", "b"], [3, 4], np.True_, Path("a"), ("conv", np.array([0, 1])))
    assert f(None, 1, np.array(["a"]), np.array([3, 4]), place="a", at=None)
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        f(m=3)  # type: ignore[call-arg]
    with pytest.raises(Error, match=r"^n is 'a{59}\.\.\.; expected a whole number$"):
        f("a" * 100)  # type: ignore[arg-type]
