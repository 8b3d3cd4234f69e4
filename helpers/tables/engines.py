"""A table that stays in its engine, Dask, Spark, DuckDB or polars': one GROUP BY brings one row a group.

It counts, and adds up how far each column is from a value amid it, and the products of these. Where that
would cost digits (groups far apart), a second adds up the products of the deviations from the group means,
which the engine joins to its rows, so that the digits are those of `summarise` in memory. Another one is
asked for only where the terms explain nearly all of the outcome. Dask's partitions
are reduced where they are (`partitions`), and no row is moved.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations_with_replacement

import narwhals as nw
import numpy as np
import pandas as pd

from . import partitions, refuse
from .formula import parse
from .labels import Later, number, to_pandas
from .parquet import opened
from .straight import maker

_FAR = 100  # times the sum of squares within: where those of the means are larger, sums would cost digits
_LEFT = 0.1  # of a sum of squares: where the terms leave less, what they leave is added up row by row


@dataclass(frozen=True)
class Grouped:
    """What one GROUP BY says of a table, and where its rows are.

    Attributes
    ----------
    outcome, terms, intercept, labels, counts, dropped
        As of `columns.Table`.
    columns : list of str
        What the engine calls the terms but the constant, and the outcome last.
    origin : ndarray of shape (v,)
        One value amid each column.
    means : ndarray of shape (v, K)
        Of each column by label, less the origin.
    squares : ndarray of shape (v, v, K)
        Products of the deviations of the columns from their group means, added up by label.
    exact : bool
        Whether these have their digits.
    rows, averages : LazyFrame
        The rows, and one row a group with its means, in the engine both.
    codes : callable
        From a table that came back, one row a group, to the places of these among the labels.
    """

    outcome: str
    terms: list
    intercept: int | None
    labels: pd.Index = Later()  # noqa: RUF009
    counts: np.ndarray
    dropped: int
    columns: list
    origin: np.ndarray
    means: np.ndarray
    squares: np.ndarray
    exact: bool
    rows: nw.LazyFrame
    averages: nw.LazyFrame
    codes: Callable

    def extent(self, k):
        """Least and largest value of column k."""
        return _ends(self.rows, self.columns[k])


def read(data, formula, groups, missing) -> Grouped | None:
    """Ask an engine for the `Grouped` of its table.

    Parameters
    ----------
    data, formula, groups, missing
        As for `summarise`.

    Returns
    -------
    Grouped or None
        None where the rows are in memory already; and where they are DuckDB's or a polars LazyFrame's, on
        this machine too, and the formula takes more than numeric columns, or polars' lack values.

    Raises
    ------
    ValueError
        As `summarise` does; and for such a formula, if the engine is any other.
    """
    asked = parse(formula, groups, missing)  # before a path is looked for: arguments may be exchanged
    source = _staying(opened(data))
    if source is None:
        return None
    schema = source.collect_schema()
    refuse.unknown(asked.names if groups is None else [*asked.names, groups], schema.names())
    others = [name for name in asked.names if not (schema[name].is_numeric() or schema[name] == nw.Boolean)]
    if others or not asked.plain:
        if source.implementation.is_duckdb() or source.implementation.is_polars():
            return None
        _refuse(formula, asked, {name: schema[name] for name in others}, source.implementation)
    outcome, terms = asked.plain
    names = [name for name in (*terms, outcome) if name is not None]
    columns = [f"x{k}" for k in range(len(names))]
    rows, total = _numbers(source, schema, groups, names), None
    if missing == "drop":
        total = rows.select(nw.len()).collect().item()
        rows = rows.drop_nulls()
    first, found, origin = _added_up(rows, columns)
    N = int(found["rows"].sum() or 0)
    if total:
        refuse.none_left(N, total)
    refuse.no_rows(N)

    def numbered(back):
        if groups is None:
            return np.zeros(len(back), dtype=np.intp), pd.Index(["all"]), None
        return number(to_pandas(back["group"], schema[groups]))

    codes, labels, none = numbered(found)
    sizes = found["rows"].to_numpy().astype(float)
    gaps = {name: N - int(found[f"known {columns[names.index(name)]}"].sum()) for name in asked.names}
    if none is not None:
        gaps[groups] = int(sizes[none].sum())
    if any(gaps.values()):
        if source.implementation.is_polars():
            return None
        refuse.missing_values({name: (count, "") for name, count in gaps.items() if count}, N)
    pairs = list(combinations_with_replacement(range(len(columns)), 2))
    means = _placed([found[f"off {x}"] for x in columns], codes, len(labels))
    products = _placed([found[f"{columns[i]} {columns[k]}"] for i, k in pairs], codes, len(labels))
    sizes = np.bincount(codes, sizes, len(labels))
    used = sizes > 0
    with np.errstate(all="ignore"):  # what is not finite is named here, what cannot be squared by `reduction`
        squares = np.empty((len(columns), len(columns), len(labels)))
        for (i, k), product in zip(pairs, products, strict=True):
            squares[i, k] = squares[k, i] = product
        apart = np.einsum("j,ij,ij->i", sizes[used], means[:, used], means[:, used])
        inside = np.einsum("iij->i", squares[..., used])
        whole = apart + inside
        reach = np.abs(origin) + np.sqrt(whole)
    for name in asked.names:
        k = names.index(name)
        integer = schema[name].is_integer() or schema[name] == nw.Decimal
        if not reach[k] < (refuse.WHOLE if integer else np.inf):
            most = max(map(abs, _ends(rows, columns[k])))
            if most == np.inf:
                if source.implementation.is_polars():
                    return None
                raise ValueError(f"column {name!r} holds an infinite value")
            if integer:
                refuse.beyond_doubles(name, most)
    intercept = terms.index(None) if None in terms else None
    terms = ["Intercept" if name is None else name for name in terms]
    refuse.repeated(terms)
    if intercept is None:
        ones = (k for k in range(len(terms)) if origin[k] == 1 and whole[k] == 0)
        intercept = next(ones, None)
        if intercept is not None:
            del columns[intercept]
            origin, means, apart, inside = (
                np.delete(values, intercept, axis=0) for values in (origin, means, apart, inside)
            )
            squares = np.delete(np.delete(squares, intercept, axis=0), intercept, axis=1)
    return Grouped(
        outcome, terms, intercept, labels, sizes, total - N if total else 0, columns, origin, means, squares,
        bool(np.all((apart <= _FAR * inside) | (apart == 0))), rows,
        _averages(first, found, columns), lambda back: numbered(back)[0],
    )  # fmt: skip


def _added_up(rows, columns):
    """Ask for counts, means and products by group, about one row of the table.

    Returns
    -------
    first : LazyFrame
        Their group, count and means, in the engine.
    found : DataFrame
        As `partitions.reduced`.
    origin : ndarray
        What was taken off each column.
    """
    pairs = list(combinations_with_replacement(columns, 2))
    first = rows.group_by("group", drop_null_keys=False).agg(
        *(nw.col(x).mean().alias(f"mean {x}") for x in columns)
    )
    if rows.implementation.is_dask():
        found = partitions.reduced(rows, columns)
        origin = np.array([found[f"origin {x}"][0] if len(found) else 0.0 for x in columns])
        return first, found, origin
    top = rows.select(columns).head(1).collect()
    origin = np.array([float(top[x][0]) if len(top) and top[x][0] is not None else 0.0 for x in columns])
    origin[~np.isfinite(origin)] = 0.0
    off = rows.with_columns((nw.col(x) - o).alias(x) for x, o in zip(columns, origin.tolist(), strict=True))
    off = off.with_columns((nw.col(x) * nw.col(z)).alias(f"{x} {z}") for x, z in pairs)
    found = off.group_by("group", drop_null_keys=False).agg(
        nw.len().alias("rows"),
        *(nw.col(x).count().alias(f"known {x}") for x in columns),
        *(nw.col(x).sum() for x in [*columns, *(f"{x} {z}" for x, z in pairs)]),
    )
    found = _collect(found).with_columns((nw.col(x) / nw.col("rows")).alias(f"off {x}") for x in columns)
    lost = ((x, z, nw.col(x) * nw.col(f"off {z}")) for x, z in pairs)
    found = found.with_columns((nw.col(f"{x} {z}") - less).alias(f"{x} {z}") for x, z, less in lost)
    return first, found, origin


def _collect(lazy):
    """What an engine answers; polars without having all rows in memory."""
    return lazy.collect(engine="streaming") if lazy.implementation.is_polars() else lazy.collect()


def _ends(rows, x):
    """Least and largest value of a column."""
    found = rows.select(nw.col(x).min().alias("low"), nw.col(x).max().alias("high")).collect()
    return float(found["low"][0]), float(found["high"][0])


def _staying(data):
    """Return the table as narwhals has it if its rows stay in an engine; None for any other."""
    if maker(type(data)):
        return None
    with _quiet():
        frame = nw.from_native(data, pass_through=True)
    return frame if isinstance(frame, nw.LazyFrame) else None


@contextmanager
def _quiet():
    """Keep narwhals from asking for a package of its support for Dask, which is part of it still."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Dask support is moving", FutureWarning)
        yield


