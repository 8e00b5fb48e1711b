"""GraphML that another program has saved again is read like the file that we wrote: people edit graphs."""

import functools
import random
import re
from collections.abc import Callable
from pathlib import Path

import networkx as nx
import pytest

import onnx2graphml as o2g
from onnx2graphml.errors import Error
from onnx2graphml.graph.graph import NeuronGraph
from small import model, node, weights

RESIDUAL = Path(__file__).parent.parent / "fixtures" / "residual.onnx"


@functools.cache
def small_graph() -> NeuronGraph:
    """A convolution, a bias, a function with ports, and a name that is not ASCII."""
    nodes = [node("Conv", "é w b", "c", name="cönv"), node("Relu", "c", "r"), node("Sigmoid", "c", "s")]
    nodes.append(node("Div", "r s", "y"))
    constants = {"w": weights(2, 1, 2, 2), "b": weights(2)}
    return o2g.load(model(nodes, {"é": (1, 1, 4, 4)}, constants))


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


def by_igraph_in_another_order(source: Path, target: Path) -> None:
    igraph = pytest.importorskip("igraph")
    graph = igraph.Graph.Read_GraphML(str(source))
    order = list(range(graph.vcount()))
    random.Random(0).shuffle(order)
    graph.permute_vertices(order).write_graphml(str(target))


def in_free_order(source: Path, target: Path) -> None:
    """Nodes and edges mixed, and no numbers of them, as a program may write that has them in one list."""
    lines = [x for x in source.read_text().replace('"w"', '"e_weight"').splitlines() if x]
    lines = [re.sub(r' parse\.\w+="\w+"', "", x) for x in lines]
    body = [x for x in lines if x.startswith(("<node", "<edge"))]
    first = lines.index(body[0])
    random.Random(0).shuffle(body)
    target.write_text("\n".join([*lines[:first], *body, *lines[first + len(body) :]]))


def with_the_graphs_attributes_last(source: Path, target: Path) -> None:
    lines = source.read_text().splitlines()
    about = [x for x in lines if x.startswith("<data")]
    target.write_text("\n".join([*(x for x in lines[:-2] if x not in about), *about, *lines[-2:]]))


def with_names_for_ids(source: Path, target: Path) -> None:
    target.write_text(re.sub(r'"n(\d+)"', r'"neuron \1 é"', source.read_text()))


def with_keys_for_all(source: Path, target: Path) -> None:
    """One key for nodes and edges, as the specification allows."""
    target.write_text(re.sub(r'for="(node|edge)"', 'for="all"', source.read_text()))


def with_what_others_add(source: Path, target: Path) -> None:
    """As yEd: keys without a name, elements of another namespace, descriptions, a comment; floats for integers."""
    text = source.read_text()
    text = text.replace("<key ", '<key for="node" id="d6" yfiles.type="nodegraphics"/><key ', 1)
    text = text.replace("<graphml ", '<graphml xmlns:y="http://www.yworks.com/xml/graphml" ')
    drawn = '<desc>a <y:b>neuron</y:b></desc><data key="d6"><y:ShapeNode><y:Fill color="#FF0"/>x</y:ShapeNode></data>'
    text = text.replace("</node>", f"{drawn}</node>").replace("<edge ", "<!-- an edge --><edge ")
    target.write_text(re.sub(r'(key="(?:row|p)">\d+)<', r"\1.0<", text))


def encoded(encoding: str) -> Callable[[Path, Path], None]:
    def save(source: Path, target: Path) -> None:
        text = source.read_text(encoding="utf-8")
        target.write_text(text.replace("UTF-8", encoding), encoding=encoding)

    save.__name__ = encoding
    return save


SAVED = [
    by_networkx, by_networkx_with_names, by_igraph, by_igraph_in_another_order, with_defaults_and_ids, in_free_order,
    with_the_graphs_attributes_last, with_names_for_ids, with_keys_for_all, with_what_others_add, encoded("UTF-16"),
    encoded("ISO-8859-1"), encoded("windows-1252"),
]  # fmt: skip


