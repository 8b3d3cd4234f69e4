"""What the data know of the variances: the information of (psi, theta), and its part in a contrast.

All of it works on a `GroupSummary`: V has the eigenvalue theta within groups and theta + n_j psi along
the constant of group j, so no N x N matrix is ever made. Everything is computed in units of theta, so
that no unit of the outcome over- or underflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..tables import inverse


@dataclass(frozen=True)
class Information:
    """What the covariance of the coefficients and the variances know of each other, at theta = 1.

    With G_0 = dV/dpsi and G_1 = dV/dtheta: ``cov`` is (X'V^-1 X)^-1, ``P[i]`` the derivative
    -X'V^-1 G_i V^-1 X of its inverse, ``Q[i, j]`` is X'V^-1 G_i V^-1 G_j V^-1 X, and ``expected`` and
    ``marginal`` twice the expected REML and ML information of (psi, theta).
    """

    cov: np.ndarray
    P: np.ndarray
    Q: np.ndarray
    expected: np.ndarray
    marginal: np.ndarray


def information(summary, ratio):
    """Return the `Information` at a ratio psi / theta."""
    p, groups = len(summary.terms), summary.by_size
    n, W = groups.sizes, summary.within[:p, :p]
    tau = 1 + n * ratio
    one, two, three = n / tau, n / tau**2, n / tau**3
    # One product for all sums over the groups; what goes with dV/dpsi has an n more each time.
    sums = groups.weighted(np.array([one, n * two, two, n * n * three, n * three, three]))[:, :p, :p]
    cov = inverse(sums[0] + W)
    P = -sums[1:3]
    P[1] -= W
    Q = sums[[[3, 4], [4, 5]]]
    Q[1, 1] += W
    marginal = np.array([[n * n, n], [n, n**0]]) / tau**2 @ groups.counts
    marginal[1, 1] += summary.nobs - summary.ngroups
    turned = cov @ P
    expected = marginal - 2 * np.einsum("ab,ijba->ij", cov, Q) + np.einsum("iab,jba->ij", turned, turned)
    return Information(cov, P, Q, expected, marginal)


def shares(summary, contrast, ratio):
    """Of psi and of theta in the variance of a contrast of the coefficients, A psi + B theta, weights fixed.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
        Of the coefficients of the centred columns.
    ratio : float
        psi / theta that the weights are made with.

    Returns
    -------
    A, B : float
    """
    known = information(summary, ratio)
    along = known.cov @ contrast
    return tuple(float(-along @ P @ along) for P in known.P)


def variance_ses(summary, psi, theta, method):
    """Standard errors of (psi, theta) by the inverse expected information, on the variances' own scale.

    Where psi is 0 its own is NaN, for the estimate has no normal distribution there, and theta's is that
    of complete pooling. Searle et al. (1992), chapter 4.

    Parameters
    ----------
    summary : GroupSummary
    psi, theta : float
    method : {"reml", "ml"}

    Returns
    -------
    tuple of float
    """
    if psi == 0:
        rows = summary.nobs - (len(summary.terms) if method == "reml" else 0)
        return np.nan, theta * np.sqrt(2 / rows)
    known = information(summary, psi / theta)
    expected = known.expected if method == "reml" else known.marginal
    return tuple(float(se) for se in theta * np.sqrt(2 * np.linalg.inv(expected).diagonal()))
