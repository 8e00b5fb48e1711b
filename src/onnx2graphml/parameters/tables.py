"""What is known of a network's arrays as Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from onnx2graphml.files.json_file import json_text
from onnx2graphml.files.plain_text import cell, printable
from onnx2graphml.parameters.statistics import ALIKE, DEAD, NEAR_ZERO, SMALL, TOLERANCE
from onnx2graphml.text import number

if TYPE_CHECKING:
    from onnx2graphml.parameters.found import ArrayWeights, LayerWeights, Weights

NUMBERS = (
    "mean",
    "deviation",
    "smallest",
    "largest",
    "l1",
    "l2",
    "zeros",
    "near_zeros",
    "spectral_norm",
    "stable_rank",
)
HEADER = (
    "layer", "array", "role", "shape", "axes", "onnx_operator", "onnx_input", "onnx_shape", "onnx_axes", "path",
    "shared_with", "size", "nonfinite", *NUMBERS, "spectral_exact", "dead", "near_duplicate_pairs",
    "difference_l2", "difference_relative", "difference_cosine", "difference_largest", "difference_index", "picture",
)  # fmt: skip
LISTED = 8  # dead outputs and pairs that the Markdown names; the JSON has more

MEANING = f"""\
- Axes: `out` and `in` are outputs (or units) and inputs of a kernel or a weight matrix; `in` of a convolution in groups
  counts within a group. `channel` is that of what the layer gives; `axis k` stands where nothing more is known.
- mean, deviation (of the population), min, max, L1 and L2 are of all numbers, computed in float64.
- zeros: the share of exact zeros; near zeros: the share of numbers below {NEAR_ZERO:g} of the largest magnitude.
- spectral norm: the largest singular value of the matrix of outputs by all else; with ~ it is an estimate from below
  (Lanczos, residual {TOLERANCE:g} of it; where both sides are over {SMALL:,}). stable rank: L2² / spectral norm².
- dead: outputs whose weights are all 0, or have a norm below {DEAD:g} of the median norm.
- near-duplicates: pairs of outputs whose weights have a cosine above {ALIKE:g}.
"""


def _record(x: LayerWeights, a: ArrayWeights) -> dict[str, Any]:
    """All of one array, as JSON has it."""
    array, found = a.array, a.statistics
    readers = [array.layer, *array.shared]
    record: dict[str, Any] = {
        "layer": x.of.layer.name,
        "array": array.name,
        "role": array.role,
        "text": array.text,
        "shape": list(array.values.shape),
        "axes": list(array.axes),
        "onnx_operator": array.op,
        "onnx_input": array.input,
        "onnx_shape": list(array.onnx_shape),
        "onnx_axes": list(array.onnx_axes),
        "path": list(array.path),
        "shared_with": [r for r in readers if r != x.of.layer.name],
        "size": found.size,
        "nonfinite": found.nonfinite,
        **{name: getattr(found, name) for name in NUMBERS},
        "spectral_exact": found.spectral_exact if found.spectral_norm is not None else None,
        "dead": found.dead,
        "near_duplicates": found.alike,
        "near_duplicate_pairs": found.alike_count if found.alike is not None else None,
        "histogram": {"counts": found.counts, "edges": found.edges},
        "picture": a.file,
    }
    if a.difference is not None:
        of = a.difference
        record |= {
            "difference_l2": of.l2,
            "difference_relative": of.relative,
            "difference_cosine": of.cosine,
            "difference_largest": of.largest,
            "difference_index": of.index,
            "difference_picture": a.difference_file,
        }
    return record


def records(found: Weights) -> list[dict[str, Any]]:
    """A dictionary for each array of each layer, in their order."""
    return [_record(x, a) for x in found.layers for a in x.arrays]


def as_json(found: Weights) -> str:
    """Everything, as JSON; see `files.json_file`."""
    layers = [
        {
            "layer": x.of.layer.name,
            "text": x.of.text,
            "numbers": x.of.numbers,
            "parameters": x.of.layer.parameters,
            "difference": x.of.difference,
            "order": x.order.by if x.order else None,
        }
        for x in found.layers
    ]
    whole = {
        "model": found.model,
        "order": found.order,
        "layers": layers,
        "arrays": records(found),
        "unread": {n: list(v.shape) for n, v in found.unread.items()},
    }
    if found.matches is not None:
        whole |= {
            "against": found.against,
            "only_in_model": found.matches.only_here,
            "only_in_against": found.matches.only_there,
        }
    return json_text(whole)


def as_csv(found: Weights) -> str:
    """A row for each array of each layer; lists are joined by spaces, of dead outputs there is the number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for record in records(found):
        dead = record["dead"]
        cells = {k: " ".join(map(str, v)) if isinstance(v, list | tuple) else v for k, v in record.items()}
        cells |= {"axes": ", ".join(record["axes"]), "dead": "" if dead is None else len(dead)}
        writer.writerow({k: cell(v) for k, v in cells.items()})
    return text.getvalue()


