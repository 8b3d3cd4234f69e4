"""The profile likelihood of a random-intercept model in r = psi / theta: its analytic score, its root.

With r known everything else has a closed form. A group's weight depends on its size alone, so the
groups collapse to their distinct sizes, and one evaluation is one small product whatever N and J.
Formulas: Patterson and Thompson (1971); Bates et al. (2015), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq, elementwise

_DECADE = 5  # points of the scan for each power of ten; 4 missed no maximum of 240 000 data sets
_CHEBYSHEV = -np.cos(np.linspace(0, np.pi, 8))  # points between -1 and 1
_NEAR = 1e-3  # how far, relative to the root, the second look reaches
_MOST = 1e150  # numbers whose squares a double holds
_CHUNK = 2**16  # numbers that a batch works on at a time, so that they stay in the cache


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
            grid = _grid(sizes, most)
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


def _grid(sizes, most):
    """Ratios to scan: 0, and evenly on the log scale from where nothing is known to where all is."""
    low, high = np.log(1e-3 / sizes.max()), np.log(10 * max(1 / sizes.min(), most))
    grid = np.exp(np.linspace(low, high, int(_DECADE * (high - low) / np.log(10))))
    grid[0] = 0.0
    return grid


class BatchFit(NamedTuple):
    """REML fits of the constant to R data sets of one design.

    Attributes
    ----------
    mean, psi, theta, se : ndarray of shape (R,)
        Estimated mean, variance between and within groups, and standard error of the mean.
    """

    mean: np.ndarray
    psi: np.ndarray
    theta: np.ndarray
    se: np.ndarray


def fit_balanced_batch(Y):
    """Fit ``y ~ 1`` by REML to many balanced data sets, in closed form and without a copy of them.

    Parameters
    ----------
    Y : ndarray of shape (R, J, n)
        R data sets of J groups of n rows.

    Returns
    -------
    BatchFit

    Raises
    ------
    ValueError
        If Y has not three dimensions, fewer than two groups or rows a group, or values not finite.

    Notes
    -----
    Balanced REML is the analysis of variance, with psi at 0 where that would be negative (notebook 04).
    """
    Y = _real("Y", Y)
    if Y.ndim != 3:
        raise ValueError(f"Y must have shape (replicates, J, n); got {Y.shape}")
    R, J, n = Y.shape
    if J < 2 or n < 2:
        raise ValueError(f"Y must hold two groups of two rows or more; got {J} groups of {n}")
    means, ss_within = np.empty((R, J)), np.empty(R)
    origin, average = Y[:, 0, 0], np.full(n, 1 / n)
    step = max(1, _CHUNK // (J * n))
    with np.errstate(all="ignore"):  # what is not finite is named below
        for start in range(0, R, step):
            own = slice(start, start + step)
            first = Y[own] @ average
            deviations = Y[own] - first[..., None]
            rest = deviations @ average  # what rounding left, as in `groups.summarise`
            means[own] = first - origin[own, None] + rest
            squares = np.einsum("rjn,rjn->rj", deviations, deviations)
            ss_within[own] = (squares - n * rest**2).sum(axis=1)
    fit = _balanced(means, n, ss_within)
    return fit._replace(mean=origin + fit.mean)


def fit_batch(means, sizes, ss_within):
    """Fit ``y ~ 1`` by REML to many data sets of one design, all at once.

    Parameters
    ----------
    means : ndarray of shape (R, J)
        Group means.
    sizes : ndarray of shape (J,)
        Rows in each group.
    ss_within : ndarray of shape (R,)
        Sums of squared deviations from the group means.

    Returns
    -------
    BatchFit

    Raises
    ------
    ValueError
        If the shapes do not fit together, there are fewer than two groups, a size is below one or all
        are one, a sum of squares is not positive, or a value is not finite.
    """
    means, sizes, ss_within = _real("means", means), _real("sizes", sizes), _real("ss_within", ss_within)
    if means.ndim != 2 or sizes.shape != means.shape[1:] or ss_within.shape != means.shape[:1]:
        raise ValueError(
            "means must have shape (R, J), sizes (J,) and ss_within (R,); "
            f"got {means.shape}, {sizes.shape} and {ss_within.shape}"
        )
    if len(sizes) < 2:
        raise ValueError(f"comparing groups takes two or more; got {len(sizes)}")
    if not (np.isfinite(sizes).all() and np.all(sizes % 1 == 0) and sizes.min() >= 1 and sizes.max() > 1):
        raise ValueError(f"sizes must be 1 or more, whole, and not all 1; got {sizes}")
    if sizes.min() == sizes.max():
        return _balanced(means, sizes[0], ss_within)
    _refuse_not_finite(means, ss_within)
    return _unbalanced(means, sizes, ss_within)


def _real(name, values):
    """Return numbers as doubles, none of them masked or complex."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} has masked values: every data set of a batch is complete")
    if np.iscomplexobj(values):
        raise TypeError(f"{name} is complex: take its real or imaginary part")
    return np.asarray(values, dtype=float)


