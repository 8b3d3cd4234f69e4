"""The trapezoid rule on logarithmic axes, and what its nodes know of one axis: distribution, quantiles.

For a function that is analytic about the real line and vanishes at both ends the rule's error falls
exponentially in 1 / step (Trefethen and Weideman 2014), and its nodes give the integral up to any point by
Whittaker's series of sines, as exactly (Stenger 1993, section 3.6).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import sici

_DEPTH = 42.0  # integrands are followed down to exp(-42) of their top
_SAME = 1e-11  # relative: how far two steps may differ
_MOST = 6  # times that the step is halved
_WIDEST = 2_000  # steps of one axis in which the integrand must have vanished, before it is halved
_GROWTH = 0.3


class Nodes(NamedTuple):
    """A density at the nodes of the rule.

    Attributes
    ----------
    axes : tuple of ndarray
        Logarithms of the positive quantities that are integrated over.
    steps : tuple of float
    weights : ndarray
        Of each node, adding up to 1; one axis for each of ``axes``.
    """

    axes: tuple
    steps: tuple
    weights: np.ndarray


def integrate(log_density, start, steps, powers):
    """Nodes of a density of positive quantities, fine enough for its moments.

    Parameters
    ----------
    log_density : callable
        Of two arrays that broadcast, the logarithms of the quantities; up to a constant, with respect to
        those logarithms.
    start : list of (float, float)
        Lower and upper end of each axis from where the range is sought. An axis of no length has one node.
    steps : list of float
        First step of each axis.
    powers : list of tuple of float
        Powers of the quantities whose moments must have settled, ``(0, 0)`` among them.

    Returns
    -------
    Nodes

    Raises
    ------
    ValueError
        If the integrals do not settle.
    """
    ends, before = [list(pair) for pair in start], None
    steps = [step if low < high else 0.0 for (low, high), step in zip(ends, steps, strict=True)]
    for _ in range(100):
        axes, value = _evaluate(log_density, ends, steps)
        if not _widen(ends, steps, axes, value, powers):
            break
    else:
        _refuse()
    _trim(ends, axes, value, powers)
    for _ in range(_MOST):
        axes, value = _evaluate(log_density, ends, steps)
        cells = np.prod([step or 1.0 for step in steps])
        moments = np.array([_log_sum(_tilted(value, axes, power)) for power in powers]) + np.log(cells)
        if before is not None and np.abs(np.expm1(moments - before)).max() < _SAME:
            weights = np.exp(value - value.max())
            return Nodes(tuple(axes), tuple(steps), weights / weights.sum())
        before, steps = moments, [step / 2 for step in steps]
    return _refuse()


def _refuse():
    raise ValueError("the integrals of this posterior do not settle: the prior and the data may contradict")


def _evaluate(log_density, ends, steps):
    axes = [
        low + step * np.arange(round((high - low) / step) + 1) if step else np.array([low])
        for (low, high), step in zip(ends, steps, strict=True)
    ]
    return axes, log_density(axes[0][:, None], axes[1][None, :])


def _tilted(value, axes, power):
    return value + power[0] * axes[0][:, None] + power[1] * axes[1]


def _log_sum(value):
    top = value.max()
    return top + np.log(np.exp(value - top).sum())


def _along(value, axes, powers):
    """For each power and axis, the largest log integrand at each node of the axis, less its top."""
    for power in powers:
        tilted = _tilted(value, axes, power)
        for k in (0, 1):
            yield k, tilted.max(axis=1 - k) - tilted.max()


def _widen(ends, steps, axes, value, powers):
    """Move the ends where an integrand has not vanished; whether any was moved."""
    moved = set()
    for k, top in _along(value, axes, powers):
        for side in (0, -1):
            if steps[k] and top[side] > -_DEPTH:
                moved.add((k, side))
    for k, side in moved:
        low, high = ends[k]
        by = steps[k] * np.ceil(_GROWTH * (high - low) / steps[k] + 8)
        ends[k][side] += by if side else -by
        if (high - low) / steps[k] > _WIDEST:
            _refuse()
    return bool(moved)


def _trim(ends, axes, value, powers):
    """Bring the ends in to where some integrand is above its floor."""
    kept = [np.zeros(len(axis), dtype=bool) for axis in axes]
    for k, top in _along(value, axes, powers):
        kept[k] |= top > -_DEPTH
    for k, (axis, keep) in enumerate(zip(axes, kept, strict=True)):
        inside = np.flatnonzero(keep)
        ends[k][:] = axis[max(inside[0] - 1, 0)], axis[min(inside[-1] + 1, len(axis) - 1)]


class Marginal:
    """The distribution of one positive quantity, from the nodes of its logarithm.

    Parameters
    ----------
    axis : ndarray of shape (K,)
    step : float
    weights : ndarray of shape (K,)
    """

    def __init__(self, axis, step, weights):
        self.axis, self.step, self.weights = axis, step, weights

    def moment(self, power):
        """Mean of the quantity to a power."""
        return float(self.weights @ np.exp(power * self.axis))

    def density(self, x):
        """Density at each x > 0."""
        x = np.asarray(x, dtype=float)
        at = (np.log(x)[..., None] - self.axis) / self.step
        return np.sinc(at) @ self.weights / (self.step * x)

    def cdf(self, x):
        """Probability of at most x > 0."""
        at = (np.log(x)[..., None] - self.axis) / self.step
        return (0.5 + sici(np.pi * at)[0] / np.pi) @ self.weights

    def quantile(self, p):
        """The x below which there is probability p."""
        below = np.cumsum(self.weights)
        k = np.searchsorted(below, p)
        low, high = self.axis[max(k - 3, 0)], self.axis[min(k + 3, len(below) - 1)]
        return float(np.exp(brentq(lambda y: self.cdf(np.exp(np.asarray(y))) - p, low, high, xtol=1e-13)))
