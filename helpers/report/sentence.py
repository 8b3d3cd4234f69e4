"""The sentence to report: the table's numbers, rounded, each by the method that holds for it.

The mean, and slopes between groups, are the random-intercept model's. An average slope within groups follows
the rule of notebook 14 (`compare.Poolings.of_slope`): it has CR2 around the model in which slopes vary, and a
sentence of its own, for it is another fit. Where rows of one group are less alike than rows of two, all are
CR2 around least squares.
"""

from __future__ import annotations

import numpy as np

from ..fits import PARTIAL, SLOPED_ROBUST
from .findings import ROBUST_LINE
from .words import cells, decimals, digits, figures, group, outcome, percent, rows, sizes, slope, thing, where


def sentence(found) -> str:
    """A sentence to report, numbers rounded: the table's."""
    data, K, strangers = found.fit.data, found.population, found.strangers.found
    of_rows = (
        f"{data.nobs} rows in {data.ngroups} groups of {group(found)} ({sizes(found)}; {_variances(found)})"
    )
    at = f", where {where(found)}," if found.predictors else ""
    if strangers:
        told = f"By least squares over {of_rows}, with cluster-robust standard errors (CR2)"
        by, asked, which = ROBUST_LINE, "rows", "over all rows"
    else:
        told = f"In a random-intercept model fitted by REML to {of_rows}"
        by, asked, which = PARTIAL, "all" if K is None else "finite", "in the population of groups"
        if K is not None:
            which = f"in the {digits(K)} groups they were drawn from"
    mean = next(line for line in found.lines if line.method == by and line.question == asked)
    whose = _whose(mean) if asked != "finite" else ("", "Satterthwaite ")
    parts = [f"the mean of {outcome(found)} {which}{at} was {numbers_of(found, mean, whose)}"]
    sloped = [line for line in found.slopes if line.method == SLOPED_ROBUST]
    for line in found.slopes:
        if line not in sloped:
            parts.append(f"{slope(found, line.term)} was {numbers_of(found, line, _whose(line))}")
    told += ", " + "; ".join(parts) + "."
    if sloped:
        told += " " + _of_slopes(found, sloped)
    if data.dropped:
        told += f" {rows(data.dropped).capitalize()} with missing values were left out."
    return told


def _whose(line):
    return ("CR2 ", "") if line.method.endswith("CR2") else ("Kenward-Roger ", "")


def _of_slopes(found, lines):
    """Say of the model in which slopes vary which do, and of each its average and how much it varies."""
    each = thing(found, found.fit.data.group) or "group"
    anew = f"from {each} to {each}"
    *most, last = (slope(found, term) for term in found.fits.inner)
    vary = f"{', '.join(most)} and {last}" if most else last
    parts = []
    for line in lines:
        sd = found.fits.sloped.sds[line.term]
        size = f"with an sd of {figures(sd)} {anew}" if sd > 0 else "with an sd estimated as 0"
        average = "the average " + slope(found, line.term).removeprefix("the ")
        parts.append(f"{average} was {numbers_of(found, line, _whose(line))}, {size}")
    return (
        f"In a second model, fitted by REML to the same rows, which also lets {vary} vary {anew}, "
        f"{'; '.join(parts)}."
    )


def _variances(found):
    """The two variances in the sentence, or why there are none."""
    fit, strangers = found.fit, found.strangers
    of = "residual intraclass correlation" if found.predictors else "intraclass correlation"
    if strangers.found:
        return f"{of} {decimals(strangers.icc, 3)}, below 0: {strangers.words}"
    largest = ""
    if fit.singular:
        high = figures(np.sqrt(found.psi_int["upper"]))
        largest = f" ({percent(found.level)} profile interval of its root 0 to {high})"
    return (
        f"between-group variance psi = {figures(fit.psi)}{largest}, within-group variance theta = "
        f"{figures(fit.theta)}, {of} {decimals(fit.icc, 3)}"
    )


def numbers_of(found, line, whose) -> str:
    """Estimate, standard error, df and interval, with whose they are."""
    if np.isnan(line.se):
        return f"{digits(line.estimate, 4)} (no standard error: see the warnings)"
    estimate, se, df, low, high = cells(line, [line])
    return f"{estimate} ({whose[0]}SE {se}, {whose[1]}df {df}, {percent(found.level)} CI {low} to {high})"
