"""What is asked when there are two groupings: the table is read, what cannot be fitted is refused."""

from __future__ import annotations

import narwhals as nw
import numpy as np
import pandas as pd
from scipy.sparse import csgraph

from ...tables import GroupSummary
from ...tables.groupings import named, summarise_groupings
from .fit import GroupingsFit
from .likelihood import Likelihood
from .search import maximum

_RANK = 1e-12


def asked_for(data, groups):
    """The two columns that ``groups`` names and whether the second is within the first; None for one.

    Raises
    ------
    TypeError, ValueError
        As `tables.groupings.named`.
    """
    there = ()
    if not isinstance(data, GroupSummary) and "/" in str(groups):
        frame = data if isinstance(data, pd.DataFrame) else nw.from_native(data, pass_through=True)
        there = (
            frame.collect_schema().names()
            if isinstance(frame, (nw.DataFrame, nw.LazyFrame))
            else frame.columns
        )
    return named(groups, there)


def fit_groupings(formula, data, names, nested, slopes=None, method="reml", missing="raise"):
    """Fit two groupings of intercepts; see `fits.partial_pooling`.

    Parameters
    ----------
    formula, data, method, missing
        As for `fits.partial_pooling`; the table is read into memory.
    names : list of str
        The two columns.
    nested : bool
        Whether the second counts within the first, whatever its labels.
    slopes : None
        Anything else is refused.

    Returns
    -------
    GroupingsFit

    Raises
    ------
    TypeError
        As `groups.summarise`; if the data are a GroupSummary, which knows of one grouping.
    ValueError
        As `tables.groupings.summarise_groupings`; if slopes are to vary, if the method is neither "reml" nor
        "ml", or if too little is left of the outcome between the groups or within them.
    """
    if slopes is not None:
        first, second = names
        term = slopes if isinstance(slopes, str) else " + ".join(map(str, slopes))
        by = f"(1 + {term} | {first}/{second})" if nested else f"(1 + {term} | {first}) + (1 | {second})"
        raise ValueError(
            f"slopes that vary together with two groupings ({first}, {second}) are not fitted here; in "
            f"R lme4's "
            f"lmer({formula} + {by}) fits them"
        )
    if method not in ("reml", "ml"):
        raise ValueError(f'method must be "reml" or "ml"; got {method!r}')
    if isinstance(data, GroupSummary):
        raise TypeError(
            f"this summary is by {data.group!r} alone: two groupings ({', '.join(names)}) take the "
            f"table itself"
        )
    return fit_summarised(summarise_groupings(data, formula, names, nested, missing), method)


def fit_summarised(groupings, method="reml"):
    """Fit the `tables.groupings.Groupings` of a table: `fit_groupings`, which says what is raised."""
    _refuse(groupings)
    return GroupingsFit(
        data=groupings.rows, method=method, _groupings=groupings,
        _point=maximum(Likelihood(groupings, method)),
    )  # fmt: skip


def _refuse(groupings):
    """Say so if the groups leave no rows within, or the terms no groups between."""
    rows, counts = groupings.rows, groupings.counts
    K, J = counts.shape
    parts = 1
    if not groupings.nested:
        parts, _ = csgraph.connected_components(counts.tocsr() @ counts.T, directed=False)
        if rows.nobs - (K + J - parts) < 1:
            raise ValueError(
                f"{rows.nobs} rows for {K + J} groups of {' and '.join(groupings.names)}: none is left to "
                "estimate the variance within from; leave one grouping out or bring more rows"
            )
    if groupings.nested and not rows.unexplained(rows.within):
        raise ValueError(
            f"{rows.outcome!r} does not vary within any {groupings.names[groupings.inner]} beyond what "
            f"the terms "
            f'say: average to one row each, and write groups="{groupings.names[1 - groupings.inner]}"'
        )
    p = len(rows.terms)
    outer = groupings.moved + counts @ rows.centred_means()
    within_outer = rows.about_centre() - outer.T @ (outer / counts.sum(axis=1)[:, None])
    for place, within, size in ((groupings.inner, rows.within, J), (1 - groupings.inner, within_outer, K)):
        if size > p:
            continue
        inside, whole = within[:p, :p], rows.about_centre().diagonal()[:p]
        scale = np.sqrt(np.where(whole > 0, whole, 1.0))
        if size + np.linalg.matrix_rank(inside / scale / scale[:, None], tol=_RANK, hermitian=True) <= p:
            raise ValueError(
                f"{size} groups of {groupings.names[place]} and {p} terms ({', '.join(rows.terms)}): "
                f"the terms "
                f"leave nothing between them to estimate their variance from; leave out terms that are "
                f"constant "
                f"within {groupings.names[place]}, or the grouping"
            )
