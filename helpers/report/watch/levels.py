"""What to watch in the other columns: a level above the groups or within them, a label used again."""

from __future__ import annotations

import re
from dataclasses import replace

import pandas as pd

from ...fits import complete_pooling, partial_pooling
from ...tables import levels, summarise
from ...tables.formula import parse
from ..words import decimals, degrees, fixed, group, name, place, slope
from .check import watch

COLUMNS = 3  # that are told one by one
TERMS = 4  # of which errors are told


def both_by(outer, inner) -> str:
    """What to ask for to have both levels, inner within outer: at a prompt and in Python."""
    asked = f"{outer}/{inner}"
    if asked.count("/") > 1:
        return "Rename the columns without / in their names, and ask for both as outer/inner."
    option = asked if re.fullmatch(r"[\w./-]+", asked) else f'"{asked}"'
    return f"With both levels: --group {name(option, 140)}, in Python group={name(repr(asked), 140)}."


@watch(
    "A level above the groups",
    f"another column of {levels.FEWEST} or more labels, one in each group, of two groups or more on average",
    "groups that share a label may not be independent",
)
def a_level_above(found):
    """A column that is constant within groups and coarser than they are."""
    rows, groups, others = found.beside
    seen = []
    for other in others:
        if len(seen) == COLUMNS or not levels.above(groups, other):
            continue
        if any((other.codes == known).all() for known in seen):  # the same groups by another name
            continue
        seen.append(other.codes)
        J, K, of = len(groups.labels), len(other.labels), group(found)
        yield (
            f"A level above the groups: {name(other.name)} may be a level above {of}: each of these {J} is "
            f"in one of {K}. The table takes the {J} for independent. {_errors(found, rows, other)} If "
            f"{name(other.name)} is a name and not an amount, report an error that counts its {K} "
            f"values. {both_by(other.name, groups.name)}"
        )


@watch(
    "A level within the groups",
    "a predictor that varies within groups, and not within the parts of them that another column names",
    "its slope rests on these parts, not on rows",
)
def a_level_within(found):
    """A column that names parts of groups, of which a predictor is constant."""
    rows, groups, others = found.beside
    for label in found.predictors:
        if not others or label not in found.columns or label not in rows:
            continue
        x = pd.factorize(rows[label])[0]
        told = [(other, levels.within(groups, other, x)) for other in others]
        told = [(parts, other) for other, parts in told if parts is not None]
        if told:  # the coarsest column says most
            parts, other = min(told, key=lambda each: each[0])
            term = _terms_of(found, label)
            yield (
                f"A level within the groups: {name(other.name)} may be a level within {group(found)}. "
                f"{name(label)} is one for all rows of a {name(other.name)}, so its slope rests on {parts} "
                f"of them and not on {found.fit.nobs} rows. {_errors(found, rows, groups, other, term)} "
                f"{both_by(groups.name, other.name)}"
            )


@watch(
    "A label used again",
    f"under {levels.FEWEST} or more values of another column, where rows of one label are alike under one "
    f"value (P < {levels.ALIKE}) and not across (P > {levels.APART})",
    "groups may be numbered anew under each",
)
def a_label_used_again(found):
    """A group label that seems to be another group under another value of some column."""
    rows, groups, others = found.beside
    outcome = found.fit.data.formula.partition("~")[0].strip()
    for other in others:
        again = levels.used_again(rows, outcome, groups, other)
        if again is None:
            continue
        cells = partial_pooling(None, _centred(found, rows, levels.cells_of(groups, other)))
        k, of = cells.data.intercept, group(found)
        se, here = fixed([cells.bse.iloc[k], found.fit.bse.iloc[k]], cells.bse.iloc[k])
        yield (
            f"A label used again: {of} {name(again.label)} is found under {again.users} values of "
            f"{name(other.name)}: {len(groups.labels)} labels of {of} make {again.cells} with "
            f"{name(other.name)}. Rows of one label are alike under one value of it (P < {levels.ALIKE}), "
            f"and across its values no more than any (P = {decimals(again.across, 2)}; F tests of the cells' "
            f"means). If they are numbered anew in each, there are {again.cells} groups and not "
            f"{len(groups.labels)}: SE of the mean {se} on {degrees(cells.df.iloc[k])} df in place of "
            f"{here} on {degrees(found.fit.df.iloc[k])}. {both_by(other.name, groups.name)}"
        )


def _terms_of(found, label):
    """Terms of the fit that a predictor has."""
    return [term for term in found.levels.index if term == label or term.startswith(f"{label}[T.")]


def _centred(found, rows, codes):
    """The table's model by other groups: numbers among the predictors counted from their means."""
    formula = found.fit.data.formula
    column = ".groups"
    table = rows[[*parse(formula, None, "raise").names]].assign(**{column: codes})
    summary = summarise(table, formula, column)
    shift = summary.shift.copy()
    numbers = [summary.terms.index(term) for term in found.centres]
    shift[numbers] = -summary.centre[numbers]
    return replace(summary, shift=shift)


def _errors(found, rows, outer, inner=None, terms=None):
    """Standard errors of the table beside those of two levels, and CR2 by the outer one."""
    data = found.fit.data
    robust = complete_pooling(None, _centred(found, rows, outer.codes))._robust("CR2")
    both = f"{outer.name}/{inner.name if inner else data.group}"
    try:
        nested = partial_pooling(data.formula, rows, both)
    except ValueError:  # too little is left between or within for two variances
        nested = None
    told = []
    for term in (data.terms if terms is None else terms)[:TERMS]:
        is_mean = term == data.terms[data.intercept]
        here, more = found.fit.bse[term], []
        if nested is not None and not (is_mean and found.centres):  # whose place is another
            more.append((nested.bse[term], nested.df[term], f"with {both}"))
        if not (term in robust.withheld or found.is_rounding(robust.bse[term], None if is_mean else term)):
            more.append((robust.bse[term], robust.df[term], f"by CR2 of {name(outer.name)}"))
        what = f"the mean{' where ' + place(found, found.levels.index) if found.predictors else ''}"
        words = [f"{fixed([se], here)[0]} on {degrees(df)} df {how}" for se, df, how in more]
        what = what if is_mean else slope(found, term)
        told.append(f"{what} {', '.join([f'{fixed([here], here)[0]} here', *words])}")
    return f"SE of {'; of '.join(told)}."