def markdown(found: Weights) -> str:
    """For people: what each array is, its numbers, its pictures."""
    with_arrays = [x for x in found.layers if x.arrays]
    arrays = {a.array.name: a.array.values.size for x in with_arrays for a in x.arrays if a.array.values.ndim}
    lines = [
        f"# Weights of {_plain(found.model) or 'a network'}",
        "",
        f"{len(found.layers)} layers, {len(with_arrays)} of them with arrays; {len(arrays)} arrays with "
        f"{sum(arrays.values()):,} numbers. Order of outputs: {found.order} (`permutation.json`).",
        "",
        MEANING,
    ]
    for x in with_arrays:
        lines += _layer_lines(x, found)
    if found.unread:
        lines += ["## Read by no layer", ""]
        lines += [f"- {_code(n)}: {_sizes(v.shape)}" for n, v in found.unread.items()] + [""]
    if found.matches is not None:
        for title, only in (
            (f"Only in {_plain(found.model)}", found.matches.only_here),
            (f"Only in {_plain(found.against)}", found.matches.only_there),
        ):
            lines += [f"## {title}", ""]
            lines += [f"- {_code(n)}: {_sizes(shape)}" for n, shape in only.items()] or ["Nothing."]
            lines.append("")
    return "\n".join(lines)


def _layer_lines(x: LayerWeights, found: Weights) -> list[str]:
    layer = x.of.layer
    lines = [f"## {_plain(layer.name)}", "", f"{_plain(x.of.text)}. {layer.op}, output {layer.shape}.", ""]
    if x.of.difference:
        lines += [f"Parameters: {_plain(x.of.difference)}.", ""]
    if x.order is not None and x.order.by != found.order:
        lines += [f"Its outputs stand in their own order: there is no {found.order} of each.", ""]
    header = ("array", "shape", "axes", "in ONNX", "size", "mean", "deviation", "min", "max", "L1", "L2", "zeros",
              "near zeros", "spectral norm", "stable rank", "dead", "near-duplicates")  # fmt: skip
    lines += _table(header, [_cells(x, a) for a in x.arrays])
    for a in x.arrays:
        lines += _findings(a)
        if a.array.layer != layer.name:
            lines += [f"{_code(a.array.name)} is shared: it is drawn at {_plain(a.array.layer)}.", ""]
        for file in (a.file, a.difference_file):
            lines += [f"![{_plain(a.array.name)}]({file})", ""] if file else []
    return [*lines, *([f"![histograms]({x.histograms})", ""] if x.histograms else [])]


def _cells(x: LayerWeights, a: ArrayWeights) -> list[str]:
    array, of = a.array, a.statistics
    by = f" by {', '.join(array.path)}" if array.path else ""
    onnx = f"{array.op} {array.input} {_sizes(array.onnx_shape)}: ({', '.join(array.onnx_axes)}){by}"
    norm = "" if of.spectral_norm is None else f"{'' if of.spectral_exact else '~'}{number(of.spectral_norm)}"
    return [
        _code(array.name), _sizes(array.values.shape), f"({', '.join(array.axes)})", _plain(onnx), f"{of.size:,}",
        *(number(v) for v in (of.mean, of.deviation, of.smallest, of.largest, of.l1, of.l2)),
        f"{of.zeros:.2%}", f"{of.near_zeros:.2%}", norm, "" if of.stable_rank is None else number(of.stable_rank),
        "" if of.dead is None else f"{len(of.dead):,}", "" if of.alike is None else f"{of.alike_count:,}",
    ]  # fmt: skip


def _findings(a: ArrayWeights) -> list[str]:
    """What there is to say besides numbers."""
    of, name, lines = a.statistics, _code(a.array.name), []
    if of.nonfinite:
        lines.append(f"{name} has {of.nonfinite:,} numbers that are not finite; all else is of the others.")
    if of.dead:
        lines.append(f"{name}: dead outputs {_some([str(k) for k in of.dead], len(of.dead))}.")
    if of.alike:
        pairs = [f"{i} and {j} ({c:.4f})" for i, j, c in of.alike]
        lines.append(f"{name}: near-duplicates {_some(pairs, of.alike_count)}.")
    if a.difference is not None:
        d = a.difference
        cosine = "none" if d.cosine is None else f"{d.cosine:.6f}"
        lines.append(
            f"{name} in the other model: L2 of the difference {number(d.l2)}, relative {number(d.relative)}, cosine "
            f"{cosine}, largest change {number(d.largest)} at {d.index}."
        )
    return [part for line in lines for part in (line, "")]


def _some(shown: Sequence[str], of: int) -> str:
    more = f", and {of - LISTED:,} more" if of > LISTED else ""
    return ", ".join(shown[:LISTED]) + more


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = "|" + "---|" * len(header)
    return [f"| {' | '.join(header)} |", rule, *(f"| {' | '.join(row)} |" for row in rows), ""]


def _sizes(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _plain(text: str) -> str:
    r"""A model's text as text, whatever Markdown would make of it.

    Example:
        >>> _plain("a|b <c>")
        'a\\|b \\<c\\>'
    """
    return "".join(f"\\{c}" if c in "\\`*[]<>|#" else c for c in printable(text))


def _code(name: str) -> str:
    """A name as it stands; what would end it or the table's cell is replaced."""
    return f"`{printable(name).replace('`', chr(39)).replace('|', '¦')}`"
