"""Damage to written graphs, for each format: all of it must be found.

`FORMATS` has an entry for each format of the package. `COMMON` names the kinds of damage that each of them must have,
by what of a graph it can hold; to these a format adds its own.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field

import zstandard

from damage import csv_tables, graphml_text, npz_arrays, parquet_tables
from damage.files import Change, Otherwise, compressed
from onnx2graphml.formats import registry

COMMON = {
    "": (
        "an edge is missing", "an edge is there twice", "an edge more", "an edge more, of weight 0", "another source",
        "another target", "an edge from nowhere", "two edges exchange their weights",
        "two edges exchange their sources", "a weight is more by 1e-3 of the largest", "a weight has another sign",
        "a weight is 0", "a weight is NaN", "a weight is infinite", "truncated", "empty",
    ),
    "ports": ("a port is another", "a port is missing"),
    "node attributes": (
        "a bias is another", "a bias is missing", "an activation is another", "an activation is missing",
        "combine is another", "a node is in another layer", "a node has another index", "a node has no index",
        "a node is in another row", "a node is missing", "a node is there twice",
    ),
    "graph attributes": (
        "another model", "another level of detail", "the number of nodes is another", "the number of edges is another",
    ),
}  # fmt: skip
"""Kinds of damage, by what a format must hold to have them."""


@dataclass(frozen=True)
class Format:
    """How graphs in one format are damaged, and how else the same graph may be written in it."""

    damages: dict[str, Change]
    otherwise: dict[str, Otherwise] = field(default_factory=dict)


def expected(suffix: str) -> set[str]:
    """The kinds of damage that a format must have."""
    lost = registry.FORMATS[suffix].cannot_hold
    return {kind for what, kinds in COMMON.items() if what not in lost for kind in kinds}


def _packed(pack: compressed) -> Format:
    """Text in a compressed file: what every format has, and damage to the compressed bytes."""
    kinds = [kind for kinds in COMMON.values() for kind in kinds]
    return Format({kind: pack.around(graphml_text.DAMAGES[kind]) for kind in kinds} | pack.damages)


FORMATS = {
    ".graphml": Format(graphml_text.DAMAGES, graphml_text.OTHERWISE),
    ".graphml.gz": _packed(compressed(gzip.decompress, gzip.compress)),
    ".graphml.zst": _packed(
        compressed(lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data), zstandard.compress)
    ),
    ".parquet": Format(parquet_tables.DAMAGES, parquet_tables.OTHERWISE),
    ".gephi.csv": Format(csv_tables.DAMAGES, csv_tables.OTHERWISE),
    ".neo4j.csv": Format(csv_tables.DAMAGES, csv_tables.OTHERWISE),
    ".npz": Format(npz_arrays.DAMAGES, npz_arrays.OTHERWISE),
}
