"""Random intercepts and slopes fitted by REML to many data sets at once, from the line of each group.

With b_j the least-squares line of a group, S_j the cross-products of (1, x) in it and D = Psi / theta,
b_j is N(beta, theta (D + S_j^-1)), and the sum of squares about the lines says the rest. Formulas as in
`slopes.likelihood`, `slopes.inference` and `slopes.sandwich`, which do one data set; a test compares them.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import stats

INTERCEPTS, BOTH = (0,), (0, 1, 2)  # entries of the factor of D that are free

_E = np.array([[[1.0, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]])
_STEPS, _ENOUGH = 30, 1e-6  # Newton steps at most; a step that promises less of the criterion is the last
_START = list(product((0.1, 0.7, 3.0), (0.03, 0.3, 1.5, 8.0), (-0.8, 0.0, 0.8)))  # in units of 1 / mean S


class Lines(NamedTuple):
    """R data sets of J groups: all that a fit of intercepts and slopes needs of them.

    Attributes
    ----------
    b : ndarray of shape (R, J, 2)
        Intercept and slope of the least-squares line of each group.
    S : ndarray of shape (R, J, 2, 2)
        Cross-products of (1, x); of full rank.
    rss : ndarray of shape (R,)
        Sum of squares about the lines.
    N : int
        Rows of a data set.
    """

    b: np.ndarray
    S: np.ndarray
    rss: np.ndarray
    N: int

    def some(self, own):
        """Return some of the data sets."""
        return Lines(self.b[own], self.S[own], self.rss[own], self.N)


class At(NamedTuple):
    """Generalised least squares at a D, at theta = 1: W_j = (D + S_j^-1)^-1 and C = (sum W_j)^-1."""

    value: np.ndarray
    W: np.ndarray
    C: np.ndarray
    beta: np.ndarray
    u: np.ndarray
    rss: np.ndarray


def symmetric(a, b, c):
    """Symmetric 2 x 2 matrices of their entries."""
    return np.stack([np.stack([a, b], axis=-1), np.stack([b, c], axis=-1)], axis=-2)


def _inverse(M):
    a, b, c = M[..., 0, 0], M[..., 0, 1], M[..., 1, 1]
    det = a * c - b * b
    return symmetric(c / det, -b / det, a / det), det


# Of many 2 x 2 matrices arithmetic by entry is several times as quick as matrix products: a symmetric one is
# its entries (a, b, c) here, a vector its two.


def _entries(M):
    return M[..., 0, 0], M[..., 0, 1], M[..., 1, 1]


def _root(a, b, c):
    """Square root of a positive semidefinite matrix."""
    det = np.sqrt(np.maximum(a * c - b * b, 0.0))
    size = np.sqrt(a + c + 2 * det)
    return (a + det) / size, b / size, (c + det) / size


def _times(M, v):
    """M v."""
    return M[0] * v[0] + M[1] * v[1], M[1] * v[0] + M[2] * v[1]


def _around(M, D):
    """M D M, of symmetric M and D."""
    (one, two), (three, four) = _times(M, (D[0], D[1])), _times(M, (D[1], D[2]))
    return one * M[0] + three * M[1], one * M[1] + three * M[2], two * M[1] + four * M[2]


def _solved(M, v):
    """M^-1 v."""
    det = M[0] * M[2] - M[1] * M[1]
    return (M[2] * v[0] - M[1] * v[1]) / det, (M[0] * v[1] - M[1] * v[0]) / det


def covariance(L):
    """D of the entries (l11, l21, l22) of its factor."""
    a, b, c = np.moveaxis(L, -1, 0)
    return symmetric(a * a, a * b, b * b + c * c)


def at(lines, D):
    """Generalised least squares and the criterion, but for a constant, at D of shape (R, 2, 2)."""
    (a, b, c), (one, two) = _entries(lines.S), np.moveaxis(lines.b, -1, 0)
    det_S = a * c - b * b
    p, q, r = (part[:, None] for part in _entries(D))
    p, q, r = c / det_S + p, q - b / det_S, a / det_S + r
    det_V = p * r - q * q
    p, q, r = r / det_V, -q / det_V, p / det_V
    C, det_W = _inverse(symmetric(*(part.sum(axis=1) for part in (p, q, r))))
    whole = np.stack([(p * one + q * two).sum(axis=1), (q * one + r * two).sum(axis=1)], axis=-1)
    beta = (C @ whole[..., None])[..., 0]
    one, two = one - beta[:, :1], two - beta[:, 1:]
    u, v = p * one + q * two, q * one + r * two
    rss = lines.rss + (u * one + v * two).sum(axis=1)
    value = np.log(det_V * det_S).sum(axis=1) + np.log(det_W) + (lines.N - 2) * np.log(rss)
    return At(value, symmetric(p, q, r), C, beta, np.stack([u, v], axis=-1), rss)


class Sums(NamedTuple):
    """Sums over the groups of products of W and u, with E_s a change of D: what derivatives are made of.

    ``T`` (R, 3, 3) of tr(W E_s W E_t), ``M`` (R, 3, 2, 2) of W E_s W, ``Q`` (R, 3, 3, 2, 2) of W E_s W E_t W.
    """

    trace: np.ndarray
    T: np.ndarray
    M: np.ndarray
    Q: np.ndarray


def _sums(now):
    R, J = now.u.shape[:2]
    flat = now.W.reshape(R, J, 4)
    WW = (flat.swapaxes(1, 2) @ flat).reshape(R, 2, 2, 2, 2)
    pairs = (flat[..., :, None] * flat[..., None, :]).reshape(R, J, 16)
    WWW = (pairs.swapaxes(1, 2) @ flat).reshape(R, 2, 2, 2, 2, 2, 2)
    return Sums(
        np.einsum("sab,rjab->rs", _E, now.W, optimize=True),
        np.einsum("sab,tcd,rbcda->rst", _E, _E, WW, optimize=True),
        np.einsum("sab,rxaby->rsxy", _E, WW, optimize=True),
        np.einsum("sab,tcd,rxabcdy->rstxy", _E, _E, WWW, optimize=True),
    )


def _slope_and_curve(lines, now):
    """Gradient (R, 3) and Hessian (R, 3, 3) of the criterion in D's entries."""
    sums, C, nu = _sums(now), now.C, lines.N - 2
    u, v = np.moveaxis(now.u, -1, 0)
    Eu, W = ((u, 0 * u), (v, u), (0 * u, v)), _entries(now.W)
    WEu = np.stack([np.stack(_times(W, each), axis=-1) for each in Eu], axis=-1)
    q, R = WEu.sum(axis=1).swapaxes(1, 2), len(u)
    uWu = np.stack([np.stack(each, axis=-1) for each in Eu], axis=-1).reshape(R, -1, 3)
    uWu = uWu.swapaxes(1, 2) @ WEu.reshape(R, -1, 3)
    g = np.stack([(u * u).sum(axis=1), 2 * (u * v).sum(axis=1), (v * v).sum(axis=1)], axis=1)
    CM = np.einsum("rab,rsbc->rsac", C, sums.M)
    gradient = sums.trace - np.einsum("rsaa->rs", CM) - nu * g / now.rss[:, None]
    hessian = 2 * np.einsum("rxy,rstyx->rst", C, sums.Q, optimize=True)
    hessian = (hessian + hessian.swapaxes(1, 2)) / 2 - sums.T - np.einsum("rsab,rtba->rst", CM, CM)
    fall = 2 * uWu - 2 * np.einsum("rsa,rab,rtb->rst", q, C, q, optimize=True)
    fall = fall / now.rss[:, None, None]
    share = g / now.rss[:, None]
    return gradient, hessian + nu * (fall - share[:, :, None] * share[:, None, :])


