"""REML fits of the constant to many data sets of one design, all at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import elementwise

from .profile import scan

_MOST = 1e150  # numbers whose squares a double holds
_AROUND = 6  # points of the scan that the root is first read off from
_SETTLED = {2: 1e-8, 3: 1e-10}  # the last of so many steps, of the root: the next would be below rounding
_CHUNK = 2**16  # numbers that a batch works on at a time, so that they stay in the cache


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
    largest = max(means.max(), -means.min())
    if largest < _MOST and ss_within.min() > 0 and ss_within.max() < _MOST**2:
        return
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
    """What the profile of each of many data sets depends on: sums over the groups of each size.

    Data sets stand last in every array: what is added up over sizes, or over points, then runs along them.
    """

    def __init__(self, means, sizes, ss_within):
        self.origin = means.mean(axis=1)
        off = means - self.origin[:, None]
        self.sizes, member = np.unique(sizes, return_inverse=True)
        of_size = np.eye(len(self.sizes))[:, member]  # (K, J)
        self.counts = of_size.sum(axis=1)
        self.sums = np.empty((2, len(self.sizes), len(means)))
        np.matmul(of_size, off.T, out=self.sums[0])
        off *= off
        np.matmul(of_size, off.T, out=self.sums[1])
        self.ss_within, self.degrees = ss_within, sizes.sum() - 1
        self._inverse_sizes = 1 / self.sizes

    def gls(self, r, sums, ss_within, weighted):
        """Weights, their sum, the mean and the residual sum of squares."""
        weights = np.add.outer(self._inverse_sizes, r)
        np.reciprocal(weights, out=weights)
        total = np.einsum("k,k...->...", self.counts, weights)
        first, rss = weighted(sums, weights)
        mean = first / total
        rss += ss_within
        rss -= np.multiply(first, mean, out=first)
        return weights, total, mean, rss

    def sides(self, r, sums, ss_within, weighted):
        """The two sides of REML's equation: their difference is the derivative of the criterion in r."""
        weights, total, mean, rss = self.gls(r, sums, ss_within, weighted)
        weights *= weights
        squares = np.einsum("k,k...->...", self.counts, weights)
        first, fall = weighted(sums, weights)
        first *= 2
        first -= mean * squares
        fall -= np.multiply(first, mean, out=first)
        fall *= self.degrees
        fall /= rss
        return total - squares / total, fall

    def grid_sides(self, grid, own):
        """`sides` at every ratio, (len(grid), 1), of each of some data sets, (len(grid), len(own))."""
        return self.sides(grid[:, None], self.sums[..., own], self.ss_within[own], _at_each)

    def own_sides(self, r, rows):
        """`sides` of data set rows[i] at r[i]."""
        return self.sides(r, self.sums[..., rows], self.ss_within[rows], _at_own)

    def own_score(self, r, rows):
        """Derivative of the REML criterion, data set rows[i] at r[i]."""
        return np.subtract(*self.own_sides(r, rows))

    def own_gls(self, r, rows):
        """`gls` of data set rows[i] at r[i]."""
        return self.gls(r, self.sums[..., rows], self.ss_within[rows], _at_own)

    def criterion(self, r, rows):
        """REML criterion up to a constant, data set rows[i] at r[i]."""
        _, total, _, rss = self.own_gls(r, rows)
        log_det = np.log1p(np.multiply.outer(r, self.sizes)) @ self.counts
        return self.degrees * np.log(rss) + log_det + np.log(total)


def _at_each(sums, weights):
    return np.matmul(weights[..., 0].T, sums)


def _at_own(sums, weights):
    return np.einsum("skr,kr->sr", sums, weights)


def _unbalanced(means, sizes, ss_within):
    sums = _Sums(means, sizes, ss_within)
    R = len(means)
    most = (sums.degrees * sums.sums[1].sum(axis=0) / ss_within).max()
    grid = scan(sums.sizes, most)
    step = max(1, _CHUNK // len(grid))
    parts = [_looked(sums, grid, np.arange(start, min(start + step, R))) for start in range(0, R, step)]
    rows, roots, low, high, at_zero = (np.concatenate(part) for part in zip(*parts, strict=True))
    left = np.isnan(roots)
    if left.any():
        roots[left] = elementwise.find_root(
            sums.own_score, (low[left], high[left]), args=(rows[left],), tolerances={"xrtol": 1e-13}
        ).x
    rows, roots = np.concatenate([rows, at_zero]), np.concatenate([roots, np.zeros(len(at_zero))])
    if len(rows) > R:  # several maxima: by data set, the highest last
        order = np.lexsort((-sums.criterion(roots, rows), rows))
        rows, roots = rows[order], roots[order]
    r = np.full(R, np.nan)
    r[rows] = roots
    _, total, mean, rss = sums.own_gls(r, slice(None))
    theta = rss / sums.degrees
    return BatchFit(sums.origin + mean, r * theta, theta, np.sqrt(theta / total))


def _looked(sums, grid, own):
    """Where criteria have minima: rows, ratios (NaN if not settled), bounds; and rows that have one at 0."""
    one, other = sums.grid_sides(grid, slice(own[0], own[-1] + 1))
    rises = one > other
    k, column = np.nonzero(rises[:-1] < rises[1:])
    rows = own[column]
    first = np.clip(k - (_AROUND // 2 - 1), 0, max(len(grid) - _AROUND, 0))
    near = first + np.arange(min(_AROUND, len(grid)))[:, None]
    r, apart = grid[near], one[near, 0] / other[near, column] - 1
    with np.errstate(all="ignore"):  # what does not settle is looked for otherwise
        root, settled = _read_off(sums, r, apart, rows, 2)
        left = np.flatnonzero(~settled)
        root[left], settled[left] = _read_off(sums, r[:, left], apart[:, left], rows[left], 3)
    root[~settled | (root <= grid[k]) | (root >= grid[k + 1])] = np.nan
    return rows, root, grid[k], grid[k + 1], own[rises[0]]


def _read_off(sums, r, apart, rows, steps):
    """Where the sides are equal, by inverse interpolation, and where that settled.

    Their ratio is a straight line in r where groups are of one size, and nearly one where they are not.

    Parameters
    ----------
    r, apart : ndarray of shape (m, len(rows))
        Ratios around, and the ratios of the sides there, less 1.
    rows : ndarray
    steps : int
        Of interpolation after the first, each with one point more.

    Returns
    -------
    r, settled : ndarray of shape (len(rows),)
    """
    m, shape = len(r), (len(r) + steps, len(rows))
    between, every = apart[:, None] - apart, np.arange(m)
    between[every, every] = apart
    points, values, weights = np.empty(shape), np.empty(shape), np.empty(shape)
    points[:m], values[:m] = r, apart
    weights[:m] = 1 / np.multiply.reduce(between, axis=1)  # barycentric, at 0
    at = np.einsum("kr,kr->r", weights[:m], r) / weights[:m].sum(axis=0)
    for k in range(m, m + steps):
        here, other = sums.own_sides(at, rows)
        here -= other
        here /= other
        between = values[:k] - here
        weights[:k] /= between
        weights[k] = (-1) ** k / (here * np.multiply.reduce(between, axis=0))
        points[k], values[k] = at, here
        step = np.einsum("kr,kr->r", weights[: k + 1], points[: k + 1] - at) / weights[: k + 1].sum(axis=0)
        step[here == 0] = 0.0
        at = at + step
    return at, (np.abs(step) <= _SETTLED[steps] * at) & (np.abs(here) <= _SETTLED[steps])
