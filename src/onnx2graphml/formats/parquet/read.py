"""Parquet read back: a folder with the nodes, the edges in parts, and a manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from onnx2graphml.errors import Error, MissingExtraError
from onnx2graphml.files.regular import open_regular
from onnx2graphml.formats.edge_rows import NO_PORT, EdgeRows, RecordedRows
from onnx2graphml.formats.found import (
    SPATIAL,
    FoundLayer,
    NodeRows,
    Part,
    Shared,
    Values,
    layers_of,
    parts_of,
    values_of,
)
from onnx2graphml.formats.manifest import Manifest, reading_errors
from onnx2graphml.formats.parquet import NODES
from onnx2graphml.formats.parquet.layout import PART, layer_folder, part_files
from onnx2graphml.graph.attributes import is_column
from onnx2graphml.graph.recorded import NO, VALUE

try:
    import pyarrow as pa
    from pyarrow import parquet as pq
except ModuleNotFoundError as e:
    raise MissingExtraError("pyarrow", "parquet") from e

ROWS = 1 << 20  # taken at once
SHARED = ("layer", "op", "combine", "activation")


def _is_text(kind: Any) -> bool:
    inner = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _is_integer(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) and kind != pa.uint64())


def _is_list(kind: Any) -> bool:
    return bool((pa.types.is_list(kind) or pa.types.is_large_list(kind)) and _is_integer(kind.value_type))


def _is_float(kind: Any) -> bool:
    return bool(pa.types.is_float32(kind) or pa.types.is_float64(kind))


def _is_bool(kind: Any) -> bool:
    return bool(pa.types.is_boolean(kind))


NODE_TYPES: dict[str, Callable[[Any], bool]] = {
    "id": _is_integer,
    **dict.fromkeys(SHARED, _is_text),
    "index": _is_list,
    **dict.fromkeys(SPATIAL, _is_integer),
    "bias": _is_float,
    VALUE: _is_float,
}
EDGE_TYPES: dict[str, Callable[[Any], bool]] = {
    "src": _is_integer, "dst": _is_integer, "weight": _is_float, "port": _is_integer, "term": _is_integer,
    "contribution": _is_float, "winner": _is_bool,
}  # fmt: skip
NODE_COLUMNS = ("id", *SHARED, "index", *SPATIAL, "bias")


@contextmanager
def open_parquet(path: Path) -> Iterator[ParquetFolder]:
    """A context that gives the graph in a folder of Parquet files.

    Example:
        >>> with open_parquet(Path("digits.parquet")) as file:  # doctest: +SKIP
        ...     file.about()["detail"]
        'layer'
    """
    yield ParquetFolder(path)


def _reading_errors(path: Path) -> AbstractContextManager[None]:
    return reading_errors(path)


class ParquetFolder:
    """A `GraphFile` over a folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._manifest = Manifest(path)
        self._values: Values | None = None

    def about(self) -> dict[str, str]:
        """The attributes of the graph."""
        return self._manifest.about()

    def layers(self) -> list[FoundLayer]:
        """All nodes, layer by layer; `Error` if they are not those that the manifest lists."""
        with _reading_errors(self._path):
            layers = self._read_layers()
        self._values = values_of(layers)
        return layers

    def edited_layers(self) -> list[FoundLayer]:
        """As `layers`: the manifest says what there is."""
        return self.layers()

    def _read_layers(self) -> list[FoundLayer]:
        groups: dict[Shared, int] = {}
        with _opened(self._path / NODES, self._manifest.content["nodes"]) as file:
            _check_types(file.schema_arrow, NODE_TYPES)
            further = _further(file.schema_arrow)
            parts: list[Part] = []
            for batch in file.iter_batches(ROWS, columns=[*NODE_COLUMNS, *further]):
                parts += parts_of(_nodes(batch, groups, further))
        layers = layers_of(parts, list(groups), self._path)
        self._manifest.check_nodes(layers, NODES)
        return layers

    def values(self) -> Values | None:
        """What an input makes of all nodes, by id; known with the layers."""
        return self._values

    def edges(self) -> Iterator[EdgeRows]:
        """All edges; `Error` at the end if there are not as many as the manifest says."""
        with _reading_errors(self._path):
            yield from self._edges()

    def _edges(self) -> Iterator[EdgeRows]:
        listed = self._manifest.content
        parts, into = listed["parts"], dict.fromkeys((x["name"] for x in listed["layers"]), 0)
        files = part_files(self._path)
        if sorted(p["file"] for p in parts) != sorted(files) or not all(map(PART.fullmatch, files)):
            raise Error(f"{self._path}: the manifest lists {len(parts)} parts; edges/ has {len(files)}, or others")
        for part in parts:
            rows, ids = 0, Ids()
            self._check_folder(part)
            for edges in self._part(part["file"], part["rows"]):
                self._check_target(edges, part)
                ids.add(edges)
                rows += len(edges)
                yield edges
            self._check_ids(part, ids)
            if rows != part["rows"]:
                raise Error(f"{self._path}: {part['file']} has {rows} edges; the manifest says {part['rows']}")
            into[part["layer"]] = into.get(part["layer"], 0) + rows
        self._check_totals(into)

    def _check_folder(self, part: dict[str, Any]) -> None:
        """A folder tells the layer, if there is one."""
        _, *folders, _ = part["file"].split("/")
        if folders and folders != [layer_folder(part["layer"])]:
            raise Error(f"{self._path}: {part['file']} is not in the folder of {part['layer']!r}")

    def _check_ids(self, part: dict[str, Any], ids: Ids) -> None:
        """The manifest has the least and the greatest, if it tells them, as older ones don't."""
        for name, got in ids.found.items():
            if part.get(name, got) != got:
                raise Error(f"{self._path}: {part['file']} has {name} {got}; the manifest says {part[name]}")

    def _check_totals(self, into: dict[str, int]) -> None:
        for layer in self._manifest.content["layers"]:
            if layer["in_edges"] != into[layer["name"]]:
                raise Error(
                    f"{self._path}: {into[layer['name']]} edges into {layer['name']!r}; the manifest says "
                    f"{layer['in_edges']}"
                )
        self._manifest.check_edges(sum(into.values()))

    def _part(self, name: str, rows: int) -> Iterator[EdgeRows]:
        with _opened(self._path / name, rows) as file:
            _check_types(file.schema_arrow, EDGE_TYPES)
            columns = [c for c in EDGE_TYPES if c in file.schema_arrow.names]
            for batch in file.iter_batches(ROWS, columns=columns):
                source, target, weight = (_numbers(batch.column(c), c) for c in columns[:3])
                port, term = (
                    _optional(batch.column(c), c).astype(np.int64) if c in columns else np.full(len(batch), NO_PORT)
                    for c in ("port", "term")
                )
                if port.max(initial=-1) >= 1 << 31:
                    raise Error(f"{self._path}: a port in {name} is {port.max()}; expected one below {1 << 31:,}")
                ends = source.astype(np.int64), target.astype(np.int64)
                yield EdgeRows(*ends, weight, port.astype(np.int32), term, _recorded(batch))

    def _check_target(self, edges: EdgeRows, part: dict[str, Any]) -> None:
        layer = self._first_and_last[part["layer"]] if part["layer"] else (0, 0)
        if len(edges) and not layer[0] <= edges.target.min() <= edges.target.max() < layer[1]:
            raise Error(f"{self._path}: {part['file']} has edges into other layers than {part['layer']!r}")

    @property
    def _first_and_last(self) -> dict[str, tuple[int, int]]:
        return {x["name"]: (x["first_id"], x["first_id"] + x["neurons"]) for x in self._manifest.content["layers"]}


