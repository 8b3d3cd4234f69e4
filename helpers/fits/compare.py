"""The three poolings side by side: which mean each speaks of, and how well it knows it."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import pandas as pd

from ..formulas import distributions as stats
from ..tables import summarise
from .checks import level_of
from .compare_groupings import compare_groupings
from .comparison import Comparison
from .complete import CompletePooling, complete_pooling
from .groupings import asked_for
from .no import NoPooling, no_pooling
from .partial import PartialPooling, partial_pooling
from .slopes import SlopesFit, fit_slopes
from .small_samples import BOUNDED
from .terms import grouped

PARTIAL, PARTIAL_ROBUST = "partial pooling", "partial pooling, CR2"
SLOPED, SLOPED_ROBUST = "partial pooling, slopes vary", "partial pooling, slopes vary, CR2"
MOST = 4  # slopes that vary together: their covariances are nearly the square of it, and each takes groups


def compare(formula, data, groups=None, missing="raise", alpha=0.05):
    """Fit all three poolings and say of each which mean it speaks of, and how well it knows it.

    Parameters
    ----------
    formula : str
        Outcome and terms, with a constant.
    data : DataFrame, path or GroupSummary
    groups : str or list of two str
        The group column; a GroupSummary knows its own. Two groupings as for `partial_pooling`:
        ``"school/class"``, or ``["plate", "sample"]``.
    missing : {"raise", "drop"}
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    DataFrame
        Columns ``method``, ``estimand``, ``estimate``, ``se``, ``df``, ``lower``, ``upper``; printed it has
        an estimand, and below it what each method says, to three figures of the standard error. For the
        constant: complete pooling (as if rows were independent, and cluster-robust CR2), no pooling
        (one group, the largest, and the mean of just these J), partial pooling (that one group, and
        the mean of the population the groups are drawn from). Then the slope of each term, by each
        method that estimates it; where it has no CR2 error, the estimand says why. The average slope of a
        term that varies within groups has three lines more: CR2 around the random intercepts, the model in
        which the slopes of all such terms vary (Kenward and Roger's error), and CR2 around that. Where
        slopes cannot vary, the second says why and the third is left out. The SE of one
        partially pooled group mean counts the uncertainty of the fixed effects and of the variances
        (`PartialPooling.group_means_int`). A group alone, and these J, stand at their own values of terms
        that do not vary within groups.

        With two groupings, for the constant and for each term: complete pooling as if rows were independent;
        cluster-robust (CR2) by the outer grouping if they are nested, else by each, and clustered two ways
        (CR1S); if nested, partial pooling with the outer grouping alone, which says what leaving the inner
        one out does, and CR2 around it; partial pooling with both. Kenward and Roger's errors and df. CR2
        around the model with both is not offered.

    Raises
    ------
    TypeError, ValueError
        As the three fits.

    Examples
    --------
    >>> from helpers import classrooms, compare
    >>> compare("score ~ 1", classrooms(), "classroom")[["method", "se"]].round(3)
                      method     se
    0       complete pooling  2.383
    1  complete pooling, CR2  4.716
    2             no pooling  8.865
    3             no pooling  1.982
    4        partial pooling  8.250
    5        partial pooling  4.716

    >>> print(compare("score ~ 1", classrooms(), "classroom"))
                            estimate   se    df   lower   upper
    mean over all rows, if independent
      complete pooling       1628.98 2.38 199.0 1624.28 1633.67
    mean over all rows
      complete pooling, CR2  1628.98 4.72  19.0 1619.11 1638.85
    classroom 1 alone
      no pooling             1656.34 8.86 180.0 1638.85 1673.83
    mean over these 20 groups
      no pooling             1628.98 1.98 180.0 1625.06 1632.89
    classroom 1 alone
      partial pooling        1651.51 8.25 180.0 1635.23 1667.79
    mean over all groups there are
      partial pooling        1628.98 4.72  19.0 1619.11 1638.85

    Treatments of classes, in schools: which error counts what they were given to?

    >>> from helpers.course.datasets import three_levels
    >>> told = compare("score ~ treated", three_levels(), "school/class")
    >>> told.loc[told["estimand"] == "slope of treated", ["method", "se", "df"]].round(3)
                                   method     se     df
    5                    complete pooling  0.201  478.0
    6     complete pooling, CR2 by school  0.429   11.0
    7       partial pooling, school alone  0.179  467.0
    8  partial pooling, school alone, CR2  0.429   11.0
    9       partial pooling, school/class  0.438   35.0
    """
    two = asked_for(data, groups)
    if two:
        return Comparison(compare_groupings(formula, data, *two, missing, alpha))
    summary = grouped(summarise(data, formula, groups, missing), "compare")
    fits = poolings(summary)
    table, k = compared(fits, alpha), summary.intercept
    for method, fit in (("complete pooling, CR2", fits.robust), *fits.around.items()):
        for term, why in fit.withheld.items():
            name = f"slope of {term}" if term != summary.terms[k] else table["estimand"][1]
            row = (table["method"] == method) & (table["estimand"] == name)
            table.loc[row, "estimand"] = f"{name} (no SE: {why})"
    slopes = table["method"] == SLOPED
    if fits.unsloped:
        table.loc[slopes, "estimand"] += f" ({fits.unsloped})"
    return Comparison(table)


class Poolings(NamedTuple):
    """The fits that `compare` sets side by side: OLS, the same with CR2, no pooling, partial pooling.

    ``sloped`` lets the slopes of ``inner`` vary, the terms that vary within groups, with Kenward and Roger's
    errors; it is None where they cannot, and ``unsloped`` says why. ``around`` has CR2 around partial
    pooling, by method.
    """

    complete: CompletePooling
    robust: CompletePooling
    no: NoPooling
    partial: PartialPooling
    inner: list
    sloped: SlopesFit | None
    unsloped: str
    around: dict

    def of_slope(self, term):
        """Which method's interval for the average slope of a term to report: the rule of notebook 14.

        Slopes vary, and the error is CR2 around that fit; where they cannot vary, around the random
        intercepts. Simulated coverage (`simulate.slope_coverage`) is why. A term that does not vary within
        groups, or has no CR2 error, has the model's. In that study CR2 around slopes that vary covers 93 to
        97 per cent in all but a few designs: less with five or ten groups that know their slopes unequally
        well, for the variances are estimates; more with five such groups and slopes that do not vary.
        """
        for method in (SLOPED_ROBUST, PARTIAL_ROBUST):
            if term in self.inner and method in self.around and term not in self.around[method].withheld:
                return method
        return PARTIAL


def poolings(summary):
    """Fit all three poolings to a `GroupSummary` with a constant; without pooling what varies within."""
    if summary.intercept is None:
        raise ValueError(f"{summary.formula!r} has no constant, so no mean to compare: add 1")
    complete, partial = complete_pooling(None, summary), partial_pooling(None, summary)
    if partial.df_method == BOUNDED:  # where lme4's errors would make no interval that holds
        partial = partial.with_df("kenward-roger")
    no = no_pooling(None, _within_terms(summary))
    inner = [term for i, term in enumerate(no.data.terms) if i != no.data.intercept]
    sloped, unsloped = _sloped(summary, inner)
    robust, around = complete._robust("CR2"), {}
    if inner and len(robust.withheld) < len(summary.terms):
        around = {method: fit.cluster_robust("CR2")
                  for method, fit in ((PARTIAL_ROBUST, partial), (SLOPED_ROBUST, sloped)) if fit}  # fmt: skip
    return Poolings(complete, robust, no, partial, inner, sloped, unsloped, around)


def _sloped(summary, inner):
    """Partial pooling in which the slopes of these terms vary, or None and why they cannot."""
    if not inner:
        return None, ""
    if len(inner) > MOST:
        return None, f"{len(inner)} slopes are more than the {MOST} that this lets vary together"
    try:
        return fit_slopes(None, summary, None, inner).with_df("kenward-roger"), ""
    except ValueError as error:
        return None, re.split(r": |; ", str(error))[0]


def compared(fits, alpha=0.05, one=None):
    """Say what `compare` says of fits made before, of one group by its place or of the largest."""
    tail, (complete, robust, no, partial, inner, *_) = level_of(alpha) / 2, fits
    summary = partial.data
    least_squares = [("complete pooling", complete), ("complete pooling, CR2", robust)]
    J, k = summary.ngroups, summary.intercept
    one = int(summary.sizes.argmax()) if one is None else one
    rows = []

    def add(method, estimand, *numbers):
        rows.append((method, estimand, *map(float, numbers)))

    def add_term(method, fit, estimand, i):
        add(method, estimand, fit._estimate[i], fit._se[i], fit.df.iloc[i])

    at = " where the terms are 0" if len(summary.terms) > 1 else ""
    whole = len(inner) + 1 == len(summary.terms)
    own = at if whole else " where the terms within are 0" if inner else ""  # at its own of the others
    alone = f"{summary.group} {summary.labels[one]} alone{own}"
    add_term(*least_squares[0], f"mean over all rows, if independent{at}", k)
    add_term(*least_squares[1], f"mean over all rows{at}", k)
    add("no pooling", alone, no._estimate[one], no._se[one], no._df[one])  # J names would take longer
    add("no pooling", f"mean over these {J} groups{own}", *no._mean_of_groups(), no._df[0])
    if whole:
        pooled = partial._predicted(partial._estimate[k], partial._contrasts[k], slice(one, one + 1))
    else:
        pooled = partial.group_means_at(**dict.fromkeys(inner, 0.0)).iloc[one : one + 1]
    add("partial pooling", alone, *pooled.iloc[0][["estimate", "se_unconditional"]], partial.group_df)
    add_term("partial pooling", partial, f"mean over all groups there are{at}", k)
    for i, term in enumerate(summary.terms):
        if i != k:
            for method, fit in least_squares:
                add_term(method, fit, f"slope of {term}", i)
            if term in no.data.terms:
                own_slope = no.ngroups + inner.index(term)
                add(
                    "no pooling",
                    f"slope of {term}",
                    *(of[own_slope] for of in (no._estimate, no._se, no._df)),
                )
            add_term("partial pooling", partial, f"slope of {term}", i)
            if term in inner:
                more = {PARTIAL_ROBUST: fits.around.get(PARTIAL_ROBUST), SLOPED: fits.sloped,
                        SLOPED_ROBUST: fits.around.get(SLOPED_ROBUST)}  # fmt: skip
                for method, fit in more.items():
                    if fit is not None:
                        add(method, f"slope of {term}", fit.params[term], fit.bse[term], fit.df[term])
                    elif method == SLOPED:
                        add(method, f"slope of {term}", *[np.nan] * 3)
    table = pd.DataFrame(rows, columns=["method", "estimand", "estimate", "se", "df"])
    half = stats.t.isf(tail, table["df"]) * table["se"]
    return table.assign(lower=table["estimate"] - half, upper=table["estimate"] + half)


def _within_terms(summary):
    """The same summary without the terms that do not vary within groups: the group means absorb them."""
    stay = summary.varies_within()
    stay[summary.intercept] = True
    return summary if stay.all() else summary.keeping(stay)
