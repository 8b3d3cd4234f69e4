"""Where the likelihood of intercepts and slopes that vary is highest: starts, Newton steps, the boundary.

D = L L' with L lower triangular reaches every covariance, those without full rank too, and the criterion is
smooth in L. A maximum on the boundary is found again on its own face, with fewer columns, so that what is 0
there is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import numpy as np

from . import balanced

_ENOUGH = 1e-14  # of the criterion: a Newton step that promises less is the last
_SURE = 1e-9  # a step that promises less is short: one more, with the curvature from before, ends in rounding
_NEARLY = 1e-3  # and by less, one of several starts is all but there
_HOPE = 4.0  # a minimum is no lower than so many times what Newton's step promises
_STEPS = 200  # at most; ten are usual
_NOISE = 1e-13  # of the criterion, relative: a rise by less is rounding
_FLAT = 1e-10  # a curvature below this share of the largest is none
_FAINT = 1e-3  # a variance that shrinks by less than this share in an average group may be 0
_DOWN = 1e-11  # a slope towards the inside below this share of its parts is rounding
_MANY = 150  # groups beyond which one start will do
_STARTS = 6
_FAR = 5.0  # a promise beyond which one start is no estimate yet
_NEAR = 10.0  # a point of the grid higher than the lowest by more than this leads to no lower minimum


class Maximum(NamedTuple):
    """Where the criterion is least.

    Attributes
    ----------
    factor : ndarray of shape (q, r)
        Lower trapezoidal L of rank r with D = L L'.
    value : float, or a function that works it out
        The criterion.
    cross : ndarray of shape (c, c), optional
        C'V^-1 C at theta = 1, where it is known by then.
    """

    factor: np.ndarray
    value: float | Callable
    cross: np.ndarray | None = None

    @property
    def criterion(self):
        """R's ``REMLcrit``, or -2 log likelihood under ML."""
        return self.value() if callable(self.value) else self.value

    @property
    def D(self):
        """Covariance of the effects over theta, in working units."""
        return self.factor @ self.factor.T


@lru_cache
def _entries(q, r):
    """Rows and columns of the free entries of a factor, and which pairs of them share a column."""
    rows, columns = np.nonzero(np.tri(q, r, dtype=bool))
    return rows, columns, columns[:, None] == columns


def in_factor(expansion, L, order=None):
    """Jacobian, gradient and Hessian of the criterion in the free entries of L, of shape (..., q, r).

    L is lower trapezoidal once its rows are in ``order`` (..., q), if one is given. Without the expansion's
    Hessian there is none.
    """
    (q, r), lead = L.shape[-2:], L.shape[:-2]
    rows, columns, same = _entries(q, r)
    unit = np.eye(q)[rows if order is None else order[..., rows]].swapaxes(-1, -2)
    half = unit[..., :, None, :] * L[..., None, :, columns]
    J = (half + half.swapaxes(-3, -2)).reshape(*lead, q * q, -1)
    gradient = (expansion.gradient.reshape(*lead, 1, q * q) @ J)[..., 0, :]
    if expansion.hessian is None:
        return J, gradient, None
    hessian = J.swapaxes(-1, -2) @ expansion.hessian.reshape(*lead, q * q, q * q) @ J
    hessian = (hessian + hessian.swapaxes(-1, -2)) / 2
    hessian += 2 * same * (unit.swapaxes(-1, -2) @ expansion.gradient @ unit)
    return J, gradient, hessian


def _turned(L, order):
    """The factors of L L' that are lower trapezoidal once their rows are in this order."""
    if (order == np.arange(order.shape[-1])).all():  # as L is
        return L
    lower = np.linalg.qr(np.take_along_axis(L, order[..., None], -2).swapaxes(-1, -2))[1].swapaxes(-1, -2)
    turned = np.empty_like(L)
    np.put_along_axis(turned, order[..., None], lower, -2)
    return turned


def _step(gradient, hessian):
    """Newton's step, downhill also where the criterion is not convex, and what it promises."""
    try:
        root = np.linalg.cholesky(hessian)
    except np.linalg.LinAlgError:
        return _turned_step(gradient, hessian)
    pivots = np.diagonal(root, axis1=-2, axis2=-1)
    if pivots.min(initial=1.0) ** 2 < _FLAT * pivots.max(initial=0.0) ** 2:
        return _turned_step(gradient, hessian)
    half = np.linalg.inv(root)
    along = half @ gradient[..., None]
    return -(half.swapaxes(-1, -2) @ along)[..., 0], (along * along).sum(axis=(-2, -1)) / 2


