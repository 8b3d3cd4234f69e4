"""Parquet, Feather and Arrow: columns as `tables.columns` takes them from any engine."""

from __future__ import annotations

import narwhals as nw
import pandas as pd

from ...tables.columns import columns_of
from ...tables.parquet import found, opened
from .kinds import needed, one_line


def read(raw, path, kind) -> pd.DataFrame:
    """Read Parquet, or Arrow's own format (Feather), as `read_table` says."""
    called = "Parquet" if kind == "parquet" else "Arrow"
    pa = needed("pyarrow", path, called)
    source = pa.BufferReader(raw)
    try:
        if kind == "parquet":
            table = needed("pyarrow.parquet", path, called).read_table(source)
        else:
            table = needed("pyarrow.feather", path, called).read_table(source)
        there = [name for name in table.column_names if not name.startswith("__index_level_")]
    except Exception as error:  # pyarrow's own kinds
        raise ValueError(f"{str(path)!r} cannot be read as {called}: {one_line(error)}") from None
    frame = pd.DataFrame(columns_of(table.select(there), there), copy=False)
    frame.attrs["read"] = called
    return frame


def read_all(path) -> pd.DataFrame:
    """Read the Parquet files of a folder or a glob as one table, as `read_table` says."""
    table = opened(path)
    there = nw.from_native(table).collect_schema().names()
    frame = pd.DataFrame(columns_of(table, there), copy=False)
    frame.attrs["read"] = f"{len(found(path))} files of Parquet"
    return frame
