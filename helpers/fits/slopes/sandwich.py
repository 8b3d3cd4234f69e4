"""Cluster-robust standard errors around partial pooling: R's ``vcovCR(lmer(...), "CR2")``, group by group.

In each group V, X and the residuals live in the span of the group's Z and X: in an orthonormal basis of it
they have q + p coordinates, and outside it every matrix of the sandwich is the identity. Bell and McCaffrey
(2002); Pustejovsky and Tipton (2018), whose working model here is the mixed model itself.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ...tables.linear import eigen_of, times
from .inference import Solution
from .likelihood import Likelihood, of_summary, triangular
from .search import Maximum

KINDS = ("CR0", "CR1", "CR1S", "CR2", "CR3")
_STEEP = 1e4  # eigenvalue of V from where on its square costs digits of what lies within groups
_BLOCK = 4096  # groups at a time, whose matrices fit a cache
_FULL = 1e-12  # as in `fits.sandwich`: a leverage this near 1 is 1


def around_intercepts(summary, psi, theta, method, kind):
    """`cluster_robust` for a fit with random intercepts alone.

    Parameters
    ----------
    summary : GroupSummary
    psi, theta : float
    method : {"reml", "ml"}
    kind : str
        As for `cluster_robust`.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Covariance of the coefficients of the centred columns, as in `profile.VarianceFit`.
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a of these.
    """
    reduced, kept = of_summary(summary, [], np.ones(len(summary.terms), dtype=bool))
    likelihood = Likelihood(reduced, method)
    D = np.array([[psi / theta]])
    solution = Solution(likelihood, Maximum(np.sqrt(D), float(likelihood.criterion(D))))
    cov, df = cluster_robust(solution, kept, kind)
    x, y = reduced.lengths[:-1], reduced.lengths[-1]
    return cov * y**2 / (x[:, None] * x), lambda a: df(a / x)


def cluster_robust(solution, kept, kind):
    """Sandwich covariance of the coefficients of a mixed model, by group.

    With W = V^-1, M the inverse of X'WX and e = y - X beta, CR0 is M (sum u_g u_g') M of u_g = X_g'W_g e_g;
    CR1 is J / (J - 1) times that, CR1S (N - 1) / (N - p) times CR1; CR2 puts A_g e_g in the place of e_g, so
    that the sum has the right expectation where V is right; CR3 (I - H_gg)^-1 e_g.

    Parameters
    ----------
    solution : inference.Solution
    kept : GroupSummary
        Of the fixed terms.
    kind : {"CR0", "CR1", "CR1S", "CR2", "CR3"}

    Returns
    -------
    cov : ndarray of shape (p, p)
        Covariance of the coefficients of the columns in working units, over the outcome's squared length.
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a: under CR2 Satterthwaite's with V for the
        errors' covariance, else J - 1.
    """
    half, columns = solution.gls.root, kept.centred_means().T / solution.likelihood.reduced.lengths[:, None]
    parts = []
    for start in range(0, kept.ngroups, _BLOCK):
        R, X, e = _coordinates(solution, kept, columns, slice(start, start + _BLOCK))
        V = times(solution.D @ R, R.swapaxes(0, 1))
        V += np.eye(len(V))[..., None]
        parts.append(scores(V, X, e, half, kind))  # half' half = M
    return combined(parts, half, kind, kept.nobs)


def scores(V, X, e, half, kind):
    """What each of J groups brings to the sandwich; groups are the last axis of all that is made of them.

    Parameters
    ----------
    V : ndarray of shape (q, q, J)
        Covariance over theta of the first q coordinates of each group; the others have the identity.
    X : ndarray of shape (r, p, J)
    e : ndarray of shape (r, J)
        Residuals in the same r >= q coordinates.
    half : ndarray of shape (p, p)
        half'half = M.
    kind : str

    Returns
    -------
    u : ndarray of shape (p, J)
        Scores, of adjusted residuals under CR2 and CR3.
    along : callable
        Under CR2, ``along(a)`` has for the contrast a of the coefficients what its df take: the variance of
        each group's share (J,), and its products with X half' (p, J).
    """
    r = len(X)
    eigen = values, _ = eigen_of(V)
    power = partial(_power, *eigen)
    g = WX = power(-1, X)
    u = _applied(WX, e)
    if kind == "CR2":
        root, steep = np.empty((r, r, X.shape[-1])), values[-1] > _STEEP
        for some, root_of in ((~steep, _root), (steep, _root_of_steep)):
            if some.any():
                root[..., some] = root_of(*(of[..., some] for of in (*eigen, half @ X)))
        g = power(0.5, times(root, power(-0.5, X)))  # A'W X
        u = _applied(g, e)
    elif kind == "CR3":
        HX = half @ X
        leverage, own = eigen_of(times(HX.swapaxes(0, 1), half @ WX))
        left = 1 - leverage
        factor = np.where(left > _FULL, 1 / np.maximum(left, _FULL), 0.0)
        u = np.linalg.inv(half) @ _applied(own.swapaxes(0, 1), factor * _applied(own, half @ u))

    def along(a):
        share = (half.T @ (half @ a)) @ g
        own = (share * power(1, share[:, None])[:, 0]).sum(axis=0)
        return own, half @ _applied(X, share)

    return u, along


def _applied(A, v):
    """A'v, group by group."""
    return (A * v[:, None]).sum(axis=0)


