"""The criterion at many D at once where an intercept and one slope vary: for the look where to start.

With M = I + R D R' of a group, adj(M) = I + adj(R)' adj(D) adj(R), so that log |V| and C'V^-1 C are sums of
det M and of T'T + U' adj(D) U over it, U = adj(R) T: few products by group serve every D. Where D is all but
singular and large, parts cancel, so no estimate rests on it.
"""

from __future__ import annotations

import numpy as np

from .likelihood import _pairs


def criterion(likelihood, D):
    """`likelihood.Likelihood.criterion` at D, of shape (S, 2, 2), but for rounding; NaN where that is all.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
        With q = 2.
    D : ndarray of shape (S, 2, 2)

    Returns
    -------
    ndarray of shape (S,)
    """
    reduced = likelihood.reduced
    ((r, s), (_, t)), T = reduced.roots, reduced.sides
    d = np.ones((len(D), 5))
    d[:, 1], d[:, 2], d[:, 3] = D[:, 0, 0], D[:, 0, 1], D[:, 1, 1]
    d[:, 4] = d[:, 1] * d[:, 3] - d[:, 2] ** 2
    x, y, which = _pairs(likelihood.c)
    (one, two), (three, four) = U = np.empty((2, 2, len(x), len(r)))  # U at the one column and the other
    for at, column in ((0, x), (1, y)):
        U[0, at], U[1, at] = t * T[0, column] - s * T[1, column], r * T[1, column]
    parts = np.array([
        (T[:, x] * T[:, y]).sum(axis=0), three * four, -(one * four + three * two), one * two
    ])  # fmt: skip
    with np.errstate(all="ignore"):
        det = d @ np.array([np.ones_like(r), r * r, 2 * r * s, s * s + t * t, (r * t) ** 2])
        value = likelihood.constant + np.log(det).sum(axis=-1)
        sums = np.reciprocal(det) @ parts.reshape(-1, len(r)).T
        cross = (d[:, None, :4] @ sums.reshape(len(D), 4, -1))[:, 0].T[which] + reduced.left[..., None]
        for weight in likelihood._of_pivots / 2:
            pivot, row = cross[0, 0], cross[0, 1:]
            value = value + weight * np.log(pivot)
            cross = cross[1:, 1:] - row[:, None] * (row / pivot)
    return value
