"""Small-sample inference for a random-intercept model: Kenward and Roger's covariance and degrees of freedom.

All of it works on a `GroupSummary`: V has the eigenvalue theta within groups and theta + n_j psi along
the constant of group j, so no N x N matrix is ever made.
"""

from __future__ import annotations

import numpy as np


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
    n = summary.sizes
    p, N, J = len(summary.terms), summary.nobs, summary.ngroups
    X = summary.centred_means()[:, :p]
    W = summary.within[:p, :p]
    tau = 1 + n * psi / theta  # in units of theta, so that no unit of the outcome over- or underflows

    def between(weight):
        return (X * weight[:, None]).T @ X

    cov = np.linalg.inv(W + between(n / tau))
    P = [-between(n**2 / tau**2), -(W + between(n / tau**2))]
    Q = {
        (0, 0): between(n**3 / tau**3),
        (0, 1): between(n**2 / tau**3),
        (1, 1): W + between(n / tau**3),
    }
    traces = {
        (0, 0): np.sum(n**2 / tau**2),
        (0, 1): np.sum(n / tau**2),
        (1, 1): N - J + np.sum(1 / tau**2),
    }
    information = np.empty((2, 2))
    for (i, j), trace in traces.items():
        value = trace - 2 * np.trace(cov @ Q[i, j]) + np.trace(cov @ P[i] @ cov @ P[j])
        information[i, j] = information[j, i] = value / 2
    V = np.linalg.inv(information)
    bias = sum(V[i, j] * (Q[min(i, j), max(i, j)] - P[i] @ cov @ P[j]) for i in (0, 1) for j in (0, 1))

    def df(a):
        change = np.array([a @ cov @ P[i] @ cov @ a for i in (0, 1)]) / (a @ cov @ a)
        return float(2 / (change @ V @ change))

    return theta * (cov + 2 * cov @ bias @ cov), df
