"""The profile likelihood of a random-intercept model in r = psi / theta: its analytic score, its root.

With r known everything else has a closed form. A group's weight depends on its size alone, so the
groups collapse to their distinct sizes, and one evaluation is one small product whatever N and J.
Formulas: Patterson and Thompson (1971); Bates et al. (2015), section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import expm1, log, log1p, nan, pi
from operator import lt

import numpy as np
from scipy.linalg import lapack
from scipy.optimize import brentq

from ..tables.summary import ROUNDING

_DECADE = 5  # points of the scan for each power of ten; 4 missed no maximum of 240 000 data sets
_CHEBYSHEV = -np.cos(np.linspace(0, np.pi, 8))  # points between -1 and 1
_AROUND = 3  # points of the scan on either side of two amid which the root lies
_ADJUGATE = np.array([[1.0, -1.0], [-1.0, 1.0]])
_NEAR = 1e-3  # how far, relative to the root, the second look reaches


@dataclass(frozen=True)
class VarianceFit:
    """The maximum of the (restricted) likelihood.

    Attributes
    ----------
    psi, theta : float
        Variance between and within groups.
    beta : ndarray of shape (p,)
        Coefficients for the shifted columns of the `GroupSummary`, about its centre.
    cov : ndarray of shape (p, p)
        Their covariance at psi and theta.
    criterion : float, or a function that works it out
        R's ``REMLcrit``, or -2 log likelihood under ML.
    """

    psi: float
    theta: float
    beta: np.ndarray
    cov: np.ndarray
    criterion: float | Callable


class Profile:
    """Minus twice the profile log likelihood of one data set, as a function of the variance ratio.

    Parameters
    ----------
    summary : GroupSummary
    method : {"reml", "ml"}

    Raises
    ------
    ValueError
        If every group has one row, if the outcome does not vary within the groups beyond the terms,
        or if the terms leave nothing between the groups.
    """

    def __init__(self, summary, method="reml"):
        if method not in ("reml", "ml"):
            raise ValueError(f'method must be "reml" or "ml"; got {method!r}')
        p = len(summary.terms)
        self.reml = method == "reml"
        self.degrees = summary.nobs - p if self.reml else summary.nobs
        if summary.nobs == summary.ngroups:
            raise ValueError(
                f"every {summary.group} has one row only: the variances between and within "
                "cannot be told apart; complete_pooling is what such data allow"
            )
        self._asked = summary, method
        self.scale, self.within, self.groups, self.left = summary.unit
        if not self.left:
            raise ValueError(
                f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
                "the variance within is 0 and the ratio of the variances infinite; "
                f"average to one row per {summary.group} and use complete_pooling"
            )
        self._inverse_sizes = 1 / self.groups.sizes
        self._between = self.groups.between.reshape(len(self.groups.sizes), -1)
        inside = self.within[:-1, :-1]
        few = summary.ngroups <= p  # only then need the rank be known
        if few and summary.ngroups + np.linalg.matrix_rank(inside, tol=1e-12, hermitian=True) <= p:
            raise ValueError(
                f"{summary.ngroups} groups and {p} terms ({', '.join(summary.terms)}): the terms leave "
                "nothing between the groups to estimate psi from; "
                f"leave out terms that are constant within {summary.group}"
            )

    def _cross(self, r):
        """Weights of the mean of a group of each size, and the cross-products in V^-1, at theta = 1."""
        weights = 1 / np.add.outer(r, self._inverse_sizes)
        return weights, self.within + (weights @ self._between).reshape(
            *weights.shape[:-1], *self.within.shape
        )

    def gls(self, r):
        """Generalised least squares at the ratio r, theta = 1, for columns of unit length.

        Parameters
        ----------
        r : float or ndarray
            Ratios, r >= 0.

        Returns
        -------
        XX : ndarray of shape (..., p, p)
            X'V^-1 X.
        beta : ndarray of shape (..., p)
        rss : ndarray
            Residual sum of squares in the metric of V^-1.
        """
        _, cross = self._cross(r)
        XX, Xy = cross[..., :-1, :-1], cross[..., :-1, -1:]
        beta = np.linalg.solve(XX, Xy)
        return XX, beta[..., 0], cross[..., -1, -1] - (Xy * beta).sum(axis=(-2, -1))

    def log_det(self, r):
        """Log determinant of V at theta = 1."""
        return np.log1p(np.multiply.outer(r, self.groups.sizes)) @ self.groups.counts

    def criterion(self, r):
        """R's REMLcrit, or -2 log likelihood, at each r >= 0 (theta and beta at their best)."""
        XX, _, rss = self.gls(r)
        log_theta = np.log(rss / self.degrees) + 2 * np.log(self.scale[-1])
        value = self.degrees * (1 + np.log(2 * np.pi) + log_theta) + self.log_det(r)
        if not self.reml:
            return value
        return value + np.linalg.slogdet(XX)[1] + 2 * np.log(self.scale[:-1]).sum()

    def score(self, r):
        """Derivative of `criterion` in r, in closed form."""
        weights, cross = self._cross(r)
        inverse = _inverse(cross)
        last = inverse[..., -1, None]  # -beta and 1, over the residual sum of squares
        along = (last * ((self.degrees - self.reml) / last[..., -1:, :])) * last.swapaxes(-2, -1)
        if self.reml:
            along += inverse
        # By size: the cross-products fall by weight^2 as r grows, the log determinant rises by weight.
        fall = along.reshape(*weights.shape[:-1], -1) @ self._between.T
        return np.vecdot(weights, self.groups.counts - weights * fall)

    def best_ratio(self):
        """Return psi / theta at the highest of the maxima; 0.0 at the boundary."""
        closed = _balanced(*self._asked)
        return closed.psi / closed.theta if closed else self._search()

    def _search(self):
        """`best_ratio` where it has no closed form.

        The profile can have several maxima where group sizes differ, so a scan comes before the root.
        It reaches from where the largest groups stop to inform to beyond where the smallest do.
        """
        sizes, _, between = self.groups
        most = self.degrees * float(between[:, -1, -1].sum() / self.left)
        while True:
            grid = scan(sizes, most)
            score = self.score(grid)
            if not score[-1] <= 0:  # beyond here the criterion rises
                break
            most *= 1e3
        rises = (score > 0).tolist()
        minima = [0.0] if rises[0] else []
        for k in range(len(rises) - 1):
            if rises[k] < rises[k + 1]:
                minima.append(_root(self.score, grid, score, k, float(sizes[-1])))
        return min(minima, key=self.criterion) if len(minima) > 1 else minima[0]

    def fit(self):
        """Return the `VarianceFit` at the maximum."""
        return self._at(float(self.best_ratio()))

    def _at(self, r):
        _, cross = self._cross(r)
        XX, Xy = cross[:-1, :-1], cross[:-1, -1]
        inverse = lapack.dgesv(XX, np.eye(len(XX)))[2]  # numpy's inv, without a third of its time
        beta = inverse @ Xy
        theta = float(cross[-1, -1] - Xy @ beta) / self.degrees
        x, y = self.scale[:-1], float(self.scale[-1])
        cov = inverse * (theta * y**2 / (x[:, None] * x))
        return VarianceFit(r * theta * y**2, theta * y**2, beta * (y / x), cov, partial(self.criterion, r))