def _refuse_not_finite(means, ss_within):
    if not len(means):
        raise ValueError("there are no data sets to fit")
    good = (np.abs(means) < _MOST).all(axis=1) & (ss_within > 0) & (ss_within < _MOST**2)
    if not good.all():
        raise ValueError(
            f"data set {good.argmin()} has a value that is not finite or too large to be squared, or nothing "
            "varies within its groups"
        )


def _balanced(means, n, ss_within):
    _refuse_not_finite(means, ss_within)
    J = means.shape[1]
    off = means - means[:, :1]
    mean = off.mean(axis=1)
    off -= mean[:, None]
    mean += means[:, 0]
    ss_between = n * np.einsum("rj,rj->r", off, off)
    between, theta = ss_between / (J - 1), ss_within / (J * (n - 1))
    inside = between > theta
    theta = np.where(inside, theta, (ss_between + ss_within) / (J * n - 1))
    psi = np.where(inside, (between - theta) / n, 0.0)
    return BatchFit(mean, psi, theta, np.sqrt(np.where(inside, between, theta) / (J * n)))


class _Sums:
    """What the profile of each of many data sets depends on: sums over the groups of each size."""

    def __init__(self, means, sizes, ss_within):
        self.origin = means.mean(axis=1)
        means = means - self.origin[:, None]
        self.sizes, member = np.unique(sizes, return_inverse=True)
        of_size = np.eye(len(self.sizes))[member]  # (J, K)
        self.counts = of_size.sum(axis=0)
        self.sums = np.stack([means @ of_size, means**2 @ of_size], axis=1)  # (R, 2, K)
        self.ss_within, self.degrees = ss_within, sizes.sum() - 1

    def gls(self, r, sums, ss_within, weighted):
        """Weights, their sum, the mean and the residual sum of squares."""
        weights = self.sizes / (1 + np.multiply.outer(r, self.sizes))
        total = weights @ self.counts
        first, second = weighted(sums, weights)
        mean = first / total
        return weights, total, mean, ss_within + second - first * mean

    def score(self, r, sums, ss_within, weighted):
        """Derivative of the REML criterion in r."""
        weights, total, mean, rss = self.gls(r, sums, ss_within, weighted)
        weights *= weights
        squares = weights @ self.counts
        first, second = weighted(sums, weights)
        fall = second - mean * (2 * first - mean * squares)
        return total - self.degrees * fall / rss - squares / total

    def grid_score(self, grid, own):
        """Score of each of some data sets at every ratio, shape (len(own), len(grid))."""
        return self.score(grid, self.sums[own], self.ss_within[own, None], _at_each)

    def own_score(self, r, rows):
        """Score of data set rows[i] at r[i]."""
        return self.score(r, self.sums[rows], self.ss_within[rows], _at_own)

    def own_gls(self, r, rows):
        """`gls` of data set rows[i] at r[i]."""
        return self.gls(r, self.sums[rows], self.ss_within[rows], _at_own)

    def criterion(self, r, rows):
        """REML criterion up to a constant, data set rows[i] at r[i]."""
        _, total, _, rss = self.own_gls(r, rows)
        log_det = np.log1p(np.multiply.outer(r, self.sizes)) @ self.counts
        return self.degrees * np.log(rss) + log_det + np.log(total)


def _at_each(sums, weights):
    return sums[:, 0] @ weights.T, sums[:, 1] @ weights.T


def _at_own(sums, weights):
    return np.einsum("rsk,rk->sr", sums, weights)


def _unbalanced(means, sizes, ss_within):
    sums = _Sums(means, sizes, ss_within)
    every = np.arange(len(means))
    most = (sums.degrees * sums.sums[:, 1].sum(axis=1) / ss_within).max()
    grid = _grid(sums.sizes, most)
    rises = np.concatenate([
        sums.grid_score(grid, own) > 0 for own in np.array_split(every, 1 + every.size * grid.size // _CHUNK)
    ])  # fmt: skip
    rows, k = np.nonzero(~rises[:, :-1] & rises[:, 1:])
    roots = elementwise.find_root(
        sums.own_score, (grid[k], grid[k + 1]), args=(rows,), tolerances={"xrtol": 1e-13}
    ).x
    at_zero = np.flatnonzero(rises[:, 0])
    rows, r = np.concatenate([rows, at_zero]), np.concatenate([roots, np.zeros(len(at_zero))])
    if len(rows) > len(means):  # several maxima: by data set, the highest first
        order = np.lexsort((sums.criterion(r, rows), rows))
        rows, r = rows[order], r[order]
    r = r[np.unique(rows, return_index=True)[1]]
    _, total, mean, rss = sums.own_gls(r, every)
    theta = rss / sums.degrees
    return BatchFit(sums.origin + mean, r * theta, theta, np.sqrt(theta / total))
