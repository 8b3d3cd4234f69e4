"""What was estimated: a summary in, the three poolings fitted, every line of the table out.

Nothing is worded here. Means are those where each number among the predictors has its mean. Partial pooling
has Kenward and Roger's standard errors and df, psi = 0 included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from ..fits import Fit, Poolings, compared, no_pooling, partial_pooling, poolings
from ..fits.alike import less_alike
from ..formulas import distributions as stats
from ..tables import levels, summarise
from ..tables.formula import parse
from ..tables.labels import place_among
from .files import missing

NUMBERS = ["estimate", "se", "df", "lower", "upper"]
ROBUST_LINE = "complete pooling, CR2"
OLS, ROBUST, OWN, THESE, OWN_POOLED, ALL, SLOPES = range(7)  # rows of `compare`; the slopes come last

_NONE = 1e-12  # a share of the variation that is rounding
# An error that is rounding, as a share of the deviation within groups: no table has the 1e14 rows that
# it would take, and a leverage within 1e-12 of 1, beyond which it counts as 1, lifts rounding a millionfold.
_ROUNDING = 1e-7


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line of the table: what one method says of one estimand.

    Attributes
    ----------
    question : str
        "one", "these", "all", "finite", "new", "row" or "rows": whose mean; or "slope".
    term : str or None
        Whose slope.
    method : str
        As `compare` calls it.
    estimate, se, df, lower, upper : float
        All but the estimate are NaN where there is no standard error.
    """

    question: str
    term: str | None = None
    method: str
    estimate: float
    se: float
    df: float
    lower: float
    upper: float


class Found:
    """What findings share, whatever the groups.

    Of their ``fit``, ``columns``, ``predictors``, ``level``, and ``summed``, a `GroupSummary` of all terms.
    """

    @cached_property
    def outcomes(self):
        """The values that the outcome has where it is a column, in order; else none."""
        column = self.columns.get(self.fit.data.outcome, pd.Series(dtype=float))
        return np.unique(column.dropna().to_numpy(dtype=float))

    @property
    def has_two_values(self):
        """Whether the outcome has two values and no other."""
        return len(self.outcomes) == 2

    @cached_property
    def texts(self):
        """Predictors that are columns of text to their levels, the one first that others are set against."""
        out, terms = {}, self.fit.data.terms
        for name in self.predictors:
            column = self.columns.get(name)
            if column is None or name in terms:
                continue
            labels = isinstance(column.dtype, pd.CategoricalDtype)
            levels = column.cat.categories if labels else sorted(column.dropna().unique(), key=str)
            out[name] = sorted(levels, key=lambda level, name=name: f"{name}[T.{level}]" in terms)
        return out

    def _line(self, question, term, method, numbers):
        estimate, se, *others = map(float, numbers)
        if self.is_rounding(se, term):  # none: every group has the same mean, or slope
            se, others = np.nan, [np.nan] * 3
        values = dict(zip(NUMBERS, [estimate, se, *others], strict=True))
        return Line(question=question, term=term, method=method, **values)

    def is_rounding(self, se, term=None) -> bool:
        """Whether a standard error, of a mean or of a term's slope, is 0 but for rounding."""
        return se * self._spreads.get(term, 1.0) <= _ROUNDING * np.sqrt(self.fit.theta)

    @cached_property
    def _spreads(self):
        """Standard deviation of each term that varies, in its own unit."""
        data = self.summed
        squares = data.about_centre().diagonal()
        return {data.terms[k]: float(np.sqrt(squares[k] / data.nobs)) for k in data.varying}

    def _interval(self, estimate, se, df):
        half = stats.t.isf((1 - self.level) / 2, df) * se
        return estimate, se, df, estimate - half, estimate + half


def from_means(summary, columns):
    """Count each number among the terms of a summary from its mean.

    Parameters
    ----------
    summary : GroupSummary
    columns : dict of str to Series
        Predictors that are columns, as they came.

    Returns
    -------
    summary, centres : GroupSummary, dict of str to float
    """
    numbers = [k for k in summary.varying if not _is_level(summary.terms[k], columns)]
    where, shift = summary.shift + summary.centre, summary.shift.copy()
    shift[numbers] = -summary.centre[numbers]
    return replace(summary, shift=shift), {summary.terms[k]: float(where[k]) for k in numbers}


def lacking(table, formula, groups) -> dict:
    """Rows that lack what a fit needs, by column and reason."""
    asked = parse(formula, None, "drop")
    names = sorted(asked.names, key=lambda name: name not in asked.outcomes)  # the outcome first
    return missing.by_column(table, [*names, *groups])


