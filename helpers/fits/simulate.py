"""Repeated experiments, bootstraps and coverage, vectorised; every simulated figure with its Monte Carlo SE.

An experiment is a draw of J groups of n, or n_j, normal observations. The fits need of it the group means
and the sum of squares within, which are independent: normal, and theta times a chi-square on N - J degrees
of freedom (Searle, Casella and McCulloch 1992, chapter 3). ``draw="sufficient"`` draws just these,
``draw="observations"`` every observation; both have the same distribution.

Replicates come in chunks, so memory does not grow with the work; what takes longer than a second tells
the person who waits how far it is. A seed gives the same numbers on every run: ``seed`` is whatever
`numpy.random.default_rng` takes.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .. import formulas
from . import prediction, reml

SCHEMES = ("new groups", "same groups", "independent rows", "finite population")
BOOTSTRAPS = ("rows", "groups", "within", "two-stage")
METHODS = tuple(
    f"{pooling} pooling, {reference}"
    for pooling in ("complete", "no", "partial")
    for reference in ("known", "z", "t")
)
_CHUNK = 2**17  # doubles drawn at a time: what a processor's cache holds


@dataclass(frozen=True, eq=False)
class Simulated:
    """The mean of all rows, replicate by replicate, and the standard error that it should show.

    Attributes
    ----------
    means : ndarray of shape (replicates,)
    target : float
        What the formula gives for the standard deviation of ``means``.
    """

    means: np.ndarray
    target: float

    @property
    def sd(self):
        """Standard deviation of the means."""
        return float(monte_carlo(self.means)["sd"])

    @property
    def sd_mcse(self):
        """Monte Carlo standard error of `sd`."""
        return float(monte_carlo(self.means)["sd_mcse"])

    def __repr__(self):
        return (
            f"{len(self.means)} replicates: sd of the mean {self.sd:.6g}, "
            f"Monte Carlo SE {self.sd_mcse:.2g}, formula {self.target:.6g}"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Replicates(Simulated):
    """Repeated experiments, with what each fit found. All arrays have shape (replicates,).

    Attributes
    ----------
    gls_means : ndarray
        Partial pooling's estimate of the mean; with groups of equal size the mean of all rows.
    psi, theta : ndarray
        REML estimates of the variances.
    se_complete, se_no, se_partial : ndarray
        Estimated standard errors: of complete pooling, as ``lm`` prints it; of the mean of these J
        groups, from the variance within; of partial pooling by REML.
    """

    gls_means: np.ndarray
    psi: np.ndarray
    theta: np.ndarray
    se_complete: np.ndarray
    se_no: np.ndarray
    se_partial: np.ndarray


def monte_carlo(values):
    """Mean and standard deviation of simulated values, each with its Monte Carlo standard error.

    Parameters
    ----------
    values : array_like of shape (replicates,)

    Returns
    -------
    Series
        ``mean``, ``mean_mcse`` (sd / sqrt(R)), ``sd``, ``sd_mcse``. The last is
        sqrt((m4 - sd^4) / R) / (2 sd), m4 the fourth central moment: unlike sd / sqrt(2 (R - 1)) it
        does not take the values for normal, which estimated variances are not.

    Raises
    ------
    ValueError
        If there are fewer than two values or one is not finite.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"values must be at least two finite numbers in a row; got shape {values.shape}")
    R, mean, sd = len(values), values.mean(), values.std(ddof=1)
    unit = (values - mean) / (sd or 1.0)
    excess = max(np.mean(unit**4) - 1, 0.0)
    out = {"mean": mean, "mean_mcse": sd / np.sqrt(R), "sd": sd, "sd_mcse": sd * np.sqrt(excess / R) / 2}
    return pd.Series(out)


