"""A slope that varies: time, digits against 50-digit arithmetic, and what a million rows take."""

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from mpmath import mp, mpf

from helpers import partial_pooling

from . import exact, peers
from .clock import race
from .page import count, milliseconds, paragraphs, significant, table
from .scale import HONEST, resident

FORMULA = "y ~ x"  # the slope of x varies with the intercept


class Exact(NamedTuple):
    """Variances and covariance between groups, and the SE of the average slope."""

    psi: list
    se: mpf


# ---- the tables -----------------------------------------------------------------------------------


def made(title, seed, codes, x, sd):
    """Rows about a line of each group's own; ``sd`` of intercepts, slopes and rows, correlation 0.2."""
    rng = np.random.default_rng(seed)
    J = codes.max() + 1
    first, second, rest = rng.normal(size=J), rng.normal(size=J), rng.normal(size=len(codes))
    slopes = sd[1] * (0.2 * first + np.sqrt(1 - 0.2**2) * second)
    y = 250 + 10 * x + sd[0] * first[codes] + slopes[codes] * x + sd[2] * rest
    return peers.Case(title, FORMULA, pd.DataFrame({"y": y, "x": x, "g": codes}), "g")


def sleep():
    """Ten days of 18 subjects, with variances as in lme4's sleepstudy."""
    codes = np.repeat(np.arange(18), 10)
    return made("180 rows, 18 groups", 1, codes, np.tile(np.arange(10.0), 18), (25, 6, 25))


def many(N, J):
    """N rows in J groups, one at least in each, in random order."""
    rng = np.random.default_rng(2)
    codes = rng.permutation(np.append(np.arange(J), rng.integers(J, size=N - J)))
    return made(f"{count(N)} rows, {count(J)} groups", 3, codes, rng.normal(size=N), (1, 0.7, 2))


# ---- the exact answer -----------------------------------------------------------------------------


class Criterion:
    """R's REML criterion as a function of the entries (d11, d12, d22) of Psi / theta, to 50 digits."""

    def __init__(self, case):
        x, y = (exact._precise(case.data[name].to_numpy()) for name in "xy")
        x, y = x - x[0], y - y[0]  # another origin changes no slope, and its error neither
        columns, J = [x**0, x, y], case.codes.max() + 1
        self.N = len(x)
        self.of_group = {
            (a, b): _totals(columns[a] * columns[b], case.codes, J) for a in range(3) for b in range(a, 3)
        }

    def sums(self, d):
        """Cross-products of (1, x, y) weighted by V^-1 at theta = 1, and log |V|."""
        of, (d11, d12, d22) = self.of_group, d
        det = d11 * d22 - d12**2
        s11, s12, s22 = of[0, 0], of[0, 1], of[1, 1]
        whole = 1 + d11 * s11 + 2 * d12 * s12 + d22 * s22 + det * (s11 * s22 - s12**2)
        w11, w12, w22 = (d11 + det * s22) / whole, (d12 - det * s12) / whole, (d22 + det * s11) / whole
        cross = mp.matrix(3, 3)
        for (a, b), product in of.items():
            a1, a2, b1, b2 = (of[min(k, c), max(k, c)] for c in (a, b) for k in (0, 1))
            less = w11 * a1 * b1 + w12 * (a1 * b2 + a2 * b1) + w22 * a2 * b2
            cross[a, b] = cross[b, a] = (product - less).sum()
        return cross, mp.fsum(map(mp.log, whole))

    def __call__(self, d):
        cross, log_det = self.sums(d)
        XX = mp.det(cross[:2, :2])
        return (self.N - 2) * mp.log(mp.det(cross) / XX) + log_det + mp.log(XX)


def _totals(values, codes, J):
    total = np.full(J, mpf(0), dtype=object)
    np.add.at(total, codes, values)
    return total


