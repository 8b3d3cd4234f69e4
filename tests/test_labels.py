"""Every row is in its own group, whatever holds the table, whatever the labels are, and no gap is a label."""

import datetime as dt
import io
import re
import warnings
from collections import Counter
from decimal import Decimal
from itertools import product
from statistics import fmean

import dask
import dask.dataframe as dd
import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers import partial_pooling
from helpers.groups import summarise


@pytest.fixture(autouse=True)
def _quiet_and_in_one_thread():
    with warnings.catch_warnings(), dask.config.set(scheduler="synchronous"):
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


# ---- any table: frame library x label type x gaps x what is done with them ------------------------

N = 30
PLACES = [0, 1, 2, 3, 0, 1, 0, 2, 3, 1, 1, 1, 3, 0, 2, 2, 2, 2, 0, 3, 1, 0, 2, 1, 1, 3, 0, 2, 1, 1]
OUTCOME = np.random.default_rng(12).normal(size=N).round(3).tolist()
NUMBERS = np.random.default_rng(13).normal(size=N).round(3).tolist()
NAIVE = dt.datetime(2026, 3, 1, 12)
KINDS = {  # the labels, and their type in Arrow
    "whole": ([1, 2, 10, 300], pa.int64()),
    "small whole": ([-3, 0, 1, 2], pa.int8()),
    "large": ([2**60 + k for k in range(4)], pa.int64()),
    "larger": ([2**64 - 4 + k for k in range(4)], pa.uint64()),
    "fraction": ([-0.5, 0.25, 1.0, 1e9], pa.float64()),
    "text": (["", "1", "01", "a"], pa.string()),
    "large text": (["z", "y", "01", "1"], pa.large_string()),
    "truth": ([False, True, False, True], pa.bool_()),
    "date": ([dt.date(2026, 1, k) for k in (1, 2, 10, 11)], pa.date32()),
    "time": ([NAIVE + dt.timedelta(hours=k) for k in range(4)], pa.timestamp("us")),
    "decimal": ([Decimal("0.10"), Decimal("0.11"), Decimal("1.00"), Decimal("10.00")], pa.decimal128(20, 2)),
    "dictionary": (["c", "b", "d", "a"], pa.dictionary(pa.int8(), pa.string())),
    "dictionary in order": (["low", "mid", "high", "top"], pa.dictionary(pa.int32(), pa.string(), ordered=True)),
    "dictionary of numbers": ([3, 2, 10, 1], pa.dictionary(pa.int32(), pa.int64())),
    "dictionary of fractions": ([1.5, 2.5, -1.0, 0.25], pa.dictionary(pa.int32(), pa.float64())),
}  # fmt: skip
GAPS = {"whole": [], "one gap": [5], "gaps": [0, 1, 2, 3, 12, 13, 14, 29]}
NULLABLE = {
    pa.int64(): pd.Int64Dtype(), pa.int8(): pd.Int8Dtype(), pa.uint64(): pd.UInt64Dtype(),
    pa.float64(): pd.Float64Dtype(), pa.bool_(): pd.BooleanDtype(), pa.string(): pd.StringDtype(),
}  # fmt: skip


def in_pandas(table):
    return table.to_pandas(integer_object_nulls=True)


def in_chunks(table):
    """Three pieces, each with a dictionary of its own."""
    pieces = [table.slice(start, 11) for start in (0, 11, 22)]
    schema, whole = table.schema, []
    for piece in pieces:
        columns = [pa.array(piece[k].to_pylist()) for k in range(table.num_columns)]
        whole.append(pa.table([
            c.cast(t.value_type).dictionary_encode().cast(t) if pa.types.is_dictionary(t) and not t.ordered
            else piece[k].combine_chunks() if pa.types.is_dictionary(t) else c.cast(t)
            for k, (c, t) in enumerate(zip(columns, schema.types, strict=True))
        ], names=schema.names))  # fmt: skip
    return pa.concat_tables(whole)


