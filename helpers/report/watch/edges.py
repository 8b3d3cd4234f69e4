"""What to watch where the model ends: psi at 0, rows less alike than strangers, one group behind a term."""

from __future__ import annotations

import numpy as np

from ...fits import PARTIAL_ROBUST, SLOPED_ROBUST
from ...fits.alike import LEVEL
from ...formulas import distributions as stats
from ..words import decimals, degrees, figures, fixed, group, name, percent, share, slope, where
from .check import watch

FAR = 0.01  # chance that CR2 comes out so much larger than the model's error, if the slope is one for all


@watch("Singular fit", "psi estimated as 0", "partial pooling then has the estimates of complete pooling")
def singular_fit(found):
    """Psi is 0 with the predictors, which is what the table stands on."""
    fit, alone = found.fit, found.alone
    if found.strangers.found or not fit.singular:
        return
    high = np.sqrt(found.psi_int["upper"])
    before = "" if alone is fit or alone.singular else f" (without the predictors {figures(alone.psi)})"
    yield (
        "Singular fit: psi, the variance between groups"
        f"{' given the predictors' * bool(found.predictors)}, is estimated as 0{before}. Partial pooling "
        "then gives the estimates of complete pooling. Its standard errors and df are Kenward and Roger's, "
        "which count groups where groups are asked about (notebook 09). That groups are alike is not shown: "
        f"a standard deviation between them of up to {figures(high)} agrees with the data "
        f"({percent(found.level)} profile interval). Report that end too, and set the CR2 row beside it "
        "(notebooks 06 and 10)."
    )


@watch(
    "Psi is 0 without the predictors only",
    "as said",
    "what the predictors explain within groups hides what lies between",
)
def psi_is_0_without_the_predictors(found):
    """Psi is 0 where the predictors are left aside, and not with them."""
    fit = found.fit
    if not found.strangers.found and found.alone.singular and not fit.singular:
        yield (
            "Psi is 0 without the predictors only: what they explain within groups counts as variance within "
            f"while they are left out, and hides what lies between. With them psi is {figures(fit.psi)} and "
            f"theta {figures(fit.theta)}; table, sentence and code stand on these (notebook 08)."
        )


@watch(
    "Less alike than strangers",
    f"F of the groups in the lower {LEVEL:.0%} of its distribution at psi = 0",
    "no psi of 0 or more fits; sentence and code have CR2",
)
def less_alike_than_strangers(found):
    """Rows of one group differ more than rows of two; which errors hold instead."""
    test = found.strangers
    if not test.found:
        return
    fit, robust, of = found.fit, found.fits.robust, group(found)
    told = []
    none = 1e-9 * np.sqrt(fit.theta)
    for k, term in enumerate(fit.params.index):
        if robust.bse[term] > none:
            what = "the mean" if k == fit.data.intercept else slope(found, term)
            ours, theirs = fixed([robust.bse[term], fit.bse[term]], robust.bse[term])
            told.append(f"{what} {ours} on {degrees(robust.df[term])} df (partial pooling {theirs})")
    have = f"CR2 needs no psi, and sentence and code have it: SE of {', of '.join(told)}. " if told else ""
    same = f"Every {of} has the same mean: is a total shared out, or are these ranks? " * (test.f < 1e-9)
    yield (
        f"Less alike than strangers: rows of one {of} differ more than rows of two ({test.words}; "
        f"correlation of two rows of one {of} {decimals(test.icc, 3)}). Psi, a variance, cannot say so. The "
        "table's lines of partial pooling do not hold then: their SE is too small for what is compared "
        f"within a {of}, too large for the mean of whole groups. {have}{same}If something that moves the "
        "rows of all groups alike (time, treatment) is not among the predictors, name it: left out, it makes "
        "F small too (notebook 06)."
    )


