"""A formula and any table in; outcome and terms as numbers, groups as codes out; no code in a formula runs.

Formulas are read by formulaic, tables by narwhals. Terms that are plain numeric columns are taken as
they stand; all others are evaluated by formulaic, which would run any Python it is given, so only
columns, numbers, arithmetic, comparisons and its own functions are let through.
"""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from functools import lru_cache

import formulaic
import narwhals as nw
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError
from formulaic.transforms import TRANSFORMS
from formulaic.utils.code import sanitize_variable_names

_WHOLE = 2.0**53  # beyond it doubles skip integers
_FUNCTIONS = sorted(set(TRANSFORMS) - {"np", "contr"})
_LEVELS = {"C", "hashed"}  # functions to which a number is a label
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
    if missing not in ("raise", "drop"):
        raise ValueError(f'missing must be "raise" or "drop"; got {missing!r}')
    if not isinstance(formula, str):
        raise TypeError(f'formula must be a string such as "score ~ 1"; got {formula!r}')
    asked = _parse(formula)
    if groups is not None and not isinstance(groups, str):
        raise TypeError(f"groups must be the name of a column; got {groups!r}")
    named = _columns(data, asked.names if groups is None else [*asked.names, groups])
    N = len(next(iter(named.values())))
    numbers = {name: _numbers(named[name]) for name in asked.names}
    absent = {name: _absent(named[name], values) for name, values in numbers.items()}
    if groups is not None:
        codes, labels, absent[groups] = _codes(named[groups])
    else:
        codes, labels = np.zeros(N, dtype=np.intp), pd.Index(["all"])
    absent = {name: gaps for name, gaps in absent.items() if gaps is not None and gaps.any()}
    if absent and missing == "raise":
        name, gaps = next(iter(absent.items()))
        raise ValueError(
            f"column {name!r} lacks {gaps.sum()} of {N} values, the first in row {gaps.argmax()}: "
            'fill them, or say missing="drop"'
        )
    kept = None
    if absent:
        kept = np.flatnonzero(~np.logical_or.reduce(list(absent.values())))
        if not kept.size:
            raise ValueError(f"no row is left once those with missing values are dropped ({N} rows)")
        codes = codes[kept]
        numbers = {name: values if values is None else values[kept] for name, values in numbers.items()}
    for name in asked.names:
        _refuse_kind(named[name], name, name in asked.outcomes)
        if numbers[name] is not None:
            _refuse_infinite(numbers[name], f"column {name!r} holds an infinite value, the first", kept)
            if named[name].dtype.kind in "iu" and np.abs(numbers[name]).max() > _WHOLE:
                raise ValueError(
                    f"column {name!r} holds whole numbers beyond 2**53, which doubles cannot tell apart: "
                    "subtract one of them first"
                )
    if asked.plain and all(numbers[name] is not None for name in asked.names):
        outcome, terms = asked.plain
        intercept = terms.index("1") if "1" in terms else None
        columns = [numbers[name] for name in (*terms, outcome) if name != "1"]
        terms = ["Intercept" if name == "1" else name for name in terms]
    else:
        outcome, terms, columns = _evaluate(asked, named, numbers, kept)
        intercept = None
    if intercept is None:
        ones = (k for k, column in enumerate(columns[:-1]) if column[0] == 1.0 and np.all(column == 1.0))
        intercept = next(ones, None)
        if intercept is not None:
            del columns[intercept]
    return Table(outcome, terms, intercept, columns, codes, labels, N - len(codes))


