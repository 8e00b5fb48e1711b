"""Written graphs with something changed, through `verify`: what passes must be the same to an independent reader."""

from __future__ import annotations

import contextlib
import functools
import json
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx

from fuzzing import readers, tables
from fuzzing.outcome import Outcome
from fuzzing.running import ran
from onnx2graphml.api import load
from onnx2graphml.formats.writing import write
from small import model, node, weights

Random = random.Random
SUFFIXES = (".graphml", ".graphml", ".graphml.gz", ".graphml.zst", ".parquet", ".gephi.csv", ".neo4j.csv", ".npz")
TEXTS = (
    b"0", b"1", b"-1", b"00", b"1_0", b"1e999", b"nan", b"inf", b"0x1", b" 1", b"1.0", b"1.", b".5", b"+1", b"9" * 18,
    b"9" * 19, b"2147483648", b"4294967295", b"\xd9\xa3", b"", b"n0", b"true", b"null", b"1e-3", b"-0.0",
)  # fmt: skip


def networks() -> dict[str, onnx.ModelProto]:
    """One of each kind of edge; small."""
    conv = [node("Conv", "x w b", "h", pads=[1, 1, 1, 1]), node("Relu", "h", "r"),
            node("MaxPool", "r", "p", kernel_shape=[2, 2], strides=[2, 2]), node("Flatten", "p", "f"),
            node("Gemm", "f v", "y")]  # fmt: skip
    arrays = {"w": weights(2, 1, 3, 3), "b": weights(2), "v": weights(8, 3, seed=1)}
    ports = [node("Div", "x a", "d"), node("MatMul", "d c", "y")]
    return {
        "conv": model(conv, {"x": [1, 1, 4, 4]}, arrays),
        "ports": model(ports, {"x": [1, 4]}, {"a": weights(4, seed=2) ** 2 + 1, "c": weights(4, 3, seed=3)}),
        "doubles": model([node("MatMul", "x w", "y")], {"x": [1, 5]}, {"w": weights(5, 4, dtype=np.float64)},
                         dtype=np.float64),
    }  # fmt: skip


