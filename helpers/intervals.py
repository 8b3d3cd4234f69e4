"""Intervals that hold where the variance between groups is near 0 or the groups are few and unequal.

The pivot of Wald (1940) and of Harville and Fenech (1985): at the true ratio r = psi / theta the sum of
squares between the groups, in the metric of V(r), over the mean square within is F, exactly, for any sizes
and predictors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from .reml import Profile


class VarianceRatioF(NamedTuple):
    """An exact F statistic of the variance ratio.

    Attributes
    ----------
    f : float or ndarray
        Mean square between the groups after the terms, in the metric of V(r), over that within.
    df_between, df_within : int
        Its degrees of freedom where r is the true ratio.
    """

    f: float
    df_between: int
    df_within: int

    @property
    def lower_tail(self):
        """P(F <= f): small where groups differ less than the ratio r would have it."""
        return stats.f.cdf(self.f, self.df_between, self.df_within)


def variance_ratio_f(summary, r):
    """The pivot of r = psi / theta: F on exactly known degrees of freedom where r is the true ratio.

    Parameters
    ----------
    summary : GroupSummary
        Sizes may differ, and there may be predictors.
    r : float or ndarray
        Ratios, r >= 0; 0 gives the F test of the groups after the terms.

    Returns
    -------
    VarianceRatioF
        ``f`` falls as r grows, from the F statistic of the groups to 0.

    Raises
    ------
    ValueError
        As `reml.Profile`.

    Notes
    -----
    With Q(r) the residual sum of squares of generalised least squares in the metric of V(r) / theta, and
    Q(inf) that of least squares with a constant for each group, (Q(r) - Q(inf)) / theta and
    Q(inf) / theta are independent chi-square variables (Harville and Fenech 1985; Wald 1940 without
    predictors). Balanced, with a constant alone, f = F / (1 + n r).
    """
    pivot = _Pivot(summary)
    return VarianceRatioF(pivot.f(r), pivot.between, pivot.within)


class _Pivot:
    """The pivot of one data set, in units of the outcome's own spread."""

    def __init__(self, summary):
        self.profile = profile = Profile(summary, "reml")
        p, inside = len(summary.terms), profile.within[:-1, :-1]
        rank = np.linalg.matrix_rank(inside, tol=1e-12, hermitian=True) if inside.any() else 0
        self.between = int(summary.ngroups + rank - p)
        self.within = int(summary.nobs - summary.ngroups - rank)
        if self.within < 1:
            raise ValueError(
                f"{summary.nobs} rows, {summary.ngroups} groups and {p} terms leave nothing to estimate the "
                "variance within from"
            )

    def square(self, r):
        """Sum of squares between the groups in the metric of V(r), at theta = 1."""
        return np.maximum(self.profile.gls(r)[2] - self.profile.left, 0.0)

    def f(self, r):
        return self.square(r) / self.between / (self.profile.left / self.within)

    def ratio(self, probability):
        """The ratio at which f has this quantile of its distribution; 0.0 where f(0) is below it."""
        aim = stats.f.ppf(probability, self.between, self.within)
        if self.f(0.0) <= aim:
            return 0.0
        high = 1.0
        while self.f(high) > aim:
            high *= 10
        low = high / 10 if high > 1 else 0.0
        return float(optimize.brentq(lambda r: self.f(r) - aim, low, high, xtol=1e-300, rtol=1e-14))


def variance_ratio_interval(summary, alpha=0.05):
    """Exact interval for r = psi / theta, for any sizes and predictors, by the pivot of `variance_ratio_f`.

    Parameters
    ----------
    summary : GroupSummary
    alpha : float
        One minus the level.

    Returns
    -------
    lower, upper : float
        Ends below 0 are set to 0, which costs no coverage. Where psi is 0 in truth only the lower end can
        miss, and 1 - alpha / 2 of the intervals hold it.

    Raises
    ------
    ValueError
        As `reml.Profile`.
    """
    pivot = _Pivot(summary)
    return pivot.ratio(1 - alpha / 2), pivot.ratio(alpha / 2)


def between_variance_interval(summary, alpha=0.05):
    """Interval for psi: that of Williams (1962) and Tukey (1951), carried to any sizes and predictors.

    With (l, u) the exact interval of r = psi / theta and S(r) the sum of squares between the groups in the
    metric of V(r), which is theta times a chi-square at the true r, the ends are l S(l) and u S(u) over the
    upper and the lower quantile of that chi-square.

    Parameters
    ----------
    summary : GroupSummary
    alpha : float
        One minus the level.

    Returns
    -------
    lower, upper : float

    Raises
    ------
    ValueError
        As `reml.Profile`.
    """
    pivot = _Pivot(summary)
    unit = float(pivot.profile.scale[-1]) ** 2
    ends = []
    for probability in (1 - alpha / 2, alpha / 2):
        r = pivot.ratio(probability)
        square = pivot.square(r) / stats.chi2.ppf(probability, pivot.between)
        ends.append(float(r * square) * unit)
    return tuple(ends)
