"""What is said where rows are in groups of one kind: of the groups, and of each question of the table."""

from __future__ import annotations

import numpy as np

from .words import (
    decimals,
    digits,
    figures,
    group,
    level_of_text,
    name,
    one_group,
    one_more,
    one_value,
    outcome,
    place,
    plain,
    rows,
    share,
    sizes,
    where,
)


def _own(found):
    """The group-level predictors, by name."""
    names = dict.fromkeys((level_of_text(found, t) or [name(plain(t))])[0] for t in found.group_level)
    return " and ".join(names)


def means_are(found) -> str:
    """Say where the means are; nothing where there are no predictors."""
    text = f"Means are those where {where(found)}."
    if found.group_level:
        text += f" One group, and just these groups, keep their own {_own(found)}."
    return text if found.predictors else ""


def questions(found) -> dict:
    """Key of each question but that of slopes to its words and to what would be drawn anew."""
    data, J, another = found.fit.data, found.fit.ngroups, one_more(found)
    size = data.sizes[found.one]
    known = rows(size)
    if size == data.sizes.max():
        known += ", the largest group" if (data.sizes == size).sum() == 1 else ", no group has more"
    K = "" if found.population is None else digits(found.population)
    at = place(found, found.group_level)  # one place for all groups, where each group has its own
    own = f", each with its own {_own(found)}" if at else ""
    at = f", where {at}" if at else ""
    return {
        "one": (f"How well is the mean of {one_group(found, data.labels[found.one])} known ({known})?",
                "over new rows of that one group"),
        "these": (f"How well is the mean of just these {J} groups known{own}?",
                  "over new rows of the same groups"),
        "finite": (f"How well is the mean of the {K} groups known, of which these are {J}?",
                   f"over new draws of {J} groups from those {K}, and new rows"),
        "all": (f"How well is the mean of all groups there are or could be known{at}?",
                "over new groups and new rows"),
        "new": (f"Where may the mean of {another} lie{at}?",
                "over new groups and new rows, and the group to come"),
        "row": (f"Where may {one_value(found)} in {another} lie{at}?",
                "over new groups and new rows, and the row to come"),
        "rows": ("How well is the mean over all rows known?",
                 "over rows drawn one by one (independent), or new groups of such sizes (CR2)"),
    }  # fmt: skip


def estimands(found) -> dict:
    """Key of each question but that of slopes to what the table calls its estimand."""
    inner = found.levels.index.difference(found.group_level, sort=False)
    at, own = (f" where {at}" if at else "" for at in (where(found), place(found, inner)))
    K = "" if found.population is None else digits(found.population)
    return {
        "one": "mean of one group" + own,
        "these": f"mean of these {found.fit.ngroups} groups" + own,
        "finite": f"mean of {K} groups" + at,
        "all": "mean of all groups" + at,
        "new": "mean of a new group" + at,
        "row": "one row of a new group" + at,
        "rows": "mean of all rows" + at,
    }


def withheld(found, line) -> str:
    """Say why a line has no standard error, or no estimate."""
    data, fits = found.fit.data, found.fits
    if np.isnan(line.estimate):
        return "slopes cannot vary: " + name(fits.unsloped, 120)
    term = data.terms[data.intercept] if line.question == "rows" else line.term
    same = f"every {group(found)} has the same {'slope' if line.term in found.levels else 'mean'}"
    robust = fits.around.get(line.method, fits.robust)
    return "no SE: " + name(robust.withheld.get(term, same))


def grouping(found) -> str:
    """How the data are grouped."""
    fit, alone, data = found.fit, found.alone, found.alone.data
    size = sizes(found)
    if data.sizes.min() < data.sizes.max():
        size += f" (mean {data.sizes.mean():.1f}, harmonic mean {1 / np.mean(1 / data.sizes):.1f})"
    else:
        size = f"{data.sizes[0]:.0f} rows each"
    values, what = found.outcomes, outcome(found)
    spread = f" {what} goes from {digits(values[0])} to {digits(values[-1])}." if len(values) else ""
    between, within, psi, theta = map(figures, [*np.sqrt([alone.psi, alone.theta]), alone.psi, alone.theta])
    aside = ", predictors left aside," if found.predictors else ""
    told = [f"{alone.nobs} rows in {alone.ngroups} groups of {group(found)}, {size}.{spread}"]
    if data.dropped:
        told.append(f"{rows(data.dropped)} dropped for missing values.")
    told.append(
        f"The standard deviation of {what}{aside} is {between} between the groups (psi = {psi}) "
        f"and {within} within them (theta = {theta}): of its variance {share(alone.icc, 1)} lies between "
        f"(the intraclass correlation, {decimals(alone.icc, 3)})."
    )
    if not alone.singular:
        effective = (alone.psi + alone.theta) / alone.bse.iloc[0] ** 2
        told.append(
            f"For the mean of all groups these {alone.nobs} rows are worth as much as {effective:.0f} "
            "independent ones."
        )
    if found.predictors:
        between, within, psi, theta = map(figures, [*np.sqrt([fit.psi, fit.theta]), fit.psi, fit.theta])
        told.append(
            f"Given the predictors it is {between} between (psi = {psi}) and {within} within (theta = "
            f"{theta}), which the table stands on."
        )
    return " ".join(told)