def replicate(
    psi, theta, J, n, *, scheme="new groups", K=None, mean=0.0, replicates=10_000, seed=None,
    draw="sufficient",
):  # fmt: skip
    """Repeat an experiment, and fit each repetition by complete, no and partial pooling.

    Parameters
    ----------
    psi, theta : float
        True variances between and within groups.
    J : int
        Groups in an experiment.
    n : int or array_like of shape (J,)
        Observations in each group.
    scheme : {"new groups", "same groups", "independent rows", "finite population"}
        What is drawn anew each time: groups and rows; the rows of the same groups; every row by
        itself, each from a group of its own; J of the same K groups, without replacement, and their
        rows. The same J or K groups are drawn once, and centred and scaled so that their mean (by
        rows, where the same J) is ``mean`` and their variance, with divisor J - 1 or K - 1, is ``psi``.
    K : int or inf, optional
        Groups in the finite population.
    mean : float
        The true mean.
    replicates : int
    seed : int, Generator or None
    draw : {"sufficient", "observations"}

    Returns
    -------
    Replicates

    Raises
    ------
    ValueError
        If psi is negative, theta not positive, J below 2, a size below 1, every size 1, there are
        fewer than two replicates, K goes with another scheme or is below J, or a word is not known.
    """
    study = _Study(psi, theta, J, n, seed, draw, scheme, K)
    parts = [study.fits(count) for count in _chunks(replicates, study.width)]
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole["means"] += mean
    whole["gls_means"] += mean
    return Replicates(target=study.target, **whole)


def coverage(
    psi, theta, J, n, *, methods=METHODS, level=0.95, scheme="new groups", K=None, replicates=10_000,
    seed=None, draw="sufficient",
):  # fmt: skip
    """How often intervals for the mean cover it, and how long they are.

    Parameters
    ----------
    psi, theta, J, n, scheme, K, replicates, seed, draw
        As for `replicate`; the scheme says whose mean is to be covered.
    methods : sequence of str
        From `METHODS`: "complete pooling", "no pooling" or "partial pooling", then "known" (the mean
        of all rows, give or take the normal quantile times the closed form at the true variances),
        "z" or "t" (the estimate, give or take the quantile times the estimated standard error; t on
        N - 1, N - J and J - 1 degrees of freedom). ``"partial pooling, t"`` is one of the nine.
    level : float
        What the intervals promise.

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``mean_length``, ``length_mcse``.

    Raises
    ------
    ValueError
        As `replicate`, and if a method is not known or the level not between 0 and 1.
    """
    study = _Study(psi, theta, J, n, seed, draw, scheme, K)
    methods = [methods] if isinstance(methods, str) else list(methods)
    for method in methods:
        _one_of("method", method, METHODS)
    upper = _upper(level)
    z = stats.norm.ppf(upper)
    degrees = {"complete": study.N - 1, "no": study.N - study.J, "partial": study.J - 1}
    t = {pooling: stats.t.ppf(upper, df) for pooling, df in degrees.items()}
    tally = _Tally()
    for count in _chunks(replicates, study.width):
        fit = study.fits(count)
        for method in methods:
            pooling, reference = method.split(" pooling, ")
            estimate = fit["means"]
            if reference == "known":
                half = np.full(count, z * study.known[pooling])
            else:
                half = (z if reference == "z" else t[pooling]) * fit[f"se_{pooling}"]
                estimate = fit["gls_means"] if pooling == "partial" else estimate
            tally.add(method, np.abs(estimate) <= half, 2 * half)
    return tally.table("method")


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
    study = _Study(psi, theta, J, n, seed, draw)
    z = stats.norm.ppf(_upper(level))
    tally = _Tally()
    for count in _chunks(replicates, study.width):
        truth = study.effects(count)
        means, ss_within = study.statistics(count, truth)
        fit = reml.fit_batch(means, study.sizes, ss_within)
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
    study = _Study(psi, theta, J, n, seed, draw)
    known, weights = formulas.shrinkage(psi, theta, study.sizes), 1 / (psi + theta / study.sizes)
    tally = _Tally()
    for count in _chunks(replicates, study.width):
        truth = study.effects(count)
        means, ss_within = study.statistics(count, truth)
        fit = reml.fit_batch(means, study.sizes, ss_within)
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
    rng, upper, rows, names = np.random.default_rng(seed), _upper(level), [], []
    for J, n, rho in cells:
        if not 0 <= rho < 1:
            raise ValueError(f"an intraclass correlation must be at least 0 and below 1; got {rho}")
        pattern = np.ravel(n)
        study = _Study(rho / (1 - rho), 1.0, J, np.resize(pattern, J), rng, "sufficient")
        t, z = stats.t.ppf(upper, study.N - study.J), stats.norm.ppf(upper)
        parts = []
        for count in _chunks(replicates, 8 * study.width):
            truth = study.effects(count)
            means, ss_within = study.statistics(count, truth)
            fit = reml.fit_batch(means, study.sizes, ss_within)
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


