"""What is asked when slopes are to vary: columns are found, what cannot be fitted is refused."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ...tables import GroupSummary, refuse_collinear, summarise
from ...tables.formula import parse
from .fit import SlopesFit
from .inference import Solution
from .likelihood import Likelihood, of_summary
from .search import maximum

_NOTHING = 1e-12  # a residual sum of squares below this share of that within groups is rounding


def fit_slopes(formula, data, groups, slopes, method="reml", missing="raise"):
    """Fit intercepts and slopes that vary, with any covariance; see `fits.partial_pooling`.

    Parameters
    ----------
    formula, data, groups, method, missing
        As for `fits.partial_pooling`.
    slopes : str or list of str
        Terms, fixed ones or other columns.

    Returns
    -------
    SlopesFit

    Raises
    ------
    TypeError
        As `groups.summarise`; if there is no group column, or a slope is no text.
    ValueError
        As `groups.summarise`; if the method is neither "reml" nor "ml"; if a slope is named twice, is the
        constant or no term, does not vary within any group or is there a combination of the others; if
        there are fewer groups than variances and covariances, or nothing is left within groups beyond a
        line for each.

    Examples
    --------
    >>> from helpers import radon
    >>> from helpers.fits.slopes import fit_slopes
    >>> fit = fit_slopes("log_radon ~ floor", radon(), "county", "floor")
    >>> fit.sds.round(3).tolist(), round(float(fit.correlations.iloc[0, 1]), 3)
    ([0.349, 0.344], -0.337)
    """
    if method not in ("reml", "ml"):
        raise ValueError(f'method must be "reml" or "ml"; got {method!r}')
    whole, fixed, places = _read(formula, data, groups, _names(slopes), missing)
    _refuse(whole, places)
    reduced, kept = of_summary(whole, places, fixed)
    _refuse_exact(reduced, kept)
    likelihood = Likelihood(reduced, method)
    return SlopesFit(
        method=method,
        data=kept,
        varying=["Intercept", *(whole.terms[k] for k in places)],
        _solution=Solution(likelihood, maximum(likelihood)),
        _whole=whole,
    )


def _names(slopes):
    names = (
        [slopes] if isinstance(slopes, str) else list(slopes) if isinstance(slopes, (list, tuple)) else slopes
    )
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"slopes must be a term or a list of terms; got {slopes!r}")
    names = [name.strip() for name in names]
    if not names:
        raise ValueError("slopes is empty: name the terms whose slopes vary, or leave it out")
    for k, name in enumerate(names):
        if name in names[:k]:
            raise ValueError(f"slopes names {name!r} twice")
        if name in ("1", "Intercept", "0", "-1"):
            raise ValueError(
                f"slopes has {name!r}: the intercept varies with the slopes; name the terms only"
            )
    return names


def _of(name, terms):
    """Places of the columns that a term of the formula has: one of its name, or one a level."""
    if name in terms:
        return [terms.index(name)]
    inside = re.fullmatch(r"C\((\w+)\b.*\)", name)
    heads = (f"{name}[", f"{inside[1]}[" if inside else f"{name}[")
    return [k for k, term in enumerate(terms) if term.startswith(heads)]


def _is_term(name, summary):
    """Whether the formula has a term of this name: ``week`` is none of ``y ~ C(week)``."""
    return name in summary.terms or name in map(
        str, parse(summary.formula, summary.group, "raise").parsed.rhs
    )


def _read(formula, data, groups, names, missing):
    """Summarise fixed and varying terms; say which are fixed, and where those stand that vary."""
    summary = summarise(data, formula, groups, missing)
    if summary.group is None:
        raise TypeError(
            "partial_pooling needs groups, the name of the column that says which group a row is in"
        )
    more = [name for name in names if not _is_term(name, summary)]
    known = set(summary.terms)
    if more and isinstance(data, GroupSummary):
        raise ValueError(
            f"the summary of {summary.formula!r} has no term {more[0]!r} to vary: summarise the table with it"
        )
    if more:
        longer = " + ".join([formula, *more])
        for name in set(more) & parse(longer, groups, missing).levels:
            raise ValueError(
                f"{name!r} stands in {formula!r} as levels: copy the column, and name the copy in slopes"
            )
        summary = replace(summarise(data, longer, groups, missing, carried_beyond=known), formula=formula)
    places = []
    for name in names:
        own = _of(name, summary.terms)
        if name in more:
            own = [k for k in own if summary.terms[k] not in known]
        if not own:
            raise ValueError(f"slopes has {name!r}, which is no term by itself: name each term of its own")
        places += own
    if summary.intercept in places:
        raise ValueError(
            f"{summary.terms[summary.intercept]!r} is the constant, which varies with the slopes"
        )
    return summary, np.array([term in known for term in summary.terms]), places


def _refuse(summary, places):
    varies = summary.varies_within()
    names = [summary.terms[k] for k in places]
    for place, name in zip(places, names, strict=True):
        if not varies[place]:
            raise ValueError(
                f"the slope of {name!r} cannot vary: it is constant within every {summary.group}; leave it "
                "out of slopes, or name a term that varies within groups"
            )
    if len(names) > 1:
        refuse_collinear(summary.within[np.ix_(places, places)], names, ["the constant of each group"])
    q = len(places) + 1
    if summary.ngroups < q * (q + 1) // 2:
        raise ValueError(
            f"{summary.ngroups} groups are too few for the {q * (q + 1) // 2} variances and covariances of "
            f"{q} coefficients (Intercept, {', '.join(names)}): name fewer slopes"
        )


def _refuse_exact(reduced, kept):
    """Say so if lines of their own in every group leave nothing of the outcome."""
    left, p = reduced.left, len(reduced.left) - 1
    rest, rank = float(left[p, p]), np.count_nonzero(np.einsum("kkj->kj", reduced.roots))
    if left[:p, :p].any():  # a fixed term that does not vary leaves something of itself
        values, axes = np.linalg.eigh(left[:p, :p])
        known = values > _NOTHING * reduced.nobs
        rest = rest - np.sum((left[p, :p] @ axes[:, known]) ** 2 / values[known])
        rank = rank + known.sum()
    if reduced.nobs - rank < 1 or rest <= _NOTHING * kept.within[-1, -1] / reduced.lengths[-1] ** 2:
        raise ValueError(
            f"nothing of {kept.outcome!r} is left within any {kept.group} beyond a line of its own: the "
            "variance within cannot be told from that of the slopes; name fewer slopes or bring more rows"
        )