def maximum(summary, method):
    """The `VarianceFit` of a summary: in closed form where that is known, else by `Profile`.

    Parameters
    ----------
    summary : GroupSummary
    method : {"reml", "ml"}

    Returns
    -------
    VarianceFit

    Raises
    ------
    ValueError
        As `Profile`.
    """
    closed = _balanced(summary, method)
    if closed:
        return closed
    profile = Profile(summary, method)
    return profile._at(float(profile._search()))


def _balanced(summary, method):
    """The analysis of variance, which REML is for the constant alone in groups of one size (notebook 04)."""
    if summary.terms != ["Intercept"] or summary.intercept != 0 or method not in ("reml", "ml"):
        return None
    sizes, means, left = summary.sizes, summary.means[:, -1], float(summary.within[-1, -1])
    n, J = float(sizes[0]), len(sizes)
    if n == 1 or (sizes != n).any():
        return None
    mean = float(means.sum()) / J
    apart = means - mean
    square = n * float(apart @ apart)
    if left <= ROUNDING * (left + square + n * J * mean**2):
        return None
    degrees, lost = (n * J - 1, 1) if method == "reml" else (n * J, 0)
    between, theta = square / (J - lost), left / (J * (n - 1))
    psi = (between - theta) / n
    if psi <= 0:
        psi, between = 0.0, (theta := (square + left) / degrees)
    criterion = degrees * (1 + log(2 * pi) + log(theta)) + J * log(between / theta)
    criterion += lost * log(n * J * theta / between)
    return VarianceFit(psi, theta, np.zeros(1), np.array([[between / (n * J)]]), criterion)


