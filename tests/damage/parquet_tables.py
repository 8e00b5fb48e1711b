"""Parquet: a folder of tables in parts, and a manifest."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from damage.files import Change, Files, Otherwise, without

Columns = dict[str, list[Any]]
NODES, MANIFEST = "_nodes/part-00000.parquet", "_manifest.json"


def edge_parts(files: Files) -> list[str]:
    return sorted(name for name in files if name.startswith("edges/"))


def edited(data: bytes, change: Callable[[Columns], bool | None]) -> bytes | None:
    """A table with other values in its columns; None where the change says that there is nothing to change."""
    table = pq.read_table(io.BytesIO(data))
    columns = table.to_pydict()
    if change(columns) is False:
        return None
    out = io.BytesIO()
    pq.write_table(pa.table(columns, schema=table.schema), out)
    return out.getvalue()


def in_edges(change: Callable[[Columns, Random], bool | None], counted: bool = True) -> Change:
    """Some part of the edges with other values, and the manifest's numbers those that are there then."""

    def changed(files: Files, random: Random) -> Files | None:
        parts = edge_parts(files)
        for name in random.sample(parts, len(parts)):
            if (data := edited(files[name], lambda columns: change(columns, random))) is not None:
                return _counted(files | {name: data}) if counted else files | {name: data}
        return None

    return changed


def _counted(files: Files) -> Files:
    manifest = json.loads(files[MANIFEST])
    for part in manifest["parts"]:
        part["rows"] = pq.read_metadata(io.BytesIO(files[part["file"]])).num_rows
    manifest["edges"] = sum(part["rows"] for part in manifest["parts"])
    return files | {MANIFEST: json.dumps(manifest).encode()}


def in_nodes(change: Callable[[Columns, Random], bool | None]) -> Change:
    def changed(files: Files, random: Random) -> Files | None:
        data = edited(files[NODES], lambda columns: change(columns, random))
        return None if data is None else files | {NODES: data}

    return changed


def put(column: str, value: Any, where: Callable[[Any], bool] = lambda _: True) -> Callable[[Columns, Random], bool]:
    """Another value in one row, of those for whose value something holds; a function is called with the old one."""

    def change(columns: Columns, random: Random) -> bool:
        rows = [i for i, old in enumerate(columns.get(column, ())) if where(old)]
        if not rows:
            return False
        row = random.choice(rows)
        old = columns[column][row]
        columns[column][row] = value(old) if callable(value) else value
        return bool(columns[column][row] != old)

    return change


def dropped(columns: Columns, random: Random) -> None:
    row = random.randrange(len(next(iter(columns.values()))))
    for values in columns.values():
        del values[row]


def repeated(columns: Columns, random: Random) -> None:
    row = random.randrange(len(next(iter(columns.values()))))
    for values in columns.values():
        values.append(values[row])


def more(weight: float) -> Callable[[Columns, Random], None]:
    def change(columns: Columns, random: Random) -> None:
        repeated(columns, random)
        columns["weight"][-1] = weight

    return change


def exchanged(column: str) -> Callable[[Columns, Random], bool]:
    """Two edges into one neuron exchange something."""

    def change(columns: Columns, random: Random) -> bool:
        targets, weights = columns["dst"], columns["weight"]
        rows = [i for i in range(1, len(targets)) if targets[i] == targets[i - 1] and weights[i] != weights[i - 1]]
        if not rows:
            return False
        i, values = random.choice(rows), columns[column]
        values[i - 1 : i + 1] = values[i], values[i - 1]
        return True

    return change


def nudged(columns: Columns, random: Random) -> None:
    """A weight is more by 1e-3 of the largest into the same neuron."""
    i = random.randrange(len(columns["dst"]))
    own = [abs(w) for w, t in zip(columns["weight"], columns["dst"], strict=True) if t == columns["dst"][i]]
    columns["weight"][i] += 1e-3 * max(own)


def _is_there(value: Any) -> bool:
    return value is not None and value != ""


def listed(change: Callable[[dict[str, Any]], Any]) -> Change:
    """Another manifest."""

    def changed(files: Files, _: Random) -> Files:
        manifest = json.loads(files[MANIFEST])
        change(manifest)
        return files | {MANIFEST: json.dumps(manifest).encode()}

    return changed


def cut(name: Callable[[Files], str]) -> Change:
    return lambda files, random: files | {name(files): files[name(files)][: random.randrange(len(files[name(files)]))]}


def last(files: Files) -> str:
    return edge_parts(files)[-1]


def copied(name: str) -> Change:
    """The last part once more, under another name."""
    return lambda files, _: (
        None if name in files and files[name] == files[last(files)] else (files | {name: files[last(files)]})
    )


