"""Whole columns of polars and Arrow straight to doubles and codes: no pandas, and no copy that is not needed.

Only what is plain and whole goes this way. For anything else (gaps, dates, decimals, functions in the
formula) `read` has no answer: `columns.read` looks at the table as pandas has it and says what is to be said.
"""

from __future__ import annotations

from functools import partial

import narwhals as nw
import numpy as np
import pandas as pd

from .refuse import WHOLE

_MANY = 2**15  # rows from which polars' hash of a text is quicker than Arrow's dictionary
_FEW = 1000  # labels
_SEEDS = (0, 0x9E3779B97F4A7C15)


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
        Name to doubles, as a dict; codes; how many labels there are; and what makes the Index of them. None
        where the table is neither polars' nor Arrow's, or a column wants a closer look.
    """
    if not asked.plain:
        return None
    if nw.dependencies.is_polars_dataframe(data):
        there, column, numbers, numbered = data.columns, data.get_column, _of_polars, _polars_labels
    elif nw.dependencies.is_pyarrow_table(data):
        there, column, numbers, numbered = data.column_names, data.column, _of_arrow, _arrow_labels
    else:
        return None
    if len(data) == 0 or len(set(there)) < len(there) or (groups is not None and groups not in there):
        return None
    named = {}
    for name in asked.names:
        values = numbers(column(name)) if name in there else None
        if values is None:
            return None
        named[name] = values
    if groups is None:
        return named, np.zeros(len(data), dtype=np.intp), 1, partial(pd.Index, ["all"])
    found = numbered(column(groups))
    return found and (named, *found)


def _whole(values):
    """Numbers as doubles; None where one is not finite or none that a double holds."""
    if values.dtype.kind in "iu" and values.dtype.itemsize == 8:
        low, high = values.min(), values.max()
        if not -WHOLE < int(low) <= int(high) < WHOLE:
            return None
    values = values.astype(float, copy=False)
    # The sum is finite only if all are; where it is not by overflow, the closer look finds nothing.
    return values if abs(np.add.reduce(values)) < np.inf else None


def _of_polars(series):
    dtype = series.dtype
    if (
        series.null_count()
        or str(dtype).endswith("128")
        or not (dtype.is_float() or dtype.is_integer() or str(dtype) == "Boolean")
    ):
        return None
    values = series.to_numpy()
    return _whole(values) if values.dtype.kind in "biuf" else None


def _of_arrow(column):
    kind = str(column.type)
    if column.null_count or not kind.startswith(("int", "uint", "float", "double")):
        return None
    return _whole(column.to_numpy())


def whole_numbers(values):
    """Codes of groups that have numbers for names: the numbers themselves where they are small enough."""
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high <= 2 * len(values):
        return values.astype(np.intp, copy=False), high + 1, partial(pd.RangeIndex, high + 1)
    codes, labels = pd.factorize(values)
    order = labels.argsort()
    return _rank(order)[codes], len(labels), partial(pd.Index, labels[order])


def _rank(order):
    """Place of each among the sorted."""
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank


def _polars_labels(series):
    dtype = series.dtype
    if series.null_count() or str(dtype).endswith("128"):  # which numpy has not
        return None
    if dtype.is_integer():
        values = series.to_numpy()
        return whole_numbers(values) if values.dtype.kind in "iu" else None
    name = str(dtype)
    if name == "String" and len(series) > _MANY:
        return _hashed(series)
    if name.startswith(("String", "Categorical", "Enum")) and nw.dependencies.get_pyarrow():
        return _texts(series.to_arrow(), dtype.categories.to_list() if name.startswith("Enum") else None)
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
    return _rank(order)[codes], len(order), partial(_index, names.gather(order))


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
        order = sorted(range(len(texts)), key=texts.__getitem__)
        return _rank(order)[codes], len(order), partial(pd.Index, [texts[k] for k in order])
    order = nw.dependencies.get_pyarrow().compute.array_sort_indices(names).to_numpy()
    return _rank(order)[codes], len(order), partial(_index, names.take(order))


def _index(names):
    """Texts of Arrow or polars as pandas has labels."""
    return pd.Index(names.to_pylist() if hasattr(names, "to_pylist") else names.to_list())
