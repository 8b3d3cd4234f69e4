"""What to watch in the groups: how many they are, of what sizes, and one that stands apart."""

from __future__ import annotations

import numpy as np

from ... import formulas
from ...formulas import distributions as stats
from ...tables.labels import alike
from ..findings import ALL, OLS, THESE
from ..words import decimals, digits, figures, fixed, group, one_group, percent, rows, share
from .check import watch

FEW = 30  # below it an interval with 1.96 in the place of t covers less than 94 in 100
VERY_FEW = 10  # below it the profile interval of psi is told too
UNEQUAL = 1.5  # arithmetic over harmonic mean size: the bracket of notebook 05 is wide beyond it
FRACTION = 0.05  # of a finite population seen: below it the standard error falls by less than 3 in 100
FAR = 0.01  # chance that the farthest of all J normal groups lies as far out
ALIKE = "labels that differ in blanks or capitals only, or are one number"
SETS = 5  # of names alike that are told one by one


@watch(
    "A group for each row, nearly",
    "more groups than half of the rows",
    "little is left to tell psi from theta",
)
def a_group_for_each_row(found):
    """Nearly every row is a group of its own."""
    J, N = found.fit.ngroups, found.fit.nobs
    if J > N / 2:
        yield (
            f"A group for each row, nearly: {N} rows in {J} groups. Is {group(found)} the number of a row "
            "rather than of a group? Little is left to tell psi from theta (notebook 06)."
        )


@watch(
    "Few groups",
    f"fewer than {FEW}",
    f"with {FEW}, a normal interval covers 94% in balanced data, with fewer less",
)
def few_groups(found):
    """There are few groups, or very few."""
    alone, J = found.alone, found.fit.ngroups
    if J >= FEW:
        return
    lead = "Few groups" if J >= VERY_FEW else "Very few groups"
    text = (
        f"{lead}: {J} (fewer than {FEW}). With the normal distribution in the place of t, an interval "
        f"would hold the mean of all groups in about {share(formulas.z_coverage(J - 1, found.level), 1)} of "
        f"studies and not in {percent(found.level)} (groups of one size); use t on the df of the table "
        "(notebook 09)."
    )
    if J < VERY_FEW and not alone.singular:
        low, high = np.sqrt(alone.profile_int(1 - found.level).loc["psi"])
        low, between, high = map(figures, [low, np.sqrt(alone.psi), high])
        left = " with the predictors left aside" if found.predictors else ""
        text += (
            f" {J} groups also say little of psi: the standard deviation between groups, {between}{left},"
            f" has a {percent(found.level)} profile interval from {low} to {high} (notebook 06)."
        )
    yield text


@watch("Names alike", ALIKE, "are they one group, or one level?")
def names_alike(found):
    """Labels of groups that may be one."""
    yield from told_alike(found.fit.data.labels, f"groups of {group(found)}")


def told_alike(labels, what):
    """Warn of labels that differ in blanks or capitals only, or are figures of one number."""
    sets = alike(labels)
    for names in sets[:SETS]:
        yield (
            f"Names alike: {' and '.join(repr(name[:40]) for name in names)} are {len(names)} {what}. If "
            "they are one, write them alike in the file."
        )
    if len(sets) > SETS:
        yield f"Names alike: of the {what}, {len(sets)} such sets in all; {SETS} are named here."


@watch(
    "Very unequal sizes",
    f"mean size over {UNEQUAL} times the harmonic mean, or N^2 / sum n_j^2 under J / 2",
    "the bracket of notebook 05 is wide",
)
def very_unequal_sizes(found):
    """The three means part."""
    sizes, answers = found.fit.data.sizes, found.answers
    ratio, crowd = sizes.mean() * np.mean(1 / sizes), sizes.sum() ** 2 / np.sum(sizes**2)
    if ratio > UNEQUAL or crowd < len(sizes) / 2:
        values, se, aside = answers["estimate"].iloc[[OLS, ALL, THESE]], answers["se"].iloc[ALL], ""
        if found.group_level:  # of which just these groups have their own: at one place only without them
            alone, means = found.alone, found.means
            values, se = [means @ sizes / sizes.sum(), alone.params.iloc[0], means.mean()], alone.bse.iloc[0]
            aside = ", predictors left aside"
        three = fixed(values, se)
        yield (
            f"Very unequal sizes: {sizes.min():.0f} to {rows(sizes.max())}; the mean size is "
            f"{decimals(ratio, 2)} times the harmonic mean (more than {UNEQUAL} counts as very), and by size "
            f"the groups count as {decimals(crowd, 1)} equal ones. So the three means part{aside}: "
            f"{three[0]} over all rows, {three[1]} by partial pooling, {three[2]} with each group counted "
            "once. If size goes with the outcome they are different questions: say which you mean "
            "(notebook 05)."
        )


@watch("Groups of one row", "any", "one row shows psi + theta, not its parts")
def groups_of_one_row(found):
    """Some groups have one row."""
    J, N = found.fit.ngroups, found.fit.nobs
    ones = int((found.fit.data.sizes == 1).sum())
    if ones and J <= N / 2:
        yield (
            f"Groups of one row: {ones} of {J}. One of them by itself shows psi + theta, not its parts: how "
            "well its own mean is known rests on the theta of the larger groups (notebook 05)."
        )


@watch(
    "A finite population",
    f"more than {FRACTION:.0%} of the groups seen",
    "below that the standard error falls by less than 3%",
)
def a_finite_population(found):
    """The groups are a large part of those there are."""
    fit, K = found.fit, found.population
    if K is not None and fit.ngroups / K > FRACTION:
        se = fit.bse.iloc[fit.data.intercept]
        of_all, of_K = fixed([se, fit.mean_of(K).se], se)
        yield (
            f"A finite population: you have {fit.ngroups} of {digits(K)} groups, {share(fit.ngroups / K)} "
            f"(more than {share(FRACTION)}). For the mean of those {digits(K)}, the SE is {of_K}; "
            f"{of_all} belongs to groups without end (notebooks 03 and 13). It is right if these groups "
            "are a random sample of those."
        )


@watch(
    "A group far out",
    f"farther than the farthest of J normal means in {1 - FAR:.0%} of samples",
    "partial pooling counts part of the distance as chance",
)
def a_group_far_out(found):
    """One group's mean lies too far out for a normal model."""
    alone, sizes = found.alone, found.fit.data.sizes
    if alone.singular:
        return
    away = (found.means - alone.params.iloc[0]) / np.sqrt(alone.psi + alone.theta / sizes)
    k = int(away.abs().to_numpy().argmax())
    if len(sizes) * 2 * stats.norm.sf(abs(away.iloc[k])) < FAR:
        yield (
            f"A group far out: {one_group(found, found.means.index[k])} ({rows(sizes[k])}) has the "
            f"mean {fixed([found.means.iloc[k]], alone.bse.iloc[0])[0]}, {decimals(abs(away.iloc[k]), 1)} "
            "standard deviations from the mean of all, too far for a normal model. See whether its rows "
            "are right: partial pooling takes part of the distance for chance (notebook 07)."
        )