def bootstrap(values, groups, *, scheme="groups", replicates=10_000, seed=None):
    """Resample a data set with replacement, and take the mean of all rows each time.

    Parameters
    ----------
    values : array_like of shape (N,)
        The outcome.
    groups : array_like of shape (N,)
        The group of each row.
    scheme : {"rows", "groups", "within", "two-stage"}
        Rows, whatever their group; whole groups; rows within each group; groups, and then rows within
        each group drawn (Davison and Hinkley 1997, section 3.8).
    replicates : int
    seed : int, Generator or None

    Returns
    -------
    Simulated
        Its ``target`` is the standard deviation over all possible resamples. It is exact but for
        "groups" and "two-stage" with groups of unequal size: the rows resampled then vary in number,
        and the target is that of the first-order expansion, CR0 for "groups".

    Raises
    ------
    ValueError
        If the two differ in length, a value is missing, infinite or no number, a label is missing,
        there are fewer than two groups or replicates, or the scheme is not known.
    """
    scheme = _one_of("scheme", scheme, BOOTSTRAPS)
    centre, blocks = _blocks(values, groups)
    sizes, sums = (np.array([f(block) for block in blocks]) for f in (len, np.sum))
    N, J = sizes.sum(), len(sizes)
    within = sum(np.sum((block - block.mean()) ** 2) for block in blocks)
    variance = {"rows": within + np.sum(sums**2 / sizes), "groups": np.sum(sums**2), "within": within}
    variance["two-stage"] = variance["groups"] + within
    if scheme == "rows":
        blocks, sizes = [np.concatenate(blocks)], np.array([N])
    rng, means = np.random.default_rng(seed), []
    for count in _chunks(replicates, N):
        if scheme in ("groups", "two-stage"):
            times = rng.multinomial(J, np.full(J, 1 / J), count)
        else:
            times = np.ones((count, len(blocks)), dtype=int)
        if scheme == "groups":
            totals = times @ sums
        else:
            totals = sum(
                rng.multinomial(drawn * len(block), np.full(len(block), 1 / len(block))) @ block
                for drawn, block in zip(times.T, blocks, strict=True)
            )
        means.append(centre + totals / (times @ sizes))
    return Simulated(np.concatenate(means), np.sqrt(variance[scheme]) / N)


