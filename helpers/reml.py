"""The profile likelihood of a random-intercept model in r = psi / theta: its analytic score, its root.

With r known everything else has a closed form. A group's weight depends on its size alone, so the
groups collapse to their distinct sizes, and one evaluation is one small product whatever N and J.
Formulas: Patterson and Thompson (1971); Bates et al. (2015), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from .groups import inverse, solve, unit_diagonal

_GRID = 400  # points of the first scan; we take it that the score changes sign at most once between two


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
        sizes, member = np.unique(summary.sizes, return_inverse=True)
        self.sizes, self.counts = sizes, np.bincount(member)
        means = summary.centred_means()
        outer = means[:, :, None] * means[:, None, :]
        self.between = np.zeros((len(sizes), p + 1, p + 1))
        np.add.at(self.between, member, outer)
        self.within = summary.within
        self.left = summary.unexplained(self.within)
        if not self.left:
            raise ValueError(
                f"{summary.outcome!r} does not vary within any {summary.group} beyond what the terms say: "
                "the variance within is 0 and the ratio of the variances infinite; "
                f"average to one row per {summary.group} and use complete_pooling"
            )
        spread = np.sqrt(np.maximum(summary.about_centre().diagonal()[:-1], np.finfo(float).tiny))
        inside = np.linalg.matrix_rank(
            self.within[:-1, :-1] / np.outer(spread, spread), tol=1e-12, hermitian=True
        )
        if summary.ngroups + inside <= p:
            raise ValueError(
                f"{summary.ngroups} groups and {p} terms ({', '.join(summary.terms)}): the terms leave "
                "nothing between the groups to estimate psi from; "
                f"leave out terms that are constant within {summary.group}"
            )

    def _solve(self, r):
        """Weights, X'V^-1 X at theta = 1, coefficients and residual sum of squares, for each r."""
        r = np.asarray(r, dtype=float)
        weights = self.sizes / (1 + r[..., None] * self.sizes)
        cross = self.within + np.tensordot(weights, self.between, 1)
        XX, Xy, yy = cross[..., :-1, :-1], cross[..., :-1, -1], cross[..., -1, -1]
        beta = solve(XX, Xy[..., None])[..., 0]
        return weights, XX, beta, yy - np.sum(Xy * beta, axis=-1)

    def criterion(self, r):
        """R's REMLcrit, or -2 log likelihood, at each r >= 0 (theta and beta at their best)."""
        _, XX, _, rss = self._solve(r)
        size = self.sizes * np.asarray(r, dtype=float)[..., None]
        value = self.degrees * (1 + np.log(2 * np.pi * rss / self.degrees)) + np.log1p(size) @ self.counts
        if not self.reml:
            return value
        unit, scale = unit_diagonal(XX)
        return value + np.linalg.slogdet(unit)[1] + 2 * np.log(scale).sum(axis=-1)

    def score(self, r):
        """Derivative of `criterion` in r, in closed form."""
        weights, XX, beta, rss = self._solve(r)
        squared = np.tensordot(weights**2, self.between, 1)  # minus the derivative of the cross-products
        v = np.concatenate([-beta, np.ones((*beta.shape[:-1], 1))], axis=-1)
        fall = np.einsum("...i,...ij,...j->...", v, squared, v)
        value = weights @ self.counts - self.degrees * fall / rss
        if self.reml:
            value = value - np.trace(solve(XX, squared[..., :-1, :-1]), axis1=-2, axis2=-1)
        return value

    def best_ratio(self):
        """Return psi / theta at the highest of the maxima that a scan brackets; 0.0 at the boundary.

        The profile can have several maxima where group sizes differ, so a scan comes before the root.
        It reaches from where the largest groups stop to inform to beyond where the smallest do.
        """
        most = self.degrees * self.between[:, -1, -1].sum() / self.left
        top = 1e3 * max(1 / self.sizes.min(), most)
        grid = np.concatenate([[0.0], np.geomspace(1e-9 / self.sizes.max(), top, _GRID)])
        sign = self.score(grid) > 0
        minima = [0.0] if sign[0] else []
        for k in np.flatnonzero(~sign[:-1] & sign[1:]):
            minima.append(brentq(self.score, grid[k], grid[k + 1], xtol=1e-300, rtol=4 * np.finfo(float).eps))
        return min(minima, key=self.criterion)

    def fit(self):
        """Return the `VarianceFit` at the maximum."""
        r = self.best_ratio()
        _, XX, beta, rss = self._solve(r)
        theta = float(rss / self.degrees)
        return VarianceFit(r * theta, theta, beta, theta * inverse(XX), float(self.criterion(r)))
