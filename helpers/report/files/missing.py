"""Codes that stand for a missing value: declared by the caller, taken out, counted, and said."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from ...tables.labels import Written, as_numbers

NOTHING = "empty or NA"


def declared(frame, codes) -> pd.DataFrame:
    """Return the frame without declared codes, these counted in ``attrs["missing"]``.

    Parameters
    ----------
    frame : DataFrame
    codes : dict of str to list
        By column; a code is a number, or a text.

    Raises
    ------
    TypeError, ValueError
        If it is no dictionary, or has a column that is not there. A code that no row has is no error.
    """
    if not isinstance(codes, dict):
        raise TypeError('missing_values must say for which column: {"income": [9, 99]}')
    counted = {name: dict(kinds) for name, kinds in frame.attrs.get("missing", {}).items()}
    attrs, frame = frame.attrs, frame.copy(deep=False)
    for name, values in codes.items():
        if name not in frame.columns:
            raise ValueError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
        column = frame[name]
        numbers = as_numbers(column, coded=True)
        for code in values if isinstance(values, list | tuple | set) else [values]:
            gone = _equal(column, numbers, code)
            if gone.any():
                counted.setdefault(name, {})[str(code)] = int(gone.sum())
                column, numbers = (one.mask(gone) for one in (column, numbers))
        frame[name] = column
    frame.attrs = attrs | {"missing": Written(counted)}
    return frame


def _equal(column, numbers, code):
    """Which values are a code: as number, or as text."""
    as_text = column.astype(str).str.strip() == str(code)
    if numbers.dtype.kind in "iuf" and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", str(code)):
        as_text |= numbers.to_numpy(dtype=float, na_value=np.nan) == float(code)
    return as_text.to_numpy(dtype=bool)


def told(attrs, names) -> str:
    """Say how many values were missing, by kind, in some columns of a file; nothing if none was."""
    found = attrs.get("missing", {})
    parts = [
        f"{name} {', '.join(f'{count} as {kind}' for kind, count in found[name].items())}"
        for name in names
        if found.get(name)
    ]
    return f"Missing values by kind: {'; '.join(parts)}." if parts else ""


def by_column(table, names) -> dict:
    """Rows that lack a value, by column, and why: a code, a mark, or nothing where a value should be.

    Parameters
    ----------
    table : DataFrame
        All rows; what a file counted by kind is in its ``attrs``.
    names : sequence of str
        The columns that every row must have.

    Returns
    -------
    dict of str to (int, dict)
        Columns that lack any: in how many rows, and how many by kind. Under None: rows that lack two.
    """
    gaps = {name: table[name].isna().to_numpy() for name in dict.fromkeys(names)}
    counted, found = table.attrs.get("missing", {}), {}
    for name, gap in gaps.items():
        if not gap.any():
            continue
        number, kinds = int(gap.sum()), dict(counted.get(name, {}))
        left = number - sum(kinds.values())
        if left < 0:  # of another table: rows were taken out since
            kinds = {}
        elif left and kinds:
            kinds[NOTHING] = left
        found[name] = number, kinds
    several = int((np.sum(list(gaps.values()), axis=0) > 1).sum())
    return found | ({None: (several, {})} if several else {})
