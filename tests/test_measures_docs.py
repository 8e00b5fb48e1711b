"""docs/measures.md tells of every measure."""

from __future__ import annotations

import re
from pathlib import Path

from onnx2graphml import measures

DOCS = Path(__file__).parents[1] / "docs" / "measures.md"


def test_the_table_has_every_measure():
    text = DOCS.read_text(encoding="utf-8")
    table = re.search(r"<!-- measures: .*? -->\n(.*?)<!-- end of measures -->", text, re.DOTALL)
    assert table
    told = {name for row in table[1].splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert told == set(measures.__all__) - {"NodeValues", "EdgeValues", "Clusterability"}


def test_every_measure_says_what_it_is():
    for name in measures.__all__:
        assert (getattr(measures, name).__doc__ or "").strip(), name