DAMAGES: dict[str, Change] = {
    "an edge is missing": in_edges(dropped),
    "an edge is missing, the count tells": in_edges(dropped, counted=False),
    "an edge is there twice": in_edges(repeated),
    "an edge more": in_edges(more(0.25)),
    "an edge more, of weight 0": in_edges(more(0.0)),
    "another source": in_edges(put("src", lambda i: i + 1)),
    "another target": in_edges(put("dst", lambda i: i - 1)),
    "an edge from nowhere": in_edges(put("src", 1 << 30)),
    "a negative source": in_edges(put("src", -1)),
    "two edges exchange their weights": in_edges(exchanged("weight")),
    "two edges exchange their sources": in_edges(exchanged("src")),
    "a weight is more by 1e-3 of the largest": in_edges(nudged),
    "a weight has another sign": in_edges(put("weight", lambda w: -w, bool)),
    "a weight is 0": in_edges(put("weight", 0.0, bool)),
    "a weight is NaN": in_edges(put("weight", float("nan"))),
    "a weight is infinite": in_edges(put("weight", float("inf"))),
    "a port is another": in_edges(put("port", lambda p: 1 - p, lambda p: p in (0, 1))),
    "a port is missing": in_edges(put("port", None, _is_there)),
    "a bias is another": in_nodes(put("bias", lambda b: b * 1.001 + 1e-4, _is_there)),
    "a bias is missing": in_nodes(put("bias", None, _is_there)),
    "an activation is another": in_nodes(put("activation", "Softsign", _is_there)),
    "an activation is missing": in_nodes(put("activation", None, _is_there)),
    "combine is another": in_nodes(put("combine", "min", lambda c: c in ("sum", "max"))),
    "a node is in another layer": in_nodes(put("layer", "elsewhere")),
    "a node has another index": in_nodes(put("index", lambda at: [*at[:-1], at[-1] + 1], lambda at: bool(at))),
    "an index of fewer coordinates": in_nodes(put("index", lambda at: at[:-1], lambda at: bool(at))),
    "a node has no index": in_nodes(put("index", None, lambda at: bool(at))),
    "a node is in another row": in_nodes(put("row", lambda r: r + 1, _is_there)),
    "a row of -1, which readers call none": in_nodes(put("row", -1, lambda row: row is None)),
    "a node is missing": in_nodes(dropped),
    "a node is there twice": in_nodes(repeated),
    "truncated": cut(last),
    "the nodes are truncated": cut(lambda _: NODES),
    "the manifest is truncated": cut(lambda _: MANIFEST),
    "empty": lambda files, _: files | {last(files): b""},
    "a part is missing": lambda files, random: without(last(files))(files, random),
    "a part more": copied("edges/part-00099.parquet"),
    "a part is another": copied("edges/part-00000.parquet"),
    "the nodes are missing": without(NODES),
    "the manifest is missing": without(MANIFEST),
    "the manifest is a list": lambda files, _: files | {MANIFEST: b"[]"},
    "another model": listed(lambda m: m.update(model_sha256="0" * 64, model="other.onnx")),
    "another level of detail": listed(lambda m: m.update(detail="op")),
    "another dialect": listed(lambda m: m.update(dialect="1")),
    "the number of nodes is another": listed(lambda m: m.update(nodes=1)),
    "the number of edges is another": listed(lambda m: m.update(edges=1)),
    "a part is not listed": listed(lambda m: m["parts"].pop()),
    "a part of another name": listed(lambda m: m["parts"][0].update(file="../a.parquet")),
    "a part of another length": listed(lambda m: m["parts"][0].update(rows=1)),
    "a layer is not listed": listed(lambda m: m["layers"].pop()),
    "a layer of another shape": listed(lambda m: m["layers"][0].update(shape=[63])),
    "a layer of other in-edges": listed(lambda m: m["layers"][-1].update(in_edges=1)),
}  # fmt: skip


# ------------------------------------------------------------------------------------ the same graph, otherwise written


def _rewritten(files: Files, **options: Any) -> Files:
    out = dict(files)
    for name in (*edge_parts(files), NODES):
        buffer = io.BytesIO()
        pq.write_table(pq.read_table(io.BytesIO(files[name])), buffer, **options)
        out[name] = buffer.getvalue()
    return out


def _reordered(files: Files) -> Files:
    out = dict(files)
    for name in edge_parts(files):
        table, buffer = pq.read_table(io.BytesIO(files[name])), io.BytesIO()
        pq.write_table(table.take(list(reversed(range(table.num_rows)))), buffer)
        out[name] = buffer.getvalue()
    return out


OTHERWISE: dict[str, Otherwise] = {
    "edges in another order": _reordered,
    "not compressed": functools.partial(_rewritten, compression="NONE", use_dictionary=False),
    "small groups of rows": functools.partial(_rewritten, row_group_size=50),
}
