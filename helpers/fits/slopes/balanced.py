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

import numpy as np

_SAME = 1e-13  # of the largest number by group: what differs by less is rounding


def same_in_each(reduced):
    """Whether the groups differ in nothing but their outcomes, and the fixed terms are the varying ones."""
    q, c, _ = reduced.sides.shape
    if c != q + 1 or reduced.left[:q, :q].any():
        return False
    one, other = reduced.roots[..., 0], reduced.roots[..., -1]
    if np.abs(one - other).max() > _SAME * one.max():
        return False  # as most tables show in two groups
    of_rows = np.concatenate([reduced.roots, reduced.sides[:, :q]], axis=1)
    first = of_rows[..., :1]
    return bool(np.abs(of_rows - first).max() <= _SAME * np.abs(first).max())


def factor(likelihood):
    """The factor L with D = L L' and the criterion, for groups that are the `same_in_each`.

    Parameters
    ----------
    likelihood : likelihood.Likelihood

    Returns
    -------
    factor : ndarray of shape (q, r)
        Lower trapezoidal, r the roots that are not pooled.
    criterion : float
    """
    reduced = likelihood.reduced
    q, _, J = reduced.sides.shape
    f, nu = J - likelihood.reml, likelihood.degrees
    T = reduced.sides[:, q] - reduced.sides[:, q].mean(axis=1, keepdims=True)
    S, W, m = T @ T.T, reduced.left[q, q], reduced.nobs - J * q
    M, theta = S * (m / (f * W)), W / m
    into = np.linalg.inv(reduced.roots[..., 0])
    try:
        L, log_det = np.linalg.cholesky(into @ (M - np.eye(q)) @ into.T), np.linalg.slogdet(M)[1]
    except np.linalg.LinAlgError:  # the least root at least is pooled
        roots, axes = np.linalg.eigh(S)
        pooled = 0
        while not pooled or (pooled < q and roots[pooled] <= f * theta):
            W, m, pooled = W + roots[pooled], m + f, pooled + 1
            theta = W / m
        mu = roots[pooled:] / (f * theta)
        half, log_det = into @ axes[:, pooled:] * np.sqrt(mu - 1), np.log(mu).sum()
        L = np.linalg.qr(half.T)[1].T
    value = likelihood.constant + nu * np.log(nu * theta) + f * log_det
    if likelihood.reml:
        value += q * np.log(J) + 2 * np.linalg.slogdet(reduced.sides[:, :q, 0])[1]
    return L, float(value)
