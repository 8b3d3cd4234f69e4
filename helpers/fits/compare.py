"""The three poolings side by side: which mean each speaks of, and how well it knows it."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd
from scipy import stats

from ..tables import summarise
from .checks import level_of
from .complete import CompletePooling, complete_pooling
from .no import NoPooling, no_pooling
from .partial import PartialPooling, partial_pooling
from .small_samples import BOUNDED
from .terms import grouped


def compare(formula, data, groups=None, missing="raise", alpha=0.05):
    """Fit all three poolings and say of each which mean it speaks of, and how well it knows it.

    Parameters
    ----------
    formula : str
        Outcome and terms, with a constant.
    data : DataFrame or GroupSummary
    groups : str
        The group column; a GroupSummary knows its own.
    missing : {"raise", "drop"}
    alpha : float
        One minus the level of the intervals.

    Returns
    -------
    DataFrame
        Columns ``method``, ``estimand``, ``estimate``, ``se``, ``df``, ``lower``, ``upper``. For the
        constant: complete pooling (as if rows were independent, and cluster-robust CR2), no pooling
        (one group, the largest, and the mean of just these J), partial pooling (that one group, and
        the mean of the population the groups are drawn from). Then the slope of each term, by each
        method that estimates it; where it has no CR2 error, the estimand says why. The SE of one
        partially pooled group mean counts the uncertainty of the fixed effects and of the variances
        (`PartialPooling.group_means_int`). A group alone, and these J, stand at their own values of terms
        that do not vary within groups.

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
    """
    summary = grouped(summarise(data, formula, groups, missing), "compare")
    fits = poolings(summary)
    table, k = compared(fits, alpha), summary.intercept
    for term, why in fits.robust.withheld.items():
        name = f"slope of {term}" if term != summary.terms[k] else table["estimand"][1]
        row = (table["method"] == "complete pooling, CR2") & (table["estimand"] == name)
        table.loc[row, "estimand"] = f"{name} (no SE: {why})"
    return table


class Poolings(NamedTuple):
    """The fits that `compare` sets side by side: OLS, the same with CR2, no pooling, partial pooling."""

    complete: CompletePooling
    robust: CompletePooling
    no: NoPooling
    partial: PartialPooling


def poolings(summary):
    """Fit all three poolings to a `GroupSummary` with a constant; without pooling what varies within."""
    if summary.intercept is None:
        raise ValueError(f"{summary.formula!r} has no constant, so no mean to compare: add 1")
    complete, partial = complete_pooling(None, summary), partial_pooling(None, summary)
    if partial.df_method == BOUNDED:  # where lme4's errors would make no interval that holds
        partial = partial.with_df("kenward-roger")
    no = no_pooling(None, _within_terms(summary))
    return Poolings(complete, complete._robust("CR2"), no, partial)


def compared(fits, alpha=0.05, one=None):
    """Say what `compare` says of fits made before, of one group by its place or of the largest."""
    tail, (complete, robust, no, partial) = level_of(alpha) / 2, fits
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
    inner = [term for i, term in enumerate(no.data.terms) if i != no.data.intercept]
    whole = len(inner) + 1 == len(summary.terms)
    own = at if whole else " where the terms within are 0" if inner else ""  # at its own of the others
    alone = f"{summary.group} {summary.labels[one]} alone{own}"
    add_term(*least_squares[0], f"mean over all rows, if independent{at}", k)
    add_term(*least_squares[1], f"mean over all rows{at}", k)
    add_term("no pooling", no, alone, one)
    add("no pooling", f"mean over these {J} groups{own}", *no._mean_of_groups(), no._df[0])
    pooled = partial.group_means if whole else partial.group_means_at(**dict.fromkeys(inner, 0.0))
    add("partial pooling", alone, *pooled.iloc[one][["estimate", "se_unconditional"]], partial.group_df)
    add_term("partial pooling", partial, f"mean over all groups there are{at}", k)
    for i, term in enumerate(summary.terms):
        if i != k:
            for method, fit in least_squares:
                add_term(method, fit, f"slope of {term}", i)
            if term in no.data.terms:
                add_term("no pooling", no, f"slope of {term}", no._terms.get_loc(term))
            add_term("partial pooling", partial, f"slope of {term}", i)
    table = pd.DataFrame(rows, columns=["method", "estimand", "estimate", "se", "df"])
    half = stats.t.isf(tail, table["df"]) * table["se"]
    return table.assign(lower=table["estimate"] - half, upper=table["estimate"] + half)


def _within_terms(summary):
    """The same summary without the terms that do not vary within groups: the group means absorb them."""
    stay = summary.varies_within()
    stay[summary.intercept] = True
    return summary if stay.all() else summary.keeping(stay)
