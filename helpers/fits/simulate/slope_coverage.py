"""Coverage and length of intervals for the average of slopes that vary, and of the rule that picks one.

``python -m helpers.fits.simulate.slope_coverage --processes 2`` computes the table of notebook 14 and writes
it to ``helpers/data``. Each design has a seed of its own, so that the file is the same on every run and with
any number of processes. What is done is kept beside it: a run that was broken off goes on from there.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from ..checks import one_of, upper, whole
from . import lines as many
from .lines import INTERCEPTS, Inference, Lines

METHODS = (
    "least squares", "least squares, CR2", "random intercept", "random intercept, CR2",
    "slopes vary, Kenward-Roger", "slopes vary, Satterthwaite", "slopes vary, CR2",
    "the same, variances known", "the same, weights evened",
    "test first at .05", "test first at .20", "t test on group slopes",
)  # fmt: skip
GROUPS, SIZES = (5, 10, 20, 50, 100), (3, 10, 50)
RATIOS = (0.0, 0.25, 1.0, 4.0, 16.0)
REPLICATES, SEED = 2_000, 14
FILE = "coverage_14.csv"
ICC = 0.2  # of the outcome where x is 0
_PATTERNS = {3: (2, 2, 2, 3, 6), 10: (5, 5, 5, 10, 25), 50: (25, 25, 25, 50, 125)}  # 1:1:1:2:5
_WIDTHS = (0.5, 1.0, 2.0)
_TOGETHER = 2**15  # groups that are worked on at a time


def _uneven(J, n):
    return np.resize(_PATTERNS[n], J)


def _even(J, n):
    return np.full(J, n)


DESIGNS = {
    "even": (_even, (1.0,)),  # n rows each, the same x in all
    "spread": (_even, _WIDTHS),  # n rows each, x with a standard deviation of .5, 1, 2, .5, ...
    "uneven": (_uneven, (1.0,)),  # 1:1:1:2:5, x of one standard deviation
    "drawn": (_uneven, None),  # 1:1:1:2:5, x drawn anew each time, half of its variance between groups
}


def interval_coverage(design, J, n, ratio, correlation=0.0, *, methods=METHODS, level=0.95, replicates=1_000,
                      seed=None):  # fmt: skip
    """How often intervals for the average slope hold it, in normal data, and how long they are.

    Groups have normal intercepts and slopes, rows normal errors of variance 1. Where x is 0 the intercepts
    have an intraclass correlation of .2.

    Parameters
    ----------
    design : {"even", "spread", "uneven", "drawn"}
        Of `DESIGNS`: n rows each and the same x; n rows each, x of a standard deviation of .5, 1, 2 in turn;
        sizes as 1:1:1:2:5 of mean n; the same, x drawn anew each time, with half of its variance between
        groups.
    J, n : int
        Groups, and their (mean) size; n is one of `SIZES` where sizes differ.
    ratio : float
        Variance of the slopes in units of theta / s, the sampling variance of one group's slope, s being
        the mean sum of squares of x within a group.
    correlation : float
        Of intercepts and slopes.
    methods : sequence of str
        From `METHODS`. "the same" is CR2 around slopes that vary: "variances known" has the true ones for
        their estimates, "weights evened" has theta / s added to the estimated variance of the slopes. "test
        first" has Kenward and Roger's interval of the model with slopes that vary where the
        likelihood-ratio test rejects that they do not, else of that with random intercepts; "t test on
        group slopes" takes their unweighted mean, on J - 1 df.
    level : float
    replicates : int
    seed : int, Generator or None

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``length`` (median) and ``replicates``.

    Raises
    ------
    ValueError
        If the design, a method or the level is none, J or the size is too small, the ratio negative or the
        correlation not between -1 and 1.
    """
    one_of("design", design, DESIGNS)
    J, n = int(whole("J", J, 3)), int(whole("n", n, 3))
    if DESIGNS[design][0] is _uneven and n not in _PATTERNS:
        raise ValueError(f"n must be one of {', '.join(map(str, _PATTERNS))} where sizes differ; got {n}")
    if ratio < 0 or not -1 <= correlation <= 1:
        raise ValueError(
            f"ratio must be at least 0 and correlation from -1 to 1; got {ratio} and {correlation}"
        )
    methods = [methods] if isinstance(methods, str) else list(methods)
    for method in methods:
        one_of("method", method, METHODS)
    replicates, tail = int(whole("replicates", replicates, 2)), upper(level)
    rng, hits, lengths = np.random.default_rng(seed), [], []
    step = max(1, _TOGETHER // J)
    for start in range(0, replicates, step):
        lines = draw(design, J, n, ratio, correlation, min(step, replicates - start), rng)
        found = inferences(lines, truth(design, J, n, ratio, correlation))
        with np.errstate(over="ignore"):  # df near 0: an interval without end
            half = np.array([
                np.nan_to_num(stats.t.ppf(tail, found[m].df), nan=np.inf) * found[m].se for m in methods
            ])  # fmt: skip
        estimate = np.array([found[m].estimate for m in methods])
        hits.append(np.abs(estimate) <= half)
        lengths.append(2 * half)
    hits, lengths = np.concatenate(hits, axis=1), np.concatenate(lengths, axis=1)
    p = hits.mean(axis=1)
    columns = {"coverage": p, "mcse": np.sqrt(p * (1 - p) / replicates), "length": np.median(lengths, axis=1)}
    return pd.DataFrame(columns | {"replicates": replicates}, pd.Index(methods, name="method"))


def draw(design, J, n, ratio, correlation, replicates, rng):
    """Draw the lines of the groups of many data sets; the true average slope is 0."""
    sizes, widths = DESIGNS[design][0](J, n), DESIGNS[design][1]
    N, R = int(sizes.sum()), replicates
    group, start = np.repeat(np.arange(J), sizes), np.append(0, np.cumsum(sizes)[:-1])
    if widths is None:
        x = rng.standard_normal((R, N)) + rng.standard_normal((R, J))[:, group]
    else:
        steps = [np.arange(m) - (m - 1) / 2 for m in sizes]
        x = np.concatenate([w * d / d.std() for w, d in zip(np.resize(widths, J), steps, strict=True)])[None]
    sums, squares = (np.add.reduceat(part, start, axis=1) for part in (x, x * x))
    S = many.symmetric(np.broadcast_to(sizes, sums.shape).astype(float), sums, squares)
    S = np.broadcast_to(S, (R, J, 2, 2))
    a, b, c = truth(design, J, n, ratio, correlation)
    effects = rng.standard_normal((R, J, 2)) @ np.array([[a, b], [0, c]])
    noise = np.linalg.cholesky(np.linalg.inv(S)) @ rng.standard_normal((R, J, 2, 1))
    return Lines(effects + noise[..., 0], S, rng.chisquare(N - 2 * J, R), N)


def truth(design, J, n, ratio, correlation):
    """The true factor of D, as `lines.fit` estimates it: its entries l11, l21, l22."""
    sizes, widths = DESIGNS[design][0](J, n), DESIGNS[design][1]
    s = np.mean(sizes - 1) if widths is None else np.mean(sizes * np.resize(widths, J) ** 2)
    slope = np.sqrt(ratio / s)
    return np.array([np.sqrt(ICC / (1 - ICC)), correlation * slope, np.sqrt(1 - correlation**2) * slope])


def inferences(lines, true):
    """Estimate, standard error and df of the average slope by each of `METHODS`."""
    J, both, one = lines.b.shape[1], many.fit(lines), many.fit(lines, INTERCEPTS)
    own, model = many.kenward_roger(lines, both), many.kenward_roger(lines, one, INTERCEPTS)
    slopes, S = lines.b[..., 1], lines.S
    s = (S[..., 1, 1] - S[..., 0, 1] ** 2 / S[..., 0, 0]).mean(axis=1)
    evened = np.stack([both[:, 0], both[:, 1], np.hypot(both[:, 2], 1 / np.sqrt(s))], axis=1)
    found = {
        "least squares": many.least_squares(lines),
        "least squares, CR2": many.cr2(lines, np.zeros_like(one)),
        "random intercept": model,
        "random intercept, CR2": many.cr2(lines, one),
        "slopes vary, Kenward-Roger": own,
        "slopes vary, Satterthwaite": many.satterthwaite(lines, both),
        "slopes vary, CR2": many.cr2(lines, both),
        "the same, variances known": many.cr2(lines, np.broadcast_to(true, both.shape)),
        "the same, weights evened": many.cr2(lines, evened),
        "t test on group slopes": Inference(
            slopes.mean(axis=1), slopes.std(axis=1, ddof=1) / np.sqrt(J), np.full(len(slopes), J - 1.0)
        ),
    }
    p = many.test(lines, one, both)
    for alpha, name in ((0.05, ".05"), (0.20, ".20")):
        found[f"test first at {name}"] = Inference(
            *(np.where(p < alpha, a, b) for a, b in zip(own, model, strict=True))
        )
    return found


def cells():
    """Return design, J, n, ratio and correlation of each cell of the table.

    A correlation is tried where x is drawn, for there a group's intercept goes with where its x lie; such
    designs go to 50 groups.
    """
    grid = product(DESIGNS, GROUPS, SIZES, RATIOS, (0.0, 0.5))
    return [
        (design, J, n, ratio, r)
        for design, J, n, ratio, r in grid
        if (design == "drawn" and J <= 50 and (ratio or not r)) or (design != "drawn" and not r)
    ]


def of_cell(k, replicates=REPLICATES):
    """The rows of the table that are of one design, by its place in `cells`."""
    design, J, n, ratio, correlation = cells()[k]
    table = interval_coverage(design, J, n, ratio, correlation, replicates=replicates, seed=[SEED, k])
    where = {"design": design, "J": J, "n": n, "ratio": ratio, "correlation": correlation}
    return pd.DataFrame(where | {"seed": f"{SEED}/{k}"}, table.index).join(table).reset_index()


def compute(path, processes=1, replicates=REPLICATES, which=None):
    """Compute the table and write it, design by design.

    Parameters
    ----------
    path : Path
        The table, when all is done. Until then the designs that are done stand in a file beside it, of the
        same name and ``.part``; those are not computed again.
    processes : int
        Each design is one task with a seed of its own: the numbers do not depend on how many work.
    replicates : int
    which : sequence of int or None
        Places in `cells`; all of them where None.
    """
    which = range(len(cells())) if which is None else which
    place = {f"{SEED}/{k}": k for k in which}
    part = path.with_name(path.name + ".part")
    done = [_same(pd.read_csv(part), place, replicates)] if part.exists() else []
    left = [k for seed, k in place.items() if not any((rows["seed"] == seed).any() for rows in done)]
    with ProcessPoolExecutor(processes) as pool:
        for k, rows in zip(left, pool.map(of_cell, left, [replicates] * len(left)), strict=True):
            done.append(rows)
            _write(pd.concat(done), part)
            print(*cells()[k], file=sys.stderr, flush=True)
    table = pd.concat(done).sort_values("seed", key=lambda seed: seed.map(place), kind="stable")
    _write(table, path)
    part.unlink(missing_ok=True)


def _same(rows, place, replicates):
    """What a run that was broken off had done of these designs, if with these methods and replicates."""
    rows = rows[rows["seed"].isin(place) & (rows["replicates"] == replicates)]
    return rows.groupby("seed").filter(lambda of_one: tuple(of_one["method"]) == METHODS)


def _write(table, path):
    """Write the whole table or nothing: the new file takes the place of the old when it is complete."""
    new = path.with_name(path.name + ".new")
    table.to_csv(new, index=False, float_format="%.6g", lineterminator="\n")
    new.replace(path)


def coverage_table():
    """The table of notebook 14, as `compute` wrote it.

    Returns
    -------
    DataFrame
        Columns ``method``, ``design``, ``J``, ``n``, ``ratio`` (variance of the slopes over theta / s),
        ``correlation`` (of intercepts and slopes), ``seed`` (of `interval_coverage`, a pair), ``coverage``,
        ``mcse``, ``length`` (median) and ``replicates``.
    """
    with (files("helpers") / "data" / FILE).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def main():
    """Write the table; ``python -m helpers.fits.simulate.slope_coverage``."""
    ask = argparse.ArgumentParser(description=main.__doc__)
    ask.add_argument("--processes", type=int, default=1, help="how many designs are computed at a time")
    compute(Path(str(files("helpers"))) / "data" / FILE, ask.parse_args().processes)


if __name__ == "__main__":
    main()
