"""Profile likelihood intervals for the variances and the coefficients."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy import optimize, special

from ..formulas import distributions as stats
from .profile import Profile

_FINE = 256  # points of the scan for the end of a profile interval, before the climb


def profile_intervals(summary, contrasts, alpha, method="ml"):
    """Likelihood intervals for psi, theta and contrasts of the coefficients.

    All values that a likelihood-ratio test at level alpha would not reject, everything else at its best: the
    set of (ratio, value) whose deviance is within a chi-square quantile of the least, seen from the side.
    For each ratio r the values have closed form ends, so one climb in r finds each end.

    Parameters
    ----------
    summary : GroupSummary
    contrasts : ndarray of shape (k, p)
        Of the coefficients of the centred columns; none under "reml", whose likelihood has no coefficients.
    alpha : float
    method : {"ml", "reml"}
        Which likelihood.

    Returns
    -------
    ndarray of shape (2 + k, 2)
        Lower and upper ends for psi, theta, and each contrast.
    """
    profile = Profile(summary, method)
    N, best = profile.degrees, profile.best_ratio()

    def log_det(r, XX):
        return profile.log_det(r) + (np.linalg.slogdet(XX)[1] if profile.reml else 0.0)

    def deviance(r):
        XX, _, rss = profile.gls(r)
        return N * np.log(rss) + log_det(r, XX)

    most = deviance(best) + stats.chi2.ppf(1 - alpha, 1)
    low, high = _crossings(lambda r: deviance(r) - most, best)
    y = profile.scale[-1]

    def theta(r, branch):
        XX, _, rss = profile.gls(r)
        # rss / theta = N s, where s - log s = 1 + room
        room = np.maximum(most - N * np.log(rss) - log_det(r, XX), 0.0) / N
        return y**2 * rss / (-N * special.lambertw(-np.exp(-1 - room), branch).real)

    def coefficient(r, a):
        """Lower end of a'beta."""
        XX, beta, rss = profile.gls(r)
        room = np.maximum(np.expm1((most - profile.log_det(r)) / N - np.log(rss)), 0.0) * rss
        variance = np.linalg.solve(XX, np.broadcast_to(a[:, None], (*np.shape(r), len(a), 1)))[..., 0] @ a
        return beta @ a - np.sqrt(variance * room)

    ends = [
        [_least(lambda r: r * theta(r, -1), low, high), -_least(lambda r: -r * theta(r, 0), low, high)],
        [_least(lambda r: theta(r, -1), low, high), -_least(lambda r: -theta(r, 0), low, high)],
    ]
    for contrast in contrasts:
        lower, upper = (partial(coefficient, a=contrast / profile.scale[:-1] * sign) for sign in (1, -1))
        ends.append([y * _least(lower, low, high), -y * _least(upper, low, high)])
    return np.array(ends)


def _crossings(excess, best):
    """Return the outermost ratios where the deviance is no more than allowed; it is so at ``best``."""
    grid = np.concatenate([[0.0], np.geomspace(1e-9, 1e9, 500)])
    grid = np.unique(np.append(grid * max(best, 1e-3), best))
    inside = np.flatnonzero(excess(grid) <= 0)
    first, last = inside[0], inside[-1]
    low = (
        0.0 if first == 0 else optimize.brentq(excess, grid[first - 1], grid[first], xtol=1e-300, rtol=1e-14)
    )
    return low, optimize.brentq(excess, grid[last], grid[last + 1], xtol=1e-300, rtol=1e-14)


def _least(value, low, high):
    """Least value of a function between two ratios: a scan, then a search about the best point."""
    grid = (
        np.linspace(low, high, _FINE) if low > 0 else np.append(0.0, np.geomspace(high * 1e-6, high, _FINE))
    )
    values = np.nan_to_num(value(grid), nan=np.inf)  # lambertw is NaN where an interval shrinks to a point
    k = values.argmin()
    bounds = grid[max(k - 1, 0)], grid[min(k + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        value, bounds=bounds, method="bounded", options={"xatol": 1e-9 * bounds[1]}
    )
    return min(float(values[k]), float(found.fun))
