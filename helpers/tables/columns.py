"""Any table's columns as numbers, codes and gaps: outcome and terms as doubles, groups as codes.

Tables are read by narwhals. Terms that are plain numeric columns are taken as they stand; all others are
evaluated by formulaic, on doubles.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from numbers import Rational, Real

import narwhals as nw
import numpy as np
import pandas as pd

from . import refuse, straight
from .formula import parse
from .labels import Later, as_labels, as_numbers, is_text, number, plain, to_pandas
from .parquet import opened
from .sums import counted


@dataclass(frozen=True)
class Table:
    """The columns that a fit uses, as numbers.

    Attributes
    ----------
    outcome : str
    terms : list of str
        Names of the p columns of the design matrix.
    intercept : int or None
        Where among the terms the constant stands.
    columns : list of ndarray of shape (N,)
        The terms but the constant, and the outcome last. They may be the caller's memory: read only.
    codes : ndarray of shape (N,)
        Number of the group that each row is in.
    labels : Index
        What a code stands for; some may not occur.
    places : int
        How many labels there are.
    dropped : int
        Rows left out for missing values.
    """

    outcome: str
    terms: list
    intercept: int | None
    columns: list
    codes: np.ndarray
    labels: pd.Index = Later()  # noqa: RUF009
    places: int
    dropped: int

    @cached_property
    def counts(self):
        """Rows of each label."""
        return counted(self.codes, self.places)

    @property
    def origin(self):
        """One value of each column."""
        return [column[0] for column in self.columns]

    def extent(self, k):
        """Least and largest value of column k."""
        return self.columns[k].min(), self.columns[k].max()


def read(data, formula, groups, missing) -> Table:
    """Return the `Table` that ``formula`` and ``groups`` ask for; see `summarise`."""
    asked = parse(formula, groups, missing)
    with np.errstate(all="ignore"):  # of an infinite sum, which wants a closer look
        plain = straight.read(data, asked, groups)
    if plain:
        numbers, codes, places, labels = plain
        return _table(*_plainly(asked, numbers), codes, labels, places, 0)
    found = columns_of(data, asked.names if groups is None else [*asked.names, groups])
    named = {name: as_numbers(found[name], coded=name in asked.outcomes) for name in asked.names}
    N = len(next(iter(found.values())))
    numbers = {name: _numbers(named[name]) for name in asked.names}
    finite = {name: values is not None and _finite(values) for name, values in numbers.items()}
    absent = {name: _absent(named[name], numbers[name]) for name in asked.names if not finite[name]}
    if groups is not None:
        codes, labels, absent[groups] = number(as_labels(found[groups]))
    else:
        codes, labels = np.zeros(N, dtype=np.intp), pd.Index(["all"])
    absent = {name: gaps for name, gaps in absent.items() if gaps is not None and gaps.any()}  # None: no gap
    if absent and missing == "raise":
        gaps = {
            name: (gap.sum(), f", the first in {place_of(found[name], gap.argmax())}")
            for name, gap in absent.items()
        }
        of_file = found[next(iter(gaps))].index.name == "line"
        refuse.missing_values(
            gaps, N, " (nothing, NA, n/a, NaN, null and None are no values in a file)" * of_file
        )
    kept = None
    if absent:
        kept = np.flatnonzero(~np.logical_or.reduce(list(absent.values())))
        refuse.none_left(kept.size, N)
        codes = codes[kept]
        numbers = {name: values if values is None else values[kept] for name, values in numbers.items()}
    for name in asked.names:
        if finite[name] and named[name].dtype == float:
            continue  # nothing to refuse
        _refuse_kind(named[name], name, name in asked.outcomes and numbers[name] is None)
        if numbers[name] is not None:
            if not finite[name]:
                what = f"column {name!r} holds an infinite value, the first"
                _refuse_infinite(numbers[name], what, named[name], kept)
            if _is_exact(named[name]):
                refuse.beyond_doubles(name, np.abs(numbers[name]).max())
    if asked.plain and all(numbers[name] is not None for name in asked.names):
        outcome, terms, columns = _plainly(asked, numbers)
    else:
        outcome, terms, columns = _evaluate(formula, asked, found, numbers, kept)
    return _table(outcome, terms, columns, codes, labels, len(labels), N - len(codes))


def _plainly(asked, numbers):
    """Outcome, terms and columns of a formula of plain columns; for the constant None."""
    outcome, terms = asked.plain
    columns = [None if name is None else numbers[name] for name in (*terms, outcome)]
    return outcome, ["Intercept" if name is None else name for name in terms], columns


def _table(outcome, terms, columns, codes, labels, places, dropped):
    """The `Table` of these, the constant found and left out of the columns."""
    refuse.repeated(terms)
    intercept = next((k for k, column in enumerate(columns) if column is None), None)
    if intercept is None:
        ones = (k for k, column in enumerate(columns[:-1]) if column[0] == 1.0 and np.all(column == 1.0))
        intercept = next(ones, None)
    if intercept is not None:
        del columns[intercept]
    return Table(outcome, terms, intercept, columns, codes, labels, places, dropped)


def columns_of(data, wanted) -> dict[str, pd.Series]:
    """Return the columns of a table, by name, as pandas holds them.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads.
    wanted : list of str

    Returns
    -------
    dict of str to Series

    Raises
    ------
    TypeError
        If ``data`` is no table.
    ValueError
        If a column is not there, column names repeat, or the table has no rows.
    """
    if isinstance(data, pd.DataFrame):
        frame, there = data, data.columns
        if not there.is_unique:
            raise ValueError(
                f"column names must be unique: {', '.join(map(repr, there[there.duplicated()]))}"
            )
        if there.nlevels > 1:
            raise ValueError(
                f"columns have names of {there.nlevels} levels, such as {there[0]!r}: flatten them"
            )
    else:
        try:
            frame = nw.from_native(opened(data))
        except TypeError:
            raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None
        except nw.exceptions.DuplicateError as error:
            raise ValueError(f"column names must be unique: {error}") from None
        schema = frame.collect_schema()
        there = schema.names()
    refuse.unknown(wanted, there)
    wanted = list(dict.fromkeys(wanted))
    if frame is not data:
        frame = frame.select(nw.col(wanted))
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        named = {name: to_pandas(frame[name], schema[name]) for name in wanted}
    else:
        named = {name: plain(data[name]) for name in wanted}
    refuse.no_rows(len(named[wanted[0]]))
    return named


def _types(series):
    """Types of the objects in a column."""
    return set(map(type, series[series.notna()])) if pd.api.types.is_object_dtype(series) else set()


def _is_number(series):
    dtype = series.dtype
    if pd.api.types.is_object_dtype(series):
        return all(issubclass(kind, (Real, Decimal, np.bool_)) for kind in _types(series))
    return dtype.kind in "biuf" or (dtype.kind != "c" and pd.api.types.is_numeric_dtype(dtype))


def _is_exact(series):
    """Whether a column of numbers may hold such as no double does."""
    return series.dtype.kind in "iu" or any(issubclass(kind, (Rational, Decimal)) for kind in _types(series))


def _numbers(series):
    """Values as doubles, NaN where there is none; None for what is not a number."""
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return series.to_numpy(dtype=float)
    if not _is_number(series):
        return None
    if pd.api.types.is_object_dtype(series):
        try:
            return series.where(series.notna(), np.nan).to_numpy(dtype=float)
        except OverflowError:
            raise ValueError(f"column {series.name!r} holds numbers too large for a double") from None
    return series.to_numpy(dtype=float, na_value=np.nan)


def _absent(series, numbers):
    """Which values are missing."""
    return series.isna().to_numpy() if numbers is None else np.isnan(numbers)


def _finite(values):
    """Whether the sum is finite: then all values are, and no table of N answers need be made."""
    with np.errstate(all="ignore"):
        return np.isfinite(values.sum())


def _refuse_kind(series, name, is_text_outcome):
    dtype = series.dtype
    times = any(issubclass(kind, (date, timedelta)) for kind in _types(series))
    if dtype.kind in "mM" or isinstance(dtype, pd.PeriodDtype) or times:
        refuse.times(name)
    if dtype.kind == "c":
        raise ValueError(f"column {name!r} is complex: take its real or imaginary part")
    if is_text_outcome:
        refuse.text_outcome(name, dtype)


def place_of(column, row) -> str:
    """Where a value stands: its line, if the index of the column counts the lines of a file, or its row."""
    return f"line {column.index[row]}" if column.index.name == "line" else f"row {row}"


def _refuse_infinite(values, what, column, kept):
    if _finite(values):
        return
    infinite = np.flatnonzero(~np.isfinite(values))
    if infinite.size:
        infinite = infinite if kept is None else kept[infinite]
        raise ValueError(f"{what} in {place_of(column, infinite[0])}")


def _evaluate(formula, asked, named, numbers, kept):
    """Outcome, terms and all columns, as formulaic makes them."""
    frame = {}
    for name in asked.names:
        if numbers[name] is not None and name not in asked.levels:
            frame[name] = numbers[name]  # doubles, for whole numbers would overflow
        else:
            column = as_labels(named[name]) if is_text(named[name]) else named[name]
            column = (column if kept is None else column.iloc[kept]).reset_index(drop=True)
            labels = isinstance(column.dtype, pd.CategoricalDtype)
            # Text of other types than pandas' first two formulaic takes for numbers.
            frame[name] = column.cat.remove_unused_categories() if labels else column.astype(object)
    try:
        with np.errstate(all="ignore"):  # what is not finite is named below, with its row
            matrices = asked.parsed.get_model_matrix(pd.DataFrame(frame), context={}, na_action="ignore")
        sides = [[side.iloc[:, k].to_numpy(dtype=float) for k in range(side.shape[1])] for side in matrices]
    except Exception as error:  # formulaic lets through whatever a term raised
        reason = str(error).strip() or type(error).__name__
        reason = reason.splitlines()[0]
        raise ValueError(f"formula {formula!r} cannot be evaluated on this table: {reason}") from None
    left, right = matrices.lhs, matrices.rhs
    if left.shape[1] != 1:
        raise ValueError(
            f"the outcome of {formula!r} must be one numeric column; got {', '.join(map(str, left.columns))}"
        )
    if not right.shape[1]:
        raise ValueError(f'formula {formula!r} has no terms on its right: "outcome ~ 1" has one')
    for term, place in right.model_spec.term_slices.items():
        if place.start == place.stop:
            raise ValueError(f"term {str(term)!r} has one level only, which the constant is: leave it out")
    columns = [*sides[1], *sides[0]]
    names = [str(name) for name in (*right.columns, *left.columns)]
    for name, values in zip(names, columns, strict=True):
        _refuse_infinite(values, f"term {name!r} is not finite", next(iter(named.values())), kept)
    return names[-1], names[:-1], columns
