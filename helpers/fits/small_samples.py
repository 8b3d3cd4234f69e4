"""Small-sample references of partial pooling: Kenward and Roger's, theirs bounded, Satterthwaite's."""

from __future__ import annotations

from itertools import product

import numpy as np

from .information import information, shares
from .intervals import groups_left

FEW = 0.5  # share of the groups left below which Kenward and Roger's df no longer describe their own error
BOUNDED = "kenward-roger, bounded"  # what the df are called where they are


def _df(cov, P, spread):
    """Degrees of freedom of a contrast a: 2 / variance of log a'cov a, as a function of a."""

    def of(a):
        along = cov @ a
        change = along @ P @ along / (a @ along)
        return float(2 / (change @ spread @ change))

    return of


def df_of(summary, psi, theta, contrasts):
    """Kenward and Roger's df of contrasts of the coefficients, one a row: as `kenward_roger`, without cov."""
    known = information(summary, psi / theta)
    of = _df(known.cov, known.P, 2 * np.linalg.inv(known.expected))
    return np.array([of(a) for a in contrasts])


def has_closed_form(summary):
    """Whether Kenward and Roger's df are J - 1: groups of one size, and a constant alone."""
    return len(summary.by_size.sizes) == len(summary.terms) == 1 and summary.intercept == 0


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
    known = information(summary, psi / theta)
    cov, P = known.cov, known.P
    spread = 2 * np.linalg.inv(known.expected)
    bias = sum(spread[i, j] * (known.Q[i, j] - P[i] @ cov @ P[j]) for i, j in product((0, 1), repeat=2))
    return theta * (cov + 2 * cov @ bias @ cov), _df(cov, P, spread)


def least_df(left):
    """The df below which Kenward and Roger's are not used, of ``left`` = J - q."""
    return max(FEW * left, 1 - 1e-9)  # 1 but for rounding: two groups of one size have it


def bounded_kenward_roger(summary, contrasts, psi, theta):
    """Kenward and Roger's standard errors and df, and what to take where the df collapse.

    Where psi is small and one group holds most rows, the first-order expansion breaks down: with sizes 100
    and nine 2s and psi = 0 it gives 0.04 df, and an interval 1e29 wide. The data have J groups less the
    coefficients on their level, J - q, to learn the spread of the groups from, whatever psi is. Where Kenward
    and Roger's df fall below half of J - q, or below 1, their standard error, which is enlarged there, is
    used with J - q (notebook 09 has the coverage and the length).

    Parameters
    ----------
    summary : GroupSummary
    contrasts : ndarray of shape (k, p)
        Of the coefficients of the centred columns.
    psi, theta : float
        REML estimates, theta > 0.

    Returns
    -------
    cov : ndarray of shape (p, p)
        Kenward and Roger's adjusted covariance of the centred coefficients.
    df : ndarray of shape (k,)
    bounded : ndarray of bool, shape (k,)
        Where the df are J - q.
    """
    cov, of = kenward_roger(summary, psi, theta)
    df = np.array([of(a) for a in contrasts])
    left = groups_left(summary)
    bounded = ~(df >= least_df(left))
    return cov, np.where(bounded, float(left), df), bounded


def bounded_mean(summary, contrast, psi, theta, mse, df, of_psi):
    """What `predicted_mean` gave, where `bounded_kenward_roger` bounds the df.

    The squared error is enlarged as Kenward and Roger enlarge that of the mean of all groups, in proportion
    to the share of psi in it; the df are then J - q.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
    psi, theta, mse, df, of_psi : float

    Returns
    -------
    mse, df : float
    """
    cov, (least,), (bounded,) = bounded_kenward_roger(summary, contrast[None], psi, theta)
    if not bounded:
        return mse, df
    share, of_theta = shares(summary, contrast, psi / theta)
    more = contrast @ cov @ contrast - (share * psi + of_theta * theta)
    return mse + max(more, 0.0) * of_psi / share, least


def predicted_mean(summary, contrast, psi, theta, K=np.inf):
    """Squared error and degrees of freedom of the predicted mean of K groups.

    The predictor is the best linear unbiased one: its mean squared error is A psi + B theta, where A and B
    are squares of its weights, and by the envelope theorem also its derivatives in psi and theta. Hence
    Satterthwaite's degrees of freedom, 2 (A psi + B theta)^2 / Var(A psi-hat + B theta-hat), from the
    expected REML information; for K = inf they are Kenward and Roger's.

    Parameters
    ----------
    summary : GroupSummary
    contrast : ndarray of shape (p,)
        The coefficients of the centred columns whose sum is the mean of all groups.
    psi, theta : float
        REML estimates, theta > 0.
    K : float
        Groups in the population, J of them seen.

    Returns
    -------
    mse, df, of_psi : float
        ``of_psi`` is A.
    """
    known, ratio = information(summary, psi / theta), psi / theta
    J, n, means = summary.ngroups, summary.sizes, summary.centred_means()[:, :-1]
    tau = 1 + n * ratio
    factor, unseen = n * ratio / tau, (1 - J / K) / K
    left = contrast - factor @ means / K
    weights = n / tau * (means @ known.cov @ left) + factor / K  # of the groups, in the predictor
    mse = left @ known.cov @ left + np.sum(factor / n) / K**2 + unseen * ratio
    of_psi = np.sum((weights - 1 / K) ** 2) + unseen
    change = np.array([of_psi, mse - of_psi * ratio]) / mse
    return theta * mse, float(1 / (change @ np.linalg.inv(known.expected) @ change)), float(of_psi)


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
    known = information(summary, psi / theta)
    n, W = summary.by_size.sizes, summary.within
    tau = 1 + n * psi / theta
    residual = np.append(-beta, 1.0)

    def both(weight, inside):
        return (summary.by_size.weighted(weight) + inside * W) @ residual

    score = [both(n**2 / tau**2, 0)[:-1], both(n / tau**2, 1)[:-1]]
    observed = np.empty((2, 2))
    for i, j in product((0, 1), repeat=2):
        power = 2 - i - j
        square = residual @ both(n ** (power + 1) / tau**3, power == 0)
        observed[i, j] = 2 * (square - score[i] @ known.cov @ score[j]) / theta - known.expected[i, j]
    if np.linalg.eigvalsh(observed)[0] <= 0:
        raise ValueError(
            "Satterthwaite's degrees of freedom are not defined here: the likelihood is not curved "
            'at its maximum (psi is at or near 0); use with_df("residual")'
        )
    return _df(known.cov, known.P, 2 * np.linalg.inv(observed))
