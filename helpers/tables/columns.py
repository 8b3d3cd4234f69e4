"""A formula and any table in; outcome and terms as numbers, groups as codes out; no code in a formula runs.

Formulas are read by formulaic, tables by narwhals. Terms that are plain numeric columns are taken as
they stand; all others are evaluated by formulaic, which would run any Python it is given, so only
columns, numbers, arithmetic, comparisons and its own functions are let through.
"""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from numbers import Rational, Real

import formulaic
import narwhals as nw
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.transforms import TRANSFORMS
from formulaic.utils.code import sanitize_variable_names

from .labels import as_labels, as_numbers, is_text, number, plain, to_pandas

_WHOLE = 2.0**53  # beyond it doubles skip integers
_FUNCTIONS = sorted(set(TRANSFORMS) - {"np", "contr"})
_LEVELS = {"C", "hashed"}  # functions to which a number is a label
_TIMES_ZERO = re.compile(r"(?<![\w.])0\s*[*:]|[*:]\s*0(?![\w.])")
_ALLOWED = (
    "columns, numbers, arithmetic, comparisons, numpy's functions of numbers such as np.sqrt, and "
    + ", ".join(_FUNCTIONS)
)


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
    dropped : int
        Rows left out for missing values.
    """

    outcome: str
    terms: list
    intercept: int | None
    columns: list
    codes: np.ndarray
    labels: pd.Index
    dropped: int

    @cached_property
    def counts(self):
        """Rows of each label."""
        return np.bincount(self.codes, minlength=len(self.labels))

    @property
    def origin(self):
        """One value of each column."""
        return [column[0] for column in self.columns]

    def extent(self, k):
        """Least and largest value of column k."""
        return self.columns[k].min(), self.columns[k].max()


@dataclass(frozen=True)
class _Formula:
    """What formulaic read; the columns it names, those used as levels; outcome and terms if all are plain."""

    parsed: formulaic.Formula
    outcomes: list
    names: list
    levels: set
    plain: tuple | None


def read(data, formula, groups, missing):
    """Return the `Table` that ``formula`` and ``groups`` ask for; see `groups.summarise`."""
    asked = parse(formula, groups, missing)
    found = columns_of(data, asked.names if groups is None else [*asked.names, groups])
    named = {name: as_numbers(found[name]) for name in asked.names}
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
        refuse_missing(gaps, N, " (nothing, NA, n/a, NaN, null and None are no values in a file)" * of_file)
    kept = None
    if absent:
        kept = np.flatnonzero(~np.logical_or.reduce(list(absent.values())))
        refuse_none_left(kept.size, N)
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
                refuse_beyond(name, np.abs(numbers[name]).max())
    if asked.plain and all(numbers[name] is not None for name in asked.names):
        outcome, terms = asked.plain
        intercept = terms.index(None) if None in terms else None
        columns = [numbers[name] for name in (*terms, outcome) if name is not None]
        terms = ["Intercept" if name is None else name for name in terms]
    else:
        outcome, terms, columns = _evaluate(formula, asked, found, numbers, kept)
        intercept = None
    refuse_twice(terms)
    if intercept is None:
        ones = (k for k, column in enumerate(columns[:-1]) if column[0] == 1.0 and np.all(column == 1.0))
        intercept = next(ones, None)
        if intercept is not None:
            del columns[intercept]
    return Table(outcome, terms, intercept, columns, codes, labels, N - len(codes))


def parse(formula, groups, missing):
    """Return what is asked for, as `_parse` reads it, once all three words are of the right kind."""
    if missing not in ("raise", "drop"):
        raise ValueError(f'missing must be "raise" or "drop"; got {missing!r}')
    if not isinstance(formula, str):
        raise TypeError(f'formula must be a string such as "score ~ 1"; got {formula!r}')
    asked = _parse(formula)
    if groups is not None and not isinstance(groups, str):
        raise TypeError(f"groups must be the name of a column; got {groups!r}")
    return asked


def refuse_missing(gaps, N, hint=""):
    """Say which columns lack values: name to how many, and where the first is."""
    told = "; ".join(
        f"column {name!r} lacks {count} of {N} values{first}" for name, (count, first) in gaps.items()
    )
    raise ValueError(f'{told}{hint}: fill them, or say missing="drop"')


def refuse_none_left(kept, N):
    """Say so if rows with missing values were all there were."""
    if not kept:
        raise ValueError(f"no row is left once those with missing values are dropped ({N} rows)")


def refuse_beyond(name, most):
    """Say so if whole numbers are too large to be doubles."""
    if most >= _WHOLE:
        raise ValueError(
            f"column {name!r} holds whole numbers beyond 2**53, which doubles cannot tell apart: "
            "subtract one of them first"
        )


def refuse_twice(terms):
    """Say so if two terms have one name."""
    for k, term in enumerate(terms):
        if term in terms[:k]:
            raise ValueError(f"two terms are called {term!r}: rename the column")


@lru_cache(maxsize=256)
def _parse(formula):
    if "|" in formula:
        raise ValueError(f'write the groups as groups="classroom", not as (1 | classroom): {formula!r}')
    if _TIMES_ZERO.search(formula):  # of which formulaic drops the other part too
        raise ValueError(f"formula {formula!r} multiplies by 0: leave the term out; the constant goes by - 1")
    if "``" in formula or "`1`" in formula:  # which formulaic takes for nothing and for the constant
        raise ValueError(
            f"formula {formula!r} names a column that it cannot tell from the constant: rename it"
        )
    try:
        parsed = formulaic.Formula(formula)
    except (FormulaicError, SyntaxError, RecursionError) as error:
        raise ValueError(f"formula {formula!r} cannot be read: {str(error).splitlines()[0]}") from None
    if not hasattr(parsed, "lhs"):
        raise ValueError(f'formula {formula!r} has no outcome: write it as "outcome ~ 1"')
    names, levels, called = set(), set(), set()
    try:
        outcomes, names = (
            set().union(*(_names(factor, levels, called) for term in side for factor in term.factors))
            for side in (parsed.lhs, parsed.rhs)
        )
    except _Refused as refused:
        raise ValueError(f"formula {formula!r}: {refused} is refused; a term may use {_ALLOWED}") from None
    names |= outcomes
    for name in sorted(names & called):
        raise ValueError(f"formula {formula!r}: {name!r} is both a function and a column: rename the column")
    left, right = [[term.factors for term in side] for side in (parsed.lhs, parsed.rhs)]
    names_only = all(
        len(factors) == 1 and factors[0].eval_method.value != "python" for factors in left + right
    )
    plain = None
    if names_only and len(left) == len(outcomes) == 1 and right:
        terms = [None if factor.eval_method.value == "literal" else factor.expr for (factor,) in right]
        plain = (left[0][0].expr, terms)
    return _Formula(parsed, outcomes, sorted(names), levels, plain)


def factors(formula):
    """Return the factors of each term on the right of a formula but the constant, as formulaic has them."""
    terms = _parse(formula).parsed.rhs
    return [frozenset(f.expr for f in term.factors) for term in terms if str(term) != "1"]


class _Refused(Exception):
    """A part of a formula that is neither arithmetic nor a known function."""


def _names(factor, levels, called):
    """Columns that a factor names; those used as labels are added to ``levels``, functions to ``called``."""
    if factor.eval_method.value == "lookup":
        return {factor.expr}
    if factor.eval_method.value == "literal":
        return set()
    aliases = {}
    try:
        tree = ast.parse(sanitize_variable_names(factor.expr, {}, aliases), mode="eval")
    except SyntaxError:
        raise _Refused(repr(factor.expr)) from None
    names = set()

    def walk(node, label=False):
        match node:
            case ast.Name(name):
                names.add(aliases.get(name, name))
                if label:
                    levels.add(aliases.get(name, name))
            case ast.Constant(int() | float() | None):
                pass
            case ast.UnaryOp(ast.UAdd() | ast.USub() | ast.Invert(), operand):
                walk(operand, label)
            case ast.BinOp(
                left, ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv() | ast.Mod(), right
            ):
                walk(left, label), walk(right, label)
            case ast.BinOp(left, ast.BitAnd(), right):
                walk(left, label), walk(right, label)
            case ast.BinOp(left, ast.Pow(), right) if any(isinstance(n, ast.Name) for n in ast.walk(left)):
                walk(left, label), walk(right, label)  # of numbers alone, 9**9**9 would never end
            case ast.Compare(left, _, others):
                for part in (left, *others):
                    walk(part, label)
            case ast.Call(ast.Name("Q"), [ast.Constant(str(name))], []):
                called.add("Q")
                names.add(name)
            case ast.Call(ast.Name(name), args, keywords) if name in _FUNCTIONS:
                called.add(name)
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label or name in _LEVELS)
            case ast.Call(ast.Attribute(ast.Name("np"), name), args, []) if (
                isinstance(function := getattr(np, name, None), np.ufunc) and len(args) <= function.nin
            ):  # one argument more would be written to
                called.add("np")
                for part in args:
                    walk(part, label)
            case ast.Call(ast.Attribute(ast.Name("contr"), name), args, keywords) if name[0] != "_":
                called.add("contr")
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label)
            case _:
                raise _Refused(repr(ast.unparse(node)))

    def argument(node, label):
        match node:
            case ast.Constant(str()):
                pass
            case ast.Attribute(ast.Name("contr"), name) if name[0] != "_":
                called.add("contr")
            case ast.List(parts) | ast.Tuple(parts):
                for part in parts:
                    argument(part, label)
            case _:
                walk(node, label)

    walk(tree.body)
    return names


def columns_of(data, wanted):
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
            frame = nw.from_native(data)
        except TypeError:
            raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None
        except nw.exceptions.DuplicateError as error:
            raise ValueError(f"column names must be unique: {error}") from None
        schema = frame.collect_schema()
        there = schema.names()
    refuse_unknown(wanted, there)
    wanted = list(dict.fromkeys(wanted))
    if frame is not data:
        frame = frame.select(nw.col(wanted))
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
        named = {name: to_pandas(frame[name], schema[name]) for name in wanted}
    else:
        named = {name: plain(data[name]) for name in wanted}
    refuse_empty(len(named[wanted[0]]))
    return named


def refuse_unknown(wanted, there):
    """Say so if a column is not there."""
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, map(str, there), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"no column {name!r} among {', '.join(map(str, there))}{hint}")


def refuse_empty(N):
    """Say so if there are no rows."""
    if not N:
        raise ValueError("the table has no rows")


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
        refuse_times(name)
    if dtype.kind == "c":
        raise ValueError(f"column {name!r} is complex: take its real or imaginary part")
    if is_text_outcome:
        refuse_text_outcome(name, dtype)


def refuse_times(name):
    """Say that a column holds dates or times."""
    raise ValueError(f"column {name!r} holds dates or times: make it a number, such as days since the first")


def refuse_text_outcome(name, dtype):
    """Say that the outcome is no number."""
    raise ValueError(
        f"the outcome {name!r} is not numeric but {dtype}: if it holds numbers written as text, "
        "make them numbers first, as pandas' to_numeric does"
    )


def place_of(column, row):
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
