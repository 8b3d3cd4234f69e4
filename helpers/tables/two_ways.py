"""A table grouped by two columns: three summaries, by the one, by the other and by the cells of both."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from . import refuse
from .columns import columns_of
from .formula import parse
from .labels import as_labels, number
from .once import in_memory
from .reduction import summarise
from .summary import GroupSummary


class TwoWays(NamedTuple):
    """The same rows, summed by each of two columns and by both.

    Attributes
    ----------
    first, second : GroupSummary
        By the one column and by the other.
    cells : GroupSummary
        By what both say; its labels are numbers, its ``group`` the names of both.
    """

    first: GroupSummary
    second: GroupSummary
    cells: GroupSummary

    @property
    def names(self) -> tuple:
        """The two columns."""
        return self.first.group, self.second.group

    @property
    def within(self) -> tuple | None:
        """Which column's groups lie each in one group of the other, and that other; None where they cross."""
        for inner, outer in ((self.first, self.second), (self.second, self.first)):
            if inner.ngroups == self.cells.ngroups:
                return inner.group, outer.group
        return None


def by_two(data, formula, groups, missing="raise") -> TwoWays:
    """Summarise a table by two columns and by their cells.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads; the rows of one that stays in an engine are brought into memory.
    formula : str
    groups : sequence of two str
        Columns, taken as labelled: the same label is the same group wherever it stands.
    missing : {"raise", "drop"}

    Returns
    -------
    TwoWays

    Raises
    ------
    TypeError
        If data is no table, or groups are not names of columns.
    ValueError
        As `summarise`; unless there are two columns; if both are one, group the rows alike, or one of them
        has a label of its own for every row.

    Examples
    --------
    >>> import pandas as pd
    >>> from helpers.tables import by_two
    >>> read = pd.DataFrame({"text": list("aabbcc"), "reader": list("uvuvuv"), "mark": [1.0, 3, 2, 5, 4, 4]})
    >>> [summary.ngroups for summary in by_two(read, "mark ~ 1", ["text", "reader"])]
    [3, 2, 6]
    """
    first, second = _names(data, groups)
    asked = parse(formula, first, missing)
    table = in_memory(data, formula, first, [second])
    found, dropped = columns_of(table, [*asked.names, first, second]), 0
    codes, none = {}, np.zeros(len(found[first]), dtype=bool)
    for name in (first, second):
        codes[name], _, gaps = number(as_labels(found[name]))
        none |= False if gaps is None else gaps
    if missing == "drop" and none.any():
        refuse.none_left(len(none) - int(none.sum()), len(none))
        table, dropped = table.loc[~none], int(none.sum())
        codes = {name: code[~none] for name, code in codes.items()}
    by_first, by_second = (summarise(table, formula, name, missing) for name in (first, second))
    both = f"{first}:{second}"
    while both in table.columns:
        both += "'"
    wide = codes[first].astype(np.int64) * (int(codes[second].max()) + 1) + codes[second]
    wanted = [*dict.fromkeys(asked.names)]
    cells = summarise(table[wanted].assign(**{both: wide}), formula, both, missing)
    for summary in (by_first, by_second):
        if summary.ngroups == summary.nobs:
            other = second if summary is by_first else first
            raise ValueError(
                f"column {summary.group!r} has a label of its own for each of {summary.nobs} rows, so it "
                f"groups nothing: cluster by {other!r} alone"
            )
    if by_first.ngroups == by_second.ngroups == cells.ngroups:
        raise ValueError(f"columns {first!r} and {second!r} group the rows alike: name one of them")
    return TwoWays(by_first, by_second, replace(cells, dropped=cells.dropped + dropped))


def _names(data, groups):
    """The two columns, or say what they are not."""
    if isinstance(data, GroupSummary):
        raise TypeError("two groupings need the table itself, not a summary of it by one")
    names = list(groups) if isinstance(groups, (list, tuple)) else groups
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"groups must be the name of a column, or a list of two; got {groups!r}")
    if len(names) == 1:
        raise ValueError(f'groups is a list of one: write groups="{names[0]}"')
    if len(names) != 2:
        how = "~ " + " + ".join(names)
        more = f"; in R, sandwich::vcovCL(lm(...), cluster = {how}) takes more; "
        more += refuse.signpost("Three groupings and more")
        raise ValueError(
            f"groups names {len(names)} columns: one or two are offered{more if len(names) > 2 else ''}"
        )
    if names[0] == names[1]:
        raise ValueError(f"groups names {names[0]!r} twice: name one column, or another one beside it")
    return names
