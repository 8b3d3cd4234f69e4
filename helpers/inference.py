"""Small-sample inference for a random-intercept model: Satterthwaite's df, Kenward and Roger's df and SE.

All of it works on a `GroupSummary`: V has the eigenvalue theta within groups and theta + n_j psi along
the constant of group j, so no N x N matrix is ever made. Everything is computed in units of theta, so
that no unit of the outcome over- or underflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from .groups import inverse


@dataclass(frozen=True)
class _Information:
    """What the covariance of the coefficients and the variances know of each other, at theta = 1.

    With G_0 = dV/dpsi and G_1 = dV/dtheta: ``cov`` is (X'V^-1 X)^-1, ``P[i]`` the derivative
    -X'V^-1 G_i V^-1 X of its inverse, ``Q[i, j]`` is X'V^-1 G_i V^-1 G_j V^-1 X, and ``expected``
    twice the expected REML information of (psi, theta).
    """

    cov: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    expected: np.ndarray


def _information(summary, ratio):
    n, p = summary.sizes, len(summary.terms)
    X, W = summary.centred_means()[:, :p], summary.within[:p, :p]
    tau = 1 + n * ratio

    def both(weight, inside):
        return (X * weight[:, None]).T @ X + inside * W

    cov = inverse(both(n / tau, 1))
    P = np.array([-both(n**2 / tau**2, 0), -both(n / tau**2, 1)])
    Q = np.empty((2, 2, p, p))
    expected = np.empty((2, 2))
    for i, j in product((0, 1), repeat=2):
        power = 2 - i - j  # how many of G_i, G_j are dV/dpsi, which is n_j along a group's constant
        inside = float(power == 0)
        Q[i, j] = both(n ** (power + 1) / tau**3, inside)
        trace = np.sum((n**power) / tau**2) + inside * (summary.nobs - summary.ngroups)
        expected[i, j] = trace - 2 * np.trace(cov @ Q[i, j]) + np.trace(cov @ P[i] @ cov @ P[j])
    return _Information(cov, P, Q, expected)


def _df(cov, P, spread):
    """Degrees of freedom of a contrast a: 2 / variance of log a'cov a, as a function of a."""

    def of(a):
        change = np.array([a @ cov @ P[i] @ cov @ a for i in (0, 1)]) / (a @ cov @ a)
        return float(2 / (change @ spread @ change))

    return of


def kenward_roger(summary, psi, theta):
    """Kenward and Roger's (1997) adjustment for the estimated variances.

    Parameters
    ----------
    summary : GroupSummary
    psi, theta : float
        REML estimates, theta > 0.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Adjusted covariance of the coefficients of the centred columns, as in `reml.VarianceFit`.
    df : callable
        ``df(a)`` is the denominator degrees of freedom of the contrast a, an array of shape (p,).
    """
    known = _information(summary, psi / theta)
    cov, P = known.cov, known.P
    spread = 2 * np.linalg.inv(known.expected)
    bias = sum(spread[i, j] * (known.Q[i, j] - P[i] @ cov @ P[j]) for i, j in product((0, 1), repeat=2))
    return theta * (cov + 2 * cov @ bias @ cov), _df(cov, P, spread)


def satterthwaite(summary, beta, psi, theta):
    """Satterthwaite's degrees of freedom, from the observed REML information.

    The variance of a coefficient's estimated variance by the delta method, with twice the inverse of
    the second derivatives of -2 log restricted likelihood in (psi, theta) for their covariance
    (Giesbrecht and Burns 1985; what lmerTest computes numerically).

    Parameters
    ----------
    summary : GroupSummary
    beta : ndarray of shape (p,)
        Coefficients of the centred columns, as in `reml.VarianceFit`.
    psi, theta : float
        REML estimates, psi > 0.

    Returns
    -------
    df : callable
        ``df(a)`` is the degrees of freedom of the contrast a, an array of shape (p,).

    Raises
    ------
    ValueError
        If the information is not positive definite, as it may be where psi is 0.
    """
    known = _information(summary, psi / theta)
    n, p = summary.sizes, len(summary.terms)
    means, W = summary.centred_means(), summary.within
    tau = 1 + n * psi / theta
    residual = np.append(-beta, 1.0)
    e = means @ residual
    score = [(means[:, :p] * (n**k * e / tau**2)[:, None]).sum(axis=0) for k in (2, 1)]
    score[1] = score[1] + W[:p] @ residual
    observed = np.empty((2, 2))
    for i, j in product((0, 1), repeat=2):
        power = 2 - i - j
        square = np.sum(n ** (power + 1) * e**2 / tau**3)
        square += (power == 0) * (residual @ W @ residual)
        observed[i, j] = 2 * (square - score[i] @ known.cov @ score[j]) / theta - known.expected[i, j]
    if np.linalg.eigvalsh(observed)[0] <= 0:
        raise ValueError(
            "Satterthwaite's degrees of freedom are not defined here: the likelihood is not curved "
            'at its maximum (psi is at or near 0); use with_df("residual")'
        )
    return _df(known.cov, known.P, 2 * np.linalg.inv(observed))