def _turned_step(gradient, hessian):
    """`_step` where a curvature is negative or none."""
    values, vectors = np.linalg.eigh(hessian)
    along = (gradient[..., None, :] @ vectors)[..., 0, :]
    size = np.abs(values)
    known = size > _FLAT * size.max(axis=-1, keepdims=True)
    size = np.where(known, size, 1.0)
    step = np.where(known, -along / size, 0.0)
    saddle = known & (values < 0) & (np.abs(step) < 0.1)  # where the slope is 0 too a step must be made up
    step = np.where(saddle, np.where(along > 0, -0.1, 0.1), step)
    promise = -(along * step + size * step**2 / 2 * np.where(saddle, -1, 1)).sum(axis=-1)
    return (vectors @ step[..., None])[..., 0], promise


def descend(likelihood, L, elsewhere=None):
    """Newton's method within a trusted radius, from one factor or several at once.

    A start that promises much less than another has is not followed to its end, and of those that come to one
    minimum one goes on. The term that varies most stands first: with none of its variance in the first row, a
    factor can be turned and D stays as it is, and steps along that ring are short.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
    L : ndarray of shape (S, q, r)
    elsewhere : callable, optional
        Finds other factors, from the likelihood and L, where L promises more than `_FAR`.

    Returns
    -------
    L : ndarray of shape (T, q, r)
        Those that were followed, T <= S.
    value : ndarray of shape (T,)
    """
    (q, r), at = L.shape[-2:], np.arange(len(L))[:, None]
    order = np.argsort(-(L**2).sum(axis=-1) * likelihood.reduced.average.diagonal(), axis=-1, kind="stable")
    L = _turned(L, order)
    rows, columns, _ = _entries(q, r)

    def expanded(L):
        now = likelihood.expand(L @ L.swapaxes(-1, -2))
        return now.value, *in_factor(now, L, order)[1:]

    radius = 1.0 + np.abs(L).max(axis=(-2, -1))
    value, gradient, hessian = expanded(L)
    for _ in range(_STEPS):
        step, promise = _step(gradient, hessian)
        if elsewhere and promise.max() > _FAR:
            return descend(likelihood, elsewhere(likelihood, L))
        elsewhere = None
        length = np.sqrt((step**2).sum(axis=-1))
        step *= np.minimum(1.0, radius / np.maximum(length, 1e-300))[:, None]
        trial = L.copy()
        trial[at[: len(L)], order[:, rows], columns] += step
        if promise.max() < _SURE:
            return _ended(likelihood, trial, order, hessian)
        then, slope, curve = expanded(trial)
        better = then <= value + _NOISE * np.abs(value)
        length = np.minimum(length, radius)
        radius = np.where(better, np.maximum(radius, 2 * length), length / 4)
        if better.all():
            L, value, gradient, hessian = trial, then, slope, curve
        elif better.any():
            L, value = np.where(better[:, None, None], trial, L), np.where(better, then, value)
            gradient = np.where(better[:, None], slope, gradient)
            hessian = np.where(better[:, None, None], curve, hessian)
        if len(L) > 1:
            on = _followed(value, promise)
            if not on.all():
                parts = (L, value, gradient, hessian, radius, order)
                L, value, gradient, hessian, radius, order = (part[on] for part in parts)
    best = value.argmin()
    return Maximum(_as_given(L[best], order[best]), float(value[best]))


def _ended(likelihood, L, order, hessian):
    """The `Maximum` after one step more, by the slope here and the curvature a short step before."""
    D = L @ L.swapaxes(-1, -2)
    now = likelihood.expand(D, order=1)
    step, promise = _step(in_factor(now, L, order)[1], hessian)
    k = now.value.argmin()
    factor, (rows, columns, _) = L[k].copy(), _entries(*L.shape[1:])
    factor[order[k, rows], columns] += step[k]
    cross = None
    if promise[k] < _SURE**2:
        change = np.einsum("ab,axby->xy", factor @ factor.T - D[k], now.FF[k])
        cross = now.cross[k] - likelihood.reduced.of_columns(change)
    return Maximum(_as_given(factor, order[k]), float(now.value[k] - promise[k]), cross)