class _Study:
    """A design with its true variances, and draws from it; the true mean is 0."""

    def __init__(self, psi, theta, J, n, seed, draw, scheme="new groups", K=None):
        self.J = J = int(_whole("J", J, 2))
        if np.shape(n) not in ((), (J,)):
            raise ValueError(f"n must be one size or J = {J} of them; got shape {np.shape(n)}")
        self.sizes = sizes = np.broadcast_to(_whole("n", n, 1), J)
        self.N = N = int(sizes.sum())
        if N == J:
            raise ValueError("every group has one row only (n = 1): psi and theta cannot be told apart")
        if np.ndim(psi) or np.ndim(theta) or not theta > 0:
            raise ValueError(f"psi and theta must be single numbers, theta positive; got {psi} and {theta}")
        _one_of("scheme", scheme, SCHEMES)
        if (K is None) == (scheme == "finite population"):
            raise ValueError(f'K goes with scheme="finite population"; got K = {K} and {scheme!r}')
        self.observed = _one_of("draw", draw, ("sufficient", "observations")) == "observations"
        # The mean of all rows of unequal groups varies as that of `even` groups of N / even rows does.
        even = N**2 / np.sum(sizes**2)
        design = {"theta": theta, "J": even, "n": N / even}
        self.known = {
            "complete": formulas.se_complete_pooling(psi, **design),
            "no": formulas.se_no_pooling(**design),
            "partial": formulas.se_partial_pooling(psi, **design),
        }
        if K is None:
            by_scheme = {"independent rows": "complete", "same groups": "no", "new groups": "partial"}
            self.target = self.known[by_scheme[scheme]]
        else:
            K = np.inf if np.isposinf(K) else int(_whole("K", K, J))
            self.target = formulas.se_finite_population(psi, **design, K=K)
        # Rows of groups of their own are rows without groups.
        self.psi, self.theta = (0.0, psi + theta) if scheme == "independent rows" else (psi, theta)
        self.rng, self.population = np.random.default_rng(seed), None
        if scheme == "same groups" or K not in (None, np.inf):
            u = self.rng.standard_normal(K or J)
            u -= np.average(u, weights=None if K else sizes)
            self.population, self.shuffled = u * np.sqrt(psi) / u.std(ddof=1), K is not None
        self.width = N if self.observed else max(J, 0 if self.population is None else len(self.population))

    def effects(self, count):
        """Draw what each group adds to the mean, shape (count, J)."""
        if self.population is None:
            return np.sqrt(self.psi) * self.rng.standard_normal((self.J, count)).T
        same = np.broadcast_to(self.population, (count, len(self.population)))
        return self.rng.permuted(same, axis=1)[:, : self.J] if self.shuffled else same

    def statistics(self, count, effects=None):
        """Draw group means, shape (count, J), and the sum of squares within, shape (count,).

        Without effects the means serve fits of the overall mean only. Such a fit to groups of equal
        size sees their mean and their sum of squares alone: where the groups are new these are drawn,
        normal and chi-square, and the means laid out to have them.
        """
        if effects is None and (self.observed or self.population is not None):
            effects = self.effects(count)
        normal = self.rng.standard_normal
        if self.observed:
            Y = np.sqrt(self.theta) * normal((count, self.N))
            Y += np.repeat(effects, self.sizes, axis=1)
            means = np.add.reduceat(Y, np.cumsum(self.sizes) - self.sizes, axis=1) / self.sizes
            Y -= np.repeat(means, self.sizes, axis=1)
            return means, np.einsum("ij,ij->i", Y, Y)
        ss_within = self.theta * self.rng.chisquare(self.N - self.J, count)
        # Replicates lie side by side in memory: sums over the groups are fast that way.
        if effects is not None:
            return normal((self.J, count)).T * np.sqrt(self.theta / self.sizes) + effects, ss_within
        spread = np.sqrt(self.psi + self.theta / self.sizes)
        if np.ptp(self.sizes):
            return normal((self.J, count)).T * spread, ss_within
        means = np.tile(spread[0] / np.sqrt(self.J) * normal(count), (self.J, 1)).T
        contrast = spread[0] * np.sqrt(self.rng.chisquare(self.J - 1, count) / 2)
        means[:, 0] += contrast
        means[:, 1] -= contrast
        return means, ss_within

    def fits(self, count):
        """Draw and fit: the fields of `Replicates`, by name."""
        means, ss_within = self.statistics(count)
        fit = reml.fit_batch(means, self.sizes, ss_within)
        rows = means @ self.sizes / self.N
        means -= rows[:, None]
        total = np.square(means, out=means) @ self.sizes + ss_within
        return {
            "means": rows, "gls_means": fit.mean, "psi": fit.psi, "theta": fit.theta,
            "se_complete": np.sqrt(total / (self.N - 1) / self.N),
            "se_no": np.sqrt(ss_within / (self.N - self.J) / self.N), "se_partial": fit.se,
        }  # fmt: skip


