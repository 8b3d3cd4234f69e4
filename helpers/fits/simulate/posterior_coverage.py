"""How often intervals of a posterior hold the mean, beside those of t, Kenward and Roger, and the profile.

``python -m helpers.fits.simulate.posterior_coverage`` computes the table of notebook 16 and writes it to
``helpers/data``; it takes some minutes, with a seed for each design, so that it gives the same file on every
run. Groups have equal sizes. Then an interval is symmetric about the mean, and its length in units of
sqrt(MSW) depends on the data by F = MSB / MSW alone, for each of the named priors takes its scale from the
rows: the quadrature is done at some values of F, and a spline has the rest.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from scipy.interpolate import CubicSpline

from ..bayes.model import Means
from ..bayes.priors import NAMED, named
from ..bayes.result import Posterior
from ..checks import one_of, upper, whole

METHODS = ("normal", "t test on group means", "Kenward-Roger", "profile", *(f"posterior, {p}" for p in NAMED))
GROUPS, SIZE, ICCS = (5, 10, 20), 10, (0.0, 0.05, 0.3)
REPLICATES, SEED = 100_000, 16
FILE = "coverage_16.csv"
_LOG_F = np.linspace(np.log(1e-3), np.log(1e3), 47)


def posterior_half(J, n, F, prior, level=0.95):
    """Half the length of the posterior's interval for the mean, where MSW is 1.

    Parameters
    ----------
    J, n : int
        Groups, and rows in each.
    F : float
        Mean square between over mean square within.
    prior : str
        A name that `posterior` knows.
    level : float

    Returns
    -------
    float
    """
    N = J * n
    off = np.linspace(-1, 1, J)
    off *= np.sqrt(F * (J - 1) / n / (off @ off))
    df = float(N - J)
    means = Means(
        off=off, member=np.zeros(J, dtype=int), per_mean=np.array([1 / n]), df=df, ss_within=df,
        known=False, origin=0.0,
    )  # fmt: skip
    priors = named(prior, 0.0, float(np.sqrt((F * (J - 1) + df) / N)))
    return Posterior(means, pd.RangeIndex(J), priors).mean.quantile(upper(level))


@cache
def _log_half(J, n, prior, level):
    """The logarithm of `posterior_half` as a spline in the logarithm of F."""
    return CubicSpline(_LOG_F, [np.log(posterior_half(J, n, F, prior, level)) for F in np.exp(_LOG_F)])


def halves(J, n, msb, msw, level=0.95):
    """Half the length of the interval of each of `METHODS` but the posteriors', for many data sets.

    Parameters
    ----------
    J, n : int
    msb, msw : ndarray
        Mean squares.
    level : float

    Returns
    -------
    dict of str to ndarray
    """
    N, p = J * n, upper(level)
    ssb, ssw = (J - 1) * msb, (N - J) * msw
    pooled = (ssb + ssw) / (N - 1)
    se = np.sqrt(np.where(msb > msw, msb, pooled) / N)
    t = stats.t.ppf(p, J - 1)
    return {
        "normal": stats.norm.ppf(p) * se,
        "t test on group means": t * np.sqrt(msb / N),
        "Kenward-Roger": t * se,
        "profile": np.sqrt(_profile(J, N, ssb, ssw, stats.chi2.ppf(level, 1)) / N),
    }


def _profile(J, N, ssb, ssw, rise):
    """N times the squared distance at which -2 log likelihood (ML) has risen so far.

    At a mean that is off by d the sum of squares between is ssb + N d^2. With it the likelihood has its
    maximum inside, J log(ssb / J) + (N - J) log(ssw / (N - J)), or at psi = 0, N log of all over N.
    """

    def level_at(between):
        inside = between / J > ssw / (N - J)
        apart = J * np.log(between / J) + (N - J) * np.log(ssw / (N - J))
        return np.where(inside, apart, N * np.log((between + ssw) / N))

    top = level_at(ssb) + rise
    apart = J * np.exp((top - (N - J) * np.log(ssw / (N - J))) / J)
    together = N * np.exp(top / N) - ssw
    return np.where(apart / J > ssw / (N - J), apart, together) - ssb


def interval_coverage(J, n, icc, *, methods=METHODS, replicates=REPLICATES, level=0.95, seed=None):
    """How often the intervals hold the mean, in balanced normal data.

    Parameters
    ----------
    J, n : int
        Groups, and rows in each.
    icc : float
        Intraclass correlation.
    methods : sequence of str
        From `METHODS`.
    replicates : int
    level : float
    seed : int, Generator or None

    Returns
    -------
    DataFrame
        By method: ``coverage``, its Monte Carlo error ``mcse``, ``length`` (mean, over that of the t test),
        ``zero`` (share of data sets with psi estimated as 0) and ``replicates``.

    Raises
    ------
    ValueError
        If J is below three or n below two, if a method is none, or the correlation not from 0 to below 1.
    """
    J, n = int(whole("J", J, 3)), int(whole("n", n, 2))
    if not 0 <= icc < 1:
        raise ValueError(f"icc must lie between 0 and 1; got {icc}")
    for method in methods:
        one_of("method", method, METHODS)
    R, N, rng = int(whole("replicates", replicates, 2)), J * n, np.random.default_rng(seed)
    between = 1 + n * icc / (1 - icc)  # theta is 1
    off = rng.standard_normal(R) * np.sqrt(between / N)
    msb = between * rng.chisquare(J - 1, R) / (J - 1)
    msw = rng.chisquare(N - J, R) / (N - J)
    found = halves(J, n, msb, msw, level)
    log_f = np.log(msb / msw).clip(_LOG_F[0], _LOG_F[-1])
    for prior in [prior for prior in NAMED if f"posterior, {prior}" in methods]:
        found[f"posterior, {prior}"] = np.exp(_log_half(J, n, prior, level)(log_f)) * np.sqrt(msw)
    p = np.array([np.mean(np.abs(off) <= found[method]) for method in methods])
    usual = found["t test on group means"].mean()
    columns = {
        "coverage": p, "mcse": np.sqrt(p * (1 - p) / R),
        "length": [found[method].mean() / usual for method in methods],
        "zero": np.mean(msb <= msw), "replicates": R,
    }  # fmt: skip
    return pd.DataFrame(columns, pd.Index(methods, name="method"))


def compute():
    """The whole table, design by design, as a DataFrame."""
    parts = []
    for k, (J, icc) in enumerate(product(GROUPS, ICCS)):
        table = interval_coverage(J, SIZE, icc, seed=[SEED, k]).reset_index()
        table.insert(1, "J", J)
        table.insert(2, "n", SIZE)
        table.insert(3, "icc", icc)
        table.insert(4, "seed", f"{SEED}/{k}")
        parts.append(table)
        print(J, icc, file=sys.stderr, flush=True)
    return pd.concat(parts, ignore_index=True)


def coverage_table():
    """The table of notebook 16, as `compute` wrote it.

    Returns
    -------
    DataFrame
        Columns ``method``, ``J``, ``n``, ``icc``, ``seed`` (of `interval_coverage`, a pair), ``coverage``,
        ``mcse``, ``length``, ``zero`` and ``replicates``.
    """
    with (files("helpers") / "data" / FILE).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def main():
    """Write the table; ``python -m helpers.fits.simulate.posterior_coverage``."""
    path = Path(str(files("helpers"))) / "data" / FILE
    compute().to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