def _refuse(formula, asked, others, engine):
    """Say which columns are no numbers, or that the formula asks for more than columns."""
    for name, dtype in others.items():
        if dtype.is_temporal():
            refuse.times(name)
        if name in asked.outcomes:
            refuse.text_outcome(name, dtype)
    what = f"{', '.join(map(repr, others))} as numbers" if others else "functions or products"
    raise ValueError(
        f"formula {formula!r} needs {what}, but the table stays in {engine.value}: "
        "make a numeric column for each term there"
    )


def _numbers(source, schema, groups, names):
    """Rows of the group and of doubles, null where there is none."""
    rows = source.select(
        (nw.lit(0) if groups is None else nw.col(groups)).alias("group"),
        *(nw.col(name).cast(nw.Float64()).alias(f"x{k}") for k, name in enumerate(names)),
    )
    fractions = [f"x{k}" for k, name in enumerate(names) if schema[name].is_float()]
    if groups is not None and schema[groups].is_float():
        fractions.append("group")
    return rows.with_columns(nw.when(~nw.col(x).is_nan()).then(nw.col(x)).alias(x) for x in fractions)


def _averages(first, found, columns):
    """One row a group, in the engine of the rows."""
    if not first.implementation.is_dask():
        return first
    found = found.select(
        "group", *((nw.col(f"origin {x}") + nw.col(f"off {x}")).alias(f"mean {x}") for x in columns)
    )
    with _quiet():  # Dask would keep all rows until the averages are there
        return found.lazy("dask")