def _as_given(L, order):
    """L, which is lower trapezoidal with its rows in this order, turned to be so with them as they are."""
    return L if (order == np.arange(len(L))).all() else np.linalg.qr(L.T)[1].T


def _followed(value, promise):
    """Which starts are worth going on from."""
    on = value - _HOPE * np.maximum(promise, _NEARLY) <= value.min()
    near = np.flatnonzero(on & (promise < _NEARLY))
    near = near[np.argsort(value[near], kind="stable")]
    on[near[1:][np.diff(value[near]) <= _NEARLY / 10]] = False
    return on


def minimise(of, x):
    """Newton's method within a trusted radius, for one smooth function with its derivatives.

    Parameters
    ----------
    of : callable
        Returns value, gradient and Hessian.
    x : ndarray of shape (m,)
        Where to start.

    Returns
    -------
    x : ndarray of shape (m,)
    value : float
    """
    value, gradient, hessian = of(x)
    radius = 1.0 + np.abs(x).max(initial=0.0)
    for _ in range(_STEPS):
        step, promise = _step(gradient, hessian)
        length = np.linalg.norm(step)
        step *= min(1.0, radius / max(length, 1e-300))
        then = of(x + step)
        better = then[0] <= value + _NOISE * abs(value)
        if better:
            x, (value, gradient, hessian) = x + step, then
        if promise < _ENOUGH:
            break
        length = min(length, radius)
        radius = max(radius, 2 * length) if better else length / 4
    return x, float(value)


@lru_cache
def _grid(levels, correlations, q):
    """Factors (S, q, q) with these ratios of variances (times information), and correlations of two.

    From the seventh term on the ratio is 1.
    """
    factors = []
    for *variances, r in product(*[levels] * min(q, 6), correlations):
        root = np.eye(q)
        if r:
            root[1] = r, np.sqrt(1 - r**2)
        sd = np.sqrt([*variances, *(1.0,) * (q - len(variances))])
        factors.append(sd[:, None] * root)
    return np.array(factors)


_FINE = tuple(0.02 * 4.0 ** np.arange(7)), (-1.0, -0.75, 0.0, 0.75, 1.0)


def _scaled(likelihood, levels, correlations):
    """The factors of such a grid in working units."""
    reduced = likelihood.reduced
    unit = np.sqrt(reduced.average.diagonal())[:, None]
    return _grid(levels, correlations, len(reduced.roots)) / unit


def _look(likelihood, L):
    """The criterion of several factors, to see which are low; infinite where rounding is all there is."""
    D = L @ L.swapaxes(-1, -2)
    if L.shape[-1] != 2 or not _few(likelihood):
        return np.array([likelihood.criterion(one) for one in D])
    with np.errstate(all="ignore"):  # pivots of all at once, where numpy would stop at one that has none
        sums = likelihood.sums(D, 0)
        value, cross = likelihood.constant + sums.log_det, np.moveaxis(sums.cross, 0, -1)
        for weight in likelihood.of_pivots / 2:
            value += weight * np.log(cross[0, 0])
            cross = cross[1:, 1:] - cross[1:, :1] * (cross[0, 1:] / cross[0, 0])
    return np.where(np.isnan(value), np.inf, value)


def _few(likelihood):
    return likelihood.reduced.roots.shape[-1] <= _MANY


def starts(likelihood):
    """Factors to start from: the points of a grid that are lower than those about them.

    Also, for two varying terms, the lowest point with a correlation of +-1 and the lowest without, if not far
    above: two tops, one on the boundary and one inside, may be nearer together than the grid is wide.
    """
    q = len(likelihood.reduced.roots)
    if q != 2:
        levels = _FINE[0] if q == 1 else (0.1, 1.0, 10.0) if q <= 4 else (0.3, 3.0)
        L = _scaled(likelihood, levels, (0.0,))
        return L[np.argsort(_look(likelihood, L), kind="stable")[:_STARTS]]
    L = _scaled(likelihood, *_FINE)
    value = _look(likelihood, L)
    low = _lower(value.reshape(*[len(_FINE[0])] * q, len(_FINE[1]))).ravel()
    face = L[:, 1, 1] == 0
    low[[np.where(part, value, np.inf).argmin() for part in (face, ~face)]] = True
    low = np.flatnonzero(low & (value <= value.min() + _NEAR))
    return L[low[np.argsort(value[low], kind="stable")][:_STARTS]]


