"""What a page holds, without a browser: arrays, sizes, checkpoints; and what is refused."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import onnx2graphml as o2g
from browser import as_modules, run_node
from onnx2graphml.cli import main
from onnx2graphml.explorer import page as pages
from onnx2graphml.explorer.bundle import bundle, in_order
from onnx2graphml.explorer.page import packed
from onnx2graphml.explorer.pool import Pool, stored
from onnx2graphml.explorer.runs import explored
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(scope="module")
def digits() -> NeuronGraph:
    return o2g.load(FIXTURES / "digits.onnx")


def held(path: Path) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The description and the arrays of a page, read by nothing of the package."""
    text = path.read_text(encoding="utf-8")
    meta = json.loads(re.search(r'id="meta">(.*?)</script>', text, re.S)[1])
    arrays = re.findall(r'<script type="text/plain" id="array-\d+">(.*?)</script>', text)
    kinds = [np.dtype(kind) for kind in meta["arrays"]]
    return meta, [np.frombuffer(base64.b64decode(a), kind) for a, kind in zip(arrays, kinds, strict=True)]


def test_a_page_holds_every_weight_and_every_value(digits: NeuronGraph, tmp_path: Path) -> None:
    meta, arrays = held(o2g.explore(digits, ["ties", "random"], tmp_path / "page.html", seed=4))
    for run, (name, seed) in enumerate((("ties", 4), ("random", 5))):
        found = o2g.activations(digits, name, seed=seed)
        assert meta["runs"][run]["name"] == name
        for layer, number in zip(digits.layers, meta["runs"][run]["values"], strict=True):
            assert np.array_equal(arrays[number], found.layer(layer.name).value.ravel())
    for layer, of in zip(digits.layers, meta["models"][0]["layers"], strict=True):
        for incoming, number in zip(layer.incoming, of["weights"], strict=True):
            assert np.array_equal(arrays[number], incoming.block.weights)


def test_half_the_space(digits: NeuronGraph, tmp_path: Path) -> None:
    whole, half = (o2g.explore(digits, "random", tmp_path / f"{n}.html", float16=n == 1) for n in range(2))
    assert sum(a.nbytes for a in held(half)[1]) < 0.55 * sum(a.nbytes for a in held(whole)[1])
    meta, arrays = held(half)
    assert meta["note"] == "values and weights are stored as float16"
    value = o2g.activations(digits, "random").layer("conv1").value.ravel()
    there = arrays[meta["runs"][0]["values"][1]]
    assert there.dtype == np.float16
    assert np.array_equal(there, value.astype(np.float16))


def test_what_float16_can_not_hold_stays() -> None:
    assert stored(np.array([1e5], np.float32), half=True).dtype == np.float32
    assert stored(np.array([np.inf], np.float32), half=True).dtype == np.float16
    assert stored(np.array([1.0]), half=True).dtype == np.float64
    assert stored(np.array([2**40]), half=True).dtype == np.float64
    assert stored(np.array([-(2**31)])).dtype == np.int32


def test_an_array_is_held_once() -> None:
    pool = Pool()
    assert [pool.add(np.ones(3)), pool.add(np.zeros(3)), pool.add(np.ones((3, 1)))] == [0, 1, 0]
    assert pool.add(np.zeros(3, np.float32)) == 2  # of another type


@pytest.mark.slow
def test_half_precision_is_read_as_numpy_reads_it(tmp_path: Path) -> None:
    """All 65,536 numbers of float16."""
    script = tmp_path / "halves.mjs"
    script.write_text(
        "const { decoded } = await import(`${process.argv[2]}/pool.js`);"
        "const all = Uint16Array.from({ length: 65536 }, (_, i) => i);"
        "console.log(JSON.stringify(Array.from(decoded('f2', new Uint8Array(all.buffer)), String)));"
    )
    there = [float(text.replace("Infinity", "inf")) for text in json.loads(run_node(script, as_modules(tmp_path)))]
    assert np.array_equal(np.arange(65536).astype(np.uint16).view(np.float16), np.array(there), equal_nan=True)


@pytest.mark.slow
def test_the_colours_are_those_of_the_pictures(tmp_path: Path) -> None:
    from onnx2graphml.draw.colours import Scale, painted, scale_of

    values = np.concatenate([np.linspace(-2, 3, 400), [np.nan, np.inf, 0.0]])
    script = tmp_path / "colours.mjs"
    script.write_text(
        "const { colourOf, scaleOf } = await import(`${process.argv[2]}/colours.js`);"
        "const values = JSON.parse(process.argv[3]).map(Number);"
        "const of = (list) => { const s = scaleOf([list]); return [s, list.map(v => colourOf(v, s))]; };"
        "console.log(JSON.stringify([of(values), of(values.filter(v => v >= 0))]));"
    )
    given = json.dumps([str(v).replace("nan", "NaN").replace("inf", "Infinity") for v in values.tolist()])
    for (scale, colours), own in zip(
        json.loads(run_node(script, as_modules(tmp_path), given)), (values, values[values >= 0]), strict=True
    ):
        assert Scale(**scale) == scale_of([own])
        assert np.array_equal(painted(own, scale_of([own]))[:, :3], np.array(colours))


