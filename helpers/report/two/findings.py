"""What was estimated where there are two groupings: the fits of `compare`, every line of the table out.

Nothing is worded here. Means are those where each number among the predictors has its mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from ...fits import GroupingsFit, NoPooling, TwoGroupings, no_pooling, partial_pooling, two_groupings
from ...tables import levels, summarise
from ..findings import Found, from_means, lacking

_NONE = 1e-12  # a share of the variation that is rounding
_FEWEST = 2.0  # df of a prediction: with fewer t has no variance
_QUESTIONS = {"all": "all", "rows": "rows", "independent": "rows", "slope": "slope"}


@dataclass(frozen=True, eq=False, kw_only=True)
class FindingsOfTwo(Found):
    """What was estimated with two groupings.

    Attributes
    ----------
    fits : TwoGroupings
        With the predictors, numbers counted from their means.
    alone : GroupingsFit
        Both groupings, the outcome alone, by REML.
    own : NoPooling
        The outcome alone, by the outer grouping, or the first of two that cross.
    names : list of str
        The two columns, the outer one first if they are nested.
    slash : bool
        Whether they were asked for as "school/class".
    level : float
        Level of the intervals.
    predictors, columns, centres, whole, lacking
        As in `findings.Findings`.
    """

    fits: TwoGroupings
    alone: GroupingsFit
    own: NoPooling
    names: list
    slash: bool
    level: float
    predictors: tuple
    columns: dict
    centres: dict
    whole: pd.DataFrame
    lacking: dict

    @classmethod
    def of(cls, asked, data, names, nested):
        """Read the table and fit what was asked."""
        formula, columns, table = asked.read(data, names)
        centres = {}

        def at(summary):
            summary, found = from_means(summary, columns)
            centres.update(found)
            return summary

        fits = two_groupings(formula, table, names, nested, asked.missing, at)
        groupings = fits.both.groupings
        if groupings.nested and groupings.inner == 0:
            names = names[::-1]
        rows = table
        if fits.both.data.dropped:
            rows = levels.rows_used(table, formula, names[0])
            rows = rows.loc[rows[names[1]].notna()]
        outcome = f"{formula.split(' ~ ')[0]} ~ 1"
        alone = fits.both
        if len(fits.both.data.terms) > 1:
            groups = "/".join(names) if nested else names
            alone = partial_pooling(outcome, rows, groups)
        return cls(
            fits=fits, alone=alone, own=no_pooling(None, summarise(rows, outcome, names[0])), names=names,
            slash=nested, level=float(asked.level), predictors=asked.predictors, columns=columns,
            centres=centres, whole=rows, lacking={} if rows is table else lacking(table, formula, names),
        )  # fmt: skip

    @property
    def fit(self):
        """Partial pooling with both groupings and the predictors, by REML: Kenward and Roger's errors."""
        return self.fits.both

    @property
    def groupings(self):
        """How the rows are grouped: `tables.groupings.Groupings`."""
        return self.fit.groupings

    @cached_property
    def order(self):
        """Names of the two groupings as the fit has them, in the order of ``names``."""
        found = list(self.groupings.names)
        return found[::-1] if self.groupings.nested and self.groupings.inner == 0 else found

    @cached_property
    def levels(self):
        """Share of each term's variation between the cells of both groupings, by term."""
        return self.shares.max(axis=1)

    @cached_property
    def shares(self):
        """Share of each term's variation that lies between the groups of each grouping.

        Returns
        -------
        DataFrame
            Terms by groupings, in the order of ``names``; of a nested grouping it has the outer one's in it.
        """
        data, out = self.fit.data, {}
        for name, summary in zip(self.order, self._summaries, strict=True):
            within, whole = summary.within.diagonal(), summary.about_centre().diagonal()
            out[name] = [1 - within[k] / whole[k] for k in data.varying]
        found = pd.DataFrame(out, [data.terms[k] for k in data.varying], dtype=float)
        return found.where(found > _NONE, 0.0)

    @property
    def summed(self):
        """All terms, summed by the groups of the first grouping."""
        return self._summaries[0]

    @property
    def _summaries(self):
        """The rows with the predictors, summed by each grouping."""
        if self.fits.nested:
            return self.fits.complete.data, self.fit.data
        return self.fits.two_summaries

    @cached_property
    def means(self):
        """Mean of the rows of each group of the first grouping."""
        data = self.own.data
        return pd.Series(data.means[:, -1] + data.shift[-1], data.labels, name=data.outcome)

    @cached_property
    def method(self):
        """Name of the method with both groupings."""
        return list(self.fits.methods)[-1]

    @cached_property
    def lines(self):
        """Every `Line` of the table, in order."""
        found, fit = self.fits.estimates, self.fit
        said = {over: [] for over in ("all", "rows", "slope")}
        for each in found:
            question = _QUESTIONS[each.of]
            numbers = self._interval(each.estimate, each.se, each.df)
            term = each.term if question == "slope" else None
            said[question].append(self._line(question, term, each.method, numbers))
        new = [(f"new {k}", fit.new_group(name)) for k, name in enumerate(self.order)]
        if not self.has_two_values:  # which has no normal interval
            new.append(("row", fit.new_observation()))
        lines = [self._line(what, None, self.method, self._predicted(what, told)) for what, told in new]
        return [*said["all"], *lines, *said["rows"], *said["slope"]]

    def _predicted(self, question, told):
        """Numbers of a group or row to come; NaN where its variance is 0 or hardly known."""
        if self._of_no_use(question) or told.df < _FEWEST:
            return told.estimate, *[np.nan] * 4
        return self._interval(*told)

    def _of_no_use(self, question):
        """Whether a new group is asked for whose variance is estimated as 0."""
        _, _, k = question.partition(" ")
        return bool(k) and self.fit.psi[self.order[int(k)]] == 0

    @cached_property
    def slopes(self):
        """The `Line` that the sentence takes of each slope: of the model with both groupings."""
        return [line for line in self.lines if line.question == "slope" and line.method == self.method]

    @cached_property
    def mean(self):
        """The `Line` of the sentence's mean."""
        return next(line for line in self.lines if line.question == "all" and line.method == self.method)

    def why(self, line):
        """Why a line has no standard error, as its fit says; "" where that is silent."""
        if line.question.startswith("new") or line.question == "row":
            what = "estimated as 0" if self._of_no_use(line.question) else "hardly known"
            return f"the variance between such groups is {what}, and no interval can be made of it"
        data = self.fit.data
        term = line.term or data.terms[data.intercept]
        fit = self.fits.methods.get(line.method, (None, self.fit))[1]
        return getattr(fit, "withheld", {}).get(term, "")

    @cached_property
    def highest(self):
        """Upper ends of the profile intervals of the variances between groups, by grouping."""
        ends = self.fit.profile_int(1 - self.level)["upper"]
        return {each: ends[f"psi[{each}]"] for each in self.order}
