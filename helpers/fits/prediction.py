"""The error of a group's partially pooled mean with the variances unknown, too: averaged over their ratio.

Given r = psi / theta all is as in regression: a generalised least squares fit, and a prediction with its
mean squared error. What the data say of r is the restricted likelihood, exp(-criterion / 2). Each r gives the
group another mean and another error: the squared error of the one mean that the fit reports, in units of
theta, and the precision 1 / theta are averaged over all r >= 0, in proportion to the restricted likelihood,
all values of log(1 + n r) being as likely as each other beforehand (n the harmonic mean of the sizes:
theta (1 + n r) / n is the average variance of a group's mean). In balanced data this is the F distribution of
MSB / MSW read backwards and cut at psi = 0 (Tiao and Tan 1965). Morris (1983) averages like this; Prasad and
Rao (1990) expand about the estimate, which falls short where sizes differ and psi is near 0. As psi grows the
error becomes that of no pooling, but for N - J below 3: then theta may be anything, and it stays above.
Notebook 07 says how often the intervals hold.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from scipy.integrate import cumulative_trapezoid

from ..tables import unit_diagonal
from .profile import Profile

_NODES = 48  # Gauss-Legendre points; twice as many move no error by more than 1e-9 of itself
_X, _W = np.polynomial.legendre.leggauss(_NODES)
_X, _W = (_X + 1) / 2, _W / 2
_LOW = 40.0  # ratios whose criterion is higher by more than this have weight exp(-20) or less
_STEPS = np.geomspace(1e-6, 50, 80)  # how far from the maximum the ends are looked for, in log(1 + n r)
_MOST = 25.0  # of log(1 + n r)
_FAR = 1e-3  # share of the largest ratios that is left out where two groups or fewer are to spare
_FINE = 2000
_RANK = 1e-12


def mean_squared_errors(summary, contrast, beta, ratio, groups=slice(None)):
    """Mean squared error of each group's predicted mean, averaged over the ratio of the variances.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,) or (J, p), or 0.0
        The mean of group j is ``contrast`` (its row) times the coefficients of the centred columns, plus the
        effect of the group.
    beta : ndarray of shape (p,)
        Estimated coefficients of the centred columns, by any method.
    ratio : float
        Estimated psi / theta, 0 included.
    groups : slice
        Which groups; ``contrast`` then has a row for each of these.

    Returns
    -------
    ndarray of shape (J,)
    """
    profile = Profile(summary)
    ratios, shares = ratio_weights(profile, summary)
    XX, betas, rss = profile.gls(ratios)
    unit, y = profile.scale[:-1], profile.scale[-1]
    means, n, contrast = summary.centred_means()[groups], summary.sizes[groups], np.asarray(contrast)
    theta = y**2 / (shares @ (profile.degrees / rss))
    covs = np.linalg.inv(XX) / (unit[:, None] * unit) * (theta * shares)[:, None, None]
    betas = betas * y / unit
    sizes, of_size = np.unique(n, return_inverse=True)
    moved, terms = betas - beta, means[:, :-1].T
    values = [means[:, -1] - beta @ terms, *terms]
    p = len(beta) if contrast.ndim else 0
    if p:  # the contrast as what it has beyond the mean's terms: large numbers would be apart by little
        values = [*(np.broadcast_to(contrast, (len(n), p)).T - terms), *values]
    # Of groups of one size the error is one quadratic form in these values.
    form, known = np.zeros((len(values),) * 2 + sizes.shape), np.zeros(len(sizes))
    for r, share, d, cov in zip(ratios, shares, moved, covs, strict=True):
        left = 1 / (1 + sizes * r)
        factor = sizes * r * left
        other, cov = left if p else -factor, cov[..., None]
        residual = sizes * (r - ratio) * left / (1 + sizes * ratio)
        away = np.concatenate([np.tile(d[:p, None], len(sizes)), [residual], other * d[:, None]])
        form += share * away[:, None] * away
        form[p + 1 :, p + 1 :] += cov * other**2
        if p:
            form[:p, :p] += cov
            form[:p, p + 1 :] += cov * other
            form[p + 1 :, :p] += cov * other
        known += share * theta * factor / sizes
    total = known[of_size]
    for i, k in combinations_with_replacement(range(len(values)), 2):
        total += (1 + (i < k)) * form[i, k][of_size] * values[i] * values[k]
    return total


def ratio_weights(profile, summary):
    """Ratios r = psi / theta and what share of the average each has, as two arrays that belong together.

    Where terms of group level leave but one or two groups to spare, the average would be infinite away from
    the groups' own values, as the variance of t on 1 or 2 degrees of freedom is: there the largest ratios,
    one thousandth of the whole, are left out.

    Parameters
    ----------
    profile : Profile
        Of the restricted likelihood.
    summary : GroupSummary
    """
    n = 1 / np.mean(1 / summary.sizes)
    best = float(np.log1p(n * profile.best_ratio()))

    def above(t):
        return profile.criterion(np.expm1(t) / n)

    least = above(np.array([best]))[0]
    low, high = best - _STEPS[best > _STEPS], best + _STEPS
    high = high[high <= max(_MOST, best + 1)]  # beyond it terms of group level weigh less than rounding
    low = np.append(low, 0.0) if best else np.zeros(1)
    start, stop = (_outermost(t, above(t) - least) for t in (low, high))
    of_groups = len(summary.terms) - _slopes_within(summary)
    if of_groups > 1 and summary.ngroups - of_groups <= 2:
        fine = np.linspace(start, stop, _FINE)
        mass = cumulative_trapezoid(np.exp((least - above(fine)) / 2), fine, initial=0)
        stop = np.interp((1 - _FAR) * mass[-1], mass, fine)
    t = start + (stop - start) * _X
    shares = _W * np.exp((least - above(t)) / 2)
    return np.expm1(t) / n, shares / shares.sum()


def _outermost(t, excess):
    """Return the point beyond the last whose excess counts, in a row that leads away from the maximum."""
    inside = np.flatnonzero(excess <= _LOW)
    return t[min(inside[-1] + 1, len(t) - 1) if len(inside) else 0]


def degrees_of_freedom(summary):
    """Degrees of freedom of theta within groups, N - J - slopes within: those of no pooling."""
    return float(summary.nobs - summary.ngroups - _slopes_within(summary))


def _slopes_within(summary):
    """How many slopes the rows within groups tell of."""
    varying = np.flatnonzero(summary.varies_within())
    if not len(varying):
        return 0
    unit, _ = unit_diagonal(summary.within[np.ix_(varying, varying)])
    return int(np.linalg.matrix_rank(unit, tol=_RANK, hermitian=True))


def mean_squared_errors_batch(means, sizes, ss_within, mean, ratio):
    """As `mean_squared_errors`, of ``y ~ 1`` fitted to many data sets of one design.

    Parameters
    ----------
    means : ndarray of shape (R, J)
        Group means.
    sizes : ndarray of shape (J,)
    ss_within : ndarray of shape (R,)
    mean, ratio : ndarray of shape (R,)
        What the fits found: mean of all groups and psi / theta.

    Returns
    -------
    ndarray of shape (R, J)
    """
    sizes = np.asarray(sizes, dtype=float)
    centre = means.mean(axis=1, keepdims=True)
    means, mean = means - centre, mean - centre[:, 0]
    distinct, member = np.unique(sizes, return_inverse=True)
    of_size = np.eye(len(distinct))[member]
    sums = means @ of_size, means**2 @ of_size
    counts, N, n = of_size.sum(axis=0), sizes.sum(), 1 / np.mean(1 / sizes)

    def gls(r):
        """Mean, its variance at theta = 1, residual sum of squares and criterion, for r of shape (R, K)."""
        weights = distinct / (1 + r[..., None] * distinct)
        total = weights @ counts
        first, second = (np.einsum("rks,rs->rk", weights, of) for of in sums)
        beta = first / total
        rss = ss_within[:, None] + second - first * beta
        log_det = np.log1p(r[..., None] * distinct) @ counts
        return beta, 1 / total, rss, (N - 1) * np.log(rss) + log_det + np.log(total)

    best = np.log1p(n * ratio)[:, None]
    least = gls(np.expm1(best) / n)[-1]
    side = np.geomspace(1e-2, 1e2, 32)
    below = np.maximum(best - side, 0.0)
    ends = []
    for t in (below, best + side):
        inside = gls(np.expm1(t) / n)[-1] - least <= _LOW
        last = np.where(inside.any(axis=1), len(side) - 1 - inside[:, ::-1].argmax(axis=1), -1)
        ends.append(np.take_along_axis(t, np.minimum(last + 1, len(side) - 1)[:, None], axis=1))
    low, high = ends
    t = low + (high - low) * _X
    r = np.expm1(t) / n
    beta, variance, rss, criterion = gls(r)
    shares = _W * np.exp((criterion.min(axis=1, keepdims=True) - criterion) / 2)
    shares /= shares.sum(axis=1, keepdims=True)
    theta = 1 / np.sum(shares * (N - 1) / rss, axis=1, keepdims=True)
    factor = sizes * ratio[:, None] / (1 + sizes * ratio[:, None])
    estimate = mean[:, None] + factor * (means - mean[:, None])
    total = np.zeros_like(means)
    for k in range(_NODES):
        at, b = r[:, k, None] * sizes, beta[:, k, None]
        factor = at / (1 + at)
        own = theta * (factor / sizes + (1 - factor) ** 2 * variance[:, k, None])
        total += shares[:, k, None] * (own + (b + factor * (means - b) - estimate) ** 2)
    return total
