"""What to watch where there are two groupings: the checks of rows and predictors, and those of the groups."""

from __future__ import annotations

import numpy as np

from ... import formulas
from ...tables import levels
from ..program import in_r
from ..watch import edges, predictors, rows
from ..watch.check import watch
from ..watch.groups import ALIKE, FEW, told_alike
from ..watch.levels import both_by
from ..words import decimals, degrees, digits, figures, fixed, level_of_text, name, percent, plain, share
from .words import own_names


@watch("Few groups", f"fewer than {FEW} that are drawn by themselves", "the normal interval is too short")
def few_groups(found):
    """A grouping whose groups are drawn by themselves has few."""
    sizes = dict(zip(found.names, found.fit.ngroups[found.order], strict=True))
    few = [f"{sizes[each]} of {name(each)}" for each in found.fits.top if sizes[each] < FEW]
    if few and not np.isnan(found.mean.df):
        df = found.mean.df
        yield (
            f"Few groups: {' and '.join(few)} (fewer than {FEW}). The mean has {degrees(df)} "
            f"degrees of freedom: "
            "with the normal distribution in the place of t on these, its interval would hold in about "
            f"{share(formulas.z_coverage(df, found.level), 1)} of studies and not in {percent(found.level)} "
            "(notebook 09)."
        )


@watch("Singular fit", "a variance between groups estimated as 0", "that it is 0 is not shown")
def singular_fit(found):
    """A variance between groups is 0."""
    fit = found.fit
    for of, each in zip(own_names(found), found.order, strict=True):
        if fit.psi[each] == 0:
            high = figures(np.sqrt(found.highest[each]))
            yield (
                f"Singular fit: the variance between groups of {of} is estimated as 0. That there "
                f"is none is not "
                f"shown: a standard deviation of up to {high} agrees with the data "
                f"({percent(found.level)} profile "
                "interval). Report that end too, and set the CR2 rows beside the model's "
                "(notebooks 06 and 10)."
            )


@watch("Names alike", ALIKE, "are they one group?")
def names_alike(found):
    """Labels of groups that may be one."""
    for each, labels in zip(found.groupings.names, found.groupings.labels, strict=True):
        if labels.nlevels == 1:
            yield from told_alike(labels, f"groups of {name(each)}")


@watch(
    "Labels used again",
    f"as labelled the groupings cross, and rows of one label are alike under one group of the other (P < "
    f"{levels.ALIKE}) and not across (P > {levels.APART})",
    "groups may be numbered anew in each",
)
def labels_used_again(found):
    """Groupings that cross as labelled, the one of which seems to be numbered anew in the other."""
    if found.fits.nested:
        return
    rows_of, formula = found.whole, found.fit.data.formula
    column = {each: levels.labels_of(rows_of[each]) for each in found.names}
    if None in column.values():
        return
    for inner, outer in (found.names[::-1], found.names):
        again = levels.used_again(rows_of, formula.partition("~")[0].strip(), column[inner], column[outer])
        if again:
            yield (
                f"Labels used again: as labelled, {name(outer)} and {name(inner)} are crossed: {name(inner)} "
                f"{name(again.label)} counts as one group in all {again.users} of {name(outer)} "
                f"that have it. Rows "
                f"of one label are alike under one {name(outer)} (P < {levels.ALIKE}), and across "
                f"them no more than "
                f"any (P = {decimals(again.across, 2)}; F tests of the cells' means). If "
                f"{name(inner)} is numbered "
                f"anew in each, there are {again.cells} groups of it and not {len(column[inner].labels)}. "
                f"{both_by(outer, inner)}"
            )
            return