@pytest.mark.parametrize("saved", SAVED)
def test_a_small_file_that_was_saved_again_is_read(tmp_path: Path, saved):
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    saved(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    assert (tmp_path / "theirs.graphml").read_bytes() != (tmp_path / "ours.graphml").read_bytes()
    report = o2g.verify_file(small_graph(), tmp_path / "theirs.graphml")
    assert report.passed, report
    assert not report.unchecked


@pytest.mark.parametrize("saved", SAVED)
def test_an_edit_in_a_small_file_is_found(tmp_path: Path, saved):
    """The control: each way of saving again keeps what is wrong."""
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    text = (tmp_path / "ours.graphml").read_text()
    edge = re.search(r'<edge source="n3" .*</edge>', text)[0]
    (tmp_path / "ours.graphml").write_text(text.replace(edge, re.sub(r'key="w">[^<]*', 'key="w">7.25', edge)))
    saved(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(small_graph(), tmp_path / "theirs.graphml")
    assert [row.layer for row in report.rows if not row.passed] == ["cönv"]


def by_networkit(source: Path, target: Path, weight: float | None = None) -> None:
    networkit = pytest.importorskip("networkit")
    graph = networkit.graphio.GraphMLReader().read(str(source))
    if weight is not None:
        graph.setWeight(*next(iter(graph.iterEdges())), weight)
    networkit.graphio.GraphMLWriter().write(graph, str(target))


def test_networkit_keeps_ids_and_weights(tmp_path: Path):
    """What it drops is taken from the model, as of a matrix, and the report says so."""
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    by_networkit(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(small_graph(), tmp_path / "theirs.graphml")
    assert report.passed, report
    assert [x.split(",")[0].split(":")[0] for x in report.unchecked] == [
        "the name and hash of the model", "combine", "ports of edges",
    ]  # fmt: skip
    assert all("this file does not hold them" in x for x in report.unchecked)
    by_networkit(tmp_path / "ours.graphml", tmp_path / "edited.graphml", weight=7.25)
    assert not o2g.verify_file(small_graph(), tmp_path / "edited.graphml").passed


def test_edges_beside_each_other_need_their_ports(tmp_path: Path):
    """Of x / x, and of what is read as such: without ports, nobody can say which edge is the divisor's."""
    both = o2g.load(model([node("Div", "x x", "y")], {"x": (1, 3)}))
    o2g.write(both, tmp_path / "ours.graphml")
    text = (tmp_path / "ours.graphml").read_text()
    assert o2g.verify_file(both, tmp_path / "ours.graphml").passed
    text = re.sub(r"(<node id=\"\w+\").*</node>", r"\1/>", re.sub(r'<data key="p">\d</data>', "", text))
    (tmp_path / "theirs.graphml").write_text(re.sub(r'<key id="\w+" for="node".*\n', "", text))
    for read in (o2g.verify_file, lambda graph, path: o2g.load(path, original=graph)):
        with pytest.raises(Error, match="no ports of edges, and layer 'the_y' has several edges between the same"):
            read(both, tmp_path / "theirs.graphml")


def test_a_graph_of_so_many_nodes_only(tmp_path: Path):
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    by_networkit(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    text = (tmp_path / "theirs.graphml").read_text()
    (tmp_path / "theirs.graphml").write_text(text.replace('<node id="0" />', "").replace('<node id="0"/>', ""))
    with pytest.raises(Error, match=r"there are \d+ nodes and one is n"):
        o2g.verify_file(small_graph(), tmp_path / "theirs.graphml")
    by_networkit(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    with pytest.raises(Error, match=r"\d+ nodes; at detail 'layer' the model has 5637"):
        o2g.verify_file(RESIDUAL, tmp_path / "theirs.graphml")


@pytest.mark.parametrize("missing", ["model", "layer"])
def test_the_attributes_of_the_graph_or_of_the_nodes_alone_may_be_dropped(tmp_path: Path, missing: str):
    """As Gephi drops the graph's."""
    o2g.write(small_graph(), tmp_path / "ours.graphml")
    graph = nx.read_graphml(tmp_path / "ours.graphml")
    if missing == "model":
        graph.graph.clear()
    else:
        for _, data in graph.nodes(data=True):
            data.clear()
    nx.write_graphml(graph, tmp_path / "theirs.graphml")
    report = o2g.verify_file(small_graph(), tmp_path / "theirs.graphml")
    assert report.passed
    assert len(report.unchecked) == (1 if missing == "model" else 2)


def test_attributes_of_nodes_are_not_dropped_one_by_one(tmp_path: Path):
    """What is left would not be checked."""
    o2g.write(small_graph(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text().replace('attr.name="layer"', 'attr.other="layer"')
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(
        Error, match=r"a\.graphml: its nodes have 'op', but no 'layer'; expected all or none: write the"
    ):
        o2g.verify_file(small_graph(), tmp_path / "a.graphml")


def test_ports_count_where_attributes_of_nodes_are_dropped(tmp_path: Path):
    o2g.write(small_graph(), tmp_path / "a.graphml")
    text = re.sub(r'<key id="\w+" for="node".*\n', "", (tmp_path / "a.graphml").read_text())
    text = re.sub(r'(<node id="\w+").*</node>', r"\1/>", text)
    port = re.search(r'<key id="(\w+)" for="edge" attr.name="port"', text)
    assert port is not None
    (tmp_path / "a.graphml").write_text(text)
    assert o2g.verify_file(small_graph(), tmp_path / "a.graphml").passed
    (tmp_path / "a.graphml").write_text(text.replace(f'<data key="{port[1]}">1<', f'<data key="{port[1]}">0<', 1))
    assert not o2g.verify_file(small_graph(), tmp_path / "a.graphml").passed


def test_an_undirected_edge_is_refused(tmp_path: Path):
    o2g.write(small_graph(), tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text().replace("<edge ", '<edge directed="false" ', 1)
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(Error, match="an edge with directed='false'; expected only directed ones"):
        o2g.verify_file(small_graph(), tmp_path / "a.graphml")


@pytest.mark.slow
@pytest.mark.parametrize("saved", [by_networkx, by_networkx_with_names, by_igraph, with_defaults_and_ids])
def test_a_file_that_was_saved_again_is_read(tmp_path: Path, saved):
    graph = o2g.load(RESIDUAL)
    o2g.write(graph, tmp_path / "ours.graphml")
    saved(tmp_path / "ours.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(graph, tmp_path / "theirs.graphml")
    assert report.passed
    assert not report.unchecked


@pytest.mark.slow
@pytest.mark.parametrize("saved", [by_networkx, by_igraph])
def test_an_edit_in_it_is_found(tmp_path: Path, saved):
    graph = o2g.load(RESIDUAL)
    o2g.write(graph, tmp_path / "ours.graphml")
    edited = nx.read_graphml(tmp_path / "ours.graphml")
    edge = next(iter(edited.in_edges(f"n{graph.layer('fc').first_id}")))
    edited.edges[edge]["weight"] += 1.0
    nx.write_graphml(edited, tmp_path / "edited.graphml")
    saved(tmp_path / "edited.graphml", tmp_path / "theirs.graphml")
    report = o2g.verify_file(graph, tmp_path / "theirs.graphml")
    assert [row.layer for row in report.rows if not row.passed] == ["fc"]


def test_a_type_that_holds_no_numbers_is_refused(tmp_path: Path):
    graph = o2g.load(RESIDUAL)
    o2g.write(graph, tmp_path / "a.graphml")
    text = (tmp_path / "a.graphml").read_text()
    text = text.replace('attr.name="weight" attr.type="double"', 'attr.name="weight" attr.type="string"')
    (tmp_path / "a.graphml").write_text(text)
    with pytest.raises(Error, match=r"key \('edge', 'weight'\) of type 'string'; expected double"):
        o2g.verify_file(graph, tmp_path / "a.graphml")


def test_one_id_that_is_another(tmp_path: Path):
    """The first node is n00 and its edges come from n0, which is no node: no reader takes both for the same."""
    graph = o2g.load(model([node("MatMul", "x w", "y")], {"x": [1, 4]}, {"w": weights(4, 3)}))
    path = tmp_path / "g.graphml"
    o2g.write(graph, path)
    path.write_text(path.read_text().replace('<node id="n0">', '<node id="n00">'))
    assert nx.read_graphml(path).number_of_nodes() == graph.neurons + 1
    with pytest.raises(Error, match="an edge from n7 to n4; the last node is n6"):
        o2g.verify_file(graph, path)
