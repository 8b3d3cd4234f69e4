"""From a table to words, one table, one figure, warnings and a sentence: a report on grouped data.

    python -m helpers report FILE --outcome score --group classroom

Nothing is estimated here: the fits of `compare` are asked, and what they say is put into words. Means are
those where each number among the predictors has its mean. Partial pooling has Kenward and Roger's standard
errors and df, psi = 0 included; where rows of one group are less alike than rows of two, words and code
have CR2's.
"""

from __future__ import annotations

import base64
import difflib
import io
import json
import re
import textwrap
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from keyword import iskeyword
from numbers import Real
from pathlib import Path

import narwhals as nw
import numpy as np
import pandas as pd
from scipy import stats

from .. import formulas
from ..course import figures
from ..fits import Fit, Poolings, compared, no_pooling, partial_pooling, poolings
from ..fits.alike import less_alike
from ..tables.columns import columns_of, factors, place_of
from ..tables.labels import alike, as_numbers, is_text, place_among
from ..tables.summary import GroupSummary, summarise
from . import checks
from .files import read_table
from .words import _df, _figures, _fixed, _level_of, _name, _plain, _rows

__all__ = ["Report", "describe", "read_table", "wrapped"]

# When a warning is due, and why there.
FEW = 30  # below it an interval with 1.96 in the place of t covers less than 94 in 100
UNEQUAL = 1.5  # arithmetic over harmonic mean size: the bracket of notebook 05 is wide beyond it
FRACTION = 0.05  # of a finite population seen: below it the standard error falls by less than 3 in 100
MIXED = 0.05  # intraclass correlation of a predictor: below it within and between hardly part
FAR = 0.01  # chance that the farthest of all J normal groups lies as far out
TOO_MANY = 50  # levels of a text predictor: each is a term
SETS = 5  # of names alike that are told one by one
CODES = 7  # distinct whole numbers in a row, at most, that may be a code

_NONE = 1e-12  # a share of the variation that is rounding
_ROUNDING = 1e-9  # and a standard error that is, as a share of the deviation within groups
_WIDE = 79
_WITH_MARKS = r"[+-]?\d{1,3}(?:[.,' \u00a0\u202f\u2019]\d{3})+(?:[.,]\d+)?"
_START_OF_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def describe(data, outcome, group, predictors=(), population=None, missing="raise", level=0.95, one=None):
    """Say how the data are grouped, what is estimated, how well it is known, and what to watch.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads; a file comes through `read_table`.
    outcome, group : str
        Columns; the outcome may be a term of a formula, ``"np.log(radon)"``.
    predictors : str or sequence of str
        Columns, whatever their names, or terms of a formula: ``["ses", "np.log(income)"]``.
    population : float, optional
        K, the number of groups there are, if these are a random part of finitely many.
    missing : {"raise", "drop"}
        What to do with rows that lack a value.
    level : float
        Level of the intervals.
    one : label, optional
        The group whose mean is asked for, as its label or as text; the largest without it.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If an argument is not of its kind.
    ValueError
        As `compare`; if outcome, group and predictors are not different columns, the outcome or a predictor
        is numbers stored as text, a text predictor has more than 50 levels, a term is another one to a
        formula (``hours**2`` is ``hours``), there is no such group, or K is less than J.
    """
    predictors = (predictors,) if isinstance(predictors, str) else tuple(predictors)
    for role, name in [("outcome", outcome), ("group", group), *(("a predictor", p) for p in predictors)]:
        if not isinstance(name, str):
            raise TypeError(f"{role} must be the name of a column; got {name!r}")
    for k, name in enumerate(predictors):
        if name in (outcome, group, *predictors[:k]):
            raise ValueError(f"column {name!r} cannot be a predictor here: it is used already")
    if outcome == group:
        raise ValueError(f"outcome and group are the same column, {outcome!r}")
    if population is not None and not isinstance(population, Real):
        raise TypeError(f"population must be a number of groups; got {population!r}")
    if not isinstance(level, Real):
        raise TypeError(f"level must be a number between 0 and 1; got {level!r}")
    if not 0 < level < 1:
        hint = f": did you mean {level / 100:g}?" if 1 < level < 100 else ""
        raise ValueError(f"level must lie between 0 and 1; got {level:g}{hint}")
    try:
        there = _names_of(data)
        terms = [_term(name, there) for name in (outcome, *predictors)]
        _refuse_lost(terms, (outcome, *predictors), there)
        plain = [name for name in (outcome, *predictors) if name in there]
        columns = columns_of(data, [group, *plain])
        columns |= {name: as_numbers(columns[name]) for name in plain}
        for name in plain:
            _refuse_text(columns[name], "outcome" if name == outcome else "predictor")
        summary = summarise(data, f"{terms[0]} ~ {' + '.join(terms[1:]) or '1'}", group, missing)
        return _report(summary, {name: columns[name] for name in plain}, predictors, population, level, one)
    except (TypeError, ValueError) as error:
        raise error.with_traceback(None) from None  # what to do is in the message, not in the modules below


def _report(summary, columns, predictors, population, level, one):
    place = int(summary.sizes.argmax()) if one is None else _place_of(one, summary)
    numbers = [k for k in summary.varying if not _is_level(summary.terms[k], columns)]
    where = summary.shift + summary.centre
    shift = summary.shift.copy()
    shift[numbers] = -summary.centre[numbers]  # so each is counted from its mean
    fits = poolings(replace(summary, shift=shift))
    fits = fits._replace(partial=fits.partial.with_df("kenward-roger"))
    if population is not None:
        fits.partial.mean_of(population)  # refuses fewer than J
    alone = fits.partial
    if len(summary.terms) > 1:
        stay = np.arange(len(summary.terms)) == summary.intercept
        alone = partial_pooling(None, replace(summary.keeping(stay), formula=f"{summary.outcome} ~ 1"))
    means = {summary.terms[k]: float(where[k]) for k in numbers}
    return Report(fits, alone, population, float(level), predictors, columns, means, place)


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


