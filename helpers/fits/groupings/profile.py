"""The likelihood of two groupings with one variance given: profile intervals and tests of a variance.

A variance of a grouping is held while theta and the other move, or theta while both ratios do; each time by
the Newton steps of `search`, from where the last one stopped.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

from ...formulas import distributions as stats
from .search import in_t, minimise, ratios_of, scales_of

_FINE = 1e-10  # of an end, relative
_WIDEST = 1e8  # times the estimate: an end beyond it is infinite


class _Held:
    """The deviance where variance k (outer, inner, theta) has a given value, the others at their best."""

    def __init__(self, top, k):
        self.of, self.k, self.scales = top.of, k, scales_of(top.of)
        t = np.log1p(self.scales * top.ratios)
        self.start = t if k == 2 else np.array([t[1 - k], np.log(top.theta)])
        self.lower = np.zeros(2) if k == 2 else np.array([0.0, -np.inf])

    def __call__(self, value):
        """Least deviance there."""
        start = self.start
        if self.k < 2 and value > 0:  # theta must not start far above what the held variance allows
            start = np.array([start[0], min(start[1], np.log(value) + 12)])
        self.start, point = minimise(lambda x: self._expand(x, value), start, self.lower)
        return point.value

    def _expand(self, x, value):
        if self.k == 2:
            t, log_theta, held = x, np.log(value), None
        else:
            t, log_theta, held = np.zeros(2), x[1], self.k
            t[1 - held] = x[0]
            t[held] = np.log1p(self.scales[held] * value * np.exp(-log_theta))
        point = self.of.at(ratios_of(t, self.scales))
        share = point.theta * np.exp(-log_theta)  # of theta's own best value in the value it has
        given = _Given(point.value + self.of.degrees * (share - 1 - np.log(share)))

        def slopes():
            gradient = point.gradient + point.score * (1 - share)
            hessian = point.hessian + np.outer(point.score, point.score) / self.of.degrees
            hessian = hessian + (share - 1) * point.curve
            moved = _Moved(gradient, hessian)
            if held is None:
                return in_t(moved, t, self.scales)
            other, g, nu = 1 - held, point.ratios[held], self.of.degrees
            along = point.score * share
            first = np.array([gradient[other], nu * (1 - share) - g * gradient[held]])
            second = np.empty((2, 2))
            second[0, 0] = hessian[other, other]
            second[0, 1] = second[1, 0] = along[other] - g * hessian[other, held]
            second[1, 1] = nu * share - 2 * g * along[held] + g**2 * hessian[held, held] + g * gradient[held]
            slope = np.array([np.exp(t[other]) / self.scales[other], 1.0])
            first = first * slope
            return first, second * slope[:, None] * slope + np.diag([first[0], 0.0])

        return given, slopes


class _Given:
    def __init__(self, value):
        self.value = value


class _Moved:
    def __init__(self, gradient, hessian):
        self.gradient, self.hessian = gradient, hessian


def profile_intervals(top, alpha):
    """Ends of the profile likelihood intervals of the outer and inner variance and of theta.

    Parameters
    ----------
    top : likelihood.Point
        The maximum of the likelihood.
    alpha : float

    Returns
    -------
    ndarray of shape (3, 2)
        In units of the squared length of the outcome. A lower end is 0 where 0 is not rejected.
    """
    limit = top.value + stats.chi2.isf(alpha, 1)
    estimates = [*(top.ratios * top.theta), top.theta]
    return np.array([_ends(top, k, estimate, limit) for k, estimate in enumerate(estimates)])


def _ends(top, k, estimate, limit):
    def above(root):
        return held(root**2) - limit

    held, best = _Held(top, k), np.sqrt(estimate)
    lower = 0.0
    if best > 0 and (k == 2 or above(0.0) > 0):
        held, low = _Held(top, k), best / 2
        while k == 2 and above(low) < 0:
            low /= 2
        low = low if k == 2 else 0.0
        lower = brentq(above, low, best, xtol=_FINE * best, rtol=_FINE)
    held = _Held(top, k)
    most = np.sqrt(_WIDEST * max(estimate, top.theta))
    high = 1.5 * best if best > 0 else np.sqrt(top.theta / scales_of(top.of)[k])
    low = best
    while above(high) < 0:
        low, high = high, 2 * high
        if high > most:
            return lower**2, np.inf
    return lower**2, brentq(above, low, high, xtol=_FINE * high, rtol=_FINE) ** 2
