"""Intervals that hold where the variance between groups is near 0 or the groups are few and unequal.

A new group and a new row: predicted from the spread of the group means themselves, whose df no estimate of
psi near 0 can shrink.

The pivot of Wald (1940) and of Harville and Fenech (1985): at the true ratio r = psi / theta the sum of
squares between the groups, in the metric of V(r), over the mean square within is F, exactly, for any sizes
and predictors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize

from ..formulas import distributions as stats
from . import information
from .profile import Profile


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


def icc_interval(f_ratio, J, n, alpha=0.05):
    """Exact interval for the intraclass correlation of balanced normal data, from F = MSB / MSW.

    With f = F / quantile of F on J - 1 and J (n - 1) degrees of freedom, the ends are (f - 1) / (f + n - 1):
    Searle et al. (1992), section 3.6. Ends below 0 are set to 0.

    Parameters
    ----------
    f_ratio : float
        Mean square between over mean square within.
    J, n : int
        Groups, and rows in each.
    alpha : float
        One minus the level.

    Returns
    -------
    tuple of float
    """
    f = f_ratio / stats.f.ppf([1 - alpha / 2, alpha / 2], J - 1, J * (n - 1))
    lower, upper = np.maximum((f - 1) / (f + n - 1), 0.0)
    return float(lower), float(upper)


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


def groups_left(summary):
    """Groups less the coefficients on their level, J - q: what the data have to learn their spread from."""
    return _Pivot(summary).between


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


def predicted_new(summary, contrast, beta, psi, theta, new_row=False):
    """Squared error and degrees of freedom of the mean of a group not yet seen, or of one row of it.

    The spread s^2 of the group means, after the terms that are constant within groups, has the expectation
    psi + theta / h, h the harmonic mean size, whatever psi is: it has its J - q degrees of freedom also where
    psi is estimated as 0. A new group's true mean varies by psi only, so its interval, t on these df times
    s sqrt(1 + A), A psi being the share of psi in the squared error of the mean of all groups, errs on the
    safe side. Of one row, the variance within that s^2 lacks, theta (1 - 1 / h), comes on top, with
    Satterthwaite's (1946) df of a sum of independent mean squares.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
        The coefficients of the centred columns whose sum is the mean of all groups.
    beta : ndarray of shape (p,)
        Coefficients of the centred columns.
    psi, theta : float
        Estimates, theta > 0.
    new_row : bool
        One row in place of the mean.

    Returns
    -------
    mse, df : float

    Raises
    ------
    ValueError
        As `reml.Profile`.

    Notes
    -----
    Where the means lie nearer together than chance alone would have them, s^2 is raised to theta / h, but
    not so far that the interval of a group were wider than twice that from s^2 itself. Balanced, with a
    constant alone and psi > 0, the squared error for a group is MSB / n (1 + 1 / J), on J - 1 df.
    """
    pivot = _Pivot(summary)
    inverse_size = float(np.mean(1 / summary.sizes))
    means, varies = summary.centred_means(), summary.varies_within()
    fixed = means[:, :-1][:, ~varies]
    level = means[:, -1] - means[:, :-1][:, varies] @ beta[varies]
    scale = np.sqrt(np.sum(fixed**2, axis=0))
    left = level - fixed @ (np.linalg.lstsq(fixed / scale, level, rcond=1e-10)[0] / scale)
    square = float(left @ left) / pivot.between
    shares = information.shares(summary, contrast, psi / theta)
    within = float(pivot.profile.left * pivot.profile.scale[-1] ** 2) / pivot.within
    design = inverse_size, summary.ngroups, pivot.between, pivot.within
    return of_new(square, theta, within, *shares, *design, new_row)


def of_new(square, theta, within, of_psi, of_theta, inverse_size, J, df_between, df_within, new_row=False):
    """Squared error and df of something new, from the spread of the group means: see `predicted_new`.

    Parameters
    ----------
    square, theta, within : array_like
        s^2; the variance within as the fit has it, and on ``df_within`` df.
    of_psi, of_theta : array_like
        Of psi and theta in the squared error of the mean of all groups.
    inverse_size : float
        Mean of 1 / n_j.
    J, df_between, df_within : int
    new_row : bool

    Returns
    -------
    mse, df : float or ndarray
    """
    most = 4 * square * (1 + 1 / J) / (1 + of_psi)
    square = np.maximum(square, np.minimum(theta * inverse_size, most))
    between = square * (1 + of_psi)
    rest = within * np.maximum(of_theta - of_psi * inverse_size, 0.0)
    if new_row:
        rest = rest + within * (1 - inverse_size)
    mse = between + rest
    spread = between**2 / df_between + rest**2 / df_within
    return mse, np.where(spread > 0, mse**2 / np.where(spread > 0, spread, 1.0), df_between)[()]