def _in_factor(L, gradient, hessian):
    """Gradient and Hessian in the factor's entries, and the Jacobian (R, 3, 3) of D's in these."""
    a, b, c = np.moveaxis(L, -1, 0)
    none = np.zeros_like(a)
    rows = [[2 * a, none, none], [b, a, none], [none, 2 * b, 2 * c]]
    jacobian = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)
    curve = jacobian.swapaxes(1, 2) @ hessian @ jacobian
    own = np.zeros((3, 3, 3))
    own[0, 0, 0], own[1, 0, 1], own[1, 1, 0], own[2, 1, 1], own[2, 2, 2] = 2, 1, 1, 2, 2
    curve += np.einsum("rs,sab->rab", gradient, own)
    return (gradient[:, None] @ jacobian)[:, 0], curve, jacobian


def _newton(gradient, hessian):
    """Newton's step, downhill also where the criterion is not convex, and what it promises."""
    values, vectors = np.linalg.eigh(hessian)
    size = np.maximum(np.abs(values), 1e-9 * np.abs(values).max(axis=1, keepdims=True) + 1e-12)
    along = -(gradient[:, None] @ vectors)[:, 0] / size
    return (vectors @ along[..., None])[..., 0], (size * along**2).sum(axis=1) / 2


def fit(lines, free=BOTH):
    """Find the factor of D at which the REML criterion is least, for each data set.

    Parameters
    ----------
    lines : Lines
    free : tuple of int
        `INTERCEPTS` or `BOTH`: what varies.

    Returns
    -------
    L : ndarray of shape (R, 3)
        Entries l11, l21, l22.
    """
    free, R = list(free), len(lines.b)
    unit = 1 / np.sqrt(np.einsum("rjaa->ra", lines.S) / lines.S.shape[1])
    L, A = np.zeros((R, 3)), _inverse(lines.S)
    starts = _START if len(free) > 1 else [(v, 0.0, 0.0) for v in (0.1, 0.7, 3.0)]
    best = np.full(R, np.inf)
    for first, second, r in starts:
        a, b = unit[:, 0] * np.sqrt(first), unit[:, 1] * np.sqrt(second)
        trial = np.stack([a, r * b, np.sqrt(1 - r * r) * b], axis=1)
        value = _criterion(lines, A, trial)
        better = value < best
        best[better], L[better] = value[better], trial[better]
    left, radius = np.arange(R), 1 + np.abs(L).max(axis=1)
    own, now = lines, at(lines, covariance(L))
    for _ in range(_STEPS):
        gradient, hessian, _ = _in_factor(L[left], *_slope_and_curve(own, now))
        step, promise = _newton(gradient[:, free], hessian[:, free][:, :, free])
        length = np.sqrt((step**2).sum(axis=1))
        step *= np.minimum(1, radius[left] / np.maximum(length, 1e-300))[:, None]
        trial = L[left]
        trial[:, free] += step
        then = at(own, covariance(trial))
        better = then.value <= now.value + 1e-12 * np.abs(now.value)
        L[left[better]] = trial[better]
        length = np.minimum(length, radius[left])
        radius[left] = np.where(better, np.maximum(radius[left], 2 * length), length / 4)
        more = (promise > _ENOUGH) & (radius[left] > 1e-12)
        left = left[more]
        if not len(left):
            break
        own = own.some(more)
        now = At(*(part[more] for part in then)) if better[more].all() else at(own, covariance(L[left]))
    return L


