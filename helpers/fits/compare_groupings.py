"""Two groupings side by side: what each standard error counts, rows, one grouping, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import pandas as pd

from ..formulas import distributions as stats
from ..tables import TwoWays, by_two, summarise
from ..tables.groupings import summarise_groupings, without_gaps
from ..tables.once import in_memory
from .checks import level_of
from .groupings import GroupingsFit, fit_summarised
from .least_squares import CompletePooling, least_squares
from .partial import PartialPooling, partial_pooling
from .two_way import TwoWayPooling

TWO_WAYS = "CR1S"  # the kind that statsmodels has for errors clustered two ways


class Estimate(NamedTuple):
    """What one method says of one estimand; NaN where there is no standard error, and ``why``."""

    method: str
    of: str  # "independent", "rows" or "all": over what a mean is; "slope"
    term: str
    estimate: float
    se: float
    df: float
    why: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class TwoGroupings:
    """The fits that are set side by side where rows are in groups of two kinds.

    Attributes
    ----------
    both : GroupingsFit
        Partial pooling with both, by REML, with Kenward and Roger's errors where they are defined.
    complete : CompletePooling
        As if rows were independent.
    robust : dict of str to CompletePooling
        CR2 by the outer grouping where they are nested, by each where they cross.
    two_ways : TwoWayPooling or None
        Errors clustered two ways, of groupings that cross and where some term has them; else None.
    outer : PartialPooling or None
        Partial pooling with the outer grouping alone, of nested ones; else None.
    around : PartialPooling or None
        CR2 around that, of nested ones.
    """

    both: GroupingsFit
    complete: CompletePooling
    robust: dict
    two_ways: TwoWayPooling | None
    outer: PartialPooling | None
    around: PartialPooling | None

    @property
    def nested(self):
        """Whether each group of the one is in one group of the other."""
        return self.both.groupings.nested

    @property
    def top(self):
        """The columns whose groups are drawn by themselves: the outer one, or both that cross."""
        groupings = self.both.groupings
        return [groupings.names[1 - groupings.inner]] if self.nested else list(groupings.names)

    @property
    def two_summaries(self):
        """The rows summed by each of two groupings that cross."""
        return [fit.data for fit in self.robust.values()]

    @property
    def around_each(self):
        """Fits that take a slope for the same in all groups and CR2 around them, by column of such groups.

        Of nested groupings the model with both; of those that cross, where no grouping has independent
        groups, the model with that grouping alone.
        """
        if self.nested:
            fits = dict.fromkeys(self.top, self.both)
        else:
            fits = {name: partial_pooling(None, fit.data) for name, fit in self.robust.items()}
        found = {name: (fit, _or_none(fit.cluster_robust, "CR2")) for name, fit in fits.items()}
        return {name: both for name, both in found.items() if both[1] is not None}

    @property
    def methods(self):
        """Each method, in order, to what its mean is over and to its fit."""
        two = " and ".join(self.both.groupings.names)
        inner = self.both.groupings.names[self.both.groupings.inner]
        found = {"complete pooling": ("independent", self.complete)}
        found |= {f"complete pooling, CR2 by {name}": ("rows", fit) for name, fit in self.robust.items()}
        found |= {"complete pooling, clustered two ways": ("rows", self.two_ways)}
        if self.nested:
            (outer,) = self.top
            two = inner if inner.startswith(f"{outer}/") else two
            found |= {f"partial pooling, {outer} alone": ("all", self.outer),
                      f"partial pooling, {outer} alone, CR2": ("all", self.around)}  # fmt: skip
        found |= {f"partial pooling, {two}": ("all", self.both)}
        return {method: told for method, told in found.items() if told[1] is not None}

    @property
    def estimates(self):
        """Every `Estimate`: those of the constant, then of each term."""
        data = self.both.data
        order = [data.intercept, *(i for i in range(len(data.terms)) if i != data.intercept)]
        return [
            _estimate(method, over if i == data.intercept else "slope", fit, data.terms[i])
            for i in order
            for method, (over, fit) in self.methods.items()
        ]


def two_groupings(formula, data, names, nested, missing="raise", at=None):
    """Fit what is set side by side where there are two groupings.

    Parameters
    ----------
    formula, data, missing
        As for `compare.compare`.
    names : list of str
        The two columns.
    nested : bool
        Whether the second counts within the first, whatever its labels.
    at : callable, optional
        From a GroupSummary to one whose terms are counted from elsewhere.

    Returns
    -------
    TwoGroupings

    Raises
    ------
    TypeError, ValueError
        As `partial_pooling` of two groupings; if the formula has no constant.
    """
    at = at or (lambda summary: summary)
    table = in_memory(data, formula, names[0], [names[1]])
    groupings = summarise_groupings(table, formula, names, nested, missing)
    if groupings.rows.intercept is None:
        raise ValueError(f"{formula!r} has no constant, so no mean to compare: add 1")
    both = fit_summarised(replace(groupings, rows=at(groupings.rows)))
    try:
        both = both.with_df("kenward-roger")
    except ValueError:  # whose errors have no inverse; the unadjusted ones have no df then
        both = both.with_df("residual")
    table = without_gaps(table, names)
    if groupings.nested:
        outer = names[1 - groupings.inner]
        summary = at(summarise(table, formula, outer, missing))
        complete = CompletePooling(**least_squares(summary))
        alone = partial_pooling(None, summary).with_df("kenward-roger")
        return TwoGroupings(
            both=both, complete=complete, robust={outer: complete._robust("CR2")}, two_ways=None, outer=alone,
            around=_or_none(alone.cluster_robust, "CR2"),
        )  # fmt: skip
    clusters = TwoWays(*map(at, by_two(table, formula, names, missing)))
    two_ways = TwoWayPooling(clusters=clusters, **least_squares(clusters.cells))
    each = [CompletePooling(**least_squares(summary)) for summary in clusters[:2]]
    robust = {name: fit._robust("CR2") for name, fit in zip(names, each, strict=True)}
    return TwoGroupings(
        both=both, complete=each[0], robust=robust, two_ways=_or_none(two_ways.cluster_robust, TWO_WAYS),
        outer=None, around=None,
    )  # fmt: skip


def compare_groupings(formula, data, names, nested, missing="raise", alpha=0.05):
    """Set standard errors with two groupings side by side: `compare.compare`, which says what is told.

    Parameters
    ----------
    formula, data, names, nested, missing
        As for `two_groupings`.
    alpha : float

    Returns
    -------
    DataFrame

    Raises
    ------
    TypeError, ValueError
        As `two_groupings`.
    """
    tail = level_of(alpha) / 2
    fits = two_groupings(formula, data, names, nested, missing)
    top = " and ".join(fits.top)
    at = " where the terms are 0" if len(fits.both.data.terms) > 1 else ""
    means = {
        "independent": f"mean over all rows, if independent{at}",
        "rows": f"mean over all rows{at}",
        "all": f"mean over all groups of {top} there are{at}",
    }
    rows = []
    for found in fits.estimates:
        what = means.get(found.of, f"slope of {found.term}")
        if found.why:
            what += f" (no SE: {found.why})"
        rows.append((found.method, what, found.estimate, found.se, found.df))
    table = pd.DataFrame(rows, columns=["method", "estimand", "estimate", "se", "df"])
    half = stats.t.isf(tail, table["df"]) * table["se"]
    return table.assign(lower=table["estimate"] - half, upper=table["estimate"] + half)


def _estimate(method, of, fit, term):
    i = fit.data.terms.index(term)
    why = getattr(fit, "withheld", {}).get(term, "")
    return Estimate(
        method, of, term, *(float(x) for x in (fit._estimate[i], fit._se[i], fit.df.iloc[i])), why
    )


def _or_none(sandwich, kind):
    """A fit with these errors, or None where no term has one."""
    try:
        return sandwich(kind)
    except ValueError:
        return None
