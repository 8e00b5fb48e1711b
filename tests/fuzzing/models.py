"""Models with one to four things changed, through `info` and `verify`."""

from __future__ import annotations

import contextlib
import random
import re
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from fuzzing.outcome import Outcome
from fuzzing.running import ran
from hostile import CASES
from randomnets.draw import draw_network

Random = random.Random
MOST_EDGES = 3_000_000
DIFFERENCE = 1e-3  # relative to a layer's largest value
NUMBERS = (0, 1, -1, 2, 3, 7, 100, 255, 65536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**40, 2**62, 2**63 - 1, -(2**63))
SIZES = (0, 1, 2, 3, 5, 8, 64, 1000, 65537, 2**23 + 1, 2**26 - 1, 2**31, 2**40, -1, -4)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 3.4e38, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "",
    "SAME_UPPER",
    "SAME_LOWER",
    "VALID",
    "NOTSET",
    "linear",
    "edge",
    "a*",
    "ij,jk->ik",
    "\x1b[2J",
    "\u202e",
    "x" * 999,
)
TYPES = (0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 14, 16, 17, 22, 77)


def prepare() -> None:
    """What takes long the first time."""
    warnings.simplefilter("ignore")
    import onnxruntime  # noqa: F401

    import onnx2graphml.graph.kernels  # noqa: F401


def outcome(seed: int, number: int) -> Outcome:
    """Of the model of that number."""
    content = model(seed, number)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        path.write_bytes(content)
        options = ["--detail", Random(f"{seed}:{number}:detail").choice(["op", "layer", "neuron"])]
        found = ran(["info", str(path), *options])
        if found[0] == "fine" and edges(found[2]) < MOST_EDGES:
            found = ran(["verify", str(path), *options])
            if found[0] == "mismatch" and is_explained(found[2]):
                found = ("mismatch", "", *found[2:])
            elif found[0] == "mismatch":
                found = ("differs from ONNX Runtime", *found[1:])
        left = [p.name for p in Path(folder).iterdir() if p != path]
    kind = f"left {left}" if left else found[0]
    made = Outcome(number, kind, found[1] or found[2][-300:], found[3], found[4], ".onnx")
    return Outcome(**{**made.__dict__, "content": content}) if made.is_fault else made


def edges(printed: str) -> int:
    """Edges and neurons that `info` counts: what is larger is known to take long to verify."""
    total = printed.splitlines()[-1]
    return max((int(n.replace(",", "")) for n in re.findall(r"[0-9][0-9,]*", total)), default=0)


def is_explained(printed: str) -> bool:
    """Whether what `verify` tells of is in the last digits, or not finite.

    ONNX Runtime computes some operators of float64 in float32, and what sums that overflow come to depends on their
    order.
    """
    rows = [line.split() for line in printed.splitlines() if " FAIL" in line]
    relative = [float(row[row.index(next(c for c in row if c.startswith("FAIL"))) - 2]) for row in rows]
    return all(not r >= DIFFERENCE or r == float("inf") for r in relative)


def model(seed: int, number: int) -> bytes:
    """The file of that number: always the same."""
    draw = Random(f"{seed}:{number}")
    proto = base(draw)
    for _ in range(draw.choice([1, 1, 1, 2, 3, 4])):
        with contextlib.suppress(Exception):  # names that are not UTF-8 can't be touched
            draw.choice(CHANGES)(proto, draw)
    content = proto.SerializeToString()
    return flipped(content, draw) if draw.random() < 0.15 else content


def base(draw: Random) -> onnx.ModelProto:
    """A random network, or one of the hostile files."""
    if draw.random() < 0.3:
        for _ in range(9):
            with tempfile.TemporaryDirectory() as folder:
                made = CASES[draw.choice(sorted(CASES))].build(Path(folder))
            if isinstance(made, bytes):
                try:
                    made = onnx.ModelProto.FromString(made)
                except Exception:
                    continue
            if made is not None and made.ByteSize() < 100_000:
                return made
    return draw_network(draw).proto


