"""The registry of commands: each has its module, its function, its line in the README, and examples that parse."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from pathlib import Path

import pytest

import onnx2graphml as o2g
from onnx2graphml import api
from onnx2graphml.cli import main
from onnx2graphml.cli.parser import module_of, parse, parser_for
from onnx2graphml.cli.registry import COMMANDS, DEFAULT

ROOT = Path(__file__).parents[1]


def options_of(command: str) -> list[str]:
    _, own = parser_for(command)
    return [option for action in own._actions for option in action.option_strings]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_examples_that_parse(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    out, err = capsys.readouterr()
    assert (stopped.value.code, err) == (0, "")
    examples = re.findall(r"^  onnx2graphml (.*)$", out.partition("examples:\n")[2], re.M)
    assert tuple(examples) == module_of(command).EXAMPLES
    for line in examples:
        assert parse(shlex.split(line)).command == command


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_what_everything_is(command: str) -> None:
    _, own = parser_for(command)
    for action in own._actions:
        assert action.help, f"{command} {action.dest} has no help"
        assert not action.help.startswith("of "), "a phrase that stands alone"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_its_function_and_its_line_in_the_readme(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert COMMANDS[command].function in o2g.__all__
    readme = (ROOT / "README.md").read_text()
    assert command == DEFAULT or f"\nonnx2graphml {command} " in readme
    with pytest.raises(SystemExit):
        main(["--help"])
    assert COMMANDS[command].summary.split(":")[0] in re.sub(r"\s+", " ", capsys.readouterr().out)


# No option means two things: a name has one way of being read and one metavariable in every command.


def test_no_option_name_is_used_for_two_things() -> None:
    seen: dict[str, tuple[object, ...]] = {}
    for command in COMMANDS:
        for action in parser_for(command)[1]._actions:
            for option in action.option_strings:
                if option in ("-o", "--output", "--layers"):
                    continue  # what is written, and which layers: in each command what it makes of them
                meaning = (action.metavar, action.type, tuple(action.choices or ()))
                assert seen.setdefault(option, meaning) == meaning, f"{option} in {command}"


# ------------------------------------------------------------------------------------------------------------- mistyped


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("inf m.onnx", "'inf' is neither a command nor a model; did you mean 'info'?"),
        ("verfy m.onnx", "did you mean 'verify'?"),
        ("qqqqqq", "'qqqqqq' is neither a command nor a model; see"),
        ("info m.onnx --detial op", "unrecognized arguments: --detial op; did you mean '--detail'?"),
        ("info m.onnx --sizess", "did you mean '--sizes'?"),
        ("m.onnx out.graphml --min-abs-wieght=1", "did you mean '--min-abs-weight'?"),
        ("info m.onnx --qqqqqqq", "unrecognized arguments: --qqqqqqq; see onnx2graphml info --help"),
    ],
)
def test_a_mistyped_word_gets_a_question(line: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(line.split())
    out, err = capsys.readouterr()
    assert (stopped.value.code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_model_without_a_suffix_is_no_mistyped_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inf").mkdir()
    assert parse(["inf", "out.graphml"]).model == "inf"
    assert parse([str(tmp_path / "verfy"), "out.graphml"]).command == "convert"
    assert parse(["--detail", "op", "m.onnx", "out.graphml"]).detail == "op"


def test_nothing_at_all_is_a_request_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    assert stopped.value.code == 0
    assert "commands:" in capsys.readouterr().out


# -------------------------------------------------------------------------------------------------------- the functions


FUNCTIONS = [name for name in o2g.__all__ if inspect.isfunction(getattr(o2g, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_is_typed_and_has_an_example(name: str) -> None:
    function = getattr(o2g, name)
    text = inspect.getdoc(function) or ""
    assert "Example:" in text
    assert ">>> " in text
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        assert parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL), "explicit keywords"
        assert parameter.annotation is not parameter.empty
        assert re.search(rf"\b{parameter.name}\b", text), f"{parameter.name} is not explained"


def test_all_public_names_are_there_and_are_listed() -> None:
    listed = dir(o2g)
    assert listed == sorted(set(listed))
    assert {name for name in listed if not name.startswith("__")} == {*o2g.__all__, "engine", "measures"}
    assert "__version__" in listed
    assert o2g.__all__ == sorted(o2g.__all__)
    assert re.fullmatch(r"\d+\.\d+\.\d+", o2g.__version__)
    assert issubclass(o2g.ModelError, o2g.Error)
    assert (Path(o2g.__file__).parent / "py.typed").is_file()
    with pytest.raises(AttributeError, match=r"has no attribute 'verifi'; did you mean 'verify'\?"):
        o2g.verifi  # noqa: B018


def test_what_a_type_checker_sees_is_what_there_is() -> None:
    """The api's names are listed once, there; the others where they come from."""
    tree = ast.parse(Path(o2g.__file__).read_text(encoding="utf-8"))
    (typed,) = (node for node in tree.body if isinstance(node, ast.If))
    names = {alias.name for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert sorted({*names, *api.__all__} - {"*", "engine", "measures"}) == o2g.__all__
    assert "*" in names


def test_more_than_one_way_to_leave_edges_out_is_refused() -> None:
    with pytest.raises(o2g.Error, match="top_k and sample are given; choose one of them"):
        o2g.select(ROOT / "fixtures" / "digits.onnx", top_k=1, sample=2)


def test_a_mistyped_suffix_or_file_gets_a_question(tmp_path: Path) -> None:
    digits = ROOT / "fixtures" / "digits.onnx"
    with pytest.raises(o2g.OutputError, match=r"did you mean '\.graphml'\?"):
        o2g.write(digits, tmp_path / "a.graphm")
    with pytest.raises(o2g.OutputError, match=r"did you mean '\.neo4j\.csv'\?"):
        o2g.write(digits, tmp_path / "a.neoj4.csv")
    with pytest.raises(o2g.OutputError, match=r"can't draw .*did you mean '\.svg'\?"):
        o2g.architecture(digits, tmp_path / "a.svgg")
    with pytest.raises(o2g.ModelError, match=r"no such file; did you mean 'digits\.onnx'\?"):
        o2g.load(digits.with_name("digit.onnx"))
    with pytest.raises(o2g.ModelError, match=r"no such file$"):
        o2g.load(tmp_path / "nowhere" / "digits.onnx")


@pytest.mark.parametrize(
    "line",
    [
        "{m} {d}/no/a.graphml",
        "architecture {m} -o {d}/no/a.svg",
        "verify {m} --report {d}/no/r.json",
        "activations {m} zeros -o {d}/no/a",
        "weights {m} -o {d}/no/w",
        "film {m} zeros -o {d}/no/f",
    ],
)
def test_a_folder_that_is_not_there_is_told_before_the_model_is_read(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.format(m=tmp_path / "nowhere.onnx", d=tmp_path).split()) == 2
    assert f"there is no directory '{tmp_path}/no'; create it first" in capsys.readouterr().err