def _lower(value):
    """Which entries are no higher than the next ones along any axis."""
    low = np.ones(value.shape, dtype=bool)
    for axis in range(value.ndim):
        along, found = np.moveaxis(value, axis, 0), np.moveaxis(low, axis, 0)
        found[1:] &= along[1:] <= along[:-1]
        found[:-1] &= along[:-1] <= along[1:]
    return low


def elsewhere(likelihood, L):
    """Where else to start with many groups: the lowest of a coarse grid and L, of shape (1, q, q)."""
    grid = _COARSE if L.shape[-1] == 2 else ((0.3, 5.0), (0.0,))
    L = np.concatenate([L, _scaled(likelihood, *grid)])
    return L[[_look(likelihood, L).argmin()]]


_COARSE = (0.1, 1.5, 20.0), (-0.75, 0.75)


def maximum(likelihood):
    """Find the `Maximum`, on the boundary or inside, from several starts.

    Parameters
    ----------
    likelihood : likelihood.Likelihood

    Returns
    -------
    Maximum
    """
    if balanced.same_in_each(likelihood.reduced):
        return Maximum(*balanced.factor(likelihood))
    few = _few(likelihood)
    L = starts(likelihood) if few else by_moments(likelihood)[None]
    return _settled(likelihood, descend(likelihood, L, None if few else elsewhere))


def by_moments(likelihood):
    """Factor (q, q) of a consistent estimate of D: where z = Z'r has the squares that it should have.

    With D = 0 in the weights, E zz' = theta (Z'Z + Z'Z D Z'Z) by group; roots of D below a small share of the
    average group's information are lifted to it.
    """
    reduced, B, q = likelihood.reduced, likelihood.reduced.both, len(likelihood.reduced.both)
    beta = likelihood.gls(reduced.of_columns((B @ B.swapaxes(-1, -2)).sum(axis=0)) + reduced.left).beta
    residual = np.append(-beta, 1.0)
    theta = residual @ reduced.left @ residual / (reduced.nobs - reduced.ranks.sum())
    z = np.einsum("kaj,kj->aj", B[:, :q], np.einsum("kxj,x->kj", B, reduced.in_both(residual)))
    A = np.einsum("kaj,kbj->abj", B[:, :q], B[:, :q])
    flat = A.reshape(q * q, -1)
    twice = (flat @ flat.T).reshape(q, q, q, q).transpose(0, 3, 1, 2).reshape(q * q, q * q)
    D = np.linalg.solve(twice, (z @ z.T / theta - A.sum(axis=-1)).ravel()).reshape(q, q)
    C = np.linalg.cholesky(reduced.average)
    share, axes = np.linalg.eigh(C.T @ ((D + D.T) / 2) @ C)
    half = np.linalg.solve(C.T, axes * np.sqrt(np.maximum(share, _FAINT)))
    return np.linalg.qr(half.T)[1].T


def _settled(likelihood, found):
    """Move a maximum that is all but on the boundary there, if it does belong there."""
    q, L = len(found.factor), found.factor
    C = np.linalg.cholesky(likelihood.reduced.average)
    share, axes = np.linalg.eigh(C.T @ L @ L.T @ C)
    faint = int((share < _FAINT).sum())
    into = np.linalg.inv(C).T
    for rank in range(q - faint, q):
        face = (into @ axes[:, q - rank :]) * np.sqrt(share[q - rank :])
        if rank:
            there = descend(likelihood, np.linalg.qr(face.T)[1].T[None])
        else:
            there = Maximum(face, float(likelihood.criterion(np.zeros((q, q)))))
        no_higher = there.criterion <= found.criterion + _NOISE * abs(there.criterion)
        if no_higher and _belongs(likelihood, there.factor, C):
            return there
    return found


def _belongs(likelihood, face, C):
    """Whether the criterion falls nowhere towards the inside of the boundary."""
    q, rank = face.shape
    D = face @ face.T
    axes = np.linalg.svd(C.T @ face)[0] if rank else np.eye(q)
    into = np.linalg.solve(C.T, axes[:, rank:])
    slope = into.T @ likelihood.expand(D).gradient @ into
    parts = into.T @ likelihood.sums(D).H @ into
    return np.linalg.eigvalsh(slope)[0] >= -_DOWN * np.trace(parts)