class _Tally:
    """Running means of hits and lengths, by name (Chan et al. 1983), and their Monte Carlo errors."""

    def __init__(self):
        self.sums = {}

    def add(self, name, *measures):
        """Take in what a chunk gave, an array for each measure: whether it was held, the length, ..."""
        new = np.array(measures, dtype=float)
        k, centre = new.shape[1], new.mean(axis=1)
        spread = np.sum((new - centre[:, None]) ** 2, axis=1)
        count, mean, ss = self.sums.get(name, (0, 0.0, 0.0))
        step, total = centre - mean, count + k
        self.sums[name] = (total, mean + step * k / total, ss + spread + step**2 * count * k / total)

    def table(self, names, columns=("coverage", "mcse", "mean_length", "length_mcse")):
        """One row for each name; for hits sqrt(ss) / R is sqrt(p (1 - p) / R)."""
        rows = [np.ravel([mean, np.sqrt(ss) / R], order="F") for R, mean, ss in self.sums.values()]
        return pd.DataFrame(rows, pd.Index(self.sums), columns).rename_axis(names)


def _chunks(replicates, width):
    """Yield how many replicates to do next; after a second, tell the person who waits how far it is."""
    replicates = int(_whole("replicates", replicates, 2))
    size = max(1, _CHUNK // int(width))
    start = time.monotonic()
    said, line = start, ""
    try:
        for done in range(0, replicates, size):
            now = time.monotonic()
            if done and now - said > (0.2 if line else 1) and _watched():
                left = (now - start) * (replicates - done) / done
                said, line = now, f"{done / replicates:4.0%} of {replicates} replicates, {left:.0f} s left "
                print("\r" + line, end="", file=sys.stderr, flush=True)
            yield min(size, replicates - done)
    finally:
        if line:
            print("\r" + " " * len(line) + "\r", end="", file=sys.stderr, flush=True)


def get_ipython():
    """The shell where IPython runs; importing the package does not import it."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _watched():
    """Whether a person sees stderr: a terminal, or a notebook that could ask its reader for input.

    Notebooks executed by nbconvert or nbval cannot: what they store must not depend on the clock.
    """
    kernel = getattr(get_ipython(), "kernel", None)
    return sys.stderr.isatty() or getattr(kernel, "_allow_stdin", False)


def _blocks(values, groups):
    """Return the mean of the values, and the rest of them group by group."""
    try:
        y = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("values must be numbers, none of them missing") from None
    if y.ndim != 1 or y.shape != np.shape(groups):
        raise ValueError(f"values {y.shape} and groups {np.shape(groups)} must be two columns of one length")
    if not np.isfinite(y).all():
        raise ValueError(f"values must be finite; the one in row {np.argmin(np.isfinite(y))} is not")
    codes, labels = pd.factorize(np.asarray(groups))
    if len(labels) < 2 or codes.min() < 0:
        raise ValueError(f"groups must be two or more, none missing; got {len(labels)} and {sum(codes < 0)}")
    centre, order = y.mean(), np.argsort(codes, kind="stable")
    return centre, np.split((y - centre)[order], np.cumsum(np.bincount(codes))[:-1])


def _one_of(name, value, known):
    if value not in known:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}")
    return value


def _whole(name, value, least):
    number = np.asarray(value, dtype=float)
    if np.any(~np.isfinite(number) | (number < least) | (number % 1 != 0)):
        raise ValueError(f"{name} must be whole and at least {least}; got {value}")
    return number.astype(np.int64)


def _upper(level):
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1; got {level}")
    return (1 + level) / 2
