"""What Dask is asked for: each partition reduced where it is to a row a group, and these merged in turn.

A row has the count, what was taken off each column, the means less that, and the products of the deviations
from the means, so that two of them merge (Chan, Golub and LeVeque 1983). Each partition is asked
for once, and none of its rows is moved.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import narwhals as nw
import numpy as np
import pandas as pd

from .labels import whole_numbers
from .sums import added_up, counted

_AT_ONCE = 4  # partitions merged at a time: rows of so many wait together


def reduced(rows, columns) -> nw.DataFrame:
    """Reduce a table of Dask's to a row a group.

    Parameters
    ----------
    rows : LazyFrame
        The group and columns of doubles, of Dask.
    columns : list of str

    Returns
    -------
    DataFrame
        ``group``, ``rows``, and for each column x: ``known x``, how many values it has; ``origin x``, one for
        all groups; ``off x``, its mean less that; and for each pair ``x z``, products within the group.
    """
    native = rows.to_native()
    empty = of_partition(native._meta, columns)
    sums = native.map_partitions(of_partition, columns, meta=empty)
    found = sums.reduction(merged, aggregate=merged, combine=merged, meta=empty, split_every=_AT_ONCE)
    return nw.from_native(found.compute().reset_index(drop=True))


def of_partition(part, columns) -> pd.DataFrame:
    """Reduce one partition, by the corrected two-pass formula."""
    codes, labels = _numbered(part["group"])
    counts = counted(codes, len(labels))
    found = {"group": labels, "rows": counts}
    values = [part[x].to_numpy(dtype=float, na_value=np.nan) for x in columns]
    with np.errstate(all="ignore"):  # an infinite value is told by whoever asked
        means, deviations = {}, {}
        for x, column in zip(columns, values, strict=True):
            gaps = np.isnan(column) if np.isnan(column.sum()) else None
            known = counts if gaps is None else np.bincount(codes[~gaps], minlength=len(labels))
            origin = float(column[0]) if len(column) and np.isfinite(column[0]) else 0.0
            off = column - origin
            means[x] = _means(codes, off, counts)
            off -= means[x][codes]
            found |= {f"known {x}": known, f"origin {x}": np.full(len(labels), origin)}
            deviations[x] = off
        return _frame(found, columns, counts, codes, means, deviations)


def merged(sums) -> pd.DataFrame:
    """Merge rows of several partitions to one a group."""
    columns = [name.removeprefix("known ") for name in sums if name.startswith("known ")]
    codes, labels = _numbered(sums["group"])
    part = sums["rows"].to_numpy()
    counts = np.bincount(codes, part, len(labels)).astype(part.dtype)
    found = {"group": labels, "rows": counts}
    with np.errstate(all="ignore"):
        means, deviations = {}, {}
        for x in columns:
            known = np.bincount(codes, sums[f"known {x}"], len(labels)).astype(part.dtype)
            origins = sums[f"origin {x}"].to_numpy()
            origin = origins[0] if len(origins) else 0.0
            off = (origins - origin) + sums[f"off {x}"].to_numpy()
            means[x] = _means(codes, part * off, counts)
            found |= {f"known {x}": known, f"origin {x}": np.full(len(labels), origin)}
            deviations[x] = off - means[x][codes]
        return _frame(found, columns, counts, codes, means, deviations, part, sums)


def _frame(found, columns, counts, codes, means, deviations, part=1, sums=None):
    """Means corrected by what rounding left of the deviations, and products, of rows or of merged rows."""
    steps = {x: _means(codes, part * deviations[x], counts) for x in columns}
    found |= {f"off {x}": means[x] + steps[x] for x in columns}
    for x, z in combinations_with_replacement(columns, 2):
        product = part * deviations[x] * deviations[z]
        if sums is not None:
            product += sums[f"{x} {z}"].to_numpy()
        found[f"{x} {z}"] = added_up(codes, product, len(counts)) - counts * steps[x] * steps[z]
    found = pd.DataFrame(found)
    return found if counts.all() else found[counts > 0]


def _numbered(groups):
    """Codes of a column of groups and what they stand for, a missing one too; some may not occur."""
    if isinstance(groups.dtype, np.dtype) and groups.dtype.kind in "iu" and len(groups):
        codes, _, labels = whole_numbers(groups.to_numpy())
        return codes, labels().astype(groups.dtype)
    return pd.factorize(groups, use_na_sentinel=False)


def _means(codes, values, counts):
    return added_up(codes, values, len(counts)) / counts
