"""What a row is called: labels of any table as its maker wrote them, none lost, none merged, in order."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial

import narwhals as nw
import numpy as np
import pandas as pd

WRITTEN, CODED = "written", "coded"  # of a frame's attrs
_LOOSE = re.compile(r"[^\S\n]|^$|^[+-]?[\d.,]", re.M)  # what may be written in other ways
_FIGURES = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d{1,3})?")


class Later:
    """A field of a dataclass that may be given as a function: called when the value is asked for."""

    def __set_name__(self, owner, name):
        self._name = name

    def __get__(self, instance, owner=None):
        if instance is None:
            raise AttributeError(self._name)  # so the field has no default
        value = instance.__dict__[self._name]
        if callable(value):
            value = instance.__dict__[self._name] = value()
        return value

    def __set__(self, instance, value):
        instance.__dict__[self._name] = value


def of_used(table, used, name) -> Callable:
    """Return what makes the Index of a table's labels that are used, under a name, when it is asked for."""
    return partial(_of_used, vars(table)["labels"], used, name)


def _of_used(labels, used, name):
    labels = labels() if callable(labels) else labels
    labels = labels if isinstance(used, slice) else labels[used]
    return labels if labels.name == name else labels.rename(name)


class Written(dict):
    """Columns of a file whose numbers do not show how they were written: name to text to number.

    Where two texts are one number (1.1 and 1.10, 01 and 1) the column holds the texts, else the numbers. It
    is not to be changed: pandas copies ``attrs`` whenever a column is taken, and this is handed on as it is.
    """

    def __deepcopy__(self, memo):
        return self


def to_pandas(series, dtype) -> pd.Series:
    """As pandas holds it, and exactly: as doubles, large labels would run together.

    Parameters
    ----------
    series : narwhals Series
    dtype : narwhals DType
        What the column was where it came from, which may know an order of categories that Arrow does not.

    Returns
    -------
    Series
    """
    order = dtype.categories if isinstance(dtype, nw.Enum) else None
    if series.implementation.is_pyarrow():
        series, ordered = _without_dictionary(series)
        order, dtype = ordered if order is None else order, series.dtype
    if order is not None:
        return pd.Series(pd.Categorical(series.to_pandas(), order), name=series.name)
    if dtype == nw.Categorical and series.implementation.is_polars():  # whose order is that of appearance
        series = series.cast(nw.String)
    whole = dtype.is_integer() or dtype == nw.Boolean
    if dtype in (nw.Decimal, nw.Int128, nw.UInt128) or (whole and series.null_count()):
        return pd.Series(series.to_list(), dtype=object, name=series.name)
    return plain(series.to_pandas())


def plain(column) -> pd.Series:
    """The column of a pandas frame; one that Arrow keeps as a dictionary as what its codes stand for."""
    if not isinstance(column.dtype, pd.ArrowDtype) or not hasattr(column.dtype.pyarrow_dtype, "ordered"):
        return column
    series = nw.from_native(column.array.__arrow_array__(), series_only=True).alias(column.name)
    return to_pandas(series, series.dtype).set_axis(column.index)


def _without_dictionary(series):
    """An Arrow column as what its codes stand for, and the order of these if they are text in order.

    pyarrow's own way to numpy and pandas' Series gives a code that is null the last value.
    """
    column = series.to_native()
    if not hasattr(column.type, "ordered"):
        return series, None
    pa = nw.dependencies.get_pyarrow()  # which is there, as its column is
    values = column.type.value_type
    chunks = [chunk.dictionary.take(chunk.indices) for chunk in column.chunks]
    found = nw.from_native(pa.chunked_array(chunks, values), series_only=True).alias(series.name)
    if not column.type.ordered or found.dtype != nw.String:
        return found, None
    order = pa.chunked_array([chunk.dictionary for chunk in column.chunks], values).unique()
    return found, order.drop_null().to_pylist()


def whole_numbers(values) -> tuple[np.ndarray, int, Callable]:
    """Number the groups that have whole numbers for names; return codes, how many places, what makes labels.

    The codes are the numbers themselves where they are small enough to count without sorting.
    """
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high <= 2 * len(values):
        return values.astype(np.intp, copy=False), high + 1, partial(pd.RangeIndex, high + 1)
    codes, labels = pd.factorize(values)
    order = labels.argsort()
    return rank(order)[codes], len(labels), partial(pd.Index, labels[order])


def rank(order) -> np.ndarray:
    """Place of each among the sorted."""
    places = np.empty(len(order), dtype=np.intp)
    places[order] = np.arange(len(order))
    return places