@lru_cache(maxsize=256)
def _parse(formula):
    if "|" in formula:
        raise ValueError(f'write the groups as groups="classroom", not as (1 | classroom): {formula!r}')
    try:
        parsed = formulaic.Formula(formula)
    except FormulaicError as error:
        raise ValueError(f"formula {formula!r} cannot be read: {str(error).splitlines()[0]}") from None
    if not hasattr(parsed, "lhs"):
        raise ValueError(f'formula {formula!r} has no outcome: write it as "outcome ~ 1"')
    names, levels = set(), set()
    try:
        outcomes = set().union(*(_names(factor, levels) for term in parsed.lhs for factor in term.factors))
        names = outcomes.union(*(_names(factor, levels) for term in parsed.rhs for factor in term.factors))
    except _Refused as refused:
        raise ValueError(f"formula {formula!r}: {refused} is refused; a term may use {_ALLOWED}") from None
    left, right = [[term.factors for term in side] for side in (parsed.lhs, parsed.rhs)]
    names_only = all(
        len(factors) == 1 and factors[0].eval_method.value != "python" for factors in left + right
    )
    plain = None
    if names_only and len(left) == len(outcomes) == 1 and right:
        plain = (left[0][0].expr, [factors[0].expr for factors in right])
    return _Formula(parsed, outcomes, sorted(names), levels, plain)


class _Refused(Exception):
    """A part of a formula that is neither arithmetic nor a known function."""


def _names(factor, levels):
    """Columns that a factor names; those used as labels are added to ``levels``."""
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
            case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
                walk(left, label), walk(right, label)
            case ast.BinOp(left, ast.Pow(), right) if any(isinstance(n, ast.Name) for n in ast.walk(left)):
                walk(left, label), walk(right, label)  # of numbers alone, 9**9**9 would never end
            case ast.Compare(left, _, others):
                for part in (left, *others):
                    walk(part, label)
            case ast.Call(ast.Name("Q"), [ast.Constant(str(name))], []):
                names.add(name)
            case ast.Call(ast.Name(name), args, keywords) if name in _FUNCTIONS:
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label or name in _LEVELS)
            case ast.Call(ast.Attribute(ast.Name("np"), name), args, []) if isinstance(
                getattr(np, name, None), np.ufunc
            ):
                for part in args:
                    walk(part, label)
            case ast.Call(ast.Attribute(ast.Name("contr"), name), args, keywords) if name[0] != "_":
                for part in (*args, *(keyword.value for keyword in keywords)):
                    argument(part, label)
            case _:
                raise _Refused(repr(ast.unparse(node)))

    def argument(node, label):
        match node:
            case ast.Constant(str()) | ast.Attribute(ast.Name("contr")):
                pass
            case ast.List(parts) | ast.Tuple(parts):
                for part in parts:
                    argument(part, label)
            case _:
                walk(node, label)

    walk(tree.body)
    return names


def _columns(data, wanted):
    """Return the columns wanted, as pandas holds them."""
    if isinstance(data, pd.DataFrame):
        frame, there = data, data.columns
        if not there.is_unique:
            raise ValueError(
                f"column names must be unique: {', '.join(map(repr, there[there.duplicated()]))}"
            )
    else:
        try:
            frame = nw.from_native(data)
        except TypeError:
            raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None
        except nw.exceptions.DuplicateError as error:
            raise ValueError(f"column names must be unique: {error}") from None
        there = frame.collect_schema().names()
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, map(str, there), 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"no column {name!r} among {', '.join(map(str, there))}{hint}")
    wanted = list(dict.fromkeys(wanted))
    if frame is not data:
        frame = frame.select(nw.col(wanted))
        frame = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    columns = {name: frame[name] if frame is data else _to_pandas(frame[name]) for name in wanted}
    if not len(columns[wanted[0]]):
        raise ValueError("the table has no rows")
    return columns


def _to_pandas(series):
    if series.dtype == nw.Decimal:
        series = series.cast(nw.Float64)
    if series.dtype.is_integer() and series.null_count():  # as doubles large labels would run together
        return pd.Series(series.to_list(), dtype="Int64", name=series.name)
    return series.to_pandas()


def _is_number(dtype):
    return dtype.kind in "biuf" if isinstance(dtype, np.dtype) else pd.api.types.is_numeric_dtype(dtype)