def flipped(content: bytes, draw: Random) -> bytes:
    data = bytearray(content)
    for _ in range(draw.randint(1, 8)):
        how, at = draw.randrange(4), draw.randrange(len(data) or 1)
        if how == 0 and data:
            data[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            data[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 4)))
        elif how == 2:
            del data[at : at + draw.randint(1, 8)]
        else:
            data[at : at + 1] = bytes([draw.choice((0, 1, 127, 128, 255))])
    return bytes(data)


# -------------------------------------------------------------------------------------------------------------- changes


def some_node(proto: onnx.ModelProto, draw: Random) -> onnx.NodeProto:
    return draw.choice(list(proto.graph.node)) if proto.graph.node else proto.graph.node.add(op_type="Relu")


def change_attribute(proto: onnx.ModelProto, draw: Random) -> None:
    """Another value, type, name; one more or one less; a reference."""
    node = some_node(proto, draw)
    if not node.attribute or draw.random() < 0.3:
        schema = _schema(node, proto)
        names = [*(schema.attributes if schema else ()), "alpha", ""]
        name = draw.choice(names)
        kind = (
            int(schema.attributes[name].type.value)
            if schema and name in schema.attributes
            else draw.choice((1, 2, 3, 7))
        )
        attribute = node.attribute.add(name=name, type=kind)  # type: ignore[arg-type]
    else:
        attribute = draw.choice(list(node.attribute))
    what = draw.randrange(10)
    if what == 0:
        attribute.type = draw.choice(list(AttributeProto.AttributeType.values()))  # type: ignore[assignment]
    elif what == 1:
        attribute.ref_attr_name = draw.choice(["a", "alpha", "\u202e"])
    elif what == 2:
        node.attribute.remove(attribute)
    elif what == 3:
        node.attribute.add().CopyFrom(attribute)
    else:
        _set_value(attribute, draw)


def _schema(node: onnx.NodeProto, proto: onnx.ModelProto) -> onnx.defs.OpSchema | None:
    version = next((o.version for o in proto.opset_import if not o.domain), 17)
    try:
        return onnx.defs.get_schema(node.op_type, min(max(version, 1), onnx.defs.onnx_opset_version()), node.domain)
    except Exception:
        return None


def _set_value(attribute: onnx.AttributeProto, draw: Random) -> None:
    kind = attribute.type
    if kind == AttributeProto.INT:
        attribute.i = draw.choice(NUMBERS)
    elif kind == AttributeProto.FLOAT:
        attribute.f = draw.choice(FLOATS)
    elif kind == AttributeProto.STRING:
        attribute.s = draw.choice([*(t.encode() for t in TEXTS), b"\xff\xfe"])
    elif kind == AttributeProto.INTS:
        values = list(attribute.ints)
        if values and draw.random() < 0.6:
            values[draw.randrange(len(values))] = draw.choice(NUMBERS)
        else:
            values = [draw.choice(NUMBERS) for _ in range(draw.randrange(6))]
        attribute.ints[:] = values
    elif kind == AttributeProto.FLOATS:
        attribute.floats[:] = [draw.choice(FLOATS) for _ in range(draw.randrange(5))]
    elif kind == AttributeProto.TENSOR:
        change_tensor_of(attribute.t, draw)
    elif kind == AttributeProto.GRAPH and attribute.g.node:
        draw.choice(list(attribute.g.node)).op_type = draw.choice(
            ("Relu", "Neg", "Identity", "Shape", "RegexFullMatch")
        )


def change_tensor(proto: onnx.ModelProto, draw: Random) -> None:
    """An initializer's shape, type or values."""
    if not proto.graph.initializer:
        return
    change_tensor_of(draw.choice(list(proto.graph.initializer)), draw)