@dataclass(frozen=True, eq=False, kw_only=True)
class Findings(Found):
    """What was estimated with one grouping.

    Attributes
    ----------
    fits : Poolings
        All three poolings with the predictors, numbers counted from their means.
    alone : Fit
        Partial pooling of the outcome alone, by REML: how the data are grouped.
    population : float or None
        K, where it was given.
    level : float
        Level of the intervals.
    predictors : tuple of str
        As asked for.
    columns : dict of str to Series
        The outcome and the predictors that are columns, as they came.
    centres : dict of str to float
        The mean of each term that is a number.
    one : int
        Where among the groups the one stands whose mean is asked for.
    whole : DataFrame
        The rows as they came, other columns too.
    lacking : dict
        Rows left out, by column: `files.missing.by_column`.
    """

    fits: Poolings
    alone: Fit
    population: float | None
    level: float
    predictors: tuple
    columns: dict
    centres: dict
    one: int
    whole: pd.DataFrame
    lacking: dict

    @classmethod
    def of(cls, asked, data):
        """Read the table and fit what was asked."""
        formula, columns, table = asked.read(data, [asked.group])
        summary = summarise(table, formula, asked.group, asked.missing)
        place = int(summary.sizes.argmax()) if asked.one is None else _place_of(asked.one, summary)
        centred, centres = from_means(summary, columns)
        fits = poolings(centred)
        fits = fits._replace(partial=fits.partial.with_df("kenward-roger"))
        if asked.population is not None:
            fits.partial.mean_of(asked.population)  # refuses fewer than J
        alone = fits.partial
        if len(summary.terms) > 1:
            stay = np.arange(len(summary.terms)) == summary.intercept
            alone = partial_pooling(None, replace(summary.keeping(stay), formula=f"{summary.outcome} ~ 1"))
        return cls(
            fits=fits,
            alone=alone,
            population=asked.population,
            level=float(asked.level),
            predictors=asked.predictors,
            columns=columns,
            centres=centres,
            one=place,
            whole=table,
            lacking=lacking(table, formula, [asked.group]) if summary.dropped else {},
        )

    @property
    def fit(self):
        """Partial pooling with the predictors, by REML: Kenward and Roger's standard errors and df."""
        return self.fits.partial

    @property
    def summed(self):
        """All terms, summed by group."""
        return self.fit.data

    @cached_property
    def strangers(self):
        """Whether rows of one group are less alike than rows of two, given the predictors: `LessAlike`."""
        return less_alike(self.fit.data)

    @cached_property
    def answers(self):
        """What `compare` says."""
        return compared(self.fits, 1 - self.level, self.one)

    @cached_property
    def own(self):
        """No pooling of the outcome alone."""
        return self.fits.no if self.alone is self.fit else no_pooling(None, self.alone.data)

    @cached_property
    def means(self):
        """Mean of each group's rows, by group."""
        data = self.alone.data
        return pd.Series(data.means[:, -1] + data.shift[-1], data.labels, name=data.outcome)

    @cached_property
    def psi_int(self):
        """Profile interval of psi, given the predictors: lower and upper end."""
        return self.fit.profile_int(1 - self.level).loc["psi"]

    @cached_property
    def levels(self):
        """Share of each term's variation that lies between the groups, by term: 1 for a group-level one."""
        data = self.fit.data
        within, whole = data.within.diagonal(), data.about_centre().diagonal()
        share = {data.terms[k]: 1 - within[k] / whole[k] for k in data.varying}
        return pd.Series({term: 0.0 if s < _NONE else s for term, s in share.items()}, dtype=float)

    @cached_property
    def group_level(self):
        """Terms that vary between groups only, as a list."""
        return [term for term, share in self.levels.items() if share > 1 - _NONE]

    @cached_property
    def beside(self):
        """The rows fitted, their groups, and other columns that may be labels: `tables.levels.Column`."""
        data, table = self.fit.data, self.whole
        rows = levels.rows_used(table, data.formula, data.group) if data.dropped else table
        named = {data.group, *self.columns, *parse(data.formula, None, "raise").names}
        others = levels.candidates(rows, named)
        groups = levels.labels_of(rows[data.group]) if others else None  # None also where these are fractions
        return rows, groups, [] if groups is None else others

    # ---- the table

    @cached_property
    def lines(self):
        """Every `Line` of the table, in order."""
        methods, numbers, estimands = (self.answers[of].to_numpy() for of in ("method", NUMBERS, "estimand"))

        def row(question, k, term=None):
            return question, term, methods[k], numbers[k]

        def predicted(question, what):
            estimate, se, df = what
            return question, None, "partial pooling", self._interval(estimate, se, df)

        lines = [
            row("one", OWN),
            row("one", OWN_POOLED),
            row("these", THESE),
            row("all", ALL),
        ]
        if self.population is not None:
            lines.append(predicted("finite", self.fit.mean_of(self.population)))
        lines.append(predicted("new", self.fit.new_group()))
        if not self.has_two_values:  # which has no normal interval
            lines.append(predicted("row", self.fit.new_observation()))
        lines += [row("rows", OLS), row("rows", ROBUST)]
        for k in range(SLOPES, len(numbers)):
            lines.append(row("slope", k, estimands[k].removeprefix("slope of ")))
        return [self._line(*line) for line in lines]

    @cached_property
    def slopes(self):
        """The `Line` that the sentence takes of each slope: CR2 if rows are less alike, else by the rule."""
        found = {(line.term, line.method): line for line in self.lines if line.term is not None}
        by = (lambda term: ROBUST_LINE) if self.strangers.found else self.fits.of_slope
        return [found[term, by(term)] for term in self.levels.index]


def _place_of(label, summary):
    """Where among the groups one stands, by its label or by the label as text."""
    texts = [str(known) for known in summary.labels]
    place, close = place_among(texts, str(label))
    if place is None:
        hint = f"; did you mean {close!r}?" if close else ""
        raise ValueError(f"no group {str(label)!r} in {summary.group!r}, which has {len(texts)}{hint}")
    return place


def _is_level(term, columns):
    """Whether a term is 1 for a level of text and 0 else, or a product with such: no number to be centred."""
    return "[T." in term and term not in columns