def _placed(series, codes, K):
    """Put one row a group in the places of the groups."""
    values = np.full((len(series), K), np.nan)
    values[:, codes] = [one.to_numpy() for one in series]
    return values


class Deviations:
    """Columns as deviations from their group means, by GROUP BY: `reduction.Deviations` of an engine."""

    small = False

    def __init__(self, table, shift, used):
        self._table, self._shift, self._used = table, shift, used
        self._sizes = table.counts[used]
        if table.exact:
            self.means = table.means[:, used].T + (table.origin - shift)
            self.steps, self._products = np.zeros_like(self.means), table.squares[..., used].copy()
        else:
            self._add_up(np.zeros(len(table.columns) - 1))

    def _add_up(self, slopes):
        """Ask for means, sums and products of the deviations, the slopes taken off the last."""
        table, columns, y = self._table, self._table.columns, self._table.columns[-1]
        pairs = list(combinations_with_replacement(columns, 2))
        rows = table.rows.join(table.averages, on="group", how="left").with_columns(
            (nw.col(x) - nw.col(f"mean {x}")).alias(x) for x in columns
        )
        if slopes.any():
            explained = sum(slope * nw.col(x) for slope, x in zip(slopes.tolist(), columns, strict=False))
            rows = rows.with_columns((nw.col(y) - explained).alias(y))
        rows = rows.with_columns((nw.col(x) * nw.col(z)).alias(f"{x} {z}") for x, z in pairs)
        found = rows.group_by("group").agg(
            *(nw.col(f"mean {x}").max() for x in columns),
            *(nw.col(x).sum() for x in columns),
            *(nw.col(f"{x} {z}").sum() for x, z in pairs),
        )
        found = _collect(found)
        codes = table.codes(found)

        def by_group(names):
            return _placed([found[name] for name in names], codes, len(table.counts))[:, self._used]

        self.means = by_group(f"mean {x}" for x in columns).T - self._shift
        self.steps = by_group(columns).T / self._sizes[:, None]
        self._products = np.empty((len(columns), len(columns), len(self._sizes)))
        i, k = np.triu_indices(len(columns))
        self._products[i, k] = self._products[k, i] = by_group(f"{x} {z}" for x, z in pairs)

    def cross(self, sizes):
        """Cross-products within the groups."""
        return self._products.sum(axis=-1) - np.einsum("j,ji,jk->ik", sizes, self.steps, self.steps)

    def take_off(self, slopes):
        """Put what the other columns, times their slopes, leave of the last in its place."""
        change = np.eye(len(slopes) + 1)
        change[-1, :-1] = -slopes
        products = np.einsum("ac,cdj,bd->abj", change, self._products, change)
        if products[-1, -1].sum() > _LEFT * self._products[-1, -1].sum():
            self._products, self.steps = products, self.steps @ change.T
        else:
            self._add_up(slopes)
        self.means = self.means @ change.T

    def products(self):
        """Cross-products by group of all columns but the last with all, of shape (J, v, v + 1)."""
        steps = self._sizes[:, None, None] * self.steps[:, :-1, None] * self.steps[:, None]
        return np.moveaxis(self._products[:-1], -1, 0) - steps
