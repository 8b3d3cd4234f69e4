"""A table and a formula in, the few numbers out that every fit needs: sizes, means, pooled cross-products."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import engines, tables

_SAME = 1e-12  # squared sine of the angle below which two terms count as one
_NEARLY = 1e-9  # and below which cross-products would leave a standard error fewer than six digits
_ROUNDING = 1e-26  # a sum of squares below this share of the whole is rounding, not data
_LEAST, _MOST = 1e-150, 1e150  # spreads whose squares a double holds
_BLOCK = 128  # rows whose products are added up at a time
_CONSTANT = 1e-20  # a term whose sum of squares within groups is below this share does not vary there
_EXPLAINED = 1e-13  # and so is what the terms leave, below this share of what they explain


class BySize(NamedTuple):
    """Sums over all groups of one size.

    Attributes
    ----------
    sizes : ndarray of shape (K,)
        The distinct sizes.
    counts : ndarray of shape (K,)
        Groups of each.
    between : ndarray of shape (K, p + 1, p + 1)
        Cross-products of their centred means.
    """

    sizes: np.ndarray
    counts: np.ndarray
    between: np.ndarray

    def weighted(self, weights):
        """Cross-products of the means, summed with a weight (..., K) for each size."""
        K, q = self.between.shape[:2]
        return (weights @ self.between.reshape(K, q * q)).reshape(*weights.shape[:-1], q, q)


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
        A value amid each column, taken off before anything is added up, so that a large offset
        costs no digits. 0 for the constant, and for all where there is none.
    slopes : ndarray of shape (p,)
        Coefficients of the shifted terms that were taken off the shifted outcome, row by row, so
        that terms which explain nearly all of it cost no digits either. 0 for the constant.
    products : ndarray of shape (J, v, v + 1)
        Within each group, cross-products of the v terms other than the constant with one another and
        with the outcome (last); ``within`` has their sums.
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
    products: np.ndarray
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
    def varying(self):
        """Where among the terms those other than the constant stand, as an array."""
        every = np.arange(len(self.terms))
        return every if self.intercept is None else np.delete(every, self.intercept)

    @cached_property
    def centre(self):
        """Overall mean of each column, less ``shift``, in the order of ``means``."""
        return np.einsum("j,jk->k", self.sizes, self.means) / self.nobs

    def centred_means(self):
        """Group means about the overall means; about zero where the model has no constant."""
        if self.intercept is None:
            return self.means
        centre = self.centre.copy()
        centre[self.intercept] = 0.0
        return self.means - centre

    @cached_property
    def by_size(self):
        """The groups collapsed to their distinct sizes, as `BySize`: a weight depends on nothing else."""
        sizes = self.sizes.astype(np.intp)
        of_size = np.bincount(sizes)
        distinct = np.flatnonzero(of_size)
        of_size[distinct] = np.arange(len(distinct))
        member = of_size[sizes]
        counts = np.bincount(member).astype(float)
        means = self.centred_means()
        between = np.empty((len(distinct), means.shape[1], means.shape[1]))
        for i, k in combinations_with_replacement(range(means.shape[1]), 2):
            between[:, i, k] = between[:, k, i] = np.bincount(member, means[:, i] * means[:, k])
        return BySize(distinct.astype(float), counts, between)

    def keeping(self, stay):
        """Return the summary of the same rows with some of the terms only.

        Parameters
        ----------
        stay : ndarray of bool, shape (p,)
            Which terms; the constant must stay where there is one.

        Returns
        -------
        GroupSummary
        """
        stay = np.asarray(stay, dtype=bool)
        keep = [*np.flatnonzero(stay), len(stay)]
        change = np.eye(len(stay) + 1)
        change[:-1, -1] = np.where(stay, 0.0, self.slopes)  # what was taken off for the others goes back
        change = change[:, keep]
        varying = np.append(self.varying, len(stay))
        rows = [k for k, place in enumerate(self.varying) if stay[place]]
        constant = [keep.index(self.intercept)] if self.intercept is not None else []
        return replace(
            self,
            terms=[term for term, kept in zip(self.terms, stay, strict=True) if kept],
            intercept=constant[0] if constant else None,
            means=self.means @ change,
            within=change.T @ self.within @ change,
            shift=self.shift[keep],
            slopes=self.slopes[stay],
            products=self.products[:, rows] @ np.delete(change[varying], constant, axis=1),
        )

    def about_centre(self):
        """Cross-products of all rows about the overall means (zero without a constant)."""
        return self._about_centre.copy()

    @cached_property
    def _about_centre(self):
        means = self.centred_means()
        return self.within + np.einsum("ji,jk->ik", means * self.sizes[:, None], means)

    def varies_within(self):
        """Which of the terms vary within groups, by more than rounding; an array of p bools."""
        within, whole = self.within.diagonal()[:-1], self._about_centre.diagonal()[:-1]
        return within > _CONSTANT * whole

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
        whole = self.within.diagonal() + np.einsum("j,jk,jk->k", self.sizes, self.means, self.means)
        left, floor = cross[-1, -1], _ROUNDING * whole[-1]
        varies = cross.diagonal()[:-1] > _ROUNDING * whole[:-1]
        if self.intercept is not None:
            varies[self.intercept] = False  # about the centre nothing is left for it to explain
        varies = np.flatnonzero(varies)
        if varies.size:
            unit, scale = unit_diagonal(cross[varies[:, None], varies])
            values, vectors = np.linalg.eigh(unit) if len(unit) > 1 else (np.ones(1), np.ones((1, 1)))
            along = (cross[varies, -1] / scale) @ vectors
            known = values > _SAME
            left -= np.sum(along[known] ** 2 / values[known])
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


def summarise(data, formula=None, groups=None, missing="raise", carried_beyond=None):
    """Reduce a table to a `GroupSummary`.

    Parameters
    ----------
    data : DataFrame or GroupSummary
        Any table that narwhals reads; a summary made before is handed back. One of Dask, Spark or DuckDB
        stays there if each term is a numeric column: what comes back is one row a group.
    formula : str
        As in R or statsmodels: ``"score ~ 1"``, ``"log_radon ~ floor + log_uranium"``.
    groups : str, optional
        The column that says which group a row belongs to; without one all rows are one group.
    missing : {"raise", "drop"}
        What to do with rows that lack a value in a column used.
    carried_beyond : set of str, optional
        Terms of the model; any others of the formula are only carried along (their slopes vary about 0):
        they may be combinations of the former, and nothing is taken off the outcome for them.

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
    table, deviations = engines.read(data, formula, groups, missing), engines.Deviations
    if table is None:
        table, deviations = tables.read(data, formula, groups, missing), _Deviations
    terms, intercept = table.terms, table.intercept
    used = table.counts > 0
    sizes = table.counts[used].astype(float)
    labels = table.labels if used.all() else table.labels[used]
    labels = labels if labels.name == groups else labels.rename(groups)
    if groups is not None and len(labels) < 2:
        raise ValueError(
            f"column {groups!r} holds one group only, {labels.tolist()[0]!r}: "
            "comparing groups takes two or more"
        )
    if (nobs := int(sizes.sum())) <= len(terms):
        raise ValueError(
            f"{nobs} rows cannot tell {len(terms)} terms apart ({', '.join(terms)}): "
            "leave terms out or bring more rows"
        )
    places = np.array([k for k in range(len(terms) + 1) if k != intercept])
    shift = np.zeros(len(terms) + 1)
    if intercept is not None:
        shift[places] = table.origin
    varying, slopes = places[:-1], np.zeros(len(terms))
    with np.errstate(all="ignore"):  # what cannot be squared is named below
        rows = deviations(table, shift[places], used)
        cross = _about_centre(rows, sizes, intercept is not None)
    for k, (place, square) in enumerate(zip(places, cross.diagonal(), strict=True)):
        if not _LEAST**2 < square < _MOST**2:
            low, high = map(float, table.extent(k))
            if low < high:
                raise ValueError(
                    f"{[*terms, table.outcome][place]!r} varies by {high - low:.3g}, too far from 1 to be "
                    "squared: change its unit"
                )
    if len(varying):
        own = [
            k for k in range(len(varying)) if carried_beyond is None or terms[varying[k]] in carried_beyond
        ]
        part = cross[np.ix_([*own, -1], [*own, -1])]
        before = [] if intercept is None else [terms[intercept]]
        refuse_collinear(part, [terms[varying[k]] for k in own], before)
        if own:
            slopes[varying[own]] = solve(part[:-1, :-1], part[:-1, -1:])[:, 0]
            rows.take_off(slopes[varying])
    means = np.ones((len(labels), len(terms) + 1))
    within = np.zeros((len(terms) + 1, len(terms) + 1))
    means[:, places], within[places[:, None], places] = rows.means + rows.steps, rows.cross(sizes)
    summary = GroupSummary(
        formula, table.outcome, groups, terms, intercept, labels, sizes, means, within, shift, slopes,
        rows.products(), table.dropped,
    )  # fmt: skip
    level = np.abs(table.origin[-1]) * np.sqrt(nobs * _ROUNDING)
    constant = (
        intercept is not None and np.sqrt(max(cross[-1, -1], 0.0)) <= level and not np.ptp(table.extent(-1))
    )
    if constant or summary.about_centre()[-1, -1] <= _ROUNDING * cross[-1, -1]:
        raise ValueError(
            f"the terms explain {table.outcome!r} to the last digit (is it constant?): "
            "nothing is left to estimate a standard error from"
        )
    return summary


