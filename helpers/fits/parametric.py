"""The parametric bootstrap of a coefficient of partial pooling: data from the fit, fitted again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..tables import unit_diagonal
from .batch import fit_batch
from .bootstrap_t import TIE, BootstrapT
from .checks import real, whole
from .profile import maximum
from .waiting import chunks

_RANK = 1e-10  # eigenvalues of correlations below this are 0: a term that does not vary within groups


def parametric_bootstrap(
    summary, centred, contrast, term, estimate, *, variances, method, null=0.0, draws=1999, seed=None
):
    """Bootstrap the t statistic of a coefficient under the fitted model (percentile-t).

    Outcomes with independent normal effects of variance psi and errors of variance theta, as estimated, are
    drawn in place of the data's, with the same groups and predictors, and fitted in the same way: samples of
    (estimate - truth) / se, se given the variances as in ``bse``. Of the outcome only the group means, the
    products with the predictors within groups and the sum of squares within are drawn, each with its own
    distribution: normal, normal, and theta times a chi-square. The interval takes the quantile of abs(t) from
    these samples in the place of a t table (Davison and Hinkley 1997, section 5.2).

    Parameters
    ----------
    summary : GroupSummary
    centred : tuple
        Coefficients of the centred columns, shape (p,), and their covariance (p, p) given the variances.
    contrast : ndarray of shape (p,)
        What of them the coefficient is, up to a constant.
    term : str
    estimate : float
        The coefficient.
    variances : tuple of float
        psi and theta, as estimated.
    method : {"reml", "ml"}
        How data and samples are fitted.
    null : float
    draws : int
        Samples. With a constant alone, by REML, 1999 take less than a second; else each is a fit of its own,
        some milliseconds.
    seed : int, Generator or None

    Returns
    -------
    BootstrapT

    Raises
    ------
    TypeError, ValueError
        If null is not a finite number or draws is below 99.
    """
    null, draws = real("null", null), int(whole("draws", draws, 99))
    rng, (psi, theta) = np.random.default_rng(seed), variances
    se = float(np.sqrt(contrast @ centred[1] @ contrast))
    constant = len(summary.terms) == 1 and summary.intercept == 0 and method == "reml"
    drawn = (_mean if constant else _coefficient)(summary, contrast, psi, theta, method, draws, rng)
    drawn, t = np.abs(drawn), (estimate - null) / se
    pvalue = (1 + np.count_nonzero(drawn >= abs(t) * (1 - TIE))) / (1 + draws)
    name = f"parametric bootstrap of partial pooling by {method.upper()}"
    return BootstrapT(term, float(estimate), se, null, t, pvalue, draws, False, name, drawn)


def _mean(summary, contrast, psi, theta, method, draws, rng):
    """T statistics of the constant, all at once."""
    n, J, parts = summary.sizes, summary.ngroups, []
    for count in chunks(draws, J):
        means = rng.standard_normal((count, J)) * np.sqrt(psi + theta / n)
        fit = fit_batch(means, n, theta * rng.chisquare(summary.nobs - J, count))
        parts.append(fit.mean / fit.se)
    return np.concatenate(parts)


def _coefficient(summary, contrast, psi, theta, method, draws, rng):
    """T statistics of any coefficient, fit by fit; the truth is 0."""
    p, n, J = len(summary.terms), summary.sizes, summary.ngroups
    W = summary.within[:p, :p]
    vary = np.flatnonzero(summary.varies_within())
    unit, scale = unit_diagonal(W[np.ix_(vary, vary)])
    values, vectors = np.linalg.eigh(unit) if len(vary) else (np.ones(0), np.ones((0, 0)))
    axes = (vectors[:, values > _RANK] * np.sqrt(values[values > _RANK])) * scale[:, None]  # axes axes' = W
    rank = axes.shape[1]
    out = np.empty(draws)
    done = 0
    for count in chunks(draws, 2**10):  # so that a person hears of fits that take their time
        for k in range(done, done + count):
            along = np.sqrt(theta) * rng.standard_normal(rank)
            within, means = summary.within.copy(), summary.means.copy()
            within[p], within[:, p] = 0.0, 0.0
            within[p, vary] = within[vary, p] = axes @ along
            within[p, p] = along @ along + theta * rng.chisquare(summary.nobs - J - rank)
            means[:, p] = rng.standard_normal(J) * np.sqrt(psi + theta / n)
            sample = replace(summary, within=within, means=means)
            fit = maximum(sample, method)
            value = contrast @ fit.beta
            if summary.intercept is not None and contrast[summary.intercept]:
                value += sample.centre[p]
            out[k] = value / np.sqrt(contrast @ fit.cov @ contrast)
        done += count
    return out