def test_the_bundle_has_every_module_once_and_nothing_of_modules() -> None:
    names = list(in_order("main"))
    web = Path(pages.__file__).parent / "web"
    assert sorted(names) == sorted(path.stem for path in web.glob("*.js"))
    assert not re.search(r"^(import|export) ", bundle(), re.M)
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://(?!www\.w3|graphml)", bundle()
    )


def test_every_import_of_a_module_is_used() -> None:
    for path in (Path(pages.__file__).parent / "web").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        for names in re.findall(r"^import \{([^}]*)\} from", text, re.M):
            for name in filter(None, re.split(r"[,\s]+", names)):
                assert len(re.findall(rf"\b{name}\b", text)) > 1, f"{path.name} does not use {name}"


# ------------------------------------------------------------------------------------------------------------- refused


def test_another_network_is_no_checkpoint(digits: NeuronGraph) -> None:
    residual = o2g.load(FIXTURES / "residual.onnx")
    with pytest.raises(o2g.Error, match="the checkpoints have 10 and 16 layers: give two of one network"):
        o2g.explore(digits, "ties", against=residual)
    nets = [o2g.load(model([node("MatMul", "x w", "y")], {"x": [1, 2]}, {"w": weights(2, n)})) for n in (2, 3)]
    with pytest.raises(
        o2g.Error, match=r"layer '\w+' of the first checkpoint is '\w+' in another: give two of one network"
    ):
        o2g.explore(nets[0], "ties", against=[nets[1]])


def test_what_does_not_fit_together_is_refused(digits: NeuronGraph, tmp_path: Path) -> None:
    with pytest.raises(o2g.OutputError, match=r"the page is written as \.html; got 'page\.svg'"):
        o2g.explore(digits, "ties", "page.svg")
    with pytest.raises(o2g.Error, match="both a path and a port are given; give one"):
        o2g.explore(digits, "ties", tmp_path / "page.html", port=0)
    with pytest.raises(o2g.Error, match="2 names are given for 1 inputs"):
        o2g.explore(digits, "ties", names=["a", "b"])
    with pytest.raises(o2g.Error, match="float16 is for a file or a widget; a server sends every number as it is"):
        o2g.explore(digits, "ties", port=0, float16=True)


def test_what_is_too_large_for_a_page_names_the_server(digits: NeuronGraph, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "MOST_PARAMETERS", 8817)
    with pytest.raises(
        o2g.TooLargeError, match=r"8,818 parameters; at most 8,817 .*serve it instead \(--port, or port=\)"
    ):
        o2g.explore(digits, "ties")
    monkeypatch.setattr(pages, "MOST_PARAMETERS", 8818)
    monkeypatch.setattr(pages, "MOST_BYTES", 4 * (8818 + 2 * 3738) - 1)
    with pytest.raises(
        o2g.TooLargeError, match=r"65,176 bytes .*give fewer inputs, store them as float16, or serve it"
    ):
        o2g.explore(digits, ["ties", "random"])
    assert o2g.explore(digits, ["ties"]).state == ""


@pytest.mark.parametrize(
    ("module", "extra"), [("anywidget", "widget"), ("uvicorn", "port"), ("starlette.routing", "port")]
)
def test_what_is_not_installed_is_named(
    module: str, extra: str, digits: NeuronGraph, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onnx2graphml.explorer import widget

    widget._class.cache_clear()
    monkeypatch.setitem(sys.modules, module, None)
    name = module.partition(".")[0]
    with pytest.raises(o2g.MissingExtraError, match=rf"this needs {name}, .*onnx2graphml\[explore\]"):
        o2g.explore(digits, "ties", port=0 if extra == "port" else None)
    widget._class.cache_clear()


# ------------------------------------------------------------------------------------------------- on the command line


def test_the_command_writes_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "three.npy", np.load(FIXTURES / "digits.npz")["x"][3])
    out = tmp_path / "page.html"
    line = ["explore", str(FIXTURES / "digits.onnx"), str(tmp_path / "three.npy"), "ties", "-o", str(out), "--float16"]
    assert main(line) == 0
    assert f"{out.stat().st_size:,} bytes" in capsys.readouterr().out
    assert [run["name"] for run in held(out)[0]["runs"]] == ["three.npy", "ties"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (["-o", "page.svg"], "the page is written as .html; got 'page.svg'"),
        (["--port", "70000"], "got '70000'; expected a number from 0 to 65535"),
        (["--port", "0", "-o", "a.html"], "not allowed with argument"),
        (["nothing.npy", "-o", "page.html"], "nothing.npy"),
    ],
)
def test_a_mistake_is_one_line(rest: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["explore", str(FIXTURES / "digits.onnx"), *rest])
    except SystemExit as stopped:
        status = int(str(stopped.code))
    err = capsys.readouterr().err
    assert (status, err.count("\n")) == (2, 1)
    assert message in err


def test_the_model_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.html"
    onnx.save(onnx.load(FIXTURES / "digits.onnx"), path)
    assert main(["explore", str(path), "-o", str(path)]) == 2
    assert "which is read; choose another name" in capsys.readouterr().err


def test_runs_of_several_checkpoints_are_named(digits: NeuronGraph) -> None:
    found = explored([digits, digits], ["ties"])
    assert [run.name for run in found.runs] == ["ties · digits.onnx 1", "ties · digits.onnx 2"]
    assert len(packed(found)[1].arrays) == len(packed(explored([digits], ["ties"]))[1].arrays)  # all are held once
