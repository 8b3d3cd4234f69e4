"""Coverage and length of ten intervals for one mean, in designs from even to one dominant group.

``python -m helpers.fits.simulate.cluster_coverage`` computes the table of notebook 10 and writes it to
``helpers/data``; it takes some minutes, with a seed for each design, so that it gives the same file on every
run.
"""

from __future__ import annotations

import sys
from functools import partial
from importlib.resources import files
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from ... import formulas
from .. import batch
from ..checks import one_of, upper, whole

METHODS = (
    "CR1, z", "CR1, t(J-1)", "CR2, own df", "CR3, t(J-1)", "Kenward-Roger", "t test on group means",
    "wild, restricted", "wild, restricted (>)", "wild, unrestricted", "parametric bootstrap",
)  # fmt: skip
GROUPS = (5, 6, 10, 20, 40)
ICCS = (0.3, 0.05)
REPLICATES, LENGTHS, SEED = 20_000, 1_000, 13
FILE = "coverage_10.csv"
_MOST = 2**12  # sign vectors that are all tried; beyond, random ones
_DRAWS = 999
_TOGETHER = 50  # replicates that share random sign vectors
_GRID, _SAMPLES = 24, 20_000  # variance ratios, and samples at each, for the parametric bootstrap
_TIE = 1e-9
_FAR = 1e4  # standard errors from the mean beyond which an interval counts as endless


def _uneven(J):
    return np.round(np.linspace(2, 18, J))


def _dominant(J):
    return np.append(10 * (J - 1), np.full(J - 1, 2))


DESIGNS = {"even": lambda J: np.full(J, 10), "uneven": _uneven, "dominant": _dominant}


def sizes_of(design, J):
    """Rows in each of J groups.

    Parameters
    ----------
    design : {"even", "uneven", "dominant"}
        10 each; evenly from 2 to 18; one group of 10 (J - 1) and all others of 2.
    J : int

    Returns
    -------
    ndarray of shape (J,)

    Raises
    ------
    ValueError
        If the design is not known or J below 2.
    """
    J = int(whole("J", J, 2))
    return DESIGNS[one_of("design", design, DESIGNS)](J).astype(int)


def interval_coverage(
    sizes, icc, *, methods=METHODS, level=0.95, replicates=10_000, lengths=1_000, seed=None
):  # fmt: skip
    """How often ten intervals for the mean hold it, in normal data, and how long they are.

    Groups have independent normal effects of variance ``icc``, rows normal errors of variance 1 - ``icc``.
    CR1, CR2, CR3 and the wild bootstraps are about the mean of all rows, Kenward-Roger and the parametric
    bootstrap about that of partial pooling by REML, psi = 0 included. Where there are up to 4096 the wild
    bootstraps try all sign vectors, else 999 random ones. "wild, restricted" counts samples as far from
    the null as the data, "(>)" only those farther. The parametric bootstrap's quantiles are taken without
    end of samples nearly: 20 000 at each of 24 variance ratios, interpolated.

    Parameters
    ----------
    sizes : array_like of shape (J,)
    icc : float
        Intraclass correlation, at least 0 and below 1.
    methods : sequence of str
        From `METHODS`.
    level : float
    replicates : int
    lengths : int
        Replicates in which the ends of the restricted wild bootstrap are looked for.
    seed : int, Generator or None

    Returns
    -------
    DataFrame
        By method: ``coverage``, ``mcse``, ``length`` (median; infinite where the interval has no end in half
        of the samples) and ``replicates``.

    Raises
    ------
    ValueError
        If a size, the icc, a method or the level is none.
    """
    n = whole("sizes", sizes, 1).astype(float)
    if n.ndim != 1 or len(n) < 2 or n.max() == 1:
        raise ValueError(f"sizes must be those of two groups or more, not all 1; got {sizes}")
    if not 0 <= icc < 1:
        raise ValueError(f"icc must be at least 0 and below 1; got {icc}")
    methods = [methods] if isinstance(methods, str) else list(methods)
    for method in methods:
        one_of("method", method, METHODS)
    replicates, lengths = int(whole("replicates", replicates, 2)), int(whole("lengths", lengths, 2))
    tail, rng = upper(level), np.random.default_rng(seed)
    study = _Draws(n, icc, rng, replicates)
    found = {}
    for method in methods:
        if method.startswith("wild, restricted"):
            continue
        half, centre = study.half(method, tail)
        found[method] = np.abs(centre) <= half, 2 * half
    if any(method.startswith("wild, restricted") for method in methods):
        hits = study.restricted(1 - level, lengths)
        found |= {method: hits[method] for method in methods if method in hits}
    rows = {}
    for method in methods:
        held, length = found[method]
        p = held.mean()
        rows[method] = p, np.sqrt(p * (1 - p) / replicates), np.median(length), replicates
    table = pd.DataFrame.from_dict(rows, "index", columns=["coverage", "mcse", "length", "replicates"])
    return table.astype({"replicates": int}).rename_axis("method")