def change_tensor_of(tensor: TensorProto, draw: Random) -> None:
    what = draw.randrange(6)
    if what == 0 and tensor.dims:
        tensor.dims[draw.randrange(len(tensor.dims))] = draw.choice(SIZES)
    elif what == 1:
        tensor.data_type = draw.choice(TYPES)
    elif what == 2:
        tensor.dims.append(draw.choice((0, 1, 2)))
    elif what == 3 and tensor.dims:
        del tensor.dims[-1]
    else:
        try:
            array = np.array(numpy_helper.to_array(tensor))
        except Exception:
            return
        if array.size and array.dtype.kind in "iuf" and array.dtype.itemsize in (1, 2, 4, 8):
            values = FLOATS if array.dtype.kind == "f" else NUMBERS
            with np.errstate(all="ignore"):
                at = draw.randrange(array.size)
                array.reshape(-1)[at] = np.array([draw.choice(values)]).astype(array.dtype)[0]
            tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def change_edge(proto: onnx.ModelProto, draw: Random) -> None:
    """A node reads, or makes, another tensor; or none, or one more."""
    node = some_node(proto, draw)
    names = [*(t.name for t in proto.graph.initializer), *(i.name for i in proto.graph.input)]
    names += [o for n in proto.graph.node for o in n.output] + [""]
    side = node.input if draw.random() < 0.8 else node.output
    what = draw.randrange(4)
    if what == 0 or not side:
        side.append(draw.choice(names))
    elif what == 1:
        del side[draw.randrange(len(side))]
    else:
        side[draw.randrange(len(side))] = draw.choice(names)


def change_operator(proto: onnx.ModelProto, draw: Random) -> None:
    some_node(proto, draw).op_type = draw.choice(_OPERATORS)


_OPERATORS = sorted({s.name for s in onnx.defs.get_all_schemas() if not s.domain})


def add_node(proto: onnx.ModelProto, draw: Random) -> None:
    """An operator of a known number of inputs in front of an output, or of a constant in front of a node."""
    node = some_node(proto, draw)
    if not node.input:
        return
    at = draw.randrange(len(node.input))
    made = f"mut{draw.randrange(10**6)}"
    new = onnx.NodeProto(
        op_type=draw.choice(_OPERATORS), input=[node.input[at]], output=[made], name=draw.choice(["", made])
    )
    for _ in range(draw.randrange(3)):
        new.input.append(draw.choice([*(t.name for t in proto.graph.initializer), node.input[at]]))
    node.input[at] = made
    nodes = list(proto.graph.node)
    place = next(k for k, n in enumerate(nodes) if n is node or n == node)
    kept = [onnx.NodeProto.FromString(n.SerializeToString()) for n in nodes]
    kept.insert(place, new)
    del proto.graph.node[:]
    proto.graph.node.extend(kept)


def change_shape(proto: onnx.ModelProto, draw: Random) -> None:
    """A dimension or the type of an input."""
    if not proto.graph.input:
        return
    info = draw.choice(list(proto.graph.input))
    dims = info.type.tensor_type.shape.dim
    if draw.random() < 0.2:
        info.type.tensor_type.elem_type = draw.choice(TYPES)
    elif dims and draw.random() < 0.8:
        dims[draw.randrange(len(dims))].dim_value = draw.choice(SIZES)
    else:
        dims.add().dim_value = draw.choice(SIZES)


def change_frame(proto: onnx.ModelProto, draw: Random) -> None:
    """Versions, metadata, names, outputs."""
    what = draw.randrange(7)
    if what == 0 and proto.opset_import:
        proto.opset_import[0].version = draw.choice([*range(1, 27), 0, 99, -1])
    elif what == 1:
        proto.ir_version = draw.choice([1, 3, 4, 7, 8, 10, 99])
    elif what == 2:
        key = draw.choice(["onnx2graphml.layers", "onnx2graphml.channels_last", "pkg.torch.onnx.name_scopes"])
        proto.metadata_props.add(
            key=key, value=draw.choice(["true", "[]", '[{"name":1,"shape":[-1]}]', "{", "[" * 999])
        )
    elif what == 3:
        some_node(proto, draw).name = draw.choice(TEXTS)
    elif what == 4 and proto.graph.output:
        proto.graph.output[0].name = draw.choice([o for n in proto.graph.node for o in n.output] or [""])
    elif what == 5 and proto.graph.output:
        proto.graph.output.add().CopyFrom(proto.graph.output[0])
    else:
        some_node(proto, draw).domain = draw.choice(["", "ai.onnx", "ai.onnx.ml", "com.microsoft", "evil"])


CHANGES: tuple[Callable[[onnx.ModelProto, Random], None], ...] = (
    change_attribute, change_attribute, change_attribute, change_tensor, change_tensor, change_edge, change_operator,
    add_node, add_node, change_shape, change_frame,
)  # fmt: skip
