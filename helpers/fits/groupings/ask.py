"""What is asked when there are two groupings: the table is read, what cannot be fitted is refused."""

from __future__ import annotations

import narwhals as nw
import pandas as pd
from scipy.sparse import csgraph

from ...tables import GroupSummary
from ...tables.groupings import named, summarise_groupings
from ...tables.parquet import opened
from ...tables.refuse import signpost
from .fit import GroupingsFit
from .inference import groups_left
from .likelihood import Likelihood
from .search import maximum


def asked_for(data, groups):
    """The two columns that ``groups`` names and whether the second is within the first; None for one.

    Raises
    ------
    TypeError, ValueError
        As `tables.groupings.named`.
    """
    there = ()
    if not isinstance(data, GroupSummary) and "/" in str(groups):
        frame = data if isinstance(data, pd.DataFrame) else nw.from_native(opened(data), pass_through=True)
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
            f"R lme4's lmer({formula} + {by}) fits them; {signpost('Slopes that vary, and two groupings')}"
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
    p, terms = len(rows.terms), ", ".join(rows.terms)
    for place, left in zip((1 - groupings.inner, groupings.inner), groups_left(groupings), strict=True):
        name = groupings.names[place]
        if left < 1:
            raise ValueError(
                f"{groupings.ngroups[place]} groups of {name} and {p} terms ({terms}): the terms leave "
                f"nothing "
                "between them to estimate their variance from; leave out terms that are constant within "
                f"{name}, or the grouping"
            )