@watch(
    "One group alone",
    "a mean or slope not to be estimated without one of the groups",
    "no cluster-robust standard error exists",
)
def one_group_alone(found):
    """Terms that one group alone carries: no cluster-robust error, and what the model's stands on."""
    fit, robust = found.fit, found.fits.robust
    for term, why in robust.withheld.items():
        is_mean = term == fit.data.terms[fit.data.intercept]
        what = f"the mean where {where(found)}" if is_mean else slope(found, term)
        se = fit.bse[term]
        yield (
            f"One group alone: {why.replace('it cannot', what + ' cannot')}. Nothing shows how far another "
            f"{group(found)} in its place would be from it, so CR2 has no standard error there. "
            f"Partial pooling's, {fixed([se], se)[0]} on {degrees(fit.df[term])} df, takes psi from the "
            "other groups: right if groups like this one vary as those do (notebook 10)."
        )


@watch(
    "Kenward and Roger's df collapse",
    "below half of J - q, q terms constant within groups",
    "the report takes J - q",
)
def df_collapse(found):
    """Kenward and Roger's df collapsed and were bounded."""
    fit, sizes = found.fit, found.fit.data.sizes
    if fit.df_method == "kenward-roger, bounded":
        left = degrees(fit.ngroups - len(found.group_level) - 1)
        yield (
            f"Kenward and Roger's df collapse: {sizes.max():.0f} of {fit.nobs} rows are of one "
            f"{group(found)}, and what they expand is no use then (they can fall below 1). Where they fell "
            f"below half of the groups less the coefficients on their level, these, {left}, take their "
            "place, beside their standard error, which is large. A t test on the group means holds too "
            "(notebook 09)."
        )


@watch(
    "A slope that differs",
    f"CR2 as far above the model's error as in {FAR:.0%} of studies with one slope",
    "the random-intercept model has one slope within all groups",
)
def a_slope_that_differs(found):
    """An average slope whose CR2 error contradicts the random-intercept model's, which has one slope for all.

    CR2 around the same fit is the model's variance times chi-square over df, nearly, on CR2's df, where the
    slope is the same in every group; it grows with the variance of the slopes.
    """
    fit, robust = found.fit, found.fits.around.get(PARTIAL_ROBUST)
    if found.strangers.found or robust is None:
        return
    for line in found.slopes:
        if line.term in found.fits.inner and (
            told := told_differs(found, line.term, fit, robust, group(found))
        ):
            yield (
                f"{told} The sentence takes {_taken(found, line)}: it speaks of all groups there are, and "
                "such an interval holds their average slope nearly as often as it says, whether slopes "
                "differ or not (notebook 14)."
            )


def told_differs(found, term, fit, robust, of):
    """Warn of a slope whose CR2 error, around a fit, is too large for one slope in all groups; else None."""
    if term in robust.withheld:
        return None
    df, times = robust.df[term], (robust.bse[term] / fit.bse[term]) ** 2
    if stats.chi2.sf(times * df, df) >= FAR:
        return None
    ours, theirs = fixed([fit.bse[term], robust.bse[term]], robust.bse[term])
    return (
        f"A slope that differs: {slope(found, term)} has the SE {ours} if it is the same in every {of}, and "
        f"{theirs} on {degrees(df)} df if it may differ (CR2). Were it the same, and the rows "
        f"independent and of one variance, one would be {decimals(np.sqrt(times), 1)} times the other in "
        f"fewer than {share(FAR)} of studies."
    )


def _taken(found, line):
    """The error of a slope in the sentence, and what it is."""
    se = f"{fixed([line.se], line.se)[0]} on {degrees(line.df)} df"
    if line.method != SLOPED_ROBUST:
        return f"CR2, {se} (the slopes cannot vary in a model here: {name(found.fits.unsloped, 120)})"
    sloped = found.fits.sloped
    sd = f"with the standard deviation {figures(sloped.sds[line.term])}"
    edge = f"; on its boundary: {name(sloped.boundary, 200)}" if sloped.singular else ""
    return f"CR2 around the model in which slopes vary, {se} (they vary {sd}{edge})"