def _inverse(cross):
    """Inverse of each matrix (..., q, q): in closed form where q is 2, as with the constant alone."""
    if cross.shape[-1] > 2:
        return np.linalg.inv(cross)
    det = cross[..., 0, 0] * cross[..., 1, 1] - cross[..., 0, 1] * cross[..., 1, 0]
    return cross[..., ::-1, ::-1] * _ADJUGATE / det[..., None, None]


def _root(score, grid, known, k, n):
    """Where the score, known on a grid, rises through 0 between its points k and k + 1.

    In u = log(1 + n r) the slope (1 + n r) score is so smooth that u is as good as a polynomial in it: it is
    read off from the points around, and again from a few Chebyshev points close by, which cost as much as a
    step of `brentq`; that is there for a slope that does not rise all the way.
    """
    around = slice(max(k - _AROUND, 0), k + _AROUND + 2)
    reach = 1 + n * grid[around]
    low, high = bounds = log1p(n * grid[k]), log1p(n * grid[k + 1])
    root = _read_off(np.log(reach).tolist(), (reach * known[around]).tolist())
    for close in (low <= root <= high, True, True, True):
        if close:
            low, high = max(root * (1 - _NEAR), bounds[0]), min(root * (1 + _NEAR), bounds[1])
        if not low < high:
            break
        u = (low + high) / 2 + (high - low) / 2 * _CHEBYSHEV
        root = _read_off(u.tolist(), (np.exp(u) * score(np.expm1(u) / n)).tolist())
        if close and low <= root <= high:  # else the look before was too far off to be close by
            return expm1(root) / n
    return brentq(score, grid[k], grid[k + 1], xtol=1e-300, rtol=4 * np.finfo(float).eps)


def _read_off(u, slope):
    """Where the polynomial for u in a slope that rises has slope 0 (Neville); NaN for one that does not rise.

    Parameters
    ----------
    u, slope : list of float
        So few that numpy would take longer.
    """
    if not all(map(lt, slope, slope[1:])):
        return nan
    at = [value - u[0] for value in u]
    for apart in range(1, len(u)):
        at = [
            one + (other - one) * here / (here - there)
            for one, other, here, there in zip(at, at[1:], slope, slope[apart:], strict=False)
        ]
    return u[0] + at[0]


def scan(sizes, most):
    """Ratios to scan: 0, and evenly on the log scale from where nothing is known to where all is.

    The sizes are in order, the least first.
    """
    low, high = log(1e-3 / sizes[-1]), log(10 * max(1 / sizes[0], most))
    points = int(_DECADE * (high - low) / log(10))
    grid = np.exp(low + (high - low) / (points - 1) * np.arange(points))
    grid[0] = 0.0
    return grid
