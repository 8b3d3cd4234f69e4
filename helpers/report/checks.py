"""What to watch where the model ends: psi at 0, rows less alike than strangers, one group behind a term.

Each check takes a `report.Report` and yields its warnings, the matter before the colon.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from .words import _df, _figures, _fixed, _name

FAR = 0.01  # chance that CR2 comes out so much larger than the model's error, if the slope is one for all
WITHIN = 0.01  # share between groups up to which both estimate the slope from the same variation


def at_the_boundary(report):
    """Psi is 0: with the predictors, which is what the table stands on, or only without them."""
    fit, alone = report.fit, report.alone
    if report.strangers.found or not (fit.singular or alone.singular):
        return
    if not fit.singular:
        yield (
            "Psi is 0 without the predictors only: what they explain within groups counts as variance within "
            f"while they are left out, and hides what lies between. With them psi is {_figures(fit.psi)} and "
            f"theta {_figures(fit.theta)}; table, sentence and code stand on these (notebook 08)."
        )
        return
    high = np.sqrt(fit.profile_int(1 - report.level).loc["psi", "upper"])
    before = "" if alone is fit or alone.singular else f" (without the predictors {_figures(alone.psi)})"
    yield (
        "Singular fit: psi, the variance between groups"
        f"{' given the predictors' * bool(report.predictors)}, is estimated as 0{before}. Partial pooling "
        "then gives the estimates of complete pooling. Its standard errors and df are Kenward and Roger's, "
        "which count groups where groups are asked about (notebook 09). That groups are alike is not shown: "
        f"a standard deviation between them of up to {_figures(high)} agrees with the data "
        f"({report.level * 100:g}% profile interval). Report that end too, and set the CR2 row beside it "
        "(notebooks 06 and 10)."
    )


def less_alike(report):
    """Rows of one group differ more than rows of two; which errors hold instead."""
    found = report.strangers
    if not found.found:
        return
    fit, robust, group = report.fit, report.fits.robust, report.group
    told = []
    none = 1e-9 * np.sqrt(fit.theta)
    for k, term in enumerate(fit.params.index):
        if robust.bse[term] > none:
            what = "the mean" if k == fit.data.intercept else report._slope(term)
            ours, theirs = _fixed([robust.bse[term], fit.bse[term]], robust.bse[term])
            told.append(f"{what} {ours} on {_df(robust.df[term])} df (partial pooling {theirs})")
    have = f"CR2 needs no psi, and sentence and code have it: SE of {', of '.join(told)}. " if told else ""
    same = f"Every {group} has the same mean: is a total shared out, or are these ranks? " * (found.f < 1e-9)
    yield (
        f"Less alike than strangers: rows of one {group} differ more than rows of two ({found.words}; "
        f"correlation of two rows of one {group} {found.icc:.3f}). Psi, a variance, cannot say so. The "
        "table's lines of partial pooling do not hold then: their SE is too small for what is compared "
        f"within a {group}, too large for the mean of whole groups. {have}{same}If something that moves the "
        "rows of all groups alike (time, treatment) is not among the predictors, name it: left out, it makes "
        "F small too (notebook 06)."
    )


def lone_terms(report):
    """Terms that one group alone carries: no cluster-robust error, and what the model's stands on."""
    fit, robust = report.fit, report.fits.robust
    for term, why in robust.withheld.items():
        is_mean = term == fit.data.terms[fit.data.intercept]
        what = f"the mean where {report.where}" if is_mean else report._slope(term)
        se = fit.bse[term]
        yield (
            f"One group alone: {why.replace('it cannot', what + ' cannot')}. Nothing shows how far another "
            f"{report.group} in its place would be from it, so CR2 has no standard error there. Partial "
            f"pooling's, {_fixed([se], se)[0]} on {_df(fit.df[term])} df, takes psi from the other groups: "
            "right if groups like this one vary as those do (notebook 10)."
        )


def bounded(report):
    """Kenward and Roger's df collapsed and were bounded."""
    fit, sizes = report.fit, report.fit.data.sizes
    if fit.df_method == "kenward-roger, bounded":
        left = _df(fit.ngroups - len(report._group_level) - 1)
        yield (
            f"Kenward and Roger's df collapse: {sizes.max():.0f} of {fit.nobs} rows are of one "
            f"{report.group}, and what they expand is no use then (they can fall below 1). Where they fell "
            f"below half of the groups less the coefficients on their level, these, {left}, take their "
            "place, beside their standard error, which is large. A t test on the group means holds too "
            "(notebook 09)."
        )


def differing_slopes(report):
    """A slope within groups whose CR2 error is far above the model's, which takes it to be one for all.

    CR2 is the model's variance times chi-square over df, nearly, on CR2's df, where the slope is the same in
    every group; it grows with the variance of the slopes.
    """
    fit, robust = report.fit, report.fits.robust
    for term, share in report.levels.items():
        if share > WITHIN or term in robust.withheld or report.strangers.found:
            continue
        df, times = robust.df[term], (robust.bse[term] / fit.bse[term]) ** 2
        if stats.chi2.sf(times * df, df) < FAR:
            ours, theirs = _fixed([fit.bse[term], robust.bse[term]], robust.bse[term])
            yield (
                f"A slope that differs: {report._slope(term)} has the SE {ours} if it is the same in every "
                f"{report.group}, and {theirs} on {_df(df)} df if it may differ (CR2). Were it the same, one "
                f"would be {np.sqrt(times):.1f} times the other in fewer than {FAR:.0%} of studies. For all "
                "groups there are, report CR2's (notebook 08)."
            )


def withheld(report, key):
    """Why the CR2 line of a question has no standard error: a question's key is its term, or "rows"."""
    fit = report.fit
    term = fit.data.terms[fit.data.intercept] if key == "rows" else key
    same = f"every {report.group} has the same {'slope' if key in report.levels else 'mean'}"
    return "no SE: " + _name(report.fits.robust.withheld.get(term, same))
