"""Columns of text as what they are: numbers, truth values or names; marks of missing values found."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ...tables.labels import Written, keep_written

MARKS = [
    "", ".", "#NULL!", "NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "#N/A N/A", "NULL", "null", "None",
    "NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
]  # fmt: skip
_LETTERS = r"\.[a-z_]"  # Stata's and SAS's, among numbers only
TOLD = rf"\.|#NULL!|{_LETTERS}"  # marks of a program, which are said; others are nothing in any file
_SHOWN = "shown"  # of whole numbers that are written as Python writes them
KINDS = "kinds"  # of columns that `blocks` made numbers: what was missing, by mark
_TRUTH = {"true": True, "false": False}
_COMMA_NUMBER = r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*"
_WHOLE_NUMBER = r"\s*[+-]?\d+(?:[eE][+-]?\d+)?\s*"
MANY = 10_000  # rows, beyond which a column of fractions that hardly repeat is taken for a measurement


def frame_of(texts, decimal, path) -> tuple[pd.DataFrame, bool]:
    """Return columns of text as a table, and whether its numbers have a decimal comma.

    Parameters
    ----------
    texts : dict of str to Series
        Emptied on the way, so that not all is in memory twice. Numbers with ``KINDS`` in ``attrs`` stay, and
        categories that are names.
    decimal : {".", ","} or None
        None: the point, unless there are numbers with a comma and none with a point.
    path : Path
    """
    columns, counted, kept, written = {}, {}, {}, Written()
    for name in list(texts):
        column = texts.pop(name)
        if KINDS in column.attrs:
            counted[name] = column.attrs.pop(KINDS)
            columns[name] = column
            continue
        if isinstance(column.dtype, pd.CategoricalDtype):
            named = _names(column, decimal or ".")
            if named is not None:
                columns[name], counted[name] = named
                continue
            column = column.astype(column.cat.categories.dtype)
        numbers, gone, kinds = _read(column, decimal or ".")
        if kinds:
            counted[name] = kinds
        if numbers is None:
            column = column.where(~gone, np.nan) if gone.any() else column
            columns[name] = kept[name] = column
        else:
            columns[name] = numbers
            _keep(numbers, column, gone, name, columns, written)
    commas = [name for name in kept if _commas(kept[name])] if decimal is None else []
    if commas:
        if any(columns[name].dtype.kind == "f" and columns[name].mod(1).any() for name in columns):
            raise ValueError(
                f"{str(path)!r} has numbers with a decimal point and with a decimal comma: say which with "
                "decimal"
            )
        for name in commas:
            numbers, gone, kinds = _read(kept[name].fillna(""), ",")
            if numbers is not None:
                counted[name] = kinds or counted.get(name, {})
                columns[name] = numbers
                _keep(numbers, kept[name], gone, name, columns, written)
    frame = pd.DataFrame(columns, copy=False)
    if written:
        frame.attrs["written"] = written
    if any(counted.values()):
        frame.attrs["missing"] = Written({name: kinds for name, kinds in counted.items() if kinds})
    return frame, bool(commas) or decimal == ","


def _names(column, decimal):
    """Categories of text without marks of missing values, and these by kind; None if they may be numbers."""
    texts = pd.Series(column.cat.categories)
    numbers, gone, kinds = _read(texts, decimal)
    if numbers is not None or _commas(texts[~gone]):
        return None
    if gone.any():
        rows = np.bincount(column.cat.codes[column.notna()], minlength=len(texts))
        kinds = {kind: int(rows[(texts.str.strip() == kind).to_numpy()].sum()) for kind in kinds}
        column = column.cat.remove_categories(texts[gone])
    return column, kinds


def _read(column, decimal):
    """A column's numbers (or truth values) or None, what is missing of it, and how often by mark."""
    numbers = _cast(column, decimal)
    if numbers is not None and not (numbers.dtype.kind == "f" and numbers.isna().any()):
        return numbers, np.zeros(len(column), dtype=bool), {}
    bare = column.str.strip()
    gone = (bare.isin(MARKS) | bare.isna()).to_numpy(dtype=bool)
    numbers = _cast(bare[~gone], decimal)
    if numbers is None and not gone.all():
        letters = bare.str.fullmatch(_LETTERS).to_numpy(dtype=bool, na_value=False)
        if letters.any() and not (gone | letters).all():
            numbers = _cast(bare[~(gone | letters)], decimal)
            gone = gone | letters if numbers is not None else gone
    if numbers is None and not gone.all():
        numbers = _truth(bare[~gone])
    kinds = bare[gone].value_counts().sort_index()
    kinds = {kind: int(count) for kind, count in kinds.items() if re.fullmatch(TOLD, kind)}
    if numbers is None and not gone.all():
        return None, gone, kinds
    if gone.any():
        whole = np.full(
            len(column), np.nan, dtype=object if numbers is not None and numbers.dtype == bool else float
        )
        if numbers is not None:
            whole[~gone] = numbers.to_numpy()
        numbers = pd.Series(whole, column.index)
    return numbers, gone, kinds