def _about_centre(rows, sizes, centred):
    """Cross-products of all rows, about the overall means or, where there is no constant, about 0."""
    means = rows.means + rows.steps
    if centred:
        means -= np.einsum("j,jk->k", sizes, means) / sizes.sum()
    return rows.cross(sizes) + np.einsum("ji,jk->ik", means * sizes[:, None], means)


class _Deviations:
    """Columns as deviations from their group means, by the corrected two-pass formula (Chan et al. 1983).

    ``means`` (J, v) are the means of a first pass, less shift, ``rows`` (v, N) the deviations from them,
    and ``steps`` (J, v) the means of these: what rounding left, to be added to the one and taken off the
    other.
    """

    def __init__(self, table, shift, used):
        columns, codes = table.columns, table.codes
        self._codes, self._counts, self._used = codes, table.counts, used
        self.rows = np.empty((len(columns), len(codes)))
        self.means, self.steps = np.empty((2, int(used.sum()), len(columns)))
        for k, (row, column) in enumerate(zip(self.rows, columns, strict=True)):
            means = self._mean(column)
            np.take(means, codes, out=row, mode="clip")  # needs no buffer; no code is out of bounds
            np.subtract(column, row, out=row)
            self.means[:, k], self.steps[:, k] = means[used] - shift[k], self._mean(row)[used]

    def _mean(self, column):
        return self._sum(column) / np.maximum(self._counts, 1)

    def _sum(self, column):
        return np.bincount(self._codes, column, len(self._counts))

    def cross(self, sizes):
        """Cross-products within the groups."""
        # By blocks, so that rounding does not grow with N; by einsum, for BLAS stalls on a busy machine.
        whole = self.rows.shape[1] // _BLOCK * _BLOCK
        blocks, rest = self.rows[:, :whole].reshape(len(self.rows), -1, _BLOCK), self.rows[:, whole:]
        inside = np.einsum("ibn,kbn->ikb", blocks, blocks).sum(axis=-1) + np.einsum("in,kn->ik", rest, rest)
        return inside - np.einsum("j,ji,jk->ik", sizes, self.steps, self.steps)

    def take_off(self, slopes):
        """Put what the other columns, times their slopes, leave of the last in its place, row by row."""
        self.rows[-1] -= slopes @ self.rows[:-1]
        self.means[:, -1] -= self.means[:, :-1] @ slopes
        self.steps[:, -1] = self._mean(self.rows[-1])[self._used]

    def products(self):
        """Cross-products by group of all columns but the last with all, of shape (J, v, v + 1)."""
        v = len(self.rows) - 1
        products = np.empty((len(self.steps), v, v + 1))
        for i in range(v):
            for k in range(i, v + 1):
                products[:, i, k] = self._sum(self.rows[i] * self.rows[k])[self._used]
                if k < v:
                    products[:, k, i] = products[:, i, k]
        return (
            products - self._counts[self._used, None, None] * self.steps[:, :-1, None] * self.steps[:, None]
        )


