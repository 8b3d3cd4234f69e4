"""Complete pooling: ordinary least squares, as if there were no groups; errors by one grouping or two."""

from __future__ import annotations

from ..tables import summarise
from .groupings import asked_for
from .least_squares import CompletePooling, least_squares
from .two_way import two_way

__all__ = ["CompletePooling", "complete_pooling"]


def complete_pooling(formula, data, groups=None, missing="raise"):
    """Ordinary least squares, as if there were no groups: R's ``lm(score ~ 1)``.

    Parameters
    ----------
    formula : str
        Outcome and terms, ``"score ~ 1"``.
    data : DataFrame, path or GroupSummary
        A table, or what `groups.summarise` made of one.
    groups : str or list of two str, optional
        The group column. The estimates and standard errors do not use it. Two columns, for errors that
        are clustered two ways (`two_way.TwoWayPooling`); a table that stays in an engine is then read.
    missing : {"raise", "drop"}

    Returns
    -------
    CompletePooling
        With N - p residual degrees of freedom.

    Raises
    ------
    TypeError, ValueError
        As `groups.summarise`, and as `tables.by_two` for two columns.

    Examples
    --------
    >>> from helpers import classrooms, complete_pooling
    >>> complete_pooling("score ~ 1", classrooms()).bse.round(3)
    Intercept    2.383
    Name: se, dtype: float64
    """
    nested = asked_for(data, groups) if isinstance(groups, str) else None
    if nested:
        (outer, inner), _ = nested
        raise ValueError(
            f"groups {groups!r}: errors of {inner} within {outer} are clustered by {outer}, the outer one: "
            f'write groups="{outer}"'
        )
    if groups is not None and not isinstance(groups, str):
        return two_way(formula, data, groups, missing)
    return CompletePooling(**least_squares(summarise(data, formula, groups, missing)))
