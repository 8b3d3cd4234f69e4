"""The likelihood's maximum in closed form, where groups have the same rows but for their outcomes.

If every column of X is a combination of the varying terms, the same in all groups, a group says
T_g = R'^-1 Z'y of the coefficients, with covariance theta M, M = I + R D R', about a mean that all groups
share; within groups theta has W on m = N - J q degrees of freedom. With S the cross-products of the T_g about
their mean and f = J - 1 (ML: J) the criterion is, but for a constant,

    f log |M| + tr(M^-1 S) / theta + W / theta + (f q + m) log theta,    to be least over M >= I.

For a given theta that M has the axes of S (von Neumann's trace inequality), and on each, where S has the root
l, mu = max(1, l / (f theta)). What is left is convex in 1 / theta, so there is one minimum, where

    theta = (W + sum of the l with mu = 1) / (m + f for each of these):

one root after another, the least first, is pooled with W until none is below f theta. Without pooling this is
the analysis of variance. Anderson, Anderson and Olkin (1986).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.linalg import lapack

from .likelihood import inverse_root

_SAME = 1e-13  # of the largest number by group: what differs by less is rounding


def same_in_each(reduced):
    """Whether the groups differ in nothing but their outcomes, and the fixed terms are the varying ones."""
    q, k, _ = reduced.both.shape
    if k != q + 1 or len(reduced.columns) != k:
        return False
    one, other = reduced.both[-1, q - 1, [0, -1]].tolist()
    if abs(one - other) > _SAME * one:
        return False  # as most tables show in two groups
    first = reduced.roots[..., :1]
    return bool(np.abs(reduced.roots - first).max() <= _SAME * np.abs(first).max())


def factor(likelihood):
    """The factor L with D = L L' for groups that are the `same_in_each`, and what follows from it.

    Parameters
    ----------
    likelihood : likelihood.Likelihood

    Returns
    -------
    factor : ndarray of shape (q, r)
        Lower trapezoidal, r the roots that are not pooled.
    criterion : callable
        Works the criterion out.
    cross : ndarray of shape (c, c)
        C'V^-1 C at theta = 1.
    """
    reduced = likelihood.reduced
    both, (q, _, J), root = reduced.both, reduced.both.shape, reduced.roots[..., 0]
    f, W, m = J - likelihood.reml, float(reduced.left[q, q]), reduced.nobs - J * q
    T = both[:, q] - (both[:, q].sum(axis=1) / J)[:, None]
    S, into = T @ T.T, lapack.dtrtri(root)[0]
    beyond = S * (m / (f * W))
    beyond.flat[:: q + 1] -= 1.0  # M - I, if nothing is pooled
    L, pooled = lapack.dpotrf(into @ beyond @ into.T, lower=1)
    if pooled:  # the least root at least is below f theta
        roots, axes = np.linalg.eigh(S)
        k, theta = 0, W / m
        while not k or (k < q and roots[k] <= f * theta):
            W, m, k = W + roots[k], m + f, k + 1
            theta = W / m
        half = into @ axes[:, k:] * np.sqrt(roots[k:] / (f * theta) - 1)
        L = np.linalg.qr(half.T)[1].T
    turned = root @ L
    half = inverse_root(np.eye(q) + turned @ turned.T)
    white = (half @ both.reshape(q, -1)).reshape(both.shape)
    cross = reduced.of_columns((white @ white.swapaxes(1, 2)).sum(axis=0)) + reduced.left
    return L, partial(_criterion, likelihood, half, cross), cross


def _criterion(likelihood, half, cross):
    """The criterion, from the root of M^-1, the same in all groups, and the cross-products in V^-1."""
    J = likelihood.reduced.both.shape[-1]
    return float(likelihood.value(-2 * J * np.log(half.diagonal()).sum(), np.linalg.cholesky(cross)))
