"""What to watch in the predictors: levels alike, codes taken for amounts, the level at which one varies."""

from __future__ import annotations

import numpy as np

from ..asked import term as term_of
from ..words import degrees, digits, fixed, group, level_of_text, name, plain, share
from .check import watch
from .groups import ALIKE, told_alike

MIXED = 0.05  # intraclass correlation of a predictor: below it within and between hardly part
CODES = 7  # distinct whole numbers in a row, at most, that may be a code


@watch("Names alike", ALIKE, "are they one group, or one level?")
def names_alike(found):
    """Levels of a text predictor that may be one."""
    for label, levels in found.texts.items():
        yield from told_alike(levels, f"levels of {name(label)}")


@watch(
    "Perhaps a category",
    f"a predictor of 3 to {CODES} whole numbers in a row",
    "one slope takes the steps between them for equal",
)
def perhaps_a_category(found):
    """Whole numbers in a row that may be names of kinds."""
    for label in found.predictors:
        column = found.columns.get(label)
        values = np.unique(column.dropna()) if label in found.centres and column is not None else []
        if 3 <= len(values) <= CODES and np.all(np.diff(values.astype(float)) == 1) and values[0] % 1 == 0:
            yield (
                f"Perhaps a category: {name(label)} has the values {digits(values[0])} to "
                f"{digits(values[-1])} only, and one slope takes the steps between them for "
                "equal. If they are names of kinds, not amounts, the "
                f"predictor is C({name(term_of(label, found.columns))})."
            )


def _answers(found):
    """What `compare` says, by method and estimand."""
    return found.answers.set_index(["method", "estimand"])


@watch("A group-level predictor", "no variation within groups", "its slope rests on J groups")
def a_group_level_predictor(found):
    """A predictor that does not vary within groups."""
    fit, J, answers = found.fit, found.fit.ngroups, _answers(found)
    for term in found.group_level:
        methods = ("partial pooling", "complete pooling", "complete pooling, CR2")
        row, naive, robust = (answers.loc[(m, f"slope of {term}")] for m in methods)
        se, of_ols, of_cr2 = fixed([row["se"], naive["se"], robust["se"]], row["se"])
        more = ", more than there are groups, for it is set against a slope within them" * bool(row["df"] > J)
        level = level_of_text(found, term)
        words = " ".join(level[:2]) if level else name(plain(term))
        yield (
            f"A group-level predictor: {words} does not vary within any {group(found)}, so its slope "
            f"rests on {J} groups, not on {fit.nobs} rows: SE {se} on {degrees(row['df'])} df{more}. "
            + (
                f"As psi is 0, no variance between groups is in that SE; CR2 has {of_cr2} on "
                f"{degrees(robust['df'])} df"
                if fit.singular and robust["se"] > 0 and not found.is_rounding(robust["se"], term)
                else f"As if rows were independent, the SE would be {of_ols}"
            )
            + " (notebooks 08 and 09)."
        )


@watch(
    "A predictor of both levels",
    f"its own intraclass correlation over {MIXED:.0%}, given the group means among the predictors",
    "its slope mixes two",
)
def a_predictor_of_both_levels(found):
    """A predictor that varies within and between, so that its slope mixes two."""
    data, answers = found.fit.data, _answers(found)
    for k in data.varying:
        term = data.terms[k]
        if term in found.group_level or not found.levels[term] or _own_icc(found, k) <= MIXED:
            continue
        row = answers.loc[("partial pooling", f"slope of {term}")]
        own = answers.loc[("no pooling", f"slope of {term}")]
        mixed, within = fixed([row["estimate"], own["estimate"]], row["se"])
        yield (
            f"A predictor of both levels: {share(found.levels[term])} of the variation of {name(term)} "
            f"lies between groups. Its slope, {mixed}, mixes the slope within groups ({within}, no "
            "pooling) with that between them, and they may differ. With a column of its group means as a "
            "predictor beside it (Mundlak) its slope is the one within (notebook 08); notebook 13 has "
            "the line that makes the column."
        )


def _own_icc(found, k):
    """Intraclass correlation of a predictor, by its analysis of variance, given the group-level ones."""
    data = found.fit.data
    J, N, cross = data.ngroups, data.nobs, data.within
    between = data.about_centre() - cross
    fixed_terms = [data.terms.index(term) for term in found.group_level]
    left = between[k, k]
    if fixed_terms:
        among = between[np.ix_(fixed_terms, fixed_terms)]
        left -= between[k, fixed_terms] @ np.linalg.lstsq(among, between[fixed_terms, k])[0]
    even = (N - np.sum(data.sizes**2) / N) / (J - 1)
    of_means, of_rows = left / (J - 1), cross[k, k] / (N - J)
    return (of_means - of_rows) / (of_means + (even - 1) * of_rows)
