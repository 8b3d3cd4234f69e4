"""Coverage and length of intervals for the average of slopes that vary, and of the rule that picks one.

``python -m helpers.fits.simulate.slope_coverage`` computes the table of notebook 14 and writes it to
``helpers/data``; it takes a quarter of an hour, with a seed for each design, so that it gives the same file
on every run.
"""

from __future__ import annotations

import sys
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
    "test first at .05", "test first at .20", "t test on group slopes",
)  # fmt: skip
GROUPS, SIZES = (5, 10, 20, 50, 100), (3, 10, 50)
RATIOS = (0.0, 0.25, 1.0, 4.0, 16.0)
REPLICATES, SEED = 1_000, 14
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
        From `METHODS`. "test first" has Kenward and Roger's interval of the model with slopes that vary
        where the likelihood-ratio test rejects that they do not, else of that with random intercepts;
        "t test on group slopes" takes their unweighted mean, on J - 1 df.
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
        found = inferences(lines)
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
        s = np.mean(sizes - 1)
    else:
        steps = [np.arange(m) - (m - 1) / 2 for m in sizes]
        x = np.concatenate([w * d / d.std() for w, d in zip(np.resize(widths, J), steps, strict=True)])[None]
        s = np.mean(sizes * np.resize(widths, J) ** 2)
    sums, squares = (np.add.reduceat(part, start, axis=1) for part in (x, x * x))
    S = many.symmetric(np.broadcast_to(sizes, sums.shape).astype(float), sums, squares)
    S = np.broadcast_to(S, (R, J, 2, 2))
    sd, z = np.sqrt([ICC / (1 - ICC), ratio / s]), rng.standard_normal((R, J, 2))
    z[..., 1] = correlation * z[..., 0] + np.sqrt(1 - correlation**2) * z[..., 1]
    noise = np.linalg.cholesky(np.linalg.inv(S)) @ rng.standard_normal((R, J, 2, 1))
    return Lines(sd * z + noise[..., 0], S, rng.chisquare(N - 2 * J, R), N)


def inferences(lines):
    """Estimate, standard error and df of the average slope by each of `METHODS`."""
    J, both, one = lines.b.shape[1], many.fit(lines), many.fit(lines, INTERCEPTS)
    own, model = many.kenward_roger(lines, both), many.kenward_roger(lines, one, INTERCEPTS)
    slopes = lines.b[..., 1]
    found = {
        "least squares": many.least_squares(lines),
        "least squares, CR2": many.cr2(lines, np.zeros_like(one)),
        "random intercept": model,
        "random intercept, CR2": many.cr2(lines, one),
        "slopes vary, Kenward-Roger": own,
        "slopes vary, Satterthwaite": many.satterthwaite(lines, both),
        "slopes vary, CR2": many.cr2(lines, both),
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


def compute():
    """The whole table, design by design, as a DataFrame; a quarter of an hour."""
    parts = []
    for k, (design, J, n, ratio, correlation) in enumerate(cells()):
        table = interval_coverage(design, J, n, ratio, correlation, replicates=REPLICATES, seed=[SEED, k])
        where = {"design": design, "J": J, "n": n, "ratio": ratio, "correlation": correlation}
        parts.append(pd.DataFrame(where | {"seed": f"{SEED}/{k}"}, table.index).join(table).reset_index())
        print(*where.values(), file=sys.stderr, flush=True)
    return pd.concat(parts, ignore_index=True)


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
    path = Path(str(files("helpers"))) / "data" / FILE
    compute().to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
