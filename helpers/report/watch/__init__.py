"""What to watch: the list of checks, in the order of their warnings; each stands beside its threshold."""

from __future__ import annotations

import pandas as pd

from . import edges, groups, levels, predictors, rows
from .check import Watch

WATCHED = [
    rows.missing_values,
    rows.two_values,
    rows.values_far_off,
    groups.a_group_for_each_row,
    groups.few_groups,
    edges.singular_fit,
    edges.psi_is_0_without_the_predictors,
    edges.less_alike_than_strangers,
    edges.one_group_alone,
    edges.df_collapse,
    groups.names_alike,
    groups.very_unequal_sizes,
    groups.groups_of_one_row,
    groups.a_finite_population,
    groups.a_group_far_out,
    levels.a_level_above,
    levels.a_level_within,
    levels.a_label_used_again,
    edges.a_slope_that_differs,
    predictors.names_alike,
    predictors.perhaps_a_category,
    predictors.a_group_level_predictor,
    predictors.a_predictor_of_both_levels,
]

__all__ = ["WATCHED", "Watch", "table", "warnings"]


def warnings(found) -> list:
    """What matters with these data: a sentence or two each, the matter before the colon."""
    return [warning for watched in WATCHED for warning in watched.check(found)]


def table() -> pd.DataFrame:
    """List what a report watches for.

    Returns
    -------
    DataFrame
        Columns ``warning``, ``due`` (from where on) and ``why``, a row for each matter.

    Examples
    --------
    >>> from helpers.report import watch
    >>> watch.table()["warning"][:4].tolist()
    ['Missing values', 'Two values', 'Values far off', 'A group for each row, nearly']
    """
    told = pd.DataFrame([watched[:3] for watched in WATCHED], columns=["warning", "due", "why"])
    return told.drop_duplicates(ignore_index=True)
