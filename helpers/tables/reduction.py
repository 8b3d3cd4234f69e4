"""The one reduction: a table and a formula in, the `GroupSummary` out that every fit starts from."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from . import columns, engines
from .labels import of_used
from .linear import along
from .summary import ROUNDING, GroupSummary
from .sums import added_up, parts

_LEAST, _MOST = 1e-150, 1e150  # spreads whose squares a double holds
_BLOCK = 128  # rows whose products are added up at a time
_FEW = 2**14  # numbers that are held on to until products by group are asked for


def summarise(data, formula=None, groups=None, missing="raise", carried_beyond=None) -> GroupSummary:
    """Reduce a table to a `GroupSummary`.

    Parameters
    ----------
    data : DataFrame, path or GroupSummary
        Any table that narwhals reads; a summary made before is handed back. One of Dask, Spark or DuckDB,
        or a polars LazyFrame, stays there if each term is a numeric column: one row a group comes back. So
        do the rows of a path, a Parquet file, a folder of them or a glob, ``"folder/*.parquet"``, which
        polars scans, or DuckDB where that is not installed.
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

    Examples
    --------
    >>> import pandas as pd
    >>> from helpers.groups import summarise
    >>> pupils = pd.DataFrame({"class": ["a", "a", "b", "b", "b"], "score": [1.0, 3.0, 6.0, 7.0, 8.0]})
    >>> summary = summarise(pupils, "score ~ 1", groups="class")
    >>> summary.labels.tolist(), summary.sizes.tolist()
    (['a', 'b'], [2.0, 3.0])

    The last column is the outcome. Its sum of squares within the classes, and the class means, from which
    a value amid the column was taken off:

    >>> float(summary.within[-1, -1])
    4.0
    >>> (summary.means + summary.shift)[:, -1].tolist()
    [2.0, 7.0]

    Every fit takes a summary in place of a table, and needs no formula then:

    >>> from helpers import partial_pooling
    >>> fit = partial_pooling(None, summary)
    >>> fit.nobs, fit.ngroups
    (5, 2)
    """
    if isinstance(data, GroupSummary):
        for said, known in ((formula, data.formula), (groups, data.group)):
            if said not in (None, known):
                raise ValueError(f"this summary is of {known!r}, not {said!r}: summarise the table again")
        return data
    table, deviations = engines.read(data, formula, groups, missing), engines.Deviations
    if table is None:
        table, deviations = columns.read(data, formula, groups, missing), Deviations
    return reduce_table(table, deviations, formula, groups, carried_beyond)[0]


def reduce_table(table, deviations, formula, groups, carried_beyond=None, products=True):
    """Reduce a table that was read to a `GroupSummary`, as `summarise` does, and hand on its deviations.

    Parameters
    ----------
    table : columns.Table or engines.Grouped
    deviations : type
        What makes deviations from group means of it.
    formula, groups, carried_beyond
        As for `summarise`.
    products : bool
        Whether the summary is to have the cross-products by group.

    Returns
    -------
    summary : GroupSummary
    rows : Deviations
        The terms' share of the outcome taken off.
    """
    terms, intercept = table.terms, table.intercept
    used = slice(None) if table.counts.all() else table.counts > 0
    sizes = table.counts[used].astype(float)
    labels = of_used(table, used, groups)
    _refuse_few(labels, len(sizes), groups, int(sizes.sum()), terms)
    places = np.array([k for k in range(len(terms) + 1) if k != intercept])
    shift = np.zeros(len(terms) + 1)
    if intercept is not None:
        shift[places] = table.origin
    with np.errstate(all="ignore"):  # what cannot be squared is named below
        rows = deviations(table, shift[places], used)
        of_slopes = partial(
            GroupSummary,
            formula=formula,
            outcome=table.outcome,
            group=groups,
            terms=terms,
            intercept=intercept,
            labels=labels,
            sizes=sizes,
            shift=shift,
            products=rows.products if products else np.zeros((0, len(places) - 1, len(places))),
            dropped=table.dropped,
        )
        summary = of_slopes(slopes=np.zeros(len(terms)), **_sums(rows, sizes, places))
        cross = summary.about_centre()
    _refuse_spread(cross, table, places)
    own = [k for k in places[:-1].tolist() if carried_beyond is None or terms[k] in carried_beyond]
    if own:
        slopes = np.zeros(len(terms))
        slopes[own] = along(cross, terms, own, [] if intercept is None else [terms[intercept]])
        rows.take_off(slopes[places[:-1]])
        summary = of_slopes(slopes=slopes, **_sums(rows, sizes, places))
    _refuse_explained(summary, table, cross[-1, -1])
    if not rows.small:
        _ = summary.products  # made now, so that the rows need not stay
    return summary, rows


def _sums(rows, sizes, places):
    """Means and cross-products of all columns, from those of all but the constant."""
    width = places[-1] + 1
    means, within = np.ones((len(sizes), width)), np.zeros((width, width))
    means[:, places], within[places[:, None], places] = rows.means + rows.steps, rows.cross(sizes)
    return {"means": means, "within": within}


def _refuse_few(labels, J, groups, nobs, terms):
    """Say so if there is one group only, or no more rows than terms."""
    if groups is not None and J < 2:
        raise ValueError(
            f"column {groups!r} holds one group only, {labels().tolist()[0]!r}: "
            "comparing groups takes two or more"
        )
    if nobs <= len(terms):
        raise ValueError(
            f"{nobs} rows cannot tell {len(terms)} terms apart ({', '.join(terms)}): "
            "leave terms out or bring more rows"
        )


def _refuse_spread(cross, table, places):
    """Name the first column whose spread is too large or too small to be squared."""
    for k, square in enumerate(cross.diagonal()[places].tolist()):
        if not _LEAST**2 < square < _MOST**2:
            low, high = map(float, table.extent(k))
            if low < high:
                name = [*table.terms, table.outcome][places[k]]
                raise ValueError(
                    f"{name!r} varies by {high - low:.3g}, too far from 1 to be squared: change its unit"
                )


def _refuse_explained(summary, table, square):
    """Say so if the terms leave nothing of the outcome, whose sum of squares was ``square``."""
    constant = False
    if summary.intercept is not None:
        level = abs(summary.shift[-1]) * math.sqrt(summary.nobs * ROUNDING)
        constant = math.sqrt(max(square, 0.0)) <= level and not np.ptp(table.extent(-1))
    if constant or summary.about_centre()[-1, -1] <= ROUNDING * square:
        raise ValueError(
            f"the terms explain {table.outcome!r} to the last digit (is it constant?): "
            "nothing is left to estimate a standard error from"
        )


class Deviations:
    """Columns as deviations from their group means, by the corrected two-pass formula (Chan et al. 1983).

    ``means`` (J, v) are the means of a first pass, less shift, ``rows`` (v, N) the deviations from them,
    and ``steps`` (J, v) the means of these: what rounding left, to be added to the one and taken off the
    other.
    """

    def __init__(self, table, shift, used):
        codes = table.codes
        self._parts = parts(len(codes), len(table.counts))
        if len(self._parts) == 1:
            codes = codes.astype(np.intp, copy=False)
        self._codes, self._counts, self._used = codes, table.counts, used
        self._inside = None  # products of the rows, once they were asked for
        self._divisor = table.counts if isinstance(used, slice) else np.maximum(table.counts, 1)
        self.rows = np.empty((len(table.columns), len(codes)))
        self.small = self.rows.size <= _FEW
        means = self._sums(table.columns) / self._divisor
        for part in self._parts:
            places = self._places(part)
            for row, column, mean in zip(self.rows[:, part], table.columns, means, strict=True):
                mean.take(places, out=row, mode="clip")  # needs no buffer; no code is out of bounds
                np.subtract(column[part], row, out=row)
        self.means = means[:, used].T - shift
        self.steps = (self._sums(self.rows) / self._divisor)[:, used].T

    def _places(self, part):
        """Codes of some rows as numpy wants them, which is wider than most need to be."""
        return self._codes[part].astype(np.intp, copy=False)

    def _sums(self, rows, times=None):
        """Sums by label of each of some rows, times one, of shape (rows, labels)."""
        first, *others = self._parts
        found = np.array([*self._of_part(first, rows, times)])
        for part in others:
            for sums, more in zip(found, self._of_part(part, rows, times), strict=True):
                sums += more
        return found

    def _of_part(self, part, rows, times):
        """Sums by label of each over one part."""
        places = self._places(part)
        for row in rows:
            here = row[part] if times is None else row[part] * times[part]
            yield added_up(places, here, len(self._counts))

    def cross(self, sizes):
        """Cross-products within the groups."""
        if self._inside is None:
            self._inside = self._products_with(self.rows)
        return self._inside - (self.steps.T * sizes) @ self.steps

    def _products_with(self, some):
        """Products of the rows with some of them, added up in pairs: BLAS would lose digits, and stall."""
        if self.small:
            return (some[:, None] * self.rows).sum(axis=-1)
        whole = self.rows.shape[1] // _BLOCK * _BLOCK
        blocks, others = (of[:, :whole].reshape(len(of), -1, _BLOCK) for of in (self.rows, some))
        inside = np.einsum("ibn,kbn->ikb", others, blocks).sum(axis=-1)
        return inside + np.einsum("in,kn->ik", some[:, whole:], self.rows[:, whole:])

    def take_off(self, slopes):
        """Put what the other columns, times their slopes, leave of the last in its place, row by row."""
        self.rows[-1] -= slopes @ self.rows[:-1]
        self.means[:, -1] -= self.means[:, :-1] @ slopes
        self.steps[:, -1] = (self._sums(self.rows[-1:])[0] / self._divisor)[self._used]
        if self._inside is not None:
            self._inside[-1] = self._inside[:, -1] = self._products_with(self.rows[-1:])[0]

    def products(self):
        """Cross-products by group of all columns but the last with all, of shape (J, v, v + 1)."""
        v = len(self.rows) - 1
        if not v:
            return np.empty((len(self.steps), 0, 1))
        products = np.empty((len(self.steps), v, v + 1))
        for i in range(v):
            found = self._sums(self.rows[i:], self.rows[i])[:, self._used]
            products[:, i, i:] = found.T
            products[:, i:, i] = found[:-1].T
        steps = self.steps * self._counts[self._used, None]
        products -= steps[:, :-1, None] * self.steps[:, None]
        return products
