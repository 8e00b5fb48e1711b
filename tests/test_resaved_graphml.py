"""GraphML that another program has saved again is read like the file that we wrote: people edit graphs."""

from pathlib import Path

import networkx as nx
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error

DIGITS = Path(__file__).parent.parent / "fixtures" / "residual.onnx"


def by_networkx(source: Path, target: Path) -> None:
    nx.write_graphml(nx.read_graphml(source), target)


def by_networkx_with_names(source: Path, target: Path) -> None:
    nx.write_graphml(nx.read_graphml(source), target, named_key_ids=True, infer_numeric_types=True)


def by_igraph(source: Path, target: Path) -> None:
    igraph = pytest.importorskip("igraph")
    igraph.Graph.Read_GraphML(str(source)).write_graphml(str(target))


def with_defaults_and_ids(source: Path, target: Path) -> None:
    text = source.read_text()
    text = text.replace('attr.name="weight" attr.type="double"/>', 'attr.name="weight" attr.type="float"/>')
    text = text.replace(
        'attr.name="combine" attr.type="string"/>',
        'attr.name="combine" attr.type="string"><default>sum</default></key>',
    )
    parts = text.split("<edge ")
    text = parts[0].replace('<data key="combine">sum</data>', "") + "".join(
        f'<edge id="e{k}" {part}' for k, part in enumerate(parts[1:])
    )
    target.write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize("saved", [by_networkx, by_networkx_with_names, by_igraph, with_defaults_and_ids])
def test_a_file_that_was_saved_again_is_read(tmp_path: Path, saved):
    graph = o2g.load(DIGITS)
    o2g.write(graph, tmp_path / "ours.graphml")
    saved(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(graph, tmp_path / "theirs.graphml")
    assert report.passed
    assert not report.unchecked


@pytest.mark.slow
@pytest.mark.parametrize("saved", [by_networkx, by_igraph])
def test_an_edit_in_it_is_found(tmp_path: Path, saved):
    graph = o2g.load(DIGITS)
    o2g.write(graph, tmp_path / "ours.graphml")
    edited = nx.read_graphml(tmp_path / "ours.graphml")
    edge = next(iter(edited.in_edges(f"n{graph.layer('fc').first_id}")))
    edited.edges[edge]["weight"] += 1.0
    nx.write_graphml(edited, tmp_path / "edited.graphml")
    saved(tmp_path / "edited.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(graph, tmp_path / "theirs.graphml")
    assert [row.layer for row in report.rows if not row.passed] == ["fc"]


def test_a_type_that_holds_no_numbers_is_refused(tmp_path: Path):
    graph = o2g.load(DIGITS)
    o2g.write(graph, tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    text = text.replace('attr.name="weight" attr.type="double"', 'attr.name="weight" attr.type="string"')
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(Error, match=r"key \('edge', 'weight'\) of type 'string'; expected double"):
        o2g.verify_file(graph, tmp_path / "a.graphml")
