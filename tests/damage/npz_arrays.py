"""NPZ: the arrays of a sparse matrix."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

from damage.files import Change, Files, Otherwise

Arrays = dict[str, npt.NDArray[Any]]
ArrayDamage = Callable[[Arrays, Random], Arrays | None]


def arrays(data: bytes) -> Arrays:
    with np.load(io.BytesIO(data)) as loaded:
        return dict(loaded)


def saved(content: Arrays) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **content)
    return out.getvalue()


def alike(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(
        one[n].dtype == other[n].dtype and np.array_equal(one[n], other[n], equal_nan=one[n].dtype.kind == "f")
        for n in one
    )


def at(name: str, change: Callable[[Any], Any], where: Callable[[Any], Any] = np.ones_like) -> ArrayDamage:
    """One entry of an array is another; among those for which something holds."""

    def damage(content: Arrays, random: Random) -> Arrays | None:
        possible = np.flatnonzero(where(content[name]))
        if not possible.size:
            return None
        changed, i = content[name].copy(), random.choice(possible.tolist())
        changed[i] = change(changed[i])
        return content | {name: changed}

    return damage


def rows(change: Callable[[npt.NDArray[Any], int], npt.NDArray[Any]]) -> ArrayDamage:
    """The three long arrays by the rows that remain of 0, 1, …"""

    def damage(content: Arrays, random: Random) -> Arrays:
        n = len(content["row"])
        kept = change(np.arange(n), random.randrange(1, n - 1))
        return content | {name: content[name][kept] for name in ("row", "col", "data")}

    return damage


def exchanged(*names: str) -> ArrayDamage:
    """Two edges into one neuron exchange something."""

    def damage(content: Arrays, random: Random) -> Arrays | None:
        same = np.flatnonzero((content["col"][1:] == content["col"][:-1]) & (np.diff(content["data"]) != 0))
        if not same.size:
            return None
        i, changed = random.choice(same.tolist()), {name: content[name].copy() for name in names}
        for values in changed.values():
            values[[i, i + 1]] = values[[i + 1, i]]
        return content | changed

    return damage


def nudged(content: Arrays, random: Random) -> Arrays:
    """A weight is more by 1e-3 of the largest into the same neuron, which is not above the layer's."""
    i, data = random.randrange(len(content["row"])), content["data"].copy()
    data[i] += 1e-3 * np.abs(data[content["col"] == content["col"][i]]).max()
    return content | {"data": data}


def more(weight: float) -> ArrayDamage:
    def damage(content: Arrays, random: Random) -> Arrays:
        i = random.randrange(len(content["row"]))
        values = {"row": content["row"][0], "col": content["col"][i], "data": weight}
        return content | {
            name: np.append(content[name], value).astype(content[name].dtype) for name, value in values.items()
        }

    return damage


