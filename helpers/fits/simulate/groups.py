"""Group means, simulated: coverage of their intervals and how far their estimates fall from the truth."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from ... import formulas
from .. import batch, prediction
from ..checks import upper
from ..waiting import chunks
from .experiment import Study
from .tally import Tally


def group_coverage(psi, theta, J, n, *, level=0.95, replicates=10_000, seed=None, draw="sufficient"):
    """How often intervals for a group's true mean cover it: on average, and for the group at the top.

    Parameters
    ----------
    psi, theta, J, n, replicates, seed, draw
        As for `replicate`, with new groups each time.
    level : float
        What the intervals promise, by the normal quantile.

    Returns
    -------
    DataFrame
        By ``method`` and ``group``: ``coverage``, ``mcse``, ``mean_length``, ``length_mcse``. Methods:
        "no pooling" (own mean, pooled variance within) and three standard errors of the partially
        pooled mean: "partial pooling" (of prediction), "conditional" (takes the overall mean as
        known) and "naive sum" (the conditional variance plus that of the overall mean, as if
        independent). Groups: "every" (the share of the J covered), "largest estimate" (the
        method's own) and "largest true mean".

    Raises
    ------
    ValueError
        As `coverage`.
    """
    study = Study(psi, theta, J, n, seed, draw)
    z = stats.norm.ppf(upper(level))
    tally = Tally()
    for count in chunks(replicates, study.width):
        truth = study.effects(count)
        means, ss_within = study.statistics(count, truth)
        fit = batch.fit_batch(means, study.sizes, ss_within)
        overall, se, psi_, theta_ = (x[:, None] for x in (fit.mean, fit.se, fit.psi, fit.theta))
        factor = formulas.shrinkage(psi_, theta_, study.sizes)
        pooled, conditional = overall + factor * (means - overall), factor * theta_ / study.sizes
        within = (ss_within / (study.N - study.J))[:, None]
        for method, estimate, variance in (
            ("no pooling", means, within / study.sizes),
            ("partial pooling", pooled, conditional + ((1 - factor) * se) ** 2),
            ("conditional", pooled, conditional),
            ("naive sum", pooled, conditional + se**2),
        ):
            half = z * np.sqrt(variance)
            held = np.abs(estimate - truth) <= half
            tally.add((method, "every"), held.mean(axis=1), 2 * half.mean(axis=1))
            for group, by in (("largest estimate", estimate), ("largest true mean", truth)):
                top = np.arange(count), by.argmax(axis=1)
                tally.add((method, group), held[top], 2 * half[top])
    return tally.table(["method", "group"])


def group_errors(psi, theta, J, n, *, replicates=10_000, seed=None, draw="sufficient"):
    """How far estimates of a group's true mean fall from it: on average, and for the group at the top.

    Parameters
    ----------
    psi, theta, J, n, replicates, seed, draw
        As for `replicate`, with new groups each time.

    Returns
    -------
    DataFrame
        By ``method`` and ``group``: ``bias``, ``rmse`` (root mean squared error) and ``nearer`` (the
        share of groups whose estimate is nearer to the truth than their own mean), each with its Monte
        Carlo standard error. Methods: "no pooling" (the group's own mean), "partial pooling" (by REML)
        and "variances known" (partial pooling at the true variances). Groups: "every" and
        "largest true mean".

    Raises
    ------
    ValueError
        As `replicate`.
    """
    study = Study(psi, theta, J, n, seed, draw)
    known, weights = formulas.shrinkage(psi, theta, study.sizes), 1 / (psi + theta / study.sizes)
    tally = Tally()
    for count in chunks(replicates, study.width):
        truth = study.effects(count)
        means, ss_within = study.statistics(count, truth)
        fit = batch.fit_batch(means, study.sizes, ss_within)
        overall, best = fit.mean[:, None], (means @ weights / weights.sum())[:, None]
        factor = formulas.shrinkage(fit.psi[:, None], fit.theta[:, None], study.sizes)
        top, raw = (np.arange(count), truth.argmax(axis=1)), np.abs(means - truth)
        for method, estimate in (
            ("no pooling", means),
            ("partial pooling", overall + factor * (means - overall)),
            ("variances known", best + known * (means - best)),
        ):
            error = estimate - truth
            measures = error, error**2, np.abs(error) < raw
            tally.add((method, "every"), *(measure.mean(axis=1) for measure in measures))
            tally.add((method, "largest true mean"), *(measure[top] for measure in measures))
    columns = ["bias", "bias_mcse", "rmse", "rmse_mcse", "nearer", "nearer_mcse"]
    table = tally.table(["method", "group"], columns)
    table["rmse"] = np.sqrt(table["rmse"])
    table["rmse_mcse"] /= 2 * table["rmse"]  # delta method
    return table


def group_interval_coverage(cells, *, level=0.95, replicates=2000, seed=None):
    """How often the interval for a partially pooled group mean holds it, design by design.

    Parameters
    ----------
    cells : iterable of (int, int or sequence of int, float)
        J groups; their size, or a pattern of sizes that is repeated until there are J; the intraclass
        correlation. theta is 1: the unit does not matter.
    level : float
        What the intervals promise.
    replicates : int
        Samples a cell, with new groups each time.
    seed : int, Generator or None

    Returns
    -------
    DataFrame
        A row a cell. ``coverage`` of `Fit.group_means_int`, averaged over the groups, and its Monte Carlo
        error ``mcse``; ``length``, its mean length over that of no pooling; ``zero``, the share of samples
        where psi is estimated as 0, and ``coverage_zero`` among them with ``mcse_zero`` (NaN where there are
        fewer than two); ``known`` and ``known_zero``, the coverages of the interval that takes the variances
        as known (the normal quantile times the prediction standard error).

    Raises
    ------
    ValueError
        As `group_coverage`, and if an intraclass correlation is not at least 0 and below 1.
    """
    rng, tail, rows, names = np.random.default_rng(seed), upper(level), [], []
    for J, n, rho in cells:
        if not 0 <= rho < 1:
            raise ValueError(f"an intraclass correlation must be at least 0 and below 1; got {rho}")
        pattern = np.ravel(n)
        study = Study(rho / (1 - rho), 1.0, J, np.resize(pattern, J), rng, "sufficient")
        t, z = stats.t.ppf(tail, study.N - study.J), stats.norm.ppf(tail)
        parts = []
        for count in chunks(replicates, 8 * study.width):
            truth = study.effects(count)
            means, ss_within = study.statistics(count, truth)
            fit = batch.fit_batch(means, study.sizes, ss_within)
            ratio, overall = fit.psi / fit.theta, fit.mean[:, None]
            mse = prediction.mean_squared_errors_batch(means, study.sizes, ss_within, fit.mean, ratio)
            factor = formulas.shrinkage(fit.psi[:, None], fit.theta[:, None], study.sizes)
            error = np.abs(overall + factor * (means - overall) - truth)
            known = factor * fit.theta[:, None] / study.sizes + ((1 - factor) * fit.se[:, None]) ** 2
            alone = np.sqrt(ss_within / (study.N - study.J) * np.mean(1 / np.sqrt(study.sizes)) ** 2)
            parts.append([
                (error <= t * np.sqrt(mse)).mean(axis=1), np.sqrt(mse).mean(axis=1), alone,
                (error <= z * np.sqrt(known)).mean(axis=1), fit.psi == 0,
            ])  # fmt: skip
        held, length, alone, known, zero = np.concatenate(parts, axis=1)
        zero = zero.astype(bool)
        R, few = len(held), zero.sum() < 2
        given = [np.nan] * 3
        if not few:
            given = [held[zero].mean(), held[zero].std() / np.sqrt(zero.sum()), known[zero].mean()]
        rows.append((
            held.mean(), held.std() / np.sqrt(R), length.mean() / alone.mean(), zero.mean(), *given[:2],
            known.mean(), given[2],
        ))  # fmt: skip
        names.append((J, ":".join(f"{size:g}" for size in pattern), rho))
    columns = ["coverage", "mcse", "length", "zero", "coverage_zero", "mcse_zero", "known", "known_zero"]
    return pd.DataFrame(rows, pd.MultiIndex.from_tuples(names, names=["J", "n", "icc"]), columns)