def answer(case, steps=4):
    """Newton's method with differences of 50 digits, from where a double leaves it: inside the boundary."""
    of, h = Criterion(case), mpf(10) ** -12
    start = partial_pooling(case.formula, case.data, case.group, slopes="x")
    turn = np.array([[1.0, float(case.data["x"].iloc[0])], [0.0, 1.0]])  # to the origin of `Criterion`
    D = turn @ start.psi.to_numpy() @ turn.T / start.theta
    d = [mpf(value) for value in (D[0, 0], D[0, 1], D[1, 1])]
    unit = [abs(value) * h for value in (d[0], mp.sqrt(d[0] * d[2]), d[2])]

    def at(*moves):
        return of([value + sum(sign * unit[k] for j, sign in moves if j == k) for k, value in enumerate(d)])

    for _ in range(steps):
        middle, up, down = at(), [at((k, 1)) for k in range(3)], [at((k, -1)) for k in range(3)]
        gradient = mp.matrix([(up[k] - down[k]) / 2 for k in range(3)])
        curve = mp.matrix(3, 3)
        for k in range(3):
            curve[k, k] = up[k] + down[k] - 2 * middle
            for j in range(k):
                both = at((k, 1), (j, 1)) + at((k, -1), (j, -1)) - up[k] - down[k] - up[j] - down[j]
                curve[k, j] = curve[j, k] = both / 2 + middle
        step = mp.lu_solve(curve, -gradient)
        d = [value + unit[k] * step[k] for k, value in enumerate(d)]
        if max(abs(move) for move in step) * h < mpf(10) ** -24:
            break
    else:
        raise ValueError(f"{case.title}: Newton's method does not end")
    cross, _ = of.sums(d)
    theta = mp.det(cross) / mp.det(cross[:2, :2]) / (of.N - 2)
    back = mpf(float(case.data["x"].iloc[0]))
    d11, d12 = d[0] - 2 * back * d[1] + back**2 * d[2], d[1] - back * d[2]
    return Exact(
        [theta * value for value in (d11, d12, d[2])], mp.sqrt(theta * mp.inverse(cross[:2, :2])[1, 1])
    )


def digits(found, right):
    """Digits of the worst entry of psi, each against the sds that it is made of, and of the SE."""
    v11, v12, v22 = right.psi
    scales = (v11, mp.sqrt(v11 * v22), v22)
    entries = zip(found[:3], (v11, v12, v22), scales, strict=True)
    return min(exact.digits(*entry) for entry in entries), exact.digits(found[3], right.se)


# ---- each package: psi's three entries and the SE of the average slope ------------------------------


def of_helpers(fit):
    psi = fit.psi.to_numpy()
    return psi[0, 0], psi[0, 1], psi[1, 1], fit.bse.iloc[1]


def helpers_formula(case, data=None):
    data = case.data if data is None else data
    return lambda: of_helpers(partial_pooling(case.formula, data, case.group, slopes="x"))


def helpers_polars(case):
    return helpers_formula(case, peers.polars_frame(case))


def of_statsmodels(fit):
    psi = np.asarray(fit.cov_re)
    return psi[0, 0], psi[0, 1], psi[1, 1], float(np.asarray(fit.bse_fe)[1])


def statsmodels_formula(case):
    from statsmodels.formula.api import mixedlm

    return lambda: of_statsmodels(mixedlm(case.formula, case.data, groups=case.group, re_formula="~ x").fit())


def mixedlm_rs_formula(case):
    from mixedlm_rs import mixedlm

    return lambda: of_statsmodels(mixedlm(case.formula, case.data, groups=case.group, re_formula="~ x").fit())


def of_lme_python(fit):
    entries = {(one, other): value for _, one, other, value, _ in fit.var_corr}
    both = entries.get(("x", "(Intercept)"), entries.get(("(Intercept)", "x")))
    return entries["(Intercept)", "(Intercept)"], both, entries["x", "x"], fit.std_errors[1]


def lme_python_formula(case, data=None):
    from lme_python import lmer

    formula, data = f"{case.formula} + (1 + x | {case.group})", case.data if data is None else data
    return lambda: of_lme_python(lmer(formula, data=data))


