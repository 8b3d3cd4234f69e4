"""Cluster-robust standard errors around nested groupings, by the outer one: schools, of classes in schools.

A school's V, X and residuals live in few dimensions: for its classes of one size the sum of all their rows
and what their means of X span about the mean of these, where V is 1 + h n; within classes what X spans, where
V is 1. The sums of a school alone meet its own variance. `slopes.sandwich` has the formulas.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .. import estimable
from ..checks import one_of
from ..result import robust
from ..slopes.likelihood import triangular
from ..slopes.sandwich import KINDS, combined, scores


class Around:
    """The part of a fit that has a sandwich around it: of its ``_point`` and ``_groupings``."""

    def cluster_robust(self, kind="CR2"):
        """Return this fit with sandwich standard errors by the outer grouping: by school, of "school/class".

        R's ``vcovCR(lmer(y ~ x + (1 | school/class)), cluster = school, kind)``. They hold whatever the
        dependence within schools, if these are many and independent.

        Parameters
        ----------
        kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}
            As `slopes.sandwich.cluster_robust`. CR2 is exact in expectation where the model is right and the
            variances are known, with Satterthwaite's df; the others have those of the outer groups less 1.

        Returns
        -------
        GroupingsFit
            Estimates and variances as before. A term that one outer group alone carries
            (`estimable.lone_groups`) has no such error: NaN, and the reason in ``withheld``. `with_df` of it
            gives the model's own errors again.

        Raises
        ------
        ValueError
            If the kind is none of these, no term has such an error, or the groupings are crossed: then no
            grouping has independent groups.

        Examples
        --------
        >>> import numpy as np, pandas as pd
        >>> from helpers import partial_pooling
        >>> rows = np.arange(240)
        >>> noise = np.random.default_rng(1).normal(size=(3, 240))
        >>> data = pd.DataFrame({"school": rows // 20, "class": rows // 5 % 4, "x": noise[0]})
        >>> data["y"] = data["x"] + noise[1][rows // 20] + noise[2]
        >>> fit = partial_pooling("y ~ x", data, "school/class").cluster_robust("CR2")
        >>> fit.df_method, bool(fit.df["x"] < 11)
        ('CR2', True)
        """
        one_of("kind", kind, KINDS)
        if not self._groupings.nested:
            first, second = self._groupings.names
            raise ValueError(
                f"{first} and {second} are crossed, so the groups of neither are independent: for clusters "
                f'both ways take complete_pooling(..., groups=["{first}", "{second}"]).cluster_robust()'
            )
        withheld = estimable.withheld(by_outer(self._groupings), self._contrasts)
        cov, of = cluster_robust(self._point, kind)
        cov = self._working @ cov @ self._working.T * self._length**2
        none = np.isin(self.data.terms, list(withheld))
        return self._with(robust(kind, cov, of, self._working, none), withheld)


def by_outer(groupings):
    """The `GroupSummary` of the same rows by the outer of two nested groupings."""
    rows, outer = groupings.rows, 1 - groupings.inner
    school = outer_of(groupings)
    K, n = groupings.counts.shape[0], rows.sizes
    sizes = _summed(n, school, K)
    means = _summed(n[:, None] * rows.means, school, K) / sizes[:, None]
    away = np.sqrt(n)[:, None] * (rows.means - means[school])
    along = away[:, rows.varying]
    between = along[:, :, None] * away[:, None, [*rows.varying, len(rows.terms)]]
    return replace(
        rows, group=groupings.names[outer], labels=groupings.labels[outer], sizes=sizes, means=means,
        within=rows.within + away.T @ away, products=_summed(rows.products + between, school, K),
    )  # fmt: skip


def outer_of(groupings):
    """Where among the outer groups each inner one lies."""
    cells = groupings.counts.tocoo()
    school = np.empty(groupings.counts.shape[1], dtype=np.intp)
    school[cells.col] = cells.row
    return school


def cluster_robust(point, kind):
    """Sandwich covariance of the coefficients by outer group, as `slopes.sandwich.cluster_robust`.

    Parameters
    ----------
    point : likelihood.Point
        Of nested groupings.
    kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}

    Returns
    -------
    cov : ndarray of shape (p, p)
        Of the coefficients in working units, over the squared length of the outcome.
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a of these.
    """
    school, spread, ones, columns = _coordinates(point)
    order = np.argsort(school, kind="stable")
    many = np.bincount(school)
    place = np.empty(len(school), dtype=np.intp)
    place[order] = np.arange(len(school)) - np.repeat(np.cumsum(many) - many, many)
    width = 2 ** np.ceil(np.log2(many)).astype(int)  # schools of like width together: padded, V is 1 there
    parts = []
    for q in np.unique(width):
        these = np.flatnonzero(width == q)
        among = np.full(len(many), -1)
        among[these] = np.arange(len(these))
        own = among[school] >= 0
        j, k = among[school[own]], place[own]
        V, one, C = (np.zeros((*shape, len(these))) for shape in ((q, q), (q,), (q, point.of.p + 1)))
        V[np.arange(q), np.arange(q)] = 1.0
        V[k, k, j], one[k, j], C[k, :, j] = spread[own], ones[own], columns[own]
        V += point.g * one[:, None] * one
        parts.append(scores(V, C[:, :-1], point.residual @ C, point.root, kind))
    return combined(parts, point.root, kind, point.of.nobs)


def _coordinates(point):
    """Of every coordinate its school, V less the school's part, that of a column of ones, and the columns."""
    of = point.of
    rows, p = of.groupings.rows, of.p
    school, K = outer_of(of.groupings), of.counts.shape[0]
    alike, member = np.unique(np.column_stack([school, of.n]), axis=0, return_inverse=True)
    member = member.reshape(-1)
    school_of, size = alike[:, 0].astype(np.intp), alike[:, 1]
    k = np.bincount(member)
    means = _summed(of.means, member, len(k)) / k[:, None]
    away = np.sqrt(of.n)[:, None] * (of.means - means[member])
    about = _spanned(_summed(away[:, :p, None] * away[:, None, :], member, len(k)))  # (strata, p, p + 1)
    every = [*rows.varying, p]
    lengths = of.lengths[rows.varying, None] * of.lengths[every]
    varying = _spanned(_summed(rows.products / lengths, school, K))
    within = np.zeros((K, len(rows.varying), p + 1))
    within[:, :, every] = varying
    rest = [
        (np.repeat(school_of, p), np.repeat(1 + point.h * size, p), about.reshape(-1, p + 1)),
        (
            np.repeat(np.arange(K), len(rows.varying)),
            np.ones(K * len(rows.varying)),
            within.reshape(-1, p + 1),
        ),
    ]
    parts = [(school_of, 1 + point.h * size, np.sqrt(k * size), np.sqrt(k * size)[:, None] * means)]
    for where, spread, columns in rest:
        some = columns[:, :p].any(axis=1)
        parts.append((where[some], spread[some], np.zeros(some.sum()), columns[some]))
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _spanned(products):
    """Coordinates (m, v, v + 1) of v columns and the outcome in a basis of the v, from cross-products."""
    return np.moveaxis(triangular(np.moveaxis(products, 0, -1).copy(), 0.0), -1, 0)


def _summed(values, group, K):
    """Sums by group, of shape (K, ...)."""
    flat = values.reshape(len(values), -1)
    sums = np.array([np.bincount(group, column, K) for column in flat.T])
    return sums.T.reshape(K, *values.shape[1:])