@dataclass
class Ids:
    """The least and the greatest `src` and `dst` of edges that were added."""

    found: dict[str, list[int]] = field(default_factory=dict)

    def add(self, edges: EdgeRows) -> None:
        """Some edges."""
        for name, ids in (("src", edges.source), ("dst", edges.target)):
            if len(ids):
                least, greatest = self.found.get(name, (ids[0], ids[0]))
                self.found[name] = [int(min(least, ids.min())), int(max(greatest, ids.max()))]


@contextmanager
def _opened(path: Path, rows: int) -> Iterator[Any]:
    """A file of as many rows as its manifest says: a few bytes can stand for billions."""
    with open_regular(path) as file, pq.ParquetFile(file) as parquet:
        if parquet.metadata.num_rows != rows:
            raise ValueError(f"{path.name} has {parquet.metadata.num_rows} rows; the manifest says {rows}")
        yield parquet


def _check_types(schema: Any, expected: Mapping[str, Callable[[Any], bool]]) -> None:
    """Every column that is read has the type that is written: others would be cast."""
    for name, fits in expected.items():
        if name in schema.names and not fits(schema.field(name).type):
            raise TypeError(f"column {name} is of type {schema.field(name).type}")


def _recorded(batch: Any) -> RecordedRows | None:
    """What an input makes of edges, where they have such columns."""
    if "contribution" not in batch.schema.names or "winner" not in batch.schema.names:
        return None
    winner = batch.column("winner").cast(pa.int8()).fill_null(NO).to_numpy(zero_copy_only=False)
    return RecordedRows(_numbers(batch.column("contribution"), "contribution"), winner)