def _criterion(lines, A, L):
    """The criterion for a first look: quick, and less exact than that of `at`."""
    (A, det_S), D, b = A, covariance(L), lines.b
    p, q, r = (A[..., i, k] + D[:, None, i, k] for i, k in ((0, 0), (0, 1), (1, 1)))
    det = p * r - q * q
    p, q, r = r / det, -q / det, p / det
    one, two = p * b[..., 0] + q * b[..., 1], q * b[..., 0] + r * b[..., 1]
    square = np.einsum("rj,rj->r", one, b[..., 0]) + np.einsum("rj,rj->r", two, b[..., 1])
    p, q, r, one, two = (part.sum(axis=1) for part in (p, q, r, one, two))
    whole = p * r - q * q
    rss = lines.rss + square - (r * one**2 - 2 * q * one * two + p * two**2) / whole
    return np.log(det * det_S).sum(axis=1) + np.log(whole) + (lines.N - 2) * np.log(rss)


class Inference(NamedTuple):
    """What is said of the slope of x in each data set: estimate, standard error and df, each (R,)."""

    estimate: np.ndarray
    se: np.ndarray
    df: np.ndarray


def kenward_roger(lines, L, free=BOTH):
    """Kenward and Roger's (1997) standard error and df of the slope, as `slopes.inference.kenward_roger`."""
    D = covariance(L)
    now = at(lines, D)
    sums, C, R = _sums(now), now.C, len(L)
    W = now.W.sum(axis=1)
    few = [k for k in range(3) if k < len(free)]
    m = len(few)
    P, Q, trace = np.empty((R, m + 1, 2, 2)), np.empty((R, m + 1, m + 1, 2, 2)), np.empty((R, m + 1, m + 1))
    P[:, :m], P[:, m] = -sums.M[:, few], -W  # at first with V in the place of theta's I
    Q[:, :m, :m], Q[:, m], Q[:, :, m] = sums.Q[:, few][:, :, few], -P, -P
    trace[:, :m, :m] = sums.T[:, few][:, :, few]
    trace[:, m, :m] = trace[:, :m, m] = sums.trace[:, few]
    trace[:, m, m] = lines.N
    change = np.zeros((R, m + 1, m + 1)) + np.eye(m + 1)
    change[:, m, :m] = -np.stack([D[:, 0, 0], D[:, 0, 1], D[:, 1, 1]], axis=1)[:, few]
    P = np.einsum("rst,rtxy->rsxy", change, P)
    Q = np.einsum("rsu,rtv,ruvxy->rstxy", change, change, Q, optimize=True)
    trace = change @ trace @ change.swapaxes(1, 2)
    AP = C[:, None] @ P
    known = trace - 2 * np.einsum("rxy,rstyx->rst", C, Q) + np.einsum("rsxy,rtyx->rst", AP, AP)
    spread = 2 * np.linalg.inv(known)
    bias = np.einsum("rst,rstxy->rxy", spread, Q - np.einsum("rsxu,rtuy->rstxy", P, AP), optimize=True)
    cov = C + C @ (bias + bias.swapaxes(1, 2)) @ C
    along = np.einsum("rx,rsxy,ry->rs", C[:, 1], P, C[:, 1], optimize=True) / C[:, 1, 1, None]
    df = 2 / np.einsum("rs,rst,rt->r", along, spread, along, optimize=True)
    return Inference(now.beta[:, 1], np.sqrt(now.rss / (lines.N - 2) * cov[:, 1, 1]), df)


