"""Grids of coverage: how often the intervals of `intervals` and `small_samples` hold what they speak of.

A constant alone, groups of any sizes, normal data; the draws are those of `experiment`. Coverage stands over
all samples and over those in which psi is estimated as 0, with Monte Carlo errors, and lengths.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ... import formulas
from .. import batch, intervals, small_samples
from ..checks import one_of, upper
from ..waiting import chunks
from .experiment import Study

MEANS = ("z", "t(J - 1)", "Kenward-Roger", "bounded", "group means")
NEW = ("new group", "new row", "group means")
VARIANCES = ("Wald", "ML profile", "REML profile", "Williams-Tukey")


def mean_coverage(psi, theta, J, n, *, methods=MEANS, level=0.95, replicates=10_000, seed=None):
    """How often intervals hold the mean of all groups.

    Parameters
    ----------
    psi, theta, J, n, level, replicates, seed
        As for `poolings.coverage`.
    methods : sequence of str
        From `MEANS`: the estimate of partial pooling give or take its own standard error, times 1.96 or the
        quantile of t on J - 1 df; with Kenward and Roger's error and df; the same bounded, as
        `partial_pooling(...).with_df("kenward-roger")` is; and the t test on the J group means.

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``given_zero`` (coverage where psi is estimated as 0; NaN where it
        never is), ``given_zero_mcse``, ``mean_length``, ``median_length``; in ``attrs["zero"]`` how often it
        is 0.

    Raises
    ------
    ValueError
        As `poolings.coverage`.
    """
    methods = [one_of("method", method, MEANS) for method in methods]
    tail, table = upper(level), _Table()
    for study, fit, means, _ in _samples(psi, theta, J, n, replicates, seed):
        kr_se, kr_df = formulas.kenward_roger_mean(fit.psi, fit.theta, study.sizes)
        bounded = np.where(kr_df >= small_samples.least_df(J - 1), kr_df, J - 1.0)
        t = stats.t.ppf(tail, J - 1)
        half = {
            "z": stats.norm.ppf(tail) * fit.se,
            "t(J - 1)": t * fit.se,
            "Kenward-Roger": stats.t.ppf(tail, kr_df) * kr_se,
            "bounded": stats.t.ppf(tail, bounded) * kr_se,
            "group means": t * means.std(axis=1, ddof=1) / np.sqrt(J),
        }
        for method in methods:
            centre = means.mean(axis=1) if method == "group means" else fit.mean
            table.add(method, np.abs(centre) <= half[method], half[method], fit.psi == 0)
    return table.frame()


def new_group_coverage(psi, theta, J, n, *, methods=NEW, level=0.95, replicates=10_000, seed=None):
    """How often intervals hold the mean of a group not yet seen, and one row of it.

    Parameters
    ----------
    psi, theta, J, n, level, replicates, seed
        As for `poolings.coverage`.
    methods : sequence of str
        From `NEW`: `Fit.new_group`, `Fit.new_observation`, and for the mean of a new group the mean of the J
        group means give or take t(J - 1) times their standard deviation times sqrt(1 + 1 / J).

    Returns
    -------
    DataFrame
        As `mean_coverage`.

    Raises
    ------
    ValueError
        As `poolings.coverage`.
    """
    methods = [one_of("method", method, NEW) for method in methods]
    tail, table = upper(level), _Table()
    for study, fit, means, ss_within in _samples(psi, theta, J, n, replicates, seed):
        count = len(means)
        group = np.sqrt(psi) * study.rng.standard_normal(count)
        row = group + np.sqrt(theta) * study.rng.standard_normal(count)
        spread = means.var(axis=1, ddof=1)
        weights = 1 / (fit.psi[:, None] + fit.theta[:, None] / study.sizes)
        weights /= weights.sum(axis=1, keepdims=True)
        shares = np.sum(weights**2, axis=1), np.sum(weights**2 / study.sizes, axis=1)
        design = np.mean(1 / study.sizes), J, J - 1, study.N - J
        within = ss_within / (study.N - J)
        for method in methods:
            if method == "group means":
                half = stats.t.ppf(tail, J - 1) * np.sqrt(spread * (1 + 1 / J))
                error = group - means.mean(axis=1)
            else:
                new_row = method == "new row"
                mse, df = intervals.of_new(spread, fit.theta, within, *shares, *design, new_row)
                half = stats.t.ppf(tail, df) * np.sqrt(mse)
                error = (row if new_row else group) - fit.mean
            table.add(method, np.abs(error) <= half, half, fit.psi == 0)
    return table.frame()


def variance_coverage(psi, theta, J, n, *, methods=VARIANCES, level=0.95, replicates=10_000, seed=None):
    """How often intervals hold psi, the variance between groups of one size, and on which side they miss.

    Parameters
    ----------
    psi, theta, J, level, replicates, seed
        As for `poolings.coverage`.
    n : int
        Rows in each group.
    methods : sequence of str
        From `VARIANCES`: the REML estimate give or take normal quantiles of its standard error; all values
        that a likelihood-ratio test by ML or by REML does not reject (`Fit.profile_int`); `Fit.psi_int`.

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``too_low`` and ``too_high`` (the shares that lie below and above
        psi).

    Raises
    ------
    ValueError
        As `poolings.coverage`, and if psi is 0.
    """
    methods = [one_of("method", method, VARIANCES) for method in methods]
    if not psi > 0:
        raise ValueError(f"psi must be positive: at 0 no interval lies below it; got {psi}")
    tail = upper(level)
    missed = {method: np.zeros(2) for method in methods}
    for _, fit, means, ssw in _samples(psi, theta, J, int(n), replicates, seed):
        ssb = n * (J - 1) * means.var(axis=1, ddof=1)
        for method in methods:
            if method == "Wald":
                half = stats.norm.ppf(tail) * formulas.se_variances(fit.psi, fit.theta, J, n)[0]
                low, high = fit.psi + half < psi, fit.psi - half > psi
            elif method == "Williams-Tukey":
                F = ssb / (J - 1) / (ssw / (J * (n - 1)))
                q, k = (d.ppf([tail, 1 - tail], *df) for d, df in
                        [(stats.f, (J - 1, J * (n - 1))), (stats.chi2, (J - 1,))])  # fmt: skip
                ends = np.maximum(ssb * (1 - q[:, None] / F), 0) / (n * k[:, None])
                low, high = ends[1] < psi, ends[0] > psi
            else:
                most = stats.chi2.ppf(level, 1)
                rise, best = _rise(psi, ssb, ssw, J, n, J if method == "ML profile" else J - 1)
                low, high = (rise > most) & (best < psi), (rise > most) & (best > psi)
            missed[method] += low.sum(), high.sum()
    share = {method: count / replicates for method, count in missed.items()}
    rows = [(1 - s.sum(), np.sqrt(s.sum() * (1 - s.sum()) / replicates), *s) for s in share.values()]
    columns = ["coverage", "mcse", "too_low", "too_high"]
    return pd.DataFrame(rows, pd.Index(methods, name="method"), columns)


def _rise(psi, ssb, ssw, J, n, degrees):
    """By how much -2 log likelihood at psi, theta at its best, lies above its minimum, and where that is."""
    inside = J * (n - 1)

    def at(theta, psi):
        tau = theta + n * psi
        return degrees * np.log(tau) + ssb / tau + inside * np.log(theta) + ssw / theta

    low, high = np.log(ssw / inside) - 10, np.log((ssb + ssw) / inside) + 3
    for _ in range(60):
        middle = (low + high) / 2
        theta = np.exp(middle)
        tau = theta + n * psi
        up = degrees / tau - ssb / tau**2 + inside / theta - ssw / theta**2 > 0
        low, high = np.where(up, low, middle), np.where(up, middle, high)
    best = np.maximum(ssb / degrees - ssw / inside, 0) / n
    theta = np.where(best > 0, ssw / inside, (ssb + ssw) / (degrees + inside))
    return at(np.exp(middle), psi) - at(theta, best), best


def _samples(psi, theta, J, n, replicates, seed):
    """Yield the study, fits, group means and sums of squares within, chunk by chunk; the true mean is 0."""
    study = Study(psi, theta, J, n, seed, "sufficient")
    for count in chunks(replicates, study.width):
        means, ss_within = study.statistics(count)
        yield study, batch.fit_batch(means, study.sizes, ss_within), means, ss_within


class _Table:
    """Hits and lengths by method, over all samples and over those with psi-hat = 0."""

    def __init__(self):
        self.parts = {}

    def add(self, method, held, half, zero):
        self.parts.setdefault(method, []).append((held, 2 * half, zero))

    def frame(self):
        rows, share = {}, 0.0
        for method, parts in self.parts.items():
            held, length, zero = (np.concatenate(part) for part in zip(*parts, strict=True))
            share, hits = zero.mean(), held[zero]
            given = hits.mean() if len(hits) else np.nan
            rows[method] = {
                "coverage": held.mean(), "mcse": held.std() / np.sqrt(len(held)), "given_zero": given,
                "given_zero_mcse": np.sqrt(given * (1 - given) / len(hits)) if len(hits) else np.nan,
                "mean_length": length.mean(), "median_length": np.median(length),
            }  # fmt: skip
        table = pd.DataFrame(rows).T.rename_axis("method")
        table.attrs["zero"] = float(share)
        return table