def _further(schema: Any) -> list[str]:
    """Further columns of nodes, such as a measure."""
    numbers = [field.name for field in schema if _is_integer(field.type) or _is_float(field.type)]
    return [name for name in numbers if name == VALUE or is_column(name)]


def _nodes(batch: Any, groups: dict[Shared, int], further: Sequence[str]) -> NodeRows:
    """A batch of nodes; what they share is entered into `groups`."""
    n = len(batch)
    combined = np.zeros(n, np.int64)
    texts = []
    for name in SHARED:
        column = batch.column(name)
        column = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        texts.append(["" if t is None else t for t in column.dictionary.to_pylist()] + [""])
        combined = combined * len(texts[-1]) + _or(column.indices, len(texts[-1]) - 1)
    codes, group = np.unique(combined, return_inverse=True)
    at = np.unravel_index(codes, [len(t) for t in texts])
    numbers = []
    for row in zip(*at, strict=True):
        shared = tuple(text[i] for text, i in zip(texts, row, strict=True))
        numbers.append(groups.setdefault(shared, len(groups)))
    index, bias, own = batch.column("index"), batch.column("bias"), map(batch.column, further)
    rank = np.diff(index.offsets.to_numpy()).astype(np.int64)
    if index.null_count:
        raise Error("a node has no index; expected one for each")
    spatial = np.stack([_optional(batch.column(name), name) for name in SPATIAL], axis=1)
    biased = ~bias.is_null().to_numpy(zero_copy_only=False)
    return NodeRows(
        _numbers(batch.column("id"), "id").astype(np.int64), np.array(numbers, np.int64)[group.ravel()], rank,
        _numbers(index.flatten(), "index"), spatial, np.where(biased, _or(bias, np.nan), np.nan), biased,
        {
            name: _or(column.cast(pa.float64()), np.nan) if column.null_count else _numbers(column, "")
            for name, column in zip(further, own, strict=True)
        },
    )  # fmt: skip


def _or(column: Any, value: float) -> Any:
    """The numbers of a column, and `value` where there is none."""
    return column.fill_null(value).to_numpy(zero_copy_only=False)


def _optional(column: Any, name: str) -> Any:
    """The numbers of a column of which none is negative, and -1 where there is none."""
    values = _or(column, -1)
    if np.count_nonzero(values < 0) != column.null_count:
        raise Error(f"column {name} has negative numbers; expected none")
    return values


def _numbers(column: Any, name: str) -> Any:
    if column.null_count:
        raise Error(f"column {name} has nulls; expected a number in each row")
    return column.to_numpy(zero_copy_only=False)