def satterthwaite(lines, L):
    """The model's standard error and Satterthwaite's df of the slope, as `slopes.inference.satterthwaite`."""
    now, nu, R = at(lines, covariance(L)), lines.N - 2, len(L)
    _, hessian, jacobian = _in_factor(L, *_slope_and_curve(lines, now))
    Eu = np.einsum("sab,rjb->rjsa", _E, now.u)
    g = nu * np.einsum("rja,rjsa->rs", now.u, Eu) / now.rss[:, None]
    score = (g[:, None] @ jacobian)[:, 0]
    observed = np.empty((R, 4, 4))
    observed[:, :3, :3] = hessian + score[:, :, None] * score[:, None, :] / nu
    observed[:, 3, :3] = observed[:, :3, 3] = score
    observed[:, 3, 3] = nu  # the last is log theta
    unit = np.sqrt(np.maximum(np.abs(np.diagonal(observed, axis1=1, axis2=2)), 1e-300))
    values, vectors = np.linalg.eigh(observed / unit[:, :, None] / unit[:, None, :])
    held = values > 1e-10
    root = vectors * (held / np.sqrt(np.where(held, values, 1.0)))[:, None] / unit[:, :, None]
    M = _sums(now).M
    along = np.einsum("rx,rsxy,ry->rs", now.C[:, 1], M, now.C[:, 1], optimize=True) / now.C[:, 1, 1, None]
    change = np.concatenate([(along[:, None] @ jacobian)[:, 0], np.ones((R, 1))], axis=1)
    df = 1 / np.sum((change[:, None] @ root)[:, 0] ** 2, axis=1)
    return Inference(now.beta[:, 1], np.sqrt(now.rss / nu * now.C[:, 1, 1]), df)


def cr2(lines, L):
    """CR2 of the slope, with Satterthwaite's df under the fitted model, as `slopes.sandwich.cluster_robust`.

    L = 0 is complete pooling: CR2 around least squares, for independent rows.
    """
    now, D = at(lines, covariance(L)), covariance(L)
    D, C = ([part[:, None] for part in _entries(M)] for M in (D, now.C))
    root = _root(*_entries(lines.S))  # its rows are (1, x) in an orthonormal basis of their span
    known = _around(root, D)
    V = 1 + known[0], known[1], 1 + known[2]
    half = _root(*V)
    inner = _around(half, [v - h for v, h in zip(V, _around(root, C), strict=True)])
    along = _times(half, _solved(_root(*inner), _solved(half, _times(root, C[1:]))))  # A'W X C, for the slope
    e = _times(root, np.moveaxis(lines.b - now.beta[:, None], -1, 0))
    variance = np.sum((along[0] * e[0] + along[1] * e[1]) ** 2, axis=1)
    own = along[0] * along[0] * V[0] + 2 * along[0] * along[1] * V[1] + along[1] * along[1] * V[2]
    w = np.stack(_times(root, along), axis=-1) @ np.linalg.cholesky(now.C)
    cross = w.swapaxes(1, 2) @ w
    trace = own.sum(axis=1) - np.einsum("raa->r", cross)
    squares = np.sum(own**2, axis=1) - 2 * np.sum(own * np.sum(w**2, axis=2), axis=1)
    df = trace**2 / (squares + np.sum(cross**2, axis=(1, 2)))
    return Inference(now.beta[:, 1], np.sqrt(variance), df)


def least_squares(lines):
    """Complete pooling as if rows were independent."""
    now = at(lines, np.zeros((len(lines.b), 2, 2)))
    se = np.sqrt(now.rss / (lines.N - 2) * now.C[:, 1, 1])
    return Inference(now.beta[:, 1], se, np.full(len(se), lines.N - 2.0))


def test(lines, intercepts, both):
    """P value of the likelihood-ratio test that slopes do not vary, as `SlopesFit.test_slope`."""
    fall = at(lines, covariance(intercepts)).value - at(lines, covariance(both)).value
    return np.where(fall > 1e-9, stats.chi2.sf(fall[:, None], [1, 2]).mean(axis=1), 1.0)
