"""A table and a formula in, the few numbers out that every fit needs: sizes, means, pooled cross-products."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass

import formulaic
import narwhals as nw
import numpy as np
import pandas as pd
from formulaic.errors import FormulaicError

_SAME = 1e-12  # squared sine of the angle below which two terms count as one
_ROUNDING = 1e-26  # a sum of squares below this share of the whole is rounding, not data
_LEAST, _MOST = 1e-150, 1e150  # spreads whose squares a double holds
_EXPLAINED = 1e-13  # and so is what the terms leave, below this share of what they explain


@dataclass(frozen=True, eq=False)
class GroupSummary:
    """What the fits need of a table: J groups, p terms, and the outcome as column p.

    Attributes
    ----------
    formula, outcome, group : str
        What was asked for; ``group`` is the grouping column, None where all rows are one group.
    terms : list of str
        Names of the p columns of the design matrix.
    intercept : int or None
        Where among the terms the constant stands.
    labels : Index of length J
        The groups: categories in their order, else sorted.
    sizes : ndarray of shape (J,)
        Rows in each group.
    means : ndarray of shape (J, p + 1)
        Group means of terms and outcome, less ``shift``.
    within : ndarray of shape (p + 1, p + 1)
        Cross-products of the deviations from the group means, summed over all groups.
    shift : ndarray of shape (p + 1,)
        One value of each column, taken off before anything is added up, so that a large offset
        costs no digits. 0 for the constant, and for all where there is none.
    slopes : ndarray of shape (p,)
        Coefficients of the shifted terms that were taken off the shifted outcome, row by row, so
        that terms which explain nearly all of it cost no digits either. 0 for the constant.
    dropped : int
        Rows left out, for missing values, at the caller's word.
    """

    formula: str
    outcome: str
    group: str | None
    terms: list
    intercept: int | None
    labels: pd.Index
    sizes: np.ndarray
    means: np.ndarray
    within: np.ndarray
    shift: np.ndarray
    slopes: np.ndarray
    dropped: int = 0

    @property
    def nobs(self):
        """Rows in all."""
        return int(self.sizes.sum())

    @property
    def ngroups(self):
        """How many groups."""
        return len(self.sizes)

    @property
    def centre(self):
        """Overall mean of each column, less ``shift``, in the order of ``means``."""
        return self.sizes @ self.means / self.nobs

    def centred_means(self):
        """Group means about the overall means; about zero where the model has no constant."""
        if self.intercept is None:
            return self.means
        centre = self.centre
        centre[self.intercept] = 0.0
        return self.means - centre

    def about_centre(self):
        """Cross-products of all rows about the overall means (zero without a constant)."""
        means = self.centred_means()
        return self.within + (means * self.sizes[:, None]).T @ means

    def unexplained(self, cross):
        """What the terms leave of the outcome's sum of squares; 0.0 where that is only rounding.

        Parameters
        ----------
        cross : ndarray of shape (p + 1, p + 1)
            Cross-products of some or all of the variation: ``within`` or `about_centre`.

        Returns
        -------
        float
        """
        whole = self.within.diagonal() + self.sizes @ self.means**2
        left, floor = cross[-1, -1], _ROUNDING * whole[-1]
        varies = np.flatnonzero(cross.diagonal()[:-1] > _ROUNDING * whole[:-1])
        if varies.size:
            unit, scale = unit_diagonal(cross[np.ix_(varies, varies)])
            y = cross[varies, -1] / scale
            left -= y @ np.linalg.lstsq(unit, y, rcond=None)[0]
            floor = max(floor, _EXPLAINED * cross[-1, -1])
        return left if left > floor else 0.0


def unit_diagonal(A):
    """Scale cross-products (..., p, p) to unit diagonal; return them and the roots of the diagonal.

    Without it a term of large spread would cost digits, and one of small spread pass for rounding.
    """
    scale = np.sqrt(np.diagonal(A, axis1=-2, axis2=-1))
    return A / (scale[..., :, None] * scale[..., None, :]), scale


def solve(A, B):
    """Solve A Z = B for cross-products A (..., p, p) and B (..., p, k), whatever the units of the terms."""
    unit, scale = unit_diagonal(A)
    scale = scale[..., :, None]
    return np.linalg.solve(unit, B / scale) / scale


def inverse(A):
    """Inverse of cross-products, by `solve`."""
    return solve(A, np.eye(A.shape[-1]))


def summarise(data, formula=None, groups=None, missing="raise"):
    """Reduce a table to a `GroupSummary`.

    Parameters
    ----------
    data : DataFrame or GroupSummary
        Any table that narwhals reads; a summary made before is handed back.
    formula : str
        As in R or statsmodels: ``"score ~ 1"``, ``"log_radon ~ floor + log_uranium"``.
    groups : str, optional
        The column that says which group a row belongs to; without one all rows are one group.
    missing : {"raise", "drop"}
        What to do with rows that lack a value in a column used.

    Returns
    -------
    GroupSummary

    Raises
    ------
    TypeError
        If the table, the formula or the name of the group column is not of the right kind.
    ValueError
        If a column is not there, is not numeric, or holds missing or infinite values; if there are
        fewer than two groups, no more rows than terms, terms that are sums of others, or an
        outcome that the terms explain to the last digit.
    """
    if isinstance(data, GroupSummary):
        for said, known in ((formula, data.formula), (groups, data.group)):
            if said not in (None, known):
                raise ValueError(f"this summary is of {known!r}, not {said!r}: summarise the table again")
        return data
    if missing not in ("raise", "drop"):
        raise ValueError(f'missing must be "raise" or "drop"; got {missing!r}')
    parsed = _parse(formula)
    if groups is not None and not isinstance(groups, str):
        raise TypeError(f"groups must be the name of a column; got {groups!r}")
    frame, used, rows, dropped = _read(data, parsed, groups, missing)
    codes, labels = _codes(frame, groups)
    y, X, outcome, terms = _design(parsed, frame, used, rows)
    if groups is not None and len(labels) < 2:
        raise ValueError(
            f"column {groups!r} holds one group only, {labels[0]!r}: comparing groups takes two or more"
        )
    if len(y) <= X.shape[1]:
        raise ValueError(
            f"{len(y)} rows cannot tell {X.shape[1]} terms apart ({', '.join(terms)}): "
            "leave terms out or bring more rows"
        )
    constant = [k for k in range(X.shape[1]) if np.all(X[:, k] == 1.0)]
    intercept = constant[0] if constant else None
    Z = np.column_stack([X, y])
    shift = Z[0].copy() if constant else np.zeros(Z.shape[1])
    shift[constant] = 0.0
    Z -= shift
    for name, spread in zip([*terms, outcome], np.abs(Z).max(axis=0), strict=True):
        if spread and not _LEAST < spread < _MOST:
            raise ValueError(
                f"{name!r} varies by {spread:.3g}, too far from 1 to be squared: change its unit"
            )

    def build(slopes):
        reduced = _reduce(Z, codes, len(labels), intercept)
        return GroupSummary(
            formula, outcome, groups, terms, intercept, labels, *reduced, shift, slopes, dropped
        )

    slopes = np.zeros(len(terms))
    summary = build(slopes)
    cross = summary.about_centre()
    refuse_collinear(cross, terms, constant[:1])
    varying = [k for k in range(len(terms)) if k != intercept]
    if varying:
        slopes[varying] = solve(cross[np.ix_(varying, varying)], cross[varying, -1:])[:, 0]
        Z[:, -1] -= Z[:, varying] @ slopes[varying]
        summary = build(slopes)
    if summary.unexplained(summary.about_centre()) <= _ROUNDING * cross[-1, -1]:
        raise ValueError(
            f"the terms explain {outcome!r} to the last digit (is it constant?): "
            "nothing is left to estimate a standard error from"
        )
    return summary


def _parse(formula):
    if not isinstance(formula, str):
        raise TypeError(f'formula must be a string such as "score ~ 1"; got {formula!r}')
    if "|" in formula:
        raise ValueError(f'write the groups as groups="classroom", not as (1 | classroom): {formula!r}')
    try:
        parsed = formulaic.Formula(formula)
    except FormulaicError as error:
        raise ValueError(f"formula {formula!r} cannot be read: {error}") from None
    if not hasattr(parsed, "lhs"):
        raise ValueError(f'formula {formula!r} has no outcome: write it as "outcome ~ 1"')
    return parsed


def _used(parsed, columns):
    """Columns that the formula names; formulaic leaves out those inside poly(), center() and their like."""
    names = set(parsed.required_variables)
    for factor in {factor for side in (parsed.lhs, parsed.rhs) for term in side for factor in term.factors}:
        try:
            tree = ast.parse(factor.expr, mode="eval")
        except SyntaxError:  # a quoted name, which formulaic lists
            continue
        names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & set(columns)
    return sorted(names)


def _read(data, parsed, groups, missing):
    """Return the columns used, complete, as pandas; the terms' columns; the rows kept; how many went."""
    try:
        frame = nw.from_native(data)
    except TypeError:
        raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None
    except nw.exceptions.DuplicateError as error:
        raise ValueError(f"column names must be unique: {error}") from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    used = _used(parsed, frame.columns)
    columns = used if groups is None else [*used, groups]
    for name in columns:
        if name not in frame.columns:
            close = difflib.get_close_matches(name, frame.columns, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"no column {name!r} among {', '.join(map(str, frame.columns))}{hint}")
    if not len(frame):
        raise ValueError("the table has no rows")
    columns = list(dict.fromkeys(columns))
    table = pd.DataFrame({name: frame[name].to_pandas().reset_index(drop=True) for name in columns})
    absent = table.isna()
    if missing == "raise":
        for name in columns:
            count = int(absent[name].sum())
            if count:
                first = int(absent[name].argmax())
                raise ValueError(
                    f"column {name!r} lacks {count} of {len(table)} values, the first in row {first}: "
                    'fill them, or say missing="drop"'
                )
    rows = np.flatnonzero(~absent.any(axis=1))
    if not rows.size:
        raise ValueError(f"no row is left once those with missing values are dropped ({len(table)} rows)")
    kept = table.iloc[rows].reset_index(drop=True)
    for name in columns:
        if isinstance(kept[name].dtype, pd.CategoricalDtype):
            kept[name] = kept[name].cat.remove_unused_categories()
    return kept, used, rows, len(table) - len(kept)