class _Draws:
    """Group means and sums of squares within, many times; the true mean is 0."""

    def __init__(self, n, icc, rng, replicates):
        self.n, self.J, self.N, self.rng = n, len(n), n.sum(), rng
        self.h = n / self.N
        self.means = rng.standard_normal((replicates, self.J)) * np.sqrt(icc + (1 - icc) / n)
        self.ss_within = (1 - icc) * rng.chisquare(self.N - self.J, replicates)
        self.mean = self.means @ self.h
        self.c = (self.means - self.mean[:, None]) * self.h  # class sums of residuals over N

    def half(self, method, tail):
        """Half the length of the interval, and its centre."""
        J, h = self.J, self.h
        t = stats.t.ppf(tail, J - 1)
        if method == "t test on group means":
            return t * self.means.std(axis=1, ddof=1) / np.sqrt(J), self.means.mean(axis=1)
        if method in ("Kenward-Roger", "parametric bootstrap"):
            fit = batch.fit_batch(self.means, self.n, self.ss_within)
            if method == "Kenward-Roger":
                se, df = formulas.kenward_roger_mean(fit.psi, fit.theta, self.n)
                with np.errstate(over="ignore"):  # df near 0: an interval without end
                    return np.nan_to_num(stats.t.ppf(tail, df), nan=np.inf) * se, fit.mean
            return self.quantile(fit.psi / fit.theta, 2 * tail - 1) * fit.se, fit.mean
        if method == "wild, unrestricted":
            return self.unrestricted(2 - 2 * tail), self.mean
        power = {"CR1": 0, "CR2": 1, "CR3": 2}[method[:3]]
        se = np.sqrt(np.sum(self.c**2 / (1 - h) ** power, axis=1) * (J / (J - 1) if power == 0 else 1))
        by = {"z": stats.norm.ppf(tail), "t(J-1)": t, "own df": stats.t.ppf(tail, cr2_df(self.n))}
        return by[method.split(", ")[1]] * se, self.mean

    def quantile(self, ratio, level):
        """Quantile of abs(t) in samples at a ratio psi / theta."""
        n = self.n
        u = np.linspace(0, np.log1p(n.max() * 100), _GRID)
        z = self.rng.standard_normal((_SAMPLES, self.J))
        ss = self.rng.chisquare(self.N - self.J, _SAMPLES)
        at = []
        for r in np.expm1(u) / n.max():
            fit = batch.fit_batch(z * np.sqrt(r + 1 / n), n, ss)
            at.append(np.quantile(np.abs(fit.mean / fit.se), level))
        return np.interp(np.log1p(n.max() * ratio), u, at)

    def signs(self):
        """Yield places of some replicates and the sign vectors for them, (draws, J)."""
        R, J = len(self.means), self.J
        if 2**J <= _MOST:
            every = np.array(list(product([1.0], *[[1.0, -1.0]] * (J - 1))))
            step = max(1, 2**19 // len(every))
            for start in range(0, R, step):
                yield slice(start, start + step), every
        else:
            for start in range(0, R, _TOGETHER):
                yield slice(start, start + _TOGETHER), self.rng.choice([1.0, -1.0], (_DRAWS, J))

    def beyond(self, alpha, samples):
        """How many samples as far as the data a value may have and yet be rejected."""
        if 2**self.J <= _MOST:
            return int(np.floor(alpha * samples + _TIE))
        return int(np.floor(alpha * (samples + 1) - 1 + _TIE))

    def unrestricted(self, alpha):
        half = np.empty(len(self.means))
        for own, W in self.signs():
            z = self.c[own]
            top, down = z @ W.T, (z * self.h) @ W.T
            variance = np.sum(z**2, axis=1, keepdims=True) - 2 * top * down + np.sum(self.h**2) * top**2
            t = np.sqrt(top**2 / np.maximum(variance, 1e-300))
            k = self.beyond(alpha, len(W))
            half[own] = np.partition(t, -1 - k, axis=1)[:, -1 - k] * np.sqrt(np.sum(z**2, axis=1))
        return half

    def restricted(self, alpha, lengths):
        """Hits of both ways to count, and lengths of the first intervals."""
        names = ("wild, restricted", "wild, restricted (>)")
        R, h, squares = len(self.means), self.h, np.sum(self.h**2)
        held = {name: np.empty(R, dtype=bool) for name in names}
        length = {name: [] for name in names}
        for own, W in self.signs():
            exact = 2**self.J <= _MOST
            c, d = self.c[own], self.mean[own]
            Z2 = np.sum(c**2, axis=1)[:, None]
            A, E = c @ W.T, (c * h) @ W.T
            C, F = W @ h, W @ h**2
            # (A + d C)^2 Z2 against d^2 (alpha + 2 beta d + gamma d^2), as in `wild.wild_bootstrap`
            a = Z2 - 2 * A * E + squares * A**2
            b = (c @ h)[:, None] - C * E - A * F + squares * A * C
            g = squares - 2 * C * F + squares * C**2
            same = np.abs(W.sum(axis=1)) == self.J  # all signs alike: the data themselves, whatever d
            A[:, same], a[:, same], b[:, same], g[same] = 0.0, Z2, 0.0, 0.0

            def share(d, name, few=slice(None), sums=(A, C, Z2, a, b, g), exact=exact):
                A, C, Z2, a, b, g = sums
                d = d[:, None]
                left, right = (A[few] + d * C) ** 2 * Z2[few], d * d * (a[few] + d * (2 * b[few] + d * g))
                far = left >= right * (1 - _TIE) if name == names[0] else left > right * (1 + _TIE)
                hits = far.sum(axis=1)
                if exact:
                    return hits / A.shape[1]
                return (hits + (name == names[0])) / (A.shape[1] + (name == names[0]))

            for name in names:
                held[name][own] = share(d, name) > alpha
                if own.start < lengths:
                    few, ends = slice(0, min(len(d), lengths - own.start)), []
                    se = np.sqrt(Z2[few, 0])
                    for side in (1, -1):
                        ends.append(_end(partial(_inside, share, side, name, few, alpha), se))
                    length[name].append(ends[0] + ends[1])
        return {name: (held[name], np.concatenate(length[name])) for name in names}


def _inside(share, side, name, few, alpha, x):
    return share(side * x, name, few) > alpha


def _end(inside, se):
    """How far from the estimate the interval goes, for each of some samples."""
    low, high, far = np.zeros_like(se), se * _FAR, se * _FAR
    endless = inside(far)
    grid = np.geomspace(0.1, _FAR, 31)
    for x in grid:  # the outermost step
        within = inside(x * se)
        low = np.where(within, x * se, low)
    for x in grid[::-1]:
        high = np.where(x * se > low, x * se, high)
    for _ in range(30):
        middle = (low + high) / 2
        within = inside(middle)
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.where(endless, np.inf, low)


def cr2_df(sizes):
    """Satterthwaite's degrees of freedom of CR2 of the mean of all rows, for independent rows.

    (tr A)^2 / tr(A^2), A the quadratic form that the square of CR2 is in independent rows: Bell and McCaffrey
    (2002).

    Parameters
    ----------
    sizes : array_like of shape (J,)

    Returns
    -------
    float
    """
    n = np.asarray(sizes, dtype=float)
    h = n / n.sum()
    B = (np.eye(len(n)) - h[:, None]) * np.sqrt(n) / np.sqrt(1 - h)[:, None]
    A = B.T @ B
    return float(np.trace(A) ** 2 / np.sum(A * A))


def compute():
    """The whole table, design by design, as a DataFrame; some minutes."""
    parts = []
    for k, (icc, design, J) in enumerate(product(ICCS, DESIGNS, GROUPS)):
        seed = [SEED, k]
        table = interval_coverage(sizes_of(design, J), icc, replicates=REPLICATES, lengths=LENGTHS, seed=seed)
        where = pd.DataFrame({"icc": icc, "design": design, "J": J, "seed": f"{SEED}/{k}"}, table.index)
        parts.append(where.join(table).reset_index())
        print(f"icc {icc}, {design}, J = {J}", file=sys.stderr, flush=True)
    return pd.concat(parts, ignore_index=True)


def coverage_table():
    """The table of notebook 10, as `compute` wrote it.

    Returns
    -------
    DataFrame
        Columns ``method``, ``icc``, ``design``, ``J``, ``seed`` (of `interval_coverage`, a pair),
        ``coverage``, ``mcse``, ``length`` (median) and ``replicates``.
    """
    with (files("helpers") / "data" / FILE).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def as_text(icc):
    """The table of one intraclass correlation, as text, 78 characters a line.

    Parameters
    ----------
    icc : float
        One of `ICCS`.

    Returns
    -------
    str
        Of each design: coverage in per cent by number of groups, and the median length over that of the
        t test on group means.

    Raises
    ------
    ValueError
        If there is no table of this icc.
    """
    table = coverage_table()
    if icc not in ICCS:
        raise ValueError(f"there are tables of icc {' and '.join(map(str, ICCS))}; got {icc}")
    lines = []
    for design in DESIGNS:
        part = table[(table["icc"] == icc) & (table["design"] == design)]
        cells = part.set_index(["method", "J"])
        covered, length = 100 * cells["coverage"], cells["length"]
        unit = length["t test on group means"]
        numbers = "".join(f"{J:6}" for J in GROUPS) + " " + "".join(f"{J:5}" for J in GROUPS)
        lines += [f"{design:22}{'coverage, %':>30} {'relative length':>25}", f"{'groups':22}{numbers}"]
        for method in METHODS:
            left = "".join(f"{covered[method, J]:6.1f}" for J in GROUPS)
            right = "".join(f"{_short(length[method, J] / unit[J]):>5}" for J in GROUPS)
            lines.append(f"{method:22}{left} {right}")
        lines.append("")
    return "\n".join(lines[:-1])


def _short(ratio):
    if not np.isfinite(ratio):
        return "none"
    return f"{ratio:.2f}" if ratio < 99 else "long"


def main():
    """Write the table; ``python -m helpers.fits.simulate.cluster_coverage``."""
    path = Path(str(files("helpers"))) / "data" / FILE
    compute().to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    main()