def _numbers(series):
    """Values as doubles, NaN where there is none; None for what is not a number."""
    if not _is_number(series.dtype):
        return None
    if isinstance(series.dtype, np.dtype):
        return series.to_numpy(dtype=float)
    return series.to_numpy(dtype=float, na_value=np.nan)


def _absent(series, numbers):
    """Which values are missing; None where none is."""
    if numbers is None:
        return series.isna().to_numpy()
    return None if _finite(numbers) else np.isnan(numbers)


def _finite(values):
    """Whether the sum is finite: then all values are, and no table of N answers need be made."""
    with np.errstate(all="ignore"):
        return np.isfinite(values.sum())


def _codes(column):
    """Number the groups; return codes, what each stands for, and which rows have none (or None).

    Categories keep their order, other labels are sorted.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.array.codes.astype(np.intp)
        return codes, column.array.categories, codes < 0
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu":
        values = column.to_numpy()
        low, high = int(values.min()), int(values.max())
        if low >= 0 and high <= 2 * len(values):  # small enough to count without sorting
            return values.astype(np.intp, copy=False), pd.RangeIndex(high + 1), None
    try:
        codes, labels = pd.factorize(column, sort=True)
    except TypeError:  # labels that cannot be ordered keep the order of first appearance
        try:
            codes, labels = pd.factorize(column)
        except TypeError:
            raise TypeError(
                f"column {column.name!r} holds labels that cannot be hashed: make them text"
            ) from None
    return codes, pd.Index(labels), codes < 0


def _refuse_kind(series, name, is_outcome):
    dtype = series.dtype
    if dtype.kind in "mM" or isinstance(dtype, pd.PeriodDtype):
        raise ValueError(
            f"column {name!r} holds dates or times: make it a number, such as days since the first"
        )
    if dtype.kind == "c":
        raise ValueError(f"column {name!r} is complex: take its real or imaginary part")
    if is_outcome and not _is_number(dtype):
        raise ValueError(
            f"the outcome {name!r} is not numeric but {dtype}: if it holds numbers written as text, "
            "make them numbers first, as pandas' to_numeric does"
        )


def _refuse_infinite(values, what, kept):
    if _finite(values):
        return
    finite = np.isfinite(values)
    if not finite.all():
        row = finite.argmin()
        raise ValueError(f"{what} in row {row if kept is None else kept[row]}")


def _evaluate(asked, named, numbers, kept):
    """Outcome, terms and all columns, as formulaic makes them."""
    frame = {}
    for name in asked.names:
        if numbers[name] is not None and name not in asked.levels:
            frame[name] = numbers[name]  # doubles, for whole numbers would overflow
        else:
            column = (named[name] if kept is None else named[name].iloc[kept]).reset_index(drop=True)
            labels = isinstance(column.dtype, pd.CategoricalDtype)
            frame[name] = column.cat.remove_unused_categories() if labels else column
    try:
        with np.errstate(all="ignore"):  # what is not finite is named below, with its row
            matrices = asked.parsed.get_model_matrix(pd.DataFrame(frame), context={}, na_action="ignore")
    except Exception as error:  # formulaic lets through whatever a term raised
        reason = str(error).strip() or type(error).__name__
        raise ValueError(f"formula cannot be evaluated on this table: {reason}") from None
    left, right = matrices.lhs, matrices.rhs
    if left.shape[1] != 1:
        raise ValueError(f"the outcome must be one numeric column; got {', '.join(left.columns)}")
    if not right.shape[1]:
        raise ValueError('the formula has no terms on its right: "outcome ~ 1" has one')
    columns = [side.iloc[:, k].to_numpy(dtype=float) for side in (right, left) for k in range(side.shape[1])]
    names = [str(name) for name in (*right.columns, *left.columns)]
    for name, values in zip(names, columns, strict=True):
        _refuse_infinite(values, f"term {name!r} is not finite", kept)
    return names[-1], names[:-1], columns