def _names_of(data):
    if isinstance(data, GroupSummary):
        raise TypeError("describe needs the table itself, not a summary of it")
    if isinstance(data, pd.DataFrame):
        return list(data.columns)
    try:
        return nw.from_native(data).collect_schema().names()
    except TypeError:
        raise TypeError(f"data must be a data frame; got {type(data).__name__}") from None


def _term(name, there):
    """A column's name as a formula has it; what is no column must be a term."""
    if name in there:
        if name.isidentifier() and not iskeyword(name):
            return name
        if "`" in name or "|" in name or name in ("", "1", "Intercept") or not name.isprintable():
            raise ValueError(f"column {name!r} has a name that no formula can hold: rename it")
        return f"`{name}`"
    if "~" in name:
        raise ValueError(f"{name!r} is a whole formula: name the outcome and the predictors one by one")
    if not re.search(r"[()*:+^/]", name):
        apart = re.findall(r"[^\s,;]+", name)
        close = difflib.get_close_matches(name, map(str, there), 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        if len(apart) > 1 and set(apart) <= set(there):
            hint = f": these are {len(apart)} columns, to be named one by one, without commas between"
        raise ValueError(f"no column {name!r} among {', '.join(map(str, there))}{hint}")
    return name


def _refuse_lost(terms, names, there):
    """Refuse what a formula reads as something else (``hours**2`` as ``hours``) or as nothing new."""
    seen = set()
    for term, name in zip(terms, names, strict=True):
        brought = factors(f"{terms[0]} ~ {term}")
        if name not in there:
            if "+" in _outside_brackets(term):
                raise ValueError(f"{name!r} is more than one term: name them one by one")
            plain, asked = [re.sub(r"[\s`]", "", text) for text in (" ".join(*brought[:1]), term)]
            if len(brought) == 1 and len(brought[0]) == 1 and plain != asked:
                raise ValueError(
                    f"{name!r} is in a formula nothing but {plain!r}; arithmetic goes into I(): 'I({name})'"
                )
        if name != names[0] and seen.issuperset(brought):
            raise ValueError(f"{name!r} brings nothing that the predictors before it have not: leave it out")
        seen |= set(brought) if name != names[0] else set()


def _outside_brackets(term):
    """A term without what stands in brackets or backticks."""
    shorter = re.sub(r"`[^`]*`|\([^()]*\)", "", term)
    return term if shorter == term else _outside_brackets(shorter)


def _refuse_text(column, role):
    """Refuse text where numbers are meant; leave what is missing to others."""
    text = isinstance(column.dtype, pd.CategoricalDtype) or is_text(column)
    if not text:
        return
    values = column.dropna()
    if not isinstance(column.dtype, pd.CategoricalDtype) and not values.map(type).eq(str).all():
        return  # numbers in objects
    numbers = pd.to_numeric(values.astype(str).str.strip(), errors="coerce")
    bad = numbers.isna().to_numpy()
    if len(values) and not bad.any() and is_text(column):
        raise ValueError(
            f"{role} {column.name!r} holds numbers stored as text: make them numbers, as pandas' to_numeric "
            "does"
        )
    example = "" if not bad.any() else f", such as {str(values.iloc[bad.argmax()])[:40]!r}"
    if role == "outcome" or (bad.mean() < 0.5 and is_text(column)):
        row = place_of(column, np.flatnonzero(column.notna())[bad.argmax()]) if bad.any() else ""
        marks = values.astype(str).str.strip()[bad].str.fullmatch(_WITH_MARKS).any()
        raise ValueError(
            f"{role} {column.name!r} holds text{example}{row and ' in ' + row} ({bad.sum()} of {len(column)} "
            "values are no numbers): mend them, or leave them empty where a value is missing"
            + ("; save numbers without thousands marks" if marks else "")
        )
    if values.nunique() > TOO_MANY:
        raise ValueError(
            f"predictor {column.name!r} is text of {values.nunique()} different values{example}: with more "
            f"than {TOO_MANY} it is no predictor; is it a group?"
        )


@dataclass(frozen=True, eq=False)
class Report:
    """What `describe` found.

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
    """

    fits: Poolings
    alone: Fit
    population: float | None
    level: float
    predictors: tuple
    columns: dict
    centres: dict
    one: int

    # ---- what is asked again and again

    @property
    def fit(self):
        """Partial pooling with the predictors, by REML: Kenward and Roger's standard errors and df."""
        return self.fits.partial

    @cached_property
    def strangers(self):
        """Whether rows of one group are less alike than rows of two, given the predictors: `LessAlike`."""
        return less_alike(self.fit.data)

    @cached_property
    def answers(self):
        """What `compare` says."""
        return compared(self.fits, 1 - self.level, self.one)

    @property
    def outcome(self):
        """Name of the outcome."""
        return _name(self.fit.data.outcome)

    @property
    def group(self):
        """Name of the group column."""
        return _name(self.fit.data.group)

    @cached_property
    def means(self):
        """Mean of each group's rows, by group."""
        data = self.alone.data
        return pd.Series(data.means[:, -1] + data.shift[-1], data.labels, name=data.outcome)

    @cached_property
    def levels(self):
        """Share of each term's variation that lies between the groups, by term: 1 for a group-level one."""
        data = self.fit.data
        within, whole = data.within.diagonal(), data.about_centre().diagonal()
        share = {data.terms[k]: 1 - within[k] / whole[k] for k in data.varying}
        return pd.Series({term: 0.0 if s < _NONE else s for term, s in share.items()}, dtype=float)

    @property
    def _group_level(self):
        return [term for term, share in self.levels.items() if share > 1 - _NONE]

    @cached_property
    def _outcomes(self):
        """The values that the outcome has where it is a column, in order; else none."""
        column = self.columns.get(self.fit.data.outcome, pd.Series(dtype=float))
        return np.unique(column.dropna().to_numpy(dtype=float))

    @property
    def _two(self):
        return len(self._outcomes) == 2

    @cached_property
    def _texts(self):
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

    def _level(self, term):
        """Name, level and first level of a term that is one level of a text column; else None."""
        for name, (first, *others) in self._texts.items():
            for level in others:
                if term == f"{name}[T.{level}]":
                    return _name(name), _name(level), _name(first)
        return None

    def _place(self, terms):
        """Where these terms are for the means of the table."""
        told = {}
        for term in terms:
            if level := self._level(term):
                told[level[0]] = f"{level[0]} is {level[2]}"
            elif term in self.centres:
                mean = f" ({self.centres[term]:.4g})" if _plain(term) == term else ""
                told[term] = f"{_name(_plain(term))} is at its mean{mean}"
            elif ":" not in term:
                column = _name(term.split("[T.")[0])
                told[column] = f"{column} is at its first level"
        return " and ".join(told.values())

    @property
    def where(self):
        """Where the means of the table are: numbers at their means, text at its first level."""
        return self._place(self.levels.index)

    @property
    def _means_are(self):
        """Where the means are, as a sentence."""
        text = f"Means are those where {self.where}."
        if self._group_level:
            text += f" One group, and just these groups, keep their own {self._own}."
        return text if self.predictors else ""

    @property
    def _own(self):
        """The group-level predictors, by name."""
        names = dict.fromkeys((self._level(t) or [_name(_plain(t))])[0] for t in self._group_level)
        return " and ".join(names)

    # ---- words

    @cached_property
    def grouping(self):
        """How the data are grouped, in words."""
        data, J, N = self.alone.data, self.alone.ngroups, self.alone.nobs
        sizes, psi, theta = data.sizes, self.alone.psi, self.alone.theta
        even = sizes.min() == sizes.max()
        size = (
            f"{sizes[0]:.0f} rows each"
            if even
            else f"{sizes.min():.0f} to {sizes.max():.0f} rows each (mean {sizes.mean():.1f}, harmonic mean "
            f"{1 / np.mean(1 / sizes):.1f})"
        )
        effective = (psi + theta) / self.alone.bse.iloc[0] ** 2
        values = self._outcomes
        spread = f" {self.outcome} goes from {values[0]:.6g} to {values[-1]:.6g}." if len(values) else ""
        between, within, psi, theta = map(_figures, [*np.sqrt([psi, theta]), psi, theta])
        alone = ", predictors left aside," if self.predictors else ""
        text = [
            f"{N} rows in {J} groups of {self.group}, {size}.{spread}",
            f"The standard deviation of {self.outcome}{alone} is {between} between the groups (psi = {psi}) "
            f"and {within} within them (theta = {theta}): of its variance {self.alone.icc:.1%} lies between "
            f"(the intraclass correlation, {self.alone.icc:.3f}).",
        ]
        if data.dropped:
            text.insert(1, f"{_rows(data.dropped)} dropped for missing values.")
        if not self.alone.singular:
            text.append(
                f"For the mean of all groups these {N} rows are worth as much as {effective:.0f} independent "
                "ones."
            )
        if self.predictors:
            psi, theta = self.fit.psi, self.fit.theta
            between, within, psi, theta = map(_figures, [*np.sqrt([psi, theta]), psi, theta])
            text.append(
                f"Given the predictors it is {between} between (psi = {psi}) and {within} within (theta = "
                f"{theta}), which the table stands on."
            )
        return " ".join(text)

    @cached_property
    def _questions(self):
        """Key of each question to its words and to what would be drawn anew."""
        data, J, group = self.fit.data, self.fit.ngroups, self.group
        size = data.sizes[self.one]
        known = _rows(size)
        if size == data.sizes.max():
            known += ", the largest group" if (data.sizes == size).sum() == 1 else ", no group has more"
        K = "" if self.population is None else f"{self.population:g}"
        at = self._place(self._group_level)  # one place for all groups, where each group has its own
        own = f", each with its own {self._own}" if at else ""
        at = f", where {at}" if at else ""
        return {
            "one": (f"How well is the mean of {group} {_name(data.labels[self.one])} known ({known})?",
                    "over new rows of that one group"),
            "these": (f"How well is the mean of just these {J} groups known{own}?",
                      "over new rows of the same groups"),
            "finite": (f"How well is the mean of the {K} groups known, of which these are {J}?",
                       f"over new draws of {J} groups from those {K}, and new rows"),
            "all": (f"How well is the mean of all groups there are or could be known{at}?",
                    "over new groups and new rows"),
            "new": (f"Where may the mean of one more {group} lie{at}?",
                    "over new groups and new rows, and the group to come"),
            "row": (f"Where may one {self.outcome} of one more {group} lie{at}?",
                    "over new groups and new rows, and the row to come"),
            "rows": ("How well is the mean over all rows known?",
                     "over rows drawn one by one (independent), or new groups of such sizes (CR2)"),
        }  # fmt: skip

    def _asked(self):
        """Each question: its words, what would be drawn anew, its lines of the table."""
        for key, lines in self._lines.groupby("key", sort=False):
            known = self._questions.get(key) if lines["short"].iloc[0] != "slope" else None
            over = f"SE {known[1]}" if known else _level_of(self.levels[key])
            yield lines["question"].iloc[0], over, lines

    def _one_more(self, term):
        """A term in a question: one unit more of it, or a level of a text column in place of the first."""
        if level := self._level(term):
            return f"{level[0]} = {level[1]} in place of {level[2]}"
        return f"one more of {_name(_plain(term))}"

    def _slope(self, term):
        """A slope in a sentence."""
        if level := self._level(term):
            return f"the difference of {level[0]} {level[1]} from {level[2]}"
        return "the slope of " + _name(re.sub(r"\[T\.(.*?)\]", r" = \1", _plain(term)))

    @cached_property
    def table(self):
        """Every estimand with its estimate, standard error, degrees of freedom and interval.

        Returns
        -------
        DataFrame
            Columns ``question``, ``estimand``, ``method``, ``estimate``, ``se``, ``df``, ``lower``,
            ``upper``: the rows of `compare`, with Kenward and Roger's standard errors, and the mean of K
            groups (where K was given), of a group and (unless the outcome has two values) of a row not yet
            seen.
        """
        return self._lines.drop(columns=["key", "short"])

    @cached_property
    def _lines(self):
        """The table, with a key for each question, and each estimand without where its predictors are."""
        found, J, K = self.answers, self.fit.ngroups, self.population
        numbers = ["estimate", "se", "df", "lower", "upper"]
        inner = self.levels.index.difference(self._group_level, sort=False)
        at, own = (f" where {place}" if place else "" for place in (self.where, self._place(inner)))
        lines = []

        def add(key, short, place, method, values):
            lines.append((key, short, self._questions[key][0], short + place, method, *values))

        def add_row(key, short, k, place=at):
            add(key, short, place, found["method"].iloc[k], found[numbers].iloc[k])

        def add_predicted(key, short, predicted):
            estimate, se, df = predicted
            half = stats.t.isf((1 - self.level) / 2, df) * se
            add(key, short, at, "partial pooling", (estimate, se, df, estimate - half, estimate + half))

        add_row("one", "mean of one group", 2, own)
        add("one", "mean of one group", own, "partial pooling", self._one_pooled(inner))
        add_row("these", f"mean of these {J} groups", 3, own)
        add_row("all", "mean of all groups", 5)
        if K is not None:
            add_predicted("finite", f"mean of {K:g} groups", self.fit.mean_of(K))
        add_predicted("new", "mean of a new group", self.fit.new_group())
        if not self._two:  # which has no normal interval
            add_predicted("row", "one row of a new group", self.fit.new_observation())
        add_row("rows", "mean of all rows, as if independent", 0)
        add_row("rows", "mean of all rows", 1)
        for k in range(6, len(found)):
            term = found["estimand"].iloc[k].removeprefix("slope of ")
            question = f"What goes with {self._one_more(term)}?"
            estimand = f"slope of {_name(term)} ({_level_of(self.levels[term])})"
            lines.append(
                (term, "slope", question, estimand, found["method"].iloc[k], *found[numbers].iloc[k])
            )
        table = pd.DataFrame(lines, columns=["key", "short", "question", "estimand", "method", *numbers])
        # An error of 0 is none: every group has the same mean, or the same slope.
        table.loc[table["se"] <= _ROUNDING * np.sqrt(self.fit.theta), numbers[1:]] = np.nan
        return table

    def _one_pooled(self, inner):
        """The one group's partially pooled mean, where it is itself in what does not vary within groups."""
        if not self._group_level:
            return self.answers[["estimate", "se", "df", "lower", "upper"]].iloc[4]
        estimate, se = self.fit.group_means_at(**dict.fromkeys(inner, 0.0)).iloc[self.one][
            ["estimate", "se_unconditional"]
        ]
        half = stats.t.isf((1 - self.level) / 2, self.fit.group_df) * se
        return estimate, se, self.fit.group_df, estimate - half, estimate + half

    @cached_property
    def text(self):
        """The table in words and figures, as text of lines of 79 characters."""
        lines = [*_wrapped(self._means_are), ""] if self.predictors else []
        for question, over, rows in self._asked():
            lines += _wrapped(question) + _wrapped(over, "  ")
            for row in rows.itertuples():
                estimate, se, lower, upper = _fixed([row.estimate, row.se, row.lower, row.upper], row.se)
                name = _method(row).replace("complete pooling, ", "complete, ")
                if np.isnan(row.se):
                    estimate = _fixed([row.estimate], rows["se"].max())[0]
                    lines += [f"  {name:22}{estimate:>9}", *_wrapped(checks.withheld(self, row.key), " " * 4)]
                    continue
                line = f"  {name:22}{estimate:>9}  SE {se:<8} df {_df(row.df):<7} {lower} to {upper}"
                if len(line) > _WIDE:
                    line = f"  {name:22}{estimate}, SE {se}, df {_df(row.df)},\n{'':24}{lower} to {upper}"
                lines.append(line)
        return "\n".join(lines)

    @cached_property
    def warnings(self):
        """What matters with these data: a sentence or two each, the matter before the colon."""
        return [*_of_rows(self), *_of_groups(self), *_of_predictors(self)]

    @cached_property
    def _largest_sd(self):
        """What to say beside a psi of 0."""
        if not self.fit.singular:
            return ""
        high = np.sqrt(self.fit.profile_int(1 - self.level).loc["psi", "upper"])
        return f" ({self.level * 100:g}% profile interval of its root 0 to {_figures(high)})"

    @cached_property
    def sentence(self):
        """A sentence to report, numbers rounded: the table's."""
        data, found, strangers = self.fit.data, self.answers, self.strangers
        low, high, K = data.sizes.min(), data.sizes.max(), self.population
        each = f"{low:.0f} to {high:.0f} rows each" if low < high else f"{_rows(low)} each"
        of_rows = f"{data.nobs} rows in {data.ngroups} groups of {self.group} ({each}; {self._variances})"
        place = f", where {self.where}," if self.predictors else ""
        if strangers.found:
            text = f"By least squares over {of_rows}, with cluster-robust standard errors (CR2)"
            method, whose = "complete pooling, CR2", ("CR2 ", "")
            where, words = "over all rows", whose
            row = self.table[self.table["estimand"].str.startswith("mean of all rows")].iloc[1]
        else:
            text = f"In a random-intercept model fitted by REML to {of_rows}"
            method, whose, where = "partial pooling", ("Kenward-Roger ", ""), "in the population of groups"
            if K is not None:
                where = f"in the {K:g} groups they were drawn from"
            words = whose if K is None else ("", "Satterthwaite ")
            start = "mean of all groups" if K is None else f"mean of {K:g} groups"
            row = self.table[self.table["estimand"].str.startswith(start)].iloc[0]
        told = [f"the mean of {self.outcome} {where}{place} was {self._told(row, words)}"]
        for row in found[(found["method"] == method) & (found.index > 5)].itertuples():
            told.append(f"{self._slope(row.estimand.removeprefix('slope of '))} was {self._told(row, whose)}")
        text += ", " + "; ".join(told) + "."
        if data.dropped:
            text += f" {_rows(data.dropped).capitalize()} with missing values were left out."
        return text

    @property
    def _variances(self):
        """The two variances in the sentence, or why there are none."""
        fit, strangers = self.fit, self.strangers
        of = "residual intraclass correlation" if self.predictors else "intraclass correlation"
        if strangers.found:
            return f"{of} {strangers.icc:.3f}, below 0: {strangers.words}"
        psi, theta = _figures(fit.psi), _figures(fit.theta)
        return (
            f"between-group variance psi = {psi}{self._largest_sd}, within-group variance theta = {theta}, "
            f"{of} {fit.icc:.3f}"
        )

    def _told(self, row, whose):
        """Estimate, standard error, df and interval in words, with whose they are."""
        if np.isnan(row.se):
            return f"{row.estimate:.4g} (no standard error: see the warnings)"
        estimate, se, lower, upper = _fixed([row.estimate, row.se, row.lower, row.upper], row.se)
        interval = f"{self.level * 100:g}% CI {lower} to {upper}"
        return f"{estimate} ({whose[0]}SE {se}, {whose[1]}df {_df(row.df)}, {interval})"

    @property
    def code(self):
        """The fit of the sentence in Python, and in R where every predictor is a column."""
        data, columns = self.fit.data, [self.fit.data.outcome, *self.predictors, self.fit.data.group]
        outcome = data.formula.split(" ~ ")[0]
        numbers = self.centres.keys() & self.columns.keys()
        terms = [(name in numbers, _term(name, self.columns)) for name in self.predictors]
        right = " + ".join(f"center({term})" if centred else term for centred, term in terms) or "1"
        dropped = ', missing="drop"' if data.dropped else ""
        pooling, errors = "partial_pooling", 'with_df("kenward-roger")'
        if self.strangers.found:
            pooling, errors = "complete_pooling", 'cluster_robust("CR2")'
        python = f"{pooling}({f'{outcome} ~ {right}'!r}, data, groups={data.group!r}{dropped}).{errors}"
        unheard = data.formula.count(" ~ ") > 1 or re.search(r"[\\`]", data.group)
        if unheard or not set(columns[:-1]) <= set(self.columns):
            return python, None
        right = " + ".join(f"I({term} - mean({term}))" if centred else term for centred, term in terms) or "1"
        group = data.group if re.fullmatch(r"[A-Za-z][A-Za-z0-9.]*", data.group) else f"`{data.group}`"
        kept = f"data[c({', '.join(json.dumps(name, ensure_ascii=False) for name in columns)})]"
        kept = f"na.omit({kept})" if data.dropped else "data"
        if self.strangers.found:
            return python, f'coef_test(lm({outcome} ~ {right}, {kept}), "CR2", cluster = {kept}${group})'
        fit = f"lmer({outcome} ~ {right} + (1 | {group}), {kept})"
        return python, f'summary({fit}, ddf = "Kenward-Roger")'

    @property
    def _program(self):
        """The code as the page has it, whole, with K and the level where they were asked for."""
        python, in_r = self.code
        lines = [f"from helpers import {python.split('(')[0]}", f"fit = {python}", "print(fit)"]
        if self.level != 0.95:
            lines.append(f"print(fit.conf_int({1 - self.level:.10g}))")
        if self.population is not None and not self.strangers.found:
            lines.append(f"print(fit.mean_of({self.population:g}))")
        package = "clubSandwich" if self.strangers.found else "lmerTest"
        return "\n".join([*lines, *(["", f"# R, {package}: {in_r}"] if in_r else [])])

    def figure(self, width=7.2):
        """The groups in order of their means, predictors aside, as ``figure, alt``; width in inches."""
        alone = self.alone
        own = self.fits.no if alone is self.fit else no_pooling(None, alone.data)
        return figures.grouped_means(self.means, alone.group_means["estimate"], own, self.level, width)

    # ---- to take away

    def to_csv(self, path=None):
        """Write the table as CSV, all digits; return it as text where no path is given.

        A field that a spreadsheet would take for a formula gets an apostrophe before it.
        """
        table = self.table.copy()
        for name in ("question", "estimand", "method"):
            table[name] = [f"'{s}" if s.startswith(_START_OF_FORMULA) else s for s in table[name]]
        text = table.to_csv(index=False, lineterminator="\n")
        if path is None:
            return text
        Path(path).write_text(text, encoding="utf-8", newline="\n")
        return None

    def to_html(self, title=None):
        """The whole report as one HTML page that needs nothing else.

        Parameters
        ----------
        title : str, optional
            What the data are called.

        Returns
        -------
        str
        """
        return _page(self, title)

    def __repr__(self):
        parts = [self.grouping, self.text, "\n".join(self.warnings), self.sentence]
        return "\n\n".join(part if part == self.text else wrapped(part) for part in parts if part)


# ---- what to watch -------------------------------------------------------------------------------


def _of_rows(report):
    """Warnings about rows and outcome."""
    data = report.fit.data
    if data.dropped:
        share = data.dropped / (data.dropped + data.nobs)
        yield (
            f"Missing values: {_rows(data.dropped)} ({share:.1%}) left out. The standard errors speak of "
            "the rows that are left. If what is missing depends on what is not seen, no standard error says "
            "so: look at who is missing, by group."
        )
    if report._two:
        low, high = report._outcomes
        yield (
            f"Two values: {report.outcome} is {low:g} or {high:g} and nothing else. Its variance goes with "
            "its mean, which this model takes for constant. For the mean, the CR2 row (notebook 10) does not "
            f"need that. Intervals may leave {low:g} to {high:g}, and one row to come has none. Where shares "
            "are near 0 or 1, fit a mixed logistic model instead."
        )
    for name, column in report.columns.items():
        if far := _far_off(column):
            values, rows, near = far
            many = " and ".join(f"{value:g}" for value in values[:3]) + (", ..." if len(values) > 3 else "")
            yield (
                f"Values far off: {_name(name)} has {many} in {_rows(rows)}; the nearest other value is "
                f"{near:g}. Is that a code for a missing value? Then leave the field empty."
            )


def _of_groups(report):
    """Warnings about the number, the sizes and the means of the groups."""
    fit, alone = report.fit, report.alone
    data, J, N = fit.data, fit.ngroups, fit.nobs
    sizes = data.sizes
    if J > N / 2:
        yield (
            f"A group for each row, nearly: {N} rows in {J} groups. Is {report.group} the number of a row "
            "rather than of a group? Little is left to tell psi from theta (notebook 06)."
        )
    if J < FEW:
        covers = formulas.z_coverage(J - 1, report.level)
        lead = "Few groups" if J >= 10 else "Very few groups"
        text = (
            f"{lead}: {J} (fewer than {FEW}). With the normal distribution in the place of t, an interval "
            f"would hold the mean of all groups in about {covers:.1%} of studies and not in "
            f"{report.level * 100:g}% (groups of one size); use t on the df of the table (notebook 09)."
        )
        if J < 10 and not alone.singular:
            low, high = np.sqrt(alone.profile_int(1 - report.level).loc["psi"])
            low, between, high = map(_figures, [low, np.sqrt(alone.psi), high])
            left = " with the predictors left aside" if report.predictors else ""
            text += (
                f" {J} groups also say little of psi: the standard deviation between groups, {between}{left},"
                f" has a {report.level * 100:g}% profile interval from {low} to {high} (notebook 06)."
            )
        yield text
    yield from checks.at_the_boundary(report)
    yield from checks.less_alike(report)
    yield from checks.lone_terms(report)
    yield from checks.bounded(report)
    yield from _alike(data.labels, f"groups of {report.group}")
    ratio, crowd = sizes.mean() * np.mean(1 / sizes), sizes.sum() ** 2 / np.sum(sizes**2)
    if ratio > UNEQUAL or crowd < J / 2:
        three = _fixed(report.answers["estimate"].iloc[[0, 5, 3]], report.answers["se"].iloc[5])
        yield (
            f"Very unequal sizes: {sizes.min():.0f} to {sizes.max():.0f} rows; the mean size is {ratio:.2f} "
            f"times the harmonic mean (more than {UNEQUAL} counts as very), and by size the groups count as "
            f"{crowd:.1f} equal ones. So the three means part: {three[0]} over all rows, {three[1]} by "
            f"partial pooling, {three[2]} with each group counted once. If size goes with the outcome they "
            "are different questions: say which you mean (notebook 05)."
        )
    ones = int((sizes == 1).sum())
    if ones and J <= N / 2:
        yield (
            f"Groups of one row: {ones} of {J}. One of them by itself shows psi + theta, not its parts: how "
            "well its own mean is known rests on the theta of the larger groups (notebook 05)."
        )
    if report.population is not None and J / report.population > FRACTION:
        of_all, of_K = _fixed([fit.bse.iloc[data.intercept], fit.mean_of(report.population).se],
                              fit.bse.iloc[data.intercept])  # fmt: skip
        yield (
            f"A finite population: you have {J} of {report.population:g} groups, {J / report.population:.0%} "
            f"(more than {FRACTION:.0%}). For the mean of those {report.population:g}, the SE is {of_K}; "
            f"{of_all} belongs to groups without end (notebooks 03 and 13). It is right if these groups "
            "are a random sample of those."
        )
    if not alone.singular:
        away = (report.means - alone.params.iloc[0]) / np.sqrt(alone.psi + alone.theta / sizes)
        k = int(away.abs().to_numpy().argmax())
        if J * 2 * stats.norm.sf(abs(away.iloc[k])) < FAR:
            yield (
                f"A group far out: {report.group} {_name(report.means.index[k])} ({_rows(sizes[k])}) has the "
                f"mean {_fixed([report.means.iloc[k]], alone.bse.iloc[0])[0]}, {abs(away.iloc[k]):.1f} "
                "standard deviations from the mean of all, too far for a normal model. See whether its rows "
                "are right: partial pooling takes part of the distance for chance (notebook 07)."
            )


def _of_predictors(report):
    """Warnings about predictors."""
    yield from checks.differing_slopes(report)
    fit, data, J = report.fit, report.fit.data, report.fit.ngroups
    cross, whole = data.within, data.about_centre()
    between = whole - cross
    fixed = [data.terms.index(term) for term in report._group_level]
    found = report.answers.set_index(["method", "estimand"])
    for name, levels in report._texts.items():
        yield from _alike(levels, f"levels of {_name(name)}")
    for name in report.predictors:
        column = report.columns.get(name)
        values = np.unique(column.dropna()) if name in report.centres and column is not None else []
        if 3 <= len(values) <= CODES and np.all(np.diff(values.astype(float)) == 1) and values[0] % 1 == 0:
            yield (
                f"Perhaps a category: {_name(name)} has the values {values[0]:g} to {values[-1]:g} only, and "
                "one slope takes the steps between them for equal. If they are names of kinds, not amounts, "
                f"the predictor is C({_name(_term(name, report.columns))})."
            )
    for term in report._group_level:
        methods = ("partial pooling", "complete pooling", "complete pooling, CR2")
        row, naive, robust = (found.loc[(m, f"slope of {term}")] for m in methods)
        se, of_ols, of_cr2 = _fixed([row["se"], naive["se"], robust["se"]], row["se"])
        more = ", more than there are groups, for it is set against a slope within them" * bool(row["df"] > J)
        words = " ".join(report._level(term)[:2]) if report._level(term) else _name(_plain(term))
        yield (
            f"A group-level predictor: {words} does not vary within any {report.group}, so its slope "
            f"rests on {J} groups, not on {fit.nobs} rows: SE {se} on {_df(row['df'])} df{more}. "
            + (
                f"As psi is 0, no variance between groups is in that SE; CR2 has {of_cr2} on "
                f"{_df(robust['df'])} df"
                if fit.singular and robust["se"] > 0
                else f"As if rows were independent, the SE would be {of_ols}"
            )
            + " (notebooks 08 and 09)."
        )
    for k in data.varying:
        term = data.terms[k]
        if term in report._group_level or not report.levels[term]:
            continue
        left = between[k, k]
        if fixed:
            left -= between[k, fixed] @ np.linalg.lstsq(between[np.ix_(fixed, fixed)], between[fixed, k])[0]
        even = (fit.nobs - np.sum(data.sizes**2) / fit.nobs) / (J - 1)
        of_means, of_rows = left / (J - 1), cross[k, k] / (fit.nobs - J)
        icc = (of_means - of_rows) / (of_means + (even - 1) * of_rows)
        if icc > MIXED:
            row = found.loc[("partial pooling", f"slope of {term}")]
            own = found.loc[("no pooling", f"slope of {term}")]
            mixed, within = _fixed([row["estimate"], own["estimate"]], row["se"])
            yield (
                f"A predictor of both levels: {report.levels[term]:.0%} of the variation of {_name(term)} "
                f"lies between groups. Its slope, {mixed}, mixes the slope within groups ({within}, no "
                "pooling) with that between them, and they may differ. With a column of its group means as a "
                "predictor beside it (Mundlak) its slope is the one within (notebook 08); notebook 13 has "
                "the line that makes the column."
            )


def _alike(labels, what):
    """Warn of labels that differ in blanks or capitals only, or are figures of one number."""
    sets = alike(labels)
    for names in sets[:SETS]:
        yield (
            f"Names alike: {' and '.join(repr(name[:40]) for name in names)} are {len(names)} {what}. If "
            "they are one, write them alike in the file."
        )
    if len(sets) > SETS:
        yield f"Names alike: of the {what}, {len(sets)} such sets in all; {SETS} are named here."


def _far_off(column):
    """Values at one end, three at most, farther from the others than these' range.

    Half of it is enough where values are repeated and the others are many.

    Returns
    -------
    values, rows, near : ndarray, int, float
        They, in how many rows, and the nearest of the others; None if there are none.
    """
    if column.dtype.kind not in "iuf":
        return None
    values, counts = np.unique(column.dropna(), return_counts=True)
    if len(values) < 4:
        return None
    k = int(np.diff(values.astype(float)).argmax()) + 1
    low = counts[:k].sum() < counts[k:].sum()
    few, most = (slice(k), slice(k, None)) if low else (slice(k, None), slice(k))
    rows, gap, spread = int(counts[few].sum()), float(values[k]) - float(values[k - 1]), np.ptp(values[most])
    enough = spread / 2 if rows > 1 and len(values) > 20 else spread
    if len(values[few]) > 3 or len(values[most]) < 3 or gap <= enough:
        return None
    return values[few], rows, values[k] if low else values[k - 1]


# ---- small words ---------------------------------------------------------------------------------


def _method(row):
    return row.method + (", independent" if row.short.endswith("as if independent") else "")


def _wrapped(text, indent=""):
    return textwrap.wrap(text, _WIDE, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def wrapped(text, bullet=""):
    """Text in lines of 79 characters, each of its own lines a paragraph."""
    more = " " * len(bullet)
    return "\n".join(
        textwrap.fill(line, _WIDE, initial_indent=bullet, subsequent_indent=more, break_on_hyphens=False)
        for line in ([text] if isinstance(text, str) else text)
        for line in line.split("\n")
    )


# ---- the page ------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; --ink: #222; --ground: #fff; --faint: #595959; --line: #ccc; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ddd; --ground: #121212; --faint: #aaa; --line: #444; }
  img { filter: invert(.93) hue-rotate(180deg); }
}
body { font: 1rem/1.6 system-ui, sans-serif; color: var(--ink); background: var(--ground);
       max-width: 60rem; margin: 0 auto; padding: 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.7rem; line-height: 1.25; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
p, li, blockquote { max-width: 44rem; } .faint { color: var(--faint); font-weight: 400; }
img { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
.wide div { max-width: calc(min(100vw, 60rem) - 2rem); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; }
caption { text-align: left; color: var(--faint); padding-bottom: .5rem; }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; vertical-align: top; }
thead th, tbody th { border-top: 1px solid var(--line); } tbody th { padding-top: .6rem; }
.number { text-align: right; white-space: nowrap; }
dt { font-weight: 600; } dd { margin: 0 0 .6rem; max-width: 44rem; }
@media (max-width: 40rem) {
  table { font-size: .85rem; } th, td { padding-right: .5rem; } td span { display: block; }
  blockquote { padding-left: .7rem; }
}
blockquote { margin: 0; padding-left: 1rem; border-left: 4px solid var(--line); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; } li { margin-bottom: .6rem; }
@media print { body { max-width: none; } table, img { break-inside: avoid; } }
"""


def _page(report, title):
    def safe(text):
        return escape("".join(c if c.isprintable() else " " for c in str(text)))

    def drawn(width):
        figure, alt = report.figure(width)
        image = io.BytesIO()
        figures.save(figure, image)
        return base64.b64encode(image.getvalue()).decode(), alt

    (data, alt), (narrow, _) = drawn(_WIDTH), drawn(_NARROW)
    head = f"Which standard error? {report.outcome} by {report.group}"
    rows = []
    for question, over, part in report._asked():
        rows.append(
            f'<tr><th colspan="5" scope="rowgroup"><div>{safe(question)} <span class="faint">{safe(over)}'
            "</span></div></th></tr>"
        )
        for row in part.itertuples():
            if np.isnan(row.se):
                estimate, why = _fixed([row.estimate], part["se"].max())[0], checks.withheld(report, row.key)
                rows.append(
                    f'<tr><td>{safe(_method(row))}</td><td class="number">{estimate}</td>'
                    f'<td colspan="3">{safe(why)}</td></tr>'
                )
                continue
            estimate, se, lower, upper = _fixed([row.estimate, row.se, row.lower, row.upper], row.se)
            rows.append(
                f"<tr><td>{safe(_method(row))}</td>"
                + "".join(f'<td class="number">{cell}</td>' for cell in (estimate, se, _df(row.df)))
                + f'<td class="number"><span>{lower} to</span> <span>{upper}</span></td></tr>'
            )
    told = []
    for warning in report.warnings:
        lead, rest = warning.split(":", 1)
        told.append(f"<li><strong>{safe(lead)}:</strong>{safe(rest)}</li>")
    return "\n".join([
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
        f"<title>{safe(head)}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{safe(head)}</h1>",
        f'<p class="faint">{safe(title)}</p>' if title else "",
        "<h2>How the data are grouped</h2>",
        f"<p>{safe(report.grouping)}</p>",
        "<picture>",
        f'<source media="{_PHONE}" srcset="data:image/png;base64,{narrow}">',
        f'<img src="data:image/png;base64,{data}" alt="{safe(alt)}" width="{_WIDTH * 100:.0f}">',
        "</picture>",
        '<p class="faint">The groups with the predictors left aside; the table below has them.</p>'
        if report.predictors
        else "",
        "<h2>Which standard error answers which question</h2>",
        '<div class="wide" role="region" aria-labelledby="table" tabindex="0">',
        "<table>",
        f'<caption id="table"><div>Estimates of {safe(report.fit.data.formula)}, by question; intervals of '
        f"{report.level * 100:g}% from t, for a new group and a new row prediction intervals."
        + f" {safe(report._means_are)}</div></caption>",
        "<thead><tr>" + "".join(
            f'<th scope="col"{style}>{name}</th>'
            for name, style in [("method", "")]
            + [(name, ' class="number"') for name in ("estimate", "SE", "df", "interval")]
        ) + "</tr></thead>",
        "<tbody>",
        *rows,
        "</tbody>",
        "</table>",
        "</div>",
        "<h2>What to watch</h2>",
        f"<ul>{''.join(told)}</ul>" if told else "<p>Nothing that this report looks for.</p>",
        "<h2>A sentence to report</h2>",
        f"<blockquote><p>{safe(report.sentence)}</p></blockquote>",
        "<h2>Words</h2>",
        "<dl>",
        *(f"<dt>{word}</dt><dd>{safe(meaning)}</dd>" for word, meaning in _words(report).items()),
        "</dl>",
        "<h2>The same in code</h2>",
        f'<pre><code>{escape(report._program)}</code></pre>',
        "</main>",
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def _words(report):
    """What the page says without saying what it is: words and their meanings."""
    whose = (
        "Standard errors and df of means and slopes are Kenward and Roger's. For the mean of groups of one "
        "size lme4 prints the same standard error, else a smaller one. One group's counts that the variances "
        "are estimated, and goes with the df of no pooling (notebook 07). K groups have Satterthwaite's. A "
        "new group and a new row are predicted from the spread of the group means, so that their intervals "
        "count that psi is estimated (notebook 03)."
    )
    return {
        "psi, theta": "The variance between groups and the variance within them.",
        "SE, df": "Standard error, and degrees of freedom of the t distribution that makes its interval.",
        "complete pooling": "One mean for all rows, as if there were no groups. CR2: with a standard error "
        "that allows any dependence within groups, and df of its own.",
        "no pooling": "Each group by its own rows, all with one theta.",
        "partial pooling": "A random-intercept model: each group's mean is drawn towards that of all, the "
        f"more the fewer rows it has. {whose}",
        "notebook 03, 06, ...": 'The chapters of the course "Which standard error?".',
    }


_WIDTH, _NARROW = 7.2, 3.7  # inches
_PHONE = "(max-width: 40rem)"
