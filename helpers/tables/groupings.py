"""A table with two groupings, nested or crossed: its rows by the finer, its cells, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import sparse

from . import columns, refuse
from .formula import parse
from .labels import as_labels, number
from .reduction import Deviations, reduce_table
from .summary import GroupSummary


@dataclass(frozen=True, eq=False)
class Groupings:
    """Two groupings of the rows: K outer groups, J inner ones, p terms, and the outcome as column p.

    Attributes
    ----------
    rows : GroupSummary
        By the inner grouping: the nested one, or that with more groups.
    names : tuple of str
        The groupings as asked: ("school", "school/class") or ("plate", "sample").
    labels : tuple of Index
        Their groups; those of "school/class" are pairs.
    inner : int
        Which of the two is the inner one.
    counts : csr_array of shape (K, J)
        Rows in each cell.
    moved : ndarray of shape (K, p + 1)
        Sums over the rows of an outer group of the deviations from the inner groups' means; 0 where nested.
    nested : bool
        Whether each inner group lies in one outer group.
    again : tuple or None
        Of "school/class": a class label that more than one school uses, how many use it, and how many labels
        the classes have in all.
    """

    rows: GroupSummary
    names: tuple
    labels: tuple
    inner: int
    counts: sparse.csr_array
    moved: np.ndarray
    nested: bool
    again: tuple | None = None

    @property
    def ngroups(self):
        """How many groups each grouping has, in the order of ``names``."""
        return [len(labels) for labels in self.labels]


def named(groups, there=()):
    """Say which two groupings are asked for: the two columns, and whether the second is within the first.

    Parameters
    ----------
    groups : str or list of str
    there : sequence of str
        Columns of the table: one that has a / in its name is one grouping.

    Returns
    -------
    tuple of (list of str, bool) or None
        None where one grouping is asked for.

    Raises
    ------
    TypeError
        If a list holds anything but names.
    ValueError
        If there are more than two groupings, one only in a list, or the same twice.
    """
    if isinstance(groups, str):
        if "/" not in groups or groups in there:
            return None
        names, nested = [name.strip() for name in groups.split("/")], True
        if not all(names):
            raise ValueError(f'groups {groups!r}: write classes within schools as "school/class"')
    elif isinstance(groups, (list, tuple)):
        names, nested = list(groups), False
        if not names or not all(isinstance(name, str) for name in names):
            raise TypeError(f"groups must be the name of a column or a list of two; got {groups!r}")
        if len(names) == 1:
            raise ValueError(f'groups is a list of one: write groups="{names[0]}"')
        if any("/" in name and name not in there for name in names):
            names = [part.strip() for name in names for part in name.split("/")]
    else:
        return None
    if len(names) > 2:
        parts = " + ".join(f"(1 | {name})" for name in names) if not nested else f"(1 | {'/'.join(names)})"
        raise ValueError(
            f"{len(names)} groupings ({', '.join(names)}): two at most are fitted here; in R "
            f"lme4's lmer(... + {parts}) fits them; {refuse.signpost('Three groupings and more')}"
        )
    if names[0] == names[1]:
        raise ValueError(f"groups names {names[0]!r} twice: name it once, or another grouping beside it")
    return names, nested


def summarise_groupings(data, formula, names, nested, missing="raise") -> Groupings:
    """Reduce a table to its two `Groupings`; the rows are read once, into memory.

    Parameters
    ----------
    data : DataFrame
        Any table that narwhals reads.
    formula : str
    names : list of str
        The two columns of the groups.
    nested : bool
        Whether the second counts within the first, whatever its labels.
    missing : {"raise", "drop"}

    Returns
    -------
    Groupings

    Raises
    ------
    TypeError, ValueError
        As `reduction.summarise`; and if a grouping is constant or has a group for each row, if the two are
        the same, or if they and the terms leave no row to estimate the variance within from.
    """
    asked = parse(formula, None, missing)
    found = columns.columns_of(data, [*names, *asked.names])
    N = len(found[names[0]])
    (first, labels_1, gaps_1), (second, labels_2, gaps_2) = (number(as_labels(found[name])) for name in names)
    gaps = {name: gap for name, gap in zip(names, (gaps_1, gaps_2), strict=True) if gap is not None}
    gaps = {name: gap for name, gap in gaps.items() if gap.any()}
    if gaps and missing == "raise":
        told = {
            name: (gap.sum(), f", the first in {columns.place_of(found[name], gap.argmax())}")
            for name, gap in gaps.items()
        }
        refuse.missing_values(told, N)
    width = len(labels_2)
    pairs = first.astype(np.int64) * width + second
    for gap in gaps.values():
        pairs[gap] = -1
    cell_of, cells = pd.factorize(pairs, sort=True)
    if gaps:  # whose cell is the first
        cell_of, cells = cell_of - 1, cells[1:]
    refuse.none_left(len(cells), N)
    frame = data[asked.names].copy(deep=False) if isinstance(data, pd.DataFrame) else pd.DataFrame(found)
    own = " and ".join(names)
    while own in frame.columns:
        own += "'"
    frame[own] = pd.Categorical.from_codes(cell_of, pd.RangeIndex(len(cells)))
    table = columns.read(frame, formula, own, missing)
    used = np.flatnonzero(table.counts)
    cells, rows_in = cells[used], table.counts[used]
    one, kept_1 = _compressed(cells // width, len(labels_1))
    two, kept_2 = _compressed(cells % width, width)
    labels = [labels_1[kept_1].rename(names[0]), labels_2[kept_2].rename(names[1])]
    again = _again(one, two, labels[1]) if nested else None
    if nested:
        _refuse_constant(labels[:1], names[:1])
        labels[1] = pd.MultiIndex.from_arrays([labels[0][one], labels[1][two]])
        two, names = np.arange(len(cells)), [names[0], "/".join(names)]
    else:
        _refuse_constant(labels, names)
    _refuse(names, [len(each) for each in labels], len(cells), int(rows_in.sum()), nested)
    within = [len(cells) == len(labels[0]), len(cells) == len(labels[1])]
    inner = within.index(True) if any(within) else int(len(labels[1]) >= len(labels[0]))
    of_cell, outer_of_cell = ((one, two), (two, one))[inner == 1]
    counts = sparse.csr_array(
        (rows_in.astype(float), (outer_of_cell, of_cell)), shape=(len(labels[1 - inner]), len(labels[inner]))
    )
    place = np.full(int(used[-1]) + 1, -1)
    place[used] = np.arange(len(used))
    cell_of = place[table.codes]
    places = len(labels[inner])
    table = replace(table, codes=of_cell[cell_of], labels=pd.RangeIndex(places), places=places)
    summary, rows = reduce_table(table, Deviations, formula, names[inner], products=any(within))
    moved = np.zeros((counts.shape[0], len(table.terms) + 1))
    if not any(within):
        outer = outer_of_cell[cell_of]
        sums = np.array([np.bincount(outer, row, counts.shape[0]) for row in rows.rows]).T
        moved[:, [k for k in range(moved.shape[1]) if k != table.intercept]] = sums - counts @ rows.steps
    return Groupings(summary, tuple(names), tuple(labels), inner, counts, moved, any(within), again)


def without_gaps(table, names):
    """The rows of a table in memory that have a label in each of these columns.

    Parameters
    ----------
    table : DataFrame
    names : sequence of str

    Returns
    -------
    DataFrame
        The same one where no row lacks any.
    """
    found = columns.columns_of(table, names)
    gaps = [number(as_labels(found[name]))[2] for name in names]
    gone = np.any([gap for gap in gaps if gap is not None] or [np.zeros(len(table), dtype=bool)], axis=0)
    return table.loc[~gone] if gone.any() else table


def _compressed(codes, width):
    """Codes without gaps among them, and which there were."""
    there = np.bincount(codes, minlength=width) > 0
    return (np.cumsum(there) - 1)[codes], np.flatnonzero(there)


def _again(one, two, labels):
    """A label of the second grouping that more than one group of the first uses."""
    users = np.bincount(two)
    most = int(users.argmax())
    return (labels[most], int(users[most]), len(labels)) if users[most] > 1 else None


def _refuse_constant(labels, names):
    for each, name in zip(labels, names, strict=True):
        if len(each) < 2:
            raise ValueError(
                f"column {name!r} holds one group only, {each.tolist()[0]!r}: leave it out of groups; "
                "comparing groups takes two or more"
            )


def _refuse(names, sizes, cells, N, nested):
    for name, size in zip(names, sizes, strict=True):
        if size == N:
            other = names[0] if name == names[1] else names[1].removeprefix(f"{name}/")
            raise ValueError(
                f"every {name} has one row only: its variance cannot be told from that within, of the rows; "
                f'write groups="{other}"'
            )
    if sizes[0] == sizes[1] == cells:
        why = f"every {names[0]} has one {names[1]} only" if nested else "and each names the other's"
        raise ValueError(
            f"{names[0]} and {names[1]} are the same groups ({why}), {cells} of them: their variances cannot "
            f'be told apart; write groups="{names[0]}"'
        )
