"""Columns of labels beside the groups: one that groups the groups, one within them, labels used anew."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from ..formulas import distributions as stats
from .formula import parse
from .labels import as_labels, is_text, number
from .reduction import summarise

FEWEST = 5  # values of a column, with fewer of which no error between them can be formed
IN_A_ROW = 0.8  # share of a run of whole numbers that are there, if they are numbers of things
ALIKE = 0.01  # chance of cells so much less alike than the sum of both columns says
APART = 0.05  # and of labels so much alike across the other column's values
_MOST = 500  # labels of the column with fewer, up to which both are fitted side by side


class Column(NamedTuple):
    """A column as labels.

    Attributes
    ----------
    name : str
    codes : ndarray of shape (N,)
        Which label each row has, without gaps.
    labels : Index
        What a code stands for.
    numbers : bool
        Whether they are whole numbers, and not text.
    """

    name: str
    codes: np.ndarray
    labels: pd.Index
    numbers: bool


class Again(NamedTuple):
    """A label of the groups under several values of another column.

    Attributes
    ----------
    label : label
        The one under most values.
    users : int
        Under how many.
    cells : int
        Groups and values together that there are.
    within : float
        Chance that cells differ so much beyond the sum of both columns, if they do not.
    across : float
        Chance that groups of one label are so much alike across values, if they are not.
    """

    label: object
    users: int
    cells: int
    within: float
    across: float


def rows_used(table, formula, group) -> pd.DataFrame:
    """The rows of a table that have every value a fit needs."""
    needed = [*parse(formula, group, "drop").names, group]
    return table.loc[table[needed].notna().all(axis=1)]


def candidates(rows, leave_out) -> list[Column]:
    """Columns of text or whole numbers, without gaps, whose values are few enough to be labels."""
    found = [labels_of(rows[name]) for name in rows.columns if name not in leave_out]
    return [column for column in found if column and len(column.labels) <= len(rows) / 2]


def labels_of(column) -> Column | None:
    """A column as labels; None for one that holds amounts, or lacks values."""
    whole = column.dtype.kind in "iu"
    if not (whole or isinstance(column.dtype, pd.CategoricalDtype) or is_text(column)):
        return None
    try:
        codes, values, gaps = number(as_labels(column))
    except TypeError:
        return None
    if gaps is not None and gaps.any():
        return None
    there = np.flatnonzero(np.bincount(codes, minlength=len(values)))
    place = np.full(len(values), -1)
    place[there] = np.arange(len(there))
    values = values[there]
    return Column(str(column.name), place[codes], values, values.dtype.kind in "iu")


def above(groups, other) -> bool:
    """Whether a column is coarser than the groups and one in each: names of what they lie in."""
    K, J = len(other.labels), len(groups.labels)
    if not FEWEST <= K <= J / 2 or not _one_in_each(groups.codes, other.codes):
        return False
    if not other.numbers:
        return True
    low, high = (int(end) for end in (min(other.labels), max(other.labels)))
    return IN_A_ROW * (high - low + 1) <= K


def within(groups, other, x) -> int | None:
    """How many parts of groups a column names, if x is one in each of these and not in a group.

    Parameters
    ----------
    groups, other : Column
    x : ndarray of shape (N,)

    Returns
    -------
    int or None
        None also where x follows from the column alone, for then it is a name of x.
    """
    cells = cells_of(groups, other)
    J, C, K = len(groups.labels), len(pd.unique(cells)), len(other.labels)
    if not J < C <= len(x) / 2 or _one_in_each(groups.codes, x):
        return None
    if not _one_in_each(cells, x) or (C > K and _one_in_each(other.codes, x)):
        return None
    return C


def used_again(rows, outcome, groups, other) -> Again | None:
    """Whether groups of one label seem to be others under other values of a column.

    So it seems if what rows of a label share, they share under one value only: cells differ by more than the
    sum of both columns says, and the labels by no more than cells do (two F tests of the cells' means).

    Parameters
    ----------
    rows : DataFrame
    outcome : str
        As a formula has it.
    groups, other : Column

    Returns
    -------
    Again or None
    """
    J, K = len(groups.labels), len(other.labels)
    if K < FEWEST or min(J, K) > _MOST:
        return None
    codes = cells_of(groups, other)
    used, place = np.unique(codes, return_inverse=True)
    g, c, C = used // K, used % K, len(used)
    if C in (J, K) or len(rows) < 2 * C:
        return None
    summary = summarise(rows[[*_names(outcome)]].assign(**{".cell": place}), f"{outcome} ~ 1", ".cell")
    n, y = summary.sizes, summary.means[:, -1]
    left, rank = _both(n, y, g, c, J, K)
    of_c = np.bincount(c, n * y, K) / np.bincount(c, n, K)
    of_labels, df_labels = np.sum(n * (y - of_c[c]) ** 2) - left, rank - K
    df, rest = C - rank, summary.within[-1, -1] / (summary.nobs - C)
    if df < 1 or df_labels < 1 or rest <= 0:
        return None
    inside = float(stats.f.sf(left / df / rest, df, summary.nobs - C))
    across = float(stats.f.sf(max(of_labels, 0.0) / df_labels / (left / df), df_labels, df))
    if inside >= ALIKE or across <= APART:
        return None
    users = np.bincount(g, minlength=J)
    most = int(users.argmax())
    return Again(groups.labels[most], int(users[most]), C, inside, across)


def cells_of(groups, other) -> np.ndarray:
    """A number for each pair of labels."""
    return groups.codes.astype(np.int64) * len(other.labels) + other.codes


def _names(outcome):
    return parse(f"{outcome} ~ 1", None, "raise").names


def _one_in_each(codes, values):
    """Whether rows of one code have one value."""
    if codes.max() > 2 * len(codes):
        codes = pd.factorize(codes)[0]
    of_code = np.empty(codes.max() + 1, dtype=values.dtype)
    of_code[codes] = values
    return bool(np.all(of_code[codes] == values))


def _both(n, y, g, c, J, K):
    """What the sum of two columns leaves of the cells' means, and how many coefficients it has."""
    if J > K:  # the larger one is eliminated
        g, c, J, K = c, g, K, J
    counts = np.zeros((J, K))
    counts[g, c] = n
    total = counts.sum(axis=0)
    of_c = np.bincount(c, n * y, K) / total
    A = np.diag(counts.sum(axis=1)) - (counts / total) @ counts.T
    b = np.bincount(g, n * (y - of_c[c]), J)
    effects, _, rank, _ = np.linalg.lstsq(A, b, rcond=1e-10)
    return float(np.sum(n * (y - of_c[c]) ** 2) - b @ effects), K + int(rank)