def lme_python_polars(case):
    return lme_python_formula(case, peers.polars_frame(case))


def contenders(r):
    """Name to a function that prepares the call of a case."""
    return {
        "helpers": helpers_formula,
        "helpers, polars frame": helpers_polars,
        "statsmodels": statsmodels_formula,
        "mixedlm-rs": mixedlm_rs_formula,
        "lme-python": lme_python_formula,
        "lme-python, polars frame": lme_python_polars,
        "R, lme4::lmer": r.formula("lmer_slope", "lme4"),
        "R, nlme::lme": r.formula("lme_slope", "nlme"),
    }


# ---- the section ------------------------------------------------------------------------------------


def slopes(r, rounds, sizes, large):
    """The section: two tables with everyone, then one with a million rows or what `sizes` says."""
    few = [sleep(), many(*sizes[0])]
    return paragraphs(
        "## A slope that varies",
        "`y ~ x`, intercepts and slopes of x that differ from group to group, with any covariance (R's "
        "`(1 + x | g)`), by REML. The first table is as lme4's sleepstudy is; in the second groups have "
        "about four rows, some a single one. The clock runs from the call until the variances, the "
        "covariance and the standard error of the average slope are in hand; ratios are to `helpers` on a "
        "polars frame. Digits are against 50-digit arithmetic: of the worst entry of psi, relative to the "
        "standard deviations that it is made of, and of that standard error.",
        *(part for case in few for part in (f"### {case.title}", everyone(r, case, rounds))),
        million(*sizes[1], large),
    )


def everyone(r, case, rounds):
    """A line for each package."""
    right, found = answer(case), race(peers.calls(contenders(r), case), rounds)
    header = ["formula and data frame", "ms", "times helpers, polars frame", "digits, psi", "digits, SE"]
    return table(header, [row(name, o, found["helpers, polars frame"], right) for name, o in found.items()])


def row(name, outcome, ours, right):
    """A package's line: time, ratio to ours, digits."""
    shown = ["–", "–"] if outcome.error else [f"{value:.1f}" for value in digits(outcome.value, right)]
    return [name, milliseconds(outcome), significant(outcome.over(ours)), *shown]


def million(N, J, rounds):
    """A large table: with slopes that vary beside random intercepts alone, and what is held in memory."""
    case = many(N, J)
    found = race(peers.calls(ALONE_AND_BOTH, case), rounds)
    alone = found["random intercepts"]
    rows = [
        [name, outcome.error or significant(outcome.time), significant(outcome.over(alone)), held(name, N, J)]
        for name, outcome in found.items()
    ]
    return paragraphs(
        f"### {case.title}: `helpers` on a polars frame",
        "Memory is the most held during the call, less what was held before it, in units of the three "
        "columns of the frame, each call in a fresh process.",
        table(["slopes", "s", "times random intercepts", "memory"], rows),
    )


def intercepts_polars(case):
    data = peers.polars_frame(case)
    return lambda: partial_pooling(case.formula, data, case.group).bse.iloc[1]


ALONE_AND_BOTH = {"random intercepts": intercepts_polars, "slopes that vary": helpers_polars}


def held(name, N, J):
    """Measure one call in a process of its own."""
    command = [sys.executable, "-m", "bench.slopes", name, str(N), str(J)]
    folder = Path(__file__).parents[1]
    run = subprocess.run(command, cwd=folder, env=os.environ | HONEST, capture_output=True, text=True)
    return significant(float(run.stdout)) if run.returncode == 0 else "fails"


def peak(name, N, J):
    """Most memory held during a call less that before it, in units of the three columns."""
    ALONE_AND_BOTH[name](many(1000, 100))()  # imports
    case = many(N, J)
    columns = case.data.memory_usage(index=False).sum()
    call = ALONE_AND_BOTH[name](case)
    gc.collect()
    before = resident("VmRSS", reset=True)
    call()
    return (resident("VmHWM") - before) / columns


if __name__ == "__main__":
    print(peak(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