def in_duckdb(table):
    connection, names = duckdb.connect(), []
    plain = table
    for k, field in enumerate(table.schema):
        name = f'"{field.name}"'
        if pa.types.is_dictionary(field.type):
            values = field.type.value_type
            plain = plain.set_column(k, field.name, pa.array(table[k].to_pylist(), values))
            if values == pa.string():
                levels = ", ".join(repr(v) for v in dict.fromkeys(table[k].to_pylist()) if v is not None)
                name = f"{name}::enum({levels}) as {name}"
        names.append(name)
    connection.register("plain", plain)
    return connection.sql(f"select {', '.join(names)} from plain")


def in_parquet(table):
    file = io.BytesIO()
    pq.write_table(table, file)
    file.seek(0)
    return file


FRAMES = {
    "pandas": in_pandas,
    "pandas, objects": lambda t: in_pandas(t).astype({"g": object}),
    "pandas, nullable": lambda t: t.to_pandas(types_mapper=NULLABLE.get),
    "pandas on Arrow": lambda t: t.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars, lazy": lambda t: pl.from_arrow(t).lazy(),
    "Arrow": lambda t: t,
    "Arrow in chunks": in_chunks,
    "Parquet by Arrow": lambda t: pq.read_table(in_parquet(t)),
    "Parquet by pandas": lambda t: pd.read_parquet(in_parquet(t), dtype_backend="pyarrow"),
    "DuckDB": in_duckdb,
    "Dask": lambda t: dd.from_pandas(in_pandas(t), npartitions=3),
}
NOT_THERE = {  # what a library cannot hold or read
    ("pandas, nullable", "dictionary of numbers"): "the same as in pandas",
}
MATRIX = [(f, k, g, m) for f, k, g, m in product(FRAMES, KINDS, GAPS, ["raise", "drop"])]


def arrow(kind, gaps):
    """A table in Arrow, and its labels as Python has them."""
    labels, dtype = KINDS[kind]
    column = [None if row in gaps else labels[place] for row, place in enumerate(PLACES)]
    return pa.table({"g": encoded(column, dtype), "y": OUTCOME}), column


def encoded(values, dtype):
    if not pa.types.is_dictionary(dtype):
        return pa.array(values, dtype)
    known = list(dict.fromkeys(value for value in values if value is not None))
    codes = [None if value is None else known.index(value) for value in values]
    return pa.DictionaryArray.from_arrays(
        pa.array(codes, dtype.index_type), pa.array(known, dtype.value_type), ordered=dtype.ordered
    )


def as_python(label, like):
    """A label as the type that it was given as."""
    if isinstance(like, dt.date):
        label = pd.Timestamp(label).to_pydatetime()
        return label if isinstance(like, dt.datetime) else label.date()
    return label.item() if isinstance(label, np.generic) else label


@pytest.mark.parametrize(("frame", "kind", "gaps", "missing"), MATRIX, ids=lambda value: str(value))
def test_groups_are_those_that_python_counts(frame, kind, gaps, missing):
    table, labels = arrow(kind, GAPS[gaps])
    data = FRAMES[frame](table)
    if GAPS[gaps] and missing == "raise":
        with pytest.raises(ValueError, match=f"column 'g' lacks {len(GAPS[gaps])} of {N} values"):
            summarise(data, "y ~ 1", "g", missing)
        return
    found = summarise(data, "y ~ 1", "g", missing)
    kept = [(label, y) for label, y in zip(labels, OUTCOME, strict=True) if label is not None]
    like = kept[0][0]
    sizes = {as_python(g, like): int(n) for g, n in zip(found.labels, found.sizes, strict=True)}
    assert sizes == Counter(label for label, _ in kept)
    assert (found.nobs, found.dropped) == (len(kept), N - len(kept))
    for label, mean in zip(found.labels, found.means[:, -1] + found.shift[-1], strict=True):
        own = [y for other, y in kept if other == as_python(label, like)]
        assert mean == pytest.approx(fmean(own), abs=1e-12)


def test_the_matrix_is_as_large_as_it_says():
    assert len(MATRIX) == len(FRAMES) * len(KINDS) * len(GAPS) * 2 == 1080