def _power(values, axes, k, of):
    """V^k, of which these are the eigenvalues and their axes, times vectors or matrices in coordinates."""
    of, q = of.copy(), len(values)
    if q == 1:  # whose axis is 1 or -1
        of[0] *= values[0] ** k
        return of
    of[:q] = times(axes, values[:, None] ** k * times(axes.swapaxes(0, 1), of[:q]))
    return of


def _root(values, axes, X):
    """Inverse root of the root of V times V - X X' times the root of V, by group, 0 where that is 0."""
    B = _power(values, axes, 2, np.repeat(np.eye(len(X))[..., None], X.shape[-1], axis=-1))
    B -= _square(_power(values, axes, 0.5, X))
    share, own = eigen_of((B + B.swapaxes(0, 1)) / 2)
    known = share > _FULL * np.maximum(share[-1], 1.0)  # 1 is what lies outside of the coordinates
    return times(own * (known / np.sqrt(np.where(known, share, 1.0))), own.swapaxes(0, 1))


def _root_of_steep(values, axes, X):
    """`_root` where psi is so large beside theta that directions within groups would pass for rounding.

    What is rooted is V times I - H times V, with leverages H between 0 and 1, which tell what is 0. It is K'K
    of K = root of I - H times V, whose columns, the largest first, keep their digits in a decomposition of K.
    """
    values, axes, X = (np.moveaxis(of, -1, 0) for of in (values, axes, X))
    q, r = values.shape[-1], X.shape[1]
    turn = np.tile(np.eye(r), (len(X), 1, 1))
    turn[:, :q, :q] = axes[..., ::-1]
    v = np.ones((len(X), r))
    v[:, :q] = values[:, ::-1]
    X = turn.swapaxes(-1, -2) @ X / np.sqrt(v)[..., None]
    share, own = np.linalg.eigh(np.eye(r) - X @ X.swapaxes(-1, -2))
    known = share > _FULL
    K = np.sqrt(np.where(known, share, 0.0))[..., None] * own.swapaxes(-1, -2) * v[:, None, :]
    _, lengths, right = np.linalg.svd(K)
    there = np.arange(r) < known.sum(axis=-1, keepdims=True)
    half = (there / np.sqrt(np.where(there, lengths, 1.0)))[..., None] * right @ turn.swapaxes(-1, -2)
    return np.moveaxis(half.swapaxes(-1, -2) @ half, 0, -1)


def combined(parts, half, kind, nobs):
    """Covariance and df, as `cluster_robust` returns, of `scores` of all groups in one or several parts."""
    u = np.concatenate([each for each, _ in parts], axis=-1)
    p, J = u.shape
    score = half @ u
    cov = half.T @ (score @ score.T) @ half
    if kind in ("CR1", "CR1S"):
        cov *= J / (J - 1)
    if kind == "CR1S":
        cov *= (nobs - 1) / (nobs - p)

    def df(a):
        if kind != "CR2":
            return float(J - 1)
        own, w = (np.concatenate(each, axis=-1) for each in zip(*(of(a) for _, of in parts), strict=True))
        inner = w @ w.T
        trace = own.sum() - np.trace(inner)
        return float(trace**2 / (np.sum(own**2) - 2 * own @ np.sum(w**2, axis=0) + np.sum(inner**2)))

    return cov, df


def _square(half):
    return times(half, half.swapaxes(0, 1))


def _coordinates(solution, kept, columns, groups):
    """Z, X and residuals of some groups in an orthonormal basis of the span of Z and X.

    Returns
    -------
    R, X, e : ndarray of shape (q, q, J), (r, p, J), (r, J)
        With r from q to q + p: directions that no group of these has are left out.
    """
    reduced = solution.likelihood.reduced
    p, T, columns = len(solution.cov), reduced.both[..., groups][:, reduced.columns], columns[:, groups]
    whole = kept.sizes[groups] * columns[:p, None] * columns
    rows, every = kept.varying[:, None], [*kept.varying, p]
    unit = reduced.lengths[rows] * reduced.lengths[every]
    whole[rows, every] += np.moveaxis(kept.products[groups], 0, -1) / unit[..., None]
    diagonal = np.einsum("xxj->xj", whole[:, :p]).copy()
    R = triangular(whole - times(T[:, :p].swapaxes(0, 1), T), 0.0, diagonal)
    there = R[:, :p].any(axis=(1, 2))
    C = np.concatenate([T, R[there]])
    return reduced.roots[..., groups], C[:, :p], C[:, p] - solution.gls.beta @ C[:, :p]
