"""What is said where there are two groupings: of the groups, and of each question of the table."""

from __future__ import annotations

import numpy as np

from ..words import decimals, digits, figures, name, one_more, one_value, outcome, place, rows, share, where

_HARDLY = 0.1  # groups by a label used again, of all labels: with so few it may be a slip
_SAME = "every group has the same mean, or slope"


def own_names(found) -> tuple:
    """The two groupings as a sentence has them: "school" and "class within school", or both columns."""
    first, second = map(name, found.names)
    return first, f"{second} within {first}" if found.fits.nested else second


def top(found) -> str:
    """What groups are drawn by themselves."""
    return " and ".join(map(name, found.fits.top))


def asked(found) -> str:
    """What the groupings are called together: "school/class", "plate and sample"."""
    first, second = map(name, found.names)
    return f"{first}/{second}" if found.slash else f"{first} and {second}"


def _each(sizes):
    low, high = sizes.min(), sizes.max()
    return f"{low:.0f} to {high:.0f} rows each" if low < high else f"{rows(low)} each"


def sizes_of(found) -> list:
    """Rows of each group, by grouping, in the order of ``names``."""
    counts, inner = found.groupings.counts, found.groupings.inner
    by = {inner: np.asarray(counts.sum(axis=0)), 1 - inner: np.asarray(counts.sum(axis=1))}
    return [by[found.groupings.names.index(each)] for each in found.order]


def counts(found) -> str:
    """How many groups there are of each, and of what sizes."""
    told = [
        f"{len(sizes)} {'groups ' * (k == 0)}of {of} ({_each(sizes)})"
        for k, (of, sizes) in enumerate(zip(own_names(found), sizes_of(found), strict=True))
    ]
    return " and ".join(told)


def grouping(found) -> str:
    """How the data are grouped."""
    alone, values, what = found.alone, found.outcomes, outcome(found)
    spread = f" {what} goes from {digits(values[0])} to {digits(values[-1])}." if len(values) else ""
    told = [f"{found.fit.nobs} rows in {counts(found)}. {_lie(found)}{spread}"]
    if found.fit.data.dropped:
        told.append(f"{rows(found.fit.data.dropped)} dropped for missing values.")
    if found.groupings.again:
        label, users, labels = found.groupings.again
        told.append(
            f"Labels of {name(found.names[1])} are used again, {name(label)} in {users} groups of "
            f"{name(found.names[0])}, for another group in each: they are {found.fit.ngroups.iloc[1]} groups "
            f"and not {labels}.{_by_mistake(found, found.fit.ngroups.iloc[1] - labels, labels)}"
        )
    aside = ", predictors left aside," if found.predictors else ""
    told.append(f"The standard deviation of {what}{aside} is {_spread(found, alone)}. {_alike(found)}")
    if found.predictors:
        told.append(f"Given the predictors it is {_spread(found, found.fit)}, which the table stands on.")
    return " ".join(told)


def _by_mistake(found, more, labels):
    """Ask after labels that hardly any group shares: as if they were meant to be unique."""
    if more > labels * _HARDLY:
        return ""
    first, second = map(name, found.names)
    return (
        f" Nearly all others are in one {first} only. If that {second} is one group, its {first} is wrong in "
        f"some rows, or the groupings cross (--group {first} {second})."
    )


def _lie(found):
    """How the two groupings lie to each other."""
    (first, second), n = map(name, found.names), np.diff(found.groupings.counts.tocsr().indptr)
    if found.fits.nested:
        each = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
        return f"They are nested: a {first} has {each} of {second}."
    K, J = found.groupings.counts.shape
    if found.groupings.counts.nnz == K * J:
        return f"They cross: all {K * J} pairs of a {first} and a {second} have rows."
    pairs = f"{found.groupings.counts.nnz} of {K * J} pairs"
    return f"They cross in part: {pairs} of a {first} and a {second} have rows."


def _spread(found, fit):
    """Standard deviations and variances of a fit."""
    psi = [fit.psi[each] for each in found.order]
    told = [
        f"{figures(np.sqrt(value))} between groups of {of} (psi = {figures(value)})"
        for of, value in zip(own_names(found), psi, strict=True)
    ]
    return f"{', '.join(told)} and {figures(np.sqrt(fit.theta))} within (theta = {figures(fit.theta)})"


def _alike(found):
    """Correlations of two rows."""
    first, second = map(name, found.names)
    one, two = (decimals(found.alone.icc[each], 3) for each in found.order)
    if found.fits.nested:
        apart = f"two of one {first} but not of one {second} by {one}"
        return f"Two rows of one {second} correlate by {two}, {apart}."
    return (
        f"Two rows of one {first} but not of one {second} correlate by {one}, of one {second} but not of one "
        f"{first} by {two}."
    )


def questions(found) -> dict:
    """Key of each question but that of slopes to its words and to what would be drawn anew."""
    (first, second), of = own_names(found), top(found)
    at = f", where {where(found)}" if found.predictors else ""
    both = f"over new groups of {first}, new ones of {second}, and new rows"
    by = " or of ".join(map(name, found.fits.top))
    other = "" if found.fits.nested else ", over all groups of the other"
    return {
        "all": (f"How well is the mean of all groups of {of} there are or could be known{at}?", both),
        "new 0": (f"Where may the mean of {one_more(found, found.names[0])} lie{at}?",
                  f"{both}, and the group to come{other}"),
        "new 1": (f"Where may the mean of {one_more(found, found.names[1])}{_of_one_more(found)} lie{at}?",
                  f"{both}, and the group to come{other}"),
        "row": (f"Where may {one_value(found)} in {one_more(found, found.names[0])} and "
                f"{one_more(found, found.names[1])} lie{at}?", f"{both}, and the row to come"),
        "rows": ("How well is the mean over all rows known?",
                 f"over rows drawn one by one (independent), or new groups of {by} (CR2)"
                 + ", or of both (two ways)" * (not found.fits.nested)),
    }  # fmt: skip


def _of_one_more(found):
    return f" in {one_more(found, found.names[0])}" if found.fits.nested else ""


def estimands(found) -> dict:
    """Key of each question but that of slopes to what the table calls its estimand."""
    at = f" where {place(found, found.levels.index)}" if found.predictors else ""
    first, second = (one_more(found, each, "a new") for each in found.names)
    of = top(found)
    return {
        "all": f"mean of all groups of {of}{at}",
        "new 0": f"mean of {first}{at}",
        "new 1": f"mean of {second}{f' in {first}' * found.fits.nested}{at}",
        "row": f"one row of {first} and {second}{at}",
        "rows": f"mean of all rows{at}",
    }


def withheld(found, line) -> str:
    """Say why a line has no standard error."""
    return "no SE: " + name(found.why(line) or _SAME, 160)


def varies(found, term) -> str:
    """Where a predictor varies."""
    (a, b), (first, second) = found.shares.loc[term], own_names(found)
    for part, of in ((a, first), (b, second)):
        if part > 1 - 1e-12:
            outer = (
                ""
                if not found.fits.nested or of == first or a == 0
                else f", {share(a)} of it between {first}"
            )
            return f"between groups of {of} only{outer}"
    if a == b == 0:
        return "within groups only"
    b = b - a if found.fits.nested else b
    return f"{share(a)} of its variation between groups of {first}, {share(b)} between groups of {second}"


def means_are(found) -> str:
    """Say where the means are; nothing where there are no predictors."""
    return f"Means are those where {where(found)}." if found.predictors else ""
