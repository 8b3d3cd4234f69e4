"""What to watch in the rows and the outcome: gaps, two values, codes among the numbers."""

from __future__ import annotations

import numpy as np

from ...tables.refuse import signpost
from ..files import missing
from ..words import digits, name, outcome, rows, share
from .check import watch

_CODES = {sign * int(figure * k) for sign in (1, -1) for figure in "789" for k in (1, 2, 3)} | {
    97,
    98,
    997,
    998,
}
_FEW = 12  # values, the code among them: an answer's, not a measurement's


@watch(
    "Missing values",
    "any row left out",
    "the standard errors speak of the rows that are left: who is missing?",
)
def missing_values(found):
    """Rows were left out."""
    data = found.fit.data
    if data.dropped:
        part = share(data.dropped / (data.dropped + data.nobs), 1)
        yield (
            f"Missing values: {rows(data.dropped)} ({part}) left out{_by_column(found.lacking)}. The "
            "standard errors speak of the rows that are left. If what is missing depends on what is not "
            "seen, no standard error says so: look at who is missing, by group."
        )


def _by_column(lacking):
    """Which columns lack a value in how many rows, and what stood there."""
    told = []
    for column, (number, kinds) in lacking.items():
        if column is not None:
            why = [f"{count} {'as ' * (kind != missing.NOTHING)}{kind}" for kind, count in kinds.items()]
            why = f" ({', '.join(why)})" if why else ""
            told.append(f"{name(column)} is missing in {number}{why}")
    several = f" ({lacking[None][0]} lack more than one)" if None in lacking else ""
    return f": {', '.join(told)}{several}" if told else ""


@watch(
    "Two values", "an outcome of two values", "a normal model may not fit: its variance goes with its mean"
)
def two_values(found):
    """The outcome is one of two."""
    if found.has_two_values:
        low, high = map(digits, found.outcomes)
        yield (
            f"Two values: {outcome(found)} is {low} or {high} and nothing else. Its variance goes with "
            "its mean, which this model takes for constant. For the mean, the CR2 row (notebook 10) does not "
            f"need that. Intervals may leave {low} to {high}, and one row to come has none. Where shares "
            f"are near 0 or 1, fit a mixed logistic model instead: {signpost('Yes or no')}."
        )


@watch(
    "Values far off",
    "one to three values farther from all others than these' range",
    "is it a code for a missing value?",
)
def values_far_off(found):
    """A few values stand apart from all others."""
    for label, column in found.columns.items():
        if far := _far_off(column):
            values, number, near = far
            many = " and ".join(map(digits, values[:3])) + (", ..." if len(values) > 3 else "")
            yield (
                f"Values far off: {name(label)} has {many} in {rows(number)}; the nearest other value is "
                f"{digits(near)}. Is that a code for a missing value? Then leave the field empty, or say "
                "so with missing_values (--missing-values)."
            )


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
    if code := _code_among_few(values, counts):
        return code
    if len(values) < 4:
        return None
    k = int(np.diff(values.astype(float)).argmax()) + 1
    low = counts[:k].sum() < counts[k:].sum()
    few, most = (slice(k), slice(k, None)) if low else (slice(k, None), slice(k))
    number, gap, spread = (
        int(counts[few].sum()),
        float(values[k]) - float(values[k - 1]),
        np.ptp(values[most]),
    )
    enough = spread / 2 if number > 1 and len(values) > 20 else spread
    if len(values[few]) > 3 or len(values[most]) < 3 or gap <= enough:
        return None
    return values[few], number, values[k] if low else values[k - 1]


def _code_among_few(values, counts):
    """One of `_CODES` at the end of few whole numbers that follow each other, such as 9 after 0 and 1.

    Returns
    -------
    values, rows, near : ndarray, int, float
        As `_far_off`; None if there is none.
    """
    if not 3 <= len(values) <= _FEW:
        return None
    for code, near, others in ((-1, -2, slice(None, -1)), (0, 1, slice(1, None))):
        rest = values[others].astype(float)
        apart = abs(float(values[code]) - float(values[near]))
        if values[code] not in _CODES or (np.diff(rest) != 1).any() or apart < 2:
            continue
        # A count's tail has gaps too, but ever fewer rows: a code has more than the value beside it.
        if apart > np.ptp(rest) + 1 or counts[code] > counts[near]:
            return values[[code]], int(counts[code]), values[near]
    return None
