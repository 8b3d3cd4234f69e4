"""Whole columns straight to doubles and codes: no pandas for those of polars and Arrow, and no needless copy.

Only what is plain and whole goes this way. For anything else (gaps, dates, decimals, functions in the
formula) `read` has no answer: `columns.read` looks at the table as pandas has it and says what is to be said.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from operator import attrgetter, getitem

import narwhals as nw
import numpy as np
import pandas as pd

from .labels import number, rank, whole_numbers
from .refuse import WHOLE

_MANY = 2**15  # rows from which polars' hash of a text is quicker than Arrow's dictionary
_FEW = 1000  # labels
_SEEDS = (0, 0x9E3779B97F4A7C15)
_PLAIN = re.compile(r"Boolean|(Int|UInt|Float)\d\d?")  # types of polars that numpy has


@lru_cache
def maker(kind) -> str | None:
    """Say whose frames in memory a type is of, "pandas", "polars" or "pyarrow"; None for any other type."""
    frames = {
        "pandas": (pd, "DataFrame"),
        "polars": (nw.dependencies.get_polars(), "DataFrame"),
        "pyarrow": (nw.dependencies.get_pyarrow(), "Table"),
    }
    made = (name for name, (by, frame) in frames.items() if by and issubclass(kind, getattr(by, frame)))
    return next(made, None)


def read(data, asked, groups) -> tuple | None:
    """Return the columns of a table that can be taken as they are.

    Parameters
    ----------
    data : DataFrame
        Any table.
    asked : formula.Asked
    groups : str or None

    Returns
    -------
    tuple or None
        Name to doubles, as a dict; codes; how many labels there are; and their Index or what makes it. None
        where the table is not pandas', polars' or Arrow's, or a column wants a closer look.
    """
    made = maker(type(data))
    if not (made and asked.plain):
        return None
    names, column, numbers, numbered = _WAYS[made]
    there = names(data)
    if len(data) == 0 or len(set(there)) < len(there) or (groups is not None and groups not in there):
        return None
    if made == "pandas" and (data.attrs or there.nlevels > 1):  # what its file had written may be there
        return None
    named = {}
    for name in asked.names:
        values = numbers(column(data, name)) if name in there else None
        if values is None:
            return None
        named[name] = values
    if groups is None:
        return named, np.zeros(len(data), dtype=np.intp), 1, partial(pd.Index, ["all"])
    found = numbered(column(data, groups))
    return found and (named, *found)


def _whole(values):
    """Numbers as doubles; None where one is not finite or none that a double holds."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        low, high = int(np.minimum.reduce(values)), int(np.maximum.reduce(values))
        if not -WHOLE < low <= high < WHOLE:
            return None
    values = values.astype(float, copy=False)
    # The sum is finite only if all are; where it is not by overflow, the closer look finds nothing.
    return values if abs(np.add.reduce(values)) < np.inf else None


def _of_pandas(series):
    kind = series.dtype.kind if isinstance(series.dtype, np.dtype) else None
    return _whole(series.to_numpy()) if kind and kind in "biuf" else None


def _of_polars(series):
    if series.null_count() or not _PLAIN.fullmatch(str(series.dtype)):
        return None
    return _whole(series.to_numpy())


def _of_arrow(column):
    kind = str(column.type)
    if column.null_count or not kind.startswith(("int", "uint", "float", "double")):
        return None
    return _whole(column.to_numpy())


def _pandas_labels(series):
    dtype = series.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iu":
        return whole_numbers(series.to_numpy())
    if isinstance(dtype, pd.ArrowDtype):  # perhaps a dictionary
        return None
    codes, labels, gaps = number(series)
    return None if gaps.any() else (codes, len(labels), labels)


def _polars_labels(series):
    if series.null_count():
        return None
    name = str(series.dtype)
    if name.startswith(("Int", "UInt")) and _PLAIN.fullmatch(name):
        return whole_numbers(series.to_numpy())
    if name == "String" and len(series) > _MANY:
        return _hashed(series)
    if name.startswith(("String", "Categorical", "Enum")) and nw.dependencies.get_pyarrow():
        return _texts(series.to_arrow(), series.dtype.categories.to_list() if name[0] == "E" else None)
    return None


def _hashed(texts):
    """Codes of many texts by polars' hash; where texts of one hash differ in a second one, None."""
    key, again = (texts.hash(seed).to_numpy() for seed in _SEEDS)
    codes, known = pd.factorize(key)
    one = np.empty(len(known), dtype=np.intp)
    one[codes] = np.arange(len(codes))
    if not np.array_equal(again[one][codes], again):
        return None
    names = texts.gather(one)
    order = names.arg_sort().to_numpy()
    return rank(order)[codes], len(order), partial(_index, names.gather(order))


def _arrow_labels(column):
    kind = str(column.type)
    if column.null_count or not len(column):
        return None
    if kind.startswith(("int", "uint")):
        return whole_numbers(column.to_numpy())
    if kind not in ("string", "large_string") or len(column.chunks) > 1:
        return None
    return _texts(column.chunk(0), None)


def _texts(array, order):
    """Codes of texts in Arrow, sorted or in the order that their maker gave."""
    if not hasattr(array, "dictionary"):
        array = array.dictionary_encode()
    codes, names = array.indices.to_numpy(), array.dictionary
    if names.null_count:
        return None
    if order is not None:
        return (
            (codes.astype(np.intp), len(names), partial(_index, names))
            if names.to_pylist() == order
            else None
        )
    if len(names) < _FEW:  # of which Python is quicker
        texts = names.to_numpy(zero_copy_only=False).tolist()
        ranked = sorted(texts)
        if ranked != texts:
            place = {text: k for k, text in enumerate(ranked)}
            codes = np.array([place[text] for text in texts]).take(codes)
        return codes.astype(np.intp, copy=False), len(ranked), partial(pd.Index, ranked)
    order = nw.dependencies.get_pyarrow().compute.array_sort_indices(names).to_numpy()
    return rank(order)[codes], len(order), partial(_index, names.take(order))


def _index(names):
    """Texts of Arrow or polars as pandas has labels."""
    return pd.Index(names.to_pylist() if hasattr(names, "to_pylist") else names.to_list())


_WAYS = {  # names of the columns, one of them, its numbers, its labels
    "pandas": (attrgetter("columns"), getitem, _of_pandas, _pandas_labels),
    "polars": (attrgetter("columns"), lambda data, name: data.get_column(name), _of_polars, _polars_labels),
    "pyarrow": (attrgetter("column_names"), getitem, _of_arrow, _arrow_labels),
}
