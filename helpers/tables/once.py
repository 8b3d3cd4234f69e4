"""A table read once: its columns in memory, for whoever looks at the values and then summarises them."""

from __future__ import annotations

import pandas as pd

from .columns import columns_of, parse


def in_memory(data, formula, groups, others=()) -> pd.DataFrame:
    """Return a table of pandas that has what a formula needs, so that nothing is read a second time.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads. One of pandas is in memory and is handed back as it is.
    formula : str
    groups : str
        The group column.
    others : sequence of str
        More columns that are wanted.

    Returns
    -------
    DataFrame
        The columns of the formula, the groups and the others, as `columns.columns_of` has them.

    Raises
    ------
    TypeError, ValueError
        As `columns.columns_of`, and as a formula that cannot be read.
    """
    if isinstance(data, pd.DataFrame):
        return data
    wanted = [groups, *others, *parse(formula, groups, "raise").names]
    return pd.DataFrame(columns_of(data, wanted), copy=False)
