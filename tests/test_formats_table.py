"""The table in docs/formats.md of what other tools read back is what they read back."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import numpy as np
import pytest

from onnx2graphml.errors import Error

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))
try:
    from formats_table import PAGE, example, key, lost, new_page, row, table_in, whole
    from read_back import READERS, Reader
finally:
    sys.path.pop(0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Composite vertex attribute 'graphics' ignored")
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: "-".join(key(reader)))
def test_a_row_is_as_in_the_page(reader: Reader) -> None:
    """All but the version, which is that of the machine where the page was made."""
    got = row(reader)
    if got is None:
        pytest.skip(f"{reader.tool} is not installed, or needs Java")
    *there, _, what_is_lost = table_in(PAGE.read_text(encoding="utf-8"))[key(reader)]
    assert [*there, what_is_lost] == [*got[:2], got[3]], "run: python tools/formats_table.py --write"


def test_the_page_has_a_row_for_each_reader() -> None:
    assert list(table_in(PAGE.read_text(encoding="utf-8"))) == [key(reader) for reader in READERS]


def test_what_is_lost_is_seen(tmp_path: Path) -> None:
    every = whole(example(tmp_path))
    assert lost(every, copy.deepcopy(every)) == []
    found = copy.deepcopy(every)
    del found.about["detail"]
    for node in found.nodes.values():
        node["kind"] = node.pop("op")
        node.pop("bias", None)
    attributes = found.edges[7][2]
    attributes["weight"] = float(np.nextafter(np.float32(attributes["weight"]), np.float32(9)))
    for _, _, attributes in found.edges:
        attributes.pop("port", None)
    assert lost(every, found) == [
        "`detail` of the graph",
        "`bias` of nodes",
        "`op` of nodes is called `kind`",
        "`port` of edges",
        "`weight` of edges has other values",
    ]
    found = copy.deepcopy(every)
    found.edges.pop(0)
    with pytest.raises(Error, match="edges were found, of"):
        lost(every, found)
    del found.nodes[3]
    with pytest.raises(Error, match="nodes were found, of"):
        lost(every, found)
    found = copy.deepcopy(every)
    found.edges = list({edge[:2]: edge for edge in found.edges}.values())
    assert lost(every, found) == ["of edges beside each other all but one"]


def test_the_rest_of_the_page_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows whose tools are not there do, too."""
    monkeypatch.setattr("formats_table.row", lambda reader: None)
    page = PAGE.read_text(encoding="utf-8")
    assert new_page(page) == page