def _codes(frame, name):
    """Number the groups from 0: categories in their order, other labels sorted; unused ones left out."""
    if name is None:
        return np.zeros(len(frame), dtype=np.intp), pd.Index(["all"])
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.codes.to_numpy().astype(np.intp), column.cat.categories.rename(name)
    try:
        codes, labels = pd.factorize(column, sort=True)
    except TypeError:  # labels that cannot be ordered keep the order of first appearance
        try:
            codes, labels = pd.factorize(column)
        except TypeError:
            raise TypeError(f"column {name!r} holds labels that cannot be hashed: make them text") from None
    return codes, pd.Index(labels, name=name)


def _design(parsed, frame, columns, rows):
    """Outcome (N,) and design matrix (N, p) as floats, with their names."""
    for name in sorted(parsed.lhs.required_variables):
        if not pd.api.types.is_numeric_dtype(frame[name]):
            raise ValueError(f"the outcome {name!r} is not numeric but {frame[name].dtype}")
    for name in columns:
        if frame[name].dtype.kind in "mM":
            raise ValueError(
                f"column {name!r} holds dates or times: make it a number, such as days since the first"
            )
        if frame[name].dtype.kind == "c":
            raise ValueError(f"column {name!r} is complex: take its real or imaginary part")
        if pd.api.types.is_numeric_dtype(frame[name]):
            values = frame[name].to_numpy(dtype=float)
            if not np.isfinite(values).all():
                row = rows[np.argmin(np.isfinite(values))]
                raise ValueError(f"column {name!r} holds an infinite value, the first in row {row}")
    try:
        with np.errstate(all="ignore"):  # what is not finite is named below, with its row
            matrices = parsed.get_model_matrix(frame, context={}, na_action="ignore")
    except Exception as error:  # formulaic lets through whatever a term raised
        reason = str(error).strip() or type(error).__name__
        raise ValueError(f"formula cannot be evaluated on this table: {reason}") from None
    left, right = matrices.lhs, matrices.rhs
    if left.shape[1] != 1:
        raise ValueError(f"the outcome must be one numeric column; got {', '.join(left.columns)}")
    if not right.shape[1]:
        raise ValueError('the formula has no terms on its right: "outcome ~ 1" has one')
    y, X = left.to_numpy(dtype=float)[:, 0], right.to_numpy(dtype=float)
    for values, name in [(y, left.columns[0]), *zip(X.T, right.columns, strict=True)]:
        if not np.isfinite(values).all():
            row = rows[np.argmin(np.isfinite(values))]
            raise ValueError(f"term {name!r} is not finite in row {row}")
    return y, X, str(left.columns[0]), [str(name) for name in right.columns]


