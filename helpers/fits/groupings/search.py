"""Where the likelihood of two groupings is highest: a coarse grid, Newton steps, exact zeros on the boundary.

Steps are taken in t = log(1 + m g), m rows to a group on average: smooth at g = 0 and beyond, and a logarithm
where g is large. A step that leaves g >= 0 stops on the boundary, where g is 0 and stays so while the slope
there points outwards.
"""

from __future__ import annotations

import numpy as np

_ENOUGH = 1e-13  # a Newton step that promises less is the last
_NOISE = 1e-13  # of the criterion, relative: a rise by less is rounding
_STEPS = 100  # at most; six are usual
_LONGEST = 2.0  # of a step, in t
_FLAT = 1e-10  # a curvature below this is none
_FAR = 45.0  # of t: the variance within is 0 to rounding
_GRID = np.array([0.0, 0.3, 1.0, 2.0, 3.5, 6.0])
_QUICK = 3e7  # operations for a matrix up to which a grid is looked at first
_NEAR = 10.0  # a point of the grid higher than the lowest by more than this leads to no lower minimum
_START = np.array([1.5, 1.5])


def scales_of(likelihood):
    """Rows to a group on average, of the outer and the inner grouping."""
    return likelihood.nobs / np.array([len(likelihood.sizes), len(likelihood.n)])


def ratios_of(t, scales):
    """Ratios of the variances, from t."""
    return np.expm1(t) / scales


def in_t(point, t, scales):
    """Gradient and Hessian of the criterion in t."""
    slope = np.exp(t) / scales
    gradient = point.gradient * slope
    return gradient, point.hessian * slope[:, None] * slope + np.diag(gradient)


def minimise(expand, t, lower, value=None):
    """Newton's method within bounds.

    Parameters
    ----------
    expand : callable
        From t to an object with ``value``, and a function that gives gradient and Hessian there.
    t : ndarray
        Where to start.
    lower : ndarray
        Bounds; -inf for none.

    Returns
    -------
    t : ndarray
    point : object
        What ``expand`` gave there.

    Raises
    ------
    FloatingPointError
        If t has no end.
    """
    t = np.maximum(t, lower)
    point, slopes = expand(t)
    for _ in range(_STEPS):
        gradient, hessian = slopes()
        free = (t > lower) | (gradient < 0)
        if not free.any():
            break
        step, promise = _step(gradient[free], hessian[np.ix_(free, free)])
        whole = np.zeros(len(t))
        whole[free] = step
        last, now = promise < _ENOUGH, point.value
        whole *= min(1.0, _LONGEST / max(np.abs(whole).max(), 1e-300))
        for _ in range(40):
            trial = np.maximum(t + whole, lower)
            then, slopes_then = expand(trial)
            if then.value <= now + 1e-4 * min(gradient @ (trial - t), 0.0) + _NOISE * abs(now):
                break
            whole /= 4
        else:
            break
        t, point, slopes = trial, then, slopes_then
        if np.any(t > _FAR):
            raise FloatingPointError
        if last:
            break
    return t, point


def _step(gradient, hessian):
    """Newton's step, downhill also where the criterion is not convex, and what it promises."""
    values, vectors = np.linalg.eigh(hessian)
    along, size = vectors.T @ gradient, np.maximum(np.abs(values), _FLAT)
    return vectors @ (-along / size), float(np.sum(along**2 / size) / 2)


def maximum(likelihood, fixed=()):
    """Find where the criterion is least.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
    fixed : sequence of int
        Groupings (0 outer, 1 inner) whose variance is held at 0.

    Returns
    -------
    likelihood.Point

    Raises
    ------
    ValueError
        If the variance within goes to 0.
    """
    scales, free = scales_of(likelihood), np.array([s not in fixed for s in (0, 1)])

    def expand(part):
        t = np.zeros(2)
        t[free] = part
        point = likelihood.at(ratios_of(t, scales))

        def slopes():
            gradient, hessian = in_t(point, t, scales)
            return gradient[free], hessian[np.ix_(free, free)]

        return point, slopes

    if not free.any():
        return likelihood.at([0.0, 0.0])
    best = None
    try:
        for start in _starts(likelihood, scales, free):
            _, point = minimise(expand, start[free], np.zeros(free.sum()))
            if best is None or point.value < best.value - _NOISE * abs(best.value):
                best = point
    except (FloatingPointError, np.linalg.LinAlgError):
        rows = likelihood.groupings.rows
        raise ValueError(
            f"{' and '.join(likelihood.groupings.names)} explain {rows.outcome!r} but for rounding: the "
            "variance within is 0 and the ratios of the variances have no end; leave one grouping out"
        ) from None
    return best


def _starts(likelihood, scales, free):
    K = len(likelihood.sizes)
    if not likelihood.groupings.nested and K**3 > _QUICK:
        return [_START]
    if likelihood.groupings.nested and len(likelihood.n) > _QUICK / 1e3:
        return [_START]
    axes = [_GRID if each else np.zeros(1) for each in free]
    value = np.array(
        [[likelihood.at(ratios_of(np.array([a, b]), scales)).value for b in axes[1]] for a in axes[0]]
    )
    padded = np.pad(value, 1, constant_values=np.inf)
    about = np.min([padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]], axis=0)
    low = np.argwhere((value <= about) & (value <= value.min() + _NEAR))
    low = low[np.argsort(value[tuple(low.T)], kind="stable")][:4]
    # From the boundary a step inwards is to be taken only where it leads down: start just beside it.
    return [np.maximum([axes[0][i], axes[1][k]], 0.05 * free) for i, k in low]
