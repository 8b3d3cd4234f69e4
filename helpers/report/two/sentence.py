"""The sentence to report with two groupings: the numbers of the model that has both."""

from __future__ import annotations

import numpy as np

from ..sentence import numbers_of
from ..words import decimals, figures, name, outcome, percent, rows, slope, where
from .words import counts, own_names, top


def sentence(found) -> str:
    """A sentence to report, numbers rounded: the table's."""
    fit, (first, second) = found.fit, own_names(found)
    at = f", where {where(found)}," if found.predictors else ""
    whose = ("Kenward-Roger " if fit.df_method == "kenward-roger" else "", "")
    parts = [
        f"the mean of {outcome(found)} in the population of groups of {top(found)}{at} was "
        f"{numbers_of(found, found.mean, whose)}"
    ]
    parts += [f"{slope(found, line.term)} was {numbers_of(found, line, whose)}" for line in found.slopes]
    told = (
        f"In a model with random intercepts of {first} and of {second}, fitted by REML to {fit.nobs} rows in "
        f"{counts(found)} ({_variances(found)}), {'; '.join(parts)}."
    )
    if fit.data.dropped:
        told += f" {rows(fit.data.dropped).capitalize()} with missing values were left out."
    return told


def _variances(found):
    """The three variances, with how high one that is estimated as 0 may be, and the correlations."""
    fit, own = found.fit, own_names(found)
    told = []
    for of, each in zip(own, found.order, strict=True):
        edge = ""
        if fit.psi[each] == 0:
            high = figures(np.sqrt(found.highest[each]))
            edge = f" ({percent(found.level)} profile interval of its root 0 to {high})"
        told.append(f"between groups of {of} {figures(fit.psi[each])}{edge}")
    residual = "residual " * bool(found.predictors)
    icc = " and ".join(
        f"{decimals(fit.icc[each], 3)} of one {name(of)}"
        for each, of in zip(found.order, found.names, strict=True)
    )
    return (
        f"variances: {', '.join(told)}, within {figures(fit.theta)}; {residual}intraclass correlations {icc}"
    )