def _reduce(Z, codes, J, intercept):
    """Sizes, means and within cross-products by the corrected two-pass formula (Chan et al. 1983)."""
    sizes = np.bincount(codes, minlength=J).astype(float)

    def means_of(columns):
        return np.column_stack([np.bincount(codes, column, J) for column in columns.T]) / sizes[:, None]

    means = means_of(Z)
    deviations = Z - means[codes]
    correction = means_of(deviations)  # what rounding left in the first pass
    means += correction
    within = deviations.T @ deviations - (correction * sizes[:, None]).T @ correction
    if intercept is not None:
        means[:, intercept], within[intercept], within[:, intercept] = 1.0, 0.0, 0.0
    return sizes, means, within


def refuse_collinear(cross, terms, kept=()):
    """Name the first term that is a linear combination of those before it.

    Parameters
    ----------
    cross : ndarray
        Cross-products of the terms (more columns may follow).
    terms : list of str
    kept : list of int
        Terms to start from: the constant.

    Raises
    ------
    ValueError
    """
    kept = list(kept)
    for k in (k for k in range(len(terms)) if k not in kept):
        length = rest = cross[k, k]
        if kept and length > 0:
            unit, scale = unit_diagonal(cross[np.ix_(kept, kept)])
            r = cross[kept, k] / (scale * np.sqrt(length))
            rest = length * (1 - r @ np.linalg.solve(unit, r))
        if length <= 0 or rest <= _SAME * length:
            others = ", ".join(terms[i] for i in kept) or "nothing"
            raise ValueError(f"term {terms[k]!r} is a linear combination of {others}: leave one of them out")
        kept.append(k)