def refuse_collinear(cross, terms, before=()):
    """Name the first term that is a linear combination of those before it.

    Parameters
    ----------
    cross : ndarray
        Cross-products of the terms (more columns may follow).
    terms : list of str
    before : list of str
        Terms already taken off the others: the constant.

    Raises
    ------
    ValueError
    """
    for k, term in enumerate(terms):
        length = rest = cross[k, k]
        if k and length > 0:
            unit, scale = unit_diagonal(cross[:k, :k])
            r = cross[:k, k] / (scale * np.sqrt(length))
            rest = length * (1 - r @ np.linalg.solve(unit, r))
        others = ", ".join([*before, *terms[:k]]) or "nothing"
        if length <= 0 or rest <= _SAME * length:
            raise ValueError(f"term {term!r} is a linear combination of {others}: leave one of them out")
        if rest <= _NEARLY * length:
            raise ValueError(
                f"term {term!r} is so nearly a linear combination of {others} that its standard error would "
                "lose its digits: centre the columns they are made of first, as center(year) does, or leave "
                "one of them out"
            )


def predictor_icc(x, groups):
    """Intraclass correlation of a predictor in these rows: the average product of two rows of one group.

    The products are of deviations from the mean of all rows, and their average is over the average
    square. In groups of one size n it is (n B - 1) / (n - 1), B the share of the sum of squares that lies
    between groups. It describes these rows and estimates nothing. Moulton (1986); notebook 08.

    Parameters
    ----------
    x : array_like of shape (rows,)
        The predictor.
    groups : array_like of shape (rows,)
        Which group a row belongs to.

    Returns
    -------
    float
        1 for a predictor of groups (about 1 where sizes differ), about 0 for one unrelated to them.

    Raises
    ------
    TypeError
        If the predictor is not numeric.
    ValueError
        If either is not one column, the lengths differ, a value is missing or not finite, all are the
        same, or every group has one row.
    """
    x, groups = np.asarray(x), np.asarray(groups)
    if x.ndim != 1 or x.shape != groups.shape:
        raise ValueError(f"x and groups must be of one length; got shapes {x.shape} and {groups.shape}")
    try:
        x = x.astype(float)
    except (TypeError, ValueError):
        raise TypeError(f"x must be numeric; got {x.dtype}, such as {x[0]!r}") from None
    codes = pd.factorize(groups)[0]
    if not np.isfinite(x).all() or (codes < 0).any():
        raise ValueError("x must be finite and every row must have a group: drop the others first")
    if not len(x) or x.min() == x.max():
        raise ValueError("x does not vary: a constant has no intraclass correlation")
    far, sizes = x - x.mean(), np.bincount(codes)
    pairs = np.sum(sizes * (sizes - 1))
    if not pairs:
        raise ValueError("every group has one row only: there are no two rows of one group to compare")
    squares = np.sum(far**2)
    products = np.sum(np.bincount(codes, far) ** 2) - squares
    return float(products / pairs / (squares / len(x)))