def _cast(column, decimal):
    """Texts as whole numbers or doubles, each the nearest to what is written; None if one is no number."""
    if not len(column):
        return None
    if decimal == ",":
        if column.str.contains(".", regex=False).any():
            return None
        column = column.str.replace(",", ".", regex=False)
    if getattr(column.dtype, "storage", "") == "pyarrow":
        try:
            return _by_arrow(column)
        except ValueError:  # ArrowInvalid; it knows no plus sign and no blanks around, python does
            pass
    head = column.iloc[:100]
    if not head.str.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+|inf|infinity)([eE][+-]?\d+)?\s*", flags=re.I).all():
        return None
    texts = column.to_numpy(dtype=object)
    if any("_" in text for text in texts):
        return None
    try:
        return pd.Series([int(text) for text in texts], column.index, dtype="int64")
    except (ValueError, OverflowError):
        pass
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return None if np.isnan(numbers).any() else pd.Series(numbers, column.index)


def _by_arrow(column):
    array = column.array.__arrow_array__()
    array.slice(0, 100).cast("float64")  # Arrow goes through all before it finds fault
    try:
        whole = array.cast("int64")
    except ValueError:
        return pd.Series(array.cast("float64").to_numpy(), column.index, copy=False)
    shown = whole.cast(array.type).equals(array)
    if not shown and column.str.contains("x", case=False, regex=False).any():  # Arrow reads 0x1F
        return None
    numbers = pd.Series(whole.to_numpy(), column.index, copy=False)
    numbers.attrs[_SHOWN] = shown
    return numbers


def _truth(texts):
    if (
        texts.iloc[0].lower() not in _TRUTH
        or not texts.isin(["True", "TRUE", "true", "False", "FALSE", "false"]).all()
    ):
        return None
    return texts.str.lower().map(_TRUTH).astype(bool)


def _keep(numbers, column, gone, name, columns, written):
    """Keep what was written of a column of numbers, where they do not show it."""
    if numbers.attrs.pop(_SHOWN, False) or not _may_name(numbers):
        return
    alone = pd.DataFrame({name: numbers})
    keep_written(alone, pd.DataFrame({name: column.where(~gone, np.nan) if gone.any() else column}))
    columns[name] = alone[name]
    written.update(alone.attrs.get("written", {}))


def _may_name(column):
    """Whether numbers may be names written in figures, such as 01 or 1.10."""
    if column.dtype.kind != "f" or len(column) <= MANY or not column.iloc[:MANY].mod(1).any():
        return True
    return column.iloc[:MANY].nunique() <= MANY / 2 and column.nunique() <= len(column) / 2


def _commas(column):
    """Whether a column is of numbers, some of them with a decimal comma."""
    for values in (column.dropna().iloc[:100], column.dropna()):
        if not (
            len(values) and (values.str.fullmatch(_COMMA_NUMBER) | values.str.fullmatch(_WHOLE_NUMBER)).all()
        ):
            return False
    return bool(column.dropna().str.fullmatch(_COMMA_NUMBER).any())
