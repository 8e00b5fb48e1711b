"""Changes of Parquet tables and NumPy matrices."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np


def change_table(file: Path, draw: random.Random) -> None:
    """A column of another type, gone, with a null, or with another value."""
    import pyarrow as pa
    from pyarrow import parquet

    table = parquet.read_table(file)
    at = draw.randrange(table.num_columns)
    name, how = table.column_names[at], draw.randrange(5)
    if how == 0:
        kinds = [pa.float64(), pa.float16(), pa.string(), pa.int8(), pa.uint64(), pa.timestamp("s"), pa.bool_()]
        table = table.set_column(at, name, table.column(at).cast(draw.choice(kinds), safe=False))
    elif how == 1:
        table = table.drop_columns([name])
    elif how == 2:
        table = pa.concat_tables([table, table.slice(draw.randrange(max(table.num_rows, 1)), 1)])
    else:
        values = table.column(at).to_pylist()
        row = draw.randrange(len(values))
        old = values[row]
        values[row] = draw.choice([None, old + 0.7 if isinstance(old, float) else old, 2**32 - 1, -1, 3, "x"])
        made = pa.array(values, None if how == 3 else table.column(at).type)
        table = table.set_column(at, name, pa.chunked_array([made]))
    parquet.write_table(table, file)


def change_matrix(file: Path, draw: random.Random) -> None:
    """An entry, a type or a member of a matrix."""
    with np.load(file, allow_pickle=False) as found:
        arrays = {name: found[name] for name in found.files}
    name, how = draw.choice(sorted(arrays)), draw.randrange(5)
    array = arrays[name]
    if how == 0 and array.dtype.kind != "S":
        arrays[name] = array.astype(draw.choice(["f4", "f8", "i4", "u8", "S9", "f2", ">f4"]))
    elif how == 1:
        del arrays[name]
    elif how == 2 and array.ndim and array.size:
        arrays[name] = np.delete(array, draw.randrange(array.size))
    elif how == 3:
        arrays[draw.choice(["extra", "row.npy"])] = array
    elif array.ndim and array.size and array.dtype.kind != "S":
        arrays[name] = array.copy()
        arrays[name][draw.randrange(array.size)] += draw.choice([1, -1, 7])
    (np.savez if draw.random() < 0.5 else np.savez_compressed)(file, **arrays)
