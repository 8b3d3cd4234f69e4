"""The criterion at many D at once where an intercept and one slope vary: for the look where to start.

With M = I + R D R' of a group, adj(M) = I + adj(R)' adj(D) adj(R), so that log |V| and C'V^-1 C are sums of
det M and of T'T + U' adj(D) U over it, U = adj(R) T: few products by group serve every D. Where D is all but
singular and large, parts cancel, so no estimate rests on it.
"""

from __future__ import annotations

import numpy as np

from .likelihood import _pairs

_ENOUGH = 512  # groups


def criterion(likelihood, D):
    """`likelihood.Likelihood.criterion` at D, of shape (S, 2, 2), but for rounding; NaN where that is all.

    With more than `_ENOUGH` groups one stands for some, so that it is what those seen say of all.

    Parameters
    ----------
    likelihood : likelihood.Likelihood
        With q = 2.
    D : ndarray of shape (S, 2, 2)

    Returns
    -------
    ndarray of shape (S,)
    """
    d = np.ones((len(D), 5))
    d[:, 1], d[:, 2], d[:, 3] = D[:, 0, 0], D[:, 0, 1], D[:, 1, 1]
    d[:, 4] = d[:, 1] * d[:, 3] - d[:, 2] ** 2
    every = -(-likelihood.reduced.roots.shape[-1] // _ENOUGH)
    log_det, sums = _of_groups(d, likelihood._both[..., ::every])
    cross = every * (d[:, None, :4] @ sums.reshape(len(D), 4, -1))[:, 0].T[_pairs(likelihood.c)[2]]
    cross, value = cross + likelihood.reduced.left[..., None], likelihood.constant + every * log_det
    with np.errstate(all="ignore"):
        for weight in likelihood._of_pivots / 2:
            pivot, row = cross[0, 0], cross[0, 1:]
            value = value + weight * np.log(pivot)
            cross = cross[1:, 1:] - row[:, None] * (row / pivot)
    return value


def _of_groups(d, both):
    """Sums over some groups for the entries d (S, 5) of D: of log det M and, over it, T'T and U (S, 4 m)."""
    ((r, s), (_, t)), T = both[:, :2], both[:, 2:]
    x, y, _ = _pairs(T.shape[1])
    U = t * T[0] - s * T[1], r * T[1]
    (one, two), (three, four) = [(column[x], column[y]) for column in U]
    parts = np.array([
        (T[:, x] * T[:, y]).sum(axis=0), three * four, -(one * four + three * two), one * two
    ])  # fmt: skip
    with np.errstate(all="ignore"):
        det = d @ np.array([np.ones_like(r), r * r, 2 * r * s, s * s + t * t, (r * t) ** 2])
        return np.log(det).sum(axis=-1), np.reciprocal(det) @ parts.reshape(-1, len(r)).T