def number(column) -> tuple[np.ndarray, pd.Index, np.ndarray | None]:
    """Number the groups; return codes, what each stands for, and which rows have none (or None).

    Categories keep their order, other labels are sorted.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.array.codes
        return codes, column.array.categories, codes < 0
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        codes, _, labels = whole_numbers(column.to_numpy())
        return codes, labels(), None
    if column.dtype.kind == "f":  # pandas' own float columns take NaN for a label
        gaps = {} if isinstance(column.dtype, np.dtype) else {"na_value": np.nan}
        column = pd.Series(column.to_numpy(dtype=float, **gaps), name=column.name)
    objects = pd.api.types.is_object_dtype(column)
    try:
        codes, labels = pd.factorize(column.to_numpy() if objects else column)
    except TypeError:
        raise TypeError(
            f"column {column.name!r} holds labels that cannot be hashed: make them text"
        ) from None
    order = _order(labels) if objects else labels.argsort()  # quicker than pandas' own sort=True
    codes = np.append(rank(order), -1)[codes]
    return codes, pd.Index(labels[order], tupleize_cols=False), codes < 0


def _order(labels):
    """Sort labels of any type, numbers before text; those without an order stay as they appeared."""
    for key in (labels, [(isinstance(label, str), label) for label in labels]):
        try:
            return sorted(range(len(labels)), key=key.__getitem__)
        except TypeError:
            continue
    return list(range(len(labels)))


def alike(labels) -> list[list[str]]:
    """Sets of texts among labels that differ in blanks or capitals only, or are figures of one number."""
    every = labels.tolist() if hasattr(labels, "tolist") else labels
    texts = [label for label in every if isinstance(label, str)]
    joined, same = "\n".join(texts), {}
    if joined.casefold() == joined and not _LOOSE.search(joined):  # a hundred thousand names at once
        return []
    for text in texts:
        same.setdefault(_loosely(text), []).append(text)
    return [names for _, names in sorted(same.items()) if len(names) > 1]


def _loosely(text):
    """What two texts share that may be one name."""
    text = "".join(text.casefold().split())
    return str(Decimal(text.replace(",", ".")).normalize()) if _FIGURES.fullmatch(text) else text


def place_among(texts, label) -> tuple[int | None, str | None]:
    """Where among texts a label stands, blanks aside if need be, and one like it; None for what is not."""
    if label in texts:
        return texts.index(label), None
    trimmed = [" ".join(text.split()) for text in texts]
    if trimmed.count(" ".join(label.split())) == 1:
        return trimmed.index(" ".join(label.split())), None
    close = [text for text in texts if _loosely(text) == _loosely(label)]
    return None, next(iter(close or difflib.get_close_matches(label, texts, 1)), None)


# ---- what a file had written ---------------------------------------------------------------------


def keep_written(numbers, texts) -> None:
    """Put what a file had written back into a frame where its numbers do not show it.

    Parameters
    ----------
    numbers : DataFrame
        A file as numbers; changed in place. Columns of texts that are one number become text.
    texts : DataFrame
        The same rows as text, of the columns in which to look.
    """
    kept = Written()
    for name, column in texts.items():
        codes, labels = pd.factorize(column)
        first = np.empty(len(labels), dtype=np.intp)
        rows = np.flatnonzero(codes >= 0)[::-1]
        first[codes[rows]] = rows
        known = numbers[name].iloc[first].tolist()
        if [str(value) for value in known] != list(labels):
            kept[name] = dict(zip(labels, known, strict=True))
            if _merges(kept[name]):
                numbers[name] = column
    if kept:
        numbers.attrs[WRITTEN] = kept


def as_labels(column) -> pd.Series:
    """The column as the texts that its file had, if its numbers do not show them; in order of the numbers."""
    written = _written(column)
    if not written:
        return column
    texts = sorted(written, key=lambda text: (written[text], text))
    known = texts if _merges(written) else [written[text] for text in texts]
    codes = pd.Index(known).get_indexer(column)
    if (codes < 0).sum() != column.isna().sum():  # the column was changed
        return column
    return pd.Series(pd.Categorical.from_codes(codes, texts), column.index, name=column.name)


def as_numbers(column, coded=False) -> pd.Series:
    """The column as numbers, if its file had numbers that are kept as text; if ``coded``, as its codes."""
    codes = column.attrs.get(CODED, {}).get(column.name)
    if coded and codes and isinstance(column.dtype, pd.CategoricalDtype):
        numbers = column.astype(object).map(codes)
        if numbers.isna().sum() == column.isna().sum() and not any(
            isinstance(c, str) for c in codes.values()
        ):
            return numbers.astype(float)
    written = _written(column)
    if not written or not _merges(written):
        return column
    numbers = column.map(written)
    return column if numbers.isna().sum() > column.isna().sum() else numbers


def _merges(written):
    """Whether two texts of a column are one number, so that it holds the texts."""
    return len(set(written.values())) < len(written)


def is_text(column) -> bool:
    """Whether a column holds text, or objects that may be text."""
    return pd.api.types.is_string_dtype(column.dtype) or pd.api.types.is_object_dtype(column.dtype)


def _written(column):
    return column.attrs.get(WRITTEN, {}).get(column.name)