@functools.cache
def written() -> Path:
    """A folder with each network, and each in every format."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    for name, proto in networks().items():
        (folder / f"{name}.onnx").write_bytes(proto.SerializeToString())
        graph = load(folder / f"{name}.onnx")
        for suffix in set(SUFFIXES):
            if not (name == "ports" and suffix == ".npz"):
                write(graph, folder / f"{name}{suffix}")
    return folder


def prepare() -> None:
    """What takes long the first time."""
    folder = written()
    for name in networks():
        ran(["verify", str(folder / f"{name}.onnx"), str(folder / f"{name}.graphml")])


def outcome(seed: int, number: int) -> Outcome:
    """Of the graph of that number."""
    draw, here = Random(f"{seed}:{number}"), written()
    name, suffix = draw.choice(sorted(networks())), draw.choice(SUFFIXES)
    if name == "ports" and suffix == ".npz":
        name = "conv"
    with tempfile.TemporaryDirectory() as folder:
        path, whole = Path(folder, f"g{suffix}"), here / f"{name}{suffix}"
        file = changed(whole, path, draw)
        kind, said, printed, seconds, megabytes = ran(["verify", str(here / f"{name}.onnx"), str(path)])
        if kind == "fine":
            kind = "same graph" if readers.same(whole, path, suffix) else "accepted"
            said = said or printed[-200:]
        elif kind == "mismatch":
            kind = "found"
        made = Outcome(number, kind, said, seconds, megabytes, f"{suffix}-{file.name}")
        return Outcome(**{**made.__dict__, "content": file.read_bytes()}) if made.is_fault else made


def changed(whole: Path, path: Path, draw: Random) -> Path:
    """A copy with something changed; the file that it is in."""
    if whole.is_dir():
        shutil.copytree(whole, path)
        file = draw.choice(sorted(p for p in path.rglob("*") if p.is_file()))
    else:
        shutil.copy(whole, path)
        file = path
    before = file.read_bytes()
    for _ in range(9):
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            change(file, draw)
        if file.read_bytes() != before:
            break
    return file


def change(file: Path, draw: Random) -> None:
    """One change: of text where it is text, of a table where it is one, or of bytes."""
    if file.suffix in (".parquet", ".npz") and draw.random() < 0.6:
        with contextlib.suppress(Exception):  # an earlier change has damaged it
            (tables.change_table if file.suffix == ".parquet" else tables.change_matrix)(file, draw)
    elif file.suffix in (".gz", ".zst") and draw.random() < 0.7:
        text, pack = readers.unpacked(file)
        file.write_bytes(pack(draw.choice(TEXT)(text, draw)))
    elif file.suffix in (".graphml", ".csv", ".json") and draw.random() < 0.85:
        file.write_bytes(draw.choice(JSON if file.suffix == ".json" else TEXT)(file.read_bytes(), draw))
    else:
        file.write_bytes(flip(file.read_bytes(), draw))


# ------------------------------------------------------------------------------------------------------ changes of text


def flip(text: bytes, draw: Random) -> bytes:
    data = bytearray(text)
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(data) or 1)
        how = draw.randrange(4)
        if how == 0 and data:
            data[at] ^= 1 << draw.randrange(8)
        elif how == 1:
            data[at:at] = bytes([draw.randrange(256)])
        elif how == 2:
            del data[at : at + draw.randint(1, 9)]
        else:
            del data[at:]
    return bytes(data)


def spans_of_numbers(text: bytes) -> list[tuple[int, int]]:
    import re

    return [m.span() for m in re.finditer(rb"-?[0-9][0-9.]*(e-?[0-9]+)?", text)]


def number(text: bytes, draw: Random) -> bytes:
    """A number becomes another text, or gets a digit more or less."""
    spans = spans_of_numbers(text)
    if not spans:
        return text
    a, b = draw.choice(spans)
    old = text[a:b]
    new = draw.choice((
        draw.choice(TEXTS), b"0" + old, old + b"0", old[:-1], old[:1] + b"_" + old[1:], b" " + old, old + b"e0",
        b"+" + old,
        b"-" + old, str(int(draw.random() * 99)).encode(),
    ))  # fmt: skip
    return text[:a] + new + text[b:]


def lines(text: bytes, draw: Random) -> bytes:
    """A line twice, gone, elsewhere, or cut."""
    every = text.splitlines(keepends=True) or [b""]
    a, b = draw.randrange(len(every)), draw.randrange(len(every))
    how = draw.randrange(5)
    if how == 0:
        every.insert(b, every[a])
    elif how == 1:
        del every[a]
    elif how == 2:
        every[a], every[b] = every[b], every[a]
    elif how == 3:
        every[a] = every[a][: draw.randrange(len(every[a]) or 1)]
    else:
        every[a] = every[a].rstrip(b"\n") + draw.choice((b"\r\n", b"\r", b" \n", b"\n\n", b""))
    return b"".join(every)


def hidden(text: bytes, draw: Random) -> bytes:
    """Lines within something that a parser passes over, or text that looks like an edge where there is none."""
    every = text.splitlines(keepends=True) or [b""]
    a = draw.randrange(len(every))
    b = min(len(every), a + draw.choice((1, 1, 2, 9, len(every))))
    before, behind = draw.choice((
        (b"<?pi \n", b"?>\n"), (b"<!--\n", b"-->\n"), (b"<![CDATA[\n", b"]]>\n"), (b'<desc x="\n', b'"/>\n'),
        (b"<desc>\n", b"</desc>\n"), (b'"', b'"'), (b"<?o2g-\n", b"?>\n"), (b"\xef\xbb\xbf", b""),
    ))  # fmt: skip
    return b"".join([*every[:a], before, *every[a:b], behind, *every[b:]])


def word(text: bytes, draw: Random) -> bytes:
    """A name becomes another one of the file."""
    import re

    spans = [m.span() for m in re.finditer(rb"[A-Za-z_]{2,}", text)]
    if len(spans) < 2:
        return text
    (a, b), (c, d) = draw.choice(spans), draw.choice(spans)
    return text[:a] + draw.choice((text[c:d], b"", b"x", b"\xff", b"&amp;", b"&#0;", b"=1+1")) + text[b:]


def spelling(text: bytes, draw: Random) -> bytes:
    """The same in another way: quotes, spaces, encodings."""
    old, new = draw.choice((
        (b'"', b"'"), (b"<edge ", b"<edge  "), (b"<edge ", b"<edge\t"), (b"/>", b" />"), (b"utf-8", b"utf-16"),
        (b"UTF-8", b"cp037"), (b"UTF-8", b"ISO-8859-1"), (b"UTF-8", b"utf_7"), (b"\n", b"\r\n"), (b",", b", "),
        (b",", b";"), (b"source", b"target"), (b"<node", b"<edge"), (b"</data>", b" </data>"),
    ))  # fmt: skip
    return text.replace(old, new, draw.choice((1, 2, -1)))


TEXT: tuple[Callable[[bytes, Random], bytes], ...] = (
    number,
    number,
    number,
    lines,
    lines,
    hidden,
    word,
    spelling,
    flip,
)


def json_value(text: bytes, draw: Random) -> bytes:
    """Some value of a manifest becomes another one."""
    try:
        content = json.loads(text)
    except ValueError:
        return flip(text, draw)
    part, key = content, ""
    while isinstance(part, dict | list) and part:
        key = draw.choice(sorted(part)) if isinstance(part, dict) else draw.randrange(len(part))
        if not isinstance(part[key], dict | list) or draw.random() < 0.2:
            break
        part = part[key]
    if isinstance(part, dict | list) and part:
        old = part[key]
        choices = [None, True, 0, -1, 1.0, 1e999, "x", [], {}, "../x", 2**63, float("nan")]
        part[key] = draw.choice(
            [*choices, old + 1 if isinstance(old, int) else old, float(old) if type(old) is int else 7]
        )
    return json.dumps(content, indent=1).encode()


JSON: tuple[Callable[[bytes, Random], bytes], ...] = (json_value, json_value, json_value, number, lines, flip)