ARRAYS: dict[str, ArrayDamage] = {
    "an edge is missing": rows(lambda every, i: np.delete(every, i)),
    "the last edge is missing": rows(lambda every, _: every[:-1]),
    "truncated": rows(lambda every, _: every[: len(every) // 2]),
    "an edge is there twice": rows(lambda every, i: np.insert(every, i, i)),
    "all edges are there twice": rows(lambda every, _: np.tile(every, 2)),
    "empty": rows(lambda every, _: every[:0]),
    "an edge more": more(0.25),
    "an edge more, of weight 0": more(0.0),
    "another source": at("row", lambda i: i + 1, lambda r: r < r.max()),
    "another target": at("col", lambda i: i - 1),
    "an edge from nowhere": at("row", lambda _: 1 << 30),
    "a negative source": at("row", lambda _: -1),
    "a negative target": at("col", lambda _: -1),
    "sources and targets exchanged": lambda c, _: c | {"row": c["col"], "col": c["row"]},
    "all sources one further": lambda c, _: c | {"row": (c["row"] + 1).astype(np.int32)},
    "two edges exchange their weights": exchanged("data"),
    "two edges exchange their sources": exchanged("row"),
    "a weight is more by 1e-3 of the largest": nudged,
    "a weight has another sign": at("data", lambda w: -w, lambda d: d != 0),
    "a weight is 0": at("data", lambda _: 0, lambda d: d != 0),
    "a weight is NaN": at("data", lambda _: np.nan),
    "a weight is infinite": at("data", lambda _: np.inf),
    "weights in half precision": lambda c, _: c | {"data": c["data"].astype(np.float16)},
    "weights are rounded to float16": lambda c, _: c | {"data": c["data"].astype(np.float16).astype(np.float32)},
    "weights are integers": lambda c, _: c | {"data": c["data"].astype(np.int32)},
    "weights are complex": lambda c, _: c | {"data": c["data"].astype(np.complex64)},
    "weights are objects": lambda c, _: c | {"data": c["data"].astype(object)},
    "weights are text": lambda c, _: c | {"data": c["data"].astype(str)},
    "sources are floats": lambda c, _: c | {"row": c["row"].astype(np.float64)},
    "sources are unsigned": lambda c, _: c | {"row": c["row"].astype(np.uint32)},
    "sources are bytes": lambda c, _: c | {"row": c["row"].astype(np.int8)},
    "fewer weights": lambda c, _: c | {"data": c["data"][:-1]},
    "fewer sources": lambda c, _: c | {"row": c["row"][:-1]},
    "fewer targets": lambda c, _: c | {"col": c["col"][:-1]},
    "another shape": lambda c, _: c | {"shape": c["shape"] + 1},
    "a shape that is not square": lambda c, _: c | {"shape": c["shape"] + [0, 1]},
    "a shape of three": lambda c, _: c | {"shape": np.append(c["shape"], 1)},
    "a negative shape": lambda c, _: c | {"shape": -c["shape"]},
    "a huge shape": lambda c, _: c | {"shape": np.full(2, 1 << 60)},
    "a shape of floats": lambda c, _: c | {"shape": c["shape"].astype(float)},
    "another format": lambda c, _: c | {"format": np.array(b"csr")},
    "an unknown format": lambda c, _: c | {"format": np.array(b"x")},
    "no sources": lambda c, _: {n: v for n, v in c.items() if n != "row"},
    "no targets": lambda c, _: {n: v for n, v in c.items() if n != "col"},
    "no weights": lambda c, _: {n: v for n, v in c.items() if n != "data"},
    "no shape": lambda c, _: {n: v for n, v in c.items() if n != "shape"},
    "no format": lambda c, _: {n: v for n, v in c.items() if n != "format"},
    "something else": lambda c, _: {"x": c["data"]},
}  # fmt: skip


def _changed(damage: ArrayDamage, files: Files, random: Random) -> Files | None:
    content = arrays(files[""])
    found = damage(content, random)
    return None if found is None or alike(found, content) else {"": saved(found)}


DAMAGES: dict[str, Change] = {kind: functools.partial(_changed, damage) for kind, damage in ARRAYS.items()}


# ------------------------------------------------------------------------------------ the same graph, otherwise written


def shuffled(content: Arrays) -> Arrays:
    order = np.random.default_rng(0).permutation(len(content["row"]))
    return content | {name: content[name][order] for name in ("row", "col", "data")}


def wider(content: Arrays) -> Arrays:
    return content | {"row": content["row"].astype(np.int64), "data": content["data"].astype(np.float64)}


def big_endian(content: Arrays) -> Arrays:
    return content | {name: content[name].astype(content[name].dtype.newbyteorder(">")) for name in ("row", "data")}


def _otherwise(change: Callable[[Arrays], Arrays], files: Files) -> Files:
    return {"": saved(change(arrays(files[""])))}


OTHERWISE: dict[str, Otherwise] = {
    "edges in another order": functools.partial(_otherwise, shuffled),
    "wider types": functools.partial(_otherwise, wider),
    "big-endian": functools.partial(_otherwise, big_endian),
}
