"""The profile likelihood of a random-intercept model in r = psi / theta: its analytic score, its root.

With r known everything else has a closed form. A group's weight depends on its size alone, so the
groups collapse to their distinct sizes, and one evaluation is one small product whatever N and J.
Formulas: Patterson and Thompson (1971); Bates et al. (2015), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

_DECADE = 5  # points of the scan for each power of ten; 4 missed no maximum of 240 000 data sets
_CHEBYSHEV = -np.cos(np.linspace(0, np.pi, 8))  # points between -1 and 1
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
    criterion : float
        R's ``REMLcrit``, or -2 log likelihood under ML.
    """

    psi: float
    theta: float
    beta: np.ndarray
    cov: np.ndarray
    criterion: float


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
        self.groups = summary.by_size
        whole = summary.about_centre().diagonal()
        self.scale = np.sqrt(np.where(whole > 0, whole, 1.0))
        unit = self.scale[:, None] * self.scale  # columns of unit length: no unit costs digits or overflows
        self.within = summary.within / unit
        self.groups = self.groups._replace(between=self.groups.between / unit)
        self.left = summary.unexplained(summary.within) / unit[-1, -1]
        if not self.left:
            raise ValueError(
                f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
                "the variance within is 0 and the ratio of the variances infinite; "
                f"average to one row per {summary.group} and use complete_pooling"
            )
        inside = self.within[:-1, :-1]
        few = summary.ngroups <= p  # only then need the rank be known
        if few and summary.ngroups + np.linalg.matrix_rank(inside, tol=1e-12, hermitian=True) <= p:
            raise ValueError(
                f"{summary.ngroups} groups and {p} terms ({', '.join(summary.terms)}): the terms leave "
                "nothing between the groups to estimate psi from; "
                f"leave out terms that are constant within {summary.group}"
            )
        # With groups of one size and no term but the constant the maximum has a closed form.
        self.balanced = len(self.groups.sizes) == p == 1 and summary.intercept == 0

    def _cross(self, r):
        """Weights of the mean of a group of each size, and the cross-products in V^-1, at theta = 1."""
        sizes = self.groups.sizes
        weights = sizes / (1 + np.multiply.outer(r, sizes))
        return weights, self.within + self.groups.weighted(weights)

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
        return self._criterion(r, XX, rss)

    def _criterion(self, r, XX, rss):
        log_theta = np.log(rss / self.degrees) + 2 * np.log(self.scale[-1])
        value = self.degrees * (1 + np.log(2 * np.pi) + log_theta) + self.log_det(r)
        if not self.reml:
            return value
        return value + np.linalg.slogdet(XX)[1] + 2 * np.log(self.scale[:-1]).sum()

    def score(self, r):
        """Derivative of `criterion` in r, in closed form."""
        weights, cross = self._cross(r)
        fall = self.groups.weighted(weights**2)  # minus the derivative of the cross-products
        XX, Xy = cross[..., :-1, :-1], cross[..., :-1, -1:]
        solved = np.linalg.solve(XX, np.concatenate([Xy, fall[..., :-1, :-1]], axis=-1))
        beta = solved[..., :1]
        rss = cross[..., -1, -1] - (Xy * beta).sum(axis=(-2, -1))
        residual = fall[..., -1] - (fall[..., :-1] @ beta)[..., 0]
        fall_rss = residual[..., -1] - (residual[..., :-1] * beta[..., 0]).sum(axis=-1)
        value = weights @ self.groups.counts - self.degrees * fall_rss / rss
        return value - solved[..., 1:].trace(axis1=-2, axis2=-1) if self.reml else value

    def best_ratio(self):
        """Return psi / theta at the highest of the maxima; 0.0 at the boundary.

        The profile can have several maxima where group sizes differ, so a scan comes before the root.
        It reaches from where the largest groups stop to inform to beyond where the smallest do.
        """
        sizes, counts, between = self.groups
        if self.balanced:
            n, J = sizes[0], counts[0]
            mean_square = n * between[0, -1, -1] / (J - 1 if self.reml else J)
            return max(0.0, float(mean_square / (self.left / (J * (n - 1))) - 1) / n)
        most = self.degrees * between[:, -1, -1].sum() / self.left
        while True:
            grid = scan(sizes, most)
            score = self.score(grid)
            if not score[-1] <= 0:  # beyond here the criterion rises
                break
            most *= 1e3
        sign = score > 0
        minima = [0.0] if sign[0] else []
        for k in np.flatnonzero(~sign[:-1] & sign[1:]):
            minima.append(_root(self.score, grid[k], grid[k + 1], sizes[-1]))
        return min(minima, key=self.criterion) if len(minima) > 1 else minima[0]

    def fit(self):
        """Return the `VarianceFit` at the maximum."""
        r = float(self.best_ratio())
        XX, beta, rss = self.gls(r)
        theta = float(rss / self.degrees)
        x, y = self.scale[:-1], float(self.scale[-1])
        cov = theta * np.linalg.inv(XX) / (x[:, None] * x) * y**2
        return VarianceFit(
            r * theta * y**2, theta * y**2, beta * y / x, cov, float(self._criterion(r, XX, rss))
        )


def _root(score, low, high, n):
    """Where the score rises through 0, between two ratios.

    In u = log(1 + n r) the slope (1 + n r) score is so smooth that u is as good as a polynomial in it: it is
    read off from a few Chebyshev points, and again close by. All of them cost as much as two steps of
    `brentq`, which is there for a slope that does not rise all the way.
    """
    bounds = low, high = np.log1p(n * low), np.log1p(n * high)
    for look in range(4):
        u = (low + high) / 2 + (high - low) / 2 * _CHEBYSHEV
        slope = np.exp(u) * score(np.expm1(u) / n)
        if (slope[1:] <= slope[:-1]).any() or not slope.all():
            break
        apart = slope[:, None] - slope
        apart.flat[:: len(slope) + 1] = slope
        weight = 1 / apart.prod(axis=1)  # barycentric, at 0
        root = weight @ u / weight.sum()
        if look and low <= root <= high:  # else the look before was too far off to be close by
            return np.expm1(root) / n
        low, high = max(root * (1 - _NEAR), bounds[0]), min(root * (1 + _NEAR), bounds[1])
        if not low < high:
            break
    return brentq(score, *np.expm1(bounds) / n, xtol=1e-300, rtol=4 * np.finfo(float).eps)


def scan(sizes, most):
    """Ratios to scan: 0, and evenly on the log scale from where nothing is known to where all is."""
    low, high = np.log(1e-3 / sizes.max()), np.log(10 * max(1 / sizes.min(), most))
    grid = np.exp(np.linspace(low, high, int(_DECADE * (high - low) / np.log(10))))
    grid[0] = 0.0
    return grid