@watch(
    "A predictor of groups",
    "no variation within the groups of a grouping",
    "its slope rests on these groups, not on rows",
)
def a_predictor_of_groups(found):
    """A predictor that does not vary within groups of one of the groupings."""
    for line in found.slopes:
        part, own = found.shares.loc[line.term], own_names(found)
        whose = [k for k in (0, 1) if part.iloc[k] > 1 - 1e-12]
        if not whose or np.isnan(line.se):
            continue
        k = whose[0]
        size = found.fit.ngroups[found.order[k]]
        others = {each.method: each for each in found.lines if each.term == line.term}
        less = others[f"partial pooling, {found.names[0]} alone"] if found.fits.nested else None
        naive = others["complete pooling"].se
        se, of_ols, of_outer = fixed([line.se, naive, less.se if less else np.nan], line.se)
        level = level_of_text(found, line.term)
        words = " ".join(level[:2]) if level else name(plain(line.term))
        told = f"with {name(found.names[0])} alone it would be {of_outer}, " if less and k == 1 else ""
        yield (
            f"A predictor of groups: {words} does not vary within any group of {own[k]}, so "
            f"its slope rests on "
            f"{size} groups of it, not on {digits(found.fit.nobs, 9)} rows: SE {se} on "
            f"{degrees(line.df)} df; {told}"
            f"as if rows were independent {of_ols} (notebook 15)."
        )


@watch(
    "A slope that differs",
    f"CR2 as far above the model's error as in {edges.FAR:.0%} of studies with one slope",
    "the model has one slope for all groups",
)
def a_slope_that_differs(found):
    """A slope whose CR2 error by one of the groupings is too large for one slope in all of its groups."""
    if not found.slopes:
        return
    shares = found.shares.set_axis(found.names, axis=1)
    for each, (fit, robust) in found.fits.around_each.items():
        for line in found.slopes:
            if shares.loc[line.term, each] > 1 - 1e-12:  # which has one value in such a group, and no slope
                continue
            told = edges.told_differs(found, line.term, fit, robust, name(each))
            if told:
                yield f"{told} {_with_slopes(found, line, each, robust.bse[line.term])}"


def _with_slopes(found, line, each, size):
    """What the sentence has of a slope that differs between groups of a column, and what to report."""
    first, second = map(in_r, found.names)
    inner = f"(1 | {first}:{second})" if found.fits.nested else ""
    other = inner or f"(1 | {in_r(next(x for x in found.names if x != each))})"
    x = in_r(plain(line.term)) if plain(line.term) in found.columns else "x"
    se = f"{fixed([line.se], size)[0]} on {degrees(line.df)} df"
    if found.fits.nested:
        instead = f"For the average slope of all groups of {name(each)} report the CR2 error"
    else:
        instead = (
            f"Both errors are of models with {name(each)} alone. For the average slope, with many groups of "
            "both, report the error clustered two ways"
        )
    return (
        f"The sentence takes it for the same, {se}. {instead}, or take R's lme4, lmer(... + (1 + {x} | "
        f"{in_r(each)}) + {other}), which is not fitted here (notebooks 14 and 15)."
    )


@watch(
    "Clustered two ways",
    "a negative eigenvalue of V_a + V_b - V_cells, or no error at all",
    "what is subtracted can outweigh what is added",
)
def two_ways_mended(found):
    """Errors clustered two ways whose covariance was no covariance."""
    fits = found.fits
    if fits.nested:
        return
    if fits.two_ways is None:
        yield (
            "Clustered two ways: no term has such an error here, so the table leaves it out. What is "
            "subtracted for the cells outweighs what is added, or one group alone carries a term (notebook "
            "15)."
        )
    elif fits.two_ways.notes:
        yield (
            f"Clustered two ways: {'; '.join(fits.two_ways.notes)}. These errors then depend on the units "
            "of the predictors: set the model's beside them (notebook 15)."
        )


WATCHED = [
    rows.missing_values,
    rows.two_values,
    rows.values_far_off,
    few_groups,
    singular_fit,
    names_alike,
    labels_used_again,
    a_slope_that_differs,
    two_ways_mended,
    predictors.names_alike,
    predictors.perhaps_a_category,
    a_predictor_of_groups,
]


def warnings(found) -> list:
    """What matters with these data: a sentence or two each, the matter before the colon."""
    return [warning for watched in WATCHED for warning in watched.check(found)]
